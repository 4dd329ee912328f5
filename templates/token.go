package templates

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind sorts the tokens inside a tag.
type tokenKind int

const (
	nameToken   tokenKind = iota // first_name, sender.name, if
	numberToken                  // 5000, -1.25
	stringToken                  // "there": text is without its quotes
	markToken                    // == != <> <= >= < > | : , ( ) .. =
	endToken                     // nothing more
)

// token is one word of a tag.
type token struct {
	kind    tokenKind
	text    string
	at      Position
	partial string // the partial it stands in; "" = the template itself
}

var marks = []string{"==", "!=", "<>", "<=", ">=", "..", "<", ">", "|", ":", ",", "(", ")", "="}

// tokens reads the inside of a tag.
func (s *scanner) tokens(from, to int) ([]token, error) {
	var all []token
	for i := from; i < to; {
		r, size := utf8.DecodeRuneInString(s.source[i:to])
		if unicode.IsSpace(r) {
			i += size
			continue
		}
		t, n, err := s.token(s.source[i:to], s.place(i))
		if err != nil {
			return nil, err
		}
		all = append(all, t)
		i += n
	}
	return all, nil
}

// token reads one token and returns its length in bytes.
func (s *scanner) token(text string, at Position) (token, int, error) {
	if n := nameLength(text); n > 0 {
		return token{kind: nameToken, text: text[:n], at: at}, n, nil
	}
	if n := numberLength(text); n > 0 {
		if n > 15 {
			return token{}, 0, errorAt(at, "number %s is too long", text[:n])
		}
		return token{kind: numberToken, text: text[:n], at: at}, n, nil
	}
	if q := text[0]; q == '"' || q == '\'' {
		n := strings.IndexByte(text[1:], q)
		if n < 0 {
			return token{}, 0, errorAt(at, "quoted text is not closed")
		}
		return token{kind: stringToken, text: text[1 : n+1], at: at}, n + 2, nil
	}
	for _, m := range marks {
		if strings.HasPrefix(text, m) {
			return token{kind: markToken, text: m, at: at}, len(m), nil
		}
	}
	r, _ := utf8.DecodeRuneInString(text)
	if strings.ContainsRune("“”„‘’«»", r) {
		return token{}, 0, errorAt(at, `unexpected %c: use straight quotes, "like these"`, r)
	}
	return token{}, 0, errorAt(at, "unexpected %q in a tag", r)
}

// nameLength measures a name: letters, digits, _ and -, and dots between words.
func nameLength(text string) int {
	n, first := 0, true
	for i, r := range text {
		switch {
		case unicode.IsLetter(r) || r == '_':
			first = false
		case !first && (unicode.IsDigit(r) || unicode.IsMark(r) || r == '-'):
		case !first && r == '.':
			first = true
			continue
		default:
			return n
		}
		n = i + utf8.RuneLen(r)
	}
	return n
}

// numberLength measures -12.5; the two dots of a range do not belong to it.
func numberLength(text string) int {
	digits := func(from int) int {
		i := from
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		return i
	}
	start := 0
	if strings.HasPrefix(text, "-") {
		start = 1
	}
	n := digits(start)
	if n == start {
		return 0
	}
	if n < len(text) && text[n] == '.' {
		if m := digits(n + 1); m > n+1 {
			return m
		}
	}
	return n
}
