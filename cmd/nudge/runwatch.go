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
	"strconv"
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
// being notified on every system and file system.
const lookAtFiles = 2 * time.Second

// watchSequences reads the sequence files again on SIGHUP, and when they have
// changed.
func (d *daemon) watchSequences(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	look := time.NewTicker(lookAtFiles)
	defer look.Stop()
	unreadable := ""
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			asked = true
		case <-look.C:
		}
		_, err := d.desk.Reload(ctx)
		switch {
		case err == nil:
			unreadable = ""
		case asked || err.Error() != unreadable:
			unreadable = err.Error()
			d.log.Warn("sequences not read, last good copies kept", "err", err)
		}
		if asked && err == nil {
			d.log.Info("sequences read again, as asked", "sequences", len(d.desk.Library.Names()))
		}
	}
}

// diaryShelf is a library that keeps a diary of its changes.
type diaryShelf struct {
	*sequences.Library
	log   *slog.Logger
	store interface{ Note(engine.Event) error }

	mu   sync.Mutex
	told []string // mistakes already in the diary
}

// Reload implements engine.Shelf.
func (s *diaryShelf) Reload() (bool, error) {
	changed, err := s.Library.Reload()
	if err != nil || !changed {
		return changed, err
	}
	broken := s.tellBroken()
	s.log.Info("sequences reloaded", "sequences", len(s.Names()), "broken", len(broken))
	detail := map[string]string{"sequences": strings.Join(s.Names(), ", "), "broken": strconv.Itoa(len(broken))}
	return true, s.store.Note(engine.Event{At: time.Now(), Kind: engine.EventReloaded, Detail: detail})
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
