package sequences

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// section is one step as it stands on the page, before its words are read.
type section struct {
	heading    int    // offset of its line
	title      string // as written, without the #
	fence      int    // offset of the step block's first line; -1 when there is none
	settings   span   // the lines in the step block
	body       span   // what follows, up to the next step
	fenceWrong bool   // a mistake about its step block was already reported
}

// blocks finds Markdown's blocks. It leaves out what stands inside a line and
// costs time: links and emphasis are the templates' business.
var blocks = parser.NewParser(parser.WithBlockParsers(parser.DefaultBlockParsers()...))

// outline finds the front matter, the note's first heading and the sections.
// Markdown decides what a heading is, so that a ## in a code block, a quote or
// a comment is no step.
func (r *reader) outline() {
	rest := r.findFront()
	if rest < 0 {
		return
	}
	if at := r.tooDeep(); at >= 0 {
		r.wrongAt(at, fmt.Errorf("quotes and lists nested more than %d deep", maxDepth), "")
		return
	}
	// Blanks instead of the front matter keep every offset as it is.
	blank := strings.Map(func(c rune) rune {
		if c == '\n' {
			return c
		}
		return ' '
	}, r.text[:rest])
	blank += strings.Repeat(" ", rest-len(blank))
	if rest > 0 {
		blank = blank[:rest-1] + "\n"
	}
	source := []byte(blank + r.text[rest:])
	for n := blocks.Parse(text.NewReader(source)).FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Heading:
			r.heading(n)
		case *ast.FencedCodeBlock:
			r.fenced(n)
		case *ast.HTMLBlock:
			r.html(n)
		case *ast.Paragraph:
			r.paragraph(n)
		}
	}
	if n := len(r.sections); n > 0 {
		r.sections[n-1].body.end = len(r.text)
	}
}

// findFront finds the front matter and returns where the rest starts, or -1
// when nothing after it can be told apart.
func (r *reader) findFront() int {
	if start := len(r.text) - len(strings.TrimLeft(r.text, " \t\n")); r.line(start) != "---" {
		return 0
	} else if start > 0 {
		r.wrongAt(start, errors.New("the front matter must start in the file's first line"), "")
	}
	start := r.nextLine(strings.Index(r.text, "---"))
	for at := start; at < len(r.text); at = r.nextLine(at) {
		if strings.TrimRight(r.text[at:r.nextLine(at)], " \t\n") == "---" {
			r.front = span{start, at}
			return r.nextLine(at)
		}
	}
	r.wrongAt(strings.Index(r.text, "---"), errors.New("the front matter is never closed; end it with a line ---"), "")
	return -1
}

func (r *reader) heading(n *ast.Heading) {
	if n.Lines().Len() == 0 && n.Pos() < 0 {
		return
	}
	at := n.Pos()
	title := ""
	if lines := n.Lines(); lines.Len() > 0 {
		first, last := lines.At(0), lines.At(lines.Len()-1)
		title = strings.Join(strings.Fields(r.text[first.Start:last.Stop]), " ")
	}
	at = r.lineStart(at)
	underlined := !strings.HasPrefix(r.line(at), "#")
	switch {
	case n.Level == 2 && underlined:
		r.wrongAt(at, fmt.Errorf("the line of dashes below makes %q a heading; put an empty line before the dashes, "+
			"or start a step with ##", shorten(title)), "")
	case n.Level == 2:
		r.closeSection(at)
		end := r.nextLine(at)
		r.sections = append(r.sections, section{heading: at, title: title, fence: -1, body: span{end, end}})
	case len(r.sections) == 0:
		if r.noteTitle == "" {
			r.noteTitle = title
		}
	case n.Level == 1:
		r.wrongAt(at, errors.New("a # heading inside a step; write ## to start a step, ### for a heading in a mail"), "")
	}
}

func (r *reader) closeSection(at int) {
	if n := len(r.sections); n > 0 {
		r.sections[n-1].body.end = at
	}
}

