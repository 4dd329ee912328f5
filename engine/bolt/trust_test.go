package bolt

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"nudge/engine"
)

// used makes a state on a machine in which n touches were claimed, a minute
// apart, and which nobody has open.
func used(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	s := on(t, path, "here")
	send(t, s, 0, n)
	closeStore(t, s)
	return path
}

var tomorrow = monday.AddDate(0, 0, 1)

// on opens a state on a machine, tomorrow.
func on(t *testing.T, path, machine string) *Store {
	t.Helper()
	s, err := Open(path, Options{NoSync: true, Machine: machine, now: func() time.Time { return tomorrow }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// send enrolls prospects and claims their first touches.
func send(t *testing.T, s *Store, from, n int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		kept, _, err := s.Enroll([]engine.Enrollment{prospect(i)})
		if err != nil {
			t.Fatal(err)
		}
		touch := engine.Touch{Enrollment: kept[0].ID, Step: "first", Version: 1, Email: engine.Email{MessageID: fmt.Sprintf("%d@x", i), Raw: []byte("x")}}
		if _, err := s.Prepare([]engine.Touch{touch}); err != nil {
			t.Fatal(err)
		}
		errs, err := s.Claim(engine.Sweep{Mailbox: "sales", At: monday.Add(time.Duration(i) * time.Minute)}, []engine.Touch{touch})
		if err != nil || errs[0] != nil {
			t.Fatal(errs, err)
		}
	}
}

func trust(t *testing.T, s *Store) engine.Trust {
	t.Helper()
	tr, err := s.Trust("sales")
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func sidecarOf(t *testing.T, path string) sidecarRecord {
	t.Helper()
	r, found, err := readSidecar(path + ".instance")
	if err != nil || !found {
		t.Fatalf("found %v, %v", found, err)
	}
	return r
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	writeFile(t, to, readFile(t, from))
}

func TestAStateKnowsWhenItIsNotTheOneThatWasUsedLast(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, path string) // of a state with 2 claims, after a copy .old of one with 1
		on     string
		words  string // "" = it is trusted
	}{
		{"opened again", func(*testing.T, string) {}, "here", ""},
		{"its sidecar is older, as after a crash", func(t *testing.T, path string) { copyFile(t, path+".instance.old", path+".instance") }, "here", ""},
		{"a backup was put in its place", func(t *testing.T, path string) { copyFile(t, path+".old", path) }, "here", "it knows of 1 touches, and there were 2"},
		{"its sidecar is gone", func(t *testing.T, path string) { remove(t, path+".instance") }, "here", "state.db.instance is missing"},
		{"its sidecar makes no sense", func(t *testing.T, path string) { writeFile(t, path+".instance", "{") }, "here", "state.db.instance is missing"},
		{"it was opened on another machine", func(*testing.T, string) {}, "elsewhere", "from another machine"},
		{"it came to another machine without its sidecar", func(t *testing.T, path string) { remove(t, path+".instance") }, "elsewhere", "from another machine"},
		{"another state was put in its place", func(t *testing.T, path string) { copyFile(t, used(t, 5), path) }, "here", "another state was put in the place"},
		{"it is gone", func(t *testing.T, path string) { remove(t, path) }, "here", "another state was put in the place"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := used(t, 1)
			copyFile(t, path, path+".old")
			copyFile(t, path+".instance", path+".instance.old")
			s := on(t, path, "here")
			was := trust(t, s).Instance
			send(t, s, 1, 1)
			closeStore(t, s)
			tt.change(t, path)
			s = on(t, path, tt.on)
			is := trust(t, s)
			closeStore(t, s)
			if tt.words == "" {
				if is.Behind != "" || is.Instance != was || len(is.Former) != 0 {
					t.Errorf("trust %+v", is)
				}
				return
			}
			if _, former := is.Former[was]; is.Instance == was || !former {
				t.Errorf("instance %s, was %s, former %v", is.Instance, was, is.Former)
			}
			if tt.name != "it is gone" && !strings.Contains(is.Behind, tt.words) { // that one knows no mailbox it could distrust
				t.Errorf("behind %q", is.Behind)
			}
			if r := sidecarOf(t, path); r.Instance != is.Instance || r.Machine != tt.on {
				t.Errorf("sidecar %+v", r)
			}
			s = on(t, path, tt.on)
			defer closeStore(t, s)
			if again := trust(t, s); again.Instance != is.Instance || again.Behind != is.Behind || len(again.Former) != len(is.Former) {
				t.Errorf("opened again: %+v, was %+v", again, is)
			}
			if err := s.Verify(); err != nil {
				t.Error(err)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func TestANewStateIsTrustedWhereverItGoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	closeStore(t, on(t, path, "here"))
	remove(t, path+".instance")
	s := on(t, path, "here")
	defer closeStore(t, s)
	if tr := trust(t, s); tr.Behind != "" || tr.Instance == "" {
		t.Errorf("trust %+v", tr)
	}
	if events, err := s.Events("", 0, 10); err != nil || len(events) != 0 {
		t.Errorf("events %v, %v", events, err)
	}
}

// All files of a state are copied to another machine, and both go on: the
// machine id alone can tell.
func TestACloneIsDistrustedAndTheOriginalIsNot(t *testing.T) {
	path := used(t, 2)
	clone := filepath.Join(t.TempDir(), "state.db")
	for _, ext := range []string{"", ".instance", ".suppressions", ".lock"} {
		copyFile(t, path+ext, clone+ext)
	}
	original, copied := on(t, path, "here"), on(t, clone, "there")
	defer closeStore(t, original)
	defer closeStore(t, copied)
	o, c := trust(t, original), trust(t, copied)
	if o.Behind != "" || c.Behind == "" || o.Instance == c.Instance {
		t.Errorf("original %+v, clone %+v", o, c)
	}
	if _, former := c.Former[o.Instance]; !former {
		t.Errorf("the clone does not know that it was %s: %v", o.Instance, c.Former)
	}
}

func TestAStateThatIsBehindKnowsSinceWhen(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(s *Store) error
		want time.Time
	}{
		{"its last claim", func(*Store) error { return nil }, monday.Add(time.Minute)},
		{"a later beat of any mailbox", func(s *Store) error { return s.Beat("support", monday.Add(time.Hour)) }, monday.Add(time.Hour)},
		{"its last event of the past, when the clock was ahead", func(s *Store) error {
			if err := s.Note(engine.Event{At: monday.Add(30 * time.Minute), Kind: engine.EventReloaded}); err != nil {
				return err
			}
			return s.Beat("support", tomorrow.Add(time.Hour))
		}, monday.Add(30 * time.Minute)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := used(t, 2)
			s := on(t, path, "here")
			if err := tt.do(s); err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			s = on(t, path, "there")
			if got := trust(t, s).AsOf; !got.Equal(tt.want) {
				t.Errorf("as of %s, want %s", got, tt.want)
			}
			closeStore(t, s)
			// Copied once more before it was reconciled: the earlier moment stays.
			s = on(t, path, "third")
			defer closeStore(t, s)
			if got := trust(t, s).AsOf; !got.Equal(tt.want) {
				t.Errorf("copied again: as of %s, want %s", got, tt.want)
			}
		})
	}
}

// Two people must never share a Message-ID: what is enrolled after a restore
// gets no id that somebody enrolled after the backup may have had.
func TestARestoredStateGivesNoIDTwice(t *testing.T) {
	path := used(t, 1)
	old := readFile(t, path)
	s := on(t, path, "here")
	send(t, s, 1, 50)
	last := formatID(51)
	if _, err := s.Enrollment(last); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	writeFile(t, path, old)
	s = on(t, path, "here")
	defer closeStore(t, s)
	kept, _, err := s.Enroll([]engine.Enrollment{prospect(99)})
	if err != nil || kept[0].ID <= last {
		t.Errorf("id %s, %v; %s was given already", kept[0].ID, err, last)
	}
}

func TestTheNextBackupIsComparedWithAllThatEverLeft(t *testing.T) {
	path := used(t, 1)
	old := readFile(t, path)
	s := on(t, path, "here")
	send(t, s, 1, 4)
	closeStore(t, s)
	writeFile(t, path, old)
	closeStore(t, on(t, path, "here"))
	if r := sidecarOf(t, path); r.Claims != 5 {
		t.Errorf("sidecar %+v", r)
	}
}

func TestTheSidecarFollowsClaimsWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		s := on(t, path, "here")
		send(t, s, 0, 3)
		if r := sidecarOf(t, path); r.Claims != 0 {
			t.Errorf("a claim waited for it: %+v", r)
		}
		time.Sleep(sidecarEvery + time.Millisecond)
		synctest.Wait()
		if r := sidecarOf(t, path); r.Claims != 3 || r.Enrolled != 3 {
			t.Errorf("sidecar %+v", r)
		}
		send(t, s, 3, 1)
		closeStore(t, s)
		if r := sidecarOf(t, path); r.Claims != 4 {
			t.Errorf("after Close: %+v", r)
		}
		time.Sleep(time.Second) // a timer that was left finds the file closed
		if info, err := os.Stat(path + ".instance"); err != nil || info.Size() != sidecarSize {
			t.Errorf("%v, %v", info, err)
		}
		if !json.Valid([]byte(readFile(t, path+".instance"))) {
			t.Error("it is not JSON")
		}
	})
}

