package sequences

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"nudge/templates"
)

// Undone says what becomes of a prospect when a call, letter or task is not
// done in time.
type Undone string

const (
	UndoneContinue Undone = "continue" // it expires, and the next step comes
	UndoneWait     Undone = "wait"     // the next step waits until it is done
	UndoneStop     Undone = "stop"     // the enrollment ends
)

var undones = []Undone{UndoneContinue, UndoneWait, UndoneStop}

// Chain is the sequence that begins when this one has ended.
type Chain struct {
	Sequence string // its name
	After    Delay  // from the end
}

// readTiming reads the settings that say when and whether a step is done.
func (r *reader) readTiming(set settings, st *Step) {
	if s, ok := r.filled(set, "before"); ok {
		st.Before = r.readAnchor(s)
		r.untimed = r.untimed || st.Before == ""
	}
	if s, ok := r.filled(set, "urgent"); ok {
		st.Urgent = r.readYesNo(s)
		_, windowed := set["send"]
		switch {
		case !st.Urgent:
		case windowed:
			r.wrongAt(s.keyAt, errors.New("urgent: and send: in one step; an urgent one leaves at any hour"), "")
		case st.Wait.Unit == Days || st.Wait.Unit == BusinessDays || st.Wait.Unit == Weeks:
			r.wrongAt(s.keyAt, fmt.Errorf("urgent: after a wait of %s; it is for waits of 0, minutes and hours", st.Wait), "")
		}
	}
	if s, ok := r.filled(set, "only-if"); ok {
		st.OnlyIf = r.readCondition(s, st)
	}
	if s, ok := r.filled(set, "repeat"); ok {
		st.Repeat = r.readRepeat(s)
		if _, anchored := set["before"]; anchored {
			r.wrongAt(s.keyAt, errors.New("repeat: and before: in one step; what leads up to a date comes once"), "")
		}
		if len(roundID(st.ID, st.Repeat.N+1)) > maxID && len(st.ID) <= maxID {
			r.wrongAt(s.keyAt, fmt.Errorf("the name of a repeated step is at most %d bytes long; give it a short id", maxID-len("/51")), "")
		}
	}
}

// readCondition reads what stands in {% if … %}, without its braces.
func (r *reader) readCondition(s setting, st *Step) *templates.Condition {
	if m := wholeTag.FindStringSubmatch(s.value); m != nil {
		r.wrongValue(s, wrong("write the condition alone, without braces").meant(m[1]))
		return nil
	}
	line, column := r.place(s.valueAt)
	condition, err := templates.ParseCondition(s.value, templates.Position{Line: line, Column: column})
	if err != nil {
		r.wrongTemplate(err, s.valueAt)
		return nil
	}
	r.checkFields(condition.Uses())
	return condition
}

var wholeTag = regexp.MustCompile(`^\{[{%]-?\s*(?:if\s+)?(.*?)\s*-?[}%]\}.*$`)

// readAnchor reads the field that a step leads up to.
func (r *reader) readAnchor(s setting) string {
	if !fieldName.MatchString(s.value) {
		r.wrongValue(s, wrong("%q is not a field's name; use letters, digits, _ and -", shorten(s.value)).meant(tidyName(s.value)))
		return ""
	}
	if slices.Contains(r.seq.Needs, s.value) {
		r.used[s.value] = true
		return s.value
	}
	m := wrong("%s is not listed in needs:, so that no prospect has to bring the date", s.value)
	r.wrongValue(s, m.meant(Nearest(s.value, r.seq.Needs)))
	return ""
}

// mostRounds is how often a step may be repeated.
const mostRounds = 50

// readRepeat reads "4 every 3 business days".
func (r *reader) readRepeat(s setting) Repeat {
	count, rest, found := strings.Cut(s.value, "every ")
	number, more := cutNumber(count)
	more = strings.TrimSpace(more)
	if !found || number == "" || more != "" && more != "times" && more != "more" && more != "times," {
		near := ""
		if d, err := ParseDelay(strings.TrimPrefix(s.value, "every ")); err == nil && d.N > 0 {
			near = "4 every " + d.String()
		} else if n, unit := cutNumber(s.value); n != "" && unit == "" {
			near = n + " every 3 business days"
		}
		r.wrongValue(s, wrong("write how often and how far apart, like 4 every 3 business days").meant(near))
		return Repeat{}
	}
	n := r.readNumber(setting{key: s.key, value: number, valueAt: s.valueAt}, "a number of rounds", 1, mostRounds)
	every, ok := r.readDelay(s, len(s.value)-len(rest))
	if ok && every.N == 0 {
		r.wrongValue(s, wrong("nothing between two rounds; write for example 4 every 3 business days").after(len(s.value)-len(rest)))
		ok = false
	}
	if n == 0 || !ok {
		return Repeat{}
	}
	return Repeat{N: n, Every: every}
}

