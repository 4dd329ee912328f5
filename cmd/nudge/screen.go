package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"golang.org/x/term"
)

// width is how wide an answer may be, in characters, where no terminal says
// otherwise.
const width = 80

// answerWriter is standard output. It remembers that something could not be
// written, so that a command whose answer got lost does not claim success.
type answerWriter struct {
	to   io.Writer
	lost error
}

// Write implements io.Writer.
func (w *answerWriter) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	if err != nil && w.lost == nil {
		w.lost = err
	}
	return n, err
}

// trouble is what to say about an answer that got lost, or nil.
func (w *answerWriter) trouble() error {
	if w.lost == nil {
		return nil
	}
	why := w.lost
	if number, ok := errors.AsType[syscall.Errno](why); ok { // without "write /dev/stdout"
		why = number
	}
	return &trouble{code: exitFailed, what: fmt.Sprintf("the answer could not be written to standard output: %v", why)}
}

// lost is the trouble of an answer that got lost so far: who writes without end
// asks for it.
func (a *app) lost() error {
	if answer, ok := a.out.(*answerWriter); ok {
		return answer.trouble()
	}
	return nil
}

// terminal is the file behind a writer when that is a terminal.
func terminal(w io.Writer) (*os.File, bool) {
	if answer, ok := w.(*answerWriter); ok {
		w = answer.to
	}
	f, ok := w.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

func isTerminal(w io.Writer) bool {
	_, ok := terminal(w)
	return ok
}

// columns is the terminal's width, or width where there is none.
func (a *app) columns() int { return columnsOf(a.out) }

// narrowestScreen is below which a width is not believed.
const narrowestScreen = 40

// columnsOf is the width of what is written to. COLUMNS says another for a
// terminal whose lines a program reads, such as the one of an editor's tasks.
func columnsOf(w io.Writer) int {
	f, ok := terminal(w)
	if !ok {
		return width
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n >= narrowestScreen {
		return n
	}
	if n, _, err := term.GetSize(int(f.Fd())); err == nil && n >= narrowestScreen {
		return n
	}
	return width
}

// fact writes a label and what it is about, with the lines that do not fit
// below the first word. paint colours the words and may be nil.
func (a *app) fact(label, words string, paint func(string) string) {
	for i, line := range hanging(words, a.columns(), utf8.RuneCountInString(label)) {
		if paint != nil {
			line = paint(line)
		}
		if i > 0 {
			label = strings.Repeat(" ", utf8.RuneCountInString(label))
		}
		a.printf("%s%s\n", label, line)
	}
}

// broken is a line as it stands where it fits, else its words in several.
func broken(line string, columns int) []string {
	if utf8.RuneCountInString(line) <= columns {
		return []string{line}
	}
	return hanging(line, columns, 0)
}

// hanging breaks words into lines that leave room for an indent. Longer words,
// such as paths, stay whole.
func hanging(words string, columns, indent int) []string {
	return wrap(words, max(columns-indent, 20))
}

// tell writes a sentence, on a terminal in several lines where it must.
func (a *app) tell(sentence string) {
	for _, line := range a.linesOf(visible(sentence), 0) {
		a.printf("%s\n", line)
	}
}

// linesOf is hanging for what other programs may read line by line: it breaks
// on a terminal only.
func (a *app) linesOf(words string, indent int) []string {
	if !isTerminal(a.out) {
		return []string{words}
	}
	return hanging(words, a.columns(), indent)
}
