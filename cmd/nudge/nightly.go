package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"nudge/engine"
)

// nightly makes the daemon's own copies of the state. One that fails is told in
// the diary and by nudge status, and is tried again after an hour; it is never
// the daemon's end.
type nightly struct {
	backupSettings
	copy func(now time.Time) (engine.BackupResult, error) // makes one and forgets the oldest
	last func() (time.Time, error)                        // when the newest was made, the zero time when there is none
	log  *slog.Logger

	mu     sync.Mutex
	amiss  string // what a person should know, "" = nothing
	failed string // the error that is in the diary
}

// Between two looks at the clock. A machine that slept has a later one than its
// timers know.
const lookAtClock = 10 * time.Minute

// backupRetry is how long after one that failed it is tried again.
const backupRetry = time.Hour

// run makes copies until ctx is done. A night in which the machine was off is
// made up for.
func (n *nightly) run(ctx context.Context) {
	if n.at == nil {
		return
	}
	due := n.first(time.Now())
	for !due.IsZero() {
		timer := time.NewTimer(min(time.Until(due), lookAtClock))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if now := time.Now(); !due.After(now) {
			due = n.make(now)
		}
	}
}

// first is when the first copy of this daemon is due.
func (n *nightly) first(now time.Time) time.Time {
	last, err := n.last()
	if err != nil {
		n.tell("the backups could not be listed", err)
	}
	if last.IsZero() || last.After(now) {
		last = now
	}
	return nextBackup(n.at, last)
}

// make makes one copy, and returns when the next is due.
func (n *nightly) make(now time.Time) time.Time {
	done, err := n.copy(now)
	if err != nil {
		n.tell("the backup of "+day(now)+" failed", err)
		return now.Add(backupRetry)
	}
	n.mu.Lock()
	n.amiss, n.failed = "", ""
	n.mu.Unlock()
	n.log.Info("backup made", "file", done.Path, "bytes", done.Bytes, "enrollments", done.Enrollments)
	return nextBackup(n.at, now)
}

// tell notes a failure, and writes it into the diary once as long as it is the
// same.
func (n *nightly) tell(what string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.amiss = fmt.Sprintf("%s: %v", what, err)
	if err.Error() != n.failed {
		n.failed = err.Error()
		n.log.Warn("no backup was made", "what", what, "err", err)
	}
}

// notices is what nudge status should say about it.
func (n *nightly) notices() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.amiss == "" {
		return nil
	}
	return []string{n.amiss}
}

// nextBackup is the first moment of a cron expression after last, in this
// machine's time; the zero time when there is none. A clock that is put forward
// skips the hour in which many such moments lie, so the offset of last counts.
func nextBackup(at cron.Schedule, last time.Time) time.Time {
	name, offset := last.Local().Zone()
	return at.Next(last.In(time.FixedZone(name, offset)))
}

// nightDesk is the daemon's Operator: the desk, and what the daemon itself has
// to tell.
type nightDesk struct {
	*engine.Desk
	backups *nightly
	shelf   *diaryShelf
}

// Status implements engine.Operator.
func (d nightDesk) Status(ctx context.Context) (engine.Status, error) {
	s, err := d.Desk.Status(ctx)
	s.Notices = append(append(s.Notices, d.backups.notices()...), d.shelf.notices()...)
	return s, err
}

// Reload implements engine.Operator.
func (d nightDesk) Reload(ctx context.Context, req engine.ReloadRequest) (engine.ReloadResult, error) {
	result, err := d.Desk.Reload(ctx, req)
	if err != nil || req.DryRun {
		return result, err
	}
	for _, c := range result.Changes {
		d.shelf.log.Info("sequence reloaded", "sequence", c.Sequence, "change", c.Change, "under_way", c.UnderWay, "new_words", c.NewWords,
			"pass_over", c.PassOver, "end", c.End, "held", c.Held, "back", c.Back)
	}
	if len(result.Changes) > 0 {
		d.shelf.log.Info("sequences reloaded", "sequences", result.Loaded, "broken", len(result.Broken))
	}
	return result, nil
}
