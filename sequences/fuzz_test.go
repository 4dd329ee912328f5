package sequences

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the tests, whatever the machine has
	"unicode"

	"nudge/templates"
)

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/broken/*.md", "testdata/good/*.md"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(source)
		}
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		s, err := Parse("f.md", source)
		findings := Lint("f.md", source)
		failed := false
		lines := bytes.Count(source, []byte("\n")) + 1
		for _, x := range findings {
			failed = failed || x.Severity == SeverityError
			if x.Line < 1 || x.Line > lines || x.Column < 1 || x.Message == "" {
				t.Fatalf("finding without a place: %+v", x)
			}
		}
		if failed != (err != nil) {
			t.Fatalf("Parse says %v, Lint %v", err, findings)
		}
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for i, st := range s.Steps {
			if st.ID == "" || seen[st.ID] || st.Number != i+1 || st.Send == nil || st.Body == nil || st.Line < 1 {
				t.Fatalf("step %d is %+v", i, st)
			}
			seen[st.ID] = true
		}
		if len(s.Steps) == 0 {
			t.Fatal("no steps and no error")
		}
	})
}

// allowedElements are all that a mail's HTML may hold; whatever else an author
// or a prospect writes comes out as text.
var allowedElements = regexp.MustCompile(`^/?(html|head|meta|body|div|p|br|hr|ul|ol|li|blockquote|h[2-6]|pre|code|a|em|strong|table|tr|th|td|!DOCTYPE)( (lang|dir|charset|name|content|style|href|start|scope)="[^"<>]*")*(?: html)?>`)

// hostile is what a prospect's row may bring.
var hostile = templates.Fields{"first_name": "Anna\r\nBcc: x@evil.example", "quote_no": "<script>alert(1)</script>", "amount": "6200",
	"original_subject": "a\r\nTo: b", "variant": "A", "next_touch": "[x](javascript:alert(1))", "appointment": "2026-12-03 14:00",
	"signature": "{{ email }}\n<img src=x>", "phone": "\u202e\u2066", "company": strings.Repeat("x|<", 4000), "x": "\"><b onclick=\"x\">"}

// FuzzParseEverything reads any file with all settings taken, and whatever is
// accepted renders to a mail without injected headers or raw HTML.
func FuzzParseEverything(f *testing.F) {
	for _, pattern := range []string{"testdata/everything.md", "testdata/broken/*-*.md", "testdata/broken/partial*.md", "testdata/broken/holidays*.md"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(source)
		}
	}
	beside := os.DirFS("testdata/beside")
	berlin := zone(f, "Europe/Berlin")
	now := time.Date(2026, 10, 24, 23, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, source []byte) {
		r := read("f.md", source, options{folder: beside})
		for _, x := range r.findings() {
			if x.Line < 1 || x.Column < 1 || x.Message == "" {
				t.Fatalf("finding without a place: %+v", x)
			}
		}
		s, err := r.result()
		if err != nil {
			return
		}
		for i, st := range s.Steps {
			if due := st.DueAt(now, berlin); !due.IsZero() && (due.Before(now) || !st.Send.Allows(due)) {
				t.Fatalf("step %d is due at %v", i+1, due)
			}
			if due, ok := st.DueBefore(now.AddDate(0, 0, 9), now, berlin); ok && !st.Send.Allows(due) {
				t.Fatalf("step %d before a date is due at %v", i+1, due)
			}
			checkMail(t, &st)
		}
	})
}

// checkMail renders a step for a hostile prospect.
func checkMail(t *testing.T, st *Step) {
	if st.Subject != nil {
		if line, err := st.Subject.Render(hostile); err == nil && strings.ContainsFunc(line, unicode.IsControl) {
			t.Fatalf("subject %q", line)
		}
	}
	parts, err := st.Body.Render(hostile)
	if err != nil {
		return
	}
	for _, piece := range strings.Split(parts.HTML, "<")[1:] {
		if !allowedElements.MatchString(piece) {
			t.Fatalf("<%s in\n%s", piece, parts.HTML)
		}
	}
	if strings.ContainsAny(parts.Text, "\r\u202e\u2066") || strings.Contains(parts.HTML, "javascript:") && strings.Contains(parts.HTML, `href="javascript`) {
		t.Fatalf("hostile words in\n%s", parts.Text)
	}
}

func BenchmarkParse(b *testing.B) {
	source, err := os.ReadFile("testdata/good/full.md")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("full.md", source); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLint(b *testing.B) {
	source, err := os.ReadFile("testdata/good/full.md")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		if findings := Lint("full.md", source); len(findings) > 0 {
			b.Fatal(findings)
		}
	}
}

// BenchmarkLintFolder lints the 200 files of a large folder, as nudge lint
// does. The goal is 50 ms on two cores.
func BenchmarkLintFolder(b *testing.B) {
	source, err := os.ReadFile("testdata/good/full.md")
	if err != nil {
		b.Fatal(err)
	}
	files := make([]Source, 200)
	for i := range files {
		files[i] = Source{File: fmt.Sprintf("testdata/good/full%d.md", i), Text: source}
	}
	b.ReportAllocs()
	for b.Loop() {
		LintAll(files)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/200files")
}
