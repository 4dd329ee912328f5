package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"nudge/engine"
	"nudge/engine/bolt"
)

// archive is the folder in which copies of a state lie.
type archive struct {
	engine.Keeper
	dir    string
	daemon bool // it works for whoever asks, with the rights of its own user
}

// Backup implements engine.Keeper. The folder is made when a copy goes there.
// What a person can mend is an engine.RefusalError.
func (a archive) Backup(path string, now time.Time) (engine.BackupResult, error) {
	if filepath.Dir(path) == a.dir {
		if err := os.MkdirAll(a.dir, 0o700); err != nil {
			return engine.BackupResult{}, a.refusal(path, err)
		}
	}
	done, err := a.Keeper.Backup(path, now)
	return done, a.refusal(path, err)
}

// refusal says why there is no copy, in words for whoever named the file.
func (a archive) refusal(path string, err error) error {
	dir := filepath.Dir(path)
	refused := &engine.RefusalError{Err: engine.ErrInvalid}
	switch {
	case errors.Is(err, fs.ErrExist):
		refused.What, refused.Hint = path+" is there already, and no copy is written over", "name another file"
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			refused.Hint = "it is a folder: name a file in it"
		}
	case errors.Is(err, fs.ErrNotExist):
		refused.What, refused.Hint = "there is no folder "+dir, "mkdir -p "+shell(dir)
	case errors.Is(err, syscall.ENOTDIR):
		refused.What, refused.Hint = dir+" is no folder", "name a file in one"
	case errors.Is(err, fs.ErrPermission) && a.daemon:
		refused.What, refused.Hint = "the user that the daemon runs as may not write "+path, "name a file in a folder of that user's, such as "+a.dir
	case errors.Is(err, fs.ErrPermission):
		refused.What, refused.Hint = "this user may not write "+path, writeHint
	default:
		return err
	}
	return refused
}

// unfinishedAfter is how long nobody works on one copy.
const unfinishedAfter = 24 * time.Hour

// nightly makes one of the daemon's own copies, then forgets the oldest of them
// beyond keep. Before, it makes room: it removes what is left of copies during
// which a process was killed.
func (a archive) nightly(keep int, now time.Time) (engine.BackupResult, error) {
	for _, base := range []string{byItself, byHand} {
		if err := bolt.RemoveUnfinished(a.dir, base, now.Add(-unfinishedAfter)); err != nil {
			return engine.BackupResult{}, err
		}
	}
	done, err := a.Backup(filepath.Join(a.dir, bolt.BackupName(byItself, now)), now)
	if err != nil {
		return done, err
	}
	_, err = bolt.Prune(a.dir, byItself, keep)
	return done, err
}

// newest is when the daemon's last own copy was made, by its name; the zero
// time when there is none.
func (a archive) newest() (time.Time, error) {
	var newest time.Time
	entries, err := os.ReadDir(a.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return newest, nil
	}
	for _, e := range entries {
		stamp, own := strings.CutPrefix(e.Name(), byItself)
		at, err := time.Parse("-20060102T150405Z.db", stamp) // as bolt.BackupName writes it
		if own && err == nil && at.After(newest) {
			newest = at
		}
	}
	return newest, err
}
