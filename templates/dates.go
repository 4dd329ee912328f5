package templates

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// timeLayouts are the ways in which a field may write a date.
var timeLayouts = []string{
	time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02",
	"2 January 2006", "January 2, 2006", "2 Jan 2006", "Jan 2, 2006", "2006/01/02", "02.01.2006", time.RFC1123Z, time.RFC1123,
}

// ParseDate reads a date as the date filters do: 2026-03-14, 2026-03-14 15:30,
// 14 March 2026 and a few more. The result is in loc: what names no zone is
// meant there, and what names one is what the clocks of loc show then. What
// names no time of day is midnight.
func ParseDate(value string, loc *time.Location) (time.Time, error) {
	s := strings.TrimSpace(value)
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			if namesZone(layout) {
				return t.In(loc), nil
			}
			wall, err := time.Parse(layout, s)
			return onClocks(wall, loc), err
		}
	}
	return time.Time{}, &ValueError{Value: s, Date: true}
}

func namesZone(layout string) bool {
	return strings.Contains(layout, "07") || strings.HasSuffix(layout, "MST")
}

// inZone is where dates are read and written.
type inZone struct{ loc *time.Location }

// timeForm reads a date for a filter. "now" is none: the same fields always
// give the same words. field is where the value comes from; "" is none.
func timeForm(value any, zone inZone, filter, field string) (time.Time, error) {
	if t, ok := value.(time.Time); ok {
		return t, nil
	}
	t, err := ParseDate(display(value), zone.loc)
	if wrong, ok := errors.AsType[*ValueError](err); ok && field != "" {
		wrong.Field = field
	} else if err != nil {
		err = fmt.Errorf("%s: %w", filter, err)
	}
	return t, err
}

// onClocks is when the clocks of loc show wall, a date and time in UTC. Where
// a night skips it, that is as much later as the clocks were moved: a date
// without a time stays that date.
func onClocks(wall time.Time, loc *time.Location) time.Time {
	y, m, d := wall.Date()
	t := time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), loc)
	if short := wall.Sub(clocks(t)); short > 0 {
		return t.Add(short)
	}
	return t
}

// clocks is what the clocks show at t, as a time in UTC.
func clocks(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// later moves a date and keeps the time of day.
func later(t time.Time, days int) time.Time {
	return onClocks(clocks(t).AddDate(0, 0, days), t.Location())
}

// offDays are the days that plus_business_days passes over.
type offDays struct{ off func(time.Time) bool }

// is says whether a date is no business day.
func (o offDays) is(date time.Time) bool {
	if o.off != nil {
		return o.off(date)
	}
	return date.Weekday() == time.Saturday || date.Weekday() == time.Sunday
}

// mostDays bounds the date filters: five years, as for a delay.
const mostDays = 5 * 365

func dayCount(value any) (int, error) {
	n, err := intForm(value)
	if err == nil && (n > mostDays || n < -mostDays) {
		err = fmt.Errorf("%d is more than five years", n)
	}
	return n, err
}

// plusDays moves a date, back with a negative number.
func plusDays(t time.Time, days any) (time.Time, error) {
	n, err := dayCount(days)
	return later(t, n), err
}

// plusBusinessDays walks day by day to the n-th business day, back with a
// negative number.
func plusBusinessDays(t time.Time, days, off any) (time.Time, error) {
	n, err := dayCount(days)
	if err != nil {
		return t, err
	}
	o, _ := off.(offDays)
	step := 1
	if n < 0 {
		step, n = -1, -n
	}
	for walked := 0; n > 0; walked++ {
		if walked > 2*mostDays {
			return t, fmt.Errorf("too few business days")
		}
		if t = later(t, step); !o.is(t) {
			n--
		}
	}
	return t, nil
}

// head reads what a chain begins with. Before a date filter a field that is
// written in words for people is read in its other form, as name.iso.
func (r *reader) head(t token, dated, harmless bool) (string, error) {
	r.tokens = []token{t}
	if t.kind != nameToken || !dated || r.compiler.isLocal(t.text) {
		source, _, err := r.value(harmless)
		return source, err
	}
	c := r.compiler
	c.use(t, harmless)
	c.uses[len(c.uses)-1].AsDate = true
	field := t.text
	if slices.Contains(writtenDates, field) {
		field += ".iso"
	}
	slot := c.slot(field)
	c.needed[slot] = true
	return slotName(slot), nil
}

// writtenDates are the fields that hold a date in words, such as Monday 2
// January, and for the filters another one in name.iso.
var writtenDates = []string{"today", "next_touch"}
