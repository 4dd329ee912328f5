package storetest

import (
	"strings"

	"nudge/engine"
)

func (w *world) trust(mailbox string) engine.Trust {
	w.t.Helper()
	t, err := w.s.Trust(mailbox)
	w.must(err)
	return t
}

// found is the settlement of a step of an enrollment that lies in Sent.
func found(en engine.Enrollment, step, next string) engine.Settlement {
	return engine.Settlement{Outcome: engine.Sent, At: monday, Answer: "found in Sent", Next: next, Due: monday.Add(day),
		Touch: engine.Touch{Enrollment: en.ID, Step: step, Mailbox: en.Mailbox, Sequence: en.Sequence,
			Email: engine.Email{MessageID: en.ID + "." + step + "@lost.example", Subject: "Offert", Thread: engine.Thread{Anchor: en.ID + ".a@nudge.example", Subject: "Offert"}}}}
}

func (w *world) reconcile(r engine.Reconciliation) {
	w.t.Helper()
	r.Mailbox, r.At = mailbox, monday.Add(minute)
	w.must(w.s.Reconcile(r))
	w.verify()
}

var trustLaws = []law{
	{"a new state is trusted and has an instance", func(w *world) {
		w.claim(monday, w.one())
		t := w.trust(mailbox)
		if t.Instance == "" || t.Behind != "" || !t.AsOf.IsZero() || len(t.Former) != 0 || t.Copies != 0 {
			w.t.Errorf("trust %+v", t)
		}
		w.same("another mailbox's", w.trust("support").Instance, t.Instance)
	}},
	{"distrust of one mailbox leaves the others trusted, and there is a new instance", func(w *world) {
		w.one()
		was := w.trust(mailbox).Instance
		w.must(w.s.Distrust(mailbox, "a mail in Sent is not known", monday.Add(-day), monday))
		t := w.trust(mailbox)
		w.same("why", t.Behind, "a mail in Sent is not known")
		w.same("as of", t.AsOf, monday.Add(-day))
		if t.Instance == was || t.Instance == "" {
			w.t.Errorf("instance %q, was %q", t.Instance, was)
		}
		w.same("former", len(t.Former), 1)
		w.same("until", t.Former[was], monday)
		w.same("another mailbox", w.trust("support").Behind, "")
		w.same("history", w.kinds(""), []engine.EventKind{engine.EventEnrolled, engine.EventRestored})
	}},
	{"distrust of all concerns every mailbox that mail may have left from", func(w *world) {
		other := prospect(2)
		other.Mailbox = "support"
		w.enroll(prospect(1), other)
		w.must(w.s.Distrust("", "restored", monday, monday))
		for _, m := range []string{mailbox, "support"} {
			w.same("why", w.trust(m).Behind, "restored")
		}
		w.same("a mailbox that has nothing to do with it", w.trust("new").Behind, "")
	}},
	{"distrusting again keeps the reason, the earlier moment and the instance", func(w *world) {
		w.one()
		w.must(w.s.Distrust(mailbox, "first", monday, monday))
		was := w.trust(mailbox)
		w.must(w.s.Distrust(mailbox, "second", monday.Add(minute), monday.Add(minute)))
		w.same("trust", w.trust(mailbox), was)
		w.must(w.s.Distrust(mailbox, "third", monday.Add(-minute), monday.Add(2*minute)))
		was.AsOf = monday.Add(-minute)
		w.same("trust", w.trust(mailbox), was)
	}},
	{"who is enrolled in a state that was behind gets no id that may have been given", func(w *world) {
		first := w.one()
		w.must(w.s.Distrust("", "restored", monday, monday))
		second := w.enroll(prospect(2))[0]
		if second.ID <= first.ID[:len(first.ID)-1]+"z" {
			w.t.Errorf("ids %s and %s", first.ID, second.ID)
		}
	}},
	{"copies are counted, and ids that the provider gave are known", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		mine := w.claim(monday, ens[0])[0].Email.MessageID
		sweep := engine.Sweep{Mailbox: mailbox, At: monday, Copies: 2,
			Learned: map[string]string{"given@outlook.example": ens[0].ID, "nobody@x": "nobody", mine: ens[1].ID, "": ens[1].ID}}
		w.must(w.s.Apply(sweep))
		w.must(w.s.Apply(engine.Sweep{Mailbox: mailbox, At: monday, Copies: 1}))
		w.same("copies", w.trust(mailbox).Copies, 3)
		w.same("another mailbox's copies", w.trust("support").Copies, 0)
		known, err := w.s.Known([]string{"given@outlook.example", "nobody@x", mine}, nil)
		w.must(err)
		w.same("known", known.ByID, map[string]string{"given@outlook.example": ens[0].ID, mine: ens[0].ID})
	}},
	{"reconciling ends the distrust of its mailbox alone", func(w *world) {
		other := prospect(2)
		other.Mailbox = "support"
		w.enroll(prospect(1), other)
		w.must(w.s.Distrust("", "restored", monday, monday))
		instance := w.trust(mailbox).Instance
		w.reconcile(engine.Reconciliation{})
		w.same("behind", w.trust(mailbox).Behind, "")
		w.same("instance", w.trust(mailbox).Instance, instance)
		w.same("former", len(w.trust(mailbox).Former), 1)
		w.same("the other", w.trust("support").Behind, "restored")
	}},
	{"what was found in Sent is sent: step, thread, pace and whose answer it is", func(w *world) {
		ens := w.enroll(prospect(1), in(prospect(1), "invoice"))
		en := ens[0]
		s, s2 := found(en, "first", "second"), found(en, "second", "third")
		w.reconcile(engine.Reconciliation{Sent: []engine.Settlement{s, s2}})
		got := w.get(en.ID)
		w.same("steps", got.DoneSteps(), []string{"first", "second"})
		w.same("next", got.Next, "third")
		w.same("thread", got.Thread.IDs, []string{s.Touch.Email.MessageID, s2.Touch.Email.MessageID})
		known, err := w.s.Known([]string{s.Touch.Email.MessageID, s2.Touch.Email.MessageID}, nil)
		w.must(err)
		w.same("known", len(known.ByEnrollment), 1)
		w.same("pace", w.pace(today).Today, 2)
		w.same("contacts", len(w.candidate(ens[1].ID, monday.Add(day)).Contacts), 2)
		w.reconcile(engine.Reconciliation{Sent: []engine.Settlement{s, s2}})
		w.same("found again", w.get(en.ID), got)
		w.same("pace", w.pace(today).Today, 2)
	}},
	{"what was on its way to be sent is dropped when its enrollment's mail is found", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		w.prepare(ens[0])
		w.keep(ens[1])
		w.reconcile(engine.Reconciliation{Sent: []engine.Settlement{found(ens[0], "first", "second"), found(ens[1], "first", "second")}})
		for _, en := range ens {
			c := w.candidate(en.ID, monday.Add(2*day))
			if c.OpenTouch || c.Kept != nil || c.Enrollment.Next != "second" {
				w.t.Errorf("open %v, kept %v, next %s", c.OpenTouch, c.Kept, c.Enrollment.Next)
			}
		}
	}},
	{"a touch in doubt that is found is settled, under whichever id", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		t := w.doubt(monday, ens[0])
		w.doubt(monday, ens[1])
		s := found(ens[0], "first", "second")
		s.Touch.Email.MessageID = t.Email.MessageID
		w.reconcile(engine.Reconciliation{Sent: []engine.Settlement{s, found(ens[1], "first", "second")}})
		w.same("doubts", w.doubts(), []engine.Touch{})
		w.same("counts", w.counts(), engine.Counts{Active: 2})
		for _, en := range ens {
			w.same("steps", w.get(en.ID).DoneSteps(), []string{"first"})
		}
		w.same("pace", w.pace(today).Today, 2)
		known, err := w.s.Known([]string{found(ens[1], "first", "").Touch.Email.MessageID}, nil)
		w.must(err)
		w.same("known by the provider's id", len(known.ByID), 1)
	}},
	{"a touch in doubt counts as sent when a later step is found", func(w *world) {
		en := w.one()
		w.doubt(monday, en)
		w.reconcile(engine.Reconciliation{Sent: []engine.Settlement{found(en, "second", "third")}})
		got := w.get(en.ID)
		w.same("steps", got.DoneSteps(), []string{"first", "second"})
		w.same("assumed", got.Done[0].Assumed, true)
		w.same("next", got.Next, "third")
		w.same("counts", w.counts(), engine.Counts{Active: 1})
	}},
	{"whoever ended meanwhile stays ended, and what was sent to them is remembered", func(w *world) {
		en := w.one()
		w.apply(monday, reply(en, "r@x"))
		ended := w.get(en.ID)
		s := found(en, "first", "second")
		w.reconcile(engine.Reconciliation{Sent: []engine.Settlement{s}, Holds: []string{en.ID}})
		got := w.get(en.ID)
		w.same("steps", got.DoneSteps(), []string{"first"})
		w.same("pace", w.pace(today).Today, 1)
		got.Done, got.Thread, got.Version = ended.Done, ended.Thread, ended.Version
		w.same("enrollment otherwise", got, ended)
		known, err := w.s.Known([]string{s.Touch.Email.MessageID}, nil)
		w.must(err)
		w.same("known", known.ByID, map[string]string{s.Touch.Email.MessageID: en.ID})
	}},
	{"another mail of ours in Sent is known from then on, whoever it went to", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		w.apply(monday, reply(ens[1], "r@x"))
		mine := w.claim(monday, ens[0])[0].Email.MessageID
		w.reconcile(engine.Reconciliation{Learned: map[string]string{"given1@outlook.example": ens[0].ID, "given2@outlook.example": ens[1].ID,
			mine: ens[1].ID, "nobody@x": "nobody", "": ens[0].ID}})
		known, err := w.s.Known([]string{"given1@outlook.example", "given2@outlook.example", mine, "nobody@x"}, nil)
		w.must(err)
		w.same("known", known.ByID, map[string]string{"given1@outlook.example": ens[0].ID, "given2@outlook.example": ens[1].ID, mine: ens[0].ID})
	}},
	{"holds those of whom nobody can tell, whatever moved since, and says so", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2), prospect(3))
		w.apply(monday, absence(ens[1], "a@x", monday.Add(day)))
		question := effect(ens[2], "b@x", engine.EventUnsure)
		question.To, question.Reason = engine.Held, engine.Unsure
		w.apply(monday, question)
		w.reconcile(engine.Reconciliation{Holds: []string{ens[0].ID, ens[1].ID, ens[2].ID, "nobody"}})
		for _, en := range ens {
			got := w.get(en.ID)
			if got.State != engine.Held || got.Reason != engine.Restored || !got.HeldUntil.IsZero() {
				w.t.Errorf("%s is %s (%s, %s)", en.ID, got.State, got.Reason, got.Detail)
			}
			kinds := w.kinds(en.ID)
			w.same("last event", kinds[len(kinds)-1], engine.EventHeld)
		}
		if got := w.get(ens[2].ID).Detail; !strings.HasSuffix(got, "; and it waited before: unsure") {
			w.t.Errorf("one about whom a person is asked already: %q", got)
		}
	}},
	{"a stranger's mail is ours, belongs to nobody, and is told once", func(w *world) {
		en := w.one()
		t := w.claim(monday, en)[0]
		strangers := []engine.Stranger{{MessageID: "s@nudge.example", To: "lost@kund.example", At: monday}, {MessageID: t.Email.MessageID, To: "p1@x"}, {}}
		for range 2 {
			w.reconcile(engine.Reconciliation{Strangers: strangers})
		}
		known, err := w.s.Known([]string{"s@nudge.example", "other@x", t.Email.MessageID}, nil)
		w.must(err)
		w.same("by id", known.ByID, map[string]string{"s@nudge.example": "", t.Email.MessageID: en.ID})
		w.same("by enrollment", len(known.ByEnrollment), 1)
		events, err := w.s.Events("", 0, 100)
		w.must(err)
		told := 0
		for _, ev := range events {
			if ev.Kind == engine.EventRestored {
				told++
				w.same("address", ev.Address, "lost@kund.example")
				w.same("id", ev.MessageID, "s@nudge.example")
			}
		}
		w.same("told", told, 1)
		w.same("pace", w.pace(today).Today, 2)
		again := prospect(1)
		again.Sequence, again.Address, again.Key = "invoice", "lost@kund.example", "lost@kund.example"
		c := w.candidate(w.enroll(again)[0].ID, monday.Add(day))
		w.same("contacts", len(c.Contacts), 1)
	}},
}
