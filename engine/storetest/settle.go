package storetest

import (
	"bytes"

	"nudge/engine"
)

var settleLaws = []law{
	{"sent goes on to the next step", func(w *world) {
		en := w.one()
		t := w.claim(monday, en)[0]
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday, Answer: "250 ok", Next: "second", Due: monday.Add(3 * day)})
		got := w.get(en.ID)
		w.same("done", got.Done, []engine.Done{{Step: "first", At: monday, Outcome: engine.Sent, MessageID: t.Email.MessageID}})
		w.same("thread", got.Thread, t.Email.Thread)
		w.same("due before", w.due(monday.Add(3*day-minute)), []string{})
		c := w.candidate(en.ID, monday.Add(3*day))
		if c.OpenTouch || c.Enrollment.Next != "second" || c.Enrollment.Version <= en.Version {
			w.t.Errorf("open %v, next %s, version %d", c.OpenTouch, c.Enrollment.Next, c.Enrollment.Version)
		}
		w.same("pace", w.pace(today), engine.Pace{Today: 1, LastAt: monday})
		w.same("history", w.kinds(en.ID), []engine.EventKind{engine.EventEnrolled, engine.EventClaimed, engine.EventSent})
	}},
	{"the variant of the first mail is kept, and history says which words went out", func(w *world) {
		en := w.one()
		t := touchOf(en)
		t.Email.Variant, t.Email.Words = "B", "0123456789ab"
		errs, err := w.s.Prepare([]engine.Touch{t})
		w.must(err)
		w.must(errs[0])
		_, err = w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, []engine.Touch{t})
		w.must(err)
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Unknown, At: monday})
		f := effect(en, t.Email.MessageID, engine.EventNoted) // the memory alone knows the touch by now
		f.Sent = &engine.Settlement{Touch: engine.Touch{Email: engine.Email{MessageID: t.Email.MessageID}},
			Outcome: engine.Sent, At: monday, Next: "second", Due: monday.Add(day)}
		w.apply(monday, f)
		w.same("variant", w.get(en.ID).Variant, "B")
		events, err := w.s.Events(en.ID, 0, 100)
		w.must(err)
		for _, ev := range events {
			if ev.Kind == engine.EventSent {
				w.same("history", []string{ev.Detail["variant"], ev.Detail["words"]}, []string{"B", "0123456789ab"})
			}
		}
	}},
	{"sent with no step left finishes", func(w *world) {
		en := w.one()
		w.settle(engine.Settlement{Touch: w.claim(monday, en)[0], Outcome: engine.Sent, At: monday})
		w.same("counts", w.counts(), engine.Counts{Finished: 1})
		w.same("due", w.due(monday.Add(365*day)), []string{})
	}},
	{"what did not leave is not counted", func(w *world) {
		later := monday.Add(60 * minute)
		for i, s := range []engine.Settlement{
			{Outcome: engine.Deferred, Due: later, Attempts: 1},
			{Outcome: engine.Deferred, Hold: engine.Undelivered},
			{Outcome: engine.Refusal, Hold: engine.Refused},
			{Outcome: engine.Refusal, Stop: engine.Bounced},
		} {
			en := w.enroll(prospect(i))[0]
			other := w.enroll(in(prospect(i), "invoice"))[0]
			s.Touch, s.At = w.claim(monday, en)[0], monday
			w.same("pace", w.pace(today).Today, 1)
			w.settle(s)
			w.same("pace", w.pace(today).Today, 0)
			c := w.candidate(other.ID, later)
			w.same("domain", c.DomainToday, 0)
			w.same("contacts", c.Contacts, []engine.Contact{})
		}
		w.same("counts", w.counts(), engine.Counts{Active: 5, Held: 2, Stopped: 1})
	}},
	{"a refusal at RCPT, which no counter counts yet, gives nothing back", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		w.claim(monday, ens[0])
		t := w.prepare(ens[1])[0]
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Refusal, At: monday, Stop: engine.Bounced, Suppress: true})
		w.same("pace", w.pace(today).Today, 1)
		w.same("state", w.get(ens[1].ID).State, engine.Stopped)
	}},
	{"a bad recipient is suppressed, and stops in all sequences", func(w *world) {
		ens := w.enroll(prospect(1), in(prospect(1), "invoice"))
		w.settle(engine.Settlement{Touch: w.claim(monday, ens[0])[0], Outcome: engine.Refusal, At: monday, Stop: engine.Bounced, Suppress: true})
		w.same("own reason", w.get(ens[0].ID).Reason, engine.Bounced)
		w.same("other reason", w.get(ens[1].ID).Reason, engine.Suppressed)
		list, err := w.s.Suppressions()
		w.must(err)
		w.same("suppressions", list, []engine.Suppression{{Target: prospect(1).Key, Why: string(engine.Bounced), At: monday}})
	}},
	{"unknown keeps the touch in doubt, with its bytes", func(w *world) {
		en := w.one()
		t := w.doubt(monday, en)
		got := w.doubts()
		if len(got) != 1 || got[0].Phase != engine.Doubtful || got[0].Doubt != "connection lost" || !got[0].ClaimedAt.Equal(monday) {
			w.t.Fatalf("doubts: %+v", got)
		}
		if !bytes.Equal(got[0].Email.Raw, t.Email.Raw) {
			w.t.Errorf("bytes %q, want %q", got[0].Email.Raw, t.Email.Raw)
		}
		w.same("counts", w.counts(), engine.Counts{Held: 1, InDoubt: 1})
		w.same("due", w.due(monday.Add(365*day)), []string{})
		w.same("pace", w.pace(today).Today, 1)
	}},
	{"a doubt that a person counts as sent goes on", func(w *world) {
		en := w.one()
		t := w.doubt(monday, en)
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday, Next: "second", Due: monday.Add(day)})
		w.same("doubts", w.doubts(), []engine.Touch{})
		w.same("counts", w.counts(), engine.Counts{Active: 1})
		w.same("pace", w.pace(today).Today, 1)
		w.same("due", w.due(monday.Add(day)), []string{en.ID})
	}},
	{"a doubt that a person sends again is due, as another mail", func(w *world) {
		en := w.one()
		t := w.doubt(monday, en)
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Deferred, At: monday, Due: monday, Resend: true})
		got := w.get(en.ID)
		if got.State != engine.Active || got.Resends != 1 || got.Next != "first" {
			w.t.Errorf("state %s, %d resends, next %s", got.State, got.Resends, got.Next)
		}
		w.claim(monday, got)
		w.same("pace", w.pace(today).Today, 1)
	}},
	{"a reply while the mail was on its way is kept", func(w *world) {
		en := w.one()
		t := w.claim(monday, en)[0]
		w.apply(monday, reply(en, "r@x"))
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday, Next: "second", Due: monday})
		got := w.get(en.ID)
		if got.State != engine.Stopped || got.Reason != engine.Replied || got.Touches() != 1 {
			w.t.Errorf("state %s (%s) with %d touches", got.State, got.Reason, got.Touches())
		}
		w.same("counts", w.counts(), engine.Counts{Stopped: 1, Replied: 1})
	}},
	{"a touch that is not open any more, or is another one, is left as it is", func(w *world) {
		en := w.one()
		t := w.claim(monday, en)[0]
		s := engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday, Next: "second", Due: monday}
		w.settle(s)
		once := w.get(en.ID)
		w.settle(s)
		w.same("settled again", w.get(en.ID), once)
		w.prepare(once)
		w.settle(s)
		w.same("settled while the next one is open", w.get(en.ID), once)
		w.same("open", w.candidate(en.ID, monday).OpenTouch, true)
	}},
	{"doubts are listed oldest first", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2), prospect(3))
		w.doubt(monday.Add(2*minute), ens[0])
		w.doubt(monday.Add(3*minute), ens[1])
		w.doubt(monday.Add(minute), ens[2])
		var ids []string
		for _, t := range w.doubts() {
			ids = append(ids, t.Enrollment)
		}
		w.same("doubts", ids, []string{ens[2].ID, ens[0].ID, ens[1].ID})
	}},
}

