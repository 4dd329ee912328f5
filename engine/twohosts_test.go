package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
	"nudge/engine/bolt"
)

// clone copies the directory of the state, with everything that lies in it, to
// a machine that serves the same mailbox from then on.
func (o *office) clone(machine string) *office {
	o.t.Helper()
	if err := o.store.(*bolt.Store).Close(); err != nil {
		o.t.Fatal(err)
	}
	dir := o.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Dir(o.path))); err != nil {
		o.t.Fatal(err)
	}
	for _, beside := range []string{".instance", ".suppressions"} {
		if _, err := os.Stat(filepath.Join(dir, filepath.Base(o.path)) + beside); err != nil {
			o.t.Fatal(err)
		}
	}
	o.store = nil
	o.restart()
	c := &office{post: o.post, t: o.t, path: filepath.Join(dir, filepath.Base(o.path)), machine: machine, now: o.now, lib: o.lib}
	c.restart()
	return c
}

// together goes on for a time on several hosts, which tick in turn.
func together(span time.Duration, hosts ...*office) {
	for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(time.Hour) {
		for _, o := range hosts {
			o.now = time.Now()
		}
		for _, o := range hosts {
			o.mustTick()
		}
	}
}

// A machine is cloned with its whole state, and both go on over one mailbox.
// Nobody gets a step twice, and whoever comes second stops as soon as it has
// seen a mail of the other's that it cannot have sent itself.
func TestTwoHostsOnOneMailbox(t *testing.T) {
	for _, tt := range []struct {
		name       string
		machine    string // of the clone
		cloneFirst bool   // in each hour
		strips     bool   // the provider's copies do not say whose they are
	}{
		{name: "two machines", machine: "there"},
		{name: "two machines, the clone is quicker", machine: "there", cloneFirst: true},
		{name: "machines with one id", machine: "here"},
		{name: "machines with one id, the clone is quicker", machine: "here", cloneFirst: true},
		{name: "two machines, copies without a mark", machine: "there", strips: true},
		{name: "machines with one id, copies without a mark", machine: "here", strips: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(start)) // a state takes a new name by the machine's clock
				o := newOfficeOn(t, "here")
				o.keeps, o.strips = true, tt.strips
				steps := countSteps(o)
				people := []string{"per@kund.example", "eva@other.example", "zoe@far.example"}
				for _, addr := range people {
					o.enroll(addr)
				}
				together(day, o) // the first touches leave
				first, second := o, o.clone(tt.machine)
				if tt.cloneFirst {
					first, second = second, first
				}
				together(20*day, first, second)

				for _, addr := range people {
					for _, words := range stepWords {
						if n := steps()[addr+" "+words]; n != 1 {
							t.Errorf("%q to %s left %d times, want once\nfirst:\n%ssecond:\n%s", words, addr, n, first.story(addr), second.story(addr))
						}
					}
				}
				if tt.strips {
					return // nothing tells whose the mails are
				}
				if s := first.status(); s.Paused {
					t.Errorf("the first is paused as well: %q", s.Notices)
				}
				if s := second.status(); !s.Paused || !strings.Contains(strings.Join(s.Notices, "\n"), "another nudge (instance "+first.ownInstance()+")") {
					t.Errorf("the second is paused: %v, and does not name %s: %q", s.Paused, first.ownInstance(), s.Notices)
				}
			})
		})
	}
}

// stepWords are words of each step of threeTouches that the others do not have.
var stepWords = []string{"did it arrive", "Any questions", "close the file"}

// countSteps counts the accepted mails of a post office by recipient and words.
func countSteps(o *office) func() map[string]int {
	var mu sync.Mutex
	counts := map[string]int{}
	o.onData = func(e engine.Email) error {
		mu.Lock()
		defer mu.Unlock()
		for _, words := range stepWords {
			if strings.Contains(string(e.Raw), words) {
				counts[e.To+" "+words]++
			}
		}
		return nil
	}
	return func() map[string]int { return counts }
}

func (o *office) status() engine.Status {
	o.t.Helper()
	s, err := o.desk.Status(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return s
}
