package storetest

import (
	"testing"
	"time"

	"nudge/engine"
)

// picture is everything a Store says.
type picture struct {
	Enrollments  []engine.Enrollment
	Due          []engine.Candidate
	Pace         engine.Pace
	Cursor       engine.Cursor
	Known        engine.Known
	Doubts       []engine.Touch
	Events       []engine.Event
	Counts       engine.Counts
	Suppressions []engine.Suppression
	Switches     []engine.Switch
	Trust        engine.Trust
	AbleAt       time.Time
	Secret       []byte
}

func (w *world) picture() picture {
	w.t.Helper()
	var p picture
	var err [7]error
	p.Enrollments, err[0] = w.s.Enrollments(engine.Filter{})
	p.Due, err[1] = w.s.Due(mailbox, monday.AddDate(50, 0, 0), today, 1000)
	p.Cursor, err[2] = w.s.Cursor(mailbox)
	p.Known, err[3] = w.s.Known([]string{"anchor@x"}, []string{prospect(1).Key})
	p.Events, err[4] = w.s.Events("", 0, 1000)
	p.Suppressions, err[5] = w.s.Suppressions()
	p.AbleAt, err[6] = w.s.AbleAt(mailbox)
	p.Trust = w.trust(mailbox)
	for _, err := range err {
		w.must(err)
	}
	p.Pace, p.Doubts, p.Counts, p.Switches, p.Secret = w.pace(today), w.doubts(), w.counts(), w.switches(), w.s.Secret()
	return p
}

// deeds are writes whose effect must outlive the process, one after another.
var deeds = []struct {
	name string
	do   func(w *world)
}{
	{"enroll", func(w *world) {
		en := prospect(1)
		en.Thread.Anchor = "anchor@x"
		w.enroll(en, prospect(2), prospect(3), prospect(4))
	}},
	{"prepare", func(w *world) { w.prepare(w.nth(0), w.nth(1)) }},
	{"withdraw", func(w *world) {
		en := w.nth(1)
		w.must(w.s.Withdraw([]engine.Postponement{{Enrollment: en.ID, Version: en.Version, Look: monday.Add(day)}}))
	}},
	{"claim", func(w *world) {
		errs, err := w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, []engine.Touch{touchOf(w.nth(0))})
		w.must(err)
		w.must(errs[0])
	}},
	{"settle", func(w *world) {
		w.settle(engine.Settlement{Touch: touchOf(w.nth(0)), Outcome: engine.Sent, At: monday, Next: "second", Due: monday.Add(day)})
	}},
	{"doubt", func(w *world) { w.doubt(monday, w.nth(1)) }},
	{"apply", func(w *world) {
		cursor := engine.Cursor{Folders: map[string]engine.FolderCursor{"INBOX": {UIDValidity: 7, UIDNext: 42}}}
		w.must(w.s.Apply(engine.Sweep{Mailbox: mailbox, At: monday, Cursor: cursor,
			Effects: []engine.Effect{absence(w.nth(2), "a@x", monday.Add(day)), unsubscribe(w.nth(3), "u@x")}}))
	}},
	{"seen", func(w *world) { w.apply(monday, unsubscribe(w.nth(3), "u@x")) }},
	{"release", func(w *world) {
		_, err := w.s.Release(mailbox, monday.Add(day))
		w.must(err)
	}},
	{"pause", func(w *world) { w.pause(engine.Scope{Person: prospect(1).Key}, true) }},
	{"pause everything", func(w *world) { w.pause(engine.Scope{}, true) }},
	{"suppress", func(w *world) {
		_, err := w.s.Suppress("@kund3.example", "asked to", true, monday)
		w.must(err)
	}},
	{"change", func(w *world) {
		_, err := w.s.Change([]string{w.nth(0).ID}, stopByHand)
		w.must(err)
	}},
	{"beat", func(w *world) { w.must(w.s.Beat(mailbox, monday)) }},
	{"look in vain", func(w *world) { w.must(w.s.Looked(w.doubts())) }},
	{"learn", func(w *world) {
		w.must(w.s.Apply(engine.Sweep{Mailbox: mailbox, At: monday, Copies: 1, Learned: map[string]string{"given@x": w.nth(0).ID}}))
	}},
	{"keep", func(w *world) {
		w.pause(engine.Scope{}, false)
		w.keep(w.enroll(in(prospect(5), "invoice"))[0])
	}},
	{"suppress with a better reason", func(w *world) {
		_, err := w.s.Suppress("@kund3.example", string(engine.Complained), true, monday)
		w.must(err)
	}},
	{"remove a suppression", func(w *world) {
		_, err := w.s.Suppress("@kund3.example", "they asked", false, monday)
		w.must(err)
	}},
	{"distrust", func(w *world) { w.must(w.s.Distrust("", "a mail is not known", monday, monday)) }},
	{"reconcile", func(w *world) {
		en := w.enroll(in(prospect(6), "invoice"))[0]
		w.must(w.s.Reconcile(engine.Reconciliation{Mailbox: mailbox, At: monday, Sent: []engine.Settlement{found(en, "first", "second")},
			Strangers: []engine.Stranger{{MessageID: "s@x", To: "a@x", At: monday}}}))
	}},
	{"note", func(w *world) { w.must(w.s.Note(engine.Event{At: monday, Kind: engine.EventReloaded})) }},
}

func (w *world) nth(i int) engine.Enrollment {
	w.t.Helper()
	ens, err := w.s.Enrollments(engine.Filter{})
	w.must(err)
	return ens[i]
}

// RunDurable tests that whatever a Store said it did is still there when its
// state is opened again. open opens the state that belongs to dir, making it
// when there is none, and returns what closes it.
func RunDurable(t *testing.T, open func(t *testing.T, dir string) (store engine.Store, closeStore func() error)) {
	dir := t.TempDir()
	store, closeStore := open(t, dir)
	for _, deed := range deeds {
		w := &world{t, store}
		deed.do(w)
		before := w.picture()
		w.must(closeStore())
		store, closeStore = open(t, dir)
		w = &world{t, store}
		w.same("after "+deed.name+", when opened again", w.picture(), before)
		w.verify()
	}
	if err := closeStore(); err != nil {
		t.Fatal(err)
	}
}
