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

// write is one method's part of a write transaction.
type write struct {
	tx      *bbolt.Tx
	counts  map[string]int64 // what flush adds to the counters
	ledger  []ledgerEntry    // what must stand in the ledger before the commit
	changed bool             // whether there is anything to commit
}

func newWrite(tx *bbolt.Tx) *write {
	// These grow at their end: fuller pages make a smaller file. Enrollments
	// grow a little themselves.
	tx.Bucket(bucketEvents).FillPercent = 0.95
	tx.Bucket(bucketHistory).FillPercent = 0.9
	tx.Bucket(bucketSent).FillPercent = 0.95
	tx.Bucket(bucketEnrollments).FillPercent = 0.8
	return &write{tx: tx, counts: map[string]int64{}}
}

func (w *write) put(bucket, key, value []byte) error {
	w.changed = true
	if err := w.tx.Bucket(bucket).Put(key, value); err != nil {
		return damaged(bucket, key, err)
	}
	return nil
}

func (w *write) putValue(bucket, key []byte, v any) error {
	raw, err := encode(v)
	if err != nil {
		return damaged(bucket, key, err)
	}
	return w.put(bucket, key, raw)
}

func (w *write) delete(bucket, key []byte) error {
	w.changed = true
	if err := w.tx.Bucket(bucket).Delete(key); err != nil {
		return damaged(bucket, key, err)
	}
	return nil
}

// flush adds up the counters that the job moved.
func (w *write) flush() error {
	for key, n := range w.counts {
		if n == 0 {
			continue
		}
		if err := w.count([]byte(key), n); err != nil {
			return err
		}
	}
	return nil
}

// count adds n to a counter, which never falls below zero.
func (w *write) count(key []byte, n int64) error {
	sum := max(0, int64(number(w.tx, key))+n)
	return w.put(bucketCounters, key, binary.BigEndian.AppendUint64(nil, uint64(sum)))
}

// number reads a counter, or the order of a moment kept as one.
func number(tx *bbolt.Tx, key []byte) uint64 {
	if raw := tx.Bucket(bucketCounters).Get(key); len(raw) == 8 {
		return binary.BigEndian.Uint64(raw)
	}
	return 0
}

// load reads a value; false when there is none.
func load[T any](tx *bbolt.Tx, bucket, key []byte) (T, bool, error) {
	raw := tx.Bucket(bucket).Get(key)
	if raw == nil {
		var none T
		return none, false, nil
	}
	v, err := decode[T](raw)
	if err != nil {
		return v, false, damaged(bucket, key, err)
	}
	return v, true, nil
}

func loadEnrollment(tx *bbolt.Tx, id string) (engine.Enrollment, bool, error) {
	return load[engine.Enrollment](tx, bucketEnrollments, []byte(id))
}

// entry is one line of an index.
type entry struct{ bucket, key, value []byte }

// entries are all index lines of an enrollment.
func entries(en engine.Enrollment) []entry {
	es := []entry{{bucketAddresses, append(person(en.Key), en.ID...), nil}}
	if en.Ended() {
		return es
	}
	es = append(es, kinEntries(en)...)
	var later []byte // not empty when something keeps it from its Due
	if en.State == engine.Active && !en.Paused && !en.Look.Equal(en.Due) {
		later = []byte("later")
	}
	es = append(es, entry{bucketWaiting, timed(en.Mailbox, en.Waits(), en.ID), nil},
		entry{bucketFollowing, append(name(en.Sequence), en.ID...), later})
	switch {
	case en.State == engine.Active:
		es = append(es, entry{bucketDue, timed(en.Mailbox, en.Look, en.ID), nil})
	case !en.HeldUntil.IsZero():
		es = append(es, entry{bucketHeld, timed(en.Mailbox, en.HeldUntil, en.ID), nil})
	}
	return es
}

// tallies are the counters an enrollment counts in.
func tallies(en engine.Enrollment) []string {
	var keys []string
	switch en.State {
	case engine.Active:
		keys = append(keys, countActive)
	case engine.Held:
		keys = append(keys, countHeld)
	case engine.Stopped:
		keys = append(keys, countStopped)
	case engine.Finished:
		keys = append(keys, countFinished)
	}
	if en.Reason == engine.Replied {
		keys = append(keys, countReplied)
	}
	return keys
}

