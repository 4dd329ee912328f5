package mailbox

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nudge/engine"
)

var update = flag.Bool("update", false, "rewrite the expectations from what Classify says")

// TestGoldenMails classifies every mail of testdata/mail. The first word of a
// file's name is the kind; the sibling .want holds the rest. Servers deliver
// CRLF, files hold LF: the answer must not depend on it.
func TestGoldenMails(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "mail", "*.eml"))
	if err != nil || len(files) < 40 {
		t.Fatalf("found %d golden mails, want at least 40 (%v)", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".eml")
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in := Classify(raw)
			got := describe(in)
			crlf := bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
			if diff := cmp.Diff(got, describe(Classify(crlf))); diff != "" {
				t.Errorf("CRLF changes the answer (-LF +CRLF):\n%s", diff)
			}
			if !fitsName(in.Kind, name) {
				t.Errorf("it is %s: %s", in.Kind, in.Evidence)
			}
			compareGolden(t, strings.TrimSuffix(file, ".eml")+".want", got)
		})
	}
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// fitsName compares a kind with the first word of a golden mail's name.
func fitsName(kind engine.Kind, name string) bool {
	word, _, _ := strings.Cut(name, "-")
	switch kind {
	case engine.AutoReply:
		return word == "auto"
	case engine.BounceHard, engine.BounceSoft:
		return word == "bounce"
	}
	return string(kind) == word
}

// describe writes what the engine acts on.
func describe(in engine.Incoming) string {
	var b strings.Builder
	fmt.Fprintf(&b, "kind: %s\n", in.Kind)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	line("from", strings.Join(in.From, " "))
	line("subject", in.Subject)
	line("in-reply-to", strings.Join(in.InReplyTo, " "))
	line("references", strings.Join(in.References, " "))
	line("quoted", strings.Join(in.Quoted, " "))
	line("failed", strings.Join(in.Failed, " "))
	line("status", in.Status)
	if in.Report {
		line("report", "true")
	}
	if !in.Until.IsZero() {
		line("until", in.Until.Format("2006-01-02"))
	}
	return b.String()
}

func TestEveryVerdictNamesItsRule(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "mail", "*.eml"))
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if in := Classify(raw); in.Kind == "" || in.Evidence == "" {
			t.Errorf("%s: kind %q, evidence %q", file, in.Kind, in.Evidence)
		}
	}
}

// A bounce must be read whole to know whose it is, so its header alone has to
// announce it, whichever of the fields were fetched.
func TestBouncesAnnounceThemselvesInTheHeader(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "mail", "bounce-*.eml"))
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		h, _ := splitHeader(raw)
		var fetched bytes.Buffer
		for _, f := range h {
			for _, name := range headerFields {
				if strings.EqualFold(name, f.name) {
					fmt.Fprintf(&fetched, "%s: %s\r\n", f.name, f.value)
				}
			}
		}
		if !ParseHeader(fetched.Bytes()).Report {
			t.Errorf("%s: Report is false", file)
		}
	}
}
