package sequences

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Severity is how bad a finding is.
type Severity string

const (
	SeverityError  Severity = "error"  // the file cannot be used
	SeverityAdvice Severity = "advice" // the file works; a consultant would change it
)

// Finding is one line of lint.
type Finding struct {
	File       string   `json:"file"`
	Line       int      `json:"line"`   // from 1
	Column     int      `json:"column"` // from 1, in characters
	Severity   Severity `json:"severity"`
	Message    string   `json:"message"`
	Suggestion string   `json:"suggestion"` // of an error the word that was probably meant; of advice what to do
}

// String is the finding as a person reads it: file:line:col: message, with the
// suggestion behind it.
func (f Finding) String() string {
	tail := ""
	switch {
	case f.Severity == SeverityError:
		tail = didYouMean(f.Suggestion)
	case f.Suggestion != "":
		tail = "; " + f.Suggestion
	}
	return fmt.Sprintf("%s:%d:%d: %s%s", f.File, f.Line, f.Column, f.Message, tail)
}

// Lint reads one file and says everything that is wrong or could be better,
// errors and advice, in order of place.
func Lint(file string, source []byte) []Finding {
	r := read(file, source)
	if len(r.seq.Steps) > 0 {
		r.adviseSteps()
	}
	findings := make([]Finding, 0, len(r.errs)+len(r.advice))
	for _, e := range r.errs {
		findings = append(findings, Finding{File: e.File, Line: e.Line, Column: e.Column,
			Severity: SeverityError, Message: e.Err.Error(), Suggestion: e.Suggestion})
	}
	findings = append(findings, r.advice...)
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return findings
}

func (r *reader) adviseAt(line, column int, message, suggestion string) {
	r.advice = append(r.advice, Finding{File: r.file, Line: line, Column: column,
		Severity: SeverityAdvice, Message: message, Suggestion: suggestion})
}

func (r *reader) advise(offset int, message, suggestion string) {
	line, column := r.place(offset)
	r.adviseAt(line, column, message, suggestion)
}

// adviseFront warns of quotes, which YAML would take away and we do not.
func (r *reader) adviseFront(set settings) {
	for _, s := range set {
		r.adviseQuotes(s)
	}
}

func (r *reader) adviseQuotes(s setting) {
	if len(s.value) < 2 || !strings.ContainsRune(`"'`, rune(s.value[0])) || s.value[0] != s.value[len(s.value)-1] {
		return
	}
	r.advise(s.valueAt, "the quotes around this value are part of it", "leave them out: a value goes to the end of its line")
}

func (r *reader) adviseSend(s setting, schedule Schedule) {
	if f, ok := schedule.(*firings); ok && f.firesOnEither() {
		r.advise(s.valueAt, "cron fires on these days of the month and also on these weekdays, not only where both agree",
			"put * for one of the two")
	}
}

// adviseSteps looks at the steps one by one and together.
func (r *reader) adviseSteps() {
	mails := 0
	lastMail := -1
	for i, st := range r.seq.Steps {
		for _, s := range r.sets[i] {
			r.adviseQuotes(s)
		}
		if st.Wait.Unit == Seconds && st.Wait.N > 0 {
			r.advise(r.sets[i]["wait"].valueAt, "a wait of seconds is for rehearsals", "use minutes, hours, days, business days or weeks")
		}
		if st.Do == Email {
			mails++
			lastMail = i
			r.adviseSubject(i)
		}
	}
	for i, st := range r.seq.Steps {
		if st.Do == Email {
			r.adviseMail(i, i == lastMail)
		}
	}
	if n := len(r.seq.Steps); n < 4 {
		r.advise(r.sections[n-1].heading, fmt.Sprintf("%s in all; most answers come after the third", touches(n)), "plan at least four")
	}
	r.adviseSameDay()
	r.adviseNeeds()
}

func touches(n int) string {
	if n == 1 {
		return "one touch"
	}
	return fmt.Sprintf("%d touches", n)
}

// longestSubject is what mail programs on telephones show, roughly.
const longestSubject = 60

func (r *reader) adviseSubject(i int) {
	s, ok := r.sets[i]["subject"]
	if !ok {
		return
	}
	// Letters of eight stand for each field: as long as a first name with some room.
	if n := len([]rune(tag.ReplaceAllString(s.value, "namename"))); n > longestSubject {
		r.advise(s.valueAt, fmt.Sprintf("a subject of about %d characters is cut off in most inboxes", n),
			fmt.Sprintf("stay below %d", longestSubject))
	}
	literal := blank(tag, s.value)
	if m := capitals.FindStringSubmatchIndex(literal); m != nil {
		r.advise(s.valueAt+m[2], fmt.Sprintf("%s in capitals reads as shouting", literal[m[2]:m[3]]), "write it in small letters")
	}
	r.adviseWorn(span{s.valueAt, s.valueAt + len(s.value)})
}

// adviseMail looks at the words of one mail.
func (r *reader) adviseMail(i int, last bool) {
	body := r.sections[i].body
	text := r.text[body.start:body.end]
	if strings.TrimSpace(text) == "" {
		return
	}
	r.adviseWorn(body)
	switch {
	case !last && !strings.ContainsAny(blank(tag, text), "?？؟"):
		r.advise(body.start, "no question in this mail", "ask one thing that is easy to answer")
	case last && english.MatchString(text) && !wayOut.MatchString(text):
		r.advise(r.sections[i].heading, "no way out in the last mail", "say that this is the last one, and that a no is fine")
	}
}

func (r *reader) adviseWorn(s span) {
	for _, m := range worn.FindAllStringIndex(r.text[s.start:s.end], -1) {
		words := strings.Join(strings.Fields(r.text[s.start+m[0]:s.start+m[1]]), " ")
		r.advise(s.start+m[0], fmt.Sprintf("%q is worn out", strings.ToLower(words)), "say what is new, or ask one question")
	}
}

// adviseSameDay walks through the sequence from the opening of an ordinary
// Monday and finds two mails on one date.
func (r *reader) adviseSameDay() {
	at := time.Date(2025, 6, 2, 0, 0, 0, 0, time.UTC)
	var sent time.Time // the mail before, midnight of its date
	for i, st := range r.seq.Steps {
		if i == 0 {
			st.Wait = Delay{}
		}
		due := st.DueAt(at, time.UTC)
		if due.IsZero() {
			return
		}
		at = due
		if st.Do != Email {
			continue
		}
		date := due.Truncate(24 * time.Hour)
		if s, ok := r.sets[i]["wait"]; ok && i > 0 && date.Equal(sent) {
			r.advise(s.valueAt, "two mails to one person on one day", "wait at least 1 business day")
		}
		sent = date
	}
}

// adviseNeeds finds listed fields that no step uses: they refuse prospects for
// nothing.
func (r *reader) adviseNeeds() {
	if len(r.errs) > 0 {
		return // a misspelt use would be reported twice
	}
	for _, name := range r.seq.Needs {
		if !r.used[name] {
			at := r.front.start + max(0, strings.Index(r.text[r.front.start:r.front.end], name))
			r.advise(at, fmt.Sprintf("%s is needed but no step uses it", name), "take it out of needs:")
		}
	}
}
