package bolt

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
	"time"

	"nudge/engine"
)

func FuzzDecode(f *testing.F) {
	good, err := encode(prospect(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{})
	f.Add([]byte{valueVersion})
	f.Add([]byte{2, '{', '}'})
	f.Add([]byte("\x01{\"id\":7}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		was := bytes.Clone(raw)
		en, err := decode[engine.Enrollment](raw)
		if !bytes.Equal(raw, was) {
			t.Fatal("decoding changed what it read")
		}
		if err != nil {
			return
		}
		again, err := encode(en)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := decode[engine.Enrollment](again)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if third, err := encode(back); err != nil || !bytes.Equal(third, again) {
			t.Fatalf("%q became %q, %v", again, third, err)
		}
		_, _ = decode[engine.Touch](raw)
		_, _ = decode[engine.Event](raw)
		_, _ = decode[[]engine.Contact](raw)
	})
}

func FuzzReadMeta(f *testing.F) {
	f.Add([]byte{}, int64(0))
	f.Add(bytes.Repeat([]byte{0xed}, 8192), int64(4096))
	f.Fuzz(func(t *testing.T, b []byte, at int64) {
		if _, ok := readMeta(bytes.NewReader(b), max(at, 0), 0); ok {
			t.Log("a valid meta page")
		}
		_, _, _ = newestMeta(bytes.NewReader(b))
	})
}

func TestOrderSortsLikeTime(t *testing.T) {
	times := []time.Time{{}, time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(-1, 999_999_999),
		time.Unix(0, 0), time.Unix(0, 1), monday, monday.Add(1), time.Date(2261, 12, 31, 23, 59, 59, 0, time.UTC), never}
	for i := 1; i < len(times); i++ {
		if order(times[i-1]) > order(times[i]) {
			t.Errorf("%s sorts after %s", times[i-1], times[i])
		}
	}
	for _, at := range times[2:9] {
		if got := moment(order(at)); !got.Equal(at) {
			t.Errorf("%s came back as %s", at, got)
		}
	}
	if !moment(order(never)).IsZero() || !moment(order(time.Time{})).IsZero() {
		t.Error("the ends are not the zero time")
	}
}

func TestIDsSortByAge(t *testing.T) {
	var ids []string
	for _, n := range []uint64{1, 9, 35, 36, 1295, 1296, 1_000_000, 36*36*36*36*36*36 - 1} {
		ids = append(ids, formatID(n))
	}
	if !slices.IsSorted(ids) || ids[0] != "000001" || ids[7] != "zzzzzz" {
		t.Errorf("ids %v", ids)
	}
}

// Whoever adds a field to Enrollment must ask whether an index needs it; this
// test makes them look here.
func TestEnrollmentHasTheFieldsTheIndexesKnow(t *testing.T) {
	if n := reflect.TypeFor[engine.Enrollment]().NumField(); n != 38 {
		t.Errorf("Enrollment has %d fields: see entries and tallies in write.go, then change this number", n)
	}
}
