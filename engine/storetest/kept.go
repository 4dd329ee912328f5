package storetest

import (
	"bytes"

	"nudge/engine"
)

// keep claims the next email of an enrollment, which is then refused for the
// time being and goes again as it is.
func (w *world) keep(en engine.Enrollment) engine.Touch {
	w.t.Helper()
	t := w.claim(monday, en)[0]
	w.settle(engine.Settlement{Touch: t, Outcome: engine.Deferred, At: monday, Due: monday.Add(minute), Attempts: 1, Keep: true})
	return t
}

// again is a Kept touch made ready for its next attempt.
func (w *world) again(id string) engine.Touch {
	w.t.Helper()
	c := w.candidate(id, monday.Add(day))
	if c.Kept == nil {
		w.t.Fatalf("%s has no touch that is kept", id)
	}
	t := *c.Kept
	t.Version = c.Enrollment.Version
	return t
}

// isKept says whether an enrollment that is due has a touch that goes again.
func (w *world) isKept(id string) bool {
	w.t.Helper()
	return w.candidate(id, monday.Add(day)).Kept != nil
}

// forgotten tests that the Kept touch of an enrollment is not there any more:
// nothing can be prepared from it.
func (w *world) forgotten(t engine.Touch) {
	w.t.Helper()
	t.Again = true
	errs, err := w.s.Prepare([]engine.Touch{t})
	w.must(err)
	w.same("prepared again", errs, []error{engine.ErrEnded})
}

