package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"nudge/engine"
)

// say is a person's word, which must be taken.
func (o *office) say(verb engine.Verb, addr string, change ...func(*engine.ActRequest)) engine.View {
	o.t.Helper()
	req := engine.ActRequest{Verb: verb, Address: addr}
	for _, c := range change {
		c(&req)
	}
	v, err := o.desk.Act(o.t.Context(), req)
	if err != nil {
		o.t.Fatal(err)
	}
	return v
}

// refuses is a person's word that must be refused with these words.
func (o *office) refuses(want string, req engine.ActRequest) {
	o.t.Helper()
	_, err := o.desk.Act(o.t.Context(), req)
	if _, ok := errors.AsType[*engine.RefusalError](err); !ok || err.Error() != want {
		o.t.Errorf("%s %s: %v, want %s", req.Verb, req.Address, err, want)
	}
}

func (o *office) tasks() []engine.AgendaTask {
	o.t.Helper()
	a, err := o.desk.Today(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return a.Tasks
}

func callPlan(o *office, settings string) {
	o.plan("quote", "send: always", step("First", "wait: 0; subject: Quote", "Hello?"),
		step("Call", "wait: 1 day; do: call; "+settings, "Call {{ first_name }} on {{ phone }}."), step("Last", "wait: 2 days", "Close?"))
}

func TestACallIsTheOwnersWork(t *testing.T) {
	tests := []struct {
		name, settings string
		done           time.Duration // after it was opened; 0 = never
		want           []string
	}{
		{"no limit: the sequence goes on meanwhile", "assignee: Bo", 36 * time.Hour, []string{
			"Tue 24 09:00 task_open Call assignee=Bo do=call", "Wed 25 21:00 task_done Call", "Thu 26 09:00 sent Last", "Thu 26 09:00 finished reason=no answer"}},
		{"never done, no limit", "", 0, []string{
			"Tue 24 09:00 task_open Call do=call", "Thu 26 09:00 sent Last", "Thu 26 09:00 finished reason=no answer"}},
		{"done in time", "due: 1 business day", 6 * time.Hour, []string{
			"Tue 24 09:00 task_open Call do=call until=2026-11-25T09:00:00Z", "Tue 24 15:00 task_done Call", "Thu 26 15:00 sent Last",
			"Thu 26 15:00 finished reason=no answer"}},
		{"expires", "due: 1 business day; if-not-done: continue", 0, []string{
			"Tue 24 09:00 task_open Call do=call until=2026-11-25T09:00:00Z", "Wed 25 09:00 task_expired Call", "Fri 27 09:00 sent Last",
			"Fri 27 09:00 finished reason=no answer"}},
		{"waits past its limit", "due: 1 day; if-not-done: wait", 4 * day, []string{
			"Tue 24 09:00 task_open Call do=call until=2026-11-25T09:00:00Z", "Sat 28 09:00 task_done Call", "Mon 30 09:00 sent Last",
			"Mon 30 09:00 finished reason=no answer"}},
		{"stops", "due: 1 day; if-not-done: stop", 0, []string{
			"Tue 24 09:00 task_open Call do=call until=2026-11-25T09:00:00Z", "Wed 25 09:00 task_expired Call",
			"Wed 25 09:00 stopped reason=not done why=the call was not done in time"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t)
			callPlan(o, tt.settings)
			o.enter("quote", "per@kund.example", map[string]string{"phone": "08-123"})
			o.run(day + time.Minute)
			if open := o.tasks(); len(open) != 1 || open[0].Text != "Call Per on 08-123.\n" || open[0].Action != "call" {
				t.Fatalf("open are %+v", open)
			}
			if tt.done > 0 {
				end := start.Add(day + tt.done)
				o.run(end.Sub(o.now))
				o.now = end
				o.say(engine.SayDone, "per@kund.example")
				if open := o.tasks(); len(open) != 0 {
					t.Errorf("done, and still open: %+v", open)
				}
			}
			o.run(10 * day)
			o.wantEvents("per@kund.example", append([]string{"Mon 23 09:00 sent First"}, tt.want...)...)
		})
	}
}

// An answer makes a call moot, and one that waits is the owner's next action.
func TestAnAnswerClosesTheOwnersWork(t *testing.T) {
	o := newOffice(t)
	callPlan(o, "if-not-done: wait")
	o.enter("quote", "per@kund.example", nil)
	o.run(3 * day)
	v := o.view("per@kund.example")
	if v.State != engine.Active || v.Next.Action != "call" || v.Next.At == nil || !strings.Contains(v.Next.Why, "nudge done per@kund.example") {
		t.Errorf("%s, next %+v", v.State, v.Next)
	}
	o.restart()
	if next, err := o.tick(); err != nil || !next.IsZero() {
		t.Errorf("only the owner can move it, and the engine wants to look again %s, %v", next, err)
	}
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Arrived: o.now})
	o.run(day)
	if open := o.tasks(); len(open) != 0 {
		t.Errorf("they have answered, and are still to be called: %+v", open)
	}
	o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
	o.refuses("per@kund.example in quote has ended: replied", engine.ActRequest{Verb: engine.SayDone, Address: "per@kund.example"})
}

