package sequences

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Library is a folder of sequences that can be read again while it is in use.
// Its methods may be called from several goroutines.
type Library struct {
	dir     string // "" = fsys
	fsys    fs.FS
	reading sync.Mutex // one Reload at a time
	shelf   atomic.Pointer[shelf]
}

// shelf is what one reading of the folder found. It never changes: readers
// keep the one they have while the next is made.
type shelf struct {
	copies map[string]*Sequence         // good ones, by name
	sums   map[string][sha256.Size]byte // of every file looked at, by file name
	failed map[string]error             // by file name
}

// Open reads every .md file of a folder. It fails only when the folder cannot
// be read; broken files are left out and listed by Broken.
func Open(dir string) (*Library, error) {
	l := &Library{dir: dir}
	_, err := l.Reload()
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Load is Open for a folder that is not on the disk, such as embedded ones.
func Load(fsys fs.FS) (*Library, error) {
	l := &Library{fsys: fsys}
	_, err := l.Reload()
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Sequence finds a sequence by its file's name without .md, or by its title. A
// title that two sequences share finds neither: enrolling in the wrong one is
// worse than being asked again.
func (l *Library) Sequence(name string) (*Sequence, bool) {
	return l.shelf.Load().sequence(name)
}

func (s *shelf) sequence(name string) (*Sequence, bool) {
	if seq, ok := s.copies[name]; ok {
		return seq, true
	}
	var found *Sequence
	for _, seq := range s.copies {
		if seq.Title != name {
			continue
		}
		if found != nil {
			return nil, false
		}
		found = seq
	}
	return found, found != nil
}

// Names lists the names of all sequences, sorted.
func (l *Library) Names() []string {
	return slices.Sorted(maps.Keys(l.shelf.Load().copies))
}

// Broken lists the mistakes in files that could not be loaded, by file name:
// ParseErrors for what is written in them. A file that was loaded before keeps
// its last good copy.
func (l *Library) Broken() []error {
	return l.shelf.Load().broken()
}

func (s *shelf) broken() []error {
	errs := make([]error, 0, len(s.failed))
	for _, file := range slices.Sorted(maps.Keys(s.failed)) {
		errs = append(errs, s.failed[file])
	}
	return errs
}

// Reload reads the folder again and takes what it found. It returns whether
// anything changed; the error is that of Read.
func (l *Library) Reload() (changed bool, err error) {
	r, err := l.Read()
	if err != nil {
		return false, err
	}
	r.Take()
	return r.Changed(), nil
}

// Read reads the folder again, and changes nothing before the Reading is taken. A
// file counts as changed when its bytes did, and is only taken when it has no
// mistakes: editors write files in pieces, and half a file rarely parses. The
// error says that the folder itself could not be read.
func (l *Library) Read() (*Reading, error) {
	l.reading.Lock()
	defer l.reading.Unlock()
	fsys := l.fsys
	if l.dir != "" {
		// Opened anew each time: the folder may have been replaced by another.
		root, err := os.OpenRoot(l.dir)
		if err != nil {
			return nil, fmt.Errorf("sequences: %w", err)
		}
		defer root.Close()
		fsys = root.FS()
	}
	before := l.shelf.Load()
	if before == nil {
		before = &shelf{}
	}
	after, err := l.read(fsys, before)
	if err != nil {
		return nil, fmt.Errorf("sequences: %w", err)
	}
	return &Reading{library: l, before: before, after: after}, nil
}

// read makes the next shelf. What did not change is taken over from before.
func (l *Library) read(fsys fs.FS, before *shelf) (*shelf, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	after := &shelf{copies: map[string]*Sequence{}, sums: map[string][sha256.Size]byte{}, failed: map[string]error{}}
	for _, entry := range entries {
		file := entry.Name()
		if !isSequence(entry) {
			continue
		}
		name := strings.TrimSuffix(file, ".md")
		old, loaded := before.copies[name]
		source, err := readFile(fsys, entry)
		if err == nil {
			sum := sha256.Sum256(source)
			after.sums[file] = sum
			_, bad := before.failed[file]
			if loaded && !bad && before.sums[file] == sum && !changed(fsys, old.companions) {
				after.copies[name] = old
				continue
			}
			var s *Sequence
			if s, err = ParseIn(fsys, filepath.Join(l.dir, file), source); err == nil {
				after.copies[name] = s
				continue
			}
		} else {
			err = l.inFile(file, err)
		}
		after.failed[file] = err
		if loaded {
			after.copies[name] = old
		}
	}
	return after, nil
}

// isSequence leaves out what is plainly something else.
func isSequence(entry fs.DirEntry) bool {
	name := entry.Name()
	return strings.EqualFold(filepath.Ext(name), ".md") && !strings.HasPrefix(name, ".") &&
		!strings.EqualFold(name, "README.md") && !entry.IsDir()
}

var fileName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*\.md$`)

// errChanging says that a file was written to while it was read.
var errChanging = errors.New("the file is just being written; reload again")

// readFile reads a regular file, and only one that stands still. Symbolic
// links and devices are not followed, wherever they lead.
func readFile(fsys fs.FS, entry fs.DirEntry) ([]byte, error) {
	name := entry.Name()
	if m := misnamed(name); m != nil {
		return nil, m
	}
	if !entry.Type().IsRegular() {
		return nil, wrong("not a regular file")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	first, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !first.Mode().IsRegular() {
		return nil, wrong("not a regular file")
	}
	source, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, err
	}
	last, err := f.Stat()
	if err != nil {
		return nil, err
	}
	whole := int64(len(source)) == last.Size() || len(source) > maxSize
	if !whole || last.Size() != first.Size() || !last.ModTime().Equal(first.ModTime()) {
		return nil, errChanging
	}
	return source, nil
}

// misnamed says what is wrong with a file's name, or is nil.
func misnamed(name string) *mistake {
	if fileName.MatchString(name) {
		return nil
	}
	return wrong("the file name of a sequence is made of a-z, 0-9, - and _, and ends with .md").meant(tidyFile(name))
}

var notInFiles = regexp.MustCompile(`[^a-z0-9_]+`)

// tidyFile is the name a file could have, or "".
func tidyFile(name string) string {
	stem := strings.ToLower(name[:len(name)-len(filepath.Ext(name))])
	tidy := strings.Trim(notInFiles.ReplaceAllString(stem, "-"), "-_") + ".md"
	if !fileName.MatchString(tidy) {
		return ""
	}
	return tidy
}

// inFile gives an error about a whole file the place that all others have.
func (l *Library) inFile(file string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		err = errors.New("this user may not read it")
	}
	suggestion, _, text := parts(err)
	return &ParseError{File: filepath.Join(l.dir, file), Line: 1, Column: 1, Err: text, Suggestion: suggestion}
}

// same says whether two readings found the same files in the same state.
func (s *shelf) same(other *shelf) bool {
	if len(s.copies) != len(other.copies) || len(s.failed) != len(other.failed) {
		return false
	}
	for name, sequence := range s.copies {
		if other.copies[name] != sequence {
			return false
		}
	}
	for file, err := range s.failed {
		before, ok := other.failed[file]
		if !ok || before.Error() != err.Error() {
			return false
		}
	}
	return true
}
