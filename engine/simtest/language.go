package simtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// This file is what the plans of some worlds have beside waits and texts:
// holidays, conditions, repeated steps, calls and urgency, and the sequences
// that chains begin.

// The sequences that only a chain begins.
const (
	care    = "care"    // when quote ends without an answer
	thanks  = "thanks"  // when somebody is won
	parting = "parting" // when somebody is lost
)

// careAfter is how many days after the end of quote care may begin at the
// earliest; partingAfter, how many after the word that somebody is lost.
const careAfter, partingAfter = 3, 2

// enrich gives a plan more of the language.
func (p *plan) enrich(dice *rand.Rand, w *World) {
	p.rich = true
	p.moveHolidays(dice, w.season())
	if dice.IntN(2) == 0 {
		p.limit(dice, w.conf.people)
	}
	for i := range p.steps {
		if dice.IntN(2) == 0 {
			p.steps[i].enrich(dice, i > 0)
		}
	}
	if i := len(p.steps) - 1; i > 0 && dice.IntN(2) == 0 {
		p.steps[1+dice.IntN(i)] = p.newCall(dice)
	}
	if p.name == "quote" && dice.IntN(2) == 0 {
		p.chains = append(p.chains, fmt.Sprintf("on-finish: enroll %s after %d days", care, careAfter))
	}
	if dice.IntN(4) > 0 {
		p.chains = append(p.chains, "on-won: enroll "+thanks)
	}
	if dice.IntN(4) > 0 {
		p.chains = append(p.chains, fmt.Sprintf("on-lost: enroll %s after %d days", parting, partingAfter))
	}
}

// limit is how many of its mails may leave a day, enough for everybody to get
// theirs in time.
func (p *plan) limit(dice *rand.Rand, people int) { p.perDay = people/8 + 1 + dice.IntN(people/8+1) }

// enrich changes what a step asks for. The first of a plan keeps to everybody.
func (st *planStep) enrich(dice *rand.Rand, later bool) {
	switch dice.IntN(4) {
	case 0:
		st.tier = ""
		if later {
			st.tier = []string{"gold", "plain"}[dice.IntN(2)]
		}
	case 1:
		if st.before {
			return
		}
		st.repeat, st.every = 0, []string{"2 days", "1 business day", "20 hours"}[dice.IntN(3)]
		if !st.call {
			st.repeat = dice.IntN(3)
		}
	case 2:
		st.urgent = !st.urgent
	case 3:
		if st.before = later && !st.call && st.repeat == 0; st.before {
			st.wait = []string{"1 day", "3 days", "2 business days", "26 hours", "1 week"}[dice.IntN(5)]
		}
	}
}

// newCall is a step of the owner's.
func (p *plan) newCall(dice *rand.Rand) planStep {
	st := p.newStep(dice)
	st.call = true
	st.due = []string{"", "1 business day", "3 days"}[dice.IntN(3)]
	st.undone = []string{"continue", "wait", "stop"}[dice.IntN(3)]
	if st.undone == "stop" && st.due == "" {
		st.due = "5 business days"
	}
	return st
}

// moveHolidays makes some days off: those of a country, and others of the time
// in which the world lives.
func (p *plan) moveHolidays(dice *rand.Rand, began time.Time) {
	p.holidays = []string{[]string{"se", "us", "de"}[dice.IntN(3)]}
	for range dice.IntN(4) {
		first := began.Add(evenly(dice, 60*day))
		for n := range 1 + dice.IntN(5) {
			p.holidays = append(p.holidays, first.AddDate(0, 0, n).Format(time.DateOnly))
		}
	}
}

// settings are the lines of a step's block, without its subject.
func (st planStep) settings() string {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, value)
		}
	}
	line("id", st.id)
	line("wait", st.wait)
	if st.before {
		line("before", "visit")
	}
	if st.tier != "" {
		line("only-if", fmt.Sprintf("tier == %q", st.tier))
	}
	if st.repeat > 0 {
		line("repeat", fmt.Sprintf("%d every %s", st.repeat, st.every))
	}
	if st.hurries() {
		line("urgent", "yes")
	}
	if st.call {
		line("do", "call")
		line("due", st.due)
		line("if-not-done", st.undone)
	}
	return b.String()
}

// hurries says whether it leaves at any hour, which days cannot ask for.
func (st planStep) hurries() bool {
	return st.urgent && !st.before && st.repeat == 0 && (st.wait == "0" || strings.HasSuffix(st.wait, "hours"))
}

// waitOf is the wait of one of its rounds.
func (st planStep) waitOf(round int) string {
	if round > 1 {
		return st.every
	}
	return st.wait
}

// isFor says whether a person is one of those the step is for.
func (st planStep) isFor(who *person) bool { return st.tier == "" || st.tier == who.tier }

// ids are the names of its rounds.
func (st planStep) ids() []string {
	ids := []string{st.id}
	for n := range st.repeat {
		ids = append(ids, fmt.Sprintf("%s/%d", st.id, n+2))
	}
	return ids
}

// roundOf splits the name of a round.
func roundOf(step string) (id string, round int) {
	id, n, repeated := strings.Cut(step, "/")
	round = 1
	if repeated {
		_, _ = fmt.Sscan(n, &round)
	}
	return id, round
}

// mails says whether any step of it is a mail.
func (p *plan) mails() bool {
	return slices.ContainsFunc(p.steps, func(st planStep) bool { return !st.call })
}

// rework is an edit of what only a rich plan has.
func (p *plan) rework(dice *rand.Rand, i int, w *World) string {
	p.rich = true
	switch dice.IntN(4) {
	case 0:
		p.moveHolidays(dice, w.season())
		return "holidays are " + strings.Join(p.holidays, ", ")
	case 1:
		st := p.newCall(dice)
		p.steps = slices.Insert(p.steps, i+1, st)
		return fmt.Sprintf("%s, a call, is put in at place %d", st.id, i+2)
	}
	if dice.IntN(4) == 0 {
		p.limit(dice, w.conf.people)
		return fmt.Sprintf("at most %d a day", p.perDay)
	}
	p.steps[i].enrich(dice, i > 0)
	return strings.ReplaceAll(p.steps[i].settings(), "\n", "; ")
}

// origin is the sequence whose enrollment a chain's began with; else the
// sequence itself.
func origin(seq string) string {
	if seq == care {
		return "quote"
	}
	return seq
}
