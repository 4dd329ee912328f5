package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// Due implements engine.StoreReader. Its cost depends on limit, not on how many
// are enrolled.
func (s *Store) Due(mailbox string, now time.Time, day string, limit int) (due []engine.Candidate, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		for _, id := range idsUntil(tx, bucketDue, mailbox, now, max(limit, 0)) {
			c, err := candidate(tx, id, now, day)
			if err != nil {
				return err
			}
			due = append(due, c)
		}
		return nil
	})
	return due, err
}

// Candidate implements engine.StoreReader.
func (s *Store) Candidate(id string, now time.Time, day string) (c engine.Candidate, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		if _, ok, err := loadEnrollment(tx, id); err != nil || !ok {
			return cmp.Or(err, engine.ErrNotFound)
		}
		c, err = candidate(tx, id, now, day)
		return err
	})
	return c, err
}

func candidate(tx *bbolt.Tx, id string, now time.Time, day string) (engine.Candidate, error) {
	en, err := must(tx, id)
	if err != nil {
		return engine.Candidate{}, err
	}
	contacts, _, err := load[[]engine.Contact](tx, bucketPeople, []byte(en.Key))
	if err != nil {
		return engine.Candidate{}, err
	}
	c := engine.Candidate{
		Enrollment:    en,
		Contacts:      recent(contacts, now),
		DomainToday:   int(number(tx, domainCounter(en.Mailbox, day, en.Key))),
		SequenceToday: int(number(tx, sequenceCounter(en.Mailbox, day, en.Sequence))),
		Suppressed:    suppressed(tx, en.Key),
		SequenceOff:   switched(tx, engine.Scope{Sequence: en.Sequence}),
	}
	t, open, err := loadTouch(tx, id)
	switch {
	case err != nil:
		return c, err
	case open && t.Phase == engine.Kept:
		t = withBytes(tx, t)
		c.Kept = &t
	default:
		c.OpenTouch = open
	}
	return c, nil
}

// Upcoming implements engine.StoreReader. It reads keys alone, of those who have
// not ended.
func (s *Store) Upcoming(mailbox string, until time.Time) (ids []string, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		prefix := name(mailbox)
		later := map[string]bool{} // those with a date at or after the moment
		for _, bucket := range [][]byte{bucketDue, bucketHeld} {
			c := tx.Bucket(bucket).Cursor()
			for k, _ := c.Seek(timed(mailbox, until, "")); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
				at, id, ok := splitTimed(k, mailbox)
				if !ok || at >= order(never) && until.Before(never) {
					break
				}
				later[id] = true
			}
		}
		scan(tx, bucketWaiting, prefix, func(k, _ []byte) bool {
			if _, id, ok := splitTimed(k, mailbox); ok && !later[id] {
				ids = append(ids, id)
			}
			return true
		})
		slices.Sort(ids)
		return nil
	})
	return ids, err
}

// Overdue implements engine.StoreReader. Paused persons are not looked at. Its
// cost depends on limit, not on how many are due.
func (s *Store) Overdue(mailbox string, now time.Time, after engine.Enrollment, limit int) (ens []engine.Enrollment, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		prefix := name(mailbox)
		from := prefix
		if after.ID != "" {
			from = append(timed(mailbox, after.Look, after.ID), 0) // the key behind it
		}
		c := tx.Bucket(bucketDue).Cursor()
		for k, _ := c.Seek(from); len(ens) < limit && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			at, id, ok := splitTimed(k, mailbox)
			if !ok || at > order(now) {
				return nil
			}
			en, err := must(tx, id)
			if err != nil {
				return err
			}
			ens = append(ens, en)
		}
		return nil
	})
	return ens, err
}

// ActiveOf implements engine.StoreReader: every active one is in the due index.
func (s *Store) ActiveOf(mailbox string) (n int, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		scan(tx, bucketDue, name(mailbox), func(_, _ []byte) bool { n++; return true })
		return nil
	})
	return n, err
}

// NextLook implements engine.StoreReader. Paused persons are not looked at.
func (s *Store) NextLook(mailbox string) (next time.Time, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		earliest := order(never)
		for _, bucket := range [][]byte{bucketDue, bucketHeld} {
			scan(tx, bucket, name(mailbox), func(k, _ []byte) bool {
				if at, _, ok := splitTimed(k, mailbox); ok {
					earliest = min(earliest, at)
				}
				return false
			})
		}
		next = moment(earliest)
		return nil
	})
	return next, err
}

// Known implements engine.StoreReader.
func (s *Store) Known(messageIDs, addressKeys []string) (engine.Known, error) {
	known := engine.Known{ByID: map[string]string{}, ByAddress: map[string][]engine.Enrollment{}, ByEnrollment: map[string]engine.Enrollment{}}
	err := s.read(func(tx *bbolt.Tx) error {
		ids := tx.Bucket(bucketMessageIDs)
		for _, mid := range messageIDs {
			raw := ids.Get([]byte(foreign(mid)))
			if mid == "" || raw == nil {
				continue
			}
			id := string(raw)
			if id == "" {
				known.ByID[mid] = "" // a mail of ours to somebody this state does not know
				continue
			}
			en, err := must(tx, id)
			if err != nil {
				return err
			}
			known.ByID[mid], known.ByEnrollment[id] = id, en
		}
		for _, key := range addressKeys {
			ens, err := ofPerson(tx, key)
			if err != nil {
				return err
			}
			if len(ens) > 0 {
				known.ByAddress[key] = ens
			}
		}
		return addAliases(tx, &known, addressKeys)
	})
	return known, err
}

