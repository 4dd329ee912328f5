package sequences

import (
	"errors"
	"fmt"
	"slices"

	"nudge/templates"
)

// Calendar is the entry for a prospect's calendar that goes with a mail: the date
// that the step leads up to, as a file.
type Calendar struct {
	Title *templates.Line
	Place *templates.Line // nil = none
	Lasts Delay           // in minutes, hours or days; 0 = no end is given
}

// CalendarFile is the name of the file that calendar: makes of the date in a
// field.
func CalendarFile(field string) string { return field + ".ics" }

// readCalendar reads calendar: and what belongs to it.
func (r *reader) readCalendar(set settings, st *Step) {
	title, given := r.filled(set, "calendar")
	_, named := set["calendar"]
	for _, key := range []string{"place", "lasts"} {
		if s, there := set[key]; there && !named {
			r.wrongAt(s.keyAt, fmt.Errorf("%s: belongs to calendar:, the title of the calendar entry", key), "")
			return
		}
	}
	if !given {
		return
	}
	anchor, anchored := set["before"]
	if !anchored {
		r.wrongAt(title.keyAt, errors.New("calendar: needs before:, the field whose date it is"), "")
		return
	}
	if file := CalendarFile(anchor.value); slices.ContainsFunc(st.Attach, func(a Attachment) bool { return a.Name == file }) {
		r.wrongAt(title.keyAt, fmt.Errorf("calendar: makes a file %s, and attach: names one as well; leave one of them out", file), "")
		return
	}
	c := &Calendar{Title: r.readLine(title)}
	if s, ok := r.filled(set, "place"); ok {
		c.Place = r.readLine(s)
	}
	if s, ok := r.filled(set, "lasts"); ok {
		d, right := r.readDelay(s, 0)
		switch {
		case !right:
		case d.N == 0:
			r.wrongValue(s, errors.New("0 is no time; leave it out where the end is open"))
		case d.Unit != Minutes && d.Unit != Hours && d.Unit != Days:
			r.wrongValue(s, errors.New("say it in minutes, hours or days"))
		}
		c.Lasts = d
	}
	st.Calendar = c
}
