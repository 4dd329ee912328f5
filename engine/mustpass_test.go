package engine_test

import (
	"errors"
	"testing"
	"time"

	"nudge/engine"
)

// The cases that no change may ever lose, as far as it takes the engine to
// decide them. Package mailbox names those that one message decides, and those
// about folders, flags and servers. Each answer stops the sequence after the one
// mail that left.
func TestMustPass(t *testing.T) {
	answers := []struct {
		name string
		in   engine.Incoming
		ours bool // it cites our mail
	}{
		{"from an alias", engine.Incoming{From: []string{"per.privat@posteo.example"}}, true},
		{"from a colleague in Cc", engine.Incoming{From: []string{"eva@kund.example"}, To: []string{"anna@bergroofing.example", "per@kund.example"}, Subject: "The roof"}, false},
		{"from the assistant with a new subject", engine.Incoming{From: []string{"assistant@elsewhere.example"}, Subject: "Meeting on Monday"}, true},
		{`fresh mail "go ahead"`, engine.Incoming{From: []string{"per@kund.example"}, Subject: "Go ahead"}, false},
		{"References dropped", engine.Incoming{From: []string{"Per@Kund.example"}, Subject: "Re: Quote 1042"}, false},
	}
	for _, tt := range answers {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t)
			o.enroll("per@kund.example")
			o.mustTick()
			in := tt.in
			in.MessageID, in.Arrived = "answer", o.now
			if tt.ours {
				in.InReplyTo = []string{o.lastID("per@kund.example")}
			}
			o.deliver("INBOX", in)
			o.run(20 * day)
			o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
		})
	}
	t.Run("Message-ID rewritten", func(t *testing.T) {
		o := newOffice(t)
		o.keeps, o.rewrites = true, true
		o.enroll("per@kund.example")
		o.mustTick()
		o.mustTick() // Sent is read
		o.deliver("INBOX", engine.Incoming{MessageID: "answer", From: []string{"per.privat@posteo.example"}, InReplyTo: []string{o.folders["Sent"][0].MessageID}, Arrived: o.now})
		o.run(20 * day)
		o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
	})
	t.Run("during a long batch", func(t *testing.T) {
		o := newOffice(t)
		o.engine.Mailbox.GapMin, o.engine.Mailbox.GapMax = time.Minute, time.Minute // one after the other
		o.enroll("per@kund.example")
		o.enroll("eva@other.example")
		o.onData = func(email engine.Email) error {
			if email.To == "per@kund.example" { // the one who is next answers an earlier mail meanwhile
				o.deliver("INBOX", engine.Incoming{MessageID: "answer", From: []string{"eva@other.example"}, Arrived: o.now})
			}
			return nil
		}
		o.run(20 * day)
		o.wants("eva@other.example", engine.Stopped, engine.Replied, 0)
		o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
	})
	t.Run("mailbox down at send time", func(t *testing.T) {
		o := newOffice(t)
		o.enroll("per@kund.example")
		o.afterRcpt = func(engine.Email) { o.down = errors.New("connection refused") }
		o.run(time.Hour)
		if o.data != 0 {
			t.Errorf("DATA was begun %d times", o.data)
		}
		o.afterRcpt, o.down = nil, nil
		o.run(day)
		o.wants("per@kund.example", engine.Active, "", 1)
	})
	t.Run("clock jump", func(t *testing.T) {
		o := newOffice(t)
		o.enroll("per@kund.example")
		o.mustTick()
		o.now = o.now.Add(60 * day)
		o.deliver("INBOX", engine.Incoming{MessageID: "answer", From: []string{"per@kund.example"}, Arrived: o.now.Add(-59 * day)})
		o.run(20 * day)
		o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
	})
	t.Run("DST night", mustPassDST)
	t.Run("state restored", func(t *testing.T) {
		o := newOffice(t)
		o.provesThatItKeeps()
		o.enroll("per@kund.example")
		old := o.snapshot()
		o.mustTick()
		o.deliver("INBOX", engine.Incoming{MessageID: "answer", From: []string{"per@kund.example"}, Arrived: o.now})
		o.mustTick()
		o.restore(old)
		o.run(20 * day)
		o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
	})
}

// The clocks go back in the night between two touches: the second one keeps the
// hour of the day, an hour more later.
func mustPassDST(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t)
	o.engine.Mailbox.Location = berlin
	o.now = time.Date(2026, 10, 24, 9, 0, 0, 0, berlin)
	o.enroll("per@kund.example")
	var left []time.Time
	o.onData = func(engine.Email) error { left = append(left, o.now); return nil }
	o.run(3*day + 2*time.Hour)
	want := []time.Time{time.Date(2026, 10, 24, 9, 0, 0, 0, berlin), time.Date(2026, 10, 27, 9, 0, 0, 0, berlin)}
	if len(left) != 2 || !left[0].Equal(want[0]) || !left[1].Equal(want[1]) {
		t.Errorf("touches left at %v, want %v", left, want)
	}
}
