package engine

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"nudge/sequences"
)

// calendarEntry writes the date that a step leads up to as a calendar file
// (RFC 5545), which mail programs offer to put into the reader's calendar. A
// later mail about the same date, moved perhaps, has the same UID and a higher
// SEQUENCE, so that it takes the place of the earlier entry. w has its words. The
// error says that the field has no date.
func calendarEntry(secret []byte, m Mailbox, seq *sequences.Sequence, st *sequences.Step, en Enrollment, w words, now time.Time) (sequences.Attachment, error) {
	entry := sequences.Attachment{Name: sequences.CalendarFile(st.Before), Type: "text/calendar; charset=utf-8; method=PUBLISH"}
	date, unfit := anchorDate(st, en, zone(m, seq, en))
	if !unfit.none() {
		return entry, fmt.Errorf("step %q calendar: %s", st.ID, unfit.why)
	}
	en.Resends = 0
	domain := AddressDomain(m.Address)
	var c calendar
	c.line("BEGIN:VCALENDAR")
	c.line("VERSION:2.0")
	c.line("PRODID:-//" + calendarText(domain) + "//EN") // whose it is; not which program wrote it
	c.line("CALSCALE:GREGORIAN")
	c.line("METHOD:PUBLISH")
	c.line("BEGIN:VEVENT")
	c.line("UID:" + messageID(secret, "calendar", en, st.Before, domain))
	c.line("DTSTAMP:" + now.UTC().Format(calendarTime))
	c.line(fmt.Sprintf("SEQUENCE:%d", max(0, int64(now.Sub(en.EnrolledAt)/time.Minute))))
	c.dates(date, hasClock(en.Fields[st.Before]), st.Calendar.Lasts)
	title := calendarText(w.title)
	if title == "" { // fields without a value, or of marks that nobody sees
		title = calendarText(seq.Title)
	}
	c.line("SUMMARY:" + title)
	if w.place != "" {
		c.line("LOCATION:" + calendarText(w.place))
	}
	c.line("ORGANIZER" + commonName(m.DisplayName) + ":mailto:" + mailtoAddress(m.Address))
	c.line("STATUS:CONFIRMED")
	c.line("END:VEVENT")
	c.line("END:VCALENDAR")
	entry.Content = []byte(c.b.String())
	return entry, nil
}

// Forms of a date (RFC 5545, sections 3.3.4 and 3.3.5); the first is in UTC.
const (
	calendarTime = "20060102T150405Z"
	calendarDay  = "20060102"
)

// hasClock says whether a date field names a time of day.
func hasClock(value string) bool { return strings.ContainsRune(value, ':') }

// calendar is a calendar file while it is written.
type calendar struct{ b strings.Builder }

// dates writes when it begins, and ends if that is known.
func (c *calendar) dates(date time.Time, clock bool, lasts sequences.Delay) {
	if !clock {
		c.line("DTSTART;VALUE=DATE:" + date.Format(calendarDay))
		if lasts.N > 0 && lasts.Unit == sequences.Days {
			c.line("DTEND;VALUE=DATE:" + date.AddDate(0, 0, lasts.N).Format(calendarDay))
		}
		return
	}
	c.line("DTSTART:" + date.UTC().Format(calendarTime))
	if lasts.N > 0 {
		c.line("DTEND:" + lasts.After(date).UTC().Format(calendarTime))
	}
}

// foldAt is the longest line in octets, without its end (RFC 5545, section 3.1).
const foldAt = 75

// line writes one content line, folded between characters.
func (c *calendar) line(s string) {
	column := 0
	for _, r := range s {
		n := utf8.RuneLen(r)
		if column+n > foldAt {
			c.b.WriteString("\r\n ")
			column = 1
		}
		c.b.WriteRune(r)
		column += n
	}
	c.b.WriteString("\r\n")
}

// longestEntry is how many characters of a title or a place are written.
const longestEntry = 200

// calendarText is text as a property's value: on one line, without marks that
// nobody sees, and with all that could end it escaped (section 3.3.11).
func calendarText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `;`, `\;`, `,`, `\,`).Replace(entryLine(s))
}

// commonName is the parameter that names the organizer; a quoted value cannot
// hold a quote (section 3.2).
func commonName(name string) string {
	if name = strings.ReplaceAll(entryLine(name), `"`, "'"); name == "" {
		return ""
	}
	return `;CN="` + name + `"`
}

// entryLine is text on one line, and no longer than an entry shows.
func entryLine(s string) string {
	s = oneLine(s)
	if utf8.RuneCountInString(s) > longestEntry {
		s = strings.TrimSpace(string([]rune(s)[:longestEntry-1])) + "…"
	}
	return s
}
