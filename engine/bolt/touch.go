package bolt

import (
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// loadTouch reads an open touch without its bytes.
func loadTouch(tx *bbolt.Tx, id string) (engine.Touch, bool, error) {
	return load[engine.Touch](tx, bucketTouches, []byte(id))
}

// withBytes adds the frozen bytes to an open touch.
func withBytes(tx *bbolt.Tx, t engine.Touch) engine.Touch {
	t.Email.Raw = slices.Clone(tx.Bucket(bucketMails).Get([]byte(t.Enrollment)))
	return t
}

// putTouch writes an open touch, apart from its bytes: those are written once.
func (w *write) putTouch(t engine.Touch) error {
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

// shelve puts back a touch that did not leave: one that goes again as it is
// becomes Kept, any other is forgotten, and so is every one whose enrollment
// has ended.
func (w *write) shelve(t engine.Touch) error {
	if !t.Again {
		return w.forget(t)
	}
	if en, err := must(w.tx, t.Enrollment); err != nil {
		return err
	} else if en.Ended() {
		return w.forget(t)
	}
	if t.Phase == engine.Doubtful {
		w.counts[countDoubtful]--
	}
	t.Phase, t.ClaimedAt, t.Late = engine.Kept, time.Time{}, false
	t.Doubt, t.DoubtAt, t.Looks = "", time.Time{}, 0
	return w.putTouch(t)
}

// forgetKept forgets the Kept touch of an enrollment, if there is one.
func (w *write) forgetKept(id string) error {
	t, open, err := loadTouch(w.tx, id)
	if err != nil || !open || t.Phase != engine.Kept {
		return err
	}
	return w.forget(t)
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
	kept, open, err := loadTouch(w.tx, t.Enrollment)
	if err != nil {
		return nil, err
	}
	if !ok || open && kept.Phase != engine.Kept || en.State != engine.Active {
		return engine.ErrEnded, nil
	}
	t.Phase, t.Mailbox, t.ClaimedAt = engine.Prepared, en.Mailbox, time.Time{}
	t.Doubt, t.DoubtAt, t.Looks = "", time.Time{}, 0
	if t.Again {
		if !open || kept.Email.MessageID != t.Email.MessageID {
			return engine.ErrEnded, nil // the mail it would repeat was forgotten
		}
		t.Step, t.Email = kept.Step, kept.Email
		return nil, w.putTouch(t)
	}
	if err := w.put(bucketMails, []byte(t.Enrollment), t.Email.Raw); err != nil {
		return nil, err
	}
	thread := t.Email.Thread
	thread.IDs = append(slices.Clone(thread.IDs), t.Email.MessageID)
	if err := w.own(t.Enrollment, en.Thread, thread); err != nil {
		return nil, err
	}
	return nil, w.putTouch(t)
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
				if err := w.shelve(t); err != nil {
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
		return engine.ErrSuppressed, w.shelve(t)
	case paused(w.tx, en):
		return engine.ErrEnded, w.shelve(t)
	}
	if refused := engine.CheckClaim(en, t); refused != nil {
		return refused, w.shelve(t)
	}
	contacts, _, err := load[[]engine.Contact](w.tx, bucketPeople, []byte(en.Key))
	if err != nil {
		return nil, err
	}
	if refused := engine.CheckContacts(recent(contacts, at), given); refused != nil {
		return refused, w.shelve(t)
	}
	t.Phase, t.ClaimedAt = engine.Sending, at
	if err := w.putTouch(t); err != nil {
		return nil, err
	}
	w.counts[countClaims]++
	if err := w.paceOf(en, t).claim(w); err != nil {
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

// settle ends one touch, or with seen, because its copy was seen in Sent, only
// one that may have left unnoticed. It says whether there was one. The touch as
// it was kept counts, not as it was given.
func (w *write) settle(st engine.Settlement, seen bool) (bool, error) {
	t, open, err := loadTouch(w.tx, st.Touch.Enrollment)
	if err != nil || !open || t.Email.MessageID != st.Touch.Email.MessageID || !mayEnd(t, seen) ||
		st.Doubted && t.Phase != engine.Doubtful {
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
	left := st.Outcome == engine.Sent || st.Outcome == engine.Unknown
	if left && t.ClaimedAt.IsZero() { // it left at an earlier attempt, which was given back
		t.ClaimedAt = st.At
		if err := w.paceOf(settled, t).add(w); err != nil {
			return false, err
		}
	}
	if st.Outcome == engine.Unknown {
		return true, w.doubt(t, st.Answer, st.At)
	}
	if st.Outcome == engine.Sent {
		if err := w.keepSent(t, st.At); err != nil {
			return false, err
		}
	}
	t.Again = st.Outcome == engine.Deferred && st.Keep && !st.Resend
	if err := w.shelve(t); err != nil {
		return false, err
	}
	if !left && !t.ClaimedAt.IsZero() {
		if err := w.paceOf(settled, t).giveBack(w); err != nil {
			return false, err
		}
	}
	if st.Suppress {
		_, err = w.suppress(settled.Key, string(st.Stop), st.At)
	}
	return true, err
}

// mayEnd says whether a touch can be settled, or with seen settled because its
// copy was seen: then only one that left, if it did, at an earlier attempt.
func mayEnd(t engine.Touch, seen bool) bool {
	switch t.Phase {
	case engine.Doubtful:
		return true
	case engine.Kept:
		return seen
	case engine.Prepared:
		return !seen || t.Again
	}
	return !seen
}

// doubt keeps a touch open as doubtful, since the first time it became so.
func (w *write) doubt(t engine.Touch, why string, at time.Time) error {
	if t.Phase != engine.Doubtful {
		w.counts[countDoubtful]++
		t.DoubtAt, t.Looks = at, 0
	}
	t.Phase, t.Doubt = engine.Doubtful, why
	return w.putTouch(t)
}

// Looked implements engine.StoreWriter.
func (s *Store) Looked(touches []engine.Touch) error {
	if len(touches) == 0 {
		return nil
	}
	return s.update(func(w *write) error {
		for _, given := range touches {
			t, open, err := loadTouch(w.tx, given.Enrollment)
			if err != nil {
				return err
			}
			if !open || t.Phase != engine.Doubtful || t.Email.MessageID != given.Email.MessageID || t.Looks != given.Looks {
				continue
			}
			t.Looks++
			if err := w.putTouch(t); err != nil {
				return err
			}
		}
		return nil
	})
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
