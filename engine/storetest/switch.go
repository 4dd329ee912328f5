package storetest

import (
	"time"

	"nudge/engine"
)

func (w *world) pause(scope engine.Scope, on bool) int {
	w.t.Helper()
	n, err := w.s.Pause(scope, on, "", monday)
	w.must(err)
	return n
}

func (w *world) switches() []engine.Switch {
	w.t.Helper()
	list, err := w.s.Switches()
	w.must(err)
	return list
}

// off lists what the pauses that are on cover.
func (w *world) off() []engine.Scope {
	w.t.Helper()
	var scopes []engine.Scope
	for _, sw := range w.switches() {
		scopes = append(scopes, sw.Scope)
	}
	return scopes
}

var pauseLaws = []law{
	{"each scope counts whom it covers, is listed, and is cleared", func(w *world) {
		other := prospect(3)
		other.Mailbox = "support"
		ens := w.enroll(prospect(1), in(prospect(1), "invoice"), prospect(2), other, prospect(4))
		w.apply(monday, reply(ens[4], "r@x"), absence(ens[0], "a@x", monday.Add(day)))
		for _, tt := range []struct {
			scope engine.Scope
			n     int
		}{
			{engine.Scope{}, 4}, {engine.Scope{Mailbox: mailbox}, 3}, {engine.Scope{Mailbox: "nowhere"}, 0},
			{engine.Scope{Sequence: "quote"}, 3}, {engine.Scope{Person: prospect(1).Key}, 2},
		} {
			w.same("covered", w.pause(tt.scope, true), tt.n)
			w.same("listed", w.off(), []engine.Scope{tt.scope})
			w.same("covered again", w.pause(tt.scope, true), tt.n)
			w.same("uncovered", w.pause(tt.scope, false), tt.n)
			w.same("listed", w.off(), []engine.Scope{})
			w.verify()
		}
	}},
	{"keeps its first reason, and since when it is on", func(w *world) {
		scope := engine.Scope{Mailbox: mailbox}
		for i, why := range []string{"the password was refused", ""} {
			_, err := w.s.Pause(scope, true, why, monday.Add(day*time.Duration(i)))
			w.must(err)
		}
		w.same("listed", w.switches(), []engine.Switch{{Scope: scope, Why: "the password was refused", At: monday}})
		events, err := w.s.Events("", 0, 10)
		w.must(err)
		w.same("reason in history", events[0].Detail["why"], "the password was refused")
	}},
	{"setting and clearing is recorded once each", func(w *world) {
		en := w.one()
		for _, scope := range []engine.Scope{{}, {Sequence: "quote"}, {Person: en.Key}} {
			for range 2 {
				w.pause(scope, true)
			}
			for range 2 {
				w.pause(scope, false)
			}
		}
		p, r := engine.EventPaused, engine.EventResumed
		w.same("history", w.kinds(""), []engine.EventKind{engine.EventEnrolled, p, r, p, r, p, r})
		w.same("person's history", w.kinds(en.ID), []engine.EventKind{engine.EventEnrolled, p, r})
	}},
	{"a paused person stays active, is not due, and is due again at its Due", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		w.pause(engine.Scope{Person: ens[0].Key}, true)
		w.same("due", w.due(monday.Add(10*365*day)), []string{ens[1].ID})
		w.same("counts", w.counts(), engine.Counts{Active: 2})
		got := w.get(ens[0].ID)
		if !got.Paused || !got.Due.Equal(ens[0].Due) {
			w.t.Errorf("paused %v, due %s", got.Paused, got.Due)
		}
		w.pause(engine.Scope{Person: ens[0].Key}, false)
		w.same("due", w.due(monday.Add(2*minute)), []string{ens[0].ID, ens[1].ID})
		w.same("paused", w.get(ens[0].ID).Paused, false)
	}},
	{"nothing is looked at while everybody is paused", func(w *world) {
		en := w.one()
		w.pause(engine.Scope{Person: en.Key}, true)
		next, err := w.s.NextLook(mailbox)
		w.must(err)
		if !next.IsZero() {
			w.t.Errorf("looks at %s", next)
		}
	}},
	{"a pause outlives the end of a hold and of a touch", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		t := w.claim(monday, ens[0])[0]
		w.apply(monday, absence(ens[1], "a@x", monday.Add(minute)))
		for _, en := range ens {
			w.pause(engine.Scope{Person: en.Key}, true)
		}
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday, Next: "second", Due: monday.Add(day)})
		_, err := w.s.Release(mailbox, monday.Add(day))
		w.must(err)
		w.same("due", w.due(monday.Add(365*day)), []string{})
		for _, en := range ens {
			w.pause(engine.Scope{Person: en.Key}, false)
		}
		w.same("due", w.due(monday.Add(day)), []string{ens[1].ID, ens[0].ID})
	}},
	{"a paused sequence is told to the guard, and looked at again at its Due", func(w *world) {
		ens := w.enroll(prospect(1), in(prospect(2), "invoice"), prospect(3))
		w.pause(engine.Scope{Sequence: "quote"}, true)
		w.same("off", w.candidate(ens[0].ID, monday.Add(minute)).SequenceOff, true)
		w.same("off", w.candidate(ens[1].ID, monday.Add(2*minute)).SequenceOff, false)
		var put []engine.Postponement
		for _, en := range ens {
			put = append(put, engine.Postponement{Enrollment: en.ID, Version: en.Version, Look: monday.Add(day)})
		}
		w.must(w.s.Postpone(put))
		w.pause(engine.Scope{Sequence: "quote"}, false)
		w.same("due", w.due(monday.Add(3*minute)), []string{ens[0].ID, ens[2].ID})
	}},
	{"the pace tells of a paused mailbox, and of everything paused", func(w *world) {
		for _, tt := range []struct {
			scope engine.Scope
			want  bool
		}{{engine.Scope{}, true}, {engine.Scope{Mailbox: mailbox}, true}, {engine.Scope{Mailbox: "support"}, false}, {engine.Scope{Sequence: mailbox}, false}} {
			w.pause(tt.scope, true)
			w.same("paused", w.pace(today).Paused, tt.want)
			w.pause(tt.scope, false)
			w.same("paused", w.pace(today).Paused, false)
		}
	}},
}

