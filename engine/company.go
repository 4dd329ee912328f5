package engine

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// companyMatches are the rungs of the ladder below the person: mail from the
// registrable domain of a prospect, which is not a free-mail provider's. Where
// it says more (our subject, the prospect among its recipients, one of their
// numbers) it belongs to that enrollment; else it may concern anybody there.
func companyMatches(in Incoming, known Known) []Match {
	var sure, perhaps []Match
	seen := map[string]bool{}
	for _, addr := range in.From {
		company := known.Kin.Company[AddressKey(addr)]
		for _, en := range known.Kin.Enrollments {
			if company == "" || en.Company != company || seen[en.ID] || !arrivedAfter(in, en) {
				continue
			}
			seen[en.ID] = true
			if also := alsoSays(in, en); also != "" {
				sure = append(sure, Match{Enrollment: en, Rung: 5, Rule: "comes from " + addr + ", at the same company, and " + also})
				continue
			}
			perhaps = append(perhaps, Match{Enrollment: en, Rung: 6, Rule: "comes from " + addr + ", at the same company"})
		}
	}
	if len(sure) > 0 {
		return sure
	}
	return perhaps
}

// alsoSays is what ties mail from a company to one enrollment there, or "".
func alsoSays(in Incoming, en Enrollment) string {
	if en.Thread.Subject != "" && en.written() && baseSubject(in.Subject) == baseSubject(en.Thread.Subject) {
		return "has our subject"
	}
	if slices.ContainsFunc(in.To, func(a string) bool { return AddressKey(a) == en.Key }) {
		return "names " + en.Address + " as a recipient"
	}
	text := strings.ToLower(in.Subject + "\n" + in.NewText)
	for key, value := range en.Fields {
		if value = strings.ToLower(strings.TrimSpace(value)); distinctive(key, value) && hasWord(text, value) {
			return "names their " + key
		}
	}
	return ""
}

// commonFields hold values that a company's mail has anyway, or that say
// nothing.
var commonFields = regexp.MustCompile(`^(timezone|zip|postcode|postal_code|street|address|city|year|date|amount|price|total|sum)$|phone|mobile|tel$|fax|_date$|_at$`)

// distinctive says whether a field's value is a number of a kind that somebody
// writes only about the matter at hand: a quote's, an order's.
func distinctive(key, value string) bool {
	return utf8.RuneCountInString(value) >= 3 && strings.ContainsFunc(value, unicode.IsDigit) && !commonFields.MatchString(key)
}

// hasWord says whether a text has a word: not inside another one or a longer
// number.
func hasWord(text, word string) bool {
	inside := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(word):])
		if !inside(before) && !inside(after) {
			return true
		}
		from = i + 1
	}
}

// subjectPrefix is what mail programs and gateways put before the subject of
// what is answered or passed on.
var subjectPrefix = regexp.MustCompile(`(?i)^\s*(\[(external|extern|ext|externe|externo|esterno|caution|warning|spam\??|suspected spam)\]|(re|fw|fwd|aw|wg|sv|vs|vb|vl|tr|rv|rif|ref|res|enc|antw|doorst|odp|pd|ynt|ilt|bls|trs|vá|továbbítás|отв|ответ|на|πρθ|απ|回复|回覆|答复|转发|轉寄|返信|転送|회신|전달|תשובה|הועבר|رد)(\s?\[\d+\]|\(\d+\))?\s?[:：])\s*`)

// baseSubject is a subject without what an answer adds to it, folded.
func baseSubject(s string) string {
	for {
		at := subjectPrefix.FindStringIndex(s)
		if at == nil {
			return strings.ToLower(strings.Join(strings.Fields(s), " "))
		}
		s = s[at[1]:]
	}
}

// Kin is who belongs together with some addresses and deals.
type Kin struct {
	Company     map[string]string // address key → the registrable domain of its company; not those of free-mail providers
	Enrollments []Enrollment      // that have not ended, of these companies or deals; oldest first
}
