package simtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"nudge/engine"
)

// operator is the person who runs nudge: they enroll, interfere and answer.
type operator struct {
	w       *World
	off     time.Time // the machine is switched off until then
	want    *restore  // what is to be put back before the next start
	resends map[string]int
	pauses  []*pause
	caught  map[*person]time.Time // told to go on after being overdue
	skipped map[*person]bool      // whose overdue step was left out
}

// pause is a switch that is on, and known to be.
type pause struct {
	scope    engine.Scope
	from, to time.Time
}

func (o *operator) downUntil() time.Time {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	return o.off
}

// switchOff ends the process, and lets no other start for a while.
func (o *operator) switchOff(long time.Duration) {
	o.w.mu.Lock()
	o.off = time.Now().Add(long)
	p := o.w.process
	o.w.mu.Unlock()
	o.w.figures.add("downtime")
	o.w.tell(nil, "the machine is switched off for %s", long.Round(time.Second))
	if p != nil {
		p.shutDown()
	}
}

// enroll puts a person into a sequence, again and again until it is done.
func (o *operator) enroll(who *person, seq string, again bool) {
	w := o.w
	if w.running() == nil {
		w.after(time.Hour, func() { o.enroll(who, seq, again) })
		return
	}
	w.mu.Lock()
	en := &enrolled{who: who, seq: seq, at: time.Now().Add(w.offset), asked: time.Now()}
	i := slices.IndexFunc(w.enrolled, func(e *enrolled) bool { return e.who == who && e.seq == seq })
	if i < 0 {
		w.enrolled = append(w.enrolled, en)
	} else {
		en = w.enrolled[i]
	}
	en.tried, en.last = time.Now(), time.Now().Add(w.offset)
	if len(en.dates) == 0 {
		en.appoint(w.dice("visit of "+who.addr+" "+seq, 0))
	}
	fields := en.fields()
	w.mu.Unlock()
	var refused error
	done := w.askDesk("enroll", func(ctx context.Context, d *engine.Desk) error {
		if again { // it may have happened: an import leaves those alone who were enrolled before
			rows := []engine.ImportRow{{Row: 2, Address: who.addr, Name: "Pat", Fields: fields}}
			result, err := d.Import(ctx, engine.ImportRequest{Sequence: seq, Rows: rows})
			if err == nil && result.Enrolled == 0 { // there already, or never to be written to
				refused = notThere(ctx, d, who, seq)
			}
			return err
		}
		_, err := d.Enroll(ctx, engine.EnrollRequest{Sequence: seq, Address: who.addr, Name: "Pat", Fields: fields})
		if _, ok := errors.AsType[*engine.RefusalError](err); ok {
			refused, err = err, nil
		}
		return err
	})
	switch {
	case !done:
		w.after(time.Hour, func() { o.enroll(who, seq, true) })
	case refused == nil, errors.Is(refused, engine.ErrEnrolled):
		w.mu.Lock()
		en.acked = true
		w.mu.Unlock()
		w.tell(who, "enrolled in %s", seq)
	default:
		w.tell(who, "not enrolled in %s: %v", seq, refused)
	}
}

// notThere is nil when a person has an enrollment in a sequence.
func notThere(ctx context.Context, d *engine.Desk, who *person, seq string) error {
	story, err := d.Show(ctx, who.addr)
	if err == nil && slices.ContainsFunc(story.Enrollments, func(v engine.View) bool { return v.Sequence == seq }) {
		return nil
	}
	return engine.ErrSuppressed
}

// schedule writes what the operator will do.
func (o *operator) schedule() {
	w := o.w
	o.resends, o.caught, o.skipped = map[string]int{}, map[*person]time.Time{}, map[*person]bool{}
	for n := range w.conf.interfering {
		dice := w.dice("interference", n)
		w.after(evenly(dice, w.conf.faulty), func() { o.interfere(dice) })
	}
	for day := 1; day <= int((w.conf.faulty+w.conf.patience)/(24*time.Hour)); day++ {
		dice := w.dice("work", day)
		w.at(w.began.Add(time.Duration(day)*24*time.Hour+evenly(dice, 20*time.Hour)), func() { o.work(dice) })
	}
	for day := 1; w.conf.answers && day <= int((w.conf.faulty+w.conf.patience)/(24*time.Hour)); day++ {
		dice := w.dice("answers", day)
		w.at(w.began.Add(time.Duration(day)*24*time.Hour+evenly(dice, 20*time.Hour)), func() { o.answer(dice) })
	}
}

