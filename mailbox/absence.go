package mailbox

import (
	"strings"
	"sync"
	"time"
)

// An absence's end is believed from one day after the mail was written to so
// many days after. Everything else is another date that happens to stand there.
const maxAbsenceDays = 100

// maxAbsenceText bounds the text in which dates are looked for, in bytes.
const maxAbsenceText = 8 << 10

// absenceEnd returns the last day of an absence that a text names, at 00:00
// UTC. Both "until 4 December" and "back on 4 December" give the 4th: a day too
// long is the smaller error. Of several, the last one counts. Zero when the
// text names none, or sent is not known.
func absenceEnd(text string, sent time.Time) time.Time {
	if sent.IsZero() {
		return time.Time{}
	}
	y, mo, d := sent.Date()
	_, zone := sent.Zone()
	a := absence{
		text:    foldText(cutRunes(text, maxAbsenceText)),
		written: time.Date(y, mo, d, 0, 0, 0, 0, time.UTC),
	}
	a.monthFirst = monthBeforeDay(a.text, zone)
	var end time.Time
	for _, found := range a.dates() {
		date := a.near(found.readings)
		if date.After(end) && a.ends(found) {
			end = date
		}
		a.last = found.to
	}
	return end
}

// absence is a text in which somebody says how long he is away.
type absence struct {
	text       string // folded
	written    time.Time
	monthFirst bool // 12/4 is a day in December
	last       int  // where the date before the present one ends, 0 for none
}

// near returns the first reading of a date that an absence can end on.
func (a *absence) near(readings []time.Time) time.Time {
	for _, date := range readings {
		if days := int(date.Sub(a.written).Hours() / 24); days >= 1 && days <= maxAbsenceDays {
			return date
		}
	}
	return time.Time{}
}

// ends says whether a date is one on which the absence ends or somebody is
// back, by the words around it.
func (a *absence) ends(d dateFound) bool {
	if d.closing || endAfter.MatchString(cutRunes(a.text[d.to:], 60)) {
		return true
	}
	before := strings.ToValidUTF8(a.text[max(0, d.from-80):d.from], "")
	if asianUntil.MatchString(before) {
		return true
	}
	for range 8 {
		before = strings.TrimRight(before, " ,(:.")
		word := lastWord(before)
		switch kind := endTokens()[word]; {
		case word == "":
			return a.backAround(d)
		case kind == endToken:
			return true
		case strings.TrimRight(word, dashes) != word && (a.dateBefore(strings.TrimRight(before, dashes), d) || strings.Trim(word, dashes) == ""):
			return a.dateBefore(strings.TrimRight(before, dashes), d)
		case kind == joinToken && a.dateBefore(strings.TrimSuffix(before, word), d):
			return true
		case kind == 0 && strings.TrimRight(word, dashes) == word:
			return a.backAround(d)
		}
		before = strings.TrimSuffix(before, word)
	}
	return false
}

// dashes may part the two ends of a range.
const dashes = "-–—~〜～→"

// asianUntil finds the word for until at the end of a text that does not part
// its words.
var asianUntil = newPattern(`(?:至|到|直到|截至|から|부터|ถึง|จนถึง)\s?(?:วันที่\s?)?$`)

// dateBefore says whether what stands before the middle of a range is its
// beginning: a date, or at least the number of a day.
func (a *absence) dateBefore(before string, d dateFound) bool {
	before = strings.TrimRight(before, " ,.)")
	if a.last > 0 && d.from-a.last <= 40 {
		return true
	}
	return dayNumber.MatchString(before)
}

// dayNumber finds the day that begins a range within a month.
var dayNumber = newPattern(`(?:^|[^\d./:])\d{1,2}(?:st|nd|rd|th|er|\.|日|号)?$`)

// backAround says whether the sentence around a date speaks of somebody's
// return. A dot ends a sentence only where a new word begins, for dates are
// full of dots.
func (a *absence) backAround(d dateFound) bool {
	before := a.text[max(0, d.from-120):d.from]
	if ends := sentenceEnd.FindAllStringIndex(before, -1); len(ends) > 0 {
		before = before[ends[len(ends)-1][1]:]
	}
	after := cutRunes(a.text[d.to:], 120)
	if at := sentenceEnd.FindStringIndex(after); at != nil {
		after = after[:at[0]+1]
	}
	return backWords.in(strings.ToValidUTF8(before, "") + " # " + after)
}

var sentenceEnd = newPattern(`[!?;。！？]|[^\d\s.]{2}\. `)

// lastWord returns the last word of a text, "" when there is none.
func lastWord(s string) string {
	return s[strings.LastIndexAny(s, " (,\n")+1:]
}

