package bolt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

var _ engine.Keeper = (*Store)(nil)

// Backup implements engine.Keeper. The copy is written beside path, brought to
// disk and checked, and gets its name last, which must be free. Neither the
// ledger nor the instance is copied: see Restore.
func (s *Store) Backup(path string, now time.Time) (engine.BackupResult, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return engine.BackupResult{}, err
	}
	r, err := s.copyTo(path, s.db.NoSync)
	if err != nil {
		return engine.BackupResult{}, fmt.Errorf("backup: %w", err)
	}
	r.At = now
	return r, nil
}

// copyTo writes a whole and checked copy of the state, readable by its owner
// alone.
func (s *Store) copyTo(path string, noSync bool) (engine.BackupResult, error) {
	r := engine.BackupResult{Path: path}
	temp, err := writeBeside(path, noSync, func(f io.Writer) error {
		return s.read(func(tx *bbolt.Tx) (err error) {
			r.Bytes, err = tx.WriteTo(f)
			return err
		})
	})
	if err != nil {
		return r, err
	}
	defer os.Remove(temp) // does nothing once it has its name
	r.Enrollments, err = inspect(temp)
	if err != nil {
		return r, fmt.Errorf("the copy is not sound: %w", err)
	}
	return r, christen(temp, path, noSync)
}

// writeBeside writes a new file in the folder of path and brings it to disk. It
// is not there where it fails.
func writeBeside(path string, noSync bool, write func(io.Writer) error) (temp string, err error) {
	if _, err := os.Lstat(path); err == nil {
		return "", &os.PathError{Op: "create", Path: path, Err: os.ErrExist}
	}
	f, err := newFile(path)
	if err != nil {
		return "", err
	}
	if err = write(f); err == nil {
		err = giveToOwner(f)
	}
	if err == nil && !noSync {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// christen gives a file its name, which must be free, and makes that durable.
func christen(temp, path string, noSync bool) error {
	if err := linkNew(temp, path); err != nil {
		return err
	}
	if err := os.Remove(temp); err != nil {
		return err
	}
	if noSync {
		return nil
	}
	return syncFile(filepath.Dir(path))
}

// linkNew gives a file a second name that must be free; where the file system
// has no second names, it copies.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, os.ErrExist) {
		return err
	}
	if !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.ENOTSUP) && !errors.Is(err, syscall.ENOSYS) {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	err = errors.Join(err, out.Sync(), out.Close())
	if err != nil {
		_ = os.Remove(to)
	}
	return err
}

// VerifyFile opens a state file, a backup say, for reading alone and checks its
// pages and that it agrees with itself. All that is wrong is joined in the
// error: ErrForeign, ErrDamaged, ErrNewer, ErrLocked when a daemon has it open,
// or what disagrees.
func VerifyFile(path string) error {
	_, err := inspect(path)
	return err
}

// inspect is VerifyFile, and counts the enrollments.
func inspect(path string) (enrollments int, err error) {
	if _, _, err := examine(path); err != nil {
		return 0, err
	}
	err = readFrom(path, func(tx *bbolt.Tx) error {
		if _, err := schemaOf(tx); err != nil {
			return err
		}
		for _, key := range []string{countActive, countHeld, countStopped, countFinished} {
			enrollments += int(number(tx, []byte(key)))
		}
		return auditOf(tx)
	})
	return enrollments, err
}

// glance says whether a file is a state at all.
func glance(path string) error {
	if _, _, err := examine(path); err != nil {
		return err
	}
	return readFrom(path, func(tx *bbolt.Tx) error {
		_, err := schemaOf(tx)
		return err
	})
}

// readFrom looks into a file that was examined, and changes nothing.
func readFrom(path string, look func(*bbolt.Tx) error) error {
	db, err := openToRead(path)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(tx *bbolt.Tx) error { return guarded(func() error { return look(tx) }) })
}

// guarded runs what reads pages that may be damaged: a pointer that damage has
// bent is an error here, not the end of the process.
func guarded(look func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = errBentPage
		}
	}()
	return look()
}

// automatic is how the name of an automatic backup goes on after its base.
const automatic = "-20060102T150405Z.db"

// BackupName is the name of the automatic backup of a moment, such as
// nudge-20261123T021000Z.db: they sort by age.
func BackupName(base string, at time.Time) string { return base + at.UTC().Format(automatic) }

// Prune removes the automatic backups of a base from a folder, but for the
// newest keep of them by their names. It touches no other file, and returns
// what it removed.
func Prune(dir, base string, keep int) (removed []string, err error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), base)
		if at, err := time.Parse(automatic, rest); ours && err == nil && e.Type().IsRegular() && BackupName(base, at) == e.Name() {
			names = append(names, e.Name())
		}
	}
	for _, name := range names[:max(0, len(names)-max(0, keep))] {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return removed, err
		}
		removed = append(removed, name)
	}
	return slices.Clip(removed), nil
}

// stamp is a moment in the names of files.
func stamp(at time.Time) string { return at.UTC().Format("20060102T150405Z") }

// unused finds a name that is free, beginning with the given one.
func unused(path string) (string, error) {
	name := path
	for i := 2; i < 1000; i++ {
		if _, err := os.Lstat(name); errors.Is(err, os.ErrNotExist) {
			return name, nil
		}
		name = fmt.Sprintf("%s-%d", path, i)
	}
	return "", &os.PathError{Op: "create", Path: path, Err: os.ErrExist}
}
