package engine_test

import (
	"fmt"
	"log/slog"
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

// In random worlds, plan tells person by person what the engines then do: with
// caps for a mailbox, a domain, a sequence and a person, many who are due at one
// moment, several mailboxes, windows and zones, urgent and repeated steps, steps
// that lead up to a date, conditions, work of the owner's, chains, holidays,
// pauses, missing fields, and a backlog after an outage. NUDGE_PLAN_WORLDS asks
// for more of them, NUDGE_PLAN_SEED for one.
func TestPlanIsWhatTheEngineDoesInRandomWorlds(t *testing.T) {
	first, worlds := 1, 40
	if text := os.Getenv("NUDGE_PLAN_WORLDS"); text != "" {
		worlds, _ = strconv.Atoi(text)
	}
	if text := os.Getenv("NUDGE_PLAN_SEED"); text != "" {
		first, _ = strconv.Atoi(text)
		worlds = 1
	}
	planned := 0
	for seed := first; seed < first+worlds; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { planned += newPlannedWorld(t, uint64(seed)).check() })
	}
	if planned < 20*worlds && worlds > 1 {
		t.Errorf("only %d things were planned in %d worlds", planned, worlds)
	}
}

// plannedWorld is an office with several mailboxes, each with its engine.
type plannedWorld struct {
	*office
	dice    *rand.Rand
	boxes   []engine.Mailbox
	engines []*engine.Engine
	next    []time.Time // when each engine wants to run
	looks   []time.Time // what was next for each when it last ran
	names   []string    // of the sequences
	gaps    bool
	instant bool // a step may come due at the moment of the one before it
	log     []string
}

func newPlannedWorld(t *testing.T, seed uint64) *plannedWorld {
	w := &plannedWorld{office: newOffice(t), dice: rand.New(rand.NewPCG(seed, 2026))}
	w.now = start.Add(time.Duration(w.dice.IntN(30*24)) * time.Hour)
	w.gaps = w.dice.IntN(6) == 0
	for i := range 1 + w.dice.IntN(3) {
		w.boxes = append(w.boxes, w.mailbox(i))
	}
	for _, m := range w.boxes {
		w.engines = append(w.engines, &engine.Engine{Mailbox: m, Mailboxes: w.boxes, Store: w.store, Library: w.lib, Sender: w.post, Inbox: w.post, Log: slog.New(slog.DiscardHandler)})
	}
	w.next, w.looks = make([]time.Time, len(w.boxes)), make([]time.Time, len(w.boxes))
	w.desk.Mailboxes, w.desk.Engines = w.boxes, w.engines
	for i := range 2 + w.dice.IntN(3) {
		w.names = append(w.names, fmt.Sprintf("plan%d", i))
	}
	for i := range w.names {
		w.write(i)
	}
	w.people()
	return w
}

// one chooses one of several.
func one[T any](dice *rand.Rand, all ...T) T { return all[dice.IntN(len(all))] }

func (w *plannedWorld) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func (w *plannedWorld) mailbox(i int) engine.Mailbox {
	m := settings()
	m.Name, m.Address = fmt.Sprintf("box%d", i), fmt.Sprintf("anna%d@bergroofing.example", i)
	m.Location, _ = time.LoadLocation(one(w.dice, "UTC", "Europe/Stockholm", "America/New_York", "Pacific/Auckland"))
	m.PerDay, m.PerDomain = one(w.dice, 0, 1, 2, 3, 5, 8), one(w.dice, 0, 0, 1, 2)
	m.BetweenSequences = one(w.dice, sequences.Delay{}, sequences.Delay{N: 2, Unit: sequences.BusinessDays}, sequences.Delay{N: 1, Unit: sequences.Days})
	if w.dice.IntN(3) == 0 {
		m.PerPerson, m.PerPersonDays = 3, 14
	}
	if w.gaps {
		m.GapMin, m.GapMax = 20*time.Minute, 90*time.Minute
	}
	m.Rehearsal = w.dice.IntN(8) == 0
	w.note("%s: %s, %d a day, %d a domain, %v between sequences, %d a person, gap %s, rehearsal %t", m.Name, m.Location, m.PerDay, m.PerDomain, m.BetweenSequences, m.PerPerson, m.GapMin, m.Rehearsal)
	return m
}

