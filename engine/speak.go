package engine

import (
	"context"
	"errors"
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

// haltedLook is how soon a halted engine looks whether it still is.
const haltedLook = 30 * time.Second

// passenger is a touch on its way with everything that settling it needs.
type passenger struct {
	touch    Touch
	en       Enrollment
	seq      *sequences.Sequence
	delivery Delivery
	claimed  time.Time
	seen     bool // its copy was met in the mailbox, so it left
}

// speak starts at most one volley of what is due. It returns the moment before
// which the mailbox must not speak again, or the zero time.
func (e *Engine) speak(ctx context.Context, watch stopwatch) (time.Time, error) {
	now := watch.now()
	if e.silentUntil.After(now) {
		return e.silentUntil, nil
	}
	if e.halted() {
		return now.Add(haltedLook), nil
	}
	m := e.Mailbox
	pace, err := e.Store.Pace(m.Name, m.day(now))
	if err != nil {
		return time.Time{}, &storeError{err}
	}
	room, silent, _ := m.roomFor(pace, now)
	if room == 0 {
		return silent, nil
	}
	group, err := e.board(ctx, now, room, pace.Late)
	if err != nil || len(group) == 0 {
		return time.Time{}, err
	}
	return time.Time{}, e.depart(ctx, watch, group)
}

// board takes what is due through guard, compose and prepare.
func (e *Engine) board(ctx context.Context, now time.Time, room, late int) ([]passenger, error) {
	q := &storeQueue{e: e, ctx: ctx, now: now}
	if err := gather(e.Mailbox, room, late, q); err != nil {
		return nil, err
	}
	return e.prepare(q.group)
}

// storeQueue is the queue of what is due in the Store.
type storeQueue struct {
	e     *Engine
	ctx   context.Context
	now   time.Time
	group []passenger
	away  []Postponement
}

func (q *storeQueue) due(limit int) ([]Candidate, error) {
	if q.ctx.Err() != nil {
		return nil, nil
	}
	due, err := q.e.Store.Due(q.e.Mailbox.Name, q.now, q.e.Mailbox.day(q.now), limit)
	return due, storeErrorOf(err)
}

func (q *storeQueue) consider(c Candidate) (fate, int, error) {
	p, post, err := q.e.consider(c, q.now)
	switch {
	case err != nil:
		return altered, 0, err
	case p != nil:
		q.group = append(q.group, *p)
		return boards, len(p.touch.Email.Raw), nil
	case post != nil:
		q.away = append(q.away, *post)
		return putOff, 0, nil
	}
	return altered, 0, nil
}

func (q *storeQueue) postpone() error {
	away := q.away
	q.away = nil
	if len(away) == 0 {
		return nil
	}
	return storeErrorOf(q.e.Store.Postpone(away))
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
	case d.Expire:
		return nil, nil, e.expire(seq, en, d, now)
	case d.Stop:
		return nil, nil, e.change(en, now, func(en Enrollment) (Enrollment, []Event) {
			en, events, _ := en.Suppress(d.Why, now)
			return en, events
		})
	case d.End:
		return nil, nil, e.change(en, now, func(en Enrollment) (Enrollment, []Event) { return en.Finish(now) })
	case d.Skip:
		return nil, nil, e.skip(seq, en, d.Why, now)
	case d.Hold != "":
		return nil, e.holding(post, en, d.Hold, d.Why, now), nil
	case !d.Go && d.Look.IsZero():
		return nil, e.holding(post, en, Unwritable, "its sending window does not open in the next five years", now), nil
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
	var heard []Contact
	if !e.Mailbox.Rehearsal {
		heard = append([]Contact{}, c.Contacts...)
	}
	if t := c.Kept; t != nil && e.goesAgain(*t, en, now) {
		if sumOf(t.Email.Raw) != t.Email.SHA256 {
			return nil, e.holding(post, en, Unwritable, "the bytes kept of its earlier attempt are damaged", now), nil
		}
		t.Again, t.Version, t.Phase, t.Late, t.Heard = true, en.Version, Prepared, en.Late, heard
		return &passenger{touch: *t, en: en, seq: seq}, nil, nil
	}
	email, err := Compose(e.Mailbox, e.Store.Secret(), seq, st, en, now)
	if missing, ok := errors.AsType[*templates.MissingError](err); ok {
		return nil, e.holding(post, en, MissingField, missing.Field, now), nil
	} else if err != nil {
		return nil, e.holding(post, en, Unwritable, err.Error(), now), nil
	}
	t := Touch{Enrollment: en.ID, Step: st.ID, Version: en.Version, Mailbox: en.Mailbox, Sequence: en.Sequence,
		Email: email, Phase: Prepared, PreparedAt: now, Late: en.Late, Heard: heard}
	return &passenger{touch: t, en: en, seq: seq}, nil, nil
}

// keptFor is how long the bytes of an earlier attempt may still leave: later
// their Date would look like a mail that was stuck somewhere.
const keptFor = 96 * time.Hour

// goesAgain says whether the next mail of an enrollment is an earlier attempt's,
// as it was, so that whoever got it after all sees one mail and not two.
func (e *Engine) goesAgain(t Touch, en Enrollment, now time.Time) bool {
	return t.Step == en.Next && t.Email.From == e.Mailbox.Address && (t.Email.For != "") == e.Mailbox.Rehearsal && now.Sub(t.PreparedAt) < keptFor
}

// holding turns a postponement into a hold that a person must answer.
func (e *Engine) holding(p *Postponement, en Enrollment, why Reason, detail string, now time.Time) *Postponement {
	e.Log.Warn("enrollment held", "enrollment", en.ID, "prospect", en.Address, "sequence", en.Sequence, "reason", string(why), "detail", detail)
	p.Hold, p.Detail = why, detail
	held, _ := en.hold(why, detail, time.Time{})
	p.Events = []Event{held.heldEvent(now)}
	return p
}

// skip leaves a step out that is not for this prospect.
func (e *Engine) skip(seq *sequences.Sequence, en Enrollment, why string, now time.Time) error {
	next, due := e.after(seq, en, en.Next, now)
	e.Log.Info("step left out", "enrollment", en.ID, "prospect", en.Address, "sequence", en.Sequence, "step", en.Next, "reason", why)
	return e.change(en, now, func(en Enrollment) (Enrollment, []Event) {
		return en.Skip(en.Next, map[string]string{"why": why}, next, due, now)
	})
}

// change applies a decision to an enrollment that is still as it was.
func (e *Engine) change(was Enrollment, now time.Time, decide func(Enrollment) (Enrollment, []Event)) error {
	_, err := e.Store.Change([]string{was.ID}, finishing(e.chains(), now, func(en Enrollment) (Enrollment, []Event) {
		if en.Version != was.Version {
			return en, nil
		}
		return decide(en)
	}))
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
	return following(e.Mailbox, seq, en, step, now)
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
