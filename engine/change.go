package engine

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// This file is every change an enrollment can go through, as functions of
// values. A Store calls them inside its transactions; nothing else changes an
// enrollment. The events they return carry no Seq: the Store numbers them.

// softWindow is how long a soft bounce counts, and softLimit how many of them
// end an enrollment.
const (
	softWindow = 14 * 24 * time.Hour
	softLimit  = 3
)

// Enrolled is the event of a new enrollment.
func Enrolled(en Enrollment) Event {
	return en.event(EventEnrolled, en.EnrolledAt, map[string]string{"due": stamp(en.Due), "from": en.From})
}

// Claimed is the event of a touch that was taken for sending.
func Claimed(t Touch, at time.Time) Event {
	return t.event(EventClaimed, at, map[string]string{"subject": t.Email.Subject})
}

// CheckClaim says whether a prepared touch may still be sent to this
// enrollment: nil, or ErrEnded when anything about it moved since.
func CheckClaim(en Enrollment, t Touch) error {
	if en.State != Active || en.Paused || en.Version != t.Version || en.Next != t.Step {
		return ErrEnded
	}
	return nil
}

// CheckContacts says whether the guard's answer about the pace of a person still
// holds when their touch is claimed: nil, or ErrEnded when they have heard from us
// since, from another mailbox. contacts are theirs by then. A touch whose Heard is
// nil, like that of a rehearsal, goes to nobody whose pace counts.
func CheckContacts(contacts []Contact, t Touch) error {
	for _, c := range contacts {
		known := func(h Contact) bool { return h.At.Equal(c.At) && h.Sequence == c.Sequence }
		if t.Heard != nil && !slices.ContainsFunc(t.Heard, known) {
			return ErrEnded
		}
	}
	return nil
}

// afterword is how long after the last touch the mail of somebody whose
// enrollment has ended gets a line in history whatever it says.
const afterword = 30 * 24 * time.Hour

// Heeds says whether a Store applies an effect and keeps that it did. It does so
// always while the enrollment goes on, and for a time after the last touch. Later,
// the everyday mail of people who were written to once must not make the state
// grow without end. Then only that counts which still makes a difference: a wish
// not to be written to, an answer to what was finished without one, and a further
// answer as long as a person could take back the one that stopped it.
func (en Enrollment) Heeds(f Effect, at time.Time) bool {
	switch {
	case !en.Ended(), f.Suppress, f.Sent != nil, at.Sub(latestOf(en.EnrolledAt, en.LastTouchAt())) <= afterword:
		return true
	case en.State == Finished:
		return f.To == Stopped
	}
	return f.To == Stopped && en.By != "" && en.goesBack()
}

// Apply is what an incoming message does to the enrollment. A stop beats a
// hold, a hold beats going on, and nothing here ever moves the other way. The
// bool says whether the enrollment itself changed; the events are due anyway.
func (en Enrollment) Apply(f Effect, at time.Time) (Enrollment, []Event, bool) {
	events := []Event{f.Event}
	if f.Soft {
		en.SoftAt = slices.DeleteFunc(slices.Clone(en.SoftAt), func(t time.Time) bool { return at.Sub(t) > softWindow })
		en.SoftAt = append(en.SoftAt, at)
		if len(en.SoftAt) >= softLimit {
			f.To, f.Reason, f.Detail = Stopped, Bounced, "three temporary delivery failures in 14 days"
		}
	}
	if f.Ticket {
		if en.Tickets++; en.Tickets == 1 {
			f.To = ""
		}
	}
	counted := f.Soft || f.Ticket
	switch {
	case en.State == Stopped && f.To == Stopped && en.By != "" && f.Incoming != "": // should the first be taken back, this one still stops it
		return en.stoppedAgain(f.Incoming, f.Reason), events, true
	case en.State == Stopped:
		return en, events, counted
	case f.To == Stopped:
		was := en
		en = en.stop(f.Reason, f.Detail).movedBy(f.Incoming, was)
		return en, append(events, en.event(EventStopped, at, map[string]string{"reason": string(f.Reason)})), true
	case f.To == Held && !en.Ended():
		held, changed := en.hold(f.Reason, f.Detail, f.Until)
		if !changed {
			return en, events, counted
		}
		held = held.movedBy(f.Incoming, en)
		return held, append(events, held.heldEvent(at)), true
	case !f.Due.IsZero() && !en.Ended():
		return en.waitAnew(f.Due), events, true
	}
	return en, events, counted
}

