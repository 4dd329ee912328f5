package engine

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"
)

func testLetter() letter {
	return letter{
		fromName: "Anna Berg", from: "anna@bergroofing.example", toName: "Pär Öberg", to: "par@kund.example",
		subject: "Quote 1042: did it reach you?", date: time.Date(2026, 11, 23, 9, 4, 0, 0, time.FixedZone("", 3600)),
		messageID: "abcdefghijklmnopqrstuvwxyz@bergroofing.example",
		inReplyTo: "one@bergroofing.example", references: []string{"anchor@bergroofing.example", "one@bergroofing.example"},
		text: "Hi Pär,\n\ndid it reach you?\n", html: "<p>Hi Pär</p>\n",
	}
}

// parts reads a mail back with the standard library, an independent reader.
func parts(t *testing.T, raw []byte) (mail.Header, []string) {
	t.Helper()
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	r := multipart.NewReader(msg.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return msg.Header, bodies
		} else if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(p)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(b))
	}
}

func TestLetterReadsBackAsWritten(t *testing.T) {
	l := testLetter()
	raw, err := l.bytes()
	if err != nil {
		t.Fatal(err)
	}
	h, bodies := parts(t, raw)
	to, err := h.AddressList("To")
	if err != nil || to[0].Name != l.toName || to[0].Address != l.to {
		t.Errorf("To = %v, %v", to, err)
	}
	if got := h.Get("References"); got != "<anchor@bergroofing.example> <one@bergroofing.example>" {
		t.Errorf("References = %q", got)
	}
	if len(bodies) != 2 || strings.ReplaceAll(bodies[0], "\r\n", "\n")+"\n" != l.text || strings.ReplaceAll(bodies[1], "\r\n", "\n")+"\n" != l.html {
		t.Errorf("bodies = %q", bodies)
	}
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if strings.ContainsAny(line, "\r\n") {
			t.Errorf("bare line end in %q", line)
		}
		if len(line) > 998 {
			t.Errorf("line of %d octets", len(line))
		}
	}
	for _, tell := range []string{"User-Agent", "X-Mailer", "nudge", "localhost"} {
		if bytes.Contains(raw, []byte(tell)) {
			t.Errorf("the mail reveals %q", tell)
		}
	}
}

func TestSameInputsGiveTheSameBytes(t *testing.T) {
	a, _ := testLetter().bytes()
	b, _ := testLetter().bytes()
	if !bytes.Equal(a, b) {
		t.Error("two renderings differ")
	}
}

func TestHeadersOfHostileValues(t *testing.T) {
	for _, value := range []string{"x\r\nBcc: victim@example.com", "x\nX-Evil: 1", "=?utf-8?q?=0d=0aBcc:_v?=", "a\u2028b", strings.Repeat("lång ", 300), `"quoted" \ name`, "a,b;c:d", "\x00\x01"} {
		l := testLetter()
		l.subject, l.toName, l.fromName = value, value, value
		raw, err := l.bytes()
		if err != nil {
			t.Fatal(err)
		}
		h, _ := parts(t, raw)
		want := []string{"Content-Type", "Date", "From", "In-Reply-To", "Message-Id", "Mime-Version", "References", "Subject", "To"}
		if len(h) != len(want) {
			t.Errorf("%q: headers %v", value, h)
		}
		if _, err := h.AddressList("To"); err != nil {
			t.Errorf("%q: To: %v", value, err)
		}
		dec := new(mime.WordDecoder)
		subject, err := dec.DecodeHeader(h.Get("Subject"))
		if err != nil || strings.ContainsAny(subject, "\r\n") && !strings.Contains(value, "=?") {
			t.Errorf("%q: Subject %q, %v", value, subject, err)
		}
	}
}

func TestLinesThatMailboxFilesMisreadAreEncoded(t *testing.T) {
	l := testLetter()
	l.text = "Hi,\n\nFrom here on it is easy.\n"
	raw, _ := l.bytes()
	if bytes.Contains(raw, []byte("\r\nFrom here")) {
		t.Error("a line begins with From and a space")
	}
}

func FuzzLetter(f *testing.F) {
	f.Add("Anna", "Hello", "text", "<p>x</p>")
	f.Add("=?", "a\r\nb", "From x\n.\n", "")
	f.Fuzz(func(t *testing.T, name, subject, text, html string) {
		l := testLetter()
		l.toName, l.subject, l.text, l.html = name, subject, text, html
		raw, err := l.bytes()
		if err != nil {
			t.Skip()
		}
		want := 9
		if html == "" {
			want = 10 // the only part's encoding stands among them
		}
		if msg, err := mail.ReadMessage(bytes.NewReader(raw)); err != nil || len(msg.Header) != want {
			t.Fatalf("%v, headers %v", err, msg.Header)
		}
	})
}
