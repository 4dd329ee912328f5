package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nudge/engine"
	"nudge/sequences"
)

// step is one step of a sequence that a test writes: its heading, its settings
// and its text.
func step(heading, settings, text string) string {
	return "\n## " + heading + "\n\n```step\n" + strings.ReplaceAll(settings, "; ", "\n") + "\n```\n\n" + text + "\n"
}

// plan puts a sequence on the office's shelf. front holds its settings.
func (o *office) plan(name, front string, steps ...string) *sequences.Sequence {
	o.t.Helper()
	source := "---\n" + strings.ReplaceAll(front, "; ", "\n") + "\n---\n" + strings.Join(steps, "")
	seq, err := sequences.ParseIn(nil, name+".md", []byte(source))
	if err != nil {
		o.t.Fatal(err)
	}
	o.lib[name] = seq
	return seq
}

// enter enrolls somebody in a sequence with fields.
func (o *office) enter(name, addr string, fields map[string]string) engine.View {
	o.t.Helper()
	v, err := o.desk.Enroll(o.t.Context(), engine.EnrollRequest{Sequence: name, Address: addr, Name: "Per Holm", Fields: fields})
	if err != nil {
		o.t.Fatal(err)
	}
	return v
}

// events writes down what history says of an address, without claims.
func (o *office) events(addr string) []string {
	o.t.Helper()
	story, err := o.desk.Show(o.t.Context(), addr)
	if err != nil {
		o.t.Fatal(err)
	}
	var lines []string
	for _, ev := range story.History {
		if ev.Kind == engine.EventClaimed || ev.Kind == engine.EventEnrolled {
			continue
		}
		line := fmt.Sprintf("%s %s", ev.At.UTC().Format("Mon 2 15:04"), ev.Kind)
		if ev.Step != "" {
			line += " " + ev.Step
		}
		for _, key := range slices.Sorted(maps.Keys(ev.Detail)) {
			if key != "server" && key != "subject" && key != "mailbox" && key != "text" && key != "words" {
				line += " " + key + "=" + ev.Detail[key]
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func (o *office) wantEvents(addr string, want ...string) {
	o.t.Helper()
	if diff := cmp.Diff(want, o.events(addr)); diff != "" {
		o.t.Errorf("%s (-want +got):\n%s", addr, diff)
	}
}

func TestAStepIsDoneOnlyForWhomItsConditionIsTrue(t *testing.T) {
	o := newOffice(t)
	o.plan("quote", "send: always",
		step("First", "wait: 0; subject: Quote", "Hello?"),
		step("Warranty", "wait: 2 days; only-if: amount > 5000", "The warranty?"),
		step("Small", "wait: 0; only-if: amount <= 5000", "A small one?"),
		step("Last", "wait: 3 days", "Shall I close it?"))
	o.enter("quote", "big@kund.example", map[string]string{"amount": "6200"})
	o.enter("quote", "small@kund.example", map[string]string{"amount": "300"})
	o.enter("quote", "none@kund.example", nil)
	o.run(8 * day)
	o.wantEvents("big@kund.example", "Mon 23 09:00 sent First", "Wed 25 09:00 sent Warranty", "Wed 25 09:00 skipped Small why=not amount <= 5000",
		"Sat 28 09:00 sent Last", "Sat 28 09:00 finished reason=no answer")
	o.wantEvents("small@kund.example", "Mon 23 09:00 sent First", "Wed 25 09:00 skipped Warranty why=not amount > 5000", "Wed 25 09:00 sent Small",
		"Sat 28 09:00 sent Last", "Sat 28 09:00 finished reason=no answer")
	o.wantEvents("none@kund.example", "Mon 23 09:00 sent First", "Wed 25 09:00 skipped Warranty why=not amount > 5000",
		"Wed 25 09:00 skipped Small why=not amount <= 5000", "Sat 28 09:00 sent Last", "Sat 28 09:00 finished reason=no answer")
}

func TestAConditionIsAskedWhenTheStepIsDue(t *testing.T) {
	o := newOffice(t)
	o.plan("quote", "send: always", step("First", "wait: 0; subject: Quote", "Hello?"), step("Second", "wait: 2 days; only-if: ready == \"yes\"", "Again?"))
	o.enter("quote", "per@kund.example", map[string]string{"ready": "no"})
	o.run(day)
	rows := []engine.ImportRow{{Row: 2, Address: "per@kund.example", Fields: map[string]string{"ready": "yes"}}}
	if _, err := o.desk.Import(t.Context(), engine.ImportRequest{Sequence: "quote", Rows: rows}); err != nil {
		t.Fatal(err)
	}
	o.run(3 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 2)
}

func TestAnUrgentStepLeavesAtAnyHour(t *testing.T) {
	o := newOffice(t)
	o.plan("lead", "send: mon-fri 09:00-16:30", step("At once", "wait: 10 minutes; urgent: yes; subject: Hello", "Hello?"), step("Later", "wait: 1 day", "And?"))
	o.now = time.Date(2026, 11, 28, 23, 0, 0, 0, time.UTC) // a Saturday
	o.enter("lead", "per@kund.example", nil)
	o.run(3 * day)
	o.wantEvents("per@kund.example", "Sat 28 23:10 sent At once", "Mon 30 09:00 sent Later", "Mon 30 09:00 finished reason=no answer")
}

func TestARepeatedStepComesAgainUntilAnAnswer(t *testing.T) {
	o := newOffice(t)
	o.plan("quote", "send: always", step("First", "wait: 0; subject: Quote; repeat: 2 every 3 days", "Hello?"), step("Last", "wait: 1 day", "Close?"))
	o.enter("quote", "per@kund.example", nil)
	o.enter("quote", "ann@other.example", nil)
	o.run(4 * day)
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"ann@other.example"}, Arrived: o.now})
	o.run(6 * day)
	o.wantEvents("per@kund.example", "Mon 23 09:00 sent First", "Thu 26 09:00 sent First/2", "Sun 29 09:00 sent First/3", "Mon 30 09:00 sent Last",
		"Mon 30 09:00 finished reason=no answer")
	o.wants("ann@other.example", engine.Stopped, engine.Replied, 2)
	for i, want := range []string{"Quote", "Quote", "Re: Quote", "Re: Quote", "Re: Quote", "Re: Quote"} {
		if o.ledger[i].subject != want {
			t.Errorf("mail %d has the subject %q, want %q", i+1, o.ledger[i].subject, want)
		}
	}
}

func TestASequenceHasALimitOfItsOwn(t *testing.T) {
	o := newOffice(t)
	o.now = start.Truncate(day)
	o.plan("quote", "send: always; per-day: 2", step("First", "wait: 0; subject: Quote", "Hello?"), step("Second", "wait: 10 days", "Again?"))
	o.plan("lead", "send: always", step("First", "wait: 0; subject: Lead", "Hello?"), step("Second", "wait: 10 days", "Again?"))
	for i := range 5 {
		o.enter("quote", fmt.Sprintf("p%d@kund%d.example", i, i), nil)
	}
	o.enter("lead", "lead@other.example", nil)
	want := []int{3, 5, 6, 6}
	for i := range want {
		o.run(day)
		if got := len(o.ledger); got != want[i] {
			t.Errorf("after day %d %d mails have left, want %d", i+1, got, want[i])
		}
		o.restart() // the count outlives the process
	}
}

// A step that leads up to a date keeps to it, and concerns its prospect alone.
func TestAStepLeadsUpToADate(t *testing.T) {
	o := newOffice(t)
	o.plan("visit", "send: mon-fri 09:00-16:30; needs: appointment",
		step("Confirm", "wait: 0; subject: Your visit", "See you?"),
		step("The day before", "wait: 1 business day; before: appointment", "Is {{ appointment | date: \"%H:%M\" }} right?"),
		step("After", "wait: 1 day", "How was it?"))
	o.enter("visit", "monday@kund.example", map[string]string{"appointment": "2026-11-30 14:00"})
	o.enter("visit", "moved@kund.example", map[string]string{"appointment": "2026-12-04"})
	o.enter("visit", "late@kund.example", map[string]string{"appointment": "2026-11-20 10:00"})
	o.run(day)
	rows := []engine.ImportRow{{Row: 2, Address: "moved@kund.example", Fields: map[string]string{"appointment": "2026-11-26 11:00"}}}
	if _, err := o.desk.Import(t.Context(), engine.ImportRequest{Sequence: "visit", Rows: rows}); err != nil {
		t.Fatal(err)
	}
	o.run(10 * day)
	o.wantEvents("monday@kund.example", "Mon 23 09:00 sent Confirm", "Fri 27 14:00 sent The day before", "Mon 30 09:00 sent After", "Mon 30 09:00 finished reason=no answer")
	o.wantEvents("moved@kund.example", "Mon 23 09:00 sent Confirm", "Wed 25 11:00 sent The day before", "Thu 26 11:00 sent After", "Thu 26 11:00 finished reason=no answer")
	o.wantEvents("late@kund.example", "Mon 23 09:00 sent Confirm", "Mon 23 09:00 skipped The day before why=too late: appointment is 20 November 2026 10:00",
		"Tue 24 09:00 sent After", "Tue 24 09:00 finished reason=no answer")
	_, err := o.desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "visit", Address: "bad@kund.example", Fields: map[string]string{"appointment": "soon"}})
	if err == nil || err.Error() != `field appointment: "soon" is not a date such as 2026-03-14` {
		t.Errorf("a date that nobody can read: %v", err)
	}
}

