package sequences

import (
	"slices"
	"time"

	"nudge/templates"
)

// Sequence is one Markdown file: an ordered plan of steps. It is immutable.
type Sequence struct {
	Name     string   // the file's name without .md
	Title    string   // front matter name, else the first heading, else Name
	File     string   // as it was opened, for messages
	From     string   // name of the mailbox it sends from; "" = the only one
	Send     Schedule // when touches may leave
	Timezone string   // IANA name; "" = the mailbox's
	Needs    []string // fields that every prospect must bring
	Holidays Holidays // its days off; nil = none
	Steps    []Step   // at least one; each round of a repeated one is a step

	Signature string // the partial that stands for {{ signature }} in its texts; "" = none
	Language  string // of its mails; "" = told from the words
	PerDay    int    // the most of its mails on one day; 0 = no limit of its own
	OnFinish  *Chain // what begins after the end without an answer; nil = nothing
	OnWon     *Chain
	OnLost    *Chain

	companions []companion // the other files it was made of
}

// Step is one planned touch.
type Step struct {
	ID      string          // its id: setting, else its heading without the number
	Number  int             // from 1, in the order of the file, rounds counted
	Title   string          // its heading as written
	Wait    Delay           // from the real touch before it; step 1 from the enrollment's start
	Do      Action          // what is done when its time has come
	Send    Schedule        // its own, else the sequence's; on business days only where its wait is in them; never nil
	Subject *templates.Line // nil = a reply in the same thread; with variants, the first
	Body    *templates.Template
	Last    bool   // ends with "no answer"
	Line    int    // of its heading in the file
	Hash    string // of its text, to record which words went out

	Subjects  []Variant            // two or more when the subject has variants
	OnlyIf    *templates.Condition // of whom it must be true; nil = of everybody
	Urgent    bool                 // leaves at any hour: Send is always
	Before    string               // the field whose date Wait counts back from; "" = none, see DueBefore
	Repeat    Repeat               // as it was written
	Round     int                  // of a repeated step, from 1; 0 = not repeated
	Plain     bool                 // without an HTML part
	Attach    []Attachment
	Calendar  *Calendar // nil = none
	Due       Delay     // how long the owner has for it; 0 = no limit
	IfNotDone Undone    // what happens then; "" for a mail
	Assignee  string    // who does it; "" = the owner

	window   Schedule // Send as written
	holidays Holidays // no business days
}

// Action is what a step does (its "do:" setting).
type Action string

const (
	Email  Action = "email"  // a mail, sent by the engine
	Call   Action = "call"   // the owner's work, as the two below
	Letter Action = "letter" // on paper
	Task   Action = "task"   // anything else
)

// Unit is what a Delay counts.
type Unit string

const (
	Seconds      Unit = "seconds" // for rehearsals and tests; lint advises against it
	Minutes      Unit = "minutes"
	Hours        Unit = "hours"
	Days         Unit = "days"
	BusinessDays Unit = "business days"
	Weeks        Unit = "weeks"
)

// Delay is a time to wait: 3 business days.
type Delay struct {
	N    int
	Unit Unit
}

// Schedule says at which moments touches may leave. A time's own location is
// the time zone it is read in.
type Schedule interface {
	// First is the first allowed moment at or after t, or the zero time when
	// there is none within five years.
	First(t time.Time) time.Time
	// Allows says whether a touch may leave at t.
	Allows(t time.Time) bool
	// String is the setting as it was written.
	String() string
}

// Step finds a step by its id; nil when there is none.
func (s *Sequence) Step(id string) *Step {
	for i := range s.Steps {
		if s.Steps[i].ID == id {
			return &s.Steps[i]
		}
	}
	return nil
}

// Next is the step that comes next for someone who has these steps, by id and
// in order, behind them; nil when none is left. Steps that were removed from
// the file are skipped over, inserted ones before the last done one are not
// gone back to. No step comes twice, in whatever order the file stands now.
// Where every step done was removed or renamed, the first step comes next.
func (s *Sequence) Next(done []string) *Step {
	from := 0
	for _, id := range slices.Backward(done) {
		if i := slices.IndexFunc(s.Steps, func(st Step) bool { return st.ID == id }); i >= 0 {
			from = i + 1
			break
		}
	}
	for i := from; i < len(s.Steps); i++ {
		if !slices.Contains(done, s.Steps[i].ID) {
			return &s.Steps[i]
		}
	}
	return nil
}

// DueAt is the first moment a step may leave, when the touch before it left (or
// its enrollment started) at prev: its wait, then the first moment its
// schedule allows, both in loc. It is the zero time when the schedule allows
// none within five years.
func (st *Step) DueAt(prev time.Time, loc *time.Location) time.Time {
	return st.Send.First(st.Wait.AfterHolidays(prev.In(loc), st.holidays))
}