var keptLaws = []law{
	{"a touch that is kept is not open, not counted, and there with its bytes", func(w *world) {
		en := w.one()
		t := w.keep(en)
		c := w.candidate(en.ID, monday.Add(minute))
		if c.OpenTouch || c.Kept == nil {
			w.t.Fatalf("open %v, kept %v", c.OpenTouch, c.Kept)
		}
		if k := c.Kept; k.Phase != engine.Kept || !k.Again || !k.ClaimedAt.IsZero() || !bytes.Equal(k.Email.Raw, t.Email.Raw) {
			w.t.Errorf("kept %+v", k)
		}
		w.same("pace", w.pace(today).Today, 0)
		w.same("contacts", c.Contacts, []engine.Contact{})
		w.same("attempts", c.Enrollment.Attempts, 1)
		w.same("doubts", w.doubts(), []engine.Touch{})
	}},
	{"it is taken up as it is, whatever bytes it is given", func(w *world) {
		en := w.one()
		t := w.keep(en)
		next := w.again(en.ID)
		next.Email.Raw, next.Email.Subject = []byte("other bytes"), "Another subject"
		errs, err := w.s.Prepare([]engine.Touch{next})
		w.must(err)
		w.same("errors", errs, []error{nil})
		w.same("open", w.candidate(en.ID, monday.Add(day)).OpenTouch, true)
		errs, err = w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday.Add(minute)}, []engine.Touch{next})
		w.must(err)
		w.same("errors", errs, []error{nil})
		w.settle(engine.Settlement{Touch: next, Outcome: engine.Unknown, At: monday.Add(minute)})
		d := w.doubts()[0]
		w.same("bytes", d.Email.Raw, t.Email.Raw)
		w.same("subject", d.Email.Subject, t.Email.Subject)
		w.same("again", d.Again, true)
	}},
	{"a new touch replaces it", func(w *world) {
		en := w.one()
		w.keep(en)
		next := touchOf(w.get(en.ID))
		next.Email.Raw = []byte("Message-ID: <new>\r\n\r\nHej igen!\r\n")
		errs, err := w.s.Prepare([]engine.Touch{next})
		w.must(err)
		w.same("errors", errs, []error{nil})
		errs, err = w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, []engine.Touch{next})
		w.must(err)
		w.same("errors", errs, []error{nil})
		w.settle(engine.Settlement{Touch: next, Outcome: engine.Unknown, At: monday})
		w.same("bytes", w.doubts()[0].Email.Raw, next.Email.Raw)
		w.same("again", w.doubts()[0].Again, false)
	}},
	{"nothing goes again that is not kept, or under another Message-ID", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		t := touchOf(ens[0])
		t.Again = true
		w.keep(ens[1])
		other := w.again(ens[1].ID)
		other.Email.MessageID = "other@nudge.example"
		errs, err := w.s.Prepare([]engine.Touch{t, other})
		w.must(err)
		w.same("errors", errs, []error{engine.ErrEnded, engine.ErrEnded})
		w.same("still kept", w.isKept(ens[1].ID), true)
	}},
	{"withdrawn, it is kept again", func(w *world) {
		en := w.one()
		w.keep(en)
		t := w.again(en.ID)
		_, err := w.s.Prepare([]engine.Touch{t})
		w.must(err)
		w.must(w.s.Withdraw([]engine.Postponement{{Enrollment: en.ID, Version: t.Version, Look: monday.Add(2 * minute)}}))
		w.same("kept", w.isKept(en.ID), true)
		w.same("looked at", w.get(en.ID).Look, monday.Add(2*minute))
	}},
	{"interrupted before its claim, it is kept again; after it, it is in doubt", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		for _, en := range ens {
			w.keep(en)
		}
		touches := []engine.Touch{w.again(ens[0].ID), w.again(ens[1].ID)}
		_, err := w.s.Prepare(touches)
		w.must(err)
		_, err = w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, touches[1:])
		w.must(err)
		doubts, err := w.s.Recover(mailbox, monday.Add(minute))
		w.must(err)
		w.same("kept", w.isKept(ens[0].ID), true)
		if len(doubts) != 1 || doubts[0].Enrollment != ens[1].ID {
			w.t.Errorf("doubts %+v", doubts)
		}
		doubts, err = w.s.Recover(mailbox, monday.Add(minute))
		w.must(err)
		w.same("doubts again", doubts, []engine.Touch{})
		w.same("kept", w.isKept(ens[0].ID), true)
	}},
	{"refused at its claim, it is kept again unless its enrollment has ended", func(w *world) {
		ens := w.enroll(prospect(1), in(prospect(2), "invoice"), prospect(3))
		var touches []engine.Touch
		for _, en := range ens {
			w.keep(en)
			touches = append(touches, w.again(en.ID))
		}
		_, err := w.s.Prepare(touches)
		w.must(err)
		w.pause(engine.Scope{Sequence: "invoice"}, true)
		_, err = w.s.Suppress(prospect(3).Key, "asked to", true, monday)
		w.must(err)
		errs, err := w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday, Effects: []engine.Effect{reply(ens[0], "r@x")}}, touches)
		w.must(err)
		w.same("errors", errs, []error{engine.ErrEnded, engine.ErrEnded, engine.ErrSuppressed})
		w.pause(engine.Scope{Sequence: "invoice"}, false)
		w.same("kept", w.isKept(ens[1].ID), true)
		w.forgotten(touches[0])
		w.forgotten(touches[2])
		w.same("pace", w.pace(today).Today, 0)
	}},
	{"it is forgotten when its enrollment ends, however that comes", func(w *world) {
		for i, end := range []func(en engine.Enrollment){
			func(en engine.Enrollment) { w.apply(monday, reply(en, "r@x")) },
			func(en engine.Enrollment) { _, err := w.s.Change([]string{en.ID}, stopByHand); w.must(err) },
			func(en engine.Enrollment) { _, err := w.s.Suppress(en.Key, "asked to", true, monday); w.must(err) },
			func(en engine.Enrollment) {
				_, err := w.s.Change([]string{en.ID}, func(en engine.Enrollment) (engine.Enrollment, []engine.Event) { return en.Finish(monday) })
				w.must(err)
			},
		} {
			en := w.enroll(prospect(i))[0]
			w.keep(en)
			t := w.again(en.ID)
			end(en)
			w.same("ended", w.get(en.ID).Ended(), true)
			w.forgotten(t)
			w.verify()
		}
	}},
	{"it is not kept where a reply ended its enrollment meanwhile", func(w *world) {
		en := w.one()
		t := w.claim(monday, en)[0]
		w.apply(monday, reply(en, "r@x"))
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Deferred, At: monday, Due: monday, Keep: true})
		w.forgotten(t)
	}},
	{"a doubt that turns out not to have left goes again; one that a person sends again does not", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		t, u := w.doubt(monday, ens[0]), w.doubt(monday, ens[1])
		w.must(w.s.Looked([]engine.Touch{w.doubts()[0]}))
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Deferred, At: monday, Due: monday, Keep: true},
			engine.Settlement{Touch: u, Outcome: engine.Deferred, At: monday, Due: monday, Keep: true, Resend: true})
		w.same("counts", w.counts(), engine.Counts{Active: 2})
		k := w.again(ens[0].ID)
		if k.Looks != 0 || !k.DoubtAt.IsZero() || k.Doubt != "" {
			w.t.Errorf("kept with its doubt: %+v", k)
		}
		w.same("sent by hand", w.isKept(ens[1].ID), false)
	}},
	{"settling it once more changes nothing", func(w *world) {
		en := w.one()
		t := w.keep(en)
		before := w.get(en.ID)
		for _, outcome := range []engine.Outcome{engine.Sent, engine.Unknown, engine.Deferred} {
			w.settle(engine.Settlement{Touch: t, Outcome: outcome, At: monday, Next: "second", Due: monday})
		}
		w.same("enrollment", w.get(en.ID), before)
		w.same("kept", w.isKept(en.ID), true)
	}},
	{"its copy seen in Sent settles it as sent, and counts it", func(w *world) {
		en := w.one()
		t := w.keep(en)
		f := effect(en, t.Email.MessageID, engine.EventNoted)
		f.Sent = &engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday, Next: "second", Due: monday.Add(minute)}
		touches := []engine.Touch{w.again(en.ID)}
		_, err := w.s.Prepare(touches)
		w.must(err)
		errs, err := w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday, Effects: []engine.Effect{f}}, touches)
		w.must(err)
		w.same("errors", errs, []error{engine.ErrEnded})
		w.same("next", w.get(en.ID).Next, "second")
		w.same("kept", w.isKept(en.ID), false)
		w.same("pace", w.pace(today).Today, 1)
	}},
}

