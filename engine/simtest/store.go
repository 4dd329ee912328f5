package simtest

import (
	"context"
	"time"

	"nudge/engine"
	"nudge/engine/bolt"
)

// store is the real store behind points at which every call may fail.
type store struct {
	db   *bolt.Store
	side *side
}

var _ engine.Store = (*store)(nil)

func (s *store) Enroll(ens []engine.Enrollment) (out []engine.Enrollment, errs []error, err error) {
	err = s.side.io("Store.Enroll", func() (err error) { out, errs, err = s.db.Enroll(ens); return err })
	return out, errs, err
}

func (s *store) Prepare(ts []engine.Touch) ([]error, error) {
	errs, err := ask(s.side, "Store.Prepare", func() ([]error, error) { return s.db.Prepare(ts) })
	if err == nil {
		s.side.p.notePrepared(ts, errs)
	}
	return errs, err
}

func (s *store) Withdraw(c []engine.Postponement) error {
	return s.side.io("Store.Withdraw", func() error { return s.db.Withdraw(c) })
}

func (s *store) Postpone(c []engine.Postponement) error {
	return s.side.io("Store.Postpone", func() error { return s.db.Postpone(c) })
}

func (s *store) Claim(sweep engine.Sweep, ts []engine.Touch) ([]error, error) {
	errs, err := ask(s.side, "Store.Claim", func() ([]error, error) {
		s.side.p.w.checkCursor(sweep)
		s.side.p.w.noteTaken(sweep.At, ts)
		return s.db.Claim(sweep, ts)
	})
	if err == nil {
		s.side.noteClaimed(sweep.At, ts, errs)
	} else {
		s.side.p.w.doubt(ts)
	}
	if stall := s.side.p.w.stall("Store.Claim" + s.side.tag); stall > 0 {
		_ = s.side.pause(context.Background(), "stall", stall, stall+time.Second)
	}
	return errs, err
}

func (s *store) Settle(ss []engine.Settlement) error {
	err := s.side.io("Store.Settle", func() error { return s.db.Settle(ss) })
	if err != nil {
		for _, one := range ss {
			s.side.p.w.doubt([]engine.Touch{one.Touch})
		}
	} else {
		s.side.p.noteSettled(ss)
	}
	return err
}

func (s *store) Apply(sweep engine.Sweep) error {
	return s.side.io("Store.Apply", func() error {
		s.side.p.w.checkCursor(sweep)
		return s.db.Apply(sweep)
	})
}

func (s *store) Recover(mailbox string, now time.Time) ([]engine.Touch, error) {
	return ask(s.side, "Store.Recover", func() ([]engine.Touch, error) { return s.db.Recover(mailbox, now) })
}

func (s *store) Looked(ts []engine.Touch) error {
	return s.side.io("Store.Looked", func() error { return s.db.Looked(ts) })
}

func (s *store) Beat(mailbox string, at time.Time) error {
	return s.side.io("Store.Beat", func() error { return s.db.Beat(mailbox, at) })
}

func (s *store) Distrust(mailbox, why string, asOf, now time.Time) error {
	return s.side.io("Store.Distrust", func() error { return s.db.Distrust(mailbox, why, asOf, now) })
}

func (s *store) Reconcile(r engine.Reconciliation) error {
	return s.side.io("Store.Reconcile", func() error {
		s.side.p.w.mayReadAgain(r.Mailbox)
		err := s.db.Reconcile(r)
		if err == nil {
			s.side.p.w.reconciled(r.Mailbox)
		}
		return err
	})
}

func (s *store) Release(mailbox string, now time.Time) (int, error) {
	return ask(s.side, "Store.Release", func() (int, error) { return s.db.Release(mailbox, now) })
}

func (s *store) Change(ids []string, decide func(engine.Enrollment) (engine.Enrollment, []engine.Event)) ([]engine.Enrollment, error) {
	return ask(s.side, "Store.Change", func() ([]engine.Enrollment, error) { return s.db.Change(ids, decide) })
}

func (s *store) Pause(scope engine.Scope, on bool, why string, now time.Time) (int, error) {
	return ask(s.side, "Store.Pause", func() (int, error) { return s.db.Pause(scope, on, why, now) })
}

func (s *store) Suppress(target, why string, on bool, now time.Time) (int, error) {
	return ask(s.side, "Store.Suppress", func() (int, error) { return s.db.Suppress(target, why, on, now) })
}

