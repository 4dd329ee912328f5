package templates

import (
	"fmt"
	"slices"
	"time"
)

// Limits that no honest mail comes near.
const (
	maxSource = 256 << 10 // bytes of one body
	maxOutput = 256 << 10 // bytes of one rendered part
	maxLoops  = 10_000    // rounds of all {% for %} of one part
	maxValue  = 1_000     // characters of one field's value
)

// Fields are a prospect's named values. A name may be dotted ("sender.name").
type Fields map[string]string

// Position is where a template's first character stands in its file.
type Position struct {
	Line, Column int // both from 1; columns count characters
}

// Use is one place where a template names a field.
type Use struct {
	Field      string
	Position   Position
	HasDefault bool   // a missing value is harmless there
	AsDate     bool   // a date filter reads it
	Partial    string // the partial that names it, whose tag stands at Position; "" = the template itself
}

// Options are what a template may use besides its own words and the fields.
type Options struct {
	// Partial returns the Markdown of {% render "name" %}; nil = there are none.
	Partial func(name string) (string, error)
	// Signature is the partial that stands for {{ signature }}, its line breaks
	// kept; "" = the field of that name.
	Signature string
	// Language is the code of the words' language, such as en; "" = it is told
	// from the words.
	Language string
	// OffDay says which days, besides weekends or instead of them, are no
	// business days; nil = weekends.
	OffDay func(date time.Time) bool
}

// Parts is a rendered body: the same words twice.
type Parts struct {
	Text string // plain text, LF line ends, paragraphs wrapped as format=flowed (RFC 3676)
	HTML string // a complete document
}

// Template is the Markdown body of a mail, compiled once. Its methods may be
// called from several goroutines.
type Template struct {
	html, text *program
	uses       []Use
	partials   []string
	remarks    []Remark
}

// Parse compiles a Markdown body. The error is an *Error with the place of the
// first mistake, counted from at.
func Parse(source string, at Position) (*Template, error) { return ParseWith(source, at, Options{}) }

// ParseWith is Parse for a body that may use more than its own words.
func ParseWith(source string, at Position, o Options) (t *Template, err error) {
	defer mended(&err, at)
	if len(source) > maxSource {
		return nil, errorAt(at, "%d bytes; the most for one body is %d", len(source), maxSource)
	}
	chunks, err := scan(source, at)
	if err != nil {
		return nil, err
	}
	e := expander{options: o}
	if chunks, err = e.expand(chunks, nil); err != nil {
		return nil, err
	}
	d, err := parseMarkdown(chunks, at)
	if err != nil {
		return nil, err
	}
	html, err := d.html(languageOf(chunks, o.Language))
	if err != nil {
		return nil, err
	}
	text, err := d.text()
	if err != nil {
		return nil, err
	}
	t = &Template{partials: e.used, remarks: d.remarks()}
	if t.html, t.uses, err = compile(html, o, true); err != nil {
		return nil, err
	}
	t.text, _, err = compile(text, o, false)
	return t, err
}

// Render is RenderIn for those whose dates are in UTC.
func (t *Template) Render(f Fields) (Parts, error) { return t.RenderIn(time.UTC, f) }

// RenderIn pours fields into the body. Dates are read and written in zone. The
// error is a *MissingError when a field without a default has no value.
func (t *Template) RenderIn(zone *time.Location, f Fields) (parts Parts, err error) {
	defer caught(&err)
	text, err := t.text.run(f, zone)
	if err != nil {
		return Parts{}, err
	}
	html, err := t.html.run(f, zone)
	if err != nil {
		return Parts{}, err
	}
	if t.html.branches {
		html = tidy(html)
	}
	parts = Parts{Text: flow(text), HTML: string(html)}
	if len(parts.Text) > maxOutput {
		return Parts{}, errTooLong
	}
	return parts, nil
}

// Uses lists every field the body names, in order.
func (t *Template) Uses() []Use { return slices.Clone(t.uses) }

// Partials lists the partials the body was made of, each once.
func (t *Template) Partials() []string { return slices.Clone(t.partials) }

// caught turns a panic below into an error: neither a template nor a value may
// end the daemon, whatever the libraries make of it.
func caught(err *error) {
	switch r := recover().(type) {
	case nil:
	case error:
		*err = fmt.Errorf("template: %w", r)
	default:
		*err = fmt.Errorf("template: %v", r)
	}
}

// mended is caught for Parse, whose errors have a place.
func mended(err *error, at Position) {
	if r := recover(); r != nil {
		*err = errorAt(at, "template: %v", r)
	}
}
