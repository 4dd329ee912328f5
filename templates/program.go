package templates

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/osteele/liquid"
	"github.com/osteele/liquid/expressions"
)

// place says where in a mail a value is written, and so how it is escaped.
type place int

const (
	inHTML       place = iota // words of the HTML
	inHref                    // the beginning of a link target there
	inPart                    // inside a link target
	inMail                    // inside a mailto: target
	inText                    // words of the plain text
	inTextTarget              // the beginning of a link target there
	inTextPart                // inside a link target
	inTextMail                // inside a mailto: target
	inLine                    // words of a subject
)

// places hold for each place the name of the filter that ends every {{ … }}
// there, and how it writes.
var places = [...]struct {
	filter string
	write  func(dst []byte, value string) []byte
}{
	inHTML:       {"_html", appendHTML},
	inHref:       {"_href", appendHref},
	inPart:       {"_part", appendPart},
	inMail:       {"_mail", appendMail},
	inText:       {"_text", appendText},
	inTextTarget: {"_target", appendTarget},
	inTextPart:   {"_text_part", appendPart},
	inTextMail:   {"_text_mail", appendMail},
	inLine:       {"_line", appendLine},
}

// inTarget says whether a place is in a link target.
func (p place) inTarget() bool { return p != inHTML && p != inText && p != inLine }

// piece is a stretch of a written part: words as they go out, or a tag.
type piece struct {
	literal string
	tag     *tag
	place   place
}

// program is one compiled part of a template. It is immutable.
type program struct {
	segments []segment
	slots    []string       // fields by the number of their slot
	needed   []int          // slots that the liquid segments read
	constant map[string]any // what the liquid segments read besides fields
	branches bool           // it holds control tags
	size     int            // bytes that most results fit in
}

// segment is a stretch of a program: words, one field, or a piece of Liquid.
type segment struct {
	literal  string
	field    string // looked up directly
	fallback *string
	place    place
	liquid   *liquid.Template
}

var errTooLong = fmt.Errorf("more than %d KiB when rendered", maxOutput>>10)

// output collects a rendered part up to the limit.
type output struct{ b []byte }

func (o *output) Write(p []byte) (int, error) {
	if len(o.b)+len(p) > maxOutput {
		return 0, errTooLong
	}
	o.b = append(o.b, p...)
	return len(p), nil
}

func (o *output) WriteString(s string) (int, error) {
	if len(o.b)+len(s) > maxOutput {
		return 0, errTooLong
	}
	o.b = append(o.b, s...)
	return len(s), nil
}

// run renders a program.
func (p *program) run(f Fields, zone *time.Location) ([]byte, error) {
	out := output{make([]byte, 0, p.size)}
	var bindings map[string]any
	for i := range p.segments {
		s := &p.segments[i]
		switch {
		case s.liquid != nil:
			if bindings == nil {
				bindings = p.bindings(f)
				bindings[zoneName] = inZone{zone}
			}
			if err := s.liquid.FRender(&out, bindings); err != nil {
				return nil, cause(err)
			}
		case s.field != "":
			value := clean(f[s.field])
			if value == "" && s.fallback == nil {
				return nil, &MissingError{Field: s.field}
			} else if value == "" {
				value = *s.fallback
			}
			out.b = places[s.place].write(out.b, value)
		default:
			out.b = append(out.b, s.literal...)
		}
		if len(out.b) > maxOutput {
			return nil, errTooLong
		}
	}
	return out.b, nil
}

// bindings are what Liquid can see: the fields that have a value.
func (p *program) bindings(f Fields) map[string]any {
	b := make(map[string]any, len(p.constant)+len(p.needed)+1)
	for name, value := range p.constant {
		b[name] = value
	}
	for _, slot := range p.needed {
		if value := clean(f[p.slots[slot]]); value != "" {
			b[slotName(slot)] = value
		}
	}
	b[roundsName] = new(int)
	return b
}

// cause takes our own error out of Liquid's wrapping.
func cause(err error) error {
	for inner := err; inner != nil; {
		switch e := inner.(type) {
		case *MissingError:
			return e
		case expressions.FilterError:
			if missing := (*MissingError)(nil); errors.As(e.Err, &missing) {
				return missing
			}
			if strings.HasPrefix(e.FilterName, "_") { // our own, which says where
				return e.Err
			}
			return fmt.Errorf("%s: %w", e.FilterName, e.Err)
		case interface{ Cause() error }:
			if e.Cause() == nil {
				return fmt.Errorf("%v", err)
			}
			inner = e.Cause()
		default:
			return inner
		}
	}
	return err
}
