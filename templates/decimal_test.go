package templates

import (
	"strings"
	"testing"
)

func TestCalculating(t *testing.T) {
	fields := Fields{"a": "999.99", "b": "1000", "c": "0.9", "d": "6200", "big": "99999999999999999999", "price": "12,500.50", "n": "12", "x": "x"}
	tests := []struct{ source, want string }{
		{"{{ a | divided_by: 12 }}", "83.3325"},
		{"{{ b | divided_by: 12 }}", "83.3333333333"},
		{"{{ b | divided_by: n | round: 2 }}", "83.33"},
		{"{{ 2 | divided_by: 3 }}", "0.6666666667"},
		{"{{ b | divided_by: 3 | times: 3 }}", "1000"},
		{"{{ c | divided_by: 12 }}", "0.075"},
		{"{{ d | divided_by: 12 | floor }}", "516"},
		{"{{ big | divided_by: 3 }}", "33333333333333333333"},
		{"{{ big | plus: 1 }}", "100000000000000000000"},
		{"{{ b | plus: 123456789012345 }}", "123456789013345"},
		{`{{ b | times: "1.1" }} {{ b | times: 1.1 }}`, "1100 1100"},
		{"{{ price | times: 0.19 }}", "2375.095"},
		{"{{ price | times: 0.19 | round: 2 }}", "2375.1"},
		{"{{ price | minus: b | minus: 11500.5 }}", "0"},
		{"{{ 1.005 | round: 2 }} {{ 2.5 | round }} {{ -2.5 | round }} {{ 1250 | round: -2 }}", "1.01 3 -3 1300"},
		{"{{ -0.5 | ceil }} {{ -0.5 | floor }} {{ 0.5 | ceil }} {{ -3.5 | abs }}", "0 -1 1 3.5"},
		{"{{ b | modulo: n }} {{ 7.5 | modulo: 2 }} {{ -7 | modulo: 3 }}", "4 1.5 -1"},
		{"{{ 0.1 | plus: 0.2 }}", "0.3"},
		{"{% assign m = b | divided_by: 8 %}{% if m == 125 and m > 124.9 %}{{ m }}{% endif %}", "125"},
		{"{% assign m = b | divided_by: 8 %}{% case m %}{% when 125 %}y{% endcase %}{{ m | append: \"!\" }}", "y125!"},
		{"{% assign m = b | divided_by: 500 %}{% for i in (1..m) %}{{ i | times: 1.5 }};{% endfor %}", "1.5;3;"},
		{"{% assign m = 3 %}{% for i in (1..9999) %}{% assign m = m | divided_by: 7 | times: 5 %}{% endfor %}{{ m }}", "0"},
	}
	for _, test := range tests {
		if got := strings.TrimSpace(mustRender(t, test.source, fields).Text); got != test.want {
			t.Errorf("%s: %q, want %q", test.source, got, test.want)
		}
	}
	for source, want := range map[string]string{
		"{{ b | modulo: 0 }}":     "modulo: divided by 0",
		"{{ b | divided_by: 0 }}": "divided_by: divided by 0",
		"{{ b | times: x }}":      `field x: "x" is not a number`,
		"{{ x | times: b }}":      `field x: "x" is not a number`,
		"{{ b | round: x }}":      `field x: "x" is not a number`,
		"{{ x | ceil }}":          `field x: "x" is not a number`,
		"{% assign m = 3 %}{% for i in (1..9) %}{% assign m = m | times: m %}{% endfor %}{{ m }}": "times: a number of more than 30 digits",
	} {
		template, err := Parse(source, Position{1, 1})
		if err != nil {
			t.Errorf("%s: %v", source, err)
		} else if _, err := template.Render(fields); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", source, err, want)
		}
	}
}
