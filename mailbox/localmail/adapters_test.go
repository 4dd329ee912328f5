package localmail_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
	"nudge/mailbox"
	"nudge/mailbox/localmail"
)

// inBubble runs a test of the adapters against a provider, with simulated time
// and over connections in memory.
func inBubble(t *testing.T, mode mailbox.TLSMode, test func(t *testing.T, p *localmail.Provider, s *mailbox.SMTP, m *mailbox.IMAP)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, err := localmail.New(localmail.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		p.AddMailbox(anna, "secret")
		account := p.AccountOver(anna, mode)
		s, m := &mailbox.SMTP{Account: account}, &mailbox.IMAP{Account: account}
		defer s.Shutdown()
		defer m.Shutdown()
		test(t, p, s, m)
	})
}

func send(ctx context.Context, s *mailbox.SMTP, id string) error {
	d, err := s.Open(ctx, engine.Email{From: anna, To: ola, MessageID: id, Raw: []byte(quote(id))})
	if err != nil {
		return err
	}
	_, err = d.Data(ctx, time.Time{})
	return err
}

func TestTheAdaptersSendAndReadHere(t *testing.T) {
	for _, mode := range []mailbox.TLSMode{mailbox.TLSImplicit, mailbox.TLSStart, mailbox.TLSNone} {
		t.Run(string(mode), func(t *testing.T) {
			inBubble(t, mode, func(t *testing.T, p *localmail.Provider, s *mailbox.SMTP, m *mailbox.IMAP) {
				p.AddPerson(localmail.Person{Name: "Ola", Address: ola, Style: localmail.Gmail, Acts: []localmail.Act{
					{On: 1, After: time.Minute, Do: localmail.AutoReply, Text: "I am out of the office until 4 January 2000."},
					{On: 1, After: time.Hour, Do: localmail.Answer, Text: "Yes."},
				}})
				ins, cursor, err := m.Fetch(t.Context(), engine.Cursor{})
				if err != nil || len(ins) != 0 {
					t.Fatalf("an empty mailbox holds %v, %v", ins, err)
				}
				if err := send(t.Context(), s, "1@bergroofing.example"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Hour)
				p.Advance(time.Now())
				ins, _, err = m.Fetch(t.Context(), cursor)
				if err != nil || len(ins) != 2 {
					t.Fatalf("fetched %d messages, %v; want 2", len(ins), err)
				}
				for i, want := range []engine.Kind{engine.AutoReply, engine.Reply} {
					in, err := m.Read(t.Context(), ins[i], engine.Touched{})
					if err != nil || in.Kind != want || len(in.InReplyTo) != 1 || in.InReplyTo[0] != "1@bergroofing.example" {
						t.Errorf("message %d is %q in answer to %v, %v; want %q in answer to our mail", i+1, in.Kind, in.InReplyTo, err, want)
					}
				}
				for _, msg := range p.Messages(anna, localmail.Inbox) {
					if len(msg.Flags) > 0 {
						t.Errorf("reading has set %v", msg.Flags)
					}
				}
			})
		})
	}
}

func TestTheAdaptersAreWokenByNewMail(t *testing.T) {
	inBubble(t, mailbox.TLSImplicit, func(t *testing.T, p *localmail.Provider, _ *mailbox.SMTP, m *mailbox.IMAP) {
		woken := make(chan error, 1)
		go func() { woken <- m.Wait(t.Context()) }()
		synctest.Wait()
		if err := p.Deliver(anna, "", []byte(quote("1@x"))); err != nil {
			t.Fatal(err)
		}
		if err := <-woken; err != nil {
			t.Errorf("Wait ended with %v", err)
		}
	})
}

func TestTheAdaptersSeeFaultsAsTheyAre(t *testing.T) {
	for _, tc := range []struct {
		name    string
		fault   localmail.Fault
		phase   engine.SendPhase
		outcome engine.Outcome
	}{
		{"refused at RCPT", localmail.Fault{Phase: localmail.PhaseRcpt, Code: 550}, engine.PhaseRcpt, engine.Refusal},
		{"deferred at the dot", localmail.Fault{Phase: localmail.PhaseDot, Code: 451}, engine.PhaseDot, engine.Deferred},
		{"lost after the dot", localmail.Fault{Phase: localmail.PhaseDot, Drop: true}, engine.PhaseDot, engine.Unknown},
		{"no answer to the dot", localmail.Fault{Phase: localmail.PhaseDot, Stall: true}, engine.PhaseDot, engine.Unknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, mailbox.TLSImplicit, func(t *testing.T, p *localmail.Provider, s *mailbox.SMTP, _ *mailbox.IMAP) {
				tc.fault.Side, tc.fault.Times = localmail.SMTP, 1
				p.Break(tc.fault)
				err := send(t.Context(), s, "1@x")
				se, ok := errors.AsType[*engine.SendError](err)
				if !ok || se.Phase != tc.phase || se.Outcome != tc.outcome {
					t.Errorf("the adapter says %v, want %s at %s", err, tc.outcome, tc.phase)
				}
				if err := send(t.Context(), s, "2@x"); err != nil {
					t.Errorf("after the fault: %v", err)
				}
			})
		})
	}
}

func TestAFrozenMailboxFailsTheSweep(t *testing.T) {
	inBubble(t, mailbox.TLSImplicit, func(t *testing.T, p *localmail.Provider, _ *mailbox.SMTP, m *mailbox.IMAP) {
		_, cursor, err := m.Fetch(t.Context(), engine.Cursor{})
		if err != nil {
			t.Fatal(err)
		}
		p.Freeze(localmail.IMAP)
		if _, _, err := m.Fetch(t.Context(), cursor); err == nil {
			t.Error("a frozen mailbox counts as read")
		}
		p.Thaw(localmail.IMAP)
		if _, _, err := m.Fetch(t.Context(), cursor); err != nil {
			t.Errorf("after the thaw: %v", err)
		}
	})
}

func TestTheAdaptersFindWhatWasSentUnderItsOldID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := localmail.New(localmail.Options{SavesSent: true, RewritesIDs: true, KeepsOriginalIDs: true})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		p.AddMailbox(anna, "secret")
		s, m := &mailbox.SMTP{Account: p.Account(anna)}, &mailbox.IMAP{Account: p.Account(anna)}
		defer s.Shutdown()
		defer m.Shutdown()
		for i := range 3 {
			if err := send(t.Context(), s, fmt.Sprintf("%d@bergroofing.example", i)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		since := time.Now().Add(-2 * time.Hour) // when the second one was sent
		got, err := m.OwnMail(t.Context(), since)
		if err != nil || len(got) != 2 {
			t.Fatalf("found %d mails, %v; want 2", len(got), err)
		}
		for i, in := range got {
			id := fmt.Sprintf("%d@bergroofing.example", i+1)
			if in.OriginalID != id || in.MessageID == id || in.Folder != localmail.Sent || !in.Arrived.Equal(since.Add(time.Duration(i)*time.Hour)) {
				t.Errorf("mail %d is %+v", i+1, in)
			}
		}
		p.RemoveFolder(anna, localmail.Sent)
		if _, err := m.OwnMail(t.Context(), since); !errors.Is(err, engine.ErrNoSent) {
			t.Errorf("without a Sent folder: %v, want ErrNoSent", err)
		}
	})
}
