package sequences

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// openFor is how long one firing of a cron expression lets touches leave, in
// elapsed time. The next firing, where it comes sooner, opens anew.
const openFor = time.Hour

// firings is a schedule of cron's making. Only cron's parser and its pure Next
// are used, and Next only on UTC readings of the wall clock: on local times it
// skips a whole day where the clocks skip its hour and fires twice where they
// repeat it.
type firings struct {
	text string
	spec cron.Schedule
}

func (f *firings) String() string { return f.text }

// Allows says whether an expression fired within the hour before t.
func (f *firings) Allows(t time.Time) bool {
	fired := f.next(t.Add(time.Nanosecond - openFor))
	return !fired.IsZero() && !fired.After(t)
}

// First is t when the last firing is still open, else the next firing.
func (f *firings) First(t time.Time) time.Time {
	if f.Allows(t) {
		return t
	}
	return f.next(t)
}

// next is the first firing at or after t. One whose wall-clock time is skipped
// happens at the first moment after the gap, one whose time comes twice at the
// first.
func (f *firings) next(t time.Time) time.Time {
	limit := t.AddDate(5, 0, 0)
	wall := wallClock(t)
	// Where the clocks have just moved forward, firings they skipped are due now.
	_, offset := t.Add(-time.Nanosecond).Zone()
	if before := t.Round(0).UTC().Add(time.Duration(offset) * time.Second); before.Before(wall) {
		wall = before
	}
	for wall = wall.Add(-time.Nanosecond); ; {
		wall = f.spec.Next(wall)
		if wall.IsZero() {
			return time.Time{}
		}
		at, gapEnd := moment(wall, t.Location())
		if !gapEnd.IsZero() {
			at = gapEnd
		}
		if at.After(limit) {
			return time.Time{}
		}
		if !at.Before(t) {
			return at
		}
	}
}

var notANumber = regexp.MustCompile(`^failed to parse int from (.*?): strconv`)

// parseCron reads the expression of "cron EXPR"; text is the whole setting.
func parseCron(text, expr string) (Schedule, error) {
	upper := strings.ToUpper(expr)
	switch {
	case expr == "":
		return nil, wrong("no cron expression given; write for example cron */15 9-16 * * mon-fri")
	case strings.HasPrefix(upper, "TZ=") || strings.HasPrefix(upper, "CRON_TZ="):
		return nil, wrong("a cron expression has no time zone of its own; use timezone: in the front matter")
	case strings.HasPrefix(upper, "@EVERY"):
		return nil, wrong("@every is not a time of day; use wait: for delays and cron for hours")
	}
	for field := range strings.FieldsSeq(expr) {
		if strings.HasPrefix(field, ",") || strings.HasSuffix(field, ",") || strings.Contains(field, ",,") {
			return nil, wrong("cron: an empty place in the list %q", field)
		}
	}
	spec, err := parseStandard(expr)
	if err != nil {
		if m := notANumber.FindStringSubmatch(err.Error()); m != nil {
			return nil, wrong("cron: %q is not a number", m[1])
		}
		return nil, wrong("cron: %v", err)
	}
	// Any date does as a start; from this one on there is a leap year soon.
	if spec.Next(time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, wrong("this cron expression never fires: no such day comes")
	}
	return &firings{text: text, spec: spec}, nil
}

// parseStandard turns the panics of cron's parser into errors.
func parseStandard(expr string) (spec cron.Schedule, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("not an expression: %v", p)
		}
	}()
	return cron.ParseStandard(expr)
}

func looksLikeCron(text string) bool {
	if !strings.ContainsAny(text, "*@") {
		return false
	}
	_, err := parseStandard(text)
	return err == nil
}

// firesOnEither says whether an expression names days of the month and
// weekdays, which cron reads as "or" and people as "and".
func (f *firings) firesOnEither() bool {
	fields := strings.Fields(f.text)
	if len(fields) != 6 {
		return false
	}
	month, week := fields[3], fields[5]
	return !strings.ContainsAny(month[:1], "*?") && !strings.ContainsAny(week[:1], "*?")
}
