package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"nudge/sequences"
)

// tellFinding writes one finding. Editors read it off a pipe, or off a terminal
// for which COLUMNS says that lines are long: see docs/writing.md.
func (a *app) tellFinding(finding sequences.Finding) {
	text, paint := quoted.ReplaceAllStringFunc(visible(finding.String()), clipped), a.bold
	if finding.Severity != sequences.SeverityError {
		text, paint = strings.Replace(text, ": ", ": advice: ", 1), func(s string) string { return s }
	}
	for i, line := range a.linesOf(text, 2) {
		if i > 0 {
			line = "  " + line
		}
		a.printf("%s\n", paint(line))
	}
}

// quoted is what a finding cites from the file.
var quoted = regexp.MustCompile(`"[^"]*"`)

// clipped is what is cited, with what no person would read left out.
func clipped(cited string) string {
	const most = 60
	if letters := []rune(cited); len(letters) > most+2 {
		return string(letters[:most+1]) + `…"`
	}
	return cited
}

// widestLine is how much of a line of source is shown where there is no screen.
const widestLine = 200

// showPlace prints a line of source, or what fits of it, and a caret below the
// place in it.
func (a *app) showPlace(line string, f sequences.Finding) {
	number, room := fmt.Sprintf("%5d |", f.Line), widestLine
	if isTerminal(a.out) {
		room = a.columns()
	}
	room -= len(number) + 1
	shown, at := around(line, f.Column-1, room)
	at = min(at, room-1) // also behind the line's end
	mark := a.red("^")
	if f.Severity != sequences.SeverityError {
		mark = a.yellow("^")
	}
	a.printf("%s %s\n", a.dim(number), strings.TrimRight(shown, " "))
	a.printf("%s %s%s\n", a.dim("      |"), strings.Repeat(" ", at), mark)
}

// around is what stands around a place of a line, in at most room columns, and
// the column of the place in that.
func around(line string, at, room int) (string, int) {
	shown := []rune(line)
	for i, r := range shown {
		switch {
		case r == '\t':
			shown[i] = ' '
		case visible(string(r)) != string(r), r == utf8.RuneError:
			shown[i] = '·'
		}
	}
	at = min(max(at, 0), len(shown))
	if columnsIn(shown) <= room {
		return string(shown), columnsIn(shown[:at])
	}
	from := at
	for from > 0 && columnsIn(shown[from-1:at]) <= room/2 {
		from--
	}
	to := from
	for to < len(shown) && columnsIn(shown[from:to+1]) <= room {
		to++
	}
	for to == len(shown) && from > 0 && columnsIn(shown[from-1:to]) <= room {
		from--
	}
	before, after := from > 0, to < len(shown)
	part := shown[from:to]
	if before {
		part[0] = '…'
	}
	if after {
		part[len(part)-1] = '…'
	}
	return string(part), columnsIn(part[:at-from])
}

// columnsIn is how wide characters are on a terminal.
func columnsIn(rs []rune) int {
	n := 0
	for _, r := range rs {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case unicode.Is(twoColumns, r):
			n += 2
		default:
			n++
		}
	}
	return n
}

// twoColumns are the characters that terminals draw twice as wide as others: East
// Asian ones and most emoji (Unicode UAX #11, without the single signs among
// others).
var twoColumns = &unicode.RangeTable{
	R16: []unicode.Range16{{0x1100, 0x115f, 1}, {0x2e80, 0x303e, 1}, {0x3041, 0xa4cf, 1}, {0xac00, 0xd7a3, 1}, {0xf900, 0xfaff, 1},
		{0xfe30, 0xfe6f, 1}, {0xff00, 0xff60, 1}, {0xffe0, 0xffe6, 1}},
	R32: []unicode.Range32{{0x1f300, 0x1faff, 1}, {0x20000, 0x3fffd, 1}},
}
