package simtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"nudge/engine"
)

// fenceAge is how old the last look at the mailbox may be at the first byte of
// DATA. It is written here again, since the engine is not to be trusted.
const fenceAge = 5 * time.Second

// moment is how the story names one.
const moment = "Mon 2006-01-02 15:04:05 MST"

// windowSlack is how long after its window's end the first byte may leave: the
// window is asked before the server is, which may take that long.
const windowSlack = 5 * time.Minute

// keptFor is how long a mail that did not leave surely goes again as it was.
const keptFor = 90 * time.Hour

// addressee finds out of a mail's bytes whom it is for and which step it is.
func (p *process) addressee(email engine.Email) (who *person, seq, step string, err error) {
	who = p.w.byKey[engine.AddressKey(email.To)]
	seq, step, ok := marks(email.Raw)
	if who == nil || !ok {
		return nil, "", "", fmt.Errorf("a mail to %s that nobody planned", email.To)
	}
	p.mu.Lock()
	meant := p.steps[email.MessageID] // its bytes do not tell one round from another
	p.mu.Unlock()
	if id, _ := roundOf(meant); id != step {
		return nil, "", "", fmt.Errorf("a mail to %s says %s and was prepared as %s", email.To, step, meant)
	}
	step = meant
	return who, seq, step, nil
}

// notePrepared keeps what was durably prepared: the hash of its bytes.
func (p *process) notePrepared(ts []engine.Touch, errs []error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range ts {
		if errs[i] == nil {
			p.sums[t.Email.MessageID], p.steps[t.Email.MessageID] = t.Email.SHA256, t.Step
		}
	}
}

// claim is a touch that was durably taken for sending.
type claim struct {
	at       time.Time // by the engine's clock
	from, to time.Time // the last quiet look before it: the fence. Later looks go on beside DATA
	name     string    // person, sequence and step
}

// noteClaimed keeps what was claimed, at the moment the engine gave: a round
// that Tick drives stands at its beginning.
func (s *side) noteClaimed(at time.Time, ts []engine.Touch, errs []error) {
	p := s.p
	if apart := p.w.clock().Sub(at); apart < -time.Second || apart > 15*time.Minute {
		p.w.violate("a claim counts when it is made", nil, "%s late", apart)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range ts {
		if errs[i] == nil {
			p.claims[t.Email.MessageID] = claim{at: at, from: s.quietFrom, to: s.quietTo, name: p.w.nameOf(t)}
		}
	}
}

// noteSettled notes that the state knows how touches ended.
func (p *process) noteSettled(ss []engine.Settlement) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range ss {
		delete(p.claims, one.Touch.Email.MessageID)
	}
}

// noteTaken notes that touches may be claimed.
func (w *World) noteTaken(at time.Time, ts []engine.Touch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range ts {
		name := w.nameOf(t)
		if w.taken[name] = at; w.first[name].IsZero() {
			w.first[name] = at
		}
	}
}

// doubt notes touches of which the state may not know how they ended.
func (w *World) doubt(ts []engine.Touch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range ts {
		w.doubtful[w.nameOf(t)] = true
	}
}

// abandoned notes what a process had claimed and left unsettled.
func (p *process) abandoned() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	for _, c := range p.claims {
		p.w.doubtful[c.name] = true
	}
}

// nameOf is the ledger's name of a touch.
func (w *World) nameOf(t engine.Touch) string {
	who := w.byKey[engine.AddressKey(t.Email.To)]
	if who == nil {
		return ""
	}
	return key(who, t.Sequence, t.Step)
}