// The commit failed and may have happened: the sidecar may not be ahead of it.
func TestTheSidecarIsNeverAheadOfTheState(t *testing.T) {
	path := used(t, 1)
	s := on(t, path, "here")
	kept, _, err := s.Enroll([]engine.Enrollment{prospect(7)})
	if err != nil {
		t.Fatal(err)
	}
	touch := engine.Touch{Enrollment: kept[0].ID, Step: "first", Version: 1, Email: engine.Email{MessageID: "m@x", Raw: []byte("x")}}
	if _, err := s.Prepare([]engine.Touch{touch}); err != nil {
		t.Fatal(err)
	}
	s.end = func(tx *bbolt.Tx) error { _ = tx.Rollback(); return os.ErrDeadlineExceeded }
	if _, err := s.Claim(engine.Sweep{Mailbox: "sales", At: monday}, []engine.Touch{touch}); err == nil {
		t.Fatal("it was claimed")
	}
	closeStore(t, s)
	s = on(t, path, "here")
	defer closeStore(t, s)
	if tr := trust(t, s); tr.Behind != "" {
		t.Errorf("behind: %s", tr.Behind)
	}
}

func TestDistrustIsDurableInTheSidecarAsWell(t *testing.T) {
	path := used(t, 1)
	s := on(t, path, "here")
	if err := s.Distrust("sales", "a mail is not known", monday, monday); err != nil {
		t.Fatal(err)
	}
	is := trust(t, s).Instance
	if r := sidecarOf(t, path); r.Instance != is || r.Claims != 1 {
		t.Errorf("sidecar %+v, instance %s", r, is)
	}
	send(t, s, 1, 1)
	closeStore(t, s)
	if r := sidecarOf(t, path); r.Instance != is || r.Claims != 2 {
		t.Errorf("sidecar %+v, instance %s", r, is)
	}
}

