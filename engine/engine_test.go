package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"nudge/engine"
	"nudge/sequences"
)

const day = 24 * time.Hour

// Two prospects: Ann answers before her second touch, Bob never does.
func TestTheStory(t *testing.T) {
	o := newOffice(t)
	o.enroll("ann@kund.example")
	o.enroll("bob@other.example")
	o.run(2 * day)
	o.deliver("INBOX", engine.Incoming{MessageID: "a1", From: []string{"Ann@Kund.example"}, InReplyTo: []string{o.lastID("ann@kund.example")}, Arrived: o.now})
	o.run(20 * day)
	o.wants("ann@kund.example", engine.Stopped, engine.Replied, 1)
	o.wants("bob@other.example", engine.Finished, engine.NoAnswer, 3)
	if v := o.view("bob@other.example"); v.Next != nil {
		t.Errorf("finished, but next is %+v", v.Next)
	}
}

func TestFollowUpsStandInOneThread(t *testing.T) {
	o := newOffice(t)
	o.enroll("bob@other.example")
	o.run(20 * day)
	want := []string{"Quote 1042", "Re: Quote 1042", "Re: Quote 1042"}
	for i, d := range o.ledger {
		if d.subject != want[i] {
			t.Errorf("subject %d is %q, want %q", i+1, d.subject, want[i])
		}
	}
}

// 1. No DATA byte leaves unless the mailbox was read to its end, successfully,
// after RCPT, and nothing in it could be attributed to that prospect.
func TestInvariant1NoDataUnlessTheMailboxWasReadAfterRcpt(t *testing.T) {
	const per = "per@kund.example"
	answers := map[string]engine.Incoming{
		"a reply in the thread":           {MessageID: "r", From: []string{"someone@else.example"}, References: []string{"THREAD"}},
		"a fresh mail without threading":  {MessageID: "r", From: []string{per}},
		"a mail from Reply-To":            {MessageID: "r", From: []string{"crm@kund.example", per}},
		"an absence":                      {MessageID: "r", From: []string{per}, Kind: engine.AutoReply},
		"a message that cannot be parsed": {MessageID: "r", From: []string{per}, Kind: engine.Ambiguous},
		"a newsletter from the prospect":  {MessageID: "r", From: []string{per}, Kind: engine.Other},
		"an opt-out":                      {MessageID: "r", From: []string{per}, Kind: engine.Unsubscribe},
		"a bounce of the first touch":     {MessageID: "r", From: []string{"mailer-daemon@kund.example"}, Report: true, Kind: engine.BounceHard, Quoted: []string{"THREAD"}, Failed: []string{per}},
		"a calendar answer":               {MessageID: "r", From: []string{per}, Kind: engine.Calendar},
	}
	for name, in := range answers {
		for _, folder := range []string{"INBOX", "Junk", "Filed/By rule"} {
			t.Run(name+" in "+folder, func(t *testing.T) {
				o := newOffice(t)
				o.enroll(per)
				o.mustTick()
				in := in
				in.References, in.Quoted = slices.Clone(in.References), slices.Clone(in.Quoted)
				for i, id := range in.References {
					if id == "THREAD" {
						in.References[i] = o.lastID(per)
					}
				}
				for i, id := range in.Quoted {
					if id == "THREAD" {
						in.Quoted[i] = o.lastID(per)
					}
				}
				o.now = o.now.Add(3 * day)
				o.afterRcpt = func(engine.Email) { o.deliver(folder, in); o.afterRcpt = nil }
				o.mustTick()
				if got := o.sentTo(per); got != 1 {
					t.Errorf("%d mails, want the first alone", got)
				}
			})
		}
	}

	t.Run("the mailbox goes down after RCPT", func(t *testing.T) {
		o := newOffice(t)
		o.enroll(per)
		o.afterRcpt = func(engine.Email) { o.down = errors.New("connection reset") }
		o.mustTick()
		if o.data != 0 {
			t.Fatal("DATA was begun although the mailbox could not be read")
		}
		if h := o.engine.Health(); h.IMAPError == "" {
			t.Error("nothing says that the mailbox is down")
		}
		o.down, o.afterRcpt = nil, nil
		o.now = o.now.Add(time.Minute)
		o.mustTick()
		if o.sentTo(per) != 1 {
			t.Error("the touch did not leave when the mailbox was back")
		}
	})
}

func TestAMessageMovedWhileItIsReadStillStops(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Arrived: o.now})
	o.onRead = func(engine.Incoming) error { o.onRead = nil; o.move("INBOX", "Archive"); return engine.ErrMoved }
	o.run(10 * day)
	o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
}

