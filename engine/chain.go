package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nudge/sequences"
)

// Follow is what a chain begins when an enrollment ends. The Store enrolls it
// in the transaction that keeps the ending, or keeps in history why not.
type Follow struct {
	Sequence string
	Enroll   Enrollment
	At       time.Time
	Refused  string // why it cannot begin, in words; "" = Enroll is whole
}

// Begun completes the enrollment that a chain begins when en has ended.
func (f Follow) Begun(en Enrollment) Enrollment {
	f.Enroll.From = en.ID
	return f.Enroll
}

// NotBegun is the event of a chain that does not begin, because of an error of
// the Store's that a person can understand, or of what was planned.
func (f Follow) NotBegun(en Enrollment, err error) Event {
	why := f.Refused
	switch {
	case errors.Is(err, ErrSuppressed), errors.Is(err, ErrEnrolled):
		why = err.Error()
	}
	return en.event(EventChainRefused, f.At, map[string]string{"chain": f.Sequence, "why": why})
}

// chains is what the end of an enrollment needs to know of the installation.
type chains struct {
	library   Library
	mailboxes []Mailbox
}

// onFinish is what begins when an enrollment ends at a moment with all steps
// done; nil for nothing.
func (c chains) onFinish(en Enrollment, at time.Time) *Follow {
	seq, _ := c.library.Sequence(en.Sequence)
	if seq == nil || seq.OnFinish == nil {
		return nil
	}
	if seq.OnFinish.Sequence == en.Sequence || slices.Contains(en.Lineage, seq.OnFinish.Sequence) {
		return &Follow{Sequence: seq.OnFinish.Sequence, At: at, Refused: "it was in that sequence before, and chains do not go round"}
	}
	f := c.begin(seq.OnFinish, seq, en, at)
	// Whoever answers the sequence that has ended answers this one as well.
	f.Enroll.HeardAt = en.heardFrom()
	return f
}

// onOutcome is what begins when a person says that it is won or lost.
func (c chains) onOutcome(how Reason, en Enrollment, at time.Time) *Follow {
	seq, _ := c.library.Sequence(en.Sequence)
	if seq == nil {
		return nil
	}
	chain := seq.OnWon
	if how == Lost {
		chain = seq.OnLost
	}
	if chain == nil {
		return nil
	}
	return c.begin(chain, seq, en, at)
}

// begin plans the enrollment that a chain begins.
func (c chains) begin(chain *sequences.Chain, from *sequences.Sequence, en Enrollment, at time.Time) *Follow {
	f := &Follow{Sequence: chain.Sequence, At: at}
	seq, _ := c.library.Sequence(chain.Sequence)
	if seq == nil {
		f.Refused = fmt.Sprintf("there is no sequence %q", chain.Sequence)
		return f
	}
	m, err := SenderOf(seq, c.mailboxes)
	if err != nil {
		f.Refused = err.Error()
		return f
	}
	fields := map[string]string{}
	for key, value := range en.Fields {
		fields[key] = value
	}
	if fields["original_subject"] == "" && en.Thread.Subject != "" {
		fields["original_subject"] = en.Thread.Subject
	}
	own := m
	if i := slices.IndexFunc(c.mailboxes, func(m Mailbox) bool { return m.Name == en.Mailbox }); i >= 0 {
		own = c.mailboxes[i]
	}
	lineage := append(slices.Clone(en.Lineage), en.Sequence)
	start := chain.After.AfterHolidays(at.In(zone(own, from, en)), from.Holidays)
	f.Enroll, err = Plan(EnrollRequest{Sequence: seq.Name, Address: en.Address, Name: en.Name, Fields: fields, At: start}, seq, m, at)
	f.Enroll.Lineage = lineage
	if err != nil {
		f.Refused = err.Error()
	}
	return f
}

// heardFrom is since when mail can be an answer to an enrollment.
func (en Enrollment) heardFrom() time.Time {
	began := en.EnrolledAt
	for _, t := range []time.Time{en.StartAt, en.HeardAt} {
		if !t.IsZero() && t.Before(began) {
			began = t
		}
	}
	return began
}

// Waits is since when mail that was not read yet may matter to an enrollment.
func (en Enrollment) Waits() time.Time {
	if !en.HeardAt.IsZero() && en.HeardAt.Before(en.EnrolledAt) {
		return en.HeardAt
	}
	return en.EnrolledAt
}

// with adds what follows an enrollment, if it has finished.
func (en Enrollment) with(f *Follow) Enrollment {
	if en.State == Finished {
		en.Then = f
	}
	return en
}

// finishing is a change that may end an enrollment with its last step, and then
// begins what its sequence says.
func finishing(c chains, at time.Time, decide func(Enrollment) (Enrollment, []Event)) func(Enrollment) (Enrollment, []Event) {
	return func(en Enrollment) (Enrollment, []Event) {
		over := en.Ended()
		changed, events := decide(en)
		if !over && changed.State == Finished {
			changed.Then = c.onFinish(changed, at)
		}
		return changed, events
	}
}

// SenderOf is the mailbox that a sequence sends from. The error is a
// *RefusalError.
func SenderOf(seq *sequences.Sequence, mailboxes []Mailbox) (Mailbox, error) {
	if seq.From == "" && len(mailboxes) == 1 {
		return mailboxes[0], nil
	}
	names := make([]string, len(mailboxes))
	for i, m := range mailboxes {
		if m.Name == seq.From {
			return m, nil
		}
		names[i] = m.Name
	}
	what := fmt.Sprintf("sequence %s does not say which mailbox it sends from", seq.Name)
	if seq.From != "" {
		what = fmt.Sprintf("sequence %s sends from mailbox %q, which the config does not have", seq.Name, seq.From)
	}
	return Mailbox{}, invalid(what, "set from: to one of "+strings.Join(names, ", "))
}

// chains is what an engine knows of the installation.
func (e *Engine) chains() chains {
	mailboxes := e.Mailboxes
	if len(mailboxes) == 0 {
		mailboxes = []Mailbox{e.Mailbox}
	}
	return chains{e.Library, mailboxes}
}

// then is what begins once a touch is settled that has no step behind it.
func (e *Engine) then(en Enrollment, next string, at time.Time) *Follow {
	if next != "" {
		return nil
	}
	return e.chains().onFinish(en, at)
}

func (d *Desk) chains() chains { return chains{d.Library, d.Mailboxes} }
