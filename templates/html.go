package templates

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// joinMark stands before a list that may go on with the list before it.
const joinMark = 0x01

// htmlRenderer is goldmark's renderer with our writer in it. To make one costs
// as much as to render a mail, and each serves one document at a time.
type htmlRenderer struct {
	renderer.Renderer
	writer *htmlWriter
}

// htmlRenderers are those that rest.
var htmlRenderers = sync.Pool{New: func() any {
	writer := &htmlWriter{}
	return &htmlRenderer{writer: writer, Renderer: renderer.NewRenderer(renderer.WithNodeRenderers(
		util.Prioritized(html.NewRenderer(), 1000),
		util.Prioritized(writer, 100),
	))}
}}

// html writes the tree as an HTML document in a language; "" = not known.
func (d *document) html(language string) ([]piece, error) {
	r := htmlRenderers.Get().(*htmlRenderer)
	*r.writer = htmlWriter{d: d, top: topHeading(d.root), rtl: rightToLeft(language)}
	defer func() {
		*r.writer = htmlWriter{}
		htmlRenderers.Put(r)
	}()
	var b pageBuffer
	b.Grow(2*len(d.source) + 1024)
	b.WriteString(headFor(language))
	if err := r.Render(&b, d.source, d.root); err != nil {
		return nil, err
	}
	b.WriteString(htmlFoot)
	return d.pieces(b.String(), map[byte]place{byWords: inHTML, byTarget: inHref, byPart: inPart, byMail: inMail}), nil
}

// pageBuffer is a buffer that the renderer need not buffer again.
type pageBuffer struct{ bytes.Buffer }

// Buffered and Flush complete util.BufWriter.
func (*pageBuffer) Buffered() int { return 0 }
func (*pageBuffer) Flush() error  { return nil }

// pieces cuts a written part at the words of its tags.
func (d *document) pieces(part string, places map[byte]place) []piece {
	var pieces []piece
	for part != "" {
		literal, index, by, rest := d.cut(part)
		if literal != "" {
			pieces = append(pieces, piece{literal: literal})
		}
		if index >= 0 {
			pieces = append(pieces, piece{tag: d.tags[index], place: places[by]})
		}
		part = rest
	}
	return pieces
}

// htmlWriter writes the nodes that differ from goldmark's own writing.
type htmlWriter struct {
	d   *document
	top int  // the level of the highest heading
	rtl bool // the words run from right to left
}

// RegisterFuncs implements renderer.NodeRenderer.
func (h *htmlWriter) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(kindControlLine, h.controlLine)
	reg.Register(ast.KindList, h.list)
	reg.Register(ast.KindBlockquote, h.quote)
	reg.Register(ast.KindCodeBlock, h.code)
	reg.Register(ast.KindFencedCodeBlock, h.code)
	reg.Register(ast.KindHTMLBlock, h.htmlBlock)
	reg.Register(ast.KindRawHTML, h.rawHTML)
	reg.Register(ast.KindLink, h.link)
	reg.Register(ast.KindImage, h.link)
	reg.Register(ast.KindAutoLink, h.autoLink)
	reg.Register(ast.KindParagraph, h.paragraph)
	reg.Register(ast.KindHeading, h.heading)
	reg.Register(ast.KindThematicBreak, h.rule)
	reg.Register(ast.KindCodeSpan, h.codeSpan)
	reg.Register(extast.KindTable, h.table)
	reg.Register(extast.KindTableHeader, h.row)
	reg.Register(extast.KindTableRow, h.row)
	reg.Register(extast.KindTableCell, h.cell)
}

// topHeading is the level of the highest heading; 0 when there is none.
func topHeading(root ast.Node) int {
	top := 0
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if heading, ok := n.(*ast.Heading); ok && entering && (top == 0 || heading.Level < top) {
			top = heading.Level
		}
		return ast.WalkContinue, nil
	})
	return top
}

func (h *htmlWriter) paragraph(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = fmt.Fprintf(w, "<p style=\"%s\">", paragraphStyle)
	} else {
		_, _ = w.WriteString("</p>\n")
	}
	return ast.WalkContinue, nil
}

// heading writes a heading one level below that of a page, whatever the author
// began with: screen readers go through a mail by its levels, and none may be
// left out.
func (h *htmlWriter) heading(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	depth := node.(*ast.Heading).Level - h.top
	level := min(depth+2, 6)
	if entering {
		_, _ = fmt.Fprintf(w, "<h%d style=\"%s\">", level, headingStyles[min(depth, len(headingStyles)-1)])
	} else {
		_, _ = fmt.Fprintf(w, "</h%d>\n", level)
	}
	return ast.WalkContinue, nil
}

func (h *htmlWriter) rule(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = fmt.Fprintf(w, "<hr style=\"%s\">\n", ruleStyle)
	}
	return ast.WalkContinue, nil
}

