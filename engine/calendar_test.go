package engine_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nudge/engine"
	"nudge/sequences"
)

// calendarOf is the calendar file of the mail that a sequence with these settings
// makes for somebody with these fields.
func calendarOf(t testing.TB, seq *sequences.Sequence, m engine.Mailbox, fields map[string]string) string {
	t.Helper()
	en := maria()
	en.EnrolledAt, en.Fields = start.Add(-90*time.Minute), fields
	email := composed(t, m, seq, 0, en)
	_, tree, leaves := leavesOf(t, email.Raw)
	if want := "multipart/mixed(multipart/alternative(text/plain text/html) text/calendar)"; tree != want {
		t.Fatalf("the mail is %s, want %s", tree, want)
	}
	if last := leaves[len(leaves)-1]; last.name != "visit.ics" {
		t.Errorf("the file is named %q", last.name)
	}
	if !bytes.Contains(email.Raw, []byte("\r\nContent-Type: text/calendar; charset=utf-8; method=PUBLISH\r\n")) {
		t.Errorf("the part is not announced as a published calendar\n%s", email.Raw)
	}
	return leaves[len(leaves)-1].content
}

// inStockholm are the settings of a mailbox there.
func inStockholm() engine.Mailbox {
	m := settings()
	m.Location = time.FixedZone("CET", 60*60)
	return m
}

func calendarSequence(t testing.TB, settings string) *sequences.Sequence {
	t.Helper()
	seq, err := sequences.Parse("visit.md", []byte("---\nneeds: visit\n---\n\n## Only\n\n```step\nwait: 1 day\nbefore: visit\nsubject: Visit\n"+settings+"\n```\n\nSee you.\n"))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func TestTheDateOfAStepGoesAlongAsACalendarEntry(t *testing.T) {
	seq := calendarSequence(t, "calendar: {{ topic }}, with {{ first_name }}\nplace: {{ where }}\nlasts: 90 minutes")
	m := inStockholm()
	got := calendarOf(t, seq, m, map[string]string{"visit": "2026-12-03 14:00", "topic": "The roof; part 1", "where": `C:\Office, 2nd floor`, "first_name": "Maria"})
	want := strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//" + engine.AddressDomain(m.Address) + "//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
		"BEGIN:VEVENT", "UID:*", "DTSTAMP:" + start.UTC().Format("20060102T150405Z"), "SEQUENCE:90",
		"DTSTART:20261203T130000Z", "DTEND:20261203T143000Z", `SUMMARY:The roof\; part 1\, with Maria`, `LOCATION:C:\\Office\, 2nd floor`,
		`ORGANIZER;CN="` + m.DisplayName + `":mailto:` + m.Address, "STATUS:CONFIRMED", "END:VEVENT", "END:VCALENDAR", ""}, "\r\n")
	if diff := cmp.Diff(want, starred(got, "UID:")); diff != "" {
		t.Error(diff)
	}
}

// starred hides the value of a property.
func starred(calendar, property string) string {
	before, rest, _ := strings.Cut(calendar, "\r\n"+property)
	_, after, _ := strings.Cut(rest, "\r\n")
	return before + "\r\n" + property + "*\r\n" + after
}

// TestADateIsTheSameInTheMailAndInItsCalendar: a date that names an offset is
// told as the reader's clocks show it.
func TestADateIsTheSameInTheMailAndInItsCalendar(t *testing.T) {
	seq := calendarSequence(t, `calendar: {{ visit | date: "%H:%M" }}`+"\nplace: {{ visit | date: \"%d.%m. %Z\" }}")
	seq.Timezone = "Europe/Berlin"
	for _, tc := range []struct{ value, zone, summary, place, start string }{
		{"2027-03-29T10:00:00-05:00", "", "17:00", "29.03. CEST", "20270329T150000Z"},
		{"2027-03-29T10:00:00Z", "", "12:00", "29.03. CEST", "20270329T100000Z"},
		{"2027-01-07T23:30:00Z", "", "00:30", "08.01. CET", "20270107T233000Z"},
		{"2027-01-07 09:00", "", "09:00", "07.01. CET", "20270107T080000Z"},
		{"2027-01-07T23:30:00Z", "America/New_York", "18:30", "07.01. EST", "20270107T233000Z"},
	} {
		got := calendarOf(t, seq, inStockholm(), map[string]string{"visit": tc.value, "timezone": tc.zone})
		for _, want := range []string{"SUMMARY:" + tc.summary, "LOCATION:" + tc.place, "DTSTART:" + tc.start} {
			if !strings.Contains(got, "\r\n"+want+"\r\n") {
				t.Errorf("%s %s: no %s in\n%s", tc.value, tc.zone, want, got)
			}
		}
	}
}

