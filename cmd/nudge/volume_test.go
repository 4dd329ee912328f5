package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
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

// A day in which something is down, as an outage really looks, and how many
// lines of the diary it is worth.
var badDays = []struct {
	name  string
	spoil func(*localmail.Provider)
	lines int
}{
	{"the mailbox cannot be reached", func(p *localmail.Provider) { p.Refuse(localmail.IMAP, true) }, 10},
	{"the mailbox falls silent", func(p *localmail.Provider) { p.Freeze(localmail.IMAP) }, 10},
	{"the password is wrong", func(p *localmail.Provider) { p.AddMailbox("sales@acme.test", "another") }, 10},
	{"the mail server cannot be reached", func(p *localmail.Provider) { p.Refuse(localmail.SMTP, true) }, 10},
	{"the mail server falls silent", func(p *localmail.Provider) { p.Freeze(localmail.SMTP) }, 10},
	{"neither can be reached", func(p *localmail.Provider) { p.Refuse(localmail.IMAP, true); p.Refuse(localmail.SMTP, true) }, 10},
	{"the mailbox comes and goes", func(p *localmail.Provider) { flap(p, localmail.IMAP) }, 30 + 2*24}, // 30 mails leave
	{"the mail server comes and goes", func(p *localmail.Provider) { flap(p, localmail.SMTP) }, 30 + 2*24},
}

// flap has a side away every other minute for a day.
func flap(p *localmail.Provider, side localmail.Side) {
	go func() {
		for minute := range 24 * 60 {
			p.Refuse(side, minute%2 == 0)
			p.DropConnections(side)
			time.Sleep(time.Minute) // of the bubble's time
		}
	}()
}

// TestABadDayIsAHandfulOfLines keeps a small disk from being filled by a diary.
func TestABadDayIsAHandfulOfLines(t *testing.T) {
	for _, day := range badDays {
		t.Run(day.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				diary := badDay(t, day.spoil)
				n := bytes.Count(diary, []byte("\n"))
				t.Logf("%d lines", n)
				if n > day.lines || n == 0 {
					t.Errorf("%d lines, at most %d are worth it; the last:\n%s", n, day.lines, diary[max(0, len(diary)-2000):])
				}
			})
		})
	}
}

// badDay runs an engine with people who are due, breaks something after a good
// minute, and returns what is in the diary after 24 hours.
func badDay(t *testing.T, spoil func(*localmail.Provider)) []byte {
	t.Helper()
	p, err := localmail.New(localmail.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.AddMailbox("sales@acme.test", mailboxPassword)
	store, err := bolt.Open(filepath.Join(t.TempDir(), "nudge.db"), bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	library, err := sequences.Load(fstest.MapFS{"quote.md": {Data: []byte("---\nname: Quote\nsend: always\n---\n\n## 1. First\n\n```step\nwait: 5 minutes\nsubject: Hello\n```\n\nIs it fine?\n")}})
	if err != nil {
		t.Fatal(err)
	}
	m := engine.Mailbox{Name: "sales", Address: "sales@acme.test", Location: time.UTC, PerDay: 40}
	var diary bytes.Buffer
	log := slog.New(slog.NewTextHandler(&diary, nil))
	account := p.AccountOver(m.Address, mailbox.TLSNone) // thousands of handshakes cost seconds
	account.Password = func(context.Context) (string, error) { return mailboxPassword, nil }
	inbox, sender := &mailbox.IMAP{Account: account, Log: log}, &mailbox.SMTP{Account: account, Log: log}
	poll, err := parsePoll(defaultPoll, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	e := &engine.Engine{Mailbox: m, Store: store, Library: library, Sender: sender, Inbox: inbox, Log: log, Poll: poll}
	desk := engine.Desk{Store: store, Library: folder{library}, Mailboxes: []engine.Mailbox{m}, Now: time.Now}
	for i := range 30 {
		if _, err := desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "quote", Address: fmt.Sprintf("pia%d@customer%d.test", i, i)}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	time.Sleep(time.Minute) // of the bubble's time
	spoil(p)
	p.DropConnections(localmail.IMAP)
	p.DropConnections(localmail.SMTP)
	time.Sleep(24 * time.Hour)
	cancel()
	if err := <-ended; err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	p.Thaw(localmail.IMAP)
	p.Thaw(localmail.SMTP)
	inbox.Shutdown()
	sender.Shutdown()
	return diary.Bytes()
}
