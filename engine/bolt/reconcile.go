package bolt

import (
	"strconv"
	"strings"
	"time"

	"nudge/engine"
)

// Reconcile implements engine.StoreWriter. What was found in Sent counts as a
// claim would, on its own day in the location of r.At. Whoever has ended meanwhile stays ended,
// and what was sent to them is remembered all the same: otherwise the mail would accuse the
// state again each time it is read.
func (s *Store) Reconcile(r engine.Reconciliation) error {
	return s.update(func(w *write) error {
		for _, st := range r.Sent {
			if err := w.found(st, r.At); err != nil {
				return err
			}
		}
		for _, id := range r.Holds {
			if err := w.holdBack(id, r.At); err != nil {
				return err
			}
		}
		for _, st := range r.Strangers {
			if err := w.stranger(st, r); err != nil {
				return err
			}
		}
		for mid, id := range r.Learned {
			if err := w.learn(mid, id); err != nil {
				return err
			}
		}
		// What cites an id that only this comparison told was nobody's until now:
		// everything since the oldest that waits is read again.
		if err := w.delete(bucketCursors, []byte(r.Mailbox)); err != nil {
			return err
		}
		return w.trust(r)
	})
}

// found records a step whose mail lies in Sent.
func (w *write) found(st engine.Settlement, at time.Time) error {
	en, ok, err := loadEnrollment(w.tx, st.Touch.Enrollment)
	if err != nil || !ok {
		return err
	}
	if err := w.learn(st.Touch.Email.MessageID, en.ID); err != nil {
		return err
	}
	if closed, err := w.close(st); err != nil || closed {
		return err
	}
	if en, err = must(w.tx, en.ID); err != nil {
		return err
	}
	steps := len(en.Done)
	settled, events := en.Found(st)
	if len(settled.Done) == steps {
		return nil // behind it already
	}
	if settled, err = w.change(en, settled, events); err != nil {
		return err
	}
	t := st.Touch
	t.ClaimedAt = st.At.In(at.Location())
	return w.paceOf(settled, t).add(w)
}

// close ends the open touch of an enrollment of which a mail was found in Sent.
// What goes on as if that mail had not left is dropped; a touch in doubt is that
// very mail, or an earlier one that by then counted as sent. It says whether
// nothing else is to be done.
func (w *write) close(st engine.Settlement) (bool, error) {
	t, open, err := loadTouch(w.tx, st.Touch.Enrollment)
	switch {
	case err != nil || !open:
		return false, err
	case t.Phase == engine.Prepared, t.Phase == engine.Kept:
		return false, w.forget(t)
	case t.Step == st.Touch.Step:
		st.Touch = t
		return w.settle(st, false)
	case t.Phase == engine.Sending:
		return true, nil // on its way just now, so the state does know
	}
	_, err = w.settle(engine.Settlement{Touch: t, Outcome: engine.Sent, At: t.ClaimedAt, Assumed: true,
		Answer: "a later step was found in Sent", Next: st.Touch.Step, Due: st.At}, false)
	return false, err
}

// holdBack holds an enrollment as it is by now.
func (w *write) holdBack(id string, at time.Time) error {
	en, ok, err := loadEnrollment(w.tx, id)
	if err != nil || !ok {
		return err
	}
	held, events := en.Distrusted(at)
	if len(events) == 0 {
		return nil // ended, or a person is asked already
	}
	_, err = w.change(en, held, events)
	return err
}

// stranger remembers a mail that was sent to somebody this state does not know.
// It counts in its day and in the person's contacts all the same.
func (w *write) stranger(st engine.Stranger, r engine.Reconciliation) error {
	key := []byte(foreign(st.MessageID))
	if st.MessageID == "" || w.tx.Bucket(bucketMessageIDs).Get(key) != nil {
		return nil
	}
	if err := w.put(bucketMessageIDs, key, nil); err != nil {
		return err
	}
	p := paceEntry{mailbox: r.Mailbox, contact: engine.Contact{At: st.At.In(r.At.Location()), Sequence: engine.LostSequence}}
	if strings.Contains(st.To, "@") {
		p.key = engine.AddressKey(st.To)
	}
	if !st.At.IsZero() {
		if err := p.add(w); err != nil {
			return err
		}
	}
	return w.note(engine.Event{At: r.At, Kind: engine.EventRestored, Address: st.To, MessageID: st.MessageID,
		Detail: map[string]string{"note": "was sent, and this state does not know to whom", "sent": st.At.Format(time.RFC3339)}})
}

// trust ends the distrust of a mailbox.
func (w *write) trust(r engine.Reconciliation) error {
	id, err := loadIdentity(w.tx)
	if err != nil {
		return err
	}
	if _, behind := id.Behind[r.Mailbox]; !behind {
		return nil
	}
	delete(id.Behind, r.Mailbox)
	if err := w.putValue(bucketMeta, keyIdentity, id); err != nil {
		return err
	}
	return w.note(engine.Event{At: r.At, Kind: engine.EventRestored, Detail: map[string]string{"mailbox": r.Mailbox, "reconciled": "yes",
		"found": strconv.Itoa(len(r.Sent)), "held": strconv.Itoa(len(r.Holds)), "strangers": strconv.Itoa(len(r.Strangers))}})
}
