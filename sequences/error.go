package sequences

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ParseError is one mistake in a sequence file. Its words and its place are
// separate facts, so that a caller can point at the place.
type ParseError struct {
	File         string
	Line, Column int    // from 1; columns count characters
	Err          error  // what is wrong, without the place
	Suggestion   string // the word that was probably meant; "" when there is none
}

// Error is the mistake as lint prints it: file:line:col: message; did you mean "x"?
func (e *ParseError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %v%s", e.File, e.Line, e.Column, e.Err, didYouMean(e.Suggestion))
}

func (e *ParseError) Unwrap() error { return e.Err }

// ParseErrors are all mistakes of one file, in order of place.
type ParseErrors []*ParseError

// Error has one line for each mistake.
func (es ParseErrors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns every mistake, for errors.Is and errors.As.
func (es ParseErrors) Unwrap() []error {
	errs := make([]error, len(es))
	for i, e := range es {
		errs[i] = e
	}
	return errs
}

// sort brings the mistakes in order of place; two at one place keep theirs.
func (es ParseErrors) sort() {
	slices.SortStableFunc(es, func(a, b *ParseError) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// mistake is what is wrong with one value, before its place in a file is known.
type mistake struct {
	text       string
	suggestion string
	at         int // where in the value, in bytes
}

func (m *mistake) Error() string { return m.text + didYouMean(m.suggestion) }

// wrong is a mistake that concerns the whole value.
func wrong(format string, args ...any) *mistake {
	return &mistake{text: fmt.Sprintf(format, args...)}
}

// meant adds the word that was probably meant.
func (m *mistake) meant(word string) *mistake {
	m.suggestion = word
	return m
}

// after moves the mistake further into the value, by bytes.
func (m *mistake) after(n int) *mistake {
	m.at += n
	return m
}

// parts takes an error of this package's value parsers apart.
func parts(err error) (suggestion string, at int, text error) {
	if m, ok := errors.AsType[*mistake](err); ok {
		return m.suggestion, m.at, errors.New(m.text)
	}
	return "", 0, err
}

func didYouMean(word string) string {
	if word == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", word)
}
