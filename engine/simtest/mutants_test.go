package simtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// change is one place of the source that is written otherwise.
type change struct{ file, was, is string }

// mutant is the engine with one promise broken on purpose.
type mutant struct {
	name    string
	changes []change
}

// mutants are what the simulator must catch, or it proves nothing. The old text
// must stand in its file exactly once.
var mutants = []mutant{
	{"no fence before DATA", []change{{"depart.go",
		"fence, err := e.sweep(ctx, watch.now())",
		"fence, err := looked{Sweep: Sweep{Mailbox: e.Mailbox.Name}, started: time.Now()}, error(nil)"}}},
	{"a fence as old as you like", []change{
		{"speak.go", "const fenceAge = 5 * time.Second", "const fenceAge = 5 * time.Hour"}}},
	{"DATA before the claim", []change{{"depart.go",
		"	errs, err := e.Store.Claim(fence.Sweep, touchesOf(group))",
		"	e.takeOff(ctx, group, fence.started.Add(fenceAge))\n	e.flights.Wait()\n	errs, err := e.Store.Claim(fence.Sweep, touchesOf(group))"}}},
	{"the claim does not look at the enrollment again", []change{{"change.go",
		"if en.State != Active || en.Paused || en.Version != t.Version || en.Next != t.Step {",
		"if false {"}}},
	{"the cursor is ahead of its stops", []change{{"listen.go",
		"		if err := e.apply(s.Sweep); err != nil {\n			return looked{}, err\n		}\n		clear(missing)\n		next.Since",
		"		if err := e.apply(Sweep{Mailbox: s.Mailbox, At: s.At, Cursor: s.Cursor}); err != nil {\n			return looked{}, err\n		}\n" +
			"		s.Sweep.Cursor = Cursor{}\n		if err := e.apply(s.Sweep); err != nil {\n			return looked{}, err\n		}\n		clear(missing)\n		next.Since"}}},
	{"after a touch, the next is not in the due index", []change{{"bolt/write.go",
		"case en.State == engine.Active:\n		es = append(es, entry{bucketDue,",
		"case en.State == engine.Active && len(en.Done) == 0:\n		es = append(es, entry{bucketDue,"}}},
	{"a hold until a date is never released", []change{{"bolt/write.go",
		"case !en.HeldUntil.IsZero():", "case en.ID == \"\":"}}},
	{"what was interrupted is sent again", []change{
		{"bolt/recover.go", "case engine.Prepared:", "case engine.Prepared, engine.Sending:"},
		{"bolt/recover.go", "case engine.Sending:", "case engine.Doubtful:"}}},
	{"what is in doubt counts as never sent", []change{{"doubt.go", "case keepsSent:", "case len(t.Step) > 0:"}}},
	{"a suppressed address is asked for nowhere", []change{
		{"bolt/touch.go", "case suppressed(w.tx, en.Key):", "case en.ID == \"\":"},
		{"bolt/read.go", "suppressed(tx, en.Key)", "en.ID == \"\""},
		{"bolt/suppress.go", "ended, events, changed := en.Suppress(s.Why, now)", "ended, events, changed := en.Suppress(s.Why, now)\n		changed = false"}}},
	{"what goes again is written anew", []change{{"speak.go",
		"if t := c.Kept; t != nil && e.goesAgain(*t, en, now) {", "if t := c.Kept; t != nil && en.ID == \"\" {"}}},
	{"nobody is asked about what is overdue", []change{
		{"overdue.go", "case overdueAfter.After(since.In(zoneOf(en))).Before(now):", "case en.ID == \"\":"},
		{"overdue.go", "n > backlogLeast && n*backlogShare > active", "n < 0"}}},
	{"a restored state is trusted, whatever Sent says", []change{
		{"bolt/open.go", "	if why == \"\" {", "	if why = \"\"; why == \"\" {"},
		{"witness.go", "		return e.distrust(in, now)\n", "		return nil\n"}}},
	{"a restored state never trusts itself again", []change{{"bolt/reconcile.go", "	delete(id.Behind, r.Mailbox)\n", "	_ = id.Behind\n"}}},
	{"a copy without our mark accuses no older state", []change{{"witness.go",
		"if !knownID && in.Instance == \"\" && in.Role == SentMail {", "if !knownID && in.Instance == \"\" && in.Role == \"\" {"}}},
	{"the window is not asked", []change{{"guard.go", "if !st.Send.Allows(now.In(loc)) {", "if en.ID == \"\" {"}}},
	{"the owner's hand is not seen", []change{{"takeover.go",
		"	if e.Mailbox.Replies.Takeover == TakeoverIgnore || e.trust.Behind != \"\" {", "	if len(in.Folder) > 0 {"}}},
	{"our own copies are taken for the owner's hand", []change{{"takeover.go", "silent, near := ", "silent, near := false, false\n	_, _ = "}}},
	{"an answer says nothing to the company", []change{{"verdict.go",
		"r.person, r.deal, r.company = alike, alike, waits\n", "r.person, r.deal, r.company = alike, alike, untouched\n"}}},
	{"a second acknowledgement goes on as well", []change{{"change.go", "if en.Tickets++; en.Tickets == 1 {", "if en.Tickets++; en.Tickets > 0 {"}}},
	{"a condition is never asked", []change{{"course.go", "	if st.OnlyIf == nil {", "	if st.OnlyIf == nil || len(st.ID) > 0 {"}}},
	{"holidays are days like any", []change{{"../sequences/holidays.go", "	return !holiday", "	return !holiday || date.Year() > 0"}}},
	{"a chain begins at once", []change{{"chain.go", "start := chain.After.AfterHolidays(at.In(zone(own, from, en)), from.Holidays)", "_, _ = own, from\n	start := at"}}},
	{"a chain begins before its sequence is over", []change{
		{"chain.go", "	if next != \"\" {\n		return nil\n	}\n	return e.chains()", "	return e.chains()"},
		{"chain.go", "	if en.State == Finished {\n		en.Then = f", "	if en.State != Stopped {\n		en.Then = f"}}},
	{"nothing waits for a call", []change{{"task.go", "t.Blocks = st.Due.N > 0 || st.IfNotDone == sequences.UndoneWait", "t.Blocks = false"}}},
	{"another mailbox's mail is not asked about at the claim", []change{{"bolt/touch.go",
		"refused := engine.CheckContacts(recent(contacts, at), given); refused != nil {",
		"refused := engine.CheckContacts(recent(contacts, at), given); refused != nil && en.ID == \"\" {"}}},
	{"an answer stays in its own mailbox", []change{{"listen.go",
		"	matches := FindMatches(in, known)\n",
		"	matches := slices.DeleteFunc(FindMatches(in, known), func(m Match) bool { return m.Enrollment.Mailbox != e.Mailbox.Name })\n"}}},
	{"the mails of a sequence are not counted", []change{{"guard.go", "if seq.PerDay > 0 && c.SequenceToday >= seq.PerDay {", "if en.ID == \"\" {"}}},
	{"a step before a date waits like any", []change{{"course.go",
		"	if st.Before == \"\" {\n		return st.DueAt(prev, loc), objection{}", "	if st.Before == \"\" || len(st.ID) > 0 {\n		return st.DueAt(prev, loc), objection{}"}}},
	{"a country's holidays are days like any", []change{{"../sequences/countries.go", "	return name, off\n", "	return name, off && date.Year() < 0\n"}}},
	{"who is lost counts as won", []change{{"chain.go", "	if how == Lost {", "	if how == \"\" {"}}},
	{"the cap is not asked", []change{
		{"boarding.go", "case m.PerDay > 0 && pace.Today >= m.PerDay:", "case m.PerDay > 0 && pace.Today >= 2*m.PerDay:"},
		{"boarding.go", "room = min(room, m.PerDay-pace.Today)", "room = min(room, 2*m.PerDay-pace.Today)"}}},
}

