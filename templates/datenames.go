package templates

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/osteele/tuesday"
)

// dayNames is how a language writes days and months. Months stand in the form
// that they have behind the number of a day.
type dayNames struct {
	days, shortDays     [7]string // from Sunday on
	months, shortMonths [12]string
	inWords             string // a day without its year; %A, %e and %B stand for its parts
}

// dateLanguages are those in which dates can be written, by their codes.
var dateLanguages = map[string]dayNames{
	"cs": {
		[7]string{"neděle", "pondělí", "úterý", "středa", "čtvrtek", "pátek", "sobota"}, [7]string{"ne", "po", "út", "st", "čt", "pá", "so"},
		[12]string{"ledna", "února", "března", "dubna", "května", "června", "července", "srpna", "září", "října", "listopadu", "prosince"},
		[12]string{"led", "úno", "bře", "dub", "kvě", "čvn", "čvc", "srp", "zář", "říj", "lis", "pro"}, "%A %e. %B",
	},
	"da": {
		[7]string{"søndag", "mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag"}, [7]string{"søn", "man", "tirs", "ons", "tors", "fre", "lør"},
		[12]string{"januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november", "december"},
		[12]string{"jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec"}, "%A den %e. %B",
	},
	"de": {
		[7]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"}, [7]string{"So", "Mo", "Di", "Mi", "Do", "Fr", "Sa"},
		[12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
		[12]string{"Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"}, "%A, %e. %B",
	},
	"en": {
		[7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}, [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
		[12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		[12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}, "%A %e %B",
	},
	"es": {
		[7]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"}, [7]string{"dom", "lun", "mar", "mié", "jue", "vie", "sáb"},
		[12]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
		[12]string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"}, "%A %e de %B",
	},
	"fi": {
		[7]string{"sunnuntai", "maanantai", "tiistai", "keskiviikko", "torstai", "perjantai", "lauantai"}, [7]string{"su", "ma", "ti", "ke", "to", "pe", "la"},
		[12]string{"tammikuuta", "helmikuuta", "maaliskuuta", "huhtikuuta", "toukokuuta", "kesäkuuta", "heinäkuuta", "elokuuta", "syyskuuta", "lokakuuta", "marraskuuta", "joulukuuta"},
		[12]string{"tammi", "helmi", "maalis", "huhti", "touko", "kesä", "heinä", "elo", "syys", "loka", "marras", "joulu"}, "%A %e. %B",
	},
	"fr": {
		[7]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"}, [7]string{"dim.", "lun.", "mar.", "mer.", "jeu.", "ven.", "sam."},
		[12]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
		[12]string{"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."}, "%A %e %B",
	},
	"it": {
		[7]string{"domenica", "lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato"}, [7]string{"dom", "lun", "mar", "mer", "gio", "ven", "sab"},
		[12]string{"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"},
		[12]string{"gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"}, "%A %e %B",
	},
	"nb": norwegian,
	"nl": {
		[7]string{"zondag", "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag"}, [7]string{"zo", "ma", "di", "wo", "do", "vr", "za"},
		[12]string{"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"},
		[12]string{"jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"}, "%A %e %B",
	},
	"no": norwegian,
	"pl": {
		[7]string{"niedziela", "poniedziałek", "wtorek", "środa", "czwartek", "piątek", "sobota"}, [7]string{"niedz.", "pon.", "wt.", "śr.", "czw.", "pt.", "sob."},
		[12]string{"stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września", "października", "listopada", "grudnia"},
		[12]string{"sty", "lut", "mar", "kwi", "maj", "cze", "lip", "sie", "wrz", "paź", "lis", "gru"}, "%A, %e %B",
	},
	"pt": {
		[7]string{"domingo", "segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado"}, [7]string{"dom", "seg", "ter", "qua", "qui", "sex", "sáb"},
		[12]string{"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"},
		[12]string{"jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"}, "%A, %e de %B",
	},
	"sv": {
		[7]string{"söndag", "måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag"}, [7]string{"sön", "mån", "tis", "ons", "tors", "fre", "lör"},
		[12]string{"januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december"},
		[12]string{"jan", "feb", "mars", "apr", "maj", "juni", "juli", "aug", "sep", "okt", "nov", "dec"}, "%A %e %B",
	},
}

var norwegian = dayNames{
	[7]string{"søndag", "mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag"}, [7]string{"søn", "man", "tir", "ons", "tor", "fre", "lør"},
	[12]string{"januar", "februar", "mars", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "desember"},
	[12]string{"jan", "feb", "mar", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "des"}, "%A %e. %B",
}

// namesIn are those of a language, or of its parent, as de of de-AT; English
// where there are none.
func namesIn(language string) dayNames {
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	if names, known := dateLanguages[base]; known {
		return names
	}
	return dateLanguages["en"]
}

// DateLanguages lists the codes of the languages in which dates are written.
func DateLanguages() []string {
	var codes []string
	for code := range dateLanguages {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

// DayInWords writes a day as a mail names it, without the year: Monday 2 January,
// Montag, 2. Januar.
func DayInWords(t time.Time, language string) string {
	names := namesIn(language)
	return strings.TrimSpace(strings.NewReplacer("%A", names.days[t.Weekday()], "%e", t.Format("2"), "%B", names.months[t.Month()-1]).Replace(names.inWords))
}

// writeDate is the filter date.
func writeDate(t time.Time, form, language string) (string, error) {
	return tuesday.Strftime(named(form, t, language), t)
}

// named puts the names of a day and its month into a form of strftime, which
// knows only English ones.
func named(form string, t time.Time, language string) string {
	names := namesIn(language)
	var b strings.Builder
	for i := 0; i < len(form); i++ {
		if form[i] != '%' {
			b.WriteByte(form[i])
			continue
		}
		end := i + 1
		for end < len(form) && strings.IndexByte("-_0^#123456789", form[end]) >= 0 {
			end++
		}
		if end == len(form) {
			b.WriteString(form[i:])
			break
		}
		word := ""
		switch form[end] {
		case 'A':
			word = names.days[t.Weekday()]
		case 'a':
			word = names.shortDays[t.Weekday()]
		case 'B':
			word = names.months[t.Month()-1]
		case 'b', 'h':
			word = names.shortMonths[t.Month()-1]
		}
		if word == "" || end > i+1 && strings.Trim(form[i+1:end], "^") != "" {
			b.WriteString(form[i : end+1])
		} else if end > i+1 {
			b.WriteString(strings.Map(unicode.ToUpper, word))
		} else {
			b.WriteString(word)
		}
		i = end
	}
	return b.String()
}
