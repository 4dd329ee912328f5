package mailbox

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// An absence's end is believed from one day after the mail was written to so
// many days after. Everything else is another date that happens to stand there.
const maxAbsenceDays = 100

// absenceEnd returns the last day of an absence that a text names, at 00:00
// UTC. Both "until 4 December" and "back on 4 December" give the 4th: a day too
// long is the smaller error. Of several, the last one counts. Zero when the
// text names none, or sent is not known.
func absenceEnd(text string, sent time.Time) time.Time {
	if sent.IsZero() {
		return time.Time{}
	}
	y, mo, d := sent.Date()
	written := time.Date(y, mo, d, 0, 0, 0, 0, time.UTC)
	var end time.Time
	for _, line := range sentences(text) {
		marks := endWord.FindAllStringIndex(line, 8)
		if backWord.MatchString(line) {
			marks = append(marks, fromWord.FindAllStringIndex(line, 8)...)
		}
		for _, at := range marks {
			if date := dateAhead(line[at[1]:], written); date.After(end) {
				end = date
			}
		}
		for _, match := range endAfter.FindAllStringSubmatch(line, 8) {
			if date := dateAhead(match[1], written); date.After(end) {
				end = date
			}
		}
	}
	return end
}

// sentences cuts a text into pieces short enough that a word and the date
// behind it belong together. A dot ends one only where a new word begins, for
// dates are full of dots.
func sentences(text string) []string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 16<<10 {
		text = text[:16<<10]
	}
	text = abbreviated.ReplaceAllString(strings.ToLower(text), "$1 $2")
	return sentenceEnd.Split(text, -1)
}

var (
	abbreviated = regexp.MustCompile(`(\p{L})\. (\d)`) // "Dec. 4"
	sentenceEnd = regexp.MustCompile(`[!?;。！？]|[^\d\s.]\. `)
)

// endWord is what stands before the day an absence ends, in the languages of
// the subject table. The text is lower-case.
var endWord = word(`until`, `till?`, `through`, `thru`, `back( in the office| at work| at my desk| again)?( on| by)?`,
	`return(ing|s)?( to (the |my )?(office|work|desk))?( again)?( on)?`,
	`bis( einschlie(ß|ss)lich| zum| inkl\.?| einschl\.?| und mit| incl\.?)*`, `zurück( am| ab)?`, `erst( wieder)?( am)?`,
	`jusqu['’]?(au|à)?( inclus)?`, `retour( au bureau)?( le)?`, `hasta( el)?( día)?`, `regres(o|aré|aremos|ar|a)( el)?`, `vuel(vo|ta)( el)?`,
	`tot( en met)?`, `t/m`, `terug( op| vanaf)?`, `till( och med)?`, `t\.?o\.?m\.?`, `åter( den| på kontoret)?`, `tillbaka( den| på kontoret)?`, `förrän( den)?`,
	`til( og med)?`, `tilbage( den)?`, `tilbake( den)?`, `fino al`, `rientr(o|erò)( il)?`, `at[ée]( o dia| ao dia)?`, `regress(o|arei)( em| a| no dia)?`,
	`do( dnia| dne)?`, `wracam`, `до`, `вернусь`, `повернуся`)

// fromWord stands before the day an absence ends only where the sentence also
// says that somebody is there again; else it is the day the absence begins.
var (
	fromWord = word(`ab( dem)?`, `from`, `as of`, `vanaf`, `från( och med)?`, `fra( og med)?`, `a partir del?`, `à partir du`, `dal`, `od`, `с`, `on`, `am`, `op`, `den`, `le`, `el`, `il`)
	backWord = word(`wieder`, `zurück`, `back`, `return(ing)?`, `available again`, `terug`, `weer`, `tillbaka`, `åter`, `tilbage`, `tilbake`, `(de )?retour`, `de nouveau`,
		`regreso`, `de vuelta`, `nuevamente`, `rientro`, `nuovamente`, `de volta`, `wracam`, `снова`, `вернусь`)
)

