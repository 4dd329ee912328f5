package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
)

// What the server does at a step, and what must then be known: phase, outcome,
// code, and after how long.
func TestFailureAtEachStepIsToldExactly(t *testing.T) {
	faults := []string{"421 4.3.2 shutting down", "451 4.3.0 try later", "554 5.7.1 no", "cut", "silent", "* OK what is this", "399 odd"}
	table := map[string][]string{
		"greeting": {"connect deferred 421", "connect deferred 451", "connect deferred 554", "connect deferred 0", "connect deferred 0 1m0s", "connect deferred 0", "connect deferred 0"},
		"EHLO":     {"connect deferred 421", "connect deferred 451", "connect deferred 554", "connect deferred 0", "connect deferred 0 1m0s", "connect deferred 0", "connect deferred 0"},
		"STARTTLS": {"tls deferred 421", "tls deferred 451", "tls deferred 554", "tls deferred 0", "tls deferred 0 1m0s", "tls deferred 0", "tls deferred 0"},
		"AUTH":     {"auth deferred 421", "auth deferred 451", "auth deferred 554", "auth deferred 0", "auth deferred 0 1m0s", "auth deferred 0", "auth deferred 0"},
		"MAIL":     {"mail deferred 421", "mail deferred 451", "mail refused 554", "mail deferred 0", "mail deferred 0 2m0s", "mail deferred 0", "mail deferred 0"},
		"RCPT":     {"rcpt deferred 421", "rcpt deferred 451", "rcpt refused 554", "rcpt deferred 0", "rcpt deferred 0 2m0s", "rcpt deferred 0", "rcpt deferred 0"},
		"DATA":     {"data deferred 421", "data deferred 451", "data refused 554", "data deferred 0", "data deferred 0 2m0s", "data deferred 0", "data deferred 0"},
		"dot":      {"dot deferred 421", "dot deferred 451", "dot refused 554", "dot unknown 0", "dot unknown 0 10m0s", "dot unknown 0", "dot unknown 0"},
	}
	for step, wants := range table {
		for i, fault := range faults {
			for _, offers := range []string{"STARTTLS|AUTH LOGIN PLAIN", "STARTTLS|AUTH PLAIN|PIPELINING|8BITMIME|SMTPUTF8"} {
				t.Run(step+" "+fault+" "+offers, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						server := &scriptedSMTP{offers: offers, tls: smtpCerts().good, replies: map[string]string{step: fault}}
						s := server.client(TLSStart)
						start := time.Now()
						_, fail := smtpSend(t, s)
						if fail == nil {
							t.Fatal("the mail counts as sent")
						}
						got := fmt.Sprintf("%s %s %d", fail.Phase, fail.Outcome, fail.Code)
						if took := time.Since(start); took > 0 {
							got += " " + took.String()
						}
						if got != wants[i] {
							t.Errorf("got %q, want %q (%v)", got, wants[i], fail)
						}
						if fail.Code != 0 && fail.Enhanced == "" {
							t.Errorf("no enhanced code in %v", fail)
						}
						s.Shutdown()
						server.wg.Wait() // hangs, which synctest tells, if a connection stays open
						if mails, _ := server.saw(); len(mails) > 0 && fail.Phase != engine.PhaseDot {
							t.Errorf("the server has a whole mail after %v", fail)
						}
					})
				})
			}
		}
	}
}

func TestSentMailArrivesByteForByte(t *testing.T) {
	long := strings.Repeat("..a line of the mail, long enough to fill several blocks\r\n", 2000)
	for name, raw := range map[string]string{
		"as composed":                       string(smtpEmail.Raw),
		"many blocks, dots at their starts": long,
		"a first line that is a dot":        ".\r\nx\r\n",
		"nothing":                           "",
	} {
		for _, mode := range []TLSMode{TLSStart, TLSImplicit, TLSNone} {
			t.Run(name+" over "+string(mode), func(t *testing.T) {
				server := &scriptedSMTP{offers: "STARTTLS|AUTH PLAIN|PIPELINING", tls: smtpCerts().good, direct: mode == TLSImplicit}
				s := server.client(mode)
				email := smtpEmail
				email.Raw = []byte(raw)
				d, err := s.Open(t.Context(), email)
				if err != nil {
					t.Fatal(err)
				}
				answer, err := d.Data(t.Context(), time.Time{})
				if err != nil || answer != "250 2.0.0 Ok: queued as 4XYZ" {
					t.Fatalf("answer %q, %v", answer, err)
				}
				s.Shutdown()
				server.wg.Wait()
				want := raw
				if raw == "" {
					want = "\r\n" // a mail has at least the end of a line
				}
				if mails, _ := server.saw(); len(mails) != 1 || mails[0] != want {
					t.Errorf("the server read %d mails, %.80q", len(mails), mails)
				}
			})
		}
	}
}

func TestAnswerToTheDotMayTakeNineMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &scriptedSMTP{offers: "AUTH PLAIN", replies: map[string]string{"dot": "late 9m"}}
		s := server.client(TLSNone)
		if answer, fail := smtpSend(t, s); fail != nil || !strings.Contains(answer, "4XYZ") {
			t.Errorf("after nine minutes: %q, %v", answer, fail)
		}
		s.Shutdown()
		server.wg.Wait()
	})
}

func TestDoneContextAbandonsTheMailBeforeTheDotOnly(t *testing.T) {
	for step, want := range map[string]string{
		"greeting": "connect deferred", "EHLO": "connect deferred", "AUTH": "auth deferred", "MAIL": "mail deferred",
		"RCPT": "rcpt deferred", "DATA": "data deferred", "dot": "dot unknown",
	} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &scriptedSMTP{offers: "AUTH PLAIN", replies: map[string]string{step: "silent"}}
				s := server.client(TLSNone)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				d, err := s.Open(ctx, smtpEmail)
				if err == nil {
					_, err = d.Data(ctx, time.Time{})
				}
				var fail *engine.SendError
				if !errors.As(err, &fail) || fmt.Sprintf("%s %s", fail.Phase, fail.Outcome) != want {
					t.Fatalf("got %v, want %s", err, want)
				}
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("the cause is lost in %q", err)
				}
				server.wg.Wait()
			})
		})
	}
}

// The engine's context for opening ends when all of a volley are open; the
// deliveries must outlive it.
func TestDeliveryOutlivesTheContextOfOpen(t *testing.T) {
	server := &scriptedSMTP{offers: "AUTH PLAIN"}
	s := server.client(TLSNone)
	ctx, cancel := context.WithCancel(t.Context())
	d, err := s.Open(ctx, smtpEmail)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := d.Data(t.Context(), time.Time{}); err != nil {
		t.Error(err)
	}
	s.Shutdown()
	server.wg.Wait()
}

func TestContextDoneBetweenRcptAndDataSendsNothing(t *testing.T) {
	server := &scriptedSMTP{offers: "AUTH PLAIN"}
	d, err := server.client(TLSNone).Open(t.Context(), smtpEmail)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = d.Data(ctx, time.Time{})
	var fail *engine.SendError
	if !errors.As(err, &fail) || fail.Phase != engine.PhaseData || fail.Outcome != engine.Deferred {
		t.Errorf("got %v", err)
	}
	server.wg.Wait()
	if _, commands := server.saw(); strings.Contains(commands, "DATA") || strings.Contains(commands, "QUIT") {
		t.Errorf("the server read %s", commands)
	}
}