// interfere is one thing that comes to the operator's mind.
func (o *operator) interfere(dice *rand.Rand) {
	w := o.w
	who := w.people[dice.IntN(len(w.people))]
	seq := w.plans.names[dice.IntN(len(w.plans.names))]
	switch dice.IntN(10) {
	case 0:
		o.pause(engine.Scope{Person: who.addr}, span(dice, time.Hour, 9*day))
	case 1:
		o.pause(engine.Scope{Sequence: seq}, span(dice, time.Hour, 5*day))
	case 2:
		o.pause([]engine.Scope{{}, {Mailbox: w.providers[dice.IntN(len(w.providers))].mailbox.Name}}[dice.IntN(2)], span(dice, time.Minute, 3*day))
	case 3:
		o.stop(who)
	case 4:
		o.suppress(who)
	case 5:
		o.importAgain(dice, seq)
	case 6:
		w.askDesk("reload", func(ctx context.Context, d *engine.Desk) error {
			_, err := d.Reload(ctx, engine.ReloadRequest{})
			return err
		})
	case 7:
		o.say(engine.SayWon, who, who.sequences[0])
	case 8:
		o.say(engine.SayLost, who, who.sequences[0])
	case 9:
		w.askDesk("status", func(ctx context.Context, d *engine.Desk) error {
			_, err := d.Status(ctx)
			if err == nil {
				_, err = d.Log(ctx, 0, 50)
			}
			return err
		})
	}
}

// pause sets a switch for a while.
func (o *operator) pause(scope engine.Scope, long time.Duration) {
	w := o.w
	there := true
	done := w.askDesk("pause", func(ctx context.Context, d *engine.Desk) error {
		_, err := d.Pause(ctx, scope)
		there = err == nil
		return refusable(0, err)
	})
	if !done || !there {
		return
	}
	p := &pause{scope: scope, from: time.Now()}
	w.mu.Lock()
	o.pauses = append(o.pauses, p)
	w.mu.Unlock()
	w.tell(w.byKey[scope.Person], "paused: %+v", scope)
	w.after(long, func() { o.resume(p) })
}

// refusable drops what is only a word to the person who asked.
func refusable[T any](_ T, err error) error {
	if _, ok := errors.AsType[*engine.RefusalError](err); ok {
		return nil
	}
	return err
}

func (o *operator) resume(p *pause) {
	w := o.w
	w.mu.Lock()
	p.to = time.Now()
	for _, other := range o.pauses { // the switch is one, whoever set it how often
		if other.scope == p.scope && other.to.IsZero() {
			other.to = p.to
		}
	}
	if who := w.byKey[p.scope.Person]; who != nil {
		who.resumed = append(who.resumed, time.Now())
		who.touchedBy = true
	}
	w.mu.Unlock()
	done := w.askDesk("resume", func(ctx context.Context, d *engine.Desk) error { return refusable(d.Resume(ctx, p.scope)) })
	if !done {
		w.after(time.Hour, func() { o.resume(p) })
		return
	}
	w.tell(w.byKey[p.scope.Person], "resumed: %+v", p.scope)
}

// paused says whether a switch that has been on since before a moment covers a
// mail. The caller holds the lock.
func (o *operator) paused(who *person, seq string, since time.Time) bool {
	return slices.ContainsFunc(o.pauses, func(p *pause) bool {
		covers := p.scope == engine.Scope{} || p.scope.Mailbox == o.w.plans.plans[seq].at || p.scope.Sequence == seq || p.scope.Person == who.addr
		return covers && p.to.IsZero() && p.from.Before(since) && o.w.restored.Before(p.from)
	})
}

func (o *operator) stop(who *person) {
	w := o.w
	w.mu.Lock()
	who.touchedBy = true
	w.mu.Unlock()
	there := true
	done := w.askDesk("stop", func(ctx context.Context, d *engine.Desk) error {
		_, err := d.Stop(ctx, who.addr, "")
		there = err == nil
		return refusable(0, err)
	})
	if done && there {
		w.mu.Lock()
		who.stoppedAt = time.Now()
		w.mu.Unlock()
		w.tell(who, "stopped by hand")
	}
}