var suppressLaws = []law{
	{"stops every enrollment of the address that has not ended", func(w *world) {
		ens := w.enroll(prospect(1), in(prospect(1), "invoice"), in(prospect(1), "survey"), prospect(2))
		w.apply(monday, reply(ens[0], "r@x"), absence(ens[1], "a@x", monday.Add(day)))
		n, err := w.s.Suppress(" P1+x@Kund1.example", "asked to", true, monday)
		w.must(err)
		w.same("stopped", n, 2)
		w.same("counts", w.counts(), engine.Counts{Active: 1, Stopped: 3, Replied: 1})
		w.same("reason", w.get(ens[2].ID).Reason, engine.Suppressed)
		w.same("reason of the one that had replied", w.get(ens[0].ID).Reason, engine.Replied)
		list, err := w.s.Suppressions()
		w.must(err)
		w.same("suppressions", list, []engine.Suppression{{Target: prospect(1).Key, Why: "asked to", At: monday}})
		w.same("due", w.due(monday.Add(365*day)), []string{ens[3].ID})
	}},
	{"stops everybody at a domain, and nobody at its neighbours", func(w *world) {
		var ens []engine.Enrollment
		for i, addr := range []string{"a@kund.example", "b@kund.example", "c@en-kund.example", "d@kund.example.com", "e@sub.kund.example"} {
			en := prospect(i)
			en.Address, en.Key = addr, addr
			ens = append(ens, en)
		}
		w.enroll(ens...)
		n, err := w.s.Suppress("@Kund.example", "competitor", true, monday)
		w.must(err)
		w.same("stopped", n, 2)
		w.same("counts", w.counts(), engine.Counts{Active: 3, Stopped: 2})
	}},
	{"keeps the first reason, and once removed takes the address again", func(w *world) {
		for _, why := range []string{"asked to", "again"} {
			_, err := w.s.Suppress(prospect(1).Address, why, true, monday)
			w.must(err)
		}
		list, err := w.s.Suppressions()
		w.must(err)
		w.same("suppressions", list, []engine.Suppression{{Target: prospect(1).Key, Why: "asked to", At: monday}})
		for range 2 {
			_, err = w.s.Suppress(prospect(1).Address, "by hand", false, monday)
			w.must(err)
		}
		list, err = w.s.Suppressions()
		w.must(err)
		w.same("suppressions", list, []engine.Suppression{})
		w.one()
		w.same("history", w.kinds(""), []engine.EventKind{engine.EventSuppressed, engine.EventSuppressed, engine.EventEnrolled})
	}},
	{"a reason only moves up: what a person asked for themselves is never forgotten", func(w *world) {
		for _, tt := range []struct{ why, want string }{
			{string(engine.Bounced), string(engine.Bounced)}, {"by hand", "by hand"}, {"a competitor", "by hand"},
			{string(engine.Unsubscribed), string(engine.Unsubscribed)}, {"by hand", string(engine.Unsubscribed)},
			{string(engine.Complained), string(engine.Complained)}, {string(engine.Unsubscribed), string(engine.Complained)},
		} {
			_, err := w.s.Suppress("p1@kund1.example", tt.why, true, monday)
			w.must(err)
			list, err := w.s.Suppressions()
			w.must(err)
			w.same("after "+tt.why, list, []engine.Suppression{{Target: "p1@kund1.example", Why: tt.want, At: monday}})
		}
		w.same("history", len(w.kinds("")), 4)
	}},
	{"removing revives nobody", func(w *world) {
		w.one()
		for _, on := range []bool{true, false} {
			_, err := w.s.Suppress(prospect(1).Address, "by hand", on, monday)
			w.must(err)
		}
		w.same("counts", w.counts(), engine.Counts{Stopped: 1})
	}},
}
