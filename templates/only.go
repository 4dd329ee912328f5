package templates

import (
	"slices"
	"time"
)

// Condition is what stands in {% if … %}, alone. Its methods may be called from
// several goroutines.
type Condition struct {
	program *program
	uses    []Use
	source  string
}

// ParseCondition compiles a condition such as amount > 5000 and plan != "b".
// The error is an *Error with the place of the first mistake, counted from at.
func ParseCondition(source string, at Position) (c *Condition, err error) {
	defer mended(&err, at)
	s := scanner{source: source, at: at}
	tokens, err := s.tokens(0, len(source))
	if err != nil {
		return nil, err
	}
	if len(tokens) == 0 {
		return nil, errorAt(at, "no condition; write for example amount > 5000")
	}
	c = &Condition{source: source}
	c.program, c.uses, err = compile([]piece{
		{tag: &tag{kind: controlTag, at: at, source: source, name: "if", tokens: tokens}},
		{literal: "y"},
		{tag: &tag{kind: controlTag, at: at, source: source, name: "endif"}},
	}, Options{}, false)
	return c, err
}

// Holds says whether the condition is true of someone with these fields. A
// field without a value is false alone, and equals blank.
func (c *Condition) Holds(f Fields) (holds bool, err error) {
	defer caught(&err)
	out, err := c.program.run(f, time.UTC)
	return string(out) == "y", err
}

// Uses lists every field the condition names, in order.
func (c *Condition) Uses() []Use { return slices.Clone(c.uses) }

// String is the condition as it was written.
func (c *Condition) String() string { return c.source }
