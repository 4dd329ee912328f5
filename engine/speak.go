package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"nudge/sequences"
	"nudge/templates"
)

// fenceAge is how old the last look at the mailbox may be when the first DATA
// byte leaves.
const fenceAge = 5 * time.Second

// openTimeout bounds the way to RCPT, dataTimeout that of the mail itself with
// the wait for the answer to the dot (RFC 5321, section 4.5.3.2: 10 minutes).
const (
	openTimeout = 3 * time.Minute
	dataTimeout = 15 * time.Minute
)

// passenger is a touch on its way with everything that settling it needs.
type passenger struct {
	touch    Touch
	en       Enrollment
	seq      *sequences.Sequence
	delivery Delivery
}

// speak starts at most one volley of what is due. It returns the moment before
// which the mailbox must not speak again, or the zero time.
func (e *Engine) speak(ctx context.Context, watch stopwatch) (time.Time, error) {
	now := watch.now()
	if e.silentUntil.After(now) {
		return e.silentUntil, nil
	}
	m := e.Mailbox
	pace, err := e.Store.Pace(m.Name, m.day(now))
	if err != nil {
		return time.Time{}, &storeError{err}
	}
	room := m.volley()
	switch {
	case pace.Paused:
		return now.Add(time.Hour), nil
	case m.PerDay > 0 && pace.Today >= m.PerDay:
		return m.tomorrow(now), nil
	case m.PerDay > 0:
		room = min(room, m.PerDay-pace.Today)
	}
	if !pace.LastAt.IsZero() && !pace.LastAt.After(now) { // later than now: the clock was ahead then
		if ready := pace.LastAt.Add(m.gapAfter(pace)); ready.After(now) {
			return ready, nil
		}
	}
	group, err := e.board(ctx, now, room)
	if err != nil || len(group) == 0 {
		return time.Time{}, err
	}
	return time.Time{}, e.depart(ctx, watch, group)
}

// board takes what is due through guard, compose and prepare, until room is
// full or nothing is left. What the guard sends away is looked at again at the
// time it names, so the due index never fills with what cannot leave.
func (e *Engine) board(ctx context.Context, now time.Time, room int) ([]passenger, error) {
	var group []passenger
	people, domains := map[string]bool{}, map[string]int{}
	for limit := room + 4; ctx.Err() == nil; limit = min(4*limit, 1024) { // mostly the first are the ones
		due, err := e.Store.Due(e.Mailbox.Name, now, e.Mailbox.day(now), limit)
		if err != nil {
			return nil, &storeError{err}
		}
		var away []Postponement
		moved := 0
		for _, c := range due {
			if len(group) == room {
				break
			}
			if people[c.Enrollment.Key] {
				continue // one mail a person and volley; it stays due
			}
			domain := AddressDomain(c.Enrollment.Key)
			c.DomainToday += domains[domain]
			p, post, err := e.consider(c, now)
			if err != nil {
				return nil, err
			}
			switch {
			case p != nil:
				people[c.Enrollment.Key] = true
				domains[domain]++
				group = append(group, *p)
			case post != nil:
				away = append(away, *post)
			default:
				moved++ // ended or changed on the spot
			}
		}
		if len(away) > 0 {
			if err := e.Store.Postpone(away); err != nil {
				return nil, &storeError{err}
			}
		}
		if len(group) > 0 || len(due) == 0 || len(away)+moved == 0 {
			return e.prepare(group)
		}
	}
	return nil, nil
}

// consider asks the guard about one candidate and composes its mail. It
// returns a passenger, or when to look again, or neither when the enrollment
// was changed on the spot.
func (e *Engine) consider(c Candidate, now time.Time) (*passenger, *Postponement, error) {
	en := c.Enrollment
	seq, _ := e.Library.Sequence(en.Sequence)
	d := Guard(c, seq, e.Mailbox, now)
	post := &Postponement{Enrollment: en.ID, Version: en.Version, Look: d.Look, Why: d.Why, Attempts: en.Attempts, TriedAt: en.TriedAt}
	switch {
	case d.Stop:
		return nil, nil, e.change(en, func(en Enrollment) (Enrollment, []Event) {
			en, events, _ := en.Suppress(d.Why, now)
			return en, events
		})
	case d.End:
		return nil, nil, e.change(en, func(en Enrollment) (Enrollment, []Event) { return en.Finish(now) })
	case d.Hold != "":
		return nil, e.holding(post, en, d.Hold, d.Why, now), nil
	case d.Next != "":
		post.Next, post.Due = d.Next, d.Look
		return nil, post, nil
	case !d.Go:
		e.Log.Debug("touch waits", "enrollment", en.ID, "prospect", en.Address, "until", d.Look, "reason", d.Why)
		return nil, post, nil
	}
	st := seq.Step(en.Next)
	if st.Do != sequences.Email {
		return nil, nil, e.openTask(seq, st, en, now)
	}
	email, err := Compose(e.Mailbox, e.Store.Secret(), seq, st, en, now)
	if missing, ok := errors.AsType[*templates.MissingError](err); ok {
		return nil, e.holding(post, en, MissingField, missing.Field, now), nil
	} else if err != nil {
		return nil, e.holding(post, en, Unwritable, err.Error(), now), nil
	}
	t := Touch{Enrollment: en.ID, Step: st.ID, Version: en.Version, Mailbox: en.Mailbox, Sequence: en.Sequence,
		Email: email, Phase: Prepared, PreparedAt: now}
	return &passenger{touch: t, en: en, seq: seq}, nil, nil
}

