package templates

import (
	mathbits "math/bits"
	"strings"
	"unicode"
)

// languages are those that are told apart by their words.
var languages = [...]string{"en", "sv", "da", "nb", "de", "nl", "fr", "es", "it", "pt", "fi", "pl"}

// commonWords are the words by which each of them gives itself away: frequent,
// and shared with few of the others.
var commonWords = wordTable([len(languages)]string{
	"the and you your is of to that it for with this we are if have not my will be",
	"och att det som jag är inte en på för vi har du din med kan om till av hej",
	"og at det som jeg er ikke en på for vi har du din med kan om til af hej",
	"og at det som jeg er ikke en på for vi har du din med kan om til av hei",
	"und der die das ich ist nicht sie wir haben ihr ihre mit für auf zu den ein eine",
	"en de het een ik is niet u wij hebben uw met voor op te van dat kan ons",
	"et le la les je est pas vous nous avez votre avec pour sur une des de que bonjour",
	"y el la los que no es usted nos su con para por una del de se hola gracias",
	"e il la che non è lei noi suo con per un una del di si ciao grazie sono",
	"e o a que não é você nós seu com para por uma do da de se olá obrigado",
	"ja on ei se että minä te olen kanssa tai jos voi teidän hei oli ovat mutta kun",
	"i w na nie że jest się z do to dla czy pan pani jak od po dzień dobry",
})

// wordTable has for each word one bit a language.
func wordTable(words [len(languages)]string) map[string]uint16 {
	table := map[string]uint16{}
	for i, list := range words {
		for w := range strings.FieldsSeq(list) {
			table[w] |= 1 << i
		}
	}
	return table
}

// enoughWords are as many as tell a language.
const enoughWords = 100

// languageOf is the language of a mail for screen readers: as given, else the
// one whose common words are clearly the most frequent, else "". A wrong one is
// worse than none.
func languageOf(chunks []chunk, given string) string {
	if given != "" {
		return given
	}
	var counts [len(languages)]int
	seen := 0
	for _, c := range chunks {
		for word := range strings.FieldsFuncSeq(c.literal, notLetter) {
			if seen++; seen > enoughWords {
				break
			}
			if len(word) > 8 { // none of them is longer
				continue
			}
			bits := commonWords[word]
			if bits == 0 {
				bits = commonWords[strings.ToLower(word)]
			}
			for ; bits != 0; bits &= bits - 1 {
				counts[mathbits.TrailingZeros16(bits)]++
			}
		}
	}
	best, most, second := "", 0, 0
	for i, n := range counts {
		if n > most {
			best, most, second = languages[i], n, most
		} else {
			second = max(second, n)
		}
	}
	if most < 3 || most*3 < second*4 {
		return ""
	}
	return best
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

// rightToLeft are the languages that are written so.
func rightToLeft(language string) bool {
	switch base, _, _ := strings.Cut(language, "-"); base {
	case "ar", "fa", "he", "ur", "yi", "ps", "ckb":
		return true
	}
	return false
}
