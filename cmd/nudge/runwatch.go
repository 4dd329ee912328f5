package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"nudge/engine"
	"nudge/mailbox"
	"nudge/sequences"
)

// lookAtFiles is how often the sequence files are compared with what is loaded.
// A folder holds a handful of small files, so reading them is cheaper than
// being notified on every system and file system. What changed is taken once it
// has stood still from one look to the next.
const lookAtFiles = 2 * time.Second

// watchSequences reads the sequence files again on SIGHUP, and by itself when
// they have changed, unless the config leaves that to a person.
func (d *daemon) watchSequences(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	look := time.NewTicker(lookAtFiles)
	defer look.Stop()
	var w fileWatch
	for {
		var err error
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			asked = true
			_, err = d.operator().Reload(ctx, engine.ReloadRequest{})
		case <-look.C:
			err = d.lookAtFiles(ctx, &w)
		}
		switch {
		case err == nil:
			w.unreadable = ""
		case asked || err.Error() != w.unreadable:
			w.unreadable = err.Error()
			d.log.Warn("sequences not read, last good copies kept", "err", err)
		}
		if asked && err == nil {
			d.log.Info("sequences read again, as asked", "sequences", len(d.desk.Library.Names()))
		}
	}
}

// fileWatch is what the last look at the sequence files found.
type fileWatch struct {
	sum        string
	unreadable string // the error that is in the diary
}

// lookAtFiles takes changed files that stand still, or says that they wait.
func (d *daemon) lookAtFiles(ctx context.Context, w *fileWatch) error {
	r, err := d.shelf.Library.Read()
	if err != nil {
		return err
	}
	sum := r.Sum()
	stands := sum == w.sum
	w.sum = sum
	d.shelf.await(r, d.reloadAsked)
	if !r.Changed() || !stands || d.reloadAsked {
		return nil
	}
	_, err = d.operator().Reload(ctx, engine.ReloadRequest{Sum: sum})
	if errors.Is(err, engine.ErrInvalid) { // changed again meanwhile; the next look sees it
		return nil
	}
	return err
}

// diaryShelf is a library that keeps a diary of its changes.
type diaryShelf struct {
	*sequences.Library
	log *slog.Logger

	mu      sync.Mutex
	told    []string // mistakes already in the diary
	waiting []string // sequences whose changed files wait for a person
}

// Read implements engine.Shelf.
func (s *diaryShelf) Read() (engine.Reading, error) {
	r, err := s.Library.Read()
	return diaryReading{r, s}, err
}

// diaryReading is a reading that is written into the diary when it is taken.
type diaryReading struct {
	*sequences.Reading
	shelf *diaryShelf
}

// Take implements engine.Reading.
func (r diaryReading) Take() {
	r.Reading.Take()
	r.shelf.tellBroken()
	r.shelf.await(r.Reading, false)
}

// await notes which files wait for a person, when they must be asked for.
func (s *diaryShelf) await(r *sequences.Reading, asked bool) {
	var names []string
	if asked {
		for _, e := range r.Edits() {
			names = append(names, e.Name)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(names) > 0 && !slices.Equal(names, s.waiting) {
		s.log.Info("changed sequence files wait for nudge reload", "sequences", strings.Join(names, ", "))
	}
	s.waiting = names
}

// notices is what nudge status should say about it.
func (s *diaryShelf) notices() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("changed sequence files wait: %s; nudge reload shows whom they affect", strings.Join(s.waiting, ", "))}
}

// tellBroken writes each mistake into the diary once.
func (s *diaryShelf) tellBroken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var now []string
	for _, err := range s.Broken() {
		now = append(now, err.Error())
		switch {
		case slices.Contains(s.told, err.Error()):
		case s.hasCopy(err):
			s.log.Warn("sequence has mistakes, its last good copy is kept", "err", err)
		default:
			s.log.Warn("sequence has mistakes and is left out", "err", err)
		}
	}
	s.told = now
	return now
}

// hasCopy says whether the file that an error is about was good once.
func (s *diaryShelf) hasCopy(err error) bool {
	file, _, _ := strings.Cut(err.Error(), ".md:")
	return slices.Contains(s.Names(), filepath.Base(file))
}

// broken lists the mistakes that are in the diary.
func (s *diaryShelf) broken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.told)
}

// roll counts names, each once.
type roll struct {
	mu    sync.Mutex
	names map[string]bool
}

// add puts a name on the roll, and returns how many there are.
func (r *roll) add(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names == nil {
		r.names = map[string]bool{}
	}
	r.names[name] = true
	return len(r.names)
}

// firstLook is a mailbox's incoming side that, until it or the daemon was ready,
// tells of a refused login: where it is so of every mailbox, the config is wrong.
// Later it is trouble at the provider or a changed password: the engine holds
// back and tries again.
type firstLook struct {
	*mailbox.IMAP
	refused func(error)
	hint    string // about a certificate by an unknown authority
	later   atomic.Bool
}

// Fetch implements engine.Inbox.
func (f *firstLook) Fetch(ctx context.Context, cursor engine.Cursor) ([]engine.Incoming, engine.Cursor, error) {
	ins, next, err := f.IMAP.Fetch(ctx, cursor)
	switch {
	case err == nil:
		f.calm()
	case errors.Is(err, mailbox.ErrAuth) && !f.later.Load():
		f.refused(err)
	}
	if err != nil && strings.Contains(err.Error(), unknownAuthority) {
		err = fmt.Errorf("%w; %s", err, f.hint)
	}
	return ins, next, err
}

// calm ends the strictness of the first look.
func (f *firstLook) calm() { f.later.Store(true) }
