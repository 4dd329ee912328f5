package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nudge/engine"
)

// random calls the methods in random order and compares what the Store says
// with what it must say whatever happened.
func random(t *testing.T, open func(t *testing.T) engine.Store) {
	rapid.Check(t, func(rt *rapid.T) {
		r := &roulette{world: &world{rt, open(t)}, now: monday, open: map[string]engine.Touch{}, claimed: map[string]bool{},
			kept: map[string]engine.Touch{}, claimedOn: map[string]string{}, late: map[string]int{}, dots: map[string]int{},
			ended: map[string]bool{}, suppressed: map[string]string{}}
		rt.Repeat(map[string]func(*rapid.T){
			"":         func(*rapid.T) { r.check() },
			"enroll":   r.enroll,
			"prepare":  r.prepare,
			"withdraw": r.withdraw,
			"postpone": r.postpone,
			"claim":    r.claim,
			"settle":   r.settle,
			"apply":    r.apply,
			"recover":  r.recover,
			"release":  r.release,
			"change":   r.change,
			"pause":    r.pause,
			"suppress": r.suppress,
			"reverse":  r.reverse,

			"look":      r.look,
			"distrust":  r.distrust,
			"reconcile": r.reconcile,
		})
	})
}

// roulette is a Store with what a fair observer remembers of it.
type roulette struct {
	*world
	now      time.Time
	open     map[string]engine.Touch // enrollment → its open touch
	claimed  map[string]bool         // of those open ones
	kept     map[string]engine.Touch // enrollment → its touch that goes again
	dots     map[string]int          // Message-ID → claims that were not known to have failed
	ended    map[string]bool         // enrollments that ended
	incoming int

	claimedOn  map[string]string // enrollment → the day its open touch was claimed
	late       map[string]int    // day → touches of the backlog
	suppressed map[string]string // target → the reason when it was last asked for
}

func (r *roulette) all() []engine.Enrollment {
	ens, err := r.s.Enrollments(engine.Filter{})
	r.must(err)
	return ens
}

// pick draws one enrollment; a zero one when there is none.
func (r *roulette) pick(t *rapid.T) engine.Enrollment {
	ens := r.all()
	if len(ens) == 0 {
		return engine.Enrollment{ID: "nobody", Key: "nobody@x"}
	}
	return rapid.SampledFrom(ens).Draw(t, "enrollment")
}

func (r *roulette) later(t *rapid.T) time.Time {
	return r.now.Add(time.Duration(rapid.IntRange(-100, 100).Draw(t, "hours")) * 60 * minute)
}

// openOne draws an open touch.
func (r *roulette) openOne(t *rapid.T) (engine.Touch, bool) {
	var ids []string
	for id := range r.open {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return engine.Touch{}, false
	}
	slices.Sort(ids)
	return r.open[rapid.SampledFrom(ids).Draw(t, "touch")], true
}

func (r *roulette) enroll(t *rapid.T) {
	en := prospect(rapid.IntRange(0, 4).Draw(t, "person"))
	en.Sequence = rapid.SampledFrom([]string{"quote", "invoice"}).Draw(t, "sequence")
	en.EnrolledAt, en.Due = r.now, r.later(t)
	en.Look = en.Due
	_, _, err := r.s.Enroll([]engine.Enrollment{en})
	r.must(err)
}

func (r *roulette) prepare(t *rapid.T) {
	en := r.pick(t)
	touch := touchOf(en)
	kept, again := r.kept[en.ID]
	if rapid.Bool().Draw(t, "again") {
		touch.Again = true
		again = again && kept.Email.MessageID == touch.Email.MessageID
	} else {
		again = true
	}
	touch.Late = rapid.Bool().Draw(t, "late")
	errs, err := r.s.Prepare([]engine.Touch{touch})
	r.must(err)
	_, open := r.open[en.ID]
	want := en.State == engine.Active && !open && again
	if (errs[0] == nil) != want {
		t.Fatalf("prepared %s, state %s, open %v, kept %v: %v", en.ID, en.State, open, kept, errs[0])
	}
	if want {
		delete(r.kept, en.ID)
		r.open[en.ID], r.claimed[en.ID] = touch, false
	}
}

func (r *roulette) withdraw(t *rapid.T) {
	touch, ok := r.openOne(t)
	if !ok {
		return
	}
	r.must(r.s.Withdraw([]engine.Postponement{{Enrollment: touch.Enrollment, Version: touch.Version, Look: r.later(t)}}))
	if !r.claimed[touch.Enrollment] {
		r.shelve(touch)
	}
}

func (r *roulette) postpone(t *rapid.T) {
	en := r.pick(t)
	p := engine.Postponement{Enrollment: en.ID, Version: en.Version, Look: r.later(t)}
	switch rapid.IntRange(0, 3).Draw(t, "how") {
	case 0:
		p.Hold, p.HeldUntil = engine.Absent, r.later(t)
	case 1:
		p.Hold = engine.MissingField
	case 2:
		p.Version--
	}
	r.must(r.s.Postpone([]engine.Postponement{p}))
}

