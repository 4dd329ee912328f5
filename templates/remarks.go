package templates

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// Remark is a place in a body that reads well and does not become in the mail
// what its author may think.
type Remark struct {
	Position Position
	Partial  string // the partial it stands in, whose tag stands at Position; "" = the body itself
	Wrong    bool   // nobody can want it
	Message  string
	Instead  string // what to do, where the message does not say so
}

// Remarks lists them in order.
func (t *Template) Remarks() []Remark { return slices.Clone(t.remarks) }

// origin is where a stretch of the parsed source comes from.
type origin struct {
	offset  int
	at      Position
	partial string
	literal bool // its characters stand there one by one
}

// origin finds where an offset of the parsed source comes from.
func (d *document) origin(offset int) (Position, string) {
	i, exact := slices.BinarySearchFunc(d.origins, offset, func(o origin, offset int) int { return o.offset - offset })
	if !exact {
		i--
	}
	if i < 0 {
		return Position{1, 1}, ""
	}
	o := d.origins[i]
	if o.literal {
		for _, r := range string(d.source[o.offset:min(offset, len(d.source))]) {
			if r == '\n' {
				o.at.Line, o.at.Column = o.at.Line+1, 1
			} else {
				o.at.Column++
			}
		}
	}
	return o.at, o.partial
}

// typed is a stretch of the parsed source as its author wrote it, shortened.
func (d *document) typed(s string) string {
	var b strings.Builder
	for s != "" {
		before, index, _, after := d.cut(s)
		b.WriteString(before)
		if index >= 0 {
			b.WriteString(d.tags[index].source)
		}
		s = after
	}
	if letters := []rune(b.String()); len(letters) > 60 {
		return string(letters[:60]) + "…"
	}
	return b.String()
}

// mostRemarks are more than anybody reads.
const mostRemarks = 50

// remarks walks the tree.
func (d *document) remarks() []Remark {
	w := remarker{d: d}
	_ = ast.Walk(d.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if len(w.all) >= mostRemarks {
			return ast.WalkStop, nil
		}
		switch n := n.(type) {
		case *ast.Link, *ast.Image:
			w.link(n)
		case *ast.RawHTML:
			w.html(n.Segments.At(0).Start, string(n.Segments.Value(d.source)))
		case *ast.HTMLBlock:
			if n.Lines().Len() > 0 {
				w.html(n.Lines().At(0).Start, typedHTML(n, d.source))
			}
		case *ast.Text:
			w.unread(n)
		case *ast.Paragraph:
			w.rows(n)
		case *ast.CodeSpan:
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	return w.all
}

// remarker collects remarks.
type remarker struct {
	d   *document
	all []Remark
}

func (w *remarker) add(offset int, r Remark) {
	r.Position, r.Partial = w.d.origin(offset)
	w.all = append(w.all, r)
}

// link finds links that lead nowhere or show nothing.
func (w *remarker) link(n ast.Node) {
	if inLink(n) {
		return
	}
	address := string(destination(n))
	first, index, _, _ := w.d.cut(address)
	kind, shown := scheme(first), w.d.typed(address)
	switch {
	case address == "":
		w.add(n.Pos(), Remark{Wrong: true, Message: "a link without an address; write it between the parentheses"})
	case kind == "" && (first != "" || index < 0) && !isWWW(first):
		w.add(n.Pos(), Remark{Wrong: true, Message: fmt.Sprintf("%q leads nowhere from a mail; write a whole address, such as https://example.com/…, "+
			"or attach the file", shown)})
	case kind != "" && !allowed(kind):
		w.add(n.Pos(), Remark{Message: fmt.Sprintf("links that begin with %s: are left out, only their words are sent", kind),
			Instead: "link to http, https or mailto"})
	case !hasWords(n, w.d.source):
		w.add(n.Pos(), Remark{Message: "a link without words shows its bare address", Instead: "write between the brackets what it leads to"})
	}
}

// html finds what was meant to look like something.
func (w *remarker) html(offset int, typed string) {
	typed = strings.TrimSpace(withoutComments(typed))
	if typed == "" || strings.HasPrefix(typed, "</") {
		return
	}
	typed, _, _ = strings.Cut(typed, "\n")
	w.add(offset, Remark{Message: fmt.Sprintf("HTML is sent as it stands here: %s", w.d.typed(typed)), Instead: "write Markdown, such as **bold**"})
}

// unreadLink is the end of a link with spaces in its address, which Markdown
// takes for words.
var unreadLink = regexp.MustCompile(`^\]\(\s*((?i:https?|mailto|tel):[^()<>\n]*[^\s()<>]|[^\s()<>"]*[./][^()<>"\n]*[^\s()<>"])\s*\)`)

// unread finds links that Markdown did not take for any.
func (w *remarker) unread(n *ast.Text) {
	for at := n.Segment.Start; at < n.Segment.Stop && len(w.all) < mostRemarks; at++ {
		i := bytes.IndexByte(w.d.source[at:n.Segment.Stop], ']')
		if i < 0 {
			return
		}
		at += i
		m := unreadLink.FindSubmatch(w.d.source[at:])
		if m == nil || !bytes.ContainsAny(m[1], " \t") || !opened(w.d.source[max(0, at-maxValue):at]) {
			continue
		}
		address := string(m[1])
		kind, way := scheme(address), "write %20 for each"
		if kind != "" && !allowed(kind) {
			way = "link to http, https or mailto"
		}
		w.add(at, Remark{Wrong: kind != "",
			Message: fmt.Sprintf("this link is sent as it stands here: the address %q has spaces in it; %s", w.d.typed(address), way)})
	}
}

// opened says whether a bracket without a backslash is open behind words, which
// end with no backslash either.
func opened(words []byte) bool {
	i := bytes.LastIndexAny(words, "[\n")
	return i >= 0 && words[i] == '[' && (i == 0 || words[i-1] != '\\') && words[len(words)-1] != '\\'
}

// rows finds rows that belong to no table.
func (w *remarker) rows(n *ast.Paragraph) {
	lines := n.Lines()
	for i := range lines.Len() {
		segment := lines.At(i)
		line := bytes.TrimSpace(segment.Value(w.d.source))
		if len(line) < 3 || line[0] != '|' || line[len(line)-1] != '|' {
			return
		}
	}
	if lines.Len() > 0 {
		w.add(lines.At(0).Start, Remark{Message: "rows without a table are sent as they stand here",
			Instead: "begin it with a row of headers and, below, a line with as many columns of dashes: | --- | --- |"})
	}
}

// inLink says whether a node stands in a link, or in an image, which becomes
// one. Links do not nest.
func inLink(n ast.Node) bool {
	for p := n.Parent(); p != nil; p = p.Parent() {
		if p.Kind() == ast.KindLink || p.Kind() == ast.KindImage {
			return true
		}
	}
	return false
}

// hasWords says whether a link shows anything.
func hasWords(n ast.Node, source []byte) bool {
	found := false
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			found = found || len(bytes.TrimSpace(n.Segment.Value(source))) > 0
		case *ast.CodeSpan, *ast.AutoLink, *ast.RawHTML, *ast.String:
			found = true
		}
		return ast.WalkContinue, nil
	})
	return found
}

// isWWW says whether an address needs no scheme.
func isWWW(address string) bool { return strings.HasPrefix(strings.ToLower(address), "www.") }
