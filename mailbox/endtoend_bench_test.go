package mailbox_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"nudge/engine"
	"nudge/engine/bolt"
	"nudge/mailbox"
	"nudge/mailbox/mailpair"
	"nudge/sequences"
)

// sink is an SMTP server that takes everything and keeps nothing.
type sink struct{}

func (sink) NewSession(*smtp.Conn) (smtp.Session, error) { return sink{}, nil }
func (sink) Mail(string, *smtp.MailOptions) error        { return nil }
func (sink) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (sink) Data(r io.Reader) error                      { _, err := io.Copy(io.Discard, r); return err }
func (sink) Reset()                                      {}
func (sink) Logout() error                               { return nil }

// quiet is a mailbox in which nothing ever arrives.
type quiet struct{}

func (quiet) Fetch(_ context.Context, c engine.Cursor) ([]engine.Incoming, engine.Cursor, error) {
	return nil, c, nil
}
func (quiet) Read(_ context.Context, in engine.Incoming, _ engine.Touched) (engine.Incoming, error) {
	return in, nil
}
func (quiet) Wait(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// A touch end to end: due scan, guard, render, durable intent, SMTP to a local
// sink, fence, durable claim, durable record. Alone, and in volleys of 16; with
// a fence that costs nothing, and with Dovecot's. Beside the rate: what each
// touch costs in commits to disk, and in answers of the mail server waited for.
func BenchmarkTouchEndToEnd(b *testing.B) {
	for _, volley := range []int{1, 16} {
		b.Run(fmt.Sprintf("volley=%d", volley), func(b *testing.B) { endToEnd(b, volley, quiet{}) })
		b.Run(fmt.Sprintf("volley=%d/fence=dovecot", volley), func(b *testing.B) {
			pair := mailpair.Start(b)
			inbox := &mailbox.IMAP{Account: account(b, pair), Log: slog.New(slog.DiscardHandler)}
			b.Cleanup(inbox.Shutdown)
			endToEnd(b, volley, inbox)
		})
	}
}

// tallied counts the writes of a store: each is a commit of its own here, where
// one engine is the only writer.
type tallied struct {
	engine.Store
	commits int
}

func (t *tallied) Prepare(ts []engine.Touch) ([]error, error) {
	t.commits++
	return t.Store.Prepare(ts)
}
func (t *tallied) Settle(s []engine.Settlement) error { t.commits++; return t.Store.Settle(s) }
func (t *tallied) Apply(s engine.Sweep) error         { t.commits++; return t.Store.Apply(s) }
func (t *tallied) Claim(s engine.Sweep, ts []engine.Touch) ([]error, error) {
	t.commits++
	return t.Store.Claim(s, ts)
}

// turnstile counts how often the server's side of a connection answered after
// having been spoken to.
type turnstile struct {
	net.Listener
	turns *atomic.Int64
}

func (l turnstile) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &turning{Conn: conn, turns: l.turns}, err
}

type turning struct {
	net.Conn
	turns *atomic.Int64
	heard atomic.Bool
}

func (c *turning) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.heard.Store(true)
	return n, err
}
func (c *turning) Write(p []byte) (int, error) {
	if c.heard.Swap(false) {
		c.turns.Add(1)
	}
	return c.Conn.Write(p)
}

func endToEnd(b *testing.B, volley int, inbox engine.Inbox) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := smtp.NewServer(sink{})
	server.Domain, server.AllowInsecureAuth = "localhost", true
	var turns atomic.Int64
	go func() { _ = server.Serve(turnstile{l, &turns}) }()
	b.Cleanup(func() { _ = server.Close() })

	seq, err := sequences.Parse("quote.md", []byte("---\nsend: always\n---\n\n## Only\n\n```step\nwait: 0\nsubject: Quote {{ quote_no }}\n```\n\nHi {{ first_name }}, did quote {{ quote_no }} arrive?\n"))
	if err != nil {
		b.Fatal(err)
	}
	db, err := bolt.Open(b.TempDir()+"/nudge.db", bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	store := &tallied{Store: db}
	sender := &mailbox.SMTP{Account: mailbox.Account{Address: "a@acme.test",
		SMTP: mailbox.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: mailbox.TLSNone}}, Log: slog.New(slog.DiscardHandler)}
	b.Cleanup(sender.Shutdown)
	m := engine.Mailbox{Name: "sales", Address: "a@acme.test", Location: time.UTC}
	if volley == 1 {
		m.GapMin, m.GapMax = 1, 1 // a nanosecond: one at a time
	}
	e := &engine.Engine{Mailbox: m, Store: store, Library: oneSequence{seq}, Sender: sender, Inbox: inbox, Log: slog.New(slog.DiscardHandler)}
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	b.ResetTimer()
	b.StopTimer()
	const batch = 2048
	for left := b.N; left > 0; left -= batch {
		n := min(left, batch)
		ens := make([]engine.Enrollment, n)
		for i := range ens {
			addr := fmt.Sprintf("p%d-%d@customer%d.test", left, i, i)
			ens[i], err = engine.Plan(engine.EnrollRequest{Sequence: "quote", Address: addr, Name: "Per Holm", Fields: map[string]string{"quote_no": "1042"}}, seq, m, now)
			if err != nil {
				b.Fatal(err)
			}
		}
		if _, _, err := store.Enroll(ens); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for {
			now = now.Add(time.Second)
			next, err := e.Tick(b.Context(), now)
			if err != nil {
				b.Fatal(err)
			}
			if next.IsZero() {
				break
			}
		}
		b.StopTimer()
	}
	counts, err := store.Counts()
	if err != nil || counts.Finished != b.N {
		b.Fatalf("%+v of %d, %v", counts, b.N, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "touches/s")
	b.ReportMetric(float64(store.commits)/float64(b.N), "commits/touch")
	b.ReportMetric(float64(turns.Load())/float64(b.N), "smtp-turns/touch")
}
