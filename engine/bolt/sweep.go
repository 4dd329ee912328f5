package bolt

import (
	"cmp"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// Apply implements engine.StoreWriter.
func (s *Store) Apply(sweep engine.Sweep) error {
	return s.update(func(w *write) error { return w.sweep(sweep) })
}

// sweep commits what one look at a mailbox came to. Addresses are suppressed
// after all effects, so that each enrollment of a person is stopped for the
// reason its own effect names. A cursor that names no folder moves nothing.
func (w *write) sweep(sweep engine.Sweep) error {
	type suppression struct {
		key, why string
		by       engine.Effect
	}
	var add []suppression
	for _, f := range sweep.Effects {
		en, err := w.apply(f, sweep)
		if err != nil {
			return err
		}
		if f.Suppress && en.ID != "" {
			add = append(add, suppression{en.Key, cmp.Or(f.Why, string(f.Reason)), f})
		}
	}
	for _, s := range add {
		_, known, err := suppressionOf(w.tx, s.key)
		if err != nil {
			return err
		}
		if _, err := w.suppress(s.key, s.why, sweep.At); err != nil {
			return err
		}
		if known { // somebody said so before, so it is not this mail's to take back
			continue
		}
		if err := w.did(s.by, didSuppress); err != nil {
			return err
		}
	}
	for mid, id := range sweep.Learned {
		if err := w.learn(mid, id); err != nil {
			return err
		}
	}
	if sweep.Copies > 0 {
		if err := w.count(copiesCounter(sweep.Mailbox), int64(sweep.Copies)); err != nil {
			return err
		}
	}
	if sweep.Cursor.Folders == nil {
		return nil
	}
	return w.putValue(bucketCursors, []byte(sweep.Mailbox), sweep.Cursor)
}

// learn remembers whose a Message-ID is, unless it is somebody's already or
// there is no such enrollment.
func (w *write) learn(mid, id string) error {
	if mid == "" || len(w.tx.Bucket(bucketMessageIDs).Get([]byte(foreign(mid)))) > 0 {
		return nil
	}
	if _, ok, err := loadEnrollment(w.tx, id); err != nil || !ok {
		return err
	}
	return w.put(bucketMessageIDs, []byte(foreign(mid)), []byte(id))
}

// apply applies one effect and returns its enrollment; the zero one when there
// is none, when the effect was applied before, or when it is not heeded.
func (w *write) apply(f engine.Effect, sweep engine.Sweep) (engine.Enrollment, error) {
	var none engine.Enrollment
	f.Incoming = foreign(f.Incoming)
	en, ok, err := loadEnrollment(w.tx, f.Enrollment)
	if err != nil || !ok {
		return none, err
	}
	if f.Sent != nil {
		// Not asked whether it was seen: the copy may have been, before
		// anybody knew that it would be needed as a proof.
		st := *f.Sent
		st.Touch.Enrollment = en.ID
		found, err := w.settle(st, true)
		if err != nil || !found {
			return none, err
		}
		if en, err = must(w.tx, en.ID); err != nil {
			return none, err
		}
	} else if !en.Heeds(f, sweep.At) && !w.teaches(f, en.Key) {
		return none, w.applyToFollowers(en, f, sweep)
	} else if fresh, err := w.see(f); err != nil || !fresh {
		return none, err
	}
	if err := w.learnAlias(f, en.Key); err != nil {
		return none, err
	}
	applied, events, changed := en.Apply(f, sweep.At)
	if !changed {
		err = w.note(events...)
	} else {
		applied, err = w.change(en, applied, events)
	}
	if err == nil {
		err = w.applyToFollowers(en, f, sweep)
	}
	return applied, err
}

// applyToFollowers lets what stops or holds an enrollment do the same to those
// that chains began when it ended, whether or not whoever judged the message
// knew of them.
func (w *write) applyToFollowers(en engine.Enrollment, f engine.Effect, sweep engine.Sweep) error {
	if en.State == engine.Stopped || f.To == "" || f.Soft || !en.Ended() && f.To != engine.Stopped {
		return nil
	}
	ens, err := ofPerson(w.tx, en.Key)
	if err != nil {
		return err
	}
	for _, other := range ens {
		if other.From != en.ID || other.Ended() {
			continue
		}
		f := f
		f.Enrollment, f.Sent = other.ID, nil
		f.Event.Enrollment, f.Event.Sequence, f.Event.Step = other.ID, other.Sequence, other.Next
		if _, err := w.apply(f, sweep); err != nil {
			return err
		}
	}
	return nil
}

// see remembers that an incoming was applied to an enrollment. It says whether
// that is news: a message met again, in another folder or after a UIDVALIDITY
// change, counts again only when its effect is stronger than before.
func (w *write) see(f engine.Effect) (bool, error) {
	if f.Incoming == "" {
		return true, nil
	}
	if w.tx.Bucket(bucketReversed).Get([]byte(foreign(f.Incoming))) != nil {
		return false, nil // by a person's word
	}
	key := append(name(f.Enrollment), foreign(f.Incoming)...)
	strength := strengthOf(f)
	if was := w.tx.Bucket(bucketSeen).Get(key); len(was) == 1 && was[0] >= strength {
		return false, nil
	}
	if f.To != "" || f.Alias != "" {
		if err := w.did(f, didMove); err != nil {
			return false, err
		}
	}
	return true, w.put(bucketSeen, key, []byte{strength})
}

// strengthOf orders effects by how far they move towards never writing again.
func strengthOf(f engine.Effect) byte {
	switch {
	case f.Suppress:
		return 4
	case f.To == engine.Stopped:
		return 3
	case f.To == engine.Held:
		return 2
	}
	return 1
}

// Cursor implements engine.StoreReader.
func (s *Store) Cursor(mailbox string) (c engine.Cursor, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		if c, _, err = load[engine.Cursor](tx, bucketCursors, []byte(mailbox)); err != nil {
			return err
		}
		var at uint64
		scan(tx, bucketWaiting, name(mailbox), func(k, _ []byte) bool {
			at, _, _ = splitTimed(k, mailbox)
			return false
		})
		c.Since = moment(at)
		return nil
	})
	return c, err
}
