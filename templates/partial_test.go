package templates

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shelf is a set of partials.
func shelf(partials map[string]string) Options {
	return Options{Signature: "anna", Language: "en", Partial: func(name string) (string, error) {
		text, ok := partials[name]
		if !ok {
			return "", fmt.Errorf("no partial %s: %w", name, fs.ErrNotExist)
		}
		return text, nil
	}}
}

var partials = map[string]string{
	"short": "in {{ days }} days\n", "long": "One.\r\n\r\n- two\r\n- three\r\n", "anna": "-- \nAnna Berg\n**Berg** Roofing\n\nMain St\n",
	"outer": "Before\n\n{% render \"long\" %}\n\nafter.\n", "one": "{% render \"two\" %}", "two": "{% render \"three\" %}", "three": "{% render \"four\" %}",
	"four": "x", "self": "{% render \"self\" %}", "open": "{% if a %}x", "bad": "{{ a | nope }}", "many": strings.Repeat("{% render \"four\" %} ", 150),
	"more": "{% render \"many\" %} {% render \"many\" %}",
}

func TestPartials(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"in a sentence", "It comes {% render \"short\" %}, surely.", "It comes in 3 days, surely."},
		{"as blocks", "a\n\n{% render \"long\" %}\n\nb", "a\n\nOne.\n\n- two\n- three\n\nb"},
		{"alone", "{% render \"long\" %}", "One.\n\n- two\n- three"},
		{"in a list", "- a\n\n  {% render \"long\" %}\n\n- b", "- a\n\n   One.\n\n   - two\n   - three\n\n- b"},
		{"in a branch", "{% if days > 2 %}\n{% render \"long\" %}\n{% endif %}", "One.\n\n- two\n- three"},
		{"in a partial", "{% render \"outer\" %}", "Before\n\nOne.\n\n- two\n- three\n\nafter."},
		{"a signature keeps its lines", "Hi.\n\n{{ signature }}", "Hi.\n\n-- \nAnna Berg\nBerg Roofing\n\nMain St"},
		{"a signature behind words", "Best, {{ signature }}", "Best, --\nAnna Berg\nBerg Roofing\n\nMain St"},
		{"the field, where a filter asks for it", "{{ signature | upcase }}", "FIELD"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			template, err := ParseWith(test.source, Position{1, 1}, shelf(partials))
			if err != nil {
				t.Fatal(err)
			}
			parts, err := template.Render(Fields{"days": "3", "signature": "field"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, strings.TrimSuffix(parts.Text, "\n")); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
			if !wellFormed(parts.HTML) {
				t.Errorf("not well formed:\n%s", parts.HTML)
			}
		})
	}
}

