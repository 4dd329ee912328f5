package bolt

import (
	"path/filepath"
	"testing"

	"nudge/engine"
	"nudge/engine/storetest"
)

// open makes a Store for one test, in a file that need not outlive a power cut.
func open(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "state.db"), Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) engine.Store { return open(t) })
}

func TestDurability(t *testing.T) {
	storetest.RunDurable(t, func(t *testing.T, dir string) (engine.Store, func() error) {
		s, err := Open(filepath.Join(dir, "state.db"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s, s.Close
	})
}
