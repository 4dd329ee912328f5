package mailbox

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
)

// overTLS puts TLS between a client and the host, from the first byte or behind
// STARTTLS. Real sockets: a failed handshake writes alerts, which would block a
// pipe.
func (h *imapHost) overTLS(mode TLSMode, config *tls.Config) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		server, client := smtpSocketPair()
		h.serving.Go(func() {
			defer server.Close()
			if mode == TLSStart {
				_, _ = server.Write([]byte("* OK hi\r\n"))
				if line, err := bufio.NewReader(server).ReadString('\n'); err != nil || line != "a STARTTLS\r\n" {
					return
				}
				_, _ = server.Write([]byte("a OK go\r\n"))
			}
			secure := tls.Server(server, config)
			if secure.Handshake() != nil {
				return
			}
			if mode == TLSStart { // no greeting behind STARTTLS
				(&hostConn{host: h, conn: secure, in: bufio.NewReader(secure)}).converse()
				return
			}
			(&hostConn{host: h, conn: secure, in: bufio.NewReader(secure)}).serve()
		})
		return client, nil
	}
}

func TestIMAPWithoutTrustworthyTLSNothingIsSaid(t *testing.T) {
	certs := smtpCerts()
	for name, test := range map[string]struct {
		config *tls.Config
		host   string
		words  string // "" when all is well
	}{
		"a good certificate": {certs.good, "mail.acme.test", ""},
		"unknown authority":  {certs.wild, "mail.acme.test", "unknown authority"},
		"another name":       {certs.other, "mail.acme.test", "another name (mail.elsewhere.test)"},
		"an address instead": {certs.good, "127.0.0.1", "another name"},
		"TLS 1.1":            {certs.old, "mail.acme.test", "older than TLS 1.2"},
	} {
		for _, mode := range []TLSMode{TLSImplicit, TLSStart} {
			t.Run(name+" "+string(mode), func(t *testing.T) {
				h, m := newIMAPHost(t)
				m.Account.RootCAs, m.Account.Dial = certs.roots, h.overTLS(mode, test.config)
				m.Account.IMAP = Server{Host: test.host, Port: 993, TLS: mode}
				asked := false
				m.Account.Password = func(context.Context) (string, error) { asked = true; return canary, nil }
				_, _, err := m.Fetch(t.Context(), engine.Cursor{})
				if test.words == "" {
					if err != nil || !asked {
						t.Errorf("error %v, the password was asked for: %v", err, asked)
					}
					return
				}
				if _, onTLS := errors.AsType[*tlsFailure](err); !onTLS || !strings.Contains(err.Error(), test.words) {
					t.Errorf("error %v, want one of TLS that says %q", err, test.words)
				}
				if asked || len(h.heard("")) > 0 {
					t.Errorf("the password was asked for: %v; the client said %q", asked, h.heard(""))
				}
			})
		}
	}
}

func TestIMAPPlainTextIsRefusedToOtherMachines(t *testing.T) {
	for host, allowed := range map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, "mail.acme.test": false, "10.0.0.1": false, "localhost.acme.test": false} {
		h, m := newIMAPHost(t)
		m.Account.IMAP.Host = host
		_, _, err := m.Fetch(t.Context(), engine.Cursor{})
		if allowed != (err == nil) || allowed != (h.dials == 1) {
			t.Errorf("plain text to %q: %v after %d dials", host, err, h.dials)
		}
	}
}

