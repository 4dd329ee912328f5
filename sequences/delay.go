package sequences

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// unitNames are the words a delay may be written with.
var unitNames = map[string]Unit{
	"second": Seconds, "seconds": Seconds, "sec": Seconds, "secs": Seconds, "s": Seconds,
	"minute": Minutes, "minutes": Minutes, "min": Minutes, "mins": Minutes, "m": Minutes,
	"hour": Hours, "hours": Hours, "hr": Hours, "hrs": Hours, "h": Hours,
	"day": Days, "days": Days, "d": Days,
	"business day": BusinessDays, "business days": BusinessDays, "bd": BusinessDays,
	"week": Weeks, "weeks": Weeks, "w": Weeks,
}

// units lists them in order of length.
var units = []Unit{Seconds, Minutes, Hours, Days, BusinessDays, Weeks}

// longest is the greatest number of each unit: five years.
var longest = map[Unit]int{
	Seconds:      5 * 365 * 24 * 60 * 60,
	Minutes:      5 * 365 * 24 * 60,
	Hours:        5 * 365 * 24,
	Days:         5 * 365,
	BusinessDays: 5 * 52 * 5,
	Weeks:        5 * 52,
}

// ParseDelay reads "3 business days", "3bd", "30 minutes", "2 weeks", "0".
func ParseDelay(s string) (Delay, error) {
	number, unit := cutNumber(strings.TrimSpace(s))
	switch {
	case number == "" && unit == "":
		return Delay{}, wrong("no delay given; write for example 3 business days")
	case number == "":
		return Delay{}, wrong("a delay starts with a whole number, not %q; write for example 3 business days", unit)
	case strings.HasPrefix(unit, ".") || strings.HasPrefix(unit, ","):
		return Delay{}, wrong("a delay is a whole number, not a fraction; use a smaller unit")
	}
	n, err := strconv.Atoi(number)
	if unit == "" && err == nil {
		if n == 0 {
			return Delay{}, nil
		}
		return Delay{}, wrong("%d of what? A delay needs a unit", n).meant(fmt.Sprintf("%d days", n))
	}
	unit = strings.ToLower(strings.Join(strings.Fields(unit), " "))
	u, ok := unitNames[unit]
	if !ok {
		return Delay{}, unknownUnit(number, unit)
	}
	if err != nil || n > longest[u] {
		return Delay{}, wrong("%s %s is longer than five years", number, u)
	}
	return Delay{N: n, Unit: u}, nil
}

func cutNumber(s string) (number, rest string) {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(s)
	}
	return s[:end], strings.TrimSpace(s[end:])
}

func unknownUnit(number, unit string) error {
	m := wrong("unknown unit %q; use minutes, hours, days, business days or weeks", unit)
	names := make([]string, 0, len(unitNames))
	for name := range unitNames {
		if len(name) > 3 {
			names = append(names, name)
		}
	}
	slices.Sort(names) // the same suggestion every time
	near := Nearest(unit, names)
	switch strings.ReplaceAll(unit, "-", " ") {
	case "business", "businessdays", "business day", "business days", "working days", "working day", "workdays",
		"workday", "weekdays", "weekday":
		near = "business days"
	}
	if near == "" {
		return m
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return m
	}
	return m.meant(Delay{n, unitNames[near]}.String())
}

// String is the delay in words, as ParseDelay reads it.
func (d Delay) String() string {
	switch d.N {
	case 0:
		return "0"
	case 1:
		return "1 " + strings.TrimSuffix(string(d.Unit), "s")
	default:
		return strconv.Itoa(d.N) + " " + string(d.Unit)
	}
}

// After is the moment d after t. Seconds, minutes and hours are elapsed time;
// days, business days and weeks keep t's wall-clock time and move the date, in
// t's location. A wall-clock time that a night skips moves forward, by as much
// as the clocks did; one that it has twice is the first.
//
// A business day is Monday to Friday: n of them walk forward day by day to the
// n-th one, so that one business day after a Saturday is Monday. Nothing, in
// whatever unit, is t itself.
func (d Delay) After(t time.Time) time.Time { return d.AfterHolidays(t, nil) }

// AfterHolidays is After where the days of off are no business days; off may be
// nil. A calendar without a business day in five years has no n-th one: the
// walk ends there.
func (d Delay) AfterHolidays(t time.Time, off Holidays) time.Time {
	t = t.Round(0) // the wall clock counts here, not the machine's run time
	if d.N <= 0 {
		return t
	}
	if each, elapsed := elapsedUnits[d.Unit]; elapsed {
		return t.Add(time.Duration(d.N) * each)
	}
	at, _ := moment(d.move(wallClock(t), 1, off), t.Location())
	return at
}

// Before is the moment that lies d before t, the mirror of AfterHolidays: n
// business days walk back day by day to the n-th one.
func (d Delay) Before(t time.Time, off Holidays) time.Time {
	t = t.Round(0)
	if d.N <= 0 {
		return t
	}
	if each, elapsed := elapsedUnits[d.Unit]; elapsed {
		return t.Add(-time.Duration(d.N) * each)
	}
	at, _ := moment(d.move(wallClock(t), -1, off), t.Location())
	return at
}

// elapsedUnits are those that no calendar changes.
var elapsedUnits = map[Unit]time.Duration{Seconds: time.Second, Minutes: time.Minute, Hours: time.Hour}

// furthest bounds the walk over business days, in days: a calendar may be full.
const furthest = 7 * 366

// move changes the date of a wall-clock time, forward (1) or back (-1).
func (d Delay) move(wall time.Time, direction int, off Holidays) time.Time {
	switch d.Unit {
	case Days:
		return wall.AddDate(0, 0, direction*d.N)
	case Weeks:
		return wall.AddDate(0, 0, direction*7*d.N)
	}
	for left, walked := d.N, 0; left > 0 && walked < furthest; walked++ {
		wall = wall.AddDate(0, 0, direction)
		if IsBusinessDay(wall, off) {
			left--
		}
	}
	return wall
}
