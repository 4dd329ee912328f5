package bolt

import (
	"encoding/binary"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// contactsKept is how long a person's contacts are remembered.
const contactsKept = 60 * 24 * time.Hour

// daysKept is how long a day's counters are kept. Only today's count; a clock
// that was wrong for a quarter of a year and comes back still finds them.
const daysKept = 120 * 24 * time.Hour

const dayFormat = "2006-01-02"

// paceEntry is what one claimed touch counts in. A rehearsal has no key: it
// counts in the mailbox's day and in nobody's contacts.
type paceEntry struct {
	mailbox, key string
	contact      engine.Contact
	late         bool
}

func (w *write) paceOf(en engine.Enrollment, t engine.Touch) paceEntry {
	key := en.Key
	if t.Email.For != "" {
		key = ""
	}
	return paceEntry{en.Mailbox, key, engine.Contact{At: t.ClaimedAt, Sequence: en.Sequence}, t.Late}
}

func (p paceEntry) day() string { return p.contact.At.Format(dayFormat) }

// claim counts a touch at its claim. The gap counts from it even where the clock
// was ahead at an earlier one.
func (p paceEntry) claim(w *write) error {
	if err := p.add(w); err != nil {
		return err
	}
	return w.put(bucketCounters, lastCounter(p.mailbox), binary.BigEndian.AppendUint64(nil, order(p.contact.At)))
}

// add counts a touch on its day.
func (p paceEntry) add(w *write) error {
	if number(w.tx, dayCounter(p.mailbox, p.day())) == 0 {
		if err := w.dropOldDays(p.mailbox, p.contact.At); err != nil {
			return err
		}
	}
	if err := p.count(w, 1); err != nil {
		return err
	}
	last := lastCounter(p.mailbox)
	if at := order(p.contact.At); at > number(w.tx, last) {
		if err := w.put(bucketCounters, last, binary.BigEndian.AppendUint64(nil, at)); err != nil {
			return err
		}
	}
	if p.key == "" {
		return nil
	}
	contacts, _, err := load[[]engine.Contact](w.tx, bucketPeople, []byte(p.key))
	if err != nil {
		return err
	}
	contacts = recent(append(contacts, p.contact), p.contact.At)
	return w.putValue(bucketPeople, []byte(p.key), contacts)
}

// giveBack takes out again what add counted, for a touch that did not leave.
// The time of the last claim stays: the server was spoken to.
func (p paceEntry) giveBack(w *write) error {
	if err := p.count(w, -1); err != nil || p.key == "" {
		return err
	}
	contacts, _, err := load[[]engine.Contact](w.tx, bucketPeople, []byte(p.key))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(contacts, func(c engine.Contact) bool { return c.At.Equal(p.contact.At) && c.Sequence == p.contact.Sequence })
	if i < 0 {
		return nil
	}
	return w.putValue(bucketPeople, []byte(p.key), slices.Delete(contacts, i, i+1))
}

func (p paceEntry) count(w *write, n int64) error {
	if err := w.count(dayCounter(p.mailbox, p.day()), n); err != nil {
		return err
	}
	if p.late {
		if err := w.count(lateCounter(p.mailbox, p.day()), n); err != nil {
			return err
		}
	}
	if err := w.count(sequenceCounter(p.mailbox, p.day(), p.contact.Sequence), n); err != nil {
		return err
	}
	if p.key == "" {
		return nil
	}
	return w.count(domainCounter(p.mailbox, p.day(), p.key), n)
}

// dropOldDays forgets a mailbox's counters of days long gone; called at the
// first claim of a day.
func (w *write) dropOldDays(mailbox string, now time.Time) error {
	oldest := now.Add(-daysKept).Format(dayFormat)
	var old [][]byte
	for _, prefix := range [][]byte{dayCounter(mailbox, ""), lateCounter(mailbox, ""), name("domain", mailbox), name("sequence", mailbox)} {
		scan(w.tx, bucketCounters, prefix, func(k, _ []byte) bool {
			if string(k[len(prefix):]) >= oldest {
				return false
			}
			old = append(old, slices.Clone(k))
			return true
		})
	}
	for _, key := range old {
		if err := w.delete(bucketCounters, key); err != nil {
			return err
		}
	}
	return nil
}

// beatEvery is how often a beat is written down.
const beatEvery = 10 * time.Minute

// Beat implements engine.StoreWriter. One within ten minutes of the last is
// not written, so that it costs no commit; one before it is: the clock was
// ahead then.
func (s *Store) Beat(mailbox string, at time.Time) error {
	last, err := s.AbleAt(mailbox)
	if err != nil {
		return err
	}
	if since := at.Sub(last); !last.IsZero() && since >= 0 && since < beatEvery {
		return nil
	}
	return s.update(func(w *write) error {
		return w.put(bucketCounters, ableCounter(mailbox), binary.BigEndian.AppendUint64(nil, order(at)))
	})
}

// AbleAt implements engine.StoreReader.
func (s *Store) AbleAt(mailbox string) (at time.Time, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		at = moment(number(tx, ableCounter(mailbox)))
		return nil
	})
	return at, err
}

// recent drops contacts older than they are remembered, and sorts the others.
func recent(contacts []engine.Contact, now time.Time) []engine.Contact {
	contacts = slices.DeleteFunc(contacts, func(c engine.Contact) bool { return now.Sub(c.At) > contactsKept })
	slices.SortStableFunc(contacts, func(a, b engine.Contact) int { return a.At.Compare(b.At) })
	return contacts
}

// Pace implements engine.StoreReader.
func (s *Store) Pace(mailbox, day string) (p engine.Pace, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		p = engine.Pace{
			Today:  int(number(tx, dayCounter(mailbox, day))),
			Late:   int(number(tx, lateCounter(mailbox, day))),
			LastAt: moment(number(tx, lastCounter(mailbox))),
			Paused: switched(tx, engine.Scope{}) || switched(tx, engine.Scope{Mailbox: mailbox}),
		}
		return nil
	})
	return p, err
}

// paused says whether a switch other than the person's own covers an
// enrollment.
func paused(tx *bbolt.Tx, en engine.Enrollment) bool {
	return switched(tx, engine.Scope{}) || switched(tx, engine.Scope{Mailbox: en.Mailbox}) || switched(tx, engine.Scope{Sequence: en.Sequence})
}
