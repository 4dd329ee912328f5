package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nudge/engine"
)

// enrollIn enrolls somebody in a sequence with fields of their own.
func (o *office) enrollIn(seq, addr string, fields map[string]string) engine.View {
	o.t.Helper()
	if fields["quote_no"] == "" {
		fields["quote_no"] = "1042"
	}
	v, err := o.desk.Enroll(o.t.Context(), engine.EnrollRequest{Sequence: seq, Address: addr, Name: "Pat", Fields: fields})
	if err != nil {
		o.t.Fatal(err)
	}
	return v
}

// standing says where somebody stands in a sequence.
func (o *office) standing(addr, seq string) string {
	o.t.Helper()
	views, err := o.desk.List(o.t.Context(), engine.Filter{Key: engine.AddressKey(addr), Sequence: seq})
	if err != nil || len(views) == 0 {
		o.t.Fatalf("%s in %s: %v, %v", addr, seq, views, err)
	}
	v := views[len(views)-1]
	s := strings.TrimSuffix(string(v.State)+" "+v.Reason, " ")
	if v.State == engine.Held && v.Next.At != nil {
		s += " until " + v.Next.At.Format("2 Jan")
	}
	return s
}

func (o *office) stands(addr, seq, want string) {
	o.t.Helper()
	if got := o.standing(addr, seq); got != want {
		o.t.Errorf("%s in %s is %s, want %s\n%s", addr, seq, got, want, o.story(addr))
	}
}

// The owner reads "back on 7 December" on 23 November.
func TestAnAbsenceHoldsAllOfThePersonsSequences(t *testing.T) {
	o := newOffice(t)
	o.lib["invoice"] = sequence(t, "invoice", strings.Replace(threeTouches, "send: always", "send: always\nholidays: 2026-12-08", 1))
	o.enroll("per@kund.example")
	o.enrollIn("invoice", "per@kund.example", map[string]string{})
	o.mustTick()
	back := time.Date(2026, 12, 7, 0, 0, 0, 0, time.UTC)
	o.deliver("INBOX", engine.Incoming{MessageID: "ooo", From: []string{"per@kund.example"}, InReplyTo: []string{o.lastID("per@kund.example")},
		Kind: engine.AutoReply, Until: back, Arrived: o.now})
	o.run(time.Hour)
	o.stands("per@kund.example", "quote", "held out of office until 8 Dec")
	o.stands("per@kund.example", "invoice", "held out of office until 9 Dec") // the 8th is a holiday there
	sent := o.sentTo("per@kund.example")
	o.run(time.Date(2026, 12, 7, 23, 59, 0, 0, time.UTC).Sub(o.now))
	if n := o.sentTo("per@kund.example"); n != sent {
		t.Errorf("%d mails during the absence", n-sent)
	}
	o.run(time.Date(2026, 12, 8, 12, 0, 0, 0, time.UTC).Sub(o.now))
	o.stands("per@kund.example", "quote", "active")
	o.stands("per@kund.example", "invoice", "held out of office until 9 Dec")
	if n := o.sentTo("per@kund.example"); n != sent+1 {
		t.Errorf("%d mails on 8 December, want 1\n%s", n-sent, o.story("per@kund.example"))
	}
}

