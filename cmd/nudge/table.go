package main

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// table is text in columns. The first row is the heading.
type table struct {
	rows   [][]string
	shrink []int // the columns that give way, in order, when a row does not fit
}

// narrowest is how far a column gives way.
const narrowest = 12

func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = visible(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// lines lays the table out, two spaces between columns. columns is how wide it
// may be, 0 for as wide as it must. What gives way is cut, but for the first
// cell of a row, which is what the next command asks for: it stands on a line
// of its own.
func (t *table) lines(columns int) []string {
	widths := t.widths()
	if over := sum(widths) - columns; columns > 0 && over > 0 {
		t.dropBlank(widths)
		over = sum(widths) - columns
		for _, c := range t.shrink {
			give := min(max(over, 0), max(widths[c]-narrowest, 0))
			widths[c], over = widths[c]-give, over-give
		}
	}
	lines := make([]string, 0, len(t.rows))
	for _, row := range t.rows {
		if utf8.RuneCountInString(row[0]) > widths[0] {
			lines = append(lines, row[0])
			row = append([]string{""}, row[1:]...)
		}
		var b strings.Builder
		for i, cell := range row {
			if widths[i] > 0 || i == 0 {
				b.WriteString(padded(cell, widths[i]) + "  ")
			}
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}

// wide is how wide the table is where nothing gives way.
func (t *table) wide() int { return sum(t.widths()) }

func (t *table) widths() []int {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// sum is the width of columns with two spaces between them.
func sum(widths []int) int {
	total := -2
	for _, w := range widths {
		if w > 0 {
			total += w + 2
		}
	}
	return total
}

// dropBlank leaves out columns in which nothing stands but the heading.
func (t *table) dropBlank(widths []int) {
	for c := 1; c < len(widths); c++ {
		if !slices.ContainsFunc(t.rows[1:], func(row []string) bool { return row[c] != "" }) {
			widths[c] = 0
		}
	}
}

// padded brings a cell to a width, in characters.
func padded(cell string, w int) string {
	if n := utf8.RuneCountInString(cell); n <= w {
		return cell + strings.Repeat(" ", w-n)
	}
	return string(slices.Concat([]rune(cell)[:w-1], []rune("…")))
}

// printTable writes a table, its heading dimmed. Only a terminal has an edge
// for which cells are shortened.
func (a *app) printTable(t table) {
	columns := 0
	if isTerminal(a.out) {
		columns = a.columns()
	}
	for i, line := range t.lines(columns) {
		if i == 0 {
			line = a.dim(line)
		}
		a.printf("%s\n", line)
	}
}
