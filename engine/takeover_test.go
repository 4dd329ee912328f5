package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nudge/engine"
)

// byHand is a mail of the owner's in Sent that no nudge wrote.
func (o *office) byHand(in engine.Incoming) {
	in.Role, in.From, in.Arrived = engine.SentMail, []string{"anna@bergroofing.example"}, o.now
	if in.MessageID == "" {
		in.MessageID = fmt.Sprintf("hand-%d@laptop.example", o.now.Unix())
	}
	if in.NewText == "" {
		in.NewText = "Hi Per, I shall call you tomorrow."
	}
	o.deliver("Sent", in)
}

func TestTheOwnersHandTakesOver(t *testing.T) {
	const per = "per@kund.example"
	for _, tt := range []struct {
		name   string
		policy engine.TakeoverPolicy
		mail   func(o *office) engine.Incoming
		quote  string // what becomes of the sequence
		other  string // and of the person's other one
	}{
		{"a fresh mail", engine.TakeoverStop, func(*office) engine.Incoming { return engine.Incoming{To: []string{"Per@kund.example"}} },
			"stopped takeover", "stopped takeover"},
		{"an answer in the thread", engine.TakeoverStop, func(o *office) engine.Incoming {
			return engine.Incoming{To: []string{per}, InReplyTo: []string{o.ledger[0].id}}
		}, "stopped takeover", "held takeover until 1 Dec"},
		{"an answer in the thread to a colleague there", engine.TakeoverStop, func(o *office) engine.Incoming {
			return engine.Incoming{To: []string{"boss@kund.example"}, References: []string{o.ledger[0].id}}
		}, "stopped takeover", "held takeover until 1 Dec"},
		{"in copy", engine.TakeoverStop, func(*office) engine.Incoming { return engine.Incoming{To: []string{"x@y.example", per}} },
			"stopped takeover", "stopped takeover"},
		{"to restart", engine.TakeoverRestart, func(*office) engine.Incoming { return engine.Incoming{To: []string{per}} }, "active", "active"},
		{"to be ignored", engine.TakeoverIgnore, func(*office) engine.Incoming { return engine.Incoming{To: []string{per}} }, "active", "active"},
		{"to somebody else", engine.TakeoverStop, func(*office) engine.Incoming { return engine.Incoming{To: []string{"x@y.example"}} }, "active", "active"},
		{"the thread passed on to our own people", engine.TakeoverStop, func(o *office) engine.Incoming {
			return engine.Incoming{To: []string{"carl@bergroofing.example"}, References: []string{o.ledger[0].id}}
		}, "active", "active"},
		{"by another nudge of ours", engine.TakeoverStop, func(o *office) engine.Incoming {
			return engine.Incoming{To: []string{per}, Instance: o.ownInstance()}
		}, "active", "active"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t)
			o.engine.Mailbox.Replies.Takeover = tt.policy
			o.lib["invoice"] = sequence(t, "invoice", threeTouches)
			o.enroll(per)
			o.run(time.Hour)
			o.enrollIn("invoice", per, map[string]string{})
			o.run(time.Hour)
			o.run(time.Hour) // nothing of ours left just now
			if o.sentTo(per) != 2 {
				t.Fatal("not begun")
			}
			o.byHand(tt.mail(o))
			o.mustTick()
			o.stands(per, "quote", tt.quote)
			o.stands(per, "invoice", tt.other)
			if takes := strings.Contains(o.story(per), "takeover"); takes != (tt.policy == engine.TakeoverRestart || strings.Contains(tt.quote, "takeover")) {
				t.Errorf("history:\n%s", o.story(per))
			}
		})
	}
}

func TestAMailByHandRestartsTheWait(t *testing.T) {
	o := newOffice(t)
	o.engine.Mailbox.Replies.Takeover = engine.TakeoverRestart
	o.enroll("per@kund.example")
	o.run(2 * day)
	o.byHand(engine.Incoming{To: []string{"per@kund.example"}})
	wrote := o.now
	o.run(3*day - time.Hour)
	o.wants("per@kund.example", engine.Active, "", 1)
	o.run(2 * time.Hour)
	o.wants("per@kund.example", engine.Active, "", 2)
	if o.now.Sub(wrote) < 3*day {
		t.Error("too early")
	}
}

