package bolt

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"nudge/engine"
)

// v1 lays down the state of schema 1 that the tests carry along. Release 0.1's
// code made it: 16 enrollments, one in each situation.
func v1(t *testing.T) string {
	t.Helper()
	f, err := os.Open("testdata/v1.db.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, z); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	writeFile(t, path, b.String())
	return path
}

func TestAStateOfSchema1IsBroughtUpToDateAndLosesNothing(t *testing.T) {
	path := v1(t)
	if err := VerifyFile(path); err != nil {
		t.Errorf("before: %v", err)
	}
	s := on(t, path, "here")
	defer closeStore(t, s)
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
	names, _ := filepath.Glob(path + ".schema-1-*")
	if len(names) != 1 || VerifyFile(names[0]) != nil || mode(t, names[0]) != 0o600 {
		t.Fatalf("copies %v", names)
	}
	if have := schemaIn(t, names[0]); have != 1 {
		t.Errorf("the copy has schema %d", have)
	}
	c, err := s.Counts()
	if want := (engine.Counts{Active: 8, Held: 3, Stopped: 4, Finished: 1, Replied: 1, InDoubt: 1}); err != nil || c != want {
		t.Errorf("counts %+v, %v", c, err)
	}
	if tr := trust(t, s); tr.Behind != "" || tr.Instance == "" {
		t.Errorf("trust %+v", tr)
	}
	want := map[string]string{"p4@kund4.example": "unsubscribed", "p11@kund11.example": "bounced", "@konkurrent.example": "by hand", "nobody@kund.example": "by hand"}
	if diff := cmp.Diff(suppressions(t, s), want); diff != "" {
		t.Error(diff)
	}
	for target := range want {
		if !strings.Contains(readFile(t, path+".suppressions"), "\t"+target+"\t") {
			t.Errorf("the ledger lacks %s", target)
		}
	}
	switches, err := s.Switches()
	if err != nil || len(switches) != 3 || switches[0].Mailbox != "support" || switches[1].Person != "p13@kund13.example" || switches[2].Sequence != "invoice" {
		t.Errorf("switches %+v, %v", switches, err)
	}
	doubts, err := s.Doubts()
	if err != nil || len(doubts) != 1 || !doubts[0].DoubtAt.Equal(monday.Add(-2*time.Hour+3*time.Minute)) || len(doubts[0].Email.Raw) == 0 {
		t.Errorf("doubts %+v, %v", doubts, err)
	}
	cursor, err := s.Cursor("sales")
	if err != nil || cursor.Folders["INBOX"].UIDNext != 42 || cursor.Folders["Sent"].UIDValidity != 8 {
		t.Errorf("cursor %+v, %v", cursor, err)
	}
	if p, err := s.Pace("sales", "2026-11-23"); err != nil || p.Today != 4 {
		t.Errorf("pace %+v, %v", p, err)
	}
	if events, err := s.Events("", 0, 1000); err != nil || len(events) != 44 || events[0].Kind != engine.EventEnrolled {
		t.Errorf("%d events, %v", len(events), err)
	}
	if doubtful, err := s.Recover("sales", monday); err != nil || len(doubtful) != 1 || doubtful[0].Enrollment != formatID(9) {
		t.Errorf("recovered %+v, %v", doubtful, err)
	}
}

func TestASchema1StateInThePlaceOfANewerOneIsDistrusted(t *testing.T) {
	path := used(t, 1)
	copyFile(t, v1(t), path)
	s := on(t, path, "here")
	defer closeStore(t, s)
	if tr := trust(t, s); !strings.Contains(tr.Behind, "another state") || tr.AsOf.IsZero() {
		t.Errorf("trust %+v", tr)
	}
}

func TestAMigrationThatFailsLeavesTheStateAsItWas(t *testing.T) {
	path := v1(t)
	db, err := openFile(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	spoil := func(tx *bbolt.Tx) error {
		return errors.Join(dateDoubts(tx), tx.DeleteBucket(bucketTouches), errors.New("no space left on device"))
	}
	err = migrate(db, 1, []func(*bbolt.Tx) error{spoil})
	if err == nil || !strings.Contains(err.Error(), "no space left on device") {
		t.Errorf("error %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := VerifyFile(path); err != nil {
		t.Error(err)
	}
	s := on(t, path, "here") // and the next program that can brings it up to date
	defer closeStore(t, s)
	if c, err := s.Counts(); err != nil || c.Active != 8 {
		t.Errorf("counts %+v, %v", c, err)
	}
}

func TestAStateWhoseCopyCannotBeMadeIsNotMigrated(t *testing.T) {
	path := v1(t)
	raw(t, path, func(tx *bbolt.Tx) error { return tx.Bucket(bucketHeld).Put(timed("sales", monday, "000009"), nil) })
	if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "copy the state before it is brought up to date") {
		t.Errorf("error %v", err)
	}
	if have := schemaIn(t, path); have != 1 {
		t.Errorf("it has schema %d now", have)
	}
}

func schemaIn(t *testing.T, path string) (have int) {
	t.Helper()
	db, err := openToRead(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(func(tx *bbolt.Tx) (err error) { have, err = schemaOf(tx); return err }); err != nil {
		t.Fatal(err)
	}
	return have
}
