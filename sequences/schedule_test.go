package sequences

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func schedule(t testing.TB, text string) Schedule {
	t.Helper()
	s, err := ParseSchedule(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if s.String() != text {
		t.Errorf("%q is written back as %q", text, s)
	}
	return s
}

func TestASchedulesFirstAllowedMoment(t *testing.T) {
	const office = "mon-fri 09:00-16:30"
	tests := []struct{ name, schedule, zone, from, want string }{
		{"always", "always", "UTC", "2026-11-21 03:17 +0000", "2026-11-21 03:17 +0000"},
		{"inside a window", office, "UTC", "2026-11-20 10:17 +0000", "2026-11-20 10:17 +0000"},
		{"at its first minute", office, "UTC", "2026-11-20 09:00 +0000", "2026-11-20 09:00 +0000"},
		{"at its end it is shut", office, "UTC", "2026-11-20 16:30 +0000", "2026-11-23 09:00 +0000"},
		{"in the weekend", office, "UTC", "2026-11-21 12:00 +0000", "2026-11-23 09:00 +0000"},
		{"the second of two windows", "mon-fri 09:00-16:30; sat 10:00-12:00", "UTC", "2026-11-20 17:00 +0000", "2026-11-21 10:00 +0000"},
		{"two times on one day", "fri 09:00-12:00, 13:00-17:00", "UTC", "2026-11-20 12:10 +0000", "2026-11-20 13:00 +0000"},
		{"a list of days", "mon,wed fri 09:00-10:00", "UTC", "2026-11-16 11:00 +0000", "2026-11-18 09:00 +0000"},
		{"days that wrap around the week", "fri-mon 09:00-10:00", "UTC", "2026-11-23 11:00 +0000", "2026-11-27 09:00 +0000"},
		{"full names and odd blanks", "Monday - Friday 9:00 – 16:30", "UTC", "2026-11-21 12:00 +0000", "2026-11-23 09:00 +0000"},
		{"up to midnight", "fri 22:00-24:00", "UTC", "2026-11-20 23:59 +0000", "2026-11-20 23:59 +0000"},
		{"midnight itself is the next day", "fri 22:00-24:00", "UTC", "2026-11-21 00:00 +0000", "2026-11-27 22:00 +0000"},
		{"the clocks jump into a window", "sun 02:30-05:00", "Europe/Berlin", "2026-03-29 01:59 +0100", "2026-03-29 03:00 +0200"},
		{"the clocks jump over a window", "sun 02:10-02:50", "Europe/Berlin", "2026-03-29 01:59 +0100", "2026-04-05 02:10 +0200"},
		{"a window that comes twice, before the first", "sun 02:10-02:50", "Europe/Berlin", "2026-10-25 01:00 +0200", "2026-10-25 02:10 +0200"},
		{"a window that comes twice, between the two", "sun 02:10-02:50", "Europe/Berlin", "2026-10-25 02:55 +0200", "2026-10-25 02:10 +0100"},
		{"midnight that does not exist", "sun 00:00-02:00", "America/Havana", "2026-03-07 12:00 -0500", "2026-03-08 01:00 -0400"},
		{"the last day of a leap year", "mon 02:00-02:30", "Europe/Berlin", "2040-12-31 03:00 +0100", "2041-01-07 02:00 +0100"},

		{"cron, before a firing", "cron 0 9 * * mon-fri", "UTC", "2026-11-20 08:10 +0000", "2026-11-20 09:00 +0000"},
		{"cron, within the hour after a firing", "cron 0 9 * * mon-fri", "UTC", "2026-11-20 09:59 +0000", "2026-11-20 09:59 +0000"},
		{"cron, an hour after a firing", "cron 0 9 * * mon-fri", "UTC", "2026-11-20 10:00 +0000", "2026-11-23 09:00 +0000"},
		{"cron every quarter", "cron */15 9-16 * * mon-fri", "UTC", "2026-11-20 17:44 +0000", "2026-11-20 17:44 +0000"},
		{"cron every quarter, an hour after the last", "cron */15 9-16 * * mon-fri", "UTC", "2026-11-20 17:45 +0000", "2026-11-23 09:00 +0000"},
		{"cron on a leap day", "cron 0 9 29 2 *", "UTC", "2026-11-20 17:45 +0000", "2028-02-29 09:00 +0000"},
		{"cron on the last day of a leap year", "cron 30 2 31 12 *", "Europe/Berlin", "2040-12-31 00:00 +0100", "2040-12-31 02:30 +0100"},
		{"cron by name", "cron @daily", "UTC", "2026-11-20 17:45 +0000", "2026-11-21 00:00 +0000"},
		{"a firing the night skips is at the end of the gap", "cron 30 2 * * *", "Europe/Berlin", "2026-03-29 00:00 +0100", "2026-03-29 03:00 +0200"},
		{"and is open for an hour from there", "cron 30 2 * * *", "Europe/Berlin", "2026-03-29 03:59 +0200", "2026-03-29 03:59 +0200"},
		{"and not longer", "cron 30 2 * * *", "Europe/Berlin", "2026-03-29 04:00 +0200", "2026-03-30 02:30 +0200"},
		{"a firing the night has twice is the first", "cron 30 2 * * *", "Europe/Berlin", "2026-10-25 00:00 +0200", "2026-10-25 02:30 +0200"},
		{"and does not come again", "cron 30 2 * * *", "Europe/Berlin", "2026-10-25 02:30 +0100", "2026-10-26 02:30 +0100"},
		{"a midnight that does not exist", "cron 0 0 * * *", "America/Havana", "2026-03-07 23:30 -0500", "2026-03-08 01:00 -0400"},
		{"another one", "cron 0 0 * * *", "Asia/Beirut", "2026-03-28 12:00 +0200", "2026-03-29 01:00 +0300"},
		{"a whole day that does not exist", "cron 0 9 30 12 *", "Pacific/Apia", "2011-12-29 12:00 -1000", "2011-12-31 00:00 +1400"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := schedule(t, tt.schedule)
			from, want := at(t, tt.zone, tt.from), at(t, tt.zone, tt.want)
			got := s.First(from)
			if !got.Equal(want) || got.Location() != from.Location() {
				t.Errorf("got %v, want %v", got, want)
			}
			if s.Allows(from) != want.Equal(from) {
				t.Errorf("Allows(%v) is %v", from, s.Allows(from))
			}
		})
	}
}

