package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// depart takes prepared touches from RCPT to DATA. Whatever fails before a
// claim leaves nothing behind but a later date.
func (e *Engine) depart(ctx context.Context, watch stopwatch, group []passenger) error {
	group, err := e.open(ctx, watch, group)
	if err != nil || len(group) == 0 {
		return err
	}
	fence, err := e.sweep(ctx, watch.now())
	if err != nil {
		closeAll(group)
		e.Log.Debug("mailbox unreadable, touches held back", "mailbox", e.Mailbox.Name, "touches", len(group), "err", err)
		if werr := e.withdraw(group); werr != nil {
			return werr
		}
		return asStoreError(err)
	}
	if e.flagged || e.halted() {
		closeAll(group)
		if err := e.apply(fence.Sweep); err != nil {
			return err
		}
		return e.withdraw(group)
	}
	if stale(fence.started) {
		closeAll(group)
		return e.tooSlow(fence, group, watch.now())
	}
	fence.At = watch.now().In(e.Mailbox.Location) // claims count on the owner's calendar day
	errs, err := e.Store.Claim(fence.Sweep, touchesOf(group))
	if err != nil {
		closeAll(group)
		return &storeError{err}
	}
	e.report(fence.Effects)
	for i, err := range errs {
		if err != nil {
			e.Log.Info("touch withheld", "enrollment", group[i].en.ID, "prospect", group[i].en.Address, "reason", err.Error())
			_ = group[i].delivery.Close()
		}
	}
	group = kept(group, errs)
	for i := range group {
		group[i].claimed = fence.At
	}
	if stale(fence.started) {
		return e.unclaim(group, watch.now())
	}
	if e.slow > 0 {
		e.slow = 0
		e.heard(watch.now(), nil)
	}
	e.takeOff(ctx, group, fence.started.Add(fenceAge))
	return nil
}

// tooSlow applies a fence that took too long to send on, and puts the touches
// back. What it read it need not read again, so the next one is quicker; where
// it is not, there is no use in trying at once.
func (e *Engine) tooSlow(fence looked, group []passenger, now time.Time) error {
	if err := e.apply(fence.Sweep); err != nil {
		return err
	}
	e.slowed(len(group), now)
	return e.withdraw(group)
}

// slowed notes that a fence took too long to send on, until one does not.
func (e *Engine) slowed(touches int, now time.Time) {
	h := e.Health()
	if h.IMAPError = fmt.Sprintf("reading the mailbox to its end took longer than %s, and a touch may only leave within that time", fenceAge); h.IMAPSince.IsZero() {
		h.IMAPSince = now
	}
	e.health.Store(&h)
	e.silentUntil = now.Add(nth(readerBackoff, e.slow))
	if e.slow++; e.slow == 1 {
		e.Log.Warn("mailbox read too slowly, touches held back", "mailbox", e.Mailbox.Name, "touches", touches, "until", e.silentUntil)
	}
	if !e.alarmed && now.Sub(h.IMAPSince) >= alarmAfter {
		e.alarmed = true
		e.Log.Error("mailbox still read too slowly, touches held back", "mailbox", e.Mailbox.Name, "since", h.IMAPSince)
	}
}

// stale says whether a look that began at started is too old to send on.
func stale(started time.Time) bool {
	now := time.Now()
	return tooOld(now.Sub(started), now.Round(0).Sub(started.Round(0)))
}

// tooOld decides it by the age of the look on two clocks: the monotonic one does
// not count the time a machine slept, and the wall clock may be set. One that
// went back since the look tells no age at all.
func tooOld(monotonic, wall time.Duration) bool {
	return monotonic > fenceAge || wall > fenceAge || wall < 0
}

// open brings all touches to RCPT, side by side. Those that fail are settled
// or, when the trouble is surely the mailbox's own, put back untouched.
func (e *Engine) open(ctx context.Context, watch stopwatch, group []passenger) ([]passenger, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	errs := make([]error, len(group))
	var wg sync.WaitGroup
	for i := range group {
		wg.Go(func() { group[i].delivery, errs[i] = e.Sender.Open(ctx, group[i].touch.Email) })
	}
	wg.Wait()
	now := watch.now()
	var settled []Settlement
	var back []passenger
	var trouble *SendError
	for i, err := range errs {
		if err == nil {
			continue
		}
		se := sendError(err, PhaseConnect)
		if concernsMailbox(se) {
			trouble = se
			if !mayBeRecipient(se) {
				back = append(back, group[i])
				continue
			}
		}
		settled = append(settled, settlementOf(group[i].touch, group[i].en, se, e.passedAt, now))
	}
	if err := e.withdraw(back); err != nil {
		return nil, err
	}
	if err := e.settleAll(settled); err != nil {
		return nil, err
	}
	if trouble != nil || len(settled) > 0 && !e.stillThrottled(errs) {
		if err := e.spoke(now, trouble); err != nil {
			return nil, err
		}
	}
	for i, err := range errs {
		if se, ok := errors.AsType[*SendError](err); ok && !concernsMailbox(se) {
			if err := e.tally(group[i].touch, se, now); err != nil {
				return nil, err
			}
		}
	}
	return kept(group, errs), nil
}

// stillThrottled says whether all that was heard is, once more, to slow down.
func (e *Engine) stillThrottled(errs []error) bool {
	return e.throttled >= refusalsPause && !slices.ContainsFunc(errs, func(err error) bool { return err == nil || !slowDown(sendError(err, PhaseConnect)) })
}

// withdraw puts touches back that no dot was written for: due as before.
func (e *Engine) withdraw(group []passenger) error {
	if len(group) == 0 {
		return nil
	}
	changes := make([]Postponement, len(group))
	for i, p := range group {
		changes[i] = Postponement{Enrollment: p.en.ID, Version: p.en.Version, Look: p.en.Look, Why: p.en.Why, Attempts: p.en.Attempts, TriedAt: p.en.TriedAt}
	}
	if err := e.Store.Withdraw(changes); err != nil {
		return &storeError{err}
	}
	return nil
}

// unclaim puts claimed touches back whose fence grew too old. No DATA was
// begun, so they are simply due again.
func (e *Engine) unclaim(group []passenger, now time.Time) error {
	closeAll(group)
	e.slowed(len(group), now)
	var settled []Settlement
	for _, p := range group {
		settled = append(settled, Settlement{Touch: p.touch, Outcome: Deferred, At: now, Due: p.en.Look, Attempts: p.en.Attempts, Keep: p.touch.Again,
			Answer: "the mailbox was read more than 5 seconds ago, so it is read again first"})
	}
	return e.settleAll(settled)
}

func closeAll(group []passenger) {
	for _, p := range group {
		_ = p.delivery.Close() // nothing was delivered; the server forgets it either way
	}
}

func touchesOf(group []passenger) []Touch {
	ts := make([]Touch, len(group))
	for i, p := range group {
		ts[i] = p.touch
	}
	return ts
}

// kept returns the passengers whose error is nil.
func kept(group []passenger, errs []error) []passenger {
	var left []passenger
	for i, p := range group {
		if errs[i] == nil {
			left = append(left, p)
		}
	}
	return left
}
