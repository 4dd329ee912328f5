package templates

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// remarksOn are the remarks on a body that begins at line 5.
func remarksOn(t testing.TB, source string) []string {
	t.Helper()
	template, err := ParseWith(source, Position{5, 1}, Options{Partial: func(string) (string, error) { return "a <u>b</u>\n[c](d.html)", nil }})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range template.Remarks() {
		kind := "advice"
		if r.Wrong {
			kind = "wrong"
		}
		message, _, _ := strings.Cut(r.Message, ";")
		all = append(all, strings.TrimSpace(fmt.Sprintf("%d:%d %s %s %s", r.Position.Line, r.Position.Column, kind, message, r.Partial)))
	}
	return all
}

func TestRemarks(t *testing.T) {
	for _, test := range []struct {
		source string
		want   []string
	}{
		{"{{ a }} é [rel](angebot.pdf)", []string{`5:11 wrong "angebot.pdf" leads nowhere from a mail`}},
		{"a\n\n![img](bild.png)", []string{`7:1 wrong "bild.png" leads nowhere from a mail`}},
		{"[x](files/{{ a }})", []string{`5:1 wrong "files/{{ a }}" leads nowhere from a mail`}},
		{"[x](#top) [y](//x.se/)", []string{`5:1 wrong "#top" leads nowhere from a mail`, `5:11 wrong "//x.se/" leads nowhere from a mail`}},
		{"[x]()", []string{"5:1 wrong a link without an address"}},
		{"![](https://x.se/a.png)", []string{"5:1 advice a link without words shows its bare address"}},
		{"[x](tel:+4989)", []string{"5:1 advice links that begin with tel: are left out, only their words are sent"}},
		{"**[t](tel:+49 89 1)**", []string{`5:5 wrong this link is sent as it stands here: the address "tel:+49 89 1" has spaces in it`}},
		{"[m](mailto:a@x.se?subject=Re: {{ a }})", []string{`5:3 wrong this link is sent as it stands here: the address "mailto:a@x.se?subject=Re: {{ a }}" has spaces in it`}},
		{"[m](x.se/a b)", []string{`5:3 advice this link is sent as it stands here: the address "x.se/a b" has spaces in it`}},
		{"<b>x</b>\n\n<div>\nx\n</div>", []string{"5:1 advice HTML is sent as it stands here: <b>", "7:1 advice HTML is sent as it stands here: <div>"}},
		{"| a | 5 |\n| b | 6 |", []string{"5:1 advice rows without a table are sent as they stand here"}},
		{"x\n\n{% render \"p\" %}", []string{"7:1 advice HTML is sent as it stands here: <u> p", `7:1 wrong "d.html" leads nowhere from a mail p`}},
		{"[ok]({{ a }}) [ok](www.x.se) [ok](https://x.se \"a b\") [ok](<https://x.se/a b>) [ok](mailto:a@x.se) <https://x.se> x.se a@x.se", nil},
		{"[![roof](r.png)](https://x.se/) [1](see below) \\[t](tel:+49 89 1) \\[t\\](tel:+49 89) `[t](tel:+49 89 1)` `<b>`", nil},
		{"a <!-- b --> c\n\n<!-- d\ne -->\n\n    <b>", nil},
		{"| a | b |\n|---|---|\n{% for i in (1..2) %}\n| {{ i }} | 5 |\n{% endfor %}", nil},
	} {
		if diff := cmp.Diff(test.want, remarksOn(t, test.source)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.source, diff)
		}
	}
}
