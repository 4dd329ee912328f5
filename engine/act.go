package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nudge/sequences"
	"nudge/templates"
)

// Verb is a person's word about one enrollment.
type Verb string

const (
	SayDone   Verb = "done"   // the open call, letter or task was done
	SaySkip   Verb = "skip"   // the next step, or the open task, is left out
	SaySnooze Verb = "snooze" // nothing before a date
	SayWon    Verb = "won"    // they said yes: it ends
	SayLost   Verb = "lost"   // they said no: it ends
)

// ActRequest is a person's word about the enrollment of an address, in one
// sequence when that is named.
type ActRequest struct {
	Verb     Verb   `json:"verb"`
	Address  string `json:"address"`
	Sequence string `json:"sequence,omitempty"`
	Until    string `json:"until,omitempty"`  // of snooze: a date, a weekday or a delay
	Reason   string `json:"reason,omitempty"` // of lost
}

// Snooze puts the next action off until a date. A hold that waits for a
// person's answer stays one; the deadline of an open task moves along. It says
// whether that is a change.
func (en Enrollment) Snooze(until, at time.Time) (Enrollment, []Event, bool) {
	if en.State == Held && en.Reason == Snoozed {
		en.HeldUntil = until
	} else if held, changed := en.hold(Snoozed, "", until); !changed || held.Reason != Snoozed {
		return en, nil, false
	} else {
		en = held
	}
	en.Tasks = slices.Clone(en.Tasks)
	for i, t := range en.Tasks {
		if !t.Due.IsZero() && t.Due.Before(until) {
			en.Tasks[i].Due = until
		}
	}
	return en, []Event{en.heldEvent(at)}, true
}

// Outcome ends an enrollment as won or lost, also one that has ended otherwise.
func (en Enrollment) Outcome(how Reason, why string, at time.Time) (Enrollment, []Event) {
	if en.State == Stopped && en.Reason == how {
		return en, nil
	}
	kind := EventWon
	if how == Lost {
		kind = EventLost
	}
	events := []Event{en.event(kind, at, map[string]string{"reason": why})}
	over := en.Ended()
	en = en.stop(how, why)
	if !over {
		events = append(events, en.event(EventStopped, at, map[string]string{"reason": string(how), "why": why}))
	}
	return en, events
}

// stepHolds are the questions that leaving the step out answers.
var stepHolds = []Reason{MissingField, BadDate, Unwritable, Refused, Undelivered, CatchUp, Snoozed}

// SkipByHand leaves the next step out, whether it is a mail or an open task.
func (en Enrollment) SkipByHand(next string, due, at time.Time) (Enrollment, []Event) {
	if en.State == Held && slices.Contains(stepHolds, en.Reason) {
		en = en.unask(en.Reason)
	}
	en.Late = false
	return en.Skip(en.Next, map[string]string{"by": "hand"}, next, due, at)
}

// whenWords reads until when something is put off: a date, the next such
// weekday, or a delay from now. A day without a time begins at midnight.
func whenWords(words string, off sequences.Holidays, now time.Time, loc *time.Location) (time.Time, error) {
	text := strings.ToLower(strings.TrimSpace(words))
	now = now.In(loc)
	until, err := templates.ParseDate(text, loc)
	if d, derr := sequences.ParseDelay(text); derr == nil {
		until, err = d.AfterHolidays(now, off), nil
	}
	if day, ok := weekday(text); ok {
		ahead := (int(day)-int(now.Weekday())+6)%7 + 1
		until, err = startOfDay(now.AddDate(0, 0, ahead)), nil
	}
	if text == "tomorrow" {
		until, err = startOfDay(now.AddDate(0, 0, 1)), nil
	}
	switch {
	case err != nil:
		return time.Time{}, invalid(fmt.Sprintf("%q is neither a date nor a delay", words), "write 2026-12-04, friday, or 3 business days")
	case !until.After(now):
		return time.Time{}, invalid(fmt.Sprintf("%s is not in the future", until.In(loc).Format("Monday 2 January 2006 15:04")), "name a later day")
	}
	return until, nil
}

// weekday reads mon, friday and so on.
func weekday(s string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if len(s) >= 3 && strings.HasPrefix(strings.ToLower(d.String()), s) {
			return d, true
		}
	}
	return 0, false
}
