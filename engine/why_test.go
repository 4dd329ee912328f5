package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nudge/engine"
)

// explained is the one explanation of an address, and its facts as text.
func (o *office) explained(addr string) (engine.Explanation, string) {
	o.t.Helper()
	all, err := o.desk.Why(o.t.Context(), addr)
	if err != nil || len(all) != 1 {
		o.t.Fatalf("%+v, %v", all, err)
	}
	var b strings.Builder
	for _, f := range all[0].Facts {
		fmt.Fprintf(&b, "%v %s: %s\n", f.No, f.About, f.Words)
	}
	return all[0], b.String()
}

// What nudge why says of conditions, dates to lead up to, rounds, the owner's
// work and chains, with the reckoning; and it then happens so.
func TestWhyExplainsTheWayThroughTheSequence(t *testing.T) {
	for _, tt := range []struct {
		name   string
		front  string
		steps  []string
		fields map[string]string
		after  time.Duration // how long the engine runs before it is asked
		facts  []string
		at     string // "" = a person must act, or it ends
		step   string
		action string
	}{
		{name: "only-if leaves a step out", steps: []string{step("First", "wait: 0; subject: Quote", "Hello?"),
			step("Big", "wait: 2 business days; only-if: amount > 5000", "Big?"), step("Then", "wait: 3 days; do: call", "Call.")},
			fields: map[string]string{"amount": "400"}, after: time.Hour,
			facts: []string{`true wait: 2 business days from Mon 23 Nov 10:00 (step "First") = Wed 25 Nov 10:00`,
				`true rule: step "Big" is left out: not amount > 5000; then "Then", 3 days from Wed 25 Nov 10:00 = Sat 28 Nov 10:00, first moment then: Mon 30 Nov 09:00`},
			at: "30 Nov 09:00", step: "Then", action: "call"},
		{name: "only-if lets it through", steps: []string{step("First", "wait: 0; subject: Quote", "Hello?"),
			step("Big", "wait: 2 business days; only-if: amount > 5000", "Big?")},
			fields: map[string]string{"amount": "6000"}, after: time.Hour, facts: []string{"= Wed 25 Nov 10:00"}, at: "25 Nov 10:00", step: "Big", action: "email"},
		{name: "only-if leaves out the last step", steps: []string{step("First", "wait: 0; subject: Quote", "Hello?"),
			step("Big", "wait: 2 business days; only-if: amount > 5000", "Big?")},
			fields: map[string]string{"amount": "400"}, after: time.Hour,
			facts: []string{`true rule: step "Big" is left out: not amount > 5000; no step is left, so it ends`}, step: "Big", action: "email"},
		{name: "before a date", front: "needs: visit", steps: []string{step("First", "wait: 0; subject: Quote", "Hello?"), step("Tomorrow", "wait: 1 business day; before: visit", "Tomorrow?")},
			fields: map[string]string{"visit": "2026-12-07 20:00"}, after: time.Hour,
			facts: []string{"true wait: 1 business day back from Mon 7 Dec 20:00 (field visit) = Fri 4 Dec 20:00, so Mon 7 Dec 09:00"}, at: "7 Dec 09:00", step: "Tomorrow", action: "email"},
		{name: "before a date that is too close", front: "needs: visit", steps: []string{step("First", "wait: 0; subject: Quote", "Hello?"),
			step("Tomorrow", "wait: 1 business day; before: visit", "Tomorrow?"), step("Then", "wait: 1 business day", "And?")},
			fields: map[string]string{"visit": "2026-11-23 10:00"}, after: time.Second,
			facts: []string{`(step "Tomorrow", left out)`}, at: "24 Nov 10:00", step: "Then", action: "email"},
		{name: "a round", steps: []string{step("First", "wait: 0; subject: Quote; repeat: 2 every 3 business days", "Hello?")}, after: time.Hour,
			facts: []string{`true wait: round 2 of 3: 3 business days from Mon 23 Nov 10:00 (step "First") = Thu 26 Nov 10:00`}, at: "26 Nov 10:00", step: "First/2", action: "email"},
		{name: "a call with a limit", front: "on-finish: enroll nurture after 1 week", steps: []string{step("Call", "wait: 0; do: call; due: 2 business days", "Call."),
			step("Then", "wait: 1 day; subject: Quote", "Hello?")}, after: time.Hour,
			facts: []string{"false chain: after the last step nurture begins, 1 week later",
				`true task: waits for you to do the call: "Call", since Mon 23 Nov 10:00, + 2 business days = Wed 25 Nov 10:00; the sequence goes on there if it is not done`,
				`false rule: if "Call" is not done by Wed 25 Nov 10:00; then "Then", 1 day from Wed 25 Nov 10:00 = Thu 26 Nov 10:00`},
			at: "26 Nov 10:00", step: "Then", action: "email"},
		{name: "a call that ends it", steps: []string{step("Call", "wait: 0; do: call; due: 2 business days; if-not-done: stop", "Call."),
			step("Then", "wait: 1 day; subject: Quote", "Hello?")}, after: time.Hour,
			facts: []string{"it ends there if it is not done", "true rule: the call was not done in time, so it ends Wed 25 Nov 10:00"}, step: "Call", action: "call"},
		{name: "a call without a limit", steps: []string{step("Call", "wait: 0; do: letter; if-not-done: wait; assignee: Lars", "Call."),
			step("Then", "wait: 1 day; subject: Quote", "Hello?")}, after: time.Hour,
			facts: []string{`true task: waits for Lars to do the letter: "Call", since Mon 23 Nov 10:00; nothing comes before it is done`}, step: "Call", action: "letter"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t)
			o.plan("nurture", "send: always", step("News", "wait: 0; subject: News", "Look?"))
			o.plan("quote", strings.TrimSuffix("send: mon-fri 09:00-16:30; timezone: Europe/Stockholm; "+tt.front, "; "), tt.steps...)
			o.enter("quote", "per@kund.example", tt.fields)
			o.run(tt.after)
			e, facts := o.explained("per@kund.example")
			for _, want := range tt.facts {
				if !strings.Contains(facts, want) {
					t.Errorf("no %q in\n%s", want, facts)
				}
			}
			at := ""
			if e.At != nil {
				at = e.At.Format("2 Jan 15:04")
			}
			if at != tt.at || e.Step != tt.step || e.Action != tt.action {
				t.Errorf("%s %q at %q, want %s %q at %q\n%s", e.Action, e.Step, at, tt.action, tt.step, tt.at, facts)
			}
			if e.At == nil {
				return
			}
			o.run(e.At.Add(time.Minute).Sub(o.now))
			story, err := o.desk.Show(t.Context(), "per@kund.example")
			if err != nil {
				t.Fatal(err)
			}
			for _, ev := range story.History {
				if ev.Step == e.Step && ev.At.Equal(*e.At) && (ev.Kind == engine.EventSent || ev.Kind == engine.EventTaskOpen) {
					return
				}
			}
			t.Errorf("step %q was not done at %s:\n%s", e.Step, e.At, strings.Join(o.events("per@kund.example"), "\n"))
		})
	}
}

