package templates

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// A line of control tags parts what stands before and after it, except between
// the rows of a table: there {% for %} and {% if %} make rows. goldmark takes
// such a line for a row of its own, and afterwards it is made a line of tags
// again.

// documentKey is where the parser finds the document that it parses.
var documentKey = parser.NewContextKey()

// inTable says whether a line of control tags stands between the rows of the
// table above it: a row follows, or it goes on with a block that began there.
func inTable(line []byte, segment text.Segment, source []byte, pc parser.Context) bool {
	above, ok := pc.LastOpenedBlock().Node.(*ast.Paragraph)
	d, known := pc.Get(documentKey).(*document)
	if !ok || !known {
		return false
	}
	if d.above.paragraph != above {
		d.above = tableAbove{paragraph: above}
	}
	t := &d.above
	for ; t.lines < above.Lines().Len(); t.lines++ {
		row := above.Lines().At(t.lines)
		words := row.Value(source)
		if t.begun {
			_, net := d.depth(words)
			t.open += net
		}
		t.begun = t.begun || isDelimiter(words) && t.bars
		t.bars = bytes.ContainsRune(words, '|')
	}
	low, net := d.depth(line)
	switch {
	case !t.begun || t.open+low < 0:
		return false
	case t.open > 0 && net <= 0:
		return true
	}
	return rowFollows(source[segment.Stop:])
}

// tableAbove is what is known of the lines above one of tags, each looked at
// once.
type tableAbove struct {
	paragraph *ast.Paragraph // as which a table is parsed first
	lines     int            // looked at
	bars      bool           // the last of them has some
	begun     bool           // there was a line of dashes
	open      int            // blocks that began below it
}

// farRow is how many lines of tags may stand before a row.
const farRow = 20

// isDelimiter finds the line of dashes under a table's headers.
func isDelimiter(line []byte) bool {
	return bytes.ContainsRune(line, '-') && bytes.ContainsRune(line, '|') && len(bytes.Trim(line, "-|: \t\n")) == 0
}

// rowFollows says whether a table's row comes next, behind more such lines.
func rowFollows(source []byte) bool {
	lines := 0
	for line := range bytes.Lines(source) {
		if line = bytes.TrimLeft(line, " \t>"); !isControls(line) {
			return bytes.HasPrefix(line, []byte("|"))
		}
		if lines++; lines > farRow {
			break
		}
	}
	return false
}

// depth counts the blocks that the tags of a line open, less those they close:
// the lowest count on the way, and the last.
func (d *document) depth(line []byte) (low, net int) {
	for rest := string(line); rest != ""; {
		_, index, _, after := d.cut(rest)
		if rest = after; index < 0 || d.tags[index].kind != controlTag {
			continue
		}
		switch name := d.tags[index].name; {
		case closings[name] != "":
			net--
		case strings.Contains(" if unless case for ", " "+name+" "):
			net++
		}
		low = min(low, net)
	}
	return low, net
}

// rowTransformer makes lines of tags again of those that stand in a table.
type rowTransformer struct{}

func (rowTransformer) Transform(root *ast.Document, reader text.Reader, _ parser.Context) {
	source := reader.Source()
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering || n.Kind() != extast.KindTable {
			return ast.WalkContinue, nil
		}
		for row := n.FirstChild(); row != nil; {
			next := row.NextSibling()
			start := row.Pos()
			line := source[start:]
			if end := bytes.IndexByte(line, '\n'); end >= 0 {
				line = line[:end]
			}
			tagsOnly := bytes.Trim(line, "| \t\r") // formatters make a row of cells of it
			if isControls(tagsOnly) {
				start += bytes.Index(line, tagsOnly)
				tags := &controlLine{}
				tags.Lines().Append(text.NewSegment(start, start+len(tagsOnly)))
				n.ReplaceChild(n, row, tags)
			}
			row = next
		}
		return ast.WalkSkipChildren, nil
	})
}
