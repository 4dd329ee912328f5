package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"nudge/engine"
	"nudge/sequences"
)

// count writes a number with its noun: "1 file", "2 files". "piece of advice"
// becomes "pieces of advice".
func count(n int, noun string) string {
	if n != 1 {
		first, rest, _ := strings.Cut(noun, " ")
		switch {
		case strings.HasSuffix(first, "y") && !strings.HasSuffix(first, "ay"):
			first = strings.TrimSuffix(first, "y") + "ies"
		default:
			first += "s"
		}
		noun = strings.TrimSpace(first + " " + rest)
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// day writes a moment for people, in its own zone: Tue 24 Nov 09:00, with the
// year when it is not this one.
func day(t time.Time) string {
	if t.Year() != time.Now().In(t.Location()).Year() {
		return t.Format("Mon 2 Jan 2006 15:04")
	}
	return t.Format("Mon 2 Jan 15:04")
}

// when writes a moment in its own zone, and names the zone where this machine's
// clock shows another time. likely is the zone it is probably in: see zoneName.
func when(t time.Time, likely *time.Location) string {
	if sameClock(t, time.Local) {
		return day(t)
	}
	return fmt.Sprintf("%s (%s)", day(t), zoneName(t, likely))
}

// shortWhen is when for tables: the zone is told by its offset.
func shortWhen(t time.Time) string {
	if sameClock(t, time.Local) {
		return day(t)
	}
	return day(t) + t.Format(" -07:00")
}

// nearYear is within which no year is told apart from the one around.
const nearYear = 300 * 24 * time.Hour

// shortly writes a moment as short as it can be told: without a year where it is
// near, and with its offset only where its clock is not the zone's.
func shortly(t, now time.Time, zone *time.Location) string {
	words := t.Format("Mon 2 Jan 15:04")
	if t.Sub(now).Abs() > nearYear {
		words = t.Format("Mon 2 Jan 2006 15:04")
	}
	if sameClock(t, zone) {
		return words
	}
	return words + t.Format(" -07:00")
}

// sameClock says whether a zone's clocks show at a moment what the moment's own do.
func sameClock(t time.Time, loc *time.Location) bool {
	_, own := t.Zone()
	_, there := t.In(loc).Zone()
	return own == there
}

// away writes how far a moment is from now: "in 3 days", "2 h ago".
func away(t, now time.Time) string {
	d := t.Sub(now)
	ago := d < 0
	if ago {
		d = -d
	}
	var s string
	switch {
	case d < 90*time.Second:
		s = fmt.Sprintf("%d s", int(d.Round(time.Second)/time.Second))
	case d < 90*time.Minute:
		s = fmt.Sprintf("%d min", int(d.Round(time.Minute)/time.Minute))
	case d < 36*time.Hour:
		s = fmt.Sprintf("%d h", int(d.Round(time.Hour)/time.Hour))
	default:
		s = count(int(d.Round(24*time.Hour)/(24*time.Hour)), "day")
	}
	if ago {
		return s + " ago"
	}
	return "in " + s
}

// zoneName names the zone a moment is in. Over the wire a moment keeps its
// offset and loses the name, which is given back where it must be the same.
func zoneName(t time.Time, likely *time.Location) string {
	if likely != time.Local && sameClock(t, likely) {
		return likely.String()
	}
	if name := t.Location().String(); name != "" && name != "Local" {
		return name
	}
	return t.Format("UTC-07:00")
}

// timesIn names the zone of the moments that follow, where this machine's
// clocks show another time.
func timesIn(loc *time.Location, now time.Time) string {
	if sameClock(now.In(loc), time.Local) {
		return ""
	}
	return ", times in " + loc.String()
}

// likelyZone is the zone that a view's moments are probably in.
func (s settings) likelyZone(v engine.View) *time.Location {
	if loc, err := time.LoadLocation(v.Fields["timezone"]); v.Fields["timezone"] != "" && err == nil {
		return loc
	}
	for _, m := range s.mailboxes {
		if m.engine.Name == v.Mailbox {
			return m.engine.Location
		}
	}
	return time.Local
}

// commonZone is the zone of all mailboxes, or this machine's where they differ.
func (s settings) commonZone() *time.Location {
	var loc *time.Location
	for _, m := range s.mailboxes {
		if loc != nil && loc.String() != m.engine.Location.String() {
			return time.Local
		}
		loc = m.engine.Location
	}
	return cmp.Or(loc, time.Local)
}

// zoneOf is the time zone a prospect lives in: their own, else the sequence's,
// else the mailbox's.
func zoneOf(m engine.Mailbox, seq *sequences.Sequence, fields map[string]string) *time.Location {
	for _, name := range []string{fields["timezone"], seq.Timezone} {
		if loc, err := time.LoadLocation(name); name != "" && err == nil {
			return loc
		}
	}
	return m.Location
}

// person writes a name and an address.
func person(name, address string) string {
	if name == "" {
		return address
	}
	return name + " <" + address + ">"
}

// parseFields reads key=value arguments.
func parseFields(args []string) (map[string]string, error) {
	fields := make(map[string]string, len(args))
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if key = strings.TrimSpace(key); !ok || key == "" {
			return nil, usage(fmt.Sprintf("--set %s is not KEY=VALUE", arg), "write for example --set quote_no=1042")
		}
		if earlier, twice := fields[key]; twice && earlier != value {
			return nil, usage(fmt.Sprintf("--set %s is given twice", key), "give it once; a field has one value")
		}
		fields[key] = value
	}
	return fields, nil
}
