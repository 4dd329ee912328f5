package simtest

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"nudge/engine"
)

// work is the owner's own work: they look at what is open every day, and do
// some of it.
func (o *operator) work(dice *rand.Rand) {
	w := o.w
	var agenda engine.Agenda
	if w.running() == nil {
		return
	}
	w.askDesk("today", func(ctx context.Context, d *engine.Desk) (err error) { agenda, err = d.Today(ctx); return err })
	for _, t := range agenda.Tasks {
		who := w.byKey[engine.AddressKey(t.Address)]
		if who == nil {
			continue
		}
		w.mu.Lock()
		w.noteOpen(who, t)
		w.mu.Unlock()
		if dice.Float64() > 0.3 && !w.isCalm() {
			continue
		}
		w.figures.add("call made")
		w.mu.Lock()
		delete(w.calls, key(who, t.Sequence, t.Step)) // also where no answer comes
		w.mu.Unlock()
		w.tell(who, "%s %s: the call is made", t.Sequence, t.Step)
		w.askDesk("done", func(ctx context.Context, d *engine.Desk) error {
			return refusable(d.Act(ctx, engine.ActRequest{Verb: engine.SayDone, Address: who.addr, Sequence: t.Sequence}))
		})
	}
}

// call is an open task, as the owner was told.
type call struct {
	who  *person
	seq  string
	due  time.Time // zero = no limit
	then string    // if-not-done
}

// noteOpen enters an open task into the ledger. The caller holds the lock.
func (w *World) noteOpen(who *person, t engine.AgendaTask) {
	c := call{who: who, seq: t.Sequence}
	if t.Due != nil {
		c.due = *t.Due
	}
	p := w.plans.plans[t.Sequence]
	i := slices.IndexFunc(p.steps, func(st planStep) bool { return st.id == t.Step })
	if i < 0 || p.edited { // what was asked for when it was opened is not known
		return
	}
	c.then = p.steps[i].undone
	w.calls[key(who, t.Sequence, t.Step)] = c
}

// say is a person's word that somebody said yes or no.
func (o *operator) say(verb engine.Verb, who *person, seq string) {
	w := o.w
	w.mu.Lock()
	who.touchedBy = true
	w.mu.Unlock()
	tried, there := time.Now(), true
	done := w.askDesk(string(verb), func(ctx context.Context, d *engine.Desk) error {
		_, err := d.Act(ctx, engine.ActRequest{Verb: verb, Address: who.addr, Sequence: seq})
		there = err == nil
		return refusable(0, err)
	})
	if !there && done {
		return
	}
	w.mu.Lock()
	who.said = append(who.said, said{verb: verb, seq: seq, tried: tried, at: time.Now(), sure: done})
	w.mu.Unlock()
	w.figures.add(string(verb))
	w.tell(who, "%s in %s (answered: %v)", verb, seq, done)
}

// said is one such word.
type said struct {
	verb      engine.Verb
	seq       string
	tried, at time.Time
	sure      bool // and the answer was heard
}

