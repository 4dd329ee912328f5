package bolt

import (
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// Pause implements engine.StoreWriter. Of a scope that names several things
// the narrowest counts: a person, then a sequence, then a mailbox.
func (s *Store) Pause(scope engine.Scope, on bool, now time.Time) (int, error) {
	covered := 0
	err := s.update(func(w *write) error {
		var err error
		covered, err = w.pause(scope, on, now)
		return err
	})
	if err != nil {
		return 0, err
	}
	return covered, nil
}

func (w *write) pause(scope engine.Scope, on bool, now time.Time) (int, error) {
	key, scope := switchKey(scope)
	if err := w.turn(key, scope, on, now); err != nil {
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
func (w *write) turn(key []byte, scope engine.Scope, on bool, now time.Time) error {
	if on == (w.tx.Bucket(bucketSwitches).Get(key) != nil) {
		return nil
	}
	ev := engine.Event{At: now, Kind: engine.EventPaused, Address: scope.Person, Sequence: scope.Sequence}
	if !on {
		ev.Kind = engine.EventResumed
	}
	switch {
	case scope.Mailbox != "":
		ev.Detail = map[string]string{"mailbox": scope.Mailbox}
	case scope == engine.Scope{}:
		ev.Detail = map[string]string{"scope": "everything"}
	}
	if scope.Person == "" {
		if err := w.note(ev); err != nil {
			return err
		}
	} else if err := w.noteEach(scope.Person, ev); err != nil {
		return err
	}
	if on {
		return w.putValue(bucketSwitches, key, scope)
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
func (s *Store) Switches() ([]engine.Scope, error) { return list[engine.Scope](s, bucketSwitches) }

// Suppress implements engine.StoreWriter. A target that is suppressed already
// keeps its first reason. Removing one revives nobody.
func (s *Store) Suppress(target, why string, on bool, now time.Time) (int, error) {
	stopped := 0
	err := s.update(func(w *write) error {
		var err error
		if key := suppressionKey(target); on {
			stopped, err = w.suppress(key, why, now)
		} else {
			err = w.unsuppress(key, why, now)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return stopped, nil
}

// suppress adds an address key or @domain and stops whoever it concerns.
func (w *write) suppress(target, why string, now time.Time) (int, error) {
	key := []byte(target)
	if w.tx.Bucket(bucketSuppressions).Get(key) == nil {
		if err := w.putValue(bucketSuppressions, key, engine.Suppression{Target: target, Why: why, At: now}); err != nil {
			return 0, err
		}
		ev := engine.Event{At: now, Kind: engine.EventSuppressed, Address: target, Detail: map[string]string{"why": why}}
		if err := w.note(ev); err != nil {
			return 0, err
		}
	}
	stopped := 0
	for _, id := range concerned(w.tx, target) {
		en, err := must(w.tx, id)
		if err != nil {
			return 0, err
		}
		ended, events, changed := en.Suppress(why, now)
		if !changed {
			continue
		}
		if _, err := w.change(en, ended, events); err != nil {
			return 0, err
		}
		stopped++
	}
	return stopped, nil
}

func (w *write) unsuppress(target, why string, now time.Time) error {
	if w.tx.Bucket(bucketSuppressions).Get([]byte(target)) == nil {
		return nil
	}
	if err := w.delete(bucketSuppressions, []byte(target)); err != nil {
		return err
	}
	return w.note(engine.Event{At: now, Kind: engine.EventSuppressed, Address: target, Detail: map[string]string{"why": why, "removed": "yes"}})
}

// concerned lists the enrollments of an address key, or of everybody at a
// @domain.
func concerned(tx *bbolt.Tx, target string) []string {
	domain, whole := strings.CutPrefix(target, "@")
	if !whole {
		return idsUnder(tx, bucketAddresses, person(target))
	}
	prefix := []byte(domain + "@")
	var ids []string
	scan(tx, bucketAddresses, prefix, func(k, _ []byte) bool {
		ids = append(ids, string(k[strings.IndexByte(string(k), 0)+1:]))
		return true
	})
	return ids
}

// Suppressions implements engine.StoreReader.
func (s *Store) Suppressions() ([]engine.Suppression, error) {
	return list[engine.Suppression](s, bucketSuppressions)
}

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
