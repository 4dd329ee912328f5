package storetest

import (
	"errors"

	"nudge/engine"
)

var enrollLaws = []law{
	{"gives ids that sort by age, a first version, an event and a place in the due index", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		ens = append(ens, w.enroll(prospect(3))...)
		for i, en := range ens {
			if en.ID == "" || en.Version != 1 || i > 0 && en.ID <= ens[i-1].ID {
				w.t.Errorf("the %d. has id %q and version %d", i+1, en.ID, en.Version)
			}
			w.same("enrollment", w.get(en.ID), en)
			w.same("history", w.kinds(en.ID), []engine.EventKind{engine.EventEnrolled})
		}
		w.same("due in two minutes", w.due(monday.Add(2*minute)), []string{ens[0].ID, ens[1].ID})
	}},
	{"keeps every field as it was given", func(w *world) {
		en := prospect(1)
		en.Thread = engine.Thread{Anchor: "a@x", IDs: []string{"1@x", "2@x"}, Subject: "Offert 17"}
		en.Done = []engine.Done{{Step: "zeroth", At: monday, Outcome: engine.Sent, MessageID: "2@x"}}
		en.Attempts, en.TriedAt, en.Resends = 2, monday, 1
		kept := w.enroll(en)[0]
		en.ID, en.Version, en.Company = kept.ID, kept.Version, "kund1.example" // which the Store gives
		w.same("what was returned", kept, en)
		w.same("what was kept", w.get(kept.ID), en)
	}},
	{"leaves out who is in the same sequence already, and takes the others", func(w *world) {
		w.one()
		kept, errs, err := w.s.Enroll([]engine.Enrollment{prospect(2), prospect(1), prospect(3)})
		w.must(err)
		w.same("errors", errs, []error{nil, engine.ErrEnrolled, nil})
		w.same("counts", w.counts(), engine.Counts{Active: 3})
		w.same("the third", w.get(kept[2].ID).Address, prospect(3).Address)
	}},
	{"leaves out the same person twice in one call, however the address is written", func(w *world) {
		twin := prospect(1)
		twin.Address, twin.Key = "P1+offer@Kund1.example", engine.AddressKey("P1+offer@Kund1.example")
		_, errs, err := w.s.Enroll([]engine.Enrollment{prospect(1), twin})
		w.must(err)
		w.same("errors", errs, []error{nil, engine.ErrEnrolled})
	}},
	{"takes a person into another sequence, or again once the earlier one has ended", func(w *world) {
		first := w.one()
		w.enroll(in(prospect(1), "invoice"))
		_, err := w.s.Change([]string{first.ID}, stopByHand)
		w.must(err)
		w.one()
		w.same("counts", w.counts(), engine.Counts{Active: 2, Stopped: 1})
	}},
	{"refuses suppressed addresses and domains", func(w *world) {
		for _, target := range []string{"P1+tag@kund1.example", "@KUND2.example"} {
			_, err := w.s.Suppress(target, "asked to", true, monday)
			w.must(err)
		}
		_, errs, err := w.s.Enroll([]engine.Enrollment{prospect(1), prospect(2), prospect(3)})
		w.must(err)
		w.same("errors", errs, []error{engine.ErrSuppressed, engine.ErrSuppressed, nil})
		w.same("counts", w.counts(), engine.Counts{Active: 1})
	}},
	{"a paused person's new enrollment is paused", func(w *world) {
		w.one()
		_, err := w.s.Pause(engine.Scope{Person: prospect(1).Key}, true, "", monday)
		w.must(err)
		en := w.enroll(in(prospect(1), "invoice"))[0]
		if !en.Paused || !w.get(en.ID).Paused {
			w.t.Error("it is not paused")
		}
		w.same("due", w.due(monday.Add(365*day)), []string{})
	}},
	{"one that is held waits until its date, not in the due index", func(w *world) {
		en := prospect(1)
		en.State, en.Reason, en.HeldUntil = engine.Held, engine.Absent, monday.Add(day)
		w.enroll(en)
		w.same("due", w.due(monday.Add(365*day)), []string{})
		next, err := w.s.NextLook(mailbox)
		w.must(err)
		w.same("next look", next, monday.Add(day))
	}},
	{"an empty list does nothing", func(w *world) {
		_, _, err := w.s.Enroll(nil)
		w.must(err)
		w.same("history", w.kinds(""), []engine.EventKind{})
	}},
}

var changeLaws = []law{
	{"keeps what was decided, its events and the next version", func(w *world) {
		en := w.one()
		got, err := w.s.Change([]string{en.ID}, stopByHand)
		w.must(err)
		if got[0].State != engine.Stopped || got[0].Version != en.Version+1 {
			w.t.Errorf("state %s, version %d", got[0].State, got[0].Version)
		}
		w.same("kept", w.get(en.ID), got[0])
		w.same("history", w.kinds(en.ID), []engine.EventKind{engine.EventEnrolled, engine.EventStopped})
		w.same("due", w.due(monday.Add(365*day)), []string{})
	}},
	{"what was not changed keeps its version, and its events are kept", func(w *world) {
		en := w.one()
		got, err := w.s.Change([]string{en.ID}, func(en engine.Enrollment) (engine.Enrollment, []engine.Event) {
			return en, []engine.Event{{At: monday, Kind: engine.EventNoted, Enrollment: en.ID}}
		})
		w.must(err)
		w.same("returned", got[0], en)
		w.same("kept", w.get(en.ID), en)
		w.same("history", w.kinds(en.ID), []engine.EventKind{engine.EventEnrolled, engine.EventNoted})
	}},
	{"an unknown id is ErrNotFound and changes nothing", func(w *world) {
		en := w.one()
		_, err := w.s.Change([]string{en.ID, "nobody"}, stopByHand)
		if !errors.Is(err, engine.ErrNotFound) {
			w.t.Errorf("error %v", err)
		}
		w.same("kept", w.get(en.ID), en)
		w.same("history", w.kinds(""), []engine.EventKind{engine.EventEnrolled})
	}},
	{"a new date moves it in the due index", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		_, err := w.s.Change([]string{ens[0].ID}, func(en engine.Enrollment) (engine.Enrollment, []engine.Event) {
			en.Due, en.Look = monday.Add(day), monday.Add(day)
			return en, nil
		})
		w.must(err)
		w.same("due", w.due(monday.Add(day)), []string{ens[1].ID, ens[0].ID})
	}},
	{"a new address is found, the old one is not", func(w *world) {
		en := w.one()
		_, err := w.s.Change([]string{en.ID}, func(en engine.Enrollment) (engine.Enrollment, []engine.Event) {
			en.Address, en.Key = "per@ny.example", "per@ny.example"
			return en, nil
		})
		w.must(err)
		known, err := w.s.Known(nil, []string{"per@ny.example", en.Key})
		w.must(err)
		w.same("addresses", len(known.ByAddress), 1)
		w.same("by address", len(known.ByAddress["per@ny.example"]), 1)
	}},
}
