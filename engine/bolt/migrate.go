package bolt

import (
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// admit checks that the open file is a state this program can serve, and brings
// one of an earlier schema up to date, beside which it leaves a copy as it was.
func (s *Store) admit(used int64, opts Options) error {
	have, err := s.check(used)
	if err != nil || have == schema {
		return err
	}
	copied, err := unused(fmt.Sprintf("%s.schema-%d-%s", s.db.Path(), have, stamp(opts.now())))
	if err != nil {
		return err
	}
	if _, err := s.copyTo(copied, opts.NoSync); err != nil {
		return fmt.Errorf("copy the state before it is brought up to date: %w", err)
	}
	return migrate(s.db, have, migrations)
}

// check reads which schema the state has, and whether it is whole.
func (s *Store) check(used int64) (have int, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		return guarded(func() error {
			if have, err = schemaOf(tx); err != nil {
				return err
			}
			s.secret = slices.Clone(tx.Bucket(bucketMeta).Get(keySecret))
			if used > checkedAtOpen {
				return nil
			}
			return checkPages(tx)
		})
	})
	return have, err
}

// schemaOf reads which schema a state has, and whether it has what every state
// of its schema has.
func schemaOf(tx *bbolt.Tx) (int, error) {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		return 0, fmt.Errorf("%w: another program wrote it", ErrForeign)
	}
	have, err := decode[int](meta.Get(keySchema))
	if err != nil {
		return 0, fmt.Errorf("%w: %v", ErrDamaged, damaged(bucketMeta, keySchema, err))
	}
	if have > schema {
		return 0, fmt.Errorf("%w (schema %d, this program knows %d)", ErrNewer, have, schema)
	}
	if have < 1 {
		return 0, fmt.Errorf("%w: there is no schema %d", ErrDamaged, have)
	}
	if len(meta.Get(keySecret)) != secretSize {
		return 0, fmt.Errorf("%w: its secret is not whole", ErrDamaged)
	}
	for _, name := range allBuckets {
		if tx.Bucket(name) == nil && bucketsSince[string(name)] <= have {
			return 0, fmt.Errorf("%w: bucket %s is missing", ErrDamaged, name)
		}
	}
	return have, nil
}

// migrations bring a state from one schema to the next; the first from 1 to 2.
var migrations = []func(*bbolt.Tx) error{dateDoubts, knowKin, keepMails}

// migrate brings a state up to date in one transaction, so that it is either
// as it was or wholly done.
func migrate(db *bbolt.DB, have int, steps []func(*bbolt.Tx) error) error {
	err := db.Update(func(tx *bbolt.Tx) error {
		for i, step := range steps {
			if i+1 < have {
				continue
			}
			if err := step(tx); err != nil {
				return err
			}
		}
		return putValue(tx, bucketMeta, keySchema, len(steps)+1)
	})
	if err != nil {
		return fmt.Errorf("bring the state from schema %d up to date: %w", have, err)
	}
	return nil
}

// dateDoubts gives a state of schema 1 what schema 2 has to know: since when
// its doubts are. Switches and touches have more fields, which may be missing,
// and Open gives it an identity as it does to a new state.
func dateDoubts(tx *bbolt.Tx) error {
	open, err := openTouches(tx)
	if err != nil {
		return err
	}
	for _, t := range open {
		if t.Phase != engine.Doubtful {
			continue
		}
		t.DoubtAt = t.ClaimedAt
		if err := putValue(tx, bucketTouches, []byte(t.Enrollment), t); err != nil {
			return err
		}
	}
	return nil
}

// knowKin gives a state of schema 2 what schema 3 has to know: which company
// each prospect is of, who belongs together, and what each incoming did.
func knowKin(tx *bbolt.Tx) error {
	for _, name := range [][]byte{bucketKin, bucketAliases, bucketEffects, bucketReversed} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	ens, err := allEnrollments(tx)
	if err != nil {
		return err
	}
	for _, en := range ens {
		en.Company = Company(en.Key)
		if err := putValue(tx, bucketEnrollments, []byte(en.ID), en); err != nil {
			return err
		}
		for _, e := range kinEntries(en) {
			if err := tx.Bucket(e.bucket).Put(e.key, e.value); err != nil {
				return err
			}
		}
	}
	return tx.Bucket(bucketSeen).ForEach(func(k, strength []byte) error {
		id, incoming, ok := strings.Cut(string(k), "\x00")
		if !ok || len(strength) != 1 || strength[0] < 2 {
			return nil
		}
		did := didMove
		if strength[0] == 4 {
			did = didSuppress
		}
		return tx.Bucket(bucketEffects).Put(append(name(incoming), id...), did)
	})
}

// keepMails gives a state of schema 3 the place where schema 4 keeps the mails
// that were sent.
func keepMails(tx *bbolt.Tx) error {
	_, err := tx.CreateBucketIfNotExists(bucketSent)
	return err
}

func allEnrollments(tx *bbolt.Tx) (ens []engine.Enrollment, err error) {
	err = tx.Bucket(bucketEnrollments).ForEach(func(k, raw []byte) error {
		en, err := decode[engine.Enrollment](raw)
		if err != nil {
			return damaged(bucketEnrollments, k, err)
		}
		ens = append(ens, en)
		return nil
	})
	return ens, err
}

func putValue(tx *bbolt.Tx, bucket, key []byte, v any) error {
	raw, err := encode(v)
	if err != nil {
		return err
	}
	return tx.Bucket(bucket).Put(key, raw)
}

// checkPages lets bbolt check every page.
func checkPages(tx *bbolt.Tx) error {
	bent := false
	for range tx.Check() { // to its end, since it runs in a goroutine of its own
		bent = true // each page that is bent makes many others look so
	}
	if bent {
		return errBentPage
	}
	return nil
}
