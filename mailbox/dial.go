package mailbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"nudge/engine"
)

// ErrAuth is what errors.Is finds when a server of the account refused the
// user name or the password, so that trying again without a person is useless.
var ErrAuth = engine.ErrLogin

const (
	connectTimeout   = 30 * time.Second // DNS and TCP, all addresses of the host together
	handshakeTimeout = 30 * time.Second // TLS
	keepAlive        = 30 * time.Second
	unackedTimeout   = 30 * time.Second // how long written bytes may stay unacknowledged, except a mail's dot
)

// mode is the server's TLS mode with the choice by port made.
func (s Server) mode() TLSMode {
	switch {
	case s.TLS != TLSByPort:
		return s.TLS
	case s.Port == 143 || s.Port == 587:
		return TLSStart
	}
	return TLSImplicit
}

// address is host:port, as it is dialed and shown.
func (s Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// tlsFailure is an error of the TLS layer, in words that say what to do.
type tlsFailure struct {
	words string
	cause error
}

func (e *tlsFailure) Error() string { return e.words }
func (e *tlsFailure) Unwrap() error { return e.cause }

// tlsConfig is how every connection to host is encrypted: TLS 1.2 or newer,
// the certificate checked against the name.
func (a Account) tlsConfig(host string) *tls.Config {
	return &tls.Config{ServerName: host, RootCAs: a.RootCAs, MinVersion: tls.VersionTLS12}
}

// dial connects to one of the account's servers. For implicit TLS the
// handshake is done when it returns; for STARTTLS the caller reads the greeting
// in plain text and then calls startTLS. Both end when ctx is done. Plain text
// is refused unless the server is on this machine.
func (a Account) dial(ctx context.Context, s Server) (net.Conn, error) {
	conn, err := a.open(ctx, s)
	if err != nil {
		return nil, err
	}
	if s.mode() != TLSImplicit {
		return conn, nil
	}
	secure, err := a.startTLS(ctx, s, conn)
	if err != nil {
		return nil, err // not secure itself: a nil *tls.Conn is no nil net.Conn
	}
	return secure, nil
}

// open is dial without TLS: the bare connection, on which nothing was said.
func (a Account) open(ctx context.Context, s Server) (net.Conn, error) {
	mode := s.mode()
	switch mode {
	case TLSNone, TLSStart, TLSImplicit:
	default:
		return nil, fmt.Errorf("%s: unknown TLS mode %q", s.address(), string(mode))
	}
	if mode == TLSNone && !isLoopback(s.Host) {
		return nil, &tlsFailure{words: fmt.Sprintf("%s: plain text is only allowed to this machine itself, so nothing was sent", s.address())}
	}
	conn, err := a.connect(ctx, s)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok && mode == TLSNone && !tcp.IP.IsLoopback() {
		_ = conn.Close() // nothing was written
		return nil, &tlsFailure{words: fmt.Sprintf("%s: plain text is only allowed to this machine itself, and the name leads to %s", s.address(), tcp.IP)}
	}
	return conn, nil
}

func (a Account) connect(ctx context.Context, s Server) (net.Conn, error) {
	dial := a.Dial
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: keepAlive, Control: controlSocket}).DialContext
	}
	inner, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := dial(inner, "tcp", s.address())
	if err == nil {
		return conn, nil
	}
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s: connecting was given up: %w", s.address(), context.Cause(ctx))
	case errors.Is(inner.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("%s: no connection within %v; a firewall may drop it, or the port is wrong", s.address(), connectTimeout)
	}
	return nil, &connectFailure{words: s.address() + ": " + connectWords(err), cause: err}
}

// connectFailure is a connection that did not come about, in words for the
// owner; what the system said stays behind it.
type connectFailure struct {
	words string
	cause error
}

func (e *connectFailure) Error() string { return e.words }
func (e *connectFailure) Unwrap() error { return e.cause }

// connectWords says why a server could not be reached, without the layers that
// the system's own words come through.
func connectWords(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return "there is no host of that name"
		}
		return "its name could not be looked up (" + dns.Err + "); the network or its name server is down"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "nothing listens on that port"
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return "no connection: " + number.Error()
	}
	return err.Error()
}

// startTLS puts TLS onto conn and completes the handshake within ctx. On
// failure conn is closed and the error says in plain words what was wrong. For
// STARTTLS the caller must hand over a conn without any byte read ahead: what a
// stranger injected before the handshake must never be taken for the server's.
func (a Account) startTLS(ctx context.Context, s Server, conn net.Conn) (*tls.Conn, error) {
	inner, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	secure := tls.Client(conn, a.tlsConfig(s.Host))
	if err := secure.HandshakeContext(inner); err != nil {
		_ = conn.Close() // the handshake's error is the one that matters
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, &tlsFailure{words: s.address() + ": " + tlsWords(err, s), cause: err}
	}
	return secure, nil
}

// tlsWords says what a failed handshake means and what to look at.
func tlsWords(err error, s Server) string {
	var (
		record  tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &record):
		if s.mode() == TLSImplicit {
			return "the server speaks plain text on this port, where TLS was expected; it is probably the STARTTLS port (587 for SMTP, 143 for IMAP)"
		}
		return "the server agreed to STARTTLS and then did not speak TLS"
	case errors.As(err, &unknown):
		return "the server's certificate comes from an unknown authority; a private authority must be added to the trusted ones, and on a public provider this is a warning sign"
	case errors.As(err, &name):
		return fmt.Sprintf("the server's certificate is for another name (%s), not for %q; use the name that the provider gives", certificateNames(name.Certificate), s.Host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the server's certificate is not valid today: it has expired, or this machine's clock is wrong"
	case strings.Contains(err.Error(), "protocol version"): // crypto/tls has no type for it
		return fmt.Sprintf("the server only speaks versions older than TLS 1.2, which are broken (%v)", err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "the TLS handshake did not finish in time; the port may be the wrong one"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "the server closed the connection during the TLS handshake"
	case errors.Is(err, context.Canceled):
		return "the TLS handshake was given up"
	}
	return fmt.Sprintf("the TLS handshake failed: %v", err)
}

// certificateNames lists the names of a certificate, at most three.
func certificateNames(c *x509.Certificate) string {
	if c == nil || len(c.DNSNames) == 0 {
		return "it lists none"
	}
	if len(c.DNSNames) > 3 {
		return strings.Join(c.DNSNames[:3], ", ") + ", …"
	}
	return strings.Join(c.DNSNames, ", ")
}

// isLoopback says whether host can only be this machine: "localhost" or a
// loopback address. Other names are not looked up, since the answer of a name
// server is no proof.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
