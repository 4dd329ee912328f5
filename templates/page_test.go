package templates

import (
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
)

// checkPage reads a page rendered from everywhere as a mail program does, with
// a parser of HTML that knows nothing of ours. It must hold what the same
// template makes of a harmless name: the same elements in the same places, the
// value as words alone, and links that lead where their author pointed them.
func checkPage(t *testing.T, value, page string, want map[string]int) {
	t.Helper()
	counts, words := tagsOf(page), wordsOf(t, value, page)
	for name := range counts {
		switch name {
		case "br", "li", "a": // line breaks, and what the loop writes once a word
		default:
			if counts[name] != want[name] {
				t.Errorf("%q: %d tags <%s>, want %d", value, counts[name], name, want[name])
			}
		}
	}
	if !strings.Contains(words, "Hello "+clean(value)+", ") {
		t.Errorf("%q is not shown as it is: %.200q", value, words)
	}
}

// tagsOf counts the tags of a page by name.
func tagsOf(page string) map[string]int {
	counts := map[string]int{}
	tokens := html.NewTokenizer(strings.NewReader(page))
	for kind := tokens.Next(); kind != html.ErrorToken; kind = tokens.Next() {
		if kind != html.TextToken {
			counts[tokens.Token().Data]++
		}
	}
	return counts
}

// wordsOf checks the tags of a page and joins its words.
func wordsOf(t *testing.T, value, page string) string {
	t.Helper()
	var words strings.Builder
	tokens := html.NewTokenizer(strings.NewReader(page))
	for kind := tokens.Next(); kind != html.ErrorToken; kind = tokens.Next() {
		token := tokens.Token()
		switch kind {
		case html.TextToken:
			words.WriteString(token.Data)
		case html.CommentToken:
			t.Errorf("%q became the comment %q", value, token.Data)
		}
		for _, a := range token.Attr {
			checkAttribute(t, value, token.Data, a)
		}
	}
	return words.String()
}

func checkAttribute(t *testing.T, value, element string, a html.Attribute) {
	t.Helper()
	switch a.Key {
	case "lang", "dir", "charset", "name", "content", "start", "scope":
	case "style":
		if strings.ContainsAny(a.Val, "(@\\") {
			t.Errorf("%q: style %q", value, a.Val)
		}
	case "href":
		checkTarget(t, value, a.Val)
	default:
		t.Errorf("%q: attribute %s of <%s>", value, a.Key, element)
	}
}

// checkTarget wants a link that no program takes for anything but http, https
// or an address to write to, with nothing filled in that its author did not.
func checkTarget(t *testing.T, value, target string) {
	t.Helper()
	if strings.IndexFunc(target, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\\' }) >= 0 {
		t.Errorf("%q: link to %q", value, target)
	}
	if target == "#" {
		return
	}
	kind, rest, _ := strings.Cut(target, ":")
	switch kind = strings.ToLower(kind); {
	case kind == "mailto":
		_, query, _ := strings.Cut(rest, "?")
		keys, err := url.ParseQuery(query)
		if err != nil {
			t.Errorf("%q: link to %q: %v", value, target, err)
		}
		for key := range keys {
			if key != "subject" {
				t.Errorf("%q: link to %q fills in %s", value, target, key)
			}
		}
	case (kind == "http" || kind == "https") && strings.HasPrefix(rest, "//"):
	default:
		t.Errorf("%q: link to %q", value, target)
	}
}

// checkHeader sets a rendered line as a subject and reads the mail.
func checkHeader(t *testing.T, value, line string) {
	t.Helper()
	message, err := mail.ReadMessage(strings.NewReader("Subject: " + line + "\r\n\r\nbody"))
	if err != nil {
		t.Fatalf("%q: %v", value, err)
	}
	if len(message.Header) != 1 || message.Header.Get("Subject") != line {
		t.Errorf("%q became the headers %q", value, message.Header)
	}
	if want := strings.Join(strings.Fields("Re: "+clean(value)), " "); line != want {
		t.Errorf("%q: subject %q, want %q", value, line, want)
	}
}

// TestRightToLeft: what stands at the beginning of a line stands at the right
// where the words begin there.
func TestRightToLeft(t *testing.T) {
	const source = "> q\n\n- l\n\n| a | b | c |\n|---|:--|--:|\n| 1 | 2 | 3 |"
	template, err := ParseWith(source, Position{1, 1}, Options{Language: "he"})
	if err != nil {
		t.Fatal(err)
	}
	parts, err := template.Render(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<blockquote style="margin: 0 0 1em; padding-right: 1em; border-right: 2px solid #999999;">`,
		`<ul style="margin: 0 0 1em; padding-right: 2em;">`,
		`padding: 4px 0 4px 16px; vertical-align: top; text-align: right;">1`,
		`padding: 4px 0 4px 16px; vertical-align: top; text-align: left;">2`,
		`padding: 4px 0 4px 0; vertical-align: top; text-align: right;">3`,
	} {
		if !strings.Contains(parts.HTML, want) {
			t.Errorf("no %s in\n%s", want, parts.HTML)
		}
	}
	if parts = mustRender(t, source, nil); strings.Contains(parts.HTML, "-right:") || !strings.Contains(parts.HTML, "text-align: left;\">1") {
		t.Errorf("a mail from left to right:\n%s", parts.HTML)
	}
}