// fenced reads a fenced code block: a step's settings, or part of a mail.
func (r *reader) fenced(n *ast.FencedCodeBlock) {
	at := r.lineStart(n.Pos())
	inside := span{r.nextLine(at), r.nextLine(at)}
	if lines := n.Lines(); lines.Len() > 0 {
		inside.end = r.nextLine(lines.At(lines.Len()-1).Stop - 1)
	}
	if inside.end >= len(r.text) {
		r.wrongAt(at, errors.New("this fenced block is never closed; everything below belongs to it"), "")
		if len(r.sections) > 0 {
			r.sections[len(r.sections)-1].fenceWrong = true
		}
		return
	}
	info := ""
	if n.Info != nil {
		info = strings.TrimSpace(r.text[n.Info.Segment.Start:n.Info.Segment.Stop])
	}
	word, more, _ := strings.Cut(info, " ")
	if len(r.sections) == 0 {
		if word == "step" {
			r.wrongAt(at, errors.New("a step block before the first step; a step starts with a ## heading"), "")
		}
		return
	}
	s := &r.sections[len(r.sections)-1]
	prev, first := n.PreviousSibling().(*ast.Heading)
	first = first && prev.Level == 2
	switch {
	case word != "step":
		r.foreignFence(s, first, word, inside)
	case more != "":
		s.fenceWrong = true
		r.wrongAt(at, fmt.Errorf("%q after step; the word stands alone behind the fence", shorten(more)), "")
	case s.fence >= 0:
		r.wrongAt(at, errors.New("a second step block in one step"), "")
	case !first:
		s.fenceWrong = true
		r.wrongAt(at, errors.New("the step block must stand directly under its heading"), "")
	default:
		s.fence, s.settings = at, inside
		s.body.start = r.nextLine(inside.end)
	}
}

// hasWait is what gives a step's settings away under a wrong name.
var hasWait = regexp.MustCompile(`(?m)^[ \t]*wait[ \t]*:`)

// foreignFence tells a code block of the mail from a step block misnamed.
func (r *reader) foreignFence(s *section, first bool, word string, inside span) {
	settings := first && hasWait.MatchString(r.text[inside.start:inside.end])
	if !settings && Nearest(strings.TrimSuffix(word, "s"), []string{"step"}) == "" {
		return
	}
	s.fenceWrong = true
	fence := r.lineStart(inside.start - 1)
	r.wrongAt(fence+strings.Index(r.text[fence:], word), fmt.Errorf("a fenced block named %q is not read as settings", word), "step")
}

// ends are what closes each kind of HTML block that blank lines do not end.
var ends = map[ast.HTMLBlockType]*regexp.Regexp{
	ast.HTMLBlockType1: regexp.MustCompile(`(?i)</(script|pre|style|textarea)>`),
	ast.HTMLBlockType2: regexp.MustCompile(`-->`),
	ast.HTMLBlockType3: regexp.MustCompile(`\?>`),
	ast.HTMLBlockType4: regexp.MustCompile(`>`),
	ast.HTMLBlockType5: regexp.MustCompile(`\]\]>`),
}

// html refuses a comment that is never closed: it would swallow the steps below.
func (r *reader) html(n *ast.HTMLBlock) {
	end, ok := ends[n.HTMLBlockType]
	if !ok {
		return
	}
	at := n.Lines().At(0).Start
	if !end.MatchString(r.text[at:]) {
		what := "HTML block"
		if n.HTMLBlockType == ast.HTMLBlockType2 {
			what = "comment"
		}
		r.wrongAt(at, fmt.Errorf("this %s is never closed; everything below belongs to it", what), "")
	}
}

var gluedHeading = regexp.MustCompile(`^ {0,3}##+[^# \t\n]`)

// paragraph refuses "##Name": Markdown sees text there, the author a step.
func (r *reader) paragraph(n *ast.Paragraph) {
	lines := n.Lines()
	for i := range lines.Len() {
		at := r.lineStart(lines.At(i).Start)
		if gluedHeading.MatchString(r.text[at:]) {
			r.wrongAt(at, errors.New("a heading needs a space after its #"), "")
		}
	}
}
