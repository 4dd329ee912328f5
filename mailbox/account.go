package mailbox

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
)

// Account is one mailbox at a provider: where its two servers are and how to
// log in.
type Account struct {
	Address string // the mailbox's own address
	User    string // login name, often the address
	IMAP    Server
	SMTP    Server

	// Password returns the secret. It is asked at every login, so that a
	// changed file or credential is picked up, and the answer is never kept.
	Password func(ctx context.Context) (string, error)

	// RootCAs are the authorities to trust; nil means the system's.
	RootCAs *x509.CertPool

	// Dial opens connections; nil means the network. TLS is put on top of what
	// it returns.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Server is one side of an account.
type Server struct {
	Host string
	Port int
	TLS  TLSMode
}

// password asks for the secret.
func (a Account) password(ctx context.Context) (string, error) {
	if a.Password == nil {
		return "", errors.New("no password is configured for this mailbox")
	}
	return a.Password(ctx)
}

// TLSMode is how a connection is encrypted. There is no mode that falls back
// to plain text.
type TLSMode string

const (
	TLSByPort   TLSMode = ""         // 143 and 587 are STARTTLS, every other port is implicit TLS
	TLSImplicit TLSMode = "tls"      // TLS from the first byte (RFC 8314)
	TLSStart    TLSMode = "starttls" // STARTTLS or nothing
	TLSNone     TLSMode = "none"     // plain text, to loopback only
)
