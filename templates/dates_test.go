package templates

import (
	"testing"
	"time"
)

// TestDatesInAZone: a date is written as the clocks of the reader show it.
func TestDatesInAZone(t *testing.T) {
	tests := []struct{ zone, value, words, want string }{
		{"Europe/Berlin", "2027-03-29T10:00:00-05:00", `{{ d | date: "%H:%M" }}`, "17:00"},
		{"Europe/Berlin", "2027-03-29T10:00:00Z", `{{ d | date: "%H:%M" }}`, "12:00"},
		{"Europe/Berlin", "2027-01-07T23:30:00Z", `{{ d | date: "%-d %B" }}`, "8 January"},
		{"Europe/Berlin", "Thu, 07 Jan 2027 23:30:00 +0000", `{{ d | date: "%-d %B" }}`, "8 January"},
		{"Europe/Berlin", "2027-01-07T23:30:00Z", `{{ d | plus_days: 1 }}`, "2027-01-09"},
		{"Europe/Berlin", "2027-01-07T23:30:00Z", `{{ d | plus_business_days: 1 }}`, "2027-01-11"},
		{"Europe/Berlin", "2027-01-07 09:00", `{{ d | date: "%H:%M %Z %z" }}`, "09:00 CET +0100"},
		{"Europe/Berlin", "2027-07-07 09:00", `{{ d | date: "%H:%M %Z %z" }}`, "09:00 CEST +0200"},
		{"Europe/Berlin", "2027-03-27 02:30", `{{ d | plus_days: 1 | date: "%-d %H:%M" }}`, "28 03:30"},
		{"Europe/Berlin", "2027-03-27 09:00", `{{ d | plus_days: 1 | date: "%-d %H:%M" }}`, "28 09:00"},
		{"America/Sao_Paulo", "2018-11-04", `{{ d | date: "%-d %B" }}`, "4 November"},
		{"America/Sao_Paulo", "2018-11-03", `{{ d | plus_days: 1 }} {{ d | plus_days: 2 }}`, "2018-11-04 2018-11-05"},
		{"UTC", "2027-01-07 09:00", `{{ d | date: "%H:%M %Z" }}`, "09:00 UTC"},
	}
	for _, test := range tests {
		loc, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		f := Fields{"d": test.value}
		body, err := Parse(test.words, Position{1, 1})
		if err != nil {
			t.Fatal(err)
		}
		parts, err := body.RenderIn(loc, f)
		if err != nil || parts.Text != test.want+"\n" || inner(t, parts.HTML) != "<p>"+test.want+"</p>" {
			t.Errorf("%s of %s in %s: %q, %v; want %q", test.words, test.value, test.zone, parts.Text, err, test.want)
		}
		line, err := ParseLine(test.words, Position{1, 1})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := line.RenderIn(loc, f); err != nil || got != test.want {
			t.Errorf("subject %s of %s in %s: %q, %v; want %q", test.words, test.value, test.zone, got, err, test.want)
		}
	}
}
