package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nudge/sequences"
)

// Desk is where a person asks: the Operator over a Store, with or without
// engines running beside it. Its methods may be called from several goroutines.
type Desk struct {
	Store     Store
	Library   Shelf
	Mailboxes []Mailbox
	Engines   []*Engine // those that run in this process
	Deliver   string    // rehearsal or live
	Now       func() time.Time
	Keeper    Keeper // of the state's file; nil where there is none
}

// Keeper is what a Store also does that can copy and check itself.
type Keeper interface {
	// Backup writes a copy of the state to path, which must not exist, opens
	// it again and checks it.
	Backup(path string, now time.Time) (BackupResult, error)

	// Verify reads everything; its error lists what does not agree, joined.
	Verify() error
}

var _ Operator = (*Desk)(nil)

// Enroll implements Operator.
func (d *Desk) Enroll(_ context.Context, req EnrollRequest) (View, error) {
	seq, m, err := d.plan(req.Sequence)
	if err != nil {
		return View{}, err
	}
	en, err := Plan(req, seq, m, d.Now())
	if err != nil {
		return View{}, err
	}
	ens, errs, err := d.Store.Enroll([]Enrollment{en})
	if err != nil {
		return View{}, err
	}
	switch {
	case errors.Is(errs[0], ErrEnrolled):
		return View{}, &RefusalError{Err: ErrEnrolled, What: fmt.Sprintf("%s is already enrolled in %s", en.Address, seq.Name),
			Hint: "nudge show " + en.Address}
	case errors.Is(errs[0], ErrSuppressed):
		return View{}, &RefusalError{Err: ErrSuppressed, What: en.Address + " is suppressed: never to be written to again",
			Hint: "nudge suppress --list tells since when and why"}
	case errs[0] != nil:
		return View{}, errs[0]
	}
	d.wake()
	return d.view(ens[0]), nil
}

// plan finds a sequence and the mailbox it sends from.
func (d *Desk) plan(name string) (*sequences.Sequence, Mailbox, error) {
	name = strings.TrimSuffix(name, ".md")
	seq, ok := d.Library.Sequence(name)
	if !ok {
		for _, broken := range d.Library.Broken() {
			if strings.Contains(broken.Error(), name+".md:") {
				return nil, Mailbox{}, &RefusalError{Err: ErrBroken, What: broken.Error(), Hint: "nudge lint shows every mistake with its line"}
			}
		}
		hint := "there are no sequences yet; write one, and check it with nudge lint"
		if names := d.Library.Names(); len(names) > 0 {
			hint = "sequences: " + strings.Join(names, ", ")
		}
		return nil, Mailbox{}, &RefusalError{Err: ErrNotFound, What: fmt.Sprintf("there is no sequence %q", name), Hint: hint}
	}
	m, err := SenderOf(seq, d.Mailboxes)
	if err != nil {
		return nil, Mailbox{}, err
	}
	return seq, m, nil
}

// columnOf guesses the column that a refusal is about, for a person looking at
// a table.
func columnOf(err error) string {
	what := err.Error()
	if rest, ok := strings.CutPrefix(what, "field "); ok {
		return strings.TrimSuffix(strings.Fields(rest)[0], ":")
	}
	if strings.HasPrefix(what, "step ") {
		return "" // its words need several
	}
	if strings.HasPrefix(what, "name ") {
		return "name"
	}
	if _, needs, ok := strings.Cut(what, " needs "); ok {
		first, _, _ := strings.Cut(needs, ",")
		return first
	}
	return "email"
}

// List implements Operator.
func (d *Desk) List(_ context.Context, f Filter) ([]View, error) {
	ens, err := d.Store.Enrollments(f)
	if err != nil {
		return nil, err
	}
	if len(ens) == 0 && f.Sequence != "" {
		if _, there := d.Library.Sequence(f.Sequence); !there {
			_, _, err = d.plan(f.Sequence)
			return nil, err
		}
	}
	return d.views(ens), nil
}

// Show implements Operator.
func (d *Desk) Show(_ context.Context, address string) (Story, error) {
	ens, err := d.of(address, "")
	if err != nil {
		return Story{}, err
	}
	story := Story{Enrollments: d.views(ens), History: []Event{}}
	for _, en := range ens {
		events, err := d.Store.Events(en.ID, 0, 10_000)
		if err != nil {
			return Story{}, err
		}
		trust, err := d.Store.Trust(en.Mailbox)
		if err != nil {
			return Story{}, err
		}
		story.Records = append(story.Records, Record{Enrollment: en, Instance: trust.Instance})
		story.History = append(story.History, events...)
	}
	slices.SortFunc(story.History, func(a, b Event) int { return int(a.Seq) - int(b.Seq) })
	return story, nil
}

