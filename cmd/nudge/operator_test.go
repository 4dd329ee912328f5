package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"nudge/engine"
	"nudge/engine/bolt"
	"nudge/mailbox"
	"nudge/mailbox/localmail"
	"nudge/sequences"
)

// What was under way when a daemon was killed is in doubt for every command, and
// not only once the next daemon has started.
func TestWhatADaemonLeftUnderWayIsInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := localmail.New(localmail.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		p.AddMailbox("sales@acme.test", mailboxPassword)
		p.Break(localmail.Fault{Side: localmail.SMTP, Phase: localmail.PhaseDot, Stall: true, Times: 1})
		live := filepath.Join(t.TempDir(), "nudge.db")
		store, err := bolt.Open(live, bolt.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		files := fstest.MapFS{"quote.md": {Data: []byte("---\nname: Quote\nsend: always\n---\n\n## 1. First\n\n```step\nwait: 0\nsubject: Hello\n```\n\nIs it fine?\n")}}
		library, err := sequences.Load(files)
		if err != nil {
			t.Fatal(err)
		}
		m := engine.Mailbox{Name: "sales", Address: "sales@acme.test", Location: time.UTC}
		account := p.AccountOver(m.Address, mailbox.TLSNone)
		account.Password = func(context.Context) (string, error) { return mailboxPassword, nil }
		log := slog.New(slog.DiscardHandler)
		inbox, sender := &mailbox.IMAP{Account: account, Log: log}, &mailbox.SMTP{Account: account, Log: log}
		e := &engine.Engine{Mailbox: m, Store: store, Library: library, Sender: sender, Inbox: inbox, Log: log}
		desk := engine.Desk{Store: store, Library: folder{library}, Mailboxes: []engine.Mailbox{m}, Now: time.Now}
		if _, err := desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "quote", Address: "pia@customer.test"}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		time.Sleep(time.Minute) // of the bubble's time: the server has the whole mail, and says nothing

		killed := filepath.Join(t.TempDir(), "nudge.db")
		b, err := os.ReadFile(live)
		if err == nil {
			err = os.WriteFile(killed, b, 0o600)
		}
		shelf := filepath.Join(filepath.Dir(killed), "sequences")
		if err == nil {
			err = os.CopyFS(shelf, files)
		}
		if err != nil {
			t.Fatal(err)
		}
		op, done, err := openOperator(settings{state: killed, sequences: shelf, mailboxes: []mailboxSettings{{engine: m}}})
		if err != nil {
			t.Fatal(err)
		}
		doubts, err := op.Doubts(t.Context())
		if err != nil || len(doubts) != 1 || doubts[0].Address != "pia@customer.test" {
			t.Errorf("in doubt: %+v, %v, want the mail to Pia", doubts, err)
		}
		if err := done(); err != nil {
			t.Error(err)
		}

		cancel()
		<-ended
		inbox.Shutdown()
		sender.Shutdown()
	})
}
