package storetest

import (
	"time"

	"nudge/engine"
)

var lateLaws = []law{
	{"a touch of the backlog counts in the day's share of it, until it is known to have failed", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2), prospect(3))
		touches := []engine.Touch{touchOf(ens[0]), touchOf(ens[1]), touchOf(ens[2])}
		touches[0].Late, touches[1].Late = true, true
		_, err := w.s.Prepare(touches)
		w.must(err)
		w.same("before", w.pace(today), engine.Pace{})
		_, err = w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, touches)
		w.must(err)
		w.same("claimed", w.pace(today), engine.Pace{Today: 3, Late: 2, LastAt: monday})
		w.settle(engine.Settlement{Touch: touches[0], Outcome: engine.Deferred, At: monday, Due: monday, Keep: true},
			engine.Settlement{Touch: touches[1], Outcome: engine.Sent, At: monday})
		w.same("one came to nothing", w.pace(today), engine.Pace{Today: 2, Late: 1, LastAt: monday})
		w.same("another day", w.pace("2026-11-24"), engine.Pace{LastAt: monday})
	}},
	{"overdue lists who is active and should have been looked at, oldest first", func(w *world) {
		other := prospect(0)
		other.Mailbox = "support"
		ens := w.enroll(prospect(3), prospect(1), prospect(2), other, prospect(9), prospect(4), prospect(5))
		w.pause(engine.Scope{Person: prospect(4).Key}, true)
		w.apply(monday, absence(ens[6], "a@x", monday.Add(day)))
		overdue := func(from string, at time.Time, after engine.Enrollment, limit int) []engine.Enrollment {
			w.t.Helper()
			got, err := w.s.Overdue(from, at, after, limit)
			w.must(err)
			return got
		}
		by := monday.Add(5 * minute)
		w.same("overdue", overdue(mailbox, by, engine.Enrollment{}, 10), []engine.Enrollment{ens[1], ens[2], ens[0]})
		w.same("of nobody", overdue("nowhere", monday.Add(day), engine.Enrollment{}, 10), []engine.Enrollment{})
		w.same("the first page", overdue(mailbox, by, engine.Enrollment{}, 2), []engine.Enrollment{ens[1], ens[2]})
		w.apply(monday, reply(ens[2], "r@x"))
		w.same("behind one that ended meanwhile", overdue(mailbox, by, ens[2], 2), []engine.Enrollment{ens[0]})
		w.same("behind the last", overdue(mailbox, by, ens[0], 2), []engine.Enrollment{})
		w.same("a page of none", overdue(mailbox, by, engine.Enrollment{}, 0), []engine.Enrollment{})
		for name, want := range map[string]int{mailbox: 4, "support": 1, "nowhere": 0} { // the paused one counts
			n, err := w.s.ActiveOf(name)
			w.must(err)
			w.same("active of "+name, n, want)
		}
	}},
	{"a mailbox could read and send when it last said so, to within ten minutes", func(w *world) {
		able := func(want any, what string) {
			w.t.Helper()
			at, err := w.s.AbleAt(mailbox)
			w.must(err)
			if want == nil {
				w.same(what, at.IsZero(), true)
				return
			}
			w.same(what, at, want)
		}
		able(nil, "never")
		w.must(w.s.Beat(mailbox, monday))
		able(monday, "first")
		w.must(w.s.Beat("support", monday.Add(day)))
		able(monday, "another mailbox's")
		w.must(w.s.Beat(mailbox, monday.Add(9*minute)))
		at, err := w.s.AbleAt(mailbox)
		w.must(err)
		if at.Before(monday) || at.After(monday.Add(9*minute)) {
			w.t.Errorf("able at %s", at)
		}
		w.must(w.s.Beat(mailbox, monday.Add(30*minute)))
		able(monday.Add(30*minute), "half an hour later")
		w.must(w.s.Beat(mailbox, monday.Add(-day)))
		able(monday.Add(-day), "after a clock that was ahead was set right")
		w.same("history", w.kinds(""), []engine.EventKind{})
	}},
}
