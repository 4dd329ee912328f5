package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"nudge/sequences"
)

// Act implements Operator.
func (d *Desk) Act(_ context.Context, req ActRequest) (View, error) {
	if err := checkValue("reason", req.Reason); err != nil {
		return View{}, err
	}
	en, err := d.meant(req)
	if err != nil {
		return View{}, err
	}
	now := d.Now()
	meant := en.ID
	var refused error
	decide := func(en Enrollment) (Enrollment, []Event) {
		if en.ID != meant {
			if en.Ended() {
				return en, nil
			}
			return en.Outcome(outcomeOf(req.Verb), "", now)
		}
		refused = nil
		changed, events, err := d.decide(en, req, now)
		if err != nil {
			refused = err
			return en, nil
		}
		return changed, events
	}
	ids, err := d.followers(en, req.Verb)
	if err != nil {
		return View{}, err
	}
	// What a chain began ends first, so that the next chain may begin the same.
	ens, err := d.Store.Change(append(ids, en.ID), finishing(d.chains(), now, decide))
	if err == nil {
		err = refused
	}
	if err != nil {
		return View{}, err
	}
	d.wake()
	return d.view(ens[len(ids)]), nil
}

// meant is the one enrollment that a person's word is about.
func (d *Desk) meant(req ActRequest) (Enrollment, error) {
	if req.Sequence != "" {
		seq, _, err := d.plan(req.Sequence)
		if err == nil {
			req.Sequence = seq.Name
		}
	}
	ens, err := d.of(req.Address, req.Sequence)
	if err != nil {
		return Enrollment{}, err
	}
	var fit []Enrollment
	for _, en := range ens {
		open := len(en.OpenTasks()) > 0
		if req.Verb == SayDone && open || req.Verb != SayDone && !en.Ended() {
			fit = append(fit, en)
		}
	}
	switch {
	case len(fit) == 0 && (req.Verb == SayWon || req.Verb == SayLost || len(ens) == 1):
		fit = ens[len(ens)-1:] // the newest: what ended may have been won since
	case len(fit) == 0 && req.Verb == SayDone:
		fit = slices.DeleteFunc(slices.Clone(ens), Enrollment.Ended)
	}
	switch len(fit) {
	case 0:
		return Enrollment{}, invalid(fmt.Sprintf("every sequence of %s has ended", req.Address), "nudge show "+req.Address)
	case 1:
		return fit[0], nil
	}
	names := make([]string, len(fit))
	for i, en := range fit {
		names[i] = en.Sequence
	}
	return Enrollment{}, invalid(fmt.Sprintf("%s is in several sequences", req.Address), "add --sequence "+strings.Join(names, " or --sequence "))
}

// decide applies a person's word to the enrollment as it is now.
func (d *Desk) decide(en Enrollment, req ActRequest, now time.Time) (Enrollment, []Event, error) {
	switch req.Verb {
	case SayDone:
		return d.done(en, now)
	case SaySkip:
		return d.skip(en, now)
	case SaySnooze:
		if en.Ended() {
			return en, nil, d.over(en)
		}
		seq, _ := d.Library.Sequence(en.Sequence)
		var off sequences.Holidays
		if seq != nil {
			off = seq.Holidays
		}
		until, err := whenWords(req.Until, off, now, d.zoneOf(en))
		if err != nil {
			return en, nil, err
		}
		snoozed, events, ok := en.Snooze(until, now)
		if !ok {
			return en, nil, invalid(fmt.Sprintf("%s is held: %s", en.Address, heldWords(en)), "nudge show "+en.Address+" tells what it waits for")
		}
		return snoozed, events, nil
	case SayWon, SayLost:
		how := outcomeOf(req.Verb)
		ended, events := en.Outcome(how, strings.TrimSpace(req.Reason), now)
		if len(events) > 0 {
			ended.Then = d.chains().onOutcome(how, en, now)
		}
		return ended, events, nil
	}
	return en, nil, invalid(fmt.Sprintf("%q is not something to say about a prospect", req.Verb), "")
}

func heldWords(en Enrollment) string {
	words := string(en.Reason)
	if !en.HeldUntil.IsZero() {
		words += " until " + en.HeldUntil.Format("Monday 2 January 2006")
	}
	return words
}

func (d *Desk) over(en Enrollment) error {
	return invalid(fmt.Sprintf("%s in %s has ended: %s", en.Address, en.Sequence, en.Reason), "nudge show "+en.Address)
}

// done closes the oldest open task, or does the next step before its time
// where that is the owner's work.
func (d *Desk) done(en Enrollment, now time.Time) (Enrollment, []Event, error) {
	seq, _ := d.Library.Sequence(en.Sequence)
	step := ""
	if open := en.OpenTasks(); len(open) > 0 {
		step = open[0].Step
	} else if en.Ended() {
		return en, nil, d.over(en)
	} else if st := stepOf(seq, en.Next); st != nil && st.Do != sequences.Email && en.Reason != InDoubt {
		step = st.ID
	} else {
		return en, nil, invalid(fmt.Sprintf("%s has no open call, letter or task in %s", en.Address, en.Sequence),
			"nudge today lists them; nudge skip "+en.Address+" leaves the next mail out")
	}
	next, due := en.Next, now // its file is gone: the guard will hold it
	if seq != nil {
		next, due = following(d.mailboxOf(en), seq, en, step, now)
	}
	changed, events := en.CloseTask(step, TaskDone, next, due, now)
	return changed, events, nil
}

