package sequences

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/util"

	"nudge/templates"
)

func (r *reader) readStep(i int) {
	sec := &r.sections[i]
	line, _ := r.place(sec.heading)
	st := Step{Number: i + 1, Title: sec.title, Do: Email, Line: line, Plain: r.plain,
		window: r.seq.Send, holidays: r.seq.Holidays}
	set := settings{}
	if sec.fence >= 0 {
		set = r.readSettings(sec.settings, stepKeys, false)
	}
	r.sets = append(r.sets, set)
	st.ID = r.readID(sec, set)
	r.readWait(sec, set, &st)
	if s, ok := r.readSend(set); ok {
		st.window = s
	}
	if s, ok := r.filled(set, "do"); ok {
		st.Do = r.readAction(s)
	}
	if s, ok := r.filled(set, "last"); ok {
		st.Last = r.readYesNo(s)
	}
	r.readTiming(set, &st)
	r.readWork(set, &st)
	r.readSubjects(set, &st)
	r.readLetter(set, &st)
	r.readBody(sec, &st)
	st.Send = scheduleFor(st)
	r.checkOpens(set, st)
	st.Hash = r.hash(set, sec, &st)
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
	if s, ok := r.filled(set, "wait"); ok {
		wait, right := r.readDelay(s, 0)
		st.Wait, r.untimed = wait, r.untimed || !right
		return
	}
	r.untimed = true
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

// readDelay reads the delay that stands from an offset on in a value.
func (r *reader) readDelay(s setting, from int) (Delay, bool) {
	d, err := ParseDelay(s.value[from:])
	if m, ok := err.(*mistake); ok {
		r.wrongValue(s, m.after(from+len(s.value[from:])-len(strings.TrimLeft(s.value[from:], " \t"))))
		return Delay{}, false
	}
	return d, true
}

// actions are what a step may do, in the order of the reference.
var actions = []Action{Email, Call, Letter, Task}

func (r *reader) readAction(s setting) Action {
	known := make([]string, len(actions))
	for i, a := range actions {
		if s.value == string(a) {
			return a
		}
		known[i] = string(a)
	}
	near := Nearest(s.value, known)
	switch strings.ToLower(s.value) {
	case "mail", "e-mail":
		near = string(Email)
	case "todo", "to-do", "reminder":
		near = string(Task)
	case "phone", "telephone", "ring":
		near = string(Call)
	case "post", "print":
		near = string(Letter)
	}
	r.wrongValue(s, wrong("a step does %s or %s, not %q", strings.Join(known[:len(known)-1], ", "), known[len(known)-1],
		shorten(s.value)).meant(near))
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

var comments = regexp.MustCompile(`(?s)<!--.*?-->`)

// isBlank says whether a text holds nothing but comments.
func isBlank(source string) bool {
	if strings.Contains(source, "<!--") {
		source = comments.ReplaceAllString(source, "")
	}
	return strings.TrimSpace(source) == ""
}

func (r *reader) readBody(sec *section, st *Step) {
	sec.body = r.trim(sec.body)
	source := r.text[sec.body.start:sec.body.end]
	if st.Do == Email && !sec.fenceWrong && isBlank(source) {
		r.wrongAt(sec.heading, fmt.Errorf("no text to send under %q", shorten(sec.title)), "")
		return
	}
	line, column := r.place(sec.body.start)
	body, err := templates.ParseWith(source, templates.Position{Line: line, Column: column}, r.templateOptions())
	if err != nil {
		r.wrongTemplate(err, sec.body.start)
		return
	}
	st.Body = body
	r.checkFields(body.Uses())
	if st.Do == Email {
		r.checkRemarks(body.Remarks())
	}
}

// checkRemarks tells what would not become in the mail what it looks like.
func (r *reader) checkRemarks(remarks []templates.Remark) {
	for _, m := range remarks {
		in := ""
		if m.Partial != "" {
			in = " (in partials/" + m.Partial + ".md)"
		}
		if m.Wrong {
			r.errs = append(r.errs, &ParseError{File: r.file, Line: m.Position.Line, Column: m.Position.Column, Err: errors.New(m.Message + in)})
			continue
		}
		r.adviseAt(m.Position.Line, m.Position.Column, m.Message+in, m.Instead)
	}
}

// wrongTemplate takes the place of a template's mistake from the error.
func (r *reader) wrongTemplate(err error, at int) {
	t, ok := errors.AsType[*templates.Error](err)
	if !ok || t.Line < 1 || t.Column < 1 {
		r.wrongAt(at, err, "")
		return
	}
	near, _, text := parts(t.Err)
	r.errs = append(r.errs, &ParseError{File: r.file, Line: t.Line, Column: t.Column, Err: text,
		Suggestion: cmp.Or(near, Nearest(t.Word, t.Known))})
}
