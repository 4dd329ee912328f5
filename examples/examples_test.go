package examples_test

import (
	"bytes"
	"encoding/csv"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/pelletier/go-toml/v2"

	"nudge/examples"
	"nudge/sequences"
	"nudge/templates"
)

func library(t *testing.T) *sequences.Library {
	t.Helper()
	l, err := sequences.Open("sequences")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(l.Names(), " "), "3-2-4 after-sale appointment invoice proposal quote reactivation review twelve"; got != want {
		t.Fatalf("sequences are %q, want %q", got, want)
	}
	return l
}

func TestExampleSequencesHaveNoFindings(t *testing.T) {
	for _, err := range library(t).Broken() {
		t.Error(err)
	}
	files, err := filepath.Glob("sequences/*.md")
	if err != nil || len(files) != 9 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range sequences.Lint(file, source) {
			t.Error(f)
		}
	}
}

// prospects reads the CSV as an import does: a column is a field.
func prospects(t *testing.T) []templates.Fields {
	t.Helper()
	source, err := os.ReadFile("prospects.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(source)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []templates.Fields
	for _, row := range rows[1:] {
		fields := templates.Fields{}
		for i, name := range rows[0] {
			if row[i] != "" {
				fields[name] = row[i]
			}
		}
		all = append(all, fields)
	}
	if len(all) != 6 {
		t.Fatalf("%d prospects", len(all))
	}
	return all
}

// Names that no one can own (RFC 2606), so that an example never reaches anybody.
var reserved = regexp.MustCompile(`@([a-z.-]+\.)?(example|example\.(com|net|org))$`)

func TestExampleProspectsBringWhatEverySequenceNeeds(t *testing.T) {
	l := library(t)
	for _, p := range prospects(t) {
		if !reserved.MatchString(p["email"]) {
			t.Errorf("%s could be a real address", p["email"])
		}
		if _, err := time.LoadLocation(p["timezone"]); err != nil || p["timezone"] == "" {
			t.Errorf("%s: time zone %q, %v", p["email"], p["timezone"], err)
		}
		for _, name := range l.Names() {
			s, _ := l.Sequence(name)
			for _, need := range s.Needs {
				if p[need] == "" {
					t.Errorf("%s needs %s, which %s does not bring", name, need, p["email"])
				}
			}
		}
	}
}

func TestExampleSequencesRenderForEveryProspect(t *testing.T) {
	l := library(t)
	for _, p := range prospects(t) {
		p["signature"] = "Anna Berg"
		p["variant"] = "A"
		for _, name := range l.Names() {
			s, _ := l.Sequence(name)
			for _, st := range s.Steps {
				parts, err := st.Body.Render(p)
				if err != nil || strings.Contains(parts.Text, "{{") {
					t.Errorf("%s, step %q, for %s: %v\n%s", name, st.ID, p["email"], err, parts.Text)
				}
				if st.Subject == nil {
					continue
				}
				if subject, err := st.Subject.Render(p); err != nil || len(subject) > 70 {
					t.Errorf("%s, step %q, for %s: %v, subject %q", name, st.ID, p["email"], err, subject)
				}
			}
		}
	}
}

// How many touches each example has, and how many weeks it takes.
var lengths = map[string]struct{ touches, least, most int }{
	"3-2-4": {4, 2, 3}, "after-sale": {4, 20, 24}, "appointment": {5, 2, 4}, "invoice": {4, 4, 6}, "proposal": {5, 4, 6}, "quote": {4, 3, 4},
	"reactivation": {4, 4, 6}, "review": {4, 3, 5}, "twelve": {12, 22, 28},
}

// A prospect hears from each sequence on weekdays, at most every other day, and
// for as long as its note says.
func TestExampleSequencesKeepADecentPace(t *testing.T) {
	loc, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	l := library(t)
	for _, name := range l.Names() {
		s, _ := l.Sequence(name)
		start := time.Date(2026, 10, 20, 17, 45, 0, 0, loc)
		at := start
		for i, st := range s.Steps {
			due := st.DueAt(at, loc)
			least := 36 * time.Hour
			if st.Do != sequences.Email || i > 0 && s.Steps[i-1].Do != sequences.Email {
				least = 12 * time.Hour // the owner's own work stands between two mails
			}
			if due.Weekday() == time.Saturday || due.Weekday() == time.Sunday || due.Sub(at) < least && i > 0 {
				t.Errorf("%s, step %q: due %v after %v", name, st.ID, due, at)
			}
			at = due
		}
		want := lengths[name]
		if weeks := at.Sub(start).Hours() / 24 / 7; weeks < float64(want.least) || weeks > float64(want.most) {
			t.Errorf("%s takes %.1f weeks", name, weeks)
		}
		if n := len(s.Steps); n != want.touches || !s.Steps[n-1].Last {
			t.Errorf("%s has %d steps, the last one marked: %v", name, n, s.Steps[n-1].Last)
		}
	}
}

// Each example tells, above its first step, why every step stands there.
func TestExampleSequencesSayWhy(t *testing.T) {
	l := library(t)
	for _, name := range l.Names() {
		source, err := os.ReadFile("sequences/" + name + ".md")
		if err != nil {
			t.Fatal(err)
		}
		note, _, _ := strings.Cut(string(source), "\n## ")
		_, why, found := strings.Cut(note, "Why each step stands where it stands:")
		if reasons := numbered.FindAllString(why, -1); !found || len(reasons) < min(4, lengths[name].touches) {
			t.Errorf("%s explains %d steps", name, len(reasons))
		}
		if embedded, err := fs.ReadFile(examples.Sequences(), name+".md"); err != nil || !bytes.Equal(embedded, source) {
			t.Errorf("%s is not embedded as it is: %v", name, err)
		}
	}
}

var numbered = regexp.MustCompile(`(?m)^(\d+\.|- \d+ to \d+:) `)

func TestTheExampleConfigHasOnlyKnownKeys(t *testing.T) {
	source, err := os.ReadFile("nudge.toml")
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := toml.Unmarshal(source, &config); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"": {"backup", "deliver", "mailbox", "pace", "reload", "replies", "sequences", "signature", "state"},
		"mailbox": {"address", "aliases", "ca-file", "display-name", "gap", "imap", "in-doubt", "list-unsubscribe", "name", "password-from", "per-day", "poll",
			"save-sent", "smtp", "timezone", "tls", "user"},
		"pace":    {"between-sequences", "per-domain", "per-person"},
		"replies": {"out-of-office", "same-company", "takeover"},
		"backup":  {"at", "keep"},
	}
	mailboxes, _ := config["mailbox"].([]any)
	if len(mailboxes) != 1 {
		t.Fatalf("%d mailboxes", len(mailboxes))
	}
	for section, keys := range map[string]any{"": config, "mailbox": mailboxes[0], "pace": config["pace"], "replies": config["replies"], "backup": config["backup"]} {
		var got []string
		for key := range keys.(map[string]any) {
			got = append(got, key)
		}
		slices.Sort(got)
		if !slices.Equal(got, want[section]) {
			t.Errorf("[%s] has the keys %v, want %v", section, got, want[section])
		}
	}
	if config["deliver"] != "rehearsal" {
		t.Error("an example must not send to anybody")
	}
}