func TestAMessageRemovedBeforeItIsReadAsksAPerson(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Arrived: o.now})
	o.onRead = func(engine.Incoming) error { return engine.ErrMoved }
	o.run(10 * day)
	o.wants("per@kund.example", engine.Held, engine.Unsure, 1)
}

func TestMailFromBeforeTheEnrollmentDoesNotStopIt(t *testing.T) {
	o := newOffice(t)
	o.deliver("INBOX", engine.Incoming{MessageID: "old", From: []string{"per@kund.example"}, Arrived: o.now.Add(-time.Hour)})
	o.enroll("per@kund.example")
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
}

func TestOwnMailIsNeverAReply(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	id := o.lastID("per@kund.example")
	o.deliver("Sent", engine.Incoming{Role: engine.SentMail, MessageID: id, From: []string{"anna@bergroofing.example"}, To: []string{"per@kund.example"}})
	o.deliver("All Mail", engine.Incoming{Role: engine.AllMail, MessageID: id, From: []string{"Anna@bergroofing.example"}})
	o.deliver("INBOX", engine.Incoming{MessageID: "x", From: []string{"info@bergroofing.example"}, InReplyTo: []string{id}})
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
}

func TestAnAbsenceHoldsUntilTheBusinessDayAfter(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	back := time.Date(2026, 12, 7, 0, 0, 0, 0, time.UTC) // a Monday
	o.deliver("INBOX", engine.Incoming{MessageID: "ooo", From: []string{"per@kund.example"}, Kind: engine.AutoReply, Until: back, Arrived: o.now})
	o.now = o.now.Add(time.Hour)
	o.mustTick()
	o.wants("per@kund.example", engine.Held, engine.Absent, 1)
	o.now = time.Date(2026, 12, 7, 23, 0, 0, 0, time.UTC)
	o.mustTick()
	o.wants("per@kund.example", engine.Held, engine.Absent, 1)
	o.now = time.Date(2026, 12, 8, 0, 0, 0, 0, time.UTC)
	o.mustTick()
	o.wants("per@kund.example", engine.Active, "", 2)
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
}

func TestAReplyStopsEverythingOfThatPerson(t *testing.T) {
	o := newOffice(t)
	o.lib["invoice"] = sequence(t, "invoice", threeTouches)
	o.enroll("per@kund.example")
	if _, err := o.desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "invoice", Address: "Per+billing@kund.example", Name: "Per",
		Fields: map[string]string{"quote_no": "7"}}); err != nil {
		t.Fatal(err)
	}
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, InReplyTo: []string{o.lastID("per@kund.example")}})
	o.mustTick()
	views, err := o.desk.List(t.Context(), engine.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range views {
		if v.State != engine.Stopped {
			t.Errorf("%s in %s is %s", v.Address, v.Sequence, v.State)
		}
	}
}

// 2. The intent is durable before DATA; dots for one enrollment and step are at
// most one, plus a person's explicit resends.
func TestInvariant2AtMostOneDot(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.onData = lost
	o.run(30 * day)
	if o.data != 1 {
		t.Fatalf("DATA was begun %d times after an unknown outcome", o.data)
	}
	o.wants("per@kund.example", engine.Held, engine.InDoubt, 0)
	o.restart()
	o.run(30 * day)
	if o.data != 1 {
		t.Fatalf("DATA was begun %d times after a restart", o.data)
	}
	doubts, err := o.desk.Doubts(t.Context())
	if err != nil || len(doubts) != 1 || doubts[0].Address != "per@kund.example" {
		t.Fatalf("doubts %+v, %v", doubts, err)
	}
	o.onData = nil
	if _, err := o.desk.ResolveDoubt(t.Context(), doubts[0].Enrollment, engine.DoubtResend); err != nil {
		t.Fatal(err)
	}
	o.mustTick()
	if o.sentTo("per@kund.example") != 1 || o.lastID("per@kund.example") == doubts[0].MessageID {
		t.Errorf("a resend must go once, under a new Message-ID; ledger %+v", o.ledger)
	}
}

func TestADoubtCountedAsSentGoesOn(t *testing.T) {
	o := newOffice(t)
	v := o.enroll("per@kund.example")
	o.onData = lost
	o.mustTick()
	o.onData = nil
	if _, err := o.desk.ResolveDoubt(t.Context(), v.ID, engine.DoubtSent); err != nil {
		t.Fatal(err)
	}
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 2)
}

