package sequences

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"nudge/templates"
)

// Variant is one of several subjects that a mail may have.
type Variant struct {
	Name    string // "A", "B" …
	Subject *templates.Line
}

// Variant is the subject that a prospect gets, or nil when the step has no
// variants: the one whose name was kept for this prospect, else one chosen by
// key, such as an enrollment's id. The choice is the same every time, and even
// over many keys; it changes with the number of variants, so its name should be
// kept from the first mail on.
func (st *Step) Variant(kept, key string) *Variant {
	if len(st.Subjects) == 0 {
		return nil
	}
	for i := range st.Subjects {
		if st.Subjects[i].Name == kept {
			return &st.Subjects[i]
		}
	}
	sum := sha256.Sum256([]byte("variant\x00" + key))
	return &st.Subjects[binary.BigEndian.Uint64(sum[:8])%uint64(len(st.Subjects))]
}

// readMails reads the settings of the front matter that concern all mails.
func (r *reader) readMails(set settings) {
	if s, ok := r.filled(set, "plain"); ok {
		r.plain = r.readYesNo(s)
	}
	if s, ok := r.filled(set, "per-day"); ok {
		r.seq.PerDay = r.readNumber(s, "a number of mails", 1, 10_000)
	}
	if s, ok := r.filled(set, "language"); ok {
		r.seq.Language = r.readLanguage(s)
	}
	if s, ok := r.filled(set, "signature"); ok {
		if _, err := r.partial(s.value); err != nil {
			r.wrongValue(s, err)
		} else {
			r.seq.Signature = s.value
		}
	}
}

var languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`)

func (r *reader) readLanguage(s setting) string {
	if languageForm.MatchString(s.value) {
		return s.value
	}
	near := strings.ReplaceAll(strings.ToLower(s.value), "_", "-")
	if code, region, cut := strings.Cut(near, "-"); cut {
		near = code + "-" + strings.ToUpper(region)
	}
	if !languageForm.MatchString(near) || near == s.value {
		near = map[string]string{"english": "en", "swedish": "sv", "german": "de", "deutsch": "de", "svenska": "sv", "french": "fr",
			"spanish": "es", "danish": "da", "norwegian": "no", "dutch": "nl", "italian": "it", "finnish": "fi"}[near]
	}
	r.wrongValue(s, wrong("%q is not a language's code; write it like en or pt-BR", shorten(s.value)).meant(near))
	return ""
}

// readNumber reads a whole number within bounds.
func (r *reader) readNumber(s setting, what string, least, most int) int {
	number, rest := cutNumber(s.value)
	n := 0
	for _, c := range number {
		n = min(n*10+int(c-'0'), most+1)
	}
	if number == "" || rest != "" || n < least || n > most {
		r.wrongValue(s, wrong("%s from %d to %d belongs here, not %q", what, least, most, shorten(s.value)))
		return 0
	}
	return n
}

// readSubjects reads subject, or subject A, subject B and so on.
func (r *reader) readSubjects(set settings, st *Step) {
	one, given := set["subject"]
	names := r.variants(set)
	switch {
	case st.Do != Email && (given || len(names) > 0):
		if !given {
			one = set[names[0]]
		}
		r.wrongAt(one.keyAt, fmt.Errorf("a %s has no subject; its heading and text are shown", st.Do), "")
		return
	case given && len(names) > 0:
		r.wrongAt(set[names[0]].keyAt, errors.New("subject: and subject A: in one step; a step has one subject or variants"), "")
		return
	}
	if s, ok := r.filled(set, "subject"); ok {
		st.Subject = r.readLine(s)
	}
	r.varied = r.varied || len(names) > 1
	for i, name := range names {
		s, ok := r.filled(set, name)
		if !ok {
			continue
		}
		if want := "subject " + string(rune('A'+i)); name != want {
			r.wrongAt(s.keyAt, fmt.Errorf("%s without %s; name the variants A, B, C and so on", name, want), "")
			return
		}
		if len(names) == 1 {
			r.wrongAt(s.keyAt, errors.New("only one variant; write subject: or add subject B: beside it"), "subject")
			return
		}
		st.Subjects = append(st.Subjects, Variant{Name: name[len(name)-1:], Subject: r.readLine(s)})
	}
	if len(st.Subjects) > 0 {
		st.Subject = st.Subjects[0].Subject
	}
}

// variants are the keys of a step's variants, in order.
func (r *reader) variants(set settings) []string {
	var names []string
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if variantKey.MatchString(key) {
			names = append(names, key)
		}
	}
	return names
}

// readLine reads a subject; nil after a mistake.
func (r *reader) readLine(s setting) *templates.Line {
	line, column := r.place(s.valueAt)
	subject, err := templates.ParseLineWith(s.value, templates.Position{Line: line, Column: column}, templates.Options{Language: r.seq.Language, OffDay: r.offDay()})
	if err != nil {
		r.wrongTemplate(err, s.valueAt)
		return nil
	}
	r.checkFields(subject.Uses())
	return subject
}

// templateOptions are what the texts of this sequence may use.
func (r *reader) templateOptions() templates.Options {
	return templates.Options{Partial: r.partial, Signature: r.seq.Signature, Language: r.seq.Language, OffDay: r.offDay()}
}

// offDay says for the date filters which days are no business days; nil is
// weekends alone.
func (r *reader) offDay() func(time.Time) bool {
	off := r.seq.Holidays
	if off == nil {
		return nil
	}
	return func(t time.Time) bool { return !IsBusinessDay(t, off) }
}

var partialName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

// maxPartial is the largest partial read.
const maxPartial = 64 << 10

// partial is the text of partials/NAME.md.
func (r *reader) partial(name string) (string, error) {
	if !partialName.MatchString(name) {
		return "", wrong("%q is not the name of a partial; it is made of a-z, 0-9, - and _, without .md", shorten(name)).
			meant(strings.TrimSuffix(tidyFile(name), ".md"))
	}
	if text, known := r.partials[name]; known {
		return text, nil
	}
	source, err := r.beside.read("partials/"+name+".md", maxPartial)
	if err != nil {
		near, _, text := parts(err)
		return "", wrong("%v", text).meant(strings.TrimSuffix(strings.TrimPrefix(near, "partials/"), ".md"))
	}
	page, mistake := newPage("partials/"+name+".md", source)
	if mistake != nil {
		return "", wrong("partials/%s.md:%d:%d: %v", name, mistake.Line, mistake.Column, mistake.Err)
	}
	r.partials[name] = page.text
	return page.text, nil
}

// hash names a step's words: its settings, in the order of their keys, and its
// text. Where the file was wrapped or saved with other line ends by a formatter
// only the text counts. Partials and attachments are words, too.
func (r *reader) hash(set settings, sec *section, st *Step) string {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(set)) {
		_, _ = io.WriteString(h, key+": "+set[key].value+"\n")
	}
	_, _ = io.WriteString(h, "\n"+r.text[sec.body.start:sec.body.end]+"\n")
	if st.Body != nil {
		for _, name := range st.Body.Partials() {
			fmt.Fprintf(h, "%s\n%s\n", name, r.partials[name])
		}
	}
	for _, a := range st.Attach {
		fmt.Fprintf(h, "%s %x\n", a.Name, sha256.Sum256(a.Content))
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}