func TestAColleaguesAnswerHoldsTheCompany(t *testing.T) {
	for _, tt := range []struct {
		name, other, answers string
		inThread             bool
		policy               engine.Replies
		want                 string
	}{
		{"an answer to a colleague", "eva@kund.example", "per@kund.example", true, engine.Replies{}, "held colleague answered until 30 Nov"},
		{"at a subdomain", "eva@nord.kund.example", "per@kund.example", true, engine.Replies{}, "held colleague answered until 30 Nov"},
		{"at another company", "eva@other.example", "per@kund.example", true, engine.Replies{}, "active"},
		{"with companies left alone", "eva@kund.example", "per@kund.example", true, engine.Replies{IgnoreCompany: true}, "active"},
		{"a stranger of the company writes", "eva@kund.example", "boss@kund.example", false, engine.Replies{}, "held unsure until 26 Nov"}, // its own next date
		{"neighbours at gmail.com", "eva@gmail.com", "per@gmail.com", true, engine.Replies{}, "active"},
		{"a stranger at gmail.com writes", "eva@gmail.com", "someone@gmail.com", false, engine.Replies{}, "active"},
		{"neighbours under a public suffix", "eva@b.co.uk", "per@a.co.uk", true, engine.Replies{}, "active"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t)
			o.engine.Mailbox.Replies = tt.policy
			in := engine.Incoming{MessageID: "r", From: []string{tt.answers}}
			if tt.inThread {
				o.enroll(tt.answers)
			}
			o.enroll(tt.other)
			o.mustTick()
			o.mustTick()
			if tt.inThread {
				in.InReplyTo = []string{o.lastID(tt.answers)}
			}
			in.Arrived = o.now
			o.deliver("INBOX", in)
			o.mustTick()
			o.stands(tt.other, "quote", tt.want)
			if tt.inThread {
				o.wants(tt.answers, engine.Stopped, engine.Replied, 1)
			}
			o.run(20 * day)
			o.wants(tt.other, engine.Finished, engine.NoAnswer, 3) // a hold eats nothing
		})
	}
}

func TestACompanysNewsletterHoldsNobody(t *testing.T) {
	o := newOffice(t)
	o.enroll("eva@kund.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "n", From: []string{"news@kund.example"}, Kind: engine.Other, Arrived: o.now})
	o.deliver("INBOX", engine.Incoming{MessageID: "o", From: []string{"boss@kund.example"}, Kind: engine.AutoReply, Arrived: o.now})
	o.mustTick()
	o.stands("eva@kund.example", "quote", "active")
	if strings.Contains(o.story("eva@kund.example"), "news@kund.example") {
		t.Error("it stands in their history")
	}
}

func TestTheOwnersColleaguesAreNobodysCompany(t *testing.T) {
	o := newOffice(t)
	o.enroll("trial@bergroofing.example") // to try it out
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "x", From: []string{"carl@bergroofing.example"}, Arrived: o.now})
	o.mustTick()
	o.stands("trial@bergroofing.example", "quote", "active")
}

func TestADealStopsTogether(t *testing.T) {
	o := newOffice(t)
	o.enrollIn("quote", "per@kund.example", map[string]string{"deal": "D7"})
	o.enrollIn("quote", "ulf@partner.example", map[string]string{"deal": " D7"})
	o.enrollIn("quote", "ann@third.example", map[string]string{"deal": "D8"})
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Arrived: o.now})
	o.run(time.Hour)
	o.stands("per@kund.example", "quote", "stopped replied")
	o.stands("ulf@partner.example", "quote", "stopped replied")
	o.stands("ann@third.example", "quote", "active")
}

