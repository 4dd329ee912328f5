package sequences

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// beside is the folder that a sequence file lies in, and what of it the file
// refers to: calendars, partials, attachments, other sequences. It reads
// regular files only, and never one outside of the folder.
type beside struct {
	fsys fs.FS  // nil: there is no folder, and nothing is looked up
	dir  string // a folder on the disk that is opened as fsys when it is asked for; "" = none
	root *os.Root
	used []companion
}

// companion is a file that a sequence was made of, besides its own.
type companion struct {
	name string
	sum  [sha256.Size]byte // of its bytes; zero when it could not be read
}

// folderOf is the folder of a file by its path. Standard input, "-", has none.
func folderOf(file string) string {
	if file == "-" || file == "" {
		return ""
	}
	return filepath.Dir(file)
}

// folder is where to look, nil = nowhere. Most sequences refer to nothing, and
// their folder is never opened.
func (b *beside) folder() fs.FS {
	if b.fsys == nil && b.dir != "" {
		if root, err := os.OpenRoot(b.dir); err == nil {
			b.root, b.fsys = root, root.FS()
		}
		b.dir = ""
	}
	return b.fsys
}

// close closes the folder.
func (b *beside) close() {
	if b.root != nil {
		_ = b.root.Close() // it was only read from
		b.root, b.fsys = nil, nil
	}
}

var besideName = regexp.MustCompile(`^[\p{L}\p{N}_][\p{L}\p{N} ._+()-]*(/[\p{L}\p{N}_][\p{L}\p{N} ._+()-]*)*$`)

// read returns a file's bytes, nil without an error where there is no folder.
func (b *beside) read(name string, most int64) ([]byte, error) {
	if !besideName.MatchString(name) {
		return nil, wrong("%q is not the name of a file in the folder of this one", shorten(name))
	}
	if b.folder() == nil {
		return nil, nil
	}
	source, err := readRegular(b.fsys, name, most)
	c := companion{name: name}
	if err == nil {
		c.sum = sha256.Sum256(source)
	}
	if !slices.ContainsFunc(b.used, func(u companion) bool { return u.name == name }) {
		b.used = append(b.used, c)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, wrong("there is no file %s in the folder of this one", name).meant(b.nearest(name))
	case err != nil:
		return nil, wrong("%s cannot be read: %v", name, err)
	}
	return source, nil
}

var (
	errNotRegular = errors.New("not a regular file")
	errTooLarge   = errors.New("too large")
)

// readRegular reads one regular file of at most so many bytes. Symbolic links
// and devices are not followed, wherever they lead.
func readRegular(fsys fs.FS, name string, most int64) ([]byte, error) {
	info, err := fs.Lstat(fsys, name)
	if err != nil {
		return nil, plainly(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	if info.Size() > most {
		return nil, errTooLarge
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, plainly(err)
	}
	defer f.Close()
	source, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, plainly(err)
	}
	if int64(len(source)) > most {
		return nil, errTooLarge
	}
	return source, nil
}

// plainly takes the operation and the path out of an error: the sentence it
// goes into has the name.
func plainly(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// nearest is the file of the same folder that was probably meant, or "": one
// that may be attached where such a one was named, else a text of ours.
func (b *beside) nearest(name string) string {
	dir, base := path.Split(name)
	entries, err := fs.ReadDir(b.fsys, path.Clean("./"+dir))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && attachable(e.Name()) == attachable(name) {
			names = append(names, e.Name())
		}
	}
	if near := Nearest(base, names); near != "" {
		return dir + near
	}
	return ""
}

// has says whether a file exists; true where there is no folder to look in.
func (b *beside) has(name string) bool {
	if b.folder() == nil {
		return true
	}
	info, err := fs.Lstat(b.fsys, name)
	return err == nil && info.Mode().IsRegular()
}

// changed says whether one of these files is not what it was.
func changed(fsys fs.FS, used []companion) bool {
	for _, c := range used {
		var sum [sha256.Size]byte
		if source, err := readRegular(fsys, c.name, maxBeside); err == nil {
			sum = sha256.Sum256(source)
		}
		if sum != c.sum {
			return true
		}
	}
	return false
}

// maxBeside is the most that any file beside a sequence may hold.
const maxBeside = maxAttachment

// sequenceNames lists the sequences of the folder by name.
func (b *beside) sequenceNames() []string {
	if b.folder() == nil {
		return nil
	}
	entries, err := fs.ReadDir(b.fsys, ".")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if isSequence(e) {
			names = append(names, strings.TrimSuffix(e.Name(), ".md"))
		}
	}
	return names
}
