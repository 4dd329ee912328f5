package sequences

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of a calendar file; a country's holidays of ten years need a tenth.
const (
	maxCalendar = 1 << 20
	maxEvents   = 10_000
)

// event is what counts of a VEVENT: its days and its name.
type event struct {
	first, last time.Time // midnights in UTC, both days included
	name        string
	yearly      bool
	until       time.Time // of a yearly one; zero = without end
	count       int       // of a yearly one; 0 = without end
	except      []time.Time
	cancelled   bool
	days        int // from DURATION; 0 = none given
	ended       bool
}

// every calls add for each year of a yearly event, up to 2100.
func (e event) every(add func(first, last time.Time)) {
	length := e.last.Sub(e.first)
	for n := 0; e.count == 0 || n < e.count; {
		year := e.first.Year() + n
		first := time.Date(year, e.first.Month(), e.first.Day(), 0, 0, 0, 0, time.UTC)
		if year > 2100 || !e.until.IsZero() && first.After(e.until) {
			return
		}
		n++
		if first.Day() != e.first.Day() || containsDay(e.except, first) { // 29 February, or an EXDATE
			continue
		}
		add(first, first.Add(length))
	}
}

func containsDay(days []time.Time, t time.Time) bool {
	for _, d := range days {
		if d.Equal(t) {
			return true
		}
	}
	return false
}

// parseCalendar reads an iCalendar file (RFC 5545): the days and names of its
// events. Of rules that repeat an event only the yearly one on its own date is
// read; others are errors, because leaving them out would mean sending on a
// holiday. Time zones, alarms, to-dos and properties of other kinds are passed
// over: a holiday is a date.
func parseCalendar(source string) ([]event, error) {
	if !utf8.ValidString(source) {
		return nil, fmt.Errorf("not UTF-8")
	}
	source = strings.TrimPrefix(strings.ReplaceAll(source, "\r\n", "\n"), "\ufeff")
	var c calendarReader
	number := 0
	for source != "" {
		var line string
		line, source, _ = strings.Cut(source, "\n")
		number++
		first := number
		// A line that begins with a blank goes on with the one before (section 3.1).
		for len(source) > 0 && (source[0] == ' ' || source[0] == '\t') {
			var more string
			more, source, _ = strings.Cut(source[1:], "\n")
			line += more
			number++
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := c.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", first, err)
		}
	}
	switch {
	case !c.begun:
		return nil, fmt.Errorf("not a calendar: it does not begin with BEGIN:VCALENDAR")
	case len(c.open) > 0:
		return nil, fmt.Errorf("it ends inside a %s; the file is not whole", c.open[len(c.open)-1])
	}
	return c.events, nil
}

// calendarReader reads a calendar line by line.
type calendarReader struct {
	begun  bool
	open   []string // components, outermost first
	event  event
	events []event
}

// line reads "NAME;PARAM=x:value".
func (c *calendarReader) line(line string) error {
	head, value, found := cutValue(line)
	if !found {
		return fmt.Errorf("expected NAME:value, not %q", shorten(line))
	}
	name, _, _ := strings.Cut(strings.ToUpper(head), ";")
	value = strings.TrimRight(value, " \t\r")
	switch {
	case name == "BEGIN":
		return c.begin(strings.ToUpper(value))
	case !c.begun:
		return fmt.Errorf("not a calendar: it does not begin with BEGIN:VCALENDAR")
	case name == "END":
		return c.end(strings.ToUpper(value))
	case len(c.open) == 0:
		return fmt.Errorf("%s after the calendar's end", name)
	case len(c.open) == 2 && c.open[1] == "VEVENT":
		return c.property(name, value)
	}
	return nil
}

// cutValue cuts at the colon that no quotes hide.
func cutValue(line string) (head, value string, found bool) {
	quoted := false
	for i := range len(line) {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case line[i] == ':' && !quoted:
			return line[:i], line[i+1:], true
		}
	}
	return line, "", false
}

func (c *calendarReader) begin(component string) error {
	if !c.begun && component != "VCALENDAR" {
		return fmt.Errorf("not a calendar: it does not begin with BEGIN:VCALENDAR")
	}
	c.begun = true
	if len(c.open) > 8 {
		return fmt.Errorf("nested too deep")
	}
	c.open = append(c.open, component)
	if component == "VEVENT" && len(c.open) == 2 {
		c.event = event{}
	}
	return nil
}

