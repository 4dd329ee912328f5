package engine_test

import (
	"bytes"
	"errors"
	"testing"

	"nudge/engine"
)

// 3. Stopping is the same transaction that makes the next touch not due.
func TestInvariant3StoppingMakesNothingDue(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.run(day)
	if next, err := o.store.NextLook("sales"); err != nil || next.IsZero() {
		t.Fatalf("nothing is due before the stop: %s, %v", next, err)
	}
	if _, err := o.desk.Stop(t.Context(), "per@kund.example", ""); err != nil {
		t.Fatal(err)
	}
	due, err := o.store.Due("sales", o.now.Add(100*day), "2026-11-23", 10)
	if err != nil || len(due) != 0 {
		t.Errorf("stopped, but due: %+v, %v", due, err)
	}
	if next, err := o.store.NextLook("sales"); err != nil || !next.IsZero() {
		t.Errorf("stopped, but looked at again %s, %v", next, err)
	}
}

// 4. The IMAP cursor moves only in the transaction that applied what was read.
func TestInvariant4TheCursorMovesWithWhatWasApplied(t *testing.T) {
	for _, after := range []bool{false, true} {
		o := newOffice(t)
		o.enroll("per@kund.example")
		o.mustTick()
		before, err := o.store.Cursor("sales")
		if err != nil {
			t.Fatal(err)
		}
		o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Arrived: o.now})
		o.engine.Store = &crashing{Store: o.store, at: 1, after: after} // its first write is the sweep's
		if _, err := o.tick(); !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		now, err := o.store.Cursor("sales")
		if err != nil {
			t.Fatal(err)
		}
		moved := now.Folders["INBOX"] != before.Folders["INBOX"]
		stopped := o.view("per@kund.example").State == engine.Stopped
		if moved != stopped || moved != after {
			t.Errorf("crash after=%v: the cursor moved %v, the reply was applied %v", after, moved, stopped)
		}
	}
}

// The cursor goes behind a message that vanished before it could be read only
// together with the hold that it causes: no later sweep would see it.
func TestInvariant4TheCursorMovesWithTheHoldOfAVanishedMail(t *testing.T) {
	for at := range 4 {
		for _, after := range []bool{false, true} {
			o := newOffice(t)
			o.enroll("per@kund.example")
			o.mustTick()
			before, err := o.store.Cursor("sales")
			if err != nil {
				t.Fatal(err)
			}
			o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Arrived: o.now})
			o.onRead = func(engine.Incoming) error { return engine.ErrMoved }
			o.engine.Store = &crashing{Store: o.store, at: at + 1, after: after}
			if _, err := o.tick(); err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			now, err := o.store.Cursor("sales")
			if err != nil {
				t.Fatal(err)
			}
			if v := o.view("per@kund.example"); now.Folders["INBOX"] != before.Folders["INBOX"] && v.State != engine.Held {
				t.Errorf("crash at write %d, after=%v: the cursor is behind the mail, and %s is %s", at+1, after, v.Address, v.State)
			}
		}
	}
}

// 6. Same inputs and same now give the same bytes: preview is what is sent.
func TestInvariant6PreviewIsWhatIsSent(t *testing.T) {
	o := newOffice(t)
	v := o.enroll("per@kund.example")
	en, err := o.store.Enrollment(v.ID)
	if err != nil {
		t.Fatal(err)
	}
	seq := o.lib["quote"]
	trust, err := o.store.Trust("sales")
	if err != nil {
		t.Fatal(err)
	}
	m := o.engine.Mailbox
	m.Instance = trust.Instance
	preview, err := engine.Compose(m, o.store.Secret(), seq, seq.Step(en.Next), en, o.now)
	if err != nil {
		t.Fatal(err)
	}
	var sent engine.Email
	o.onData = func(e engine.Email) error { sent = e; return nil }
	o.mustTick()
	if !bytes.Equal(sent.Raw, preview.Raw) || sent.SHA256 != preview.SHA256 || len(sent.Raw) == 0 {
		t.Errorf("sent\n%s\npreview\n%s", sent.Raw, preview.Raw)
	}
}

// 7. Every active enrollment is in the due index exactly once; nothing else is.
func TestInvariant7TheDueIndexHoldsTheActiveOnce(t *testing.T) {
	o := newOffice(t)
	for _, p := range []string{"ann@a.example", "bob@b.example", "cat@c.example", "dan@d.example"} {
		o.enroll(p)
	}
	verify := func(when string) {
		t.Helper()
		if err := o.store.(interface{ Verify() error }).Verify(); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	verify("enrolled")
	o.mustTick()
	verify("touched")
	o.deliver("INBOX", engine.Incoming{MessageID: "1", From: []string{"ann@a.example"}, Arrived: o.now})
	o.deliver("INBOX", engine.Incoming{MessageID: "2", From: []string{"bob@b.example"}, Kind: engine.AutoReply, Arrived: o.now})
	o.mustTick()
	verify("one answered, one held")
	if _, err := o.desk.Pause(t.Context(), engine.Scope{Person: "cat@c.example"}); err != nil {
		t.Fatal(err)
	}
	verify("one paused")
	o.run(20 * day)
	verify("three weeks later")
}
