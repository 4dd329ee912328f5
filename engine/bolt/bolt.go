package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"

	"nudge/engine"
)

// What Open and the writing methods return for a caller to branch on, each
// wrapped with the particulars.
var (
	// ErrLocked says that another process has the state open.
	ErrLocked = errors.New("another nudge has the state open")

	// ErrNewer says that a newer program wrote the state.
	ErrNewer = errors.New("the state was written by a newer nudge; install that version or a later one")

	// ErrDamaged says that the file is not whole, or not a state file.
	ErrDamaged = errors.New("the state file is damaged; restore a backup")

	// ErrCommit says that a commit failed, so that nobody knows whether its
	// changes were kept. The process must stop and start clean. Every later
	// write returns it as well.
	ErrCommit = errors.New("not known whether the change was kept, so nothing more is written")
)

// schema counts the changes of what lies where. Raise it together with a
// migration.
const schema = 1

// lockWait is how long Open waits for an earlier process to let go.
const lockWait = time.Second

// checkedAtOpen is the size up to which a file is checked whole at each start:
// 16 MiB take some 10 ms.
const checkedAtOpen = 16 << 20

// Options are how a state is opened; the zero value is right for a daemon.
type Options struct {
	// NoSync skips every fsync: for benchmarks and simulations, which lose
	// nothing worth keeping when the power fails.
	NoSync bool

	maxSize int // of the file in bytes, 0 = as the disk allows; tests make commits fail with it
}

// Store is an engine.Store in one file. Its methods may be called from several
// goroutines.
type Store struct {
	db     *bbolt.DB
	lock   *os.File
	secret []byte
	end    func(*bbolt.Tx) error // commits; tests make it fail

	mu      sync.Mutex
	queue   []*job // writers that wait for the next commit
	leading bool   // one of the writers is committing
	broken  error  // why nothing more is written; set and read by the leader
}

var _ engine.Store = (*Store)(nil)

// Open opens the state at path, making it when there is none. The file and
// path.lock are readable by their owner alone. It returns ErrLocked after
// waiting a second for another process, ErrNewer, ErrDamaged, or an error of
// the file system.
func Open(path string, opts Options) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	lock, err := acquire(path+".lock", lockWait)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s, err := openLocked(path, opts)
	if err != nil {
		_ = lock.Close() // lets go of the lock
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.lock = lock
	return s, nil
}

func openLocked(path string, opts Options) (*Store, error) {
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
	s := &Store{db: db, end: (*bbolt.Tx).Commit}
	if torn {
		err = mend(db)
	}
	if err == nil {
		err = s.admit(used)
	}
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return s, nil
}

// openFile lets bbolt open a file. What bbolt cannot make sense of, it answers
// with a panic.
func openFile(path string, opts Options) (db *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	// A restored file may be open to others.
	if err := os.Chmod(path, 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	// The freelist is written at each commit, a page or so: without it every
	// start would read the whole file to find the free pages.
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:         lockWait,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: 64 << 20, // so that a long reader does not stall the writers of a young file
		MaxSize:         opts.maxSize,
		NoSync:          opts.NoSync,
		NoStatistics:    true,
	})
	switch {
	case errors.Is(err, bberrors.ErrTimeout):
		return nil, fmt.Errorf("%w under another name", ErrLocked)
	case errors.Is(err, bberrors.ErrInvalid), errors.Is(err, bberrors.ErrChecksum), errors.Is(err, bberrors.ErrVersionMismatch):
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	case err != nil:
		return nil, err
	}
	return db, nil
}

// admit checks that the open file is a state this program can serve. A pointer
// that damage has bent out of the file is an error here, not the end of the
// process.
func (s *Store) admit(used int64) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return s.read(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return fmt.Errorf("%w: it is not a state file of nudge", ErrDamaged)
		}
		have, err := decode[int](meta.Get(keySchema))
		if err != nil {
			return fmt.Errorf("%w: %v", ErrDamaged, damaged(bucketMeta, keySchema, err))
		}
		if have > schema {
			return fmt.Errorf("%w (schema %d, this program knows %d)", ErrNewer, have, schema)
		}
		s.secret = slices.Clone(meta.Get(keySecret))
		if len(s.secret) != secretSize {
			return fmt.Errorf("%w: its secret is not whole", ErrDamaged)
		}
		for _, name := range allBuckets {
			if tx.Bucket(name) == nil {
				return fmt.Errorf("%w: bucket %s is missing", ErrDamaged, name)
			}
		}
		if used > checkedAtOpen {
			return nil
		}
		return checkPages(tx)
	})
}

// checkPages lets bbolt check every page.
func checkPages(tx *bbolt.Tx) error {
	var first error
	for err := range tx.Check() { // to its end, since it runs in a goroutine of its own
		if first == nil {
			first = fmt.Errorf("%w: %v", ErrDamaged, err)
		}
	}
	return first
}

// Close waits for the writers under way and lets go of the file. Methods called
// after it return an error.
func (s *Store) Close() error {
	err := s.db.Close()
	_ = s.lock.Truncate(0) // the process id is a courtesy
	if lerr := s.lock.Close(); err == nil {
		err = lerr
	}
	return err
}

// Secret implements engine.StoreReader.
func (s *Store) Secret() []byte { return slices.Clone(s.secret) }

// read runs look in a read transaction. What bbolt owns may not leave it.
func (s *Store) read(look func(*bbolt.Tx) error) error { return s.db.View(look) }
