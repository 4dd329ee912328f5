package templates

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// columns is where plain text is wrapped; the space that marks a line that
// goes on is counted in (RFC 3676, section 4.2 asks for 78 or less).
const columns = 72

// container is a block quote, list or list item that is open while lines are
// laid out.
type container struct {
	kind    byte   // markQuote, markList or markItem
	tight   bool   // a list without blank lines between its items
	ordered bool   // a list with numbers
	next    int    // number of a list's next item
	filled  bool   // a list with an item that says something
	marker  string // an item's "- " or "12. ", until its first line is written
	hang    int    // width of an item's marker
}

// layout turns a stream of words and marks into lines.
type layout struct {
	out   bytes.Buffer
	words []byte // of the paragraph being laid out
	open  []container
	gap   bool // a blank line stands before what comes next
	low   int  // fewest containers open since the last line
	ended *container
	depth int // how many containers were around ended
}

// flow lays a stream out as plain text, format=flowed.
func flow(stream []byte) string {
	f := &layout{}
	f.out.Grow(len(stream) + len(stream)/8)
	for i := 0; i < len(stream); i++ {
		switch c := stream[i]; c {
		case markBlock, markCode:
			end := i + 1 + bytes.IndexByte(stream[i+1:], markEnd)
			if end <= i {
				end = len(stream)
			}
			if c == markCode {
				f.code(stream[i+1 : end])
			} else {
				f.paragraph(stream[i+1 : end])
			}
			i = end
		case markTable:
			end := i + bytes.IndexByte(stream[i:], markTableEnd)
			if end <= i {
				end = len(stream)
			}
			f.table(stream[i+1 : end])
			i = end
		case markRule:
			f.line([]byte("---"), false)
			f.gap = true
		case markList:
			i += f.openList(stream[i+1:])
		case markQuote:
			f.open = append(f.open, container{kind: markQuote})
		case markItem:
			f.openItem()
		case markQuoteEnd, markItemEnd, markListEnd:
			f.close()
		}
	}
	return f.out.String()
}

// openList reads a list's head and returns its length.
func (f *layout) openList(head []byte) int {
	list := container{kind: markList}
	n, joins := 0, false
	for ; n < len(head) && (head[n] == '=' || head[n] == '+'); n++ {
		list.tight = list.tight || head[n] == '='
		joins = joins || head[n] == '+'
	}
	if n < len(head) && head[n] == '-' {
		n++
	} else if end := bytes.IndexByte(head[n:], ';'); end >= 0 {
		list.ordered = true
		list.next, _ = strconv.Atoi(string(head[n : n+end]))
		n += end + 1
	}
	if f.inTightItem() {
		f.gap = false
	}
	if joins && f.ended != nil && f.ended.ordered == list.ordered && f.depth == len(f.open) {
		list.next = f.ended.next
		f.gap = !list.tight
	}
	f.open = append(f.open, list)
	return n
}

// inTightItem says whether what comes stands in an item of a tight list.
func (f *layout) inTightItem() bool {
	n := len(f.open)
	return n >= 2 && f.open[n-1].kind == markItem && f.open[n-2].tight
}

func (f *layout) openItem() {
	item := container{kind: markItem, marker: "- "}
	if n := len(f.open); n > 0 && f.open[n-1].ordered {
		item.marker = strconv.Itoa(f.open[n-1].next) + ". "
	}
	item.hang = len(item.marker)
	f.open = append(f.open, item)
}

// close leaves the innermost container.
func (f *layout) close() {
	n := len(f.open) - 1
	if n < 0 {
		return
	}
	last := f.open[n]
	f.open = f.open[:n]
	f.low = min(f.low, n)
	switch last.kind {
	case markItem:
		if n > 0 && last.marker == "" {
			f.open[n-1].next++
			f.open[n-1].filled = true
			f.gap = !f.open[n-1].tight
		}
	case markList:
		f.gap = f.out.Len() > 0
		if last.filled {
			f.ended, f.depth = &last, n
		}
	}
}

// paragraph fills a paragraph's lines.
func (f *layout) paragraph(stream []byte) {
	words := f.resolve(stream)
	if len(words) == 0 {
		return
	}
	if f.inTightItem() && f.open[len(f.open)-1].marker == "" {
		f.gap = false
	}
	for line := range bytes.SplitSeq(words, []byte{markBreak}) {
		f.wrap(bytes.Trim(line, " "))
	}
	f.gap = true
}

// resolve writes link targets in parentheses, makes white space single spaces,
// and trims the ends.
func (f *layout) resolve(stream []byte) []byte {
	f.words = f.words[:0]
	for i := 0; i < len(stream); i++ {
		switch c := stream[i]; c {
		case ' ', '\n', '\t':
			if n := len(f.words); n > 0 && f.words[n-1] != ' ' {
				f.words = append(f.words, ' ')
			}
		case markTarget:
			end := bytes.IndexByte(stream[i:], markTargetEnd)
			if end < 0 {
				continue
			}
			f.leadTo(stream[i+1 : i+end])
			i += end
		case markBreak:
			f.words = append(f.words, c)
		default:
			end := i + 1
			for end < len(stream) && stream[end] > ' ' {
				end++
			}
			f.words = append(f.words, stream[i:end]...)
			i = end - 1
		}
	}
	return bytes.Trim(f.words, " \x03")
}