// patience is how long a mutant may live.
const patience = 60 * time.Second

// Each mutant is caught by the simulator within a minute. NUDGE_TORTURE=1 asks
// for it; NUDGE_MUTANT=words tries those whose name has the words.
func TestMutantsAreCaught(t *testing.T) {
	if os.Getenv("NUDGE_TORTURE") == "" && os.Getenv("NUDGE_MUTANT") == "" {
		for _, m := range mutants { // they are kept up to date even when nobody runs them
			if _, err := m.overlay(t.TempDir()); err != nil {
				t.Error(err)
			}
		}
		return
	}
	t.Logf("%-52s %-62s %s", "mutant", "caught by", "after")
	for _, m := range mutants {
		if !strings.Contains(m.name, os.Getenv("NUDGE_MUTANT")) {
			continue
		}
		by, after, err := m.live(t)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		t.Logf("%-52s %-62s %s", m.name, by, after)
	}
}

// overlay writes the changed files beside the tree, and the list that lets the
// go command read them instead.
func (m mutant) overlay(dir string) (string, error) {
	replace, texts := map[string]string{}, map[string]string{}
	for i, c := range m.changes {
		path, err := filepath.Abs(filepath.Join("..", c.file))
		if err != nil {
			return "", err
		}
		text, known := texts[path]
		if !known {
			b, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			text = string(b)
		}
		if n := strings.Count(text, c.was); n != 1 {
			return "", fmt.Errorf("mutant %q: its old text stands %d times in %s; bring it up to date:\n%s", m.name, n, c.file, c.was)
		}
		texts[path] = strings.Replace(text, c.was, c.is, 1)
		replace[path] = filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := os.WriteFile(replace[path], []byte(texts[path]), 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}

var (
	brokenLine = regexp.MustCompile(`broken: (.+)`)
	worldLine  = regexp.MustCompile(`world (\d+) after ([0-9.]+) s`)
)

// live builds the mutant, and runs the simulator until it is caught.
func (m mutant) live(t *testing.T) (by, after string, err error) {
	dir := t.TempDir()
	overlay, err := m.overlay(dir)
	if err != nil {
		return "", "", err
	}
	program := filepath.Join(dir, "mutant.test")
	build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("does not build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience+30*time.Second)
	defer cancel()
	run := exec.CommandContext(ctx, program, "-test.run", "^TestSimulate$", "-test.timeout", (patience + 30*time.Second).String())
	run.Env = append(os.Environ(), "NUDGE_YEARS=1000000", "NUDGE_SEED=", "NUDGE_SECONDS="+fmt.Sprint(patience.Seconds()))
	out, _ := run.CombinedOutput() // its failure is what is asked for
	broken, world := brokenLine.FindSubmatch(out), worldLine.FindSubmatch(out)
	if broken == nil || world == nil {
		return "", "", fmt.Errorf("it lived for %s, and nobody noticed\n%s", patience, tail(out))
	}
	by = string(broken[1])
	if len(by) > 60 {
		by = by[:60]
	}
	return by, fmt.Sprintf("%s worlds, %s s", world[1], world[2]), nil
}

func tail(out []byte) []byte { return out[max(0, len(out)-800):] }
