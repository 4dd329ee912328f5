package localmail_test

import (
	"bytes"
	"fmt"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"nudge/mailbox"
	"nudge/mailbox/localmail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	anna = "anna@bergroofing.example"
	ola  = "ola@lindqvist.example"
)

// clock is a provider's now, moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// tuesday is when most tests happen.
var tuesday = time.Date(2026, 11, 3, 9, 4, 0, 0, time.FixedZone("", 3600))

// open makes a provider with Anna's mailbox, at tuesday.
func open(t *testing.T, opts localmail.Options) *localmail.Provider {
	t.Helper()
	if opts.Now == nil {
		opts.Now = (&clock{now: tuesday}).Now
	}
	p, err := localmail.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	p.AddMailbox(anna, "secret")
	return p
}

// imapClient logs in at an account.
func imapClient(t *testing.T, a mailbox.Account) *imapclient.Client {
	t.Helper()
	conn, err := a.Dial(t.Context(), "tcp", address(a.IMAP))
	if err != nil {
		t.Fatal(err)
	}
	opts := &imapclient.Options{TLSConfig: clientTLS(a, a.IMAP)}
	var c *imapclient.Client
	switch a.IMAP.TLS {
	case mailbox.TLSStart:
		c, err = imapclient.NewStartTLS(conn, opts)
	case mailbox.TLSNone:
		c = imapclient.New(conn, opts)
	default:
		c = imapclient.New(tlsClient(a, a.IMAP, conn), opts)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(a.User, "secret").Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

// smtpClient logs in at an account.
func smtpClient(t *testing.T, a mailbox.Account) *smtp.Client {
	t.Helper()
	conn, err := a.Dial(t.Context(), "tcp", address(a.SMTP))
	if err != nil {
		t.Fatal(err)
	}
	var c *smtp.Client
	switch a.SMTP.TLS {
	case mailbox.TLSStart:
		c, err = smtp.NewClientStartTLS(conn, clientTLS(a, a.SMTP))
	case mailbox.TLSNone:
		c = smtp.NewClient(conn)
	default:
		c = smtp.NewClient(tlsClient(a, a.SMTP, conn))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Auth(sasl.NewPlainClient("", a.User, "secret")); err != nil {
		t.Fatal(err)
	}
	return c
}

// submit sends one mail, and returns the error of the command that failed.
func submit(c *smtp.Client, to string, raw string) error {
	if err := c.Mail(anna, nil); err != nil {
		return err
	}
	if err := c.Rcpt(to, nil); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(raw)); err != nil {
		return err
	}
	return w.Close()
}

// quote is a mail of Anna's, with one line that is longer than mail lines are.
func quote(id string) string {
	return strings.ReplaceAll(fmt.Sprintf(`From: Anna Berg <%s>
To: Ola Lindqvist <%s>
Subject: =?utf-8?q?Your_roof_=C3=A5t_V=C3=A4stra_gatan?=
Date: Tue, 03 Nov 2026 09:04:00 +0100
Message-ID: <%s>
References: <anchor@bergroofing.example>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Hi Ola,

did the quote arrive? If any line is unclear, reply with a question mark and I=
 call.

Anna
--b
Content-Type: text/html; charset=utf-8

<p>Hi Ola</p>
--b--
`, anna, ola, id), "\n", "\r\n")
}

func parse(t *testing.T, raw []byte) *mail.Message {
	t.Helper()
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	return msg
}