// Mail that leads up to a date never comes after it, however late the engine is.
func TestNothingLeadsUpToADateThatIsPast(t *testing.T) {
	o := newOffice(t)
	o.plan("visit", "send: always; needs: appointment", step("Confirm", "wait: 0; subject: Your visit", "See you?"),
		step("The day before", "wait: 1 day; before: appointment", "Still right?"))
	o.enter("visit", "per@kund.example", map[string]string{"appointment": "2026-11-26 14:00"})
	o.mustTick()
	o.now = time.Date(2026, 11, 26, 14, 0, 0, 0, time.UTC)
	o.run(day)
	o.wantEvents("per@kund.example", "Mon 23 09:00 sent Confirm", "Thu 26 14:00 skipped The day before why=too late: appointment is 26 November 2026 14:00",
		"Thu 26 14:00 finished reason=no answer")
}

// Where a file that is edited asks of somebody a date that they do not have,
// they alone are held.
func TestADateThatCannotBeReadHoldsItsProspect(t *testing.T) {
	o := newOffice(t)
	first := step("Confirm", "wait: 0; subject: Your visit", "See you?")
	o.plan("visit", "send: always", first, step("Later", "wait: 3 days", "And?"))
	o.enter("visit", "bad@kund.example", map[string]string{"day": "any time"})
	o.enter("visit", "good@kund.example", map[string]string{"day": "2026-11-28"})
	o.mustTick()
	o.plan("visit", "send: always; needs: day", first, step("Later", "wait: 1 day; before: day", "And?"))
	o.run(5 * day)
	o.wants("good@kund.example", engine.Finished, engine.NoAnswer, 2)
	o.wants("bad@kund.example", engine.Held, engine.BadDate, 1)
	if why := o.view("bad@kund.example").Next.Why; !strings.Contains(why, `field day: "any time" is not a date such as 2026-03-14`) {
		t.Errorf("why is %q", why)
	}
}

