package templates

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func seeds(f *testing.F, add func(source string)) {
	add(everywhere)
	add(benchBody)
	for name := range partials {
		add("- a {% render \"" + name + "\" %}\n\n{{ signature }}")
	}
	for _, name := range []string{"quote", "branches", "wide"} {
		source, err := os.ReadFile("testdata/" + name + ".md")
		if err != nil {
			f.Fatal(err)
		}
		add(string(source))
	}
	for _, source := range []string{
		"| a | {{ x }} |\n|:-|-:|\n| {{ x | plus_days: 3 }} | {% if x %}b{% endif %} |\n{% if x %}\n| c |\n{% endif %}", "# a\n\n### {{ x }}\n",
		"| a | b |\n|---|---|\n{% for i in (1..2) %}\n{% if x %}\n| {{ i }} | c |\n{% endif %}\n{% endfor %}\n| d | e |", "[![a](b)]({{ x }}) [](c) ![](d) [e](tel:+1 2) <b>",
		"{% if a %}- x\n{% endif %}", "- {% if x %}\n- b{% endif %}", "{{", "{%", "{% for a in (1..x) %}{{ a }}{% endfor %}",
		"{{ x | slice: -1, -5 | truncate: -3 | times: x | date: \"%Q\" }}", "[{{x}}]: {{x}}\n[{{x}}]", "&#1;&#116;ag0x0w", "{% raw %}\x01{% endraw %}",
		"{% case x %}y{% when x %}{% endcase %}", "1. a\n{% if x %}\n2. b\n{% endif %}\n3. c", "<{{x}}>\n<!--{{x}}", "```{{x}}\n{{x}}\n```", "*{{x}}**{{x}}*",
	} {
		add(source)
	}
}

// FuzzParse gives the compiler any source and any values: nothing panics, every
// mistake has a place, and what comes out is whole.
func FuzzParse(f *testing.F) {
	seeds(f, func(source string) { f.Add(source) })
	f.Fuzz(func(t *testing.T, source string) {
		fields := Fields{"x": "<script>\n6200", "first_name": "Anna", "amount": "6200", "project": "a b"}
		if line, err := ParseLine(source, Position{1, 1}); err == nil {
			if out, err := line.Render(fields); err == nil {
				checkLine(t, out)
			}
		} else if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("%v has no place", err)
		}
		template, err := ParseWith(source, Position{1, 1}, shelf(partials))
		if err != nil {
			if mistake, ok := errors.AsType[*Error](err); !ok || mistake.Line < 1 || mistake.Column < 1 {
				t.Errorf("%v has no place", err)
			}
			if strings.Contains(err.Error(), "template: ") || strings.Contains(err.Error(), "Liquid error") {
				t.Errorf("%q: %v", source, err)
			}
			return
		}
		parts, err := template.Render(fields)
		if err != nil {
			return
		}
		if !onlyOurs(parts.HTML) || !wellFormed(parts.HTML) {
			t.Errorf("%q became\n%s", source, parts.HTML)
		}
	})
}

// FuzzRender gives a template with a field in every place any value: the page
// keeps its elements and the kind of its links, the value is words in it, and
// the subject is one header.
func FuzzRender(f *testing.F) {
	for _, value := range hostileValues {
		f.Add(value)
	}
	template, err := Parse(everywhere, Position{1, 1})
	if err != nil {
		f.Fatal(err)
	}
	subject, err := ParseLine("Re: {{ x }}", Position{1, 1})
	if err != nil {
		f.Fatal(err)
	}
	harmless, err := template.Render(Fields{"x": "Anna"})
	if err != nil {
		f.Fatal(err)
	}
	want := tagsOf(harmless.HTML)
	f.Fuzz(func(t *testing.T, value string) {
		fields := Fields{"x": value}
		if parts, err := template.Render(fields); err == nil {
			checkParts(t, parts)
			checkPage(t, value, parts.HTML, want)
			if !onlyOurs(parts.HTML) || !wellFormed(parts.HTML) {
				t.Errorf("%q became\n%s", value, parts.HTML)
			}
			if !strings.Contains(parts.HTML, string(appendHTML(nil, clean(value)))) {
				t.Errorf("%q is not escaped as words in\n%s", value, parts.HTML)
			}
		} else if _, ok := errors.AsType[*MissingError](err); !ok || clean(value) != "" {
			t.Errorf("%q: %v", value, err)
		}
		if line, err := subject.Render(fields); err == nil {
			checkLine(t, line)
			checkHeader(t, value, line)
		}
	})
}
