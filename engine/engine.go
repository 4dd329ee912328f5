package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"nudge/sequences"
)

// Engine serves one mailbox: it listens, speaks and rests. Its fields are set
// before the first call and not changed after. Run, or a driver that calls Tick
// with a time of its own, is its one goroutine; Wake and Health may be called
// from any.
type Engine struct {
	Mailbox   Mailbox
	Mailboxes []Mailbox // all of the installation, for chains from one into another; nil = this one alone
	Store     Store
	Library   Library
	Sender    Sender
	Inbox     Inbox
	Log       *slog.Logger

	// Halted says that nothing may leave, whatever else is known: a person's
	// last resort, asked before every DATA. It must answer at once; nil never
	// halts.
	Halted func() bool

	// Poll says when to look at the mailbox even if no mail was announced; nil
	// leaves it to Wait alone.
	Poll interface{ Next(time.Time) time.Time }

	live        bool // driven by Run, in real time
	recovered   bool
	trust       Trust
	accusers    []Incoming           // mails that show that, until Sent was read
	flagged     bool                 // the last sweep found that this state may not know all that was sent
	doubting    bool                 // something may be in doubt
	doubts      []Touch              // what is, as of this round
	watched     map[string]stopwatch // since when this process has looked for what is in doubt
	unread      int                  // tries to compare the state with Sent that failed, in a row
	caughtUpAt  time.Time            // when what came due in an outage was last looked for
	sentUnread  bool                 // the last try to read the sent mail failed
	alarmed     bool                 // a person was told that the mailbox is read too slowly
	rejected    int                  // refused logins in a row
	refusals    []time.Time          // of mails that no code explains
	misfits     map[string]int       // refused contents in a row, by sequence
	throttled   int                  // temporary refusals by policy in a row
	deaf        int                  // failed looks at the mailbox in a row
	mute        int                  // failed attempts to send in a row
	deafSince   time.Time            // the first of them
	deafAlarm   bool                 // a person was told that the mailbox cannot be read
	deafness    grumble              // what was told of the one
	muteness    grumble              // and of the other
	muteAlarm   bool                 // a person was told that no mail can be sent
	passedAt    time.Time            // when a mail was last accepted
	slow        int                  // fences that took too long, in a row
	silentUntil time.Time            // no attempt to send before this, after one that failed
	flight      *flight
	flights     sync.WaitGroup
	health      atomic.Pointer[Health]
	once        sync.Once
	wake        chan struct{}
	landed      chan struct{}
	probed      chan *SendError // whether the mail server would take mail, found out at start
	endBy       time.Time       // when an ending process must be through with everything; zero = it goes on
}

// Library is where sequences are found by name.
type Library interface {
	Sequence(name string) (*sequences.Sequence, bool)
}

// landPatience is how long a round waits for the answers to its dots before it
// goes on listening without them.
const landPatience = 100 * time.Millisecond

// storeError marks an error of the memory: what is on disk is unknown, and the
// process must start clean.
type storeError struct{ err error }

func (s *storeError) Error() string { return fmt.Sprintf("state: %v", s.err) }
func (s *storeError) Unwrap() error { return s.err }

// asStoreError passes on only what must stop the process.
func asStoreError(err error) error {
	if _, ok := errors.AsType[*storeError](err); ok {
		return err
	}
	return nil
}

// stopwatch is a round's own time. Under Run it goes on with the process's
// clock; a round of a simulated day stands at one moment.
type stopwatch struct {
	start time.Time
	began time.Time // zero: stands still
}

func (e *Engine) watch(now time.Time) stopwatch {
	if e.live {
		return stopwatch{now, time.Now()}
	}
	return stopwatch{start: now}
}

func (w stopwatch) now() time.Time {
	if w.began.IsZero() {
		return w.start
	}
	return w.start.Add(time.Since(w.began))
}

// Run listens, then speaks, then rests, until ctx is done. Then it waits for
// mails whose DATA is under way, as Finish does, and returns within 90 seconds.
// The error is of the store: the caller ends the process, and the next one starts
// from what is on disk.
func (e *Engine) Run(ctx context.Context) error {
	asked := make(chan time.Time, 1) // when it had to end
	running := context.AfterFunc(ctx, func() { asked <- time.Now() })
	e.live, e.probed = true, make(chan *SendError, 1)
	waiting, stop := context.WithCancel(ctx)
	var ears sync.WaitGroup
	ears.Go(func() { e.prickUp(waiting) })
	ears.Go(func() { e.probe(waiting) })
	err := e.rounds(ctx)
	if running() {
		asked <- time.Now()
	}
	stop()
	ears.Wait()
	if lerr := e.finish(time.Now(), <-asked); err == nil {
		err = lerr
	}
	return err
}

func (e *Engine) rounds(ctx context.Context) error {
	for ctx.Err() == nil {
		next, err := e.Tick(ctx, time.Now())
		if err != nil {
			return err
		}
		e.rest(ctx, next)
	}
	return nil
}