func TestAPersonSkipsSnoozesAndDoesEarly(t *testing.T) {
	o := newOffice(t)
	callPlan(o, "due: 1 day")
	o.enter("quote", "skip@kund.example", nil)
	o.enter("quote", "early@kund.example", nil)
	o.enter("quote", "snooze@kund.example", nil)
	o.run(time.Hour)
	o.say(engine.SayDone, "early@kund.example")
	o.say(engine.SaySnooze, "snooze@kund.example", func(r *engine.ActRequest) { r.Until = "thursday" })
	o.say(engine.SaySkip, "skip@kund.example")
	o.now = start.Add(2 * time.Hour)
	o.say(engine.SaySkip, "skip@kund.example")
	o.run(10 * day)
	o.wantEvents("skip@kund.example", "Mon 23 09:00 sent First", "Mon 23 15:00 skipped Call by=hand", "Mon 23 11:00 skipped Last by=hand", "Mon 23 11:00 finished reason=no answer")
	o.wantEvents("early@kund.example", "Mon 23 09:00 sent First", "Mon 23 15:00 task_done Call", "Wed 25 15:00 sent Last", "Wed 25 15:00 finished reason=no answer")
	o.wantEvents("snooze@kund.example", "Mon 23 09:00 sent First", "Mon 23 15:00 held Call reason=snoozed until=2026-11-26T00:00:00Z",
		"Thu 26 00:00 released Call reason=snoozed", "Thu 26 00:00 task_open Call do=call until=2026-11-27T00:00:00Z", "Fri 27 00:00 task_expired Call",
		"Sun 29 00:00 sent Last", "Sun 29 00:00 finished reason=no answer")
}

func TestWhatAPersonSaysIsRefusedWhereItMakesNoSense(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.plan("other", "send: always", step("A", "wait: 9 days; subject: x", "Hello?"))
	o.mustTick()
	act := func(v engine.Verb, change func(*engine.ActRequest)) engine.ActRequest {
		r := engine.ActRequest{Verb: v, Address: "per@kund.example"}
		change(&r)
		return r
	}
	none := func(*engine.ActRequest) {}
	o.refuses("per@kund.example has no open call, letter or task in quote", act(engine.SayDone, none))
	o.refuses(`"soon" is neither a date nor a delay`, act(engine.SaySnooze, func(r *engine.ActRequest) { r.Until = "soon" }))
	o.refuses("Monday 2 November 2026 00:00 is not in the future", act(engine.SaySnooze, func(r *engine.ActRequest) { r.Until = "2026-11-02" }))
	o.refuses("nobody with the address no@kund.example is enrolled", act(engine.SayWon, func(r *engine.ActRequest) { r.Address = "no@kund.example" }))
	o.refuses("reason contains a line break or another control character", act(engine.SayLost, func(r *engine.ActRequest) { r.Reason = "a\nb" }))
	o.enter("other", "per@kund.example", nil)
	o.refuses("per@kund.example is in several sequences", act(engine.SayWon, none))
	o.say(engine.SayWon, "per@kund.example", func(r *engine.ActRequest) { r.Sequence = "quote" })
	o.wants("per@kund.example", engine.Stopped, engine.Won, 1)
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Kind: engine.Ambiguous, Arrived: o.now})
	o.run(time.Hour)
	o.refuses("per@kund.example is held: unsure", act(engine.SaySnooze, func(r *engine.ActRequest) { r.Until, r.Sequence = "2 days", "other" }))
}

func TestWonAndLostEndWithTheirReason(t *testing.T) {
	o := newOffice(t)
	o.enroll("won@kund.example")
	o.enroll("lost@other.example")
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"won@kund.example"}, Arrived: o.now})
	o.mustTick()
	o.say(engine.SayWon, "won@kund.example")
	o.say(engine.SayWon, "won@kund.example")
	o.say(engine.SayLost, "lost@other.example", func(r *engine.ActRequest) { r.Reason = "cheaper quote" })
	o.run(20 * day)
	o.wants("won@kund.example", engine.Stopped, engine.Won, 1)
	o.wants("lost@other.example", engine.Stopped, engine.Lost, 1)
	if got := strings.Join(o.events("lost@other.example"), "; "); got != "Mon 23 09:00 sent First; Mon 23 09:00 lost Second reason=cheaper quote; "+
		"Mon 23 09:00 stopped reason=lost why=cheaper quote" {
		t.Error(got)
	}
	if got := strings.Join(o.events("won@kund.example"), "; "); strings.Count(got, "00 won") != 1 || strings.Contains(got, "stopped reason=won") {
		t.Error(got)
	}
}
