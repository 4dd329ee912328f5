package mailbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"nudge/engine"
)

// maxPast is how much of one mail of the past is read, in bytes: as much as of
// one that arrives.
const maxPast = 256 << 10

// ErrNoMail says that a file holds no mail that could be read.
var ErrNoMail = errors.New("it is neither a mail nor an mbox file")

var errNoFile = errors.New("it is not a regular file")

// Past takes one mail of the past, which Folder and UID place: the file, and
// which one it is in there. err says why it could not be read; no mail is left
// out for that. An error of its own ends the reading.
type Past func(in engine.Incoming, err error) error

// ReadPast reads mail that lies in files and passes each to take: a file of one
// mail, an mbox file, or a folder with such files or Maildirs in it, at any
// depth. Arrived is when the first server that was ours took the mail, else
// when it was written. The error is an *fs.PathError where path itself cannot be
// read.
func ReadPast(ctx context.Context, path string, take Past) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return readMails(ctx, f, path, take)
	}
	return filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && name == path:
			return err
		case err != nil:
			return take(engine.Incoming{Folder: name}, err)
		case entry.IsDir() && entry.Name() == "tmp" && isMaildir(filepath.Dir(name)):
			return fs.SkipDir // what is not yet delivered
		case entry.IsDir() || keptByServer(name):
			return nil
		}
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
			return take(engine.Incoming{Folder: name}, errNoFile) // a pipe may never say a word
		}
		f, err := os.Open(name)
		if err != nil {
			return take(engine.Incoming{Folder: name}, err)
		}
		defer f.Close()
		return readMails(ctx, f, name, take)
	})
}

// isMaildir says whether a folder is one of a Maildir.
func isMaildir(dir string) bool {
	for _, name := range []string{"cur", "new"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

// keptByServer says whether a file is one that mail servers and systems keep
// for themselves beside the mail.
func keptByServer(name string) bool {
	base := filepath.Base(name)
	return strings.HasPrefix(base, ".") || isMaildir(filepath.Dir(name))
}

// readMails reads the mails of one file.
func readMails(ctx context.Context, from io.Reader, path string, take Past) error {
	in := bufio.NewReaderSize(from, 64<<10)
	if start, err := in.Peek(5); !bytes.Equal(start, []byte("From ")) {
		if err != nil && !errors.Is(err, io.EOF) {
			return take(engine.Incoming{Folder: path}, err)
		}
		raw, err := io.ReadAll(io.LimitReader(in, maxPast))
		return takeMail(raw, engine.Incoming{Folder: path, UID: 1}, err, take)
	}
	box := mbox{in: in}
	for n := uint32(1); ; n++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		raw, err := box.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if terr := takeMail(raw, engine.Incoming{Folder: path, UID: n}, err, take); terr != nil || err != nil {
			return terr
		}
	}
}

// takeMail says what a mail is, and passes it on.
func takeMail(raw []byte, place engine.Incoming, err error, take Past) error {
	if err != nil {
		return take(place, err)
	}
	h, _ := splitHeader(raw)
	if !legible(h) {
		return take(place, ErrNoMail)
	}
	in := merge(Classify(raw), place)
	in.Arrived = h.arrival()
	return take(in, nil)
}

// arrival is when a mail came in, as its topmost Received says, else when it
// was written.
func (h header) arrival() time.Time {
	if _, date, found := cutLast(h.get("Received"), ";"); found {
		if at := parseDate(date); !at.IsZero() {
			return at
		}
	}
	return h.date()
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// mbox parts an mbox file into its mails, whatever their length.
type mbox struct {
	in    *bufio.Reader
	begun bool // the line that begins the next mail was read
}

// next returns the next mail without the line that begins it, and no more of
// it than maxPast. A line that begins with From and blanks begins a mail where
// an empty line stands before it; one that was quoted for that loses its mark.
func (b *mbox) next() ([]byte, error) {
	if !b.begun {
		if _, err := b.line(); err != nil {
			return nil, err
		}
	}
	var raw []byte
	b.begun = false
	for empty := false; ; {
		line, err := b.line()
		if errors.Is(err, io.EOF) {
			if len(raw) == 0 {
				return nil, io.EOF
			}
			return raw, nil
		}
		if err != nil {
			return nil, err
		}
		if empty && bytes.HasPrefix(line, []byte("From ")) {
			b.begun = true
			return raw, nil
		}
		if quoted := bytes.TrimLeft(line, ">"); len(quoted) < len(line) && bytes.HasPrefix(quoted, []byte("From ")) {
			line = line[1:]
		}
		empty = len(bytes.TrimRight(line, "\r\n")) == 0
		if len(raw) < maxPast {
			raw = append(raw, line...)
		}
	}
}

// line returns the next line with its end. Of one that is longer than a mail
// may be, the rest is passed over.
func (b *mbox) line() ([]byte, error) {
	var line []byte
	for {
		piece, err := b.in.ReadSlice('\n')
		if len(line) < maxPast {
			line = append(line, piece...)
		}
		switch {
		case err == nil, errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