func TestACopyInSentEndsADoubt(t *testing.T) {
	o := newOffice(t)
	v := o.enroll("per@kund.example")
	o.onData = lost
	o.mustTick()
	o.onData = nil
	doubts, _ := o.desk.Doubts(t.Context())
	o.deliver("Sent", engine.Incoming{Role: engine.SentMail, MessageID: doubts[0].MessageID, From: []string{"anna@bergroofing.example"}})
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 2)
	_ = v
}

// A Message-ID of a touch in doubt is known, so a reply to it stops.
func TestAReplyToAMailInDoubtStops(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.onData = lost
	o.mustTick()
	doubts, _ := o.desk.Doubts(t.Context())
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"assistant@kund.example"}, InReplyTo: []string{doubts[0].MessageID}})
	o.mustTick()
	o.wants("per@kund.example", engine.Stopped, engine.Replied, 0)
}

func TestFailuresByPhase(t *testing.T) {
	failure := func(phase engine.SendPhase, outcome engine.Outcome, code int, enhanced string) error {
		return &engine.SendError{Phase: phase, Outcome: outcome, Code: code, Enhanced: enhanced, Err: fmt.Errorf("%d %s", code, enhanced)}
	}
	tests := []struct {
		name  string
		open  error
		data  error
		state engine.State
		after int // mails once the trouble is over, a week later
	}{
		{"connection refused", failure(engine.PhaseConnect, engine.Deferred, 0, ""), nil, engine.Active, 1},
		{"wrong password", failure(engine.PhaseAuth, engine.Refusal, 535, "5.7.8"), nil, engine.Active, 1},
		{"greylisted", failure(engine.PhaseRcpt, engine.Deferred, 451, "4.7.1"), nil, engine.Active, 1},
		{"no such user", failure(engine.PhaseRcpt, engine.Refusal, 550, "5.1.1"), nil, engine.Stopped, 0},
		{"refused by policy", failure(engine.PhaseRcpt, engine.Refusal, 550, "5.7.1"), nil, engine.Held, 0},
		{"cut before the dot", nil, failure(engine.PhaseData, engine.Deferred, 0, ""), engine.Active, 1},
		{"4xx to the dot", nil, failure(engine.PhaseDot, engine.Deferred, 452, "4.3.1"), engine.Active, 1},
		{"5xx to the dot", nil, failure(engine.PhaseDot, engine.Refusal, 554, "5.6.0"), engine.Held, 0},
		{"cut after the dot", nil, failure(engine.PhaseDot, engine.Unknown, 0, ""), engine.Held, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t)
			o.enroll("per@kund.example")
			o.onOpen = func(engine.Email) error { return tt.open }
			o.onData = func(engine.Email) error { return tt.data }
			o.mustTick()
			if v := o.view("per@kund.example"); v.State != tt.state {
				t.Errorf("%s (%s), want %s\n%s", v.State, v.Reason, tt.state, o.story("per@kund.example"))
			}
			o.onOpen, o.onData = nil, nil
			o.run(2 * day)
			if got := o.sentTo("per@kund.example"); got != tt.after {
				t.Errorf("%d mails afterwards, want %d\n%s", got, tt.after, o.story("per@kund.example"))
			}
		})
	}
}

// 5. A suppressed address is refused at enroll and in every import; at claim,
// the store's own suite asks.
func TestInvariant5ASuppressedAddressIsRefused(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.deliver("INBOX", engine.Incoming{MessageID: "u", From: []string{"per@kund.example"}, Kind: engine.Unsubscribe, Arrived: o.now})
	o.run(10 * day)
	if n := o.sentTo("per@kund.example"); n != 0 {
		t.Errorf("%d mails after an opt-out", n)
	}
	req := engine.EnrollRequest{Sequence: "quote", Address: "Per+again@KUND.example", Name: "Per", Fields: map[string]string{"quote_no": "1"}}
	if _, err := o.desk.Enroll(t.Context(), req); !errors.Is(err, engine.ErrSuppressed) {
		t.Errorf("enroll: %v", err)
	}
	res, err := o.desk.Import(t.Context(), engine.ImportRequest{Sequence: "quote", Rows: []engine.ImportRow{{Row: 2, Address: req.Address, Name: "Per", Fields: req.Fields}}})
	if err != nil || res.Enrolled != 0 || res.Skipped != 1 {
		t.Errorf("import: %+v, %v", res, err)
	}
}