func TestSecondDataNeverMakesTheMailDueAgain(t *testing.T) {
	server := &scriptedSMTP{offers: "AUTH PLAIN"}
	s := server.client(TLSNone)
	d, err := s.Open(t.Context(), smtpEmail)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Data(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	_, err = d.Data(t.Context(), time.Time{})
	var fail *engine.SendError
	if !errors.As(err, &fail) || fail.Outcome != engine.Unknown {
		t.Errorf("got %v", err)
	}
	if err := d.Close(); err != nil {
		t.Errorf("close after data: %v", err)
	}
	s.Shutdown()
	server.wg.Wait()
	if mails, commands := server.saw(); len(mails) != 1 || strings.Contains(commands, "RSET") {
		t.Errorf("the server read %d mails and %s", len(mails), commands)
	}
}

// An answer that comes too early would be taken for the answer to the dot. And
// a QUIT inside a mail would become a part of it.
func TestServerThatTalksOutOfTurnIsLeftBeforeTheDotWithoutAWord(t *testing.T) {
	server := &scriptedSMTP{offers: "AUTH PLAIN", replies: map[string]string{"DATA": "354 go\r\n250 2.0.0 accepted"}}
	s := server.client(TLSNone)
	_, fail := smtpSend(t, s)
	if fail == nil || fail.Phase != engine.PhaseData || fail.Outcome != engine.Deferred {
		t.Errorf("got %v", fail)
	}
	s.Shutdown()
	server.wg.Wait()
	if len(server.torn) != 1 || strings.Contains(server.torn[0], "QUIT") {
		t.Errorf("inside the mail the server read %q", server.torn)
	}
}

func TestServerThatStopsReadingTheMailIsLeftAfterThreeMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &scriptedSMTP{offers: "AUTH PLAIN", replies: map[string]string{"body": "stall"}}
		start := time.Now()
		_, fail := smtpSend(t, server.client(TLSNone))
		if fail == nil || fail.Phase != engine.PhaseData || fail.Outcome != engine.Deferred || time.Since(start) != 3*time.Minute {
			t.Errorf("got %v after %v", fail, time.Since(start))
		}
		server.wg.Wait()
		if mails, _ := server.saw(); len(mails) > 0 {
			t.Errorf("the server has %q", mails)
		}
	})
}

// hookConn calls wrote with what was written.
type hookConn struct {
	net.Conn
	wrote func([]byte)
}

func (c hookConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.wrote(p[:n])
	return n, err
}

func TestContextDoneAfterTheLastLineStillKeepsTheDotBack(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := &scriptedSMTP{offers: "AUTH PLAIN"}
	server.wrap = func(c net.Conn) net.Conn {
		return hookConn{c, func(p []byte) {
			if bytes.HasSuffix(p, []byte("Sam\r\n")) {
				cancel()
			}
		}}
	}
	s := server.client(TLSNone)
	d, err := s.Open(ctx, smtpEmail)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Data(ctx, time.Time{})
	var fail *engine.SendError
	if !errors.As(err, &fail) || fail.Phase != engine.PhaseData || fail.Outcome != engine.Deferred {
		t.Errorf("got %v", err)
	}
	s.Shutdown()
	server.wg.Wait()
	if mails, _ := server.saw(); len(mails) > 0 {
		t.Errorf("the server has %q", mails)
	}
}

func TestAnswerWithoutEndIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &scriptedSMTP{offers: "AUTH PLAIN", replies: map[string]string{"MAIL": strings.Repeat("250-more\r\n", maxReplies/5)}}
		_, fail := smtpSend(t, server.client(TLSNone))
		if fail == nil || !errors.Is(fail, errTooMuch) {
			t.Errorf("got %v", fail)
		}
		server.wg.Wait()
	})
}

func TestAddressesAreAnnouncedAsTheServerCanTakeThem(t *testing.T) {
	for name, c := range map[string]struct{ to, offers, want string }{
		"plain address, no SMTPUTF8 asked for":   {"anna@customer.test", "SMTPUTF8", "sent"},
		"letters outside ASCII, server knows":    {"änna@customer.test", "SMTPUTF8", "sent"},
		"letters outside ASCII, server does not": {"änna@customer.test", "HELP", "refused 553 5.6.7"},
		"a line break":                           {"anna@customer.test>\r\nDATA", "HELP", "refused 553 5.1.3"},
		"a bracket":                              {"anna@customer.test> NOTIFY=NEVER", "HELP", "refused 553 5.1.3"},
		"empty":                                  {"", "HELP", "refused 553 5.1.3"},
	} {
		t.Run(name, func(t *testing.T) {
			server := &scriptedSMTP{offers: c.offers}
			s := server.client(TLSNone)
			s.Account.User = ""
			email := smtpEmail
			email.To = c.to
			got := "sent"
			d, err := s.Open(t.Context(), email)
			if err == nil {
				_, err = d.Data(t.Context(), time.Time{})
			}
			if fail, ok := errors.AsType[*engine.SendError](err); ok {
				got = fmt.Sprintf("%s %d %s", fail.Outcome, fail.Code, fail.Enhanced)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			s.Shutdown()
			server.wg.Wait()
		})
	}
}
