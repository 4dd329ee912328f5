package bolt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"nudge/engine"
)

func suppress(t *testing.T, s *Store, target, why string, on bool) {
	t.Helper()
	if _, err := s.Suppress(target, why, on, monday); err != nil {
		t.Fatal(err)
	}
}

func suppressions(t *testing.T, s *Store) map[string]string {
	t.Helper()
	list, err := s.Suppressions()
	if err != nil {
		t.Fatal(err)
	}
	whys := map[string]string{}
	for _, s := range list {
		whys[s.Target] = s.Why
	}
	return whys
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestALedgerLineIsThereBeforeItsCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := reopen(t, path)
	defer closeStore(t, s)
	kept, _, err := s.Enroll([]engine.Enrollment{prospect(1), prospect(2), prospect(3), prospect(4)})
	if err != nil {
		t.Fatal(err)
	}
	touch := engine.Touch{Enrollment: kept[1].ID, Step: "first", Version: 1, Email: engine.Email{MessageID: "m@x", Raw: []byte("x")}}
	if _, err := s.Prepare([]engine.Touch{touch}); err != nil {
		t.Fatal(err)
	}
	unsubscribed := func(en engine.Enrollment) engine.Sweep {
		return engine.Sweep{Mailbox: "sales", At: monday, Effects: []engine.Effect{{Enrollment: en.ID, Incoming: "u@" + en.ID,
			To: engine.Stopped, Reason: engine.Unsubscribed, Suppress: true}}}
	}
	for _, tt := range []struct {
		name, line string
		do         func() error
	}{
		{"by hand", "add\tx@hand.example\tby hand", func() error { _, err := s.Suppress("x@hand.example", "by hand", true, monday); return err }},
		{"with a better reason", "add\tx@hand.example\tcomplained", func() error { _, err := s.Suppress("x@hand.example", "complained", true, monday); return err }},
		{"removed", "remove\tx@hand.example\tthey asked", func() error { _, err := s.Suppress("x@hand.example", "they asked", false, monday); return err }},
		{"by a sweep", "add\tp1@kund1.example\tunsubscribed", func() error { return s.Apply(unsubscribed(kept[0])) }},
		{"by a refusal", "add\tp2@kund2.example\tbounced", func() error {
			return s.Settle([]engine.Settlement{{Touch: touch, Outcome: engine.Refusal, At: monday, Stop: engine.Bounced, Suppress: true}})
		}},
		{"by the sweep of a claim", "add\tp3@kund3.example\tunsubscribed", func() error { _, err := s.Claim(unsubscribed(kept[2]), nil); return err }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			line := "2026-11-23T09:00:00Z\t" + tt.line + "\n"
			commits := 0
			s.end = func(tx *bbolt.Tx) error {
				commits++
				if ledger := readFile(t, path+".suppressions"); !strings.HasSuffix(ledger, line) {
					t.Errorf("at the commit the ledger ends in %q, not in %q", ledger[max(0, len(ledger)-len(line)):], line)
				}
				return tx.Commit()
			}
			if err := tt.do(); err != nil || commits != 1 {
				t.Errorf("%d commits, %v", commits, err)
			}
			s.end = (*bbolt.Tx).Commit
		})
	}
	if s.end = func(*bbolt.Tx) error { t.Error("nothing new was committed"); return nil }; true {
		suppress(t, s, "p3@kund3.example", "by hand", true) // known already, for a better reason
		suppress(t, s, "nobody@x.example", "by hand", false)
	}
	s.end = (*bbolt.Tx).Commit
}