// A crash came between taking a new instance and saying so in the sidecar.
func TestASidecarOfTheInstanceBeforeMeansNothing(t *testing.T) {
	path := used(t, 1)
	s := on(t, path, "here")
	if err := s.Distrust("sales", "a mail is not known", monday, monday); err != nil {
		t.Fatal(err)
	}
	was := trust(t, s)
	closeStore(t, s)
	b, err := sidecarRecord{Format: 1, Instance: anyOf(was.Former), Machine: "here", Claims: 1}.bytes()
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path+".instance", string(b))
	s = on(t, path, "here")
	defer closeStore(t, s)
	if is := trust(t, s); is.Instance != was.Instance || is.Behind != was.Behind {
		t.Errorf("trust %+v, was %+v", is, was)
	}
	if r := sidecarOf(t, path); r.Instance != was.Instance {
		t.Errorf("sidecar %+v", r)
	}
}

func anyOf(instances map[string]time.Time) string {
	for id := range instances {
		return id
	}
	return ""
}

func TestASidecarThatIsASymlinkIsRefused(t *testing.T) {
	for _, ext := range []string{".instance", ".suppressions"} {
		path := used(t, 0)
		if err := os.Rename(path+ext, path+".elsewhere"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path+".elsewhere", path+ext); err != nil {
			t.Fatal(err)
		}
		if s, err := Open(path, Options{}); err == nil {
			t.Errorf("%s was followed", ext)
			closeStore(t, s)
		}
	}
}

func TestMachinesAreToldApartWithoutNamingThem(t *testing.T) {
	b, err := os.ReadFile("/etc/machine-id")
	id := machineID()
	if err != nil || strings.TrimSpace(string(b)) == "" {
		if id != "" {
			t.Errorf("machine %q, of a file that cannot be read", id)
		}
		return
	}
	if len(id) != 32 || strings.Contains(id, strings.TrimSpace(string(b))) || id != machineID() {
		t.Errorf("machine %q", id)
	}
}