func TestIMAPPasswordNeverAppearsInErrorsOrLog(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00sales\x00" + canary))
	alone := base64.StdEncoding.EncodeToString([]byte(canary))
	long, cut := strings.Repeat("x", maxWords-20), strings.Repeat("x", maxWords-5)+canary
	for _, caps := range []string{hostCaps, "IMAP4rev1"} { // AUTHENTICATE PLAIN and LOGIN
		for _, answer := range []string{"$ NO ECHO", "$ NO [ALERT] " + long + " ECHO", "$ NO " + cut, "$ BAD " + cut, "* BYE " + cut, "$ BAD ECHO", "$ NO [UNAVAILABLE] ECHO", "* BYE ECHO", "* BYE " + long + " ECHO",
			"ECHO", "$ ECHO", "$ OK [ECHO", "* CAPABILITY (ECHO", "+ ECHO\r\n$ NO ECHO", "* BAD ECHO\r\n$ NO x"} {
			t.Run(answer[:min(len(answer), 30)], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h, m := newIMAPHost(t)
					var log bytes.Buffer
					h.caps, m.Log = caps, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
					m.Account.Password = func(context.Context) (string, error) { return canary, nil }
					h.obey(func(c *hostConn, tag, line string) bool {
						if strings.HasPrefix(line, "LOGIN") && strings.HasSuffix(line, "}") {
							c.send("+ go on\r\n") // a password that is no ASCII comes as a literal
							line, _ = c.in.ReadString('\n')
						} else if !strings.HasPrefix(line, "LOGIN") && !strings.HasPrefix(line, "AUTHENTICATE") {
							return false
						}
						echo := strings.TrimSpace(line) + " " + canary + " " + plain + " " + alone
						c.send("%s\r\n", strings.NewReplacer("$", tag, "ECHO", echo).Replace(answer))
						c.conn.Close()
						return true
					})
					_, _, err := m.Fetch(t.Context(), engine.Cursor{})
					if err == nil {
						t.Fatal("the login counts as done")
					}
					told := fmt.Sprintf("%v %+v %#v %s", err, errors.Unwrap(err), err, log.String())
					for _, secret := range []string{canary, plain, alone, "canar", plain[:20]} {
						if strings.Contains(told, secret) {
							t.Errorf("the password is told: %s", told)
						}
					}
				})
			})
		}
	}
}

// endless writes a piece again and again until the client has enough.
func endless(c *hostConn, first, piece string) bool {
	if _, err := c.conn.Write([]byte(first)); err != nil {
		return true
	}
	block := bytes.Repeat([]byte(piece), 1+(64<<10)/len(piece))
	for {
		if _, err := c.conn.Write(block); err != nil {
			return true
		}
	}
}

// Servers that never stop, on real time: each must be cut off by what it said,
// not by the deadline, and without that we take up much of it.
func TestAnswersWithoutAnEndAreCutOffAndNotKept(t *testing.T) {
	for name, test := range map[string]struct {
		command, first, piece string
		most                  uint64 // bytes allocated for it, in MB
	}{
		"a literal of 1 GiB for a header":      {"UID FETCH", "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (From)] {1073741824}\r\n", "x", 4},
		"a literal of 1 GiB for a name":        {"LIST", "* LIST () \"/\" {1073741824}\r\n", "x", 4},
		"a literal of 2 MB for a name":         {"LIST", "* LIST () \"/\" {2097152}\r\n", "x", 4},
		"a line of data without an end":        {"LIST", "* LIST (", "\\A ", 50},
		"a name without an end":                {"LIST", "* LIST () \"/\" \"", "x", 20},
		"a STATUS without an end":              {"LIST", "* STATUS \"INBOX\" (", "X 1 ", 20},
		"folders without an end":               {"LIST", "", "* LIST () \"/\" \"folder of a name that is not short\"\r\n", 60},
		"names in literals without an end":     {"LIST", "", "* LIST () \"/\" {1000000}\r\n" + strings.Repeat("n", 1000000) + "\r\n", 60},
		"numbers without an end":               {"UID SEARCH", "* SEARCH", " 1", 300},
		"flags without an end":                 {"EXAMINE", "* FLAGS (", "\\F ", 20},
		"a tagged answer without an end":       {"NOOP", "$ OK ", "x", 4},
		"a greeting word without an end":       {"CAPABILITY", "* CAPABILITY ", "X", 4},
		"brackets without an end":              {"UID FETCH", "* 1 FETCH (UID 1 BODYSTRUCTURE ", "(", 4},
		"addresses without an end":             {"UID FETCH", "* 1 FETCH (UID 1 ENVELOPE (NIL NIL (", "(NIL NIL \"a\" \"b\")", 60},
		"an unknown response without an end":   {"UID FETCH", "* VANISHED ", "1,", 20},
		"a continuation without an end":        {"UID FETCH", "+ ", "x", 4},
		"a FETCH of strings without an end":    {"UID FETCH", "* 1 FETCH (UID 1 BODY[] \"", "x", 20},
		"messages of literals without an end":  {"UID FETCH", "", "* 1 FETCH (UID 1 X-GM {1000000}\r\n" + strings.Repeat("n", 1000000) + ")\r\n", 60},
		"capabilities without an end, tagged":  {"NOOP", "$ OK [CAPABILITY", " X", 20},
		"a text for people of 40 MB in itself": {"UID SEARCH", "* NO ", "x", 4},
	} {
		t.Run(name, func(t *testing.T) {
			h, m := newIMAPHost(t)
			h.deliver("INBOX", "a@x")
			cursor := engine.Cursor{Folders: map[string]engine.FolderCursor{"INBOX": {UIDValidity: 7, UIDNext: 1}}}
			h.obey(func(c *hostConn, tag, line string) bool {
				return strings.HasPrefix(line, test.command) && endless(c, strings.ReplaceAll(test.first, "$", tag), test.piece)
			})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			ins, _, err := m.Fetch(t.Context(), cursor)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if err == nil && (len(ins) != 1 || ins[0].MessageID != "a@x" && ins[0].Kind != engine.Ambiguous) {
				t.Errorf("Fetch returned %v and no error", ids(ins))
			}
			if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > slowdown*test.most {
				t.Errorf("%d MB were allocated, want %d at most", got, test.most)
			}
			if got := (after.Sys - before.Sys) >> 20; got > test.most+32 { // stacks are no heap
				t.Errorf("%d MB were taken from the system", got)
			}
			if took > slowdown*commandTimeout/2 {
				t.Errorf("it took %v", took)
			}
			t.Logf("%d MB allocated, %v, %.150v", (after.TotalAlloc-before.TotalAlloc)>>20, took.Round(time.Millisecond), err)
		})
	}
}

