package simtest

import (
	"fmt"
	"slices"
	"time"

	"nudge/engine"
	"nudge/sequences"
)

// checkLetters says whether the mailbox held an answer when the fence began.
func (w *World) checkLetters(d *delivery) {
	w.mu.Lock()
	var why string
	began := w.enrolledAt(d.who, d.seq)
	for _, l := range d.who.letters {
		if !l.known(d) || l.arrived.Before(began) {
			continue
		}
		switch l.effect {
		case stops:
			why = fmt.Sprintf("%s (%s) arrived %s", l.in.Kind, l.in.Evidence, l.arrived.Format(time.DateTime))
		case asks:
			if !anyAfter(d.who.resumed, l.arrived) && !w.mayGoOn(l, d) {
				why = fmt.Sprintf("%s arrived %s and nobody answered for it", l.in.Kind, l.arrived.Format(time.DateTime))
			}
		case absent:
			if time.Now().Before(l.until) && !anyAfter(d.who.resumed, l.arrived) && w.figures.of("clock jump") == 0 {
				why = fmt.Sprintf("%s holds until %s", l.in.Evidence, l.until.Format(time.DateTime))
			}
		}
	}
	if why == "" {
		why = w.answered(d, began)
	}
	if why == "" {
		why = w.acknowledged(d, began)
	}
	w.mu.Unlock()
	if why != "" {
		w.violate("1: nothing in the mailbox could be attributed to that prospect", d.who, "%s %s leaves although %s", d.seq, d.step, why)
	}
}

// mayGoOn says whether a mail of the owner's in another sequence's thread holds
// this one no longer: it does so for five business days. The caller holds the
// lock.
func (w *World) mayGoOn(l *letter, d *delivery) bool {
	switch {
	case l.byHand && l.lies != d.at && !w.goesOn(d.who, l.lies): // then it is no business of that mailbox's
		return true
	case !l.byHand || l.lies == d.at && (l.seq == "" || l.seq == d.seq):
		return false
	}
	return w.figures.of("clock jump") > 0 || !d.began.Before(l.holdsUntil(d.who, 5))
}

// goesOn says whether somebody surely has mails from a mailbox before them. The
// caller holds the lock.
func (w *World) goesOn(who *person, at *provider) bool {
	if who.touchedBy || !w.restored.IsZero() {
		return false
	}
	return slices.ContainsFunc(w.enrolled, func(en *enrolled) bool {
		p := w.plans.plans[en.seq]
		if en.who != who || !en.acked || p.at != at.mailbox.Name || p.edited || p.rich {
			return false
		}
		last := key(who, en.seq, p.steps[len(p.steps)-1].id)
		return len(w.dots[last]) == 0 && !w.doubtful[last]
	})
}

// known says whether a letter must be known to the mailbox that a mail leaves
// from: it arrived there before the fence, or was read in another before that.
func (l *letter) known(d *delivery) bool {
	if l.lies == d.at {
		return !l.arrived.After(d.fence)
	}
	return !l.read.IsZero() && l.read.Before(d.fence)
}

// answered says which answer from the same company a mail leaves in spite of:
// whoever it was to, the others there wait for two business days at least. The
// caller holds the lock.
func (w *World) answered(d *delivery, began time.Time) string {
	if !w.restored.IsZero() || w.figures.of("clock jump") > 0 {
		return ""
	}
	for _, p := range w.people {
		if p == d.who || engine.AddressDomain(p.addr) != engine.AddressDomain(d.who.addr) {
			continue
		}
		for _, l := range p.letters {
			if l.in.Kind != engine.Reply || l.in.From[0] != p.addr || !l.known(d) || l.arrived.Before(began) || anyAfter(d.who.resumed, l.arrived) {
				continue
			}
			if until := l.holdsUntil(d.who, 2); d.began.Before(until) {
				return fmt.Sprintf("%s of the same company wrote %s, so it waits until %s", p.addr, l.arrived.Format(time.DateTime), until.Format(time.DateTime))
			}
		}
	}
	return ""
}

// holdsUntil is the earliest moment until which a letter holds somebody that is
// read when it arrives.
func (l *letter) holdsUntil(who *person, days int) time.Time {
	wait := sequences.Delay{N: days, Unit: sequences.BusinessDays}
	y, mo, dd := wait.After(l.arrived.In(who.location())).Date()
	return time.Date(y, mo, dd, 0, 0, 0, 0, who.location())
}

// acknowledged says which second acknowledgement of a help desk a mail leaves in
// spite of. The caller holds the lock.
func (w *World) acknowledged(d *delivery, began time.Time) string {
	if !w.restored.IsZero() || w.figures.of("clock jump") > 0 {
		return ""
	}
	n := 0
	for _, l := range d.who.letters {
		if !l.in.Ticket || l.seq != d.seq || l.arrived.After(d.fence) || l.arrived.Before(began) {
			continue
		}
		if n++; n > 1 && d.began.Before(l.holdsUntil(d.who, 2)) && !anyAfter(d.who.resumed, l.arrived) {
			return fmt.Sprintf("the %d. acknowledgement arrived %s", n, l.arrived.Format(time.DateTime))
		}
	}
	return ""
}
