package engine_test

import (
	"fmt"
	"testing"
	"time"

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

// A plan of 14 days and the agenda of a day with 100,000 enrolled, of whom all
// come due in those days, or one in ten, while somebody writes: what they cost,
// and how long the slowest write took meanwhile.
func BenchmarkLookAhead(b *testing.B) {
	for _, span := range []time.Duration{14 * day, 140 * day} {
		o := crowded(b, 100_000, span)
		capped := settings()
		capped.PerDay, capped.PerDomain, capped.GapMin, capped.GapMax = 40, 10, 90*time.Second, 240*time.Second
		for name, m := range map[string]engine.Mailbox{"no caps": settings(), "40 a day": capped} {
			b.Run(fmt.Sprintf("plan/due in %d days/%s", span/day, name), func(b *testing.B) {
				o.desk.Mailboxes = []engine.Mailbox{m}
				whileWriting(b, o, func() error {
					_, err := o.desk.Plan(b.Context(), engine.PlanRequest{Days: 14})
					return err
				})
			})
		}
		b.Run(fmt.Sprintf("today/due in %d days", span/day), func(b *testing.B) {
			whileWriting(b, o, func() error {
				_, err := o.desk.Today(b.Context())
				return err
			})
		})
	}
}

// crowded is an office with many enrolled, who come due within a time in another
// order than they were enrolled in.
func crowded(b *testing.B, n int, span time.Duration) *office {
	o := newOffice(b)
	seq := o.plan("quote", "send: mon-fri 09:00-16:30; holidays: us", step("First", "wait: 0; subject: Quote", "Hello {{ first_name }}?"),
		step("Second", "wait: 3 business days", "Well?"), step("Third", "wait: 4 business days", "Well?"))
	for at := 0; at < n; at += 1000 {
		ens := make([]engine.Enrollment, 1000)
		for i := range ens {
			addr := fmt.Sprintf("p%d@kund%d.example", at+i, (at+i)%20_000)
			due := o.now.Add(span / time.Duration(n) * time.Duration((at+i)*7919%n))
			ens[i] = engine.Enrollment{Sequence: "quote", Mailbox: "sales", Address: addr, Key: addr, Name: "Per Holm", Fields: map[string]string{"company": "Åkeri & Söner"},
				EnrolledAt: o.now, StartAt: o.now, State: engine.Active, Next: seq.Steps[0].ID, Due: due, Look: due}
		}
		if _, _, err := o.store.Enroll(ens); err != nil {
			b.Fatal(err)
		}
	}
	return o
}

// whileWriting measures something while another goroutine writes a hundred times
// a second, and reports the slowest of those writes.
func whileWriting(b *testing.B, o *office, ask func() error) {
	stop, slowest := make(chan struct{}), make(chan time.Duration)
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for worst := time.Duration(0); ; {
			select {
			case <-stop:
				slowest <- worst
				return
			case <-tick.C:
			}
			began := time.Now()
			if err := o.store.Note(engine.Event{At: o.now, Kind: engine.EventReloaded}); err != nil {
				b.Error(err)
			}
			worst = max(worst, time.Since(began))
		}
	}()
	for b.Loop() {
		if err := ask(); err != nil {
			b.Error(err)
		}
	}
	close(stop)
	b.ReportMetric(float64((<-slowest).Microseconds())/1000, "ms/slowest-write")
}