// What a stranger puts behind the answer to STARTTLS arrives in one piece with
// it, and real TLS follows.
func TestIMAPWhatIsInjectedBeforeTLSIsNeverTakenForTheServers(t *testing.T) {
	for _, injected := range []string{"* PREAUTH welcome\r\n", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\nT1 OK in\r\n", "* BYE\r\n", "\x16", "x"} {
		h, m := newIMAPHost(t)
		m.Account.RootCAs = smtpCerts().roots
		m.Account.IMAP = Server{Host: "mail.acme.test", Port: 143, TLS: TLSStart}
		m.Account.Password = func(context.Context) (string, error) {
			t.Errorf("injected %q: the password was asked for", injected)
			return canary, nil
		}
		through := h.overTLS(TLSStart, smtpCerts().good)
		m.Account.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := through(ctx, network, address)
			return &injector{Conn: conn, text: injected}, err
		}
		_, _, err := m.Fetch(t.Context(), engine.Cursor{})
		if _, onTLS := errors.AsType[*tlsFailure](err); !onTLS {
			t.Errorf("injected %q: error %v, want one of TLS", injected, err)
		}
		if said := h.heard(""); len(said) > 0 {
			t.Errorf("injected %q: the client said %q", injected, said)
		}
	}
}

// injector puts text behind the server's answer to STARTTLS.
type injector struct {
	net.Conn
	text string
	once sync.Once
	held []byte
}

func (c *injector) Read(p []byte) (int, error) {
	if len(c.held) == 0 {
		buf := make([]byte, 4096)
		n, err := c.Conn.Read(buf)
		c.held = buf[:n]
		if bytes.Contains(c.held, []byte("a OK go\r\n")) {
			c.once.Do(func() { c.held = append(c.held, c.text...) })
		}
		if n == 0 {
			return 0, err
		}
	}
	n := copy(p, c.held)
	c.held = c.held[n:]
	return n, nil
}

// Under TLS a close says good-bye, which a peer that takes nothing would hold
// up for five seconds.
func TestClosingAConnectionNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		server, client := tls.Server(theirs, smtpCerts().good), tls.Client(ours, &tls.Config{RootCAs: smtpCerts().roots, ServerName: "mail.acme.test"})
		shaken := make(chan error)
		go func() { _, err := server.Write([]byte("x")); shaken <- err }()
		_, err := client.Read(make([]byte, 1))
		must(t, errors.Join(err, <-shaken))
		began := time.Now()
		must(t, newWire(client, "").Close())
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
		_ = theirs.Close()
	})
}