func TestWhoAnsweredOnceIsKnownByTheirAddress(t *testing.T) {
	o := newOffice(t)
	o.lib["later"] = sequence(t, "later", threeTouches)
	o.enroll("per@kund.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"assistant@elsewhere.example"}, InReplyTo: []string{o.lastID("per@kund.example")}, Arrived: o.now})
	o.run(time.Hour)
	o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
	o.restart()
	o.enrollIn("later", "per@kund.example", map[string]string{})
	o.run(time.Hour)
	o.deliver("INBOX", engine.Incoming{MessageID: "r2", From: []string{"Assistant@elsewhere.example"}, Subject: "Fresh mail", Arrived: o.now})
	o.run(time.Hour)
	o.stands("per@kund.example", "later", "stopped replied")
	if !strings.Contains(o.story("per@kund.example"), "who answered for per@kund.example before") {
		t.Errorf("the evidence does not say why\n%s", o.story("per@kund.example"))
	}
}

func TestWhoIsNoAlias(t *testing.T) {
	for name, from := range map[string]string{"a colleague of ours": "carl@bergroofing.example", "a machine": "no-reply@crm.example", "another prospect": "eva@other.example"} {
		o := newOffice(t)
		o.lib["later"] = sequence(t, "later", threeTouches)
		o.enroll("per@kund.example")
		o.enroll("eva@other.example")
		o.mustTick()
		o.mustTick()
		o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{from}, InReplyTo: []string{o.lastID("per@kund.example")}, Arrived: o.now})
		o.run(time.Hour)
		o.enrollIn("later", "per@kund.example", map[string]string{})
		o.run(time.Hour)
		o.deliver("INBOX", engine.Incoming{MessageID: "r2", From: []string{from}, Arrived: o.now})
		o.run(time.Hour)
		if got := o.standing("per@kund.example", "later"); got != "active" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestAcknowledgementsGoOnOnce(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	ack := func(id string) {
		o.deliver("INBOX", engine.Incoming{MessageID: id, From: []string{"support@kund.example"}, InReplyTo: []string{o.lastID("per@kund.example")},
			Kind: engine.AutoReply, Ticket: true, Arrived: o.now})
	}
	ack("t1")
	o.run(time.Hour)
	o.wants("per@kund.example", engine.Active, "", 1)
	o.deliver("Archive", o.folders["INBOX"][0]) // the same mail, elsewhere
	o.run(time.Hour)
	o.wants("per@kund.example", engine.Active, "", 1)
	o.run(3 * day)
	ack("t2")
	o.run(time.Hour)
	o.stands("per@kund.example", "quote", "held unsure until 30 Nov")
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
}

func TestWhoHasLeftIsNotWrittenToAgain(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "l", From: []string{"per@kund.example"}, Kind: engine.AutoReply, Left: true, Successor: "new@kund.example", Arrived: o.now})
	o.run(time.Hour)
	o.wants("per@kund.example", engine.Stopped, engine.Gone, 1)
	if !strings.Contains(o.story("per@kund.example"), "successor:new@kund.example") {
		t.Errorf("history does not name the successor\n%s", o.story("per@kund.example"))
	}
	_, err := o.desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "quote", Address: "per@kund.example", Name: "Per", Fields: map[string]string{"quote_no": "1"}})
	if !errors.Is(err, engine.ErrSuppressed) {
		t.Errorf("enrolled again: %v", err)
	}
	if _, err := o.desk.Suppress(t.Context(), engine.SuppressRequest{Target: "per@kund.example", Remove: true}); err != nil {
		t.Errorf("it is nobody's wish, so a person can undo it: %v", err)
	}
}

func TestAFlaggedOptOutCanBeTakenBack(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "l", From: []string{"per@kund.example"}, OptOut: true, Arrived: o.now})
	o.run(time.Hour)
	o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
	all, err := o.desk.Suppressions(t.Context())
	if err != nil || len(all) != 1 || all[0].OwnWish() || !all[0].FromMail() {
		t.Fatalf("suppressions %+v, %v", all, err)
	}
}