// write puts one sequence on the shelf.
func (w *plannedWorld) write(i int) {
	front := []string{"needs: appointment", "from: " + one(w.dice, w.boxes...).Name, "send: " + one(w.dice, "always", "mon-fri 09:00-16:30", "mon-sat 07:00-09:00")}

	if w.dice.IntN(2) == 0 {
		front = append(front, "holidays: "+one(w.dice, "us", "se, 2026-12-01", "2026-11-30..2026-12-02"))
	}
	if w.dice.IntN(3) == 0 {
		front = append(front, "per-day: "+one(w.dice, "1", "2", "3"))
	}
	if w.dice.IntN(2) == 0 {
		if to := one(w.dice, w.names...); to != w.names[i] {
			front = append(front, "on-finish: enroll "+to+one(w.dice, "", " after 1 day", " after 2 business days"))
		}
	}
	steps := []string{step("S0", "wait: "+one(w.dice, "0", "0", "1 hour", "1 business day")+"; subject: Quote", "Hello?")}
	for n := range 1 + w.dice.IntN(4) {
		steps = append(steps, step(fmt.Sprintf("S%d", n+1), one(w.dice,
			"wait: 1 day", "wait: 2 business days", "wait: 26 hours", "wait: 3 days; only-if: amount > 5000", "wait: 1 business day; do: call; due: 2 days",
			"wait: 4 hours; do: task", "wait: 0; do: call; due: 1 business day; if-not-done: wait", "wait: 1 day; repeat: 2 every 1 business day", "wait: 5 hours; urgent: yes",
			"wait: 1 business day; before: appointment", "wait: 90 minutes"), one(w.dice, "Well?", "Well?", "Well?", "About {{ project }}?")))
	}
	w.instant = w.instant || strings.Contains(strings.Join(steps[1:], ""), "wait: 0\n")
	w.note("%s: %s\n%s", w.names[i], strings.Join(front, "; "), strings.Join(steps, ""))
	w.plan(w.names[i], strings.Join(front, "; "), steps...)
}

func (w *plannedWorld) people() {
	for i := range 8 + w.dice.IntN(12) {
		addr := fmt.Sprintf("p%d@%s", i, one(w.dice, "kund0.example", "kund1.example", "gmail.com", fmt.Sprintf("kund%d.example", i+2)))
		fields := map[string]string{"amount": strconv.Itoa(w.dice.IntN(10_000)), "appointment": w.now.AddDate(0, 0, w.dice.IntN(20)).Format(time.DateOnly)}
		if w.dice.IntN(3) == 0 {
			fields["timezone"] = one(w.dice, "Europe/Stockholm", "America/New_York", "Pacific/Auckland", "Asia/Kolkata")
		}
		if w.dice.IntN(8) > 0 {
			fields["project"] = "the roof"
		}
		for _, name := range w.names {
			if w.dice.IntN(len(w.names)) == 0 {
				w.enter(name, addr, fields)
			}
		}
	}
}

