package engine_test

import (
	"testing"

	"nudge/engine"
)

const twoHundredWords = `---
send: always
---

## 1. Only

` + "```step\nwait: 0\nsubject: Quote {{ quote_no }}: did it reach you, {{ first_name }}?\n```" + `

Hi {{ first_name }},

did quote {{ quote_no }} for {{ project | default: "the roof" }} reach you? I know how these weeks go, so here it is in short,
and you can answer with a single line. If any line is unclear, reply with a question mark and I'll call you.

What is in it:

- taking down the old tiles and carting them away, with the paperwork the town asks for
- new battens, underlay and **clay tiles** in the colour you chose when we stood in the garden
- gutters and downpipes on the north side, since those are the ones that leak

The price holds until the end of the month. The scaffold is the part that takes planning: if you want us before the
winter, I would need your word about two weeks ahead, so that the neighbours can be told in good time.

You asked whether the work is too noisy for the dog. The honest answer is that the first two days are, and the rest is
not. Other customers have taken a long walk, or a short holiday with the grandparents.

Is it the price, the timing, or something else that you are still thinking about? Any answer helps me plan, also a no.

The details are at [our page about clay roofs](https://www.bergroofing.example/clay?quote={{ quote_no }}).

{{ signature }}
`

// A mail of about 200 words, from its compiled templates to its final bytes.
func BenchmarkCompose(b *testing.B) {
	seq := sequence(b, "quote", twoHundredWords)
	m := settings()
	m.Signature = "Anna Berg\nBerg Roofing, 12 Main St"
	en := engine.Enrollment{ID: "000001", Address: "maria@kund.example", Key: "maria@kund.example", Name: "Maria Lindqvist",
		Fields: map[string]string{"quote_no": "1042", "project": "the barn roof"}}
	secret := make([]byte, 32)
	var size int
	b.ReportAllocs()
	for b.Loop() {
		email, err := engine.Compose(m, secret, seq, &seq.Steps[0], en, start)
		if err != nil {
			b.Fatal(err)
		}
		size = len(email.Raw)
	}
	b.ReportMetric(float64(size), "bytes/mail")
}
