package templates

import "fmt"

// Error is a mistake in a template, with its place in the file.
type Error struct {
	Position
	Err   error
	Word  string   // the word that is not known; "" when the mistake is another
	Known []string // those that are
}

func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %v", e.Line, e.Column, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// errorAt makes an Error of a sentence.
func errorAt(at Position, format string, args ...any) *Error {
	return &Error{Position: at, Err: fmt.Errorf(format, args...)}
}

// unknownAt makes an Error of a word that is none of those known.
func unknownAt(at Position, what, word string, known []string) *Error {
	return &Error{Position: at, Err: fmt.Errorf("unknown %s %q", what, word), Word: word, Known: known}
}

// MissingError says that a field without a default has no value. Whoever
// renders for a prospect holds that prospect and asks for the field.
type MissingError struct{ Field string }

func (e *MissingError) Error() string { return fmt.Sprintf("no value for field %q", e.Field) }

// ValueError says that a value cannot be what a filter makes of it.
type ValueError struct {
	Field string // "" = it is none of the prospect's
	Value string
	Date  bool // a date was asked for, not a number
}

func (e *ValueError) Error() string {
	wanted := "a number"
	if e.Date {
		wanted = "a date such as 2026-03-14"
	}
	if e.Field == "" {
		return fmt.Sprintf("%q is not %s", e.Value, wanted)
	}
	return fmt.Sprintf("field %s: %q is not %s", e.Field, e.Value, wanted)
}