var recoverLaws = []law{
	{"forgets what was prepared, and doubts what was being sent", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		w.prepare(ens[0])
		t := w.claim(monday, ens[1])[0]
		got, err := w.s.Recover(mailbox, monday.Add(minute))
		w.must(err)
		if len(got) != 1 || got[0].Enrollment != ens[1].ID || got[0].Phase != engine.Doubtful || !bytes.Equal(got[0].Email.Raw, t.Email.Raw) {
			w.t.Errorf("doubts: %+v", got)
		}
		w.same("listed", w.doubts(), got)
		w.same("open", w.candidate(ens[0].ID, monday.Add(minute)).OpenTouch, false)
		w.same("counts", w.counts(), engine.Counts{Active: 1, Held: 1, InDoubt: 1})
		w.same("reason", w.get(ens[1].ID).Reason, engine.InDoubt)
		w.same("pace", w.pace(today).Today, 1)
	}},
	{"leaves doubts as they are, and other mailboxes alone", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		w.doubt(monday, ens[0])
		w.prepare(ens[1])
		other := prospect(3)
		other.Mailbox = "support"
		w.prepare(w.enroll(other)...)
		before := w.get(ens[0].ID)
		for range 2 {
			got, err := w.s.Recover(mailbox, monday.Add(minute))
			w.must(err)
			w.same("new doubts", got, []engine.Touch{})
		}
		w.same("the doubt", w.get(ens[0].ID), before)
		support, err := w.s.Due("support", monday.Add(day), today, 10)
		w.must(err)
		w.same("open", support[0].OpenTouch, true)
	}},
	{"a stopped enrollment stays stopped, and its touch is still a doubt", func(w *world) {
		en := w.one()
		w.claim(monday, en)
		w.apply(monday, reply(en, "r@x"))
		got, err := w.s.Recover(mailbox, monday)
		w.must(err)
		w.same("doubts", len(got), 1)
		w.same("counts", w.counts(), engine.Counts{Stopped: 1, Replied: 1, InDoubt: 1})
	}},
}