var doubtLaws = []law{
	{"a touch is in doubt since the outcome became unknown", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		t := w.claim(monday, ens[0])[0]
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Unknown, At: monday.Add(minute)})
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Unknown, At: monday.Add(5 * minute)})
		w.claim(monday.Add(2*minute), ens[1])
		_, err := w.s.Recover(mailbox, monday.Add(3*minute))
		w.must(err)
		d := w.doubts()
		w.same("since", d[0].DoubtAt, monday.Add(minute))
		w.same("since, when interrupted", d[1].DoubtAt, monday.Add(3*minute))
	}},
	{"looks in vain are counted, each once", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		w.doubt(monday, ens[0])
		w.claim(monday, ens[1])
		first := w.doubts()[0]
		other := first
		other.Email.MessageID = "other@x"
		nobody := first
		nobody.Enrollment = "nobody"
		sending := first
		sending.Enrollment, sending.Email.MessageID = ens[1].ID, touchOf(ens[1]).Email.MessageID
		for range 2 {
			w.must(w.s.Looked([]engine.Touch{first, other, nobody, sending}))
		}
		w.same("looks", w.doubts()[0].Looks, 1)
		w.must(w.s.Looked(w.doubts()))
		w.same("looks", w.doubts()[0].Looks, 2)
		w.must(w.s.Looked(nil))
		doubts, err := w.s.Recover(mailbox, monday)
		w.must(err)
		w.same("looks of the one that was being sent", doubts[0].Looks, 0)
	}},
	{"what counts as sent says so", func(w *world) {
		en := w.one()
		t := w.doubt(monday, en)
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday, Next: "second", Due: monday, Assumed: true})
		w.same("assumed", w.get(en.ID).Done[0].Assumed, true)
	}},
}
