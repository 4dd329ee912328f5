package engine

import (
	"fmt"
	"time"

	"nudge/sequences"
	"nudge/templates"
)

// This file is the way through a sequence: when a step is due, for whom it is
// left out, and what follows it. Enrolling, sending, planning and a person's
// word all ask here.

// objection is why a step is not done for somebody; its zero value is none.
type objection struct {
	skip string // it is not for this prospect, and left out: why, in words
	hold Reason // a person must look; why has the particulars
	why  string
}

// none says that nothing speaks against the step.
func (u objection) none() bool { return u.skip == "" && u.hold == "" }

// behind is the moment that the wait of the next step counts from: when the
// last step was done or left out, else the start.
func (en Enrollment) behind() time.Time {
	if n := len(en.Done); n > 0 {
		return en.Done[n-1].At
	}
	return en.StartAt
}

// dueOf is when a step may be done for somebody, when what came before it was
// done at prev. A step that leads up to a date is unfit without one; it is then
// due at prev, so that the guard looks at once.
func dueOf(m Mailbox, seq *sequences.Sequence, st *sequences.Step, en Enrollment, prev time.Time) (time.Time, objection) {
	loc := zone(m, seq, en)
	if st.Before == "" {
		return st.DueAt(prev, loc), objection{}
	}
	date, u := anchorDate(st, en, loc)
	if !u.none() {
		return prev, u
	}
	due, ok := st.DueBefore(date, prev, loc)
	if !ok {
		return prev, tooLate(st, date)
	}
	return due, objection{}
}

// anchorDate reads the date that a step leads up to.
func anchorDate(st *sequences.Step, en Enrollment, loc *time.Location) (time.Time, objection) {
	value := en.Fields[st.Before]
	if value == "" {
		return time.Time{}, objection{hold: MissingField, why: st.Before}
	}
	date, err := templates.ParseDate(value, loc)
	if err != nil {
		return time.Time{}, objection{hold: BadDate, why: fmt.Sprintf("field %s: %v", st.Before, err)}
	}
	return date, objection{}
}

func tooLate(st *sequences.Step, date time.Time) objection {
	return objection{skip: fmt.Sprintf("too late: %s is %s", st.Before, date.Format("2 January 2006 15:04"))}
}

// fits says whether a step is for somebody at the moment it would be done.
func fits(m Mailbox, seq *sequences.Sequence, st *sequences.Step, en Enrollment, now time.Time) objection {
	if st.Before != "" {
		loc := zone(m, seq, en)
		date, u := anchorDate(st, en, loc)
		if !u.none() {
			return u
		}
		if _, ok := st.DueBefore(date, en.behind(), loc); !ok || !now.Before(date) {
			return tooLate(st, date)
		}
	}
	if st.OnlyIf == nil {
		return objection{}
	}
	holds, err := st.OnlyIf.Holds(factsFor(m, seq, en, now))
	switch {
	case err != nil:
		return objection{hold: Unwritable, why: fmt.Sprintf("only-if: %v", err)}
	case !holds:
		return objection{skip: "not " + st.OnlyIf.String()}
	}
	return objection{}
}

// following is the step that comes after one that is done at a moment, and its
// own moment; "" when none is left. Whether that step is for this prospect is
// asked when its time has come.
func following(m Mailbox, seq *sequences.Sequence, en Enrollment, step string, at time.Time) (string, time.Time) {
	next := seq.Next(append(en.DoneSteps(), step))
	if next == nil {
		return "", time.Time{}
	}
	due, _ := dueOf(m, seq, next, en, at)
	return next.ID, due
}

// nextTouch is when the step comes that follows one which is done now, those
// left out that are not for this prospect as things stand. It is the zero time
// when none is left.
func nextTouch(m Mailbox, seq *sequences.Sequence, st *sequences.Step, en Enrollment, now time.Time) time.Time {
	en.Done = append(en.Done[:len(en.Done):len(en.Done)], Done{Step: st.ID, At: now})
	for {
		next := seq.Next(en.DoneSteps())
		if next == nil {
			return time.Time{}
		}
		due, u := dueOf(m, seq, next, en, en.behind())
		if u.none() && next.OnlyIf != nil {
			holds, err := next.OnlyIf.Holds(factsFor(m, seq, en, due))
			if err == nil && !holds {
				u.skip = next.OnlyIf.String()
			}
		}
		if u.skip == "" {
			return due
		}
		en.Done = append(en.Done, Done{Step: next.ID, At: due})
	}
}

// rescheduled moves the next step of somebody whose fields have changed, where
// it leads up to a date.
func rescheduled(m Mailbox, seq *sequences.Sequence, en Enrollment, now time.Time) Enrollment {
	if seq == nil || en.Ended() {
		return en
	}
	st := seq.Step(en.Next)
	if st == nil || st.Before == "" {
		return en
	}
	due, u := dueOf(m, seq, st, en, en.behind())
	if !u.none() {
		due = now // the guard says what becomes of it
	}
	en.Due = due
	if en.State == Active {
		en.Look, en.Why = due, ""
	}
	return en
}

// CheckDates says which date that a sequence leads up to cannot be read.
func CheckDates(m Mailbox, seq *sequences.Sequence, en Enrollment) error {
	for i := range seq.Steps {
		st := &seq.Steps[i]
		if st.Before == "" {
			continue
		}
		if _, u := anchorDate(st, en, zone(m, seq, en)); u.hold == BadDate {
			return invalid(u.why, fmt.Sprintf("write it as --set %s=2026-03-14, or with a time: 2026-03-14 15:30", st.Before))
		}
	}
	return nil
}