// monthBeforeDay says whether dates in figures put the month first: in East
// Asia, and in English from a zone of North America, unless another date of
// the text shows the contrary.
func monthBeforeDay(text string, zone int) bool {
	for _, m := range figures.FindAllStringSubmatch(text, 20) {
		first, second := number(m[1]), number(m[2])
		switch {
		case first > 12 && first <= 31 && second <= 12:
			return false
		case second > 12 && second <= 31 && first <= 12:
			return true
		}
	}
	if unspaced(text) {
		return true
	}
	return zone <= -4*3600 && zone >= -10*3600 && english.MatchString(text)
}

var (
	figures = newPattern(`(?:^|[^\d./-])(\d{1,2})/(\d{1,2})(?:[^\d]|$)`)
	english = newPattern(`\b(the|i am|i'm|i will|will be|away|back|returning|return)\b`)
)

// backWords are what a sentence says that names the day of a return.
var backWords = newPhrases(
	`back (on|in|at|by|to (work|the|my)|from|after|around|again)_`, `(be|am|is|are|'m|come|coming) (fully )?back`, `return(s|ing)?_`, `available again`, `re-?open`, `resume`, `again_`, `wieder`, `zurück`, `zurueck`, `kehre`, `terug`, `weer`, `hervat`, `tillbaka`, `åter_`, `återkommer`, `tilbage`, `tilbake`, `retur_`, `på jobb`, `igen_`, `igjen`, `(de |mon |au )?retour`, `de nouveau`, `reviens|reviendrai|reprend`, `rouvr`, `regres`, `de vuelta`, `vuelv|volver|vuelta`, `nuevamente`, `reincorpor`, `reanud`, `rientr`, `ritorn`, `nuovamente`, `di nuovo`, `tornerò|torno`, `riapr`, `de volta`, `retorn`, `volt(o|arei|amos)`, `novamente`,
	`palaan|palaamme|takaisin|jälleen`, `wracam|wrócę|wróci|powrót|powrocie|ponownie`, `vrátím|vracím|zpět|návrat|opět|budu zpět|vrátim|späť|opäť`, `vissza|újra|ismét|legközelebb|leszek (az irodában|elérhető)`, `revin|întorc|din nou|înapoi`, `döneceğim|dönüş|tekrar|geri|(ofiste|işte|iş başında) ol|işe baş`, `vrnem|vrnil|nazaj|spet|vraćam|natrag|povratak|ponovno|opet`, `вернусь|вернёмся|возвращ|выйду|выхожу|снова|приступлю|(буду|снова) (на работе|в офисе|на связи|доступ)|(на работе|в офисе|на связи) (буду|снова|с_)`, `повернуся|повертаюся|знову`, `върна|връщам|отново|на работа|на линия`, `вратићу|враћам|поново`, `επιστρέ|πάλι|ξανά|επιστροφή`, `grįšiu|grįžtu|vėl`, `atgriezīšos|atpakaļ|atkal`, `tagasi|naasen`, `ו?(אחזור|חוזר|אשוב|שוב)`, `و?(سأعود|أعود|العودة|مجددا)`, `kembali`, `trở lại|quay lại`, `til baka`, `(kem|kemur|mæti|mætir) `, `aftur_`, `वापस`,
	`戻り|復帰|出社|再開|帰社|営業開始|より営業|返信いたし`, `返回|回到|回来|回來|恢复|恢復|上班|返工|销假|重新`, `복귀|돌아|출근|정상 ?근무|업무 ?재개`, `กลับ`,
)

// endAfter finds what follows the day on which an absence ends, in languages
// that name the day first, and the word that says the day is included.
var endAfter = newPattern(`^(?:st|nd|rd|th)?[\s.,)]{0,3}(?:(?:年)?[(（][^)）]{1,12}[)）]|(?:星期|周|週|礼拜)[一二三四五六日天]|[월화수목금토일]요일|\p{L}{4,14}(?:day|tag|dag|ag)\b|\d{4}\b)?[\s,.(]{0,3}(?:まで|迄|から出社|より出社|に戻|に出社|に復帰|から復帰|から通常|より通常|帰社|返回|回(?:到|公司|办公室|辦公室|岗|司|国|來|来)|复工|復工|到岗|恢复|恢復|回来|回來|之前|前返|前回|上班|返工|까지|에 복귀|부터 정상|복귀|asti|saakka|-?ig\b|['’]?\p{L}{0,5}\s?(?:tarihi\p{L}{0,4}\s)?kadar|tarihine\s|तक|inclusive|inclus|incluid|incluso|inclusivé|compres|einschl|inkl|włącznie|včetně|vrátane|включительно|включно|t\.?\s?o\.?\s?m|kaasa ?arvatud|imtinai|ieskaitot|dahil|zaključno|uključ)`)