func TestADayIsADayInTheCalendar(t *testing.T) {
	for _, tc := range []struct{ lasts, value, want string }{
		{"", "2026-12-03", "DTSTART;VALUE=DATE:20261203\r\nSUMMARY"},
		{"lasts: 2 days", "3 December 2026", "DTSTART;VALUE=DATE:20261203\r\nDTEND;VALUE=DATE:20261205\r\nSUMMARY"},
		{"lasts: 1 hour", "2026-12-03", "DTSTART;VALUE=DATE:20261203\r\nSUMMARY"},
		{"", "2026-12-03 00:00", "DTSTART:20261202T230000Z\r\nSUMMARY"},
		{"lasts: 1 day", "2026-12-03T10:00:00Z", "DTSTART:20261203T100000Z\r\nDTEND:20261204T100000Z\r\nSUMMARY"},
	} {
		got := calendarOf(t, calendarSequence(t, "calendar: Visit\n"+tc.lasts), inStockholm(), map[string]string{"visit": tc.value})
		if !strings.Contains(got, tc.want) {
			t.Errorf("%s, %q: %s", tc.value, tc.lasts, got)
		}
	}
}

// An entry for the same date of the same person takes the place of the earlier
// one; another person's does not.
func TestAMovedDateKeepsItsEntry(t *testing.T) {
	seq := calendarSequence(t, "calendar: Visit")
	uid := func(en engine.Enrollment) string {
		_, _, leaves := leavesOf(t, composed(t, settings(), seq, 0, en).Raw)
		_, rest, _ := strings.Cut(leaves[len(leaves)-1].content, "\r\nUID:")
		id, _, _ := strings.Cut(rest, "\r\n")
		return id
	}
	en := maria()
	en.Fields = map[string]string{"visit": "2026-12-03 14:00"}
	first := uid(en)
	en.Fields, en.Resends = map[string]string{"visit": "2026-12-04 15:00"}, 1
	if moved := uid(en); moved != first {
		t.Errorf("%s became %s", first, moved)
	}
	en.ID, en.Key = "000002", "bo@kund.example"
	if other := uid(en); other == first {
		t.Errorf("two people share %s", other)
	}
}

func TestATitleWithoutWordsIsTheSequences(t *testing.T) {
	seq := calendarSequence(t, `calendar: {{ x | default: "" }}`)
	for _, value := range []string{"", "\u202e\u2066"} {
		got := calendarOf(t, seq, settings(), map[string]string{"visit": "2026-12-03", "x": value})
		if want := "\r\nSUMMARY:" + seq.Title + "\r\n"; seq.Title == "" || !strings.Contains(got, want) {
			t.Errorf("%q: no %q in %s", value, want, got)
		}
	}
}

func TestTheOrganizersAddressIsALink(t *testing.T) {
	m := settings()
	m.Address = "o'hara?x%y@bergroofing.example"
	got := calendarOf(t, calendarSequence(t, "calendar: Visit"), m, map[string]string{"visit": "2026-12-03"})
	if want := ":mailto:o%27hara%3Fx%25y@bergroofing.example\r\n"; !strings.Contains(strings.ReplaceAll(got, "\r\n ", ""), want) {
		t.Errorf("no %s in %s", want, got)
	}
}

func TestAHostileValueIsHarmlessInACalendarEntry(t *testing.T) {
	seq := calendarSequence(t, "calendar: Visit by {{ x }}\nplace: {{ x }}\nlasts: 1 hour")
	for _, value := range append(hostile, "a\r\nATTENDEE:mailto:evil@example.com", `"\;,:`, "\\\r\nEND:VEVENT") {
		checkCalendar(t, seq, value)
	}
}

func FuzzCalendar(f *testing.F) {
	for _, value := range hostile {
		f.Add(value)
	}
	seq := calendarSequence(f, "calendar: Visit by {{ x }}\nplace: {{ x }}\nlasts: 1 hour")
	f.Fuzz(func(t *testing.T, value string) { checkCalendar(t, seq, value) })
}

// checkCalendar says whether a value can write more into the calendar than the
// two texts it stands in.
func checkCalendar(t *testing.T, seq *sequences.Sequence, value string) {
	t.Helper()
	m := settings()
	m.DisplayName = value
	fields := map[string]string{"visit": "2026-12-03 14:00", "x": value}
	en := maria()
	en.Fields = fields
	if _, err := engine.Compose(m, make([]byte, 32), seq, &seq.Steps[0], en, start); err != nil {
		return // a field without a value: that prospect is held
	}
	got := calendarOf(t, seq, m, fields)
	if !utf8.ValidString(got) {
		t.Errorf("%q: not UTF-8", value)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(got, "\r\n"), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("%q: a line of %d octets: %q", value, len(line), line)
		}
	}
	var names []string
	for line := range strings.SplitSeq(strings.TrimSuffix(strings.ReplaceAll(got, "\r\n ", ""), "\r\n"), "\r\n") {
		names = append(names, line[:strings.IndexAny(line, ":;")])
	}
	want := "BEGIN VERSION PRODID CALSCALE METHOD BEGIN UID DTSTAMP SEQUENCE DTSTART DTEND SUMMARY LOCATION ORGANIZER STATUS END END"
	if strings.TrimSpace(value) == "" {
		return
	}
	if have := strings.Join(names, " "); have != want && have != strings.Replace(want, "LOCATION ", "", 1) {
		t.Errorf("%q: the properties are %s", value, have)
	}
}
