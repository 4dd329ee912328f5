package mailbox

import (
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// dateFound is a date in a text.
type dateFound struct {
	from, to int         // where it stands
	readings []time.Time // the likelier first
	closing  bool        // it is the end of a range that is written as one
}

// maxDates bounds how many numbers of a text are taken for dates.
const maxDates = 200

// dates returns the dates of the text in order. Each is found by its figures;
// the name of a month may stand on either side.
func (a *absence) dates() []dateFound {
	var found []dateFound
	text := a.text
	for i, tried := 0, 0; i < len(text) && tried < maxDates; i++ {
		if text[i] < '0' || text[i] > '9' {
			continue
		}
		tried++
		d, ok := a.dateAt(i)
		if ok {
			found = append(found, d)
			i = max(i, d.to-1)
		}
		for i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9' {
			i++
		}
	}
	return append(found, a.wordDates()...)
}

// Forms of dates, each at the beginning of what is matched.
var (
	yearFirst   = newPattern(`^(\d{4})(?:\s?年\s?|\s?년\s?|[-/.]\s?)(\d{1,2})(?:\s?月\s?|\s?월\s?|[-/.]\s?)(\d{1,2})(?:\s?[日号號일]|\b)`)
	asianRange  = newPattern(`^(\d{1,2})\s?[月월]\s?\d{1,2}\s?[日号號일]?\s?(?:\([^)]{1,6}\))?\s?(?:[-~〜–至到]|から|부터)\s?(\d{1,2})\s?[日号號일]`)
	asianDay    = newPattern(`^(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日号號일]?`)
	vietnamese  = newPattern(`^(\d{1,2}) tháng (\d{1,2})(?: năm (\d{4}))?`)
	inFigures   = newPattern(`^(\d{1,2})\s?([./-])\s?(\d{1,2})\b`)
	yearBehind  = newPattern(`^\s?([./-])\s?(\d{4}|\d{2})\b`)
	dayOfMonth  = newPattern(`^(\d{1,2})(?:st|nd|rd|th|er|ère|re|\.|o|a|:?e|-?го|-?е|-?ro)?\s?(?:of |de |del |d'|da |do |d\. |-)?\s?([\p{L}\p{M}]{2,})\.?,?(?:\s?(?:de |del |of |, )?(\d{4})\b)?`)
	behindMonth = newPattern(`^(\d{1,2})(?:st|nd|rd|th|\.)?(?:\s?(?:-|–|—|to |through |until )\s?(\d{1,2})(?:st|nd|rd|th)?)?(?:,?\s+(\d{4})\b)?`)
	monthAhead  = newPattern(`(?:(\d{4})\.?\s)?([\p{L}\p{M}]{3,})\.?\s(?:the )?$`)
)

// dateAt reads the date whose first figure stands at i.
func (a *absence) dateAt(i int) (dateFound, bool) {
	text := a.text
	if i > 0 && strings.IndexByte("0123456789/.:+", text[i-1]) >= 0 {
		return dateFound{}, false // a part of something longer
	}
	rest := cutRunes(text[i:], 60)
	d := dateFound{from: i}
	add := func(match []string, year string, month, day int) {
		d.to = max(d.to, i+len(match[0]))
		d.readings = append(d.readings, dateNear(year, month, day, a.written)...)
	}
	if m := yearFirst.FindStringSubmatch(rest); m != nil {
		add(m, m[1], number(m[2]), number(m[3]))
	} else if m := asianRange.FindStringSubmatch(rest); m != nil {
		add(m, "", number(m[1]), number(m[2]))
		d.closing = true
	} else if m := asianDay.FindStringSubmatch(rest); m != nil {
		add(m, "", number(m[1]), number(m[2]))
	} else if m := vietnamese.FindStringSubmatch(rest); m != nil {
		add(m, m[3], number(m[2]), number(m[1]))
	} else if month, year, from := a.monthBefore(i); month > 0 {
		a.withMonthAhead(&d, rest, month, year, from)
	} else if m := dayOfMonth.FindStringSubmatch(rest); m != nil && monthNamed(m[2]) > 0 {
		add(m, m[3], monthNamed(m[2]), number(m[1]))
	} else if m := inFigures.FindStringSubmatch(rest); m != nil {
		a.figures(m, rest, add)
	}
	return d, d.to > 0
}