// What is in the ledger counts, although the commit that belonged to it was
// lost with the power.
func TestACrashBetweenLedgerAndCommitForgetsNothing(t *testing.T) {
	path := furnished(t)
	s := reopen(t, path)
	s.end = func(tx *bbolt.Tx) error { return errors.Join(tx.Rollback(), errors.New("the power failed")) }
	if _, err := s.Suppress("@kund1.example", "unsubscribed", true, monday); !errors.Is(err, ErrCommit) {
		t.Errorf("error %v", err)
	}
	closeStore(t, s)
	s = reopen(t, path)
	defer closeStore(t, s)
	if diff := cmp.Diff(suppressions(t, s), map[string]string{"@kund1.example": "unsubscribed"}); diff != "" {
		t.Error(diff)
	}
	list, _ := s.Suppressions()
	if !list[0].At.Equal(monday) {
		t.Errorf("since %s", list[0].At)
	}
	if en, err := s.Enrollment("000001"); err != nil || en.Reason != engine.Suppressed {
		t.Errorf("the enrollment is %s (%s), %v", en.State, en.Reason, err)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

func TestALedgerThatCannotBeWrittenStopsAllWriting(t *testing.T) {
	path := furnished(t)
	s := reopen(t, path)
	defer func() { _ = s.Close() }() // its ledger is closed already
	if err := s.ledger.f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Suppress("@kund1.example", "unsubscribed", true, monday); !errors.Is(err, ErrCommit) || !strings.Contains(err.Error(), "ledger") {
		t.Errorf("error %v", err)
	}
	if err := s.Note(engine.Event{}); !errors.Is(err, ErrCommit) {
		t.Errorf("a later writer got %v", err)
	}
	if got := suppressions(t, s); len(got) != 0 {
		t.Errorf("suppressed without its line: %v", got)
	}
}

func TestARestoredStateForgetsNoOptOut(t *testing.T) {
	path := furnished(t)
	s := reopen(t, path)
	suppress(t, s, "old@x.example", "by hand", true)
	suppress(t, s, "removed@x.example", "by hand", true)
	closeStore(t, s)
	old := readFile(t, path)
	s = reopen(t, path)
	suppress(t, s, prospect(1).Address, "unsubscribed", true)
	suppress(t, s, "old@x.example", "complained", true)
	suppress(t, s, "removed@x.example", "they asked", false)
	closeStore(t, s)
	writeFile(t, path, old)

	s = reopen(t, path)
	want := map[string]string{prospect(1).Key: "unsubscribed", "old@x.example": "complained", "removed@x.example": "by hand"}
	if diff := cmp.Diff(suppressions(t, s), want); diff != "" {
		t.Error(diff)
	}
	if en, err := s.Enrollment("000001"); err != nil || en.State != engine.Stopped {
		t.Errorf("the enrollment is %s, %v", en.State, err)
	}
	if _, refused, err := s.Enroll([]engine.Enrollment{prospect(1)}); err != nil || !errors.Is(refused[0], engine.ErrSuppressed) {
		t.Errorf("enrolled again: %v, %v", refused, err)
	}
	closeStore(t, s)
	ledger := readFile(t, path+".suppressions")
	closeStore(t, reopen(t, path))
	if again := readFile(t, path+".suppressions"); again != ledger {
		t.Errorf("opening once more changed the ledger from %q to %q", ledger, again)
	}
}

func TestALostLedgerIsWrittenAnew(t *testing.T) {
	path := furnished(t)
	s := reopen(t, path)
	suppress(t, s, "a@x.example", "unsubscribed", true)
	closeStore(t, s)
	for _, content := range []string{"", "nudge supp", ledgerHead} {
		writeFile(t, path+".suppressions", content)
		closeStore(t, reopen(t, path))
		if got := readFile(t, path+".suppressions"); got != ledgerHead+"2026-11-23T09:00:00Z\tadd\ta@x.example\tunsubscribed\n" {
			t.Errorf("from %q came %q", content, got)
		}
	}
	if err := os.Remove(path + ".suppressions"); err != nil {
		t.Fatal(err)
	}
	closeStore(t, reopen(t, path))
	if got := readFile(t, path+".suppressions"); !strings.Contains(got, "a@x.example") {
		t.Errorf("ledger %q", got)
	}
}

func TestWhatALedgerSays(t *testing.T) {
	const at = "2026-11-23T09:00:00Z\t"
	for _, tt := range []struct {
		name, lines string
		want        map[string]string
		error       string
	}{
		{"nothing", "", map[string]string{}, ""},
		{"an address and a domain", at + "add\ta@x.example\tby hand\n" + at + "add\t@y.example\tcompetitor\n",
			map[string]string{"a@x.example": "by hand", "@y.example": "competitor"}, ""},
		{"a reason that moved up", at + "add\ta@x.example\tunsubscribed\n" + at + "add\ta@x.example\tby hand\n", map[string]string{"a@x.example": "unsubscribed"}, ""},
		{"one that was removed", at + "add\ta@x.example\tby hand\n" + at + "remove\ta@x.example\tthey asked\n", map[string]string{}, ""},
		{"one that came back", at + "add\ta@x.example\tcomplained\n" + at + "remove\ta@x.example\t\n" + at + "add\ta@x.example\tby hand\n",
			map[string]string{"a@x.example": "by hand"}, ""},
		{"empty lines and another system's line ends", "\n" + at + "add\ta@x.example\tby hand\r\n\n", map[string]string{"a@x.example": "by hand"}, ""},
		{"a torn line", at + "add\ta@x.example\tby hand\n" + at + "add\tb@x.exa", map[string]string{"a@x.example": "by hand"}, ""},
		{"a torn removal", at + "add\ta@x.example\tby hand\n" + at + "remove\ta@x.example\tthey", map[string]string{"a@x.example": "by hand"}, ""},
		{"an entry that only lacks its end", at + "add\ta@x.example\tby hand\n" + at + "add\tb@x.example\tby hand",
			map[string]string{"a@x.example": "by hand", "b@x.example": "by hand"}, ""},
		{"another file", "", nil, `line 1 should say "nudge suppressions 1"`},
		{"a line that says nothing", at + "add\ta@x.example\tby hand\nhello\n", nil, "makes no sense; mend that line by hand: in line 3, there are not 4 columns"},
		{"a line without a time", "monday\tadd\ta@x.example\tby hand\n", nil, `in line 2, "monday" is not a time`},
		{"a line with another word", at + "forget\ta@x.example\tby hand\n", nil, `"forget" is neither add nor remove`},
		{"a line that names nobody", at + "add\t\tby hand\n", nil, "nobody is named"},
		{"a quote that is open", at + "add\t\"a@x.example\tby hand\n", nil, "a quote is not closed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			content := ledgerHead + tt.lines
			if tt.name == "another file" {
				content = "127.0.0.1 localhost\n"
			}
			writeFile(t, path+".suppressions", content)
			for range 3 { // closing off must read the same
				s, err := Open(path, Options{NoSync: true})
				if tt.error != "" {
					if err == nil || !strings.Contains(err.Error(), tt.error) || !errors.Is(err, ErrLedger) || !strings.Contains(err.Error(), ".suppressions: ") {
						t.Errorf("error %v", err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				suppress(t, s, "later@x.example", "by hand", true)
				got := suppressions(t, s)
				delete(got, "later@x.example")
				if diff := cmp.Diff(got, tt.want); diff != "" {
					t.Error(diff)
				}
				closeStore(t, s)
				// The ledger alone must say it as well.
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add("a@x.example", "by hand", int64(0), false)
	f.Add("\"a b\"@x.example", "tab\there\nand\r\x00", int64(1), true)
	f.Fuzz(func(t *testing.T, target, why string, sec int64, remove bool) {
		e := ledgerEntry{engine.Suppression{Target: target, Why: why, At: time.Unix(sec%(1<<35), sec%1_000_000_000).UTC()}, remove}
		line := e.String()
		if strings.Count(line, "\n") != 1 || strings.HasSuffix(strings.TrimSuffix(line, "\n"), ledgerTorn) {
			t.Fatalf("line %q", line)
		}
		back, err := parseEntry(strings.TrimSuffix(line, "\n"))
		if err == nil && back != e {
			t.Fatalf("%+v came back as %+v", e, back)
		}
		if err != nil && target != "" && e.At.Year() >= 0 && e.At.Year() < 10000 {
			t.Fatalf("%q: %v", line, err)
		}
		_, _ = parseEntry(target)
		_, _ = parseEntry(target + "\t" + why)
	})
}
