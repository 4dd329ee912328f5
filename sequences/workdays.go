package sequences

import "time"

// workdays is a schedule that stays shut on weekends and holidays, whatever its
// windows say: that of a step whose wait is in business days.
type workdays struct {
	Schedule
	off Holidays
}

// Allows is true inside of the schedule on a business day.
func (w workdays) Allows(t time.Time) bool {
	return IsBusinessDay(t, w.off) && w.Schedule.Allows(t)
}

// First looks at one day after the other.
func (w workdays) First(t time.Time) time.Time {
	limit := t.AddDate(5, 0, 0)
	for at := t; !at.After(limit); {
		at = w.Schedule.First(at)
		if at.IsZero() || at.After(limit) {
			return time.Time{}
		}
		if IsBusinessDay(at, w.off) {
			return at
		}
		at = nextDay(at)
	}
	return time.Time{}
}

// nextDay is the first moment of the date after t's, in t's location.
func nextDay(t time.Time) time.Time {
	wall := wallClock(t)
	midnight := time.Date(wall.Year(), wall.Month(), wall.Day()+1, 0, 0, 0, 0, time.UTC)
	at, gapEnd := moment(midnight, t.Location())
	if !gapEnd.IsZero() {
		at = gapEnd
	}
	if at.After(t) {
		return at
	}
	// The clocks went back over midnight, and t is in the hour's second run.
	return t.Round(0).Add(midnight.Sub(wall))
}

// onWorkdays is the schedule of a step: where business days are asked for, it
// stays shut on all other days.
func onWorkdays(s Schedule, wait Delay, off Holidays) Schedule {
	if wait.Unit != BusinessDays {
		return s
	}
	return workdays{s, off}
}

// Deadline is until when a call, letter or task that was opened at a moment is
// to be done; the zero time when it has no limit.
func (st *Step) Deadline(opened time.Time, loc *time.Location) time.Time {
	if st.Due.N == 0 {
		return time.Time{}
	}
	return st.Due.AfterHolidays(opened.In(loc), st.holidays)
}
