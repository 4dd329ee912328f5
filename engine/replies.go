package engine

import (
	"time"

	"nudge/sequences"
)

// Replies is how far answers reach; its zero value is the careful one.
type Replies struct {
	IgnoreCompany bool           // mail from a prospect's company says nothing about others there
	IgnoreAbsence bool           // an absence holds nobody
	Takeover      TakeoverPolicy // what a mail that the owner wrote by hand does
}

// TakeoverPolicy is what becomes of an enrollment to whose prospect the owner
// wrote by hand.
type TakeoverPolicy string

const (
	TakeoverStop    TakeoverPolicy = ""        // it stops, and the person's others wait
	TakeoverRestart TakeoverPolicy = "restart" // the wait of its next step counts from that mail
	TakeoverIgnore  TakeoverPolicy = "ignore"
)

// Days is what a prospect's business days are counted by.
type Days struct {
	Location *time.Location
	Holidays sequences.Holidays
}

// daysOf are the days of a prospect: their time zone, and the days off of
// their sequence.
func (e *Engine) daysOf(en Enrollment) Days {
	seq, _ := e.Library.Sequence(en.Sequence)
	c := Days{Location: zone(e.Mailbox, seq, en)}
	if seq != nil {
		c.Holidays = seq.Holidays
	}
	return c
}

// until is the start of the day that lies so far after now.
func (c Days) until(d sequences.Delay, now time.Time) time.Time {
	return startOfDay(d.AfterHolidays(now.In(c.Location), c.Holidays))
}
