package mailbox

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// answer is one mail of testdata/answers and what must be read in it.
type answer struct {
	name, kind string
	wants      map[string]string // until, failed, status, successor; left, optout and ticket have no value
	raw        []byte
}

// readAnswers reads a file of short mails. A line "== kind word=value … | name"
// begins each; header lines and, after an empty line, the text follow. Fields
// that are not given have the values of defaultFields; one given without a
// value is left out of the mail.
func readAnswers(t testing.TB, path string) []answer {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var answers []answer
	for record := range strings.SplitSeq("\n"+string(content), "\n== ") {
		title, mail, _ := strings.Cut(record, "\n")
		want, name, found := strings.Cut(title, " | ")
		if !found {
			continue
		}
		words := strings.Fields(want)
		a := answer{name: name, kind: words[0], wants: map[string]string{}, raw: completeMail(mail)}
		for _, word := range words[1:] {
			key, value, _ := strings.Cut(word, "=")
			a.wants[key] = value
		}
		answers = append(answers, a)
	}
	return answers
}

var defaultFields = []field{
	{"From", "Anna Bauer <anna@customer.example>"}, {"To", "sales@seller.example"}, {"Subject", "Re: Quote 2417"},
	{"Date", "Mon, 23 Nov 2026 09:00:00 +0100"}, {"Message-ID", "<x@customer.example>"},
	{"In-Reply-To", "<q@seller.example>"}, {"Content-Type", "text/plain; charset=utf-8"},
}

func completeMail(mail string) []byte {
	var out bytes.Buffer
	given := map[string]bool{}
	head, text := "", mail
	if line, _, _ := strings.Cut(mail, "\n"); beginsHeader(line) {
		head, text, _ = strings.Cut(mail, "\n\n")
	}
	for line := range strings.Lines(head) {
		line = strings.TrimRight(line, "\n")
		if name, value, ok := strings.Cut(line, ":"); ok && line[0] != ' ' {
			given[strings.ToLower(name)] = true
			if strings.TrimSpace(value) == "" {
				continue
			}
		}
		out.WriteString(line + "\n")
	}
	for _, f := range defaultFields {
		if !given[strings.ToLower(f.name)] {
			out.WriteString(f.name + ": " + f.value + "\n")
		}
	}
	out.WriteString("\n" + text)
	return out.Bytes()
}

// beginsHeader says whether the first line of a mail in the file is a field
// rather than text.
func beginsHeader(line string) bool {
	switch name, _, _ := strings.Cut(line, ":"); name {
	case "From", "To", "Cc", "Subject", "Date", "In-Reply-To", "Content-Type", "Precedence", "List-Id", "Auto-Submitted":
		return true
	default:
		return strings.HasPrefix(name, "X-")
	}
}

// TestAnswers reads every mail of testdata/answers. Names that begin with
// "must pass" are cases that may never fail.
func TestAnswers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "answers", "*.txt"))
	if err != nil || len(files) < 5 {
		t.Fatalf("found %d files of answers (%v)", len(files), err)
	}
	for _, file := range files {
		answers := readAnswers(t, file)
		if len(answers) < 20 {
			t.Errorf("%s: only %d answers were read", file, len(answers))
		}
		for _, a := range answers {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+a.name, func(t *testing.T) { a.check(t) })
		}
	}
}

func (a answer) check(t *testing.T) {
	v := Judge(a.raw, Touched{})
	if string(v.Kind) != a.kind {
		t.Errorf("it is %s (%s), want %s", v.Kind, v.Evidence, a.kind)
	}
	until := "-"
	if !v.Until.IsZero() {
		until = v.Until.Format("2006-01-02")
	}
	for _, field := range []struct{ name, got string }{
		{"until", until}, {"failed", strings.Join(v.Failed, ",")}, {"status", v.Status}, {"successor", v.Successor},
	} {
		if want, named := a.wants[field.name]; named && want != field.got {
			t.Errorf("%s is %q, want %q", field.name, field.got, want)
		}
	}
	for _, mark := range []struct {
		name string
		got  bool
	}{
		{"left", v.Left && v.Kind == "auto-reply"}, {"ticket", v.Ticket}, {"optout", v.OptOut && v.Kind == "reply"},
	} {
		if _, want := a.wants[mark.name]; want != mark.got {
			t.Errorf("%s is %v, want %v", mark.name, mark.got, want)
		}
	}
}