func TestNotAReplyGoesOnWhereItWas(t *testing.T) {
	o := newOffice(t)
	o.lib["invoice"] = sequence(t, "invoice", threeTouches)
	o.enroll("per@kund.example")
	o.enrollIn("invoice", "per@kund.example", map[string]string{})
	o.enroll("eva@kund.example")
	o.run(time.Hour)
	due := *o.view("per@kund.example").Next.At
	reply := engine.Incoming{MessageID: "r@x", From: []string{"per@kund.example"}, InReplyTo: []string{o.lastID("per@kund.example")}, Arrived: o.now}
	o.deliver("INBOX", reply)
	o.run(time.Hour)
	o.stands("per@kund.example", "quote", "stopped replied")
	o.stands("per@kund.example", "invoice", "stopped replied")
	o.stands("eva@kund.example", "quote", "held colleague answered until 30 Nov")

	res, err := o.desk.NotAReply(t.Context(), engine.NotAReplyRequest{Target: "per@kund.example"})
	if err != nil || res.Incoming != "r@x" || len(res.Enrollments) != 3 {
		t.Fatalf("%+v, %v", res, err)
	}
	for _, v := range res.Enrollments {
		if v.State != engine.Active {
			t.Errorf("%s in %s is %s", v.Address, v.Sequence, v.State)
		}
	}
	if got := *o.view("per@kund.example").Next.At; !got.Equal(due) {
		t.Errorf("its step is due %s, was %s", got, due)
	}
	o.deliver("Archive", reply) // met again, as after a UIDVALIDITY change
	o.restart()
	o.run(time.Hour)
	o.stands("per@kund.example", "quote", "active")
	if _, err := o.desk.NotAReply(t.Context(), engine.NotAReplyRequest{Target: "per@kund.example"}); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("taken back twice: %v", err)
	}
	o.deliver("INBOX", engine.Incoming{MessageID: "r2@x", From: []string{"per@kund.example"}, Arrived: o.now})
	o.run(time.Hour)
	o.stands("per@kund.example", "quote", "stopped replied") // another mail counts
	o.run(20 * day)
	o.wants("eva@kund.example", engine.Finished, engine.NoAnswer, 3)
}

func TestNotAReplyTakesBackOneOfTwo(t *testing.T) {
	for _, first := range []bool{true, false} {
		o := newOffice(t)
		o.enroll("per@kund.example")
		o.mustTick()
		o.deliver("INBOX", engine.Incoming{MessageID: "a@x", From: []string{"per@kund.example"}, Arrived: o.now})
		o.run(time.Hour)
		o.deliver("INBOX", engine.Incoming{MessageID: "b@x", From: []string{"per@kund.example"}, Arrived: o.now})
		o.run(time.Hour)
		targets := []string{"<b@x>", "a@x"}
		if first {
			targets = []string{"a@x", "<b@x>"}
		}
		for i, want := range []engine.State{engine.Stopped, engine.Active} {
			if _, err := o.desk.NotAReply(t.Context(), engine.NotAReplyRequest{Target: targets[i]}); err != nil {
				t.Fatal(err)
			}
			if v := o.view("per@kund.example"); v.State != want {
				t.Errorf("after %s it is %s, want %s", targets[i], v.State, want)
			}
		}
		o.run(20 * day)
		o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
	}
}

func TestNotAReplyUndoesAnOptOutOnlyByForce(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "u@x", From: []string{"per@kund.example"}, Kind: engine.Unsubscribe, Arrived: o.now})
	o.run(time.Hour)
	if _, err := o.desk.NotAReply(t.Context(), engine.NotAReplyRequest{Target: "u@x"}); !errors.Is(err, engine.ErrSuppressed) {
		t.Fatalf("without force: %v", err)
	}
	o.wants("per@kund.example", engine.Stopped, engine.Unsubscribed, 1)
	if _, err := o.desk.NotAReply(t.Context(), engine.NotAReplyRequest{Target: "u@x", Force: true}); err != nil {
		t.Fatal(err)
	}
	if all, _ := o.desk.Suppressions(t.Context()); len(all) != 0 {
		t.Errorf("still suppressed: %+v", all)
	}
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
}

func TestNotAReplyLeavesWhatAPersonSaid(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "h@x", From: []string{"per@kund.example"}, Kind: engine.Ambiguous, Arrived: o.now})
	o.run(time.Hour)
	o.wants("per@kund.example", engine.Held, engine.Unsure, 1)
	if _, err := o.desk.Stop(t.Context(), "per@kund.example", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := o.desk.NotAReply(t.Context(), engine.NotAReplyRequest{Target: "h@x"}); err != nil {
		t.Fatal(err)
	}
	o.wants("per@kund.example", engine.Stopped, engine.ByHand, 1)
}