// holding turns a postponement into a hold that a person must answer.
func (e *Engine) holding(p *Postponement, en Enrollment, why Reason, detail string, now time.Time) *Postponement {
	e.Log.Warn("enrollment held", "enrollment", en.ID, "prospect", en.Address, "sequence", en.Sequence, "reason", string(why), "detail", detail)
	p.Hold, p.Detail = why, detail
	held, _ := en.hold(why, detail, time.Time{})
	p.Events = []Event{held.heldEvent(now)}
	return p
}

// openTask hands a task step to the owner.
func (e *Engine) openTask(seq *sequences.Sequence, st *sequences.Step, en Enrollment, now time.Time) error {
	parts, err := st.Body.Render(fieldsFor(e.Mailbox, seq, st, en, now))
	text := parts.Text
	if err != nil {
		text = st.Title // a task with a hole in it is still the owner's to do
	}
	next, due := e.after(seq, en, st.ID, now)
	e.Log.Info("task opened", "enrollment", en.ID, "prospect", en.Address, "sequence", en.Sequence, "step", st.ID)
	return e.change(en, func(en Enrollment) (Enrollment, []Event) { return en.OpenTask(st.ID, text, next, due, now) })
}

// change applies a decision to an enrollment that is still as it was.
func (e *Engine) change(was Enrollment, decide func(Enrollment) (Enrollment, []Event)) error {
	_, err := e.Store.Change([]string{was.ID}, func(en Enrollment) (Enrollment, []Event) {
		if en.Version != was.Version {
			return en, nil
		}
		return decide(en)
	})
	if err != nil {
		return &storeError{err}
	}
	return nil
}

// after is the step that follows one that is done at now, and its moment; ""
// when none does.
func (e *Engine) after(seq *sequences.Sequence, en Enrollment, step string, now time.Time) (string, time.Time) {
	if seq == nil {
		return en.Next, now // its file is gone: the guard will hold it
	}
	next := seq.Next(append(en.DoneSteps(), step))
	if next == nil {
		return "", time.Time{}
	}
	return next.ID, next.DueAt(now, zone(e.Mailbox, seq, en))
}

// prepare keeps the intents durably and drops those that came too late.
func (e *Engine) prepare(group []passenger) ([]passenger, error) {
	if len(group) == 0 {
		return nil, nil
	}
	errs, err := e.Store.Prepare(touchesOf(group))
	if err != nil {
		return nil, &storeError{err}
	}
	return kept(group, errs), nil
}

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
		e.Log.Warn("mailbox unreadable, touches held back", "mailbox", e.Mailbox.Name, "touches", len(group), "err", err)
		if werr := e.withdraw(group, watch.now()); werr != nil {
			return werr
		}
		return asStoreError(err)
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
	if stale(fence.started) {
		return e.unclaim(group, watch.now())
	}
	e.slow = 0
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
	h := e.Health()
	h.IMAPError = fmt.Sprintf("reading the mailbox to its end took longer than %s, and a touch may only leave within that time", fenceAge)
	e.health.Store(&h)
	e.silentUntil = now.Add(nth(readerBackoff, e.slow))
	e.slow++
	e.Log.Warn("mailbox read too slowly, touches held back", "mailbox", e.Mailbox.Name, "touches", len(group), "until", e.silentUntil)
	return e.withdraw(group, now)
}

// stale says whether a look that began at started is too old to send on. A
// wall clock that jumped, or slept, counts as too old.
func stale(started time.Time) bool {
	wall := time.Now().Round(0).Sub(started.Round(0))
	return time.Since(started) > fenceAge || wall > fenceAge || wall < 0
}

// open brings all touches to RCPT, side by side. Those that fail are settled
// or, when the trouble is the mailbox's own, put back untouched.
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
			trouble, back = se, append(back, group[i])
			continue
		}
		settled = append(settled, settlementOf(group[i].touch, group[i].en, se, now))
	}
	if trouble != nil || len(settled) > 0 {
		e.spoke(now, trouble)
	}
	if err := e.withdraw(back, now); err != nil {
		return nil, err
	}
	if err := e.settleAll(settled); err != nil {
		return nil, err
	}
	return kept(group, errs), nil
}

// withdraw puts touches back that no dot was written for: due as before.
func (e *Engine) withdraw(group []passenger, now time.Time) error {
	if len(group) == 0 {
		return nil
	}
	changes := make([]Postponement, len(group))
	for i, p := range group {
		changes[i] = Postponement{Enrollment: p.en.ID, Version: p.en.Version, Look: now, Attempts: p.en.Attempts, TriedAt: p.en.TriedAt}
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
	e.silentUntil = now.Add(nth(readerBackoff, e.slow))
	e.slow++
	var settled []Settlement
	for _, p := range group {
		settled = append(settled, Settlement{Touch: p.touch, Outcome: Deferred, At: now, Due: now, Attempts: p.en.Attempts,
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
