package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"nudge/sequences"
)

// This file is what edited sequence files do to the people under way: told
// before it is done, then done.

// Shelf is a Library that can be listed and read again.
type Shelf interface {
	Library
	Names() []string
	Broken() []error
	Read() (Reading, error)
}

// Reading is the sequence files as they were read, and not in use before it is
// taken. See sequences.Reading.
type Reading interface {
	Library
	Names() []string
	Broken() []error
	IsBroken(name string) bool
	Edits() []sequences.Edit
	Changed() bool
	Sum() string
	Take()
}

// ReloadRequest asks to read the sequence files again.
type ReloadRequest struct {
	DryRun bool   `json:"dry_run,omitempty"` // only tell what it would do
	Sum    string `json:"sum,omitempty"`     // take only the files that a person was told of
}

// ReloadResult says what reading the sequence files again came to, or would.
type ReloadResult struct {
	Loaded  int              `json:"loaded"`
	Broken  []string         `json:"broken"` // file:line:col: message
	Changes []SequenceChange `json:"changes"`
	Sum     string           `json:"sum"` // of what was read
}

// ChangeKind is what became of a sequence's file.
type ChangeKind string

const (
	FileNew     ChangeKind = "new"
	FileChanged ChangeKind = "changed"
	FileGone    ChangeKind = "gone"
	FileBroken  ChangeKind = "broken"    // it has mistakes, and no good text of it is known
	FileSame    ChangeKind = "unchanged" // but somebody stands where it has no step
)

// SequenceChange is what another reading does to one sequence and to those under
// way in it. The counts are of people who have not ended; one person counts
// once.
type SequenceChange struct {
	Sequence  string     `json:"sequence"`
	Change    ChangeKind `json:"change"`
	Added     []string   `json:"added"` // ids of steps, as the next three
	Removed   []string   `json:"removed"`
	Rewritten []string   `json:"rewritten"` // other words or settings
	Moved     bool       `json:"moved"`     // the steps that stayed stand in another order

	UnderWay int `json:"under_way"`
	NewWords int `json:"new_words"` // get their next step as it is written now
	PassOver int `json:"pass_over"` // their next step is gone, and they go on with another
	End      int `json:"end"`       // their next step is gone, and none is left
	Held     int `json:"held"`      // wait for a person: the file is gone or broken, or every step they know is gone
	Back     int `json:"back"`      // were held because the file was gone, and go on
}

// Touches says whether somebody is affected.
func (c SequenceChange) Touches() bool { return c.NewWords+c.PassOver+c.End+c.Held+c.Back > 0 }

// Words tells the counts, such as "2 get new words, 1 is held".
func (c SequenceChange) Words() string {
	var words []string
	until := "you answer"
	if c.Change == FileBroken {
		until = "the file is mended"
	}
	for _, part := range []struct {
		n         int
		one, more string
	}{
		{c.NewWords, "gets new words", "get new words"},
		{c.PassOver, "passes over a step that is gone", "pass over a step that is gone"},
		{c.End, "ends, with no step left", "end, with no step left"},
		{c.Held, "is held until " + until, "are held until " + until},
		{c.Back, "was held and goes on", "were held and go on"},
	} {
		switch {
		case part.n == 1:
			words = append(words, "1 "+part.one)
		case part.n > 1:
			words = append(words, fmt.Sprintf("%d %s", part.n, part.more))
		}
	}
	if len(words) == 0 {
		return "nobody under way is affected"
	}
	return strings.Join(words, ", ")
}

// changeOf compares a sequence's steps in two readings.
func changeOf(e sequences.Edit) SequenceChange {
	c := SequenceChange{Sequence: e.Name, Change: FileChanged, Added: []string{}, Removed: []string{}, Rewritten: []string{}}
	switch {
	case e.After == nil:
		c.Change = FileGone
		return c
	case e.Before == nil:
		c.Change = FileNew
		return c
	case e.Before == e.After:
		c.Change = FileSame
		return c
	}
	for _, st := range e.Before.Steps {
		if e.After.Step(st.ID) == nil {
			c.Removed = append(c.Removed, st.ID)
		}
	}
	last := 0
	for _, st := range e.After.Steps {
		old := e.Before.Step(st.ID)
		if old == nil {
			c.Added = append(c.Added, st.ID)
			continue
		}
		if old.Hash != st.Hash {
			c.Rewritten = append(c.Rewritten, st.ID)
		}
		c.Moved = c.Moved || old.Number < last
		last = old.Number
	}
	return c
}

