package sequences

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, dir string) *Library {
	t.Helper()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func reload(t testing.TB, l *Library, want bool) {
	t.Helper()
	changed, err := l.Reload()
	if err != nil || changed != want {
		t.Errorf("reloaded: changed %v, %v; want %v", changed, err, want)
	}
}

func broken(l *Library, dir string) string {
	var lines []string
	for _, err := range l.Broken() {
		lines = append(lines, strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""))
	}
	return strings.Join(lines, "\n")
}

const good = front + one

func TestAFolderBecomesALibrary(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "quote.md", good)
	write(t, dir, "invoice.md", strings.Replace(good, "name: Quote", "name: Invoice", 1))
	write(t, dir, "README.md", "# About this folder\n")
	write(t, dir, ".draft.md", "nothing yet")
	write(t, dir, "quote.md~", "an editor's")
	write(t, dir, "notes.txt", "no sequence")
	if err := os.Mkdir(filepath.Join(dir, "old.md"), 0o755); err != nil {
		t.Fatal(err)
	}
	l := open(t, dir)
	if got := strings.Join(l.Names(), " "); got != "invoice quote" {
		t.Errorf("names %q", got)
	}
	if got := broken(l, dir); got != "" {
		t.Errorf("broken: %s", got)
	}
	for _, name := range []string{"quote", "Quote"} {
		if s, ok := l.Sequence(name); !ok || s.Name != "quote" || s.File != filepath.Join(dir, "quote.md") {
			t.Errorf("%q finds %+v", name, s)
		}
	}
	for _, name := range []string{"", "quote.md", "QUOTE", "README", "old", "../quote"} {
		if s, ok := l.Sequence(name); ok || s != nil {
			t.Errorf("%q finds %+v", name, s)
		}
	}
}

func TestATitleOfTwoSequencesFindsNeither(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.md", good)
	write(t, dir, "b.md", good)
	l := open(t, dir)
	if s, ok := l.Sequence("Quote"); ok {
		t.Errorf("found %s", s.Name)
	}
	if _, ok := l.Sequence("b"); !ok {
		t.Error("b is not found by its name")
	}
}

func TestOddFilesAreListedAndNotFollowed(t *testing.T) {
	outside := t.TempDir()
	write(t, outside, "secret.md", good)
	dir := t.TempDir()
	write(t, dir, "quote.md", good)
	write(t, dir, "Quote Nr. 2.md", good)
	write(t, dir, "-.md", good)
	write(t, dir, "LOUD.MD", good)
	for name, target := range map[string]string{"link.md": filepath.Join(outside, "secret.md"), "near.md": "quote.md"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	l := open(t, dir)
	if got := strings.Join(l.Names(), " "); got != "quote" {
		t.Errorf("names %q", got)
	}
	const rule = "the file name of a sequence is made of a-z, 0-9, - and _, and ends with .md"
	want := "-.md:1:1: " + rule + "\n" +
		"LOUD.MD:1:1: " + rule + `; did you mean "loud.md"?` + "\n" +
		"Quote Nr. 2.md:1:1: " + rule + `; did you mean "quote-nr-2.md"?` + "\n" +
		"link.md:1:1: not a regular file\n" +
		"near.md:1:1: not a regular file"
	if got := broken(l, dir); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestABrokenEditKeepsTheLastGoodCopy(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "quote.md", good)
	l := open(t, dir)
	before, _ := l.Sequence("quote")
	reload(t, l, false)

	write(t, dir, "quote.md", strings.Replace(good, "wait: 0", "wiat: 0", 1))
	reload(t, l, true)
	if s, _ := l.Sequence("quote"); s != before {
		t.Error("the good copy is gone")
	}
	if got, want := broken(l, dir), `quote.md:8:1: unknown key "wiat"; did you mean "wait"?`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if _, ok := errors.AsType[ParseErrors](l.Broken()[0]); !ok {
		t.Errorf("broken is a %T", l.Broken()[0])
	}
	reload(t, l, false)

	write(t, dir, "quote.md", "") // an editor opens the file for writing
	reload(t, l, true)
	if s, _ := l.Sequence("quote"); s != before {
		t.Error("the good copy is gone")
	}

	write(t, dir, "quote.md", strings.Replace(good, "wait: 0", "wait: 1 day", 1))
	reload(t, l, true)
	if s, _ := l.Sequence("quote"); s == before || s.Steps[0].Wait != (Delay{1, Days}) || len(l.Broken()) != 0 {
		t.Errorf("the new copy is %+v, broken %s", s, broken(l, dir))
	}
	if before.Steps[0].Wait != (Delay{}) {
		t.Error("the copy that somebody held was changed")
	}
}

func TestGoingBackToTheLastGoodTextMendsAFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "quote.md", good)
	l := open(t, dir)
	write(t, dir, "quote.md", "x")
	reload(t, l, true)
	write(t, dir, "quote.md", good)
	reload(t, l, true)
	if _, ok := l.Sequence("quote"); !ok || len(l.Broken()) != 0 {
		t.Errorf("broken: %s", broken(l, dir))
	}
}