// word makes an expression that finds any of some expressions as whole words.
// \b knows only ASCII letters.
func word(alternatives ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[^\p{L}\p{N}])(?:` + strings.Join(alternatives, "|") + `)(?:[\s:,]+|$)`)
}

// endAfter is for languages that name the day first.
var endAfter = regexp.MustCompile(`((?:\d{4}年)?\d{1,2}月\d{1,2}日|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}/\d{1,2})\s*(?:\([^)]{1,6}\)|（[^）]{1,9}）)?\s*(?:まで|から出社|より出社|に戻|に出社|返回|回到|恢复|恢復|回来|回來|之前|까지)`)

// Forms of dates. They are matched at the start of what follows an endWord,
// after weekdays and articles.
var (
	isoDate     = regexp.MustCompile(`^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b`)
	cjkDate     = regexp.MustCompile(`^(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日`)
	numericDate = regexp.MustCompile(`^(\d{1,2})([./-])\s?(\d{1,2})(?:[./-]\s?(\d{4}|\d{2})\b|\.|\b)`)
	dayMonth    = regexp.MustCompile(`^(\d{1,2})(?:st|nd|rd|th|er|ère|\.|º|ª|:?e)?\s*(?:of |de |del |d')?\s*(\p{L}{3,})\.?,?(?:\s+(?:de |del )?(\d{4})\b)?`)
	monthDay    = regexp.MustCompile(`^(\p{L}{3,})\.?\s+(?:the )?(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4})\b)?`)
	beforeDate  = regexp.MustCompile(`^(?:(?:the|on|den|der|dem|el|le|il|de|op|em|am|zum|and|including|einschließlich|incl\.?|inkl\.?|with|med|o|dia|día|och|:|,|\(|zo|ma|di|wo|do|vr|za|mo|mi|fr|sa|so)\s+|(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?[.,]?\s+|\p{L}{3,6}tag,?\s+|(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag)s?,?\s+(?:den |dem )?|(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)\s+|(?:lunes|martes|miércoles|jueves|viernes|sábado|domingo)\s+|(?:lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica)\s+|(?:maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag)\s+|(?:måndag|tisdag|onsdag|torsdag|fredag|lördag|söndag|mandag|tirsdag|lørdag|søndag)\s+(?:den )?|(?:segunda|terça|quarta|quinta|sexta)(?:-feira)?,?\s+)`)
)

// dateAhead reads the date that s begins with. Zero when it is none, or not
// within the days that an absence can end on.
func dateAhead(s string, written time.Time) time.Time {
	s = strings.TrimLeft(s, " ")
	for range 4 {
		rest := beforeDate.FindString(s)
		if rest == "" {
			break
		}
		s = s[len(rest):]
	}
	for _, date := range datesAt(s, written) {
		days := int(date.Sub(written).Hours() / 24)
		if days >= 1 && days <= maxAbsenceDays {
			return date
		}
	}
	return time.Time{}
}

// datesAt returns the readings of the date that s begins with, the likelier
// first: 05/01/2027 is a day in January in most of the world and in May in one
// country, and the reading that is near ahead is the one that is meant.
func datesAt(s string, written time.Time) []time.Time {
	var readings []time.Time
	add := func(year, month, day string) {
		readings = append(readings, dateNear(year, number(month), number(day), written)...)
	}
	switch {
	case isoDate.MatchString(s):
		m := isoDate.FindStringSubmatch(s)
		add(m[1], m[2], m[3])
	case cjkDate.MatchString(s):
		m := cjkDate.FindStringSubmatch(s)
		add(m[1], m[2], m[3])
	case numericDate.MatchString(s):
		m := numericDate.FindStringSubmatch(s)
		add(m[4], m[3], m[1])
		if m[2] != "." {
			add(m[4], m[1], m[3])
		}
	case dayMonth.MatchString(s):
		m := dayMonth.FindStringSubmatch(s)
		readings = dateNear(m[3], monthNamed(m[2]), number(m[1]), written)
	case monthDay.MatchString(s):
		m := monthDay.FindStringSubmatch(s)
		readings = dateNear(m[3], monthNamed(m[1]), number(m[2]), written)
	}
	return readings
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// dateNear makes a date. Without a year it is the first such day after the
// mail was written.
func dateNear(year string, month, day int, written time.Time) []time.Time {
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return nil
	}
	years := []int{written.Year(), written.Year() + 1}
	if y := number(year); y > 0 {
		if y < 100 {
			y += 2000
		}
		years = []int{y}
	}
	var dates []time.Time
	for _, y := range years {
		date := time.Date(y, time.Month(month), day, 0, 0, 0, 0, time.UTC)
		if date.Day() == day && date.After(written) {
			dates = append(dates, date)
		}
	}
	return dates
}

// monthNamed returns the number of a month from its name or the abbreviation
// of it, 0 when it is none.
func monthNamed(name string) int {
	name = strings.ToLower(name)
	best, month := 0, 0
	for i, stems := range monthStems {
		for _, stem := range stems {
			if len(stem) > best && strings.HasPrefix(name, stem) {
				best, month = len(stem), i+1
			}
		}
	}
	return month
}

// monthStems are the beginnings of the months' names in English, German,
// French, Spanish, Dutch, Swedish, Danish, Norwegian, Italian, Portuguese,
// Polish, Finnish, Russian and Ukrainian. The longest
// that fits wins.
var monthStems = [12][]string{
	{"jan", "jän", "ene", "gen", "styc", "tammik", "янв", "січ"},
	{"feb", "fév", "fev", "lut", "helmik", "фев", "лют"},
	{"mar", "mär", "mrz", "maa", "mrt", "мар", "берез"},
	{"apr", "avr", "abr", "kwie", "huhtik", "апр", "квіт"},
	{"may", "mai", "maj", "mei", "mag", "toukok", "мая", "май", "трав"},
	{"jun", "juin", "giu", "czer", "kesäk", "июн", "черв"},
	{"jul", "juil", "lug", "lip", "heinäk", "июл", "лип"},
	{"aug", "aoû", "aou", "ago", "sierp", "elok", "авг", "серп"},
	{"sep", "set", "wrze", "syysk", "сен", "верес"},
	{"oct", "okt", "out", "ott", "paź", "lokak", "окт", "жовт"},
	{"nov", "marras", "lis", "ноя", "листоп"},
	{"dec", "dez", "déc", "dic", "des", "gru", "jouluk", "дек", "груд"},
}
