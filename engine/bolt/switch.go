package bolt

import (
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// Pause implements engine.StoreWriter. Of a scope that names several things
// the narrowest counts: a person, then a sequence, then a mailbox.
func (s *Store) Pause(scope engine.Scope, on bool, why string, now time.Time) (int, error) {
	covered := 0
	err := s.update(func(w *write) error {
		var err error
		covered, err = w.pause(scope, on, why, now)
		return err
	})
	if err != nil {
		return 0, err
	}
	return covered, nil
}

func (w *write) pause(scope engine.Scope, on bool, why string, now time.Time) (int, error) {
	key, scope := switchKey(scope)
	if err := w.turn(key, engine.Switch{Scope: scope, Why: why, At: now}, on); err != nil {
		return 0, err
	}
	switch {
	case scope.Person != "":
		return w.pausePerson(scope.Person, on)
	case scope.Sequence != "":
		if !on {
			if err := w.lookAgain(scope.Sequence); err != nil {
				return 0, err
			}
		}
		return countUnder(w.tx, bucketFollowing, name(scope.Sequence)), nil
	case scope.Mailbox != "":
		return countUnder(w.tx, bucketWaiting, name(scope.Mailbox)), nil
	}
	return int(number(w.tx, []byte(countActive)) + number(w.tx, []byte(countHeld))), nil
}

// turn sets or clears a switch and records it where that is a change: a
// person's with each enrollment that it covers, so that it stands in their
// history.
func (w *write) turn(key []byte, sw engine.Switch, on bool) error {
	if on == (w.tx.Bucket(bucketSwitches).Get(key) != nil) {
		return nil
	}
	scope := sw.Scope
	ev := engine.Event{At: sw.At, Kind: engine.EventPaused, Address: scope.Person, Sequence: scope.Sequence, Detail: map[string]string{}}
	if !on {
		ev.Kind = engine.EventResumed
	}
	switch {
	case scope.Mailbox != "":
		ev.Detail["mailbox"] = scope.Mailbox
	case scope == engine.Scope{}:
		ev.Detail["scope"] = "everything"
	}
	if sw.Why != "" {
		ev.Detail["why"] = sw.Why
	}
	if scope.Person == "" {
		if err := w.note(ev); err != nil {
			return err
		}
	} else if err := w.noteEach(scope.Person, ev); err != nil {
		return err
	}
	if on {
		return w.putValue(bucketSwitches, key, sw)
	}
	return w.delete(bucketSwitches, key)
}

func (w *write) noteEach(key string, ev engine.Event) error {
	ens, err := ofPerson(w.tx, key)
	if err != nil {
		return err
	}
	for _, en := range ens {
		if en.Ended() {
			continue
		}
		ev.Enrollment, ev.Address, ev.Sequence, ev.Step = en.ID, en.Address, en.Sequence, en.Next
		if err := w.note(ev); err != nil {
			return err
		}
	}
	return nil
}

// pausePerson sets the switch in the person's enrollments, where the due index
// and CheckClaim see it.
func (w *write) pausePerson(key string, on bool) (int, error) {
	ens, err := ofPerson(w.tx, key)
	if err != nil {
		return 0, err
	}
	covered := 0
	for _, en := range ens {
		if en.Ended() {
			continue
		}
		covered++
		if en.Paused == on {
			continue
		}
		changed := en
		changed.Paused = on
		if !on && en.State == engine.Active {
			changed.Look = en.Due
		}
		if _, err := w.change(en, changed, nil); err != nil {
			return 0, err
		}
	}
	return covered, nil
}

// lookAgain looks at a sequence's active enrollments at their Due: while it was
// paused they were put off, an hour at a time.
func (w *write) lookAgain(sequence string) error {
	prefix := name(sequence)
	var ids []string
	scan(w.tx, bucketFollowing, prefix, func(k, later []byte) bool {
		if len(later) > 0 {
			ids = append(ids, string(k[len(prefix):]))
		}
		return true
	})
	for _, id := range ids {
		en, err := must(w.tx, id)
		if err != nil {
			return err
		}
		changed := en
		changed.Look = en.Due
		if _, err := w.change(en, changed, nil); err != nil {
			return err
		}
	}
	return nil
}

func countUnder(tx *bbolt.Tx, bucket, prefix []byte) int {
	n := 0
	scan(tx, bucket, prefix, func(_, _ []byte) bool { n++; return true })
	return n
}

// Switches implements engine.StoreReader.
func (s *Store) Switches() ([]engine.Switch, error) { return list[engine.Switch](s, bucketSwitches) }

// list reads a whole bucket, which is small.
func list[T any](s *Store, bucket []byte) (all []T, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(k, raw []byte) error {
			v, err := decode[T](raw)
			all = append(all, v)
			if err != nil {
				return damaged(bucket, k, err)
			}
			return nil
		})
	})
	return all, err
}