func TestARemovedFileIsRemoved(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "quote.md", good)
	write(t, dir, "bad.md", "x")
	l := open(t, dir)
	for _, name := range []string{"quote.md", "bad.md"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	reload(t, l, true)
	if len(l.Names()) != 0 || len(l.Broken()) != 0 {
		t.Errorf("still there: %v, %s", l.Names(), broken(l, dir))
	}
}

func TestAFolderThatCannotBeReadChangesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sequences")
	if _, err := Open(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened: %v", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "quote.md", good)
	l := open(t, dir)
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if changed, err := l.Reload(); err == nil || changed {
		t.Errorf("reloaded: %v, %v", changed, err)
	}
	if _, ok := l.Sequence("quote"); !ok {
		t.Error("the sequence is gone")
	}
}

// A file replaced under the same size and time is still another file.
func TestAChangeIsSeenByItsBytes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "quote.md", good)
	info, err := os.Stat(filepath.Join(dir, "quote.md"))
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, dir)
	write(t, dir, "quote.md", strings.Replace(good, "Did it", "Has it", 1))
	if err := os.Chtimes(filepath.Join(dir, "quote.md"), time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	reload(t, l, true)
}

// growing is a file that another program is writing to.
type growing struct{ fs.FS }

type growingFile struct {
	fs.File
	looks int
}

type grown struct {
	fs.FileInfo
	more int64
}

func (g grown) Size() int64 { return g.FileInfo.Size() + g.more }

func (g growing) Open(name string) (fs.File, error) {
	f, err := g.FS.Open(name)
	if name == "." || err != nil {
		return f, err
	}
	return &growingFile{File: f}, nil
}

func (f *growingFile) Stat() (fs.FileInfo, error) {
	f.looks++
	info, err := f.File.Stat()
	return grown{info, int64(f.looks)}, err
}

func TestAFileThatIsBeingWrittenWaits(t *testing.T) {
	l, err := Load(growing{fstest.MapFS{"quote.md": {Data: []byte(good)}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := broken(l, ""); len(l.Names()) > 0 || got != "quote.md:1:1: the file is just being written; reload again" {
		t.Errorf("names %v, broken %s", l.Names(), got)
	}
}

func TestAnEmbeddedFolderIsALibraryToo(t *testing.T) {
	l, err := Load(fstest.MapFS{"quote.md": {Data: []byte(good)}, "sub/other.md": {Data: []byte(good)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(l.Names(), " "); got != "quote" {
		t.Errorf("names %q", got)
	}
	reload(t, l, false)
}

func TestReadersNeverSeeHalfAReload(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "quote.md", good)
	l := open(t, dir)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, ok := l.Sequence("quote"); !ok || len(l.Names()) != 1 {
					t.Error("the sequence was away")
					return
				}
				l.Broken()
			}
		})
	}
	var writers sync.WaitGroup
	for i := range 2 {
		writers.Go(func() {
			for n := range 50 {
				text := good
				if n%3 == i {
					text = good[:len(good)/2]
				}
				if err := os.WriteFile(filepath.Join(dir, "quote.md"), []byte(text), 0o644); err != nil {
					t.Error(err)
				}
				if _, err := l.Reload(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}

func TestAReadingChangesNothingBeforeItIsTaken(t *testing.T) {
	dir := t.TempDir()
	write := func(name, words string) {
		t.Helper()
		source := "## Hello\n\n```step\nwait: 1 day\nsubject: Hello\n```\n\n" + words + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(l *Library) *Reading {
		t.Helper()
		r, err := l.Read()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	write("kept.md", "As ever.")
	write("quote.md", "One.")
	write("gone.md", "Bye.")
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := l.Sequence("quote")
	still := read(l)
	if still.Changed() || len(still.Edits()) > 0 {
		t.Errorf("nothing changed, and these did: %v", still.Edits())
	}
	write("quote.md", "Two.")
	write("new.md", "Hi.")
	write("bad.md", "{{ nowhere")
	if err := os.Remove(filepath.Join(dir, "gone.md")); err != nil {
		t.Fatal(err)
	}
	r := read(l)
	if now, _ := l.Sequence("quote"); now != old || len(l.Broken()) > 0 {
		t.Error("it was taken unasked")
	}
	var got []string
	for _, e := range r.Edits() {
		got = append(got, fmt.Sprintf("%s %v %v", e.Name, e.Before != nil, e.After != nil))
	}
	if want := []string{"gone true false", "new false true", "quote true true"}; !slices.Equal(got, want) {
		t.Errorf("edits %q, want %q", got, want)
	}
	if r.Sum() == still.Sum() || r.Sum() != read(l).Sum() {
		t.Errorf("sums %s, %s", still.Sum(), r.Sum())
	}
	if seq, ok := r.Sequence("quote"); !ok || seq == old {
		t.Error("the reading has the old copy")
	}
	r.Take()
	if now, _ := l.Sequence("quote"); now == old || len(l.Broken()) != 1 || !slices.Equal(l.Names(), []string{"kept", "new", "quote"}) {
		t.Errorf("after it was taken: %v, %v", l.Names(), l.Broken())
	}
}
