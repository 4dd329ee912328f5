package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nudge/sequences"
)

// planOf writes a sequence of steps, each a heading and its words.
func planOf(t *testing.T, steps ...[2]string) *sequences.Sequence {
	t.Helper()
	source := "---\nname: Quote\n---\n"
	for _, st := range steps {
		source += "\n## " + st[0] + "\n\n```step\nwait: 2 days\nsubject: Hello\n```\n\n" + st[1] + "\n"
	}
	seq, err := sequences.Parse("quote.md", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func TestAnEditIsToldByTheStepsAndPeopleItTouches(t *testing.T) {
	a, b, c := [2]string{"Ask", "Did it arrive?"}, [2]string{"Again", "Any question?"}, [2]string{"End", "Shall I close it?"}
	worded := [2]string{"Again", "Is a line unclear?"}
	before := planOf(t, a, b, c)
	at := func(next string, done ...string) Enrollment {
		en := Enrollment{Sequence: "quote", State: Active, Next: next}
		for _, step := range done {
			en.Done = append(en.Done, Done{Step: step, Outcome: Sent})
		}
		return en
	}
	people := []Enrollment{at("Ask"), at("Again", "Ask"), at("End", "Ask", "Again"), {Sequence: "quote", State: Stopped, Next: "Again"}}
	held := at("Ask")
	held.State, held.Reason = Held, NoSequence
	for _, tc := range []struct {
		name   string
		edit   sequences.Edit
		people []Enrollment
		want   SequenceChange
		words  string
	}{
		{"new words", sequences.Edit{Before: before, After: planOf(t, a, worded, c)}, people,
			SequenceChange{Change: FileChanged, Rewritten: []string{"Again"}, UnderWay: 3, NewWords: 1}, "1 gets new words"},
		{"a step put in", sequences.Edit{Before: before, After: planOf(t, a, [2]string{"More", "One more."}, b, c)}, people,
			SequenceChange{Change: FileChanged, Added: []string{"More"}, UnderWay: 3}, "nobody under way is affected"},
		{"a step taken out", sequences.Edit{Before: before, After: planOf(t, a, c)}, people,
			SequenceChange{Change: FileChanged, Removed: []string{"Again"}, UnderWay: 3, PassOver: 1}, "1 passes over a step that is gone"},
		{"the last steps taken out", sequences.Edit{Before: before, After: planOf(t, a)}, people,
			SequenceChange{Change: FileChanged, Removed: []string{"Again", "End"}, UnderWay: 3, End: 2}, "2 end, with no step left"},
		{"every step renamed", sequences.Edit{Before: before, After: planOf(t, [2]string{"New", "New words."})}, people,
			SequenceChange{Change: FileChanged, Added: []string{"New"}, Removed: []string{"Ask", "Again", "End"}, UnderWay: 3, PassOver: 1, Held: 2},
			"1 passes over a step that is gone, 2 are held until you answer"},
		{"another order", sequences.Edit{Before: before, After: planOf(t, b, a, c)}, people,
			SequenceChange{Change: FileChanged, Moved: true, UnderWay: 3}, "nobody under way is affected"},
		{"gone", sequences.Edit{Before: before}, people, SequenceChange{Change: FileGone, UnderWay: 3, Held: 3}, "3 are held until you answer"},
		{"back", sequences.Edit{After: before}, []Enrollment{held}, SequenceChange{Change: FileNew, UnderWay: 1, Back: 1}, "1 was held and goes on"},
		{"gone for long", sequences.Edit{}, []Enrollment{held}, SequenceChange{Change: FileGone, UnderWay: 1}, "nobody under way is affected"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.edit.Name, tc.want.Sequence = "quote", "quote"
			got := changeOf(tc.edit)
			for _, en := range tc.people {
				got.count(tc.edit, Mailbox{Location: time.UTC}, en)
			}
			for _, list := range []*[]string{&tc.want.Added, &tc.want.Removed, &tc.want.Rewritten} {
				if *list == nil {
					*list = []string{}
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if got.Words() != tc.words {
				t.Errorf("words %q, want %q", got.Words(), tc.words)
			}
		})
	}
}

// aShelf is a folder of sequences as the desk reads it.
type aShelf struct{ *sequences.Library }

func (s aShelf) Read() (Reading, error) { return s.Library.Read() }

func TestOnlyTheFilesThatWereShownAreTaken(t *testing.T) {
	dir := t.TempDir()
	write := func(words string) {
		t.Helper()
		source := "## Ask\n\n```step\nwait: 1 day\nsubject: Hello\n```\n\n" + words + "\n"
		if err := os.WriteFile(filepath.Join(dir, "quote.md"), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("One.")
	library, err := sequences.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := library.Sequence("quote")
	var noted []Event
	d := &Desk{Store: &noStore{noted: &noted}, Library: aShelf{library}, Now: time.Now}
	write("Two.")
	shown, err := d.Reload(t.Context(), ReloadRequest{DryRun: true})
	if now, _ := library.Sequence("quote"); err != nil || now != old || len(shown.Changes) != 1 {
		t.Fatalf("shown %+v, %v; taken: %v", shown, err, now != old)
	}
	write("Three.")
	if _, err := d.Reload(t.Context(), ReloadRequest{Sum: shown.Sum}); !errors.Is(err, ErrInvalid) {
		t.Errorf("what nobody saw: %v", err)
	}
	if now, _ := library.Sequence("quote"); now != old || len(noted) > 0 {
		t.Errorf("it was taken, noted as %v", noted)
	}
	write("Two.")
	if _, err := d.Reload(t.Context(), ReloadRequest{Sum: shown.Sum}); err != nil {
		t.Error(err)
	}
	if now, _ := library.Sequence("quote"); now == old || len(noted) != 1 || noted[0].Detail["changes"] != "quote changed: nobody under way is affected" {
		t.Errorf("taken: %v, noted as %v", now != old, noted)
	}
}

// noStore is the memory of an installation without prospects.
type noStore struct {
	Store
	noted *[]Event
}

func (s *noStore) Enrollments(Filter) ([]Enrollment, error) { return nil, nil }
func (s *noStore) Note(ev Event) error                      { *s.noted = append(*s.noted, ev); return nil }
