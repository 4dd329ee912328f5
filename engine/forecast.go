package engine

import (
	"container/heap"
	"fmt"
	"strings"
	"time"

	"nudge/sequences"
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

// forecaster lives through the time to come as the engine would, asking the
// same guard, with each step imagined done at its moment. It keeps no state
// but what it imagines.
type forecaster struct {
	chains
	until    time.Time
	left     bool // steps that are left out are told as well
	queue    queue
	added    int
	contacts map[string][]Contact
	counts   map[string]int
	full     map[string]int  // by mailbox and day: how many its cap has moved on
	in       map[string]bool // who is in which sequence
	seen     map[string]bool // sequences that somebody is in, or will be
	rows     []Coming
}

func newForecaster(c chains, until time.Time) *forecaster {
	return &forecaster{chains: c, until: until, contacts: map[string][]Contact{}, counts: map[string]int{}, full: map[string]int{}, in: map[string]bool{}, seen: map[string]bool{}}
}

// imagined is an enrollment that is looked at next at a moment.
type imagined struct {
	at    time.Time
	order int
	c     Candidate
	m     Mailbox
	held  string // told with its next step
}

type queue []imagined

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].order < q[j].order
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(imagined)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// add takes an enrollment up, to be looked at from now on.
func (f *forecaster) add(c Candidate, m Mailbox, now time.Time) {
	en := c.Enrollment
	f.in[en.Key+" "+en.Sequence], f.seen[en.Sequence] = true, true
	if c.Contacts != nil {
		f.contacts[en.Key] = c.Contacts
	}
	c.OpenTouch, c.Kept = false, nil // it leaves now
	f.added++
	i := imagined{at: latestOf(now, en.Look), order: f.added, c: c, m: m}
	switch {
	case en.Paused:
		f.waits(i, latestOf(now, en.Due), "paused: nudge resume "+en.Address)
		return
	case c.SequenceOff:
		f.waits(i, latestOf(now, en.Due), "the sequence is paused")
		return
	case en.State == Held && en.HeldUntil.IsZero():
		f.waits(i, latestOf(now, en.Due), string(en.Reason))
		return
	case en.State == Held:
		i.held = fmt.Sprintf("%s until %s", en.Reason, en.HeldUntil.In(f.zone(i)).Format("Mon 2 Jan 15:04"))
		at := latestOf(now, en.HeldUntil)
		i.c.Enrollment, _, _ = en.Release(at)
		i.at = latestOf(at, i.c.Enrollment.Look)
	}
	heap.Push(&f.queue, i)
}

func (f *forecaster) sequence(i imagined) *sequences.Sequence {
	seq, _ := f.library.Sequence(i.c.Enrollment.Sequence)
	return seq
}

func (f *forecaster) zone(i imagined) *time.Location { return zone(i.m, f.sequence(i), i.c.Enrollment) }

// waits tells of a step that does not come by itself.
func (f *forecaster) waits(i imagined, at time.Time, why string) {
	i.held = why
	f.tell(i, at, i.c.Enrollment.Next)
}

// tell writes one row, in the prospect's own time zone.
func (f *forecaster) tell(i imagined, at time.Time, step string) {
	if !at.Before(f.until) {
		return
	}
	en, action := i.c.Enrollment, string(sequences.Email)
	if st := stepOf(f.sequence(i), step); st != nil {
		action = string(st.Do)
	}
	if step == toBeFound {
		step = ""
	}
	f.rows = append(f.rows, Coming{At: at.In(f.zone(i)), Address: en.Address, Sequence: en.Sequence, Step: step, Action: action, Mailbox: en.Mailbox, Held: i.held})
}

// run lives through everything up to the horizon.
func (f *forecaster) run() {
	for len(f.queue) > 0 {
		i := heap.Pop(&f.queue).(imagined)
		if !i.at.Before(f.until) {
			return
		}
		f.live(i)
	}
}

// count names a counter of a mailbox's day.
func (i imagined) count(what string) string {
	return strings.Join([]string{i.m.Name, i.m.day(i.at), what}, "\x00")
}

func (i imagined) domain() string   { return i.count("@" + AddressDomain(i.c.Enrollment.Key)) }
func (i imagined) sequence() string { return i.count("sequence " + i.c.Enrollment.Sequence) }

// live is one look at one enrollment.
func (f *forecaster) live(i imagined) {
	en, seq, m := i.c.Enrollment, f.sequence(i), i.m
	if m.PerDay > 0 && f.counts[i.count("")] >= m.PerDay {
		f.full[i.count("")]++
		f.again(i, m.tomorrow(i.at))
		return
	}
	if t, open := en.blocking(); open {
		f.tell(i, i.at, t.Step)
		next, due := f.following(i, t.Step)
		i.c.Enrollment, _ = en.CloseTask(t.Step, TaskDone, next, due, i.at)
		f.goOn(i)
		return
	}
	c := i.c
	c.Contacts = f.contacts[en.Key]
	c.DomainToday, c.SequenceToday = f.counts[i.domain()], f.counts[i.sequence()]
	c.LateToday, c.LateShare = f.counts[i.count("late")], m.lateShare()
	d := Guard(c, seq, m, i.at)
	switch {
	case d.Stop:
	case d.End:
		i.c.Enrollment, _ = en.Finish(i.at)
		f.goOn(i)
	case d.Skip:
		if f.left {
			told := i
			told.held = "left out: " + d.Why
			f.tell(told, i.at, en.Next)
			f.rows[len(f.rows)-1].LeftOut = d.Why
		}
		next, due := f.following(i, en.Next)
		i.c.Enrollment, _ = en.Skip(en.Next, map[string]string{}, next, due, i.at)
		f.goOn(i)
	case d.Hold != "":
		f.waits(i, i.at, string(d.Hold)+": "+d.Why)
	case d.Next != "":
		i.c.Enrollment.Next, i.c.Enrollment.Due = d.Next, d.Look
		f.again(i, latestOf(d.Look, i.at))
	case !d.Go:
		f.again(i, d.Look)
	default:
		f.does(i, seq.Step(en.Next))
	}
}

