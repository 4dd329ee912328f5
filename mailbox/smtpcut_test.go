package mailbox

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"nudge/engine"
)

// cutConn ends a connection after a number of bytes in one direction, as a
// network would: what went before has arrived.
type cutConn struct {
	net.Conn
	mu      sync.Mutex
	reads   bool // count what is read instead of what is written
	left    int  // bytes until the cut; below 0 never
	written bytes.Buffer
	read    int
}

var errCut = errors.New("cut by the test")

// pass returns how many of n bytes still pass.
func (c *cutConn) pass(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left < 0 {
		return n
	}
	n = min(n, c.left)
	c.left -= n
	return n
}

func (c *cutConn) spent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left == 0
}

func (c *cutConn) Write(p []byte) (int, error) {
	if c.reads {
		return c.Conn.Write(p)
	}
	n, err := c.Conn.Write(p[:c.pass(len(p))])
	c.written.Write(p[:n])
	if err == nil && c.spent() {
		_ = c.Conn.Close()
		if n < len(p) {
			err = errCut
		}
	}
	return n, err
}

func (c *cutConn) Read(p []byte) (int, error) {
	if !c.reads {
		return c.Conn.Read(p)
	}
	if c.spent() {
		_ = c.Conn.Close()
		return 0, io.EOF
	}
	n, err := c.Conn.Read(p[:max(1, c.room(len(p)))])
	c.pass(n)
	c.read += n
	return n, err
}

func (c *cutConn) room(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left < 0 {
		return n
	}
	return min(n, c.left)
}

// cutRun sends one email over a connection cut after left bytes.
func cutRun(t *testing.T, mode TLSMode, reads bool, left int) (*cutConn, *engine.SendError, []string) {
	t.Helper()
	cut := &cutConn{reads: reads, left: left}
	server := &scriptedSMTP{offers: "STARTTLS|AUTH PLAIN|PIPELINING", tls: smtpCerts().good, direct: mode == TLSImplicit}
	server.wrap = func(c net.Conn) net.Conn {
		cut.Conn = c
		return cut
	}
	s := server.client(mode)
	_, fail := smtpSend(t, s)
	s.Shutdown()
	server.wg.Wait()
	mails, _ := server.saw()
	return cut, fail, mails
}

func TestConnectionCutAfterEachByteWrittenIsDeferredUpToTheDot(t *testing.T) {
	whole, fail, _ := cutRun(t, TLSNone, false, -1)
	if fail != nil {
		t.Fatal(fail)
	}
	stream := whole.written.String()
	terminator := strings.LastIndex(stream, "\r\n.\r\n") + 2
	if terminator < 2 || !strings.HasPrefix(stream[terminator:], ".\r\nQUIT") {
		t.Fatalf("the client wrote %q", stream)
	}
	for left := 1; left < len(stream); left++ {
		_, fail, mails := cutRun(t, TLSNone, false, left)
		switch {
		case left < terminator:
			if fail == nil || fail.Outcome != engine.Deferred || fail.Phase == engine.PhaseDot || len(mails) > 0 {
				t.Errorf("cut after byte %d, before the dot: %v, %d mails at the server", left, fail, len(mails))
			}
		case left <= terminator+len(".\r\n"):
			if fail == nil || fail.Outcome != engine.Unknown || fail.Phase != engine.PhaseDot {
				t.Errorf("cut after byte %d, within the final dot: %v", left, fail)
			}
			if whole := left == terminator+len(".\r\n"); whole != (len(mails) == 1) {
				t.Errorf("cut after byte %d: the server has %d mails", left, len(mails))
			}
		case fail != nil || len(mails) != 1:
			t.Errorf("cut after byte %d, behind the mail: %v, %d mails at the server", left, fail, len(mails))
		}
	}
}

// Over TLS and for cuts of what the server says, what is asserted is the
// promise itself: due again means that the server has no mail, and a mail at
// the server is sent or in doubt.
func TestConnectionCutAnywhereNeverMakesADeliveredMailDueAgain(t *testing.T) {
	for _, mode := range []TLSMode{TLSNone, TLSImplicit, TLSStart} {
		for _, reads := range []bool{true, false} {
			whole, fail, _ := cutRun(t, mode, reads, -1)
			if fail != nil {
				t.Fatal(fail)
			}
			total := max(whole.read, whole.written.Len())
			seen := map[engine.Outcome]int{}
			// Within a TLS record one byte is like another.
			stride := 1
			if mode != TLSNone {
				stride = 7
			}
			for left := 1; left < total; left += stride {
				_, fail, mails := cutRun(t, mode, reads, left)
				outcome := engine.Sent
				if fail != nil {
					outcome = fail.Outcome
				}
				seen[outcome]++
				if outcome == engine.Deferred && len(mails) > 0 || outcome == engine.Sent && len(mails) != 1 || outcome == engine.Refusal {
					t.Errorf("%s, reads %v, cut after %d of %d bytes: %v, %d mails at the server", mode, reads, left, total, fail, len(mails))
				}
			}
			if seen[engine.Deferred] == 0 || seen[engine.Unknown] == 0 {
				t.Errorf("%s, reads %v: outcomes %v, so the cuts did not reach everything", mode, reads, seen)
			}
		}
	}
}
