package templates

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/osteele/liquid/values"
)

// listOf is a value that must be a list.
func listOf(value any) ([]any, error) {
	switch v := value.(type) {
	case []any:
		return v, nil
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return list, nil
	}
	return nil, fmt.Errorf("%q is not a list; split makes one, as in split: \";\"", display(value))
}

// member is the one of a list that at picks; nothing of an empty one.
func member(value any, at func(count int) int) (any, error) {
	list, err := listOf(value)
	if len(list) == 0 {
		return nil, err
	}
	return list[at(len(list))], nil
}

func reverse(value any) (any, error) {
	list, err := listOf(value)
	list = slices.Clone(list)
	slices.Reverse(list)
	return list, err
}

func sortList(value any) (any, error) {
	list, err := listOf(value)
	list = slices.Clone(list)
	values.Sort(list)
	return list, err
}

func uniq(value any) (any, error) {
	list, err := listOf(value)
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(list), func(e any) bool {
		s := display(e)
		again := seen[s]
		seen[s] = true
		return again
	}), err
}

func joinList(value any, separator func(string) string) (string, error) {
	list, err := listOf(value)
	if err != nil {
		return "", err
	}
	parts := make([]string, 0, len(list))
	total, between := 0, separator(" ")
	for _, e := range list {
		s := display(e)
		if total += len(s) + len(between); total > maxString {
			return "", errLongValue
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, between), nil
}

// size counts the members of a list, or letters.
func size(value any) int {
	if list, err := listOf(value); err == nil {
		return len(list)
	}
	return utf8.RuneCountInString(display(value))
}

// slice is a part of a list or of words, from where, and how long; a negative
// start counts from the end.
func slice(value, start any, length func(any) any) (any, error) {
	from, err := intForm(start)
	if err != nil {
		return nil, err
	}
	long, err := intForm(length(1))
	if err != nil {
		return nil, err
	}
	if list, err := listOf(value); err == nil {
		from, to := bounds(from, long, len(list))
		return list[from:to], nil
	}
	letters := []rune(display(value))
	from, to := bounds(from, long, len(letters))
	return string(letters[from:to]), nil
}

// bounds cuts a part to what there is.
func bounds(from, long, count int) (int, int) {
	if from < 0 {
		from += count
	}
	from = min(max(from, 0), count)
	return from, from + min(max(long, 0), count-from)
}

// kind is what is known of a value before there is one.
type kind int

const (
	anyValue kind = iota
	oneValue
	listValue
)

// kindOf is what the head of a chain is.
func (r *reader) kindOf(t token) kind {
	if t.kind == nameToken && r.compiler.isLocal(t.text) {
		return anyValue
	}
	return oneValue
}

// after is what a filter makes of a value; an error where it cannot.
func (k kind) after(f filter, r *reader) (kind, error) {
	name := f.name.text
	switch {
	case f.rule.list && k == oneValue:
		return k, errorAt(f.name.at, "filter %q takes a list; split makes one, as in split: \";\"", name)
	case k == listValue && !f.rule.list && !slices.Contains([]string{"default", "size", "slice"}, name):
		return k, errorAt(f.name.at, "filter %q does not take a list; join makes words of one, first and last take one out", name)
	case f.rule.makesList:
		return listValue, nil
	case name == "slice":
		return k, nil
	case name == "default" && k != oneValue, name == "default" && r.kindOf(f.args[0]) != oneValue:
		return anyValue, nil
	}
	return oneValue, nil
}

// literals looks at the arguments that are written out.
func (f filter) literals() error {
	for _, arg := range f.args[:min(f.rule.numbers, len(f.args))] {
		if _, ok := numeral(arg.text); arg.kind == stringToken && !ok {
			return errorAt(arg.at, "filter %q: %q is not a number", f.name.text, arg.text)
		}
	}
	return nil
}

// fits says whether a value that is written out is one that a filter can read.
func fits(t token, f filter) error {
	if t.kind != stringToken && t.kind != numberToken {
		return nil
	}
	if _, isNumber := numeral(t.text); f.rule.sums && !isNumber {
		return errorAt(t.at, "filter %q: %q is not a number", f.name.text, t.text)
	}
	if !f.rule.dates {
		return nil
	}
	if _, err := ParseDate(t.text, time.UTC); err != nil && (t.text == "now" || t.text == "today") {
		return errorAt(t.at, "filter %q: %q is not a date; write the field today, without quotes", f.name.text, t.text)
	} else if err != nil {
		return errorAt(t.at, "filter %q: %v", f.name.text, err)
	}
	return nil
}
