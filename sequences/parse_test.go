package sequences

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each mistake has a file in testdata/broken, with all that is said about it
// beside it. What they refer to lies in testdata/beside.
func TestEachBrokenFileIsRefusedWithItsPlace(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.md")
	if err != nil || len(files) < 180 {
		t.Fatalf("%d broken files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := read(filepath.Base(file), source, options{dir: "testdata/beside"}).result()
			if err == nil {
				t.Fatalf("accepted as %+v", s)
			}
			if s != nil {
				t.Error("a sequence came with the error")
			}
			if _, ok := errors.AsType[ParseErrors](err); !ok {
				t.Errorf("the error is a %T", err)
			}
			golden(t, strings.TrimSuffix(file, ".md")+".txt", err.Error()+"\n")
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

const (
	front = "---\nname: Quote\nneeds: quote_no\n---\n"
	one   = "## 1. Arrived?\n\n```step\nwait: 0\nsubject: Quote {{ quote_no }}\n```\n\nDid it arrive?\n"
)

// In the inputs, § stands before the place that the first error must name.
func TestAnErrorNamesLineAndColumn(t *testing.T) {
	tests := []struct{ name, input, want string }{
		{"key in the front matter", "---\nname: Quote\n§from_: sales\n---\n" + one, `unknown key "from_"; did you mean "from"?`},
		{"key indented with a tab in a step block", "## A\n\n```step\nwait: 0\n\t§subjekt: x\n```\n\nYes?\n",
			`unknown key "subjekt"; did you mean "subject"?`},
		{"value behind several blanks", "## A\n\n```step\nwait:   §3 dys\nsubject: x\n```\n\nYes?\n",
			`wait: unknown unit "dys"; use minutes, hours, days, business days or weeks; did you mean "3 days"?`},
		{"second window of a schedule", "---\nsend: mon-fri 09:00-16:30; §sta 10:00-12:00\n---\n" + one,
			`send: unknown day "sta"; did you mean "sat"?`},
		{"end of a window", "---\nsend: mon-fri 09:00-§4pm\n---\n" + one,
			`send: "4pm" is not a time of day; write it with 24 hours, like 09:00`},
		{"name in a list", "---\nneeds: quote_no, §offer no\n---\n" + one,
			`"offer no" is not a field's name; use letters, digits, _ and -; did you mean "offer_no"?`},
		{"window in a folded schedule", "---\nsend:\n  mon 09:00-16:30;\n  §tuu 10:00-12:00\n---\n" + one,
			`send: unknown day "tuu"; did you mean "tue"?`},
		{"field after letters of several bytes", front + "## A\n\n```step\nwait: 0\nsubject: Ärende åt {{ §compny }}\n```\n\nYes?\n",
			`no field "compny"; did you mean "company"?`},
		{"field in the third line of a mail", front + one + "\nsecond\nÅ {{ §qoute_no }}\n", `no field "qoute_no"; did you mean "quote_no"?`},
		{"heading of a second step with the same name", front + one + "\n§## 7. arrived?\n\n```step\nwait: 1d\n```\n\nHas it?\n",
			`the step in line 5 has the same id "arrived?"; rename one or give it an id`},
		{"letter after a byte order mark", "\ufeff---\n§x: y\n---\n" + strings.ReplaceAll(one, "{{ quote_no }}", ""), `unknown key "x"`},
		{"step block in a file with CRLF", strings.ReplaceAll(front+one+"\n## B\n\n```step\n§wiat: 3 days\n```\n\nYes?\n", "\n", "\r\n"),
			`unknown key "wiat"; did you mean "wait"?`},
		{"byte that is no UTF-8", "# Ä\nF§\xfcr", "not UTF-8; save the file with the encoding UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, after, found := strings.Cut(tt.input, "§")
			if !found {
				t.Fatal("no mark in the input")
			}
			_, err := Parse("f.md", []byte(before+after))
			errs, ok := errors.AsType[ParseErrors](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			before = strings.TrimPrefix(before, "\ufeff")
			line := strings.Count(before, "\n") + 1
			column := utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]) + 1
			first := errs[0]
			if first.Line != line || first.Column != column {
				t.Errorf("place is %d:%d, want %d:%d", first.Line, first.Column, line, column)
			}
			if got := first.Err.Error() + didYouMean(first.Suggestion); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func parse(t testing.TB, source string) *Sequence {
	t.Helper()
	s, err := Parse("dir/quote.md", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAFileBecomesASequence(t *testing.T) {
	s := parse(t, `---
# comments are lines of their own
name: Quote #1042: follow-up
from: sales
send: mon-fri 09:00-16:30
timezone: Europe/Stockholm
needs: first_name, quote_no
---

# Something else

A note with {{ anything }} in it, never sent.

## 1. Did the quote arrive?

`+"```step"+`
wait: 3 business days
# a comment
subject: Quote #{{ quote_no }}: did it reach you? # yes
`+"```"+`

Hi {{ first_name }},

### In short

`+"```\n## not a step\n```"+`

> ## nor this

## 2) Call them

~~~step
wait: 2h
send: always
do: task
id: call
~~~

## Closing

`+"   ```step\n   wait: 5bd\n   last: yes\n   ```"+`

I'll close it.
`)
	type step struct {
		ID, Title, Send string
		Number, Line    int
		Wait            Delay
		Do              Action
		Subject, Last   bool
	}
	var got []step
	for _, st := range s.Steps {
		got = append(got, step{st.ID, st.Title, st.Send.String(), st.Number, st.Line, st.Wait, st.Do, st.Subject != nil, st.Last})
	}
	want := []step{
		{"Did the quote arrive?", "1. Did the quote arrive?", "mon-fri 09:00-16:30", 1, 14, Delay{3, BusinessDays}, Email, true, false},
		{"call", "2) Call them", "always", 2, 32, Delay{2, Hours}, Task, false, false},
		{"Closing", "Closing", "mon-fri 09:00-16:30", 3, 41, Delay{5, BusinessDays}, Email, false, true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if s.Name != "quote" || s.Title != "Quote #1042: follow-up" || s.File != "dir/quote.md" || s.From != "sales" ||
		s.Timezone != "Europe/Stockholm" || strings.Join(s.Needs, "|") != "first_name|quote_no" {
		t.Errorf("sequence is %+v", s)
	}
	for _, st := range s.Steps {
		if st.Body == nil || len(st.Hash) != 12 {
			t.Errorf("step %s: body %v, hash %q", st.ID, st.Body, st.Hash)
		}
	}
}

func TestATitleComesFromTheFirstHeadingOrTheFile(t *testing.T) {
	if got := parse(t, "# A name\n\n"+strings.ReplaceAll(one, "{{ quote_no }}", "1")).Title; got != "A name" {
		t.Errorf("title is %q", got)
	}
	if got := parse(t, strings.ReplaceAll(one, "{{ quote_no }}", "1")).Title; got != "quote" {
		t.Errorf("title is %q", got)
	}
}

// What editors and formatters do to a file must not change what it means.
func TestFormattersDoNotChangeTheMeaning(t *testing.T) {
	plain := front + "\n# A\n\n" + one + "\n## 2. A *nice* `end`_\n\n```step\nwait: 3 days\n```\n\nDone?\n"
	want := parse(t, plain)
	variants := map[string]string{
		"CRLF":                       strings.ReplaceAll(plain, "\n", "\r\n"),
		"byte order mark":            "\ufeff" + plain,
		"byte order mark and CRLF":   "\ufeff" + strings.ReplaceAll(plain, "\n", "\r\n"),
		"blanks at the ends":         strings.ReplaceAll(plain, "\n", "  \t\n"),
		"no newline at the end":      strings.TrimRight(plain, "\n"),
		"closed headings":            strings.ReplaceAll(plain, "Arrived?", "Arrived? ##"),
		"indented fences":            strings.ReplaceAll(strings.ReplaceAll(plain, "```step", "  ```step"), "\n```\n", "\n  ```\n"),
		"tabs in the step block":     strings.ReplaceAll(plain, "wait: ", "\twait:\t"),
		"emphasis written otherwise": strings.ReplaceAll(plain, "*nice*", "_nice_"),
		"renumbered":                 strings.ReplaceAll(plain, "## 2. ", "## 17. "),
		"no blank lines":             strings.ReplaceAll(plain, "\n\n", "\n"),
		"folded front matter":        strings.Replace(plain, "needs: quote_no", "needs:\n  quote_no", 1),
	}
	for name, source := range variants {
		t.Run(name, func(t *testing.T) {
			got := parse(t, source)
			for i := range want.Steps {
				w, g := want.Steps[i], got.Steps[i]
				if g.ID != w.ID || g.Wait != w.Wait || (g.Subject == nil) != (w.Subject == nil) {
					t.Errorf("step %d is %q wait %v, want %q wait %v", i+1, g.ID, g.Wait, w.ID, w.Wait)
				}
				if g.Hash != w.Hash && name != "blanks at the ends" {
					t.Errorf("step %d has another hash", i+1)
				}
			}
			if strings.Join(got.Needs, ",") != "quote_no" {
				t.Errorf("needs %v", got.Needs)
			}
		})
	}
}

func TestALargeFileIsRefused(t *testing.T) {
	source := []byte(front + one)
	source = append(source, bytes.Repeat([]byte("x\n"), maxSize/2)...)
	_, err := Parse("f.md", source)
	if err == nil || err.Error() != "f.md:1:1: the file is larger than 256 KB" {
		t.Errorf("got %v", err)
	}
}

func TestAHashFollowsSettingsAndWords(t *testing.T) {
	sum := func(source string) string { return parse(t, source).Steps[0].Hash }
	a := sum(front + one)
	if b := sum(front + one + "\n## 2. More\n\n```step\nwait: 1d\n```\n\nMore?\n"); a != b {
		t.Error("another step changed it")
	}
	if b := sum(front + strings.Replace(one, "Did it", "Has it", 1)); a == b {
		t.Error("another word did not change it")
	}
	if b := sum(front + strings.Replace(one, "wait: 0", "wait: 1 day", 1)); a == b {
		t.Error("another wait did not change it")
	}
	if b := sum(front + strings.Replace(one, "wait: 0\nsubject: Quote {{ quote_no }}", "subject: Quote {{ quote_no }}\nwait: 0", 1)); a != b {
		t.Error("another order of the settings changed it")
	}
}

func TestNextGoesOnBehindTheLastStepDone(t *testing.T) {
	s := &Sequence{Steps: []Step{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}}}
	tests := []struct{ name, done, want string }{
		{"nothing done", "", "a"},
		{"one done", "a", "b"},
		{"all done", "a b c d", ""},
		{"the last one done, others inserted before it", "a d", ""},
		{"one inserted before the last one done", "a c", "d"},
		{"the last one done was removed", "a b x", "c"},
		{"one in the middle was removed", "a x b", "c"},
		{"the only one done was removed", "x", "a"},
		{"the file was put in another order", "c a", "b"},
		{"all of them, in another order", "d c b a", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if st := s.Next(strings.Fields(tt.done)); st != nil {
				got = st.ID
			}
			if got != tt.want {
				t.Errorf("after %q comes %q, want %q", tt.done, got, tt.want)
			}
		})
	}
	if st := s.Step("c"); st != &s.Steps[2] {
		t.Errorf("Step found %v", st)
	}
	if st := s.Step("C"); st != nil {
		t.Errorf("Step found %v", st)
	}
}

// An editor that writes in pieces must never leave a step behind that nobody
// wrote: each cut either fails or has steps that are a prefix of the whole.
func TestAFileCutAnywhereIsRefusedOrHasFewerWords(t *testing.T) {
	source, err := os.ReadFile("testdata/good/full.md")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := Parse("full.md", source)
	if err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for n := range source {
		s, err := Parse("full.md", source[:n])
		if err != nil {
			continue
		}
		accepted++
		for i, st := range s.Steps {
			if st.ID != whole.Steps[i].ID || st.Wait != whole.Steps[i].Wait {
				t.Fatalf("cut at %d, step %d is %q after %v", n, i+1, st.ID, st.Wait)
			}
		}
	}
	t.Logf("%d of %d cuts parse", accepted, len(source))
}
