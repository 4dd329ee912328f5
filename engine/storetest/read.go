package storetest

import (
	"errors"
	"slices"
	"time"

	"nudge/engine"
)

var readLaws = []law{
	{"a secret of 32 bytes stays the same and is nobody's to change", func(w *world) {
		a := w.s.Secret()
		first := slices.Clone(a)
		clear(a)
		w.same("secret", w.s.Secret(), first)
		if len(first) != 32 || !slices.ContainsFunc(first, func(b byte) bool { return b != 0 }) {
			w.t.Errorf("secret %x", first)
		}
	}},
	{"due lists in order of Look, up to the limit, of one mailbox", func(w *world) {
		other := prospect(0)
		other.Mailbox = "sal"
		longer := in(prospect(0), "x")
		longer.Mailbox = "sales2"
		ens := w.enroll(prospect(3), prospect(1), prospect(2), other, longer)
		w.same("due", w.due(monday.Add(3*minute)), []string{ens[1].ID, ens[2].ID, ens[0].ID})
		w.same("due to the nanosecond", w.due(monday.Add(2*minute-1)), []string{ens[1].ID})
		two, err := w.s.Due(mailbox, monday.Add(day), today, 2)
		w.must(err)
		w.same("limit", len(two), 2)
	}},
	{"due puts dates far away, long ago and unknown in order", func(w *world) {
		var ens []engine.Enrollment
		for i, at := range []int{400 * 365, 0, -400 * 365, 1} {
			en := prospect(i)
			en.Look = monday.AddDate(0, 0, at)
			ens = append(ens, en)
		}
		ens = w.enroll(ens...)
		w.same("due", w.due(monday.Add(day)), []string{ens[2].ID, ens[1].ID, ens[3].ID})
	}},
	{"what is upcoming is who comes before a moment, and who waits for a person", func(w *world) {
		other := prospect(0)
		other.Mailbox = "support"
		owners := prospect(7)
		owners.Look, owners.Tasks = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), []engine.Task{{Step: "first", Do: "call", Blocks: true, OpenedAt: monday}}
		far := prospect(8)
		far.Due, far.Look = monday.AddDate(1, 0, 0), monday.AddDate(1, 0, 0)
		ens := w.enroll(prospect(1), prospect(9), prospect(2), prospect(3), prospect(4), prospect(5), prospect(6), owners, far, other)
		w.apply(monday, absence(ens[2], "a@x", monday.Add(minute)), absence(ens[3], "b@x", monday.Add(day)), reply(ens[4], "c@x"))
		w.pause(engine.Scope{Person: ens[5].Key}, true)
		_, err := w.s.Change([]string{ens[6].ID}, func(en engine.Enrollment) (engine.Enrollment, []engine.Event) { return en.FallBehind(true, monday) })
		w.must(err)
		upcoming := func(from string, until time.Time) []string {
			ids, err := w.s.Upcoming(from, until)
			w.must(err)
			return ids
		}
		asks := []string{ens[5].ID, ens[6].ID, ens[7].ID} // paused, overdue, the owner's
		w.same("in nine minutes", upcoming(mailbox, monday.Add(9*minute)), append([]string{ens[0].ID, ens[2].ID}, asks...))
		w.same("a nanosecond later", upcoming(mailbox, monday.Add(9*minute+1)), append([]string{ens[0].ID, ens[1].ID, ens[2].ID}, asks...))
		w.same("in two days", upcoming(mailbox, monday.Add(2*day)), append([]string{ens[0].ID, ens[1].ID, ens[2].ID, ens[3].ID}, asks...))
		w.same("at once", upcoming(mailbox, monday), asks)
		w.same("in another", upcoming("support", monday.Add(day)), []string{ens[9].ID})
		w.same("in none", upcoming("nowhere", monday.Add(day)), []string{})
	}},
	{"the next look is the earliest of what is due and what is held until a date", func(w *world) {
		next := func() any { n, err := w.s.NextLook(mailbox); w.must(err); return n.IsZero() }
		w.same("none", next(), true)
		ens := w.enroll(prospect(5), prospect(7))
		n, err := w.s.NextLook(mailbox)
		w.must(err)
		w.same("next look", n, monday.Add(5*minute))
		w.apply(monday, absence(ens[1], "a@x", monday.Add(2*minute)))
		n, err = w.s.NextLook(mailbox)
		w.must(err)
		w.same("next look", n, monday.Add(2*minute))
		w.apply(monday, reply(ens[0], "b@x"), reply(ens[1], "c@x"))
		w.same("none", next(), true)
	}},
	{"the mailboxes in use are those of enrollments that have not ended", func(w *world) {
		names := func() any { m, err := w.s.Mailboxes(); w.must(err); return len(m) }
		w.same("none", names(), 0)
		other := prospect(1)
		other.Mailbox = "old name"
		ens := w.enroll(prospect(0), other, prospect(2))
		m, err := w.s.Mailboxes()
		w.must(err)
		w.same("mailboxes", m, []string{"old name", mailbox})
		w.apply(monday, reply(ens[1], "a@x"))
		w.same("after its last one ended", names(), 1)
	}},
	{"the cursor reaches back to the oldest enrollment that has not ended", func(w *world) {
		ens := []engine.Enrollment{prospect(1), prospect(2), prospect(3)}
		ens[0].EnrolledAt, ens[1].EnrolledAt = monday.Add(day), monday.Add(-day)
		ens = w.enroll(ens...)
		for _, tt := range []struct {
			end  engine.Enrollment
			want any
		}{{ens[1], monday}, {ens[2], monday.Add(day)}} {
			w.apply(monday, reply(tt.end, "r@x"))
			c, err := w.s.Cursor(mailbox)
			w.must(err)
			w.same("since", c.Since, tt.want)
		}
		w.apply(monday, reply(ens[0], "r@x"))
		c, err := w.s.Cursor(mailbox)
		w.must(err)
		w.same("nobody waits", c.Since.IsZero(), true)
	}},
	{"known finds all enrollments of a person, also ended ones, oldest first", func(w *world) {
		ens := w.enroll(in(prospect(1), "z"), in(prospect(1), "a"), prospect(2))
		w.apply(monday, reply(ens[0], "r@x"))
		known, err := w.s.Known(nil, []string{prospect(1).Key, "nobody@x", "", "p1@kund1.example\x00" + ens[0].ID})
		w.must(err)
		w.same("known", known, engine.Known{ByAddress: map[string][]engine.Enrollment{prospect(1).Key: {w.get(ens[0].ID), ens[1]}}})
	}},
	{"known finds the ids of an enrollment's thread, also of steps long done", func(w *world) {
		en := prospect(1)
		en.Thread = engine.Thread{Anchor: "anchor@x", IDs: []string{"adopted@x"}}
		en = w.enroll(en)[0]
		t := w.claim(monday, en)[0]
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday, Next: "second", Due: monday})
		w.prepare(w.get(en.ID))
		known, err := w.s.Known([]string{"anchor@x", "adopted@x", t.Email.MessageID, t.Email.Thread.Anchor}, nil)
		w.must(err)
		w.same("known", len(known.ByID), 4)
	}},
	{"an unknown enrollment is ErrNotFound", func(w *world) {
		for _, id := range []string{"", "nobody", "\x00"} {
			if _, err := w.s.Enrollment(id); !errors.Is(err, engine.ErrNotFound) {
				w.t.Errorf("%q: error %v", id, err)
			}
		}
	}},
	{"lists what fits the filter, oldest first", func(w *world) {
		other := in(prospect(2), "invoice")
		other.Mailbox = "support"
		ens := w.enroll(prospect(1), other, in(prospect(1), "invoice"), prospect(3))
		w.apply(monday, reply(ens[3], "r@x"))
		for _, tt := range []struct {
			f    engine.Filter
			want []int
		}{
			{engine.Filter{}, []int{0, 1, 2, 3}},
			{engine.Filter{Limit: 2}, []int{0, 1}},
			{engine.Filter{State: engine.Stopped}, []int{3}},
			{engine.Filter{Sequence: "invoice"}, []int{1, 2}},
			{engine.Filter{Mailbox: "support"}, []int{1}},
			{engine.Filter{Key: prospect(1).Key}, []int{0, 2}},
			{engine.Filter{Key: prospect(1).Key, Limit: 1}, []int{0}},
			{engine.Filter{Key: prospect(1).Key, Sequence: "invoice"}, []int{2}},
			{engine.Filter{State: engine.Active, Sequence: "quote", Limit: 5}, []int{0}},
			{engine.Filter{Key: "nobody@x"}, nil},
		} {
			got, err := w.s.Enrollments(tt.f)
			w.must(err)
			var ids, want []string
			for _, en := range got {
				ids = append(ids, en.ID)
			}
			for _, i := range tt.want {
				want = append(want, ens[i].ID)
			}
			w.same("enrollments", ids, want)
		}
		var pages []string
		for after := ""; ; {
			got, err := w.s.Enrollments(engine.Filter{Mailbox: mailbox, After: after, Limit: 2})
			w.must(err)
			for _, en := range got {
				after, pages = en.ID, append(pages, en.ID)
			}
			if len(got) < 2 {
				break
			}
		}
		w.same("page by page", pages, []string{ens[0].ID, ens[2].ID, ens[3].ID})
		got, err := w.s.Enrollments(engine.Filter{Key: prospect(1).Key, After: ens[0].ID})
		w.must(err)
		w.same("of a person, after the first", len(got), 1)
	}},
	{"numbers events without a gap and lists them from either end", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2), prospect(3))
		for range 3 {
			w.must(w.s.Note(engine.Event{At: monday, Kind: engine.EventReloaded, Detail: map[string]string{"files": "2"}}))
			w.must(w.s.Note(engine.Event{At: monday, Kind: engine.EventNoted, Enrollment: ens[1].ID}))
		}
		for _, tt := range []struct {
			enrollment string
			after      uint64
			limit      int
			want       []uint64
		}{
			{"", 0, 100, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}},
			{"", 7, 100, []uint64{8, 9}},
			{"", 9, 100, nil},
			{"", 1<<64 - 1, 100, nil},
			{"", 2, 3, []uint64{3, 4, 5}},
			{"", 0, 0, nil},
			{"", 0, -2, []uint64{8, 9}},
			{"", 8, -5, []uint64{9}},
			{"", 0, -50, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}},
			{ens[1].ID, 0, 100, []uint64{2, 5, 7, 9}},
			{ens[1].ID, 2, 2, []uint64{5, 7}},
			{ens[1].ID, 0, -3, []uint64{5, 7, 9}},
			{ens[1].ID, 5, -3, []uint64{7, 9}},
			{ens[2].ID, 0, -3, []uint64{3}},
			{ens[0].ID, 0, 100, []uint64{1}},
			{"nobody", 0, 100, nil},
			{"nobody", 0, -100, nil},
		} {
			events, err := w.s.Events(tt.enrollment, tt.after, tt.limit)
			w.must(err)
			var seqs []uint64
			for _, ev := range events {
				seqs = append(seqs, ev.Seq)
			}
			w.same("events", seqs, tt.want)
		}
	}},
	{"an event keeps all it was given", func(w *world) {
		ev := engine.Event{At: monday, Kind: engine.EventReply, Enrollment: "x", Address: "a@b", Sequence: "s", Step: "t", MessageID: "m@x",
			Detail: map[string]string{"rule": "cites our Message-ID"}}
		w.must(w.s.Note(ev))
		got, err := w.s.Events("", 0, 1)
		w.must(err)
		ev.Seq = 1
		w.same("event", got, []engine.Event{ev})
	}},
}
