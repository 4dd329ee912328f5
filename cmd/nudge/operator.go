package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
	"nudge/engine/bolt"
	"nudge/engine/control"
	"nudge/sequences"
)

// ask runs a command's question against the Operator: the running daemon, or
// the state file itself when none runs.
func (a *app) ask(question func(engine.Operator, settings) error) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	op, closeIt, err := openOperator(s)
	if err != nil {
		return err
	}
	err = question(op, s)
	if closing := closeIt(); err == nil {
		err = closing
	}
	return err
}

// openOperator finds the daemon, else opens the state.
func openOperator(s settings) (engine.Operator, func() error, error) {
	path := control.SocketPath(s.state)
	client, err := control.Dial(path)
	if err == nil {
		return client, func() error { return nil }, nil
	}
	if errors.Is(err, control.ErrSilent) {
		return nil, nil, err
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil, stateTrouble(s, err)
	}
	if !errors.Is(err, control.ErrNotRunning) {
		return nil, nil, &trouble{code: exitUnreachable, what: fmt.Sprintf("the daemon cannot be reached: %v", err),
			hint: "run this as the user the daemon runs as"}
	}
	store, err := openStore(s)
	if errors.Is(err, bolt.ErrLocked) {
		// It may have been a daemon that was just starting.
		if client, err := control.Dial(path); err == nil {
			return client, func() error { return nil }, nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	for _, m := range s.mailboxes { // nobody else has it open: what was under way when a daemon ended is in doubt
		if _, err := store.Recover(m.engine.Name, time.Now()); err != nil {
			_ = store.Close()
			return nil, nil, stateTrouble(s, err)
		}
	}
	desk, err := newDesk(s, store)
	if err != nil {
		_ = store.Close()
		return nil, nil, err
	}
	return desk, store.Close, nil
}

// lockedHint is what to do about a state that another process has open.
const lockedHint = "wait until it is done: a daemon that ends may take a minute and a half, to hear what became of its last mail"

// openStore opens the state file, in words for a person.
func openStore(s settings) (*bolt.Store, error) {
	if err := stateOpen(s); err != nil {
		return nil, err
	}
	store, err := bolt.Open(s.state, bolt.Options{})
	switch {
	case errors.Is(err, bolt.ErrLocked):
		return nil, &trouble{code: exitUnreachable, what: err.Error(), hint: lockedHint}
	case err != nil:
		return nil, stateTrouble(s, err)
	}
	return store, nil
}

// stateTrouble says what keeps the state from being opened, and what to do.
func stateTrouble(s settings, err error) error {
	dir := filepath.Dir(s.state)
	switch {
	case errors.Is(err, bolt.ErrForeign):
		return &trouble{code: exitUsage, what: fmt.Sprintf("%s: state: %s is no state file of nudge", or(s.stateAt, s.config()), s.state),
			hint: `set state to a file of its own, such as state = "nudge.db": it is made where there is none`}
	case errors.Is(err, syscall.ENOTDIR):
		return &trouble{code: exitUsage, what: fmt.Sprintf("%s: state: %s is no folder", or(s.stateAt, s.config()), dir), hint: "set state to a file in a folder"}
	case errors.Is(err, bolt.ErrDamaged):
		return &trouble{code: exitFindings, what: err.Error(),
			hint: "bring back the newest copy that is sound: nudge restore FILE; copies made by themselves are in " + s.backup.dir}
	case errors.Is(err, bolt.ErrLedger):
		return &trouble{code: exitFindings, what: err.Error(), hint: "the list is " + s.state + ".suppressions; keep a copy of it before you change it"}
	case errors.Is(err, bolt.ErrNewer):
		return &trouble{code: exitFindings, what: err.Error(), hint: newerHint}
	case errors.Is(err, fs.ErrNotExist):
		return &trouble{code: exitFailed, what: fmt.Sprintf("there is no folder %s for the state", dir), hint: "mkdir -p " + shell(dir)}
	case errors.Is(err, fs.ErrPermission):
		return &trouble{code: exitFailed, what: fmt.Sprintf("this user may not read and write the state in %s", dir),
			hint: "run nudge as the user the daemon runs as, or set state in " + s.config() + " to a file in a folder of your own"}
	}
	if hint := diskHint(err); hint != "" {
		return &trouble{code: exitTemporary, what: fmt.Sprintf("the state cannot be opened: %v", err), hint: hint}
	}
	return err
}

// newDesk is the Operator over an open store.
func newDesk(s settings, store *bolt.Store) (*engine.Desk, error) {
	library, err := openLibrary(s)
	if err != nil {
		return nil, err
	}
	return &engine.Desk{Store: store, Library: folder{library}, Mailboxes: s.owners(), Deliver: s.deliver, Now: time.Now, Keeper: archive{store, s.backup.dir, false}}, nil
}

// folder is a library as the desk reads it.
type folder struct{ *sequences.Library }

// Read implements engine.Shelf.
func (f folder) Read() (engine.Reading, error) { return f.Library.Read() }

func openLibrary(s settings) (*sequences.Library, error) {
	library, err := sequences.Open(s.sequences)
	if err != nil {
		return nil, sequencesTrouble(s.sequences, s.config(), err)
	}
	return library, nil
}

// sequencesTrouble says why the folder of sequences cannot be read.
func sequencesTrouble(dir, config string, err error) error {
	t := &trouble{code: exitUsage, what: fmt.Sprintf("sequences: %v", err), hint: "make the folder, or set sequences in " + config}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t.what, t.hint = "there is no folder "+dir+" for the sequences", "mkdir -p "+shell(dir)+", or set sequences in "+config
	case errors.Is(err, syscall.ENOTDIR):
		t.what, t.hint = dir+" is a file, not a folder of sequences", "set sequences in "+config+" to the folder they are in"
	case errors.Is(err, fs.ErrPermission):
		t.what, t.hint = "this user may not read "+dir+", where the sequences are", "run nudge as the user it belongs to, or chmod u+rx "+shell(dir)
	}
	return t
}

// sequenceName is the name of the sequence that a person means: by its name, its
// file or its title. A file that is not there keeps its name as it was typed.
func (s settings) sequenceName(typed string) string {
	name := typed
	if strings.HasSuffix(typed, ".md") {
		name = strings.TrimSuffix(filepath.Base(typed), ".md")
	}
	library, err := sequences.Open(s.sequences)
	if err != nil || name == "" {
		return name
	}
	if seq, there := library.Sequence(name); there {
		return seq.Name
	}
	if brokenFile(library, name) != nil {
		return name
	}
	return typed
}

// brokenFile is what is wrong with the file of a sequence that cannot be loaded.
func brokenFile(library *sequences.Library, name string) error {
	for _, broken := range library.Broken() {
		if strings.Contains(broken.Error(), name+".md:") {
			return broken
		}
	}
	return nil
}

// suggestSequence adds to the error about a sequence that is not there which one
// was probably meant.
func (s settings) suggestSequence(err error, typed string) error {
	refusal, ok := errors.AsType[*engine.RefusalError](err)
	if !ok || !errors.Is(err, engine.ErrNotFound) || !strings.HasPrefix(refusal.What, "there is no sequence ") {
		return err
	}
	library, failed := sequences.Open(s.sequences)
	if failed != nil {
		return err
	}
	if namesFile(typed) {
		return noSequenceFile(typed, s.sequences, library.Names())
	}
	return &trouble{code: exitNothing, what: refusal.What + didYouMean(typed, library.Names()), hint: refusal.Hint}
}

// namesFile says whether a person named a file, not a sequence.
func namesFile(typed string) bool {
	return strings.EqualFold(filepath.Ext(typed), ".md") || strings.ContainsRune(typed, filepath.Separator)
}

// noSequenceFile says that a file which was named is none of the folder's.
func noSequenceFile(path, dir string, names []string) error {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return &trouble{code: exitNothing, what: fmt.Sprintf("%s does not lie in %s, where the sequences are", path, dir), hint: "cp " + shell(path) + " " + shell(dir)}
	}
	t := &trouble{code: exitNothing, what: "there is no file " + path, hint: "name a sequence file, or a sequence"}
	if len(names) == 0 {
		return t
	}
	t.hint = "sequences: " + strings.Join(names, ", ")
	if word := nearest(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), names); word != "" {
		t.what += fmt.Sprintf("; did you mean %q?", word)
	}
	return t
}

// completeSequence offers the names of the sequences for a command's first
// argument, and files for the second.
func (a *app) completeSequence(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	dir, err := a.sequencesDir()
	if len(args) > 0 || err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	library, err := sequences.Open(dir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return library.Names(), cobra.ShellCompDirectiveNoFileComp
}

// completeFlag is completeSequence for a flag, whatever the arguments.
func (a *app) completeFlag(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return a.completeSequence(cmd, nil, typed)
}

// isRunning says whether the Operator is a daemon.
func isRunning(op engine.Operator) bool {
	_, ok := op.(*control.Client)
	return ok
}

// everyEvent passes the log on from an event on, a page at a time, and returns
// the last event's number.
func everyEvent(ctx context.Context, op engine.Operator, after uint64, tell func(engine.Event) error) (uint64, error) {
	const page = 1000
	for {
		events, err := op.Log(ctx, after, page)
		if err != nil {
			return after, err
		}
		for _, ev := range events {
			if err := tell(ev); err != nil {
				return after, err
			}
			after = ev.Seq
		}
		if len(events) < page {
			return after, nil
		}
	}
}
