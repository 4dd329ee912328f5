package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"nudge/sequences"
	"nudge/templates"
)

// Coming is something that will be done: what nudge plan tells.
type Coming struct {
	At       time.Time `json:"at"` // the earliest moment that the rules and the caps of a day allow; the gap between mails may spread it
	Address  string    `json:"address"`
	Sequence string    `json:"sequence"`
	Step     string    `json:"step"`
	Action   string    `json:"action"` // email, call, letter or task
	Mailbox  string    `json:"mailbox"`
	Held     string    `json:"held"` // why it does not come by itself, or not before At; "" = it does
	LeftOut  string    `json:"-"`    // why it is not for this prospect; then nothing is done at At
}

// forecaster lives through the time to come as the engines would: round by
// round, people taken by gather, asked the same guard, and changed by the same
// transitions, with each step imagined done at its moment. It keeps no state but
// what it imagines.
type forecaster struct {
	chains
	now, until time.Time
	began      time.Time
	left       bool // the way of one alone: steps that are left out are told as well, chains and words are not looked at
	boxes      []*outbox
	contacts   map[string][]Contact
	off        map[string]bool                 // sequences that are paused
	in         map[[2]string]bool              // who is in which sequence, by key and name, of those that were met
	elsewhere  func(key, sequence string) bool // whether one that was not met is; nil = none
	seen       map[string]bool                 // sequences that somebody is in, or will be
	begun      int                             // by chains
	rows       []Coming
}

func newForecaster(c chains, now, until time.Time) *forecaster {
	f := &forecaster{chains: c, now: now, began: now, until: until, contacts: map[string][]Contact{}, off: map[string]bool{}, in: map[[2]string]bool{}, seen: map[string]bool{}}
	for _, m := range c.mailboxes {
		f.boxes = append(f.boxes, newOutbox(f, m))
	}
	return f
}

func (f *forecaster) box(mailbox string) *outbox {
	i := slices.IndexFunc(f.boxes, func(b *outbox) bool { return b.m.Name == mailbox })
	if i < 0 {
		return nil // the config has lost it
	}
	return f.boxes[i]
}

// imagined is an enrollment on its imagined way.
type imagined struct {
	c     Candidate
	held  string // told with its next step
	out   bool   // it is not in the queue: in a volley, with the owner, or at an end
	email Email  // of the touch that leaves: its thread and variant
}

// add takes an enrollment up.
func (f *forecaster) add(c Candidate) {
	en := c.Enrollment
	b := f.box(en.Mailbox)
	if b == nil {
		return
	}
	f.in[[2]string{en.Key, en.Sequence}], f.seen[en.Sequence] = true, true
	if c.Contacts != nil {
		f.contacts[en.Key] = c.Contacts
	}
	domain := AddressDomain(en.Key)
	b.domains[domain] = max(b.domains[domain], c.DomainToday)
	b.sequences[en.Sequence] = max(b.sequences[en.Sequence], c.SequenceToday)
	c.OpenTouch, c.Kept = false, nil // it leaves now
	i := &imagined{c: c}
	task, open := en.blocking()
	switch {
	case b.pace.Paused:
		f.waits(b, i, latestOf(f.now, en.Due), "paused: nudge resume")
	case en.Paused:
		f.waits(b, i, latestOf(f.now, en.Due), "paused: nudge resume "+en.Address)
	case c.SequenceOff, f.off[en.Sequence]:
		f.waits(b, i, latestOf(f.now, en.Due), "the sequence is paused")
	case en.State == Held && en.HeldUntil.IsZero():
		f.waits(b, i, latestOf(f.now, en.Due), string(en.Reason))
	case en.State == Held:
		i.held = fmt.Sprintf("%s until %s", en.Reason, en.HeldUntil.In(b.zone(i)).Format("Mon 2 Jan 15:04"))
		i.c.Enrollment, _, _ = en.Release(latestOf(f.now, en.HeldUntil))
		b.push(i)
	case open && f.left: // done now
		f.tell(b, i, f.now, task.Step)
		next, due := b.following(i, task.Step)
		f.change(b, i, func(en Enrollment) (Enrollment, []Event) { return en.CloseTask(task.Step, TaskDone, next, due, f.now) })
	case open && task.look().Equal(ownersMove):
		f.waits(b, i, f.now, task.why())
	default:
		b.push(i)
	}
}

