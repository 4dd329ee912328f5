package bolt

import (
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// identity is what a state knows of itself: which nudge it belongs to, where
// it lives, and which mailboxes may have sent what it does not know. It lies in
// meta as one value.
type identity struct {
	Instance string               `json:"instance"`
	Machine  string               `json:"machine,omitempty"`
	Former   map[string]time.Time `json:"former,omitempty"` // instances it was before, and until when
	Behind   map[string]distrust  `json:"behind,omitempty"` // mailbox → why
}

// distrust is why a mailbox's part of the state may be older than what was
// sent, and until when it surely is not.
type distrust struct {
	Why  string    `json:"why"`
	AsOf time.Time `json:"as_of,omitzero"`
}

// newInstance makes up a name for an installation: 80 random bits.
func newInstance() string { return strings.ToLower(rand.Text()[:16]) }

func loadIdentity(tx *bbolt.Tx) (identity, error) {
	id, _, err := load[identity](tx, bucketMeta, keyIdentity)
	return id, err
}

// become takes a new instance, so that what this installation sends from now on
// can be told from what it, or a copy of it, sent before.
func (id identity) become(instance string, now time.Time, before ...string) identity {
	former := maps.Clone(id.Former)
	if former == nil {
		former = map[string]time.Time{}
	}
	for _, was := range append(before, id.Instance) {
		if _, known := former[was]; was != "" && !known {
			former[was] = now
		}
	}
	id.Instance, id.Former = instance, former
	return id
}

// doubts marks mailboxes as behind. One that is already keeps its reason, and
// the earlier of the two moments. It says whether any was not.
func (id identity) doubts(mailboxes []string, d distrust) (identity, bool) {
	news := false
	behind := maps.Clone(id.Behind)
	if behind == nil {
		behind = map[string]distrust{}
	}
	for _, m := range mailboxes {
		was, known := behind[m]
		if known && was.AsOf.Before(d.AsOf) {
			continue
		}
		mark := d
		if known {
			mark.Why = was.Why
		}
		behind[m], news = mark, news || !known
	}
	id.Behind = behind
	return id, news
}

// involved lists the mailboxes that a state knows a mail or an enrollment of.
func involved(tx *bbolt.Tx) []string {
	var names []string
	scan(tx, bucketCounters, []byte(lastPrefix), func(k, _ []byte) bool {
		names = append(names, string(k[len(lastPrefix):]))
		return true
	})
	names = append(names, waitingMailboxes(tx)...)
	slices.Sort(names)
	return slices.Compact(names)
}

// lastSign is the latest moment until which a state surely knew everything: its
// last claim or beat. Where there is neither, or the clock was ahead then, it is
// the last event of the past.
func lastSign(tx *bbolt.Tx, now time.Time) (time.Time, error) {
	var last uint64
	for _, prefix := range []string{lastPrefix, ablePrefix} {
		scan(tx, bucketCounters, []byte(prefix), func(k, _ []byte) bool {
			last = max(last, number(tx, k))
			return true
		})
	}
	at := moment(last)
	c := tx.Bucket(bucketEvents).Cursor()
	for k, raw := c.Last(); k != nil && (at.IsZero() || at.After(now)); k, raw = c.Prev() {
		ev, err := decode[engine.Event](raw)
		if err != nil {
			return at, damaged(bucketEvents, k, err)
		}
		at = ev.At
	}
	if at.After(now) {
		at = time.Time{}
	}
	return at, nil
}

// Distrust implements engine.StoreWriter. A mailbox that is distrusted already
// keeps its first reason and the earlier moment, and there is a new instance
// only when one was not. "" means every mailbox that the state knows a mail or
// an enrollment of.
func (s *Store) Distrust(mailbox, why string, asOf, now time.Time) error {
	err := s.update(func(w *write) error {
		mailboxes := []string{mailbox}
		if mailbox == "" {
			mailboxes = involved(w.tx)
		}
		id, err := loadIdentity(w.tx)
		if err != nil {
			return err
		}
		id, news := id.doubts(mailboxes, distrust{why, asOf})
		if news {
			id = id.become(newInstance(), now)
			if err := w.noteDistrust(mailbox, why, now); err != nil {
				return err
			}
			if err := w.skipIDs(0); err != nil {
				return err
			}
		}
		return w.putValue(bucketMeta, keyIdentity, id)
	})
	if err != nil {
		return err
	}
	return s.renewSidecar(sidecarRecord{})
}

func (w *write) noteDistrust(mailbox, why string, now time.Time) error {
	detail := map[string]string{"why": why}
	if mailbox != "" {
		detail["mailbox"] = mailbox
	}
	return w.note(engine.Event{At: now, Kind: engine.EventRestored, Detail: detail})
}

// idsSkipped is how many ids a state leaves out that may be older than what was
// sent: Message-IDs are made of ids, and no two people may share one.
const idsSkipped = 36 * 36 * 36

// skipIDs leaves out the ids that may have been given while this state was not
// there; given is how many surely were.
func (w *write) skipIDs(given uint64) error {
	b := w.tx.Bucket(bucketEnrollments)
	w.changed = true
	return b.SetSequence(max(b.Sequence(), given) + idsSkipped)
}

// Trust implements engine.StoreReader.
func (s *Store) Trust(mailbox string) (t engine.Trust, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		id, err := loadIdentity(tx)
		if err != nil {
			return err
		}
		d := id.Behind[mailbox]
		t = engine.Trust{Instance: id.Instance, Former: id.Former, Behind: d.Why, AsOf: d.AsOf,
			Copies: int(number(tx, copiesCounter(mailbox)))}
		k, raw := tx.Bucket(bucketEvents).Cursor().First()
		if k == nil {
			return nil
		}
		ev, err := decode[engine.Event](raw)
		if err != nil {
			return damaged(bucketEvents, k, err)
		}
		t.Born = ev.At
		return nil
	})
	return t, err
}
