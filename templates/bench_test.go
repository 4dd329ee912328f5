package templates

import (
	"strings"
	"testing"
)

// benchBody is a follow-up of about 200 words with 6 fields.
const benchBody = `Hi {{ first_name | default: "there" }},

did quote {{ quote_no }} for {{ project | default: "the roof" }} reach you? If any line is unclear, reply with a
question mark and I'll call you. I know that a quote of several pages is not what anybody reads after dinner, so here is
the short form, in the order in which most of our customers ask for it:

- the old tiles come down and are taken away, which is **included** in the price
- the new ones come from the works next door, with a warranty of thirty years
- we are done in four days if the weather is kind, and in six if it is not

{% if amount > 5000 %}
For a job of this size you can pay in three parts, without interest. Just tell me which days suit you, and I'll write
it into the papers.
{% endif %}

The whole quote is at [our customer page](https://example.com/quotes/{{ quote_no }}), where you can also see pictures of
two roofs in {{ town }} that we did last summer. Both owners said that you may ring them and ask how it went.

If the time is wrong, that is fine as well. One line from you and I'll come back in spring, or not at all. If the price
is the trouble, tell me what you had in mind; there are cheaper tiles than these, and some of them are rather good.

Until then I keep the week of the twelfth free for you.

-- 
{{ signature }}
`

var benchFields = Fields{
	"first_name": "Anna", "quote_no": "1042", "project": "the barn", "amount": "6200", "town": "Sundsvall",
	"signature": "Bo Berg\nBerg Roofing\n+46 60 123 45",
}

// BenchmarkRender renders both parts and the subject of one touch.
func BenchmarkRender(b *testing.B) {
	body, err := Parse(benchBody, Position{1, 1})
	if err != nil {
		b.Fatal(err)
	}
	subject, err := ParseLine("Quote #{{ quote_no }}: did it reach you, {{ first_name }}?", Position{1, 1})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := body.Render(benchFields); err != nil {
			b.Fatal(err)
		}
		if _, err := subject.Render(benchFields); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N), "µs/touch")
	b.ReportMetric(float64(len(strings.Fields(benchBody))), "words")
}

// BenchmarkParse compiles the same body.
func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse(benchBody, Position{1, 1}); err != nil {
			b.Fatal(err)
		}
	}
}
