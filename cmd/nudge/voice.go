package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"nudge/engine"
	"nudge/engine/bolt"
	"nudge/engine/control"
)

// Everything that nudge says about itself goes to standard error with its name
// in front: "nudge: error: what is wrong", then "nudge: hint: what to do next".
// No capital at the start, no full stop at the end.

// Exit codes. Other programs rely on them.
const (
	exitFailed      = 1
	exitUsage       = 2 // also a config that is wrong
	exitFindings    = 3 // mistakes in a sequence file, damage in a state
	exitCredentials = 4
	exitTemporary   = 5 // the disk takes no more; once that is mended, the same works
	exitUnreachable = 6 // the state is locked, or the daemon cannot be talked to
	exitNothing     = 7 // nothing matched
	exitInterrupted = 130
)

// trouble is an error for the person at the terminal. Each line of what is a
// complaint of its own; an empty one says nothing, where all was said already.
type trouble struct {
	code int
	what string
	hint string
}

func (t *trouble) Error() string { return t.what }

// usage is a mistake in how a command was called.
func usage(what, hint string) error { return &trouble{code: exitUsage, what: what, hint: hint} }

// fileTrouble says why a file that was named cannot be read.
func fileTrouble(path string, err error, hint string) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &trouble{code: exitNothing, what: "there is no file " + path, hint: hint}
	case errors.Is(err, fs.ErrPermission):
		mode := "u+r"
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			mode = "u+rx"
		}
		return &trouble{code: exitFailed, what: "this user may not read " + path, hint: "chmod " + mode + ", or run nudge as the user it belongs to"}
	case errors.Is(err, syscall.EISDIR):
		return &trouble{code: exitFailed, what: path + " is a folder, not a file", hint: hint}
	}
	return err
}

// writeTrouble says why a file that a person asked for cannot be written.
func writeTrouble(path string, err error) error {
	folder := filepath.Dir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &trouble{code: exitFailed, what: "there is no folder " + folder, hint: "mkdir -p " + shell(folder)}
	case errors.Is(err, fs.ErrPermission):
		return &trouble{code: exitFailed, what: "this user may not write " + path, hint: writeHint}
	case errors.Is(err, syscall.EISDIR):
		return &trouble{code: exitFailed, what: path + " is a folder, not a file", hint: "name a file in it"}
	}
	return err
}

// writeHint is what to do about a file that may not be written.
const writeHint = "name a file in a folder of your own, or run nudge as the user the folder belongs to"

// explain says what went wrong and returns the exit code.
func (a *app) explain(err error) int {
	if err == nil {
		return 0
	}
	t := asTrouble(err)
	for line := range strings.SplitSeq(t.what, "\n") {
		if line != "" {
			a.say("error", line)
		}
	}
	if t.hint != "" {
		a.say("hint", t.hint)
	}
	return t.code
}

func (a *app) say(kind, text string) {
	label := fmt.Sprintf("nudge: %s: ", kind)
	text = visible(text)
	if !isTerminal(a.err) {
		fmt.Fprintf(a.err, "%s%s\n", label, text)
		return
	}
	for _, line := range toldIn(columnsOf(a.err)-len(label), text) {
		fmt.Fprintf(a.err, "%s%s\n", label, line)
		label = strings.Repeat(" ", len(label))
	}
}

// exampleHint begins a hint that is one command from there on.
const exampleHint = "for example: "

// quotedWords are arguments of a command that hold spaces.
var quotedWords = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// toldIn breaks what is told into lines. A command to copy goes on behind a
// backslash, never inside an argument.
func toldIn(columns int, text string) []string {
	if utf8.RuneCountInString(text) <= columns || !strings.HasPrefix(text, exampleHint) {
		return broken(text, columns)
	}
	const kept = "\x00" // stands for a space that must not be broken
	whole := quotedWords.ReplaceAllStringFunc(text, func(s string) string { return strings.ReplaceAll(s, " ", kept) })
	lines := hanging(whole, columns, 2)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], kept, " ")
		if i < len(lines)-1 {
			lines[i] += " \\"
		}
	}
	return lines
}

// asTrouble gives every error its exit code.
func asTrouble(err error) *trouble {
	if t, ok := errors.AsType[*trouble](err); ok {
		return t
	}
	t := &trouble{code: exitFailed, what: err.Error()}
	if refusal, ok := errors.AsType[*engine.RefusalError](err); ok {
		t.what, t.hint = refusal.What, refusal.Hint
	}
	if errors.Is(err, control.ErrSilent) {
		t.hint = "it hangs or was stopped: its log may say why; end it with kill -9 and start nudge run again. What you asked may still be done"
	}
	for _, known := range []struct {
		err  error
		code int
	}{
		{engine.ErrInvalid, exitUsage},
		{engine.ErrBroken, exitFindings},
		{bolt.ErrDamaged, exitFindings},
		{engine.ErrNotFound, exitNothing},
		{bolt.ErrLocked, exitUnreachable},
		{bolt.ErrCommit, exitTemporary},
		{control.ErrNotRunning, exitUnreachable},
		{control.ErrRunning, exitUnreachable},
		{control.ErrGone, exitUnreachable},
		{control.ErrSilent, exitUnreachable},
		{context.Canceled, exitInterrupted},
	} {
		if errors.Is(err, known.err) {
			t.code = known.code
			break
		}
	}
	if hint := diskHint(err); hint != "" && (t.code == exitFailed || t.code == exitTemporary) {
		t.code, t.hint = exitTemporary, or(t.hint, hint)
	}
	return t
}

// command is words as they are typed into a shell.
type command string

// plainWord is what a shell takes as it stands.
var plainWord = regexp.MustCompile(`^[\pL\pN_@%+=:,./-][\pL\pN_@%+=:,./~-]*$`)

// shell is a word as it is typed into a shell. Whatever was named by somebody
// goes through it on its way into a command to copy.
func shell(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// next tells the natural next command, as the last line of a success. Strings
// are words of it, and quoted where they must be.
func (a *app) next(format string, args ...any) {
	for i, arg := range args {
		if word, ok := arg.(string); ok {
			args[i] = shell(word)
		}
	}
	fmt.Fprintln(a.out, a.dim("next: "+visible(fmt.Sprintf(format, args...))))
}

// printf writes a part of the answer. What came from mail or prospects must go
// through visible first.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

// writeJSON writes an answer for other programs.
func (a *app) writeJSON(value any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// writeJSONLine writes one of many answers, on a line of its own.
func (a *app) writeJSONLine(value any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(value)
}

// visible takes from foreign text what could move a cursor, ring a bell or
// begin a new line.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)
}

// Colours, on a terminal only.

func (a *app) dim(s string) string    { return a.styled("2", s) }
func (a *app) bold(s string) string   { return a.styled("1", s) }
func (a *app) red(s string) string    { return a.styled("31", s) }
func (a *app) yellow(s string) string { return a.styled("33", s) }
func (a *app) green(s string) string  { return a.styled("32", s) }

func (a *app) styled(code, s string) string {
	if s == "" || a.colourless() || !isTerminal(a.out) {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// colourless says whether no colours are wanted, or none are understood.
func (a *app) colourless() bool {
	return a.noColor || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
}