// of lists the enrollments of one address, in one sequence when named.
func (d *Desk) of(address, sequence string) ([]Enrollment, error) {
	ens, err := d.Store.Enrollments(Filter{Key: AddressKey(address), Sequence: sequence})
	if err != nil {
		return nil, err
	}
	if len(ens) == 0 {
		what := fmt.Sprintf("nobody with the address %s is enrolled", address)
		if sequence != "" {
			what += " in " + sequence
		}
		suppressed, err := d.suppressed()
		if err != nil {
			return nil, err
		}
		if s, there := suppressed(AddressKey(address)); there {
			return nil, &RefusalError{Err: ErrNotFound, What: what + ", and the address " + s.words(), Hint: "nudge suppress --list shows everybody who is"}
		}
		return nil, &RefusalError{Err: ErrNotFound, What: what, Hint: "nudge list shows everybody"}
	}
	return ens, nil
}

// suppressed returns what finds the suppression of an address key.
func (d *Desk) suppressed() (func(key string) (Suppression, bool), error) {
	list, err := d.Store.Suppressions()
	if err != nil {
		return nil, err
	}
	byTarget := make(map[string]Suppression, len(list))
	for _, s := range list {
		byTarget[s.Target] = s
	}
	return func(key string) (Suppression, bool) {
		s, there := byTarget[key]
		if !there {
			s, there = byTarget["@"+AddressDomain(key)]
		}
		return s, there
	}, nil
}

// Log implements Operator.
func (d *Desk) Log(_ context.Context, after uint64, limit int) ([]Event, error) {
	return d.Store.Events("", after, limit)
}

// Stop implements Operator.
func (d *Desk) Stop(_ context.Context, address, sequence string) ([]View, error) {
	ens, err := d.of(address, sequence)
	if err != nil {
		return nil, err
	}
	ids := waiting(ens)
	if len(ids) == 0 {
		return d.views(ens), nil
	}
	now := d.Now()
	ens, err = d.Store.Change(ids, func(en Enrollment) (Enrollment, []Event) { return en.StopByHand(now) })
	return d.views(ens), err
}

// Pause implements Operator.
func (d *Desk) Pause(_ context.Context, scope Scope) (int, error) { return d.turn(scope, true) }

// Resume implements Operator.
func (d *Desk) Resume(_ context.Context, scope Scope) (int, error) {
	n, err := d.turn(scope, false)
	if err != nil || scope.Person == "" {
		return n, err
	}
	ens, err := d.of(scope.Person, "")
	if err != nil {
		return n, err
	}
	now := d.Now()
	_, err = d.Store.Change(waiting(ens), finishing(d.chains(), now, func(en Enrollment) (Enrollment, []Event) {
		if en.State == Active && en.rehearsed() && !d.mailboxOf(en).Rehearsal {
			en, _ = en.hold(Rehearsed, "", time.Time{}) // as its next step would, once it is due
		}
		return en.Answer(now, "hand")
	}))
	d.wake()
	return n, err
}

func (d *Desk) turn(scope Scope, on bool) (int, error) {
	if scope.Person != "" {
		if _, err := d.of(scope.Person, ""); err != nil {
			return 0, err
		}
		scope.Person = AddressKey(scope.Person)
	}
	if scope.Sequence != "" {
		seq, _, err := d.plan(scope.Sequence)
		if err != nil {
			return 0, err
		}
		scope.Sequence = seq.Name
	}
	if scope.Mailbox != "" && !slices.ContainsFunc(d.Mailboxes, func(m Mailbox) bool { return m.Name == scope.Mailbox }) {
		return 0, &RefusalError{Err: ErrNotFound, What: fmt.Sprintf("there is no mailbox %q", scope.Mailbox), Hint: "nudge status lists the mailboxes"}
	}
	if !on {
		if err := d.lateAfterPause(scope, d.Now()); err != nil {
			return 0, err
		}
	}
	n, err := d.Store.Pause(scope, on, "", d.Now())
	d.wake()
	return n, err
}

// waiting lists the ids of those that have not ended.
func waiting(ens []Enrollment) []string {
	var ids []string
	for _, en := range ens {
		if !en.Ended() {
			ids = append(ids, en.ID)
		}
	}
	return ids
}

func (d *Desk) views(ens []Enrollment) []View {
	vs := make([]View, len(ens))
	for i, en := range ens {
		vs[i] = d.view(en)
	}
	return vs
}

func (d *Desk) view(en Enrollment) View {
	seq, _ := d.Library.Sequence(en.Sequence)
	return viewOf(en, seq, d.mailboxOf(en))
}

func (d *Desk) wake() {
	for _, e := range d.Engines {
		e.Wake()
	}
}
