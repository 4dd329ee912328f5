package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nudge/engine"
	"nudge/sequences"
)

// done lists what was really done, a line for each mail and task.
func (o *office) done() []string {
	o.t.Helper()
	events, err := o.store.Events("", 0, 100_000)
	if err != nil {
		o.t.Fatal(err)
	}
	var lines []string
	for _, ev := range events {
		if ev.Kind == engine.EventSent || ev.Kind == engine.EventTaskDone {
			lines = append(lines, comingLine(ev.At, ev.Address, ev.Sequence, ev.Step))
		}
	}
	slices.Sort(lines)
	return lines
}

func comingLine(at time.Time, address, sequence, step string) string {
	return fmt.Sprintf("%s %s %s %s", at.UTC().Format("2006-01-02 15:04"), address, sequence, step)
}

// What plan tells is what the engine then does, date by date: over holidays,
// conditions, calls, rounds, chains, caps and several sequences for one person.
func TestPlanIsWhatTheEngineDoes(t *testing.T) {
	for _, perDay := range []int{0, 3} {
		t.Run(fmt.Sprintf("at most %d a day", perDay), func(t *testing.T) {
			o := newOffice(t)
			m := settings()
			m.PerDay, m.BetweenSequences = perDay, sequences.Delay{N: 2, Unit: sequences.BusinessDays}
			o.engine.Mailbox, o.desk.Mailboxes = m, []engine.Mailbox{m}
			o.plan("quote", "send: mon-fri 09:00-16:30; holidays: 2026-11-26, 2026-12-01; on-finish: enroll nurture after 1 week; needs: appointment",
				step("First", "wait: 0; subject: Quote", "Hello?"), step("Big", "wait: 2 business days; only-if: amount > 5000", "Big?"),
				step("Call", "wait: 1 business day; do: call; due: 2 days", "Call."), step("Again", "wait: 1 day; repeat: 2 every 26 hours", "Again?"),
				step("Before", "wait: 1 business day; before: appointment", "Tomorrow?"))
			o.plan("nurture", "send: always; per-day: 2", step("News", "wait: 0; subject: News", "Look?"), step("More", "wait: 3 days", "More?"))
			for i := range 7 {
				addr := fmt.Sprintf("p%d@kund%d.example", i, i%3)
				fields := map[string]string{"amount": strconv.Itoa(i * 2000), "appointment": start.AddDate(0, 0, 9+i).Format(time.DateOnly),
					"timezone": []string{"Europe/Stockholm", "America/New_York", "Pacific/Auckland"}[i%3]}
				o.enter("quote", addr, fields)
				if i == 4 {
					o.enter("nurture", addr, fields)
				}
			}
			result, err := o.desk.Plan(t.Context(), engine.PlanRequest{Days: 60})
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, c := range result.Coming {
				if c.Held != "" {
					t.Errorf("%+v is held", c)
				}
				want = append(want, comingLine(c.At, c.Address, c.Sequence, c.Step))
			}
			slices.Sort(want)
			for end := start.AddDate(0, 0, 59); o.now.Before(end); {
				next, err := o.tick()
				if err != nil {
					t.Fatal(err)
				}
				for _, task := range o.tasks() { // done at once
					o.say(engine.SayDone, task.Address, func(r *engine.ActRequest) { r.Sequence = task.Sequence })
					next = o.now
				}
				if next.IsZero() || next.After(end) {
					break
				}
				o.now = latest(o.now, next)
			}
			if diff := cmp.Diff(want, o.done()); diff != "" || len(want) < 40 {
				t.Errorf("%d planned (-planned +done):\n%s", len(want), diff)
			}
		})
	}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func TestPlanSaysWhyADayIsEmpty(t *testing.T) {
	o := newOffice(t)
	m := settings()
	m.PerDay = 1
	o.engine.Mailbox, o.desk.Mailboxes = m, []engine.Mailbox{m}
	o.plan("quote", "send: mon-fri 09:00-16:30; holidays: us", step("First", "wait: 3 business days; subject: Quote", "Hello?"))
	o.enter("quote", "per@kund.example", nil)
	o.enter("quote", "ann@other.example", nil)
	result, err := o.desk.Plan(t.Context(), engine.PlanRequest{Days: 8})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range result.Days {
		got = append(got, fmt.Sprintf("%s %s|%d|%d", d.Date[8:], d.Why, d.Count, d.Moved))
	}
	want := "23 nobody is due|0|0, 24 nobody is due|0|0, 25 nobody is due|0|0, 26 holiday: Thanksgiving Day|0|0, 27 |1|1, 28 weekend|0|0, 29 weekend|0|0, 30 |1|0"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

// In every time zone, through both nights of daylight saving: a touch is never
// outside its window, never on a weekend or holiday where business days are
// asked for, and never earlier than its wait. NUDGE_ZONES asks for more times
// in each zone.
func TestTouchesKeepTheirTimesInEveryZone(t *testing.T) {
	zones, err := os.ReadFile("../sequences/testdata/zones.txt")
	if err != nil {
		t.Fatal(err)
	}
	times := 2
	if text := os.Getenv("NUDGE_ZONES"); text != "" {
		if times, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	dice := rand.New(rand.NewPCG(7, 11))
	o := newOffice(t)
	seq := o.plan("quote", "send: mon-fri 00:30-03:30; holidays: us, 2026-12-28..2026-12-30",
		step("First", "wait: 0; subject: Quote", "Hello?"), step("Days", "wait: 2 business days", "?"), step("Hours", "wait: 27 hours; send: always", "?"),
		step("Week", "wait: 1 week; send: sat-sun 01:00-04:00", "?"), step("Rounds", "wait: 3 business days; repeat: 3 every 1 business day", "?"))
	n := 0
	for name := range strings.Lines(string(zones)) {
		loc, err := time.LoadLocation(strings.TrimSpace(name))
		if err != nil {
			continue // this machine's database is another
		}
		for _, from := range aroundChanges(loc, times, dice) {
			n++
			req := engine.EnrollRequest{Address: "per@kund.example", Fields: map[string]string{"timezone": loc.String()}}
			rows, err := engine.Imagine(req, seq, settings(), from)
			if err != nil || len(rows) != len(seq.Steps) {
				t.Fatalf("%s from %s: %d rows, %v", loc, from, len(rows), err)
			}
			prev := from
			for i, r := range rows {
				st, at := &seq.Steps[i], r.At.In(loc)
				switch {
				case !st.Send.Allows(at):
					t.Errorf("%s from %s: %s leaves %s, outside %s", loc, from, st.ID, at, st.Send)
				case st.Wait.Unit == sequences.BusinessDays && !sequences.IsBusinessDay(at, seq.Holidays):
					t.Errorf("%s from %s: %s leaves %s, no business day", loc, from, st.ID, at)
				case at.Before(st.Wait.AfterHolidays(prev.In(loc), seq.Holidays)), at.Before(prev):
					t.Errorf("%s from %s: %s leaves %s, %s after %s", loc, from, st.ID, at, st.Wait, prev.In(loc))
				}
				prev = r.At
			}
		}
	}
	if n < 400*times {
		t.Errorf("%d ways only", n)
	}
}

// aroundChanges are moments shortly before the two changes of the clocks that a
// year has, or of any day where it has none.
func aroundChanges(loc *time.Location, times int, dice *rand.Rand) []time.Time {
	var all []time.Time
	year := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC).In(loc)
	for at := year; len(all) < 2*times; {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.After(year.AddDate(1, 0, 0)) {
			end = year.AddDate(0, 0, dice.IntN(365))
		}
		for range times {
			all = append(all, end.Add(-time.Duration(dice.Int64N(int64(14*day)))))
		}
		at = end.Add(time.Hour)
	}
	return all
}

// A day that is empty because a cap is used up says so, whichever cap it is.
func TestPlanSaysThatACapEmptiesADay(t *testing.T) {
	for name, limit := range map[string]func(*engine.Mailbox) string{
		"mailbox":  func(m *engine.Mailbox) string { m.PerDay = 1; return "" },
		"domain":   func(m *engine.Mailbox) string { m.PerDomain = 1; return "" },
		"sequence": func(*engine.Mailbox) string { return "; per-day: 1" },
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			m := settings()
			front := "send: always" + limit(&m)
			o.engine.Mailbox, o.desk.Mailboxes = m, []engine.Mailbox{m}
			o.plan("quote", front, step("First", "wait: 0; subject: Quote", "Hello?"))
			o.enter("quote", "per@kund.example", nil)
			o.mustTick()
			o.enter("quote", "ann@kund.example", nil)
			o.now = o.now.Add(time.Hour)
			result, err := o.desk.Plan(t.Context(), engine.PlanRequest{Days: 3})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range result.Days {
				got = append(got, fmt.Sprintf("%s|%d|%d", d.Why, d.Count, d.Moved))
			}
			if want := "the cap of the day is reached|0|1, |1|0, nobody is due|0|0"; strings.Join(got, ", ") != want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
			}
		})
	}
}

