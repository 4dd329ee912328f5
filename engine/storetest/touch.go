package storetest

import (
	"nudge/engine"
)

var prepareLaws = []law{
	{"makes the touch open, its enrollment stays due, and its ids are known", func(w *world) {
		en := w.one()
		t := w.prepare(en)[0]
		c := w.candidate(en.ID, monday.Add(minute))
		if !c.OpenTouch {
			w.t.Error("no touch is open")
		}
		w.same("enrollment", c.Enrollment, en)
		known, err := w.s.Known([]string{t.Email.MessageID, t.Email.Thread.Anchor, "other@x", ""}, nil)
		w.must(err)
		w.same("by id", known.ByID, map[string]string{t.Email.MessageID: en.ID, t.Email.Thread.Anchor: en.ID})
		w.same("by enrollment", known.ByEnrollment, map[string]engine.Enrollment{en.ID: en})
		w.same("pace", w.pace(today), engine.Pace{})
	}},
	{"refuses one that is gone, not active, or has an open touch, and keeps the others", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2), prospect(3))
		w.prepare(ens[0])
		w.apply(monday, reply(ens[1], "r@x"))
		gone := ens[0]
		gone.ID = "nobody"
		errs, err := w.s.Prepare([]engine.Touch{touchOf(ens[0]), touchOf(ens[1]), touchOf(gone), touchOf(ens[2])})
		w.must(err)
		w.same("errors", errs, []error{engine.ErrEnded, engine.ErrEnded, engine.ErrEnded, nil})
	}},
	{"a touch that was withdrawn can be prepared again", func(w *world) {
		en := w.one()
		w.prepare(en)
		w.must(w.s.Withdraw([]engine.Postponement{{Enrollment: en.ID, Version: en.Version, Look: monday.Add(day)}}))
		en = w.get(en.ID)
		w.same("looked at", en.Look, monday.Add(day))
		w.prepare(en)
	}},
	{"withdrawing when nothing is told leaves the enrollment alone", func(w *world) {
		en := w.one()
		w.prepare(en)
		w.must(w.s.Withdraw([]engine.Postponement{{Enrollment: en.ID, Version: en.Version}}))
		w.same("enrollment", w.get(en.ID), en)
		w.same("open", w.candidate(en.ID, monday.Add(minute)).OpenTouch, false)
	}},
	{"a claimed touch cannot be withdrawn", func(w *world) {
		en := w.one()
		w.claim(monday, en)
		w.must(w.s.Withdraw([]engine.Postponement{{Enrollment: en.ID, Version: en.Version, Look: monday.Add(day)}}))
		w.same("open", w.candidate(en.ID, monday.Add(minute)).OpenTouch, true)
		w.same("enrollment", w.get(en.ID), en)
	}},
}

var postponeLaws = []law{
	{"changes when it is looked at, with its attempts and events", func(w *world) {
		en := w.one()
		p := engine.Postponement{Enrollment: en.ID, Version: en.Version, Look: monday.Add(day), Attempts: 2, TriedAt: monday,
			Events: []engine.Event{{At: monday, Kind: engine.EventDeferred, Enrollment: en.ID}}}
		w.must(w.s.Postpone([]engine.Postponement{p}))
		want := en.Postponed(p)
		want.Version = en.Version + 1
		w.same("enrollment", w.get(en.ID), want)
		w.same("due before", w.due(monday.Add(day-minute)), []string{})
		w.same("due", w.due(monday.Add(day)), []string{en.ID})
		w.same("history", w.kinds(en.ID), []engine.EventKind{engine.EventEnrolled, engine.EventDeferred})
	}},
	{"holds", func(w *world) {
		en := w.one()
		w.must(w.s.Postpone([]engine.Postponement{{Enrollment: en.ID, Version: en.Version, Hold: engine.MissingField, Detail: "company"}}))
		w.same("due", w.due(monday.Add(365*day)), []string{})
		w.same("counts", w.counts(), engine.Counts{Held: 1})
		if got := w.get(en.ID); got.Reason != engine.MissingField || got.Detail != "company" {
			w.t.Errorf("held for %s: %s", got.Reason, got.Detail)
		}
	}},
	{"moves on to the step that really comes next", func(w *world) {
		en := w.one()
		w.must(w.s.Postpone([]engine.Postponement{{Enrollment: en.ID, Version: en.Version, Look: monday.Add(day), Next: "second", Due: monday.Add(day)}}))
		w.same("next", w.get(en.ID).Next, "second")
		w.same("due", w.get(en.ID).Due, monday.Add(day))
	}},
	{"leaves alone what moved or is not active any more", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		w.apply(monday, reply(ens[1], "r@x"))
		stopped := w.get(ens[1].ID)
		ev := []engine.Event{{At: monday, Kind: engine.EventDeferred}}
		w.must(w.s.Postpone([]engine.Postponement{
			{Enrollment: ens[0].ID, Version: ens[0].Version + 1, Look: monday.Add(day), Events: ev},
			{Enrollment: stopped.ID, Version: stopped.Version, Look: monday.Add(day), Events: ev},
			{Enrollment: "nobody", Version: 1, Look: monday.Add(day), Events: ev},
		}))
		w.same("moved", w.get(ens[0].ID), ens[0])
		w.same("stopped", w.get(ens[1].ID), stopped)
		w.same("history", len(w.kinds("")), 4)
	}},
}