// Kinds of the words that stand before a date. The first that a word has in
// any language counts.
const (
	endToken  = 1 + iota // the day is the last one
	joinToken            // in the middle of a range
	fillToken            // says nothing
)

// endTokens are the words that stand before dates. Those that mean an end in
// one language and nothing in another are ends only where a date follows them,
// which is the only place they are looked for.
var endTokens = sync.OnceValue(func() map[string]int {
	kinds := map[string]int{}
	for _, row := range []struct {
		kind  int
		words string
	}{
		{endToken, `fins until till 'til til through thru untill upto bis jusqu'au jusqu'à jusqu'a jusqu'en jusqu' jusque jusqu'aux hasta tot t/m tm tot/met tom t.o.m t.o.m. t.om fino sino finché até ate vsaj do az až до по έως μέχρι ως kuni līdz iki până pana sampai hingga dengan s/d s.d đến tới ถึง עד حتى لغاية الى إلى returning returns return back zurück wieder erst retour terug tillbaka åter tilbage tilbake regreso vuelvo vuelta rientro rientrerò ritorno volto retorno regresso wracam palaan wrócę vrátím vracím vrátim vrnem vraćam revin döneceğim вернусь повернуся grįšiu atgriezīšos tagasi förrän förr før ennen ende before før förr før förr`},
		{joinToken, `to al au a à aux and und et y e en i и та ja ve és si și から 至 到 dan và`},
		{fillToken, `on am ab from as vom von op vanaf per zum zur beim à partir du dès desde dal dalla em no na na- från fra od ode z ze со с з від от από dari kepada mulai từ alates nuo kl. lúc in בתאריך ב- من met
			all' dell' dall' nell' sull' dell voraussichtlich wahrscheinlich vermutlich ungefähr etwa probably about around approximately approx. ca ca. circa cca environ probablement aproximadamente presumibilmente vermoedelijk waarschijnlijk omkring cirka ungefär troligen sannolikt trolig sandsynligvis todennäköisesti prawdopodobnie pravděpodobně pravdepodobne orientačně примерно ориентировочно предположительно приблизно vključno zaključno vključujoč s włącznie uključivo včetně vrátane w we во d the of including incl incl. included inkl inkl. einschl einschl. einschließlich inclusive mit och med og inclusief inclus inclusi
			den der dem des die das le la l' les el los las il lo i gli o os as dia día dias días giorno giorni jour jours dnia dniu dne dni dňa datum dato date datë de del della dello d' do. data zi ziua pe tanggal tgl ngày hết kl at um klo next nächsten nächste kommenden prochain prossimo próximo próxima proximo volgende kommande førstkommende přespříští číslo числа числа. день дня τις την στις της ה- ה יום يوم تاريخ
			mon tue tues wed weds thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday sunday mo di mi fr sa so do. montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven sam dim lunes martes miércoles miercoles jueves viernes sábado sabado domingo lunedì martedì mercoledì giovedì venerdì domenica lunedi segunda terça quarta quinta sexta segunda-feira terça-feira quarta-feira quinta-feira sexta-feira
			maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma wo vr za zo måndag tisdag onsdag torsdag fredag lördag söndag måndagen tisdagen onsdagen torsdagen fredagen lördagen söndagen mandag tirsdag lørdag søndag maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai maanantaina tiistaina keskiviikkona torstaina perjantaina lauantaina sunnuntaina
			poniedziałku poniedziałek wtorku wtorek środy środa czwartku czwartek piątku piątek soboty sobota niedzieli niedziela pondělí úterý středy středa čtvrtka čtvrtek pátku pátek soboty neděle pondelka utorka stredy štvrtka piatka hétfő kedd szerda csütörtök péntek szombat vasárnap hétfőn luni marți miercuri joi vineri sâmbătă duminică pazartesi salı çarşamba perşembe cuma cumartesi pazar ponedjeljka utorka srijede četvrtka petka subote ponedeljka torka srede četrtka nedelje
			понедельника вторника среды четверга пятницы субботы воскресенья понедельник вторник среду четверг пятницу понеділка вівторка середи п'ятниці неділі понеделник вторник сряда петък δευτέρα τρίτη τετάρτη πέμπτη παρασκευή σάββατο κυριακή senin selasa rabu kamis jumat sabtu minggu`},
	} {
		for word := range strings.FieldsSeq(row.words) {
			if kinds[word] == 0 {
				kinds[word] = row.kind
			}
		}
	}
	return kinds
})