func (r *roulette) claim(t *rapid.T) {
	touch, ok := r.openOne(t)
	if !ok {
		return
	}
	sweep := engine.Sweep{Mailbox: mailbox, At: r.now}
	if rapid.IntRange(0, 4).Draw(t, "answers") == 0 {
		sweep.Effects = []engine.Effect{r.effect(t, r.get(touch.Enrollment))}
	}
	was := r.claimed[touch.Enrollment]
	errs, err := r.s.Claim(sweep, []engine.Touch{touch})
	r.must(err)
	switch {
	case errs[0] == nil:
		r.claimed[touch.Enrollment] = true
		r.dots[touch.Email.MessageID]++
		r.claimedOn[touch.Enrollment] = r.today()
		r.countLate(touch, 1)
		r.fair(t, was, touch)
	case !was:
		r.shelve(touch)
	}
	r.forgetSettled()
}

// fair says whether a claim was rightly granted.
func (r *roulette) fair(t *rapid.T, was bool, touch engine.Touch) {
	en := r.get(touch.Enrollment)
	off := slices.ContainsFunc(r.off(), func(s engine.Scope) bool {
		return s == engine.Scope{} || s.Mailbox == en.Mailbox || s.Sequence == en.Sequence || s.Person == en.Key
	})
	if was || off || en.State != engine.Active || en.Paused || en.Version != touch.Version || r.dots[touch.Email.MessageID] > 1 {
		t.Fatalf("claimed: before %v, paused %v, dots %d, %+v", was, off, r.dots[touch.Email.MessageID], en)
	}
}

func (r *roulette) settle(t *rapid.T) {
	touch, ok := r.openOne(t)
	if !ok {
		return
	}
	en := r.get(touch.Enrollment)
	s := engine.Settlement{Touch: touch, At: r.now, Due: r.later(t),
		Outcome: rapid.SampledFrom([]engine.Outcome{engine.Sent, engine.Refusal, engine.Deferred, engine.Unknown}).Draw(t, "outcome")}
	doubtful := en.Reason == engine.InDoubt
	switch {
	case s.Outcome == engine.Sent:
		s.Next = r.nextOf(t, en)
	case s.Outcome == engine.Deferred:
		s.Keep = rapid.Bool().Draw(t, "keep")
		s.Resend = doubtful && !s.Keep
	case s.Outcome == engine.Refusal && (doubtful || rapid.Bool().Draw(t, "stop")):
		s.Stop, s.Suppress = engine.Bounced, rapid.Bool().Draw(t, "suppress")
	case s.Outcome == engine.Refusal:
		s.Hold = engine.Refused
	}
	if !r.claimed[touch.Enrollment] && s.Outcome != engine.Refusal {
		return // no dot was written, so nothing else can be the outcome
	}
	r.world.settle(s)
	if s.Outcome == engine.Unknown {
		return
	}
	if s.Outcome != engine.Sent && r.claimed[touch.Enrollment] {
		r.dots[touch.Email.MessageID]--
		r.countLate(touch, -1)
	}
	touch.Again = s.Keep
	r.shelve(touch)
	r.ended[touch.Enrollment] = r.ended[touch.Enrollment] || s.Stop != ""
}

func (r *roulette) effect(t *rapid.T, en engine.Enrollment) engine.Effect {
	r.incoming++
	id := "m" + string(rune('a'+r.incoming%26)) + "@x" // now and then the same again
	switch rapid.IntRange(0, 4).Draw(t, "effect") {
	case 0:
		return reply(en, id)
	case 1:
		return absence(en, id, r.later(t))
	case 2:
		return unsubscribe(en, id)
	case 3:
		f := effect(en, id, engine.EventBounce)
		f.Soft = true
		return f
	}
	f := effect(en, id, engine.EventNoted)
	touch, seen := r.kept[en.ID]
	if open, ok := r.open[en.ID]; ok && r.claimed[en.ID] {
		touch, seen = open, true
	}
	if seen {
		f.Sent = &engine.Settlement{Touch: touch, Outcome: engine.Sent, At: r.now, Next: r.nextOf(t, en), Due: r.later(t)}
	}
	return f
}

func (r *roulette) apply(t *rapid.T) {
	en := r.pick(t)
	r.world.apply(r.now, r.effect(t, en))
	r.forgetSettled()
}

// forgetSettled forgets touches that a Sent copy has settled.
func (r *roulette) forgetSettled() {
	for _, touches := range []map[string]engine.Touch{r.open, r.kept} {
		for id, touch := range touches {
			if slices.ContainsFunc(r.get(id).Done, func(d engine.Done) bool { return d.MessageID == touch.Email.MessageID }) {
				delete(touches, id)
			}
		}
	}
}

