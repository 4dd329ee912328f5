package storetest

import (
	"errors"
	"strings"

	"nudge/engine"
)

var applyLaws = []law{
	{"a reply stops, in the same transaction as the cursor moves", func(w *world) {
		en := w.one()
		cursor := engine.Cursor{Folders: map[string]engine.FolderCursor{"INBOX": {UIDValidity: 7, UIDNext: 42}}}
		w.must(w.s.Apply(engine.Sweep{Mailbox: mailbox, At: monday, Cursor: cursor, Effects: []engine.Effect{reply(en, "r@x")}}))
		w.same("due", w.due(monday.Add(365*day)), []string{})
		w.same("counts", w.counts(), engine.Counts{Stopped: 1, Replied: 1})
		w.same("history", w.kinds(en.ID), []engine.EventKind{engine.EventEnrolled, engine.EventReply, engine.EventStopped})
		got, err := w.s.Cursor(mailbox)
		w.must(err)
		w.same("cursor", got, cursor)
	}},
	{"everyday mail of somebody whose enrollment ended long ago leaves no trace, but an opt-out and what it teaches do", func(w *world) {
		en := w.one()
		w.apply(monday, reply(en, "r@x"))
		w.apply(monday.Add(20*day), absence(en, "soon@x", monday.Add(21*day)))
		had := []engine.EventKind{engine.EventEnrolled, engine.EventReply, engine.EventStopped, engine.EventAutoReply}
		w.same("soon", w.kinds(en.ID), had)
		late := monday.Add(100 * day)
		for range 3 {
			w.apply(late, absence(en, "late@x", late.Add(day)), effect(en, "receipt@x", engine.EventNoted))
		}
		w.same("later", w.kinds(en.ID), had)
		before := w.get(en.ID)
		w.apply(late, absence(en, "late@x", late.Add(2*day)))
		w.same("the enrollment", w.get(en.ID), before)
		_, err := w.s.Reverse(engine.Reversal{Incoming: "late@x", At: late})
		w.same("what did nothing cannot be taken back", errors.Is(err, engine.ErrNotFound), true)
		taught := absence(en, "taught@x", late.Add(day))
		taught.Alias = "assistant@elsewhere.example"
		w.apply(late, taught)
		known, err := w.s.Known(nil, []string{taught.Alias})
		w.must(err)
		w.same("whom it answered for", known.Aliases[taught.Alias], []string{en.Key})
		for i := range 20 {
			w.apply(late, reply(en, string(rune('a'+i))+"@x"))
		}
		if n := len(w.kinds(en.ID)); n > len(had)+10 {
			w.t.Errorf("20 more answers left %d lines in history", n-len(had))
		}
		w.apply(late, unsubscribe(en, "stop@x"))
		suppressed, err := w.s.Suppressions()
		w.must(err)
		w.same("suppressed", len(suppressed), 1)
		w.same("told", w.lastEvent(en.ID).MessageID != "", true)
	}},
	{"a sweep without a cursor leaves the cursor", func(w *world) {
		cursor := engine.Cursor{Folders: map[string]engine.FolderCursor{"INBOX": {UIDValidity: 7, UIDNext: 42}}}
		w.must(w.s.Apply(engine.Sweep{Mailbox: mailbox, At: monday, Cursor: cursor}))
		w.must(w.s.Apply(engine.Sweep{Mailbox: mailbox, At: monday}))
		got, err := w.s.Cursor(mailbox)
		w.must(err)
		w.same("cursor", got, cursor)
		other, err := w.s.Cursor("support")
		w.must(err)
		w.same("another mailbox's cursor", other, engine.Cursor{})
	}},
	{"a message counts once for each enrollment, whichever folder it is seen in", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		soft := effect(ens[0], "soft@x", engine.EventBounce)
		soft.Soft = true
		for range 5 {
			w.apply(monday, soft, absence(ens[1], "soft@x", monday.Add(day)))
		}
		w.same("soft bounces", len(w.get(ens[0].ID).SoftAt), 1)
		w.same("history", w.kinds(ens[0].ID), []engine.EventKind{engine.EventEnrolled, engine.EventBounce})
		w.same("version", w.get(ens[1].ID).Version, ens[1].Version+1)
	}},
	{"a message seen again counts when it now stops what it held", func(w *world) {
		en := w.one()
		w.apply(monday, absence(en, "m@x", monday.Add(day)))
		w.apply(monday, reply(en, "m@x"))
		w.same("state", w.get(en.ID).State, engine.Stopped)
		w.apply(monday, absence(en, "m@x", monday.Add(day)))
		w.same("history", len(w.kinds(en.ID)), 5)
	}},
	{"a message whose identity is very long, or not known, counts", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		long := strings.Repeat("x", 100_000) + "@x"
		w.apply(monday, reply(ens[0], long), reply(ens[1], ""))
		w.apply(monday, reply(ens[0], long))
		w.same("counts", w.counts(), engine.Counts{Stopped: 2, Replied: 2})
		w.same("history", len(w.kinds(ens[0].ID)), 3)
		known, err := w.s.Known([]string{long, long + "x"}, []string{long})
		w.must(err)
		w.same("known", known, engine.Known{})
	}},
	{"three soft bounces stop", func(w *world) {
		en := w.one()
		for _, id := range []string{"1@x", "2@x", "3@x"} {
			soft := effect(en, id, engine.EventBounce)
			soft.Soft = true
			w.apply(monday, soft)
		}
		w.same("reason", w.get(en.ID).Reason, engine.Bounced)
	}},
	{"whoever unsubscribes is suppressed, and each enrollment says why it stopped", func(w *world) {
		ens := w.enroll(prospect(1), in(prospect(1), "invoice"), in(prospect(1), "survey"))
		w.apply(monday, unsubscribe(ens[0], "u@x"), unsubscribe(ens[1], "u@x"))
		w.same("first", w.get(ens[0].ID).Reason, engine.Unsubscribed)
		w.same("second", w.get(ens[1].ID).Reason, engine.Unsubscribed)
		w.same("one without an effect of its own", w.get(ens[2].ID).Reason, engine.Suppressed)
		_, errs, err := w.s.Enroll([]engine.Enrollment{prospect(1)})
		w.must(err)
		w.same("errors", errs, []error{engine.ErrSuppressed})
	}},
	{"a stopped enrollment's reply is recorded and changes nothing", func(w *world) {
		en := w.one()
		w.apply(monday, reply(en, "1@x"))
		stopped := w.get(en.ID)
		w.apply(monday, absence(en, "2@x", monday.Add(day)))
		w.same("enrollment", w.get(en.ID), stopped)
		w.same("history", len(w.kinds(en.ID)), 4)
	}},
	{"an effect on nobody is left out", func(w *world) {
		en := w.one()
		nobody := en
		nobody.ID = "nobody"
		w.apply(monday, unsubscribe(nobody, "1@x"), reply(en, "2@x"))
		w.same("counts", w.counts(), engine.Counts{Stopped: 1, Replied: 1})
		w.same("history", len(w.kinds("")), 3)
	}},
	{"the Sent copy of a doubtful touch settles it as sent", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		t := w.doubt(monday, ens[0])
		w.doubt(monday, ens[1])
		f := effect(ens[0], t.Email.MessageID, engine.EventNoted)
		f.Sent = &engine.Settlement{Touch: engine.Touch{Email: engine.Email{MessageID: t.Email.MessageID}}, // the effect names the enrollment
			Outcome: engine.Sent, At: monday, Next: "second", Due: monday.Add(day)}
		w.apply(monday, f)
		got := w.get(ens[0].ID)
		if got.State != engine.Active || got.Next != "second" || got.Touches() != 1 {
			w.t.Errorf("state %s, next %s, %d touches", got.State, got.Next, got.Touches())
		}
		w.same("thread", got.Thread, t.Email.Thread)
		w.same("doubts", len(w.doubts()), 1)
		w.apply(monday, f)
		w.same("applied again", w.get(ens[0].ID), got)
		w.same("history", w.kinds(ens[0].ID), []engine.EventKind{engine.EventEnrolled, engine.EventClaimed, engine.EventInDoubt, engine.EventHeld,
			engine.EventSent, engine.EventNoted})
	}},
	{"the Sent copy of a touch that is not in doubt says nothing", func(w *world) {
		en := w.one()
		t := w.claim(monday, en)[0]
		f := effect(en, t.Email.MessageID, engine.EventNoted)
		f.Sent = &engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday, Next: "second", Due: monday}
		w.apply(monday, f)
		w.same("enrollment", w.get(en.ID), en)
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Unknown, At: monday})
		w.apply(monday, f) // the same copy, seen again once it matters
		w.same("next", w.get(en.ID).Next, "second")
	}},
}
