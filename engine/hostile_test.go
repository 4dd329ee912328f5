package engine_test

import (
	"bytes"
	"fmt"
	"mime"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
	"unicode/utf8"

	"nudge/engine"
	"nudge/sequences"
)

// hostile are values that a prospect's row may bring. Most are refused when
// somebody is enrolled; a mail is made of them here all the same.
var hostile = []string{
	"Anna\r\nBcc: evil@example.com", "Anna\nX-Evil: 1\n\nnew body", "Anna\r\n\r\n<h1>body</h1>", "a\x00b\x1b[31mc", "\u2028Bcc: evil@example.com\u2029\u0085",
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "</p></div></body></html>", `" <evil@example.com>, "`, "evil@example.com, other@example.com",
	"[click](https://evil.example)", "![x](https://evil.example/t.gif)", "<https://evil.example>", "# heading", "- item", "```\ncode", "| a | b |\n|---|---|",
	"{{ signature }}", "{% if true %}x{% endif %}", "{{ secret }}", "{% render \"x\" %}", "}}", "%}",
	"\u202eevil\u202c", "\u2066x\u2069\u200f\u061c", "=?utf-8?q?=0d=0aBcc:_evil=40example.com?=", "=?utf-8?b?DQpCY2M6IHg=?=",
	"javascript:alert(1)", "data:text/html,x", "\xff\xfe\xc0", "--=_boundary", "From here", ".", "\r\n.\r\n", ">From",
	strings.Repeat("Anna ", 2000), strings.Repeat("å", 10_000), strings.Repeat("<", 10_000), strings.Repeat("\r\n", 5_000), strings.Repeat("👩‍👩‍👧", 500),
}

// everyPlace names a field wherever a sequence can.
const everyPlace = "Hi {{ x }}, **{{ x }}**, [here](https://example.com/{{ x }}) and [there]({{ x }}), ask {{ first_name }} or {{ name }}.\n\n" +
	"- {{ x }}\n\n| {{ x }} | {{ company | default: \"y\" }} |\n| --- | --- |\n| {{ x }} | b |\n\n> {{ x }}\n\n{{ signature }}"

var (
	linkTo    = regexp.MustCompile(`href="([^"]*)"`)
	harmless  = regexp.MustCompile(`^(https?://|mailto:|#$)`)
	elements  = regexp.MustCompile(`<(/?[a-z][a-z0-9]*)`)
	ourHeads  = []string{"Content-Type", "Date", "From", "List-Unsubscribe", "Message-Id", "Mime-Version", "References", "Subject", "To"}
	mayRepeat = []string{"br", "a", "/a"} // line breaks in values, and links whose target is none
)

// However hostile a value is, the whole mail holds one recipient, the headers
// we write, the parts we make and the elements of its template.
func TestAHostileValueIsHarmlessInAWholeMail(t *testing.T) {
	files := fstest.MapFS{"a.pdf": {Data: []byte("%PDF-1.4\n")}}
	seq, err := sequences.ParseIn(files, "quote.md", []byte("## Only\n\n```step\nwait: 0\nsubject: Quote {{ x }}\nattach: a.pdf\n```\n\n"+everyPlace+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := settings()
	m.ListUnsubscribe = true
	compose := func(value string) (engine.Email, error) {
		en := maria()
		en.Name = value
		en.Fields = map[string]string{"x": value, "company": value, "secret": "s3cret"}
		return engine.Compose(m, make([]byte, 32), seq, &seq.Steps[0], en, start)
	}
	plain, err := compose("Maria")
	if err != nil {
		t.Fatal(err)
	}
	_, tree, leaves := leavesOf(t, plain.Raw)
	want := countElements(leaves[1].content)
	for _, value := range hostile {
		name := fmt.Sprintf("%.40q", value)
		email, err := compose(value)
		if err != nil {
			if strings.TrimSpace(value) != "" && !strings.Contains(err.Error(), "no value") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		checkWhole(t, name, email)
		head, gotTree, leaves := leavesOf(t, email.Raw)
		if gotTree != tree {
			t.Errorf("%s made of %s %s", name, tree, gotTree)
			continue
		}
		checkHead(t, name, head)
		for element, n := range countElements(leaves[1].content) {
			if n != want[element] && !slices.Contains(mayRepeat, element) {
				t.Errorf("%s: %d times <%s>, want %d", name, n, element, want[element])
			}
		}
		for _, link := range linkTo.FindAllStringSubmatch(leaves[1].content, -1) {
			if !harmless.MatchString(link[1]) {
				t.Errorf("%s: a link to %q", name, link[1])
			}
		}
		for _, words := range []string{leaves[0].content, leaves[1].content, email.Subject} {
			if strings.Contains(words, "s3cret") || !utf8.ValidString(words) || strings.ContainsFunc(words, isHidden) {
				t.Errorf("%s came out as\n%.400q", name, words)
			}
		}
		if len(email.Raw) > 400<<10 {
			t.Errorf("%s made a mail of %d bytes", name, len(email.Raw))
		}
	}
}

// checkWhole says that the bytes are those of one mail, line by line.
func checkWhole(t *testing.T, name string, email engine.Email) {
	t.Helper()
	for line := range bytes.SplitSeq(email.Raw, []byte("\r\n")) {
		if bytes.ContainsAny(line, "\r\n\x00") || len(line) > 998 {
			t.Errorf("%s: a line of %d octets, or with a bare line end: %.80q", name, len(line), line)
		}
		if bytes.HasPrefix(line, []byte("From ")) {
			t.Errorf("%s: a line begins with From and a space", name)
		}
	}
	if email.To != "maria@kund.example" {
		t.Errorf("%s: goes to %q", name, email.To)
	}
}

// checkHead says that the headers are ours, and that there is one recipient.
func checkHead(t *testing.T, name string, head mail.Header) {
	t.Helper()
	var got []string
	for h, values := range head {
		got = append(got, h)
		if len(values) != 1 {
			t.Errorf("%s: %d times %s", name, len(values), h)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, ourHeads) {
		t.Errorf("%s: headers %v", name, got)
	}
	to, err := head.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != "maria@kund.example" || utf8.RuneCountInString(to[0].Name) > 200 || strings.ContainsFunc(to[0].Name, isHidden) {
		t.Errorf("%s: To is %.200q, %v", name, head.Get("To"), err)
	}
	if subject, err := new(mime.WordDecoder).DecodeHeader(head.Get("Subject")); err != nil || !strings.HasPrefix(subject, "Quote ") || strings.ContainsFunc(subject, isHidden) || strings.Contains(subject, "\n") {
		t.Errorf("%s: Subject %q, %v", name, subject, err)
	}
}

func isHidden(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\r' || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

func countElements(page string) map[string]int {
	counts := map[string]int{}
	for _, m := range elements.FindAllStringSubmatch(page, -1) {
		counts[m[1]]++
	}
	return counts
}
