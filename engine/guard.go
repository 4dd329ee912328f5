package engine

import (
	"fmt"
	"slices"
	"time"

	"nudge/sequences"
)

// Decision is the guard's answer about one candidate. Exactly one of its parts
// counts, read from the top.
type Decision struct {
	Go     bool      // it may leave now
	Hold   Reason    // a person must look; Why has the particulars
	Next   string    // its step is gone from the file: this one comes next, due at Look
	End    bool      // no step is left
	Expire bool      // the task it waits for was not done in time; with Stop it ends
	Skip   bool      // the step is not for this prospect, and left out
	Stop   bool      // the address is suppressed
	Look   time.Time // not before this moment
	Cap    bool      // because a cap of the day is reached
	Why    string    // in words, for people
}

// Guard decides whether the next step of a candidate may be done now. The
// first "no" decides. What holds back a whole mailbox (its cap, its gap, an
// unreadable folder) is not asked here; see Engine.speak.
func Guard(c Candidate, seq *sequences.Sequence, m Mailbox, now time.Time) Decision {
	en := c.Enrollment
	switch {
	case c.Suppressed:
		return Decision{Stop: true, Why: "the address is suppressed"}
	case c.OpenTouch:
		return Decision{Look: now.Add(time.Minute), Why: "its last mail is still on its way"}
	case seq == nil:
		return Decision{Hold: NoSequence, Why: fmt.Sprintf("there is no sequence %q", en.Sequence)}
	case en.rehearsed() && !m.Rehearsal:
		return Decision{Hold: Rehearsed, Why: "its mails went to you alone"}
	case !en.written() && !en.Vouched && !m.Rehearsal && slices.ContainsFunc(c.Contacts, func(t Contact) bool { return t.Sequence == LostSequence }):
		return Decision{Hold: Restored, Why: "Sent has a mail to them of which this restored state knows nothing; it may have been this one"}
	case en.Late && c.LateShare > 0 && c.LateToday >= c.LateShare:
		return Decision{Look: m.tomorrow(now), Cap: true, Why: fmt.Sprintf("overdue with others, of whom %d are written to a day", c.LateShare)}
	case c.SequenceOff:
		return Decision{Look: now.Add(time.Hour), Why: "the sequence is paused"}
	}
	loc := zone(m, seq, en)
	if t, open := en.blocking(); open {
		return judgeTask(t, now)
	}
	st := seq.Step(en.Next)
	if st == nil || slices.Contains(en.DoneSteps(), en.Next) { // never a step that is behind it
		return replanned(m, seq, en)
	}
	if u := fits(m, seq, st, en, now); u.hold != "" {
		return Decision{Hold: u.hold, Why: u.why}
	} else if u.skip != "" {
		return Decision{Skip: true, Why: u.skip}
	}
	if due, _ := dueOf(m, seq, st, en, en.behind()); st.Before != "" && due.After(now) {
		return Decision{Next: st.ID, Look: due, Why: "its date has moved"}
	}
	if !st.Send.Allows(now.In(loc)) {
		return Decision{Look: st.Send.First(now.In(loc)), Why: "outside the sending window " + st.Send.String()}
	}
	if st.Do != sequences.Email {
		return Decision{Go: true}
	}
	if look, why := personPace(c, m, loc, now); look.After(now) {
		return Decision{Look: st.Send.First(look.In(loc)), Why: why}
	}
	if m.PerDomain > 0 && c.DomainToday >= m.PerDomain && !FreeMail(AddressDomain(en.Key)) {
		return Decision{Look: st.Send.First(m.tomorrow(now).In(loc)), Cap: true,
			Why: fmt.Sprintf("already %d mails to %s today", c.DomainToday, AddressDomain(en.Key))}
	}
	if seq.PerDay > 0 && c.SequenceToday >= seq.PerDay {
		return Decision{Look: st.Send.First(m.tomorrow(now).In(loc)), Cap: true,
			Why: fmt.Sprintf("already %d mails of sequence %s today", c.SequenceToday, seq.Name)}
	}
	return Decision{Go: true}
}

// replanned answers for an enrollment whose next step is no longer in the
// file: the one after its last done step comes next, its wait counted from the
// last touch.
func replanned(m Mailbox, seq *sequences.Sequence, en Enrollment) Decision {
	known := func(d Done) bool { return seq.Step(d.Step) != nil }
	if len(en.Done) > 0 && !slices.ContainsFunc(en.Done, known) {
		// Where it stands cannot be told, and starting over might say it twice.
		return Decision{Hold: StepsGone, Why: fmt.Sprintf("step %q and every step before it are gone from the file", en.Next)}
	}
	st := seq.Next(en.DoneSteps())
	if st == nil {
		return Decision{End: true, Why: "no step is left"}
	}
	due, _ := dueOf(m, seq, st, en, en.behind())
	return Decision{Next: st.ID, Look: due, Why: fmt.Sprintf("step %q is gone from the file", en.Next)}
}

// personPace is the earliest moment at which one person may hear from us again
// over all sequences. Inside one sequence its author's waits rule.
func personPace(c Candidate, m Mailbox, loc *time.Location, now time.Time) (time.Time, string) {
	var look time.Time
	var why string
	for _, contact := range c.Contacts {
		if contact.Sequence == c.Enrollment.Sequence || m.BetweenSequences.N == 0 || contact.At.After(now) {
			continue
		}
		if t := m.BetweenSequences.After(contact.At.In(loc)); t.After(look) {
			look, why = t, fmt.Sprintf("heard from us in sequence %s on %s", contact.Sequence, contact.At.In(loc).Format("2 January"))
		}
	}
	if m.PerPerson == 0 {
		return look, why
	}
	span := time.Duration(m.PerPersonDays) * 24 * time.Hour
	var recent []time.Time
	for _, contact := range c.Contacts {
		if age := now.Sub(contact.At); age >= 0 && age < span { // else the clock was ahead then
			recent = append(recent, contact.At)
		}
	}
	if n := len(recent); n >= m.PerPerson {
		if t := recent[n-m.PerPerson].Add(span); t.After(look) {
			look, why = t, fmt.Sprintf("already %d mails in %d days", n, m.PerPersonDays)
		}
	}
	return look, why
}
