package bolt

import (
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// Suppress implements engine.StoreWriter. Where its reason moves up, the entry
// keeps its first date. Removing one revives nobody. Each word stands in the
// ledger before it is committed.
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

// suppress adds an address key or @domain, here and in the ledger, and stops
// whoever it concerns.
func (w *write) suppress(target, why string, now time.Time) (int, error) {
	s := engine.Suppression{Target: target, Why: why, At: now}
	news, stopped, err := w.enter(s, now)
	if news {
		w.ledger = append(w.ledger, ledgerEntry{s, false})
	}
	return stopped, err
}

// enter adds a suppression, or moves the reason of one up, and stops whoever it
// concerns. It says whether that was news.
func (w *write) enter(s engine.Suppression, now time.Time) (news bool, stopped int, err error) {
	have, known, err := suppressionOf(w.tx, s.Target)
	if err != nil {
		return false, 0, err
	}
	news = !known || engine.Outranks(s.Why, have.Why)
	if news {
		entry := s
		if known {
			entry.At = have.At
		}
		if err := w.putValue(bucketSuppressions, []byte(s.Target), entry); err != nil {
			return false, 0, err
		}
		ev := engine.Event{At: now, Kind: engine.EventSuppressed, Address: s.Target, Detail: map[string]string{"why": s.Why}}
		if err := w.note(ev); err != nil {
			return false, 0, err
		}
	}
	for _, id := range concerned(w.tx, s.Target) {
		en, err := must(w.tx, id)
		if err != nil {
			return false, 0, err
		}
		ended, events, changed := en.Suppress(s.Why, now)
		if !changed {
			continue
		}
		if _, err := w.change(en, ended, events); err != nil {
			return false, 0, err
		}
		stopped++
	}
	return news, stopped, nil
}

func (w *write) unsuppress(target, why string, now time.Time) error {
	if w.tx.Bucket(bucketSuppressions).Get([]byte(target)) == nil {
		return nil
	}
	if err := w.delete(bucketSuppressions, []byte(target)); err != nil {
		return err
	}
	w.ledger = append(w.ledger, ledgerEntry{engine.Suppression{Target: target, Why: why, At: now}, true})
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

// suppressionOf reads the entry of exactly this address key or @domain.
func suppressionOf(tx *bbolt.Tx, target string) (engine.Suppression, bool, error) {
	return load[engine.Suppression](tx, bucketSuppressions, []byte(target))
}

// Suppressions implements engine.StoreReader.
func (s *Store) Suppressions() ([]engine.Suppression, error) {
	return list[engine.Suppression](s, bucketSuppressions)
}