// live lets the engines run, each when it wants to, and the owner do at once
// what is theirs.
func (w *plannedWorld) live(until time.Time) {
	w.t.Helper()
	for range 200_000 {
		who := -1
		for i := range w.engines {
			look, err := w.store.NextLook(w.boxes[i].Name)
			if err != nil {
				w.t.Fatal(err)
			}
			if !look.Equal(w.looks[i]) { // another one's chain, or the owner, moved something
				w.looks[i] = look
				if !look.IsZero() && (w.next[i].IsZero() || look.Before(w.next[i])) {
					w.next[i] = look
				}
			}
			if !w.next[i].IsZero() {
				w.next[i] = latest(w.now, w.next[i])
			}
			if !w.next[i].IsZero() && (who < 0 || w.next[i].Before(w.next[who])) {
				who = i
			}
		}
		if who < 0 || !w.next[who].Before(until) {
			w.now = until
			return
		}
		w.now = w.next[who]
		next, err := w.engines[who].Tick(w.t.Context(), w.now)
		if err == nil {
			err = w.engines[who].Finish(w.now)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		w.next[who] = next
		if w.looks[who], err = w.store.NextLook(w.boxes[who].Name); err != nil {
			w.t.Fatal(err)
		}
		for _, task := range w.tasks() {
			w.say(engine.SayDone, task.Address, func(r *engine.ActRequest) { r.Sequence = task.Sequence })
		}
	}
	w.t.Fatal("the engines never rest")
}

// trouble is what has happened by the time of the plan.
func (w *plannedWorld) trouble() {
	for i := range w.engines {
		w.next[i] = w.now
	}
	if w.dice.IntN(3) > 0 {
		w.live(w.now.Add(time.Duration(w.dice.IntN(120)) * time.Hour))
	}
	if w.dice.IntN(3) == 0 { // an outage
		w.now = w.now.Add(time.Duration(24+w.dice.IntN(200)) * time.Hour)
		w.note("an outage until %s", w.now)
	}
	for _, en := range w.all() {
		switch w.dice.IntN(20) {
		case 0:
			w.note("%s snoozes", en.Address)
			w.pauseOrSnooze(en, true)
		case 1:
			w.note("%s is paused", en.Address)
			w.pauseOrSnooze(en, false)
		}
	}
	// The engine looks at those of a paused sequence each hour, and the plan does
	// not: then what comes due in the middle of a moment may make another volley.
	if w.dice.IntN(10) == 0 && !w.instant {
		if _, err := w.store.Pause(engine.Scope{Sequence: w.names[0]}, true, "", w.now); err != nil {
			w.t.Fatal(err)
		}
		w.note("%s is paused", w.names[0])
	}
	for i := range w.engines {
		w.next[i] = w.now
	}
}

func (w *plannedWorld) all() []engine.Enrollment {
	all, err := w.store.Enrollments(engine.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.DeleteFunc(all, engine.Enrollment.Ended)
}

func (w *plannedWorld) pauseOrSnooze(en engine.Enrollment, snooze bool) {
	var err error
	if snooze {
		until := w.now.Add(time.Duration(w.dice.IntN(100)) * time.Hour)
		_, err = w.store.Change([]string{en.ID}, func(en engine.Enrollment) (engine.Enrollment, []engine.Event) {
			en, events, _ := en.Snooze(until, w.now)
			return en, events
		})
	} else {
		_, err = w.store.Pause(engine.Scope{Person: en.Key}, true, "", w.now)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// check compares the plan with what is then done, and says how much that was.
func (w *plannedWorld) check() int {
	w.trouble()
	from := w.now
	days := 5 + w.dice.IntN(25)
	result, err := w.desk.Plan(w.t.Context(), engine.PlanRequest{Days: days})
	if err != nil {
		w.t.Fatal(err)
	}
	last, err := w.store.Events("", 0, -1)
	if err != nil || len(last) == 0 {
		w.t.Fatal(last, err)
	}
	want := []string{}
	for _, c := range result.Coming {
		if c.Held == "" || strings.Contains(c.Held, " until ") { // others wait for a person
			want = append(want, w.line(c.At, c.Address, c.Sequence, c.Step, c.Mailbox))
		}
	}
	slices.Sort(want)
	y, mo, d := from.In(w.boxes[0].Location).Date()
	w.live(time.Date(y, mo, d+days, 0, 0, 0, 0, w.boxes[0].Location))
	if diff := cmp.Diff(want, w.lines(last[0].Seq)); diff != "" {
		w.t.Errorf("planned on %s (-planned +done):\n%s\nin this world:\n%s", from, diff, strings.Join(w.log, "\n"))
	}
	return len(want)
}

// lines are what was done since an event.
func (w *plannedWorld) lines(after uint64) []string {
	events, err := w.store.Events("", after, 1_000_000)
	if err != nil {
		w.t.Fatal(err)
	}
	all, err := w.store.Enrollments(engine.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	mailboxes := map[string]string{}
	for _, en := range all {
		mailboxes[en.ID] = en.Mailbox
	}
	lines := []string{}
	for _, ev := range events {
		if ev.Kind == engine.EventSent || ev.Kind == engine.EventTaskDone {
			lines = append(lines, w.line(ev.At, ev.Address, ev.Sequence, ev.Step, mailboxes[ev.Enrollment]))
		}
	}
	slices.Sort(lines)
	return lines
}

// line is one thing done; where a gap spreads mails, on its day alone.
func (w *plannedWorld) line(at time.Time, address, sequence, step, mailbox string) string {
	i := slices.IndexFunc(w.boxes, func(m engine.Mailbox) bool { return m.Name == mailbox })
	if at = at.In(w.boxes[i].Location); w.gaps {
		return fmt.Sprintf("%s %s %s %s", at.Format(time.DateOnly), address, sequence, step)
	}
	return fmt.Sprintf("%s %s %s %s", at.Format("2006-01-02 15:04:05"), address, sequence, step)
}