func (o *operator) suppress(who *person) {
	w := o.w
	w.mu.Lock()
	who.touchedBy = true
	w.mu.Unlock()
	done := w.askDesk("suppress", func(ctx context.Context, d *engine.Desk) error {
		_, err := d.Suppress(ctx, engine.SuppressRequest{Target: who.addr})
		return err
	})
	if done {
		w.mu.Lock()
		who.suppressed = time.Now()
		w.mu.Unlock()
		w.tell(who, "suppressed by hand")
	}
}

// importAgain imports everybody who should be in a sequence once more; of some
// the visit has moved.
func (o *operator) importAgain(dice *rand.Rand, seq string) {
	w := o.w
	w.mu.Lock()
	var rows []engine.ImportRow
	var asked []*enrolled
	for _, en := range w.enrolled {
		if en.seq == seq {
			if dice.IntN(4) == 0 {
				en.appoint(dice)
			}
			fields := en.fields()
			fields["note"] = fmt.Sprint(len(rows))
			rows = append(rows, engine.ImportRow{Row: len(rows) + 2, Address: en.who.addr, Name: "Pat", Fields: fields})
			asked = append(asked, en)
			en.who.updated = time.Now()
		}
	}
	w.mu.Unlock()
	if len(rows) == 0 {
		return
	}
	for _, en := range asked {
		if en.erased { // they begin anew, which is the operator's word
			w.mu.Lock()
			en.tried = time.Now()
			w.mu.Unlock()
		}
	}
	var result engine.ImportResult
	there := true
	done := w.askDesk("import", func(ctx context.Context, d *engine.Desk) (err error) {
		result, err = d.Import(ctx, engine.ImportRequest{Sequence: seq, Rows: rows})
		there = err == nil
		return refusable(0, err)
	})
	if done {
		w.mu.Lock()
		for _, en := range asked {
			if there && len(result.Rejected) == 0 {
				en.settled()
			}
		}
		w.mu.Unlock()
		w.tell(nil, "%s is imported again: %d enrolled, %d updated, %d skipped, %d rejected", seq, result.Enrolled, result.Updated, result.Skipped, len(result.Rejected))
	}
}

// tidyUp is what a careful operator does when the trouble is over: every switch
// is off again.
func (o *operator) tidyUp() {
	w := o.w
	w.mu.Lock()
	o.off = time.Time{}
	var on []*pause
	for _, p := range o.pauses {
		if p.to.IsZero() {
			on = append(on, p)
		}
	}
	w.mu.Unlock()
	for _, p := range on {
		o.resume(p)
	}
	for _, scope := range w.scopes() {
		o.resume(&pause{scope: scope})
	}
	for _, who := range w.people {
		if n := len(who.resumed); n > 0 && slices.ContainsFunc(o.pauses, func(p *pause) bool { return p.scope.Person == who.addr }) {
			o.resume(&pause{scope: engine.Scope{Person: who.addr}})
		}
	}
}

// scopes are what a switch can cover beside one person.
func (w *World) scopes() []engine.Scope {
	scopes := []engine.Scope{{}}
	for _, at := range w.providers {
		scopes = append(scopes, engine.Scope{Mailbox: at.mailbox.Name})
	}
	for _, name := range w.plans.names {
		scopes = append(scopes, engine.Scope{Sequence: name})
	}
	return scopes
}

// allowed is how often a step may go again because a person said so, beyond
// the first time. The caller holds the lock.
func (o *operator) allowed(name string, who *person) int {
	n, w := o.resends[name], o.w
	seq := strings.Fields(name)[1]
	anew := slices.ContainsFunc(w.enrolled, func(en *enrolled) bool {
		return en.erased && en.who == who && (begunBy[seq] != "" || en.seq == origin(seq))
	})
	anew = anew || slices.ContainsFunc(who.said, func(s said) bool { return s.verb == begunBy[seq] && s.at.After(w.restored) })
	for i, span := range w.lost {
		forgotten := slices.ContainsFunc(w.dots[name], func(d *dot) bool { return d.accepted && w.inSpan(i, d.at) })
		if forgotten && (anew || anyAfter(who.resumed, span[1]) || o.caught[who].After(span[1])) {
			n++ // asked about a step that may have left before, they let it go, or began anew
		}
	}
	return n
}
