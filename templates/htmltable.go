package templates

import (
	"fmt"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"
)

func (h *htmlWriter) table(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = fmt.Fprintf(w, "<table style=\"%s\">\n", tableStyle)
	} else {
		_, _ = w.WriteString("</table>\n")
	}
	return ast.WalkContinue, nil
}

func (h *htmlWriter) row(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString("<tr>\n")
	} else {
		_, _ = w.WriteString("</tr>\n")
	}
	return ast.WalkContinue, nil
}

// cell writes the headers as such, for screen readers.
func (h *htmlWriter) cell(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*extast.TableCell)
	name, style, scope := "td", cellStyle, ""
	if n.Parent().Kind() == extast.KindTableHeader {
		name, style, scope = "th", headStyle, ` scope="col"`
	}
	if !entering {
		_, _ = fmt.Fprintf(w, "</%s>\n", name)
		return ast.WalkContinue, nil
	}
	padding := "4px 16px 4px 0"
	switch {
	case n.NextSibling() == nil:
		padding = "4px 0 4px 0" // or the line below the headers would go on past the last one
	case h.rtl:
		padding = "4px 0 4px 16px"
	}
	_, _ = fmt.Fprintf(w, "<%s%s style=\"%s\">", name, scope, fmt.Sprintf(style, padding, h.alignment(n)))
	return ast.WalkContinue, nil
}

// alignment is the side that a column asks for, else where its words begin.
func (h *htmlWriter) alignment(n *extast.TableCell) string {
	switch {
	case n.Alignment != extast.AlignNone:
		return n.Alignment.String()
	case h.rtl:
		return "right"
	}
	return "left"
}
