package mailbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"nudge/engine"
	"nudge/mailbox"
)

// fourKB is a mail of 4,096 bytes with lines that begin with dots.
var fourKB = func() []byte {
	raw := []byte("From: sales@acme.test\r\nTo: ann@customer.test\r\nSubject: your quote\r\nMessage-ID: <touch@acme.test>\r\n\r\n")
	for i := 0; len(raw) < 4096-80; i++ {
		raw = fmt.Appendf(raw, "%sline %d of a letter that says nothing in particular\r\n", strings.Repeat(".", i%3), i)
	}
	return append(append(raw, bytes.Repeat([]byte("."), 4096-2-len(raw))...), "\r\n"...)
}()

// recorder is a real SMTP server in memory which remembers what it was given.
type recorder struct {
	server *smtp.Server
	queue  chan net.Conn
	done   chan struct{}
	busy   sync.WaitGroup // connections that are being served

	mu   sync.Mutex
	took [][]byte // mails it took responsibility for
}

func newRecorder(t *testing.T) *recorder {
	r := &recorder{queue: make(chan net.Conn), done: make(chan struct{})}
	r.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return record{r}, nil }))
	r.server.Domain, r.server.AllowInsecureAuth, r.server.ErrorLog = "mail.acme.test", true, log.New(io.Discard, "", 0)
	var serving sync.WaitGroup
	serving.Go(func() { _ = r.server.Serve(r) })
	t.Cleanup(func() {
		close(r.done)
		serving.Wait()
		r.busy.Wait()
	})
	return r
}

func (r *recorder) Accept() (net.Conn, error) {
	select {
	case c := <-r.queue:
		return c, nil
	case <-r.done:
		return nil, net.ErrClosed
	}
}

func (r *recorder) Close() error   { return nil }
func (r *recorder) Addr() net.Addr { return &net.TCPAddr{} }

// dial is for relay.
func (r *recorder) dial(context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	r.busy.Add(1)
	r.queue <- &served{Conn: server, left: sync.OnceFunc(r.busy.Done)}
	return client, nil
}

// served tells when the server has done with a connection.
type served struct {
	net.Conn
	left func()
}

func (c *served) Close() error {
	err := c.Conn.Close()
	c.left()
	return err
}

// forget returns what was recorded since the last call.
func (r *recorder) forget() (took [][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	took, r.took = r.took, nil
	return took
}

// record is one session with a recorder.
type record struct{ *recorder }

func (record) Mail(string, *smtp.MailOptions) error { return nil }
func (record) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (record) Reset()                               {}
func (record) Logout() error                        { return nil }
func (record) AuthMechanisms() []string             { return []string{sasl.Plain} }

func (record) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(string, string, string) error { return nil }), nil
}

