package simtest

import (
	"fmt"
	"slices"
	"time"

	"nudge/engine"
)

// checkPace says whether caps and gaps are kept.
func (w *World) checkPace(d *delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := d.at.mailbox
	clock := d.claimed
	today, domain, person, sequence := 0, 0, 0, 0
	loc := d.who.location()
	var times []string
	for _, o := range w.ledger {
		if !o.accepted || o.at.Before(w.restored) || w.unsaid(o) {
			continue
		}
		own := o.from == d.at
		if own && o.claimed.In(m.Location).Format(time.DateOnly) == clock.In(m.Location).Format(time.DateOnly) {
			if today++; o.seq == d.seq {
				sequence++
			}
			if engine.AddressDomain(o.who.addr) == engine.AddressDomain(d.who.addr) {
				domain++
			}
		}
		if gap := clock.Sub(o.claimed); own && m.GapMin > 0 && gap >= 0 && gap < m.GapMin && d.began.Sub(o.at) < m.GapMin-fenceAge { // not where the clock lived a time twice
			w.violateLater("8: between two there is at least the gap", d.who, "%s after the one before, the least is %s", gap, m.GapMin)
		}
		if o.who != d.who || o.claimed.After(clock) {
			continue
		}
		if m.PerPerson > 0 && clock.Sub(o.claimed) < time.Duration(m.PerPersonDays)*day {
			person++
			times = append(times, o.claimed.Format(time.DateTime))
		}
		if o.seq != d.seq && m.BetweenSequences.N > 0 && m.BetweenSequences.After(o.claimed.In(loc)).After(clock) {
			w.violateLater("mails of two sequences keep their distance", d.who, "%s at %s, %s now", o.seq, o.claimed.Format(time.DateTime), d.seq)
		}
	}
	most := w.plans.most(d.seq, d.began.Add(-30*time.Minute), d.began)
	switch {
	case most > 0 && sequence >= most:
		w.violateLater("no more mails of one sequence a day than its author allows", d.who, "%d of %s already, of at most %d", sequence, d.seq, most)
	case m.PerDay > 0 && today >= m.PerDay:
		w.violateLater("8: accepted touches are at most the cap", d.who, "%d already", today)
	case m.PerDomain > 0 && domain >= m.PerDomain:
		w.violateLater("no more a day to one domain than its cap", d.who, "%d already", domain)
	case m.PerPerson > 0 && person >= m.PerPerson:
		w.violateLater("no more to one person than their cap", d.who, "%d already in %d days, of %v", person, m.PerPersonDays, times)
	}
}

// checkMoment says whether another mailbox's mail to the same person is under
// way at the same moment, where mails of two sequences keep a distance: whoever
// claims theirs later must know of the earlier one.
func (w *World) checkMoment(d *delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for o := range w.flying {
		if o.who == d.who && o.at != d.at && !o.p.isDead() && d.at.mailbox.BetweenSequences.N > 0 {
			w.violateLater("never two mailboxes write to one person at the same moment", d.who, "%s leaves, and %s is under way", d.name(), o.name())
		}
	}
	w.flying[d] = true
}

// inLostTime says whether a moment lies between a copy of the state and the
// moment at which that copy was put back. The caller holds the lock.
func (w *World) inLostTime(at time.Time) bool {
	for i := range w.lost {
		if w.inSpan(i, at) {
			return true
		}
	}
	return false
}

// inSpan says so of one restore. A copy may be taken of mails under way, too.
func (w *World) inSpan(i int, at time.Time) bool {
	return at.After(w.lost[i][0].Add(-20*time.Minute)) && at.Before(w.lost[i][1])
}

// unsaid says whether a person said of a mail that it never left, so that the
// state has forgotten it. The caller holds the lock.
func (w *World) unsaid(m *dot) bool {
	name := key(m.who, m.seq, m.step)
	resends := w.operator.resends[name]
	if resends == 0 {
		return false
	}
	took := slices.DeleteFunc(slices.Clone(w.dots[name]), func(d *dot) bool { return !d.accepted })
	return len(took) <= resends || took[len(took)-1] != m
}

// violateLater is violate for those that hold the lock.
func (w *World) violateLater(invariant string, who *person, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if w.broken == nil {
		w.broken = &Violation{invariant, who, text, time.Now()}
		w.tellLocked(who, "BROKEN: %s: %s", invariant, text)
	}
}
