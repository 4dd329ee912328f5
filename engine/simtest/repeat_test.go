package simtest

import (
	"strings"
	"testing"
)

// firstOfTwo is the first seed of a world with two mailboxes.
func firstOfTwo() uint64 {
	for seed := uint64(1); ; seed++ {
		if newWorld(seed, "").conf.second != nil {
			return seed
		}
	}
}

// A world's story follows from its seed alone, byte for byte: what fails once
// can be looked at again.
func TestSameSeedSameStory(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3, firstOfTwo()} {
		first, second := Run(t, seed, tempDir(t)).Story(), Run(t, seed, tempDir(t)).Story()
		if first == second {
			continue
		}
		a, b := strings.Split(first, "\n"), strings.Split(second, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				from := max(0, i-12)
				t.Fatalf("seed %d: the stories part at line %d:\n%s\n\nfirst:  %s\nsecond: %s", seed, i+1, strings.Join(a[from:i], "\n"), a[i], b[i])
			}
		}
		t.Fatalf("seed %d: one story is longer: %d and %d lines", seed, len(a), len(b))
	}
}