// figures reads a date of figures only. A dash without a year may as well part
// two days, and does where a month's name follows.
func (a *absence) figures(m []string, rest string, add func([]string, string, int, int)) {
	first, second, year := number(m[1]), number(m[3]), ""
	if max(first, second) > 31 || min(first, second) < 1 || min(first, second) > 12 {
		return
	}
	if y := yearBehind.FindStringSubmatch(rest[len(m[0]):]); y != nil && y[1] == m[2] {
		year = y[2]
		m = []string{m[0] + y[0], m[1], m[2], m[3]}
	}
	if m[2] == "-" && year == "" {
		word, _, _ := strings.Cut(strings.TrimLeft(rest[len(m[0]):], " ."), " ")
		if monthNamed(strings.TrimRight(word, ".,")) > 0 {
			return
		}
	}
	switch {
	case m[2] == ".":
		add(m, year, second, first)
	case a.monthFirst:
		add(m, year, first, second)
		add(m, year, second, first)
	default:
		add(m, year, second, first)
		add(m, year, first, second)
	}
}

// monthBefore reads the name of a month, and perhaps a year, that stands right
// before position i.
func (a *absence) monthBefore(i int) (month int, year string, from int) {
	start := max(0, i-24)
	m := monthAhead.FindStringSubmatchIndex(a.text[start:i])
	if m == nil {
		return 0, "", 0
	}
	month = monthNamed(a.text[start+m[4] : start+m[5]])
	if m[2] >= 0 {
		year = a.text[start+m[2] : start+m[3]]
	}
	return month, year, start + m[0]
}

// withMonthAhead reads "December 4", "December 4-7" and "2026. december 4".
func (a *absence) withMonthAhead(d *dateFound, rest string, month int, year string, from int) {
	m := behindMonth.FindStringSubmatch(rest)
	if m == nil {
		return
	}
	day, end := m[1], d.from+len(m[0])
	if next := strings.TrimLeft(rest[len(m[0]):], " ."); m[2] != "" {
		word, _, _ := strings.Cut(next, " ")
		if monthNamed(word) == 0 { // else the second number belongs to another month
			day, d.closing = m[2], true
		} else {
			end = d.from + len(m[1])
		}
	}
	if m[3] != "" {
		year = m[3]
	}
	d.from, d.to = from, end
	d.readings = dateNear(year, month, number(day), a.written)
}

