package bolt

import (
	"maps"
	"reflect"
	"slices"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// Enroll implements engine.StoreWriter. Refused ones are returned as they came.
func (s *Store) Enroll(ens []engine.Enrollment) ([]engine.Enrollment, []error, error) {
	if len(ens) == 0 {
		return nil, nil, nil
	}
	var kept []engine.Enrollment
	var refused []error
	err := s.update(func(w *write) error {
		kept, refused = slices.Clone(ens), make([]error, len(ens))
		for i := range kept {
			if kept[i].Key == "" {
				kept[i].Key = engine.AddressKey(kept[i].Address)
			}
			en, no, err := w.enroll(kept[i])
			if err != nil {
				return err
			}
			if refused[i] = no; no == nil {
				kept[i] = en
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return kept, refused, nil
}

func (w *write) enroll(en engine.Enrollment) (_ engine.Enrollment, refused, err error) {
	if suppressed(w.tx, en.Key) {
		return en, engine.ErrSuppressed, nil
	}
	for _, id := range idsUnder(w.tx, bucketAddresses, person(en.Key)) {
		other, err := must(w.tx, id)
		if err != nil {
			return en, nil, err
		}
		if other.Sequence == en.Sequence && !other.Ended() {
			return en, engine.ErrEnrolled, nil
		}
	}
	n, err := w.tx.Bucket(bucketEnrollments).NextSequence()
	if err != nil {
		return en, nil, err
	}
	en.ID, en.Company = formatID(n), Company(en.Key)
	en.Paused = switched(w.tx, engine.Scope{Person: en.Key})
	if en, err = w.keep(nil, en); err != nil {
		return en, nil, err
	}
	return en, nil, w.note(engine.Enrolled(en))
}

// Change implements engine.StoreWriter. decide may be called more than once for
// an enrollment, and from another goroutine while this call waits.
func (s *Store) Change(ids []string, decide func(engine.Enrollment) (engine.Enrollment, []engine.Event)) ([]engine.Enrollment, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var ens []engine.Enrollment
	err := s.update(func(w *write) error {
		ens = make([]engine.Enrollment, len(ids))
		for i, id := range ids {
			en, ok, err := loadEnrollment(w.tx, id)
			if err != nil {
				return err
			}
			if !ok {
				return engine.ErrNotFound
			}
			changed, events := decide(en)
			if reflect.DeepEqual(en, changed) {
				ens[i] = en
				err = w.note(events...)
			} else {
				ens[i], err = w.change(en, changed, events)
			}
			if err == nil && (en.Name != changed.Name || !maps.Equal(en.Fields, changed.Fields)) {
				err = w.forgetKept(id) // what it says is out of date
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
	return ens, nil
}

// Note implements engine.StoreWriter.
func (s *Store) Note(ev engine.Event) error {
	return s.update(func(w *write) error { return w.note(ev) })
}

// suppressed says whether an address key or its domain is.
func suppressed(tx *bbolt.Tx, key string) bool {
	b := tx.Bucket(bucketSuppressions)
	return b.Get([]byte(key)) != nil || b.Get([]byte("@"+engine.AddressDomain(key))) != nil
}

// switched says whether the pause of exactly this scope is on.
func switched(tx *bbolt.Tx, scope engine.Scope) bool {
	key, _ := switchKey(scope)
	return tx.Bucket(bucketSwitches).Get(key) != nil
}
