package bolt

import (
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// What an incoming did to an enrollment.
var (
	didMove     = []byte{1} // stopped or held it, or taught who answers for its prospect
	didSuppress = []byte{2} // and suppressed its address
)

// did remembers what an incoming did, so that it can be taken back.
func (w *write) did(f engine.Effect, what []byte) error {
	if f.Incoming == "" {
		return nil
	}
	return w.put(bucketEffects, append(name(foreign(f.Incoming)), f.Enrollment...), what)
}

// reversal is when a person said that an incoming was no answer.
type reversal struct {
	At time.Time `json:"at"`
}

// Reverse implements engine.StoreWriter. An enrollment stays as it is where it
// could not go on: its address is suppressed for another reason, or the person
// was enrolled in its sequence again.
func (s *Store) Reverse(r engine.Reversal) ([]engine.Enrollment, error) {
	r.Incoming = foreign(r.Incoming)
	var ens []engine.Enrollment
	err := s.update(func(w *write) error {
		var err error
		ens, err = w.reverse(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return ens, nil
}

func (w *write) reverse(r engine.Reversal) ([]engine.Enrollment, error) {
	ids := effectsOf(w.tx, r.Incoming)
	if len(ids) == 0 {
		return nil, engine.ErrNotFound
	}
	again := w.tx.Bucket(bucketReversed).Get([]byte(r.Incoming)) != nil
	if err := w.putValue(bucketReversed, []byte(r.Incoming), reversal{r.At}); err != nil {
		return nil, err
	}
	if err := w.forgetAliases(r.Incoming); err != nil {
		return nil, err
	}
	var ens []engine.Enrollment
	for _, id := range ids {
		en, err := must(w.tx, id)
		if err != nil {
			return nil, err
		}
		if !again {
			if err := w.allow(en, r); err != nil {
				return nil, err
			}
		}
		ens = append(ens, en)
	}
	for i, en := range ens {
		back, events := en.NotAReply(r.Incoming, r.At)
		switch stuck, err := w.stuck(en, back); {
		case err != nil:
			return nil, err
		case again || stuck:
			if again {
				events = nil
			}
			if err := w.note(events...); err != nil {
				return nil, err
			}
			continue
		}
		back.Paused = !back.Ended() && switched(w.tx, engine.Scope{Person: back.Key})
		kept, err := w.change(en, back, events)
		if err != nil {
			return nil, err
		}
		ens[i] = kept
	}
	return ens, nil
}

// allow removes the suppression that an incoming brought about.
func (w *write) allow(en engine.Enrollment, r engine.Reversal) error {
	did := w.tx.Bucket(bucketEffects).Get(append(name(r.Incoming), en.ID...))
	if len(did) != 1 || did[0] != didSuppress[0] {
		return nil
	}
	s, there, err := suppressionOf(w.tx, en.Key)
	switch {
	case err != nil || !there || !s.FromMail(): // a person has said so as well
		return err
	case s.OwnWish() && !r.Force:
		return engine.ErrSuppressed
	}
	return w.unsuppress(en.Key, "it was not a reply", r.At)
}

// stuck says whether an enrollment that would go on cannot.
func (w *write) stuck(en, back engine.Enrollment) (bool, error) {
	if !en.Ended() || back.Ended() {
		return false, nil
	}
	if suppressed(w.tx, en.Key) {
		return true, nil
	}
	ens, err := ofPerson(w.tx, en.Key)
	for _, other := range ens {
		if other.ID != en.ID && other.Sequence == en.Sequence && !other.Ended() {
			return true, err
		}
	}
	return false, err
}

// effectsOf lists the enrollments that an incoming did something to.
func effectsOf(tx *bbolt.Tx, incoming string) []string {
	var ids []string
	for _, id := range idsUnder(tx, bucketEffects, name(incoming)) {
		if !strings.Contains(id, "\x00") { // else it is of another incoming, whose id begins so
			ids = append(ids, id)
		}
	}
	return ids
}

// forgetAliases forgets whom an incoming seemed to answer for.
func (w *write) forgetAliases(incoming string) error {
	var gone [][]byte
	err := w.tx.Bucket(bucketAliases).ForEach(func(k, raw []byte) error {
		a, err := decode[alias](raw)
		if err != nil {
			return damaged(bucketAliases, k, err)
		}
		if a.Incoming == incoming {
			gone = append(gone, append([]byte(nil), k...))
		}
		return nil
	})
	for _, k := range gone {
		if derr := w.delete(bucketAliases, k); err == nil {
			err = derr
		}
	}
	return err
}