// waits tells of a step that does not come by itself.
func (f *forecaster) waits(b *outbox, i *imagined, at time.Time, why string) {
	i.out, i.held = true, why
	f.tell(b, i, at, i.c.Enrollment.Next)
}

// tell writes one row, in the prospect's own time zone.
func (f *forecaster) tell(b *outbox, i *imagined, at time.Time, step string) {
	if !at.Before(f.until) {
		return
	}
	en, action := i.c.Enrollment, string(sequences.Email)
	if st := stepOf(b.sequence(i), step); st != nil {
		action = string(st.Do)
	}
	if step == toBeFound {
		step = ""
	}
	f.rows = append(f.rows, Coming{At: at.In(b.zone(i)), Address: en.Address, Sequence: en.Sequence, Step: step, Action: action, Mailbox: en.Mailbox, Held: i.held})
}

// run lives through everything up to the horizon. Of two mailboxes that have
// something to do at one moment, the first of the config does it first.
func (f *forecaster) run(ctx context.Context) error {
	for ctx.Err() == nil {
		var next *outbox
		var at time.Time
		for _, b := range f.boxes {
			if wake := b.wakes(); !wake.IsZero() && (next == nil || wake.Before(at)) {
				next, at = b, wake
			}
		}
		if next == nil || !at.Before(f.until) {
			return nil
		}
		f.now = at
		f.round(next)
	}
	return ctx.Err()
}

// round is one round of one mailbox's engine; see Engine.speak. What is the
// owner's to do is done at its end.
func (f *forecaster) round(b *outbox) {
	b.turn()
	room, silent, full := b.m.roomFor(b.pace, f.now)
	if room == 0 {
		b.silent = silent
		if full {
			b.full[b.day] += b.queue.before(silent, 0)
		}
		return
	}
	b.volley, b.owner = nil, nil
	_ = gather(b.m, room, b.pace.Late, b) // an imagined queue cannot fail
	for _, i := range b.volley {
		f.sent(b, i)
	}
	for _, i := range b.owner {
		en := i.c.Enrollment
		next, due := b.following(i, en.Next)
		f.change(b, i, func(en Enrollment) (Enrollment, []Event) { return en.CloseTask(en.Next, TaskDone, next, due, f.now) })
	}
}

// sent imagines the mail of a volley gone.
func (f *forecaster) sent(b *outbox, i *imagined) {
	en := i.c.Enrollment
	b.count(en)
	if !b.m.Rehearsal || f.left {
		f.contacts[en.Key] = append(f.contacts[en.Key], Contact{At: f.now, Sequence: en.Sequence})
	}
	next, due := b.following(i, en.Next)
	touch := Touch{Enrollment: en.ID, Step: en.Next, Email: i.email}
	i.held = ""
	f.change(b, i, func(en Enrollment) (Enrollment, []Event) {
		return en.Settle(Settlement{Touch: touch, Outcome: Sent, At: f.now, Next: next, Due: due})
	})
}

// change passes an enrollment through a transition, puts it back into the
// queue, and begins what follows its end.
func (f *forecaster) change(b *outbox, i *imagined, decide func(Enrollment) (Enrollment, []Event)) {
	en, _ := finishing(f.chains, f.now, decide)(i.c.Enrollment)
	follow := en.Then
	en.Then = nil
	i.c.Enrollment = en
	if !en.Ended() {
		b.push(i)
		return
	}
	i.out = true
	f.in[[2]string{en.Key, en.Sequence}] = false
	if follow == nil || follow.Refused != "" || f.left || f.isIn(en.Key, follow.Sequence) {
		return
	}
	begun := follow.Begun(en)
	f.begun++
	begun.ID = fmt.Sprintf("~%09d", f.begun) // behind all that are there
	f.add(Candidate{Enrollment: begun})
}