// count adds what the edit does to one enrollment of the sequence.
func (c *SequenceChange) count(e sequences.Edit, m Mailbox, en Enrollment) {
	if en.Ended() {
		return
	}
	c.UnderWay++
	if e.After == nil {
		if en.Reason != NoSequence {
			c.Held++
		}
		return
	}
	if en.Reason == NoSequence {
		c.Back++
		return
	}
	if st := e.After.Step(en.Next); st != nil && !slices.Contains(en.DoneSteps(), en.Next) {
		if slices.Contains(c.Rewritten, en.Next) {
			c.NewWords++
		}
		return
	}
	switch d := replanned(m, e.After, en); {
	case d.Hold != "":
		if en.Reason != d.Hold {
			c.Held++
		}
	case d.End:
		c.End++
	default:
		c.PassOver++
	}
}

// Reload implements Operator.
func (d *Desk) Reload(_ context.Context, req ReloadRequest) (ReloadResult, error) {
	r, err := d.Library.Read()
	if err != nil {
		return ReloadResult{}, err
	}
	if req.Sum != "" && req.Sum != r.Sum() {
		return ReloadResult{}, &RefusalError{Err: ErrInvalid, What: "the files were changed since you were asked; nothing was done", Hint: "nudge reload shows them as they are now"}
	}
	result := ReloadResult{Loaded: len(r.Names()), Broken: []string{}, Sum: r.Sum()}
	for _, broken := range r.Broken() {
		result.Broken = append(result.Broken, broken.Error())
	}
	if !r.Changed() && !req.DryRun {
		result.Changes = []SequenceChange{}
		return result, nil
	}
	if result.Changes, err = d.affected(r); err != nil || !r.Changed() || req.DryRun {
		return result, err
	}
	r.Take()
	if err := d.welcomeBack(); err != nil {
		return result, err
	}
	d.wake()
	return result, d.Store.Note(Event{At: d.Now(), Kind: EventReloaded, Detail: reloadDetail(r, result)})
}

func reloadDetail(r Reading, result ReloadResult) map[string]string {
	detail := map[string]string{"sequences": strings.Join(r.Names(), ", "), "broken": fmt.Sprint(len(result.Broken))}
	var told []string
	for _, c := range result.Changes {
		told = append(told, fmt.Sprintf("%s %s: %s", c.Sequence, c.Change, c.Words()))
	}
	if len(told) > 0 {
		detail["changes"] = strings.Join(told, "; ")
	}
	return detail
}

// affected tells what a reading does, by sequence. It also finds those who stand
// where an unchanged file has no step: it was edited while no daemon ran.
func (d *Desk) affected(r Reading) ([]SequenceChange, error) {
	edits, changes := map[string]sequences.Edit{}, map[string]*SequenceChange{}
	for _, e := range r.Edits() {
		c := changeOf(e)
		edits[e.Name], changes[e.Name] = e, &c
	}
	for after := ""; ; {
		ens, err := d.Store.Enrollments(Filter{After: after, Limit: agendaPage})
		if err != nil {
			return nil, err
		}
		for _, en := range ens {
			after = en.ID
			if changes[en.Sequence] == nil {
				same, _ := r.Sequence(en.Sequence)
				edits[en.Sequence] = sequences.Edit{Name: en.Sequence, Before: same, After: same}
				c := changeOf(edits[en.Sequence])
				if same == nil && r.IsBroken(en.Sequence) {
					c.Change = FileBroken
				}
				changes[en.Sequence] = &c
			}
			changes[en.Sequence].count(edits[en.Sequence], d.mailboxOf(en), en)
		}
		if len(ens) < agendaPage {
			break
		}
	}
	told := []SequenceChange{}
	for _, c := range changes {
		if e := edits[c.Sequence]; e.Before != e.After || c.Touches() {
			told = append(told, *c)
		}
	}
	slices.SortFunc(told, func(a, b SequenceChange) int { return strings.Compare(a.Sequence, b.Sequence) })
	return told, nil
}
