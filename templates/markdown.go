package templates

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// document is parsed Markdown in which each tag is one opaque word. Such a word
// is made of letters and digits, so that goldmark takes it for a part of
// whatever it stands in: a paragraph, a code span, a link target, an address.
//
// A control tag's word has a private-use character in front. Bare addresses
// end there, and lines of nothing else are found by it.
type document struct {
	source  []byte
	root    ast.Node
	origins []origin
	above   tableAbove // while it is parsed
	tags    []*tag
	nonce   string // begins each tag's word; the source has it nowhere else
}

// controlMark stands before the word of a control tag.
const controlMark = "\uE000"

// markdownParser is CommonMark without underlined headings, which would turn
// the line above a signature separator into one, and with bare addresses as
// links. It is safe for use by several goroutines.
var markdownParser = parser.NewParser(
	parser.WithBlockParsers(
		util.Prioritized(controlLineParser{}, 100),
		util.Prioritized(parser.NewThematicBreakParser(), 200),
		util.Prioritized(parser.NewListParser(), 300),
		util.Prioritized(parser.NewListItemParser(), 400),
		util.Prioritized(parser.NewCodeBlockParser(), 500),
		util.Prioritized(parser.NewATXHeadingParser(), 600),
		util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
		util.Prioritized(parser.NewBlockquoteParser(), 800),
		util.Prioritized(parser.NewHTMLBlockParser(), 900),
		util.Prioritized(parser.NewParagraphParser(), 1000),
	),
	parser.WithInlineParsers(append(parser.DefaultInlineParsers(),
		util.Prioritized(extension.NewLinkifyParser(), 999))...),
	parser.WithParagraphTransformers(append(parser.DefaultParagraphTransformers(),
		util.Prioritized(extension.NewTableParagraphTransformer(), 200))...),
	parser.WithASTTransformers(
		util.Prioritized(extension.NewTableASTTransformer(), 0),
		util.Prioritized(rowTransformer{}, 50),
		util.Prioritized(signatureTransformer{}, 100),
	),
)

// Beyond these a body is a bomb, not a mail: goldmark needs a second for ten
// thousand unclosed links, and many for as many quotes in one line.
const (
	maxBrackets = 2_000
	maxDepth    = 40
)

// parseMarkdown parses the source with its tags as words.
func parseMarkdown(chunks []chunk, at Position) (*document, error) {
	d := &document{nonce: nonceFor(chunks)}
	var b bytes.Buffer
	for _, c := range chunks {
		d.origins = append(d.origins, origin{offset: b.Len(), at: c.at, partial: c.partial, literal: c.tag == nil && c.partial == ""})
		if c.tag == nil {
			b.WriteString(c.literal)
			continue
		}
		if c.tag.kind == controlTag {
			b.WriteString(controlMark)
		}
		b.WriteString(d.word(len(d.tags), byWords))
		d.tags = append(d.tags, c.tag)
	}
	d.source = b.Bytes()
	if n := bytes.Count(d.source, []byte("[")); n > maxBrackets {
		return nil, errorAt(at, "%d opening brackets; the most for one body is %d", n, maxBrackets)
	}
	if !startsTooDeep(d.source) {
		pc := parser.NewContext()
		pc.Set(documentKey, d)
		d.root = markdownParser.Parse(text.NewReader(d.source), parser.WithContext(pc))
	}
	if d.root == nil || tooDeep(d.root) {
		return nil, errorAt(at, "lists, quotes or emphasis nested more than %d deep", maxDepth)
	}
	return d, nil
}

// nonceFor finds a word that the source does not contain.
func nonceFor(chunks []chunk) string {
	taken := func(nonce string) bool {
		for _, c := range chunks {
			if strings.Contains(c.literal, nonce) {
				return true
			}
		}
		return false
	}
	for i := 0; ; i++ {
		if nonce := "tag" + strconv.Itoa(i) + "x"; !taken(nonce) {
			return nonce
		}
	}
}

// The last letter of a tag's word says how its value is written.
const (
	byWords  = 'w' // as words
	byTarget = 't' // as the beginning of a link target
	byPart   = 'p' // inside a link target
	byMail   = 'm' // inside a mailto: target
)

// word is the opaque word for a tag.
func (d *document) word(index int, by byte) string {
	return d.nonce + strconv.Itoa(index) + string(by)
}

