package bolt

import (
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// interrupted is why a touch is in doubt that an earlier process left open.
const interrupted = "nudge was interrupted while it was being sent"

// loadTouch reads an open touch without its bytes.
func loadTouch(tx *bbolt.Tx, id string) (engine.Touch, bool, error) {
	return load[engine.Touch](tx, bucketTouches, []byte(id))
}

// withBytes adds the frozen bytes to an open touch.
func withBytes(tx *bbolt.Tx, t engine.Touch) engine.Touch {
	t.Email.Raw = slices.Clone(tx.Bucket(bucketMails).Get([]byte(t.Enrollment)))
	return t
}

// keepTouch writes an open touch, apart from its bytes: those are written once.
func (w *write) keepTouch(t engine.Touch) error {
	t.Email.Raw = nil
	return w.putValue(bucketTouches, []byte(t.Enrollment), t)
}

// forget ends an open touch.
func (w *write) forget(t engine.Touch) error {
	if t.Phase == engine.Doubtful {
		w.counts[countDoubtful]--
	}
	if err := w.delete(bucketMails, []byte(t.Enrollment)); err != nil {
		return err
	}
	return w.delete(bucketTouches, []byte(t.Enrollment))
}

// Prepare implements engine.StoreWriter.
func (s *Store) Prepare(touches []engine.Touch) ([]error, error) {
	if len(touches) == 0 {
		return nil, nil
	}
	var refused []error
	err := s.update(func(w *write) error {
		refused = make([]error, len(touches))
		for i, t := range touches {
			var err error
			if refused[i], err = w.prepare(t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return refused, nil
}

func (w *write) prepare(t engine.Touch) (refused, err error) {
	en, ok, err := loadEnrollment(w.tx, t.Enrollment)
	if err != nil {
		return nil, err
	}
	_, open, err := loadTouch(w.tx, t.Enrollment)
	if err != nil {
		return nil, err
	}
	if !ok || open || en.State != engine.Active {
		return engine.ErrEnded, nil
	}
	t.Phase, t.ClaimedAt, t.Doubt, t.Mailbox = engine.Prepared, time.Time{}, "", en.Mailbox
	if err := w.put(bucketMails, []byte(t.Enrollment), t.Email.Raw); err != nil {
		return nil, err
	}
	thread := t.Email.Thread
	thread.IDs = append(slices.Clone(thread.IDs), t.Email.MessageID)
	if err := w.own(t.Enrollment, en.Thread, thread); err != nil {
		return nil, err
	}
	return nil, w.keepTouch(t)
}

// Withdraw implements engine.StoreWriter. Touches that were claimed meanwhile
// are left as they are, and a change without a Look, a Hold or a Next leaves
// its enrollment as it is.
func (s *Store) Withdraw(changes []engine.Postponement) error {
	return s.update(func(w *write) error {
		for _, p := range changes {
			t, open, err := loadTouch(w.tx, p.Enrollment)
			if err != nil {
				return err
			}
			if open && t.Phase != engine.Prepared {
				continue
			}
			if open {
				if err := w.forget(t); err != nil {
					return err
				}
			}
			if err := w.postpone(p); err != nil {
				return err
			}
		}
		return nil
	})
}

// Postpone implements engine.StoreWriter.
func (s *Store) Postpone(changes []engine.Postponement) error {
	return s.update(func(w *write) error {
		for _, p := range changes {
			if err := w.postpone(p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *write) postpone(p engine.Postponement) error {
	if p.Look.IsZero() && p.Hold == "" && p.Next == "" {
		return nil
	}
	en, ok, err := loadEnrollment(w.tx, p.Enrollment)
	if err != nil || !ok || en.State != engine.Active || en.Version != p.Version {
		return err
	}
	_, err = w.change(en, en.Postponed(p), p.Events)
	return err
}

// Claim implements engine.StoreWriter. A touch counts on the calendar day of
// sweep.At in its own location. One whose intent is not open any more, or was
// claimed already, yields ErrEnded.
func (s *Store) Claim(sweep engine.Sweep, touches []engine.Touch) ([]error, error) {
	var refused []error
	err := s.update(func(w *write) error {
		refused = make([]error, len(touches))
		if err := w.sweep(sweep); err != nil {
			return err
		}
		for i, t := range touches {
			var err error
			if refused[i], err = w.claim(t, sweep.At); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return refused, nil
}

func (w *write) claim(given engine.Touch, at time.Time) (refused, err error) {
	t, open, err := loadTouch(w.tx, given.Enrollment)
	if err != nil {
		return nil, err
	}
	if !open || t.Phase != engine.Prepared || t.Email.MessageID != given.Email.MessageID {
		return engine.ErrEnded, nil
	}
	en, err := must(w.tx, t.Enrollment)
	if err != nil {
		return nil, err
	}
	switch {
	case suppressed(w.tx, en.Key):
		return engine.ErrSuppressed, w.forget(t)
	case paused(w.tx, en):
		return engine.ErrEnded, w.forget(t)
	}
	if refused := engine.CheckClaim(en, t); refused != nil {
		return refused, w.forget(t)
	}
	t.Phase, t.ClaimedAt = engine.Sending, at
	if err := w.keepTouch(t); err != nil {
		return nil, err
	}
	if err := w.paceOf(en, t).add(w); err != nil {
		return nil, err
	}
	return nil, w.note(engine.Claimed(t, at))
}

// Settle implements engine.StoreWriter.
func (s *Store) Settle(settlements []engine.Settlement) error {
	return s.update(func(w *write) error {
		for _, st := range settlements {
			if _, err := w.settle(st, false); err != nil {
				return err
			}
		}
		return nil
	})
}

// settle ends one touch, or with inDoubt only one that is. It says whether
// there was one. The touch as it was kept counts, not as it was given.
func (w *write) settle(st engine.Settlement, inDoubt bool) (bool, error) {
	t, open, err := loadTouch(w.tx, st.Touch.Enrollment)
	if err != nil || !open || t.Email.MessageID != st.Touch.Email.MessageID || inDoubt && t.Phase != engine.Doubtful {
		return false, err
	}
	en, err := must(w.tx, t.Enrollment)
	if err != nil {
		return false, err
	}
	st.Touch = t
	settled, events := en.Settle(st)
	if settled, err = w.change(en, settled, events); err != nil {
		return false, err
	}
	if st.Outcome == engine.Unknown {
		if t.ClaimedAt.IsZero() { // was never claimed, which the engine does not do
			t.ClaimedAt = st.At
			if err := w.paceOf(settled, t).add(w); err != nil {
				return false, err
			}
		}
		return true, w.doubt(t, st.Answer)
	}
	if err := w.forget(t); err != nil {
		return false, err
	}
	if st.Outcome != engine.Sent && !t.ClaimedAt.IsZero() {
		if err := w.paceOf(settled, t).giveBack(w); err != nil {
			return false, err
		}
	}
	if st.Suppress {
		_, err = w.suppress(settled.Key, string(st.Stop), st.At)
	}
	return true, err
}

// doubt keeps a touch open as doubtful.
func (w *write) doubt(t engine.Touch, why string) error {
	if t.Phase != engine.Doubtful {
		w.counts[countDoubtful]++
	}
	t.Phase, t.Doubt = engine.Doubtful, why
	return w.keepTouch(t)
}

// Recover implements engine.StoreWriter.
func (s *Store) Recover(mailbox string, now time.Time) ([]engine.Touch, error) {
	var doubts []engine.Touch
	err := s.update(func(w *write) error {
		doubts = nil
		open, err := openTouches(w.tx)
		if err != nil {
			return err
		}
		for _, t := range open {
			if t.Mailbox != mailbox || t.Phase == engine.Doubtful {
				continue
			}
			if t.Phase == engine.Prepared {
				err = w.forget(t)
			} else {
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
	if err := w.doubt(t, interrupted); err != nil {
		return t, err
	}
	t.Phase, t.Doubt = engine.Doubtful, interrupted
	return withBytes(w.tx, t), nil
}

// openTouches lists the open touches by id, without their bytes.
func openTouches(tx *bbolt.Tx) ([]engine.Touch, error) {
	var ts []engine.Touch
	err := tx.Bucket(bucketTouches).ForEach(func(k, raw []byte) error {
		t, err := decode[engine.Touch](raw)
		if err != nil {
			return damaged(bucketTouches, k, err)
		}
		ts = append(ts, t)
		return nil
	})
	return ts, err
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
