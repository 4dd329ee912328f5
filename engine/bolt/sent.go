package bolt

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// Mails that were sent are kept for a person who asks what somebody got: for
// sentAge, and no more than sentBytes of them, since every backup has them too.
// Each one that comes removes up to sentSwept of the oldest that are too many.
const (
	sentAge   = 400 * 24 * time.Hour
	sentBytes = 64 << 20
	sentSwept = 4
)

// sentKey stands behind all keys of mails that were sent before.
func sentKey(at time.Time, id string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, order(at)), id...)
}

// keepSent keeps the mail of an open touch that left.
func (w *write) keepSent(t engine.Touch, at time.Time) error {
	t = withBytes(w.tx, t)
	if len(t.Email.Raw) == 0 {
		return nil
	}
	m := t.AsSent(at)
	m.Raw = pack(m.Raw)
	value, err := encode(m)
	if err != nil {
		return damaged(bucketSent, []byte(t.Enrollment), err)
	}
	if err := w.put(bucketSent, sentKey(at, t.Enrollment), value); err != nil {
		return err
	}
	w.counts[countSentBytes] += int64(len(value))
	return w.sweepSent(at)
}

// sweepSent removes the oldest mails that are too old, or too many.
func (w *write) sweepSent(now time.Time) error {
	held := int64(number(w.tx, []byte(countSentBytes))) + w.counts[countSentBytes]
	oldest := order(now.Add(-sentAge))
	var gone [][]byte
	c := w.tx.Bucket(bucketSent).Cursor()
	for k, v := c.First(); k != nil && len(gone) < sentSwept; k, v = c.Next() {
		if held <= sentBytes && len(k) > 8 && binary.BigEndian.Uint64(k) >= oldest {
			break
		}
		held -= int64(len(v))
		w.counts[countSentBytes] -= int64(len(v))
		gone = append(gone, slices.Clone(k))
	}
	for _, k := range gone {
		if err := w.delete(bucketSent, k); err != nil {
			return err
		}
	}
	return nil
}

// SentTouches implements engine.StoreReader.
func (s *Store) SentTouches(id string) (mails []engine.SentTouch, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		en, ok, err := loadEnrollment(tx, id)
		if err != nil {
			return err
		}
		if !ok {
			return engine.ErrNotFound
		}
		mails, err = en.SentTouches(func(d engine.Done) (engine.SentTouch, bool, error) {
			return loadSent(tx, sentKey(d.At, id))
		})
		return err
	})
	return mails, err
}

func loadSent(tx *bbolt.Tx, key []byte) (engine.SentTouch, bool, error) {
	m, ok, err := load[engine.SentTouch](tx, bucketSent, key)
	if err != nil || !ok {
		return m, false, err
	}
	if m.Raw, err = unpack(m.Raw); err != nil {
		return m, false, damaged(bucketSent, key, err)
	}
	return m, true, nil
}

// sent recounts the mails that were sent.
func (a *audit) sent() error {
	if a.tx.Bucket(bucketSent) == nil {
		return nil // it came with a later schema
	}
	var total int64
	err := a.tx.Bucket(bucketSent).ForEach(func(k, v []byte) error {
		m, _, err := loadSent(a.tx, k)
		if err != nil {
			return err
		}
		total += int64(len(v))
		if !bytes.Equal(k, sentKey(m.At, m.Enrollment)) {
			a.complain("a mail that was sent stands in the wrong place: %s of %s", m.Step, m.Enrollment)
		}
		if a.tx.Bucket(bucketEnrollments).Get([]byte(m.Enrollment)) == nil {
			a.complain("a mail that was sent, of %s: there is no such enrollment", m.Enrollment)
		}
		if m.SHA256 != "" && m.Whole() && !m.Intact() {
			a.complain("the mail %q that was sent to %s is not as it left", m.Step, m.Enrollment)
		}
		return nil
	})
	if have := int64(number(a.tx, []byte(countSentBytes))); err == nil && have != total {
		a.complain("the mails that were sent take %d bytes, and the counter says %d", total, have)
	}
	return err
}

var packers = sync.Pool{New: func() any {
	p, err := flate.NewWriter(io.Discard, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return p
}}

// pack makes text small.
func pack(raw []byte) []byte {
	var b bytes.Buffer
	p := packers.Get().(*flate.Writer)
	defer packers.Put(p)
	p.Reset(&b)
	_, _ = p.Write(raw) // a buffer takes everything
	_ = p.Close()
	return b.Bytes()
}

// unpack is the inverse of pack.
func unpack(packed []byte) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), engine.SentKept+1))
	if err == nil && len(raw) > engine.SentKept {
		err = errors.New("it is longer than any that is kept")
	}
	if err != nil {
		return nil, fmt.Errorf("the mail cannot be unpacked: %w", err)
	}
	return raw, nil
}
