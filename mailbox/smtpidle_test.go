package mailbox

import (
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
)

// smtpVolley opens n deliveries side by side.
func smtpVolley(t *testing.T, s *SMTP, n int) []engine.Delivery {
	t.Helper()
	deliveries := make([]engine.Delivery, n)
	var wg sync.WaitGroup
	for i := range deliveries {
		wg.Go(func() {
			var err error
			if deliveries[i], err = s.Open(t.Context(), smtpEmail); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return deliveries
}

func TestNextVolleyUsesTheConnectionsOfTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &scriptedSMTP{offers: "AUTH PLAIN|PIPELINING"}
		s := server.client(TLSNone)
		for range 3 {
			var wg sync.WaitGroup
			for _, d := range smtpVolley(t, s, 16) {
				wg.Go(func() {
					if _, err := d.Data(t.Context(), time.Time{}); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			time.Sleep(idleTime) // just not too long
		}
		mails, commands := server.saw()
		if len(mails) != 48 || server.dials != 16 || strings.Count(commands, "AUTH") != 16 || strings.Contains(commands, "RSET") {
			t.Errorf("%d mails over %d connections with %d logins", len(mails), server.dials, strings.Count(commands, "AUTH"))
		}
		s.Shutdown()
		server.wg.Wait()
		if _, commands := server.saw(); strings.Count(commands, "QUIT") != 16 {
			t.Errorf("%d of 16 connections ended with QUIT", strings.Count(commands, "QUIT"))
		}
	})
}

func TestAtMostSixteenConnectionsStayIdleAndNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &scriptedSMTP{offers: "AUTH PLAIN"}
		s := server.client(TLSNone)
		for _, d := range smtpVolley(t, s, 20) {
			if _, err := d.Data(t.Context(), time.Time{}); err != nil {
				t.Error(err)
			}
		}
		if len(s.idle) != 16 {
			t.Errorf("%d connections are idle", len(s.idle))
		}
		time.Sleep(idleTime + time.Second)
		if _, fail := smtpSend(t, s); fail != nil {
			t.Error(fail)
		}
		if server.dials != 21 || len(s.idle) != 1 {
			t.Errorf("%d dials, %d idle", server.dials, len(s.idle))
		}
		s.Shutdown()
		if _, fail := smtpSend(t, s); fail != nil || len(s.idle) != 0 {
			t.Errorf("after shutdown: %v, %d idle", fail, len(s.idle))
		}
		server.wg.Wait()
	})
}

func TestClosedDeliveryIsResetAndItsConnectionUsedAgain(t *testing.T) {
	for reset, dials := range map[string]int{"250 2.0.0 ok": 1, "502 5.5.1 no such thing": 2, "421 4.3.2 bye": 2, "cut": 2} {
		t.Run(reset, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &scriptedSMTP{offers: "AUTH PLAIN", replies: map[string]string{"RSET": reset}}
				s := server.client(TLSNone)
				d, err := s.Open(t.Context(), smtpEmail)
				if err != nil {
					t.Fatal(err)
				}
				if err := d.Close(); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				if _, commands := server.saw(); !strings.HasSuffix(commands, "MAIL RCPT RSET") {
					t.Errorf("at Close the server has read %s", commands)
				}
				if _, fail := smtpSend(t, s); fail != nil {
					t.Error(fail)
				}
				if mails, _ := server.saw(); len(mails) != 1 || server.dials != dials {
					t.Errorf("%d mails over %d connections, want %d", len(mails), server.dials, dials)
				}
				s.Shutdown()
				server.wg.Wait()
			})
		})
	}
}

// What became of a connection while it was idle shows at MAIL.
func TestDeadIdleConnectionIsReplacedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		idle  func(net.Conn) // what the server does with its end
		fresh string         // what a new connection gets as the answer to MAIL
		want  string
	}{
		"closed": {func(c net.Conn) { _ = c.Close() }, "", "sent"},
		"closed with 421": {func(c net.Conn) {
			go func() {
				_, _ = c.Write([]byte("421 4.4.2 idle too long\r\n"))
				_ = c.Close()
			}()
		}, "", "sent"},
		"closed, and the new one refuses": {func(c net.Conn) { _ = c.Close() }, "421 4.3.2 shutting down", "mail"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &scriptedSMTP{offers: "AUTH PLAIN|PIPELINING"}
				s := server.client(TLSNone)
				if _, fail := smtpSend(t, s); fail != nil {
					t.Fatal(fail)
				}
				// Hand the idle session another wire, whose far end the test holds.
				ours, theirs := net.Pipe()
				old := s.idle[0].conn.Conn
				s.idle[0].conn.Conn = theirs
				_ = old.Close()
				c.idle(ours)
				if c.fresh != "" {
					server.replies = map[string]string{"MAIL": c.fresh}
				}
				_, fail := smtpSend(t, s)
				got := "sent"
				if fail != nil {
					got = string(fail.Phase)
				}
				if got != c.want || server.dials != 2 {
					t.Errorf("got %v after %d dials", fail, server.dials)
				}
				s.Shutdown()
				_ = ours.Close()
				server.wg.Wait()
			})
		})
	}
}

func TestRefusedMailLeavesTheConnectionUsableAndAnUnknownOneDoesNot(t *testing.T) {
	for reply, idle := range map[string]int{"554 5.7.1 no": 1, "451 4.3.0 later": 1, "421 4.3.2 bye": 0, "garbage": 0, "cut": 0, "250 ok\r\n250 and more": 0} {
		server := &scriptedSMTP{offers: "AUTH PLAIN", replies: map[string]string{"dot": reply}}
		s := server.client(TLSNone)
		smtpSend(t, s)
		if len(s.idle) != idle {
			t.Errorf("after %q %d connections are idle, want %d", reply, len(s.idle), idle)
		}
		s.Shutdown()
		server.wg.Wait()
	}
}
