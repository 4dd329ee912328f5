package templates

import (
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// everywhere names one field in every place a value can stand.
const everywhere = `Hello {{ x }}, **{{ x }}** and *{{ x | upcase }}* and ` + "`{{ x }}`" + `

[words {{ x }}](https://example.com/{{ x }}?q={{ x }}) [it]({{ x }}) <https://example.com/{{ x }}> ![{{ x }}]({{ x }})
[mail](mailto:{{ x }}?subject={{ x }}) [host](https://{{ x }}/) [ref][r] https://example.com/{{ x }} {{ x }}@example.com

[r]: {{ x }} "{{ x }}"

- {{ x }}
  1. {{ x }}

> {{ x }}

# {{ x }}

    {{ x }}

{% if x %}
| {{ x }} | {{ x | append: x }} |
{% endif %}
| {{ x }} | right |
| :- | -: |
| {{ x }} | [{{ x }}]({{ x }}) |
| a \| b | ` + "`{{ x }}`" + ` |

{% for i in x | split: " " %}
- {{ i }} [i]({{ i }})
{% endfor %}

{{ x }}`

// hostileValues are what a prospect's row may bring.
var hostileValues = []string{
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "' onmouseover='alert(1)", "</p></body></html><p>",
	"http:", "https:evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", " java\tscript:alert(1)", "java\u200bscript:alert(1)", "\x01javascript:alert(1)",
	"javascript&colon;alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", "//evil.example",
	"https://evil.example/\"onclick=\"x", "mailto:a@b.c?bcc=evil@example.com", "a@b.c?bcc=evil@example.com", "evil.example:80/x",
	"**bold** _it_ `code` [x](http://evil.example)", "![x](http://evil.example/t.gif)", "# heading", "- item\n- item", "> quote",
	"\n\n---\n\n", "    code", "| a | b |\n|---|---|", "<!-- hidden", "-->", "{{ secret }}", "{% if true %}x{% endif %}", "{% raw %}", "}}", "%}",
	"Anna\r\nBcc: evil@example.com", "Anna\nBcc: evil@example.com", "a\x00b\x1b[31mc", "\u202eevil\u202c", "\u2066x\u2069\u200f\u061c", "\u2028\u2029\u0085",
	"\x01\x02\x03\x04\x05\x06\x07\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17", "\x15\x16\x17 a", "a | b", "|", "a\\|b\n|c|", "\xff\xfe\xc0", "\ue000tag0x0w", "tag0x0w", "tag0x1t", "\ue000", "-- ", "-- \nme", "From me", "#", "&amp;&#60;",
	strings.Repeat("a", 5_000), strings.Repeat("<", 5_000), strings.Repeat("\n", 5_000), "0", "-1", "1e999", "é\u0301", "👩‍👩‍👧", "日本語",
}

func TestHostileValues(t *testing.T) {
	template, err := Parse(everywhere, Position{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	harmless, err := template.Render(Fields{"x": "Anna", "secret": "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	want := tagsOf(harmless.HTML)
	subject, err := ParseLine("Re: {{ x }} {% if x %}{{ x | downcase }}{% endif %}", Position{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range hostileValues {
		fields := Fields{"x": value, "secret": "s3cret"}
		parts, err := template.Render(fields)
		if _, missing := errors.AsType[*MissingError](err); missing && clean(value) == "" {
			continue
		} else if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		checkParts(t, parts)
		if !wellFormed(parts.HTML) {
			t.Errorf("%q became\n%s", value, parts.HTML)
		}
		checkPage(t, value, parts.HTML, want)
		if !onlyOurs(parts.HTML) {
			t.Errorf("%q became\n%s", value, parts.HTML)
		}
		if strings.Contains(parts.Text+parts.HTML, "s3cret") {
			t.Errorf("%q read another field", value)
		}
		line, err := subject.Render(fields)
		if err != nil {
			t.Errorf("%q in a subject: %v", value, err)
		}
		checkLine(t, line)
	}
}

// What each kind of hostile value comes out as, in words.
func TestAHostileValueIsHarmlessText(t *testing.T) {
	turning := ""
	for _, r := range []rune{0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069, 0x200E, 0x200F, 0x061C} {
		turning += string(r) + "a"
	}
	tests := []struct{ name, value, text, html, line string }{
		{"a line break with a header", "Anna\r\nBcc: evil@example.com", "Anna\nBcc: evil@example.com", "Anna<br>\nBcc: evil@example.com", "Anna Bcc: evil@example.com"},
		{"a bare carriage return", "Anna\rBcc: x", "Anna\nBcc: x", "Anna<br>\nBcc: x", "Anna Bcc: x"},
		{"a line separator", "Anna\u2028Bcc: x", "Anna\nBcc: x", "Anna<br>\nBcc: x", "Anna Bcc: x"},
		{"HTML", `<b onclick="x">Anna</b>`, `<b onclick="x">Anna</b>`, "&lt;b onclick=&quot;x&quot;&gt;Anna&lt;/b&gt;", `<b onclick="x">Anna</b>`},
		{"an entity", "&lt;script&gt;", "&lt;script&gt;", "&amp;lt;script&amp;gt;", "&lt;script&gt;"},
		{"a Markdown link", "[Anna](https://evil.example)", "[Anna](https://evil.example)", "[Anna](https://evil.example)", "[Anna](https://evil.example)"},
		{"Markdown emphasis", "**Anna** _x_ `y`", "**Anna** _x_ `y`", "**Anna** _x_ `y`", "**Anna** _x_ `y`"},
		{"a Liquid field", "{{ secret }}", "{{ secret }}", "{{ secret }}", "{{ secret }}"},
		{"a Liquid tag", "{% render 'x' %}{% if true %}y{% endif %}", "{% render 'x' %}{% if true %}y{% endif %}",
			"{% render &#39;x&#39; %}{% if true %}y{% endif %}", "{% render 'x' %}{% if true %}y{% endif %}"},
		{"marks that turn the writing direction", turning, strings.Repeat("a", 12), strings.Repeat("a", 12), strings.Repeat("a", 12)},
		{"a name of 10 kB", strings.Repeat("0123456789", 1024), strings.Repeat("0123456789", 100), strings.Repeat("0123456789", 100), strings.Repeat("0123456789", 100)},
		{"bytes that are no text", "An\xffna\x00", "An\uFFFDna", "An\uFFFDna", "An\uFFFDna"},
	}
	subject, err := ParseLine("{{ x }}", Position{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			parts := mustRender(t, "{{ x }}", Fields{"x": test.value, "secret": "s3cret"})
			if got := strings.TrimSuffix(parts.Text, "\n"); got != test.text {
				t.Errorf("text\n got %q\nwant %q", got, test.text)
			}
			if got := inner(t, parts.HTML); got != "<p>"+test.html+"</p>" {
				t.Errorf("html\n got %q\nwant %q", got, test.html)
			}
			if got, err := subject.Render(Fields{"x": test.value, "secret": "s3cret"}); err != nil || got != test.line {
				t.Errorf("line\n got %q, %v\nwant %q", got, err, test.line)
			}
		})
	}
}

// A mail loads nothing, tells nobody that it was read, and looks the same where
// style sheets are dropped.
func TestAnHTMLPartStandsAlone(t *testing.T) {
	parts := mustRender(t, everywhere+"\n\n![logo](https://example.com/logo.png)\n", Fields{"x": "Anna"})
	for _, word := range []string{"<img", "<link", "<style", "<script", "<iframe", "<form", "<object", "url(", "@import", "src=", "background=", "class=", " id="} {
		if strings.Contains(strings.ToLower(parts.HTML), word) {
			t.Errorf("%s in\n%s", word, parts.HTML)
		}
	}
	for _, word := range []string{"color-scheme\" content=\"light dark", "<meta charset=\"utf-8\">", "viewport"} {
		if !strings.Contains(parts.HTML, word) {
			t.Errorf("no %s in\n%s", word, parts.HTML)
		}
	}
	for _, element := range []string{"<p>", "<ul>", "<ol>", "<blockquote>", "<h2>", "<pre>", "<table>", "<th ", "<td>"} {
		if strings.Contains(parts.HTML, element) && element != "<th " {
			t.Errorf("%s has no style of its own", element)
		}
	}
	if strings.Contains(parts.HTML, "color: #") || strings.Contains(parts.HTML, "background") {
		t.Error("a colour of its own would fight with a dark mail program")
	}
}

func TestTheLanguageIsToldToScreenReaders(t *testing.T) {
	tests := []struct{ name, given, source, want string }{
		{"English", "", "Hi there,\n\ndid you get the quote that I sent for your roof?", `<html lang="en">`},
		{"Swedish", "", "Hej,\n\nhar du fått offerten som jag skickade och är det något som inte stämmer?", `<html lang="sv">`},
		{"German", "", "Haben Sie das Angebot erhalten, und ist die Summe nicht zu hoch für Sie?", `<html lang="de">`},
		{"French", "", "Avez-vous reçu le devis pour votre toit, et est-ce que le prix vous convient ?", `<html lang="fr">`},
		{"too few words to tell", "", "Ping?", `<html>`},
		{"fields tell nothing", "", "{{ the }} {{ your }} {{ you }}", `<html>`},
		{"as it is given", "pt-BR", "Hi there, did you get it and the rest?", `<html lang="pt-BR">`},
		{"written from the right", "he", "x", `<html lang="he" dir="rtl">`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			template, err := ParseWith(test.source, Position{1, 1}, Options{Language: test.given})
			if err != nil {
				t.Fatal(err)
			}
			parts, err := template.Render(Fields{"the": "x", "your": "y", "you": "z"})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(parts.HTML, test.want+"\n") {
				t.Errorf("no %s in %s", test.want, parts.HTML[:80])
			}
		})
	}
}

// checkParts asserts what holds for every rendered mail.
func checkParts(t *testing.T, p Parts) {
	t.Helper()
	if !utf8.ValidString(p.Text) || !utf8.ValidString(p.HTML) {
		t.Errorf("invalid UTF-8: %q %q", p.Text, p.HTML)
	}
	for _, part := range []string{p.Text, p.HTML} {
		if i := strings.IndexFunc(part, func(r rune) bool {
			return r != '\n' && r != '\t' && unicode.IsControl(r) || turnsDirection(r)
		}); i >= 0 {
			t.Errorf("control character in %q", part[max(0, i-20):])
		}
	}
	for _, word := range []string{"<script", "<img", "<!-- ", "onerror=alert(1)>", `href="javascript`, `href="data:`, `href="file:`} {
		if strings.Contains(strings.ToLower(p.HTML), word) {
			t.Errorf("%s in %s", word, p.HTML)
		}
	}
	rest := p.HTML
	for {
		_, after, found := strings.Cut(rest, `href="`)
		if !found {
			break
		}
		var target string
		target, rest, _ = strings.Cut(after, `"`)
		if kind := scheme(target); kind != "" && !allowed(kind) {
			t.Errorf("link to %q", target)
		}
		if strings.ContainsAny(target, " <>\n") {
			t.Errorf("link to %q", target)
		}
	}
	for line := range strings.SplitSeq(p.Text, "\n") {
		if strings.HasPrefix(line, "From ") {
			t.Errorf("line %q is not protected", line)
		}
	}
}

func checkLine(t *testing.T, line string) {
	t.Helper()
	if i := strings.IndexFunc(line, func(r rune) bool { return unicode.IsControl(r) || turnsDirection(r) }); i >= 0 {
		t.Errorf("control character in the line %q", line)
	}
	if line != strings.TrimSpace(line) || !utf8.ValidString(line) {
		t.Errorf("line %q is not trimmed or not UTF-8", line)
	}
}

// wellFormed checks that elements are nested as in a page written by hand.
func wellFormed(page string) bool {
	var open []string
	for _, part := range strings.Split(page, "<")[1:] {
		name := strings.FieldsFunc(part, func(r rune) bool { return r == ' ' || r == '>' || r == '\n' })[0]
		switch {
		case name == "br" || name == "hr" || name == "meta" || name == "!DOCTYPE":
		case name[0] != '/':
			open = append(open, name)
		case len(open) == 0 || open[len(open)-1] != name[1:]:
			return false
		default:
			open = open[:len(open)-1]
		}
	}
	return len(open) == 0
}

func TestLine(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"words stay as they are", "Quote #1042: *not* <Markdown> & so on", "Quote #1042: *not* <Markdown> & so on"},
		{"a field is not escaped", "For {{ company }}", "For A & B <Ltd>"},
		{"a line break is a space", "For {{ lines }}", "For one two"},
		{"a condition works", `{% if company contains "&" %}a{% else %}b{% endif %} {{ nick | default: "x" }}`, "a x"},
		{"spaces are single and trimmed", " a  {% if nick %}b{% endif %} c ", "a c"},
		{"braces in raw words stay", "{% raw %}{{ a }}{% endraw %}", "{{ a }}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			line, err := ParseLine(test.source, Position{1, 1})
			if err != nil {
				t.Fatal(err)
			}
			got, err := line.Render(Fields{"company": "A & B <Ltd>", "lines": "one\r\ntwo"})
			if err != nil || got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
	if _, err := ParseLine("a {{ b | nope }}", Position{4, 10}); err == nil || err.Error() != `4:19: unknown filter "nope"` {
		t.Errorf("got %v", err)
	}
}

// TestFlowed holds lines against RFC 3676: taken apart and joined again, the
// paragraphs are the words that went in.
func TestFlowed(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("some words of various lengths, From > to, ", 20))
	parts := mustRender(t, "{{ x }}\n\n> {{ x }}\n\n- {{ x }}\n", Fields{"x": long})
	var paragraphs []string
	joining := false
	for line := range strings.Lines(parts.Text) {
		line = strings.TrimSuffix(line, "\n")
		if n := len(line); n > columns {
			t.Errorf("%d columns: %q", n, line)
		}
		quoted := strings.TrimLeft(line, ">")
		quoted = strings.TrimPrefix(quoted, " ")
		if joining {
			paragraphs[len(paragraphs)-1] += quoted
		} else {
			paragraphs = append(paragraphs, quoted)
		}
		joining = strings.HasSuffix(line, " ")
	}
	if len(paragraphs) < 4 || paragraphs[0] != long || paragraphs[2] != long {
		t.Errorf("joined again:\n%q", paragraphs)
	}
}

// TestNoNetwork keeps the package where it is: sequences and engine import it,
// and neither may reach the network, so that every decision can be tested
// without one.
func TestNoNetwork(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for dependency := range strings.FieldsSeq(string(out)) {
		if dependency == "net" || dependency == "net/http" {
			t.Errorf("the package imports %s", dependency)
		}
	}
}

// ours is an element as this package writes it.
var ours = regexp.MustCompile(`^/?(html|head|meta|body|div|p|br|hr|ul|ol|li|blockquote|h[2-6]|pre|code|a|em|strong|table|tr|th|td|!DOCTYPE)` +
	`( (lang|dir|charset|name|content|style|href|start|scope)="[^"<>]*")*( html)?>`)

// onlyOurs says whether a page holds no element but those this package writes.
func onlyOurs(page string) bool {
	for _, piece := range strings.Split(page, "<")[1:] {
		if !ours.MatchString(piece) {
			return false
		}
	}
	return true
}
