package sequences

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestADelayIsReadHoweverItIsWritten(t *testing.T) {
	tests := map[string]Delay{
		"0": {}, "00": {}, " 0 ": {},
		"2 seconds": {2, Seconds}, "1 second": {1, Seconds}, "2s": {2, Seconds},
		"30 minutes": {30, Minutes}, "30m": {30, Minutes}, "30min": {30, Minutes}, "30 mins": {30, Minutes},
		"4 hours": {4, Hours}, "4h": {4, Hours}, "1 hour": {1, Hours}, "4 hrs": {4, Hours},
		"3 days": {3, Days}, "3d": {3, Days}, "1 Day": {1, Days}, "03 days": {3, Days},
		"3 business days": {3, BusinessDays}, "3bd": {3, BusinessDays}, "3 BD": {3, BusinessDays},
		"1 business day": {1, BusinessDays}, "3  Business\t days ": {3, BusinessDays},
		"2 weeks": {2, Weeks}, "2w": {2, Weeks}, "1 WEEK": {1, Weeks}, "0 days": {0, Days},
		"260 weeks": {260, Weeks}, "1825 days": {1825, Days},
	}
	for text, want := range tests {
		if got, err := ParseDelay(text); err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestADelayThatIsNoneIsRefusedInWords(t *testing.T) {
	tests := map[string]string{
		"":                              "no delay given; write for example 3 business days",
		"3":                             `3 of what? A delay needs a unit; did you mean "3 days"?`,
		"-3 days":                       `a delay starts with a whole number, not "-3 days"; write for example 3 business days`,
		"+3 days":                       `a delay starts with a whole number, not "+3 days"; write for example 3 business days`,
		"1.5 days":                      "a delay is a whole number, not a fraction; use a smaller unit",
		"1,5 days":                      "a delay is a whole number, not a fraction; use a smaller unit",
		"261 weeks":                     "261 weeks is longer than five years",
		"1826 days":                     "1826 days is longer than five years",
		"99999999999999999999999 days":  "99999999999999999999999 days is longer than five years",
		"3 dyas":                        `unknown unit "dyas"; use minutes, hours, days, business days or weeks; did you mean "3 days"?`,
		"3 working days":                `unknown unit "working days"; use minutes, hours, days, business days or weeks; did you mean "3 business days"?`,
		"3 business":                    `unknown unit "business"; use minutes, hours, days, business days or weeks; did you mean "3 business days"?`,
		"3 business-days":               `unknown unit "business-days"; use minutes, hours, days, business days or weeks; did you mean "3 business days"?`,
		"2 months":                      `unknown unit "months"; use minutes, hours, days, business days or weeks`,
		"1 day 4 hours":                 `unknown unit "day 4 hours"; use minutes, hours, days, business days or weeks`,
		"٣ days":                        `a delay starts with a whole number, not "٣ days"; write for example 3 business days`,
		"99999999999999999999999 moons": `unknown unit "moons"; use minutes, hours, days, business days or weeks`,
	}
	for text, want := range tests {
		if d, err := ParseDelay(text); err == nil || err.Error() != want {
			t.Errorf("%q gives %v and the error\n     %v\nwant %s", text, d, err, want)
		}
	}
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// at reads "2026-03-29 02:30:00 +0200" in the named zone.
func at(t testing.TB, zoneName, text string) time.Time {
	t.Helper()
	tm, err := time.Parse("2006-01-02 15:04 -0700", text)
	if err != nil {
		t.Fatal(err)
	}
	return tm.In(zone(t, zoneName))
}

func TestADelayMovesTheDateAndKeepsTheTime(t *testing.T) {
	tests := []struct{ name, zone, from, wait, want string }{
		{"minutes are elapsed time across the spring change", "Europe/Berlin", "2026-03-29 01:45 +0100", "30m", "2026-03-29 03:15 +0200"},
		{"hours are elapsed time across the spring change", "Europe/Berlin", "2026-03-28 12:00 +0100", "24h", "2026-03-29 13:00 +0200"},
		{"a day keeps the wall clock across the spring change", "Europe/Berlin", "2026-03-28 12:00 +0100", "1d", "2026-03-29 12:00 +0200"},
		{"a time the night skips moves forward", "Europe/Berlin", "2026-03-28 02:30 +0100", "1d", "2026-03-29 03:30 +0200"},
		{"a time the night has twice is the first", "Europe/Berlin", "2026-10-24 02:30 +0200", "1d", "2026-10-25 02:30 +0200"},
		{"from the second of two to the next day", "Europe/Berlin", "2026-10-25 02:30 +0100", "1d", "2026-10-26 02:30 +0100"},
		{"nothing from the second of two stays there", "Europe/Berlin", "2026-10-25 02:30 +0100", "0 days", "2026-10-25 02:30 +0100"},
		{"a gap in the west", "America/New_York", "2026-03-07 02:15 -0500", "1d", "2026-03-08 03:15 -0400"},
		{"an overlap in the west", "America/New_York", "2026-10-31 01:15 -0400", "1d", "2026-11-01 01:15 -0400"},
		{"a gap of half an hour", "Australia/Lord_Howe", "2026-10-03 02:10 +1030", "1d", "2026-10-04 02:40 +1100"},
		{"midnight that does not exist", "America/Havana", "2026-03-07 00:00 -0500", "1d", "2026-03-08 01:00 -0400"},
		{"a whole day that does not exist", "Pacific/Apia", "2011-12-29 10:00 -1000", "1d", "2011-12-31 10:00 +1400"},
		{"three business days over a weekend", "UTC", "2026-11-19 10:00 +0000", "3bd", "2026-11-24 10:00 +0000"},
		{"one business day from a Friday", "UTC", "2026-11-20 10:00 +0000", "1bd", "2026-11-23 10:00 +0000"},
		{"one business day from a Saturday", "UTC", "2026-11-21 10:00 +0000", "1bd", "2026-11-23 10:00 +0000"},
		{"five business days from a Sunday", "UTC", "2026-11-22 10:00 +0000", "5bd", "2026-11-27 10:00 +0000"},
		{"two weeks", "Europe/Stockholm", "2026-10-20 09:00 +0200", "2w", "2026-11-03 09:00 +0100"},
		{"a day after the 28th of February", "UTC", "2028-02-28 09:00 +0000", "1d", "2028-02-29 09:00 +0000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := ParseDelay(tt.wait)
			if err != nil {
				t.Fatal(err)
			}
			want := at(t, tt.zone, tt.want)
			if got := d.After(at(t, tt.zone, tt.from)); !got.Equal(want) || got.Location().String() != tt.zone {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// zones are those with the odd rules: half hours, gaps at midnight, skipped
// days, changes by politics, and none at all.
var zones = strings.Fields(`UTC Europe/Berlin Europe/London Europe/Dublin America/New_York America/St_Johns America/Havana
	America/Sao_Paulo America/Santiago America/Caracas America/Asuncion America/Nuuk Asia/Kolkata Asia/Kathmandu
	Asia/Tehran Asia/Beirut Asia/Gaza Asia/Pyongyang Asia/Tokyo Africa/Cairo Africa/Casablanca Africa/Monrovia
	Atlantic/Azores Australia/Lord_Howe Australia/Eucla Antarctica/Troll Pacific/Apia Pacific/Chatham
	Pacific/Kiritimati Pacific/Kwajalein Etc/GMT+12`)

func drawTime(t *rapid.T) time.Time {
	loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(1993, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	end := time.Date(2045, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	at := time.Unix(rapid.Int64Range(start, end).Draw(t, "seconds"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanoseconds")).In(loc)
	if rapid.Bool().Draw(t, "near a change of the clocks") {
		if _, change := at.ZoneBounds(); !change.IsZero() {
			at = change.Add(time.Duration(rapid.Int64Range(-30*3600, 30*3600).Draw(t, "off")) * time.Second)
		}
	}
	return at
}

func TestDelaysHoldInEveryZone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := drawTime(t)
		d := Delay{rapid.IntRange(0, 40).Draw(t, "n"),
			rapid.SampledFrom([]Unit{Seconds, Minutes, Hours, Days, BusinessDays, Weeks}).Draw(t, "unit")}
		got := d.After(from)
		if got.Before(from) || (d.N > 0 && got.Equal(from)) || got.Location() != from.Location() {
			t.Fatalf("%v after %v is %v", d, from, got)
		}
		if again, err := ParseDelay(d.String()); err != nil || again.After(from) != got {
			t.Fatalf("%v is read back as %v, %v", d, again, err)
		}
		elapsed := map[Unit]time.Duration{Seconds: time.Second, Minutes: time.Minute, Hours: time.Hour}
		if each, ok := elapsed[d.Unit]; ok || d.N == 0 {
			if got.Sub(from) != time.Duration(d.N)*each {
				t.Fatalf("%v after %v is %v later", d, from, got.Sub(from))
			}
			return
		}
		checkDate(t, d, from, got)
	})
}

// checkDate counts the days by hand, and compares the time of day with what
// the standard library says about a time that exists.
func checkDate(t *rapid.T, d Delay, from, got time.Time) {
	date := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, time.UTC)
	for left := d.N; left > 0; {
		date = date.AddDate(0, 0, 1)
		weekend := date.Weekday() == time.Saturday || date.Weekday() == time.Sunday
		if d.Unit != BusinessDays || !weekend {
			left--
		}
	}
	if d.Unit == Weeks {
		date = time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, time.UTC).AddDate(0, 0, 7*d.N)
	}
	hour, minute, second := from.Clock()
	std := time.Date(date.Year(), date.Month(), date.Day(), hour, minute, second, from.Nanosecond(), from.Location())
	wall := date.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(from.Nanosecond()))
	if wallClock(std) == wall { // it exists
		if wallClock(got) != wall {
			t.Fatalf("%v after %v is %v, want the wall clock %v", d, from, got, wall)
		}
		if got.After(std) {
			t.Fatalf("%v after %v is %v, the first is %v", d, from, got, std)
		}
		return
	}
	if !wallClock(got).After(wall) {
		t.Fatalf("%v after %v is skipped that night and became %v", d, from, got)
	}
}

func FuzzParseDelay(f *testing.F) {
	for _, s := range []string{"0", "3 business days", "3bd", "30 minutes", "2w", "-1 day", "1.5d", "999999999999999999999 s", "3 \u00a0 days"} {
		f.Add(s)
	}
	from := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDelay(s)
		if err != nil {
			if err.Error() == "" || d != (Delay{}) {
				t.Fatalf("%v, %v", d, err)
			}
			return
		}
		if got := d.After(from); got.Before(from) || got.After(from.AddDate(5, 0, 3)) {
			t.Fatalf("%q is %v later", s, got.Sub(from))
		}
		if again, err := ParseDelay(d.String()); err != nil || (again != d && d.N != 0) {
			t.Fatalf("%q is %v, read back as %v, %v", s, d, again, err)
		}
	})
}
