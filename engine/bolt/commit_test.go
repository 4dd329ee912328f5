package bolt

import (
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

func TestACommitErrorStopsAllWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	for name, end := range map[string]func(*bbolt.Tx) error{
		"before the disk has it": func(tx *bbolt.Tx) error { return errors.Join(tx.Rollback(), errors.New("input/output error")) },
		"after the disk has it":  func(tx *bbolt.Tx) error { return errors.Join(tx.Commit(), errors.New("input/output error")) },
		"by a panic":             func(*bbolt.Tx) error { panic("page 7 already freed") },
	} {
		t.Run(name, func(t *testing.T) {
			s := reopen(t, path)
			before, err := s.Counts()
			if err != nil {
				t.Fatal(err)
			}
			s.end = end
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					if err := s.Note(engine.Event{Kind: engine.EventReloaded}); !errors.Is(err, ErrCommit) {
						t.Errorf("a writer of the failing commit got %v", err)
					}
				})
			}
			wg.Wait()
			s.end = (*bbolt.Tx).Commit // the disk is well again, but what it holds is not known
			_, _, err = s.Enroll([]engine.Enrollment{prospect(1)})
			if !errors.Is(err, ErrCommit) || !strings.Contains(err.Error(), ": ") {
				t.Errorf("a later writer got %v", err)
			}
			if after, err := s.Counts(); err != nil || after != before {
				t.Errorf("counts %+v, %v; were %+v", after, err, before)
			}
			closeStore(t, s)
		})
	}
	s := reopen(t, path)
	defer closeStore(t, s)
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

func TestAFullDiskStopsAllWritingAndLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(path, Options{maxSize: 64 << 20}) // as large as the memory map, so the file grows until here
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for {
		ens := make([]engine.Enrollment, 5000)
		for i := range ens {
			ens[i] = prospect(kept + i)
			ens[i].Fields = map[string]string{"note": strings.Repeat("x", 900)}
		}
		if _, _, err = s.Enroll(ens); err != nil {
			break
		}
		kept += len(ens)
	}
	if !errors.Is(err, ErrCommit) {
		t.Fatalf("error %v", err)
	}
	if err := s.Note(engine.Event{}); !errors.Is(err, ErrCommit) {
		t.Errorf("a later writer got %v", err)
	}
	closeStore(t, s)
	s = reopen(t, path)
	defer closeStore(t, s)
	if c, err := s.Counts(); err != nil || c.Active != kept {
		t.Errorf("%d kept, %v; were told that %d are", c.Active, err, kept)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// A value that cannot be read fails its own writer, names itself, and stops
// nobody else.
func TestADamagedValueIsNamed(t *testing.T) {
	path := furnished(t)
	raw(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketEnrollments).Put([]byte("000001"), []byte("\x07{}"))
	})
	s := reopen(t, path)
	defer closeStore(t, s)
	want := `enrollments/"000001": value version 7 is not known to this program`
	if _, err := s.Enrollment("000001"); err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
	if _, err := s.Change([]string{"000001"}, func(en engine.Enrollment) (engine.Enrollment, []engine.Event) { return en, nil }); err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
	if err := s.Verify(); err == nil || err.Error() != want {
		t.Errorf("verify: %v", err)
	}
	if _, _, err := s.Enroll([]engine.Enrollment{prospect(2)}); err != nil {
		t.Error(err)
	}
}

func TestAnEnrollmentWhoseNamesCannotStandInAKeyIsRefused(t *testing.T) {
	s := open(t)
	for _, spoil := range []func(*engine.Enrollment){
		func(en *engine.Enrollment) { en.Mailbox = "" },
		func(en *engine.Enrollment) { en.Sequence = "a\x00b" },
		func(en *engine.Enrollment) { en.Key = strings.Repeat("k", 2000) },
	} {
		en := prospect(1)
		spoil(&en)
		if _, _, err := s.Enroll([]engine.Enrollment{prospect(2), en}); err == nil {
			t.Errorf("it was taken: %q %q", en.Mailbox, en.Sequence)
		}
	}
	if c, err := s.Counts(); err != nil || c != (engine.Counts{}) {
		t.Errorf("counts %+v, %v", c, err)
	}
	if events, err := s.Events("", 0, 10); err != nil || len(events) != 0 {
		t.Errorf("events %v, %v", events, err)
	}
}