func TestNotAReplyOfNothing(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	for _, target := range []string{"per@kund.example", "nobody@kund.example", "<x@y>", ""} {
		_, err := o.desk.NotAReply(t.Context(), engine.NotAReplyRequest{Target: target})
		var refusal *engine.RefusalError
		if !errors.As(err, &refusal) || refusal.Hint == "" {
			t.Errorf("%q: %v", target, err)
		}
	}
}

func TestWhyNamesEveryFact(t *testing.T) {
	o := newOffice(t)
	o.desk.Mailboxes[0].PerDay, o.desk.Mailboxes[0].PerPerson, o.desk.Mailboxes[0].PerPersonDays = 40, 8, 60
	o.lib["quote"] = sequence(t, "quote", strings.Replace(threeTouches, "send: always", "send: mon-fri 09:00-16:30\ntimezone: Europe/Stockholm", 1))
	o.enroll("per@kund.example")
	o.run(time.Hour)
	back := time.Date(2026, 12, 7, 0, 0, 0, 0, time.UTC)
	why := func() (engine.Explanation, string) {
		t.Helper()
		all, err := o.desk.Why(t.Context(), "Per@kund.example")
		if err != nil || len(all) != 1 {
			t.Fatalf("%+v, %v", all, err)
		}
		s := ""
		for _, f := range all[0].Facts {
			s += fmt.Sprintf("%v %s: %s\n", f.No, f.About, f.Words)
		}
		return all[0], s
	}
	e, s := why()
	for _, want := range []string{
		"false state: active", "true wait: 3 days from Mon 23 Nov 10:00 (step \"First\") = Thu 26 Nov 10:00",
		"false window: mon-fri 09:00-16:30, Europe/Stockholm, open now; first moment then: Thu 26 Nov 10:00",
		"false suppressed: no", "false pause: none", "at most 8 in 60 days", "false mailbox: sales sent 1 of 40 today",
	} {
		if !strings.Contains(s, want) {
			t.Errorf("no %q in\n%s", want, s)
		}
	}
	if e.At == nil || e.At.Format("2 Jan 15:04") != "26 Nov 10:00" || e.Because != nil {
		t.Errorf("at %v because %v", e.At, e.Because)
	}
	o.deliver("INBOX", engine.Incoming{MessageID: "ooo", From: []string{"per@kund.example"}, Kind: engine.AutoReply, Until: back, Arrived: o.now, Evidence: "header Auto-Submitted"})
	o.mustTick()
	if _, err := o.desk.Pause(t.Context(), engine.Scope{Sequence: "quote"}); err != nil {
		t.Fatal(err)
	}
	e, s = why()
	for _, want := range []string{"true state: held: out of office (until Mon 7 December)",
		"true held: until Tue 8 Dec 00:00: away until Mon 7 December, + 1 business day", "first moment then: Tue 8 Dec 09:00", "true pause: sequence quote"} {
		if !strings.Contains(s, want) {
			t.Errorf("no %q in\n%s", want, s)
		}
	}
	if e.At != nil || e.Because == nil || e.Because.Detail["folder"] != "INBOX" || e.Because.Detail["rule"] != "header Auto-Submitted" {
		t.Errorf("at %v because %+v", e.At, e.Because)
	}
	if _, err := o.desk.Resume(t.Context(), engine.Scope{Sequence: "quote"}); err != nil {
		t.Fatal(err)
	}
	if e, _ = why(); e.At == nil || e.At.Format("2 Jan 15:04") != "8 Dec 09:00" {
		t.Errorf("at %v", e.At)
	}
	o.run(e.At.Add(time.Minute).Sub(o.now))
	if o.sentTo("per@kund.example") != 2 {
		t.Error("it did not go when it was said to")
	}
}
