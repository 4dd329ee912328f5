package main

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// table is text in columns. The first row is the heading.
type table struct {
	rows   [][]string
	shrink int // the column that gives way when a row does not fit
}

func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = visible(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// lines lays the table out, two spaces between columns. columns is how wide it
// may be, 0 for as wide as it must.
func (t *table) lines(columns int) []string {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	if over := total - columns; columns > 0 && over > 0 {
		widths[t.shrink] = min(widths[t.shrink], max(widths[t.shrink]-over, 16))
	}
	lines := make([]string, len(t.rows))
	for r, row := range t.rows {
		var b strings.Builder
		for i, cell := range row {
			if i > 0 {
				b.WriteString("  ")
			}
			b.WriteString(padded(cell, widths[i]))
		}
		lines[r] = strings.TrimRight(b.String(), " ")
	}
	return lines
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
