package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"nudge/engine"
	"nudge/engine/bolt"
	"nudge/mailbox"
	"nudge/mailbox/mailpair"
	"nudge/sequences"
)

// lateReply is a Sender whose recipient answers at the last moment: when RCPT
// is accepted the answer is already in the mailbox.
type lateReply struct {
	t    testing.TB
	pair *mailpair.Pair
	data int
}

func (l *lateReply) Open(_ context.Context, email engine.Email) (engine.Delivery, error) {
	l.pair.DeliverLMTP(l.t, mailpair.Sales, []byte(strings.ReplaceAll("From: "+email.To+"\nTo: "+mailpair.Sales+
		"\nSubject: Go ahead\nMessage-ID: <r-"+email.MessageID+">\n\nYes please.\n", "\n", "\r\n")))
	return delivery{l}, nil
}

type delivery struct{ *lateReply }

func (d delivery) Data(context.Context, time.Time) (string, error) { d.data++; return "250 ok", nil }
func (d delivery) Close() error                                    { return nil }

type oneSequence struct{ seq *sequences.Sequence }

func (o oneSequence) Sequence(string) (*sequences.Sequence, bool) { return o.seq, true }
func (o oneSequence) Names() []string                             { return []string{o.seq.Name} }
func (o oneSequence) Broken() []error                             { return nil }
func (o oneSequence) Read() (engine.Reading, error)               { return nil, errors.New("a test reads no files") }

// A reply delivered just before the fence of a due touch: no touch leaves. The
// short form repeats it 20 times for each mail store, NUDGE_PROVE=1 200 times.
func TestRealFenceSeesAReplyDeliveredAMomentAgo(t *testing.T) {
	n := 20
	if os.Getenv("NUDGE_PROVE") != "" {
		n = 200
	}
	for _, format := range []string{mailpair.Maildir, mailpair.Mdbox} {
		t.Run(format, func(t *testing.T) {
			pair := mailpair.Config{Format: format}.Start(t)
			seq, err := sequences.Parse("quote.md", []byte("---\nsend: always\n---\n\n## Only\n\n```step\nwait: 0\nsubject: Quote\n```\n\nDid it arrive?\n"))
			if err != nil {
				t.Fatal(err)
			}
			store, err := bolt.Open(t.TempDir()+"/nudge.db", bolt.Options{NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			inbox := &mailbox.IMAP{Account: account(t, pair), Log: slog.New(slog.DiscardHandler)}
			t.Cleanup(inbox.Shutdown)
			sender := &lateReply{t: t, pair: pair}
			m := engine.Mailbox{Name: "sales", Address: mailpair.Sales, Location: time.UTC}
			e := &engine.Engine{Mailbox: m, Store: store, Library: oneSequence{seq}, Sender: sender, Inbox: inbox, Log: slog.New(slog.DiscardHandler)}
			desk := &engine.Desk{Store: store, Library: oneSequence{seq}, Mailboxes: []engine.Mailbox{m}, Now: time.Now}
			var longest time.Duration
			for i := range n {
				addr := fmt.Sprintf("p%d@customer%d.test", i, i)
				if _, err := desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "quote", Address: addr}); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if _, err := e.Tick(t.Context(), time.Now()); err != nil {
					t.Fatal(err)
				}
				longest = max(longest, time.Since(began))
				if h := e.Health(); h.IMAPError != "" {
					t.Fatal(h.IMAPError)
				}
				if sender.data != 0 {
					t.Fatalf("round %d: a touch left after a reply", i+1)
				}
				story, err := desk.Show(t.Context(), addr)
				if err != nil || story.Enrollments[0].State != engine.Stopped {
					t.Fatalf("round %d: %+v, %v", i+1, story, err)
				}
			}
			t.Logf("%s: %d replies at the last moment, 0 touches left; longest round %s", format, n, longest.Round(time.Millisecond))
		})
	}
}

// account is the owner's account at a pair.
func account(t testing.TB, pair *mailpair.Pair) mailbox.Account {
	t.Helper()
	server := func(addr string) mailbox.Server {
		var s mailbox.Server
		i := strings.LastIndexByte(addr, ':')
		s.Host = addr[:i]
		if _, err := fmt.Sscan(addr[i+1:], &s.Port); err != nil {
			t.Fatal(err)
		}
		return s
	}
	return mailbox.Account{Address: mailpair.Sales, User: mailpair.Sales, IMAP: server(pair.IMAPS), SMTP: server(pair.SMTPS), RootCAs: pair.CA,
		Password: func(context.Context) (string, error) { return pair.Password, nil }}
}
