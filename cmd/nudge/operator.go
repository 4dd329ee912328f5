package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
		return nil, nil, stateTrouble(s.state, err)
	}
	if !errors.Is(err, control.ErrNotRunning) {
		return nil, nil, &trouble{code: exitUnreachable, what: fmt.Sprintf("the daemon cannot be reached: %v", err),
			hint: "run this as the user the daemon runs as"}
	}
	store, err := openStore(s.state)
	if errors.Is(err, bolt.ErrLocked) {
		// It may have been a daemon that was just starting.
		if client, err := control.Dial(path); err == nil {
			return client, func() error { return nil }, nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	desk, err := newDesk(s, store)
	if err != nil {
		_ = store.Close()
		return nil, nil, err
	}
	return desk, store.Close, nil
}

// openStore opens the state file, in words for a person.
func openStore(path string) (*bolt.Store, error) {
	if err := stateOpen(path); err != nil {
		return nil, err
	}
	store, err := bolt.Open(path, bolt.Options{})
	switch {
	case errors.Is(err, bolt.ErrLocked):
		return nil, &trouble{code: exitUnreachable, what: err.Error(), hint: "wait until it is done; a daemon that hangs can be ended with kill"}
	case err != nil:
		return nil, stateTrouble(path, err)
	}
	return store, nil
}

// stateTrouble says what keeps the state from being opened, and what to do.
func stateTrouble(path string, err error) error {
	dir := filepath.Dir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &trouble{code: exitFailed, what: fmt.Sprintf("there is no folder %s for the state", dir), hint: "mkdir -p " + dir}
	case errors.Is(err, fs.ErrPermission):
		return &trouble{code: exitFailed, what: fmt.Sprintf("this user may not read and write the state in %s", dir),
			hint: "run nudge as the user the daemon runs as, or set state in nudge.toml to a file in a folder of your own"}
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
		return nil, sequencesTrouble(s.sequences, err)
	}
	return library, nil
}

// sequencesTrouble says why the folder of sequences cannot be read.
func sequencesTrouble(dir string, err error) error {
	t := &trouble{code: exitUsage, what: fmt.Sprintf("sequences: %v", err), hint: "make the folder, or set sequences in nudge.toml"}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t.what, t.hint = "there is no folder "+dir+" for the sequences", "mkdir -p "+dir+", or set sequences in nudge.toml"
	case errors.Is(err, syscall.ENOTDIR):
		t.what, t.hint = dir+" is a file, not a folder of sequences", "set sequences in nudge.toml to the folder they are in"
	case errors.Is(err, fs.ErrPermission):
		t.what, t.hint = "this user may not read "+dir+", where the sequences are", "run nudge as the user it belongs to, or chmod u+rx "+dir
	}
	return t
}

// sequenceName is the name of the sequence that a person means: by its name, its
// file or its title.
func (s settings) sequenceName(typed string) string {
	name := typed
	if strings.HasSuffix(typed, ".md") {
		name = strings.TrimSuffix(filepath.Base(typed), ".md")
	}
	if library, err := sequences.Open(s.sequences); err == nil && name != "" {
		if seq, there := library.Sequence(name); there {
			return seq.Name
		}
	}
	return name
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
	return &trouble{code: exitNothing, what: refusal.What + didYouMean(typed, library.Names()), hint: refusal.Hint}
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
