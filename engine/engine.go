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
	Mailbox Mailbox
	Store   Store
	Library Library
	Sender  Sender
	Inbox   Inbox
	Log     *slog.Logger

	// Poll says when to look at the mailbox even if no mail was announced; nil
	// leaves it to Wait alone.
	Poll interface{ Next(time.Time) time.Time }

	live        bool // driven by Run, in real time
	recovered   bool
	deaf        int       // failed looks at the mailbox in a row
	mute        int       // failed attempts to send in a row
	slow        int       // fences that took too long, in a row
	silentUntil time.Time // no attempt to send before this, after one that failed
	flight      *flight
	flights     sync.WaitGroup
	health      atomic.Pointer[Health]
	once        sync.Once
	wake        chan struct{}
	landed      chan struct{}
	probed      chan *SendError // whether the mail server would take mail, found out at start
}

// Library is where sequences are found by name.
type Library interface {
	Sequence(name string) (*sequences.Sequence, bool)
}

// Health is how a mailbox was when it was last tried. Errors are in a person's
// words, "" when all is well.
type Health struct {
	SweptAt   time.Time // when the folders were last read to their end; zero = not yet
	IMAPError string
	IMAPSince time.Time // of the first failure in a row
	SMTPTried bool      // whether SMTPError, or its absence, means anything yet
	SMTPError string
}

// landPatience is how long a round waits for the answers to its dots before it
// goes on listening without them.
const landPatience = 100 * time.Millisecond

// finishPatience is how long an ending process waits for them.
const finishPatience = 80 * time.Second

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
// mails whose DATA is under way. The error is of the store: the caller ends the
// process, and the next one starts from what is on disk.
func (e *Engine) Run(ctx context.Context) error {
	e.live, e.probed = true, make(chan *SendError, 1)
	waiting, stop := context.WithCancel(ctx)
	var ears sync.WaitGroup
	ears.Go(func() { e.prickUp(waiting) })
	ears.Go(func() { e.probe(waiting) })
	err := e.rounds(ctx)
	stop()
	ears.Wait()
	if lerr := e.Finish(time.Now()); err == nil {
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
	watch := e.watch(now)
	if err := e.recover(now); err != nil {
		return time.Time{}, err
	}
	select {
	case trouble := <-e.probed: // nil without Run: never ready
		e.spoke(now, trouble)
	default:
	}
	if err := e.land(watch, 0); err != nil {
		return time.Time{}, err
	}
	if err := e.listen(ctx, now); err != nil {
		if ctx.Err() != nil {
			return now, asStoreError(err)
		}
		return now.Add(nth(readerBackoff, e.deaf-1)), asStoreError(err)
	}
	if _, err := e.Store.Release(e.Mailbox.Name, now); err != nil {
		return time.Time{}, &storeError{err}
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
	return e.next(watch.now(), silent)
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
		timer := time.NewTimer(nth(readerBackoff, failed))
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
	for tries := 0; ctx.Err() == nil; tries++ {
		err := probeOnce(ctx, prober)
		if ctx.Err() != nil {
			return
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
		if err == nil {
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

// Finish waits for the mails whose DATA is under way and settles them. What
// takes longer than finishPatience is left to the next process, which finds it
// in doubt.
func (e *Engine) Finish(now time.Time) error {
	watch := e.watch(now)
	over := make(chan struct{})
	go func() { e.flights.Wait(); close(over) }()
	timer := time.NewTimer(finishPatience)
	defer timer.Stop()
	select {
	case <-over:
	case <-timer.C:
	}
	return e.land(watch, 0)
}

// Wake makes a resting engine look at once. It never blocks.
func (e *Engine) Wake() { signal(e.wakeChan()) }

// Health tells how the mailbox was when it was last tried.
func (e *Engine) Health() Health {
	if h := e.health.Load(); h != nil {
		return *h
	}
	return Health{}
}

// recover turns what an earlier process left open into something true, once.
func (e *Engine) recover(now time.Time) error {
	if e.recovered {
		return nil
	}
	doubts, err := e.Store.Recover(e.Mailbox.Name, now)
	if err != nil {
		return &storeError{err}
	}
	e.recovered = true
	for _, t := range doubts {
		e.Log.Warn("touch in doubt", "enrollment", t.Enrollment, "prospect", t.Email.To, "step", t.Step, "reason", t.Doubt)
	}
	return nil
}

// heard notes how a look at the mailbox went.
func (e *Engine) heard(now time.Time, err error) {
	h := e.Health()
	if err == nil {
		e.deaf = 0
		h.SweptAt, h.IMAPError, h.IMAPSince = now, "", time.Time{}
		e.health.Store(&h)
		return
	}
	if asStoreError(err) != nil || errors.Is(err, context.Canceled) {
		return
	}
	if e.deaf == 0 {
		h.IMAPSince = now
		e.Log.Warn("mailbox unreadable, all touches held back", "mailbox", e.Mailbox.Name, "err", err)
	}
	e.deaf++
	h.IMAPError = err.Error()
	e.health.Store(&h)
}

// spoke notes how an attempt to send went: trouble is nil when none of it was
// the mailbox's own.
func (e *Engine) spoke(now time.Time, trouble *SendError) {
	h := e.Health()
	h.SMTPTried = true
	if trouble == nil {
		e.mute, e.silentUntil, h.SMTPError = 0, time.Time{}, ""
	} else {
		e.silentUntil = now.Add(nth(senderBackoff, e.mute))
		e.mute++
		h.SMTPError = trouble.Error()
		e.Log.Warn("no mail can be sent", "mailbox", e.Mailbox.Name, "until", e.silentUntil, "err", trouble)
	}
	e.health.Store(&h)
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