func stepOf(seq *sequences.Sequence, id string) *sequences.Step {
	if seq == nil {
		return nil
	}
	return seq.Step(id)
}

// skip leaves out the next step, or the open task where the sequence did not
// wait for it and has ended.
func (d *Desk) skip(en Enrollment, now time.Time) (Enrollment, []Event, error) {
	open := en.OpenTasks()
	switch {
	case en.Ended() && len(open) > 0:
		changed, events := en.CloseTask(open[0].Step, Skipped, "", time.Time{}, now)
		return changed, events, nil
	case en.Ended():
		return en, nil, d.over(en)
	case en.Reason == InDoubt:
		return en, nil, invalid(fmt.Sprintf("nobody knows whether the last mail to %s left", en.Address), "answer that first: nudge doubt list")
	}
	seq, _ := d.Library.Sequence(en.Sequence)
	if seq == nil || en.Next == toBeFound || seq.Step(en.Next) == nil && len(open) == 0 {
		return en, nil, invalid(fmt.Sprintf("nobody knows which step of %s comes next for %s", en.Sequence, en.Address), "put its file right, then nudge reload")
	}
	next, due := following(d.mailboxOf(en), seq, en, en.Next, now)
	changed, events := en.SkipByHand(next, due, now)
	return changed, events, nil
}

// outcomeOf is the reason of an end that a person's word names.
func outcomeOf(v Verb) Reason {
	if v == SayLost {
		return Lost
	}
	return Won
}

// followers are the enrollments that chains began from one that is now won or
// lost, and that end with it.
func (d *Desk) followers(origin Enrollment, v Verb) ([]string, error) {
	if v != SayWon && v != SayLost || origin.State == Stopped && origin.Reason == outcomeOf(v) {
		return nil, nil
	}
	ens, err := d.Store.Enrollments(Filter{Key: origin.Key})
	if err != nil {
		return nil, err
	}
	from := []string{origin.ID}
	var ids []string
	for _, en := range ens { // oldest first: each stands behind what it was begun from
		if en.From == "" || !slices.Contains(from, en.From) {
			continue
		}
		from = append(from, en.ID)
		if !en.Ended() {
			ids = append(ids, en.ID)
		}
	}
	return ids, nil
}

// agendaPage is how many enrollments are read at once: whoever writes meanwhile
// waits for no more than that.
const agendaPage = 1000

// Today implements Operator. It reads every enrollment, since work that nobody
// waits for outlives its sequence, but a page at a time.
func (d *Desk) Today(ctx context.Context) (Agenda, error) {
	a := Agenda{Tasks: []AgendaTask{}, Answers: []View{}}
	for after := ""; ; {
		page, err := d.Store.Enrollments(Filter{After: after, Limit: agendaPage})
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return a, err
		}
		for _, en := range page {
			d.onAgenda(&a, en)
		}
		if len(page) < agendaPage {
			break
		}
		after = page[len(page)-1].ID
	}
	slices.SortStableFunc(a.Tasks, func(x, y AgendaTask) int { return x.deadline().Compare(y.deadline()) })
	return a, nil
}

// onAgenda adds what waits for a person in one enrollment.
func (d *Desk) onAgenda(a *Agenda, en Enrollment) {
	for _, t := range en.OpenTasks() {
		at := AgendaTask{Address: en.Address, Name: en.Name, Sequence: en.Sequence, Step: t.Step, Action: t.Do, Text: t.Text,
			Assignee: t.Assignee, OpenedAt: *moment(t.OpenedAt, d.zoneOf(en))}
		if !t.Due.IsZero() {
			at.Due = moment(t.Due, d.zoneOf(en))
		}
		a.Tasks = append(a.Tasks, at)
	}
	if en.State == Held && en.HeldUntil.IsZero() {
		a.Answers = append(a.Answers, d.view(en))
	}
}

// Agenda is what waits for a person.
type Agenda struct {
	Tasks   []AgendaTask `json:"tasks"`   // the most pressing first
	Answers []View       `json:"answers"` // enrollments that a question holds
}

// AgendaTask is one open call, letter or task.
type AgendaTask struct {
	Address  string     `json:"address"`
	Name     string     `json:"name"`
	Sequence string     `json:"sequence"`
	Step     string     `json:"step"`
	Action   string     `json:"action"` // call, letter or task
	Text     string     `json:"text"`
	Assignee string     `json:"assignee"`
	OpenedAt time.Time  `json:"opened_at"`
	Due      *time.Time `json:"due"` // nil = no limit
}

// deadline sorts tasks: those without a limit count from when they were opened,
// behind all that have one.
func (t AgendaTask) deadline() time.Time {
	if t.Due != nil {
		return *t.Due
	}
	return t.OpenedAt.AddDate(1000, 0, 0)
}
