package sequences

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// Reading is what a Library found in its folder. It never changes, and is
// worth nothing before it is taken.
type Reading struct {
	library       *Library
	before, after *shelf
}

// Edit is what a Reading does to one sequence: Before is nil for a new one, After
// for one whose file is gone. A file that has mistakes changes nothing.
type Edit struct {
	Name          string
	Before, After *Sequence
}

// Take makes the Library serve what was read.
func (r *Reading) Take() { r.library.shelf.Store(r.after) }

// Changed says whether it differs from what the Library served by then, in
// sequences or in mistakes.
func (r *Reading) Changed() bool { return !r.after.same(r.before) }

// Edits lists what became different, by name.
func (r *Reading) Edits() []Edit {
	names := slices.Collect(maps.Keys(r.after.copies))
	for name := range r.before.copies {
		if r.after.copies[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var edits []Edit
	for _, name := range names {
		if before, after := r.before.copies[name], r.after.copies[name]; before != after {
			edits = append(edits, Edit{name, before, after})
		}
	}
	return edits
}

// Broken lists the mistakes that were read, as those of the Library.
func (r *Reading) Broken() []error { return r.after.broken() }

// IsBroken says whether the file of a sequence is there and has mistakes.
func (r *Reading) IsBroken(name string) bool { return r.after.failed[name+".md"] != nil }

// Sequence finds a sequence that was read, as the Library does.
func (r *Reading) Sequence(name string) (*Sequence, bool) { return r.after.sequence(name) }

// Names lists the sequences that were read, sorted.
func (r *Reading) Names() []string { return slices.Sorted(maps.Keys(r.after.copies)) }

// Sum is the same for two Readings that found the same bytes in all files.
func (r *Reading) Sum() string {
	h := sha256.New()
	for _, file := range slices.Sorted(maps.Keys(r.after.sums)) {
		fmt.Fprintf(h, "%q %x\n", file, r.after.sums[file])
	}
	for _, name := range r.Names() {
		for _, c := range r.after.copies[name].companions {
			fmt.Fprintf(h, "%q %q %x\n", name, c.name, c.sum)
		}
	}
	for _, err := range r.Broken() {
		fmt.Fprintf(h, "%q\n", err.Error())
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