func TestPartialsThatCannotBe(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"missing", `a {% render "gone" %}`, "1:3: no partial gone: file does not exist"},
		{"several lines in a sentence", `a {% render "long" %}`, `1:3: partial "long" has several lines; put its tag on a line of its own`},
		{"in itself", `{% render "self" %}`, `1:1: partial "self": 1:1: partial "self" stands in itself`},
		{"too deep", `{% render "one" %}`, `1:1: partial "one": 1:1: partial "two": 1:1: partial "three": 1:1: partials in partials more than 3 deep`},
		{"too many", `{% render "more" %}`, `1:1: partial "more": 1:21: partial "many": 1:941: more than 200 partials or 256 KB of them in one body`},
		{"a branch that stays open", "{% render \"open\" %}", `1:1: partial "open": 1:1: {% if %} without {% endif %}`},
		{"a mistake inside", "\n\n{% render \"bad\" %}", `3:1: partial "bad": 1:8: unknown filter "nope"`},
		{"without a name", "{% render %}", `1:1: name one partial in quotes, like {% render "guarantee" %}`},
		{"by a field", "{% render days %}", `1:1: name one partial in quotes, like {% render "guarantee" %}`},
		{"with more words", `{% render "short", days: 3 %}`, `1:1: name one partial in quotes, like {% render "guarantee" %}`},
		{"by its other name", `{% include "short" %}`, `1:1: unknown tag "include"; partials are written {% render "name" %}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseWith(test.source, Position{1, 1}, shelf(partials))
			if _, ok := errors.AsType[*Error](err); !ok || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
	if _, err := ParseLineWith(`x {% render "short" %}`, Position{1, 1}, shelf(partials)); err == nil || err.Error() != "1:3: a subject holds no partials" {
		t.Errorf("in a subject: %v", err)
	}
}

func TestUsesOfPartialsStandAtTheirTags(t *testing.T) {
	template, err := ParseWith("{{ a }}\n\nb {% render \"short\" %} {{ c }}", Position{5, 3}, shelf(partials))
	if err != nil {
		t.Fatal(err)
	}
	want := []Use{{Field: "a", Position: Position{5, 6}}, {Field: "days", Position: Position{7, 3}, Partial: "short"}, {Field: "c", Position: Position{7, 27}}}
	if diff := cmp.Diff(want, template.Uses()); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
	if got := strings.Join(template.Partials(), " "); got != "short" {
		t.Errorf("partials are %q", got)
	}
}

func TestBusinessDaysOfADateFilterPassOverOffDays(t *testing.T) {
	off := func(d time.Time) bool {
		return d.Weekday() == time.Saturday || d.Weekday() == time.Sunday || d.Format("01-02") == "12-24" || d.Format("01-02") == "12-25"
	}
	template, err := ParseWith(`{{ d | plus_business_days: n }}{% if d %} {{ d | plus_business_days: 1 | date: "%a" }}{% endif %}`, Position{1, 1}, Options{OffDay: off})
	if err != nil {
		t.Fatal(err)
	}
	parts, err := template.Render(Fields{"d": "2026-12-23", "n": "2"})
	if want := "2026-12-29 Mon\n"; err != nil || parts.Text != want {
		t.Errorf("got %q, %v; want %q", parts.Text, err, want)
	}
	if _, err := template.Render(Fields{"d": "2026-12-23", "n": "2000000"}); err == nil {
		t.Error("two million business days were counted")
	}
	never, err := ParseWith("{{ d | plus_business_days: 1 }}", Position{1, 1}, Options{OffDay: func(time.Time) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := never.Render(Fields{"d": "2026-12-23"}); err == nil {
		t.Error("a business day was found where there is none")
	}
}

func TestTodayIsReadInItsOtherFormByDateFilters(t *testing.T) {
	template, err := Parse(`{{ today }}: {{ today | plus_days: 1 | date: "%A" }}`, Position{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	parts, err := template.Render(Fields{"today": "Monday 23 November", "today.iso": "2026-11-23"})
	if want := "Monday 23 November: Tuesday\n"; err != nil || parts.Text != want {
		t.Errorf("got %q, %v; want %q", parts.Text, err, want)
	}
	for _, u := range template.Uses() {
		if u.Field != "today" {
			t.Errorf("uses %s", u.Field)
		}
	}
	if uses := template.Uses(); len(uses) != 2 || uses[0].AsDate || !uses[1].AsDate {
		t.Errorf("uses are %+v", uses)
	}
}

func TestConditions(t *testing.T) {
	fields := Fields{"amount": "6200", "plan": "b", "empty": " ", "name": "Anna"}
	tests := map[string]bool{
		"amount > 5000": true, "amount > 7000": false, `plan == "b" and amount >= 6200`: true, `plan == "c" or name contains "nn"`: true,
		"empty": false, "missing": false, "missing == blank": true, "name": true, "amount": true, `name != "Bo"`: true, "missing > 3": false,
	}
	for source, want := range tests {
		c, err := ParseCondition(source, Position{1, 1})
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got, err := c.Holds(fields); err != nil || got != want || c.String() != source {
			t.Errorf("%s is %v, %v", c, got, err)
		}
	}
	for source, want := range map[string]string{
		"": "4:7: no condition; write for example amount > 5000", "amount >": "4:7: amount > is not complete: a field's name or a quoted text is missing",
		"amount = 3": "4:14: unexpected =; two of them compare, ==", "a b": "4:9: unexpected b; the tag's end should stand here",
		"{{ a }}": `4:7: unexpected '{' in a tag`, `a == "x" %}{{ b }}`: `4:16: unexpected '%' in a tag`,
	} {
		if _, err := ParseCondition(source, Position{4, 7}); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", source, err, want)
		}
	}
	c, err := ParseCondition("amount > 5000 and plan", Position{2, 10})
	if err != nil {
		t.Fatal(err)
	}
	if uses := c.Uses(); len(uses) != 2 || uses[0].Field != "amount" || uses[1].Position != (Position{2, 28}) {
		t.Errorf("uses are %+v", uses)
	}
}

func TestAWideTableIsStacked(t *testing.T) {
	parts := mustRender(t, "| Part | What it is |\n|---|---|\n| Tiles | {{ long }} |\n| | only this |\n", Fields{"long": strings.Repeat("long words ", 12)})
	want := "Part: Tiles\nWhat it is: long words long words long words long words long words long \n" +
		"words long words long words long words long words long words long words\n\nWhat it is: only this\n"
	if diff := cmp.Diff(want, parts.Text); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}
