package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Health is how a mailbox was when it was last tried. Errors are in a person's
// words, "" when all is well.
type Health struct {
	SweptAt   time.Time // when the folders were last read to their end; zero = not yet
	IMAPError string
	IMAPSince time.Time // of the first failure in a row
	SMTPTried bool      // whether SMTPError, or its absence, means anything yet
	SMTPError string
	SMTPSince time.Time // of the first failure in a row
	SMTPUntil time.Time // when it is tried again
}

// Health tells how the mailbox was when it was last tried.
func (e *Engine) Health() Health {
	if h := e.health.Load(); h != nil {
		return *h
	}
	return Health{}
}

// alarmAfter is how long a mailbox may be unreadable, or its mail server away,
// before a person is told more loudly than in the diary.
const alarmAfter = 15 * time.Minute

// grumblePause is how often trouble that comes and goes is told.
const grumblePause = time.Hour

// grumble is what was told of trouble that comes and goes. Both ends of it are
// told, or neither.
type grumble struct {
	at      time.Time // when its begin was last told
	untold  int       // how often it began since
	telling bool      // what goes on now was told
}

// begins says whether a person is told that the trouble begins, and as what goes
// into the log how often it did since one was told last, when more than once.
func (g *grumble) begins(now time.Time) (tell bool, times []any) {
	g.untold++
	if g.telling = g.at.IsZero() || now.Sub(g.at) >= grumblePause || now.Before(g.at); !g.telling {
		return false, nil
	}
	if g.untold > 1 {
		times = []any{"times", g.untold}
	}
	g.untold, g.at = 0, now
	return true, times
}

// heard notes how a look at the mailbox went.
func (e *Engine) heard(now time.Time, err error) {
	h := e.Health()
	if err == nil {
		if e.deaf > 0 && (e.deafness.telling || e.deafAlarm) {
			e.Log.Info("mailbox readable again", "mailbox", e.Mailbox.Name)
		}
		e.deaf, e.deafAlarm, h.SweptAt = 0, false, now
		if e.slow == 0 && e.unread == 0 { // else it can be read, but not soon enough to send on, or not what was sent
			e.alarmed, h.IMAPError, h.IMAPSince = false, "", time.Time{}
		}
		e.health.Store(&h)
		return
	}
	if asStoreError(err) != nil || errors.Is(err, context.Canceled) {
		return
	}
	if h.IMAPSince.IsZero() {
		h.IMAPSince = now
	}
	if e.deaf == 0 {
		e.deafSince = now
		if tell, times := e.deafness.begins(now); tell {
			e.Log.Warn("mailbox unreadable, all touches held back", slices.Concat([]any{"mailbox", e.Mailbox.Name}, times, []any{"err", err})...)
		}
	}
	if !e.deafAlarm && now.Sub(e.deafSince) >= alarmAfter {
		e.deafAlarm = true
		e.Log.Error("mailbox still unreadable, all touches held back", "mailbox", e.Mailbox.Name, "since", e.deafSince, "err", err)
	}
	e.deaf++
	h.IMAPError = err.Error()
	e.health.Store(&h)
}

// spoke notes how an attempt to send went: trouble is nil when none of it was
// the mailbox's own. Trouble that will not pass by itself pauses the mailbox.
func (e *Engine) spoke(now time.Time, trouble *SendError) error {
	h := e.Health()
	h.SMTPTried = true
	if trouble == nil {
		if e.mute > 0 && (e.muteness.telling || e.muteAlarm) {
			e.Log.Info("mail can be sent again", "mailbox", e.Mailbox.Name)
		}
		e.mute, e.rejected, e.silentUntil, e.muteAlarm, h.SMTPError, h.SMTPSince = 0, 0, time.Time{}, false, "", time.Time{}
		h.SMTPUntil = time.Time{}
		e.health.Store(&h)
		return nil
	}
	e.silentUntil = now.Add(nth(senderBackoff, e.mute))
	if e.mute == 0 {
		h.SMTPSince = now
		if tell, times := e.muteness.begins(now); tell {
			e.Log.Warn("no mail can be sent", slices.Concat([]any{"mailbox", e.Mailbox.Name}, times, []any{"until", e.silentUntil, "err", trouble})...)
		}
	}
	if !e.muteAlarm && now.Sub(h.SMTPSince) >= alarmAfter {
		e.muteAlarm = true
		e.Log.Error("still no mail can be sent", "mailbox", e.Mailbox.Name, "since", h.SMTPSince, "until", e.silentUntil, "err", trouble)
	}
	e.mute++
	h.SMTPError, h.SMTPUntil = trouble.Error(), e.silentUntil
	e.health.Store(&h)
	if trouble.Phase == PhaseAuth && trouble.Outcome == Refusal {
		e.rejected++
	}
	if why := needsPerson(trouble, e.rejected, e.Mailbox.Name); why != "" {
		e.rejected = 0
		return e.pause(Scope{Mailbox: e.Mailbox.Name}, why, now)
	}
	return nil
}

// pause stops a part of the sending until a person has looked.
func (e *Engine) pause(scope Scope, why string, now time.Time) error {
	e.Log.Error("sending paused until a person has looked", "mailbox", e.Mailbox.Name, "sequence", scope.Sequence, "why", why)
	if _, err := e.Store.Pause(scope, true, why, now); err != nil {
		return &storeError{err}
	}
	return nil
}

// tally draws from how touches ended what it means for the mailbox or the
// sequence: several refusals in a row are not the prospects' affair.
func (e *Engine) tally(t Touch, se *SendError, now time.Time) error {
	switch {
	case se == nil:
		e.throttled = 0
		delete(e.misfits, t.Sequence)
	case unfit(se):
		if e.misfits == nil {
			e.misfits = map[string]int{}
		}
		if e.misfits[t.Sequence]++; e.misfits[t.Sequence] >= refusalsPause {
			delete(e.misfits, t.Sequence)
			return e.pause(Scope{Sequence: t.Sequence}, fmt.Sprintf("three of its mails in a row were refused for their content or size: %v", se.Err), now)
		}
	case unexplained(se):
		e.refusals = slices.DeleteFunc(append(e.refusals, now), func(at time.Time) bool { return now.Sub(at) > refusalsSpan })
		if len(e.refusals) >= refusalsPause {
			e.refusals = nil
			return e.pause(Scope{Mailbox: e.Mailbox.Name}, fmt.Sprintf("three mails in ten minutes were refused: %v", se.Err), now)
		}
	case slowDown(se):
		if e.throttled++; e.throttled >= refusalsPause && !now.Before(e.silentUntil) { // once for all mails of a volley
			return e.spoke(now, se)
		}
	}
	return nil
}