// cut finds the first tag's word in s: what stands before, the tag's index or
// -1, the way to write it, and what stands after.
func (d *document) cut(s string) (before string, index int, by byte, after string) {
	start := strings.Index(s, d.nonce)
	if start < 0 {
		return s, -1, 0, ""
	}
	rest := s[start+len(d.nonce):]
	n := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	index, err := strconv.Atoi(rest[:n])
	if err != nil || index >= len(d.tags) || n >= len(rest) {
		return s[:start], -1, 0, rest // not written by us: an author's entity spelled it
	}
	return strings.TrimSuffix(s[:start], controlMark), index, rest[n], rest[n+1:]
}

// startsTooDeep finds a line that opens quotes and lists without end, before
// goldmark spends its time on it.
func startsTooDeep(source []byte) bool {
	for line := range bytes.Lines(source) {
		start := line[:len(line)-len(bytes.TrimLeft(line, " \t>-+*.)0123456789"))]
		if bytes.Count(start, []byte(">"))+len(bytes.Fields(start)) > 2*maxDepth {
			return true
		}
	}
	return false
}

// tooDeep says whether the tree is nested beyond reason.
func tooDeep(root ast.Node) bool {
	depth, deepest := 0, 0
	_ = ast.Walk(root, func(_ ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			depth--
			return ast.WalkContinue, nil
		}
		depth++
		deepest = max(deepest, depth)
		return ast.WalkContinue, nil
	})
	return deepest > 2*maxDepth // a list is two nodes deep
}

// controlLine is a line that holds only control tags. It leaves no trace, and
// the blocks before and after it are separate.
type controlLine struct{ ast.BaseBlock }

var kindControlLine = ast.NewNodeKind("ControlLine")

func (n *controlLine) Kind() ast.NodeKind            { return kindControlLine }
func (n *controlLine) IsRaw() bool                   { return true }
func (n *controlLine) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// words are the tags of the line.
func (n *controlLine) words(source []byte) []byte { return n.Lines().Value(source) }

// controlLineParser finds lines of nothing but control tags.
type controlLineParser struct{}

func (controlLineParser) Trigger() []byte { return []byte{controlMark[0]} }

func (controlLineParser) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, segment := reader.PeekLine()
	if !isControls(line) || inTable(line, segment, reader.Source(), pc) {
		return nil, parser.NoChildren
	}
	n := &controlLine{}
	n.Lines().Append(segment)
	reader.AdvanceToEOL()
	return n, parser.NoChildren
}

// isControls says whether a line holds nothing but control tags.
func isControls(line []byte) bool {
	found := false
	for word := range bytes.FieldsSeq(line) {
		for tag := range bytes.SplitSeq(word, []byte(controlMark)) {
			if len(tag) > 0 && !isWord(tag) {
				return false
			}
		}
		if !bytes.HasPrefix(word, []byte(controlMark)) {
			return false
		}
		found = true
	}
	return found
}

// isWord says whether s is one tag's word and nothing more: a letter run, a
// number, an x, a number, a letter.
func isWord(s []byte) bool {
	return bytes.HasPrefix(s, []byte("tag")) && bytes.IndexByte(s, byWords) == len(s)-1
}

func (controlLineParser) Continue(ast.Node, text.Reader, parser.Context) parser.State {
	return parser.Close
}
func (controlLineParser) Close(ast.Node, text.Reader, parser.Context) {}
func (controlLineParser) CanInterruptParagraph() bool                 { return true }
func (controlLineParser) CanAcceptIndentedLine() bool                 { return false }

// signatureTransformer keeps the lines from "-- " on apart: what stands below
// the signature separator is not re-flowed.
type signatureTransformer struct{}

func (signatureTransformer) Transform(root *ast.Document, reader text.Reader, _ parser.Context) {
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering && n.Kind() == ast.KindParagraph {
			breakSignature(n, reader.Source())
		}
		return ast.WalkContinue, nil
	})
}

func breakSignature(paragraph ast.Node, source []byte) {
	var line []byte      // its words so far
	var before *ast.Text // ends the line before
	plain, found := true, false
	for n := paragraph.FirstChild(); n != nil; n = n.NextSibling() {
		t, ok := n.(*ast.Text)
		if !ok {
			plain = false
			continue
		}
		line = append(line, t.Segment.Value(source)...)
		if !t.SoftLineBreak() && !t.HardLineBreak() && t.NextSibling() != nil {
			continue
		}
		if plain && string(bytes.TrimSpace(line)) == "--" {
			found = true
			if before != nil {
				before.SetHardLineBreak(true)
			}
		}
		if found && t.SoftLineBreak() {
			t.SetHardLineBreak(true)
		}
		line, before, plain = line[:0], t, true
	}
}
