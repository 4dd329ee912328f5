package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"nudge/sequences"
	"nudge/templates"
)

// maxValue is the longest name or field value, in characters.
const maxValue = 1000

// Plan makes the enrollment that a request asks for, or says in a
// *RefusalError (ErrInvalid) what is wrong with it. It decides alone on the
// values it is given; whether the address is suppressed or enrolled already is
// the Store's to say.
func Plan(req EnrollRequest, seq *sequences.Sequence, m Mailbox, now time.Time) (Enrollment, error) {
	addr, err := CleanAddress(req.Address)
	if err != nil {
		return Enrollment{}, invalid(err.Error(), "write the address as anna@example.com")
	}
	if m.IsOwn(addr) {
		return Enrollment{}, invalid(fmt.Sprintf("%s is one of your own addresses", addr),
			"mail from your own addresses never counts as a reply; enroll another address of yours to try it out")
	}
	if err := checkValue("name", req.Name); err != nil {
		return Enrollment{}, err
	}
	for key, value := range req.Fields {
		if !validField(key) {
			return Enrollment{}, invalid(fmt.Sprintf("field name %q is not usable", key),
				"field names are lower-case letters, digits and _, and begin with a letter: quote_no")
		}
		if key == "email" {
			return Enrollment{}, invalid("field email cannot be set", "it is the address itself")
		}
		if sequences.IsComputed(key) {
			return Enrollment{}, invalid(fmt.Sprintf("field %s cannot be set: nudge fills it in", key), "leave it out, or give it another name")
		}
		if err := checkValue("field "+key, value); err != nil {
			return Enrollment{}, err
		}
	}
	if tz := req.Fields["timezone"]; tz != "" {
		if _, err := loadLocation(tz); err != nil {
			return Enrollment{}, invalid("field timezone: "+err.Error(), "leave it out, or use a name like Europe/Stockholm")
		}
	}
	en := Enrollment{Sequence: seq.Name, Mailbox: m.Name, Address: addr, Key: AddressKey(addr), Name: strings.TrimSpace(req.Name),
		Fields: req.Fields, EnrolledAt: now, StartAt: now, State: Active}
	if !req.At.IsZero() {
		en.StartAt = req.At
	}
	if missing := missingNeeds(seq, en); len(missing) > 0 {
		return Enrollment{}, invalid(fmt.Sprintf("sequence %s needs %s", seq.Name, strings.Join(missing, ", ")),
			"add --set "+strings.Join(missing, "=… --set ")+"=…")
	}
	first := seq.Next(nil)
	en.Next = first.ID
	if err := CheckDates(m, seq, en); err != nil {
		return Enrollment{}, err
	}
	en.Due, _ = dueOf(m, seq, first, en, en.StartAt)
	if en.Due.IsZero() {
		return Enrollment{}, invalid(fmt.Sprintf("sequence %s never opens its sending window", seq.Name), "check its send: setting")
	}
	en.Look = en.Due
	if err := checkWords(m, seq, en); err != nil {
		return Enrollment{}, err
	}
	return en, nil
}

// checkWords writes every mail that is for this prospect as things stand, so that
// a value which a filter or condition cannot take is refused now, and does not
// hold the prospect weeks later. A field without a value may still come.
func checkWords(m Mailbox, seq *sequences.Sequence, en Enrollment) error {
	for i := range seq.Steps {
		st := &seq.Steps[i]
		if u := fits(m, seq, st, en, en.Due); u.hold == Unwritable {
			return invalid(fmt.Sprintf("step %q: %s", st.ID, u.why), "mend the value that it names")
		} else if !u.none() || st.Do != sequences.Email {
			continue
		}
		_, err := wordsFor(m, seq, st, en, en.Due)
		if _, missing := errors.AsType[*templates.MissingError](err); err != nil && !missing {
			return invalid(err.Error(), "mend the value that it names")
		}
	}
	return nil
}

// missingNeeds lists the fields that a sequence needs and a prospect lacks.
func missingNeeds(seq *sequences.Sequence, en Enrollment) []string {
	first, last := splitName(en.Name)
	built := map[string]string{"name": en.Name, "first_name": first, "last_name": last, "email": en.Address}
	return slices.DeleteFunc(slices.Clone(seq.Needs), func(key string) bool {
		return strings.TrimSpace(en.Fields[key]) != "" || built[key] != ""
	})
}

func validField(key string) bool {
	for i, r := range key {
		lower := r >= 'a' && r <= 'z'
		if !lower && (i == 0 || r != '_' && (r < '0' || r > '9')) {
			return false
		}
	}
	return key != "" && len(key) <= 64
}

// checkValue refuses what could end a header line or hide in one.
func checkValue(what, s string) error {
	switch {
	case !utf8.ValidString(s):
		return invalid(what+" is not valid UTF-8", "save the file as UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl):
		return invalid(what+" contains a line break or another control character", "put the value on one line")
	case strings.ContainsFunc(s, turnsText):
		return invalid(what+" contains an invisible mark that turns the direction of text", "type the value anew")
	case utf8.RuneCountInString(s) > maxValue:
		return invalid(fmt.Sprintf("%s is longer than %d characters", what, maxValue), "shorten it")
	}
	return nil
}

// turnsText says whether a character overrides or isolates the direction of
// the text around it (Unicode bidirectional algorithm), which hides what a line
// really says.
func turnsText(r rune) bool { return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 }

func invalid(what, hint string) error { return &RefusalError{Err: ErrInvalid, What: what, Hint: hint} }