// The other side of a chain says what began it.
func TestWhyNamesTheChain(t *testing.T) {
	o := newOffice(t)
	o.plan("nurture", "send: always", step("News", "wait: 0; subject: News", "Look?"))
	o.plan("quote", "send: always; on-finish: enroll nurture after 1 week; on-won: enroll nurture", step("First", "wait: 0; subject: Quote", "Hello?"))
	o.enter("quote", "per@kund.example", nil)
	if _, facts := o.explained("per@kund.example"); !strings.Contains(facts, "chain: after the last step nurture begins, 1 week later; when it is won nurture begins\n") {
		t.Error(facts)
	}
	o.run(time.Hour)
	all, err := o.desk.Why(t.Context(), "per@kund.example")
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	words := fmt.Sprint(all[0].Facts, all[1].Facts)
	if !strings.Contains(words, "begun by the end of quote, on Mon 23 Nov") {
		t.Error(words)
	}
}

// A server that takes no mail holds back the next touch, and why says so.
func TestWhyTellsOfAServerThatTakesNoMail(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.onOpen = func(engine.Email) error {
		return &engine.SendError{Phase: engine.PhaseConnect, Outcome: engine.Deferred, Err: errors.New("connection refused")}
	}
	o.mustTick()
	e, facts := o.explained("per@kund.example")
	if want := "true mailbox: "; !strings.Contains(facts, want) || !strings.Contains(facts, "its server takes no mail, and is tried again Mon 23 Nov 09:01: ") {
		t.Errorf("facts:\n%s", facts)
	}
	if e.At == nil || !e.At.Equal(o.engine.Health().SMTPUntil) {
		t.Errorf("it comes %v, want when the server is tried again, %v", e.At, o.engine.Health().SMTPUntil)
	}
}
