package storetest

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"nudge/engine"
)

// shelve is what becomes of a touch that is not open any more: kept, when it
// goes again as it is and its enrollment goes on.
func (r *roulette) shelve(touch engine.Touch) {
	delete(r.open, touch.Enrollment)
	if touch.Again && !r.get(touch.Enrollment).Ended() {
		r.kept[touch.Enrollment] = touch
	}
}

func (r *roulette) today() string { return r.now.Format("2006-01-02") }

// countLate counts a touch of the backlog on the day it was claimed.
func (r *roulette) countLate(touch engine.Touch, n int) {
	if touch.Late {
		r.late[r.claimedOn[touch.Enrollment]] += n
	}
}

// nextOf draws whether a step follows; each has a name of its own.
func (r *roulette) nextOf(t *rapid.T, en engine.Enrollment) string {
	if rapid.IntRange(0, 2).Draw(t, "next") == 0 {
		return ""
	}
	return fmt.Sprintf("step %d", len(en.Done)+2)
}

func (r *roulette) look(t *rapid.T) {
	doubts := r.doubts()
	if len(doubts) == 0 {
		return
	}
	d := rapid.SampledFrom(doubts).Draw(t, "doubt")
	for range 2 { // as it was given, so it counts once
		r.must(r.s.Looked([]engine.Touch{d}))
	}
	for _, after := range r.doubts() {
		if after.Enrollment == d.Enrollment && after.Looks != d.Looks+1 {
			t.Fatalf("looked for %d times, was %d", after.Looks, d.Looks)
		}
	}
}

func (r *roulette) distrust(t *rapid.T) {
	was := r.trust(mailbox)
	r.must(r.s.Distrust(mailbox, "a mail is not known", r.now, r.now))
	is := r.trust(mailbox)
	if is.Behind == "" || is.AsOf.After(r.now) || (is.Instance == was.Instance) != (was.Behind != "") {
		t.Fatalf("trust %+v, was %+v", is, was)
	}
}

// reconcile finds the next mail of an enrollment in Sent, and asks about
// another enrollment.
func (r *roulette) reconcile(t *rapid.T) {
	rec := engine.Reconciliation{Mailbox: mailbox, At: r.now}
	en := r.pick(t)
	if en.ID == "nobody" {
		return
	}
	ended := en.Ended()
	if en.Next != "" {
		s := found(en, en.Next, r.nextOf(t, en))
		s.At, s.Due = r.now, r.later(t)
		rec.Sent = append(rec.Sent, s)
	}
	if rapid.Bool().Draw(t, "hold") {
		rec.Holds = append(rec.Holds, r.pick(t).ID)
	}
	r.must(r.s.Reconcile(rec))
	if r.trust(mailbox).Behind != "" {
		t.Fatal("it is distrusted still")
	}
	if len(rec.Sent) == 0 || ended {
		return
	}
	if !slices.Contains(r.get(en.ID).DoneSteps(), en.Next) {
		t.Fatalf("step %s of %s was found, and is not behind it", en.Next, en.ID)
	}
	delete(r.kept, en.ID)
	if !r.claimed[en.ID] {
		delete(r.open, en.ID)
	}
	r.forgetSettled()
}

// checkOverdue expects what is due by now of all that is ever due.
func (r *roulette) checkOverdue(due []engine.Enrollment) {
	r.t.Helper()
	late := slices.DeleteFunc(slices.Clone(due), func(en engine.Enrollment) bool { return en.Look.After(r.now) })
	got, err := r.s.Overdue(mailbox, r.now, engine.Enrollment{}, len(late)+1)
	r.must(err)
	r.same("overdue", got, late)
	n, err := r.s.ActiveOf(mailbox)
	r.must(err)
	r.same("active of the mailbox", n, r.counts().Active)
	r.same("share of the backlog", r.pace(r.today()).Late, r.late[r.today()])
}

// checkTouches compares which touches are open, and which go again.
func (r *roulette) checkTouches() {
	r.t.Helper()
	for id := range r.kept {
		if r.get(id).Ended() {
			delete(r.kept, id)
		}
	}
	for _, c := range r.candidates() {
		_, open := r.open[c.Enrollment.ID]
		kept, again := r.kept[c.Enrollment.ID]
		if open != c.OpenTouch || again != (c.Kept != nil) {
			r.t.Errorf("%s: a touch is open %v, want %v; kept %v, want %v", c.Enrollment.ID, c.OpenTouch, open, c.Kept != nil, again)
			continue
		}
		if again && (c.Kept.Email.MessageID != kept.Email.MessageID || len(c.Kept.Email.Raw) == 0) {
			r.t.Errorf("%s: kept is %+v, want %+v", c.Enrollment.ID, c.Kept, kept)
		}
	}
}

// checkSuppressed expects that nobody is forgotten, and no reason fell.
func (r *roulette) checkSuppressed() {
	r.t.Helper()
	list, err := r.s.Suppressions()
	r.must(err)
	whys := map[string]string{}
	for _, s := range list {
		whys[s.Target] = s.Why
	}
	for target, why := range r.suppressed {
		if is, known := whys[target]; !known || engine.Outranks(why, is) {
			r.t.Errorf("%s was suppressed (%s) and is not any more, or only as %q", target, why, is)
		}
	}
}
