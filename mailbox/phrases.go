package mailbox

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// phrases is a table of what people and machines say, in many languages. A
// text is only asked about an expression when it holds the letters that the
// expression cannot match without, so a table of hundreds costs little more
// than a search for some words. Nothing is compiled before it is needed.
//
// Expressions are in lower case and are matched against what foldText
// returns. A match begins where a word begins, in scripts that part words; a
// trailing underscore says that it ends where one ends.
type phrases struct {
	sources []string
	prepare sync.Once
	list    []phrase
}

type phrase struct {
	needs   []string // one of these stands in every match; none means that nothing is known
	compile func() *regexp.Regexp
}

func newPhrases(sources ...string) *phrases {
	return &phrases{sources: sources}
}

// in says whether the text holds any of the phrases.
func (p *phrases) in(text string) bool {
	_, _, found := p.find(text)
	return found
}

// find returns where the first phrase of the table that occurs stands.
func (p *phrases) find(text string) (start, end int, found bool) {
	p.prepare.Do(p.read)
	for i := range p.list {
		if span := p.list[i].at(text); span != nil {
			return span[0], span[1], true
		}
	}
	return 0, 0, false
}

// cut returns the text without any of the phrases, each to the end of its last
// word, and whether there were any.
func (p *phrases) cut(text string) (rest string, found bool) {
	p.prepare.Do(p.read)
	for i := range p.list {
		for range 20 {
			span := p.list[i].at(text)
			if span == nil {
				break
			}
			end := span[1]
			for end < len(text) && text[end] != ' ' && !unspaced(text[span[0]:end]) {
				end++
			}
			text, found = text[:span[0]]+" "+text[end:], true
		}
	}
	return text, found
}

func (p *phrases) read() {
	for _, source := range p.sources {
		tree, err := syntax.Parse(strings.TrimSuffix(source, "_"), syntax.Perl)
		if err != nil {
			panic("phrase " + source + ": " + err.Error())
		}
		needs := required(tree)
		p.list = append(p.list, phrase{needs: needs, compile: sync.OnceValue(func() *regexp.Regexp {
			return regexp.MustCompile(bounded(source))
		})})
	}
}

// bounded puts word boundaries around an expression. \b knows only ASCII.
func bounded(source string) string {
	body, whole := strings.CutSuffix(source, "_")
	if !strings.HasPrefix(body, "^") && !unspaced(body) {
		body = `(?:^|[^\p{L}\p{N}])(` + body + `)`
	} else {
		body = `(` + body + `)`
	}
	if whole {
		body += `(?:[^\p{L}\p{N}]|$)`
	}
	return body
}

// unspaced says whether an expression is of a script that does not part words.
func unspaced(source string) bool {
	return strings.ContainsFunc(source, func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
	})
}

// at returns the span of the phrase itself.
func (p *phrase) at(text string) []int {
	if len(p.needs) > 0 && !slices.ContainsFunc(p.needs, func(s string) bool { return strings.Contains(text, s) }) {
		return nil
	}
	if span := p.compile().FindStringSubmatchIndex(text); span != nil && span[3] > span[2] {
		return span[2:4]
	}
	return nil
}

// maxNeeds bounds how many words are searched for before an expression.
const maxNeeds = 24

// required returns strings of which every match of an expression holds at
// least one, nil when that cannot be said.
func required(tree *syntax.Regexp) []string {
	switch tree.Op {
	case syntax.OpLiteral:
		if tree.Flags&syntax.FoldCase != 0 {
			return nil
		}
		return []string{string(tree.Rune)}
	case syntax.OpCapture, syntax.OpPlus:
		return required(tree.Sub[0])
	case syntax.OpRepeat:
		if tree.Min > 0 {
			return required(tree.Sub[0])
		}
	case syntax.OpConcat:
		var best []string
		for _, sub := range tree.Sub {
			if needs := required(sub); shortest(needs) > shortest(best) {
				best = needs
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range tree.Sub {
			needs := required(sub)
			if len(needs) == 0 || len(all)+len(needs) > maxNeeds {
				return nil
			}
			all = append(all, needs...)
		}
		return all
	}
	return nil
}

func shortest(needs []string) int {
	if len(needs) == 0 {
		return 0
	}
	return len(slices.MinFunc(needs, func(a, b string) int { return len(a) - len(b) }))
}

// foldText brings a text into the form that phrases are written in: lower
// case, wide and composed letters as their plain ones, one kind of apostrophe,
// and one blank wherever space stands.
func foldText(s string) string {
	s = norm.NFKC.String(letterForms.Replace(s))
	return strings.Join(strings.Fields(strings.ToLower(s)), " ")
}

// letterForms are letters that neither case nor composition makes plain.
var letterForms = strings.NewReplacer("İ", "i", "’", "'", "‘", "'", "´", "'", "`", "'", "ʼ", "'", "\u00ad", "", "\u200b", "", "\u200c", "", "\u200d", "",
	"\u200e", "", "\u200f", "", "\u202a", "", "\u202b", "", "\u202c", "", "\ufeff", "", "‐", "-", "‑", "-")

// cutRunes returns at most n bytes of s, and no half letter.
func cutRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
