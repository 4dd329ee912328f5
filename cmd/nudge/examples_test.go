package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nudge/engine"
	"nudge/sequences"
)

const examplesDir = "../../examples"

// exampleProspect is somebody of examples/prospects.csv, enrolled one Tuesday.
func exampleProspect(t testing.TB, row int) engine.Enrollment {
	t.Helper()
	f, err := os.Open(filepath.Join(examplesDir, "prospects.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	en := engine.Enrollment{ID: "000001", Fields: map[string]string{}, State: engine.Active}
	for i, name := range rows[0] {
		switch value := rows[row][i]; name {
		case "email":
			en.Address, en.Key = value, engine.AddressKey(value)
		case "name":
			en.Name = value
		default:
			en.Fields[name] = value
		}
	}
	return en
}

// exampleMails walks through an example with a prospect.
func exampleMails(t testing.TB, file string, en engine.Enrollment) (*walker, []walked) {
	t.Helper()
	seq, err := findSequence(file, "", "")
	if err != nil {
		t.Fatal(err)
	}
	loc, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 12, 1, 9, 30, 0, 0, loc)
	en.Sequence, en.EnrolledAt, en.StartAt, en.Fields = seq.Name, now, now, maps.Clone(en.Fields)
	w := &walker{seq: seq, en: en, now: now, owner: engine.Mailbox{Name: "sales", Address: "anna@bergroofing.example", DisplayName: "Anna Berg",
		Signature: "Anna Berg\nBerg Roofing, 12 Main St", Location: loc}}
	steps, missing, err := w.walk()
	if err != nil || len(missing) > 0 {
		t.Fatalf("%s: no value for %v, %v", file, missing, err)
	}
	return w, steps
}

func exampleFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(examplesDir, "sequences", "*.md"))
	if err != nil || len(files) != 9 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// Every mail of every example, as the first prospect gets it, lies under
// examples/previews. UPDATE=1 writes them anew.
func TestPreviewsOfTheExamples(t *testing.T) {
	for _, file := range exampleFiles(t) {
		_, steps := exampleMails(t, file, exampleProspect(t, 1))
		var b strings.Builder
		for i, s := range steps {
			if i > 0 {
				fmt.Fprintf(&b, "\n%s\n\n", strings.Repeat("-", 72))
			}
			if s.out != "" {
				fmt.Fprintf(&b, "%s\n", s.leftOut())
				continue
			}
			parts, err := partsOf(s.email.Raw)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s, %s\n", s.step.Title, s.at.Format("Monday 2 January 2006, 15:04"))
			if s.step.Do != sequences.Email {
				fmt.Fprintf(&b, "Your own work: %s\n\n%s", s.step.Do, printable(parts.text))
				continue
			}
			headers, err := headersOf(s.email.Raw)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range headers {
				fmt.Fprintf(&b, "%s: %s\n", h[0], h[1])
			}
			for _, f := range parts.files {
				fmt.Fprintf(&b, "Attached: %s\n", f.name)
			}
			fmt.Fprintf(&b, "\n%s", printable(parts.text))
		}
		golden := filepath.Join(examplesDir, "previews", strings.TrimSuffix(filepath.Base(file), ".md")+".txt")
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", golden, diff)
		}
		for line := range strings.Lines(b.String()) {
			if len([]rune(strings.TrimRight(line, "\n"))) > 80 {
				t.Errorf("%s: more than 80 columns: %s", golden, line)
			}
		}
	}
}

var (
	loads    = regexp.MustCompile(`(?i)<(img|link|script|iframe|object|embed|video|audio|form|base|style|svg|input|button)\b|\b(src|background|srcset|action)\s*=|url\s*\(|@import|\bon[a-z]+\s*=`)
	unstyled = regexp.MustCompile(`<(p|ul|ol|table|th|td|h[1-6]|blockquote|pre|hr)>`)
	headings = regexp.MustCompile(`<h([1-6])`)
)

