package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"nudge/engine"
	"nudge/sequences"
	"nudge/templates"
)

// walker goes through a sequence with one prospect, as the engine would.
type walker struct {
	owner    engine.Mailbox
	config   string // what the config is called
	seq      *sequences.Sequence
	en       engine.Enrollment
	enrolled bool // it stands in the state; else it is imagined, as if enrolled now
	now      time.Time
}

// walked is a step as it was, or would be.
type walked struct {
	step  *sequences.Step
	email engine.Email
	at    time.Time // when it left, or would be due
	left  bool      // it is behind the prospect; its words are those of the file now
	how   string    // what became of it then, in a word
	lacks bool      // a field had no value, and … stands for it
	held  string    // why it would not come by itself, or not before at
	out   string    // why it is left out for this prospect; it has no email then
}

// doneWords say what became of a step.
var doneWords = map[engine.Outcome]string{engine.Sent: "done", engine.Opened: "handed to you", engine.TaskDone: "done",
	engine.Skipped: "left out", engine.Expired: "not done in time", engine.Refusal: "refused"}

// finder looks up who is enrolled in a sequence; nil = nobody with that address.
type finder func(address, sequence string) (*engine.Record, error)

// walkFor finds the sequence, the mailbox and the prospect of a preview.
func (a *app) walkFor(name string, f previewFlags, find finder) (*walker, error) {
	fields, err := parseFields(f.fields)
	if err != nil {
		return nil, err
	}
	address, err := engine.CleanAddress(f.address)
	if err != nil {
		return nil, usage(err.Error(), "write --for anna@example.com")
	}
	seq, owner, config, err := a.previewed(name)
	if err != nil {
		return nil, err
	}
	w := &walker{owner: owner, config: config, seq: seq, now: time.Now(), en: engine.Enrollment{ID: "preview", Sequence: seq.Name, Mailbox: owner.Name,
		Address: address, Key: engine.AddressKey(address), State: engine.Active}}
	w.en.EnrolledAt, w.en.StartAt = w.now, w.now
	if address != imaginedAddress {
		record, err := find(address, seq.Name)
		if err != nil {
			return nil, err
		}
		if record != nil {
			w.en, w.enrolled, w.owner.Instance = record.Enrollment, true, record.Instance
		}
	}
	if name := strings.TrimSpace(f.name); name != "" {
		w.en.Name = name
	}
	w.en.Fields = maps.Clone(w.en.Fields)
	if w.en.Fields == nil {
		w.en.Fields = map[string]string{}
	}
	maps.Copy(w.en.Fields, fields)
	return w, engine.CheckDates(owner, seq, w.en)
}

// records is a finder in the state, which may not be there yet. The enrollment
// that goes on comes before those that have ended, a later one before an earlier.
func (a *app) records(ctx context.Context) finder {
	return func(address, sequence string) (*engine.Record, error) { return a.recordOf(ctx, address, sequence) }
}

func (a *app) recordOf(ctx context.Context, address, sequence string) (*engine.Record, error) {
	s, err := a.settings()
	if errors.Is(err, errNoConfig) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if _, err := os.Stat(s.state); errors.Is(err, fs.ErrNotExist) {
		return nil, nil // looking must not make one
	}
	var found *engine.Record
	err = a.ask(func(op engine.Operator, _ settings) error {
		story, err := op.Show(ctx, address)
		if errors.Is(err, engine.ErrNotFound) {
			return nil
		}
		for _, r := range story.Records {
			if r.Enrollment.Sequence == sequence && (found == nil || found.Enrollment.Ended()) {
				found = &r
			}
		}
		return err
	})
	return found, err
}

// whose says for whom a preview is.
func (w *walker) whose() string {
	who := person(w.en.Name, w.en.Address)
	if !w.enrolled {
		if w.en.Address == imaginedAddress {
			return "for an imagined prospect, enrolled now"
		}
		return fmt.Sprintf("for %s, imagined: nobody with this address is enrolled in %s", who, w.seq.Name)
	}
	where := fmt.Sprintf("for %s, enrolled in %s: %s sent", who, w.seq.Name, count(w.en.Touches(), "mail"))
	switch {
	case w.en.Ended():
		where += fmt.Sprintf(", %s (%s): nothing more will be", w.en.State, w.en.Reason)
	case w.en.State == engine.Held:
		where += fmt.Sprintf(", held (%s)", w.en.Reason)
	case w.en.Paused:
		where += ", paused"
	}
	return where
}

// consequence says what a missing field means for somebody who is enrolled.
func (w *walker) consequence() string {
	if !w.enrolled {
		return ""
	}
	return "; " + w.en.Address + " would be held for it"
}

// needs lists what the sequence needs of every prospect and this one lacks.
func (w *walker) needs() []string {
	return slices.DeleteFunc(slices.Clone(w.seq.Needs), func(field string) bool {
		fromName := field == "name" || field == "first_name" || field == "last_name"
		return w.en.Fields[field] != "" || field == "email" || fromName && w.en.Name != ""
	})
}

// lacks says whether a field is missing in what is shown, or in a mail before
// it, whose subject its own may carry on.
func lacks(steps, shown []walked) bool {
	for _, s := range steps {
		if s.lacks && !s.left {
			return true
		}
		if s.step == shown[len(shown)-1].step {
			return false
		}
	}
	return false
}

