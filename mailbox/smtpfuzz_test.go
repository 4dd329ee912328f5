package mailbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"nudge/engine"
)

// repliesConn says what it was given, whatever it is told.
type repliesConn struct{ r io.Reader }

func (c repliesConn) Read(p []byte) (int, error)       { return c.r.Read(p) }
func (c repliesConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c repliesConn) Close() error                     { return nil }
func (c repliesConn) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv6loopback} }
func (c repliesConn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv6loopback} }
func (c repliesConn) SetDeadline(time.Time) error      { return nil }
func (c repliesConn) SetReadDeadline(time.Time) error  { return nil }
func (c repliesConn) SetWriteDeadline(time.Time) error { return nil }

var enhancedForm = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})?$`)

// FuzzReply reads foreign bytes as the answer to the final dot, and as all that
// a server says in a whole dialogue.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		"250 2.0.0 Ok: queued as 4XYZ\r\n", "250-first\r\n250 last\r\n", "550-5.1.1 The account\r\n550 5.1.1 does not exist\r\n",
		"421\r\n", "25", "451 4.3.0\x00\x1b[31m later\r\n", "* OK IMAP4rev1\r\n", "550 5.1.1.1 x\r\n", "550 4.1.1 x\r\n", "-12 x\r\n", "999 x\r\n", "\r\n", "250-\r\n",
		"220 hi\r\n250-x\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n", "220 hi\r\n250-x\r\n250-PIPELINING\r\n250 AUTH LOGIN\r\n334 !\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		c := &session{smtp: &SMTP{}, server: Server{Host: "mail.acme.test", Port: 465}, phase: engine.PhaseDot}
		answer, err := readReply(textproto.NewReader(bufio.NewReader(bytes.NewReader(said))), 2)
		checkWords(t, answer)
		if err == nil && !bytes.HasPrefix(said, []byte("2")) {
			t.Errorf("%q counts as an acceptance", said)
		}
		if err != nil {
			checkFailure(t, c.failed(err))
		}

		s := &SMTP{Account: Account{
			Address: "sales@acme.test", User: "sales", SMTP: Server{Host: "::1", Port: 2525, TLS: TLSNone},
			Password: func(context.Context) (string, error) { return canary, nil },
			Dial: func(context.Context, string, string) (net.Conn, error) {
				return repliesConn{bytes.NewReader(said)}, nil
			},
		}}
		d, err := s.Open(t.Context(), smtpEmail)
		if err == nil {
			answer, err = d.Data(t.Context(), time.Time{})
		}
		if err == nil && strings.Count(string(said), "\n") < 6 {
			t.Errorf("sent after %q, which holds fewer answers than a dialogue has", said)
		}
		if fail := new(engine.SendError); errors.As(err, &fail) {
			checkFailure(t, fail)
		}
		checkWords(t, answer)
		s.Shutdown()
	})
}

func checkFailure(t *testing.T, fail *engine.SendError) {
	checkWords(t, fail.Err.Error())
	if !enhancedForm.MatchString(fail.Enhanced) {
		t.Errorf("enhanced code %q", fail.Enhanced)
	}
	if fail.Code != 0 && (fail.Code < 400 || fail.Code > 599) {
		t.Errorf("code %d in %v", fail.Code, fail)
	}
	if fail.Outcome == engine.Refusal && fail.Code < 500 || fail.Outcome == engine.Unknown && (fail.Code != 0 || fail.Phase != engine.PhaseDot) {
		t.Errorf("outcome %s with code %d in phase %s", fail.Outcome, fail.Code, fail.Phase)
	}
}

func checkWords(t *testing.T, words string) {
	if !utf8.ValidString(words) || len(words) > maxWords+200 || strings.ContainsFunc(words, unicode.IsControl) || strings.Contains(words, canary) {
		t.Errorf("words unfit for a log: %q", words)
	}
}

func TestServersWordsAreToldInOneLine(t *testing.T) {
	for reply, want := range map[string][2]string{
		"550-5.1.1 The account\r\n550 5.1.1 does not exist\r\n": {"550 5.1.1 The account does not exist", "5.1.1"},
		"550 no such user\r\n":          {"550 no such user", ""},
		"550 4.1.1 odd class\r\n":       {"550 4.1.1 odd class", ""},
		"452 4.2.2\r\n":                 {"452 4.2.2", "4.2.2"},
		"554 5.7.1a not a code\r\n":     {"554 5.7.1a not a code", ""},
		"550 5.1.1\t\x1b[31mred\r\n":    {"550 5.1.1 [31mred", ""},
		"550 5.7.515 access denied\r\n": {"550 5.7.515 access denied", "5.7.515"},
	} {
		c := &session{phase: engine.PhaseRcpt}
		_, err := readReply(textproto.NewReader(bufio.NewReader(strings.NewReader(reply))), 2)
		fail := c.failed(err)
		if fail.Err.Error() != want[0] || fail.Enhanced != want[1] {
			t.Errorf("%q became %q with code %q", reply, fail.Err, fail.Enhanced)
		}
	}
}

func TestDotsAreStuffedWhereverAServerCouldSeeALine(t *testing.T) {
	for raw, want := range map[string]string{
		"a\r\nb\r\n":        "a\r\nb\r\n",
		".a\r\n..b\r\n":     "..a\r\n...b\r\n",
		"a.\r\n":            "a.\r\n",
		"a\n.\nb\r\n":       "a\n..\nb\r\n",
		"a\r.\rb\r\n":       "a\r..\rb\r\n",
		"a\r\n.":            "a\r\n..\r\n",
		"a\r\n.\r\nQUIT":    "a\r\n..\r\nQUIT\r\n",
		"":                  "\r\n",
		"ends with lf only": "ends with lf only\r\n",
	} {
		before := strings.Clone(raw)
		if got := string(dotStuff([]byte(raw))); got != want || raw != before {
			t.Errorf("%q became %q, want %q", raw, got, want)
		}
	}
}
