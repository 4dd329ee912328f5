package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nudge/sequences"
)

var (
	spamScore = regexp.MustCompile(`\((-?\d+\.\d+) points, `)
	spamRule  = regexp.MustCompile(`(?m)^ *(-?\d+\.\d+) ([A-Z][A-Z0-9_]+) `)
)

// mostSpam is the highest score that an example mail may have.
const mostSpam = 0.5

// TestSpamScores has every example mail judged by SpamAssassin, without a
// network, as it would be when it leaves: no server's headers, which would bring
// points of their own. It runs as make spam.
func TestSpamScores(t *testing.T) {
	if os.Getenv("NUDGE_SPAM") == "" {
		t.Skip("SKIPPED: the scores are taken by make spam, which needs SpamAssassin")
	}
	if _, err := exec.LookPath("spamassassin"); err != nil {
		t.Fatal("no spamassassin in PATH: apt-get install spamassassin")
	}
	fired := map[string]int{}
	mails := 0
	for _, file := range exampleFiles(t) {
		_, steps := exampleMails(t, file, exampleProspect(t, 1))
		for _, s := range steps {
			if s.step.Do != sequences.Email {
				continue
			}
			mails++
			name := filepath.Base(file) + ", step " + s.step.Title
			cmd := exec.CommandContext(t.Context(), "spamassassin", "-L", "-t")
			cmd.Stdin = bytes.NewReader(s.email.Raw)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			m := spamScore.FindSubmatch(out)
			if m == nil {
				t.Fatalf("%s: no score in\n%s", name, out)
			}
			score, err := strconv.ParseFloat(string(m[1]), 64)
			if err != nil {
				t.Fatal(err)
			}
			var rules []string
			_, table, _ := bytes.Cut(out, []byte("Content analysis details:"))
			for _, rule := range spamRule.FindAllSubmatch(table, -1) {
				rules = append(rules, string(rule[2])+" "+string(rule[1]))
				fired[string(rule[2])+" "+string(rule[1])]++
			}
			slices.Sort(rules)
			t.Logf("%4.1f  %s: %s", score, name, strings.Join(rules, ", "))
			if score > mostSpam {
				t.Errorf("%s scores %.1f; the most is %.1f", name, score, mostSpam)
			}
		}
	}
	t.Logf("%d mails; rules that fired: %v", mails, fired)
}
