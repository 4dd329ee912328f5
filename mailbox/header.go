package mailbox

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"nudge/engine"
)

// maxFields bounds how many fields of one header are kept. Real mail has fewer
// than a hundred; a hostile one may have as many as it has lines.
const maxFields = 2000

// headerFields are the fields that ParseHeader looks at. Whoever fetches only
// some fields of a header fetches these.
var headerFields = []string{
	"From", "Sender", "Reply-To", "To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To",
	"Subject", "Date", "Message-ID", "In-Reply-To", "References", "Return-Path", "Content-Type",
	"Auto-Submitted", "X-Failed-Recipients", instanceField, originalIDField,
}

// field is one header field: its name as written, and its value unfolded but
// not decoded.
type field struct {
	name, value string
}

// header is the fields of one message or part, in the order they stand in.
type header []field

// get returns the first field of that name, undecoded, or "".
func (h header) get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// all returns the values of every field of that name.
func (h header) all(name string) []string {
	var values []string
	for _, f := range h {
		if strings.EqualFold(f.name, name) {
			values = append(values, f.value)
		}
	}
	return values
}

func (h header) has(name string) bool {
	return slices.ContainsFunc(h, func(f field) bool { return strings.EqualFold(f.name, name) })
}

// text returns the first field of that name with encoded words decoded and
// runs of space made one.
func (h header) text(name string) string {
	return strings.Join(strings.Fields(decodeWords(cutRunes(h.get(name), maxFieldText))), " ")
}

// maxFieldText bounds how much of one field is read as text, in bytes.
const maxFieldText = 4 << 10

// splitHeader parts a message into its fields and its body. It takes LF, CRLF
// and lone CR line ends mixed as they come, skips an mbox "From " line and
// stray lines between two fields, and takes the rest for the body when a
// header just stops being one without the empty line.
func splitHeader(raw []byte) (header, []byte) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	for len(raw) > 0 { // some tools put an empty line or one of blanks on top
		line, after := cutLine(raw)
		if len(bytes.TrimSpace(line)) > 0 {
			break
		}
		raw = after
	}
	var h header
	rest := raw
	for len(rest) > 0 {
		line, after := cutLine(rest)
		if len(bytes.TrimRight(line, " \t\r")) == 0 {
			if len(line) > 0 && len(h) > 0 && startsField(after) {
				rest = after // a line of blanks inside the header: an empty fold
				continue
			}
			return h, after
		}
		switch name, value, ok := cutField(line); {
		case (line[0] == ' ' || line[0] == '\t') && len(h) > 0: // the fold of a line that was passed over
		case ok && len(h) < maxFields:
			var folded []byte
			folded, after = unfold(value, after)
			h = append(h, field{name: name, value: string(folded)})
		case ok:
		case !startsField(after) && !(len(h) == 0 && bytes.HasPrefix(line, []byte("From "))):
			return h, rest
		}
		rest = after
	}
	return h, nil
}

// unfold joins the continuation lines that follow a field's first line, and
// returns what comes after them.
func unfold(first, after []byte) (value, rest []byte) {
	lines := [][]byte{bytes.TrimSpace(first)}
	for len(after) > 0 && (after[0] == ' ' || after[0] == '\t') {
		line, next := cutLine(after)
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		lines, after = append(lines, line), next
	}
	return bytes.TrimSpace(bytes.Join(lines, []byte(" "))), after
}

// cutLine returns the first line without its end, and what follows.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return bytes.TrimSuffix(b, []byte("\r")), nil
	}
	return bytes.TrimSuffix(b[:i], []byte("\r")), b[i+1:]
}

// cutField parts a line into the name and value of a field.
func cutField(line []byte) (name string, value []byte, ok bool) {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || i > 128 {
		return "", nil, false
	}
	trimmed := bytes.TrimRight(line[:i], " \t")
	if len(trimmed) == 0 {
		return "", nil, false
	}
	for _, c := range trimmed {
		if c <= ' ' || c >= 0x7f {
			return "", nil, false
		}
	}
	return string(trimmed), line[i+1:], true
}

// startsField says whether the next line is a field.
func startsField(b []byte) bool {
	line, _ := cutLine(b)
	_, _, ok := cutField(line)
	return ok
}

// messageIDs returns the ids of fields like References: what stands in angle
// brackets with any space inside removed (folding splits long ids), or, where
// nothing does, the words that hold an @. Each id once, in order.
func messageIDs(values ...string) []string {
	var ids []string
	for _, v := range values {
		if strings.Contains(v, "=?") {
			v = decodeWords(v)
		}
		found := bracketed(v)
		if len(found) == 0 {
			for _, word := range strings.FieldsFunc(v, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`,;"<>`, r) }) {
				if strings.Contains(word, "@") {
					found = append(found, word)
				}
			}
		}
		for _, id := range found {
			if id = engine.CleanMessageID(id); id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		if len(ids) > maxFields {
			break
		}
	}
	return ids
}

// bracketed returns what stands between < and > in s.
func bracketed(s string) []string {
	var found []string
	for len(found) <= maxFields {
		open := strings.IndexByte(s, '<')
		if open < 0 {
			break
		}
		s = s[open+1:]
		end := strings.IndexAny(s, "<>")
		if end < 0 {
			end = len(s)
		}
		id := strings.Join(strings.Fields(s[:end]), "")
		if id != "" {
			found = append(found, id)
		}
		s = s[end:]
	}
	return found
}

// date returns when the sender, or else the first server, says the message was
// written. Zero when neither can be read.
func (h header) date() time.Time {
	candidates := []string{h.get("Date")}
	if received := h.get("Received"); received != "" {
		candidates = append(candidates, received[strings.LastIndexByte(received, ';')+1:])
	}
	for _, s := range candidates {
		if t := parseDate(s); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// dateLayouts are the forms of RFC 5322 dates that occur, tried in order.
var dateLayouts = []string{
	"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04 -0700", "2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05",
	"2 Jan 06 15:04:05 -0700", "2 Jan 06 15:04:05 MST", "Jan 2 15:04:05 2006", "2006-01-02 15:04:05 -0700",
	"2006-01-02T15:04:05Z07:00", "2 Jan 2006",
}

// parseDate reads a Date field leniently; zero when it is none.
func parseDate(s string) time.Time {
	if i := strings.IndexByte(s, '('); i >= 0 {
		s = s[:i]
	}
	if i := strings.IndexByte(s, ','); i >= 0 && i < 12 {
		s = s[i+1:]
	}
	words := strings.Fields(s)
	if len(words) == 0 || len(words) > 8 {
		return time.Time{}
	}
	if first := words[0]; len(words) > 1 && len(first) == 3 && strings.Contains("MonTueWedThuFriSatSun", first) {
		words = words[1:]
	}
	s = strings.Join(words, " ")
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}
