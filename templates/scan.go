package templates

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// chunk is a stretch of source: plain words, or one tag.
type chunk struct {
	literal string
	tag     *tag
	at      Position // in the file
	partial string   // where it came from one, whose tag then stands at at
}

// tagKind says what a tag leaves in the mail.
type tagKind int

const (
	outputTag   tagKind = iota // {{ … }}: a value
	controlTag                 // {% … %}: nothing itself
	verbatimTag                // {% raw %}…{% endraw %}: the words between
)

// tag is one Liquid tag as it was written.
type tag struct {
	kind   tagKind
	at     Position
	source string // with its braces
	name   string // of a control tag: if, endif, for …
	tokens []token
	words  string // of a verbatim tag
}

// scanner cuts source into chunks. It moves forward only, so that finding
// places costs one pass.
type scanner struct {
	source string
	offset int      // of at
	at     Position // in the file
	chunks []chunk
	trim   bool // the tag before asked for the spaces that follow
}

// scan cuts a template's source into words and tags.
func scan(source string, at Position) ([]chunk, error) {
	s := scanner{source: source, at: at}
	rest := 0
	for {
		start := nextTag(source, rest)
		if start < 0 {
			s.words(rest, len(source))
			return s.chunks, nil
		}
		s.words(rest, start)
		end, err := s.tag(start)
		if err != nil {
			return nil, err
		}
		rest = end
	}
}

// nextTag finds {{ or {% at or after from; -1 when there is none.
func nextTag(source string, from int) int {
	for i := from; i+1 < len(source); i++ {
		j := strings.IndexByte(source[i:], '{')
		if j < 0 || i+j+1 >= len(source) {
			return -1
		}
		i += j
		if c := source[i+1]; c == '{' || c == '%' {
			return i
		}
	}
	return -1
}

// place is the position of an offset, which must not lie before the last one.
func (s *scanner) place(offset int) Position {
	for _, r := range s.source[s.offset:offset] {
		if r == '\n' {
			s.at.Line, s.at.Column = s.at.Line+1, 1
		} else {
			s.at.Column++
		}
	}
	s.offset = offset
	return s.at
}

// words keeps a literal. Control characters go: the programs made of it use
// some of them as marks.
func (s *scanner) words(from, to int) {
	if s.trim {
		from = to - len(strings.TrimLeft(s.source[from:to], " \t"))
		s.trim = false
	}
	if from < to {
		s.chunks = append(s.chunks, chunk{literal: withoutControls(s.source[from:to]), at: s.place(from)})
	}
}

// trimLeft removes the spaces before a tag, but not the indent of its line.
func (s *scanner) trimLeft() {
	if len(s.chunks) == 0 {
		return
	}
	last := &s.chunks[len(s.chunks)-1]
	if short := strings.TrimRight(last.literal, " \t"); short != "" && !strings.HasSuffix(short, "\n") {
		last.literal = short
	}
}

// tag reads the tag at start and returns where it ends.
func (s *scanner) tag(start int) (int, error) {
	closing := "}}"
	if s.source[start+1] == '%' {
		closing = "%}"
	}
	t := &tag{at: s.place(start)}
	end := tagEnd(s.source, start+2, closing)
	if end < 0 {
		return 0, errorAt(t.at, "tag is not closed: no %s after this %s", closing, s.source[start:start+2])
	}
	t.source = s.source[start:end]
	from, to := start+2, end-2
	if from < to && s.source[from] == '-' {
		s.trimLeft()
		from++
	}
	if from < to && s.source[to-1] == '-' {
		s.trim = true
		to--
	}
	var err error
	if t.tokens, err = s.tokens(from, to); err != nil {
		return 0, err
	}
	if closing == "%}" {
		return s.control(t, end)
	}
	if len(t.tokens) == 0 {
		return 0, errorAt(t.at, "empty tag: name a field between the braces")
	}
	s.chunks = append(s.chunks, chunk{tag: t, at: t.at})
	return end, nil
}

var (
	endRaw     = regexp.MustCompile(`\{%-?\s*endraw\s*-?%\}`)
	endComment = regexp.MustCompile(`\{%-?\s*endcomment\s*-?%\}`)
)

// control finishes a {% … %} tag. Raw and comment swallow what they enclose.
func (s *scanner) control(t *tag, end int) (int, error) {
	if len(t.tokens) == 0 || t.tokens[0].kind != nameToken {
		return 0, errorAt(t.at, "empty tag: a word such as if, else or endif must follow {%%")
	}
	t.kind, t.name, t.tokens = controlTag, t.tokens[0].text, t.tokens[1:]
	closing := endRaw
	switch t.name {
	case "raw":
	case "comment":
		closing = endComment
	default:
		s.chunks = append(s.chunks, chunk{tag: t, at: t.at})
		return end, nil
	}
	m := closing.FindStringIndex(s.source[end:])
	if m == nil {
		return 0, errorAt(t.at, "{%% %s %%} without {%% end%s %%}", t.name, t.name)
	}
	if t.name == "raw" {
		t.kind, t.words = verbatimTag, s.source[end:end+m[0]]
		s.chunks = append(s.chunks, chunk{tag: t, at: t.at})
	}
	return end + m[1], nil
}

// tagEnd finds the end of a tag whose inside starts at from. Quoted braces do
// not close it, a new tag shows that it was not closed.
func tagEnd(source string, from int, closing string) int {
	var quote byte
	for i := from; i+1 < len(source); i++ {
		c := source[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case source[i:i+2] == closing:
			return i + 2
		case c == '{' && (source[i+1] == '{' || source[i+1] == '%'):
			return -1
		}
	}
	return -1
}

// withoutControls keeps tabs and line feeds of a template's own words.
func withoutControls(text string) string {
	clean := true
	for i := 0; i < len(text) && clean; i++ {
		clean = text[i] >= ' ' && text[i] < utf8.RuneSelf || text[i] == '\n' || text[i] == '\t'
	}
	if clean {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
