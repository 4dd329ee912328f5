package templates

import (
	"slices"
	"strings"
	"time"
)

// Line is a one-line template without Markdown: a subject, compiled once. Its
// methods may be called from several goroutines.
type Line struct {
	program *program
	uses    []Use
}

// ParseLine compiles a subject. The error is an *Error with the place of the
// first mistake, counted from at.
func ParseLine(source string, at Position) (*Line, error) {
	return ParseLineWith(source, at, Options{})
}

// ParseLineWith is ParseLine for a subject that may use more than its own
// words. Partials do not belong in a subject.
func ParseLineWith(source string, at Position, o Options) (l *Line, err error) {
	defer mended(&err, at)
	if len(source) > maxSource {
		return nil, errorAt(at, "%d bytes; the most for one line is %d", len(source), maxSource)
	}
	chunks, err := scan(source, at)
	if err != nil {
		return nil, err
	}
	pieces := make([]piece, 0, len(chunks))
	for _, c := range chunks {
		if c.tag != nil && c.tag.kind == controlTag && c.tag.name == "render" {
			return nil, errorAt(c.tag.at, "a subject holds no partials")
		}
		if c.tag != nil {
			pieces = append(pieces, piece{tag: c.tag, place: inLine})
		} else {
			pieces = append(pieces, piece{literal: string(appendLine(nil, c.literal))})
		}
	}
	l = &Line{}
	l.program, l.uses, err = compile(pieces, o, false)
	return l, err
}

// Render is RenderIn for those whose dates are in UTC.
func (l *Line) Render(f Fields) (string, error) { return l.RenderIn(time.UTC, f) }

// RenderIn pours fields into the line. Dates are read and written in zone. The
// result has no line breaks and no control characters, whatever the fields
// hold. The error is a *MissingError when a field without a default has no
// value.
func (l *Line) RenderIn(zone *time.Location, f Fields) (line string, err error) {
	defer caught(&err)
	out, err := l.program.run(f, zone)
	if err != nil {
		return "", err
	}
	return strings.Join(strings.Fields(string(out)), " "), nil
}

// Uses lists every field the line names, in order.
func (l *Line) Uses() []Use { return slices.Clone(l.uses) }
