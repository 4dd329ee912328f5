package mailbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func seedGolden(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "mail", "*.eml"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden mails: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
}

func FuzzParseHeader(f *testing.F) {
	seedGolden(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		in := ParseHeader(raw)
		for _, id := range append(append([]string{in.MessageID}, in.InReplyTo...), in.References...) {
			if strings.ContainsAny(id, "<> \r\n") {
				t.Errorf("id %q is not clean", id)
			}
		}
		for _, addr := range append(in.From, in.To...) {
			if strings.ContainsAny(addr, "<>\r\n ") || !strings.Contains(addr, "@") {
				t.Errorf("address %q is not bare", addr)
			}
		}
		if !utf8.ValidString(in.Subject) || strings.ContainsAny(in.Subject, "\r\n\x00") {
			t.Errorf("subject %q is no line of text", in.Subject)
		}
	})
}

func FuzzClassify(f *testing.F) {
	seedGolden(f)
	for _, name := range []string{"absence", "bounce", "machine", "optout", "reply"} {
		for _, a := range readAnswers(f, filepath.Join("testdata", "answers", name+".txt")) {
			f.Add(a.raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v := Judge(raw, Touched{})
		if v.Kind == "" || v.Evidence == "" {
			t.Errorf("kind %q, evidence %q", v.Kind, v.Evidence)
		}
		if h, _ := splitHeader(raw); !v.Until.IsZero() {
			checkAbsence(t, v.Until, h.date())
		}
		for _, addr := range slices.Concat(v.Failed, []string{v.Successor}) {
			if addr != "" && (strings.ContainsAny(addr, "<> \r\n\t") || !strings.Contains(addr, "@")) {
				t.Errorf("%q is no address", addr)
			}
		}
		if isBounce(string(v.Kind)) && v.Status != "" && !enhanced.MatchString(v.Status) {
			t.Errorf("status %q is no enhanced code", v.Status)
		}
	})
}

func FuzzDeliveryStatus(f *testing.F) {
	f.Add([]byte("Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1 (unknown)\n"))
	f.Add([]byte("Original-Recipient: rfc822;a+2Bb@c.example\r\nFinal-Recipient: utf-8; ä@b.example\r\nAction: Delayed\r\nDiagnostic-Code: smtp; 421 4.4.1\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, d := range parseDeliveryStatus(body) {
			if d.status != "" && (len(d.status) < 5 || d.status[1] != '.') {
				t.Errorf("status %q is no enhanced code", d.status)
			}
			for _, name := range d.names() {
				if name != "" && !strings.Contains(name, "@") {
					t.Errorf("recipient %q is no address", name)
				}
			}
		}
	})
}

func FuzzReadMessage(f *testing.F) {
	seedGolden(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := readMessage(raw)
		if len(m.parts) == 0 || len(m.parts) > maxParts {
			t.Errorf("%d parts", len(m.parts))
		}
		if text := m.text(); !utf8.ValidString(text) {
			t.Errorf("%q is no text", text)
		}
	})
}

func FuzzAbsenceEnd(f *testing.F) {
	for _, a := range readAnswers(f, filepath.Join("testdata", "answers", "absence.txt")) {
		f.Add(string(a.raw), int64(1795420800))
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		sent := time.Unix(unix%4e9, 0).UTC()
		if end := absenceEnd(text, sent); !end.IsZero() {
			checkAbsence(t, end, sent)
		}
	})
}

// checkAbsence holds that the end of an absence is a day from 1 to 100 days
// after the mail that names it.
func checkAbsence(t *testing.T, end, sent time.Time) {
	t.Helper()
	y, mo, d := sent.Date()
	days := end.Sub(time.Date(y, mo, d, 0, 0, 0, 0, time.UTC)).Hours() / 24
	if days != float64(int(days)) || days < 1 || days > maxAbsenceDays {
		t.Errorf("%v is %v days after %v", end, days, sent)
	}
}
