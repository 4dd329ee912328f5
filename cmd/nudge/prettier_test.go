package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nudge/sequences"
)

// What Prettier does to a file that nobody sees in a mail: where HTML source
// lines break.
var anySpace = regexp.MustCompile(`\s+`)

// TestPrettierChangesNoExample wraps a copy of every example with Prettier and
// compares what lint says, and the mails. It runs as make prettier.
func TestPrettierChangesNoExample(t *testing.T) {
	if os.Getenv("NUDGE_PRETTIER") == "" {
		t.Skip("SKIPPED: the comparison with Prettier is made by make prettier, which needs it in PATH")
	}
	if _, err := exec.LookPath("prettier"); err != nil {
		t.Fatal("no prettier in PATH: npm install --global prettier")
	}
	for _, width := range []string{"80", "40", "120"} {
		dir := t.TempDir()
		for _, file := range exampleFiles(t) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), source, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.CommandContext(t.Context(), "prettier", "--prose-wrap", "always", "--print-width", width, "--write", dir).CombinedOutput()
		if err != nil {
			t.Fatalf("prettier: %v\n%s", err, out)
		}
		changed := 0
		for _, file := range exampleFiles(t) {
			wrapped := filepath.Join(dir, filepath.Base(file))
			before, after := readAll(t, file), readAll(t, wrapped)
			if before != after {
				changed++
			}
			for _, f := range sequences.Lint(wrapped, []byte(after)) {
				t.Errorf("at width %s: %s", width, f)
			}
			if diff := cmp.Diff(mailsOf(t, file), mailsOf(t, wrapped)); diff != "" {
				t.Errorf("%s at width %s (-before +after):\n%s", filepath.Base(file), width, diff)
			}
		}
		if changed < 5 {
			t.Errorf("at width %s Prettier changed %d files only", width, changed)
		}
	}
}

func readAll(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mailsOf are an example's settings, as they show in its dates and steps, and
// its mails.
func mailsOf(t *testing.T, file string) []string {
	t.Helper()
	_, steps := exampleMails(t, file, exampleProspect(t, 1))
	var all []string
	for _, s := range steps {
		parts, err := partsOf(s.email.Raw)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Join([]string{s.step.ID, string(s.step.Do), s.at.String(), s.email.Subject, parts.text,
			anySpace.ReplaceAllString(parts.page, " ")}, "\n"))
	}
	return all
}
