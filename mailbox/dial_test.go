package mailbox

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"nudge/engine"
)

func TestPlainTextIsRefusedToOtherMachinesBeforeDialing(t *testing.T) {
	for host, allowed := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.8.9.1": true, "::1": true, "::ffff:127.0.0.1": true,
		"mail.acme.test": false, "10.0.0.1": false, "localhost.acme.test": false, "": false,
	} {
		server := &scriptedSMTP{offers: "AUTH PLAIN"}
		s := server.client(TLSNone)
		s.Account.SMTP.Host = host
		_, fail := smtpSend(t, s)
		if allowed != (fail == nil) || allowed != (server.dials == 1) {
			t.Errorf("plain text to %q: %v after %d dials", host, fail, server.dials)
		}
		s.Shutdown()
		server.wg.Wait()
	}
}

// The name "localhost" is believed before dialing, whatever the hosts file makes
// of it: where it leads is looked at before a byte is written.
func TestPlainTextIsRefusedWhereALocalNameLeadsElsewhere(t *testing.T) {
	for name, try := range map[string]func(Account) error{
		"SMTP": func(a Account) error {
			s := &SMTP{Account: a}
			defer s.Shutdown()
			_, fail := smtpSend(t, s)
			return fail
		},
		"IMAP": func(a Account) error {
			m := &IMAP{Account: a}
			defer m.Shutdown()
			_, _, err := m.Fetch(t.Context(), engine.Cursor{})
			return err
		},
	} {
		for ip, allowed := range map[string]bool{"10.0.0.1": false, "fe80::1": false, "0.0.0.0": false, "127.0.0.1": true, "::1": true} {
			far := &farConn{to: net.ParseIP(ip), ended: make(chan struct{}), greeting: map[string]string{"SMTP": "220 hello\r\n", "IMAP": "* OK hello\r\n"}[name]}
			server := Server{Host: "localhost", Port: 2525, TLS: TLSNone}
			err := try(Account{Address: "sales@acme.test", User: "sales@acme.test", SMTP: server, IMAP: server,
				Password: func(context.Context) (string, error) { return canary, nil },
				Dial:     func(context.Context, string, string) (net.Conn, error) { return far, nil }})
			if _, refused := errors.AsType[*tlsFailure](err); refused == allowed || refused && !strings.Contains(err.Error(), "the name leads to "+ip) {
				t.Errorf("%s at %s: %v", name, ip, err)
			}
			said, closed := far.heard()
			if allowed == (said == "") { // to this machine something is said, so what is kept proves something
				t.Errorf("%s at %s was told %q", name, ip, said)
			}
			if !closed {
				t.Errorf("%s at %s: the connection was left open", name, ip)
			}
		}
	}
}

// farConn is a connection to an address. It greets, keeps what it is told, and
// ends at the first word.
type farConn struct {
	to    net.IP
	ended chan struct{} // at the first word, or when it is closed
	end   sync.Once

	mu       sync.Mutex
	greeting string
	written  []byte
	closed   bool
}

func (c *farConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	n := copy(p, c.greeting)
	c.greeting = c.greeting[n:]
	c.mu.Unlock()
	if n > 0 {
		return n, nil
	}
	<-c.ended
	return 0, io.EOF
}

func (c *farConn) Write(p []byte) (int, error) {
	defer c.end.Do(func() { close(c.ended) })
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	c.written = append(c.written, p...)
	return len(p), nil
}

func (c *farConn) Close() error {
	defer c.end.Do(func() { close(c.ended) })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (c *farConn) heard() (said string, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.written), c.closed
}

func (c *farConn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: c.to, Port: 2525} }
func (c *farConn) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 40000} }
func (c *farConn) SetDeadline(time.Time) error      { return nil }
func (c *farConn) SetReadDeadline(time.Time) error  { return nil }
func (c *farConn) SetWriteDeadline(time.Time) error { return nil }

func TestDialSaysWhatIsWrong(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		server Server
		words  string
	}{
		"nobody listens":    {t.Context(), Server{Host: "127.0.0.1", Port: port}, "nothing listens on that port"},
		"given up":          {canceled, Server{Host: "127.0.0.1", Port: port}, "connecting was given up"},
		"unknown mode":      {t.Context(), Server{Host: "127.0.0.1", Port: port, TLS: "ssl"}, `unknown TLS mode "ssl"`},
		"plain to a remote": {t.Context(), Server{Host: "mail.acme.test", Port: port, TLS: TLSNone}, "plain text is only allowed"},
	} {
		if _, err := (Account{}).dial(c.ctx, c.server); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: got %v, want %q", name, err, c.words)
		}
	}
}

func TestUnknownServerNameAtDialIsTheNetworksFault(t *testing.T) {
	a := Account{Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "mial.acme.test", IsNotFound: true}
	}}
	if _, err := a.dial(t.Context(), Server{Host: "mial.acme.test", Port: 465}); err == nil || !strings.Contains(err.Error(), "no host of that name") {
		t.Errorf("got %v", err)
	}
}

func TestWhyAServerCannotBeReachedInWords(t *testing.T) {
	through := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, c := range []struct {
		err   error
		words string
	}{
		{through(&net.DNSError{Err: "no such host", Name: "mial.acme.test", Server: "10.0.0.1:53", IsNotFound: true}), "there is no host of that name"},
		{through(&net.DNSError{Err: "server misbehaving", Name: "mail.acme.test", Server: "10.0.0.1:53"}),
			"its name could not be looked up (server misbehaving); the network or its name server is down"},
		{through(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "nothing listens on that port"},
		{through(os.NewSyscallError("connect", syscall.ENETUNREACH)), "no connection: network is unreachable"},
		{errors.New("the proxy said no"), "the proxy said no"},
	} {
		a := Account{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, c.err }}
		_, err := a.dial(t.Context(), Server{Host: "mail.acme.test", Port: 993})
		if err == nil || err.Error() != "mail.acme.test:993: "+c.words || !errors.Is(err, c.err) {
			t.Errorf("%v: said %v", c.err, err)
		}
	}
}
