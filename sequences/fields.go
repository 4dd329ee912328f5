package sequences

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"nudge/templates"
)

// BuiltinFields are the fields that every template may name without listing
// them in needs:. Those of computed are filled in by the engine, the others
// come with the prospect or with the mail that is followed up.
var BuiltinFields = []string{
	"first_name", "last_name", "name", "email", "company", "phone", "timezone",
	"sender.name", "sender.email", "signature",
	"original_subject", "next_touch", "touch_number", "today",
}

// computed are the built-in fields that no prospect brings.
var computed = []string{"sender.name", "sender.email", "signature", "next_touch", "touch_number", "today"}

var fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// readNeeds reads the comma separated list of needs:.
func (r *reader) readNeeds(s setting) []string {
	var needs []string
	at := 0
	for part := range strings.SplitSeq(s.value, ",") {
		name := strings.TrimSpace(part)
		where := s.at(at + len(part) - len(strings.TrimLeft(part, " \t")))
		at += len(part) + 1
		switch {
		case name == "":
			r.wrongAt(where, errors.New("an empty name in the list"), "")
		case slices.Contains(computed, name):
			r.wrongAt(where, fmt.Errorf("%s is filled in by nudge; no prospect brings it", name), "")
		case !fieldName.MatchString(name):
			m := fmt.Errorf("%q is not a field's name; use letters, digits, _ and -", shorten(name))
			r.wrongAt(where, m, tidyName(name))
		case slices.Contains(needs, name):
			r.wrongAt(where, fmt.Errorf("%s is listed twice", name), "")
		default:
			needs = append(needs, name)
		}
	}
	return needs
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// tidyName makes "quote no." the quote_no it was meant to be, or "".
func tidyName(name string) string {
	tidy := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(name), "_"), "_")
	if !fieldName.MatchString(tidy) {
		return ""
	}
	return tidy
}

// checkFields complains about fields that look like misspelt known ones, and
// remembers the other unlisted ones for lint.
func (r *reader) checkFields(uses []templates.Use) {
	known := slices.Concat(r.seq.Needs, BuiltinFields)
	for _, u := range uses {
		r.used[u.Field] = true
		if slices.Contains(known, u.Field) {
			continue
		}
		if near := Nearest(u.Field, known); near != "" {
			r.errs = append(r.errs, &ParseError{File: r.file, Line: u.Position.Line, Column: u.Position.Column,
				Err: fmt.Errorf("no field %q", u.Field), Suggestion: near})
			continue
		}
		if !u.HasDefault && !r.unlisted[u.Field] {
			r.unlisted[u.Field] = true
			r.adviseAt(u.Position.Line, u.Position.Column, fmt.Sprintf("field %q is not listed in needs:", u.Field),
				"add it to needs:, so that prospects without it are refused at enroll")
		}
	}
}