// What a mail says about the next one is true also where steps between are left
// out.
func TestNextTouchIsTheRealNextDate(t *testing.T) {
	o := newOffice(t)
	seq := o.plan("quote", "send: always; needs: appointment",
		step("First", "wait: 0; subject: Quote", "I write again on {{ next_touch }}, {{ next_touch | date: \"%Y-%m-%d\" }}; today is {{ today | date: \"%A\" }}."),
		step("Big", "wait: 2 days; only-if: amount > 5000", "Big?"),
		step("Before", "wait: 1 day; before: appointment", "Tomorrow?"),
		step("Last", "wait: 4 days", "Close?"))
	for amount, want := range map[string]string{"9000": "Wednesday 25 November, 2026-11-25", "1": "Sunday 29 November, 2026-11-29"} {
		en, err := engine.Plan(engine.EnrollRequest{Sequence: "quote", Address: "per@kund.example",
			Fields: map[string]string{"amount": amount, "appointment": "2026-11-20"}}, seq, settings(), start)
		if err != nil {
			t.Fatal(err)
		}
		email, err := engine.Compose(settings(), make([]byte, 32), seq, seq.Step("First"), en, start)
		if err != nil || !strings.Contains(string(email.Raw), want) || !strings.Contains(string(email.Raw), "today is Monday") {
			t.Errorf("amount %s: want %s in\n%s, %v", amount, want, email.Raw, err)
		}
	}
}
