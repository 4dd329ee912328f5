package mailbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"nudge/engine"
)

func TestLogin(t *testing.T) {
	for name, test := range map[string]struct {
		caps   string
		answer string // to the login
		auth   bool   // the error is ErrAuth
		word   string // which the error says
	}{
		"a wrong password is ErrAuth":                         {hostCaps, "NO [AUTHENTICATIONFAILED] Invalid credentials", true, "refused the user name or the password of sales"},
		"a refusal without a code is ErrAuth":                 {hostCaps, "NO [ALERT] Application-specific password required", true, "Application-specific"},
		"too many connections are no wrong password":          {hostCaps, "NO [ALERT] Too many simultaneous connections.", false, "Too many"},
		"a server in trouble is no wrong password":            {hostCaps, "NO [UNAVAILABLE] Backend down", false, "Backend down"},
		"LOGINDISABLED is respected":                          {"IMAP4rev1 LOGINDISABLED", "OK in", false, "no login by password"},
		"LOGIN is used where AUTHENTICATE PLAIN is not known": {"IMAP4rev1", "NO [AUTHENTICATIONFAILED] no", true, "refused"},
		"a server that only says good-bye is an error":        {hostCaps, "BYE", false, "ended the session"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, m := newIMAPHost(t)
				var log bytes.Buffer
				m.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				h.caps = test.caps
				h.obey(func(c *hostConn, tag, line string) bool {
					if !strings.HasPrefix(line, "LOGIN") && !strings.HasPrefix(line, "AUTHENTICATE") {
						return false
					}
					if test.answer == "BYE" {
						c.send("* BYE no more room\r\n")
						c.conn.Close()
						return true
					}
					c.send("%s %s\r\n", tag, test.answer)
					return true
				})
				_, _, err := m.Fetch(t.Context(), engine.Cursor{})
				if err == nil || !strings.Contains(err.Error(), test.word) {
					t.Fatalf("error %v, want one that says %q", err, test.word)
				}
				if errors.Is(err, ErrAuth) != test.auth {
					t.Errorf("errors.Is(%v, ErrAuth) = %v, want %v", err, !test.auth, test.auth)
				}
				if text := err.Error() + log.String(); strings.Contains(text, "s3cret") || strings.Contains(text, "czNjcmV0") {
					t.Errorf("the secret stands in %q", text)
				}
				if strings.Contains(test.caps, "LOGINDISABLED") && len(h.heard("LOGIN ")) > 0 {
					t.Error("the client sent the password anyway")
				}
			})
		})
	}
}

func TestSTARTTLSOrNothing(t *testing.T) {
	for name, test := range map[string]struct{ greeting, answer, word string }{
		"a server that refuses":                   {"* OK hi", "a NO not here", "refuses STARTTLS"},
		"a server that knows nothing of it":       {"* OK hi", "a BAD what", "refuses STARTTLS"},
		"a session that is open without a login":  {"* PREAUTH welcome", "a OK", "greeted with"},
		"a server that is busy":                   {"* BYE too many", "", "too many"},
		"answers put in before the handshake":     {"* OK hi", "a OK go\r\n* PREAUTH in\r\nT1 OK", "TLS"},
		"an answer that never ends":               {"* OK hi", strings.Repeat("x", 5000), "larger than any"},
		"a server that leaves instead of answers": {"* OK hi", "", "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				said := make(chan string, 10)
				dial := func(context.Context, string, string) (net.Conn, error) {
					client, server := net.Pipe()
					go func() {
						defer close(said)
						defer server.Close()
						in := bufio.NewReader(server)
						_, _ = server.Write([]byte(test.greeting + "\r\n"))
						line, _ := in.ReadString('\n')
						said <- line
						if test.answer != "" {
							_, _ = server.Write([]byte(test.answer + "\r\n"))
						}
					}()
					return client, nil
				}
				m := &IMAP{Account: Account{User: "sales", IMAP: Server{Host: "localhost", Port: 143}, Dial: dial,
					Password: func(context.Context) (string, error) { t.Error("the password was asked for"); return "", nil }}}
				defer m.Shutdown()
				_, _, err := m.Fetch(t.Context(), engine.Cursor{})
				if err == nil || !strings.Contains(err.Error(), test.word) {
					t.Errorf("error %v, want one that says %q", err, test.word)
				}
				for line := range said {
					if line != "" && line != "a STARTTLS\r\n" {
						t.Errorf("the client said %q in plain text", line)
					}
				}
			})
		})
	}
}
