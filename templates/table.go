package templates

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// between is how far columns stand apart.
const between = 3

// table lays a table out in columns, as one types it with the space bar, and
// where it is too wide, row by row.
func (f *layout) table(stream []byte) {
	sides, stream, _ := bytes.Cut(stream, []byte{markRow})
	var rows [][]string
	widths := make([]int, len(sides))
	for row := range bytes.SplitSeq(stream, []byte{markRow}) {
		cells := make([]string, len(sides))
		for i, cell := range bytes.Split(row, []byte{markCell}) {
			if i == 0 || i > len(sides) { // nothing stands before the first
				continue
			}
			words := bytes.ReplaceAll(f.resolve(cell), []byte{markBreak}, []byte(" "))
			cells[i-1] = string(words)
			widths[i-1] = max(widths[i-1], wide(cells[i-1]))
		}
		rows = append(rows, cells)
	}
	total := between * (len(sides) - 1)
	for _, w := range widths {
		total += w
	}
	switch {
	case len(rows) == 0:
	case total > columns-1-f.indent():
		f.stacked(rows)
	default:
		f.columns(rows, widths, sides)
	}
	f.gap = f.gap || f.out.Len() > 0
}

// wide is how many columns words take.
func wide(words string) int {
	n := 0
	for _, r := range words {
		n += runeWidth(r)
	}
	return n
}

// columns writes the rows below each other, with a line under the headers.
func (f *layout) columns(rows [][]string, widths []int, sides []byte) {
	for i, row := range rows {
		f.line(aligned(row, widths, sides), false)
		if i > 0 || len(rows) == 1 {
			continue
		}
		rule := make([]string, len(widths))
		for c, w := range widths {
			rule[c] = strings.Repeat("-", w)
		}
		f.line(aligned(rule, widths, sides), false)
	}
}

// aligned writes one row. The first column stands at the left whatever its
// side: a line that begins with a space is marked by another (RFC 3676), which
// would move it.
func aligned(row []string, widths []int, sides []byte) []byte {
	var line []byte
	for i, cell := range row {
		room := widths[i] - wide(cell)
		before := 0
		switch {
		case i == 0:
		case sides[i] == 'r':
			before = room
		case sides[i] == 'c':
			before = room / 2
		}
		line = append(line, spaces(before)...)
		line = append(line, cell...)
		line = append(line, spaces(room-before+between)...)
	}
	return bytes.TrimRight(line, " ")
}

// stacked writes each row as lines of "header: cell".
func (f *layout) stacked(rows [][]string) {
	for _, row := range rows[min(1, len(rows)-1):] {
		for i, cell := range row {
			if cell == "" {
				continue
			}
			if header := rows[0][i]; header != "" && len(rows) > 1 {
				cell = header + colon(header) + cell
			}
			f.wrap([]byte(cell))
		}
		f.gap = true
	}
}

// colon stands between a header and a cell, unless the header has its own mark.
func colon(header string) string {
	if last, _ := utf8.DecodeLastRuneInString(header); strings.ContainsRune(":?!：？！", last) {
		return " "
	}
	return ": "
}