// does imagines a step done.
func (f *forecaster) does(i imagined, st *sequences.Step) {
	f.tell(i, i.at, st.ID)
	en := i.c.Enrollment
	outcome := TaskDone
	if st.Do == sequences.Email {
		outcome = Sent
		f.counts[i.count("")]++
		f.counts[i.domain()]++
		f.counts[i.sequence()]++
		if en.Late {
			f.counts[i.count("late")]++
		}
		f.contacts[en.Key] = append(f.contacts[en.Key], Contact{At: i.at, Sequence: en.Sequence})
		en.Late = false
	}
	next, due := f.following(i, st.ID)
	en.Done = append(en.Done[:len(en.Done):len(en.Done)], Done{Step: st.ID, At: i.at, Outcome: outcome})
	i.c.Enrollment, _ = en.goOn(next, due, i.at)
	i.held = ""
	f.goOn(i)
}

func (f *forecaster) following(i imagined, step string) (string, time.Time) {
	return following(i.m, f.sequence(i), i.c.Enrollment, step, i.at)
}

// again looks at an enrollment once more, later or, where its next step has
// just been found, at once.
func (f *forecaster) again(i imagined, at time.Time) {
	if at.IsZero() {
		f.waits(i, i.at, "its window never opens")
		return
	}
	i.at = at
	heap.Push(&f.queue, i)
}

// goOn goes on with the next step, or with what a chain begins.
func (f *forecaster) goOn(i imagined) {
	en := i.c.Enrollment
	if !en.Ended() {
		f.again(i, latestOf(i.at, en.Look))
		return
	}
	delete(f.in, en.Key+" "+en.Sequence)
	follow := f.onFinish(en, i.at)
	if en.State != Finished || follow == nil || follow.Refused != "" || f.in[en.Key+" "+follow.Sequence] || f.left {
		return
	}
	m, err := senderOf(&sequences.Sequence{From: follow.Enroll.Mailbox}, f.mailboxes)
	if err != nil {
		return
	}
	f.add(Candidate{Enrollment: follow.Begun(en)}, m, i.at)
}

// Imagine is the way of one imagined prospect through a sequence, a row a step,
// each done at its moment. What the sequence needs and the request does not
// bring is made up, but for dates.
func Imagine(req EnrollRequest, seq *sequences.Sequence, m Mailbox, now time.Time) ([]Coming, error) {
	fields := map[string]string{}
	for key, value := range req.Fields {
		fields[key] = value
	}
	for _, key := range seq.Needs {
		if fields[key] == "" && key != "name" && key != "email" {
			fields[key] = "…"
		}
	}
	for _, st := range seq.Steps {
		if st.Before != "" && req.Fields[st.Before] == "" {
			return nil, invalid(fmt.Sprintf("sequence %s leads up to the date in %s", seq.Name, st.Before), fmt.Sprintf("add --set %s=2026-12-24", st.Before))
		}
	}
	req.Fields, req.Name = fields, "Somebody"
	en, err := Plan(req, seq, m, now)
	if err != nil {
		return nil, err
	}
	return Way(en, seq, m, now), nil
}

// Way is what comes for one prospect from now on, a row a step, with those that
// are left out. What only a person ends (a pause, a question, an ending) is
// taken for ended now; other prospects and sequences are not looked at.
func Way(en Enrollment, seq *sequences.Sequence, m Mailbox, now time.Time) []Coming {
	f := newForecaster(chains{oneBook{seq}, []Mailbox{m}}, ownersMove)
	f.left = true
	m.Rehearsal = true // what was rehearsed goes on as if it had been sent
	en.Paused, en.Late = false, false
	if _, open := en.blocking(); en.Ended() || open || en.State == Held && en.HeldUntil.IsZero() {
		en = en.activate()
		en.Look = now
	}
	if _, open := en.blocking(); !open {
		en.Look = latestOf(en.Look, en.Due)
	}
	for _, d := range en.Done {
		if d.Outcome == Sent && !d.Rehearsed {
			f.contacts[en.Key] = append(f.contacts[en.Key], Contact{At: d.At, Sequence: en.Sequence})
		}
	}
	f.add(Candidate{Enrollment: en}, m, now)
	f.run()
	return f.rows
}

// oneBook is a library of one sequence.
type oneBook struct{ seq *sequences.Sequence }

func (b oneBook) Sequence(name string) (*sequences.Sequence, bool) { return b.seq, name == b.seq.Name }
