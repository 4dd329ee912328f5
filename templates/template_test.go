package templates

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenFields are the fields of every golden file.
var goldenFields = Fields{
	"first_name": "Anna", "quote_no": "Q 10/42", "project": "barn & *shed*", "amount": "6200", "email": "anna@example.com",
	"guarantee": "thirty years", "date": "2026-03-04", "signature": "Anna Berg\nBerg Roofing",
	"long_address": "https://example.com/" + strings.Repeat("a-long-path/", 8),
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden sources: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := mustRender(t, string(source), goldenFields)
			golden(t, strings.TrimSuffix(file, "md")+"txt", parts.Text)
			golden(t, strings.TrimSuffix(file, "md")+"html", parts.HTML)
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func mustRender(t *testing.T, source string, f Fields) Parts {
	t.Helper()
	template, err := Parse(source, Position{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	parts, err := template.Render(f)
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

var styles = regexp.MustCompile(` style="[^"]*"`)

// inner is an HTML part without the document around it and without its styles.
func inner(t *testing.T, html string) string {
	t.Helper()
	_, html, head := strings.Cut(html, "overflow-wrap: break-word;\">\n")
	html, foot := strings.CutSuffix(html, htmlFoot)
	if !head || !foot {
		t.Fatalf("not a complete document: %q", html)
	}
	return strings.TrimSpace(styles.ReplaceAllString(html, ""))
}

func TestRender(t *testing.T) {
	fields := Fields{
		"name": "Anna", "spaces": "  ", "sender.name": "Bo Berg", "amount": "6200", "price": "12,500.50", "code": "0123",
		"plan": "b", "yes": "true", "items": "a;b", "lines": "one\ntwo", "day": "2026-03-04",
	}
	tests := []struct{ name, source, text, html string }{
		{"a soft line break is a space", "one\ntwo", "one two", "<p>one\ntwo</p>"},
		{"a hard line break is kept", "one\\\ntwo", "one\ntwo", "<p>one<br>\ntwo</p>"},
		{"a value's line breaks are kept", "{{ lines }}", "one\ntwo", "<p>one<br>\ntwo</p>"},
		{"a dotted name is one field", "{{ sender.name }}", "Bo Berg", "<p>Bo Berg</p>"},
		{"a blank value takes the default", `{{ spaces | default: "x" }}`, "x", "<p>x</p>"},
		{"a default may be another field", `{{ spaces | default: name }}`, "Anna", "<p>Anna</p>"},
		{"a default may end a chain of filters", `{{ nick | strip | upcase | default: "x" }}`, "x", "<p>x</p>"},
		{"a blank value is false", "{% if spaces %}x{% else %}y{% endif %}", "y", "<p>y</p>"},
		{"a blank value equals nothing", `{% if spaces == "" and spaces == blank and nick == nil %}x{% endif %}`, "x", "<p>x</p>"},
		{"a missing field differs from words", `{% if nick != "a" %}x{% endif %}`, "x", "<p>x</p>"},
		{"a number compares as one", "{% if amount > 5000 %}x{% endif %}{% if 700 < amount %}y{% endif %}", "xy", "<p>xy</p>"},
		{"a price in groups compares as a number", "{% if price >= 12500.5 %}{{ price }}{% endif %}", "12,500.50", "<p>12,500.50</p>"},
		{"two fields compare as numbers", "{% if amount < price %}x{% endif %}", "x", "<p>x</p>"},
		{"words are neither more nor less than a number", "{% if name > 5 or name < 5 %}x{% else %}y{% endif %}", "y", "<p>y</p>"},
		{"an article number keeps its zero", `{% if code == 123 %}x{% endif %}{% if code == "0123" %}y{% endif %}`, "y", "<p>y</p>"},
		{"a number equals its words", `{% if amount == "6200" %}x{% endif %}`, "x", "<p>x</p>"},
		{"true compares with its word", `{% if yes == true %}x{% endif %}`, "x", "<p>x</p>"},
		{"and and or are read from the right", "{% if name or name and spaces %}x{% endif %}", "x", "<p>x</p>"},
		{"contains looks into words", `{% if name contains "nn" %}x{% endif %}`, "x", "<p>x</p>"},
		{"case picks one of several", `{% case plan %}{% when "a", "b" %}x{% else %}y{% endcase %}`, "x", "<p>x</p>"},
		{"case compares numbers by their words", `{% case amount %}{% when 6200 %}x{% endcase %}`, "x", "<p>x</p>"},
		{"for goes through a list", `{% for i in items | split: ";" %}{{ i }}{% if forloop.last %}.{% endif %}{% endfor %}`, "ab.", "<p>ab.</p>"},
		{"for counts", "{% for i in (1..3) reversed %}{{ i }}{% if i == 2 %}{% break %}{% endif %}{% endfor %}", "32", "<p>32</p>"},
		{"assign calculates", "{% assign n = amount | plus: 0.1 | plus: 0.2 %}{{ n }}", "6200.3", "<p>6200.3</p>"},
		{"a date is written as asked", `{{ day | date: "%-d %B %Y" }}`, "4 March 2026", "<p>4 March 2026</p>"},
		{"escape does not escape twice", `{{ "a & b" | escape }}`, "a & b", "<p>a &amp; b</p>"},
		{"capitalize knows letters beyond ASCII", `{{ "éa" | capitalize }}`, "Éa", "<p>Éa</p>"},
		{"a dash removes spaces beside a tag", "a {%- if name %} b {%- endif -%} c", "a bc", "<p>a bc</p>"},
		{"an if may span paragraphs", "{% if nick %}a\n\nb{% endif %}\n\nc", "c", "<p>c</p>"},
		{"an if in emphasis leaves nothing", "a **{% if nick %}b{% endif %}**", "a", "<p>a </p>"},
		{"words around a name are no emphasis", "{{name}}_{{name}}_x", "Anna_Anna_x", "<p>Anna_Anna_x</p>"},
		{"emphasis around a name works", "*{{ name }}*", "Anna", "<p><em>Anna</em></p>"},
		{"a link whose words are its target is named once", "[x.se](https://x.se/)", "x.se", `<p><a href="https://x.se/">x.se</a></p>`},
		{"a link shows where it leads", "[x](https://x.se/{{ name }})", "x (https://x.se/Anna)", `<p><a href="https://x.se/Anna">x</a></p>`},
		{"a bare address is a link", "see www.x.se.", "see http://www.x.se.", `<p>see <a href="http://www.x.se">www.x.se</a>.</p>`},
		{"a mail address is a link", "{{ name }}@x.se", "Anna@x.se", `<p><a href="mailto:Anna@x.se">Anna@x.se</a></p>`},
		{"an image is a link", "![roof](https://x.se/r.png)", "roof (https://x.se/r.png)", `<p><a href="https://x.se/r.png">roof</a></p>`},
		{"an image in a link is words", "[![roof](https://x.se/r.png)](https://x.se/)", "roof (https://x.se/)", `<p><a href="https://x.se/">roof</a></p>`},
		{"a link in an image is words", "![a [b](https://x.se/b)](https://x.se/a)", "a b (https://x.se/a)", `<p><a href="https://x.se/a">a b</a></p>`},
		{"an address in a link's words is words", "[to https://x.se/b](https://x.se/a)", "to https://x.se/b (https://x.se/a)", `<p><a href="https://x.se/a">to https://x.se/b</a></p>`},
		{"a link without words shows where it leads", "![](https://x.se/r.png) [](mailto:a@x.se)", "https://x.se/r.png a@x.se", `<p><a href="https://x.se/r.png">https://x.se/r.png</a> <a href="mailto:a@x.se">a@x.se</a></p>`},
		{"an image without words leaves a link none", "[![](r.png)](https://x.se/{{ name }})", "https://x.se/Anna", `<p><a href="https://x.se/Anna">https://x.se/Anna</a></p>`},
		{"what stands in a dead link is dead", "[![x](https://x.se/)](javascript:0)", "x", "<p>x</p>"},
		{"a link without an address is words", "[x]()", "x", "<p>x</p>"},
		{"a javascript link is dead", "[x](javascript:alert%281%29)", "x", "<p>x</p>"},
		{"an entity does not hide javascript", "[x](java&#115;cript:alert%281%29)", "x", "<p>x</p>"},
		{"url_encode does not encode twice", "[x](https://x.se/{{ sender.name | url_encode }})", "x (https://x.se/Bo%20Berg)", `<p><a href="https://x.se/Bo%20Berg">x</a></p>`},
		{"a heading is a plain line", "### A *b*", "A b", "<h2>A <em>b</em></h2>"},
		{"no heading by underlining", "a\n---\nb", "a\n\n---\n\nb", "<p>a</p>\n<hr>\n<p>b</p>"},
		{"an HTML comment is dropped", "a <!-- {{ nobody }} --> b", "a b", "<p>a  b</p>"},
		{"a comment that never ends is shown", "a <!-- b", "a <!-- b", "<p>a &lt;!-- b</p>"},
		{"HTML is shown as typed", "<div>x</div>", "<div>x</div>", "<p>&lt;div&gt;x&lt;/div&gt;</p>"},
		{"raw words are words", "{% raw %}{{ a }} *b* <c>{% endraw %}", "{{ a }} *b* <c>", "<p>{{ a }} *b* &lt;c&gt;</p>"},
		{"escaped braces in a branch stay", "{% if name %}\\{\\{ a }}{% endif %}", "{{ a }}", "<p>{{ a }}</p>"},
		{"a table stands in columns", "| Part | Price |\n|:--|--:|\n| Tiles | {{ price }} |\n| Gutter for {{ name }} | 80 |",
			"Part                  Price\n---------------   ---------\nTiles             12,500.50\nGutter for Anna          80",
			"<table>\n<tr>\n<th scope=\"col\">Part</th>\n<th scope=\"col\">Price</th>\n</tr>\n<tr>\n<td>Tiles</td>\n<td>12,500.50</td>\n</tr>\n" +
				"<tr>\n<td>Gutter for Anna</td>\n<td>80</td>\n</tr>\n</table>"},
		{"a loop makes rows", "| a | b |\n|---|--:|\n{% for i in items | split: \";\" %}\n| {{ i }} | {{ forloop.index }} |\n{% endfor %}\n| sum | 9 |",
			"a     b\n---   -\na     1\nb     2\nsum   9",
			"<table>\n<tr>\n<th scope=\"col\">a</th>\n<th scope=\"col\">b</th>\n</tr>\n<tr>\n<td>a</td>\n<td>1</td>\n</tr>\n" +
				"<tr>\n<td>b</td>\n<td>2</td>\n</tr>\n<tr>\n<td>sum</td>\n<td>9</td>\n</tr>\n</table>"},
		{"a formatter may make rows of the tags", "| a   | b |\n| --- | - |\n| {% for i in items | split: \";\" %} | |\n| {{ i }} | 1 |\n| {% endfor %} |   |",
			"a   b\n-   -\na   1\nb   1",
			"<table>\n<tr>\n<th scope=\"col\">a</th>\n<th scope=\"col\">b</th>\n</tr>\n<tr>\n<td>a</td>\n<td>1</td>\n</tr>\n<tr>\n<td>b</td>\n<td>1</td>\n</tr>\n</table>"},
		{"a branch makes rows, in a loop and in a quote", "> | a |\n> |---|\n> {% for i in items | split: \";\" %}\n> {% if i == \"b\" %}\n> | {{ i }} |\n> {% else %}\n> | x |\n> {% endif %}\n> {% endfor %}\n\nc",
			"> a\n> -\n> x\n> b\n\nc",
			"<blockquote>\n<table>\n<tr>\n<th scope=\"col\">a</th>\n</tr>\n<tr>\n<td>x</td>\n</tr>\n<tr>\n<td>b</td>\n</tr>\n</table>\n</blockquote>\n<p>c</p>"},
		{"a branch around a table ends it", "{% if name %}\n| a |\n|---|\n| b |\n{% endif %}\n{% if name %}\nc\n{% endif %}",
			"a\n-\nb\n\nc", "<table>\n<tr>\n<th scope=\"col\">a</th>\n</tr>\n<tr>\n<td>b</td>\n</tr>\n</table>\n\n\n<p>c</p>"},
		{"an empty cell keeps its place", "| a | b |\n|---|---|\n| {% if nick %}x{% endif %} | y |", "a   b\n-   -\n     y",
			"<table>\n<tr>\n<th scope=\"col\">a</th>\n<th scope=\"col\">b</th>\n</tr>\n<tr>\n<td></td>\n<td>y</td>\n</tr>\n</table>"},
		{"days are added to a date", `{{ day | plus_days: 30 | date: "%-d %B" }} {{ day | plus_days: -1 }}`, "3 April 2026-03-03", "<p>3 April 2026-03-03</p>"},
		{"business days are added to a date", `{{ day | plus_business_days: 3 | date: "%A" }} {{ day | plus_business_days: -3 }}`, "Monday 2026-02-27", "<p>Monday 2026-02-27</p>"},
		{"nothing gives nothing", "", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			parts := mustRender(t, test.source, fields)
			if got := strings.TrimSuffix(parts.Text, "\n"); got != test.text {
				t.Errorf("text of %q:\n got %q\nwant %q", test.source, got, test.text)
			}
			if got := inner(t, parts.HTML); got != test.html {
				t.Errorf("html of %q:\n got %q\nwant %q", test.source, got, test.html)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	tests := []struct{ name, source, field string }{
		{"a bare field", "{{ a }}", "a"},
		{"a dotted field", "{{ sender.name }}", "sender.name"},
		{"a field of spaces", "{{ spaces }}", "spaces"},
		{"a filter does not hide it", "{{ a | upcase }}", "a"},
		{"an argument counts", "{{ name | append: a }}", "a"},
		{"appending comes before a default", `{{ a | append: "x" | default: "y" }}`, "a"},
		{"a date filter does not hide it", `{{ a | date: "%d" | default: "soon" }}`, "a"},
		{"a default that is missing too", "{{ a | default: b }}", "b"},
		{"in a taken branch", "{% if name %}{{ a }}{% endif %}", "a"},
		{"in a link target", "[x](https://x.se/{{ a }})", "a"},
		{"in an assign", "{% assign x = a %}{{ name }}", "a"},
		{"in a loop", `{% for x in a | split: "," %}{% endfor %}`, "a"},
		{"an assign that was not reached", "{% if a %}{% assign x = a %}{% endif %}{{ x }}", "x"},
		{"harmless in a branch not taken", "{% if a %}{{ a }}{% endif %}", ""},
		{"harmless as a condition", "{% if a > 5 %}x{% endif %}{% unless a %}y{% endunless %}", ""},
		{"harmless in case", `{% case a %}{% when "x" %}{{ a }}{% endcase %}`, ""},
		{"harmless with a default", `{{ a | default: "" }}`, ""},
		{"harmless when the default is not needed", "{{ name | default: a }}", ""},
		{"harmless in a comment", "{% comment %}{{ a }}{% endcomment %}", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			template, err := Parse(test.source, Position{1, 1})
			if err != nil {
				t.Fatal(err)
			}
			_, err = template.Render(Fields{"name": "Anna", "spaces": " \t"})
			missing, ok := errors.AsType[*MissingError](err)
			switch {
			case test.field == "" && err != nil:
				t.Errorf("%s: %v", test.source, err)
			case test.field != "" && (!ok || missing.Field != test.field):
				t.Errorf("%s: got %v, want a MissingError for %q", test.source, err, test.field)
			}
		})
	}
}

// TestMistakes marks with ¶ where the mistake is said to be.
func TestMistakes(t *testing.T) {
	tests := []struct{ name, source, message string }{
		{"an unknown filter", "a\n{{ name | ¶upcse }}", `unknown filter "upcse"`},
		{"an unknown filter within a word's reach", "é {{ name | ¶json }}", `unknown filter "json"`},
		{"no way past the escaping", "{{ name | ¶safe }}", `unknown filter "safe"`},
		{"no filters of our own", "{{ name | ¶_html }}", `unknown filter "_html"`},
		{"no files", `¶{% include "x" %}`, `unknown tag "include"`},
		{"no partials where there are none", `¶{% render "x" %}`, "there are no partials here"},
		{"no capture", "¶{% capture x %}{% endcapture %}", `unknown tag "capture"`},
		{"an output that never ends", "a\n\nb ¶{{ name\n\nmore", "not closed"},
		{"a tag that never ends", "¶{% if a \n {% endif %}", "not closed"},
		{"an empty output", "¶{{ }}", "empty tag"},
		{"an empty tag", "¶{% %}", "empty tag"},
		{"a name in two words", "{{ first ¶name }}", "unexpected name"},
		{"curly quotes", "{{ name | default: ¶“there” }}", "straight quotes"},
		{"a default without words", "{{ name | ¶default }}", "takes one argument, not 0"},
		{"an argument too many", `{{ name | ¶upcase: "x" }}`, "takes no argument, not 1"},
		{"a comparison in an output", "{{ a ¶== b }}", "unexpected =="},
		{"a single equals sign", "{% if a ¶= b %}{% endif %}", "unexpected ="},
		{"half a condition", "¶{% if a > %}{% endif %}", "not complete"},
		{"an if that never ends", "a\n\n¶{% if a %}\n\nb", "without {% endif %}"},
		{"an endif on its own", "x ¶{% endif %}", "without {% if %}"},
		{"the wrong end", "{% if a %}x¶{% endunless %}", "of line 10 is still open"},
		{"an else on its own", "¶{% else %}", "must stand directly in"},
		{"an else after the else", "{% if a %}{% else %}¶{% else %}{% endif %}", "after the {% else %}"},
		{"a when outside of case", "{% if a %}¶{% when 1 %}{% endif %}", "must stand directly in {% case %}"},
		{"a break outside of for", "¶{% break %}", "outside of a {% for %}"},
		{"an if closed in another list", "- {% if a %}x\n\ny ¶{% endif %}", "deeper"},
		{"an if closed outside its emphasis", "**{% if a %}x** y ¶{% endif %}", "deeper"},
		{"a branch in a link target", "[x](https://x.se/¶{% if a %}b{% endif %})", "a link target can hold"},
		{"a comment that never ends", "a ¶{% comment %} b", "without {% endcomment %}"},
		{"a lone surprise", "{{ name ¶& }}", "unexpected '&'"},
		{"a number without end", "{{ ¶12345678901234567890 }}", "too long"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before, after, _ := strings.Cut(test.source, "¶")
			want := Position{Line: 10, Column: 5}
			for _, r := range before {
				if want.Column++; r == '\n' {
					want = Position{Line: want.Line + 1, Column: 1}
				}
			}
			_, err := Parse(before+after, Position{10, 5})
			mistake, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("got %v, want an *Error", err)
			}
			if mistake.Position != want || !strings.Contains(err.Error(), test.message) {
				t.Errorf("got %v, want %d:%d: …%s…", err, want.Line, want.Column, test.message)
			}
		})
	}
}

func TestUses(t *testing.T) {
	const source = "{{ a }} {{ b | default: c }}\n\n" +
		"{% if d > 5 and e %}{{ d }} {{ f }}{% else %}{{ e }}{% endif %}\n\n" +
		"[{{ g }}](https://x.se/{{ h }}) {% unless i == blank %}{{ i }}{% endunless %} {{ sender.name | upcase }}"
	template, err := Parse(source, Position{3, 7})
	if err != nil {
		t.Fatal(err)
	}
	want := []Use{
		{"a", Position{3, 10}, false, false, ""}, {"b", Position{3, 18}, true, false, ""}, {"c", Position{3, 31}, false, false, ""},
		{"d", Position{5, 7}, true, false, ""}, {"e", Position{5, 17}, true, false, ""}, {"d", Position{5, 24}, true, false, ""},
		{"f", Position{5, 32}, false, false, ""}, {"e", Position{5, 49}, false, false, ""},
		{"g", Position{7, 5}, false, false, ""}, {"h", Position{7, 27}, false, false, ""}, {"i", Position{7, 43}, true, false, ""},
		{"i", Position{7, 59}, true, false, ""}, {"sender.name", Position{7, 82}, false, false, ""},
	}
	if diff := cmp.Diff(want, template.Uses()); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
}

func TestLimits(t *testing.T) {
	if _, err := Parse(strings.Repeat("a", maxSource+1), Position{1, 1}); err == nil {
		t.Error("a body over the limit was compiled")
	}
	if _, err := Parse(strings.Repeat("[a](", 10_000), Position{1, 1}); err == nil {
		t.Error("a bracket bomb was compiled")
	}
	for _, bomb := range []string{"> ", ">", "1. ", "- ", "+\t"} {
		if _, err := Parse(strings.Repeat(bomb, 50_000)+"a", Position{1, 1}); err == nil {
			t.Errorf("fifty thousand %q in one line were compiled", bomb)
		}
	}
	for name, source := range map[string]string{
		"a loop without end":  "{% for a in (1..2000000000) %}{% endfor %}x",
		"loops in loops":      strings.Repeat("{% for a in (1..90) %}", 6) + strings.Repeat("{% endfor %}", 6),
		"words that double":   `{% assign s = "ab" %}{% for a in (1..60) %}{% assign s = s | append: s %}{% endfor %}x`,
		"a page without end":  "{% for a in (1..9000) %}{{ long }}{% endfor %}",
		"a sum over words":    "{{ long | plus: 1 }}",
		"a date that is none": `{{ long | date: "%d" }}`,
		"now is no date":      `{% assign n = "now" %}{{ n | date: "%d" }}`,
	} {
		template, err := Parse(source, Position{1, 1})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := template.Render(Fields{"long": strings.Repeat("ab ", 300)}); err == nil {
			t.Errorf("%s: rendered", name)
		}
	}
	parts := mustRender(t, "{{ a }}", Fields{"a": strings.Repeat("é", 2_000)})
	if n := strings.Count(parts.Text, "é"); n != maxValue {
		t.Errorf("an overlong value was cut to %d characters, want %d", n, maxValue)
	}
}

func TestRenderInParallel(t *testing.T) {
	template, err := Parse(benchBody, Position{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	want, err := template.Render(benchFields)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got, err := template.Render(benchFields); err != nil || got != want {
					t.Errorf("got %v, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// A value that a filter cannot calculate with is told with the field it came
// from, unless nobody knows it.
func TestAWrongValueIsToldWithItsField(t *testing.T) {
	fields := Fields{"amount": "12 kr", "until": "soon", "n": "x"}
	for source, want := range map[string]string{
		"{{ amount | times: 2 }}":                      `field amount: "12 kr" is not a number`,
		"{{ 2 | times: n }}":                           `field n: "x" is not a number`,
		"{{ until | date: \"%d\" }}":                   `field until: "soon" is not a date such as 2026-03-14`,
		"{% assign a = until %}{{ a | plus_days: 1 }}": `plus_days: "soon" is not a date such as 2026-03-14`,
		"{{ k | default: amount | times: 2 }}":         `times: "12 kr" is not a number`,
	} {
		parsed, err := Parse(source, Position{Line: 1, Column: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsed.Render(fields); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", source, err, want)
		}
	}
}
