package storetest

import (
	"errors"

	"nudge/engine"
)

// at gives a prospect another address.
func at(en engine.Enrollment, addr string) engine.Enrollment {
	en.Address, en.Key = addr, engine.AddressKey(addr)
	return en
}

func ids(ens []engine.Enrollment) []string {
	var list []string
	for _, en := range ens {
		list = append(list, en.ID)
	}
	return list
}

func (w *world) related(keys, deals []string) engine.Kin {
	w.t.Helper()
	kin, err := w.s.Related(keys, deals)
	w.must(err)
	return kin
}

var kinLaws = []law{
	{"related finds who has not ended at a company, by its registrable domain", func(w *world) {
		ens := w.enroll(at(prospect(1), "a@kund.co.uk"), at(prospect(2), "b@nord.kund.co.uk"), at(prospect(3), "c@other.co.uk"), in(at(prospect(1), "a@kund.co.uk"), "invoice"))
		w.same("company", w.get(ens[1].ID).Company, "kund.co.uk")
		kin := w.related([]string{"boss@kund.co.uk", "nobody@x", "", "a\x00@kund.co.uk"}, nil)
		w.same("their company", kin.Company["boss@kund.co.uk"], "kund.co.uk")
		w.same("related", ids(kin.Enrollments), []string{ens[0].ID, ens[1].ID, ens[3].ID})
		w.apply(monday, reply(ens[0], "r@x"))
		w.same("after one has ended", ids(w.related([]string{"boss@kund.co.uk"}, nil).Enrollments), []string{ens[1].ID, ens[3].ID})
	}},
	{"neighbours at a free-mail provider are not related", func(w *world) {
		ens := w.enroll(at(prospect(1), "a@gmail.com"), at(prospect(2), "b@hotmail.co.uk"))
		w.same("company", w.get(ens[0].ID).Company, "")
		kin := w.related([]string{"c@gmail.com", "d@hotmail.co.uk"}, nil)
		w.same("related", kin, engine.Kin{})
	}},
	{"related finds who has not ended in a deal, also once its name has changed", func(w *world) {
		deal := func(n int, name string) engine.Enrollment {
			en := prospect(n)
			en.Fields = map[string]string{engine.DealField: name}
			return en
		}
		ens := w.enroll(deal(1, "D7"), deal(2, " D7 "), deal(3, "D8"), deal(4, ""))
		w.same("related", ids(w.related(nil, []string{"D7", ""}).Enrollments), []string{ens[0].ID, ens[1].ID})
		_, err := w.s.Change([]string{ens[2].ID}, func(en engine.Enrollment) (engine.Enrollment, []engine.Event) {
			en, _ = en.Update("", map[string]string{engine.DealField: "D7"})
			return en, nil
		})
		w.must(err)
		w.same("after a change", ids(w.related(nil, []string{"D7"}).Enrollments), []string{ens[0].ID, ens[1].ID, ens[2].ID})
		w.same("the old name", ids(w.related(nil, []string{"D8"}).Enrollments), []string{})
	}},
	{"who answered for a person leads to them, and to what they are enrolled in later", func(w *world) {
		en := w.one()
		f := reply(en, "r@x")
		f.Alias = "assistant@elsewhere.example"
		w.apply(monday, f)
		later := w.enroll(in(prospect(1), "invoice"))[0]
		known, err := w.s.Known(nil, []string{f.Alias, "nobody@elsewhere.example"})
		w.must(err)
		w.same("aliases", known.Aliases, map[string][]string{f.Alias: {en.Key}})
		w.same("theirs", ids(known.ByAddress[en.Key]), []string{en.ID, later.ID})
		_, err = w.s.Reverse(engine.Reversal{Incoming: "r@x", At: monday})
		w.must(err)
		known, err = w.s.Known(nil, []string{f.Alias})
		w.must(err)
		w.same("after it was no answer", known.Aliases, map[string][]string(nil))
	}},
	{"a candidate can be asked about in any state", func(w *world) {
		en := w.one()
		w.apply(monday, reply(en, "r@x"))
		c, err := w.s.Candidate(en.ID, monday, today)
		w.must(err)
		w.same("state", c.Enrollment.State, engine.Stopped)
		if _, err := w.s.Candidate("nobody", monday, today); !errors.Is(err, engine.ErrNotFound) {
			w.t.Errorf("nobody: %v", err)
		}
	}},
}