// leadTo adds a link's target in parentheses, unless its words show it already
// or it leads nowhere.
func (f *layout) leadTo(target []byte) {
	last := f.words[bytes.LastIndexAny(f.words, " \x03")+1:]
	if len(target) > 0 && target[0] != '#' && !sameTarget(last, target) {
		f.words = append(append(append(f.words, " ("...), target...), ')')
	}
}

// wrap breaks one line of words where it grows too long. Lines that go on end
// with a space, except in lists, where a reader that re-flows would lose the
// indent.
func (f *layout) wrap(words []byte) {
	room := columns - 1 - f.indent()
	flowed := !f.inItem()
	if string(words) == "--" && flowed {
		f.line(words, true) // the signature separator is "-- " (RFC 3676, section 4.3)
		return
	}
	for {
		end := fit(words, room)
		if end >= len(words) {
			f.line(words, false)
			return
		}
		f.line(words[:end], flowed)
		words = words[end+1:]
	}
}

// fit finds the space at which a line of at most room columns ends.
func fit(words []byte, room int) int {
	last, used := -1, 0
	for i := 0; i < len(words); {
		c := words[i]
		if c == ' ' {
			if used > room && last < 0 {
				return i // one long word, kept whole
			} else if used > room {
				return last
			}
			if string(words[:i]) != "--" { // alone it would part the signature
				last = i
			}
		}
		if c < utf8.RuneSelf {
			used++
			i++
			continue
		}
		r, size := utf8.DecodeRune(words[i:])
		used += runeWidth(r)
		i += size
	}
	if used > room && last >= 0 {
		return last
	}
	return len(words)
}

// runeWidth is how many columns a character takes.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r):
		return 0
	case r < 0x1100:
		return 1
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// code writes lines as they are.
func (f *layout) code(stream []byte) {
	text := strings.Trim(strings.ReplaceAll(string(stream), string(rune(markBreak)), "\n"), "\n")
	if strings.TrimSpace(text) == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		f.line([]byte(strings.TrimRight(line, " \t")), false)
	}
	f.gap = true
}

// indent is the width of what stands before each line, its protection included.
func (f *layout) indent() int {
	quotes, hang := 0, 0
	for _, c := range f.open {
		if c.kind == markQuote && hang == 0 {
			quotes++
		} else if c.kind == markQuote {
			hang += 2
		}
		hang += c.hang
	}
	if quotes > 0 {
		hang++
	}
	return quotes + hang
}

func (f *layout) inItem() bool {
	for _, c := range f.open {
		if c.kind == markItem {
			return true
		}
	}
	return false
}

// line writes one line with what stands before it. A line that goes on ends
// with a space.
func (f *layout) line(words []byte, goesOn bool) {
	if f.gap && f.out.Len() > 0 {
		f.blank()
	}
	start := f.out.Len()
	quotes := f.prefix()
	f.out.Write(words)
	whole := f.out.Bytes()[start+quotes:]
	if len(bytes.TrimRight(whole, " ")) == 0 {
		f.out.Truncate(start + quotes)
	} else if quotes > 0 || protected(whole) {
		f.stuff(start + quotes)
	}
	if goesOn {
		f.out.WriteByte(' ')
	}
	f.out.WriteByte('\n')
	f.gap, f.low, f.ended = false, len(f.open), nil
}

// prefix writes quote marks, indents and the markers of items that begin here.
// It returns how many quote marks stand in front.
func (f *layout) prefix() int {
	quotes, hung := 0, false
	for i := range f.open {
		c := &f.open[i]
		switch {
		case c.kind == markQuote && !hung:
			f.out.WriteByte('>')
			quotes++
		case c.kind == markQuote:
			f.out.WriteString("> ")
		case c.kind == markItem && c.marker != "":
			f.out.WriteString(c.marker)
			c.marker = ""
			hung = true
		case c.kind == markItem:
			f.out.WriteString(spaces(c.hang))
			hung = true
		}
	}
	return quotes
}

func spaces(n int) string { return strings.Repeat(" ", n) }

// protected says whether a line needs a space in front (RFC 3676, section 4.4).
func protected(line []byte) bool {
	return bytes.HasPrefix(line, []byte(" ")) || bytes.HasPrefix(line, []byte(">")) ||
		bytes.HasPrefix(line, []byte("From "))
}

// stuff puts a space at an offset.
func (f *layout) stuff(at int) {
	f.out.WriteByte(0)
	b := f.out.Bytes()
	copy(b[at+1:], b[at:])
	b[at] = ' '
}

// blank writes the empty line between two blocks, quoted as far as both are.
func (f *layout) blank() {
	for i, c := range f.open {
		if i >= f.low || c.kind != markQuote {
			break
		}
		f.out.WriteByte('>')
	}
	f.out.WriteByte('\n')
}