// checkData judges a mail at its first byte.
func (w *World) checkData(d *delivery) {
	now, p := time.Now(), d.p
	p.mu.Lock()
	prepared, taken := p.sums[d.email.MessageID], p.claims[d.email.MessageID]
	from, to := taken.from, taken.to
	p.mu.Unlock()
	sum := sha256.Sum256(d.email.Raw)
	name := d.name()
	d.began, d.fence, d.claimed = now, from, taken.at
	switch {
	case taken.at.IsZero():
		w.violate("2: the intent is durable before DATA", d.who, "%s was not claimed", name)
		return
	case prepared != d.email.SHA256 || hex.EncodeToString(sum[:]) != prepared:
		w.violate("2: the bytes are those of the intent", d.who, "%s", name)
	case from.IsZero() || from.Before(d.rcpt):
		w.violate("1: the mailbox is read to its end after RCPT", d.who, "%s: last quiet look %s, RCPT %s", name, from.Format(time.TimeOnly), d.rcpt.Format(time.TimeOnly))
	case now.Sub(from) > fenceAge:
		w.violate("1: the fence is at most five seconds old", d.who, "%s: it is %s old", name, now.Sub(from))
	case to.After(now):
		w.violate("1: the fence is over before DATA", d.who, "%s", name)
	case w.providerOf(d.seq) != d.at || d.email.From != d.at.mailbox.Address:
		w.violate("a sequence sends from its mailbox", d.who, "%s leaves from %s", name, d.email.From)
	}
	w.checkMoment(d)
	w.checkLetters(d)
	w.checkPerson(d)
	w.checkTimes(d)
	w.checkLanguage(d)
	w.checkVisit(d, w.plans.forms(d.seq, d.step, d.began.Add(-30*time.Minute), d.began))
	w.checkPace(d)
}

func anyAfter(moments []time.Time, t time.Time) bool {
	for _, m := range moments {
		if !m.Before(t) {
			return true
		}
	}
	return false
}

// enrolledAt is when a person was put into a sequence, in truth: the last time
// it was tried. What a chain begins by itself counts from the sequence before:
// whoever answers that answers this; else from the word that it is won.
func (w *World) enrolledAt(who *person, seq string) time.Time {
	for _, s := range slices.Backward(who.said) {
		if verb, begun := begunBy[seq]; begun && s.verb == verb {
			return s.tried
		}
	}
	seq = origin(seq)
	for _, en := range w.enrolled {
		if en.who == who && en.seq == seq {
			return en.tried
		}
	}
	return time.Now()
}

// checkPerson says whether a person's word forbids the mail.
func (w *World) checkPerson(d *delivery) {
	w.mu.Lock()
	suppressed, stopped, restored := d.who.suppressed, d.who.stoppedAt, w.restored
	paused := w.operator.paused(d.who, d.seq, d.fence)
	enrolled := w.enrolledAt(d.who, d.seq)
	w.mu.Unlock()
	if !suppressed.IsZero() && suppressed.Before(d.fence) {
		w.violate("5: a suppressed address gets nothing", d.who, "suppressed since %s", suppressed.Format(time.DateTime))
	}
	if !stopped.IsZero() && stopped.Before(d.fence) && enrolled.Before(stopped) && restored.Before(stopped) {
		w.violate("stopped by hand", d.who, "stopped since %s", stopped.Format(time.DateTime))
	}
	if paused {
		w.violate("nothing leaves while it is paused", d.who, "%s %s", d.seq, d.step)
	}
}