// Tick does one round: it settles what has been answered, reads the mailbox,
// and sends what is due, at most one volley. It returns when it wants to run
// next at the latest, or the zero time when only mail or a person can move
// anything. The error is of the store; trouble with the mailbox is in Health,
// and holds back every touch.
func (e *Engine) Tick(ctx context.Context, now time.Time) (next time.Time, err error) {
	now = now.Round(0) // the clock on the wall: the process's own stands still while the machine sleeps
	watch := e.watch(now)
	if err := e.recover(now); err != nil {
		return time.Time{}, err
	}
	if err := e.loadTrust(); err != nil {
		return time.Time{}, err
	}
	e.flagged = false
	select {
	case trouble := <-e.probed: // nil without Run: never ready
		if err := e.spoke(now, trouble); err != nil {
			return time.Time{}, err
		}
	default:
	}
	if err := e.land(watch, 0); err != nil {
		return time.Time{}, err
	}
	if err := e.loadDoubts(); err != nil {
		return time.Time{}, err
	}
	if err := e.listen(ctx, now); err != nil {
		if ctx.Err() != nil {
			return now, asStoreError(err)
		}
		return now.Add(readAgain(err, e.deaf-1)), asStoreError(err)
	}
	if e.trust.Behind != "" {
		if err := e.reconcile(ctx, now); err != nil {
			return e.unreconciled(now, err), asStoreError(err)
		}
	}
	look, err := e.resolve(ctx, now)
	if err != nil {
		return time.Time{}, err
	}
	if _, err := e.Store.Release(e.Mailbox.Name, now); err != nil {
		return time.Time{}, &storeError{err}
	}
	if err := e.catchUp(now); err != nil {
		return time.Time{}, err
	}
	var silent time.Time
	if e.flight == nil && ctx.Err() == nil {
		if silent, err = e.speak(ctx, watch); err != nil {
			return time.Time{}, err
		}
		if err := e.land(watch, landPatience); err != nil {
			return time.Time{}, err
		}
	}
	next, err = e.next(watch.now(), silent)
	return earlier(next, look), err
}

// next is when there is something to do: the next look, not before the mailbox
// may speak, and not after the next poll.
func (e *Engine) next(now, silent time.Time) (time.Time, error) {
	look, err := e.Store.NextLook(e.Mailbox.Name)
	if err != nil {
		return time.Time{}, &storeError{err}
	}
	if e.silentUntil.After(silent) {
		silent = e.silentUntil
	}
	switch {
	case e.flight != nil || look.IsZero():
		look = time.Time{}
	case look.Before(silent):
		look = silent
	case look.Before(now):
		look = now
	}
	if e.Poll != nil {
		if poll := e.Poll.Next(now); look.IsZero() || !poll.IsZero() && poll.Before(look) {
			return poll, nil
		}
	}
	return look, nil
}

// rest waits until the given moment, or until mail arrives, a person asked for
// something, or a mail on its way was answered.
func (e *Engine) rest(ctx context.Context, until time.Time) {
	wait := 24 * time.Hour
	if !until.IsZero() {
		wait = min(wait, time.Until(until))
	}
	if wait <= 0 { // the round that comes does what anybody may have asked for
		select {
		case <-e.wakeChan():
		default:
		}
		select {
		case <-e.landedChan():
		default:
		}
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-e.wakeChan():
	case <-e.landedChan():
	}
}

// prickUp wakes the loop whenever the mailbox says that something may have
// arrived, and when the connection that would say so is lost.
func (e *Engine) prickUp(ctx context.Context) {
	for failed := 0; ctx.Err() == nil; {
		err := e.Inbox.Wait(ctx)
		if ctx.Err() != nil {
			return
		}
		e.Wake()
		if err == nil {
			failed = 0
			continue
		}
		e.Log.Debug("waiting for mail was interrupted", "mailbox", e.Mailbox.Name, "err", err)
		timer := time.NewTimer(readAgain(err, failed))
		failed++
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

// probe finds out at start whether the mail server would take mail, so that a
// wrong password does not wait three days for the first touch to be noticed.
func (e *Engine) probe(ctx context.Context) {
	prober, ok := e.Sender.(Prober)
	if !ok {
		return
	}
	for tries, rejected := 0, 0; ctx.Err() == nil; tries++ {
		err := probeOnce(ctx, prober)
		if ctx.Err() != nil {
			return
		}
		if se, ok := errors.AsType[*SendError](err); ok && se.Phase == PhaseAuth && se.Outcome == Refusal {
			rejected++
		}
		var trouble *SendError
		if err != nil {
			trouble = sendError(err, PhaseConnect)
		}
		select {
		case e.probed <- trouble:
		case <-ctx.Done():
		}
		e.Wake()
		if err == nil || rejected >= rejectedLogins { // by now the mailbox is paused
			return
		}
		timer := time.NewTimer(nth(senderBackoff, tries)) // the network may not be up yet
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

func probeOnce(ctx context.Context, p Prober) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	return p.Probe(ctx)
}

// Wake makes a resting engine look at once. It never blocks.
func (e *Engine) Wake() { signal(e.wakeChan()) }

// recover turns what an earlier process left open into something true, once.
func (e *Engine) recover(now time.Time) error {
	if e.recovered {
		return nil
	}
	doubts, err := e.Store.Recover(e.Mailbox.Name, now)
	if err != nil {
		return &storeError{err}
	}
	e.recovered, e.doubting = true, true
	for _, t := range doubts {
		e.Log.Warn("touch in doubt", "enrollment", t.Enrollment, "prospect", t.Email.To, "step", t.Step, "reason", t.Doubt)
	}
	return nil
}

func (e *Engine) channels() {
	e.once.Do(func() { e.wake, e.landed = make(chan struct{}, 1), make(chan struct{}, 1) })
}

func (e *Engine) wakeChan() chan struct{}   { e.channels(); return e.wake }
func (e *Engine) landedChan() chan struct{} { e.channels(); return e.landed }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