func (s *store) Reverse(r engine.Reversal) ([]engine.Enrollment, error) {
	return ask(s.side, "Store.Reverse", func() ([]engine.Enrollment, error) { return s.db.Reverse(r) })
}

func (s *store) Note(ev engine.Event) error {
	return s.side.io("Store.Note", func() error { return s.db.Note(ev) })
}

func (s *store) Secret() []byte { return s.db.Secret() }

func (s *store) Due(mailbox string, now time.Time, day string, limit int) ([]engine.Candidate, error) {
	return ask(s.side, "Store.Due", func() ([]engine.Candidate, error) { return s.db.Due(mailbox, now, day, limit) })
}

func (s *store) Candidate(id string, now time.Time, day string) (engine.Candidate, error) {
	return ask(s.side, "Store.Candidate", func() (engine.Candidate, error) { return s.db.Candidate(id, now, day) })
}

func (s *store) Upcoming(mailbox string, until time.Time) ([]string, error) {
	return ask(s.side, "Store.Upcoming", func() ([]string, error) { return s.db.Upcoming(mailbox, until) })
}

func (s *store) NextLook(mailbox string) (time.Time, error) {
	return ask(s.side, "Store.NextLook", func() (time.Time, error) { return s.db.NextLook(mailbox) })
}

func (s *store) Pace(mailbox, day string) (engine.Pace, error) {
	return ask(s.side, "Store.Pace", func() (engine.Pace, error) { return s.db.Pace(mailbox, day) })
}

func (s *store) Cursor(mailbox string) (engine.Cursor, error) {
	return ask(s.side, "Store.Cursor", func() (engine.Cursor, error) { return s.db.Cursor(mailbox) })
}

func (s *store) Known(ids, keys []string) (engine.Known, error) {
	return ask(s.side, "Store.Known", func() (engine.Known, error) { return s.db.Known(ids, keys) })
}

func (s *store) Related(keys, deals []string) (engine.Kin, error) {
	return ask(s.side, "Store.Related", func() (engine.Kin, error) { return s.db.Related(keys, deals) })
}

func (s *store) Enrollment(id string) (engine.Enrollment, error) {
	return ask(s.side, "Store.Enrollment", func() (engine.Enrollment, error) { return s.db.Enrollment(id) })
}

func (s *store) Enrollments(f engine.Filter) ([]engine.Enrollment, error) {
	return ask(s.side, "Store.Enrollments", func() ([]engine.Enrollment, error) { return s.db.Enrollments(f) })
}

func (s *store) SentTouches(id string) ([]engine.SentTouch, error) {
	return ask(s.side, "Store.SentTouches", func() ([]engine.SentTouch, error) { return s.db.SentTouches(id) })
}

func (s *store) Doubts() ([]engine.Touch, error) {
	return ask(s.side, "Store.Doubts", s.db.Doubts)
}

func (s *store) Events(id string, after uint64, limit int) ([]engine.Event, error) {
	return ask(s.side, "Store.Events", func() ([]engine.Event, error) { return s.db.Events(id, after, limit) })
}

func (s *store) Counts() (engine.Counts, error) { return ask(s.side, "Store.Counts", s.db.Counts) }

func (s *store) Suppressions() ([]engine.Suppression, error) {
	return ask(s.side, "Store.Suppressions", s.db.Suppressions)
}

func (s *store) Mailboxes() ([]string, error) { return ask(s.side, "Store.Mailboxes", s.db.Mailboxes) }

func (s *store) Switches() ([]engine.Switch, error) {
	return ask(s.side, "Store.Switches", s.db.Switches)
}

func (s *store) AbleAt(mailbox string) (time.Time, error) {
	return ask(s.side, "Store.AbleAt", func() (time.Time, error) { return s.db.AbleAt(mailbox) })
}

func (s *store) Overdue(mailbox string, now time.Time, after engine.Enrollment, limit int) ([]engine.Enrollment, error) {
	return ask(s.side, "Store.Overdue", func() ([]engine.Enrollment, error) { return s.db.Overdue(mailbox, now, after, limit) })
}

func (s *store) ActiveOf(mailbox string) (int, error) {
	return ask(s.side, "Store.ActiveOf", func() (int, error) { return s.db.ActiveOf(mailbox) })
}

func (s *store) Trust(mailbox string) (engine.Trust, error) {
	return ask(s.side, "Store.Trust", func() (engine.Trust, error) { return s.db.Trust(mailbox) })
}