// readWork reads the settings of the owner's work.
func (r *reader) readWork(set settings, st *Step) {
	for _, key := range []string{"due", "if-not-done", "assignee"} {
		if s, given := set[key]; given && st.Do == Email {
			r.wrongAt(s.keyAt, fmt.Errorf("%s: belongs to a call, letter or task; this step is a mail", key), "")
			return
		}
	}
	if s, ok := r.filled(set, "due"); ok {
		d, good := r.readDelay(s, 0)
		if good && d.N == 0 {
			r.wrongValue(s, wrong("no time to do it in; write for example 1 business day"))
		}
		st.Due = d
	}
	if st.Do != Email {
		st.IfNotDone = UndoneContinue
	}
	if s, ok := r.filled(set, "if-not-done"); ok {
		st.IfNotDone = r.readUndone(s)
		if _, limited := set["due"]; !limited && st.IfNotDone == UndoneStop {
			r.wrongAt(s.keyAt, errors.New("if-not-done: stop without due:, so that it is never too late"), "")
		}
	}
	if s, ok := r.filled(set, "assignee"); ok {
		if len([]rune(s.value)) > 100 {
			r.wrongValue(s, wrong("a name or an address of at most 100 characters belongs here"))
		}
		st.Assignee = s.value
	}
}

func (r *reader) readUndone(s setting) Undone {
	if u := Undone(s.value); slices.Contains(undones, u) {
		return u
	}
	near := Nearest(s.value, []string{string(UndoneContinue), string(UndoneWait), string(UndoneStop)})
	switch strings.ToLower(s.value) {
	case "skip", "expire", "go on", "next", "proceed":
		near = string(UndoneContinue)
	case "hold", "pause", "keep":
		near = string(UndoneWait)
	case "end", "finish", "cancel", "abort":
		near = string(UndoneStop)
	}
	r.wrongValue(s, wrong("write continue, wait or stop, not %q", shorten(s.value)).meant(near))
	return UndoneContinue
}

// readChains reads on-finish, on-won and on-lost.
func (r *reader) readChains(set settings) {
	for key, chain := range map[string]**Chain{"on-finish": &r.seq.OnFinish, "on-won": &r.seq.OnWon, "on-lost": &r.seq.OnLost} {
		if s, ok := r.filled(set, key); ok {
			if *chain = r.readChain(s); *chain != nil {
				r.adviseChain(s, *chain)
			}
			if key == "on-finish" {
				r.checkRound(s, *chain)
			}
		}
	}
}

// readChain reads "enroll NAME" or "enroll NAME after DELAY".
func (r *reader) readChain(s setting) *Chain {
	words := strings.Fields(s.value)
	if words[0] != "enroll" || len(words) == 1 {
		near := ""
		if len(words) == 1 && words[0] != "enroll" && fileName.MatchString(words[0]+".md") {
			near = "enroll " + words[0]
		} else if len(words) > 1 && Nearest(words[0], []string{"enroll"}) != "" {
			near = "enroll " + strings.Join(words[1:], " ")
		}
		r.wrongValue(s, wrong("write enroll and the name of a sequence, like enroll nurture after 30 days").meant(near))
		return nil
	}
	name := strings.TrimSuffix(words[1], ".md")
	at := strings.Index(s.value, words[1])
	c := &Chain{Sequence: name}
	switch {
	case !fileName.MatchString(name + ".md"):
		r.wrongValue(s, wrong("%q is not the name of a sequence; it is its file's name without .md", shorten(words[1])).
			meant(strings.TrimSuffix(tidyFile(words[1]), ".md")).after(at))
		return nil
	case name == r.seq.Name:
		r.wrongValue(s, wrong("a sequence cannot enroll into itself; it would never end").after(at))
		return nil
	case !r.beside.has(name + ".md"):
		r.wrongValue(s, wrong("there is no sequence %q in the folder of this file", name).meant(Nearest(name, r.beside.sequenceNames())).after(at))
		return nil
	case len(words) == 2:
		return c
	case words[2] != "after":
		r.wrongValue(s, wrong("unexpected %q after the name; write for example enroll %s after 30 days", words[2], name).
			after(at+len(words[1])+strings.Index(s.value[at+len(words[1]):], words[2])))
		return nil
	}
	from := at + len(words[1])
	from += strings.Index(s.value[from:], "after") + len("after")
	c.After, _ = r.readDelay(s, from)
	return c
}

// DueBefore is when a step with before: may leave: its wait back from anchor,
// then the first moment its schedule allows, both in loc, and never before
// prev. Where that comes too late, the opening of the last day that has one
// before anchor counts. ok is false when no moment is left before anchor: the
// step is then skipped.
func (st *Step) DueBefore(anchor, prev time.Time, loc *time.Location) (due time.Time, ok bool) {
	anchor, prev = anchor.In(loc), prev.In(loc)
	fits := func(t time.Time) bool { return !t.IsZero() && t.Before(anchor) && !t.Before(prev) }
	target := st.Wait.Before(anchor, st.holidays)
	if target.Before(prev) {
		target = prev
	}
	if due = st.Send.First(target); fits(due) {
		return due, true
	}
	wall := wallClock(target)
	for back := range 31 {
		midnight := time.Date(wall.Year(), wall.Month(), wall.Day()-back, 0, 0, 0, 0, time.UTC)
		from, _ := moment(midnight, loc)
		if from.Before(prev) {
			from = prev
		}
		if due = st.Send.First(from); fits(due) {
			return due, true
		}
	}
	return time.Time{}, false
}
