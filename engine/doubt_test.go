package engine_test

import (
	"errors"
	"testing"
	"time"

	"nudge/engine"
)

// lostButSent breaks the connection after the final dot of a mail that the
// server took.
func (o *office) lostButSent(email engine.Email) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ledger = append(o.ledger, dot{email.To, email.MessageID, email.Subject, email.SHA256})
	if o.keeps {
		o.file(email)
	}
	return lost(email)
}

// provesThatItKeeps lets a provider show three times that it files copies.
func (o *office) provesThatItKeeps() {
	o.t.Helper()
	o.keeps = true
	for _, addr := range []string{"a@one.example", "b@two.example", "c@three.example"} {
		o.enroll(addr)
		o.mustTick()
	}
	o.mustTick()
}

func TestTheFirstMailInDoubtWaitsForAPerson(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.onData = lost
	o.run(20 * day)
	o.wants("per@kund.example", engine.Held, engine.InDoubt, 0)
	doubts, err := o.desk.Doubts(t.Context())
	if err != nil || len(doubts) != 1 || doubts[0].Until != nil {
		t.Errorf("doubts %+v, %v, want one that only a person can end", doubts, err)
	}
}

func TestALaterMailInDoubtCountsAsSent(t *testing.T) {
	for name, left := range map[string]bool{"and it had arrived": true, "and it had not": false} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.enroll("per@kund.example")
			o.mustTick()
			o.now = o.now.Add(3 * day)
			if o.onData = lost; left {
				o.onData = o.lostButSent
			}
			o.mustTick()
			o.onData = nil
			o.wants("per@kund.example", engine.Held, engine.InDoubt, o.sentTo("per@kund.example"))
			o.run(20 * day)
			want := 2
			if left {
				want = 3
			}
			o.wants("per@kund.example", engine.Finished, engine.NoAnswer, want)
		})
	}
}

func TestThePolicyForDoubts(t *testing.T) {
	for policy, want := range map[engine.DoubtPolicy]engine.State{engine.DoubtHold: engine.Held, engine.DoubtAssume: engine.Finished} {
		o := newOffice(t)
		o.engine.Mailbox.InDoubt = policy
		o.enroll("per@kund.example")
		o.onData = func(e engine.Email) error { o.onData = nil; return o.lostButSent(e) }
		o.run(20 * day)
		if v := o.view("per@kund.example"); v.State != want {
			t.Errorf("policy %q: %s (%s), want %s", policy, v.State, v.Reason, want)
		}
	}
}

func TestACopyFiledLaterEndsADoubt(t *testing.T) {
	o := newOffice(t)
	o.keeps = true
	o.enroll("per@kund.example")
	o.onData = o.lostButSent // the copy is in Sent before anybody knows of a doubt
	o.mustTick()
	o.onData = nil
	o.wants("per@kund.example", engine.Held, engine.InDoubt, 1)
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
}

func TestACopyWithAnotherIDEndsADoubt(t *testing.T) {
	o := newOffice(t)
	o.keeps, o.rewrites = true, true
	o.enroll("per@kund.example")
	o.onData = o.lostButSent
	o.mustTick()
	o.onData = nil
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
}

func TestWhatIsProvenAbsentGoesAgainAsItWas(t *testing.T) {
	o := newOffice(t)
	o.provesThatItKeeps()
	o.enroll("per@kund.example")
	var frozen engine.Email
	o.onData = func(e engine.Email) error { frozen = e; return lost(e) }
	o.mustTick()
	o.onData = nil
	o.run(10 * time.Minute)
	o.wants("per@kund.example", engine.Held, engine.InDoubt, 0) // not before the third look
	o.run(10 * time.Minute)
	o.wants("per@kund.example", engine.Active, "", 1)
	if last := o.ledger[len(o.ledger)-1]; last.id != frozen.MessageID || last.sum != frozen.SHA256 {
		t.Errorf("sent %+v, want the very bytes of %s", last, frozen.MessageID)
	}
}

func TestAFolderThatCannotBeReadProvesNothing(t *testing.T) {
	o := newOffice(t)
	o.provesThatItKeeps()
	o.enroll("per@kund.example")
	o.onData = lost
	o.mustTick()
	o.onData, o.down = nil, errors.New("connection refused")
	o.run(day)
	o.wants("per@kund.example", engine.Held, engine.InDoubt, 0)
}

func TestAMailThatCitesADoubtfulOneEndsTheDoubt(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	var id string
	o.onData = func(e engine.Email) error { id = e.MessageID; return o.lostButSent(e) }
	o.mustTick()
	o.onData = nil
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, InReplyTo: []string{id}, Arrived: o.now})
	o.mustTick()
	o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
	if doubts, _ := o.desk.Doubts(t.Context()); len(doubts) != 0 {
		t.Errorf("still in doubt: %+v", doubts)
	}
}

func TestATemporaryRefusalAtTheDotSendsTheSameBytesAgain(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	var first engine.Email
	o.onData = func(e engine.Email) error {
		if first.MessageID == "" {
			first = e
		}
		return &engine.SendError{Phase: engine.PhaseDot, Outcome: engine.Deferred, Code: 451, Enhanced: "4.3.0", Err: errors.New("451 try later")}
	}
	o.mustTick()
	o.restart() // which takes nothing away
	o.run(time.Hour)
	o.onData = nil
	o.run(time.Hour)
	o.wants("per@kund.example", engine.Active, "", 1)
	if o.ledger[0].sum != first.SHA256 {
		t.Errorf("sent other bytes than those of the first attempt")
	}
}

func TestAnAnswerForgetsWhatWouldHaveGoneAgain(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.onData = func(engine.Email) error {
		return &engine.SendError{Phase: engine.PhaseDot, Outcome: engine.Deferred, Code: 451, Enhanced: "4.3.0", Err: errors.New("451 try later")}
	}
	o.mustTick()
	o.onData = nil
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Arrived: o.now})
	o.run(20 * day)
	o.wants("per@kund.example", engine.Stopped, engine.Replied, 0)
}

// damaging is a Store that has lost or garbled the bytes of what goes again.
type damaging struct {
	engine.Store
	bytes []byte
}

func (d damaging) Due(mailbox string, now time.Time, day string, limit int) ([]engine.Candidate, error) {
	cs, err := d.Store.Due(mailbox, now, day, limit)
	for _, c := range cs {
		if c.Kept != nil {
			c.Kept.Email.Raw = d.bytes
		}
	}
	return cs, err
}

func TestBytesThatWereDamagedDoNotLeave(t *testing.T) {
	for _, raw := range [][]byte{nil, []byte("Subject: x\r\n\r\nx")} {
		o := newOffice(t)
		o.enroll("per@kund.example")
		o.onData = func(engine.Email) error {
			return &engine.SendError{Phase: engine.PhaseDot, Outcome: engine.Deferred, Code: 451, Enhanced: "4.3.0", Err: errors.New("451 try later")}
		}
		o.mustTick()
		o.onData = nil
		o.wrap = func(s engine.Store) engine.Store { return damaging{s, raw} }
		o.restart()
		o.run(day)
		o.wants("per@kund.example", engine.Held, engine.Unwritable, 0)
	}
}