// Settle is what the end of a touch does to the enrollment as it is by then: a
// reply may have stopped it while the mail was on its way, and it stays so.
func (en Enrollment) Settle(s Settlement) (Enrollment, []Event) {
	switch s.Outcome {
	case Sent:
		return en.settleSent(s)
	case Unknown:
		return en.InDoubt(s.Touch, s.Answer, s.At)
	}
	kind := EventDeferred
	if s.Outcome == Refusal {
		kind = EventRefused
	}
	events := []Event{s.Touch.event(kind, s.At, map[string]string{"server": s.Answer})}
	en = en.undoubt()
	switch {
	case en.Ended():
	case s.Stop != "":
		en = en.stop(s.Stop, s.Answer)
		events = append(events, en.event(EventStopped, s.At, map[string]string{"reason": string(s.Stop)}))
	case s.Hold != "":
		held, _ := en.hold(s.Hold, s.Answer, time.Time{})
		en, events = held, append(events, held.heldEvent(s.At))
	case en.Next != s.Touch.Step: // a person left it out meanwhile
	case s.Resend:
		en.Due, en.Look, en.Resends = s.Due, s.Due, en.Resends+1
	default:
		en.Look = s.Due
		if s.Attempts > en.Attempts && en.TriedAt.IsZero() {
			en.TriedAt = s.At
		}
		en.Attempts = s.Attempts
	}
	return en, events
}

func (en Enrollment) settleSent(s Settlement) (Enrollment, []Event) {
	t := s.Touch
	en.Done = append(slices.Clone(en.Done), Done{Step: t.Step, At: s.At, Outcome: Sent, MessageID: t.Email.MessageID,
		Rehearsed: t.Email.For != "", Assumed: s.Assumed})
	en.Thread = t.Email.Thread
	if en.Variant == "" {
		en.Variant = t.Email.Variant
	}
	en.Attempts, en.TriedAt, en.Resends, en.Late = 0, time.Time{}, 0, false
	detail := map[string]string{"subject": t.Email.Subject, "server": s.Answer, "mailbox": en.Mailbox,
		"variant": t.Email.Variant, "words": t.Email.Words}
	if s.Assumed {
		detail["assumed"] = "yes"
	}
	if s.Filed {
		detail["copy"] = "filed by nudge"
	}
	events := []Event{t.event(EventSent, s.At, detail)}
	if en.Ended() {
		return en, events
	}
	en, more := en.undoubt().goOn(s.Next, s.Due, s.At)
	return en.with(s.Then), append(events, more...)
}

// Found records that a mail in Sent is a step of this enrollment, which this
// state did not know to have left. The touch of s has its Message-ID, step and
// thread.
func (en Enrollment) Found(s Settlement) (Enrollment, []Event) {
	if slices.Contains(en.DoneSteps(), s.Touch.Step) {
		return en, nil
	}
	thread := en.Thread
	thread.Anchor = s.Touch.Email.Thread.Anchor
	thread.IDs = append(slices.Clone(thread.IDs), s.Touch.Email.MessageID)
	if thread.Subject == "" {
		thread.Subject = s.Touch.Email.Thread.Subject
	}
	s.Touch.Email.Thread = thread
	return en.settleSent(s)
}

// Skip leaves a step out, for the reason that detail gives, and goes on with
// the next one.
func (en Enrollment) Skip(step string, detail map[string]string, next string, due, at time.Time) (Enrollment, []Event) {
	ev := en.event(EventSkipped, at, detail)
	ev.Step = step
	en.Done = append(slices.Clone(en.Done), Done{Step: step, At: at, Outcome: Skipped})
	en.Tasks = slices.DeleteFunc(slices.Clone(en.Tasks), func(t Task) bool { return t.Step == step })
	en.Attempts, en.TriedAt, en.Resends = 0, time.Time{}, 0
	en, more := en.goOn(next, due, at)
	return en, append([]Event{ev}, more...)
}

