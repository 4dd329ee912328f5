package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"nudge/sequences"
)

// PlanRequest asks what comes in the next days, today included.
type PlanRequest struct {
	Days int `json:"days"`
}

// PlanResult is what comes, in order of time, and each day of it.
type PlanResult struct {
	Coming []Coming  `json:"coming"`
	Days   []PlanDay `json:"days"`
}

// PlanDay is one day, in the first mailbox's time zone.
type PlanDay struct {
	Date    string `json:"date"`    // 2026-12-24
	Why     string `json:"why"`     // why nothing is done; "" when something is
	Holiday string `json:"holiday"` // what it is called, with the sequences that keep it
	Count   int    `json:"count"`   // of what comes on it
	Moved   int    `json:"moved"`   // how many looks a cap has put off to the next day
}

// mostPlanned is how many days can be looked ahead.
const mostPlanned = 366

// Plan implements Operator.
func (d *Desk) Plan(_ context.Context, req PlanRequest) (PlanResult, error) {
	if req.Days < 1 || req.Days > mostPlanned {
		return PlanResult{}, invalid(fmt.Sprintf("%d days cannot be planned", req.Days), fmt.Sprintf("ask for 1 to %d", mostPlanned))
	}
	now, loc := d.Now(), time.UTC
	if len(d.Mailboxes) > 0 {
		loc = d.Mailboxes[0].Location
	}
	today := startOfDay(now.In(loc))
	f := newForecaster(d.chains(), today.AddDate(0, 0, req.Days))
	if err := d.takeUp(f, now); err != nil {
		return PlanResult{}, err
	}
	f.run()
	slices.SortStableFunc(f.rows, func(a, b Coming) int { return a.At.Compare(b.At) })
	result := PlanResult{Coming: f.rows, Days: make([]PlanDay, req.Days)}
	if result.Coming == nil {
		result.Coming = []Coming{}
	}
	busy := map[string]int{}
	for _, c := range f.rows {
		busy[c.At.In(loc).Format(time.DateOnly)]++
	}
	used := d.used(f)
	for n := range result.Days {
		date := today.AddDate(0, 0, n)
		day := PlanDay{Date: date.Format(time.DateOnly), Holiday: holidayWords(used, date)}
		for _, m := range d.Mailboxes {
			day.Moved += f.full[strings.Join([]string{m.Name, day.Date, ""}, "\x00")]
		}
		if day.Count = busy[day.Date]; day.Count == 0 {
			day.Why = emptyDay(used, date, day)
		}
		result.Days[n] = day
	}
	return result, nil
}

// takeUp gives the forecaster everybody who has not ended, and what has been
// done today.
func (d *Desk) takeUp(f *forecaster, now time.Time) error {
	all, err := d.Store.Enrollments(Filter{})
	if err != nil {
		return err
	}
	for _, en := range all { // the store tells only of those that are due
		for _, done := range en.Done {
			if done.Outcome == Sent && !done.Rehearsed && now.Sub(done.At) < 60*24*time.Hour {
				f.contacts[en.Key] = append(f.contacts[en.Key], Contact{At: done.At, Sequence: en.Sequence})
			}
		}
	}
	for _, m := range d.Mailboxes {
		pace, err := d.Store.Pace(m.Name, m.day(now))
		if err != nil {
			return err
		}
		due, err := d.Store.Due(m.Name, ownersMove.AddDate(1, 0, 0), m.day(now), len(all)+1)
		if err != nil {
			return err
		}
		facts := make(map[string]Candidate, len(due))
		for _, c := range due {
			facts[c.Enrollment.ID] = c
		}
		f.counts[imagined{m: m, at: now}.count("")] = pace.Today
		f.counts[imagined{m: m, at: now}.count("late")] = pace.Late
		for _, en := range all {
			if en.Mailbox != m.Name || en.Ended() {
				continue
			}
			c, known := facts[en.ID]
			if !known {
				c = Candidate{Enrollment: en}
			}
			i := imagined{at: now, c: c, m: m}
			f.counts[i.domain()], f.counts[i.sequence()] = max(f.counts[i.domain()], c.DomainToday), max(f.counts[i.sequence()], c.SequenceToday)
			if pace.Paused {
				i.c.Enrollment = en
				f.waits(i, latestOf(now, en.Due), "paused: nudge resume")
				continue
			}
			f.add(c, m, now)
		}
	}
	return nil
}

// used are the sequences that somebody is in; all, where nobody is in any.
func (d *Desk) used(f *forecaster) []*sequences.Sequence {
	names := slices.Sorted(maps.Keys(f.seen))
	if len(names) == 0 {
		names = d.Library.Names()
	}
	var used []*sequences.Sequence
	for _, name := range names {
		if seq, ok := d.Library.Sequence(name); ok {
			used = append(used, seq)
		}
	}
	return used
}

// holidayWords names a holiday and, where not all keep it, the sequences that
// do.
func holidayWords(used []*sequences.Sequence, date time.Time) string {
	var names, keep []string
	for _, seq := range used {
		if seq.Holidays == nil {
			continue
		}
		if name, off := seq.Holidays.Name(date); off {
			keep = append(keep, seq.Name)
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	words := strings.Join(names, ", ")
	if len(keep) > 0 && len(keep) < len(used) {
		words += " (" + strings.Join(keep, ", ") + ")"
	}
	return words
}

// emptyDay says why nothing is done on a day.
func emptyDay(used []*sequences.Sequence, date time.Time, day PlanDay) string {
	weekday := date.Weekday()
	open := slices.ContainsFunc(used, func(seq *sequences.Sequence) bool { return opensOn(seq, date) })
	switch {
	case day.Moved > 0:
		return "the cap of the day is reached"
	case day.Holiday != "" && weekday != time.Saturday && weekday != time.Sunday:
		return "holiday: " + day.Holiday
	case !open && (weekday == time.Saturday || weekday == time.Sunday):
		return "weekend"
	case !open && len(used) > 0:
		return "no window is open"
	}
	return "nobody is due"
}

// opensOn says whether any step of a sequence may be done on a date.
func opensOn(seq *sequences.Sequence, date time.Time) bool {
	end := date.AddDate(0, 0, 1)
	return slices.ContainsFunc(seq.Steps, func(st sequences.Step) bool {
		first := st.Send.First(date)
		return !first.IsZero() && first.Before(end)
	})
}
