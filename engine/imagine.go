package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"nudge/sequences"
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
	en, err := Plan(req, seq, m, now)
	if err != nil {
		return nil, err
	}
	return Way(en, seq, m, now), nil
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