// wordDates finds dates without a day: the end of a month, a month alone after
// "until", a week of the calendar.
func (a *absence) wordDates() []dateFound {
	var found []dateFound
	for _, m := range aboutMonth.FindAllStringSubmatchIndex(a.text, 20) {
		month, part := monthNamed(a.text[m[4]:m[5]]), a.text[m[2]:m[3]]
		if month == 0 {
			continue
		}
		day := 1
		switch {
		case middle.MatchString(part):
			day = 15
		case ending.MatchString(part):
			day = time.Date(2026, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
		}
		year := ""
		if m[6] >= 0 {
			year = a.text[m[6]:m[7]]
		}
		found = append(found, dateFound{from: m[2], to: m[5], readings: dateNear(year, month, day, a.written)})
	}
	for _, m := range untilMonth.FindAllStringSubmatchIndex(a.text, 20) {
		if month := monthNamed(a.text[m[2]:m[3]]); month > 0 {
			found = append(found, dateFound{from: m[2], to: m[3], readings: dateNear("", month, 1, a.written), closing: true})
		}
	}
	for _, m := range ofWeek.FindAllStringSubmatchIndex(a.text, 20) {
		found = append(found, dateFound{from: m[2], to: m[5], readings: weekNear(number(a.text[m[4]:m[5]]), a.written)})
	}
	return found
}

var (
	aboutMonth = newPattern(`(?:^|[^\p{L}])((?:the )?(?:end|beginning|start|middle) of|early|late|mid|ende|anfang|mitte|fin|début|mi|fine|inizio|metà|finales de|fines de|principios de|mediados de|fim de|final de|início de|meados de|eind|einde|begin|half|medio|slutet av|början av|mitten av|slutningen af|starten af|midten af|slutten av|starten av|midten av|końca|początku|połowy|konce|konca|začátku|poloviny|конца|начала|середины|кінця|початку)[ -](?:de |d'|di |van |des monats )?([\p{L}\p{M}]{3,})(?: (\d{4}))?`)
	middle     = newPattern(`^(mi|me[td]|half|połow|polov|серед)|middle|mitt|midt`)
	ending     = newPattern(`(^|the )end|ende|^fi|late|eind|slut|ko[nń][ce]|^конц|^кінц`)
	untilMonth = newPattern(`(?:^|[^\p{L}])(?:until|till|bis|back in|zurück im|wieder im|jusqu'en|retour en|hasta|de vuelta en|tot|terug in|fino a|até|tillbaka i|tilbage i|tilbake i) ([\p{L}\p{M}]{3,})(?:[^\p{L}\p{M}\d]{1,2}(?:[^\d\s]|$)|$)`)
	ofWeek     = newPattern(`(?:^|[^\p{L}])(kw|kalenderwoche|week|vecka|uge|uke|semaine)\s?(\d{1,2})(?:[^\d]|$)`)
)

// weekNear returns the Monday of a week of the calendar (ISO 8601) that lies
// ahead: somebody who is away until that week is there on its Monday at the
// earliest, and the smaller error is to wait.
func weekNear(week int, written time.Time) []time.Time {
	if week < 1 || week > 53 {
		return nil
	}
	for date := written.AddDate(0, 0, 1); date.Before(written.AddDate(0, 0, maxAbsenceDays)); date = date.AddDate(0, 0, 1) {
		if _, w := date.ISOWeek(); w == week && date.Weekday() == time.Monday {
			return []time.Time{date}
		}
	}
	return nil
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
		switch {
		case y < 100:
			y += 2000
		case y > 2400: // the Thai calendar
			y -= 543
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

// monthNamed returns the number of a month from its name, in any case of it,
// or its abbreviation; 0 when it is none. The name is folded.
func monthNamed(name string) int {
	name = strings.TrimPrefix(name, "ב") // "in", which Hebrew writes as a part of the word
	if endTokens()[name] == fillToken && len(name) > 4 {
		return 0 // a day of the week: mardi is no March
	}
	best, month := 0, 0
	for _, s := range monthStems() {
		if len(s.stem) > best && strings.HasPrefix(name, s.stem) && monthEnding(name[len(s.stem):], s.whole) {
			best, month = len(s.stem), s.month
		}
	}
	return month
}

// monthEnding says whether so much may follow the stem of a month's name: the
// rest of a name, not of another word.
func monthEnding(rest string, whole bool) bool {
	if whole {
		return rest == ""
	}
	n := 0
	for _, r := range rest {
		if !unicode.In(r, unicode.L, unicode.M) {
			return false
		}
		n++
	}
	return n <= 7
}

type monthStem struct {
	stem  string
	month int
	whole bool // nothing may follow
}

// monthStems are the beginnings of the months' names in the languages of the
// tables. A name in whose place another word is likely is given whole.
var monthStems = sync.OnceValue(func() []monthStem {
	var stems []monthStem
	for i, words := range [12]string{
		"jan jän janv ene gen gener ian styczn tammik январ янв січ януар siječ leden ledna jaan sausi ιαν ינואר بناير يناير كانون_الثاني जनवर มกรา",
		"feb fév févr fev febr lut luty helmik фев феврал лют veljač únor februar şub vasar veeb φεβ φλεβ פברואר فبراير شباط फरवर กุมภา",
		"mar mär maer mrz març maal maart mrt márc mars marzo março marts marti marzec marca břez март берез ožuj kov kovo märts μαρ μάρ מרץ מרס مارس آذار मार्च มีนา",
		"apr avr abr abril kwie kwiet huhtik апр април квіт travnj trav. dub dubn dubna nis balandž ápr απρ אפריל أبريل ابريل نيسان अप्रैल เมษา",
		"may mai maj mei mag maggio mayo maio toukok мая май трав svib květ kvet máj may. mayıs geguž maij maí μάι μαΐ μαι מאי مايو أيار मई พฤษภา",
		"jun juin giu czer czerwc kesäk июн черв lipnj červen června jún haz birž juuni jūn iun ιούν ιουν יוני يونيو حزيران जून มิถุนา",
		"jul juil lug lip. lipc lipiec heinäk июл лип srpnj srpanj červen-ec července červenec júl tem liep juuli jūl iul ιούλ ιουλ יולי يوليو تموز जुलाई กรกฎา",
		"aug aoû aou ago agost elok sierp авг серп kolov srpen srpna ağu rugpj ágú αύγ αυγ אוגוסט أغسطس اغسطس آب_ अगस्त สิงหา",
		"sep sept set. setem sett syysk wrześ wrzes сен септ верес rujn rujan září zář szept eyl rugsė σεπ ספטמבר سبتمبر أيلول सितंबर सितम्बर กันยา",
		"oct okt outub out. ott ottob lokak paźdz pazdz окт жовт říj októb eki spal οκτ אוקטובר أكتوبر اكتوبر تشرين_الأول अक्टूबर अक्तूबर ตุลา",
		"nov marrask listop lis. ноя ноем листоп studen kas kası lapkr nóv noi noem νοέ νοε נובמבר نوفمبر تشرين_الثاني नवंबर नवम्बर พฤศจิกา",
		"dec dez déc dic des desem dets jouluk grud дек дец груд prosin ara ara. aralı gruod δεκ דצמבר ديسمبر كانون_الأول दिसंबर दिसम्बर ธันวา",
	} {
		for word := range strings.FieldsSeq(words) {
			stem, whole := strings.CutSuffix(word, ".")
			stems = append(stems, monthStem{stem: strings.ReplaceAll(stem, "_", " "), month: i + 1, whole: whole})
		}
	}
	return stems
})
