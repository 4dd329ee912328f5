package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Import implements Operator.
func (d *Desk) Import(_ context.Context, req ImportRequest) (ImportResult, error) {
	seq, m, err := d.plan(req.Sequence)
	if err != nil {
		return ImportResult{}, err
	}
	now := d.Now()
	result := ImportResult{Left: []LeftRow{}, Rejected: []RejectedRow{}}
	keys := make([]string, len(req.Rows))
	for i, row := range req.Rows {
		keys[i] = AddressKey(row.Address)
	}
	known, err := d.Store.Known(nil, keys)
	if err != nil {
		return ImportResult{}, err
	}
	suppressed, err := d.suppressed()
	if err != nil {
		return ImportResult{}, err
	}
	var enroll []Enrollment
	var rows []ImportRow              // of those
	updates := map[string]ImportRow{} // by id of the enrollment they update
	for i, row := range req.Rows {
		earlier, there := latest(known.ByAddress[keys[i]], seq.Name)
		updated, changed := earlier.Update(row.Name, row.Fields)
		en, err := Plan(EnrollRequest{Sequence: seq.Name, Address: row.Address, Name: updated.Name, Fields: updated.Fields}, seq, m, now)
		sup, isSuppressed := suppressed(keys[i])
		switch {
		case there && earlier.Ended():
			result.leave(row, fmt.Sprintf("ended in %s before: %s", seq.Name, cmp.Or(string(earlier.Reason), string(earlier.State))))
		case !there && isSuppressed:
			result.leave(row, sup.words())
		case err != nil:
			result.Rejected = append(result.Rejected, RejectedRow{Row: row.Row, Column: columnOf(err), Reason: err.Error()})
		case !there:
			enroll, rows = append(enroll, en), append(rows, row)
		case changed:
			updates[earlier.ID] = row
		default:
			result.Skipped++
		}
	}
	if len(result.Rejected) > 0 || req.DryRun {
		result.Enrolled, result.Updated = len(enroll), len(updates)
		if len(result.Rejected) > 0 && !req.DryRun {
			result.Enrolled, result.Updated, result.Skipped, result.Left = 0, 0, 0, []LeftRow{}
		}
		return result, nil
	}
	return d.commitImport(result, enroll, rows, updates)
}

// leave notes a row for which nobody is enrolled.
func (r *ImportResult) leave(row ImportRow, why string) {
	r.Skipped++
	r.Left = append(r.Left, LeftRow{Row: row.Row, Address: row.Address, Reason: why})
}

// latest is a person's newest enrollment in a sequence.
func latest(ens []Enrollment, sequence string) (Enrollment, bool) {
	for _, en := range slices.Backward(ens) {
		if en.Sequence == sequence {
			return en, !(en.Ended() && en.rehearsed() && !en.written()) // a rehearsal that ended is no history
		}
	}
	return Enrollment{}, false
}

// commitImport enrolls and updates; rows are those of enroll.
func (d *Desk) commitImport(result ImportResult, enroll []Enrollment, rows []ImportRow, updates map[string]ImportRow) (ImportResult, error) {
	_, errs, err := d.Store.Enroll(enroll)
	if err != nil {
		return ImportResult{}, err
	}
	for i, err := range errs {
		if err != nil {
			result.leave(rows[i], err.Error())
		} else {
			result.Enrolled++
		}
	}
	var ids []string
	for id := range updates {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if len(ids) > 0 {
		_, err = d.Store.Change(ids, func(en Enrollment) (Enrollment, []Event) {
			en, _ = en.Update(updates[en.ID].Name, updates[en.ID].Fields)
			seq, _ := d.Library.Sequence(en.Sequence)
			return rescheduled(d.mailboxOf(en), seq, en, d.Now()), nil
		})
	}
	result.Updated = len(ids)
	d.wake()
	return result, err
}