// 8. Per mailbox and day, accepted touches are at most the cap; between two
// there is at least the gap; none leaves outside its window.
func TestInvariant8CapGapAndWindow(t *testing.T) {
	o := newOffice(t)
	o.engine.Mailbox.PerDay = 5
	o.engine.Mailbox.GapMin, o.engine.Mailbox.GapMax = 90*time.Second, 240*time.Second
	o.lib["quote"] = sequence(t, "quote", "---\nsend: mon-fri 09:00-09:30\n---\n\n## Only\n\n```step\nwait: 0\nsubject: Hi\n```\n\nHello {{ first_name }}?\n")
	for i := range 12 {
		o.enroll(fmt.Sprintf("p%d@kund%d.example", i, i))
	}
	perDay := map[string]int{}
	var last time.Time
	o.onData = func(engine.Email) error {
		perDay[o.now.Format("2006-01-02")]++
		if gap := o.now.Sub(last); gap < 90*time.Second {
			t.Errorf("a gap of %s", gap)
		}
		if hm := o.now.Format("15:04"); hm < "09:00" || hm >= "09:30" {
			t.Errorf("a touch at %s", hm)
		}
		if wd := o.now.Weekday(); wd == time.Saturday || wd == time.Sunday {
			t.Errorf("a touch on a %s", wd)
		}
		last = o.now
		return nil
	}
	o.run(7 * day)
	for d, n := range perDay {
		if n > 5 {
			t.Errorf("%d touches on %s", n, d)
		}
	}
	if len(o.ledger) != 12 {
		t.Errorf("%d of 12 were sent in a week: %v", len(o.ledger), perDay)
	}
}

func TestAMissingFieldHoldsThatProspectOnly(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	if _, err := o.desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "quote", Address: "eva@kund.example", Name: "Eva"}); err != nil {
		t.Fatal(err)
	}
	o.run(day)
	o.wants("per@kund.example", engine.Active, "", 1)
	o.wants("eva@kund.example", engine.Held, engine.MissingField, 0)
}

func TestPauseHoldsBackAndResumeGoesOn(t *testing.T) {
	scopes := map[string]engine.Scope{"everything": {}, "the mailbox": {Mailbox: "sales"}, "the sequence": {Sequence: "quote"}, "the person": {Person: "per@kund.example"}}
	for name, scope := range scopes {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.enroll("per@kund.example")
			if n, err := o.desk.Pause(t.Context(), scope); err != nil || n != 1 {
				t.Fatalf("pause covers %d, %v", n, err)
			}
			o.run(5 * day)
			o.restart()
			o.run(5 * day)
			if o.sentTo("per@kund.example") != 0 {
				t.Fatal("a paused touch left")
			}
			if _, err := o.desk.Resume(t.Context(), scope); err != nil {
				t.Fatal(err)
			}
			o.mustTick()
			if o.sentTo("per@kund.example") != 1 {
				t.Errorf("nothing left after resuming\n%s", o.story("per@kund.example"))
			}
		})
	}
}

func TestEditsReachPeopleInFlight(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.run(day)
	o.lib["quote"] = sequence(t, "quote", "---\nsend: always\n---\n\n## 1. First\n\n```step\nwait: 0\nsubject: Quote\n```\n\nHi?\n\n## 2. Other\n\n```step\nwait: 2 days\n```\n\nStill?\n")
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 2)
	delete(o.lib, "quote")
	o.lib["quote2"] = sequence(t, "quote2", threeTouches)
	if _, err := o.desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "quote2", Address: "eva@kund.example", Name: "Eva", Fields: map[string]string{"quote_no": "1"}}); err != nil {
		t.Fatal(err)
	}
	delete(o.lib, "quote2")
	o.run(5 * day)
	o.wants("eva@kund.example", engine.Held, engine.NoSequence, 0)
}

func TestRenamingEveryStepAsksInsteadOfStartingOver(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.run(day)
	renamed := strings.NewReplacer("1. First", "1. One", "2. Second", "2. Two", "3. Third", "3. Three").Replace(threeTouches)
	o.lib["quote"] = sequence(t, "quote", renamed)
	o.run(20 * day)
	o.wants("per@kund.example", engine.Held, engine.StepsGone, 1)
}

func TestRehearsalWritesToTheOwnerAlone(t *testing.T) {
	o := newOffice(t)
	o.engine.Mailbox.Rehearsal = true
	o.enroll("per@kund.example")
	o.run(20 * day)
	if o.sentTo("per@kund.example") != 0 || o.sentTo("anna@bergroofing.example") != 3 {
		t.Errorf("ledger %+v", o.ledger)
	}
}

