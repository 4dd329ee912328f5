package templates

import (
	"errors"
	"slices"
	"strings"
)

// Limits of partials: how deep one may use another, and how often one body may
// use any.
const (
	maxNested = 3
	maxTimes  = 200
)

// expander puts partials in the place of their tags, before anything is parsed
// as Markdown: a partial may hold paragraphs, lists and tags.
type expander struct {
	options Options
	used    []string
	times   int // that a partial was put in
	size    int // bytes that came with them
}

// expand replaces {% render "name" %}, and {{ signature }} where a partial
// stands for it. open are the partials it stands in.
func (e *expander) expand(chunks []chunk, open []string) ([]chunk, error) {
	var all []chunk
	for i, c := range chunks {
		name, err := e.partialOf(c)
		if err != nil {
			return nil, err
		}
		if name == "" {
			all = append(all, c)
			continue
		}
		inside, err := e.partial(c.tag, name, open)
		if err != nil {
			return nil, err
		}
		if c.tag.kind == controlTag {
			if inside, err = indented(c.tag, name, inside, chunks[:i], chunks[i+1:]); err != nil {
				return nil, err
			}
		} else {
			inside = withBreaks(inside)
		}
		all = append(all, inside...)
	}
	return all, nil
}

// partialOf is the partial that a chunk names; "" when it is something else.
func (e *expander) partialOf(c chunk) (string, error) {
	switch {
	case c.tag == nil:
		return "", nil
	case c.tag.kind == outputTag && e.options.Signature != "" && len(c.tag.tokens) == 1 && c.tag.tokens[0].text == "signature" &&
		c.tag.tokens[0].kind == nameToken:
		return e.options.Signature, nil
	case c.tag.kind != controlTag:
		return "", nil
	case c.tag.name == "include":
		return "", &Error{Position: c.tag.at, Err: errIncludes, Word: c.tag.name, Known: []string{"render"}}
	case c.tag.name != "render":
		return "", nil
	case e.options.Partial == nil:
		return "", errorAt(c.tag.at, "there are no partials here")
	case len(c.tag.tokens) != 1 || c.tag.tokens[0].kind != stringToken || c.tag.tokens[0].text == "":
		return "", errorAt(c.tag.at, `name one partial in quotes, like {%% render "guarantee" %%}`)
	}
	return c.tag.tokens[0].text, nil
}

var errIncludes = errorText(`unknown tag "include"; partials are written {% render "name" %}`)

type errorText string

func (e errorText) Error() string { return string(e) }

// partial reads one partial. Its tags take the place of the tag that names it.
func (e *expander) partial(t *tag, name string, open []string) ([]chunk, error) {
	if slices.Contains(open, name) {
		return nil, errorAt(t.at, "partial %q stands in itself", name)
	}
	if len(open) >= maxNested {
		return nil, errorAt(t.at, "partials in partials more than %d deep", maxNested)
	}
	source, err := e.options.Partial(name)
	if err != nil {
		return nil, &Error{Position: t.at, Err: err}
	}
	source = strings.Trim(strings.ReplaceAll(source, "\r\n", "\n"), "\n")
	e.times++
	if e.size += len(source); e.times > maxTimes || e.size > maxSource {
		return nil, errorAt(t.at, "more than %d partials or %d KB of them in one body", maxTimes, maxSource>>10)
	}
	chunks, err := scan(source, Position{1, 1})
	if err == nil {
		if !slices.Contains(e.used, name) {
			e.used = append(e.used, name)
		}
		chunks, err = e.expand(chunks, append(slices.Clone(open), name))
	}
	if err == nil && len(open) == 0 && strings.Contains(source, "{") {
		err = e.whole(source)
	}
	if err != nil {
		e := errorAt(t.at, "partial %q: %w", name, err)
		if inner, ok := errors.AsType[*Error](err); ok {
			e.Word, e.Known = inner.Word, inner.Known
		}
		return nil, e
	}
	for i := range chunks {
		chunks[i].at = t.at
		if chunks[i].partial == "" {
			chunks[i].partial = name
		}
		if inner := chunks[i].tag; inner != nil {
			moved := *inner
			moved.at = t.at
			moved.tokens = slices.Clone(inner.tokens)
			for j := range moved.tokens {
				moved.tokens[j].at = t.at
				if moved.tokens[j].partial == "" {
					moved.tokens[j].partial = name
				}
			}
			chunks[i].tag = &moved
		}
	}
	return chunks, nil
}

// whole makes sure that a partial makes sense alone: an if must end in it.
func (e *expander) whole(source string) error {
	_, err := ParseWith(source, Position{1, 1}, Options{Partial: e.options.Partial, Language: "en", OffDay: e.options.OffDay})
	return err
}

// indented gives the lines of a partial the indent of its tag, so that it may
// stand in a list. A partial of several lines needs a line of its own.
func indented(t *tag, name string, inside, before, after []chunk) ([]chunk, error) {
	several := slices.ContainsFunc(inside, func(c chunk) bool { return strings.Contains(c.literal, "\n") })
	if !several {
		return inside, nil
	}
	indent, alone := "", true
	if n := len(before); n > 0 {
		line := before[n-1].literal
		line = line[strings.LastIndexByte(line, '\n')+1:]
		alone = before[n-1].tag == nil && strings.Trim(line, " \t") == "" && (n == 1 || strings.Contains(before[n-1].literal, "\n"))
		indent = line
	}
	if len(after) > 0 {
		line, _, ends := strings.Cut(after[0].literal, "\n")
		alone = alone && after[0].tag == nil && strings.Trim(line, " \t") == "" && (ends || len(after) == 1)
	}
	if !alone {
		return nil, errorAt(t.at, "partial %q has several lines; put its tag on a line of its own", name)
	}
	moved := slices.Clone(inside)
	for i := range moved {
		moved[i].literal = strings.ReplaceAll(moved[i].literal, "\n", "\n"+indent)
	}
	return moved, nil
}

// withBreaks keeps the line breaks of a signature: two spaces at a line's end
// are Markdown's hard break.
func withBreaks(inside []chunk) []chunk {
	kept := slices.Clone(inside)
	for i := range kept {
		lines := strings.Split(kept[i].literal, "\n")
		for j := range lines[:len(lines)-1] {
			blankLine := strings.TrimSpace(lines[j]) == "" && (j > 0 || i == 0)
			if next := strings.TrimSpace(lines[j+1]); !blankLine && (next != "" || j+1 == len(lines)-1 && i+1 < len(kept)) {
				lines[j] += "  "
			}
		}
		kept[i].literal = strings.Join(lines, "\n")
	}
	return kept
}
