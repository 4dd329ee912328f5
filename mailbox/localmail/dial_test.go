package localmail_test

import (
	"crypto/tls"
	"net"
	"strconv"
	"testing"

	"github.com/emersion/go-sasl"

	"nudge/mailbox"
)

func address(s mailbox.Server) string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

func clientTLS(a mailbox.Account, s mailbox.Server) *tls.Config {
	return &tls.Config{RootCAs: a.RootCAs, ServerName: s.Host}
}

func tlsClient(a mailbox.Account, s mailbox.Server, conn net.Conn) net.Conn {
	return tls.Client(conn, clientTLS(a, s))
}

// server is a place on loopback as an account names it.
func server(t *testing.T, addr string, mode mailbox.TLSMode) mailbox.Server {
	t.Helper()
	host, number, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	return mailbox.Server{Host: host, Port: port, TLS: mode}
}

func plainAuth(password string) sasl.Client { return sasl.NewPlainClient("", anna, password) }
