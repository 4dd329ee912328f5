package templates

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"
)

// The plain-text part is written twice. The tree becomes a stream of words with
// the marks below, in which the fields are filled in; flow lays the result out
// in lines. No value and no author's word can hold a mark.
const (
	markBlock     = 0x01 // a paragraph begins
	markEnd       = 0x02 // the paragraph or code ends
	markBreak     = 0x03 // a line break that stays
	markCode      = 0x04 // lines that stay as they are begin
	markRule      = 0x05 // a line across
	markQuote     = 0x06 // a block quote begins
	markQuoteEnd  = 0x07
	markList      = 0x0e // a list begins; its first number and ";" follow, "-" for bullets
	markListEnd   = 0x0f
	markItem      = 0x10 // a list item begins
	markItemEnd   = 0x11
	markTarget    = 0x12 // where the words before lead
	markTargetEnd = 0x13
	markTable     = 0x14 // a table begins; a letter for each column's side follows
	markTableEnd  = 0x15
	markRow       = 0x16 // a row begins
	markCell      = 0x17 // a cell begins
)

// textWriter writes the tree as such a stream.
type textWriter struct {
	d *document
	b bytes.Buffer
}

// text writes the tree as a stream of words and marks.
func (d *document) text() ([]piece, error) {
	w := &textWriter{d: d}
	if err := ast.Walk(d.root, w.node); err != nil {
		return nil, err
	}
	return d.pieces(w.b.String(), map[byte]place{
		byWords: inText, byTarget: inTextTarget, byPart: inTextPart, byMail: inTextMail}), nil
}

// node writes one node's beginning or end.
func (w *textWriter) node(node ast.Node, entering bool) (ast.WalkStatus, error) {
	begin, end := blockMarks(node)
	if entering && begin != 0 {
		w.b.WriteByte(begin)
	}
	if !entering && end != 0 {
		w.b.WriteByte(end)
	}
	switch n := node.(type) {
	case *ast.List:
		if entering {
			w.list(n)
		}
	case *extast.Table:
		if entering {
			for _, a := range n.Alignments {
				w.b.WriteByte(a.String()[0])
			}
		}
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		if entering {
			w.words(n.Lines().Value(w.d.source))
		}
	case *ast.HTMLBlock:
		if typed := typedHTML(n, w.d.source); entering && typed != "" {
			w.b.WriteByte(markCode)
			w.words([]byte(typed))
			w.b.WriteByte(markEnd)
		}
	case *controlLine:
		if entering {
			w.b.Write(n.words(w.d.source))
		}
	default:
		return w.inline(node, entering)
	}
	return ast.WalkContinue, nil
}

// blockMarks are the marks around a block; 0 is none.
func blockMarks(n ast.Node) (begin, end byte) {
	switch n.Kind() {
	case ast.KindParagraph, ast.KindTextBlock, ast.KindHeading:
		return markBlock, markEnd
	case ast.KindCodeBlock, ast.KindFencedCodeBlock:
		return markCode, markEnd
	case ast.KindThematicBreak:
		return markRule, 0
	case ast.KindBlockquote:
		return markQuote, markQuoteEnd
	case ast.KindList:
		return markList, markListEnd
	case ast.KindListItem:
		return markItem, markItemEnd
	case extast.KindTable:
		return markTable, markTableEnd
	case extast.KindTableHeader, extast.KindTableRow:
		return markRow, 0
	case extast.KindTableCell:
		return markCell, 0
	}
	return 0, 0
}

// list writes what flow must know of a list: "=" when it is tight, "+" when it
// may go on with the list before, and its first number.
func (w *textWriter) list(n *ast.List) {
	if n.IsTight {
		w.b.WriteByte('=')
	}
	if mayJoin(n) {
		w.b.WriteByte('+')
	}
	if n.IsOrdered() {
		fmt.Fprintf(&w.b, "%d;", n.Start)
	} else {
		w.b.WriteByte('-')
	}
}

// inline writes what stands inside a paragraph.
func (w *textWriter) inline(node ast.Node, entering bool) (ast.WalkStatus, error) {
	switch n := node.(type) {
	case *ast.Text:
		if entering {
			w.text(n)
		}
	case *ast.CodeSpan:
		if entering {
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				w.words(bytes.ReplaceAll(c.(*ast.Text).Segment.Value(w.d.source), []byte("\n"), []byte(" ")))
			}
		}
		return ast.WalkSkipChildren, nil
	case *ast.RawHTML:
		if entering {
			w.words([]byte(withoutComments(string(n.Segments.Value(w.d.source)))))
		}
	case *ast.AutoLink:
		if entering {
			return ast.WalkSkipChildren, w.autoLink(n)
		}
	case *ast.Link, *ast.Image:
		return w.link(node, entering)
	}
	return ast.WalkContinue, nil
}

// words writes an author's words without their control characters.
func (w *textWriter) words(s []byte) { w.b.WriteString(withoutControls(string(s))) }

func (w *textWriter) text(n *ast.Text) {
	value := n.Segment.Value(w.d.source)
	if !n.IsRaw() {
		value = plain(value)
	}
	w.words(value)
	switch {
	case n.HardLineBreak():
		w.b.WriteByte(markBreak)
	case n.SoftLineBreak():
		w.b.WriteByte(' ')
	}
}

// plain resolves backslashes and entities.
func plain(value []byte) []byte {
	return util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(value)))
}

func (w *textWriter) autoLink(n *ast.AutoLink) error {
	target, err := w.d.target(autoTarget(n, w.d.source))
	if n.AutoLinkType == ast.AutoLinkEmail || target == "" {
		w.words(n.Label(w.d.source))
	} else {
		w.b.WriteString(target)
	}
	return err
}

// link writes the words, and after them where they lead.
func (w *textWriter) link(n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		return ast.WalkContinue, nil
	}
	target, err := w.d.leads(n)
	switch {
	case err != nil || target == "":
	case !hasWords(n, w.d.source):
		w.b.WriteString(strings.TrimPrefix(target, "mailto:"))
	default:
		w.b.WriteByte(markTarget)
		w.b.WriteString(strings.TrimPrefix(target, "mailto:"))
		w.b.WriteByte(markTargetEnd)
	}
	return ast.WalkContinue, err
}