func TestImportIsAllOrNothing(t *testing.T) {
	o := newOffice(t)
	fields := map[string]string{"quote_no": "1"}
	rows := []engine.ImportRow{{Row: 2, Address: "a@a.example", Name: "A", Fields: fields}, {Row: 3, Address: "not an address", Fields: fields}}
	res, err := o.desk.Import(t.Context(), engine.ImportRequest{Sequence: "quote", Rows: rows})
	if err != nil || res.Enrolled != 0 || len(res.Rejected) != 1 || res.Rejected[0].Row != 3 || res.Rejected[0].Column != "email" {
		t.Fatalf("%+v, %v", res, err)
	}
	if views, _ := o.desk.List(t.Context(), engine.Filter{}); len(views) != 0 {
		t.Fatalf("half an import: %+v", views)
	}
	if res, err = o.desk.Import(t.Context(), engine.ImportRequest{Sequence: "quote", Rows: rows[:1]}); err != nil || res.Enrolled != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	rows[0].Fields = map[string]string{"project": "barn"}
	if res, err = o.desk.Import(t.Context(), engine.ImportRequest{Sequence: "quote", Rows: rows[:1]}); err != nil || res.Updated != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	if v := o.view("a@a.example"); v.Fields["project"] != "barn" || v.Fields["quote_no"] != "1" {
		t.Errorf("fields %v", v.Fields)
	}
	if res, err = o.desk.Import(t.Context(), engine.ImportRequest{Sequence: "quote", Rows: rows[:1]}); err != nil || res.Skipped != 1 {
		t.Errorf("the same again: %+v, %v", res, err)
	}
}

// Two questions at once: whether a touch left, and what a mail means. Answering
// the first does not answer the second.
func TestAHoldOutlivesADoubt(t *testing.T) {
	for _, kind := range []engine.Kind{engine.Ambiguous, engine.AutoReply} {
		for _, mailFirst := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, mail first %v", kind, mailFirst), func(t *testing.T) {
				o := newOffice(t)
				v := o.enroll("per@kund.example")
				deliver := func() {
					o.deliver("INBOX", engine.Incoming{MessageID: "m", From: []string{"per@kund.example"}, Kind: kind, Arrived: o.now,
						Until: o.now.AddDate(0, 0, 90)})
				}
				o.onData = func(e engine.Email) error {
					if mailFirst { // it arrives while the touch is on its way, and is applied before the touch is settled
						deliver()
					}
					return lost(e)
				}
				o.mustTick()
				if !mailFirst {
					deliver()
				}
				o.now = o.now.Add(time.Hour)
				o.mustTick()
				o.onData = nil
				if _, err := o.desk.ResolveDoubt(t.Context(), v.ID, engine.DoubtSent); err != nil {
					t.Fatal(err)
				}
				o.run(30 * day)
				if n := o.sentTo("per@kund.example"); n != 0 {
					t.Errorf("%d mails left beside an open question\n%s", n, o.story("per@kund.example"))
				}
			})
		}
	}
}

func TestAnAnswerInAColleaguesThreadStopsBoth(t *testing.T) {
	o := newOffice(t)
	o.enroll("info@holm.example")
	o.enroll("per@holm.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "u", From: []string{"per@holm.example"}, InReplyTo: []string{o.lastID("info@holm.example")},
		Kind: engine.Unsubscribe, Arrived: o.now})
	o.run(20 * day)
	o.wants("info@holm.example", engine.Stopped, engine.Unsubscribed, 1)
	o.wants("per@holm.example", engine.Stopped, engine.Unsubscribed, 1)
}

func TestAnAnswerThroughAnOwnAddressIsStillAnAnswer(t *testing.T) {
	for name, in := range map[string]engine.Incoming{
		"a group that rewrites From": {MessageID: "g", From: []string{"info@bergroofing.example", "per@kund.example"}},
		"filed in Sent":              {MessageID: "s", From: []string{"per@kund.example"}, Role: engine.SentMail},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.enroll("per@kund.example")
			o.mustTick()
			in.Arrived = o.now
			o.deliver("Somewhere", in)
			o.run(20 * day)
			o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
		})
	}
}

func TestARemovedMailThatLookedLikeAReportAsksAPerson(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Report: true, Arrived: o.now})
	o.onRead = func(engine.Incoming) error { return engine.ErrMoved }
	o.run(10 * day)
	o.wants("per@kund.example", engine.Held, engine.Unsure, 1)
}

