package sequences

import (
	"testing"
	"testing/fstest"

	"nudge/templates"
)

// The language of the front matter reaches the dates of the words, the subject
// and the calendar entry.
func TestTheLanguageReachesEveryDate(t *testing.T) {
	lib, err := Load(fstest.MapFS{"termin.md": {Data: []byte("---\nlanguage: de\nneeds: termin\n---\n\n## 1. Morgen\n\n```step\nwait: 1 day\nbefore: termin\n" +
		"subject: Bis {{ termin | date: \"%A\" }}\ncalendar: Termin am {{ termin | date: \"%A\" }}\n```\n\nBis {{ termin | date: \"%A\" }}?\n")}})
	if err != nil {
		t.Fatal(err)
	}
	seq, ok := lib.Sequence("termin")
	if !ok {
		t.Fatal(lib.Broken())
	}
	st, fields := seq.Steps[0], templates.Fields{"termin": "2027-03-01 10:00"}
	body, err := st.Body.Render(fields)
	if err != nil || body.Text != "Bis Montag?\n" {
		t.Errorf("the words: %q, %v", body.Text, err)
	}
	for what, line := range map[string]*templates.Line{"Bis Montag": st.Subject, "Termin am Montag": st.Calendar.Title} {
		if got, err := line.Render(fields); err != nil || got != what {
			t.Errorf("%q, %v, want %q", got, err, what)
		}
	}
}
