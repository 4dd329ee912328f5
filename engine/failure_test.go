package engine_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"nudge/engine"
)

func refusal(phase engine.SendPhase, code int, enhanced string) error {
	return &engine.SendError{Phase: phase, Outcome: engine.Refusal, Code: code, Enhanced: enhanced, Err: fmt.Errorf("%d %s no", code, enhanced)}
}

func TestTroubleThatNeedsAPersonPausesTheMailbox(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		tries int // before it pauses
	}{
		{"three refused logins", refusal(engine.PhaseAuth, 535, "5.7.8"), 3},
		{"basic authentication is off", refusal(engine.PhaseAuth, 550, "5.7.30"), 1},
		{"unauthenticated sender", refusal(engine.PhaseRcpt, 550, "5.7.515"), 1},
		{"the sender is not allowed", refusal(engine.PhaseMail, 550, "5.7.1"), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t)
			o.enroll("per@kund.example")
			tries := 0
			o.onOpen = func(engine.Email) error { tries++; return c.err }
			o.run(2 * day)
			if tries != c.tries {
				t.Errorf("tried %d times, want %d", tries, c.tries)
			}
			o.wants("per@kund.example", engine.Active, "", 0)
			status, err := o.desk.Status(t.Context())
			if err != nil || !status.Mailboxes[0].Paused || !strings.Contains(status.Mailboxes[0].Why, "nudge resume --mailbox sales") {
				t.Errorf("status %+v, %v says not what to do", status.Mailboxes, err)
			}
			o.onOpen = nil
			if _, err := o.desk.Resume(t.Context(), engine.Scope{Mailbox: "sales"}); err != nil {
				t.Fatal(err)
			}
			o.run(time.Hour)
			o.wants("per@kund.example", engine.Active, "", 1)
		})
	}
}

func TestThreeUnexplainedRefusalsPauseTheMailbox(t *testing.T) {
	o := newOffice(t)
	o.engine.Mailbox.GapMin, o.engine.Mailbox.GapMax = time.Minute, time.Minute
	for i := range 6 {
		o.enroll(fmt.Sprintf("p%d@kund%d.example", i, i))
	}
	o.onOpen = func(engine.Email) error { return refusal(engine.PhaseRcpt, 550, "") }
	o.run(day)
	held := 0
	for i := range 6 {
		if o.view(fmt.Sprintf("p%d@kund%d.example", i, i)).State == engine.Held {
			held++
		}
	}
	if held != 3 {
		t.Errorf("%d are held, want 3: the others wait for the mailbox", held)
	}
}

func TestThreeRefusedContentsPauseTheSequence(t *testing.T) {
	o := newOffice(t)
	o.engine.Mailbox.GapMin, o.engine.Mailbox.GapMax = time.Minute, time.Minute
	for i := range 6 {
		o.enroll(fmt.Sprintf("p%d@kund%d.example", i, i))
	}
	o.onData = func(engine.Email) error { return refusal(engine.PhaseDot, 554, "5.6.0") }
	o.run(day)
	if o.data != 3 {
		t.Errorf("%d mails were refused, want 3 before the sequence pauses", o.data)
	}
	if status, _ := o.desk.Status(t.Context()); status.Mailboxes[0].Paused || !strings.Contains(strings.Join(status.Notices, "\n"), "content or size") {
		t.Errorf("status %+v", status)
	}
}

func TestHaltedNothingLeaves(t *testing.T) {
	for name, at := range map[string]int{"before the round": 0, "before the fence ends": 1, "before DATA": 2} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.enroll("per@kund.example")
			asked := 0
			o.engine.Halted = func() bool { asked++; return asked > at+1 } // the first question is the heartbeat's
			o.mustTick()
			o.wants("per@kund.example", engine.Active, "", 0)
			if o.data != 0 {
				t.Error("DATA was begun")
			}
			o.engine.Halted = nil
			o.run(time.Hour)
			o.wants("per@kund.example", engine.Active, "", 1)
		})
	}
}

func TestAnAlarmComesOnce(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*office)
		alarm string
	}{
		"the mailbox": {func(o *office) { o.down = errors.New("connection refused") }, "mailbox still unreadable"},
		"the mail server": {func(o *office) {
			o.onOpen = func(engine.Email) error {
				return &engine.SendError{Phase: engine.PhaseConnect, Outcome: engine.Deferred, Err: errors.New("connection refused")}
			}
		}, "still no mail can be sent"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			diary := &strings.Builder{}
			o.engine.Log = slog.New(slog.NewTextHandler(diary, nil))
			o.enroll("pia@kund.example")
			test.spoil(o)
			o.run(3 * day)
			if n := strings.Count(diary.String(), "\n"); n > 5 {
				t.Errorf("%d lines in three days of an outage:\n%s", n, diary)
			}
			if n := strings.Count(diary.String(), test.alarm); n != 1 {
				t.Errorf("%d alarms, want one:\n%s", n, diary)
			}
		})
	}
}

