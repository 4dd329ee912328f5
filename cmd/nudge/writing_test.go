package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"nudge/sequences"
)

// guide is docs/writing.md, whose examples are taken out of it and tried.
func guide(t *testing.T, fence string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/writing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n```"+fence+"\n")
	block, _, closed := strings.Cut(rest, "\n```\n")
	if !found || !closed {
		t.Fatalf("docs/writing.md has no block of %s", fence)
	}
	return block
}

// linted is what nudge lint says about a folder with mistakes and advice, as
// text and as findings.
func linted(t *testing.T) (string, []sequences.Finding) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.Mkdir("sequences", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]string{
		"broken.md": "---\nsned: always\n---\n\n## 1. Hello\n\n```step\nwait: 3 busness days\nsubject: Hello\n```\n\nHi {{ first_name }\n",
		"advice.md": "## 1. Hello\n\n```step\nwait: 2 seconds\nsubject: advice: JUST FOLLOWING UP\n```\n\nHi there, just\nfollowing up.\n",
	} {
		if err := os.WriteFile(filepath.Join("sequences", name), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	a := &app{in: strings.NewReader(""), out: &out, err: io.Discard}
	root := a.root()
	root.SetArgs([]string{"lint", "sequences"})
	if err := root.Execute(); asTrouble(err).code != exitFindings {
		t.Fatalf("%v\n%s", err, out.String())
	}
	var all []sequences.Finding
	for _, name := range []string{"sequences/advice.md", "sequences/broken.md"} {
		all = append(all, sequences.Lint(name, []byte(readAll(t, name)))...)
	}
	if len(all) < 8 {
		t.Fatalf("only %d findings", len(all))
	}
	return out.String(), all
}

// seen is a finding as an editor reads it off a line.
type seen struct {
	file, message string
	line, column  int
	severity      string
}

func compareSeen(t *testing.T, who string, got []seen, findings []sequences.Finding) {
	t.Helper()
	if len(got) != len(findings) {
		t.Fatalf("%s sees %d findings of %d: %+v", who, len(got), len(findings), got)
	}
	for i, f := range findings {
		severity := "error"
		if f.Severity != sequences.SeverityError {
			severity = "warning"
		}
		g := got[i]
		if g.file != f.File || g.line != f.Line || g.column != f.Column || g.severity != severity || !strings.HasPrefix(g.message, f.Message) {
			t.Errorf("%s sees %+v, and it is %+v", who, g, f)
		}
	}
}

func TestTheProblemMatcherReadsRealOutput(t *testing.T) {
	var tasks struct {
		Tasks []struct {
			ProblemMatcher []struct {
				Severity string
				Pattern  struct {
					Regexp                      string
					File, Line, Column, Message int
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(guide(t, "json")), &tasks); err != nil {
		t.Fatal(err)
	}
	out, findings := linted(t)
	var got []seen
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		for _, m := range tasks.Tasks[0].ProblemMatcher {
			// Go knows no lookahead; what it looks for is asked by hand.
			pattern, not := strings.ReplaceAll(m.Pattern.Regexp, "(?!advice: )", ""), strings.Contains(m.Pattern.Regexp, "(?!advice: )")
			found := regexp.MustCompile(pattern).FindStringSubmatch(line)
			if found == nil || not && strings.HasPrefix(found[m.Pattern.Message], "advice: ") {
				continue
			}
			got = append(got, seen{file: found[m.Pattern.File], message: found[m.Pattern.Message], line: number(t, found[m.Pattern.Line]),
				column: number(t, found[m.Pattern.Column]), severity: m.Severity})
		}
	}
	compareSeen(t, "the problem matcher", got, findings)
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The errorformat is read as vim reads it: the first pattern that fits a line
// has it.
func TestTheErrorformatReadsRealOutput(t *testing.T) {
	_, format, found := strings.Cut(guide(t, "vim"), "errorformat=")
	if !found {
		t.Fatal("no errorformat")
	}
	items := strings.NewReplacer("%f", "(?P<f>.+?)", "%l", `(?P<l>\d+)`, "%c", `(?P<c>\d+)`, "%m", "(?P<m>.+)", "%.%#", ".*")
	var patterns []*regexp.Regexp
	var kinds []string
	for part := range strings.SplitSeq(strings.ReplaceAll(format, `\ `, " "), ",") {
		kind := part[:2]
		if kind == "%-" {
			kind = part[:3]
		}
		kinds = append(kinds, kind)
		patterns = append(patterns, regexp.MustCompile("^"+items.Replace(part[len(kind):])+"$"))
	}
	out, findings := linted(t)
	var got []seen
	for line := range strings.Lines(out) {
		for i, p := range patterns {
			m := p.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
			if m == nil {
				continue
			}
			if kinds[i] != "%-G" {
				group := func(name string) string { return m[p.SubexpIndex(name)] }
				got = append(got, seen{file: group("f"), message: group("m"), line: number(t, group("l")), column: number(t, group("c")),
					severity: map[string]string{"%W": "warning", "%E": "error"}[kinds[i]]})
			}
			break
		}
	}
	compareSeen(t, "vim", got, findings)
}

// The hook of the guide holds back a commit with a mistake, and lets one with
// advice pass.
func TestTheHookHoldsBackMistakes(t *testing.T) {
	hook := guide(t, "sh")
	_, _ = linted(t)
	bin := linked(t)
	if err := os.WriteFile("hook", []byte(hook+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	run := func() (string, int) {
		cmd := exec.CommandContext(t.Context(), "./hook")
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, code := run(); code != exitFindings {
		t.Errorf("with a mistake: %d\n%s", code, out)
	}
	if err := os.Remove("sequences/broken.md"); err != nil {
		t.Fatal(err)
	}
	if out, code := run(); code != 0 {
		t.Errorf("with advice alone: %d\n%s", code, out)
	}
}

// The commands of the guide's beginning, and the examples of the commands that
// pour fields into the presets, work as they stand there, one after the other.
func TestTheGuideCanBeFollowed(t *testing.T) {
	text, err := os.ReadFile("../../docs/writing.md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, c := range regexp.MustCompile(`(?m)^nudge [^#\n]*`).FindAllString(string(text), -1) {
		if !strings.HasPrefix(c, "nudge: ") && !strings.Contains(c, "--watch") { // that one goes on until Ctrl-C
			commands = append(commands, c)
		}
	}
	a := &app{}
	for _, cmd := range []*cobra.Command{a.previewCommand(), a.enrollCommand()} {
		for _, c := range examplesOf(cmd) {
			if !strings.Contains(c, "--watch") {
				commands = append(commands, c)
			}
		}
	}
	if len(commands) < 6 {
		t.Fatalf("only %q", commands)
	}
	t.Chdir(t.TempDir())
	config := "state = \"nudge.db\"\n\n[[mailbox]]\naddress = \"anna@bergroofing.example\"\ndisplay-name = \"Anna\"\nimap = \"imap.example:993\"\nsmtp = \"smtp.example:465\"\npassword-from = \"env P\"\n"
	if err := os.WriteFile("nudge.toml", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	bin := linked(t)
	for _, c := range commands {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", c)
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", c, err, out)
		}
	}
}

// linked is a folder with this program in it, under its own name.
func linked(t *testing.T) string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(program, filepath.Join(bin, "nudge")); err != nil {
		t.Fatal(err)
	}
	return bin
}