// checkTimes says whether the moment is inside the window and after the wait.
func (w *World) checkTimes(d *delivery) {
	now, clock := d.began, w.clock()
	loc := d.who.location()
	allowed := false
	for _, st := range w.plans.forms(d.seq, d.step, now.Add(-30*time.Minute), now) {
		allowed = allowed || st.Send.Allows(clock.In(loc)) || st.Send.Allows(clock.Add(-windowSlack).In(loc))
	}
	if !allowed {
		w.violate("8: none leaves outside its window", d.who, "%s %s at %s", d.seq, d.step, clock.In(loc).Format("Mon 2006-01-02 15:04:05 MST"))
	}
	w.mu.Lock()
	prev, since := time.Time{}, time.Time{}
	var starts []time.Time // from when the wait may count
	for _, e := range w.enrolled {
		if e.who == d.who && e.seq == origin(d.seq) {
			prev, since, starts = e.at, e.asked, []time.Time{e.last}
			break
		}
	}
	for _, m := range d.who.mails {
		forgotten := w.unsaid(m) ||
			w.inLostTime(m.at) && (w.conf.savesSent == savesNever || anyAfter(d.who.resumed, w.restored)) // nothing says that it did
		if m.seq == d.seq && m.step != d.step && m.at.After(since) && !forgotten {
			prev, since, starts = m.clock, m.at, nil
		}
	}
	for name := range w.doubtful { // such a one may count as sent when it was claimed
		if strings.HasPrefix(name, key(d.who, d.seq, "")) && name != d.name() {
			starts = append(starts, w.taken[name])
		}
	}
	w.mu.Unlock()
	// The engine counts from the claim, or from the answer to the dot; a round
	// that Tick drives, from its beginning. Business days make a wait from a
	// little later end earlier where midnight lies between.
	slack := 10*time.Minute + 20*time.Second
	starts = append(starts, prev.Add(-slack), prev) // the night the clocks go back has an hour twice
	y, mo, dd := prev.Add(slack).In(loc).Date()
	if w.plans.plans[d.seq].rich { // a call made, or a step left out, on a day off moves the hour forward
		y, mo, dd = prev.AddDate(0, 0, 1).In(loc).Date()
	}
	if midnight := time.Date(y, mo, dd, 0, 0, 0, 0, loc); midnight.After(prev.Add(-slack)) {
		starts = append(starts, midnight)
	}
	early, wait := time.Time{}, ""
	for _, st := range w.plans.forms(d.seq, d.step, since, now) {
		for _, from := range starts {
			if due := st.DueAt(from, loc); !st.of.before && (early.IsZero() || due.Before(early)) {
				early, wait = due, st.Wait.String()
			}
		}
	}
	d.late = w.lateness(d, early, clock)
	if clock.Before(early) {
		w.violate("its wait is over", d.who, "%s %s leaves %s, due %s: %s after %s", d.seq, d.step, clock.In(loc).Format(moment), early.Format(moment), wait, prev.In(loc).Format(moment))
	}
}

func (p *person) location() *time.Location {
	if p.zone == "" {
		return stockholm
	}
	return mustZone(p.zone)
}

// keepDot enters a dot into the ledger, and counts.
func (w *World) keepDot(d *delivery, m *dot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.flying, d)
	if m.accepted && slices.ContainsFunc(m.who.letters, func(l *letter) bool { return l.effect == stops && l.lies == d.at && l.arrived.After(d.fence) }) {
		w.figures.InWindow++ // too late for the fence: the one window that is left
	}
	name := key(m.who, m.seq, m.step)
	took := 0
	var before *dot
	for _, o := range w.dots[name] {
		if o.accepted {
			took++
		}
		switch {
		case o.id != m.id:
		case o.refused: // for good: what follows may be written anew
			before = nil
		case o.at.Before(m.who.updated): // what it says may be out of date
		case o.at.After(w.restored) && m.clock.Sub(w.first[name]).Abs() < keptFor:
			before = o
		}
	}
	if before != nil && before.sum != m.sum {
		w.violateLater("2: what goes again has the same bytes", m.who, "%s went at %s with other bytes", name, before.at.Format(time.DateTime))
	}
	w.checkFlood(m)
	w.checkVariant(m)
	w.ledger = append(w.ledger, m)
	w.dots[name] = append(w.dots[name], m)
	if allowed := 1 + w.operator.allowed(name, m.who); m.accepted && took+1 > allowed {
		w.violateLater("2: dots for one enrollment and step are at most one", m.who, "%s is accepted for the %d. time; a person allowed %d", name, took+1, allowed)
	}
}

// checkVariant says that a person has one variant of a sequence's subject.
func (w *World) checkVariant(m *dot) {
	name := m.who.addr + " " + m.seq
	if was, had := w.variants[name]; m.variant == "" || had && was != m.variant {
		w.violateLater("a prospect keeps one variant", m.who, "%s got variant %q after %q", m.seq, m.variant, was)
	}
	w.variants[name] = m.variant
}

// mayReadAgain notes that a mailbox may be read again from further back.
func (w *World) mayReadAgain(mailbox string) {
	w.mu.Lock()
	w.named(mailbox).cursorFree = true
	w.mu.Unlock()
}

// checkCursor says whether a cursor ever goes back.
func (w *World) checkCursor(s engine.Sweep) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.named(s.Mailbox)
	for name, at := range s.Cursor.Folders {
		was := p.cursor[name]
		if was.UIDValidity == at.UIDValidity && at.UIDNext < was.UIDNext && !p.cursorFree {
			w.violateLater("4: the cursor goes forward", nil, "%s from %d to %d", name, was.UIDNext, at.UIDNext)
		}
		p.cursor[name] = at
	}
	p.cursorFree = false
}
