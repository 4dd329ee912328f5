package engine

import (
	"fmt"
	"strings"
	"time"
)

// paceWords is what bounds the mails to one person.
func (a *account) paceWords() string {
	var words []string
	if a.m.PerPerson > 0 {
		words = append(words, fmt.Sprintf("at most %d in %d days", a.m.PerPerson, a.m.PerPersonDays))
	}
	if a.m.BetweenSequences.N > 0 {
		words = append(words, a.m.BetweenSequences.String()+" between sequences")
	}
	if len(words) == 0 {
		return "no limit is set"
	}
	return strings.Join(words, ", ")
}

// explainMailbox says what holds back the mailbox as a whole.
func (d *Desk) explainMailbox(a *account, at time.Time) (time.Time, error) {
	day := a.m.day(a.now)
	pace, err := d.Store.Pace(a.m.Name, day)
	if err != nil {
		return at, err
	}
	trust, err := d.Store.Trust(a.m.Name)
	if err != nil {
		return at, err
	}
	words := fmt.Sprintf("%s sent %d today", a.m.Name, pace.Today)
	full := a.m.PerDay > 0 && pace.Today >= a.m.PerDay
	if a.m.PerDay > 0 {
		words = fmt.Sprintf("%s sent %d of %d today", a.m.Name, pace.Today, a.m.PerDay)
	}
	if full && a.m.day(at) == day {
		if at = a.m.tomorrow(a.now); a.st != nil {
			at = a.st.Send.First(at.In(a.loc))
		}
		words += ", so the next goes " + a.clock(at) + " at the earliest"
	}
	if a.m.GapMax > 0 {
		words += fmt.Sprintf("; gap %s to %s", a.m.GapMin, a.m.GapMax)
	}
	if trust.Behind != "" {
		words += "; " + trust.Behind + ": nothing leaves until its Sent folder was read"
	}
	down := false
	for _, e := range d.Engines {
		h := e.Health()
		if e.Mailbox.Name != a.m.Name {
			continue
		}
		if h.IMAPError != "" {
			words += "; it cannot be read: " + h.IMAPError
		}
		if h.SMTPError != "" {
			words += fmt.Sprintf("; its server takes no mail, and is tried again %s: %s", a.clock(h.SMTPUntil), h.SMTPError)
			at = latestOf(at, h.SMTPUntil)
		}
		down = down || h.IMAPError != "" || h.SMTPError != ""
	}
	if a.m.Rehearsal {
		words += "; rehearsal: mails go to you"
	}
	a.fact("mailbox", full || down || trust.Behind != "", "%s", words)
	return at, nil
}
