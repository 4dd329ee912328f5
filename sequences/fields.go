package sequences

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"nudge/templates"
)

// builtins are the fields that every template may name without listing them in
// needs:. The form says who brings them.
var builtins = []key{
	{"first_name", prospectBrings, "the first name; else the first word of the name, titles left out"},
	{"last_name", prospectBrings, "the last name; else the last word of the name"},
	{"name", prospectBrings, "the whole name"},
	{"email", prospectBrings, "the address that is written to"},
	{"company", prospectBrings, "where the prospect works"},
	{"phone", prospectBrings, "the telephone number"},
	{"timezone", prospectBrings, "the IANA zone in which windows and dates are read"},
	{"sender.name", nudgeFills, "the name of the mailbox that sends; else its address"},
	{"sender.email", nudgeFills, "the address of the mailbox that sends"},
	{"signature", nudgeFills, "the mailbox's signature, its line breaks kept"},
	{"original_subject", prospectBrings, "the subject of the mail that is followed up"},
	{"next_touch", nudgeFills, "the day on which the next step comes, such as Monday 7 December; the last step has none"},
	{"touch_number", nudgeFills, "1 in the first mail to this prospect, 2 in the second"},
	{"variant", nudgeFills, "the letter of the subject that this prospect gets, where a step has several: `A`, `B` …"},
	{"today", nudgeFills, "the day on which the mail leaves, such as Friday 4 December"},
}

const (
	prospectBrings = "the prospect"
	nudgeFills     = "nudge"
)

// BuiltinFields are the fields that every template may name without listing
// them in needs:. Some are filled in by the engine, the others come with the
// prospect or with the mail that is followed up.
var BuiltinFields = keyNames(builtins)

// IsComputed says whether a field is one that no prospect brings, since nudge
// fills it in.
func IsComputed(name string) bool {
	return slices.ContainsFunc(builtins, func(k key) bool { return k.name == name && k.form == nudgeFills })
}

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
		case IsComputed(name):
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
		if u.Field == "variant" && !u.HasDefault {
			r.lettered = append(r.lettered, u)
		}
		if slices.Contains(known, u.Field) {
			continue
		}
		in := ""
		if u.Partial != "" {
			in = " (in partials/" + u.Partial + ".md)"
		}
		if near := Nearest(u.Field, known); near != "" {
			r.wrongUse(u, fmt.Errorf("no field %q%s", u.Field, in), near)
			continue
		}
		if strings.Contains(u.Field, ".") { // which needs: does not take
			why := "a prospect's fields have no dot"
			if strings.HasPrefix(u.Field, "sender.") {
				why = "of the sender there are sender.name, sender.email and signature"
			}
			r.wrongUse(u, fmt.Errorf("no field %q%s; %s", u.Field, in, why), "")
			continue
		}
		if !u.HasDefault && !r.unlisted[u.Field] {
			r.unlisted[u.Field] = true
			r.adviseAt(u.Position.Line, u.Position.Column, fmt.Sprintf("field %q%s is not listed in needs:", u.Field, in),
				"add it to needs:, so that prospects without it are refused at enroll")
		}
	}
}

// wrongUse reports a mistake at the place where a template names a field.
func (r *reader) wrongUse(u templates.Use, err error, suggestion string) {
	r.errs = append(r.errs, &ParseError{File: r.file, Line: u.Position.Line, Column: u.Position.Column, Err: err, Suggestion: suggestion})
}
