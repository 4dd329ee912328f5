package mailbox

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
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