// Work without an end is the owner's: plan tells it, and imagines nothing behind
// it. Who comes after its days counts as well: a chain does not begin twice.
func TestPlanTellsWorkThatHasNoEnd(t *testing.T) {
	o := newOffice(t)
	o.plan("quote", "send: always; on-finish: enroll nurture", step("Call", "wait: 0; do: call; if-not-done: wait", "Call."), step("Last", "wait: 1 day; subject: Well", "Well?"))
	o.plan("nurture", "send: always", step("News", "wait: 0; subject: News", "Look?"))
	o.enter("quote", "per@kund.example", nil)
	o.mustTick()
	if _, err := o.desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "nurture", Address: "per@kund.example", At: o.now.AddDate(0, 0, 30)}); err != nil {
		t.Fatal(err)
	}
	plan := func() string {
		t.Helper()
		result, err := o.desk.Plan(t.Context(), engine.PlanRequest{Days: 20})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range result.Coming {
			got = append(got, fmt.Sprintf("%s %s %s %s", c.At.Format("2 15:04"), c.Sequence, c.Step, c.Held))
		}
		return strings.Join(got, ", ")
	}
	if got, want := plan(), "23 09:00 quote Call waits for you to do the call"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	o.say(engine.SayDone, "per@kund.example", func(r *engine.ActRequest) { r.Sequence = "quote" })
	if got, want := plan(), "24 09:00 quote Last "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
