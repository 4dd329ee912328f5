package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// This file is what holds an enrollment, and how it goes on again: part of the
// changes of change.go.

// hold holds, or holds longer: a hold that waits for a person is never turned
// into one that ends by itself. A doubt, and what is overdue, keep their question,
// and the hold stands behind it.
func (en Enrollment) hold(why Reason, detail string, until time.Time) (Enrollment, bool) {
	h := Hold{why, detail, until}
	switch {
	case en.State == Held && (en.Reason == InDoubt || en.Reason == CatchUp):
		if en.Behind != nil && !h.longer(*en.Behind) {
			return en, false
		}
		en.Behind = &h
		return en, true
	case en.State == Held && !h.longer(Hold{Until: en.HeldUntil}):
		return en, false
	}
	en.State, en.Reason, en.Detail, en.HeldUntil = Held, why, detail, until
	en.By, en.Before = "", nil
	return en, true
}

// longer says whether h holds longer than was.
func (h Hold) longer(was Hold) bool {
	return !was.Until.IsZero() && (h.Until.IsZero() || h.Until.After(was.Until))
}

// InDoubt holds the enrollment until a person says whether the touch left.
func (en Enrollment) InDoubt(t Touch, why string, at time.Time) (Enrollment, []Event) {
	events := []Event{t.event(EventInDoubt, at, map[string]string{"why": why, "subject": t.Email.Subject})}
	if en.Ended() {
		return en, events
	}
	if en.State == Held && en.Reason != InDoubt {
		en.Behind = &Hold{en.Reason, en.Detail, en.HeldUntil}
	}
	en.State, en.Reason, en.Detail, en.HeldUntil = Held, InDoubt, why, time.Time{}
	return en, append(events, en.heldEvent(at))
}

// undoubt ends the question that a doubt asks.
func (en Enrollment) undoubt() Enrollment { return en.unask(InDoubt) }

// unask ends a question that is answered for many at once, or by evidence. What
// held it beside that question holds it still.
func (en Enrollment) unask(question Reason) Enrollment {
	if en.State != Held || en.Reason != question {
		return en
	}
	if h := en.Behind; h != nil {
		en.Reason, en.Detail, en.HeldUntil, en.Behind = h.Reason, h.Detail, h.Until, nil
		return en
	}
	return en.activate()
}

// Distrusted holds an enrollment of which a step may have left without this state
// knowing it. Whoever waits for a person already is asked this too, since their
// answer to the other question would let the step leave again.
func (en Enrollment) Distrusted(at time.Time) (Enrollment, []Event) {
	const why = "this state is older than what was sent, and the Sent folder cannot tell whether this step left"
	besides := func(was Hold) string {
		return fmt.Sprintf("%s; and it waited before: %s", why, strings.TrimSuffix(string(was.Reason)+": "+was.Detail, ": "))
	}
	switch {
	case en.Ended(), en.Reason == Restored, en.Behind != nil && en.Behind.Reason == Restored:
		return en, nil
	case en.Behind != nil && en.Behind.Until.IsZero():
		en.Behind = &Hold{Reason: Restored, Detail: besides(*en.Behind)}
	case en.State == Held && en.HeldUntil.IsZero() && en.Reason != InDoubt && en.Reason != CatchUp:
		en.Detail, en.Reason = besides(Hold{Reason: en.Reason, Detail: en.Detail}), Restored
	default:
		en, _ = en.hold(Restored, why, time.Time{})
	}
	en.By, en.Before = "", nil // no mail taken back ends it
	return en, []Event{en.heldEvent(at)}
}

// Release makes the enrollment active again when the date it was held for has
// come. Its step keeps its own date where that is later.
func (en Enrollment) Release(at time.Time) (Enrollment, []Event, bool) {
	if en.State != Held || en.HeldUntil.IsZero() || en.HeldUntil.After(at) {
		return en, nil, false
	}
	ev := en.event(EventReleased, at, map[string]string{"reason": string(en.Reason)})
	until := en.HeldUntil
	en = en.activate()
	en.Look = latestOf(en.Due, until)
	return en, []Event{ev}, true
}

// toBeFound stands for a next step that the guard has to find; no heading can
// be it.
const toBeFound = "\n"

// Answer is the word that a held enrollment goes on: a person's, or what by
// names. Steps that were only rehearsed are done for real.
func (en Enrollment) Answer(at time.Time, by string) (Enrollment, []Event) {
	if en.State != Held || en.Reason == InDoubt {
		return en, nil // a doubt has its own question
	}
	events := []Event{en.event(EventReleased, at, map[string]string{"reason": string(en.Reason), "by": by})}
	if en.Reason == Rehearsed {
		en.Thread.IDs = slices.DeleteFunc(slices.Clone(en.Thread.IDs), func(id string) bool {
			return slices.ContainsFunc(en.Done, func(d Done) bool { return d.Rehearsed && d.MessageID == id })
		})
		en.Done = slices.DeleteFunc(slices.Clone(en.Done), func(d Done) bool { return d.Rehearsed })
		if en.Touches() == 0 {
			en.Done, en.Thread, en.StartAt, en.Tasks = nil, Thread{}, at, nil
		}
		en.Due, en.Next = at, toBeFound
	}
	en.Vouched = en.Vouched || en.Reason == Restored
	if en.Next == "" { // it was asked after the last step
		en, more := en.activate().Finish(at)
		return en, append(events, more...)
	}
	if en.Reason == CatchUp {
		en = en.unask(CatchUp)
	} else {
		en = en.activate()
	}
	en.Attempts, en.TriedAt = 0, time.Time{}
	return en, events
}

func (en Enrollment) activate() Enrollment {
	en.State, en.Reason, en.Detail, en.HeldUntil = Active, "", "", time.Time{}
	en.By, en.Before = "", nil
	en.Look, en.Why = en.Due, ""
	return en
}

func (en Enrollment) heldEvent(at time.Time) Event {
	d := map[string]string{"reason": string(en.Reason)}
	if en.Detail != "" {
		d["detail"] = en.Detail
	}
	if !en.HeldUntil.IsZero() {
		d["until"] = stamp(en.HeldUntil)
	}
	return en.event(EventHeld, at, d)
}