func (f *forecaster) isIn(key, sequence string) bool {
	in, met := f.in[[2]string{key, sequence}]
	return in || !met && f.elsewhere != nil && f.elsewhere(key, sequence)
}

// consider implements queue, as Engine.consider does for a mailbox.
func (b *outbox) consider(c Candidate) (fate, int, error) {
	f, en, i := b.f, c.Enrollment, b.passing[c.Enrollment.ID]
	seq := b.sequence(i)
	d := Guard(c, seq, b.m, f.now)
	switch {
	case d.Expire: // imagined done at the last moment
		f.tell(b, i, b.earliest(en), en.Next)
		next, due := b.following(i, en.Next)
		f.change(b, i, func(en Enrollment) (Enrollment, []Event) { return en.CloseTask(en.Next, TaskDone, next, due, f.now) })
		return altered, 0, nil
	case d.Stop:
		i.out = true
		return altered, 0, nil
	case d.End:
		f.change(b, i, func(en Enrollment) (Enrollment, []Event) { return en.Finish(f.now) })
		return altered, 0, nil
	case d.Skip:
		b.leaveOut(i, d.Why)
		return altered, 0, nil
	case d.Hold != "":
		f.waits(b, i, b.earliest(en), string(d.Hold)+": "+d.Why)
	case !d.Go && d.Look.IsZero():
		f.waits(b, i, b.earliest(en), "its window never opens")
	case !d.Go:
		if d.Cap {
			b.full[b.day]++
		}
		p := Postponement{Look: d.Look, Why: d.Why, Attempts: en.Attempts, TriedAt: en.TriedAt}
		if d.Next != "" {
			p.Next, p.Due = d.Next, d.Look
		}
		i.c.Enrollment = en.Postponed(p)
	default:
		return b.does(i, seq, seq.Step(en.Next)), 0, nil
	}
	return putOff, 0, nil
}

// leaveOut leaves a step out that is not for this prospect.
func (b *outbox) leaveOut(i *imagined, why string) {
	f, en := b.f, i.c.Enrollment
	if f.left {
		told := *i
		told.held = "left out: " + why
		f.tell(b, &told, b.earliest(en), en.Next)
		f.rows[len(f.rows)-1].LeftOut = why
	}
	next, due := b.following(i, en.Next)
	f.change(b, i, func(en Enrollment) (Enrollment, []Event) {
		return en.Skip(en.Next, map[string]string{}, next, due, f.now)
	})
}

// does imagines a step begun: a mail that boards, or work that is opened.
func (b *outbox) does(i *imagined, seq *sequences.Sequence, st *sequences.Step) fate {
	f, en := b.f, i.c.Enrollment
	if st.Do != sequences.Email {
		f.tell(b, i, b.earliest(en), st.ID)
		i.held = ""
		task := taskOf(st, "", f.now, b.zone(i))
		next, due := b.following(i, st.ID)
		if task.Blocks {
			i.c.Enrollment, _ = en.OpenTask(task, next, due, f.now)
			i.out, b.owner = true, append(b.owner, i)
			return altered
		}
		f.change(b, i, func(en Enrollment) (Enrollment, []Event) { return en.OpenTask(task, next, due, f.now) })
		return altered
	}
	i.email = Email{Thread: en.Thread, Variant: en.Variant}
	if !f.left {
		w, err := wordsFor(b.m, seq, st, en, f.now)
		if missing, ok := errors.AsType[*templates.MissingError](err); ok {
			f.waits(b, i, b.earliest(en), string(MissingField)+": "+missing.Field)
			return putOff
		} else if err != nil {
			f.waits(b, i, b.earliest(en), string(Unwritable)+": "+err.Error())
			return putOff
		}
		i.email.Variant = w.variant
		if w.opens {
			i.email.Thread.Subject = w.subject
		}
	}
	f.tell(b, i, b.earliest(en), st.ID)
	i.out, b.volley = true, append(b.volley, i)
	return boards
}
