package engine

import (
	"fmt"
	"strings"
	"time"

	"nudge/sequences"
)

// This file is what nudge why says of the way through the sequence: how the
// date of a step came about, what is left out, and what follows.

// wait says how the date of the next step came about.
func (a *account) wait() {
	from, after := a.en.StartAt, "the enrollment's start"
	if n := len(a.en.Done); n > 0 {
		last := a.en.Done[n-1]
		from, after = last.At, fmt.Sprintf("step %q", last.Step)
		switch last.Outcome {
		case Skipped:
			after += ", left out"
		case Expired:
			after += ", not done in time"
		}
	}
	words := ""
	if a.st.Repeat.N > 0 {
		words = fmt.Sprintf("round %d of %d: ", a.st.Round, a.st.Repeat.N+1)
	}
	if a.st.Before != "" {
		a.waitBefore()
		return
	}
	over := a.st.Wait.AfterHolidays(from.In(a.loc), a.seq.Holidays)
	words += fmt.Sprintf("%s from %s (%s) = %s", a.st.Wait, a.clock(from), after, a.clock(over))
	if !a.st.DueAt(from, a.loc).Equal(a.en.Due) {
		words += "; it was planned for " + a.clock(a.en.Due)
	}
	a.fact("wait", a.en.Due.After(a.now), "%s", words)
}

// waitBefore says it of a step that leads up to a date.
func (a *account) waitBefore() {
	date, u := anchorDate(a.st, a.en, a.loc)
	if !u.none() {
		a.fact("wait", true, "%s before the date in field %s, which cannot be told: %s", a.st.Wait, a.st.Before, u.why)
		return
	}
	target := a.st.Wait.Before(date, a.seq.Holidays)
	words := fmt.Sprintf("%s back from %s (field %s) = %s", a.st.Wait, a.clock(date), a.st.Before, a.clock(target))
	due, ok := a.st.DueBefore(date, a.en.behind(), a.loc)
	switch {
	case !ok:
		words += ": too late"
	case target.Before(a.en.behind()):
		words += fmt.Sprintf("; the step before it was done %s", a.clock(a.en.behind()))
	case due.Before(target):
		words += "; the last opening before that date counts"
	}
	if ok && !due.Equal(target) {
		words += ", so " + a.clock(due)
	}
	a.fact("wait", ok && due.After(a.now), "%s", words)
}

// task says what the next step waits for, and what happens without it.
func (a *account) task(t Task) {
	words := fmt.Sprintf("%s: %q, since %s", t.why(), t.Step, a.clock(t.OpenedAt))
	switch {
	case t.Due.IsZero():
	case a.st != nil && a.st.Deadline(t.OpenedAt, a.loc).Equal(t.Due):
		words += fmt.Sprintf(", + %s = %s", a.st.Due, a.clock(t.Due))
	default:
		words += ", until " + a.clock(t.Due)
	}
	switch {
	case t.look().Equal(ownersMove):
		words += "; nothing comes before it is done"
	case t.Undone == sequences.UndoneStop:
		words += "; it ends there if it is not done"
	default:
		words += "; the sequence goes on there if it is not done"
	}
	a.fact("task", true, "%s", words)
}

// chains says what began it, and what its end begins.
func (a *account) chains() {
	if a.en.From != "" && len(a.en.Lineage) > 0 {
		a.fact("chain", false, "begun by the end of %s, on %s", a.en.Lineage[len(a.en.Lineage)-1], a.clock(a.en.EnrolledAt))
	}
	if a.seq == nil {
		return
	}
	var ends []string
	for _, end := range []struct {
		how   string
		chain *sequences.Chain
	}{{"after the last step", a.seq.OnFinish}, {"when it is won", a.seq.OnWon}, {"when it is lost", a.seq.OnLost}} {
		if end.chain == nil {
			continue
		}
		words := end.how + " " + end.chain.Sequence + " begins"
		if end.chain.After.N > 0 {
			words += ", " + end.chain.After.String() + " later"
		}
		ends = append(ends, words)
	}
	if len(ends) > 0 {
		a.fact("chain", false, "%s", strings.Join(ends, "; "))
	}
}

// comes says which step goes at the moment that is told.
func (a *account) comes(en Enrollment) {
	a.Step, a.Action = en.Next, string(sequences.Email)
	if en.Next == toBeFound {
		a.Step = ""
	}
	if st := stepOf(a.seq, en.Next); st != nil {
		a.st, a.Action = st, string(st.Do)
	}
}

// movesOn says whether the guard moves an enrollment on to another step, or to
// another date of this one.
func movesOn(g Decision) bool {
	return g.Hold == "" && !g.End && (g.Next != "" || g.Expire || g.Skip)
}

// goOn imagines what the guard decided, at the moment it would, and tells it.
func (a *account) goOn(en Enrollment, g Decision, at time.Time) Enrollment {
	if g.Next != "" {
		a.fact("rule", false, "%s: step %q, %s", g.Why, g.Next, a.clock(g.Look))
		en.Next, en.Due, en.Look = g.Next, g.Look, g.Look
		a.comes(en)
		return en
	}
	if g.Stop {
		a.never = true
		a.fact("rule", true, "%s, so it ends %s", g.Why, a.clock(at))
		return en
	}
	step, words := en.Next, fmt.Sprintf("step %q is left out: %s", en.Next, g.Why)
	next, due := following(a.m, a.seq, en, step, at)
	if g.Expire {
		words = fmt.Sprintf("if %q is not done by %s", step, a.clock(at))
		en, _ = en.CloseTask(step, Expired, next, due, at)
	} else {
		en, _ = en.Skip(step, map[string]string{}, next, due, at)
	}
	if en.Ended() {
		a.never = true
		a.fact("rule", true, "%s; no step is left, so it ends", words)
		return en
	}
	a.comes(en)
	a.fact("rule", !g.Expire, "%s; then %q, %s", words, next, a.wayTo(en, due))
	return en
}

// wayTo is how the date of the step comes about that follows one which is
// imagined over.
func (a *account) wayTo(en Enrollment, due time.Time) string {
	if a.st == nil || a.st.Before != "" {
		return a.clock(due)
	}
	from := en.behind()
	words := fmt.Sprintf("%s from %s = %s", a.st.Wait, a.clock(from), a.clock(a.st.Wait.AfterHolidays(from.In(a.loc), a.seq.Holidays)))
	if over := a.st.Wait.AfterHolidays(from.In(a.loc), a.seq.Holidays); !over.Equal(due) {
		words += ", first moment then: " + a.clock(due)
	}
	return words
}
