package templates

import (
	"strings"
	"testing"
	"time"
)

func TestDatesAreWrittenInTheLanguageOfTheMails(t *testing.T) {
	const words = "{{ day | date: \"%A, %-d. %B %Y, %a %b %^A 100%% %H:%M\" }}"
	for language, want := range map[string]string{
		"":      "Thursday, 7. January 2027, Thu Jan THURSDAY 100% 09:30",
		"en":    "Thursday, 7. January 2027, Thu Jan THURSDAY 100% 09:30",
		"de":    "Donnerstag, 7. Januar 2027, Do Jan DONNERSTAG 100% 09:30",
		"de-AT": "Donnerstag, 7. Januar 2027, Do Jan DONNERSTAG 100% 09:30",
		"fr":    "jeudi, 7. janvier 2027, jeu. janv. JEUDI 100% 09:30",
		"pl":    "czwartek, 7. stycznia 2027, czw. sty CZWARTEK 100% 09:30",
		"he":    "Thursday, 7. January 2027, Thu Jan THURSDAY 100% 09:30",
	} {
		tmpl, err := ParseWith(words, Position{1, 1}, Options{Language: language})
		if err != nil {
			t.Fatal(err)
		}
		parts, err := tmpl.Render(Fields{"day": "2027-01-07 09:30"})
		if err != nil || strings.TrimSpace(parts.Text) != want {
			t.Errorf("%q: %q, %v, want %q", language, parts.Text, err, want)
		}
	}
}

func TestADayInWords(t *testing.T) {
	day := time.Date(2026, 12, 7, 9, 0, 0, 0, time.UTC)
	for language, want := range map[string]string{
		"": "Monday 7 December", "cs": "pondělí 7. prosince", "da": "mandag den 7. december", "de-CH": "Montag, 7. Dezember", "en-GB": "Monday 7 December",
		"es": "lunes 7 de diciembre", "fi": "maanantai 7. joulukuuta", "fr": "lundi 7 décembre", "it": "lunedì 7 dicembre", "nb": "mandag 7. desember",
		"nl": "maandag 7 december", "no": "mandag 7. desember", "pl": "poniedziałek, 7 grudnia", "pt-BR": "segunda-feira, 7 de dezembro", "sv": "måndag 7 december",
	} {
		if got := DayInWords(day, language); got != want {
			t.Errorf("%q: %q, want %q", language, got, want)
		}
	}
	for _, code := range DateLanguages() {
		names, seen := namesIn(code), map[string]bool{}
		for _, list := range [][]string{names.days[:], names.months[:]} {
			for _, word := range list {
				if seen[word] || word == "" || strings.Contains(word, "%") {
					t.Errorf("%s has %q twice, or it is no word", code, word)
				}
				seen[word] = true
			}
		}
	}
}
