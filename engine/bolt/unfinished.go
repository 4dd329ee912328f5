package bolt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Files are written whole under a name of their own and get the name they are for
// last. A process that is killed in between leaves such a name behind, with as
// much as a whole state in it.

// newFile makes a file that is to get the name path once it is whole; mode 0600.
func newFile(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".new-*")
}

// newName is a name that newFile gives, with the name that the file is for.
var newName = regexp.MustCompile(`^\.(.+)\.new-[0-9]+$`)

// besideState is what the names of files that are made beside a state, by whoever
// holds its lock, add to its own: of its ledger, of its sidecar, of a backup that
// is put in place, and of a copy before a migration.
var besideState = regexp.MustCompile(`^(|\.suppressions|\.instance|\.restored|\.schema-.+)$`)

// removeUnfinished removes what processes that were killed left beside a state.
// The caller holds the state's lock, so none of them is in use. What may not be
// removed is no reason not to open the state.
func removeUnfinished(path string) error {
	err := removeNew(filepath.Dir(path), func(name string) bool {
		rest, ours := strings.CutPrefix(name, filepath.Base(path))
		return ours && besideState.MatchString(rest)
	})
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// RemoveUnfinished removes from a folder what is left of copies of a base that
// were begun, by their names (see BackupName), before a moment and never became
// whole. It touches no other file. A folder that is not there has none.
func RemoveUnfinished(dir, base string, before time.Time) error {
	err := removeNew(dir, func(name string) bool {
		rest, ours := strings.CutPrefix(name, base)
		at, err := time.Parse(automatic, rest)
		return ours && err == nil && BackupName(base, at) == name && at.Before(before)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removeNew removes the files of newFile that are for names which fit.
func removeNew(dir string, fits func(name string) bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if m := newName.FindStringSubmatch(e.Name()); m != nil && fits(m[1]) && e.Type().IsRegular() {
			if rerr := os.Remove(filepath.Join(dir, e.Name())); !errors.Is(rerr, fs.ErrNotExist) {
				err = errors.Join(err, rerr)
			}
		}
	}
	return err
}
