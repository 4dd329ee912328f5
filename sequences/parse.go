package sequences

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/yuin/goldmark/util"

	"nudge/templates"
)

// Parse reads one sequence file. Every mistake found is in the error, a
// ParseErrors. Advice is Lint's business.
func Parse(file string, source []byte) (*Sequence, error) {
	r := read(file, source)
	if len(r.errs) > 0 {
		return nil, r.errs
	}
	return r.seq, nil
}

// reader is one reading of one file. It goes on after a mistake, so that an
// author sees all of them at once.
type reader struct {
	page
	front     span
	noteTitle string
	sections  []section
	sets      []settings // of each section
	seq       *Sequence
	used      map[string]bool // every field a template names
	unlisted  map[string]bool // those that lint has spoken about
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

var (
	frontKeys = []string{"name", "from", "send", "timezone", "needs"}
	stepKeys  = []string{"wait", "send", "subject", "do", "last", "id"}
)

func read(file string, source []byte) *reader {
	base := filepath.Base(file)
	r := &reader{
		seq:      &Sequence{Name: strings.TrimSuffix(base, filepath.Ext(base)), File: file},
		used:     map[string]bool{},
		unlisted: map[string]bool{},
	}
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
	if s, ok := r.filled(set, "name"); ok {
		r.seq.Title = s.value
	}
	r.seq.Title = cmp.Or(r.seq.Title, r.noteTitle, r.seq.Name)
	if s, ok := r.filled(set, "from"); ok {
		r.seq.From = s.value
	}
	r.seq.Send, _ = ParseSchedule(defaultSend)
	if s, ok := r.readSend(set); ok {
		r.seq.Send = s
	}
	if s, ok := r.filled(set, "timezone"); ok {
		r.seq.Timezone = r.readZone(s)
	}
	if s, ok := r.filled(set, "needs"); ok {
		r.seq.Needs = r.readNeeds(s)
	}
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

func (r *reader) readZone(s setting) string {
	// Local is the zone of whatever machine runs nudge, not of the prospect.
	_, err := time.LoadLocation(s.value)
	if err == nil && !strings.EqualFold(s.value, "local") {
		return s.value
	}
	near := ""
	words := strings.FieldsFunc(strings.ToLower(s.value), func(c rune) bool { return c == '/' || c == ' ' || c == '_' })
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	if len(words) > 1 {
		guess := words[0] + "/" + strings.Join(words[1:], "_")
		if _, err := time.LoadLocation(guess); err == nil {
			near = guess
		}
	}
	r.wrongValue(s, wrong("unknown time zone %q; write it like Europe/Stockholm", shorten(s.value)).meant(near))
	return ""
}

func (r *reader) readStep(i int) {
	sec := &r.sections[i]
	line, _ := r.place(sec.heading)
	st := Step{Number: i + 1, Title: sec.title, Do: Email, Send: r.seq.Send, Line: line}
	set := settings{}
	if sec.fence >= 0 {
		set = r.readSettings(sec.settings, stepKeys, false)
	}
	r.sets = append(r.sets, set)
	st.ID = r.readID(sec, set)
	r.readWait(sec, set, &st)
	if s, ok := r.readSend(set); ok {
		st.Send = s
	}
	if s, ok := r.filled(set, "do"); ok {
		st.Do = r.readAction(s)
	}
	if s, ok := r.filled(set, "last"); ok {
		st.Last = r.readYesNo(s)
	}
	r.readSubject(set, &st)
	r.readBody(sec, &st)
	st.Hash = hash(set, r.text[sec.body.start:sec.body.end])
	r.seq.Steps = append(r.seq.Steps, st)
}

var stepNumber = regexp.MustCompile(`^\d+[.):]([ \t]+|$)`)

// maxID is the greatest length of a step's id in bytes: it is part of keys in
// the state file.
const maxID = 200

// readID is the id: setting, else the heading without its number and without
// the marks that a formatter may change.
func (r *reader) readID(sec *section, set settings) string {
	id, at := "", sec.heading
	if s, ok := r.filled(set, "id"); ok {
		id, at = s.value, s.valueAt
	} else {
		words := strings.Fields(string(util.UnescapePunctuations([]byte(stepNumber.ReplaceAllString(sec.title, "")))))
		for i, w := range words {
			words[i] = strings.Trim(w, "*_`")
		}
		id = strings.TrimSpace(strings.Join(words, " "))
	}
	switch {
	case id == "" && sec.title == "":
		r.wrongAt(at, errors.New("a step needs a name after its ##"), "")
	case id == "":
		r.wrongAt(at, errors.New("a step needs a name beside its number, or an id"), "")
	case len(id) > maxID:
		r.wrongAt(at, fmt.Errorf("a step's name is at most %d bytes long; give it a short id", maxID), "")
	}
	return id
}

func (r *reader) readWait(sec *section, set settings, st *Step) {
	s, ok := r.filled(set, "wait")
	if ok {
		d, err := ParseDelay(s.value)
		if err != nil {
			r.wrongValue(s, err)
		}
		st.Wait = d
		return
	}
	if _, empty := set["wait"]; empty || sec.fenceWrong {
		return
	}
	if sec.fence >= 0 {
		if !r.misspelt(sec.settings, "wait") {
			r.wrongAt(sec.fence, errors.New("no wait: in this step; write for example wait: 3 business days, or wait: 0"), "")
		}
		return
	}
	if at := r.hiddenBlock(sec.body); at >= 0 {
		r.wrongAt(at, errors.New("to Markdown this is no block of its own; start the ```step line at the left edge, "+
			"outside of lists and quotes"), "")
		return
	}
	r.wrongAt(sec.heading, errors.New("no step block under this heading; add ```step, wait: 3 business days, ```, "+
		"each on its own line"), "")
}

// misspelt says whether a mistake between the lines of s was already taken for
// this key: a misspelt wait: is one mistake, not two.
func (r *reader) misspelt(s span, key string) bool {
	first, _ := r.place(s.start)
	last, _ := r.place(s.end)
	return slices.ContainsFunc(r.errs, func(e *ParseError) bool {
		return first <= e.Line && e.Line < last && e.Suggestion == key
	})
}

var fenceSomewhere = regexp.MustCompile("(?m)^[ \t>*+0-9.-]*(```|~~~)[ \t]*step[ \t]*$")

func (r *reader) hiddenBlock(body span) int {
	if m := fenceSomewhere.FindStringSubmatchIndex(r.text[body.start:body.end]); m != nil {
		return body.start + m[2]
	}
	return -1
}

func (r *reader) readAction(s setting) Action {
	switch a := Action(s.value); a {
	case Email, Task:
		return a
	}
	known := []string{string(Email), string(Task)}
	near := Nearest(s.value, known)
	switch strings.ToLower(s.value) {
	case "mail", "e-mail":
		near = string(Email)
	case "call", "letter", "phone", "todo":
		near = string(Task)
	}
	r.wrongValue(s, wrong("a step does email or task, not %q", shorten(s.value)).meant(near))
	return Email
}

func (r *reader) readYesNo(s setting) bool {
	switch s.value {
	case "yes":
		return true
	case "no":
		return false
	}
	near := ""
	switch strings.ToLower(s.value) {
	case "true", "y", "on", "1", "yes":
		near = "yes"
	case "false", "n", "off", "0", "no":
		near = "no"
	}
	r.wrongValue(s, wrong("write yes or no, not %q", shorten(s.value)).meant(near))
	return false
}

func (r *reader) readSubject(set settings, st *Step) {
	s, ok := r.filled(set, "subject")
	if !ok {
		return
	}
	if st.Do == Task {
		r.wrongAt(s.keyAt, errors.New("a task has no subject; its heading and text are shown"), "")
		return
	}
	line, column := r.place(s.valueAt)
	subject, err := templates.ParseLine(s.value, templates.Position{Line: line, Column: column})
	if err != nil {
		r.wrongTemplate(err, s.valueAt)
		return
	}
	st.Subject = subject
	r.checkFields(subject.Uses())
}

var comments = regexp.MustCompile(`(?s)<!--.*?-->`)

func (r *reader) readBody(sec *section, st *Step) {
	sec.body = r.trim(sec.body)
	source := r.text[sec.body.start:sec.body.end]
	if st.Do == Email && !sec.fenceWrong && strings.TrimSpace(comments.ReplaceAllString(source, "")) == "" {
		r.wrongAt(sec.heading, fmt.Errorf("no text to send under %q", shorten(sec.title)), "")
		return
	}
	line, column := r.place(sec.body.start)
	body, err := templates.Parse(source, templates.Position{Line: line, Column: column})
	if err != nil {
		r.wrongTemplate(err, sec.body.start)
		return
	}
	st.Body = body
	r.checkFields(body.Uses())
}

// wrongTemplate takes the place of a template's mistake from the error.
func (r *reader) wrongTemplate(err error, at int) {
	t, ok := errors.AsType[*templates.Error](err)
	if !ok || t.Line < 1 || t.Column < 1 {
		r.wrongAt(at, err, "")
		return
	}
	r.errs = append(r.errs, &ParseError{File: r.file, Line: t.Line, Column: t.Column, Err: t.Err})
}

// checkTogether finds the mistakes that only the steps together show.
func (r *reader) checkTogether() {
	first := true
	ids := map[string]int{}
	for i, st := range r.seq.Steps {
		at := r.sections[i].heading
		if _, given := r.sets[i]["subject"]; st.Do == Email && first {
			first = false
			if !given && !r.sections[i].fenceWrong && !r.misspelt(r.sections[i].settings, "subject") {
				r.wrongAt(at, errors.New("no subject: in the first mail, which has nothing to reply to; "+
					"write for example subject: Re: {{ original_subject }}"), "")
			}
		}
		if s, ok := r.sets[i]["id"]; ok {
			at = s.keyAt
		}
		key := strings.ToLower(st.ID)
		if line, twice := ids[key]; twice && key != "" {
			r.wrongAt(at, fmt.Errorf("the step in line %d has the same id %q; rename one or give it an id", line, shorten(st.ID)), "")
		} else {
			ids[key] = st.Line
		}
		if last := len(r.seq.Steps) - 1; st.Last && i < last {
			r.wrongAt(r.sets[i]["last"].keyAt, fmt.Errorf("no step after the last: one can be reached, and %d follow", last-i), "")
		}
	}
}

// hash names a step's words: its settings, in the order of their keys, and its
// text. Where the file was wrapped or saved with other line ends by a formatter
// only the text counts.
func hash(set settings, body string) string {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(h, "%s: %s\n", key, set[key].value)
	}
	fmt.Fprintf(h, "\n%s\n", body)
	return hex.EncodeToString(h.Sum(nil)[:6])
}
