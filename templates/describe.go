package templates

import (
	"maps"
	"slices"
)

// Described is a word of the language and what it does.
type Described struct{ Name, Form, Does string }

// Filters lists the filters of the language, by name.
func Filters() []Described {
	var all []Described
	for _, name := range filterNames() {
		rule := filterRules[name]
		all = append(all, Described{Name: name, Form: rule.String(), Does: rule.says})
	}
	return all
}

func filterNames() []string { return slices.Sorted(maps.Keys(filterRules)) }

// tags are the tags of the language, in the order of the reference.
var tags = []Described{
	{"if", `{% if amount > 5000 %} … {% elsif plan == "b" %} … {% else %} … {% endif %}`, "words for some prospects; with ==, !=, <, >, <=, >=, contains, and, or"},
	{"unless", "{% unless phone %} … {% endunless %}", "words for all others"},
	{"case", `{% case plan %}{% when "a", "b" %} … {% else %} … {% endcase %}`, "words by a field's value"},
	{"for", `{% for item in items | split: ";" %} … {% endfor %}`, "words once for each member of a list; with reversed, limit: and offset:; on lines of their own between the rows of a table, a row for each"},
	{"break", "{% break %}", "leaves a for"},
	{"continue", "{% continue %}", "goes on with the next member of a for"},
	{"assign", "{% assign total = amount | times: 1.25 %}", "gives a result a name"},
	{"render", `{% render "guarantee" %}`, "the words of partials/guarantee.md, filled in with the same fields"},
	{"comment", "{% comment %} … {% endcomment %}", "words that are never sent"},
	{"raw", "{% raw %} … {% endraw %}", "words in which {{ and {% are just that"},
}

// Tags lists the tags of the language.
func Tags() []Described { return slices.Clone(tags) }

// tagNames are the words that may follow {%.
func tagNames() []string {
	names := []string{"elsif", "else", "when", "endif", "endunless", "endcase", "endfor", "endcomment", "endraw"}
	for _, t := range tags {
		names = append(names, t.Name)
	}
	return names
}