var claimLaws = []law{
	{"takes the touch and counts it for the mailbox, the domain and the person", func(w *world) {
		ens := w.enroll(prospect(1), in(prospect(1), "invoice"))
		w.claim(monday, ens[0])
		w.same("pace", w.pace(today), engine.Pace{Today: 1, LastAt: monday})
		w.same("pace of yesterday", w.pace("2026-11-22"), engine.Pace{LastAt: monday})
		c := w.candidate(ens[1].ID, monday.Add(minute))
		w.same("domain", c.DomainToday, 1)
		w.same("contacts", c.Contacts, []engine.Contact{{At: monday, Sequence: "quote"}})
		w.same("enrollment", w.get(ens[0].ID), ens[0])
		w.same("history", w.kinds(ens[0].ID), []engine.EventKind{engine.EventEnrolled, engine.EventClaimed})
	}},
	{"counts on the day of the sweep in the sweep's own time zone", func(w *world) {
		late := monday.Add(14*60*minute + 30*minute) // 23:30 in the mailbox's zone is still the same day
		en := w.one()
		w.claim(late, en)
		w.same("today", w.pace(today).Today, 1)
		next := w.enroll(prospect(2))[0]
		w.claim(late.Add(60*minute), next)
		w.same("today", w.pace(today).Today, 1)
		w.same("tomorrow", w.pace("2026-11-24").Today, 1)
	}},
	{"applies the sweep first: a reply in it withholds the touch", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		touches := w.prepare(ens...)
		cursor := engine.Cursor{Folders: map[string]engine.FolderCursor{"INBOX": {UIDValidity: 1, UIDNext: 8}}}
		errs, err := w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday, Cursor: cursor, Effects: []engine.Effect{reply(ens[0], "r@x")}}, touches)
		w.must(err)
		w.same("errors", errs, []error{engine.ErrEnded, nil})
		w.same("state", w.get(ens[0].ID).State, engine.Stopped)
		w.same("pace", w.pace(today).Today, 1)
		got, err := w.s.Cursor(mailbox)
		w.must(err)
		w.same("cursor", got.Folders, cursor.Folders)
	}},
	{"refuses a suppressed address and whoever moved, and forgets the intent", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		touches := w.prepare(ens...)
		_, err := w.s.Suppress("@kund1.example", "asked to", true, monday)
		w.must(err)
		w.must(w.s.Postpone([]engine.Postponement{{Enrollment: ens[1].ID, Version: ens[1].Version, Look: monday}}))
		errs, err := w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, touches)
		w.must(err)
		w.same("errors", errs, []error{engine.ErrSuppressed, engine.ErrEnded})
		w.same("open", w.candidate(ens[1].ID, monday).OpenTouch, false)
		w.same("pace", w.pace(today), engine.Pace{})
	}},
	{"refuses what a pause covers", func(w *world) {
		for i, scope := range []engine.Scope{{}, {Mailbox: mailbox}, {Sequence: "quote"}, {Person: prospect(3).Key}} {
			en := w.enroll(prospect(i))[0]
			touches := w.prepare(en)
			_, err := w.s.Pause(scope, true, "", monday)
			w.must(err)
			errs, err := w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, touches)
			w.must(err)
			w.same("errors", errs, []error{engine.ErrEnded})
			_, err = w.s.Pause(scope, false, "", monday)
			w.must(err)
			w.same("open", w.candidate(en.ID, monday.Add(day)).OpenTouch, false)
		}
	}},
	{"refuses whoever heard from another mailbox since the guard looked, and forgets the intent", func(w *world) {
		other := in(prospect(1), "invoice")
		other.Mailbox = "support"
		ens := w.enroll(prospect(1), other)
		touches := w.prepare(ens...)
		for i, en := range ens {
			touches[i].Heard = []engine.Contact{}
			errs, err := w.s.Claim(engine.Sweep{Mailbox: en.Mailbox, At: monday}, touches[i:i+1])
			w.must(err)
			w.same("errors", errs, [][]error{{nil}, {engine.ErrEnded}}[i])
		}
		w.same("pace of the other", w.pace(today).Today, 1)
		touches = w.prepare(ens[1]) // the intent is forgotten
		touches[0].Heard = []engine.Contact{{At: monday, Sequence: "quote"}}
		errs, err := w.s.Claim(engine.Sweep{Mailbox: "support", At: monday.Add(minute)}, touches)
		w.must(err)
		w.same("once the guard knows", errs, []error{nil})
	}},
	{"takes a touch once", func(w *world) {
		touches := w.claim(monday, w.one())
		errs, err := w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, touches)
		w.must(err)
		w.same("errors", errs, []error{engine.ErrEnded})
		w.same("pace", w.pace(today).Today, 1)
		w.same("open", w.candidate(touches[0].Enrollment, monday.Add(minute)).OpenTouch, true)
	}},
	{"takes nothing that was not prepared", func(w *world) {
		errs, err := w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, []engine.Touch{touchOf(w.one())})
		w.must(err)
		w.same("errors", errs, []error{engine.ErrEnded})
	}},
	{"remembers a person's contacts for 60 days, in order", func(w *world) {
		for _, c := range []engine.Contact{{At: monday.Add(30 * day), Sequence: "b"}, {At: monday, Sequence: "a"}, {At: monday.Add(61 * day), Sequence: "c"}} {
			w.claim(c.At, w.enroll(in(prospect(1), c.Sequence))...)
		}
		en := w.enroll(in(prospect(1), "d"))[0]
		w.same("contacts", w.candidate(en.ID, monday.Add(61*day)).Contacts,
			[]engine.Contact{{At: monday.Add(30 * day), Sequence: "b"}, {At: monday.Add(61 * day), Sequence: "c"}})
	}},
}
