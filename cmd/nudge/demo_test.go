package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nudge/engine"
	"nudge/mailbox/localmail"
	"nudge/sequences"
)

// playDemo plays the demo inside a bubble, where no second passes that the demo
// does not wait for, and returns what it said. The bubble insists that nothing
// is left running.
func playDemo(t *testing.T, paced bool, patience time.Duration) (said string, took time.Duration, err error) {
	t.Helper()
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		a := &app{out: &out, err: &out}
		start := time.Now()
		err = a.demo(ctx, paced)
		took = time.Since(start)
	})
	left, readErr := os.ReadDir(tmp)
	if readErr != nil || len(left) > 0 {
		t.Errorf("the demo left %v behind (%v)", left, readErr)
	}
	return out.String(), took, err
}

func TestDemoSaysTheSameEveryTime(t *testing.T) {
	golden := filepath.Join("demo", "golden.txt")
	for range 2 {
		said, _, err := playDemo(t, false, time.Hour)
		if err != nil {
			t.Fatalf("%v after\n%s", err, said)
		}
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(golden, []byte(said), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), said); diff != "" {
			t.Fatalf("(-want +got; UPDATE=1 rewrites it):\n%s", diff)
		}
	}
}

func TestDemoFitsIntoEightyColumns(t *testing.T) {
	said, _, err := playDemo(t, false, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\n")
		if n := utf8.RuneCountInString(line); n > demoWidth || strings.TrimRight(line, " ") != line {
			t.Errorf("%d columns or spaces at the end: %q", n, line)
		}
		if strings.Contains(line, "\x1b") {
			t.Errorf("colours off a terminal: %q", line)
		}
	}
}

func TestDemoTakesItsTimeOnATerminal(t *testing.T) {
	_, took, err := playDemo(t, true, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if took < 3*time.Second || took > 15*time.Second {
		t.Errorf("the pauses add up to %v, want enough to follow and less than 15s", took)
	}
}

func TestDemoLeavesNothingBehindWhenInterrupted(t *testing.T) {
	said, _, err := playDemo(t, true, 2*time.Second)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the demo ended with %v, want context.Canceled", err)
	}
	if !strings.Contains(said, "Tue  3 Nov") || strings.Contains(said, "How it ended") {
		t.Errorf("interrupted after 2 s the demo had said\n%s", said)
	}
}

func TestDemoSequenceIsWithoutFault(t *testing.T) {
	for _, f := range sequences.Lint("quote.md", demoSequence) {
		t.Errorf("%s", f)
	}
}

func TestBooksShowABrokenPromise(t *testing.T) {
	noon := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	mail := func(at time.Time, text string) localmail.Transaction {
		raw := "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n" + text + "\r\n--b--\r\n"
		return localmail.Transaction{At: at, To: []string{"a@b.example"}, Taken: true, Raw: []byte(raw)}
	}
	refused := mail(noon.Add(2*time.Hour), "three")
	refused.Taken = false
	answer := func(deed localmail.Deed) []localmail.Written {
		return []localmail.Written{{At: noon.Add(time.Hour), By: "a@b.example", Deed: deed}}
	}
	views := func(touches int) []engine.View { return []engine.View{{Address: "a@b.example", Touches: touches}} }
	for _, tc := range []struct {
		name   string
		ledger []localmail.Transaction
		wrote  []localmail.Written
		views  []engine.View
		want   string // in the error
	}{
		{"two mails, then an answer", []localmail.Transaction{mail(noon, "one"), mail(noon, "two")}, answer(localmail.Answer), views(2), ""},
		{"a mail after an auto-reply", []localmail.Transaction{mail(noon.Add(2*time.Hour), "one")}, answer(localmail.AutoReply), views(1), ""},
		{"a refused mail after an answer", []localmail.Transaction{mail(noon, "one"), refused}, answer(localmail.Answer), views(1), ""},
		{"a mail after an answer", []localmail.Transaction{mail(noon, "one"), mail(noon.Add(2*time.Hour), "two")}, answer(localmail.Answer), views(2), "1 mail after an answer"},
		{"a mail after a new mail", []localmail.Transaction{mail(noon.Add(2*time.Hour), "one")}, answer(localmail.NewMail), views(1), "1 mail after an answer"},
		{"one text twice", []localmail.Transaction{mail(noon, "one"), mail(noon.Add(time.Minute), "one")}, nil, views(2), "1 mail twice"},
		{"a mail that nudge does not know of", []localmail.Transaction{mail(noon, "one"), mail(noon, "two")}, nil, views(1), "nudge counts 1 mail"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := readBooks(tc.ledger, tc.wrote).agree(tc.views)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("the books say %v, want %q", err, tc.want)
			}
		})
	}
}
