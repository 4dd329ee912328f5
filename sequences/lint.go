package sequences

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
// errors and advice, in order of place. What the file refers to is read as
// Parse does.
func Lint(file string, source []byte) []Finding {
	return read(file, source, options{dir: folderOf(file)}).findings()
}

// LintName says whether a folder of sequences would leave a file out for its
// name, whatever is in it.
func LintName(file string) (finding Finding, wrong bool) {
	m := misnamed(filepath.Base(file))
	if m == nil {
		return Finding{}, false
	}
	return Finding{File: file, Line: 1, Column: 1, Severity: SeverityError, Message: m.text, Suggestion: m.suggestion}, true
}

// LintSender says whether a file sends from none of these mailboxes, or does not
// say from which of several.
func LintSender(file string, source []byte, mailboxes []string) (finding Finding, wrong bool) {
	p, mistake := newPage(file, source)
	if mistake != nil {
		return Finding{}, false
	}
	r := &reader{page: *p, seq: &Sequence{}}
	if r.findFront() < 0 {
		return Finding{}, false
	}
	from, given := r.readSettings(r.front, frontKeys, true)["from"]
	finding = Finding{File: file, Line: 1, Column: 1, Severity: SeverityError}
	switch {
	case !given && len(mailboxes) > 1:
		finding.Message = "from: is missing, and the config has several mailboxes: " + strings.Join(mailboxes, ", ")
	case given && from.value != "" && !slices.Contains(mailboxes, from.value):
		finding.Message = fmt.Sprintf("from: the config has no mailbox %q", shorten(from.value))
		finding.Suggestion = Nearest(from.value, mailboxes)
		finding.Line, finding.Column = r.place(from.valueAt)
	default:
		return Finding{}, false
	}
	return finding, true
}

// LintIn is Lint for a file of any folder; nil is no folder, and what the file
// refers to is then not looked up.
func LintIn(folder fs.FS, file string, source []byte) []Finding {
	return read(file, source, options{folder: folder}).findings()
}

// Source is a file to lint.
type Source struct {
	File string
	Text []byte
}

// LintAll is Lint for many files, on all processors. The findings stand in the
// order of the files.
func LintAll(files []Source) [][]Finding {
	found := make([][]Finding, len(files))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(files)); i = next.Add(1) - 1 {
				found[i] = Lint(files[i].File, files[i].Text)
			}
		})
	}
	wg.Wait()
	return found
}

