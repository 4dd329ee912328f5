package engine

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// CatchUp implements Operator.
func (d *Desk) CatchUp(_ context.Context, req CatchUpRequest) (CatchUpResult, error) {
	f := Filter{State: Held}
	if req.Address != "" {
		if _, err := d.of(req.Address, ""); err != nil {
			return CatchUpResult{}, err
		}
		f.Key = AddressKey(req.Address)
	}
	if req.Sequence != "" {
		seq, _, err := d.plan(req.Sequence)
		if err != nil {
			return CatchUpResult{}, err
		}
		f.Sequence = seq.Name
	}
	held, err := d.Store.Enrollments(f)
	if err != nil {
		return CatchUpResult{}, err
	}
	held = slices.DeleteFunc(held, func(en Enrollment) bool { return en.Reason != CatchUp })
	slices.SortStableFunc(held, func(a, b Enrollment) int { return a.Due.Compare(b.Due) })
	result := CatchUpResult{Overdue: make([]Overdue, len(held))}
	for i, en := range held {
		result.Overdue[i] = Overdue{Address: en.Address, Sequence: en.Sequence, Step: en.Next, Due: *moment(en.Due, d.zoneOf(en))}
	}
	switch req.Answer {
	case "":
		return result, nil
	case CatchUpSend, CatchUpSkip, CatchUpStop:
	default:
		return CatchUpResult{}, invalid(fmt.Sprintf("%q is no answer to what is overdue", req.Answer), "answers: send, skip, stop")
	}
	now := d.Now()
	if len(held) > 0 {
		_, err = d.Store.Change(waiting(held), finishing(d.chains(), now, func(en Enrollment) (Enrollment, []Event) {
			next, due := "", time.Time{}
			if seq, _ := d.Library.Sequence(en.Sequence); seq == nil {
				next, due = en.Next, now // its file is gone: the guard will hold it
			} else {
				next, due = following(d.mailboxOf(en), seq, en, en.Next, now)
			}
			return en.CaughtUp(req.Answer, next, due, now)
		}))
	}
	d.wake()
	return result, err
}

// zoneOf is the time zone a prospect lives in.
func (d *Desk) zoneOf(en Enrollment) *time.Location {
	seq, _ := d.Library.Sequence(en.Sequence)
	return zone(d.mailboxOf(en), seq, en)
}

// mailboxOf is the mailbox that an enrollment writes from; one that the config
// has lost reads its dates in UTC.
func (d *Desk) mailboxOf(en Enrollment) Mailbox {
	if i := slices.IndexFunc(d.Mailboxes, func(m Mailbox) bool { return m.Name == en.Mailbox }); i >= 0 {
		return d.Mailboxes[i]
	}
	return Mailbox{Name: en.Mailbox, Location: time.UTC}
}

// Backup implements Operator.
func (d *Desk) Backup(_ context.Context, path string) (BackupResult, error) {
	if d.Keeper == nil {
		return BackupResult{}, invalid("this state has no file to copy", "")
	}
	return d.Keeper.Backup(path, d.Now())
}

// Verify implements Operator.
func (d *Desk) Verify(_ context.Context) ([]string, error) {
	findings := []string{}
	if d.Keeper == nil {
		return findings, nil
	}
	switch err := d.Keeper.Verify().(type) {
	case nil:
	case interface{ Unwrap() []error }:
		for _, finding := range err.Unwrap() {
			findings = append(findings, finding.Error())
		}
	default:
		findings = append(findings, err.Error())
	}
	return findings, nil
}