func (r record) Data(body io.Reader) error {
	raw, err := io.ReadAll(body)
	if err != nil {
		return err // it never ended
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = append(r.took, raw)
	return nil
}

// attempt is one mail sent through a relay.
type attempt struct {
	fail        *engine.SendError // nil is sent
	took        time.Duration
	said, heard []byte   // until Data returned
	got         [][]byte // complete mails at the server
}

// send sends one mail over a connection that is cut.
func (r *recorder) send(t *testing.T, c cut, tcp net.Listener) attempt {
	t.Helper()
	way := &relay{server: r.dial, cut: c, tcp: tcp}
	s := &mailbox.SMTP{Account: mailbox.Account{Address: "sales@acme.test", User: "sales@acme.test", Dial: way.Dial,
		SMTP:     mailbox.Server{Host: "127.0.0.1", Port: 2525, TLS: mailbox.TLSNone},
		Password: func(context.Context) (string, error) { return "s3cret", nil }}}
	began := time.Now()
	d, err := s.Open(t.Context(), engine.Email{From: "sales@acme.test", To: "ann@customer.test", Raw: fourKB})
	if err == nil {
		_, err = d.Data(t.Context(), time.Time{})
	}
	a := attempt{took: time.Since(began)}
	a.said, a.heard = way.links[0].tap.passed()
	if err != nil && !errors.As(err, &a.fail) {
		t.Fatalf("%v: the error is a %T: %v", c, err, err)
	}
	s.Shutdown()
	way.end()
	r.busy.Wait()
	if len(way.links) != 1 {
		t.Errorf("%v: %d connections were made", c, len(way.links))
	}
	a.got = r.forget()
	return a
}

// longest is how long a step may take, by where an attempt ended.
var longest = map[engine.SendPhase]time.Duration{
	engine.PhaseConnect: time.Minute, engine.PhaseTLS: time.Minute, engine.PhaseAuth: time.Minute,
	engine.PhaseMail: 2 * time.Minute, engine.PhaseRcpt: 2 * time.Minute, engine.PhaseData: 3 * time.Minute, engine.PhaseDot: 10 * time.Minute,
}

// judge holds one attempt against the table:
//
//	the dot was not begun                     due again, and the server has no mail
//	it was, and its answer was not read       in doubt
//	the answer was read to its end            sent, and the server has the mail
//
// In no case does the server have anything but the whole mail.
func (a attempt) judge(whole attempt) error {
	for _, raw := range a.got {
		if !bytes.Equal(raw, fourKB) {
			return fmt.Errorf("the server took a mail of %d bytes that is not ours", len(raw))
		}
	}
	begun, answered := len(a.said) > whole.theDot(), len(a.heard) >= len(whole.heard)
	switch {
	case answered && (a.fail != nil || len(a.got) != 1):
		return fmt.Errorf("answered: %v, %d mails at the server, want sent and 1", a.fail, len(a.got))
	case !answered && a.fail == nil:
		return errors.New("counts as sent without an answer")
	case answered:
		return nil
	case !begun && (a.fail.Outcome != engine.Deferred || a.fail.Phase == engine.PhaseDot || len(a.got) != 0):
		return fmt.Errorf("no dot: %v (%s), %d mails at the server, want deferred and none", a.fail, a.fail.Outcome, len(a.got))
	case begun && (a.fail.Outcome != engine.Unknown || a.fail.Phase != engine.PhaseDot):
		return fmt.Errorf("a dot and no answer: %v (%s), want unknown", a.fail, a.fail.Outcome)
	}
	return nil
}

// tally counts outcomes.
type tally map[engine.Outcome]int

func (n tally) add(a attempt) {
	if a.fail == nil {
		n[engine.Sent]++
		return
	}
	n[a.fail.Outcome]++
}

// theDot is where the final dot stands in what the client said.
func (a attempt) theDot() int { return bytes.LastIndex(a.said, []byte("\r\n.\r\n")) + 2 }

// arrives says whether a whole mail gets past a cut on simulated time.
func (c cut) arrives(a, whole attempt) bool {
	answer := len(whole.heard) - 1 - bytes.LastIndexByte(bytes.TrimSuffix(whole.heard, []byte("\n")), '\n')
	switch {
	case c.up:
		return c.after >= whole.theDot()+len(".\r\n")
	case c.how == hole: // which takes the dot as well, unless it opens within the answer
		return c.after > len(whole.heard)-answer
	}
	return len(a.said) > whole.theDot()
}

// late says whether an attempt took longer than its step may, on simulated
// time.
func (a attempt) late(how ending) bool {
	if a.fail == nil || how == fin || how == rst {
		return a.took != 0
	}
	return a.took > longest[a.fail.Phase]
}

// Every byte of a session that sends a mail of 4 KB, in both directions, on
// simulated time: stalls cost their deadline, to the second, and nobody waits
// longer.
func TestAMailWhoseConnectionEndsAtAnyByteIsDeferredInDoubtOrSentAsTheDotSays(t *testing.T) {
	for _, how := range []ending{fin, rst, stall, hole} {
		t.Run(string(how), func(t *testing.T) {
			began, seen, runs := time.Now(), tally{}, 0
			synctest.Test(t, func(t *testing.T) {
				server := newRecorder(t)
				whole := server.send(t, cut{after: -1}, nil)
				if whole.fail != nil || len(whole.got) != 1 || whole.theDot() < len(fourKB) {
					t.Fatalf("uncut: %v, %d mails", whole.fail, len(whole.got))
				}
				for _, c := range everyCut(whole.said, whole.heard, how, 1) {
					a := server.send(t, c, nil)
					seen.add(a)
					runs++
					if err := a.judge(whole); err != nil {
						t.Errorf("%v: %v", c, err)
					}
					if c.arrives(a, whole) != (len(a.got) == 1) {
						t.Errorf("%v: %d mails at the server", c, len(a.got))
					}
					if a.late(how) {
						t.Errorf("%v: it took %v to find %v", c, a.took, a.fail)
					}
				}
			})
			if seen[engine.Deferred] == 0 || seen[engine.Unknown] == 0 || seen[engine.Sent] == 0 {
				t.Errorf("outcomes %v: the cuts did not reach everything", seen)
			}
			t.Logf("%s: %d sessions, %v, in %v", how, runs, seen, time.Since(began).Round(time.Millisecond))
		})
	}
}

// The same on real sockets, where a client learns of a reset late and may have
// written on meanwhile.
func TestAMailWhoseSocketEndsAtAnyByteIsDeferredInDoubtOrSentAsTheDotSays(t *testing.T) {
	server, tcp := newRecorder(t), listen(t)
	whole := server.send(t, cut{after: -1}, tcp)
	for _, how := range []ending{fin, rst} {
		began, seen, runs, slowest := time.Now(), tally{}, 0, time.Duration(0)
		for _, c := range everyCut(whole.said, whole.heard, how, 7) {
			a := server.send(t, c, tcp)
			seen.add(a)
			runs++
			slowest = max(slowest, a.took)
			if err := a.judge(whole); err != nil {
				t.Errorf("%v: %v", c, err)
			}
		}
		if slowest > 30*time.Second {
			t.Errorf("%s: one took %v to find out", how, slowest)
		}
		t.Logf("%s: %d sessions, %v, in %v, slowest %v", how, runs, seen, time.Since(began).Round(time.Millisecond), slowest.Round(time.Microsecond))
	}
}
