package sequences

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Holidays are the days on which nobody works.
type Holidays interface {
	// Name is what a day is called, and whether it is one of them. Only the
	// year, month and day of date count, as they stand in date's location.
	Name(date time.Time) (string, bool)
}

// IsBusinessDay says whether a date is Monday to Friday and no holiday. off may
// be nil.
func IsBusinessDay(date time.Time, off Holidays) bool {
	if day := date.Weekday(); day == time.Saturday || day == time.Sunday {
		return false
	}
	if off == nil {
		return true
	}
	_, holiday := off.Name(date)
	return !holiday
}

// day is a date without a time of day or zone.
type day struct {
	year  int // 0 = every year
	month time.Month
	date  int
}

func dayOf(t time.Time) day {
	year, month, date := t.Date()
	return day{year, month, date}
}

// calendar holds dates of its own and the holidays of whole countries.
type calendar struct {
	days      map[day]string
	countries []Holidays
}

// Name implements Holidays.
func (c *calendar) Name(date time.Time) (string, bool) {
	d := dayOf(date)
	if name, ok := c.days[d]; ok {
		return name, true
	}
	d.year = 0
	if name, ok := c.days[d]; ok {
		return name, true
	}
	for _, h := range c.countries {
		if name, ok := h.Name(date); ok {
			return name, true
		}
	}
	return "", false
}

// ownHoliday is the name of a date that is only listed.
const ownHoliday = "holiday"

// add marks the days from first to last, which may be the same.
func (c *calendar) add(first, last time.Time, name string) {
	if c.days == nil {
		c.days = map[day]string{}
	}
	for t := first; !t.After(last); t = t.AddDate(0, 0, 1) {
		if d := dayOf(t); c.days[d] == "" || c.days[d] == ownHoliday {
			c.days[d] = name
		}
	}
}

var (
	countryCode = regexp.MustCompile(`^[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?$`)
	dateForm    = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)
	yearlyForm  = regexp.MustCompile(`^\d{2}-\d{2}$`)
	looksDated  = regexp.MustCompile(`^\d`)
)

// maxHolidays bounds the memory of one calendar: thirty years without a
// business day.
const maxHolidays = 30 * 366

// longestHoliday is how many days one entry may span.
const longestHoliday = 366

// readHolidays reads the comma separated list of holidays:.
func (r *reader) readHolidays(s setting) Holidays {
	c := &calendar{}
	at := 0
	for part := range strings.SplitSeq(s.value, ",") {
		entry := strings.TrimSpace(part)
		where := s.at(at + len(part) - len(strings.TrimLeft(part, " \t")))
		at += len(part) + 1
		if err := r.addHoliday(c, entry); err != nil {
			suggestion, _, text := parts(err)
			r.wrongAt(where, fmt.Errorf("holidays: %w", text), suggestion)
		}
	}
	return c
}

// addHoliday adds one entry of the list.
func (r *reader) addHoliday(c *calendar, entry string) error {
	switch {
	case entry == "":
		return errors.New("an empty place in the list")
	case strings.HasSuffix(strings.ToLower(entry), ".ics"):
		return r.addCalendar(c, entry)
	case looksDated.MatchString(entry):
		return c.addDates(entry)
	case !countryCode.MatchString(entry):
		return wrong("%q is neither a country such as se, nor a date such as 2026-12-24, nor an .ics file", shorten(entry))
	}
	public, ok := r.country(strings.ToLower(entry))
	if !ok {
		return unknownCountry(entry)
	}
	c.countries = append(c.countries, public)
	return nil
}

// addDates adds 2026-12-24, 2026-12-27..2027-01-02 or, for every year, 12-24.
func (c *calendar) addDates(entry string) error {
	from, to, isRange := strings.Cut(entry, "..")
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	if yearlyForm.MatchString(from) && !isRange {
		t, err := time.Parse("2006-01-02", "2000-"+from) // a leap year
		if err != nil {
			return wrong("there is no date %s in any year; write month and day, like 12-24", from)
		}
		if c.days == nil {
			c.days = map[day]string{}
		}
		c.days[day{0, t.Month(), t.Day()}] = ownHoliday
		return nil
	}
	first, err := parseDate(from)
	if err != nil {
		return err
	}
	last := first
	if isRange {
		if last, err = parseDate(to); err != nil {
			return err
		}
	}
	switch days := int(last.Sub(first).Hours()/24) + 1; {
	case days < 1:
		return wrong("%s lies before %s", to, from).meant(to + ".." + from)
	case days > longestHoliday:
		return wrong("%s is %d days long; the most is %d", entry, days, longestHoliday)
	}
	c.add(first, last, ownHoliday)
	return nil
}

func parseDate(s string) (time.Time, error) {
	if !dateForm.MatchString(s) {
		return time.Time{}, wrong("%q is not a date; write it year first, like 2026-12-24", shorten(s)).meant(tidyDate(s))
	}
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		return time.Time{}, wrong("there is no date %s", s)
	}
	return t, nil
}

// tidyDate is the date that was probably meant, or "": only forms in which day
// and month cannot be taken for each other.
func tidyDate(s string) string {
	layouts := []string{"2006-1-2", "2006/1/2", "2006.1.2", "20060102", "2.1.2006", "2 January 2006", "2 Jan 2006", "January 2 2006", "Jan 2 2006"}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format("2006-01-02")
		}
	}
	return ""
}

// addCalendar adds the days of an .ics file that lies beside the sequence.
func (r *reader) addCalendar(c *calendar, name string) error {
	if slices.Contains(strings.Split(name, "/"), "..") || strings.ContainsAny(name, `\:`) {
		return wrong("%q leads out of the folder of this file", name)
	}
	source, err := r.beside.read(name, maxCalendar)
	if err != nil {
		return err
	}
	if source == nil {
		return nil // there is no folder to look in
	}
	events, err := parseCalendar(string(source))
	if err != nil {
		return wrong("%s: %v", name, err)
	}
	for _, e := range events {
		if e.yearly {
			e.every(func(first, last time.Time) { c.add(first, last, e.name) })
		} else {
			c.add(e.first, e.last, e.name)
		}
		if len(c.days) > maxHolidays {
			return wrong("%s: more than %d days", name, maxHolidays)
		}
	}
	return nil
}
