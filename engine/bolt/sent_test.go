package bolt

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

func TestNoMoreOfTheSentMailsIsKeptThanFits(t *testing.T) {
	s := open(t)
	ens, _, err := s.Enroll([]engine.Enrollment{{Sequence: "quote", Mailbox: "sales", Address: "a@b.example", Key: "a@b.example",
		State: engine.Active, Next: "first", EnrolledAt: monday, Due: monday, Look: monday}})
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, engine.SentKept) // that nothing makes smaller
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	const mails, together = 900, 100
	for first := 0; first < mails; first += together {
		err := s.update(func(w *write) error {
			if err := w.put(bucketMails, []byte(ens[0].ID), noise); err != nil {
				return err
			}
			for i := range together {
				at := monday.Add(time.Duration(first+i) * time.Minute)
				if err := w.keepSent(engine.Touch{Enrollment: ens[0].ID, Step: "first", Email: engine.Email{}}, at); err != nil {
					return err
				}
			}
			return w.delete(bucketMails, []byte(ens[0].ID))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = s.read(func(tx *bbolt.Tx) error {
		total := number(tx, []byte(countSentBytes))
		if total > sentBytes || total < sentBytes-200<<10 {
			t.Errorf("%d bytes are kept", total)
		}
		n := countUnder(tx, bucketSent, nil)
		last, ok, err := loadSent(tx, sentKey(monday.Add((mails-1)*time.Minute), ens[0].ID))
		if n >= mails || !ok || len(last.Raw) != engine.SentKept {
			t.Errorf("%d mails, the last one %v with %d bytes", n, ok, len(last.Raw))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

func TestADamagedSentMailIsNamed(t *testing.T) {
	for name, packed := range map[string][]byte{"nonsense": []byte("\xff\xff"), "too long": pack([]byte(strings.Repeat("x", engine.SentKept+1)))} {
		if _, err := unpack(packed); err == nil || !strings.Contains(err.Error(), "the mail cannot be unpacked") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