func (c *calendarReader) end(component string) error {
	if n := len(c.open); n == 0 || c.open[n-1] != component {
		return fmt.Errorf("END:%s without its BEGIN", shorten(component))
	}
	c.open = c.open[:len(c.open)-1]
	if component != "VEVENT" || len(c.open) != 1 {
		return nil
	}
	e := c.event
	switch {
	case e.cancelled:
		return nil
	case e.first.IsZero():
		return fmt.Errorf("an event without DTSTART ends here")
	case e.days > 0 && !e.ended:
		e.last = e.first.AddDate(0, 0, e.days-1)
	case !e.ended || e.last.Before(e.first):
		e.last = e.first
	}
	if e.last.Sub(e.first) > longestHoliday*24*time.Hour {
		return fmt.Errorf("an event of more than %d days ends here", longestHoliday)
	}
	if len(c.events) == maxEvents {
		return fmt.Errorf("more than %d events", maxEvents)
	}
	if e.name == "" {
		e.name = ownHoliday
	}
	c.events = append(c.events, e)
	return nil
}

// property reads one line of an event.
func (c *calendarReader) property(name, value string) (err error) {
	e := &c.event
	switch name {
	case "DTSTART":
		e.first, _, err = calendarDate(value)
	case "DTEND":
		var clock string
		if e.last, clock, err = calendarDate(value); err == nil && (clock == "" || clock == "000000") {
			e.last = e.last.AddDate(0, 0, -1) // the end is the first moment outside
		}
		e.ended = err == nil
	case "DURATION":
		e.days, err = calendarDays(value)
	case "SUMMARY":
		e.name = calendarText(value)
	case "STATUS":
		e.cancelled = strings.EqualFold(value, "CANCELLED")
	case "RRULE":
		err = e.rule(value)
	case "RDATE":
		err = fmt.Errorf("RDATE is not understood; write one event for each day")
	case "EXDATE":
		for one := range strings.SplitSeq(value, ",") {
			var t time.Time
			if t, _, err = calendarDate(one); err != nil {
				return err
			}
			e.except = append(e.except, t)
		}
	}
	return err
}

var calendarStamp = regexp.MustCompile(`^(\d{8})(?:T(\d{6})Z?)?$`)

// calendarDate reads 20261224 or 20261224T090000Z: a date, and the time of day
// where there is one.
func calendarDate(value string) (date time.Time, clock string, err error) {
	m := calendarStamp.FindStringSubmatch(value)
	if m == nil {
		return time.Time{}, "", fmt.Errorf("%q is not a date such as 20261224", shorten(value))
	}
	if date, err = time.Parse("20060102", m[1]); err != nil {
		return time.Time{}, "", fmt.Errorf("there is no date %s", m[1])
	}
	return date, m[2], nil
}

var calendarDuration = regexp.MustCompile(`^\+?P(?:(\d{1,3})W|(?:(\d{1,3})D)?(?:T.*)?)$`)

// calendarDays is how many days a DURATION touches.
func calendarDays(value string) (int, error) {
	m := calendarDuration.FindStringSubmatch(value)
	if m == nil {
		return 0, fmt.Errorf("%q is not a duration such as P1D", shorten(value))
	}
	weeks, _ := strconv.Atoi(m[1]) // digits, or nothing
	days, _ := strconv.Atoi(m[2])
	return max(1, 7*weeks+days), nil
}

// rule reads FREQ=YEARLY with an end; any other rule is an error.
func (e *event) rule(value string) error {
	for part := range strings.SplitSeq(strings.ToUpper(value), ";") {
		name, word, _ := strings.Cut(part, "=")
		var err error
		switch {
		case name == "FREQ" && word == "YEARLY":
			e.yearly = true
		case name == "UNTIL":
			e.until, _, err = calendarDate(word)
		case name == "COUNT":
			e.count, err = strconv.Atoi(word)
			if err == nil && e.count < 1 {
				err = fmt.Errorf("COUNT=%s", word)
			}
		case name == "INTERVAL" && word == "1", name == "WKST", part == "":
		case (name == "BYMONTH" || name == "BYMONTHDAY") && e.sameDay(name, word):
		default:
			err = fmt.Errorf("the rule %s is not understood; write one event for each day", shorten(value))
		}
		if err != nil {
			return err
		}
	}
	if !e.yearly {
		return fmt.Errorf("the rule %s is not understood; write one event for each day", shorten(value))
	}
	return nil
}

// sameDay says whether BYMONTH or BYMONTHDAY only repeats what DTSTART says.
func (e *event) sameDay(name, word string) bool {
	n, err := strconv.Atoi(word)
	return err == nil && (name == "BYMONTH" && n == int(e.first.Month()) || name == "BYMONTHDAY" && n == e.first.Day())
}

var calendarEscapes = strings.NewReplacer(`\\`, `\`, `\;`, ";", `\,`, ",", `\n`, " ", `\N`, " ")

// calendarText is a SUMMARY in one line, fit to be shown.
func calendarText(value string) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, calendarEscapes.Replace(value))
	return shorten(strings.Join(strings.Fields(text), " "))
}
