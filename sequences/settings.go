package sequences

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// setting is one "key: value" line. The value is literal to the end of its
// line: no quotes, no types, no escapes.
type setting struct {
	key, value     string
	keyAt, valueAt int     // offsets into the page
	pieces         []piece // where each line of a folded value stands
}

// piece is one line of a value: its offset in the value and on the page.
type piece struct{ inValue, onPage int }

// at is the place on the page of an offset in the value.
func (s setting) at(offset int) int {
	for _, p := range slices.Backward(s.pieces) {
		if offset >= p.inValue {
			return p.onPage + offset - p.inValue
		}
	}
	return s.valueAt + offset
}

// fold adds the text of a further line.
func (s setting) fold(text string, onPage int) setting {
	if s.value == "" {
		s.valueAt = onPage
	} else {
		s.value += " "
	}
	s.pieces = append(s.pieces, piece{len(s.value), onPage})
	s.value += text
	return s
}

// settings are the lines of one block by key.
type settings map[string]setting

// keyed is a line that starts a setting.
var keyed = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 _.-]*?[ \t]*:([ \t]|$)`)

// readSettings reads the lines of s. Where folded, an indented line without a
// key of its own continues the value above it, as mail headers do: formatters
// wrap long lines of front matter that way.
func (r *reader) readSettings(s span, known []key, folded bool) settings {
	set := settings{}
	last := ""
	for at := s.start; at < s.end; at = r.nextLine(at) {
		line := strings.TrimRight(r.text[at:min(r.nextLine(at), s.end)], " \t\n")
		text := strings.TrimLeft(line, " \t")
		keyAt := at + len(line) - len(text)
		switch {
		case text == "" || text[0] == '#':
		case folded && keyAt > at && last != "" && !keyed.MatchString(text):
			set[last] = set[last].fold(text, keyAt)
		default:
			last = r.readSetting(set, text, keyAt, known)
		}
	}
	return set
}

// readSetting adds one line to set and returns its key, "" when it is wrong.
func (r *reader) readSetting(set settings, text string, keyAt int, known []key) string {
	key, value, found := strings.Cut(text, ":")
	if !found {
		r.wrongAt(keyAt, fmt.Errorf(`expected "key: value", not %q`, shorten(text)), "")
		return ""
	}
	key = strings.TrimRight(key, " \t")
	key = strings.Join(strings.Fields(key), " ")
	if !isKey(known, key) {
		near := Nearest(key, keyNames(known))
		if upper := strings.ToLower(key[:max(0, len(key)-1)]) + strings.ToUpper(key[max(0, len(key)-1):]); isKey(known, upper) {
			near = upper
		}
		r.wrongAt(keyAt, fmt.Errorf("unknown key %q", shorten(key)), near)
		return ""
	}
	if before, twice := set[key]; twice {
		line, _ := r.place(before.keyAt)
		r.wrongAt(keyAt, fmt.Errorf("%s: is already set in line %d", key, line), "")
		return ""
	}
	valueAt := keyAt + strings.IndexByte(text, ':') + 1
	valueAt += len(value) - len(strings.TrimLeft(value, " \t"))
	set[key] = setting{key: key, value: strings.TrimSpace(value), keyAt: keyAt, valueAt: valueAt}
	return key
}

// filled returns a setting that has a value, and complains about one without.
func (r *reader) filled(set settings, key string) (setting, bool) {
	s, ok := set[key]
	if ok && s.value == "" {
		r.wrongAt(s.keyAt, fmt.Errorf("no value for %s", key), "")
		return s, false
	}
	return s, ok
}

// shorten keeps a message on one line of a terminal.
func shorten(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
