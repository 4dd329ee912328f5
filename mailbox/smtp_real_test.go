package mailbox

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"nudge/engine"
	"nudge/mailbox/mailpair"
)

// realSMTP is an SMTP for a pair's submission service at address.
func realSMTP(t *testing.T, p *mailpair.Pair, address string, mode TLSMode) *SMTP {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	s := &SMTP{Account: Account{
		Address: mailpair.Sales, User: mailpair.Sales, RootCAs: p.CA,
		Password: func(context.Context) (string, error) { return p.Password, nil },
		SMTP:     Server{Host: "localhost", Port: number, TLS: mode},
	}}
	t.Cleanup(s.Shutdown)
	return s
}

func TestPostfix(t *testing.T) {
	p := mailpair.Start(t)
	t.Run("takes mail and refuses as it should", func(t *testing.T) { postfixTakesAndRefuses(t, p) })
	t.Run("refuses a wrong password and a stranger's name", func(t *testing.T) { postfixRefusesStrangers(t, p) })
}

func postfixTakesAndRefuses(t *testing.T, p *mailpair.Pair) {
	byMode := map[string]*SMTP{
		"submission with STARTTLS": realSMTP(t, p, p.Submission, TLSStart),
		"smtps":                    realSMTP(t, p, p.SMTPS, TLSImplicit),
	}
	arrived := 0
	for name, s := range byMode {
		for _, round := range []string{"first", "over the same connection"} {
			email := engine.Email{From: mailpair.Sales, To: mailpair.Prospect, Raw: bytes.ReplaceAll(smtpEmail.Raw, []byte("your quote"), []byte(name+" "+round))}
			d, err := s.Open(t.Context(), email)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			answer, err := d.Data(t.Context(), time.Time{})
			if err != nil || !strings.HasPrefix(answer, "250 2.0.0 Ok: queued as ") {
				t.Fatalf("%s: %q, %v", name, answer, err)
			}
			arrived++
			mail := p.Await(t, mailpair.Prospect, arrived)[arrived-1]
			if !bytes.HasSuffix(bytes.ReplaceAll(mail, []byte("\r\n"), []byte("\n")), bytes.ReplaceAll(email.Raw, []byte("\r\n"), []byte("\n"))) {
				t.Errorf("%s, %s: the mail arrived as %q", name, round, mail)
			}
		}
	}
	for _, refused := range []struct {
		to, enhanced string
		code         int
		outcome      engine.Outcome
	}{
		{"nobody@customer.test", "5.1.1", 550, engine.Refusal},
		{"greylist@customer.test", "4.7.1", 451, engine.Deferred},
		{"full@customer.test", "5.2.2", 552, engine.Refusal},
		{"blocked@customer.test", "5.7.1", 550, engine.Refusal},
	} {
		for name, s := range byMode {
			_, err := s.Open(t.Context(), engine.Email{From: mailpair.Sales, To: refused.to, Raw: smtpEmail.Raw})
			var fail *engine.SendError
			if !errors.As(err, &fail) || fail.Phase != engine.PhaseRcpt || fail.Outcome != refused.outcome ||
				fail.Code != refused.code || fail.Enhanced != refused.enhanced {
				t.Errorf("%s to %s: %+v", name, refused.to, err)
			}
		}
	}
	if mails := p.Messages(t, mailpair.Prospect); len(mails) != arrived {
		t.Errorf("%d mails arrived, %d were sent", len(mails), arrived)
	}
}

func postfixRefusesStrangers(t *testing.T, p *mailpair.Pair) {
	var fail *engine.SendError

	s := realSMTP(t, p, p.Submission, TLSStart)
	s.Account.Password = func(context.Context) (string, error) { return canary, nil }
	_, err := s.Open(t.Context(), engine.Email{From: mailpair.Sales, To: mailpair.Prospect, Raw: smtpEmail.Raw})
	if !errors.As(err, &fail) || fail.Phase != engine.PhaseAuth || fail.Code != 535 || !errors.Is(err, ErrAuth) || strings.Contains(err.Error(), canary) {
		t.Errorf("wrong password: %v", err)
	}

	// The pair logs in as Sales only.
	s = realSMTP(t, p, p.SMTPS, TLSImplicit)
	_, err = s.Open(t.Context(), engine.Email{From: mailpair.Other, To: mailpair.Prospect, Raw: smtpEmail.Raw})
	if !errors.As(err, &fail) || fail.Code != 553 || fail.Enhanced != "5.7.1" {
		t.Errorf("another sender: %v", err)
	}

	for name, c := range map[string]struct {
		address string
		mode    TLSMode
		words   string
	}{
		"STARTTLS port spoken to in TLS": {p.Submission, TLSImplicit, "speaks plain text on this port"},
		"a reader's port":                {p.IMAP, TLSStart, "does not speak SMTP on this port"},
	} {
		s := realSMTP(t, p, c.address, c.mode)
		if _, err := s.Open(t.Context(), smtpEmail); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
