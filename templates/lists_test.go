package templates

import (
	"strings"
	"testing"
)

// TestFiltersThatCannotWork: what is wrong whatever the fields hold is found
// when the template is read.
func TestFiltersThatCannotWork(t *testing.T) {
	for source, want := range map[string]string{
		`{{ "now" | date: "%Y" }}`:                    `1:4: filter "date": "now" is not a date; write the field today, without quotes`,
		`{{ d | default: "soon" | date: "%Y" }}`:      `1:17: filter "date": "soon" is not a date such as 2026-03-14`,
		`{{ name | sort }}`:                           `1:11: filter "sort" takes a list; split makes one, as in split: ";"`,
		`{{ name | first }}`:                          `1:11: filter "first" takes a list; split makes one, as in split: ";"`,
		`{{ name | reverse }}`:                        `1:11: filter "reverse" takes a list; split makes one, as in split: ";"`,
		`{{ name | strip | join: ", " }}`:             `1:19: filter "join" takes a list; split makes one, as in split: ";"`,
		`{{ name | split: ";" | first | last }}`:      `1:32: filter "last" takes a list; split makes one, as in split: ";"`,
		`{{ name | split: ";" | upcase }}`:            `1:24: filter "upcase" does not take a list; join makes words of one, first and last take one out`,
		`{{ name | truncate: "b" }}`:                  `1:21: filter "truncate": "b" is not a number`,
		`{{ name | slice: 0, "b" }}`:                  `1:21: filter "slice": "b" is not a number`,
		`{{ a | times: "x" }}`:                        `1:15: filter "times": "x" is not a number`,
		`{{ "x" | times: a }}`:                        `1:4: filter "times": "x" is not a number`,
		`{{ d | plus_days: "x" }}`:                    `1:19: filter "plus_days": "x" is not a number`,
		`{% for i in name %}{{ i }}{% endfor %}`:      `1:13: for goes through a list; split makes one, as in {% for i in items | split: ";" %}`,
		`{% for i in name limit: 2 %}x{% endfor %}`:   `1:13: for goes through a list; split makes one, as in {% for i in items | split: ";" %}`,
		`{% assign l = "a" | uniq %}{{ l | size }}`:   `1:21: filter "uniq" takes a list; split makes one, as in split: ";"`,
		`{% assign l = 3 | date: "%Y" %}{{ l }}`:      `1:15: filter "date": "3" is not a date such as 2026-03-14`,
		`{% if name %}{{ "" | date: "" }}{% endif %}`: `1:17: filter "date": "" is not a date such as 2026-03-14`,
	} {
		if _, err := Parse(source, Position{1, 1}); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", source, err, want)
		}
	}
}

// TestFiltersThatFail: what a field turns out not to be is told in words, with
// the filter's name.
func TestFiltersThatFail(t *testing.T) {
	fields := Fields{"x": "J", "items": "b;a;b"}
	for source, want := range map[string]string{
		`{% assign l = x %}{{ l | sort }}`:                                 `sort: "J" is not a list; split makes one, as in split: ";"`,
		`{% for i in items | split: ";" %}{{ i | join: "," }}{% endfor %}`: `join: "b" is not a list; split makes one, as in split: ";"`,
		`{{ x | truncate: x }}`:                                            `field x: "J" is not a number`,
		`{{ x | truncatewords: x }}`:                                       `field x: "J" is not a number`,
		`{{ x | slice: x }}`:                                               `field x: "J" is not a number`,
		`{{ x | date: "%Y" }}`:                                             `field x: "J" is not a date such as 2026-03-14`,
		`{{ "2026-03-14" | plus_days: x }}`:                                `field x: "J" is not a number`,
		`{% for i in (1..x) %}{{ i }}{% endfor %}`:                         `"J" is not a number`,
	} {
		template, err := Parse(source, Position{1, 1})
		if err != nil {
			t.Errorf("%s: %v", source, err)
		} else if _, err := template.Render(fields); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", source, err, want)
		}
	}
}

func TestLists(t *testing.T) {
	fields := Fields{"items": "b;a;b", "word": "Größe"}
	for source, want := range map[string]string{
		`{{ items | split: ";" | sort | join: ", " }}`:                            "a, b, b",
		`{{ items | split: ";" | uniq | reverse | join }}`:                        "a b",
		`{{ items | split: ";" | first }}{{ items | split: ";" | last }}`:         "bb",
		`{{ items | split: ";" | size }} {{ word | size }}`:                       "3 5",
		`{{ items | split: ";" | slice: 1, 9 | join }} {{ word | slice: -3, 2 }}`: "a b öß",
		`{% assign l = items | split: ";" %}{{ l | sort | first }}{{ l | size }}`: "a3",
		`{{ word | slice: 1 }}{{ word | slice: 7, 2 }}{{ word | truncate: "4" }}`: "rG...",
		`{{ "straße" | upcase }} {{ "ÉCLAIR" | downcase }}`:                       "STRASSE éclair",
	} {
		if got := strings.TrimSpace(mustRender(t, source, fields).Text); got != want {
			t.Errorf("%s: %q, want %q", source, got, want)
		}
	}
}
