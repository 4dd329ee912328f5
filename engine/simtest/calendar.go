package simtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"nudge/engine"
)

// publicHolidays are, of some countries, all weekdays of the world's years on
// which nobody works: Sweden's with the eves that its Annual Leave Act holds
// equal, the federal ones of the United States as observed, and what all of
// Germany keeps.
var publicHolidays = map[string][]string{
	"se": {"2000-01-06", "2000-04-21", "2000-04-24", "2000-05-01", "2000-06-01", "2000-06-06", "2000-06-23", "2000-12-25", "2000-12-26",
		"2001-01-01", "2001-04-13", "2001-04-16", "2001-05-01", "2001-05-24", "2001-06-06", "2001-06-22", "2001-12-24", "2001-12-25", "2001-12-26", "2001-12-31",
		"2002-01-01", "2002-03-29", "2002-04-01", "2002-05-01", "2002-05-09", "2002-06-06", "2002-06-21", "2002-12-24", "2002-12-25", "2002-12-26", "2002-12-31"},
	"us": {"2000-01-17", "2000-02-21", "2000-05-29", "2000-07-04", "2000-09-04", "2000-10-09", "2000-11-10", "2000-11-23", "2000-12-25",
		"2001-01-01", "2001-01-15", "2001-02-19", "2001-05-28", "2001-07-04", "2001-09-03", "2001-10-08", "2001-11-12", "2001-11-22", "2001-12-25",
		"2002-01-01", "2002-01-21", "2002-02-18", "2002-05-27", "2002-07-04", "2002-09-02", "2002-10-14", "2002-11-11", "2002-11-28", "2002-12-25"},
	"de": {"2000-04-21", "2000-04-24", "2000-05-01", "2000-06-01", "2000-06-12", "2000-10-03", "2000-12-25", "2000-12-26",
		"2001-01-01", "2001-04-13", "2001-04-16", "2001-05-01", "2001-05-24", "2001-06-04", "2001-10-03", "2001-12-25", "2001-12-26",
		"2002-01-01", "2002-03-29", "2002-04-01", "2002-05-01", "2002-05-09", "2002-05-20", "2002-10-03", "2002-12-25", "2002-12-26"},
}

// isOff says whether a day is one of a list of dates and countries.
func isOff(holidays []string, t time.Time) bool {
	date := t.Format(time.DateOnly)
	return slices.Contains(holidays, date) || slices.ContainsFunc(holidays, func(land string) bool {
		return slices.Contains(publicHolidays[land], date)
	})
}

func isWeekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }

// appointment is the date that steps lead up to, as the operator gave it for an
// enrollment, and until when it may have counted.
type appointment struct {
	date  string
	until time.Time // zero = it may be the one that counts
}

// appoint gives an enrollment a date. The caller holds the lock.
func (en *enrolled) appoint(dice *rand.Rand) {
	en.dates = append(en.dates, appointment{date: time.Now().Add(3*day + evenly(dice, 50*day)).UTC().Format("2006-01-02 15:04")})
}

// settled says that the last date counts, and no other. The caller holds the
// lock.
func (en *enrolled) settled() {
	for i := range en.dates[:len(en.dates)-1] {
		if en.dates[i].until.IsZero() {
			en.dates[i].until = time.Now()
		}
	}
}

// fields are what the operator knows of somebody who is enrolled.
func (en *enrolled) fields() map[string]string {
	fields := map[string]string{"tier": en.who.tier, "visit": en.dates[len(en.dates)-1].date}
	if en.who.zone != "" {
		fields["timezone"] = en.who.zone
	}
	return fields
}

// visits are the dates that may count for a mail. What a chain begins has its
// date from the sequence before, as it was then. The caller holds the lock.
func (w *World) visits(d *delivery) (dates []time.Time) {
	for _, en := range w.enrolled {
		if en.who != d.who || en.seq != d.seq && slices.Contains(w.plans.open(), d.seq) {
			continue
		}
		for _, a := range en.dates {
			if !a.until.IsZero() && a.until.Before(d.fence) && en.seq == d.seq {
				continue
			}
			t, err := time.ParseInLocation("2006-01-02 15:04", a.date, d.who.location())
			if err != nil {
				panic(fmt.Sprintf("the world wrote a bad date: %v", err))
			}
			dates = append(dates, t)
		}
	}
	return dates
}

// leads is the earliest moment at which a step may leave that leads up to a
// date: its wait back from that; where its schedule is shut from then on, the
// last day before on which it opens.
func (f form) leads(date time.Time) time.Time {
	from := f.back(date)
	for t := from; t.Before(date); t = t.Add(15 * time.Minute) {
		if f.Send.Allows(t) {
			return from.Add(-time.Hour) // a night in which the clocks change may lie between
		}
	}
	for t := from; from.Sub(t) < 31*day; t = t.Add(-15 * time.Minute) {
		if f.Send.Allows(t) {
			y, mo, d := t.Date()
			return time.Date(y, mo, d, 0, 0, 0, 0, t.Location())
		}
	}
	return time.Time{}
}

// back counts a step's wait back from a date, by the world's own calendar.
func (f form) back(date time.Time) time.Time {
	n, unit := 0, ""
	_, _ = fmt.Sscan(f.of.wait, &n, &unit)
	y, mo, d := date.Date()
	at := func(days int) time.Time {
		return time.Date(y, mo, d-days, date.Hour(), date.Minute(), 0, 0, date.Location())
	}
	switch unit {
	case "hours":
		return date.Add(-time.Duration(n) * time.Hour)
	case "week", "weeks":
		return at(7 * n)
	case "business":
		days := 0
		for n > 0 {
			if days++; !isWeekend(at(days)) && !isOff(f.holidays, at(days)) {
				n--
			}
		}
		return at(days)
	}
	return at(n)
}

// checkVisit says whether a step that leads up to a date leaves too soon or too
// late for it.
func (w *World) checkVisit(d *delivery, forms []form) {
	if len(forms) == 0 || slices.ContainsFunc(forms, func(f form) bool { return !f.of.before }) {
		return
	}
	w.mu.Lock()
	dates := w.visits(d)
	w.mu.Unlock()
	clock := w.clock().In(d.who.location())
	var told string
	for _, f := range forms {
		for _, date := range dates {
			switch from := f.leads(date); {
			case !clock.Add(-windowSlack).Before(date):
				told = "after " + date.Format(moment)
			case clock.Before(from):
				told = fmt.Sprintf("before %s: %s before %s", from.Format(moment), f.of.wait, date.Format(moment))
			default:
				return
			}
		}
	}
	if told != "" {
		w.violate("what leads up to a date leaves in its time", d.who, "%s leaves %s, %s", d.name(), clock.Format(moment), told)
	}
}

// begunBy are the words that begin the sequences which only such a word begins.
var begunBy = map[string]engine.Verb{thanks: engine.SayWon, parting: engine.SayLost}
