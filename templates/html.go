package templates

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// The document around a mail: what a mail program writes for words typed by
// hand. It loads nothing.
const (
	htmlHead = `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
</head>
<body style="font-family: Arial, Helvetica, sans-serif; font-size: 14px; line-height: 1.5;">
`
	htmlFoot = `</body>
</html>
`
	listStyle  = "margin: 0 0 1em; padding-left: 2em;"
	quoteStyle = "margin: 0 0 1em; padding-left: 1em; border-left: 2px solid #cccccc;"
	codeStyle  = "font-family: Menlo, Consolas, monospace; font-size: 13px; white-space: pre-wrap;"
)

// joinMark stands before a list that may go on with the list before it.
const joinMark = 0x01

// html writes the tree as an HTML document.
func (d *document) html() ([]piece, error) {
	r := renderer.NewRenderer(renderer.WithNodeRenderers(
		util.Prioritized(html.NewRenderer(), 1000),
		util.Prioritized(&htmlWriter{d}, 100),
	))
	var b bytes.Buffer
	b.WriteString(htmlHead)
	if err := r.Render(&b, d.source, d.root); err != nil {
		return nil, err
	}
	b.WriteString(htmlFoot)
	return d.pieces(b.String(), map[byte]place{byWords: inHTML, byTarget: inHref, byPart: inPart, byMail: inMail}), nil
}

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
type htmlWriter struct{ d *document }

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
	_, _ = fmt.Fprintf(w, "<%s%s style=\"%s\">\n", name, start, listStyle)
	return ast.WalkContinue, nil
}

// mayJoin says whether only control tags part a list from what stands before:
// with the tags gone it may turn out to be the same list.
func mayJoin(n *ast.List) bool {
	return n.PreviousSibling() != nil && n.PreviousSibling().Kind() == kindControlLine
}

func (h *htmlWriter) quote(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = fmt.Fprintf(w, "<blockquote style=\"%s\">\n", quoteStyle)
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
			_, _ = fmt.Fprintf(w, "<p>%s</p>\n", lines)
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
func (h *htmlWriter) link(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		_, _ = w.WriteString("</a>")
		return ast.WalkContinue, nil
	}
	target, err := h.d.target(destination(n))
	if err != nil {
		return ast.WalkStop, err
	}
	_, _ = fmt.Fprintf(w, `<a href="%s">`, util.EscapeHTML([]byte(target)))
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
	if target == "" {
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

// tidy removes what untaken branches leave behind: empty paragraphs, items and
// lists; and it joins lists that only tags had parted.
func tidy(page []byte) []byte {
	out := make([]byte, 0, len(page))
	for {
		start := bytes.IndexByte(page, '<')
		if start < 0 {
			return append(out, page...)
		}
		end := start + bytes.IndexByte(page[start:], '>') + 1
		if end <= start {
			return append(out, page...)
		}
		joins := start > 0 && page[start-1] == joinMark
		if joins {
			out = append(out, page[:start-1]...)
		} else {
			out = append(out, page[:start]...)
		}
		tag := page[start:end]
		page = page[end:]
		switch before, joined := bytes.CutSuffix(bytes.TrimRight(out, "\n "), closing(tag)); {
		case joins && joined:
			out, page = before, bytes.TrimPrefix(page, []byte("\n"))
		case tag[1] == '/':
			out = closeElement(out, tag)
		default:
			out = append(out, tag...)
		}
	}
}

// closing is the tag that ends the list that an opening tag begins.
func closing(opening []byte) []byte {
	if bytes.HasPrefix(opening, []byte("<ol")) {
		return []byte("</ol>")
	}
	return []byte("</ul>")
}

// closeElement ends an element, or removes it when nothing is inside.
func closeElement(out, tag []byte) []byte {
	body := bytes.TrimRight(out, " \n")
	open := bytes.LastIndexByte(body, '<')
	if open < 0 || body[len(body)-1] != '>' {
		return append(out, tag...)
	}
	name, _, _ := bytes.Cut(bytes.Trim(body[open:], "<>"), []byte(" "))
	if !bytes.Equal(name, tag[2:len(tag)-1]) || string(name) == "pre" || string(name) == "body" {
		return append(out, tag...)
	}
	return bytes.TrimRight(body[:open], "\n")
}
