package mailbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitHeader(t *testing.T) {
	for _, tt := range []struct {
		name, raw, subject, body string
	}{
		{"CRLF", "Subject: a\r\n\r\nbody", "a", "body"},
		{"LF", "Subject: a\n\nbody", "a", "body"},
		{"folded with tabs and blanks", "Subject: a\r\n\tb\r\n  c\r\n\r\nbody", "a b c", "body"},
		{"an mbox line on top", "From anna Mon Nov 23 2026\nSubject: a\n\nbody", "a", "body"},
		{"empty lines and a byte order mark on top", "\xef\xbb\xbf   \r\n\r\nSubject: a\n\nbody", "a", "body"},
		{"a stray line between fields", "X: y\nnonsense without end\nSubject: a\n\nbody", "a", "body"},
		{"no empty line before the body", "Subject: a\nHello Anna\nhow are you", "a", "Hello Anna\nhow are you"},
		{"a space before the colon", "Subject : a\n\nbody", "a", "body"},
		{"the first of two counts", "Subject: a\nSubject: b\n\nbody", "a", "body"},
		{"raw bytes of Latin-1", "Subject: Gr\xfc\xdfe\n\nbody", "Grüße", "body"},
		{"only a body", "Hello Anna", "", "Hello Anna"},
		{"a field without a value", "Subject:\nX: y\n\nbody", "", "body"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, body := splitHeader([]byte(tt.raw))
			if h.text("Subject") != tt.subject || string(body) != tt.body {
				t.Errorf("subject %q, body %q", h.text("Subject"), body)
			}
		})
	}
}

func TestEncodedWords(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "Quote 2417", "Quote 2417"},
		{"Q with underscores", "=?utf-8?q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=", "Grüße aus Köln"},
		{"space between two words is none", "=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"},
		{"space to plain text stays", "a =?utf-8?Q?b?= c", "a b c"},
		{"a letter split over two words", "=?utf-8?B?4p8=?= =?utf-8?B?pg==?=", "⟦"},
		{"koi8-r", "=?koi8-r?B?8NLJ18XU?=", "Привет"},
		{"iso-2022-jp", "=?ISO-2022-JP?B?GyRCJCo4K0BRJGobKEI=?=", "お見積り"},
		{"language tag", "=?iso-8859-1*de?Q?=FC?=", "ü"},
		{"unknown charset", "=?x-nobody?Q?=FC?=", "ü"},
		{"never closed", "=?utf-8?Q?abc", "=?utf-8?Q?abc"},
		{"inside a word", "x=?utf-8?Q?=C3=BC?=y", "xüy"},
	} {
		if got := decodeWords(tt.in); got != tt.want {
			t.Errorf("%s: %q gives %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string][]string{
		"anna@b.example":                                {"anna@b.example"},
		"Anna <anna@b.example>, tom@b.example":          {"anna@b.example", "tom@b.example"},
		`"Bauer, Anna" <Anna.Bauer@B.example>`:          {"Anna.Bauer@B.example"},
		`"eve@evil.example" <anna@b.example>`:           {"anna@b.example"},
		"anna@b.example (Anna, private)":                {"anna@b.example"},
		"Team: anna@b.example, <tom@b.example>;":        {"anna@b.example", "tom@b.example"},
		"undisclosed-recipients:;":                      nil,
		"<>":                                            nil,
		"Anna <anna@b.example":                          {"anna@b.example"},
		"<<anna@b.example>>":                            {"anna@b.example"},
		"<mailto:anna@b.example>":                       {"anna@b.example"},
		"<@relay.example:anna@b.example>":               {"anna@b.example"},
		"anna@b.example; tom@b.example":                 {"anna@b.example", "tom@b.example"},
		"=?utf-8?Q?Anna_=3Canna=40b.example=3E?=":       {"anna@b.example"},
		"=?utf-8?Q?M=C3=BCller=2C_Anna?= <a@b.example>": {"a@b.example"},
		`"neko..."@b.example`:                           {`"neko..."@b.example`},
		"ännä@bücher.example":                           {"ännä@bücher.example"},
		"Anna":                                          nil,
	} {
		if diff := cmp.Diff(want, addressesIn(in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
}

func TestMessageIDs(t *testing.T) {
	for in, want := range map[string][]string{
		"<a@b.example>":                         {"a@b.example"},
		"<a@b.example> <c@d.example>":           {"a@b.example", "c@d.example"},
		"<a@b.example><c@d.example>":            {"a@b.example", "c@d.example"},
		"<a@b.\t example>":                      {"a@b.example"},
		"<a@b.example>, <a@b.example>":          {"a@b.example"},
		"a@b.example":                           {"a@b.example"},
		`Your mail of Monday <a@b.example> "x"`: {"a@b.example"},
		"<a@b.example":                          {"a@b.example"},
		"<no-at-sign>":                          {"no-at-sign"},
		"=?utf-8?Q?=3Ca=40b.example=3E?=":       {"a@b.example"},
		"":                                      nil,
		"yesterday":                             nil,
		"ab>c@b.example":                        {"c@b.example"},
	} {
		if diff := cmp.Diff(want, messageIDs(in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
}

func TestDates(t *testing.T) {
	for in, want := range map[string]string{
		"Mon, 23 Nov 2026 09:12:44 +0100":    "2026-11-23T08:12:44Z",
		"23 Nov 2026 09:12 +0100 (CET)":      "2026-11-23T08:12:00Z",
		"Mon, 23 Nov 26 09:12:44 GMT":        "2026-11-23T09:12:44Z",
		"Mon Nov 23 09:12:44 2026":           "2026-11-23T09:12:44Z",
		"Mon,  23   Nov 2026 09:12:44 -0000": "2026-11-23T09:12:44Z",
		"2026-11-23T09:12:44+01:00":          "2026-11-23T08:12:44Z",
		"yesterday":                          "0001-01-01T00:00:00Z",
		"":                                   "0001-01-01T00:00:00Z",
	} {
		if got := parseDate(in).UTC().Format("2006-01-02T15:04:05Z"); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
}
