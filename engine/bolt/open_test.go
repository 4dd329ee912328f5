package bolt

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// furnished makes a state with one enrollment and returns its path.
func furnished(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	s := reopen(t, path)
	if _, _, err := s.Enroll([]engine.Enrollment{prospect(1)}); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	return path
}

func reopen(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeStore(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func prospect(n int) engine.Enrollment {
	addr := "p" + strconv.Itoa(n) + "@kund" + strconv.Itoa(n%5000) + ".example"
	due := monday.Add(time.Duration(n) * time.Second)
	return engine.Enrollment{Sequence: "quote", Mailbox: "sales", Address: addr, Key: addr, Name: "Per Holm",
		Fields:     map[string]string{"company": "Åkeri & Söner", "quote_no": strconv.Itoa(n), "amount": "12 400 kr"},
		EnrolledAt: monday, StartAt: monday, State: engine.Active, Next: "first", Due: due, Look: due}
}

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestFilesAreTheirOwnersAlone(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	path := furnished(t)
	beside := []string{path, path + ".lock", path + ".suppressions", path + ".instance"}
	for _, p := range beside {
		if m := mode(t, p); m != 0o600 {
			t.Errorf("%s has mode %o", p, m)
		}
		if err := os.Chmod(p, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	closeStore(t, reopen(t, path))
	for _, p := range beside {
		if m := mode(t, p); m != 0o600 {
			t.Errorf("%s was left with mode %o", p, m)
		}
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(names) != len(beside) {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

// A command that root runs must not lock out a daemon that is not root.
func TestFilesBelongToTheOwnerOfTheFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root can make files for somebody else")
	}
	const nobody = 65534
	backup := used(t, 1)
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.Chown(filepath.Dir(path), nobody, nobody); err != nil {
		t.Fatal(err)
	}
	closeStore(t, reopen(t, path))
	if _, err := Restore(backup, path, monday); err != nil {
		t.Fatal(err)
	}
	s := reopen(t, path)
	defer closeStore(t, s)
	if _, err := s.Backup(filepath.Join(filepath.Dir(path), "b.db"), monday); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(names) != 6 {
		t.Errorf("files %v, %v", names, err)
	}
	for _, name := range names {
		info, err := name.Info()
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner != nobody {
			t.Errorf("%s belongs to %d", name.Name(), owner)
		}
	}
}

// refusesLocked opens a path that must be refused as locked, in a second that
// is not waited for.
func refusesLocked(t *testing.T, path, words string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(path, Options{})
		if err == nil {
			closeStore(t, s)
		}
		if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), words) {
			t.Errorf("error %v", err)
		}
	})
}

func TestASecondProcessIsRefused(t *testing.T) {
	path := furnished(t)
	s := reopen(t, path)
	defer closeStore(t, s)
	pid := "process " + strconv.Itoa(os.Getpid())
	refusesLocked(t, path, pid)

	// bbolt's lock follows the inode: without the lock file, a backup that is
	// copied over the path of a running daemon would open.
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := path + ".copy"
	if err := os.WriteFile(copied, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(copied, path); err != nil {
		t.Fatal(err)
	}
	refusesLocked(t, path, pid)

	// And the lock file follows the name.
	refusesLocked(t, path+".old", "under another name")
}

func TestTheLockIsLetGo(t *testing.T) {
	path := furnished(t)
	closeStore(t, reopen(t, path))
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a failed Open lets go of it as well
		if _, err := Open(path, Options{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("error %v", err)
		}
	}
}

func TestALockThatIsASymlinkIsRefused(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(dir, "state.db.lock")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(dir, "state.db"), Options{}); err == nil {
		t.Error("it was followed")
	}
	if b, _ := os.ReadFile(victim); string(b) != "precious" {
		t.Errorf("the victim now holds %q", b)
	}
}

func TestAFolderThatIsNotThereIsAnError(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "no", "state.db"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	path := furnished(t)
	raw(t, path, func(tx *bbolt.Tx) error {
		version, err := encode(schema + 1)
		if err != nil {
			return err
		}
		return tx.Bucket(bucketMeta).Put(keySchema, version)
	})
	if _, err := Open(path, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("error %v", err)
	}
}

// raw changes a state behind the Store's back.
func raw(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestDamageIsRefused(t *testing.T) {
	whole, err := os.ReadFile(furnished(t))
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := newestMeta(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	page := int(m.pageSize)
	zeroed := func(from, to int) []byte {
		b := append([]byte(nil), whole...)
		clear(b[from:to])
		return b
	}
	for name, b := range map[string][]byte{
		"an empty file":                    {},
		"a file cut inside its header":     whole[:10],
		"a file cut inside its first page": whole[:100],
		"a file cut after its meta pages":  whole[:2*page],
		"a file without its last page":     whole[:(int(m.pages)-1)*page],
		"both meta pages zeroed":           zeroed(0, 2*page),
		"all but the meta pages zeroed":    zeroed(2*page, len(whole)),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if s, err := Open(path, Options{}); !errors.Is(err, ErrDamaged) {
				t.Errorf("error %v", err)
				if err == nil {
					closeStore(t, s)
				}
			}
		})
	}
	t.Run("one zeroed meta page is survived", func(t *testing.T) {
		for at := range 2 {
			path := filepath.Join(t.TempDir(), "state.db")
			if err := os.WriteFile(path, zeroed(at*page, (at+1)*page), 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				closeStore(t, reopen(t, path))
			}
		}
	})
}

func TestWhatNeverWasAStateIsLeftAsItIs(t *testing.T) {
	text := func(path string) error { return os.WriteFile(path, []byte("state = \"nudge.db\"\n"), 0o644) }
	for name, make := range map[string]func(path string) error{
		"a short text": text,
		"a long text": func(path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("This is not a state.\n", 1000)), 0o644)
		},
		"a folder": func(path string) error { return os.Mkdir(path, 0o755) },
		"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o644) },
		"a bbolt file of another program": func(path string) error {
			raw(t, path, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
			return os.Chmod(path, 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "nudge.toml")
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			before := mode(t, path)
			if s, err := Open(path, Options{}); !errors.Is(err, ErrForeign) {
				t.Errorf("error %v", err)
				if err == nil {
					closeStore(t, s)
				}
			}
			if names, err := os.ReadDir(dir); len(names) != 1 || mode(t, path) != before {
				t.Errorf("left %v with mode %o, %v", names, mode(t, path), err)
			}
		})
	}
	t.Run("what a sidecar calls a state is damaged", func(t *testing.T) {
		path := furnished(t)
		if err := text(path); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, Options{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("error %v", err)
		}
	})
}

func TestABentByteInEitherMetaPageIsSurvivedOrRefused(t *testing.T) {
	whole, err := os.ReadFile(furnished(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	page := os.Getpagesize()
	for i := range 2 * metaSize {
		at := i/2 + i%2*page
		b := bytes.Clone(whole)
		b[at] ^= 0x55
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path, Options{NoSync: true})
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("byte %d: error %v", at, err)
			}
			continue
		}
		if err := s.Verify(); err != nil {
			t.Errorf("byte %d: %v", at, err)
		}
		closeStore(t, s)
	}
}

func TestNothingIsServedAfterClose(t *testing.T) {
	s := reopen(t, furnished(t))
	closeStore(t, s)
	if err := s.Note(engine.Event{}); err == nil {
		t.Error("an event was taken")
	}
	if _, err := s.Counts(); err == nil {
		t.Error("counts were given")
	}
}

func TestAStateOpenToOthersIsClosedToThem(t *testing.T) {
	path := t.TempDir() + "/nudge.db"
	s, err := Open(path, Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(path, Options{NoSync: true}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
