package sequences

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nudge/templates"
)

// everything reads testdata/everything.md, in which each setting stands.
func everything(t testing.TB, change func(string) string) *Sequence {
	t.Helper()
	source, err := os.ReadFile("testdata/everything.md")
	if err != nil {
		t.Fatal(err)
	}
	s, err := read("everything.md", []byte(change(string(source))), options{dir: "testdata/beside"}).result()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func same(s string) string { return s }

// describe writes a sequence down, every setting of it.
func describe(s *Sequence) string {
	var b strings.Builder
	chain := func(c *Chain) string {
		if c == nil {
			return ""
		}
		return fmt.Sprintf("%s after %v", c.Sequence, c.After)
	}
	fmt.Fprintf(&b, "%s|%s|%s|%v|%s|%v|%s|%s|%d|%s|%s|%s\n", s.Name, s.Title, s.From, s.Send, s.Timezone, s.Needs, s.Signature, s.Language,
		s.PerDay, chain(s.OnFinish), chain(s.OnWon), chain(s.OnLost))
	for _, d := range []string{"2026-12-25", "2027-12-25", "2031-01-01"} {
		date, _ := parseDate(d)
		name, off := s.Holidays.Name(date)
		fmt.Fprintf(&b, "%s %s %v\n", d, name, off)
	}
	fields := templates.Fields{"first_name": "Anna", "quote_no": "7", "amount": "6200", "original_subject": "Roof", "variant": "A",
		"next_touch": "Monday 7 December", "appointment": "2026-12-03 14:00"}
	for _, st := range s.Steps {
		fmt.Fprintf(&b, "%d %s (%s) wait %v, %s, send %v, last %v, urgent %v, before %q, repeat %v round %d, plain %v, due %v %s %q\n",
			st.Number, st.ID, st.Title, st.Wait, st.Do, st.Send, st.Last, st.Urgent, st.Before, st.Repeat, st.Round, st.Plain, st.Due, st.IfNotDone, st.Assignee)
		if st.OnlyIf != nil {
			holds, err := st.OnlyIf.Holds(fields)
			fmt.Fprintf(&b, "  only-if %v: %v, %v\n", st.OnlyIf, holds, err)
		}
		if st.Subject != nil {
			line, err := st.Subject.Render(fields)
			fmt.Fprintf(&b, "  subject %s, %v\n", line, err)
		}
		for _, v := range st.Subjects {
			line, err := v.Subject.Render(fields)
			fmt.Fprintf(&b, "  subject %s: %s, %v\n", v.Name, line, err)
		}
		for _, a := range st.Attach {
			fmt.Fprintf(&b, "  attach %s (%s) %q\n", a.Name, a.Type, a.Content)
		}
		if c := st.Calendar; c != nil {
			title, err := c.Title.Render(fields)
			place, perr := c.Place.Render(fields)
			fmt.Fprintf(&b, "  calendar %s, %s, %v, %v, %v\n", title, place, c.Lasts, err, perr)
		}
		parts, err := st.Body.Render(fields)
		fmt.Fprintf(&b, "  %v\n%s", err, parts.Text)
	}
	return b.String()
}

func TestEverySettingIsRead(t *testing.T) {
	golden(t, "testdata/everything.txt", describe(everything(t, same)))
}

// What Prettier with --prose-wrap always does to a file, by hand.
func TestAReflowedFileMeansTheSame(t *testing.T) {
	want := describe(everything(t, same))
	replaceAll := func(pairs ...string) func(string) string {
		return func(s string) string {
			for i := 0; i < len(pairs); i += 2 {
				if !strings.Contains(s, pairs[i]) {
					t.Fatalf("%q is not in the file", pairs[i])
				}
			}
			return strings.NewReplacer(pairs...).Replace(s)
		}
	}
	variants := map[string]func(string) string{
		"long lines of the front matter folded": replaceAll(
			"holidays: 2026-12-24..2026-12-26, 01-01, office.ics", "holidays:\n  2026-12-24..2026-12-26, 01-01,\n  office.ics",
			"needs: first_name, quote_no, amount, appointment", "needs: first_name,\n  quote_no, amount,\n  appointment",
			"on-won: enroll nurture after 30 days", "on-won:\n  enroll nurture\n  after 30 days"),
		"texts wrapped at another column": replaceAll(
			"did quote {{ quote_no }} for {{ project | default: \"the roof\" }} reach you? This is variant {{ variant }}. I'll write\nagain on",
			"did quote {{ quote_no }} for\n{{ project | default: \"the roof\" }} reach you?\nThis is variant\n{{ variant }}. I'll write again\non"),
		"tags broken over lines":            replaceAll(`{{ project | default: "the roof" }}`, "{{ project |\ndefault: \"the roof\" }}"),
		"CRLF and a byte order mark":        func(s string) string { return "\ufeff" + strings.ReplaceAll(s, "\n", "\r\n") },
		"longer fences":                     replaceAll("```step", "````step", "\n```\n", "\n````\n"),
		"tildes instead of backticks":       replaceAll("```step", "~~~step", "\n```\n", "\n~~~\n"),
		"headings closed":                   replaceAll("## 2. Call them", "## 2. Call them ##"),
		"more blank lines":                  replaceAll("\n\n## ", "\n\n\n\n## "),
		"no blank line at the end":          func(s string) string { return strings.TrimRight(s, "\n") },
		"no blank lines around step blocks": replaceAll("\n\n```step", "\n```step"),
	}
	for name, change := range variants {
		t.Run(name, func(t *testing.T) {
			if got := describe(everything(t, change)); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// testdata/reflow-prettier.md is what Prettier 3.10 with --prose-wrap always
// makes of testdata/reflow.md: not a setting and not a word of the mails may
// differ.
func TestPrettierChangesNothing(t *testing.T) {
	var described, html []string
	for _, file := range []string{"reflow.md", "reflow-prettier.md"} {
		source, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := read("reflow.md", source, options{dir: "testdata/beside"}).result()
		if err != nil {
			t.Fatal(err)
		}
		described = append(described, strings.ReplaceAll(describe(s), "_nice_", "*nice*")) // the heading, as it is shown
		fields := templates.Fields{"signature": "x"}
		for _, name := range append(s.Needs, BuiltinFields...) {
			fields[name] = "6200"
		}
		for _, st := range s.Steps {
			parts, err := st.Body.Render(fields)
			if err != nil {
				t.Fatal(err)
			}
			html = append(html, strings.Join(strings.Fields(parts.HTML), " "))
			described[len(described)-1] += parts.Text
		}
		if s.Steps[0].ID != "start" || len(s.Steps) != 2 || s.Timezone != "" {
			t.Errorf("%s: %+v", file, s)
		}
	}
	if diff := cmp.Diff(described[0], described[1]); diff != "" {
		t.Errorf("settings and texts (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(html[:2], html[2:]); diff != "" {
		t.Errorf("html (-before +after):\n%s", diff)
	}
}

var place = regexp.MustCompile(`^[a-z0-9-]+\.md:(\d+):`)

// Every key has a file that shows what is said when its value is wrong.
func TestEveryKeyHasABrokenFile(t *testing.T) {
	seen := map[string]bool{}
	files, err := filepath.Glob("testdata/broken/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		said, _ := os.ReadFile(file)
		source, _ := os.ReadFile(strings.TrimSuffix(file, ".txt") + ".md")
		lines := strings.Split(string(source), "\n")
		for line := range strings.Lines(string(said)) {
			if m := place.FindStringSubmatch(line); m != nil {
				n, _ := strconv.Atoi(m[1])
				key, _, _ := strings.Cut(strings.TrimSpace(lines[n-1]), ":")
				seen[tableName(key)] = true
			}
		}
	}
	for _, k := range slices.Concat(frontKeys, stepKeys) {
		if !seen[k.name] {
			t.Errorf("no broken file has a mistake in %s", k.name)
		}
	}
}

// misspell leaves one letter out, such that no other known word is as near.
func misspell(word string) string { return word[:len(word)-2] + word[len(word)-1:] }

func TestEveryUnitAndFieldIsSuggestedWhenMisspelt(t *testing.T) {
	for _, unit := range slices.Sorted(maps.Keys(unitNames)) {
		if len(unit) < 5 {
			continue
		}
		wrong := misspell(unit)
		if _, known := unitNames[wrong]; known {
			continue
		}
		_, err := ParseDelay("3 " + wrong)
		want := fmt.Sprintf("unknown unit %q; use minutes, hours, days, business days or weeks; did you mean %q?", wrong, Delay{3, unitNames[unit]}.String())
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	for _, field := range BuiltinFields {
		wrong := misspell(field)
		source := "## A\n\n```step\nwait: 0\nsubject: x\n```\n\nIs {{ " + wrong + " }} right?\n"
		_, err := Parse("f.md", []byte(source))
		if want := fmt.Sprintf("f.md:8:7: no field %q; did you mean %q?", wrong, field); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestAVariantIsChosenOnceAndEvenly(t *testing.T) {
	st := everything(t, same).Steps[0]
	counts := map[string]int{}
	for i := range 2000 {
		key := fmt.Sprintf("enrollment-%d", i)
		v := st.Variant("", key)
		if again := st.Variant("", key); again != v {
			t.Fatalf("%s got %s and then %s", key, v.Name, again.Name)
		}
		counts[v.Name]++
	}
	if counts["A"] < 900 || counts["B"] < 900 || counts["A"]+counts["B"] != 2000 {
		t.Errorf("counts are %v", counts)
	}
	if v := st.Variant("", "enrollment-1"); v.Name != "A" {
		t.Errorf("enrollment-1 had A before and has %s now: people under way would change", v.Name)
	}
	if v := st.Variant("B", "enrollment-1"); v.Name != "B" {
		t.Errorf("B was kept and %s came", v.Name)
	}
	if v := st.Variant("C", "enrollment-1"); v.Name != "A" {
		t.Errorf("C is gone and %s came", v.Name)
	}
	if v := (&Step{}).Variant("A", "x"); v != nil {
		t.Errorf("a step without variants has %v", v)
	}
}

func TestARepeatedStepIsASeriesOfSteps(t *testing.T) {
	s := everything(t, same)
	var ids []string
	for _, st := range s.Steps[5:] {
		ids = append(ids, fmt.Sprintf("%d:%s:%v:%v:%v", st.Number, st.ID, st.Wait, st.Subject != nil, st.Last))
	}
	want := "6:Once more:3 business days:true:false 7:Once more/2:3 business days:false:false 8:Once more/3:3 business days:false:false " +
		"9:Once more/4:3 business days:false:false 10:Once more/5:3 business days:false:true"
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if st := s.Next([]string{"Once more", "Once more/2"}); st == nil || st.ID != "Once more/3" {
		t.Errorf("after the second round comes %v", st)
	}
	fewer := everything(t, func(text string) string { return strings.Replace(text, "repeat: 4", "repeat: 1", 1) })
	if st := fewer.Next([]string{"Once more", "Once more/2", "Once more/3"}); st != nil {
		t.Errorf("with fewer rounds comes %v", st)
	}
}

func TestAFileBesideIsReadAgainWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("quote.md", strings.Replace(withFront("holidays: office.ics\nsignature: anna"), "Did it arrive?", "Did it?\n\n{% render \"g\" %}\n\n{{ signature }}", 1))
	write("office.ics", officeCalendar)
	write("partials/anna.md", "-- \nAnna\nBerg Roofing\n")
	write("partials/g.md", "Twenty years.\n")
	l, err := Open(dir)
	if err != nil || len(l.Broken()) > 0 {
		t.Fatal(err, l.Broken())
	}
	before, _ := l.Sequence("quote")
	if changed, err := l.Reload(); changed || err != nil {
		t.Errorf("nothing changed: %v, %v", changed, err)
	}
	parts, err := before.Steps[0].Body.Render(nil)
	if want := "Did it?\n\nTwenty years.\n\n-- \nAnna\nBerg Roofing\n"; err != nil || parts.Text != want {
		t.Errorf("got %q, %v; want %q", parts.Text, err, want)
	}
	write("partials/g.md", "Thirty years.\n")
	if changed, err := l.Reload(); !changed || err != nil {
		t.Errorf("a partial changed: %v, %v", changed, err)
	}
	after, _ := l.Sequence("quote")
	if after.Steps[0].Hash == before.Steps[0].Hash {
		t.Error("other words have the same hash")
	}
	write("office.ics", "nothing")
	if _, err := l.Reload(); err != nil || len(l.Broken()) != 1 {
		t.Errorf("a broken calendar: %v, %v", err, l.Broken())
	}
	if kept, _ := l.Sequence("quote"); kept != after {
		t.Error("the last good copy was not kept")
	}
	if err := os.Remove(filepath.Join(dir, "office.ics")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "office.ics")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Reload(); err != nil || !strings.Contains(fmt.Sprint(l.Broken()), "office.ics cannot be read: not a regular file") {
		t.Errorf("a link out of the folder: %v, %v", err, l.Broken())
	}
}

// What lint advises about settings of notYet, and about partials.
func TestLintAdvisesAboutEverySetting(t *testing.T) {
	files := folder(map[string]string{
		"large.pdf": "%PDF-" + strings.Repeat("x", 3<<20), "partials/ask.md": "Is it the price?\n",
		"partials/bye.md": "No hard feelings: the last mail.\n",
	})
	const rest = "\n## B\n\n```step\nwait: 3bd\n```\n\nIs it?\n\n## C\n\n```step\nwait: 3bd\n```\n\nIs it?\n\n## D\n\n```step\nwait: 3bd\n```\n\n" +
		"You and the file: {% render \"bye\" %}\n"
	first := func(settings, body string) string {
		return "## A\n\n```step\nwait: 0\n" + settings + "\n```\n\n" + body + "\n"
	}
	tests := []struct{ name, source, want string }{
		{"a question in a partial, a way out in another", first("subject: x", "Hello.\n\n{% render \"ask\" %}") + rest, ""},
		{"a large attachment", first("subject: x\nattach: large.pdf", "Is it?") + rest,
			"q.md:6:9: large.pdf holds 3 MB; many mailboxes are slow with it; put it on a page and link to it"},
		{"rounds on one day", first("subject: x\nrepeat: 2 every 3 hours", "Is it?") + rest,
			"q.md:6:9: two mails to one person on one day; wait at least 1 business day"},
		{"a variant in capitals", first("subject A: Your quote\nsubject B: YOUR quote", "Is it?") + rest,
			"q.md:6:12: YOUR in capitals reads as shouting; write it in small letters"},
		{"rounds count as touches", first("subject: x\nrepeat: 3 every 3 days\nlast: yes", "You may say no: no is fine, this is the last mail."), ""},
		{"a promise that the rounds break", first("subject: x\nrepeat: 3 every 3 days", "Is it? I'll write again tomorrow.") + rest,
			`q.md:9:25: "tomorrow", but the next step comes 3 days later when this one leaves on a Monday; write {{ next_touch }}, or change the wait`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var lines []string
			for _, f := range read("q.md", []byte(tt.source), options{folder: files}).findings() {
				lines = append(lines, f.String())
			}
			if got := strings.Join(lines, "\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}
