package sequences

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// window is open on some weekdays from one time of day up to another.
type window struct {
	days       [7]bool // by time.Weekday
	start, end int     // minutes of the day; end is the first that is shut
}

// windows is a schedule of weekly windows.
type windows struct {
	text string
	open []window
}

func (w *windows) String() string { return w.text }

// Allows reads t's own wall clock.
func (w *windows) Allows(t time.Time) bool {
	minute := t.Hour()*60 + t.Minute()
	for _, o := range w.open {
		if o.days[t.Weekday()] && o.start <= minute && minute < o.end {
			return true
		}
	}
	return false
}

// First walks from opening to opening. Between two changes of the clocks wall
// time runs like elapsed time; at each change it looks again, because the
// clocks may have jumped into a window.
func (w *windows) First(t time.Time) time.Time {
	limit := t.AddDate(5, 0, 0)
	for at := t; !at.After(limit); {
		if w.Allows(at) {
			return at
		}
		next := at.Add(w.untilOpening(wallClock(at)))
		if change := nextChange(at); !change.IsZero() && change.Before(next) {
			next = change
		}
		at = next
	}
	return time.Time{}
}

// untilOpening is the time from a wall-clock reading to the next opening after
// it. Every schedule opens once a week.
func (w *windows) untilOpening(wall time.Time) time.Duration {
	midnight := time.Date(wall.Year(), wall.Month(), wall.Day(), 0, 0, 0, 0, time.UTC)
	least := 8 * 24 * time.Hour
	for day := range 8 {
		date := midnight.AddDate(0, 0, day)
		for _, o := range w.open {
			wait := date.Add(time.Duration(o.start) * time.Minute).Sub(wall)
			if o.days[date.Weekday()] && wait > 0 {
				least = min(least, wait)
			}
		}
	}
	return least
}

// weekdays are the names a day may have, Sunday first as in time.Weekday.
var weekdays = [7][]string{
	{"sun", "sunday"}, {"mon", "monday"}, {"tue", "tues", "tuesday"}, {"wed", "weds", "wednesday"},
	{"thu", "thur", "thurs", "thursday"}, {"fri", "friday"}, {"sat", "saturday"},
}

var (
	// dashes also takes the long ones that word processors put in.
	dashes    = regexp.MustCompile(`[ \t]*[-–—][ \t]*`)
	words     = regexp.MustCompile(`[^ \t,]+`)
	timeOfDay = regexp.MustCompile(`^(\d{1,2}):(\d{2})$`)
)

func parseWindows(text string) (Schedule, error) {
	w := &windows{text: text}
	at := 0
	for part := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(part) != "" {
			open, err := parseWindow(part)
			if err != nil {
				return nil, err.after(at)
			}
			w.open = append(w.open, open...)
		}
		at += len(part) + 1
	}
	if len(w.open) == 0 {
		return nil, wrong("no window given; write for example %s", defaultSend)
	}
	return w, nil
}

// parseWindow reads the days and times between two semicolons.
func parseWindow(part string) ([]window, *mistake) {
	at := 0 // how far into part we are
	var days [7]bool
	var open []window
	seen := false
	for _, word := range words.FindAllString(dashes.ReplaceAllString(part, "-"), -1) {
		start, _, _ := strings.Cut(word, "-") // as it stands in part, where spaces may surround the dash
		at += max(strings.Index(part[at:], start), 0)
		where := at
		at += len(start)
		if !startsWithDigit(word) {
			if len(open) > 0 {
				return nil, wrong("a new day after a time; put a ; between two windows").after(where)
			}
			if err := addDays(&days, word); err != nil {
				return nil, err.after(where)
			}
			seen = true
			continue
		}
		from, to, err := parseTimes(word)
		if err != nil {
			return nil, err.after(where)
		}
		if !seen {
			return nil, wrong("no days before %s", word).meant("mon-sun " + word).after(where)
		}
		open = append(open, window{start: from, end: to})
	}
	if len(open) == 0 {
		return nil, wrong("no times after %q", strings.TrimSpace(part)).
			meant(strings.TrimSpace(part) + " 09:00-16:30").after(len(part) - len(strings.TrimLeft(part, " \t")))
	}
	for i := range open {
		open[i].days = days
	}
	return open, nil
}

func startsWithDigit(word string) bool {
	return word[0] >= '0' && word[0] <= '9'
}

// addDays adds "mon" or "mon-fri"; a range may wrap: "fri-mon".
func addDays(days *[7]bool, word string) *mistake {
	first, last, isRange := strings.Cut(word, "-")
	from, err := parseDay(first)
	if err != nil {
		return err
	}
	to := from
	if isRange {
		if to, err = parseDay(last); err != nil {
			return err.after(len(first) + 1)
		}
	}
	for day := from; ; day = (day + 1) % 7 {
		days[day] = true
		if day == to {
			return nil
		}
	}
}

func parseDay(name string) (int, *mistake) {
	var all []string
	for day, names := range weekdays {
		for _, n := range names {
			if strings.EqualFold(name, n) {
				return day, nil
			}
		}
		all = append(all, names...)
	}
	return 0, wrong("unknown day %q", name).meant(Nearest(name, all))
}

// parseTimes reads "09:00-16:30" as minutes of the day.
func parseTimes(word string) (start, end int, err *mistake) {
	first, last, isRange := strings.Cut(word, "-")
	if !isRange {
		return 0, 0, wrong("%q is not a window; write it from and to, like 09:00-16:30", word)
	}
	if start, err = parseTime(first); err != nil {
		return 0, 0, err
	}
	if end, err = parseTime(last); err != nil {
		return 0, 0, err.after(len(first) + 1)
	}
	if start >= end {
		return 0, 0, wrong("this window never opens: %s is not after %s; split one that passes midnight in two", last, first)
	}
	return start, end, nil
}

func parseTime(s string) (int, *mistake) {
	m := timeOfDay.FindStringSubmatch(s)
	if m == nil {
		return 0, wrong("%q is not a time of day; write it with 24 hours, like 09:00", s)
	}
	hour, _ := strconv.Atoi(m[1]) // two digits at most, as matched
	minute, _ := strconv.Atoi(m[2])
	if hour*60+minute > 24*60 || minute > 59 {
		return 0, wrong("there is no time %s", s)
	}
	return hour*60 + minute, nil
}