func (h *htmlWriter) codeSpan(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		_, _ = w.WriteString("</code>")
		return ast.WalkContinue, nil
	}
	_, _ = fmt.Fprintf(w, "<code style=\"%s\">", wordStyle)
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		words := c.(*ast.Text).Segment.Value(source)
		_, _ = w.Write(util.EscapeHTML(bytes.ReplaceAll(words, []byte("\n"), []byte(" "))))
	}
	return ast.WalkSkipChildren, nil
}

func (h *htmlWriter) controlLine(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.Write(n.(*controlLine).words(source))
	}
	return ast.WalkSkipChildren, nil
}

func (h *htmlWriter) list(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.List)
	name := "ul"
	if n.IsOrdered() {
		name = "ol"
	}
	if !entering {
		_, _ = fmt.Fprintf(w, "</%s>\n", name)
		return ast.WalkContinue, nil
	}
	if mayJoin(n) {
		_ = w.WriteByte(joinMark)
	}
	start := ""
	if n.IsOrdered() && n.Start != 1 {
		start = fmt.Sprintf(` start="%d"`, n.Start)
	}
	_, _ = fmt.Fprintf(w, "<%s%s style=\"%s\">\n", name, start, h.directed(listStyle))
	return ast.WalkContinue, nil
}

// mayJoin says whether only control tags part a list from what stands before:
// with the tags gone it may turn out to be the same list.
func mayJoin(n *ast.List) bool {
	return n.PreviousSibling() != nil && n.PreviousSibling().Kind() == kindControlLine
}

func (h *htmlWriter) quote(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = fmt.Fprintf(w, "<blockquote style=\"%s\">\n", h.directed(quoteStyle))
	} else {
		_, _ = w.WriteString("</blockquote>\n")
	}
	return ast.WalkContinue, nil
}

func (h *htmlWriter) code(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = fmt.Fprintf(w, "<pre style=\"%s\">", codeStyle)
		_, _ = w.Write(util.EscapeHTML(n.Lines().Value(source)))
		_, _ = w.WriteString("</pre>\n")
	}
	return ast.WalkSkipChildren, nil
}

func (h *htmlWriter) htmlBlock(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		if typed := typedHTML(n.(*ast.HTMLBlock), source); typed != "" {
			lines := strings.ReplaceAll(string(util.EscapeHTML([]byte(typed))), "\n", "<br>\n")
			_, _ = fmt.Fprintf(w, "<p style=\"%s\">%s</p>\n", paragraphStyle, lines)
		}
	}
	return ast.WalkSkipChildren, nil
}

func (h *htmlWriter) rawHTML(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.Write(util.EscapeHTML([]byte(withoutComments(string(n.(*ast.RawHTML).Segments.Value(source))))))
	}
	return ast.WalkSkipChildren, nil
}

// typedHTML is an HTML block as it was typed, without its comments.
func typedHTML(n *ast.HTMLBlock, source []byte) string {
	typed := string(n.Lines().Value(source))
	if n.HasClosure() {
		typed += string(n.ClosureLine.Value(source))
	}
	return strings.TrimSpace(withoutComments(typed))
}

// withoutComments removes <!-- … -->. One that is never closed stays: it would
// swallow the rest of the mail in silence.
func withoutComments(typed string) string {
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(typed, "<!--")
		_, after, closed := strings.Cut(rest, "-->")
		if !open || !closed {
			b.WriteString(typed)
			return b.String()
		}
		b.WriteString(before)
		typed = after
	}
}

// link writes a link, and an image as a link to it: nothing in the mail is
// loaded from elsewhere.
func (h *htmlWriter) link(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	target, err := h.d.leads(n)
	if err != nil {
		return ast.WalkStop, err
	}
	switch {
	case target == "": // only the words are left
	case !entering:
		_, _ = w.WriteString("</a>")
	default:
		_, _ = fmt.Fprintf(w, `<a href="%s">`, util.EscapeHTML([]byte(target)))
		if !hasWords(n, source) {
			_, _ = w.Write(util.EscapeHTML([]byte(strings.TrimPrefix(target, "mailto:"))))
		}
	}
	return ast.WalkContinue, nil
}

// destination is where a link leads or an image lies.
func destination(n ast.Node) []byte {
	var raw []byte
	switch n := n.(type) {
	case *ast.Link:
		raw = n.Destination
	case *ast.Image:
		raw = n.Destination
	}
	return plain(raw)
}

func (h *htmlWriter) autoLink(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.AutoLink)
	target, err := h.d.target(autoTarget(n, source))
	if err != nil {
		return ast.WalkStop, err
	}
	label := util.EscapeHTML(n.Label(source))
	if target == "" || inLink(node) {
		_, _ = w.Write(label)
	} else {
		_, _ = fmt.Fprintf(w, `<a href="%s">%s</a>`, util.EscapeHTML([]byte(target)), label)
	}
	return ast.WalkContinue, nil
}

// autoTarget is where a bare address leads.
func autoTarget(n *ast.AutoLink, source []byte) []byte {
	url := n.URL(source)
	if n.AutoLinkType == ast.AutoLinkEmail && scheme(string(url)) != "mailto" {
		return append([]byte("mailto:"), url...)
	}
	return url
}
