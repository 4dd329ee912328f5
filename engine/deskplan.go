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
func (d *Desk) Plan(ctx context.Context, req PlanRequest) (PlanResult, error) {
	if req.Days < 1 || req.Days > mostPlanned {
		return PlanResult{}, invalid(fmt.Sprintf("%d days cannot be planned", req.Days), fmt.Sprintf("ask for 1 to %d", mostPlanned))
	}
	now, loc := d.Now(), time.UTC
	if len(d.Mailboxes) > 0 {
		loc = d.Mailboxes[0].Location
	}
	today := startOfDay(now.In(loc))
	f := newForecaster(d.chains(), now, today.AddDate(0, 0, req.Days))
	if err := d.takeUp(ctx, f); err != nil {
		return PlanResult{}, err
	}
	if err := f.run(ctx); err != nil {
		return PlanResult{}, err
	}
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
		for _, b := range f.boxes {
			day.Moved += b.full[day.Date]
		}
		if day.Count = busy[day.Date]; day.Count == 0 {
			day.Why = emptyDay(used, date, day)
		}
		result.Days[n] = day
	}
	return result, nil
}

// takeUp gives the forecaster everybody who matters up to its horizon, and what
// has been done today. Each is read by itself, so that however many they are,
// nobody who writes waits for it.
func (d *Desk) takeUp(ctx context.Context, f *forecaster) error {
	switches, err := d.Store.Switches()
	if err != nil {
		return err
	}
	for _, sw := range switches {
		f.off[sw.Sequence] = sw.Sequence != ""
	}
	f.elsewhere = func(key, sequence string) bool {
		ens, err := d.Store.Enrollments(Filter{Key: key, Sequence: sequence})
		return err == nil && slices.ContainsFunc(ens, func(en Enrollment) bool { return !en.Ended() })
	}
	for _, b := range f.boxes { // before anybody is added, since chains lead from one to another
		if b.pace, err = d.Store.Pace(b.m.Name, b.day); err != nil {
			return err
		}
	}
	for _, b := range f.boxes {
		ids, err := d.Store.Upcoming(b.m.Name, f.until)
		if err != nil {
			return err
		}
		all := make([]Candidate, 0, len(ids))
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				return err
			}
			c, err := d.Store.Candidate(id, f.now, b.day)
			if err != nil {
				return err
			}
			if !c.Enrollment.Ended() {
				all = append(all, c)
			}
		}
		if err := d.fallenBehind(b.m.Name, all, f.now); err != nil {
			return err
		}
		for _, c := range all {
			f.add(c)
		}
	}
	return nil
}

// fallenBehind does to those who came due while nothing could be sent what the
// engine will do to them once it can again; see Engine.catchUp.
func (d *Desk) fallenBehind(mailbox string, all []Candidate, now time.Time) error {
	ableAt, err := d.Store.AbleAt(mailbox)
	if err != nil || ableAt.IsZero() || now.Sub(ableAt) <= lateGrace {
		return err
	}
	active, err := d.Store.ActiveOf(mailbox)
	if err != nil {
		return err
	}
	var due []Enrollment
	at := map[string]int{}
	for i, c := range all {
		if en := c.Enrollment; en.State == Active && !en.Look.After(now) {
			at[en.ID] = i
			due = append(due, en)
		}
	}
	late, overdue := Backlog(due, active, ableAt, now, d.zoneOf)
	for _, en := range late {
		all[at[en.ID]].Enrollment, _ = en.FallBehind(false, now)
	}
	for _, en := range overdue {
		all[at[en.ID]].Enrollment, _ = en.FallBehind(true, now)
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
