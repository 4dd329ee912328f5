package bolt

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
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

// Every schema there was, made of the one that is carried along by the
// migrations themselves, so that none can only be read by way of all before it.
func TestAStateOfEverySchemaIsBroughtUpToDate(t *testing.T) {
	if len(migrations)+1 != schema {
		t.Fatalf("%d migrations lead to schema %d", len(migrations), schema)
	}
	want := contents(t, func() *Store { return on(t, v1(t), "here") })
	for have := 1; have < schema; have++ {
		t.Run(fmt.Sprintf("schema %d", have), func(t *testing.T) {
			path := v1(t)
			raw(t, path, func(tx *bbolt.Tx) error {
				for _, step := range migrations[:have-1] {
					if err := step(tx); err != nil {
						return err
					}
				}
				for name, since := range bucketsSince {
					if (tx.Bucket([]byte(name)) != nil) != (since <= have) {
						t.Errorf("schema %d and bucket %s, which is there since %d", have, name, since)
					}
				}
				return putValue(tx, bucketMeta, keySchema, have)
			})
			if err := VerifyFile(path); err != nil {
				t.Errorf("before: %v", err)
			}
			if got := contents(t, func() *Store { return on(t, path, "here") }); !cmp.Equal(want, got) {
				t.Errorf("it is not what schema 1 becomes (-want +got):\n%s", cmp.Diff(want, got))
			}
			copies, _ := filepath.Glob(path + ".schema-*")
			if len(copies) != 1 || !strings.HasPrefix(copies[0], fmt.Sprintf("%s.schema-%d-", path, have)) {
				t.Fatalf("copies %v", copies)
			}
			if is := schemaIn(t, copies[0]); is != have || VerifyFile(copies[0]) != nil || mode(t, copies[0]) != 0o600 {
				t.Errorf("the copy has schema %d, mode %o, and %v", is, mode(t, copies[0]), VerifyFile(copies[0]))
			}
			if is := schemaIn(t, path); is != schema {
				t.Errorf("it has schema %d now", is)
			}
			copied := copies[0] // which is a state, too
			if got := contents(t, func() *Store { return on(t, copied, "here") }); !cmp.Equal(want, got) {
				t.Errorf("the copy became something else (-want +got):\n%s", cmp.Diff(want, got))
			}
		})
	}
}

// contents opens a state, verifies it and reads all of it.
func contents(t *testing.T, open func() *Store) map[string]any {
	t.Helper()
	s := open()
	defer closeStore(t, s)
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
	all := map[string]any{}
	note := func(name string, v any, err error) {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		all[name] = v
	}
	counts, err := s.Counts()
	note("counts", counts, err)
	ens, err := s.Enrollments(engine.Filter{})
	note("enrollments", ens, err)
	for _, en := range ens {
		if en.Company != Company(en.Key) {
			t.Errorf("%s is of company %q", en.Key, en.Company)
		}
	}
	events, err := s.Events("", 0, 1000)
	note("events", events, err)
	doubts, err := s.Doubts()
	note("doubts", doubts, err)
	switches, err := s.Switches()
	note("switches", switches, err)
	cursor, err := s.Cursor("sales")
	note("cursor", cursor, err)
	pace, err := s.Pace("sales", "2026-11-23")
	note("pace", pace, err)
	all["suppressions"] = suppressions(t, s)
	err = s.read(func(tx *bbolt.Tx) error {
		for _, name := range allBuckets {
			if bytes.Equal(name, bucketMeta) {
				continue // the instance is another each time
			}
			entries := map[string]string{}
			if err := tx.Bucket(name).ForEach(func(k, v []byte) error { entries[string(k)] = string(v); return nil }); err != nil {
				return err
			}
			all["bucket "+string(name)] = entries
		}
		return nil
	})
	note("buckets", nil, err)
	return all
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
