package bolt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// restoredFrom marks a state that Restore has put in place. The next Open finds
// it, and distrusts the state.
type restoredFrom struct {
	Backup string    `json:"backup"`
	At     time.Time `json:"at"`
}

// Restore puts a backup in the place of the state at statePath. The backup is
// checked first; the present state, whole or not, stays beside it under the
// name that is returned, "" where there was none. The ledger and the instance
// beside the state stay as they are: what a person asked for since the backup
// is heeded, and the next Open knows that mail may have left which the backup
// does not know. The error is ErrLocked while a daemon runs, ErrNewer,
// ErrDamaged, or one of the file system, and then nothing has changed; where only
// the last sync of the folder failed, the backup is in place all the same.
func Restore(backupPath, statePath string, now time.Time) (aside string, err error) {
	if statePath, err = filepath.Abs(statePath); err != nil {
		return "", err
	}
	lock, err := acquire(statePath+".lock", lockWait)
	if err != nil {
		return "", fmt.Errorf("%s: %w", statePath, err)
	}
	defer lock.Close()
	if err := removeUnfinished(statePath); err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	if err := VerifyFile(backupPath); err != nil {
		return "", fmt.Errorf("%s: %w", backupPath, err)
	}
	temp, err := marked(backupPath, statePath, now)
	if err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	defer os.Remove(temp) // does nothing once it was renamed
	switch _, err := os.Lstat(statePath); {
	case err == nil:
		if aside, err = unused(statePath + ".before-restore-" + stamp(now)); err != nil {
			return "", err
		}
		// A second name, so that there is a state at every moment.
		if err := linkNew(statePath, aside); err != nil {
			return "", fmt.Errorf("restore: keep the present state: %w", err)
		}
		if err := os.Chmod(aside, 0o600); err != nil {
			return "", err
		}
	case !errors.Is(err, os.ErrNotExist):
		return "", err
	}
	if err := os.Rename(temp, statePath); err != nil {
		return aside, fmt.Errorf("restore: %w", err)
	}
	return aside, syncFile(filepath.Dir(statePath))
}

// marked copies a backup beside the state, with the mark of a restored one, and
// brings it to disk.
func marked(backupPath, statePath string, now time.Time) (string, error) {
	temp, err := writeBeside(statePath+".restored", false, func(w io.Writer) error {
		f, err := os.Open(backupPath)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	})
	if err != nil {
		return "", err
	}
	err = func() error {
		db, err := openFile(temp, Options{})
		if err != nil {
			return err
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			return putValue(tx, bucketMeta, keyRestored, restoredFrom{filepath.Base(backupPath), now})
		})
		return errors.Join(err, db.Close())
	}()
	if err == nil {
		err = VerifyFile(temp)
	}
	if err != nil {
		_ = os.Remove(temp)
		return "", err
	}
	return temp, syncFile(temp)
}