func TestAScheduleThatIsNoneIsRefusedInWords(t *testing.T) {
	tests := map[string]string{
		"":                           "no schedule given; write for example mon-fri 09:00-16:30",
		";":                          "no window given; write for example mon-fri 09:00-16:30",
		"allways":                    `unknown schedule "allways"; did you mean "always"?`,
		"always mon":                 "nothing may follow always",
		"never":                      `unknown day "never"`,
		"mon-fri":                    `no times after "mon-fri"; did you mean "mon-fri 09:00-16:30"?`,
		"mon-fri 9-17":               `"9" is not a time of day; write it with 24 hours, like 09:00`,
		"mon 09:00":                  `"09:00" is not a window; write it from and to, like 09:00-16:30`,
		"mon 09:00-09:00":            "this window never opens: 09:00 is not after 09:00; split one that passes midnight in two",
		"mon 22:00-02:00":            "this window never opens: 02:00 is not after 22:00; split one that passes midnight in two",
		"mon 09:00-09:60":            "there is no time 09:60",
		"mon-tue-wed 09:00-10:00":    `unknown day "tue-wed"`,
		"cron":                       "no cron expression given; write for example cron */15 9-16 * * mon-fri",
		"cron TZ=x":                  "a cron expression has no time zone of its own; use timezone: in the front matter",
		"cron CRON_TZ=UTC 0 9 * * *": "a cron expression has no time zone of its own; use timezone: in the front matter",
		"cron @every -1s":            "@every is not a time of day; use wait: for delays and cron for hours",
		"cron 0 9 * *":               "cron: expected exactly 5 fields, found 4: [0 9 * *]",
		"cron 0 9 30 2 *":            "this cron expression never fires: no such day comes",
		"cron , * * * *":             `cron: an empty place in the list ","`,
		"cron @reboot":               "cron: unrecognized descriptor: @reboot",
		"*/15 9-16 * * *":            `a cron expression needs the word cron before it; did you mean "cron */15 9-16 * * *"?`,
	}
	for text, want := range tests {
		if s, err := ParseSchedule(text); err == nil || err.Error() != want || s != nil {
			t.Errorf("%q gives %v and the error\n     %v\nwant %s", text, s, err, want)
		}
	}
}

func drawSchedule(t *rapid.T) Schedule {
	day := rapid.SampledFrom(strings.Fields("sun mon tue wed thu fri sat"))
	var text string
	if rapid.Bool().Draw(t, "cron") {
		minute := rapid.SampledFrom([]string{"*", "*/15", "0", "30", "10,50", "59"}).Draw(t, "minute")
		hour := rapid.SampledFrom([]string{"*", "0", "2", "1-3", "9-16", "23", "*/5"}).Draw(t, "hour")
		text = fmt.Sprintf("cron %s %s * * %s", minute, hour, rapid.SampledFrom([]string{"*", "sun", "mon-fri", "6,0"}).Draw(t, "days"))
	} else {
		var parts []string
		for range rapid.IntRange(1, 3).Draw(t, "windows") {
			start := rapid.IntRange(0, 24*60-1).Draw(t, "start")
			end := rapid.IntRange(start+1, 24*60).Draw(t, "end")
			parts = append(parts, fmt.Sprintf("%s-%s %02d:%02d-%02d:%02d", day.Draw(t, "from"), day.Draw(t, "to"),
				start/60, start%60, end/60, end%60))
		}
		text = strings.Join(parts, "; ")
	}
	s, err := ParseSchedule(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// First must be the earliest moment that Allows allows: minutes are tried one
// by one, across the changes of the clocks.
func TestFirstIsTheEarliestAllowedMomentInEveryZone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, from := drawSchedule(t), drawTime(t)
		got := s.First(from)
		if got.IsZero() || got.Before(from) || !s.Allows(got) {
			t.Fatalf("%s from %v is %v", s, from, got)
		}
		if s.Allows(from) != got.Equal(from) {
			t.Fatalf("%s allows %v: %v, but the first is %v", s, from, s.Allows(from), got)
		}
		step := max(time.Minute, got.Sub(from)/300).Round(time.Minute)
		for at := got.Add(-time.Second); at.After(from); at = at.Add(-step) {
			if s.Allows(at) {
				t.Fatalf("%s from %v is %v, but %v is allowed", s, from, got, at)
			}
		}
	})
}