// A server that asks to slow down, mail after mail, is trouble that goes on.
func TestAServerThatOnlySlowsDownRaisesTheAlarm(t *testing.T) {
	o := newOffice(t)
	diary := &strings.Builder{}
	o.engine.Log = slog.New(slog.NewTextHandler(diary, nil))
	for i := range 40 {
		o.enroll(fmt.Sprintf("pia%d@kund%d.example", i, i))
	}
	began := o.now
	o.onOpen = func(engine.Email) error {
		return &engine.SendError{Phase: engine.PhaseRcpt, Outcome: engine.Deferred, Code: 451, Enhanced: "4.7.1", Err: errors.New("slow down")}
	}
	o.run(6 * time.Hour)
	if h := o.engine.Health(); !h.SMTPSince.Before(began.Add(15*time.Minute)) || h.SMTPError == "" {
		t.Errorf("health %+v, want trouble since %s", h, began)
	}
	for words, want := range map[string]int{"still no mail can be sent": 1, "mail can be sent again": 0} {
		if n := strings.Count(diary.String(), words); n != want {
			t.Errorf("%q is told %d times, want %d:\n%s", words, n, want, diary)
		}
	}
	o.onOpen = nil
	o.run(3 * time.Hour)
	if h := o.engine.Health(); h.SMTPError != "" || !h.SMTPSince.IsZero() {
		t.Errorf("health %+v although mail leaves again", h)
	}
}

// The mailbox comes and goes while its Sent folder stays unreadable.
func TestTheEndOfATroubleIsToldWhereItsBeginWas(t *testing.T) {
	o := newOffice(t)
	o.provesThatItKeeps()
	o.enroll("per@kund.example")
	old := o.snapshot()
	o.sentDown = errors.New("Sent: server too busy")
	o.restore(old)
	diary := &strings.Builder{}
	o.engine.Log = slog.New(slog.NewTextHandler(diary, nil))
	look := func(trouble error, after time.Duration) {
		o.down = trouble
		o.mustTick()
		o.now = o.now.Add(after)
	}
	for range 3 { // an outage that raises the alarm
		look(errors.New("connection refused"), 10*time.Minute)
	}
	for range 10 {
		look(nil, time.Minute)
		look(errors.New("connection refused"), time.Minute)
	}
	for words, want := range map[string]int{"mailbox unreadable": 1, "still unreadable": 1, "readable again": 1} {
		if n := strings.Count(diary.String(), words); n != want {
			t.Errorf("%q is told %d times, want %d:\n%s", words, n, want, diary)
		}
	}
}

// The server drops the connection whenever it hears one address, or takes one
// mail. The others are served meanwhile, and in the end a person is asked.
func TestOneRecipientDoesNotBlockTheMailbox(t *testing.T) {
	dropped := errors.New("the connection was lost")
	for name, fail := range map[string]*engine.SendError{
		"lost at RCPT":   {Phase: engine.PhaseRcpt, Outcome: engine.Deferred, Err: dropped},
		"421 at RCPT":    {Phase: engine.PhaseRcpt, Outcome: engine.Deferred, Code: 421, Enhanced: "4.3.2", Err: dropped},
		"lost in DATA":   {Phase: engine.PhaseData, Outcome: engine.Deferred, Err: dropped},
		"421 to the dot": {Phase: engine.PhaseDot, Outcome: engine.Deferred, Code: 421, Err: dropped},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.engine.Mailbox.GapMin, o.engine.Mailbox.GapMax = 90*time.Second, 240*time.Second
			poison := func(e engine.Email) error {
				if e.To == "per@kund.example" {
					return fail
				}
				return nil
			}
			if o.onData = poison; fail.Phase == engine.PhaseRcpt {
				o.onOpen, o.onData = poison, nil
			}
			o.enroll("per@kund.example")
			o.now = o.now.Add(time.Minute)
			for _, addr := range []string{"eva@other.example", "zoe@far.example"} {
				o.enroll(addr)
			}
			o.run(time.Hour)
			for _, addr := range []string{"eva@other.example", "zoe@far.example"} {
				o.wants(addr, engine.Active, "", 1)
			}
			o.run(20 * day)
			for _, addr := range []string{"eva@other.example", "zoe@far.example"} {
				o.wants(addr, engine.Finished, engine.NoAnswer, 3)
			}
			o.wants("per@kund.example", engine.Held, engine.Undelivered, 0)
		})
	}
}

// All of them fail at RCPT for days: that is the mailbox's trouble, and nobody
// is asked about any single one.
func TestALongOutageAtRcptHoldsNobody(t *testing.T) {
	o := newOffice(t)
	for i := range 3 {
		o.enroll(fmt.Sprintf("p%d@kund%d.example", i, i))
	}
	o.onOpen = func(engine.Email) error {
		return &engine.SendError{Phase: engine.PhaseRcpt, Outcome: engine.Deferred, Code: 421, Err: errors.New("421 closing")}
	}
	o.run(5 * day)
	o.onOpen = nil
	o.run(day)
	for i := range 3 {
		o.wants(fmt.Sprintf("p%d@kund%d.example", i, i), engine.Active, "", 1)
	}
}