func TestTheSendersOwnTroubleHoldsNobody(t *testing.T) {
	for _, enhanced := range []string{"5.4.5", "5.1.0"} {
		o := newOffice(t)
		o.enroll("per@kund.example")
		o.onOpen = func(engine.Email) error {
			return &engine.SendError{Phase: engine.PhaseRcpt, Outcome: engine.Refusal, Code: 550, Enhanced: enhanced, Err: errors.New("550 " + enhanced)}
		}
		o.run(day)
		o.wants("per@kund.example", engine.Active, "", 0)
		if o.engine.Health().SMTPError == "" {
			t.Errorf("%s: nothing says that the mail server refuses", enhanced)
		}
		o.onOpen = nil
		o.run(day)
		o.wants("per@kund.example", engine.Active, "", 1)
	}
}

func TestAClockThatWasAheadDoesNotSilenceTheMailbox(t *testing.T) {
	o := newOffice(t)
	o.engine.Mailbox.GapMin, o.engine.Mailbox.GapMax = time.Minute, time.Minute
	o.enroll("per@kund.example")
	o.now = start.AddDate(3, 0, 0)
	o.mustTick()
	o.now = start.Add(time.Hour)
	o.enroll("eva@other.example")
	o.mustTick()
	o.wants("eva@other.example", engine.Active, "", 1)
}

func TestWhatWasOnlyRehearsedAsksBeforeItBeginsForReal(t *testing.T) {
	for name, wait := range map[string]time.Duration{"at once": 0, "when its next step was due": 10 * day} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			rehearse := func(on bool) { o.engine.Mailbox.Rehearsal, o.desk.Mailboxes[0].Rehearsal = on, on }
			rehearse(true)
			o.enroll("per@kund.example")
			o.run(day)
			if _, err := o.desk.Resume(t.Context(), engine.Scope{Person: "per@kund.example"}); err != nil {
				t.Fatal(err)
			}
			if v := o.view("per@kund.example"); v.Touches != 1 || v.Rehearsed != 1 {
				t.Errorf("%d touches, %d rehearsed, want one that a word in the rehearsal did not undo", v.Touches, v.Rehearsed)
			}
			rehearse(false)
			o.restart()
			if wait > 0 {
				o.run(wait)
				o.wants("per@kund.example", engine.Held, engine.Rehearsed, 0)
			}
			if _, err := o.desk.Resume(t.Context(), engine.Scope{Person: "per@kund.example"}); err != nil {
				t.Fatal(err)
			}
			o.run(20 * day)
			o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
			if v := o.view("per@kund.example"); v.Rehearsed != 0 {
				t.Errorf("%d mails still count as rehearsed", v.Rehearsed)
			}
			if o.ledger[len(o.ledger)-3].subject != "Quote 1042" {
				t.Errorf("it did not begin at its first step: %+v", o.ledger)
			}
		})
	}
}

func TestARefusalInARehearsalIsNotTheProspects(t *testing.T) {
	o := newOffice(t)
	o.engine.Mailbox.Rehearsal = true
	o.enroll("per@kund.example")
	o.onOpen = func(engine.Email) error {
		return &engine.SendError{Phase: engine.PhaseRcpt, Outcome: engine.Refusal, Code: 550, Enhanced: "5.1.1", Err: errors.New("550 5.1.1 no such user")}
	}
	o.mustTick()
	o.wants("per@kund.example", engine.Held, engine.Refused, 0)
}

func TestTheViewSaysWhyATouchWaits(t *testing.T) {
	o := newOffice(t)
	o.engine.Mailbox.PerDomain = 1
	o.desk.Mailboxes[0].PerDomain = 1
	o.enroll("a@firm.example")
	o.enroll("b@firm.example")
	o.mustTick()
	if v := o.view("b@firm.example"); v.Next == nil || !strings.Contains(v.Next.Why, "firm.example today") {
		t.Errorf("next %+v", v.Next)
	}
}

// filter is an Inbox whose owner's mail program files a new mail between two
// folders' turns: the first look sees it neither where it came from nor where it
// went, only that the first folder changed.
type filter struct {
	engine.Inbox
	hide bool
}

func (f *filter) Fetch(ctx context.Context, c engine.Cursor) ([]engine.Incoming, engine.Cursor, error) {
	ins, next, err := f.Inbox.Fetch(ctx, c)
	if f.hide && len(ins) > 0 {
		f.hide = false
		was := next.Folders["Filed"]
		was.UIDNext--
		next.Folders["Filed"] = was
		inbox := next.Folders["INBOX"]
		inbox.UIDNext++
		next.Folders["INBOX"] = inbox
		return nil, next, err
	}
	return ins, next, err
}

