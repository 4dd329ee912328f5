package sequences

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"nudge/templates"
)

// Parse reads one sequence file. What it refers to, such as an .ics file, is
// read from the folder that the file's path names; a file called "-" has none.
// Every mistake found is in the error, a ParseErrors.
func Parse(file string, source []byte) (*Sequence, error) {
	return read(file, source, options{dir: folderOf(file)}).result()
}

// ParseIn is Parse for a file of any folder; nil is no folder, and what the
// file refers to is then not looked up.
func ParseIn(folder fs.FS, file string, source []byte) (*Sequence, error) {
	return read(file, source, options{folder: folder}).result()
}

// result is the sequence that was read, or all mistakes.
func (r *reader) result() (*Sequence, error) {
	if len(r.errs) > 0 {
		return nil, r.errs
	}
	r.seq.Steps = unrolled(r.seq.Steps)
	r.seq.companions = r.beside.used
	return r.seq, nil
}

// options are how a file is read.
type options struct {
	folder fs.FS  // what it refers to is looked up here
	dir    string // or here, on the disk; "" and nil = nowhere

	country func(code string) (Holidays, bool) // nil = country
}

// reader is one reading of one file. It goes on after a mistake, so that an
// author sees all of them at once.
type reader struct {
	page
	beside    beside
	country   func(code string) (Holidays, bool)
	front     span
	frontSet  settings
	noteTitle string
	sections  []section
	sets      []settings // of each section
	seq       *Sequence
	used      map[string]bool // every field a template names
	unlisted  map[string]bool // those that lint has spoken about
	partials  map[string]string
	plain     bool            // of all mails
	varied    bool            // a step has variants of its subject
	untimed   bool            // when a step comes is not known, for a mistake
	lettered  []templates.Use // of the letter of a variant
	opens     Schedule        // known to open on business days
	errs      ParseErrors
	advice    []Finding
}

func (r *reader) wrongAt(offset int, err error, suggestion string) {
	r.errs = append(r.errs, r.mistake(offset, err, suggestion))
}

// wrongValue reports an error of a value parser at its place in the value.
func (r *reader) wrongValue(s setting, err error) {
	suggestion, at, text := parts(err)
	r.wrongAt(s.at(at), fmt.Errorf("%s: %w", s.key, text), suggestion)
}

func read(file string, source []byte, o options) *reader {
	base := filepath.Base(file)
	r := &reader{
		seq:      &Sequence{Name: strings.TrimSuffix(base, filepath.Ext(base)), File: file},
		beside:   beside{fsys: o.folder, dir: o.dir},
		country:  o.country,
		partials: map[string]string{},
		used:     map[string]bool{},
		unlisted: map[string]bool{},
	}
	if r.country == nil {
		r.country = country
	}
	defer r.beside.close()
	p, err := newPage(file, source)
	if err != nil {
		r.page, r.errs = page{file: file, lines: []int{0}}, ParseErrors{err}
		return r
	}
	r.page = *p
	if strings.TrimSpace(r.text) == "" {
		r.wrongAt(0, errors.New("the file is empty"), "")
		return r
	}
	r.outline()
	r.readFront()
	for i := range r.sections {
		r.readStep(i)
	}
	if len(r.sections) == 0 && len(r.errs) == 0 {
		r.wrongAt(0, errors.New("no steps; a step starts with a ## heading"), "")
	}
	r.checkTogether()
	r.errs.sort()
	return r
}

func (r *reader) readFront() {
	set := r.readSettings(r.front, frontKeys, true)
	r.frontSet = set
	if s, ok := r.filled(set, "name"); ok {
		r.seq.Title = s.value
	}
	r.seq.Title = cmp.Or(r.seq.Title, r.noteTitle, r.seq.Name)
	if s, ok := r.filled(set, "from"); ok {
		r.seq.From = s.value
	}
	if s, ok := r.readSend(set); ok {
		r.seq.Send = s
	} else {
		r.seq.Send, _ = ParseSchedule(defaultSend)
	}
	if s, ok := r.filled(set, "timezone"); ok {
		r.seq.Timezone = r.readZone(s)
	}
	if s, ok := r.filled(set, "holidays"); ok {
		r.seq.Holidays = r.readHolidays(s)
	}
	if s, ok := r.filled(set, "needs"); ok {
		r.seq.Needs = r.readNeeds(s)
	}
	r.readMails(set)
	r.readChains(set)
	r.adviseFront(set)
}

func (r *reader) readSend(set settings) (Schedule, bool) {
	s, ok := r.filled(set, "send")
	if !ok {
		return nil, false
	}
	schedule, err := ParseSchedule(s.value)
	if err != nil {
		r.wrongValue(s, err)
		return nil, false
	}
	r.adviseSend(s, schedule)
	return schedule, true
}

// zonesFound are the names that were found to be time zonesFound: looking one up reads a
// file, and a folder of sequences names the same few.
var zonesFound sync.Map // string → struct{}

// isZone says whether a name is an IANA time zone. Local is none: it is the
// zone of whatever machine runs nudge, not of the prospect.
func isZone(name string) bool {
	if _, known := zonesFound.Load(name); known {
		return true
	}
	if _, err := time.LoadLocation(name); err != nil || name == "" || strings.EqualFold(name, "local") {
		return false
	}
	zonesFound.Store(name, struct{}{})
	return true
}

func (r *reader) readZone(s setting) string {
	if isZone(s.value) {
		return s.value
	}
	near := ""
	if bare := strings.Trim(s.value, `"'`); isZone(bare) {
		near = bare
	}
	words := strings.FieldsFunc(strings.ToLower(s.value), func(c rune) bool { return c == '/' || c == ' ' || c == '_' })
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	if len(words) > 1 {
		guess := words[0] + "/" + strings.Join(words[1:], "_")
		if isZone(guess) {
			near = guess
		}
	}
	r.wrongValue(s, wrong("unknown time zone %q; write it like Europe/Stockholm", shorten(s.value)).meant(near))
	return ""
}
