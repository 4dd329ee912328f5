package mailbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"nudge/engine"
)

func TestWithoutTrustworthyTLSNothingIsSaid(t *testing.T) {
	certs := smtpCerts()
	for name, c := range map[string]struct {
		mode   TLSMode
		server *scriptedSMTP
		words  string
	}{
		"STARTTLS is stripped from the offers": {TLSStart, &scriptedSMTP{offers: "AUTH PLAIN"},
			"does not offer STARTTLS"},
		"STARTTLS is refused": {TLSStart, &scriptedSMTP{offers: "STARTTLS|AUTH PLAIN", replies: map[string]string{"STARTTLS": "454 4.7.0 not now"}},
			"454 4.7.0 not now"},
		"an answer to EHLO is injected after STARTTLS": {TLSStart, &scriptedSMTP{offers: "STARTTLS|AUTH PLAIN", tls: certs.good,
			replies: map[string]string{"STARTTLS": "220 go\r\n250 AUTH PLAIN"}}, "injected"},
		"STARTTLS is agreed to and TLS never spoken": {TLSStart, &scriptedSMTP{offers: "STARTTLS", direct: false, replies: map[string]string{"STARTTLS": "220 go"},
			tls: plainText}, "did not speak TLS"},
		"unknown authority":                    {TLSImplicit, &scriptedSMTP{direct: true, tls: certs.wild}, "unknown authority"},
		"unknown authority after STARTTLS":     {TLSStart, &scriptedSMTP{offers: "STARTTLS", tls: certs.wild}, "unknown authority"},
		"another name":                         {TLSImplicit, &scriptedSMTP{direct: true, tls: certs.other}, `another name (mail.elsewhere.test), not for "mail.acme.test"`},
		"another name after STARTTLS":          {TLSStart, &scriptedSMTP{offers: "STARTTLS", tls: certs.other}, "another name"},
		"TLS 1.1":                              {TLSImplicit, &scriptedSMTP{direct: true, tls: certs.old}, "older than TLS 1.2"},
		"plain text on a TLS port":             {TLSImplicit, &scriptedSMTP{offers: "STARTTLS"}, "speaks plain text on this port"},
		"the connection ends in the handshake": {TLSImplicit, &scriptedSMTP{replies: map[string]string{"greeting": "cut"}}, "closed the connection during the TLS handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			c.server.socket = true // a failed handshake writes alerts, which a pipe would block
			s := c.server.client(c.mode)
			_, fail := smtpSend(t, s)
			s.Shutdown()
			if fail == nil || fail.Phase != engine.PhaseTLS || fail.Outcome != engine.Deferred || !strings.Contains(fail.Error(), c.words) {
				t.Errorf("got %v, want a tls failure with %q", fail, c.words)
			}
			c.server.wg.Wait()
			if _, commands := c.server.saw(); slices.Contains(strings.Fields(commands), "AUTH") || slices.Contains(strings.Fields(commands), "MAIL") {
				t.Errorf("the server read %s", commands)
			}
		})
	}
}

// plainText tells the scripted server to go on in plain text after STARTTLS.
var plainText = &tls.Config{}

func TestTLSPortInStartTLSModeIsExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &scriptedSMTP{direct: true, tls: smtpCerts().good}
		_, fail := smtpSend(t, server.client(TLSStart))
		if fail == nil || fail.Phase != engine.PhaseConnect || !strings.Contains(fail.Error(), "may expect TLS from the first byte") {
			t.Errorf("got %v", fail)
		}
		server.wg.Wait()
	})
}

func TestLoginUsesWhatTheServerOffers(t *testing.T) {
	for offers, want := range map[string]string{
		"AUTH PLAIN LOGIN":      "sent",
		"AUTH login":            "sent",
		"AUTH CRAM-MD5":         "sent",
		"AUTH XOAUTH2 NTLM":     "none of the logins PLAIN, LOGIN and CRAM-MD5, only XOAUTH2 NTLM",
		"AUTH":                  "offers no login on this port",
		"PIPELINING|ENHANCED":   "offers no login on this port",
		"AUTH GSSAPI PLAIN FOO": "sent",
	} {
		server := &scriptedSMTP{offers: offers, direct: true, tls: smtpCerts().good}
		s := server.client(TLSImplicit)
		got := "sent"
		if _, fail := smtpSend(t, s); fail != nil {
			got = fail.Error()
			if fail.Phase != engine.PhaseAuth {
				t.Errorf("%s: phase %s", offers, fail.Phase)
			}
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", offers, got, want)
		}
		s.Shutdown()
		server.wg.Wait()
	}
}

func TestRefusedLoginCanBeToldFromTrouble(t *testing.T) {
	for reply, want := range map[string]bool{
		"535 5.7.8 wrong": true, "534 5.7.9 application password needed": true, "504 5.5.4 unknown mechanism": false, "454 4.7.0 later": false, "421 4.3.0 no": false, "cut": false,
	} {
		server := &scriptedSMTP{offers: "AUTH PLAIN", replies: map[string]string{"AUTH": reply}}
		_, fail := smtpSend(t, server.client(TLSNone))
		if fail == nil || fail.Phase != engine.PhaseAuth || errors.Is(fail, ErrAuth) != want {
			t.Errorf("%s: got %v", reply, fail)
		}
		server.wg.Wait()
	}
}

func TestPasswordIsAskedAtEachLogin(t *testing.T) {
	server := &scriptedSMTP{offers: "AUTH PLAIN"}
	s := server.client(TLSNone)
	s.Account.Password = func(context.Context) (string, error) { return "", errors.New("credential file is gone") }
	_, fail := smtpSend(t, s)
	if fail == nil || fail.Phase != engine.PhaseAuth || !strings.Contains(fail.Error(), "credential file is gone") {
		t.Errorf("got %v", fail)
	}
	server.wg.Wait()
}

func TestPasswordNeverAppearsInErrorsOrLog(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00sales@acme.test\x00" + canary))
	alone := base64.StdEncoding.EncodeToString([]byte(canary))
	for _, step := range []string{"greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "dot"} {
		for _, reply := range []string{"535 5.7.8 ECHO", "454-4.7.0 ECHO\r\n454 4.7.0 ECHO", "999 ECHO", "garbage ECHO", "334 ECHO", "334 " + alone,
			"535 5.7.8 " + strings.Repeat("x", maxWords-20) + " ECHO", "cut"} {
			if step != "AUTH" && reply != "cut" {
				continue // only AUTH carries the password
			}
			for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5"} {
				var log bytes.Buffer
				server := &scriptedSMTP{offers: "AUTH " + mechanism, replies: map[string]string{step: reply}}
				s := server.client(TLSNone)
				s.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				_, fail := smtpSend(t, s)
				if fail == nil {
					t.Fatalf("%s %s: the mail counts as sent", step, reply)
				}
				told := fmt.Sprintf("%v %+v %#v %s", fail, fail.Err, fail.Err, log.String())
				for _, secret := range []string{canary, plain, alone, "canary"} {
					if strings.Contains(told, secret) {
						t.Errorf("%s %s %s: the password is told: %s", step, reply, mechanism, told)
					}
				}
				s.Shutdown()
				server.wg.Wait()
			}
		}
	}
}
