package sequences

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"
)

// withFront is a file of two good steps under a front matter.
func withFront(lines string) string {
	return "---\n" + lines + "\n---\n\n" + "## 1. A\n\n```step\nwait: 3 business days\nsubject: Hello\n```\n\nDid it arrive?\n"
}

// folder is a folder in memory.
func folder(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	return m
}

func parseWith(t testing.TB, files map[string]string, source string) *Sequence {
	t.Helper()
	s, err := ParseIn(folder(files), "quote.md", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const officeCalendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Office//EN\r\n" +
	"BEGIN:VTIMEZONE\r\nTZID:Europe/Stockholm\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n" +
	"TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n" +
	"BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Christmas\\, the off\r\n ice is shut\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20200606\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:National Day\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nDTSTART;TZID=\"Europe/Stockholm\":20260901T090000\r\nDTEND:20260902T120000\r\nSUMMARY:Move\r\n" +
	"BEGIN:VALARM\r\nSUMMARY:ring\r\nEND:VALARM\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nDTSTART:20261001\r\nDURATION:P2D\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nDTSTART:20261101\r\nSTATUS:CANCELLED\r\nSUMMARY:never\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nDTSTART:20240229\r\nRRULE:FREQ=YEARLY;COUNT=5\r\nSUMMARY:Leap\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nDTSTART:20250501\r\nRRULE:FREQ=YEARLY;UNTIL=20270501\r\nEXDATE:20260501\r\nSUMMARY:May\r\nEND:VEVENT\r\n" +
	"END:VCALENDAR\r\n"

func TestHolidaysAreDatesRangesAndCalendars(t *testing.T) {
	s := parseWith(t, map[string]string{"office.ics": officeCalendar},
		withFront("holidays: 2026-11-20, 2026-12-27..2027-01-02,\n  12-31, office.ics"))
	tests := map[string]string{
		"2026-11-20": "holiday", "2026-11-21": "", "2026-12-26": "Christmas, the office is shut", "2026-12-27": "holiday",
		"2027-01-02": "holiday", "2027-01-03": "", "2031-12-31": "holiday", "2026-12-24": "Christmas, the office is shut",
		"2027-12-24": "", "2026-06-06": "National Day", "2044-06-06": "National Day", "2019-06-06": "",
		"2026-09-01": "Move", "2026-09-02": "Move", "2026-09-03": "", "2026-10-01": "holiday", "2026-10-02": "holiday", "2026-10-03": "",
		"2026-11-01": "", "2024-02-29": "Leap", "2028-02-29": "Leap", "2032-02-29": "", "2027-03-01": "",
		"2025-05-01": "May", "2026-05-01": "", "2027-05-01": "May", "2028-05-01": "", "1970-10-25": "",
	}
	for text, want := range tests {
		date, err := time.Parse("2006-01-02", text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := s.Holidays.Name(date.Add(23 * time.Hour)); got != want || ok != (want != "") {
			t.Errorf("%s is %q, %v; want %q", text, got, ok, want)
		}
	}
}

// midsummer is a country of one holiday.
type midsummer struct{}

func (midsummer) Name(d time.Time) (string, bool) {
	return "Midsummer Eve", d.Month() == time.June && d.Weekday() == time.Friday && d.Day() >= 19 && d.Day() <= 25
}

func TestTheHolidaysOfACountryComeFromALibrary(t *testing.T) {
	library := func(code string) (Holidays, bool) { return midsummer{}, code == "se" }
	s, err := read("q.md", []byte(withFront("holidays: SE, 2026-06-22")), options{country: library}).result()
	if err != nil {
		t.Fatal(err)
	}
	if name, ok := s.Holidays.Name(time.Date(2026, 6, 19, 12, 0, 0, 0, time.UTC)); !ok || name != "Midsummer Eve" {
		t.Errorf("got %q, %v", name, ok)
	}
	want := at(t, "Europe/Stockholm", "2026-06-24 10:00 +0200")
	if got := s.Steps[0].DueAt(at(t, "Europe/Stockholm", "2026-06-17 10:00 +0200"), want.Location()); !got.Equal(want) {
		t.Errorf("due %v, want %v", got, want)
	}
	if _, err := read("q.md", []byte(withFront("holidays: dk")), options{country: library}).result(); err == nil {
		t.Error("a country that the library does not know was taken")
	}
}

func TestACalendarThatCannotBeTrustedIsRefused(t *testing.T) {
	event := func(lines string) string {
		return "BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + lines + "\nEND:VEVENT\nEND:VCALENDAR\n"
	}
	tests := []struct{ name, source, want string }{
		{"nothing", "", "not a calendar: it does not begin with BEGIN:VCALENDAR"},
		{"a page", "<!DOCTYPE html>\n", `line 1: expected NAME:value, not "<!DOCTYPE html>"`},
		{"another component", "BEGIN:VCARD\nEND:VCARD\n", "line 1: not a calendar: it does not begin with BEGIN:VCALENDAR"},
		{"half a file", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261224\n", "it ends inside a VEVENT; the file is not whole"},
		{"ends that do not fit", "BEGIN:VCALENDAR\nEND:VEVENT\n", "line 2: END:VEVENT without its BEGIN"},
		{"an event on no day", event("SUMMARY:x"), "line 4: an event without DTSTART ends here"},
		{"a day that does not exist", event("DTSTART:20260230"), "line 3: there is no date 20260230"},
		{"a date in words", event("DTSTART:tomorrow"), `line 3: "tomorrow" is not a date such as 20261224`},
		{"a duration in words", event("DTSTART:20261224\nDURATION:long"), `line 4: "long" is not a duration such as P1D`},
		{"an event of two years", event("DTSTART:20261224\nDTEND:20281224"), "line 5: an event of more than 366 days ends here"},
		{"a weekly rule", event("DTSTART:20261224\nRRULE:FREQ=WEEKLY"), "line 4: the rule FREQ=WEEKLY is not understood; write one event for each day"},
		{"a movable feast", event("DTSTART:20261224\nRRULE:FREQ=YEARLY;BYDAY=4TH;BYMONTH=11"),
			"line 4: the rule FREQ=YEARLY;BYDAY=4TH;BYMONTH=11 is not understood; write one event for each day"},
		{"every second year", event("DTSTART:20261224\nRRULE:FREQ=YEARLY;INTERVAL=2"),
			"line 4: the rule FREQ=YEARLY;INTERVAL=2 is not understood; write one event for each day"},
		{"a list of days", event("DTSTART:20261224\nRDATE:20261225"), "line 4: RDATE is not understood; write one event for each day"},
		{"bytes that are no text", "BEGIN:VCALENDAR\n\xff\n", "not UTF-8"},
		{"words after the end", "BEGIN:VCALENDAR\nEND:VCALENDAR\nX:y\n", "line 3: X after the calendar's end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseIn(folder(map[string]string{"office.ics": tt.source}), "q.md", []byte(withFront("holidays: office.ics")))
			if want := "q.md:2:11: holidays: office.ics: " + tt.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

// everyDay is a calendar without a business day.
type everyDay struct{}

func (everyDay) Name(time.Time) (string, bool) { return "strike", true }

func TestAYearOfHolidaysEndsTheWalk(t *testing.T) {
	from := at(t, "Europe/Berlin", "2026-03-27 18:00 +0100")
	if got := (Delay{3, BusinessDays}).AfterHolidays(from, everyDay{}); got.Before(from) {
		t.Errorf("three business days after %v is %v", from, got)
	}
	st := Step{Wait: Delay{3, BusinessDays}, window: always{}, holidays: everyDay{}}
	st.Send = scheduleFor(st)
	if got := st.DueAt(from, from.Location()); !got.IsZero() {
		t.Errorf("due %v", got)
	}
}

func TestBusinessDaysPassOverHolidays(t *testing.T) {
	const office = "send: mon-fri 09:00-16:30; sat 10:00-12:00\nholidays: 2026-12-24..2026-12-26, 2026-12-31, 2027-01-01"
	tests := []struct{ name, wait, front, from, want string }{
		{"over Christmas", "3 business days", office, "2026-12-22 10:40 +0100", "2026-12-29 10:40 +0100"},
		{"from a holiday", "1 business day", office, "2026-12-25 10:40 +0100", "2026-12-28 10:40 +0100"},
		{"a Friday evening leads to Monday, not to the open Saturday", "3 business days", office, "2026-12-08 20:00 +0100", "2026-12-14 09:00 +0100"},
		{"an evening before a holiday leads past it", "1 business day", office, "2026-12-22 20:00 +0100", "2026-12-28 09:00 +0100"},
		{"at any hour it is still a business day", "1 business day", "send: always\nholidays: 2026-12-24", "2026-12-23 23:00 +0100", "2026-12-25 23:00 +0100"},
		{"days alone know no holidays", "1 day", office, "2026-12-23 10:40 +0100", "2026-12-24 10:40 +0100"},
		{"nor Saturdays, where the window is open", "4 days", office, "2026-12-08 11:00 +0100", "2026-12-12 11:00 +0100"},
		{"no business days are at once, on one", "0 business days", office, "2026-12-24 10:40 +0100", "2026-12-28 09:00 +0100"},
		{"a cron schedule passes over them, too", "1 business day", "send: cron 0 9 * * *\nholidays: 2026-12-24", "2026-12-22 11:00 +0100", "2026-12-25 09:00 +0100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := parseWith(t, nil, strings.Replace(withFront(tt.front), "3 business days", tt.wait, 1))
			st, want := s.Steps[0], at(t, "Europe/Stockholm", tt.want)
			got := st.DueAt(at(t, "Europe/Stockholm", tt.from), want.Location())
			if !got.Equal(want) || !st.Send.Allows(got) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestBeforeIsTheMirrorOfAfter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		when := drawTime(t)
		d := Delay{rapid.IntRange(0, 40).Draw(t, "n"),
			rapid.SampledFrom([]Unit{Seconds, Minutes, Hours, Days, BusinessDays, Weeks}).Draw(t, "unit")}
		got := d.Before(when, nil)
		_, skipped := moment(d.move(wallClock(when), -1, nil), when.Location()) // a zone may leave out a whole day
		if got.After(when) || d.N > 0 && got.Equal(when) && skipped.IsZero() {
			t.Fatalf("%v before %v is %v", d, when, got)
		}
		if d.Unit == BusinessDays && d.N > 0 && !IsBusinessDay(got, nil) {
			if _, gap := moment(wallClock(got), got.Location()); gap.IsZero() && wallClock(got).Weekday() != time.Saturday {
				t.Fatalf("%v before %v is %v", d, when, got)
			}
		}
	})
}

func TestAStepBeforeADateComesInTime(t *testing.T) {
	const office = "send: mon-fri 09:00-16:30\nholidays: 2026-12-24, 2026-12-25"
	tests := []struct{ name, wait, anchor, prev, want string }{
		{"the day before, at the same time", "1 business day", "2026-12-03 14:00 +0100", "2026-11-20 10:00 +0100", "2026-12-02 14:00 +0100"},
		{"a Monday's is a Friday", "1 business day", "2026-12-07 14:00 +0100", "2026-11-20 10:00 +0100", "2026-12-04 14:00 +0100"},
		{"over Christmas", "1 business day", "2026-12-28 14:00 +0100", "2026-11-20 10:00 +0100", "2026-12-23 14:00 +0100"},
		{"early in the morning waits for the opening", "1 business day", "2026-12-03 07:00 +0100", "2026-11-20 10:00 +0100", "2026-12-02 09:00 +0100"},
		{"a date without a time", "1 business day", "2026-12-03 00:00 +0100", "2026-11-20 10:00 +0100", "2026-12-02 09:00 +0100"},
		{"late in the evening is not too late", "1 business day", "2026-12-03 20:00 +0100", "2026-11-20 10:00 +0100", "2026-12-03 09:00 +0100"},
		{"a Sunday that would lead past the date goes to Friday", "1 day", "2026-12-07 08:00 +0100", "2026-11-20 10:00 +0100", "2026-12-04 09:00 +0100"},
		{"enrolled late, at once", "1 business day", "2026-12-03 14:00 +0100", "2026-12-03 10:00 +0100", "2026-12-03 10:00 +0100"},
		{"enrolled too late, never", "1 business day", "2026-12-03 08:00 +0100", "2026-12-02 17:00 +0100", ""},
		{"after the date, never", "1 business day", "2026-12-03 14:00 +0100", "2026-12-03 15:00 +0100", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := parseWith(t, nil, strings.Replace(withFront(office), "3 business days", tt.wait, 1))
			const zoneName = "Europe/Stockholm"
			got, ok := s.Steps[0].DueBefore(at(t, zoneName, tt.anchor), at(t, zoneName, tt.prev), zone(t, zoneName))
			if tt.want == "" {
				if ok {
					t.Errorf("got %v, want none", got)
				}
				return
			}
			if want := at(t, zoneName, tt.want); !ok || !got.Equal(want) {
				t.Errorf("got %v, %v; want %v", got, ok, want)
			}
		})
	}
}

// nights are the changes of a zone's clocks in a span of years.
func nights(loc *time.Location, from, to int) []time.Time {
	var all []time.Time
	end := time.Date(to, 1, 1, 0, 0, 0, 0, time.UTC)
	for at := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC).In(loc); ; {
		at = nextChange(at)
		if at.IsZero() || !at.Before(end) {
			return all
		}
		_, before := at.Add(-time.Second).Zone()
		if _, after := at.Zone(); before != after {
			all = append(all, at)
		}
	}
}

// A touch is never outside its window, never on a holiday or weekend when
// business days are asked for, and never earlier than its wait: in every zone,
// around every night of 2026 and 2027 in which its clocks change.
func TestADueMomentIsRightInEveryZone(t *testing.T) {
	names, err := os.ReadFile("testdata/zones.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := parseWith(t, nil, withFront(
		"holidays: 2026-03-30, 2026-10-26, 2027-03-29, 2027-11-01, 03-09, 11-02, 2026-12-24..2026-12-26"))
	var sends []Schedule
	for _, text := range []string{defaultSend, "always", "mon-sun 00:00-03:00; mon-fri 22:00-24:00", "sun 02:10-02:50; mon 01:00-02:00",
		"cron 30 2 * * *", "cron */15 9-16 * * mon-fri", "cron 0 0 * * *"} {
		sends = append(sends, schedule(t, text))
	}
	waits := []Delay{{0, ""}, {30, Seconds}, {90, Minutes}, {25, Hours}, {1, Days}, {2, Days}, {1, BusinessDays}, {3, BusinessDays}, {1, Weeks}}
	looked, zoneCount := 0, 0
	for name := range strings.FieldsSeq(string(names)) {
		loc := zone(t, name)
		zoneCount++
		starts := nights(loc, 2026, 2028)
		if len(starts) == 0 {
			starts = []time.Time{time.Date(2026, 3, 28, 12, 0, 0, 0, loc), time.Date(2027, 10, 30, 23, 59, 0, 0, loc)}
		}
		for _, night := range starts {
			for _, off := range []time.Duration{-73*time.Hour - 30*time.Minute, -24*time.Hour + 17*time.Minute, -25 * time.Minute, 40 * time.Minute} {
				for _, send := range sends {
					for _, wait := range waits {
						checkDue(t, s, send, wait, night.Add(off).In(loc))
						looked++
					}
				}
			}
		}
	}
	if zoneCount < 590 {
		t.Errorf("%d zones; testdata/zones.txt lists those of time/tzdata", zoneCount)
	}
	t.Logf("%d moments in %d zones", looked, zoneCount)
}

func checkDue(t *testing.T, s *Sequence, send Schedule, wait Delay, prev time.Time) {
	t.Helper()
	st := s.Steps[0]
	st.Wait, st.window = wait, send
	st.Send = scheduleFor(st)
	due := st.DueAt(prev, prev.Location())
	where := func() string {
		return send.String() + ", " + wait.String() + " after " + prev.String() + " in " + prev.Location().String() + " is " + due.String()
	}
	earliest := wait.AfterHolidays(prev, s.Holidays)
	switch {
	case due.IsZero():
		if wait.Unit == BusinessDays && strings.HasPrefix(send.String(), "sun 02:10") {
			return // a Monday's hour that may always be a holiday's is not tried
		}
		t.Fatal(where(), "never")
	case due.Before(earliest), due.Before(prev):
		t.Fatal(where(), "too early")
	case !st.window.Allows(due):
		t.Fatal(where(), "outside of its window")
	case !st.Send.Allows(due):
		t.Fatal(where(), "not allowed by its own schedule")
	case wait.Unit == BusinessDays && !IsBusinessDay(due, s.Holidays):
		t.Fatal(where(), "no business day")
	}
	calendarUnit := wait.Unit == Days || wait.Unit == BusinessDays || wait.Unit == Weeks
	if !calendarUnit {
		if elapsed := elapsedUnits[wait.Unit] * time.Duration(wait.N); earliest.Sub(prev) != elapsed {
			t.Fatal(where(), "elapsed time is not kept")
		}
		return
	}
	// The wall clock is kept, or moved forward by as much as the clocks were;
	// of two such moments it is the first.
	want, got := wallClock(prev), wallClock(earliest)
	sameClock := want.Hour() == got.Hour() && want.Minute() == got.Minute() && want.Second() == got.Second()
	if sameClock {
		if earlier := earliest.Add(-time.Hour); wallClock(earlier).Equal(got) {
			t.Fatal(where(), "not the first of two")
		}
		return
	}
	skipped := wait.move(want, 1, s.Holidays)
	exists := time.Date(skipped.Year(), skipped.Month(), skipped.Day(), skipped.Hour(), skipped.Minute(), skipped.Second(),
		skipped.Nanosecond(), prev.Location())
	switch {
	case wallClock(exists).Equal(skipped):
		t.Fatal(where(), "the wall clock is not kept")
	case !got.After(skipped):
		t.Fatal(where(), "a time that does not exist did not move forward")
	}
}

// The first business moment is the earliest: minutes are tried one by one.
func TestFirstOnABusinessDayIsTheEarliest(t *testing.T) {
	off := &calendar{}
	off.add(time.Date(2026, 3, 26, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC), "spring")
	off.add(time.Date(2026, 10, 23, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 27, 0, 0, 0, 0, time.UTC), "autumn")
	rapid.Check(t, func(t *rapid.T) {
		s := workdays{drawSchedule(t), off}
		from := drawTime(t)
		got := s.First(from)
		if got.IsZero() {
			return // a schedule of weekends
		}
		if got.Before(from) || !s.Allows(got) || s.Allows(from) != got.Equal(from) {
			t.Fatalf("%s from %v is %v", s, from, got)
		}
		step := max(time.Minute, got.Sub(from)/300).Round(time.Minute)
		for at := got.Add(-time.Second); at.After(from); at = at.Add(-step) {
			if s.Allows(at) {
				t.Fatalf("%s from %v is %v, but %v is allowed", s, from, got, at)
			}
		}
	})
}

func FuzzParseCalendar(f *testing.F) {
	f.Add(officeCalendar)
	f.Add("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:00010101\nRRULE:FREQ=YEARLY;COUNT=99999999999\nEND:VEVENT\nEND:VCALENDAR")
	f.Fuzz(func(t *testing.T, source string) {
		events, err := parseCalendar(source)
		if err != nil {
			if len(events) > 0 {
				t.Fatalf("events with %v", err)
			}
			return
		}
		for _, e := range events {
			if e.last.Before(e.first) || e.name == "" || strings.ContainsAny(e.name, "\r\n\x00") {
				t.Fatalf("%+v", e)
			}
		}
	})
}
