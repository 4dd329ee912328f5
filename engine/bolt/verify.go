package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// Verify recounts what the indexes and counters say from the enrollments, the
// touches and the events themselves, and lets bbolt check its pages. It reads
// everything once, in one read transaction, and returns all that disagrees, up
// to a hundred findings.
func (s *Store) Verify() error {
	return s.read(func(tx *bbolt.Tx) error { return guarded(func() error { return auditOf(tx) }) })
}

// auditOf returns all that is wrong with a state, joined.
func auditOf(tx *bbolt.Tx) error {
	if err := checkPages(tx); err != nil {
		return err
	}
	a := audit{tx: tx, lines: map[string]int{}, counts: map[string]int64{}}
	// Where a value cannot be read, what is counted from it says nothing.
	if err := errors.Join(a.enrollments(), a.touches(), a.sent(), a.events()); err != nil {
		return err
	}
	return errors.Join(a.found...)
}

// audit is one recount.
type audit struct {
	tx     *bbolt.Tx
	lines  map[string]int   // index bucket → lines that should be there
	counts map[string]int64 // counter → what it should say
	found  []error
}

func (a *audit) complain(format string, args ...any) {
	if len(a.found) < 100 {
		a.found = append(a.found, fmt.Errorf(format, args...))
	}
}

func (a *audit) enrollments() error {
	err := a.tx.Bucket(bucketEnrollments).ForEach(func(k, raw []byte) error {
		en, err := decode[engine.Enrollment](raw)
		if err != nil {
			return damaged(bucketEnrollments, k, err)
		}
		a.enrollment(string(k), en)
		return nil
	})
	if err != nil {
		return err
	}
	for _, bucket := range [][]byte{bucketAddresses, bucketDue, bucketHeld, bucketWaiting, bucketFollowing, bucketKin} {
		if a.tx.Bucket(bucket) == nil {
			continue // it came with a later schema
		}
		if n := countUnder(a.tx, bucket, nil); n != a.lines[string(bucket)] {
			a.complain("index %s has %d lines and should have %d", bucket, n, a.lines[string(bucket)])
		}
	}
	return nil
}

func (a *audit) enrollment(id string, en engine.Enrollment) {
	if en.ID != id {
		a.complain("enrollment %s calls itself %q", id, en.ID)
	}
	switch en.State {
	case engine.Active, engine.Held, engine.Stopped, engine.Finished:
	default:
		a.complain("enrollment %s is in no state: %q", id, en.State)
	}
	for _, e := range entries(en) {
		if a.tx.Bucket(e.bucket) == nil {
			continue // it came with a later schema
		}
		a.lines[string(e.bucket)]++
		// A key that is there without a value yields an empty slice, one that is not yields nil.
		if have := a.tx.Bucket(e.bucket).Get(e.key); have == nil || !bytes.Equal(have, e.value) {
			a.complain("enrollment %s is missing in index %s, or wrong", id, e.bucket)
		}
	}
	for _, key := range tallies(en) {
		a.counts[key]++
	}
	for _, mid := range threadIDs(en.Thread) {
		if a.tx.Bucket(bucketMessageIDs).Get([]byte(foreign(mid))) == nil {
			a.complain("enrollment %s: nobody would recognise an answer to %s", id, mid)
		}
	}
	if en.Ended() {
		return
	}
	if en.Paused != switched(a.tx, engine.Scope{Person: en.Key}) {
		a.complain("enrollment %s: paused is %v, its person's switch is not", id, en.Paused)
	}
	owners := slices.ContainsFunc(en.Tasks, func(t engine.Task) bool { return t.Blocks }) // who may take for ever
	if en.State == engine.Active && en.Paused != en.Look.Equal(never) && (en.Paused || !owners) {
		a.complain("enrollment %s: paused is %v, and it is looked at %s", id, en.Paused, en.Look)
	}
	if suppressed(a.tx, en.Key) {
		a.complain("enrollment %s goes on, but %s is suppressed", id, en.Key)
	}
}

func (a *audit) touches() error {
	open, err := openTouches(a.tx)
	if err != nil {
		return err
	}
	for _, t := range open {
		if a.tx.Bucket(bucketEnrollments).Get([]byte(t.Enrollment)) == nil {
			a.complain("touch of %s: there is no such enrollment", t.Enrollment)
		}
		if a.tx.Bucket(bucketMails).Get([]byte(t.Enrollment)) == nil {
			a.complain("touch of %s has lost its bytes", t.Enrollment)
		}
		switch en, ok, err := loadEnrollment(a.tx, t.Enrollment); t.Phase {
		case engine.Doubtful:
			a.counts[countDoubtful]++
		case engine.Kept:
			if err == nil && ok && en.Ended() {
				a.complain("touch of %s is kept, but its enrollment has ended", t.Enrollment)
			}
		}
	}
	if n := countUnder(a.tx, bucketMails, nil); n != len(open) {
		a.complain("%d mails are kept for %d open touches", n, len(open))
	}
	for _, key := range []string{countActive, countHeld, countStopped, countFinished, countReplied, countDoubtful} {
		if have := int64(number(a.tx, []byte(key))); have != a.counts[key] {
			a.complain("counter %q says %d and should say %d", key, have, a.counts[key])
		}
	}
	return a.tx.Bucket(bucketMessageIDs).ForEach(func(mid, id []byte) error {
		if len(id) > 0 && a.tx.Bucket(bucketEnrollments).Get(id) == nil { // empty: of somebody unknown
			a.complain("message %s belongs to %s, which is not there", mid, id)
		}
		return nil
	})
}

func (a *audit) events() error {
	var last uint64
	lines := 0
	err := a.tx.Bucket(bucketEvents).ForEach(func(k, raw []byte) error {
		ev, err := decode[engine.Event](raw)
		if err != nil {
			return damaged(bucketEvents, k, err)
		}
		if len(k) != 8 || binary.BigEndian.Uint64(k) != last+1 || ev.Seq != last+1 {
			a.complain("event %x follows event %d", k, last)
		}
		last++
		if ev.Enrollment == "" {
			return nil
		}
		lines++
		if a.tx.Bucket(bucketHistory).Get(historyKey(ev.Enrollment, ev.Seq)) == nil {
			a.complain("event %d is missing in the history of %s", ev.Seq, ev.Enrollment)
		}
		return nil
	})
	if n := countUnder(a.tx, bucketHistory, nil); err == nil && n != lines {
		a.complain("history has %d lines and should have %d", n, lines)
	}
	return err
}
