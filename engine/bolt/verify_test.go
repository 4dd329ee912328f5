package bolt

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

func TestVerifyFindsWhateverIsWrong(t *testing.T) {
	id := []byte("000001")
	due := timed("sales", monday.Add(1e9), "000001")
	tests := []struct {
		name, words string
		spoil       func(tx *bbolt.Tx) error
	}{
		{"a due line is gone", "missing in index due", func(tx *bbolt.Tx) error { return tx.Bucket(bucketDue).Delete(due) }},
		{"a due line too many", "index due has 3 lines", func(tx *bbolt.Tx) error { return tx.Bucket(bucketDue).Put(timed("sales", monday, "000009"), nil) }},
		{"a held line too many", "index held has 1 lines", func(tx *bbolt.Tx) error { return tx.Bucket(bucketHeld).Put(timed("sales", monday, "000001"), nil) }},
		{"an address line is gone", "missing in index addresses", func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketAddresses).Delete(append(person(prospect(1).Key), id...))
		}},
		{"a waiting line is gone", "missing in index waiting", func(tx *bbolt.Tx) error { return tx.Bucket(bucketWaiting).Delete(timed("sales", monday, "000001")) }},
		{"a following line is wrong", "missing in index following, or wrong", func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketFollowing).Put(append(name("quote"), id...), []byte("later"))
		}},
		{"a counter is wrong", `counter "state\x00active" says 7`, func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketCounters).Put([]byte(countActive), []byte{0, 0, 0, 0, 0, 0, 0, 7})
		}},
		{"a doubt is not counted", `in doubt" says 0 and should say 1`, func(tx *bbolt.Tx) error {
			raw, err := encode(engine.Touch{Enrollment: "000001", Phase: engine.Doubtful})
			if err != nil {
				return err
			}
			return tx.Bucket(bucketTouches).Put(id, raw)
		}},
		{"a mail is kept for nobody", "2 mails are kept for 1 open touches", func(tx *bbolt.Tx) error { return tx.Bucket(bucketMails).Put(id, nil) }},
		{"a mail is gone", "has lost its bytes", func(tx *bbolt.Tx) error { return tx.Bucket(bucketMails).Delete([]byte("000002")) }},
		{"an id of a thread is forgotten", "nobody would recognise an answer to a@x", func(tx *bbolt.Tx) error { return tx.Bucket(bucketMessageIDs).Delete([]byte("a@x")) }},
		{"an id belongs to nobody", "which is not there", func(tx *bbolt.Tx) error { return tx.Bucket(bucketMessageIDs).Put([]byte("b@x"), []byte("zzz")) }},
		{"an event is gone", "follows event 0", func(tx *bbolt.Tx) error { return tx.Bucket(bucketEvents).Delete(eventKey(1)) }},
		{"a line of history is gone", "event 1 is missing in the history", func(tx *bbolt.Tx) error { return tx.Bucket(bucketHistory).Delete(historyKey("000001", 1)) }},
		{"a line of history too many", "history has 3 lines", func(tx *bbolt.Tx) error { return tx.Bucket(bucketHistory).Put(historyKey("000001", 9), nil) }},
		{"a touch is kept for one that ended", "is kept, but its enrollment has ended", func(tx *bbolt.Tx) error {
			en := prospect(1)
			en.ID, en.State = "000001", engine.Stopped
			return errors.Join(putValue(tx, bucketEnrollments, id, en), putValue(tx, bucketTouches, id, engine.Touch{Enrollment: "000001", Phase: engine.Kept}))
		}},
		{"a suppressed one goes on", "is suppressed", func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketSuppressions).Put([]byte("@kund1.example"), []byte("\x01{}"))
		}},
		{"a paused person's is not", "its person's switch is not", func(tx *bbolt.Tx) error {
			key, _ := switchKey(engine.Scope{Person: prospect(1).Key})
			return tx.Bucket(bucketSwitches).Put(key, []byte("\x01{}"))
		}},
		{"an enrollment under another's id", `calls itself "000001"`, func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucketEnrollments)
			return b.Put([]byte("000003"), b.Get(id))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			s, err := Open(path, Options{NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			en := prospect(1)
			en.Thread.Anchor = "a@x"
			kept, _, err := s.Enroll([]engine.Enrollment{en, prospect(2)})
			if err != nil {
				t.Fatal(err)
			}
			touch := engine.Touch{Enrollment: kept[1].ID, Email: engine.Email{MessageID: "m@x", Raw: []byte("x")}}
			if _, err := s.Prepare([]engine.Touch{touch}); err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(); err != nil {
				t.Fatalf("before: %v", err)
			}
			if err := s.db.Update(tt.spoil); err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(); err == nil || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("found %v", err)
			}
			closeStore(t, s)
		})
	}
}
