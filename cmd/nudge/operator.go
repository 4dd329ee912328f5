package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
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
	store, err := bolt.Open(path, bolt.Options{})
	switch {
	case errors.Is(err, bolt.ErrLocked):
		return nil, &trouble{code: exitUnreachable, what: err.Error(), hint: "wait until it is done; a daemon that hangs can be ended with kill"}
	case errors.Is(err, fs.ErrNotExist):
		return nil, &trouble{code: exitFailed, what: err.Error(), hint: "mkdir -p " + filepath.Dir(path)}
	case err != nil:
		return nil, err
	}
	return store, nil
}

// newDesk is the Operator over an open store.
func newDesk(s settings, store engine.Store) (*engine.Desk, error) {
	library, err := openLibrary(s)
	if err != nil {
		return nil, err
	}
	return &engine.Desk{Store: store, Library: library, Mailboxes: s.owners(), Deliver: s.deliver, Now: time.Now}, nil
}

func openLibrary(s settings) (*sequences.Library, error) {
	library, err := sequences.Open(s.sequences)
	if err != nil {
		return nil, &trouble{code: exitUsage, what: fmt.Sprintf("sequences: %v", err), hint: "make the folder, or set sequences in nudge.toml"}
	}
	return library, nil
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
