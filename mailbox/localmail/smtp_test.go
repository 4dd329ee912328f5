package localmail_test

import (
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"nudge/mailbox"
	"nudge/mailbox/localmail"
)

func TestSubmissionIsDeliveredAndKeptInTheLedger(t *testing.T) {
	for _, mode := range []mailbox.TLSMode{mailbox.TLSImplicit, mailbox.TLSStart, mailbox.TLSNone} {
		t.Run(string(mode), func(t *testing.T) {
			p := open(t, localmail.Options{SavesSent: true})
			p.AddMailbox(ola, "secret")
			c := smtpClient(t, p.AccountOver(anna, mode))
			if err := submit(c, ola, quote("1@x")); err != nil {
				t.Fatal(err)
			}
			for _, at := range []struct{ who, folder string }{{ola, localmail.Inbox}, {anna, localmail.Sent}} {
				got := p.Messages(at.who, at.folder)
				if len(got) != 1 || string(got[0].Raw) != quote("1@x") || !got[0].Arrived.Equal(tuesday) {
					t.Errorf("%s of %s holds %+v, want the mail as it was submitted", at.folder, at.who, got)
				}
			}
			want := []localmail.Transaction{{
				At: tuesday, Account: anna, From: anna, To: []string{ola},
				Phase: localmail.PhaseDot, Code: 250, Raw: []byte(quote("1@x")), Taken: true,
			}}
			if diff := cmp.Diff(want, p.Ledger()); diff != "" {
				t.Errorf("ledger (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrongPasswordIsRefused(t *testing.T) {
	p := open(t, localmail.Options{})
	p.AddMailbox(anna, "changed")
	a := p.AccountOver(anna, mailbox.TLSNone)
	conn, err := a.Dial(t.Context(), "tcp", address(a.SMTP))
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.NewClient(conn)
	defer c.Close()
	var refusal *smtp.SMTPError
	if err := c.Auth(plainAuth("secret")); !errors.As(err, &refusal) || refusal.Code != 535 {
		t.Errorf("AUTH with the old password: %v, want 535", err)
	}
	if err := c.Mail(anna, nil); err == nil {
		t.Error("MAIL was accepted without a login")
	}
}

func TestRewrittenMessageIDs(t *testing.T) {
	p := open(t, localmail.Options{SavesSent: true, RewritesIDs: true})
	c := smtpClient(t, p.Account(anna))
	if err := submit(c, ola, quote("1@x")); err != nil {
		t.Fatal(err)
	}
	msg := parse(t, p.Messages(anna, localmail.Sent)[0].Raw)
	if id := msg.Header.Get("Message-Id"); id == "<1@x>" || !strings.HasPrefix(id, "<provider.1@") {
		t.Errorf("Message-ID in Sent is %s, want one of the provider's", id)
	}
	if refs := msg.Header.Get("References"); refs != "<anchor@bergroofing.example>" {
		t.Errorf("References became %q", refs)
	}
}

// reached is what a test looks at in the ledger.
type reached struct {
	Phase localmail.Phase
	Code  int
	Taken bool
}

func TestFaultsOfASubmission(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault localmail.Fault
		code  int // of the error the client sees; 0 = the connection is lost
		want  reached
	}{
		{"MAIL is deferred", localmail.Fault{Phase: localmail.PhaseMail, Code: 451}, 451, reached{localmail.PhaseMail, 451, false}},
		{"RCPT is refused for good", localmail.Fault{Phase: localmail.PhaseRcpt, To: ola, Code: 550, Enhanced: [3]int{5, 1, 1}}, 550, reached{localmail.PhaseRcpt, 550, false}},
		{"the connection is lost at RCPT", localmail.Fault{Phase: localmail.PhaseRcpt, Drop: true}, 0, reached{localmail.PhaseRcpt, 0, false}},
		{"the connection is lost within DATA", localmail.Fault{Phase: localmail.PhaseData, Drop: true}, 0, reached{localmail.PhaseData, 0, false}},
		{"the dot is deferred", localmail.Fault{Phase: localmail.PhaseDot, Code: 452}, 452, reached{localmail.PhaseDot, 452, false}},
		{"the dot is refused as spam", localmail.Fault{Phase: localmail.PhaseDot, Code: 554, Text: "looks like spam"}, 554, reached{localmail.PhaseDot, 554, false}},
		{"the connection is lost after the dot, the mail too", localmail.Fault{Phase: localmail.PhaseDot, Drop: true}, 0, reached{localmail.PhaseDot, 0, false}},
		{"the connection is lost after the dot, the mail is not", localmail.Fault{Phase: localmail.PhaseDot, Drop: true, Accept: true}, 0, reached{localmail.PhaseDot, 0, true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := open(t, localmail.Options{})
			p.AddMailbox(ola, "secret")
			tc.fault.Side, tc.fault.Times = localmail.SMTP, 1
			p.Break(tc.fault)
			err := submit(smtpClient(t, p.Account(anna)), ola, quote("1@x"))
			var refusal *smtp.SMTPError
			if err == nil || errors.As(err, &refusal) != (tc.code != 0) || refusal != nil && refusal.Code != tc.code {
				t.Errorf("the client sees %v, want code %d", err, tc.code)
			}
			if err := p.Wait(t.Context(), func() bool {
				return len(p.Ledger()) == 1 && p.Ledger()[0].Phase == tc.want.Phase && p.Ledger()[0].Code == tc.want.Code
			}); err != nil {
				t.Fatal(err)
			}
			l := p.Ledger()[0]
			if got := (reached{l.Phase, l.Code, l.Taken}); got != tc.want {
				t.Errorf("the ledger says %+v, want %+v", got, tc.want)
			}
			if got := len(p.Messages(ola, localmail.Inbox)); (got == 1) != tc.want.Taken {
				t.Errorf("%d mails were delivered", got)
			}

			if err := submit(smtpClient(t, p.Account(anna)), ola, quote("2@x")); err != nil {
				t.Errorf("after the fault: %v, want that all is well again", err)
			}
		})
	}
}

func TestFaultForOneRecipientLeavesOthersAlone(t *testing.T) {
	p := open(t, localmail.Options{})
	p.Break(localmail.Fault{Side: localmail.SMTP, Phase: localmail.PhaseRcpt, To: ola, Code: 450})
	c := smtpClient(t, p.Account(anna))
	if err := submit(c, "per@holm.example", quote("1@x")); err != nil {
		t.Errorf("another recipient: %v", err)
	}
	for range 2 {
		if err := submit(c, ola, quote("2@x")); err == nil {
			t.Error("a lasting fault ended by itself")
		}
		if err := c.Reset(); err != nil {
			t.Fatal(err)
		}
	}
	p.Mend()
	if err := submit(c, ola, quote("2@x")); err != nil {
		t.Errorf("after Mend: %v", err)
	}
}

func TestRefusedConnections(t *testing.T) {
	p := open(t, localmail.Options{})
	a := p.Account(anna)
	p.Refuse(localmail.SMTP, true)
	if _, err := a.Dial(t.Context(), "tcp", address(a.SMTP)); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("dialing a refusing server: %v", err)
	}
	imapClient(t, a) // the other side is open
	p.Refuse(localmail.SMTP, false)
	smtpClient(t, a)
	if _, err := a.Dial(t.Context(), "tcp", "imap.example:25"); err == nil {
		t.Error("a port that nobody listens on could be dialed")
	}
}

func TestAFrozenSideIsSilentUntilItThaws(t *testing.T) {
	p := open(t, localmail.Options{})
	c := imapClient(t, p.Account(anna))
	p.Freeze(localmail.IMAP)
	noop := c.Noop()
	answered := make(chan error, 1)
	go func() { answered <- noop.Wait() }()
	if err := submit(smtpClient(t, p.Account(anna)), ola, quote("1@x")); err != nil {
		t.Errorf("the other side froze as well: %v", err)
	}
	select {
	case err := <-answered:
		t.Fatalf("a frozen server answered: %v", err)
	default:
	}
	p.Thaw(localmail.IMAP)
	if err := <-answered; err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

func TestCloseEndsEvenWhatIsFrozenOrStalled(t *testing.T) {
	p := open(t, localmail.Options{})
	p.Break(localmail.Fault{Side: localmail.SMTP, Phase: localmail.PhaseDot, Stall: true})
	c := imapClient(t, p.Account(anna))
	s := smtpClient(t, p.Account(anna))
	sent := make(chan error, 1)
	go func() { sent <- submit(s, ola, quote("1@x")) }()
	if err := p.Wait(t.Context(), func() bool { l := p.Ledger(); return len(l) == 1 && l[0].Phase == localmail.PhaseDot }); err != nil {
		t.Fatal(err)
	}
	p.Freeze(localmail.IMAP)
	noop := c.Noop()
	p.Close()
	if err := noop.Wait(); err == nil {
		t.Error("the frozen server answered while it closed")
	}
	if err := <-sent; err == nil {
		t.Error("the stalled mail was accepted")
	}
	if err := p.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestRealPortsForWholePrograms(t *testing.T) {
	p := open(t, localmail.Options{Now: time.Now})
	for _, mode := range []mailbox.TLSMode{mailbox.TLSImplicit, mailbox.TLSStart, mailbox.TLSNone} {
		imapAddr, smtpAddr, err := p.Listen(mode)
		if err != nil {
			t.Fatal(err)
		}
		a := p.AccountOver(anna, mode)
		a.IMAP, a.SMTP = server(t, imapAddr, mode), server(t, smtpAddr, mode)
		a.Dial = new(net.Dialer).DialContext
		if err := submit(smtpClient(t, a), anna, quote("1@x")); err != nil {
			t.Errorf("%q: %v", mode, err)
		}
		if err := imapClient(t, a).Noop().Wait(); err != nil {
			t.Errorf("%q: %v", mode, err)
		}
	}
	if got := len(p.Messages(anna, localmail.Inbox)); got != 3 {
		t.Errorf("%d mails arrived over the network, want 3", got)
	}
	if err := p.CAFile(filepath.Join(t.TempDir(), "ca.pem")); err != nil {
		t.Error(err)
	}
}
