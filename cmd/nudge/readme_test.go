package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The README's five minutes, up to the point where a real mailbox is needed:
// its config and its sequence are written as they stand there, and its lint and
// preview commands run as they stand there.
func TestReadmeCanBeFollowed(t *testing.T) {
	readme := readFile(t, "../../README.md")
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("nudge.toml", block(t, readme, "```toml\n", "\n```"))
	write("sequences/quote.md", block(t, readme, "````markdown\n", "\n````"))
	write("mailbox-password", "secret\n")

	commands := regexp.MustCompile(`(?m)^nudge (lint|preview)\b[^#\n]*`).FindAllString(readme, -1)
	if len(commands) < 2 {
		t.Fatalf("the README shows %q", commands)
	}
	for _, command := range append(commands, "nudge list", "nudge status --json") {
		cmd := exec.Command(bin, strings.Fields(command)[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
}

// block is the text between two marks.
func block(t *testing.T, text, begin, end string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, begin)
	if !ok {
		t.Fatalf("no %q in the README", begin)
	}
	inside, _, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("no %q in the README", end)
	}
	return inside + "\n"
}

// What the README's first code block shows of the demo is what the demo prints.
func TestReadmeShowsTheDemoAsItIs(t *testing.T) {
	shown := block(t, readFile(t, "../../README.md"), "real ones:\n\n```\n", "\n```")
	golden := readFile(t, "demo/golden.txt")
	for line := range strings.Lines(shown) {
		if line = strings.TrimRight(line, "\n"); strings.TrimSpace(line) != "…" && !strings.Contains(golden, line) {
			t.Errorf("the demo does not print %q", line)
		}
	}
}
