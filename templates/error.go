package templates

import "fmt"

// Error is a mistake in a template, with its place in the file.
type Error struct {
	Position
	Err error
}

func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %v", e.Line, e.Column, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// errorAt makes an Error of a sentence.
func errorAt(at Position, format string, args ...any) *Error {
	return &Error{Position: at, Err: fmt.Errorf(format, args...)}
}

// MissingError says that a field without a default has no value. Whoever
// renders for a prospect holds that prospect and asks for the field.
type MissingError struct{ Field string }

func (e *MissingError) Error() string { return fmt.Sprintf("no value for field %q", e.Field) }