func TestAMailFiledWhileTheFoldersAreReadIsSeenByTheFence(t *testing.T) {
	o := newOffice(t)
	f := &filter{Inbox: o.post}
	o.engine.Inbox = f
	o.enroll("per@kund.example")
	o.afterRcpt = func(engine.Email) {
		o.deliver("Filed", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Arrived: o.now})
		f.hide = true
	}
	o.mustTick()
	o.wants("per@kund.example", engine.Stopped, engine.Replied, 0)
}

func TestAMailboxThatNeverComesToRestIsNotReadToItsEnd(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.onFetch = func() {
		o.deliver("INBOX", engine.Incoming{UID: 0})
		o.folders["INBOX"][len(o.folders["INBOX"])-1].UID = 0
	}
	o.mustTick()
	if o.data != 0 || o.engine.Health().IMAPError == "" {
		t.Errorf("DATA begun %d times, health %+v", o.data, o.engine.Health())
	}
}

func TestAStepThatIsBehindNeverComesAgainWhenItsFileComesBack(t *testing.T) {
	o := newOffice(t)
	o.onData = func(e engine.Email) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.ledger = append(o.ledger, dot{e.To, e.MessageID, e.Subject, e.SHA256}) // it arrived all the same
		return lost(e)
	}
	o.enroll("per@kund.example")
	o.mustTick()
	o.onData = nil
	seq := o.lib["quote"]
	delete(o.lib, "quote")
	o.deliver("Sent", engine.Incoming{Role: engine.SentMail, From: []string{"anna@bergroofing.example"}, MessageID: o.lastID("per@kund.example")})
	o.run(6 * time.Hour)
	o.wants("per@kund.example", engine.Held, engine.NoSequence, 1)
	o.lib["quote"] = seq
	if _, err := o.desk.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.run(time.Hour)
	o.wants("per@kund.example", engine.Active, "", 1)
}

func TestARehearsalInBetweenRepeatsNothing(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.run(day)
	o.engine.Mailbox.Rehearsal = true
	o.restart()
	o.run(3 * day)
	o.engine.Mailbox.Rehearsal = false
	o.restart()
	o.run(10 * day)
	if _, err := o.desk.Resume(t.Context(), engine.Scope{Person: "per@kund.example"}); err != nil {
		t.Fatal(err)
	}
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
}

func TestARehearsedMailIsNoProofForTheRealOne(t *testing.T) {
	o := newOffice(t)
	o.engine.Mailbox.Rehearsal = true
	o.enroll("per@kund.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{From: []string{"anna@bergroofing.example"}, MessageID: o.ledger[0].id})
	o.engine.Mailbox.Rehearsal = false
	o.restart()
	o.run(5 * day)
	if _, err := o.desk.Resume(t.Context(), engine.Scope{Person: "per@kund.example"}); err != nil {
		t.Fatal(err)
	}
	o.onData = lost
	o.mustTick()
	o.move("INBOX", "Archive")
	o.onData = nil
	o.mustTick()
	o.wants("per@kund.example", engine.Held, engine.InDoubt, 0)
}

func TestTheSendersQuotaAtTheDotSilencesTheMailbox(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.onData = func(engine.Email) error {
		return &engine.SendError{Phase: engine.PhaseDot, Outcome: engine.Refusal, Code: 550, Enhanced: "5.4.5", Err: errors.New("550 5.4.5")}
	}
	for range 20 {
		o.mustTick()
	}
	if o.data != 1 || o.engine.Health().SMTPError == "" {
		t.Errorf("DATA begun %d times at one moment, health %+v", o.data, o.engine.Health())
	}
}

// In Havana midnight does not exist on the day clocks go forward.
func TestADayWithoutMidnightEndsAllTheSame(t *testing.T) {
	havana, err := time.LoadLocation("America/Havana")
	if err != nil {
		t.Fatal(err)
	}
	for name, limit := range map[string]func(*engine.Mailbox){
		"per day":    func(m *engine.Mailbox) { m.PerDay = 1 },
		"per domain": func(m *engine.Mailbox) { m.PerDomain = 1 },
	} {
		o := newOffice(t)
		o.engine.Mailbox.Location = havana
		limit(&o.engine.Mailbox)
		o.now = time.Date(2026, 3, 7, 23, 10, 0, 0, havana)
		o.enroll("per@kund.example")
		o.enroll("eva@kund.example")
		o.mustTick()
		next, err := o.tick()
		if err != nil || !next.After(o.now) {
			t.Errorf("%s: wants to run again at %s, %v", name, next, err)
		}
	}
}

func TestAVanishedMailHoldsAlsoWhenTheSweepBreaksOff(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Arrived: o.now})
	reads := 0
	o.onRead = func(engine.Incoming) error {
		if reads++; reads == 4 { // the last try; the look behind it fails
			o.onFetch = func() { o.down = errors.New("connection reset") }
		}
		return engine.ErrMoved
	}
	o.mustTick()
	o.onFetch, o.onRead, o.down = nil, nil, nil
	o.run(10 * day)
	o.wants("per@kund.example", engine.Held, engine.Unsure, 1)
}