var releaseLaws = []law{
	{"makes active again what was held until now, and nothing else", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2), prospect(3))
		other := prospect(4)
		other.Mailbox = "support"
		ens = append(ens, w.enroll(other)...)
		w.apply(monday, absence(ens[0], "a@x", monday.Add(day)), absence(ens[1], "b@x", monday.Add(2*day)),
			absence(ens[2], "c@x", monday.Add(minute)), absence(ens[3], "d@x", monday.Add(day)))
		n, err := w.s.Release(mailbox, monday.Add(day))
		w.must(err)
		w.same("released", n, 2)
		w.same("due", w.due(monday.Add(day)), []string{ens[2].ID, ens[0].ID})
		w.same("looked at when its hold ended", w.get(ens[0].ID).Look, monday.Add(day))
		w.same("looked at when its step is due, which is later", w.get(ens[2].ID).Look, ens[2].Due)
		w.same("counts", w.counts(), engine.Counts{Active: 2, Held: 2})
		next, err := w.s.NextLook(mailbox)
		w.must(err)
		w.same("next look", next, ens[2].Due)
		n, err = w.s.Release(mailbox, monday.Add(day))
		w.must(err)
		w.same("released again", n, 0)
	}},
	{"never releases what waits for a person", func(w *world) {
		en := w.one()
		w.apply(monday, absence(en, "a@x", monday))
		question := effect(en, "b@x", engine.EventUnsure)
		question.To, question.Reason = engine.Held, engine.Unsure
		w.apply(monday, question)
		n, err := w.s.Release(mailbox, monday.Add(365*day))
		w.must(err)
		w.same("released", n, 0)
	}},
}
