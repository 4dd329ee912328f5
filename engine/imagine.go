package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"nudge/sequences"
	"nudge/templates"
)

// Imagine is the way of one imagined prospect through a sequence, a row a step,
// each done at its moment. What the sequence needs and the request does not
// bring is made up, but for dates.
func Imagine(req EnrollRequest, seq *sequences.Sequence, m Mailbox, now time.Time) ([]Coming, error) {
	fields := map[string]string{}
	for key, value := range req.Fields {
		fields[key] = value
	}
	for _, key := range seq.Needs {
		if fields[key] == "" && key != "name" && key != "email" {
			fields[key] = "…"
		}
	}
	for _, st := range seq.Steps {
		if st.Before != "" && req.Fields[st.Before] == "" {
			return nil, invalid(fmt.Sprintf("sequence %s leads up to the date in %s", seq.Name, st.Before), fmt.Sprintf("add --set %s=2026-12-24", st.Before))
		}
	}
	req.Fields, req.Name = fields, "Somebody"
	makeUp(fields, seq, m, now)
	en, err := Plan(req, seq, m, now)
	if err != nil {
		return nil, err
	}
	return Way(en, seq, m, now), nil
}

// makeUp gives fields that are made up another value where the words ask a number
// or a date of them.
func makeUp(fields map[string]string, seq *sequences.Sequence, m Mailbox, now time.Time) {
	en := Enrollment{Sequence: seq.Name, Mailbox: m.Name, Name: "Somebody", Fields: fields, EnrolledAt: now, StartAt: now}
	for i := range seq.Steps {
		for {
			_, err := wordsFor(m, seq, &seq.Steps[i], en, now)
			value, ok := errors.AsType[*templates.ValueError](err)
			if !ok || fields[value.Field] != "…" {
				break
			}
			fields[value.Field] = "1"
			if value.Date {
				fields[value.Field] = now.AddDate(0, 0, 14).Format(time.DateOnly)
			}
		}
	}
}

// Way is what comes for one prospect from now on, a row a step, with those that
// are left out. What only a person ends (a pause, a question, an ending) is
// taken for ended now; other prospects and sequences are not looked at.
func Way(en Enrollment, seq *sequences.Sequence, m Mailbox, now time.Time) []Coming {
	f := newForecaster(chains{oneBook{seq}, []Mailbox{m}}, now, ownersMove)
	f.left = true
	en.Mailbox, en.Paused, en.Late = m.Name, false, false
	if _, open := en.blocking(); en.Ended() || open || en.State == Held && en.HeldUntil.IsZero() {
		en = en.activate()
		en.Look = now
	}
	if _, open := en.blocking(); !open {
		en.Look = latestOf(en.Look, en.Due)
	}
	heard := []Contact{}
	en.Done = slices.Clone(en.Done)
	for i, d := range en.Done {
		if d.Outcome == Sent && !d.Rehearsed {
			heard = append(heard, Contact{At: d.At, Sequence: en.Sequence})
		}
		en.Done[i].Rehearsed = false // what was rehearsed goes on as if it had been sent
	}
	f.add(Candidate{Enrollment: en, Contacts: heard})
	_ = f.run(context.Background()) // nothing cuts it short
	return f.rows
}

// oneBook is a library of one sequence.
type oneBook struct{ seq *sequences.Sequence }

func (b oneBook) Sequence(name string) (*sequences.Sequence, bool) { return b.seq, name == b.seq.Name }
