package engine_test

import (
	"errors"
	"strings"
	"testing"

	"nudge/engine"
)

// What could end a header line, hide in one, or turn a line around never comes
// in, whichever door it takes.
func TestHostileValuesAreRefused(t *testing.T) {
	for name, value := range map[string]string{
		"a line break":                 "Per\r\nBcc: all@kund.example",
		"a bare line feed":             "Per\nBcc: all@kund.example",
		"a NUL":                        "Per\x00",
		"a Unicode next line":          "Per\u0085Bcc: x",
		"a right-to-left override":     "Per\u202egpj.exe",
		"a left-to-right isolate":      "Per\u2066x",
		"bytes that are no UTF-8":      "Per\xff",
		"ten thousand characters":      strings.Repeat("x", 10_000),
		"an escape for a terminal":     "Per\x1b[2J",
		"a line break inside a script": "Per\u000bx",
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			if _, err := o.desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "quote", Address: "per@kund.example", Name: value,
				Fields: map[string]string{"quote_no": "1"}}); !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("as a name: %v", err)
			}
			if _, err := o.desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "quote", Address: "per@kund.example", Name: "Per",
				Fields: map[string]string{"quote_no": value}}); !errors.Is(err, engine.ErrInvalid) {
				t.Errorf("as a field: %v", err)
			}
			result, err := o.desk.Import(t.Context(), engine.ImportRequest{Sequence: "quote", Rows: []engine.ImportRow{
				{Row: 2, Address: "good@kund.example", Name: "Eva", Fields: map[string]string{"quote_no": "1"}},
				{Row: 3, Address: "per@kund.example", Name: "Per", Fields: map[string]string{"quote_no": value}}}})
			if err != nil || len(result.Rejected) != 1 || result.Rejected[0].Row != 3 || result.Rejected[0].Column != "quote_no" || result.Enrolled != 0 {
				t.Errorf("in a list: %+v, %v", result, err)
			}
		})
	}
}

const filtered = `---
name: Sums
send: mon-fri 09:00-16:30
needs: amount, until
---

## 1. First

` + "```step\nwait: 0\nsubject: Hello\n```" + `

It is {{ amount | times: 2 }}{% if phone %} by {{ phone | upcase }}{% endif %}.

## 2. Second

` + "```step\nwait: 3 days\nonly-if: amount > 100\n```" + `

Until {{ until | date: "%d %B" }}, says {{ company }}.
`

// A value that a later mail cannot be written with is refused at once, unless
// that mail is not for them. What has no value yet may still come.
func TestAValueThatNoMailCanBeWrittenWithIsRefused(t *testing.T) {
	for name, test := range map[string]struct{ amount, until, want string }{
		"fine":                         {"120.50", "2027-01-08", ""},
		"no number":                    {"a lot", "2027-01-08", `step "First": `},
		"no date, in the second":       {"120.50", "soon", `step "Second": `},
		"no date, in one not for them": {"90", "soon", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.lib["sums"] = sequence(t, "sums", filtered)
			fields := map[string]string{"amount": test.amount, "until": test.until}
			result, err := o.desk.Import(t.Context(), engine.ImportRequest{Sequence: "sums", DryRun: true,
				Rows: []engine.ImportRow{{Row: 2, Address: "per@kund.example", Fields: fields}}})
			if err != nil || (len(result.Rejected) == 1) != (test.want != "") {
				t.Fatalf("import: %+v, %v", result, err)
			}
			for _, row := range result.Rejected {
				if row.Column != "" || !strings.HasPrefix(row.Reason, test.want) {
					t.Errorf("import: column %q, %q", row.Column, row.Reason)
				}
			}
			_, err = o.desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "sums", Address: "per@kund.example", Fields: fields})
			switch {
			case test.want == "" && err != nil:
				t.Errorf("enroll: %v", err)
			case test.want != "" && (!errors.Is(err, engine.ErrInvalid) || !strings.HasPrefix(err.Error(), test.want)):
				t.Errorf("enroll: %v, want %q…", err, test.want)
			}
		})
	}
}