// findings are all mistakes and all advice.
func (r *reader) findings() []Finding {
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
	lastMail, touchCount := -1, 0
	for i, st := range r.seq.Steps {
		touchCount += st.Repeat.N + 1
		for _, s := range r.sets[i] {
			r.adviseQuotes(s)
		}
		if st.Wait.Unit == Seconds && st.Wait.N > 0 {
			r.advise(r.sets[i]["wait"].valueAt, "a wait of seconds is for rehearsals", "use minutes, hours, days, business days or weeks")
		}
		if st.Do == Email {
			lastMail = i
			r.adviseSubjects(i)
		}
	}
	for i, st := range r.seq.Steps {
		if st.Do == Email {
			r.adviseMail(i, i == lastMail)
		}
	}
	if touchCount < 4 {
		r.advise(r.sections[len(r.seq.Steps)-1].heading, fmt.Sprintf("%s in all; most answers come after the third", touches(touchCount)), "plan at least four")
	}
	if !r.untimed {
		if r.mayCrowd() {
			r.adviseSameDay(r.imagine())
		}
		r.advisePromises()
		r.advisePace()
	}
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

// adviseSubjects looks at the subject of a mail, or at its variants.
func (r *reader) adviseSubjects(i int) {
	for key, s := range r.sets[i] {
		if key == "subject" || variantKey.MatchString(key) {
			r.adviseSubject(s)
		}
	}
	r.adviseTwins(i)
}

// adviseTwins finds variants of a subject that read alike: their numbers would
// be compared for nothing.
func (r *reader) adviseTwins(i int) {
	names := r.variants(r.sets[i])
	for n, name := range names {
		s := r.sets[i][name]
		for _, before := range names[:n] {
			if s.value != "" && strings.Join(strings.Fields(s.value), " ") == strings.Join(strings.Fields(r.sets[i][before].value), " ") {
				r.advise(s.valueAt, fmt.Sprintf("%s is the same as %s", name, before), "change one thing in it, or leave it out")
				break
			}
		}
	}
}

func (r *reader) adviseSubject(s setting) {
	literal := withoutTags(s.value)
	// Letters of eight stand for each field: as long as a first name with some room.
	if n := len([]rune(tag.ReplaceAllString(s.value, "namename"))); n > longestSubject {
		r.advise(s.valueAt, fmt.Sprintf("a subject of about %d characters is cut off in most inboxes", n),
			fmt.Sprintf("stay below %d", longestSubject))
	}
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
	said := text + r.said(i)
	if m := shouting(withoutTags(text)); m != nil {
		r.advise(body.start+m[0], fmt.Sprintf("%q in capitals reads as shouting", text[m[0]:m[1]]), "write it in small letters")
	}
	switch {
	case !last && !strings.ContainsAny(withoutTags(said), "?？؟"):
		r.advise(body.start, "no question in this mail", "ask one thing that is easy to answer")
	case last && !letsGo(said) && english.MatchString(said):
		r.advise(r.sections[i].heading, "no way out in the last mail", "say that this is the last one, and that a no is fine")
	}
}

// said are the words that partials add to a mail.
func (r *reader) said(i int) string {
	body := r.seq.Steps[i].Body
	if body == nil {
		return ""
	}
	words := ""
	for _, name := range body.Partials() {
		words += "\n" + r.partials[name]
	}
	return words
}

func (r *reader) adviseWorn(s span) {
	if !wornHint(r.text[s.start:s.end]) {
		return
	}
	for _, m := range worn.FindAllStringIndex(r.text[s.start:s.end], -1) {
		words := strings.Join(strings.Fields(r.text[s.start+m[0]:s.start+m[1]]), " ")
		r.advise(s.start+m[0], fmt.Sprintf("%q is worn out", strings.ToLower(words)), "say what is new, or ask one question")
	}
}

// mayCrowd says whether a touch can come on the day of the one before: waits in
// days move the date, and need no look at a calendar.
func (r *reader) mayCrowd() bool {
	short := func(d Delay) bool {
		_, elapsed := elapsedUnits[d.Unit]
		return elapsed || d.N == 0
	}
	for i, st := range r.seq.Steps {
		if i > 0 && short(st.Wait) || st.Repeat.N > 0 && short(st.Repeat.Every) {
			return true
		}
	}
	return false
}

// adviseSameDay finds two mails on one date, for anybody.
func (r *reader) adviseSameDay(people []imagined) {
	warned := map[int]bool{}
	for _, one := range people {
		var sent time.Time // midnight of the mail before
		row := 0
		for i, st := range r.seq.Steps {
			for round := range st.Repeat.N + 1 {
				date := dateOf(one[row])
				row++
				if st.Do != Email {
					continue
				}
				if s := r.spacing(i, round); s.key != "" && date.Equal(sent) && !warned[i] {
					warned[i] = true
					r.advise(s.valueAt, "two mails to one person on one day", "wait at least 1 business day")
				}
				sent = date
			}
		}
	}
}

// What nudge writes to one person where nudge.toml does not say otherwise
// (per-person).
const (
	usualMails = 8
	usualDays  = 60
)

// advisePace finds the mail that would have to wait because so many went out
// before it. Mails that are not for everybody are left out.
func (r *reader) advisePace() {
	var rows, steps []int // of each mail
	row := 0
	for i, st := range r.seq.Steps {
		for range st.Repeat.N + 1 {
			if st.Do == Email && st.OnlyIf == nil {
				rows, steps = append(rows, row), append(steps, i)
			}
			row++
		}
	}
	if len(rows) <= usualMails {
		return
	}
	people := r.imagine()
	for n := usualMails; n < len(rows); n++ {
		for _, one := range people {
			if one[rows[n]].Sub(one[rows[n-usualMails]]) < usualDays*24*time.Hour {
				r.advise(r.sections[steps[n]].heading, fmt.Sprintf("mail %d within %d days: it waits where nudge.toml allows one person no more than %d (per-person)",
					usualMails+1, usualDays, usualMails), "plan fewer, or further apart")
				return
			}
		}
	}
}

// spacing is the setting that parts a round of a step from the one before.
func (r *reader) spacing(i, round int) setting {
	switch {
	case round > 0:
		return r.sets[i]["repeat"]
	case i > 0:
		return r.sets[i]["wait"]
	}
	return setting{}
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
