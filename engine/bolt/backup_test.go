package bolt

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

func TestABackupIsAWholeCopyOfAStateInUse(t *testing.T) {
	s := reopen(t, furnished(t))
	defer closeStore(t, s)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for n := 2; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, _, err := s.Enroll([]engine.Enrollment{prospect(n)}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	dir := t.TempDir()
	for i := range 5 {
		path := filepath.Join(dir, BackupName("nudge", monday.Add(time.Duration(i)*time.Hour)))
		r, err := s.Backup(path, monday)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Size() != r.Bytes || info.Mode().Perm() != 0o600 || r.Path != path || !r.At.Equal(monday) || r.Enrollments < 1 {
			t.Errorf("%+v of %v, %v", r, info, err)
		}
		if err := VerifyFile(path); err != nil {
			t.Error(err)
		}
		copied := reopen(t, path)
		if c, err := copied.Counts(); err != nil || c.Active != r.Enrollments {
			t.Errorf("counts %+v, %v; the result says %d", c, err, r.Enrollments)
		}
		closeStore(t, copied)
	}
	close(stop)
	wg.Wait()
}

func TestABackupNeverReplacesAFile(t *testing.T) {
	s := reopen(t, furnished(t))
	defer closeStore(t, s)
	dir := t.TempDir()
	path := filepath.Join(dir, "precious")
	writeFile(t, path, "precious")
	if _, err := s.Backup(path, monday); !errors.Is(err, os.ErrExist) {
		t.Errorf("error %v", err)
	}
	if _, err := s.Backup(filepath.Join(dir, "no", "folder.db"), monday); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if names, _ := os.ReadDir(dir); readFile(t, path) != "precious" || len(names) != 1 {
		t.Errorf("left: %v", names)
	}
}

func TestABackupThatIsNotSoundIsRemoved(t *testing.T) {
	path := furnished(t)
	raw(t, path, func(tx *bbolt.Tx) error {
		return errors.Join(tx.Bucket(bucketDue).Put(timed("sales", monday, "000009"), nil),
			tx.Bucket(bucketHeld).Put(timed("sales", monday, "000009"), nil))
	})
	s := reopen(t, path)
	defer closeStore(t, s)
	dir := t.TempDir()
	_, err := s.Backup(filepath.Join(dir, "b.db"), monday)
	if err == nil || !strings.Contains(err.Error(), "index due has 2 lines") || !strings.Contains(err.Error(), "index held has 1 lines") {
		t.Errorf("error %v", err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 0 {
		t.Errorf("left: %v", names)
	}
	if joined, ok := s.Verify().(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 2 {
		t.Errorf("verify: %v", s.Verify())
	}
}

func TestVerifyFileReadsAndChangesNothing(t *testing.T) {
	path := furnished(t)
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	before := readFile(t, path)
	if err := VerifyFile(path); err != nil {
		t.Error(err)
	}
	if readFile(t, path) != before || mode(t, path) != 0o444 {
		t.Error("it was changed")
	}
	if err := VerifyFile(path + ".lock"); !errors.Is(err, ErrDamaged) {
		t.Errorf("error %v", err)
	}
	if err := VerifyFile(path + ".none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestPruneKeepsTheNewestAndTouchesNothingElse(t *testing.T) {
	dir := t.TempDir()
	others := []string{"nudge.db", "nudge-20261123T021000Z.db.part", "nudge-before.db", "nudge-2026.db", "other-20201123T021000Z.db", "my-nudge-20201123T021000Z.db",
		"nudge-20261323T021000Z.db", "nudge.db.schema-1-20201123T021000Z"}
	for _, name := range others {
		writeFile(t, filepath.Join(dir, name), "x")
	}
	if err := os.Mkdir(filepath.Join(dir, "nudge-20191123T021000Z.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range 10 {
		names = append(names, BackupName("nudge", monday.AddDate(0, 0, i)))
		writeFile(t, filepath.Join(dir, names[i]), "x")
	}
	if names[0] != "nudge-20261123T090000Z.db" {
		t.Errorf("name %s", names[0])
	}
	removed, err := Prune(dir, "nudge", 7)
	if err != nil || !slices.Equal(removed, names[:3]) {
		t.Errorf("removed %v, %v", removed, err)
	}
	if removed, err = Prune(dir, "nudge", 20); err != nil || len(removed) != 0 {
		t.Errorf("removed %v, %v", removed, err)
	}
	left, _ := os.ReadDir(dir)
	if len(left) != len(others)+1+7 {
		t.Errorf("left %v", left)
	}
	if _, err := Prune(filepath.Join(dir, "none"), "nudge", 7); err == nil {
		t.Error("a folder that is not there was pruned")
	}
}

func TestRestorePutsABackupInPlaceAndLosesNothing(t *testing.T) {
	path := used(t, 1)
	backup := filepath.Join(t.TempDir(), "nudge-20261123T021000Z.db")
	s := on(t, path, "here")
	was := trust(t, s).Instance
	if _, err := s.Backup(backup, monday); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(backup, 0o644); err != nil {
		t.Fatal(err)
	}
	suppress(t, s, prospect(0).Address, "unsubscribed", true)
	closeStore(t, s) // no claim since, so the sidecar alone would not show it
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	present := readFile(t, path)

	aside, err := Restore(backup, path, monday)
	if err != nil {
		t.Fatal(err)
	}
	if aside != path+".before-restore-20261123T090000Z" || readFile(t, aside) != present || mode(t, aside) != 0o600 {
		t.Errorf("kept in %s", aside)
	}
	if mode(t, path) != 0o600 {
		t.Errorf("restored with mode %o", mode(t, path))
	}
	for range 2 {
		s = on(t, path, "here")
		tr := trust(t, s)
		if tr.Behind != "the state was restored from a backup (nudge-20261123T021000Z.db) on 23 November 2026" || tr.Instance == was || !tr.AsOf.Equal(monday) {
			t.Errorf("trust %+v", tr)
		}
		was = ""
		if got := suppressions(t, s); got[prospect(0).Key] != "unsubscribed" {
			t.Errorf("suppressions %v", got)
		}
		if en, err := s.Enrollment("000001"); err != nil || !en.Ended() {
			t.Errorf("the enrollment is %s, %v", en.State, err)
		}
		if err := s.Verify(); err != nil {
			t.Error(err)
		}
		closeStore(t, s)
	}
	again, err := Restore(backup, path, monday)
	if err != nil || again != aside+"-2" {
		t.Errorf("kept in %s, %v", again, err)
	}
}

func TestRestoreWhereThereIsNoState(t *testing.T) {
	backup := used(t, 1)
	path := filepath.Join(t.TempDir(), "state.db")
	if aside, err := Restore(backup, path, monday); err != nil || aside != "" {
		t.Errorf("kept in %q, %v", aside, err)
	}
	s := on(t, path, "here")
	defer closeStore(t, s)
	if tr := trust(t, s); !strings.Contains(tr.Behind, "restored from a backup") {
		t.Errorf("trust %+v", tr)
	}
}

func TestRestoreRefusesAndChangesNothing(t *testing.T) {
	good := used(t, 1)
	newer, broken := filepath.Join(t.TempDir(), "newer.db"), filepath.Join(t.TempDir(), "broken.db")
	copyFile(t, good, newer)
	raw(t, newer, func(tx *bbolt.Tx) error { return putValue(tx, bucketMeta, keySchema, schema+1) })
	writeFile(t, broken, readFile(t, good)[:9000])
	for _, tt := range []struct {
		backup string
		want   error
	}{{newer, ErrNewer}, {broken, ErrDamaged}, {good + ".none", os.ErrNotExist}} {
		path := used(t, 2)
		before := readFile(t, path)
		names, _ := os.ReadDir(filepath.Dir(path))
		if _, err := Restore(tt.backup, path, monday); !errors.Is(err, tt.want) {
			t.Errorf("error %v, want %v", err, tt.want)
		}
		after, _ := os.ReadDir(filepath.Dir(path))
		if readFile(t, path) != before || len(after) != len(names) {
			t.Errorf("left %v", after)
		}
		s := on(t, path, "here")
		if tr := trust(t, s); tr.Behind != "" {
			t.Errorf("trust %+v", tr)
		}
		closeStore(t, s)
	}
	s := on(t, good, "here")
	defer closeStore(t, s)
	if _, err := Restore(newer, good, monday); !errors.Is(err, ErrLocked) {
		t.Errorf("while it is open: %v", err)
	}
}

// A present state that is damaged is a reason to restore, so it is kept unread.
func TestRestoreReplacesADamagedState(t *testing.T) {
	backup, path := used(t, 1), used(t, 2)
	if err := os.Truncate(path, 5000); err != nil {
		t.Fatal(err)
	}
	aside, err := Restore(backup, path, monday)
	if err != nil || len(readFile(t, aside)) != 5000 {
		t.Fatal(aside, err)
	}
	closeStore(t, on(t, path, "here"))
}
