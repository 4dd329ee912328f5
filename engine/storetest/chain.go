package storetest

import (
	"nudge/engine"
)

// follow is a chain into a sequence.
func follow(en engine.Enrollment, sequence string) *engine.Follow {
	return &engine.Follow{Sequence: sequence, Enroll: in(en, sequence), At: monday.Add(minute)}
}

// finish ends an enrollment as its last touch does, and lets f follow.
func (w *world) finish(en engine.Enrollment, f *engine.Follow) {
	w.t.Helper()
	t := touchOf(en)
	_, err := w.s.Prepare([]engine.Touch{t})
	w.must(err)
	_, err = w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, []engine.Touch{t})
	w.must(err)
	w.settle(engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday, Then: f})
}

// inSequence lists a person's enrollments in a sequence.
func (w *world) inSequence(en engine.Enrollment, sequence string) []engine.Enrollment {
	w.t.Helper()
	ens, err := w.s.Enrollments(engine.Filter{Key: en.Key, Sequence: sequence})
	w.must(err)
	return ens
}

// lastEvent is the newest line of an enrollment's history.
func (w *world) lastEvent(id string) engine.Event {
	w.t.Helper()
	events, err := w.s.Events(id, 0, -1)
	w.must(err)
	if len(events) == 0 {
		w.t.Fatal("no history")
	}
	return events[0]
}

var chainLaws = []law{
	{"what follows the end of an enrollment is enrolled with it", func(w *world) {
		en := w.one()
		w.finish(en, follow(prospect(1), "nurture"))
		ens := w.inSequence(en, "nurture")
		if len(ens) != 1 || ens[0].From != en.ID || ens[0].State != engine.Active || w.get(en.ID).State != engine.Finished {
			w.t.Fatalf("got %+v", ens)
		}
		w.same("its company", ens[0].Company, w.get(en.ID).Company)
		w.same("its first event", w.lastEvent(ens[0].ID).Kind, engine.EventEnrolled)
	}},
	{"nothing follows an enrollment that was stopped meanwhile", func(w *world) {
		en := w.one()
		t := touchOf(en)
		_, err := w.s.Prepare([]engine.Touch{t})
		w.must(err)
		_, err = w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, []engine.Touch{t})
		w.must(err)
		w.apply(monday, reply(en, "r@x"))
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday, Then: follow(prospect(1), "nurture")})
		w.same("followers", len(w.inSequence(en, "nurture")), 0)
	}},
	{"what may not follow is told instead", func(w *world) {
		first, second, third := prospect(1), prospect(2), prospect(3)
		ens := w.enroll(first, second, third, in(second, "nurture"))
		w.finish(ens[1], follow(second, "nurture"))
		w.same("why", w.lastEvent(ens[1].ID).Detail, map[string]string{"chain": "nurture", "why": engine.ErrEnrolled.Error()})
		w.same("enrolled once", len(w.inSequence(second, "nurture")), 1)
		f := &engine.Follow{Sequence: "nurture", Refused: "it has errors", At: monday}
		w.finish(ens[2], f)
		w.same("of a plan that failed", w.lastEvent(ens[2].ID).Detail, map[string]string{"chain": "nurture", "why": "it has errors"})
		_, err := w.s.Suppress(first.Address, "by hand", true, monday)
		w.must(err)
		_, err = w.s.Change([]string{ens[0].ID}, func(en engine.Enrollment) (engine.Enrollment, []engine.Event) {
			en.Reason, en.Then = engine.Lost, follow(first, "nurture")
			return en, nil
		})
		w.must(err)
		w.same("of somebody suppressed", w.lastEvent(ens[0].ID).Detail["why"], engine.ErrSuppressed.Error())
		w.same("nobody", len(w.inSequence(first, "nurture")), 0)
	}},
	{"an answer to what has finished ends what follows it, although nobody knew of that", func(w *world) {
		en := w.one()
		w.finish(en, follow(prospect(1), "nurture"))
		w.apply(monday.Add(day), reply(en, "r@x"))
		w.apply(monday.Add(2*day), reply(en, "r@x")) // seen again
		for _, sequence := range []string{"quote", "nurture"} {
			ens := w.inSequence(en, sequence)
			w.same(sequence, []any{ens[0].State, ens[0].Reason}, []any{engine.Stopped, engine.Replied})
		}
	}},
	{"what holds an enrollment that has finished holds what follows it", func(w *world) {
		en := w.one()
		w.finish(en, follow(prospect(1), "nurture"))
		w.apply(monday.Add(day), absence(en, "a@x", monday.Add(9*day)))
		ens := w.inSequence(en, "nurture")
		w.same("held", []any{ens[0].State, ens[0].Reason}, []any{engine.Held, engine.Absent})
	}},
	{"a sequence's mails of a day are counted for it", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2), in(prospect(3), "other"), prospect(4))
		touches := []engine.Touch{touchOf(ens[0]), touchOf(ens[1]), touchOf(ens[2])}
		_, err := w.s.Prepare(touches)
		w.must(err)
		_, err = w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, touches)
		w.must(err)
		w.settle(engine.Settlement{Touch: touches[0], Outcome: engine.Deferred, At: monday, Due: monday.Add(day)})
		counted := func(at string) int {
			w.t.Helper()
			due, err := w.s.Due(mailbox, monday.Add(day), at, 10)
			w.must(err)
			for _, c := range due {
				if c.Enrollment.ID == ens[3].ID {
					return c.SequenceToday
				}
			}
			w.t.Fatal("not due")
			return 0
		}
		w.same("today", counted(today), 1)
		w.same("tomorrow", counted("2026-11-24"), 0)
	}},
}
