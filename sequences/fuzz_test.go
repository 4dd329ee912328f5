package sequences

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	_ "time/tzdata" // the zones of the tests, whatever the machine has
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
	for b.Loop() {
		LintAll(files)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/200files")
}
