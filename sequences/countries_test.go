package sequences

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAnchorHolidaysOfCountries(t *testing.T) {
	for _, tt := range []struct{ code, date, name string }{
		{"se", "2026-06-19", "Midsommarafton"}, {"se", "2026-12-25", "Juldagen"}, {"se", "2026-12-23", ""}, {"se", "2027-01-06", "Trettondedag jul"},
		{"us", "2026-07-03", "Independence Day"}, {"us", "2026-11-26", "Thanksgiving Day"}, {"us", "2026-12-24", ""},
		{"us", "2021-12-31", "New Year's Day"}, // observed in the year before
		{"gb", "2026-12-28", "Boxing Day"}, {"gb", "2026-04-03", "Good Friday"},
		{"de", "2026-10-03", "Tag der Deutschen Einheit"}, {"de", "2026-01-06", ""}, {"de-by", "2026-01-06", "Heilige Drei Könige"},
		{"no", "2026-05-17", "Grunnlovsdag"}, {"dk", "2026-04-02", "Skærtorsdag"}, {"fr", "2026-07-14", "Fête Nationale"},
		{"au-nsw", "2026-01-26", "Australia Day"}, {"ch-zh", "2026-08-01", "Bundesfeiertag"},
	} {
		h, known := country(tt.code)
		if !known {
			t.Errorf("%s is not known", tt.code)
			continue
		}
		date, _ := parseDate(tt.date)
		if name, off := h.Name(date); name != tt.name || off != (tt.name != "") {
			t.Errorf("%s %s is %q, want %q", tt.code, tt.date, name, tt.name)
		}
	}
}

// Every calendar has holidays in any year, few of them, and gives the same
// answer in any zone and from many goroutines.
func TestEveryCountryHasHolidays(t *testing.T) {
	far := time.FixedZone("", 14*60*60)
	for _, code := range slices.Sorted(maps.Keys(countries)) {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			h, _ := country(code)
			var all sync.WaitGroup
			for year := 2024; year <= 2032; year++ {
				all.Go(func() {
					n := 0
					for d := time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC); d.Year() == year; d = d.AddDate(0, 0, 1) {
						name, off := h.Name(d)
						if off {
							n++
						}
						y, m, dd := d.Date()
						if there, _ := h.Name(time.Date(y, m, dd, 1, 0, 0, 0, far)); there != name {
							t.Errorf("%s is %q, and %q elsewhere", d.Format(time.DateOnly), name, there)
						}
					}
					if n < 4 || n > 45 {
						t.Errorf("%d has %d holidays", year, n)
					}
				})
			}
			all.Wait()
		})
	}
}

func TestACountryAndDatesOfOnesOwnAreOneCalendar(t *testing.T) {
	s, err := Parse("-", []byte(withFront("holidays: SE, 2026-12-28..2026-12-30, 01-02, us")))
	if err != nil {
		t.Fatal(err)
	}
	for date, want := range map[string]string{"2026-12-25": "Juldagen", "2026-12-29": ownHoliday, "2029-01-02": ownHoliday, "2026-11-26": "Thanksgiving Day", "2026-11-27": ""} {
		d, _ := parseDate(date)
		if name, _ := s.Holidays.Name(d); name != want {
			t.Errorf("%s is %q, want %q", date, name, want)
		}
	}
}

func TestWhatIsSaidOfACountryNobodyKnows(t *testing.T) {
	for entry, want := range map[string]string{
		"uk": `did you mean "gb"?`, "de-bu": `its regions are de-bb, de-be`, "pt": "or one of ar, at, be, bg", "au": "its regions are au-act, au-nsw",
	} {
		_, err := Parse("-", []byte(withFront("holidays: "+entry)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", entry, err, want)
		}
	}
}