func (r *roulette) recover(t *rapid.T) {
	_, err := r.s.Recover(mailbox, r.now)
	r.must(err)
	for id, touch := range r.open {
		if !r.claimed[id] {
			r.shelve(touch)
		}
	}
}

func (r *roulette) release(t *rapid.T) {
	r.now = r.now.Add(time.Duration(rapid.IntRange(0, 48).Draw(t, "pass")) * 60 * minute)
	_, err := r.s.Release(mailbox, r.now)
	r.must(err)
}

func (r *roulette) change(t *rapid.T) {
	en := r.pick(t)
	decide := rapid.SampledFrom([]func(engine.Enrollment) (engine.Enrollment, []engine.Event){
		stopByHand,
		func(en engine.Enrollment) (engine.Enrollment, []engine.Event) { return en.Answer(r.now, "hand") },
		func(en engine.Enrollment) (engine.Enrollment, []engine.Event) { return en, nil },
	}).Draw(t, "decide")
	if en.ID != "nobody" {
		_, err := r.s.Change([]string{en.ID}, decide)
		r.must(err)
	}
}

func (r *roulette) pause(t *rapid.T) {
	en := r.pick(t)
	scope := rapid.SampledFrom([]engine.Scope{{}, {Mailbox: mailbox}, {Sequence: "quote"}, {Person: en.Key}, {Person: en.Key}}).Draw(t, "scope")
	_, err := r.s.Pause(scope, rapid.Bool().Draw(t, "on"), "", r.now)
	r.must(err)
}

func (r *roulette) suppress(t *rapid.T) {
	target := r.pick(t).Key
	if rapid.Bool().Draw(t, "domain") {
		target = "@" + engine.AddressDomain(target)
	}
	on := rapid.Bool().Draw(t, "on")
	why := rapid.SampledFrom([]string{"asked to", string(engine.Bounced), string(engine.Unsubscribed), string(engine.Complained)}).Draw(t, "why")
	_, err := r.s.Suppress(target, why, on, r.now)
	r.must(err)
	if !on {
		delete(r.suppressed, target)
	} else if was, known := r.suppressed[target]; !known || engine.Outranks(why, was) {
		r.suppressed[target] = why
	}
}

// reverse takes back what a mail did. Whoever it stopped may go on.
func (r *roulette) reverse(t *rapid.T) {
	id := "m" + string(rune('a'+rapid.IntRange(0, 25).Draw(t, "mail"))) + "@x"
	back, err := r.s.Reverse(engine.Reversal{Incoming: id, At: r.now, Force: rapid.Bool().Draw(t, "force")})
	if errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrSuppressed) {
		return
	}
	r.must(err)
	all, err := r.s.Suppressions()
	r.must(err)
	for _, en := range back {
		r.ended[en.ID] = en.Ended()
		if !slices.ContainsFunc(all, func(s engine.Suppression) bool { return s.Target == en.Key }) {
			delete(r.suppressed, en.Key)
		}
	}
}

// check compares every list, count and index with the enrollments themselves.
func (r *roulette) check() {
	r.t.Helper()
	var due []engine.Enrollment
	var next time.Time
	want := engine.Counts{InDoubt: len(r.doubts())}
	for _, en := range r.all() {
		switch en.State {
		case engine.Active:
			want.Active++
			if !en.Paused {
				due = append(due, en)
				next = earlier(next, en.Look)
			}
		case engine.Held:
			want.Held++
			next = earlier(next, en.HeldUntil)
		case engine.Stopped:
			want.Stopped++
		case engine.Finished:
			want.Finished++
		}
		if en.Reason == engine.Replied {
			want.Replied++
		}
		if r.ended[en.ID] && !en.Ended() {
			r.t.Errorf("%s ended and goes on", en.ID)
		}
		r.ended[en.ID] = en.Ended()
		if en.Reason == engine.InDoubt && !slices.ContainsFunc(r.doubts(), func(t engine.Touch) bool { return t.Enrollment == en.ID }) {
			r.t.Errorf("%s is held in doubt about nothing", en.ID)
		}
	}
	r.same("counts", r.counts(), want)
	slices.SortStableFunc(due, func(a, b engine.Enrollment) int { return a.Look.Compare(b.Look) })
	ids := []string{}
	for _, en := range due {
		ids = append(ids, en.ID)
	}
	r.same("due", r.due(monday.AddDate(50, 0, 0)), ids)
	look, err := r.s.NextLook(mailbox)
	r.must(err)
	r.same("next look", look.UTC(), next.UTC())
	r.checkOverdue(due)
	r.checkTouches()
	r.checkSuppressed()
	r.verify()
}

func (r *roulette) candidates() []engine.Candidate {
	cs, err := r.s.Due(mailbox, monday.AddDate(50, 0, 0), today, 1000)
	r.must(err)
	return cs
}

// earlier is the earlier of two moments, where the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