// checkLanguage judges a mail by what its author wrote, as the ledger has it.
func (w *World) checkLanguage(d *delivery) {
	forms := w.plans.forms(d.seq, d.step, d.began.Add(-30*time.Minute), d.began)
	if len(forms) == 0 {
		w.violate("a step that is not in the file is not written", d.who, "%s %s", d.seq, d.step)
		return
	}
	_, round := roundOf(d.step)
	loc, clock := d.who.location(), w.clock()
	meant, dayOff := false, ""
	for _, f := range forms {
		meant = meant || f.of.isFor(d.who)
	}
	if !meant {
		w.violate("no touch of a step whose condition is false", d.who, "%s %s is not for tier %q", d.seq, d.step, d.who.tier)
	}
	for _, f := range forms {
		if dayOff = f.offOn(clock.In(loc), round); dayOff != "" {
			dayOff = f.offOn(clock.Add(-windowSlack).In(loc), round)
		}
		if dayOff == "" {
			break
		}
	}
	if dayOff != "" {
		w.violate("none leaves on a day off where business days are asked for", d.who, "%s %s on %s", d.seq, d.step, dayOff)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.checkCalls(d)
	w.checkChain(d)
}

// offOn names the day where it is none of the business days that the step asks
// for; "" where it may leave.
func (f form) offOn(t time.Time, round int) string {
	if !strings.Contains(f.of.waitOf(round), "business") || !isWeekend(t) && !isOff(f.holidays, t) {
		return ""
	}
	return t.Format("Monday " + time.DateOnly)
}

// checkCalls says whether a mail leaves past a call that it waits for. The
// caller holds the lock.
func (w *World) checkCalls(d *delivery) {
	if d.who.touchedBy || !w.restored.IsZero() || w.plans.plans[d.seq].edited {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(w.calls)) {
		c := w.calls[name]
		if c.who != d.who || c.seq != d.seq {
			continue
		}
		early := !c.due.IsZero() && w.offsetNow().Before(c.due)
		if c.then == "wait" || early || c.then == "stop" {
			w.violateLater("nothing passes a call that it waits for", d.who, "%s leaves, and %s is open until %s, then %s", d.name(), name, c.due, c.then)
		}
	}
}

// offsetNow is the engine's clock, for those who hold the lock.
func (w *World) offsetNow() time.Time { return time.Now().Add(w.offset) }

// checkChain says whether a sequence that a chain begins may have begun, and
// whether one that was won goes on. The caller holds the lock.
func (w *World) checkChain(d *delivery) {
	verb, begun := begunBy[d.seq]
	for _, said := range d.who.said {
		if said.sure && said.seq == origin(d.seq) && !begun && said.at.Before(d.fence) && w.restored.Before(said.at) {
			w.violateLater("nothing leaves after the word that it is won or lost", d.who, "%s, %s since %s", d.name(), said.verb, said.at.Format(time.DateTime))
		}
	}
	first := slices.IndexFunc(d.who.said, func(s said) bool { return s.verb == verb })
	switch {
	case begun && first < 0:
		w.violateLater("a chain begins when its moment has come", d.who, "%s, and nobody said that it is %s", d.name(), verb)
	case d.seq == parting && d.began.Before(d.who.said[first].tried.Add(partingAfter*day-2*time.Hour)) && w.figures.of("clock jump") == 0:
		w.violateLater("a chain begins when its moment has come", d.who, "%s leaves %s after the word", d.name(), d.began.Sub(d.who.said[first].tried))
	case d.seq != care || d.who.touchedBy || !w.restored.IsZero() || w.plans.plans["quote"].edited:
		return
	}
	for _, st := range w.plans.plans["quote"].steps {
		for _, id := range st.ids() {
			name := key(d.who, "quote", id)
			if !st.call && !st.before && st.isFor(d.who) && !w.left(name) && !w.doubtful[name] {
				w.violateLater("a chain begins when its moment has come", d.who, "%s leaves before %s", d.name(), name)
			}
		}
	}
	for _, m := range d.who.mails {
		if m.seq == "quote" && d.claimed.Before(m.claimed.Add(careAfter*day-2*time.Hour)) && w.figures.of("clock jump") == 0 {
			w.violateLater("a chain begins when its moment has come", d.who, "%s leaves %s after %s", d.name(), d.claimed.Sub(m.claimed), m.step)
		}
	}
}

// begins says whether an enrollment that finished has to begin care, and did.
// The caller holds the lock.
func (w *World) begins(en *enrolled, views map[string]engine.View) bool {
	p := w.plans.plans[en.seq]
	if p.edited || !slices.ContainsFunc(p.chains, func(c string) bool { return strings.HasPrefix(c, "on-finish") }) {
		return true
	}
	_, begun := views[en.who.addr+" "+care]
	return begun
}

// checkBegun says whether what a word begins has begun for somebody of whom it was
// said, and whom nothing stops. The caller holds the lock.
func (w *World) checkBegun(views map[string]engine.View) {
	for _, who := range w.people {
		for _, s := range who.said {
			p := w.plans.plans[s.seq]
			if !s.sure || !w.restored.IsZero() || !who.suppressed.IsZero() || w.mayStop(who) {
				continue
			}
			for _, seq := range []string{thanks, parting} {
				verb := begunBy[seq]
				chained := slices.ContainsFunc(p.chains, func(c string) bool { return strings.HasPrefix(c, "on-"+string(verb)) })
				if _, there := views[who.addr+" "+seq]; verb == s.verb && chained && !there {
					w.violateLater("never lost", who, "%s in %s, and %s never began", s.verb, s.seq, seq)
				}
			}
		}
	}
}

// mayStopUndone says whether a call of a sequence may ever have ended it.
func (p *plan) mayStopUndone() bool {
	return slices.ContainsFunc(p.versions, func(v version) bool {
		return slices.ContainsFunc(v.steps, func(st planStep) bool { return st.undone == "stop" })
	})
}