func TestAMailFromBeforeTheEnrollmentIsNoTakeover(t *testing.T) {
	o := newOffice(t)
	o.byHand(engine.Incoming{To: []string{"per@kund.example"}}) // the quote itself
	o.now = o.now.Add(time.Second)
	o.enroll("per@kund.example")
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
}

// Whatever a provider does with our mails, its copies are never the owner's
// hand.
func TestOwnCopiesAreNeverATakeover(t *testing.T) {
	for _, rewrites := range []bool{false, true} {
		for _, strips := range []bool{false, true} {
			for _, rehearsal := range []bool{false, true} {
				t.Run(fmt.Sprintf("rewrites %v strips %v rehearsal %v", rewrites, strips, rehearsal), func(t *testing.T) {
					o := newOffice(t)
					o.keeps, o.rewrites, o.strips = true, rewrites, strips
					o.engine.Mailbox.Rehearsal, o.desk.Mailboxes[0].Rehearsal = rehearsal, rehearsal
					o.lib["invoice"] = sequence(t, "invoice", threeTouches)
					o.enroll("per@kund.example")
					o.run(day)
					o.enrollIn("invoice", "per@kund.example", map[string]string{})
					o.run(20 * day)
					for _, seq := range []string{"quote", "invoice"} {
						o.stands("per@kund.example", seq, "finished no answer")
					}
					if s := o.story("per@kund.example"); strings.Contains(s, "takeover") || strings.Contains(s, "unsure") {
						t.Errorf("history:\n%s", s)
					}
				})
			}
		}
	}
}

// The copy is filed before the server has answered the dot.
func TestACopyBetweenSendAndSettleIsNoTakeover(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.onData = func(e engine.Email) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.strips, o.rewrites = true, true
		o.file(e)
		return lost(e)
	}
	o.mustTick()
	o.onData = nil
	o.mustTick()
	o.wants("per@kund.example", engine.Held, engine.InDoubt, 0)
	if s := o.story("per@kund.example"); strings.Contains(s, "takeover") {
		t.Errorf("history:\n%s", s)
	}
}

// A mail that the owner writes within minutes of ours may be our own copy with
// a footer that the provider added. Then a person is asked.
func TestWhatMayBeOurCopyAsks(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.mustTick()
	o.now = o.now.Add(time.Minute)
	o.byHand(engine.Incoming{To: []string{"per@kund.example"}, NewText: "This mail is confidential."})
	o.mustTick()
	o.wants("per@kund.example", engine.Held, engine.Unsure, 1)
}

func TestAnAnswerAfterATakeoverIsStillRecorded(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.run(time.Hour)
	o.byHand(engine.Incoming{To: []string{"per@kund.example"}})
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Arrived: o.now})
	o.mustTick()
	o.wants("per@kund.example", engine.Stopped, engine.Takeover, 1)
	if _, err := o.desk.NotAReply(t.Context(), engine.NotAReplyRequest{Target: o.folders["Sent"][0].MessageID}); err != nil {
		t.Fatal(err)
	}
	o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
}

// ownInstance is what our own mails are marked with.
func (o *office) ownInstance() string {
	trust, err := o.store.Trust("sales")
	if err != nil {
		o.t.Fatal(err)
	}
	return trust.Instance
}

// A mail that the owner wrote before a sequence ended, and that is seen only
// then, ends what a chain began.
func TestTheOwnersHandEndsWhatAChainBegan(t *testing.T) {
	const per = "per@kund.example"
	o := chained(t)
	o.enter("quote", per, nil)
	o.run(3 * day)
	o.isIn(per, "quote finished no answer, nurture active")
	o.deliver("Sent", engine.Incoming{Role: engine.SentMail, From: []string{"anna@bergroofing.example"}, To: []string{per},
		MessageID: "hand@laptop.example", NewText: "Hi Per, I shall call you tomorrow.", Arrived: start.Add(day)})
	o.run(30 * day)
	o.isIn(per, "quote finished no answer, nurture stopped takeover")
}