// No example mail loads anything, leaves a style to a style sheet, or says what
// made it; each tells its language, and its plain text is
// plain.
func TestExampleMailsKeepToThemselves(t *testing.T) {
	for _, file := range exampleFiles(t) {
		for row := 1; row <= 6; row++ {
			_, steps := exampleMails(t, file, exampleProspect(t, row))
			for _, s := range steps {
				if s.step.Do != sequences.Email || s.out != "" {
					continue
				}
				parts, err := partsOf(s.email.Raw)
				if err != nil {
					t.Fatal(err)
				}
				where := fmt.Sprintf("%s, step %d, row %d", filepath.Base(file), s.step.Number, row)
				if m := loads.FindString(parts.page); m != "" {
					t.Errorf("%s: the HTML has %q", where, m)
				}
				if m := unstyled.FindString(parts.page); m != "" {
					t.Errorf("%s: %s has no style of its own", where, m)
				}
				if !strings.Contains(parts.page, `<html lang="en">`) {
					t.Errorf("%s: no language", where)
				}
				for _, h := range headings.FindAllStringSubmatch(parts.page, -1) {
					if h[1] < "2" {
						t.Errorf("%s: a heading of level %s", where, h[1])
					}
				}
				if strings.ContainsAny(parts.text, "*<>#|{}\t") {
					t.Errorf("%s: marks of Markdown in the plain text\n%s", where, parts.text)
				}
				head, _, _ := bytes.Cut(s.email.Raw, []byte("\r\n\r\n"))
				for _, tell := range []string{"User-Agent", "X-Mailer", "go1.", "localhost"} {
					if bytes.Contains(bytes.ToLower(head), []byte(strings.ToLower(tell))) {
						t.Errorf("%s: the head reveals %q\n%s", where, tell, head)
					}
				}
			}
		}
	}
}

// For every example, whenever somebody comes in: nudge plan SEQUENCE --from and
// nudge preview tell the same steps at the same moments.
func TestPlanAndPreviewTellTheSame(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 5))
	for _, file := range exampleFiles(t) {
		seq, err := findSequence(file, "", "")
		if err != nil {
			t.Fatal(err)
		}
		for n := range 30 {
			zone := []string{"Europe/Stockholm", "America/New_York", "Pacific/Auckland", "Asia/Kolkata"}[n%4]
			loc, err := time.LoadLocation(zone)
			if err != nil {
				t.Fatal(err)
			}
			now := time.Date(2026, 1, 1, 0, dice.IntN(2*365*24*60), 0, 0, loc)
			owner := engine.Mailbox{Name: "sales", Address: "anna@bergroofing.example", Signature: "Anna Berg", Location: loc}
			en := exampleProspect(t, 1+n%6)
			delete(en.Fields, "timezone")
			for _, st := range seq.Steps {
				if st.Before != "" {
					en.Fields[st.Before] = now.Add(time.Duration(dice.IntN(20*24*60)) * time.Minute).Format("2006-01-02 15:04")
				}
			}
			en.Sequence, en.EnrolledAt, en.StartAt = seq.Name, now, now
			w := &walker{seq: seq, en: en, now: now, owner: owner}
			steps, missing, err := w.walk()
			if err != nil || len(missing) > 0 {
				t.Fatalf("%s: %v, %v", file, missing, err)
			}
			rows, err := engine.Imagine(engine.EnrollRequest{Sequence: seq.Name, Address: en.Address, Fields: en.Fields}, seq, owner, now)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			var previewed, planned []string
			for _, s := range steps {
				previewed = append(previewed, fmt.Sprintf("%s %s %s %q", s.at.Format(time.RFC3339), s.step.ID, s.step.Do, s.out))
			}
			for _, r := range rows {
				planned = append(planned, fmt.Sprintf("%s %s %s %q", r.At.Format(time.RFC3339), r.Step, r.Action, r.LeftOut))
			}
			if diff := cmp.Diff(planned, previewed); diff != "" || len(planned) != len(seq.Steps) {
				t.Errorf("%s, from %s: %d of %d steps (-plan +preview)\n%s", file, now, len(planned), len(seq.Steps), diff)
			}
		}
	}
}