// goOn moves to the next step, or ends the enrollment when there is none. A
// question that a person must answer outlives the last step.
func (en Enrollment) goOn(next string, due, at time.Time) (Enrollment, []Event) {
	if next != "" || en.State == Held && en.HeldUntil.IsZero() {
		en.Next, en.Due, en.Look, en.Why = next, due, due, ""
		return en, nil
	}
	en = en.end(Finished, NoAnswer, "")
	return en, []Event{en.event(EventFinished, at, map[string]string{"reason": string(NoAnswer)})}
}

// Finish ends an enrollment that has no step left.
func (en Enrollment) Finish(at time.Time) (Enrollment, []Event) { return en.goOn("", time.Time{}, at) }

// Postponed changes when the engine looks at the enrollment next, or holds it.
// The events are the postponement's own.
func (en Enrollment) Postponed(p Postponement) Enrollment {
	if p.Next != "" {
		en.Next, en.Due = p.Next, p.Due
	}
	if p.Hold != "" {
		en, _ = en.hold(p.Hold, p.Detail, p.HeldUntil)
		return en
	}
	en.Look, en.Why, en.Attempts, en.TriedAt = p.Look, p.Why, p.Attempts, p.TriedAt
	return en
}

// StopByHand is a person's word that it ends.
func (en Enrollment) StopByHand(at time.Time) (Enrollment, []Event) {
	if en.Ended() {
		return en, nil
	}
	en = en.stop(ByHand, "")
	return en, []Event{en.event(EventStopped, at, map[string]string{"reason": string(ByHand)})}
}

// Suppress stops the enrollment because its address must not be written to.
func (en Enrollment) Suppress(why string, at time.Time) (Enrollment, []Event, bool) {
	if en.Ended() {
		return en, nil, false
	}
	en = en.stop(Suppressed, why)
	return en, []Event{en.event(EventStopped, at, map[string]string{"reason": string(Suppressed), "why": why})}, true
}

// Update replaces the prospect's name and fields by those given, keeping the
// fields that are not named. It says whether anything changed.
func (en Enrollment) Update(name string, fields map[string]string) (Enrollment, bool) {
	merged := maps.Clone(en.Fields)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, fields)
	if name == "" {
		name = en.Name
	}
	if name == en.Name && maps.Equal(merged, en.Fields) {
		return en, false
	}
	en.Name, en.Fields = name, merged
	return en, true
}

func (en Enrollment) stop(why Reason, detail string) Enrollment { return en.end(Stopped, why, detail) }

func (en Enrollment) end(to State, why Reason, detail string) Enrollment {
	en.State, en.Reason, en.Detail = to, why, detail
	en.Next, en.Due, en.Look, en.HeldUntil, en.Behind = "", time.Time{}, time.Time{}, time.Time{}, nil
	en.By, en.Before = "", nil
	if to == Stopped {
		en.Tasks = nil // nobody is to be called any more
	}
	return en
}

func (en Enrollment) event(kind EventKind, at time.Time, detail map[string]string) Event {
	return Event{At: at, Kind: kind, Enrollment: en.ID, Address: en.Address, Sequence: en.Sequence, Step: en.Next, Detail: tidy(detail)}
}

func (t Touch) event(kind EventKind, at time.Time, detail map[string]string) Event {
	addr := t.Email.To
	if t.Email.For != "" {
		addr, detail["rehearsal"] = t.Email.For, "sent to "+t.Email.To
	}
	return Event{At: at, Kind: kind, Enrollment: t.Enrollment, Address: addr, Sequence: t.Sequence, Step: t.Step,
		MessageID: t.Email.MessageID, Detail: tidy(detail)}
}

// tidy drops empty values, so that a reader sees only what is known.
func tidy(detail map[string]string) map[string]string {
	maps.DeleteFunc(detail, func(_, v string) bool { return v == "" })
	return detail
}

// stamp writes a moment for an event's detail: RFC 3339, to the second.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

func decimal[N ~uint32 | ~int](n N) string { return strconv.FormatInt(int64(n), 10) }
