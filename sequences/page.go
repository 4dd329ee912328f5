package sequences

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxSize is the largest sequence file read. A long one is a few kilobytes;
// beyond this, Markdown made to be slow to parse gets slow.
const maxSize = 256 << 10

// page is the text of one file with a way back from offsets to places. Its
// lines end with LF and no byte order mark stands before them, which changes
// neither the lines nor the columns of what people see.
type page struct {
	file  string
	text  string
	lines []int // offset of each line's first byte
}

// span is a stretch of a page's text, in bytes; end is the first outside.
type span struct{ start, end int }

// newPage refuses what no text editor shows as written: other encodings than
// UTF-8, and control characters.
func newPage(file string, source []byte) (*page, *ParseError) {
	if len(source) > maxSize {
		return nil, &ParseError{File: file, Line: 1, Column: 1,
			Err: fmt.Errorf("the file is larger than %d KB", maxSize>>10)}
	}
	source = bytes.TrimPrefix(source, []byte("\xef\xbb\xbf"))
	text := strings.ReplaceAll(string(source), "\r\n", "\n")
	p := &page{file: file, text: text, lines: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			p.lines = append(p.lines, i+1)
		}
	}
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return nil, p.mistake(i, errors.New("not UTF-8; save the file with the encoding UTF-8"), "")
			}
		}
		if (r < ' ' && r != '\n' && r != '\t') || r == 0x7f {
			return nil, p.mistake(i, fmt.Errorf("control character %U", r), "")
		}
	}
	return p, nil
}

// maxDepth is how many quotes and list items may begin on one line. Markdown
// parsers need time that grows with the square of it.
const maxDepth = 40

// tooDeep finds the first line nested beyond reason, or -1.
func (p *page) tooDeep() int {
	for _, at := range p.lines {
		depth := 0
		for i := at; i < len(p.text) && strings.IndexByte(" \t>-+*0123456789.)", p.text[i]) >= 0; i++ {
			item := strings.IndexByte("-+*.)", p.text[i]) >= 0 && i+1 < len(p.text) && (p.text[i+1] == ' ' || p.text[i+1] == '\t')
			if p.text[i] == '>' || item {
				depth++
			}
		}
		if depth > maxDepth {
			return at
		}
	}
	return -1
}

// place is the line and column of an offset, both from 1, columns in characters.
func (p *page) place(offset int) (line, column int) {
	i, found := slices.BinarySearch(p.lines, offset)
	if !found {
		i--
	}
	return i + 1, utf8.RuneCountInString(p.text[p.lines[i]:offset]) + 1
}

func (p *page) mistake(offset int, err error, suggestion string) *ParseError {
	line, column := p.place(offset)
	return &ParseError{File: p.file, Line: line, Column: column, Err: err, Suggestion: suggestion}
}

// nextLine is the offset of the line after the one that offset is in.
func (p *page) nextLine(offset int) int {
	if i := strings.IndexByte(p.text[offset:], '\n'); i >= 0 {
		return offset + i + 1
	}
	return len(p.text)
}

// lineStart is the offset of the first byte of offset's line.
func (p *page) lineStart(offset int) int {
	return strings.LastIndexByte(p.text[:offset], '\n') + 1
}

// line is the line at offset without its end, white space trimmed.
func (p *page) line(offset int) string {
	return strings.TrimSpace(p.text[offset:p.nextLine(offset)])
}

// trim makes a span begin and end with lines that are not blank.
func (p *page) trim(s span) span {
	for s.start < s.end && p.line(s.start) == "" {
		s.start = min(p.nextLine(s.start), s.end)
	}
	s.end = s.start + len(strings.TrimRight(p.text[s.start:s.end], " \t\n"))
	return s
}