// ofPerson lists all enrollments of an address key, oldest first.
func ofPerson(tx *bbolt.Tx, key string) ([]engine.Enrollment, error) {
	if key == "" || strings.Contains(key, "\x00") {
		return nil, nil
	}
	var ens []engine.Enrollment
	for _, id := range idsUnder(tx, bucketAddresses, person(key)) {
		en, err := must(tx, id)
		if err != nil {
			return nil, err
		}
		ens = append(ens, en)
	}
	return ens, nil
}

// Enrollment implements engine.StoreReader. The error is ErrNotFound when there
// is none.
func (s *Store) Enrollment(id string) (en engine.Enrollment, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		var ok bool
		if en, ok, err = loadEnrollment(tx, id); err == nil && !ok {
			err = engine.ErrNotFound
		}
		return err
	})
	return en, err
}

// Enrollments implements engine.StoreReader. A person's are found by their
// address; anything else reads every enrollment once.
func (s *Store) Enrollments(f engine.Filter) (found []engine.Enrollment, err error) {
	fits := func(en engine.Enrollment) bool {
		return (f.State == "" || f.State == en.State) && (f.Sequence == "" || f.Sequence == en.Sequence) &&
			(f.Mailbox == "" || f.Mailbox == en.Mailbox) && (f.Key == "" || f.Key == en.Key) && en.ID > f.After
	}
	full := func() bool { return f.Limit > 0 && len(found) == f.Limit }
	err = s.read(func(tx *bbolt.Tx) error {
		if f.Key != "" {
			ens, err := ofPerson(tx, f.Key)
			found = slices.DeleteFunc(ens, func(en engine.Enrollment) bool { return !fits(en) })
			if f.Limit > 0 {
				found = found[:min(len(found), f.Limit)]
			}
			return err
		}
		c := tx.Bucket(bucketEnrollments).Cursor()
		for k, raw := c.Seek([]byte(f.After)); k != nil && !full(); k, raw = c.Next() {
			en, err := decode[engine.Enrollment](raw)
			if err != nil {
				return damaged(bucketEnrollments, k, err)
			}
			if fits(en) {
				found = append(found, en)
			}
		}
		return nil
	})
	return found, err
}

// Doubts implements engine.StoreReader.
func (s *Store) Doubts() (doubts []engine.Touch, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		open, err := openTouches(tx)
		if err != nil {
			return err
		}
		for _, t := range open {
			if t.Phase == engine.Doubtful {
				doubts = append(doubts, withBytes(tx, t))
			}
		}
		slices.SortStableFunc(doubts, func(a, b engine.Touch) int { return a.ClaimedAt.Compare(b.ClaimedAt) })
		return nil
	})
	return doubts, err
}

// Events implements engine.StoreReader.
func (s *Store) Events(enrollment string, after uint64, limit int) (events []engine.Event, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		for _, seq := range eventSeqs(tx, enrollment, after, limit) {
			ev, _, err := load[engine.Event](tx, bucketEvents, eventKey(seq))
			if err != nil {
				return err
			}
			events = append(events, ev)
		}
		return nil
	})
	return events, err
}

// eventSeqs lists the numbers that Events asks for, in order.
func eventSeqs(tx *bbolt.Tx, enrollment string, after uint64, limit int) []uint64 {
	bucket, prefix := bucketEvents, []byte(nil)
	if enrollment != "" {
		bucket, prefix = bucketHistory, name(enrollment)
	}
	seqOf := func(k []byte) (uint64, bool) {
		if len(k) != len(prefix)+8 || string(k[:len(prefix)]) != string(prefix) {
			return 0, false
		}
		return binary.BigEndian.Uint64(k[len(prefix):]), true
	}
	var seqs []uint64
	c := tx.Bucket(bucket).Cursor()
	if limit < 0 {
		end := append(slices.Clone(prefix), slices.Repeat([]byte{0xff}, 9)...) // behind every number
		k, _ := c.Seek(end)
		if k == nil {
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
		for ; len(seqs) < -limit; k, _ = c.Prev() {
			seq, ok := seqOf(k)
			if !ok || seq <= after {
				break
			}
			seqs = append(seqs, seq)
		}
		slices.Reverse(seqs)
		return seqs
	}
	if after == 1<<64-1 {
		return nil
	}
	for k, _ := c.Seek(append(slices.Clone(prefix), eventKey(after+1)...)); len(seqs) < limit; k, _ = c.Next() {
		seq, ok := seqOf(k)
		if !ok {
			break
		}
		seqs = append(seqs, seq)
	}
	return seqs
}

// Mailboxes implements engine.StoreReader. Its cost depends on how many
// mailboxes there are, not on how many are enrolled.
func (s *Store) Mailboxes() (names []string, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		names = waitingMailboxes(tx)
		return nil
	})
	return names, err
}

func waitingMailboxes(tx *bbolt.Tx) (names []string) {
	c := tx.Bucket(bucketWaiting).Cursor()
	for k, _ := c.First(); k != nil; {
		mailbox, _, _ := strings.Cut(string(k), "\x00")
		names = append(names, mailbox)
		k, _ = c.Seek([]byte(mailbox + "\x01")) // behind the last key of this one
	}
	return names
}

// Counts implements engine.StoreReader. InDoubt counts the doubtful touches,
// as Doubts lists them.
func (s *Store) Counts() (c engine.Counts, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		n := func(key string) int { return int(number(tx, []byte(key))) }
		c = engine.Counts{Active: n(countActive), Held: n(countHeld), Stopped: n(countStopped), Finished: n(countFinished),
			Replied: n(countReplied), InDoubt: n(countDoubtful)}
		return nil
	})
	return c, err
}
