package bolt

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"nudge/engine"
)

// The ledger is the second memory of who must never be written to again. It
// lies beside the state as path.suppressions, and only ever grows: one line for
// each word, "time TAB add|remove TAB target TAB why". What holds a control
// character, or begins with a quote, stands as a Go string literal. A line is
// on disk before the transaction commits that it belongs to, so a state that is
// older than its ledger learns at Open what it forgot.

const (
	ledgerHead = "nudge suppressions 1\n"
	ledgerTorn = "\t(torn)" // ends a line that a power cut left unfinished
)

// ledgerEntry is one line.
type ledgerEntry struct {
	engine.Suppression
	remove bool
}

func (e ledgerEntry) String() string {
	verb := "add"
	if e.remove {
		verb = "remove"
	}
	return e.At.Format(time.RFC3339Nano) + "\t" + verb + "\t" + plain(e.Target) + "\t" + plain(e.Why) + "\n"
}

// plain makes a text fit to stand in one column.
func plain(s string) string {
	if strings.HasPrefix(s, `"`) || strings.ContainsFunc(s, unicode.IsControl) {
		return strconv.Quote(s)
	}
	return s
}

// parseEntry reads one line without its end.
func parseEntry(line string) (ledgerEntry, error) {
	columns := strings.Split(line, "\t")
	if len(columns) != 4 {
		return ledgerEntry{}, errors.New("there are not 4 columns")
	}
	at, err := time.Parse(time.RFC3339Nano, columns[0])
	if err != nil {
		return ledgerEntry{}, fmt.Errorf("%q is not a time", columns[0])
	}
	if columns[1] != "add" && columns[1] != "remove" {
		return ledgerEntry{}, fmt.Errorf("%q is neither add nor remove", columns[1])
	}
	for i := 2; i < 4; i++ {
		if !strings.HasPrefix(columns[i], `"`) {
			continue
		}
		if columns[i], err = strconv.Unquote(columns[i]); err != nil {
			return ledgerEntry{}, errors.New("a quote is not closed")
		}
	}
	if columns[2] == "" {
		return ledgerEntry{}, errors.New("nobody is named")
	}
	return ledgerEntry{engine.Suppression{Target: columns[2], Why: columns[3], At: at}, columns[1] == "remove"}, nil
}

// ledger is the open file.
type ledger struct {
	f      *os.File
	noSync bool
}

// openLedger opens the ledger, making it when there is none, and returns what
// it says is suppressed, by target. The file is closed to others' eyes.
func openLedger(path string, noSync bool) (*ledger, map[string]engine.Suppression, error) {
	f, err := openPrivate(path)
	if errors.Is(err, os.ErrNotExist) {
		if err = replaceFile(path, []byte(ledgerHead), noSync); err == nil {
			f, err = openPrivate(path)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	l := &ledger{f, noSync}
	said, err := l.read()
	if err != nil {
		_ = f.Close()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, said, nil
}

// openPrivate opens an existing file for appending, never through a symbolic
// link, and makes it its owner's alone.
func openPrivate(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(0o600); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// read folds all lines into what holds, and closes off an unfinished last one.
func (l *ledger) read() (map[string]engine.Suppression, error) {
	all, err := io.ReadAll(l.f)
	if err != nil {
		return nil, err
	}
	said := map[string]engine.Suppression{}
	if strings.HasPrefix(ledgerHead, string(all)) { // empty, or cut inside its first line
		return said, l.write([]byte(ledgerHead[len(all):]))
	}
	lines := strings.SplitAfter(string(all), "\n")
	if lines[0] != ledgerHead {
		return nil, fmt.Errorf("%w: line 1 should say %q", ErrLedger, strings.TrimSpace(ledgerHead))
	}
	for i, line := range lines[1:] {
		line, ended := strings.CutSuffix(line, "\n")
		if line = strings.TrimSuffix(line, "\r"); line == "" || strings.HasSuffix(line, ledgerTorn) {
			continue
		}
		e, err := parseEntry(line)
		switch {
		case !ended && (err != nil || e.remove):
			return said, l.write([]byte(ledgerTorn + "\n")) // nobody was told that it was kept
		case err != nil:
			return nil, fmt.Errorf("%w: in line %d, %v", ErrLedger, i+2, err)
		}
		e.fold(said)
		if !ended {
			return said, l.write([]byte("\n"))
		}
	}
	return said, nil
}

// fold applies a line to what held before it. A reason only moves up.
func (e ledgerEntry) fold(said map[string]engine.Suppression) {
	was, known := said[e.Target]
	switch {
	case e.remove:
		delete(said, e.Target)
	case !known:
		said[e.Target] = e.Suppression
	case engine.Outranks(e.Why, was.Why):
		was.Why = e.Why
		said[e.Target] = was
	}
}

// append adds lines, and returns once they are on disk.
func (l *ledger) append(entries []ledgerEntry) error {
	if len(entries) == 0 {
		return nil
	}
	var b bytes.Buffer
	for _, e := range entries {
		b.WriteString(e.String())
	}
	return l.write(b.Bytes())
}

func (l *ledger) write(b []byte) error {
	if _, err := l.f.Write(b); err != nil {
		return err
	}
	if l.noSync {
		return nil
	}
	return l.f.Sync()
}

// unite makes the state and its ledger agree: whatever either knows to be
// suppressed is, with the weightier reason.
func (w *write) unite(said map[string]engine.Suppression, now time.Time) error {
	err := w.tx.Bucket(bucketSuppressions).ForEach(func(k, raw []byte) error {
		have, err := decode[engine.Suppression](raw)
		if err != nil {
			return damaged(bucketSuppressions, k, err)
		}
		have.Target = string(k)
		s, known := said[have.Target]
		if !known || engine.Outranks(have.Why, s.Why) {
			w.ledger = append(w.ledger, ledgerEntry{have, false})
		}
		if known && !engine.Outranks(s.Why, have.Why) {
			delete(said, have.Target) // nothing to learn from it
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range slices.SortedFunc(maps.Values(said), older) {
		if _, _, err := w.enter(s, now); err != nil {
			return err
		}
	}
	return nil
}

func older(a, b engine.Suppression) int {
	return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Target, b.Target))
}

// replaceFile writes a small file whole, readable by its owner alone: a crash
// leaves the old one or the new one.
func replaceFile(path string, content []byte, noSync bool) error {
	f, err := newFile(path)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // does nothing once it was renamed
	_, err = f.Write(content)
	if err == nil {
		err = giveToOwner(f)
	}
	if err == nil && !noSync {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil || noSync {
		return err
	}
	return syncFile(filepath.Dir(path))
}
