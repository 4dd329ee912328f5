package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nudge/engine"
	"nudge/mailbox"
	"nudge/mailbox/localmail"
)

const (
	sales   = "sales@acme.test"
	command = 20 * time.Second // how long one IMAP command may take
)

// epoch is when a synctest bubble's clock starts, and the mailbox is filled.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// filled is a provider with mails in three folders.
func filled(t *testing.T) *localmail.Provider {
	t.Helper()
	p, err := localmail.New(localmail.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	p.AddMailbox(sales, "s3cret")
	for _, mail := range []struct{ folder, head, body string }{
		{localmail.Inbox, "From: Ann <ann@customer.test>\nSubject: Re: quote\nMessage-ID: <1@customer.test>\nIn-Reply-To: <ours@acme.test>", "Yes please."},
		{localmail.Inbox, "From: MAILER-DAEMON@customer.test\nSubject: Undelivered\nMessage-ID: <2@customer.test>\nContent-Type: multipart/report; report-type=delivery-status; boundary=b",
			"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; customer.test\n\nFinal-Recipient: rfc822; gone@customer.test\nAction: failed\nStatus: 5.1.1\n\n--b--"},
		{localmail.Junk, "From: Bob <bob@customer.test>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nMessage-ID: <3@customer.test>", "no (thanks) {12}"},
		{localmail.Sent, "From: " + sales + "\nSubject: quote\nMessage-ID: <ours@acme.test>\nX-Nudge-Instance: abc-1", "hello"},
	} {
		raw := mail.head + "\nTo: " + sales + "\nDate: Sat, 01 Jan 2000 09:00:00 +0000\n\n" + mail.body + "\n"
		if err := p.Deliver(sales, mail.folder, []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// look is what one client got to know: three calls, each of which may fail.
type look struct {
	Ins    []engine.Incoming
	Cursor engine.Cursor
	Whole  []engine.Incoming
	Own    []engine.Incoming

	errs    []error
	longest time.Duration
}

// call runs one call and notes how long it took.
func (l *look) call(f func() error) error {
	began := time.Now()
	err := f()
	l.longest = max(l.longest, time.Since(began))
	if err != nil {
		l.errs = append(l.errs, err)
	}
	return err
}

// take sweeps the mailbox, reads each message and looks at what was sent. What
// fails is tried once more where again says so, as the next round would.
func take(t *testing.T, m *mailbox.IMAP, again bool) *look {
	t.Helper()
	l := &look{}
	from := engine.Cursor{Since: epoch}
	try := func(f func() error) bool { return l.call(f) == nil || again && l.call(f) == nil }
	if !try(func() (err error) {
		var next engine.Cursor
		if l.Ins, next, err = m.Fetch(t.Context(), from); err == nil {
			l.Cursor = next
		} else if len(l.Ins) != 0 || !reflect.DeepEqual(next, from) {
			t.Errorf("a Fetch that failed returned %v and %v", l.Ins, next)
		}
		return err
	}) {
		return l
	}
	for _, in := range l.Ins {
		if !try(func() error {
			whole, err := m.Read(t.Context(), in, engine.Touched{})
			if err == nil {
				l.Whole = append(l.Whole, whole)
			}
			return err
		}) {
			return l
		}
	}
	try(func() (err error) { l.Own, err = m.OwnMail(t.Context(), from.Since); return err })
	return l
}

// lookThrough is take through a relay, and how much passed it.
func lookThrough(t *testing.T, p *localmail.Provider, way *relay, mode mailbox.TLSMode) (l *look, said, heard []byte) {
	t.Helper()
	account := p.AccountOver(sales, mode)
	address := net.JoinHostPort(account.IMAP.Host, fmt.Sprint(account.IMAP.Port))
	way.server = func(ctx context.Context) (net.Conn, error) { return p.Dial(ctx, "tcp", address) }
	account.Dial = way.Dial
	m := &mailbox.IMAP{Account: account}
	l = take(t, m, way.once)
	m.Shutdown()
	way.end()
	said, heard = way.links[0].tap.passed()
	return l, said, heard
}

// compare returns in which way a look is neither the whole truth nor an error.
func (l *look) compare(whole *look, once bool) error {
	want := *whole
	if once { // the second attempt goes over a sound connection
		if diff := cmp.Diff(want, *l, cmp.AllowUnexported(), cmp.FilterPath(unexported, cmp.Ignore())); diff != "" {
			return fmt.Errorf("even the second attempt is not the whole (-want +got):\n%s", diff)
		}
		return nil
	}
	switch {
	case len(l.errs) == 0 && (!reflect.DeepEqual(l.Ins, want.Ins) || !reflect.DeepEqual(l.Cursor, want.Cursor) || !reflect.DeepEqual(l.Whole, want.Whole) || !reflect.DeepEqual(l.Own, want.Own)):
		return fmt.Errorf("no error, and not the whole: %v", l)
	case l.Ins != nil && !reflect.DeepEqual(l.Ins, want.Ins):
		return fmt.Errorf("Fetch returned a part: %v", l.Ins)
	case l.Own != nil && !reflect.DeepEqual(l.Own, want.Own):
		return fmt.Errorf("OwnMail returned a part: %v", l.Own)
	}
	for i, in := range l.Whole {
		if !reflect.DeepEqual(in, want.Whole[i]) {
			return fmt.Errorf("Read returned a part: %v", in)
		}
	}
	return nil
}

func unexported(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && strings.ToLower(field.Name()[:1]) == field.Name()[:1]
}

// Every byte, in both directions, of a session that connects, sweeps, reads
// each message and looks through the Sent folder; the cut strikes the first
// connection or every one.
func TestAMailboxWhoseConnectionEndsAtAnyByteIsReadWholeOrNotAtAll(t *testing.T) {
	for _, how := range []ending{fin, rst, stall, hole} {
		t.Run(string(how), func(t *testing.T) {
			began, runs, failed, longest := time.Now(), 0, 0, time.Duration(0)
			synctest.Test(t, func(t *testing.T) {
				p := filled(t)
				whole, said, heard := lookThrough(t, p, &relay{cut: cut{after: -1}}, mailbox.TLSNone)
				if err := errors.Join(whole.errs...); err != nil || len(whole.Ins) != 4 || len(whole.Whole) != 4 || len(whole.Own) != 1 {
					t.Fatalf("uncut: %v, %d, %d and %d messages", err, len(whole.Ins), len(whole.Whole), len(whole.Own))
				}
				for i, c := range everyCut(said, heard, how, 61) {
					for _, once := range bothWays(i) {
						l, _, _ := lookThrough(t, p, &relay{cut: c, once: once}, mailbox.TLSNone)
						runs++
						failed += min(1, len(l.errs))
						longest = max(longest, l.longest)
						if err := l.compare(whole, once); err != nil {
							t.Errorf("%v, the first connection only %v: %v", c, once, err)
						}
						if l.longest > command {
							t.Errorf("%v, the first connection only %v: a call took %v", c, once, l.longest)
						}
					}
				}
			})
			if failed == 0 {
				t.Error("nothing ever failed: the cuts did not reach anything")
			}
			t.Logf("%s: %d sessions, of which %d saw an error, longest call %v, in %v", how, runs, failed, longest, time.Since(began).Round(time.Millisecond))
		})
	}
}

// bothWays says whether only the first connection is cut: once so and once not
// under NUDGE_PROVE=1, else in turns.
func bothWays(i int) []bool {
	if os.Getenv("NUDGE_PROVE") != "" {
		return []bool{true, false}
	}
	return []bool{i%2 == 0}
}

// keepThrough sweeps a mailbox through a relay and then keeps a copy in Sent, as
// a daemon does: at most patience long. What fails is tried once more where only
// the first connection is cut. The Sent folder is then as it was.
func keepThrough(t *testing.T, p *localmail.Provider, way *relay, raw []byte, patience time.Duration) *keeping {
	t.Helper()
	account := p.AccountOver(sales, mailbox.TLSNone)
	address := net.JoinHostPort(account.IMAP.Host, fmt.Sprint(account.IMAP.Port))
	way.server = func(ctx context.Context) (net.Conn, error) { return p.Dial(ctx, "tcp", address) }
	account.Dial = way.Dial
	m := &mailbox.IMAP{Account: account}
	k := &keeping{}
	_, _, err := m.Fetch(t.Context(), engine.Cursor{Since: epoch})
	k.swept = err == nil
	keep := func() error {
		return k.call(func() error {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			return m.KeepSent(ctx, raw)
		})
	}
	if err := keep(); err != nil && way.once {
		synctest.Wait() // the next round is later: the server is through with what it got
		if keep() == nil {
			k.errs = nil
		}
	}
	m.Shutdown()
	way.end()
	synctest.Wait() // whatever the server still does with what it got
	for _, mail := range p.Messages(sales, localmail.Sent) {
		if strings.Contains(string(mail.Raw), "<copy@acme.test>") {
			k.copies = append(k.copies, mail)
			p.Remove(sales, localmail.Sent, mail.UID)
		}
	}
	k.said, k.heard = way.links[0].tap.passed()
	return k
}

// keeping is what became of a copy for the Sent folder.
type keeping struct {
	look
	copies      []localmail.Message // which lay there
	swept       bool                // the sweep before it went well
	said, heard []byte
}

// Every byte again, of a session that ends with the one command that writes.
// The copy lies there whole, and once, or not at all; nobody waits longer than a
// command may take, or than the caller has time.
func TestACopyWhoseConnectionEndsAtAnyByteIsKeptWholeAndOnceOrNotAtAll(t *testing.T) {
	raw := []byte("From: " + sales + "\r\nMessage-ID: <copy@acme.test>\r\nSubject: quote\r\n\r\n" + strings.Repeat("Did quote {12} reach you?\r\n", 40))
	for _, how := range []ending{fin, rst, stall, hole} {
		t.Run(string(how), func(t *testing.T) {
			began, runs, failed, inside, unknown, longest := time.Now(), 0, 0, 0, 0, time.Duration(0)
			synctest.Test(t, func(t *testing.T) {
				p := filled(t)
				whole := keepThrough(t, p, &relay{cut: cut{after: -1}}, raw, time.Hour)
				if err := errors.Join(whole.errs...); err != nil || len(whole.copies) != 1 {
					t.Fatalf("uncut: %v, %d copies", err, len(whole.copies))
				}
				for i, c := range everyCut(whole.said, whole.heard, how, 61) {
					for _, once := range bothWays(i) {
						patience := time.Hour
						if i%3 == 0 {
							patience = 7 * time.Second
						}
						k := keepThrough(t, p, &relay{cut: c, once: once}, raw, patience)
						err := errors.Join(k.errs...)
						runs++
						longest = max(longest, k.longest)
						if err != nil {
							failed++
							unknown += len(k.copies)
							if k.swept {
								inside++
							}
						}
						switch {
						case err == nil && len(k.copies) != 1, len(k.copies) > 1, once && err != nil:
							t.Errorf("%v, the first connection only %v: %d copies, and the error is %v", c, once, len(k.copies), err)
						case len(k.copies) == 1 && string(k.copies[0].Raw) != string(raw):
							t.Errorf("%v, the first connection only %v: the copy is %q", c, once, k.copies[0].Raw)
						}
						if k.longest > min(command, patience) {
							t.Errorf("%v, the first connection only %v: a call that had %v took %v", c, once, patience, k.longest)
						}
					}
				}
			})
			if !underRace && (inside == 0 || unknown == 0 && (how == stall || how == hole)) { // else a second look finds the copy
				t.Errorf("%d failed once the mailbox was read, %d of all with a copy kept: the cuts did not reach APPEND", inside, unknown)
			}
			t.Logf("%s: %d sessions, of which %d saw an error, longest call %v, in %v", how, runs, failed, longest, time.Since(began).Round(time.Millisecond))
		})
	}
}

// The same on real sockets, where what was on its way is lost with a reset.
func TestAMailboxWhoseSocketEndsAtAnyByteIsReadWholeOrNotAtAll(t *testing.T) {
	p, tcp := filled(t), listen(t)
	whole, said, heard := lookThrough(t, p, &relay{cut: cut{after: -1}, tcp: tcp}, mailbox.TLSNone)
	if err := errors.Join(whole.errs...); err != nil || len(whole.Ins) != 4 {
		t.Fatalf("uncut: %v, %d messages", err, len(whole.Ins))
	}
	for _, how := range []ending{fin, rst} {
		began, runs, failed, slowest := time.Now(), 0, 0, time.Duration(0)
		for i, c := range everyCut(blank(said), blank(heard), how, 37) {
			for _, once := range bothWays(i) {
				l, _, _ := lookThrough(t, p, &relay{cut: c, once: once, tcp: tcp}, mailbox.TLSNone)
				runs++
				failed += min(1, len(l.errs))
				slowest = max(slowest, l.longest)
				if err := l.compare(whole, once); err != nil {
					t.Errorf("%v, the first connection only %v: %v", c, once, err)
				}
			}
		}
		if slowest > 30*time.Second {
			t.Errorf("%s: a call took %v to find out", how, slowest)
		}
		t.Logf("%s: %d sessions, of which %d saw an error, slowest call %v, in %v", how, runs, failed, slowest.Round(time.Microsecond), time.Since(began).Round(time.Millisecond))
	}
}

// A network that swallows everything without a word, on simulated time, where
// no kernel probes: a Fetch ends by its deadline, IDLE where it is renewed. Both
// connect anew afterwards.
func TestABlackHoleIsNoticedByDeadlinesAlone(t *testing.T) {
	for _, mode := range []mailbox.TLSMode{mailbox.TLSNone, mailbox.TLSImplicit} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := filled(t)
				account := p.AccountOver(sales, mode)
				address := net.JoinHostPort(account.IMAP.Host, fmt.Sprint(account.IMAP.Port))
				way := &relay{cut: cut{after: -1}, server: func(ctx context.Context) (net.Conn, error) { return p.Dial(ctx, "tcp", address) }}
				account.Dial = way.Dial
				m := &mailbox.IMAP{Account: account}
				defer way.end()
				defer m.Shutdown()
				_, cursor, err := m.Fetch(t.Context(), engine.Cursor{})
				if err := errors.Join(err, m.Wait(t.Context())); err != nil {
					t.Fatal(err)
				}
				way.swallow()
				began, fetched := time.Now(), make(chan error)
				go func() {
					_, _, err := m.Fetch(t.Context(), cursor)
					fetched <- err
				}()
				waited := make(chan error)
				go func() { waited <- m.Wait(t.Context()) }()
				if err := <-fetched; err == nil || time.Since(began) != command {
					t.Errorf("Fetch ended after %v with %v, want an error after %v", time.Since(began), err, command)
				}
				if err := <-waited; err == nil || time.Since(began) > 5*time.Minute+command {
					t.Errorf("Wait ended after %v with %v, want an error at the first renewal", time.Since(began), err)
				}
				if _, _, err := m.Fetch(t.Context(), cursor); err != nil {
					t.Errorf("the next Fetch: %v", err)
				}
				if err := m.Wait(t.Context()); err != nil {
					t.Errorf("the next Wait: %v", err)
				}
			})
		})
	}
}
