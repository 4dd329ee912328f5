package simtest

import (
	"slices"
	"time"

	"nudge/engine"
	"nudge/sequences"
)

// lateGrace is how late a mail may be before it counts as late; overdueAfter is
// how late before a person must be asked. The world allows some hours more,
// since it cannot see when the engine meant to look.
const (
	lateGrace = 24 * time.Hour
	margin    = 12 * time.Hour
)

// So many late at once, and more than one in backlogShare, are asked about.
const (
	backlogLeast = 20
	backlogShare = 10
)

var overdueAfter = sequences.Delay{N: 10, Unit: sequences.BusinessDays}

// ableNow notes that a mailbox was read to its end.
func (p *provider) ableNow() {
	w := p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now().Add(w.offset)
	if !p.able.IsZero() && now.Sub(p.able) > lateGrace {
		p.gaps = append(p.gaps, [2]time.Time{p.able, now})
	}
	p.able = now
}

// lateness says whether a mail that leaves now was due in a time in which
// nothing could be sent. One that was due for more than ten business days of it
// may not leave before a person was asked.
func (w *World) lateness(d *delivery, due, clock time.Time) (late bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.undatable(d, due) {
		return false
	}
	for i, gap := range d.at.gaps {
		since := due
		if gap[0].After(since) {
			since = gap[0]
		}
		if gap[1].After(clock) || gap[1].Sub(since) <= lateGrace+margin {
			continue
		}
		late = true
		d.gap = i + 1
		if overdueAfter.After(since.In(d.who.location())).Add(3*day).Before(gap[1]) && !d.who.touchedBy {
			w.violateLater("what is overdue is asked about", d.who, "%s %s was due %s, nothing could be sent from %s to %s, and nobody was asked",
				d.seq, d.step, due.Format(moment), gap[0].Format(moment), gap[1].Format(moment))
		}
	}
	return late
}

// undatable says whether more than its wait may have decided when a mail was
// due. The caller holds the lock.
func (w *World) undatable(d *delivery, due time.Time) bool {
	company := slices.ContainsFunc(w.people, func(p *person) bool { // what one of them writes may hold the others
		return len(p.letters) > 0 && engine.AddressDomain(p.addr) == engine.AddressDomain(d.who.addr)
	})
	paused := slices.ContainsFunc(w.operator.pauses, func(p *pause) bool { return p.to.IsZero() || p.to.Add(day).After(due) })
	asked := slices.ContainsFunc(w.enrolled, func(e *enrolled) bool { // more than once, and nobody knows which time it happened
		return e.who == d.who && e.seq == d.seq && !e.tried.Equal(e.asked)
	})
	name := d.name()
	return asked || paused || company || w.operator.skipped[d.who] || // the wait of their next step began anew
		len(d.who.sequences) > 1 || len(d.who.resumed) > 0 || d.who.temper == greylisted ||
		d.at.mailbox.PerPerson > 0 || w.figures.of("clock jump") > 0 || !w.restored.IsZero() ||
		len(w.dots[name]) > 0 || w.doubtful[name] || w.plans.plans[d.seq].edited || w.plans.plans[d.seq].rich
}

// checkFlood says whether too much of a backlog leaves on one day.
func (w *World) checkFlood(m *dot) {
	limit := m.from.mailbox.PerDay
	if !m.late || !m.accepted {
		return
	}
	unasked := 0
	n := 1
	for _, o := range w.ledger {
		if o.from != m.from {
			continue
		}
		if o.gap == m.gap && o.accepted && o.who != m.who && !o.who.touchedBy {
			unasked++
		}
		if o.late && o.accepted && o.claimed.In(stockholm).Format(time.DateOnly) == m.claimed.In(stockholm).Format(time.DateOnly) {
			n++
		}
	}
	all := 0
	for _, en := range w.enrolled {
		if w.providerOf(en.seq) == m.from {
			all++
		}
	}
	if !m.who.touchedBy && unasked+1 > backlogLeast && (unasked+1)*backlogShare > all {
		w.violateLater("what is overdue is asked about", m.who, "%d mails left that were late at once, of %d enrollments, and nobody was asked", unasked+1, all)
	}
	if limit > 0 && n > max(1, limit/4) {
		w.violateLater("of a backlog, a quarter of the cap a day", m.who, "%d of at most %d left today", n, max(1, limit/4))
	}
}