// keep keeps an enrollment in place of old, which is nil for a new one, with its
// next version, and moves every index line and counter that differs. It is the
// one place where an enrollment is written, so no index can be forgotten.
func (w *write) keep(old *engine.Enrollment, en engine.Enrollment) (engine.Enrollment, error) {
	var before engine.Enrollment
	var was []entry
	if old != nil {
		before, was = *old, entries(*old)
		for _, key := range tallies(before) {
			w.counts[key]--
		}
	}
	en.Version = before.Version + 1
	if en.Paused && en.State == engine.Active {
		en.Look = never
	}
	if err := checkNames(en); err != nil {
		return en, err
	}
	for _, key := range tallies(en) {
		w.counts[key]++
	}
	is := entries(en)
	for _, e := range was {
		if !slices.ContainsFunc(is, e.at) {
			if err := w.delete(e.bucket, e.key); err != nil {
				return en, err
			}
		}
	}
	for _, e := range is {
		if !slices.ContainsFunc(was, e.equal) {
			if err := w.put(e.bucket, e.key, e.value); err != nil {
				return en, err
			}
		}
	}
	if err := w.own(en.ID, before.Thread, en.Thread); err != nil {
		return en, err
	}
	if en.Ended() && !before.Ended() {
		if err := w.forgetKept(en.ID); err != nil {
			return en, err
		}
	}
	return en, w.putValue(bucketEnrollments, []byte(en.ID), en)
}

func (e entry) at(o entry) bool { return bytes.Equal(e.bucket, o.bucket) && bytes.Equal(e.key, o.key) }

func (e entry) equal(o entry) bool { return e.at(o) && bytes.Equal(e.value, o.value) }

// checkNames refuses what cannot stand in a key. The engine never makes it:
// addresses are cleaned, and the others name files and sections of the config.
func checkNames(en engine.Enrollment) error {
	for _, part := range []string{en.Key, en.Mailbox, en.Sequence} {
		if part == "" || len(part) > 1024 || bytes.IndexByte([]byte(part), 0) >= 0 {
			return fmt.Errorf("enrollment %s: %q cannot stand in a key", en.ID, part)
		}
	}
	return nil
}

// own remembers that the Message-IDs of a thread belong to an enrollment.
func (w *write) own(id string, before, now engine.Thread) error {
	for _, mid := range threadIDs(now) {
		if slices.Contains(threadIDs(before), mid) {
			continue
		}
		if err := w.put(bucketMessageIDs, []byte(foreign(mid)), []byte(id)); err != nil {
			return err
		}
	}
	return nil
}

func threadIDs(t engine.Thread) []string {
	return slices.DeleteFunc(append([]string{t.Anchor}, t.IDs...), func(id string) bool { return id == "" })
}

// change passes an enrollment through one transition and keeps the result.
func (w *write) change(en, changed engine.Enrollment, events []engine.Event) (engine.Enrollment, error) {
	changed.ID = en.ID
	follow := changed.Then
	changed.Then = nil
	kept, err := w.keep(&en, changed)
	if err != nil {
		return kept, err
	}
	if err := w.note(events...); err != nil || follow == nil {
		return kept, err
	}
	return kept, w.follow(kept, *follow)
}

// follow enrolls what a chain begins, or notes why it does not.
func (w *write) follow(en engine.Enrollment, f engine.Follow) error {
	var refused error
	if f.Refused == "" {
		var err error
		if _, refused, err = w.enroll(f.Begun(en)); err != nil || refused == nil {
			return err
		}
	}
	return w.note(f.NotBegun(en, refused))
}

// note adds events to history, numbering them.
func (w *write) note(events ...engine.Event) error {
	for _, ev := range events {
		seq, err := w.tx.Bucket(bucketEvents).NextSequence()
		if err != nil {
			return err
		}
		ev.Seq = seq
		if err := w.putValue(bucketEvents, eventKey(seq), ev); err != nil {
			return err
		}
		if ev.Enrollment == "" {
			continue
		}
		if err := w.put(bucketHistory, historyKey(ev.Enrollment, seq), nil); err != nil {
			return err
		}
	}
	return nil
}

// must loads an enrollment that an open touch or an index line names.
func must(tx *bbolt.Tx, id string) (engine.Enrollment, error) {
	en, ok, err := loadEnrollment(tx, id)
	if err == nil && !ok {
		err = damaged(bucketEnrollments, []byte(id), errors.New("named elsewhere, but not there"))
	}
	return en, err
}

// scan calls each with the keys that begin with prefix, in order, until it
// returns false. each may not write.
func scan(tx *bbolt.Tx, bucket, prefix []byte, each func(key, value []byte) bool) {
	c := tx.Bucket(bucket).Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if !each(k, v) {
			return
		}
	}
}

// idsUnder lists the ids that stand behind a prefix.
func idsUnder(tx *bbolt.Tx, bucket, prefix []byte) []string {
	var ids []string
	scan(tx, bucket, prefix, func(k, _ []byte) bool {
		ids = append(ids, string(k[len(prefix):]))
		return true
	})
	return ids
}
