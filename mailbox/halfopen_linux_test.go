package mailbox

import (
	"bufio"
	"context"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nudge/engine"
)

// overSocket makes a test server reachable over a real socket, since only
// that has a kernel which could notice anything. hand gets the server's ends.
func overSocket(t *testing.T, account *Account, side *Server, hand func(net.Conn)) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			hand(conn)
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-accepting })
	account.Dial = nil
	*side = Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: TLSNone}
}

// imapOverSocket is newIMAPHost over real sockets.
func imapOverSocket(t *testing.T) (*imapHost, *IMAP) {
	h, m := newIMAPHost(t)
	overSocket(t, &m.Account, &m.Account.IMAP, func(conn net.Conn) {
		c := &hostConn{host: h, conn: conn, in: bufio.NewReader(conn)}
		h.mu.Lock()
		h.dials++
		h.sessions = append(h.sessions, c)
		h.mu.Unlock()
		h.serving.Go(c.serve)
	})
	return h, m
}

// option asks the kernel about a client's end.
func option(t *testing.T, conn net.Conn, level, name int) (value int) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if cerr := raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), level, name) }); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return value
}

func TestBothIMAPConnectionsAreProbedAndGivenUpInHalfAMinute(t *testing.T) {
	_, m := imapOverSocket(t)
	if _, _, err := m.Fetch(t.Context(), engine.Cursor{}); err != nil {
		t.Fatal(err)
	}
	if err := m.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, conn := range map[string]net.Conn{"sweeping": m.main.wire.Conn, "waiting": m.listening.session.wire.Conn} {
		if option(t, conn, unix.SOL_SOCKET, unix.SO_KEEPALIVE) != 1 {
			t.Errorf("the %s connection is not probed", name)
		}
		idle, every, count := option(t, conn, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE), option(t, conn, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL), option(t, conn, unix.IPPROTO_TCP, unix.TCP_KEEPCNT)
		if idle+every*count > 30 {
			t.Errorf("the %s connection is probed after %d s, then %d times every %d s: that is more than half a minute", name, idle, count, every)
		}
		if got := option(t, conn, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); got > (30-every)*1000 || got == 0 {
			t.Errorf("the %s connection bears %d ms without acknowledgement and is probed every %d s: more than half a minute", name, got, every)
		}
	}
}

func TestOnlyTheDotOfAMailOutlastsAGapInTheNetwork(t *testing.T) {
	server := &scriptedSMTP{offers: "AUTH PLAIN"}
	s := server.client(TLSNone)
	overSocket(t, &s.Account, &s.Account.SMTP, func(conn net.Conn) {
		server.wg.Go(func() {
			defer conn.Close()
			server.serve(conn)
		})
	})
	bears := func(c *session) time.Duration {
		return time.Duration(option(t, c.conn.Conn, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)) * time.Millisecond
	}
	for range 2 { // the second time over the same connection
		d, err := s.Open(t.Context(), smtpEmail)
		if err != nil {
			t.Fatal(err)
		}
		c := d.(*delivery).session
		if option(t, c.conn.Conn, unix.SOL_SOCKET, unix.SO_KEEPALIVE) != 1 {
			t.Error("the connection is not probed")
		}
		if got := bears(c); got != unackedTimeout {
			t.Errorf("before DATA the connection bears a gap of %v, want %v", got, unackedTimeout)
		}
		if _, err := d.Data(t.Context(), time.Time{}); err != nil {
			t.Fatal(err)
		}
		if got := bears(c); got != 10*time.Minute {
			t.Errorf("since the dot the connection bears a gap of %v, want 10m", got)
		}
	}
	if len(s.idle) != 1 {
		t.Errorf("%d connections are idle, want the 1 that was used twice", len(s.idle))
	}
	s.Shutdown()
	server.wg.Wait()
}

// swallow makes the kernel drop whatever arrives at a socket before TCP sees
// it: nothing is acknowledged any more, and nobody is told.
func swallow(t *testing.T, conn net.Conn) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	nothing := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K}}
	program := unix.SockFprog{Len: 1, Filter: &nothing[0]}
	if cerr := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program)
	}); cerr != nil || err != nil {
		t.Skipf("SKIPPED: this kernel filters no sockets: %v %v", cerr, err)
	}
}

// A real network that swallows everything, with a real kernel's clock: a Fetch
// by its deadline, IDLE by the kernel's probes. Half a minute long, so it runs
// under NUDGE_PROVE=1.
func TestRealBlackHoleIsNoticedInHalfAMinute(t *testing.T) {
	if os.Getenv("NUDGE_PROVE") == "" {
		t.Skip("NUDGE_PROVE is not set")
	}
	h, m := imapOverSocket(t)
	_, cursor := fetchAll(t, m, engine.Cursor{})
	if err := m.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	swallow(t, m.main.wire.Conn)
	swallow(t, m.listening.session.wire.Conn)
	h.mu.Lock()
	for _, c := range h.sessions {
		swallow(t, c.conn)
	}
	h.mu.Unlock()
	began := time.Now()
	ended := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ended <- m.Wait(ctx)
	}()
	wantHeld(t, m, cursor, "did not answer in time")
	if took := time.Since(began); took > commandTimeout+time.Second {
		t.Errorf("Fetch noticed after %v", took)
	}
	err := <-ended
	took := time.Since(began)
	if !isLost(err) || took > 30*time.Second {
		t.Errorf("IDLE ended after %v with %v, want the loss of the connection within 30s", took, err)
	}
	t.Logf("Fetch by its deadline, IDLE after %v: %v", took.Round(time.Millisecond), err)
}