// A customer who was once written to goes on to write every day, for years. The
// state does not grow with it, and a wish not to be written to is still heard.
func TestEverydayMailDoesNotMakeTheStateGrow(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "answer", From: []string{"per@kund.example"}, Arrived: o.now})
	o.mustTick()
	events := func() int {
		t.Helper()
		evs, err := o.store.Events("", 0, 100_000)
		if err != nil {
			t.Fatal(err)
		}
		return len(evs)
	}
	year := func(n int) {
		for i := range 365 {
			o.now = o.now.Add(day)
			o.deliver("INBOX", engine.Incoming{MessageID: fmt.Sprintf("%d-%d", n, i), From: []string{"per@kund.example"}, Arrived: o.now})
			o.mustTick()
		}
	}
	year(1)
	was := events()
	year(2)
	if n := events() - was; n > 0 || was > 60 {
		t.Errorf("the first year left %d lines in history, the second %d", was, n)
	}
	o.deliver("INBOX", engine.Incoming{MessageID: "stop", From: []string{"per@kund.example"}, Kind: engine.Unsubscribe, Arrived: o.now})
	o.mustTick()
	if s, err := o.store.Suppressions(); err != nil || len(s) != 1 || s[0].Target != "per@kund.example" {
		t.Errorf("suppressed is %v, %v", s, err)
	}
}

// Two mailboxes are about to write to one person at the same moment: what the
// first has claimed, the second hears of before its own DATA.
func TestTwoMailboxesKeepOnePersonsPace(t *testing.T) {
	o := newOffice(t)
	o.lib["other"] = sequence(t, "other", threeTouches)
	o.engine.Mailbox.BetweenSequences = sequences.Delay{N: 2, Unit: sequences.BusinessDays}
	second := o.engine.Mailbox
	second.Name, second.Address = "second", "second@bergroofing.example"
	far := &post{folders: map[string][]engine.Incoming{"INBOX": nil}, now: o.post.now}
	colleague := &engine.Engine{Mailbox: second, Store: o.store, Library: o.lib, Sender: far, Inbox: far, Log: slog.New(slog.DiscardHandler)}
	v := o.enroll("per@kund.example")
	en, err := o.store.Enrollment(v.ID)
	if err != nil {
		t.Fatal(err)
	}
	en.ID, en.Version, en.Sequence, en.Mailbox = "", 0, "other", second.Name
	if _, errs, err := o.store.Enroll([]engine.Enrollment{en}); err != nil || errs[0] != nil {
		t.Fatal(err, errs)
	}
	o.afterRcpt = func(engine.Email) {
		if _, err := colleague.Tick(t.Context(), o.now); err != nil {
			t.Error(err)
		}
		if err := colleague.Finish(o.now); err != nil {
			t.Error(err)
		}
	}
	o.mustTick()
	if own, theirs := o.sentTo("per@kund.example"), far.sentTo("per@kund.example"); own != 0 || theirs != 1 {
		t.Fatalf("%d mails from the one and %d from the other at one moment, want 0 and 1", own, theirs)
	}
	o.afterRcpt = nil
	o.run(2*day + time.Hour)
	if own := o.sentTo("per@kund.example"); own != 1 {
		t.Errorf("%d mails two business days later, want 1\n%s", own, o.story("per@kund.example"))
	}
}

// leapless is a window as of the 30th of February.
type leapless struct{}

func (leapless) First(time.Time) time.Time { return time.Time{} }
func (leapless) Allows(time.Time) bool     { return false }
func (leapless) String() string            { return "0 9 30 2 *" }

// The 30th of February: nobody waits for it, and the engine does not spin.
func TestAWindowThatNeverOpensAsks(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.lib["quote"].Steps[0].Send = leapless{} // the file was edited since
	o.mustTick()
	o.wants("per@kund.example", engine.Held, engine.Unwritable, 0)
	if story := o.story("per@kund.example"); !strings.Contains(story, "does not open") {
		t.Errorf("the question does not say why:\n%s", story)
	}
}
