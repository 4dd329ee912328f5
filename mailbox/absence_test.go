package mailbox

import (
	"testing"
	"time"
)

func TestAbsenceEnds(t *testing.T) {
	// A Monday.
	sent := time.Date(2026, 11, 23, 18, 30, 0, 0, time.FixedZone("CET", 3600))
	for _, tt := range []struct {
		text, want string
	}{
		{"I am out of the office until 2026-12-04.", "2026-12-04"},
		{"I'm away until Friday, 4 December.", "2026-12-04"},
		{"I will be away until December 4th and answer then.", "2026-12-04"},
		{"Out of office through Dec. 4, 2026", "2026-12-04"},
		{"I'm on leave from 24/11/2026 till 04/12/2026.", "2026-12-04"},
		{"Back in the office on Monday, December 7.", "2026-12-07"},
		{"I will be returning to the office on 7 Dec", "2026-12-07"},
		{"I am away from 1 December until 1 January.", "2027-01-01"},
		{"Ich bin bis zum 4.12. nicht im Büro.", "2026-12-04"},
		{"Ich bin bis Freitag, den 04.12.2026 abwesend.", "2026-12-04"},
		{"Ich bin vom 24. November bis einschließlich 4. Dezember im Urlaub.", "2026-12-04"},
		{"Ab Montag, 7. Dezember, bin ich wieder für Sie da.", "2026-12-07"},
		{"Ich bin am 7. Dezember wieder im Büro.", "2026-12-07"},
		{"Je suis en congés jusqu'au 1er décembre.", "2026-12-01"},
		{"Je serai de retour le lundi 7 décembre 2026", "2026-12-07"},
		{"Estaré fuera de la oficina hasta el viernes 4 de diciembre.", "2026-12-04"},
		{"Regreso el 7 de diciembre.", "2026-12-07"},
		{"Ik ben afwezig tot en met vrijdag 4 december.", "2026-12-04"},
		{"Vanaf 7 december ben ik weer bereikbaar.", "2026-12-07"},
		{"Jag är på semester till och med 4 december.", "2026-12-04"},
		{"Jag är åter den 7 december.", "2026-12-07"},
		{"Olen poissa, back on 7.12.", "2026-12-07"},
		{"4月20日まで不在です。 12月4日（金）まで不在にしております。", "2026-12-04"},
		{"我将于12月7日返回办公室", "2026-12-07"},
		{"AUTO: Anna is out of the office (returning 12/07/2026)", "2026-12-07"},
		{"AUTO: Anna is out of the office (returning 07/12/2026)", "2026-12-07"},

		{"I am out of the office until further notice.", ""},
		{"I am back on Monday.", ""},
		{"I was away until 20 November.", ""},
		{"The fair runs until 4 December 2028.", ""},
		{"Ab dem 7. Dezember bin ich im Urlaub.", ""},
		{"From 7 December I am on leave.", ""},
		{"Call me on 030/12.12.44 until then.", ""},
		{"until 31 February", ""},
		{"", ""},
	} {
		got := ""
		if end := absenceEnd(tt.text, sent); !end.IsZero() {
			got = end.Format("2006-01-02")
		}
		if got != tt.want {
			t.Errorf("%q ends %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestAbsenceEndsOnlyWithinAHundredDays(t *testing.T) {
	sent := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for days, want := range map[int]bool{-1: false, 0: false, 1: true, 100: true, 101: false} {
		date := sent.AddDate(0, 0, days).Format("2006-01-02")
		if got := !absenceEnd("out until "+date, sent).IsZero(); got != want {
			t.Errorf("%d days ahead: believed %v, want %v", days, got, want)
		}
	}
	if !absenceEnd("out until 2026-12-04", time.Time{}).IsZero() {
		t.Error("a mail without a date cannot say what is ahead")
	}
}