func TestCronFiresOnceForEachWallClockTimeInEveryZone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minute, hour := rapid.IntRange(0, 59).Draw(t, "minute"), rapid.IntRange(0, 23).Draw(t, "hour")
		s, err := ParseSchedule(fmt.Sprintf("cron %d %d * * *", minute, hour))
		if err != nil {
			t.Fatal(err)
		}
		from := drawTime(t).Truncate(time.Minute)
		days := map[string]int{}
		for at := from; at.Before(from.Add(4 * 24 * time.Hour)); {
			fired := s.(*firings).next(at)
			h, m, _ := fired.Clock()
			before := fired.Add(-time.Nanosecond)
			_, offset := fired.Zone()
			_, offsetBefore := before.Zone()
			inGap := offset > offsetBefore
			if (h != hour || m != minute) && !inGap {
				t.Fatalf("%s fired at %v", s, fired)
			}
			day := fired.Format("2006-01-02")
			if !inGap { // the firing of a day that was skipped may share its day with another
				days[day]++
			}
			if days[day] > 1 {
				t.Fatalf("%s fired twice on %s", s, day)
			}
			at = fired.Add(time.Nanosecond)
		}
		if len(days) < 2 {
			t.Fatalf("%s fired on %v only from %v", s, days, from)
		}
	})
}

func TestDueAtWaitsAndThenLooksAtTheSchedule(t *testing.T) {
	st := Step{Wait: Delay{3, BusinessDays}, Send: schedule(t, "mon-fri 09:00-16:30")}
	tests := []struct{ name, zone, prev, want string }{
		{"in the window the time of day is kept", "Europe/Stockholm", "2026-11-18 10:40 +0100", "2026-11-23 10:40 +0100"},
		{"before the window it waits for the opening", "Europe/Stockholm", "2026-11-18 07:00 +0100", "2026-11-23 09:00 +0100"},
		{"after the window it is the next day", "Europe/Stockholm", "2026-11-18 20:00 +0100", "2026-11-24 09:00 +0100"},
		{"after the window of a Friday it is Monday", "Europe/Stockholm", "2026-11-17 20:00 +0100", "2026-11-23 09:00 +0100"},
		{"the zone decides which day it is", "Pacific/Auckland", "2026-11-19 22:00 +0000", "2026-11-25 11:00 +1300"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			prev, want := at(t, tt.zone, tt.prev).UTC(), at(t, tt.zone, tt.want)
			got := st.DueAt(prev, zone(t, tt.zone))
			if !got.Equal(want) || got.Location().String() != tt.zone {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func FuzzParseSchedule(f *testing.F) {
	for _, s := range []string{"always", "mon-fri 09:00-16:30; sat 10:00-12:00", "fri-mon 00:00-24:00", "cron */15 9-16 * * mon-fri",
		"cron TZ=", "cron @every 1h", "cron @daily", "cron 0 0 29 2 *", "cron */99999999999999 * * * *", "cron 1-,* * * * *", "; ;", "mon -"} {
		f.Add(s)
	}
	berlin := zone(f, "Europe/Berlin")
	from := time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC).In(berlin)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSchedule(text)
		if err != nil {
			if s != nil || err.Error() == "" {
				t.Fatalf("%v, %v", s, err)
			}
			return
		}
		got := s.First(from)
		if got.IsZero() || got.Before(from) || !s.Allows(got) || s.Allows(from) != got.Equal(from) {
			t.Fatalf("%q from %v is %v", text, from, got)
		}
	})
}

func BenchmarkDueAt(b *testing.B) {
	loc := zone(b, "Europe/Berlin")
	prev := time.Date(2026, 3, 27, 18, 0, 0, 0, loc)
	for _, text := range []string{"mon-fri 09:00-16:30", "cron */15 9-16 * * mon-fri", "cron * * * * *"} {
		st := Step{Wait: Delay{3, BusinessDays}, Send: schedule(b, text)}
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				st.DueAt(prev, loc)
			}
		})
	}
}
