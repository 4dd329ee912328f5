package bolt

import (
	"errors"
	"fmt"
	"os"
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

	// ErrDamaged says that a state file is not whole.
	ErrDamaged = errors.New("the file is damaged")

	// ErrForeign says that a file is no state, and shows no sign that it was one.
	ErrForeign = errors.New("no state file of nudge")

	// ErrLedger says that a line of the ledger cannot be read, so that nobody
	// knows whom it would name.
	ErrLedger = errors.New("the list of suppressions has a line that makes no sense; mend that line by hand")

	// ErrCommit says that a commit failed, so that nobody knows whether its
	// changes were kept. The process must stop and start clean. Every later
	// write returns it as well.
	ErrCommit = errors.New("not known whether the change was kept, so nothing more is written")
)

// schema counts the changes of what lies where. Raise it together with a
// migration.
const schema = 4

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

	// Machine names the machine in place of /etc/machine-id, for tests that
	// move a state.
	Machine string

	maxSize int              // of the file in bytes, 0 = as the disk allows; tests make commits fail with it
	now     func() time.Time // time.Now, but for tests
}

// Store is an engine.Store in one file. Its methods may be called from several
// goroutines.
type Store struct {
	db      *bbolt.DB
	lock    *os.File
	ledger  *ledger
	sidecar sidecar
	secret  []byte
	end     func(*bbolt.Tx) error // commits; tests make it fail

	mu      sync.Mutex
	queue   []*job // writers that wait for the next commit
	leading bool   // one of the writers is committing
	broken  error  // why nothing more is written; set and read by the leader
}

var _ engine.Store = (*Store)(nil)

// openFile lets bbolt open a file. What bbolt cannot make sense of, it answers
// with a panic.
func openFile(path string, opts Options) (db *bbolt.DB, err error) {
	defer func() {
		if recover() != nil {
			db, err = nil, errBentPage
		}
	}()
	defer func() { err = inWords(err) }()
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
	return db, err
}

// openToRead opens a file that nothing may change.
func openToRead(path string) (db *bbolt.DB, err error) {
	defer func() {
		if recover() != nil {
			db, err = nil, errBentPage
		}
	}()
	db, err = bbolt.Open(path, 0, &bbolt.Options{Timeout: lockWait, ReadOnly: true, NoStatistics: true})
	if errors.Is(err, bberrors.ErrTimeout) {
		return nil, ErrLocked
	}
	return db, inWords(err)
}

// inWords says what bbolt's errors mean here.
func inWords(err error) error {
	switch {
	case errors.Is(err, bberrors.ErrTimeout):
		return fmt.Errorf("%w under another name", ErrLocked)
	case errors.Is(err, bberrors.ErrInvalid), errors.Is(err, bberrors.ErrChecksum), errors.Is(err, bberrors.ErrVersionMismatch):
		return errBentPage
	}
	return err
}

// errBentPage is what an owner is told of what bbolt says of a page, which is
// for those who wrote it.
var errBentPage = fmt.Errorf("%w: a part of it makes no sense", ErrDamaged)

// Secret implements engine.StoreReader.
func (s *Store) Secret() []byte { return slices.Clone(s.secret) }

// read runs look in a read transaction. What bbolt owns may not leave it.
func (s *Store) read(look func(*bbolt.Tx) error) error { return s.db.View(look) }
