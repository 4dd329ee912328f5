package bolt

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// What a process that was killed was writing is removed by the next one that has
// the state, and nothing else is.
func TestWhatAKilledProcessWasWritingIsRemoved(t *testing.T) {
	for what, use := range map[string]func(t *testing.T, path string){
		"open": func(t *testing.T, path string) { closeStore(t, reopen(t, path)) },
		"restore": func(t *testing.T, path string) {
			if _, err := Restore(filepath.Join(filepath.Dir(path), "kept.db"), path, monday); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			path := furnished(t)
			dir := filepath.Dir(path)
			s := reopen(t, path)
			if _, err := s.Backup(filepath.Join(dir, "kept.db"), monday); err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			unfinished := []string{".state.db.new-1", ".state.db.suppressions.new-22", ".state.db.instance.new-333",
				".state.db.restored.new-4444", ".state.db.schema-2-20261123T090000Z.new-5"}
			others := []string{".state.db.new-", ".state.db.new-1x", "state.db.new-1", ".other.db.new-1", ".state.db.mine.new-1",
				".state.dbx.new-1", ".my.state.db.new-1", ".nightly-20261123T021000Z.db.new-1"}
			for _, name := range slices.Concat(unfinished, others) {
				writeFile(t, filepath.Join(dir, name), "x")
			}
			if err := os.Mkdir(filepath.Join(dir, ".state.db.new-9"), 0o700); err != nil {
				t.Fatal(err)
			}
			use(t, path)
			left := namesIn(t, dir)
			for _, name := range unfinished {
				if slices.Contains(left, name) {
					t.Errorf("%s is left", name)
				}
			}
			for _, name := range append(others, ".state.db.new-9", "kept.db", "state.db") {
				if !slices.Contains(left, name) {
					t.Errorf("%s was removed", name)
				}
			}
		})
	}
}

func TestCopiesThatNeverBecameWholeAreRemoved(t *testing.T) {
	dir := t.TempDir()
	old := "." + BackupName("nightly", monday.Add(-25*time.Hour)) + ".new-12"
	others := []string{"." + BackupName("nightly", monday.Add(-time.Hour)) + ".new-12", "." + BackupName("mine", monday.Add(-25*time.Hour)) + ".new-1",
		BackupName("nightly", monday.Add(-25*time.Hour)), ".nightly-yesterday.db.new-1"}
	slices.Sort(others)
	for _, name := range append(others, old) {
		writeFile(t, filepath.Join(dir, name), "x")
	}
	if err := RemoveUnfinished(dir, "nightly", monday.Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if left := namesIn(t, dir); !slices.Equal(left, others) {
		t.Errorf("left %v, want %v", left, others)
	}
	if err := RemoveUnfinished(filepath.Join(dir, "none"), "nightly", monday); err != nil {
		t.Error(err)
	}
}