// walk goes through all steps of the prospect: those behind them as they were
// done, the others as the engine will decide, each done when it is due. It also
// returns the fields that have no value.
func (w *walker) walk() ([]walked, []string, error) {
	missing := w.needs()
	en := w.en
	en.Fields = maps.Clone(en.Fields)
	for _, key := range missing {
		en.Fields[key] = w.standIn(key)
	}
	var steps []walked
	// What is behind them, with the thread growing as it did.
	done, thread := en.Done, en.Thread
	en.Done = nil
	en.Thread.IDs = slices.DeleteFunc(slices.Clone(thread.IDs), func(id string) bool {
		return slices.ContainsFunc(done, func(d engine.Done) bool { return d.MessageID == id })
	})
	for _, d := range done {
		if st := w.seq.Step(d.Step); st != nil {
			s, err := w.compose(st, &en, d.At, &missing)
			if err != nil {
				return nil, nil, err
			}
			s.left, s.how = true, cmp.Or(doneWords[d.Outcome], "done")
			steps = append(steps, s)
			if d.Outcome == engine.Sent && st.Do == sequences.Email {
				en.Thread = s.email.Thread
				en.Thread.IDs[len(en.Thread.IDs)-1] = d.MessageID
			}
		}
		en.Done = append(en.Done, d)
	}
	if len(done) > 0 {
		en.Thread = thread
	}
	for _, c := range engine.Way(en, w.seq, w.owner, w.now) {
		st := w.seq.Step(c.Step)
		if st == nil {
			continue
		}
		if c.LeftOut != "" {
			steps = append(steps, walked{step: st, at: c.At, out: c.LeftOut})
			en.Done = append(en.Done, engine.Done{Step: st.ID, At: c.At, Outcome: engine.Skipped})
			continue
		}
		s, err := w.compose(st, &en, c.At, &missing)
		if err != nil {
			return nil, nil, err
		}
		s.held = c.Held
		steps = append(steps, s)
		d := engine.Done{Step: st.ID, At: s.at, Outcome: engine.TaskDone}
		if st.Do == sequences.Email {
			d.Outcome, d.MessageID, en.Thread = engine.Sent, s.email.MessageID, s.email.Thread
			if en.Variant == "" {
				en.Variant = s.email.Variant
			}
		}
		en.Done = append(en.Done, d)
	}
	return steps, missing, nil
}

// standIn is what stands for a field that the sequence needs and nobody gave:
// a date in two weeks where a step leads up to it, else ….
func (w *walker) standIn(key string) string {
	for _, st := range w.seq.Steps {
		if st.Before == key {
			return w.inTwoWeeks()
		}
	}
	return "…"
}

// gaps says which fields have no value.
func (w *walker) gaps(missing []string) error {
	return &trouble{code: exitUsage, what: "no value for " + strings.Join(missing, ", ") + w.consequence(),
		hint: "add --set " + strings.Join(missing, "=… --set ") + "=…"}
}

// numberOrDate is what stands for a field of which a filter asks more than words.
func (w *walker) numberOrDate(date bool) string {
	if date {
		return w.inTwoWeeks()
	}
	return "1"
}

// inTwoWeeks is a date that is not past yet when most sequences end.
func (w *walker) inTwoWeeks() string {
	return w.now.In(zoneOf(w.owner, w.seq, w.en.Fields)).AddDate(0, 0, 14).Format("2006-01-02 15:04")
}

// wrongValue says which field to give another value.
func wrongValue(value *templates.ValueError, err error) error {
	if value.Field == "" || sequences.IsComputed(value.Field) {
		return err
	}
	form := "1250"
	if value.Date {
		form = "2026-03-14"
	}
	return &trouble{code: exitUsage, what: err.Error(), hint: fmt.Sprintf("write it as --set %s=%s", value.Field, form)}
}

// compose makes one mail. Where a field has no value it notes that, and puts …
// in its place.
func (w *walker) compose(st *sequences.Step, en *engine.Enrollment, at time.Time, missing *[]string) (walked, error) {
	s := walked{step: st, at: at}
	for {
		var err error
		s.email, err = engine.Compose(w.owner, make([]byte, 32), w.seq, st, *en, at)
		if err == nil {
			return s, nil
		}
		if value, ok := errors.AsType[*templates.ValueError](err); ok {
			switch {
			case en.Fields[value.Field] == "…":
			case len(*missing) > 0 && (value.Field == "" || slices.Contains(*missing, value.Field)):
				return s, w.gaps(*missing)
			default:
				return s, wrongValue(value, err)
			}
			en.Fields[value.Field] = w.numberOrDate(value.Date)
			s.lacks = true
			continue
		}
		gap, ok := errors.AsType[*templates.MissingError](err)
		switch {
		case ok && gap.Field == "signature":
			return s, &trouble{code: exitUsage, what: "the mailbox has no signature", hint: "set signature in " + w.config + ", or display-name for its [[mailbox]]"}
		case !ok || en.Fields[gap.Field] != "":
			return s, err
		}
		if !slices.Contains(*missing, gap.Field) {
			*missing = append(*missing, gap.Field)
		}
		en.Fields[gap.Field] = "…"
		s.lacks = true
	}
}
