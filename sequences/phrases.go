package sequences

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var (
	// tag is a field or a command of a template.
	tag = regexp.MustCompile(`(?s)\{\{.*?\}\}|\{%.*?%\}`)
	// capitals is a word of four letters or more; shorter ones are abbreviations.
	capitals = regexp.MustCompile(`(?:^|[^\p{L}\p{N}_-])(\p{Lu}{4,})(?:$|[^\p{L}\p{N}_-])`)
	// english is a rough sign that the phrases below can be expected.
	english = phrases("the", "you", "your", "i", "we", "our", "this")
)

// worn are openers that every inbox has seen too often.
var worn = phrases(
	"(just|only) (wanted to )?(following|follow|checking|check) (up|in)",
	"wanted to (follow up|check in|touch base)",
	"following up on my (last|previous|earlier|recent) (e-?mail|mail|message|note)",
	"did you (get|receive|see|read) my (last |previous |earlier )?(e-?mail|mail|message|note)",
	"touch(ing)? base",
	"circl(e|ing) back",
	"(hope|trust) (this|my|the) (e-?mail|mail|message|note )?(finds|reaches) you",
	"hope this finds you",
	"hope (you are|you're) (doing )?well",
	"bump(ing)? this",
	"(per|as per) my (last|previous|earlier) (e-?mail|mail|message)",
	"in case you missed (it|this|my)",
	"(friendly|gentle|quick) reminder",
	"any updates? on (this|my)",
	"pick(ing)? your brain",
)

// wornHints are parts of which each worn phrase has one: a quick look spares
// most mails the slow one.
var wornHints = []string{"follow", "check", "touch", "circl", "hope", "trust", "bump", "per my", "in case you", "reminder", "update", "brain", "did you", "did\n"}

func wornHint(text string) bool { return hasAny(strings.ToLower(text), wornHints...) }

// shouting finds two words or more in capitals, of four letters or more one of
// them, and returns where they stand; nil when there are none.
func shouting(text string) []int {
	if !fourCapitals(text) {
		return nil
	}
	for _, m := range capitalRun.FindAllStringIndex(text, -1) {
		if capitals.MatchString(text[m[0]:m[1]]) {
			return m
		}
	}
	return nil
}

// fourCapitals is a quick look for what shouting looks for.
func fourCapitals(text string) bool {
	n := 0
	for _, r := range text {
		if n++; !unicode.IsUpper(r) {
			n = 0
		} else if n == 4 {
			return true
		}
	}
	return false
}

var capitalRun = regexp.MustCompile(`\p{Lu}{2,}(?:[ \n]+\p{Lu}{2,})+`)

// wayOut are the words by which a last mail lets go, roughly. They are several
// expressions, because small ones are matched several times faster.
var wayOut = []*regexp.Regexp{phrases(
	"no hard feelings",
	"(re-?)?open(s)? (it|the|this)",
	"clos(e|ing) (the|this|my|our|your|it|quote|file)",
), phrases(
	"not interested", "no longer", "not for you", "not (the )?right",
	"(a |say |just )?no (is|'s|will be|would be) (fine|ok|okay|enough|good|an answer|as good)",
	"(that|it) (is|'s) (fine|ok|okay|all right)( too)?",
), phrases(
	"last (time|mail|e-?mail|message|note|letter|one)",
	"(won't|will not|stop|shan't) (write|writing|mail|mailing|e-?mail|bother|contact|ask|asking|follow|remind|reminding|chase|chasing)",
), phrases(
	"(i'll|i will|we'll|we will) (stop|leave|let|put|assume|take)",
	"(leave|let) (it|this|you|the matter) (there|here|at that|rest|in peace|go)",
	"either way", "opt out", "unsubscribe", "let (me|us) know if you'd rather",
	"hear no more", "not hear from (me|us)",
)}

// letsGo says whether a text has one of them.
func letsGo(text string) bool {
	return slices.ContainsFunc(wayOut, func(words *regexp.Regexp) bool { return words.MatchString(text) })
}

// phrases is a pattern that finds any of these words in a text, wherever its
// lines are wrapped and whichever apostrophe it is written with.
func phrases(any ...string) *regexp.Regexp {
	all := strings.Join(any, "|")
	all = strings.ReplaceAll(all, " ", `\s+`)
	all = strings.ReplaceAll(all, "'", "['’]")
	return regexp.MustCompile(`(?i)\b(?:` + all + `)\b`)
}

// withoutTags puts spaces in the place of fields and commands: offsets stay.
func withoutTags(s string) string {
	at := nextBrace(s, 0)
	if at < 0 {
		return s
	}
	b := []byte(s)
	for at >= 0 {
		closing := "}}"
		if s[at+1] == '%' {
			closing = "%}"
		}
		end := strings.Index(s[at:], closing)
		if end < 0 {
			break
		}
		end += at + 2
		for i := at; i < end; i++ {
			b[i] = ' '
		}
		at = nextBrace(s, end)
	}
	return string(b)
}

// nextBrace finds {{ or {% from an offset on; -1 when there is none.
func nextBrace(s string, from int) int {
	for i := from; i+1 < len(s); i++ {
		j := strings.IndexByte(s[i:], '{')
		if j < 0 || i+j+1 >= len(s) {
			return -1
		}
		if i += j; s[i+1] == '{' || s[i+1] == '%' {
			return i
		}
	}
	return -1
}
