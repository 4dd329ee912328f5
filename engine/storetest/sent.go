package storetest

import (
	"bytes"
	"errors"

	"nudge/engine"
)

// sent are the mails an enrollment has behind it.
func (w *world) sent(id string) []engine.SentTouch {
	w.t.Helper()
	mails, err := w.s.SentTouches(id)
	w.must(err)
	return mails
}

var sentLaws = []law{
	{"a mail that was sent can be read as it left", func(w *world) {
		en := w.one()
		t := w.claim(monday, en)[0]
		w.same("before", w.sent(en.ID), []engine.SentTouch(nil))
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday, Next: "second", Due: monday.Add(day)})
		w.same("mails", w.sent(en.ID), []engine.SentTouch{t.AsSent(monday)})
		if m := w.sent(en.ID)[0]; !m.Intact() {
			w.t.Errorf("%d of %d bytes, %q", len(m.Raw), m.Size, m.Raw)
		}
	}},
	{"mails are listed in the order in which they left, each enrollment's its own", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		for i, step := range []string{"first", "second"} {
			at := monday.AddDate(0, 0, 7*i)
			for _, en := range ens {
				t := w.claim(at, w.get(en.ID))[0]
				w.same("step", t.Step, step)
				w.settle(engine.Settlement{Touch: t, Outcome: engine.Sent, At: at, Next: "second", Due: at.Add(day)})
			}
		}
		for _, en := range ens {
			mails := w.sent(en.ID)
			if len(mails) != 2 || mails[0].Step != "first" || mails[1].Step != "second" || mails[1].Enrollment != en.ID {
				w.t.Errorf("mails %+v", mails)
			}
		}
	}},
	{"of a long mail the beginning is kept", func(w *world) {
		en := w.one()
		t := touchOf(en)
		t.Email.Raw = bytes.Repeat([]byte("0123456789abcd\r\n"), engine.SentKept/16+1)
		errs, err := w.s.Prepare([]engine.Touch{t})
		w.must(err)
		w.must(errs[0])
		_, err = w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, []engine.Touch{t})
		w.must(err)
		w.settle(engine.Settlement{Touch: t, Outcome: engine.Sent, At: monday})
		m := w.sent(en.ID)[0]
		if m.Whole() || m.Size != len(t.Email.Raw) || !bytes.Equal(m.Raw, t.Email.Raw[:engine.SentKept]) {
			w.t.Errorf("%d of %d bytes", len(m.Raw), m.Size)
		}
	}},
	{"what did not leave is not kept, and a doubt is once somebody said that it left", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2))
		ts := w.claim(monday, ens...)
		w.settle(engine.Settlement{Touch: ts[0], Outcome: engine.Refusal, At: monday, Stop: engine.Bounced},
			engine.Settlement{Touch: ts[1], Outcome: engine.Unknown, At: monday})
		w.same("refused", w.sent(ens[0].ID), []engine.SentTouch(nil))
		w.same("in doubt", w.sent(ens[1].ID), []engine.SentTouch(nil))
		later := monday.Add(minute)
		w.settle(engine.Settlement{Touch: ts[1], Outcome: engine.Sent, At: later, Doubted: true})
		w.same("resolved", w.sent(ens[1].ID), []engine.SentTouch{ts[1].AsSent(later)})
	}},
	{"old mails are forgotten when new ones come", func(w *world) {
		ens := w.enroll(prospect(1), prospect(2), prospect(3))
		old, now := monday.AddDate(-2, 0, 0), monday
		w.settle(engine.Settlement{Touch: w.claim(old, ens[0])[0], Outcome: engine.Sent, At: old},
			engine.Settlement{Touch: w.claim(old, ens[1])[0], Outcome: engine.Sent, At: old})
		w.settle(engine.Settlement{Touch: w.claim(now, ens[2])[0], Outcome: engine.Sent, At: now})
		for _, en := range ens[:2] {
			if m := w.sent(en.ID); len(m) != 1 || m[0].Size != 0 || m[0].Step != "first" || m[0].MessageID == "" {
				w.t.Errorf("an old one is %+v", m)
			}
		}
		if m := w.sent(ens[2].ID); len(m) != 1 || !m[0].Whole() {
			w.t.Errorf("the new one is %+v", m)
		}
	}},
	{"nobody has no mails", func(w *world) {
		if _, err := w.s.SentTouches("nobody"); !errors.Is(err, engine.ErrNotFound) {
			w.t.Errorf("error %v", err)
		}
	}},
}
