package bolt

import (
	"fmt"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

func TestOldDaysAreForgotten(t *testing.T) {
	s := open(t)
	days := func() (n int) {
		err := s.read(func(tx *bbolt.Tx) error {
			for _, prefix := range []string{"day\x00", "domain\x00", "late\x00"} {
				n += countUnder(tx, bucketCounters, []byte(prefix))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	claimOn := func(n int, at time.Time) {
		kept, _, err := s.Enroll([]engine.Enrollment{prospect(n)})
		if err != nil {
			t.Fatal(err)
		}
		touch := engine.Touch{Enrollment: kept[0].ID, Step: "first", Version: 1, Late: true, Email: engine.Email{MessageID: fmt.Sprintf("%d@x", n), Raw: []byte("x")}}
		if _, err := s.Prepare([]engine.Touch{touch}); err != nil {
			t.Fatal(err)
		}
		if errs, err := s.Claim(engine.Sweep{Mailbox: "sales", At: at}, []engine.Touch{touch}); err != nil || errs[0] != nil {
			t.Fatal(errs, err)
		}
	}
	for i := range 10 {
		claimOn(i, monday.AddDate(0, 0, i))
	}
	if n := days(); n != 30 {
		t.Errorf("%d counters, want 30", n)
	}
	claimOn(10, monday.AddDate(0, 0, 125)) // 4 days of the ten are at most 120 days ago
	if n := days(); n != 3*6 {
		t.Errorf("%d counters, want those of 6 days", n)
	}
	if p, err := s.Pace("sales", "2026-12-02"); err != nil || p.Today != 1 || p.Late != 1 {
		t.Errorf("pace of the tenth day %+v, %v", p, err)
	}
	if p, err := s.Pace("sales", "2026-11-23"); err != nil || p.Today != 0 || p.Late != 0 {
		t.Errorf("pace of the first day %+v, %v", p, err)
	}
}
