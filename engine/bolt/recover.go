package bolt

import (
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// interrupted is why a touch is in doubt that an earlier process left open.
const interrupted = "nudge was interrupted while it was being sent"

// Recover implements engine.StoreWriter.
func (s *Store) Recover(mailbox string, now time.Time) ([]engine.Touch, error) {
	var doubts, open []engine.Touch
	err := s.read(func(tx *bbolt.Tx) (err error) {
		open, err = openTouches(tx)
		return err
	})
	if err != nil || !slices.ContainsFunc(open, func(t engine.Touch) bool { return t.Mailbox == mailbox && t.Phase != engine.Doubtful }) {
		return nil, err // most often nothing was under way, and nothing need be written
	}
	err = s.update(func(w *write) error {
		doubts = nil
		open, err := openTouches(w.tx)
		if err != nil {
			return err
		}
		for _, t := range open {
			if t.Mailbox != mailbox {
				continue
			}
			switch t.Phase {
			case engine.Prepared:
				err = w.shelve(t)
			case engine.Sending:
				t, err = w.recover(t, now)
				doubts = append(doubts, t)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return doubts, nil
}

func (w *write) recover(t engine.Touch, now time.Time) (engine.Touch, error) {
	en, err := must(w.tx, t.Enrollment)
	if err != nil {
		return t, err
	}
	held, events := en.InDoubt(t, interrupted, now)
	if _, err := w.change(en, held, events); err != nil {
		return t, err
	}
	if err := w.doubt(t, interrupted, now); err != nil {
		return t, err
	}
	t, _, err = loadTouch(w.tx, t.Enrollment)
	return withBytes(w.tx, t), err
}

// Release implements engine.StoreWriter.
func (s *Store) Release(mailbox string, now time.Time) (int, error) {
	released := 0
	err := s.update(func(w *write) error {
		released = 0
		for _, id := range idsUntil(w.tx, bucketHeld, mailbox, now, -1) {
			en, err := must(w.tx, id)
			if err != nil {
				return err
			}
			freed, events, changed := en.Release(now)
			if !changed {
				continue
			}
			if _, err := w.change(en, freed, events); err != nil {
				return err
			}
			released++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return released, nil
}

// idsUntil lists, in order, up to limit ids of a timed index that stand at or
// before a moment. A negative limit lists all.
func idsUntil(tx *bbolt.Tx, bucket []byte, mailbox string, until time.Time, limit int) []string {
	var ids []string
	scan(tx, bucket, name(mailbox), func(k, _ []byte) bool {
		at, id, ok := splitTimed(k, mailbox)
		if !ok || at > order(until) || len(ids) == limit {
			return false
		}
		ids = append(ids, id)
		return true
	})
	return ids
}
