package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// Open opens the state at path, making it when there is none, together with
// path.lock, path.suppressions and path.instance; all are readable by their
// owner alone. A state of an earlier schema is copied beside itself and then
// brought up to date. What a process that was killed left unfinished beside it is
// removed. It returns ErrLocked after waiting a second for another process,
// ErrNewer, ErrDamaged, ErrForeign before it has made or changed any file, or an
// error of the file system.
func Open(path string, opts Options) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if opts.now == nil {
		opts.now = time.Now
	}
	if opts.Machine == "" {
		opts.Machine = machineID()
	}
	if err := CheckKind(path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	lock, err := acquire(path+".lock", lockWait)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s, err := openLocked(path, opts)
	if err != nil {
		_ = lock.Close() // lets go of the lock
		if errors.Is(err, ErrForeign) {
			err = fmt.Errorf("%w: it does not look like a state any more", ErrDamaged) // see CheckKind
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.lock = lock
	return s, nil
}

// CheckKind returns ErrForeign where a state is looked for and another file, or a
// folder, lies: most likely its name is wrong. Where a sidecar lies beside the
// file it was a state once, whatever it looks like now. Nothing is changed.
func CheckKind(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil // opening it tells what else is wrong
	}
	if _, err := os.Lstat(path + ".instance"); err == nil && info.Mode().IsRegular() {
		return nil
	}
	if err := glance(path); errors.Is(err, ErrForeign) {
		return err
	}
	return nil
}

func openLocked(path string, opts Options) (*Store, error) {
	if err := removeUnfinished(path); err != nil {
		return nil, err
	}
	switch _, err := os.Lstat(path); {
	case errors.Is(err, os.ErrNotExist):
		if err := create(path, opts); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	}
	used, torn, err := examine(path)
	if err != nil {
		return nil, err
	}
	db, err := openFile(path, opts)
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, end: (*bbolt.Tx).Commit, sidecar: sidecar{path: path + ".instance", noSync: opts.NoSync}}
	if torn {
		err = mend(db)
	}
	if err == nil {
		err = s.admit(used, opts)
	}
	if err == nil {
		err = s.settleIn(path, opts)
	}
	if err != nil {
		_ = s.closeFiles()
		return nil, err
	}
	return s, nil
}

// settleIn makes the state agree with the two files beside it, in one
// transaction: with the ledger, of which it must never know less, and with the
// sidecar, which tells whether it is the state that was used last, here.
func (s *Store) settleIn(path string, opts Options) error {
	now := opts.now()
	beside, found, err := readSidecar(path + ".instance")
	if err != nil {
		return err
	}
	l, said, err := openLedger(path+".suppressions", opts.NoSync)
	if err != nil {
		return err
	}
	s.ledger = l
	err = s.update(func(w *write) error {
		if err := w.unite(said, now); err != nil {
			return err
		}
		return w.recognise(beside, found, opts.Machine, now)
	})
	if err != nil {
		return err
	}
	return s.renewSidecar(beside)
}

// recognise finds out whether this state is the one that was used last, on this
// machine. One that is not may know less than was sent: its mailboxes are
// distrusted, and it takes a new instance.
func (w *write) recognise(beside sidecarRecord, found bool, machine string, now time.Time) error {
	id, err := loadIdentity(w.tx)
	if err != nil {
		return err
	}
	fresh := id.Instance == "" // just made, or of schema 1
	if fresh {
		id.Instance, id.Machine = newInstance(), machine
	}
	why, err := w.behind(id, beside, found, fresh, machine)
	if err != nil {
		return err
	}
	if why == "" {
		if !fresh {
			return nil
		}
		return w.putValue(bucketMeta, keyIdentity, id)
	}
	id.Machine = machine
	asOf, err := lastSign(w.tx, now)
	if err != nil {
		return err
	}
	id, _ = id.doubts(involved(w.tx), distrust{why, asOf})
	if err := w.putValue(bucketMeta, keyIdentity, id.become(newInstance(), now, beside.Instance)); err != nil {
		return err
	}
	if err := w.delete(bucketMeta, keyRestored); err != nil {
		return err
	}
	if claims := number(w.tx, []byte(countClaims)); claims < beside.Claims { // the next backup is compared with all of them
		w.counts[countClaims] += int64(beside.Claims - claims)
	}
	if err := w.skipIDs(beside.Enrolled); err != nil {
		return err
	}
	return w.noteDistrust("", why, now)
}

// behind says in words why the state may know less than was sent; "" when it
// surely knows it all.
func (w *write) behind(id identity, beside sidecarRecord, found, fresh bool, machine string) (string, error) {
	restored, ok, err := load[restoredFrom](w.tx, bucketMeta, keyRestored)
	if err != nil {
		return "", err
	}
	claims := number(w.tx, []byte(countClaims))
	_, former := id.Former[beside.Instance]
	switch {
	case ok:
		return fmt.Sprintf("the state was restored from a backup (%s) on %s", restored.Backup, restored.At.Format("2 January 2006")), nil
	case found && beside.Instance != id.Instance && !former:
		return "another state was put in the place of the one that was used last, perhaps a backup", nil
	case found && claims < beside.Claims:
		return fmt.Sprintf("the state is older than what was sent: it knows of %d touches, and there were %d", claims, beside.Claims), nil
	case elsewhere(id.Machine, machine), found && elsewhere(beside.Machine, machine):
		return "the state came here from another machine, where a copy of it may have been used since", nil
	case !found && !fresh && len(involved(w.tx)) > 0: // also where it knows of no touch: a copy of before the first one
		return "the file " + filepath.Base(w.tx.DB().Path()) + ".instance is missing, which tells whether this is the state that was used last", nil
	}
	return "", nil
}

// elsewhere says whether two machines are known to be different. Where a machine
// has no id of its own, as in many containers, nobody can know.
func elsewhere(was, is string) bool { return was != "" && is != "" && was != is }

// renewSidecar makes the sidecar say what the state says: wholly anew where the
// one that is there is of another instance.
func (s *Store) renewSidecar(beside sidecarRecord) error {
	var r sidecarRecord
	err := s.read(func(tx *bbolt.Tx) error {
		id, err := loadIdentity(tx)
		r = sidecarRecord{Instance: id.Instance, Machine: id.Machine, Claims: number(tx, []byte(countClaims)),
			Enrolled: tx.Bucket(bucketEnrollments).Sequence()}
		return err
	})
	if err != nil {
		return err
	}
	if beside.Instance == r.Instance && beside.Machine == r.Machine {
		return s.sidecar.goOn(r, beside.Claims < r.Claims)
	}
	return s.sidecar.renew(r)
}

// Close waits for the writers under way and lets go of the files. Methods
// called after it return an error.
func (s *Store) Close() error {
	err := s.closeFiles()
	_ = s.lock.Truncate(0) // the process id is a courtesy
	if lerr := s.lock.Close(); err == nil {
		err = lerr
	}
	return err
}

func (s *Store) closeFiles() error {
	err := s.db.Close()
	if cerr := s.sidecar.close(); err == nil {
		err = cerr
	}
	if s.ledger == nil {
		return err
	}
	if cerr := s.ledger.f.Close(); err == nil {
		err = cerr
	}
	return err
}