var reverseLaws = []law{
	{"what is taken back goes on where it was, and never applies again", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2), in(prospect(1), "invoice"))
		w.apply(monday, reply(ens[0], "r@x"), absence(ens[1], "r@x", monday.Add(9*day)), reply(ens[2], "other@x"))
		back, err := w.s.Reverse(engine.Reversal{Incoming: "r@x", At: monday})
		w.must(err)
		w.same("taken back", ids(back), []string{ens[0].ID, ens[1].ID})
		w.same("due", w.due(monday.Add(day)), []string{ens[0].ID, ens[1].ID})
		w.same("its own date", w.get(ens[0].ID).Due.Equal(ens[0].Due), true)
		w.apply(monday, reply(ens[0], "r@x"), reply(ens[1], "r@x"))
		w.same("met again", w.counts(), engine.Counts{Active: 2, Stopped: 1, Replied: 1})
		w.apply(monday, reply(ens[0], "new@x"))
		w.same("another mail", w.counts(), engine.Counts{Active: 1, Stopped: 2, Replied: 2})
	}},
	{"what had no effect is ErrNotFound", func(w *world) {
		en := w.one()
		w.apply(monday, effect(en, "noted@x", engine.EventNoted))
		for _, id := range []string{"noted@x", "never seen@x", "", "\x00"} {
			if _, err := w.s.Reverse(engine.Reversal{Incoming: id, At: monday}); !errors.Is(err, engine.ErrNotFound) {
				w.t.Errorf("%q: error %v", id, err)
			}
		}
	}},
	{"a wish is kept unless it is taken back by force", func(w *world) {
		en := w.one()
		w.apply(monday, unsubscribe(en, "u@x"))
		if _, err := w.s.Reverse(engine.Reversal{Incoming: "u@x", At: monday}); !errors.Is(err, engine.ErrSuppressed) {
			w.t.Errorf("error %v", err)
		}
		w.same("nothing changed", w.get(en.ID).Reason, engine.Unsubscribed)
		_, err := w.s.Reverse(engine.Reversal{Incoming: "u@x", At: monday, Force: true})
		w.must(err)
		w.same("state", w.get(en.ID).State, engine.Active)
		all, err := w.s.Suppressions()
		w.must(err)
		w.same("suppressions", len(all), 0)
	}},
	{"what a person said stays: suppressed, paused, enrolled again", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2), prospect(3))
		w.apply(monday, reply(ens[0], "r@x"), reply(ens[1], "r@x"), reply(ens[2], "r@x"))
		_, err := w.s.Suppress(ens[0].Key, "by phone", true, monday)
		w.must(err)
		again := w.enroll(prospect(2))[0]
		_, err = w.s.Pause(engine.Scope{Person: ens[2].Key}, true, "", monday)
		w.must(err)
		_, err = w.s.Reverse(engine.Reversal{Incoming: "r@x", At: monday, Force: true})
		w.must(err)
		w.same("suppressed", w.get(ens[0].ID).State, engine.Stopped)
		w.same("enrolled again", w.get(ens[1].ID).State, engine.Stopped)
		w.same("the new one", w.get(again.ID).State, engine.Active)
		w.same("paused", w.get(ens[2].ID).Paused, true)
		w.same("due", w.due(monday.AddDate(1, 0, 0)), []string{again.ID})
	}},
	{"a second ticket acknowledgement holds, the first is counted", func(w *world) {
		en := w.one()
		ticket := func(id string) engine.Effect {
			f := effect(en, id, engine.EventAutoReply)
			f.Ticket, f.To, f.Reason, f.Until = true, engine.Held, engine.Unsure, monday.Add(2*day)
			return f
		}
		w.apply(monday, ticket("1@x"))
		w.apply(monday, ticket("1@x"))
		w.same("after the first", w.get(en.ID).State, engine.Active)
		w.apply(monday, ticket("2@x"))
		w.same("after the second", w.get(en.ID).State, engine.Held)
	}},
}
