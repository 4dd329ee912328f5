package engine_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"nudge/engine"
)

// crashing is a Store that dies at its n-th write: just before it, or just
// after it was done and before anybody knew. From then on the process is dead.
type crashing struct {
	engine.Store
	calls, at int
	after     bool
	dead      bool
}

var errCrash = errors.New("the power failed")

// write runs one write, or dies at it.
func (c *crashing) write(do func() error) error {
	c.calls++
	switch {
	case c.dead:
		return errCrash
	case c.calls != c.at:
		return do()
	}
	c.dead = true
	if c.after {
		if err := do(); err != nil {
			return err
		}
	}
	return errCrash
}

func (c *crashing) Prepare(ts []engine.Touch) (errs []error, err error) {
	err = c.write(func() (err error) { errs, err = c.Store.Prepare(ts); return err })
	return errs, err
}

func (c *crashing) Claim(s engine.Sweep, ts []engine.Touch) (errs []error, err error) {
	err = c.write(func() (err error) { errs, err = c.Store.Claim(s, ts); return err })
	return errs, err
}

func (c *crashing) Settle(s []engine.Settlement) error {
	return c.write(func() error { return c.Store.Settle(s) })
}
func (c *crashing) Apply(s engine.Sweep) error {
	return c.write(func() error { return c.Store.Apply(s) })
}
func (c *crashing) Withdraw(p []engine.Postponement) error {
	return c.write(func() error { return c.Store.Withdraw(p) })
}
func (c *crashing) Postpone(p []engine.Postponement) error {
	return c.write(func() error { return c.Store.Postpone(p) })
}
func (c *crashing) Release(m string, now time.Time) (n int, err error) {
	err = c.write(func() (err error) { n, err = c.Store.Release(m, now); return err })
	return n, err
}
func (c *crashing) Recover(m string, now time.Time) (ts []engine.Touch, err error) {
	err = c.write(func() (err error) { ts, err = c.Store.Recover(m, now); return err })
	return ts, err
}
func (c *crashing) Looked(ts []engine.Touch) error {
	return c.write(func() error { return c.Store.Looked(ts) })
}
func (c *crashing) Beat(m string, at time.Time) error {
	return c.write(func() error { return c.Store.Beat(m, at) })
}

// The crash ring: three prospects live through a week in which one of them
// answers and one connection is lost after its dot. The process dies at its
// n-th write, before it or after it, for every n; after the restart nobody has
// a mail twice, nobody is written to after their answer, and nobody is lost.
func TestCrashRing(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			if !crashAt(t, n, after) {
				t.Logf("%d writes, each survived (after=%v)", n-1, after)
				break
			}
		}
	}
}

// crashAt lives through the week with one crash. It says whether the n-th
// write was reached.
func crashAt(t *testing.T, n int, after bool) bool {
	t.Helper()
	o := newOffice(t)
	crash := &crashing{at: n, after: after}
	o.wrap = func(s engine.Store) engine.Store { crash.Store = s; crash.dead = false; return crash }
	o.restart()
	name := fmt.Sprintf("crash at write %d (after=%v)", n, after)
	people := []string{"ann@a.example", "bob@b.example", "cat@c.example"}
	for _, p := range people {
		o.enroll(p)
	}
	answered := -1 // mails that Ann had when she answered
	var once sync.Once
	o.onData = func(e engine.Email) (err error) {
		if e.To == "cat@c.example" {
			once.Do(func() { err = lost(e) })
		}
		return err
	}
	for end := o.now.Add(12 * day); o.now.Before(end); o.now = o.now.Add(6 * time.Hour) {
		if answered < 0 && o.now.Sub(start) >= day && o.sentTo(people[0]) > 0 {
			o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{people[0]}, Arrived: o.now})
			answered = o.sentTo(people[0])
		}
		if _, err := o.tick(); errors.Is(err, errCrash) {
			o.restart()
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	seen := map[string]bool{}
	for _, d := range o.ledger {
		if seen[d.id] {
			t.Errorf("%s: %s got %s twice", name, d.to, d.id)
		}
		seen[d.id] = true
	}
	if got := o.sentTo(people[0]); answered >= 0 && got > answered {
		t.Errorf("%s: %d mails after an answer", name, got-answered)
	}
	for _, p := range people {
		v := o.view(p)
		waitsForPerson := v.State == engine.Held && v.Next != nil
		if ended := v.State == engine.Stopped || v.State == engine.Finished; !ended && !waitsForPerson {
			t.Errorf("%s: %s is %s after twelve days\n%s", name, p, v.State, o.story(p))
		}
		en, err := o.store.Enrollment(v.ID)
		if err != nil {
			t.Fatal(err)
		}
		assumed := 0
		for _, d := range en.Done {
			if d.Assumed {
				assumed++
			}
		}
		if got := o.sentTo(p); v.State == engine.Finished && (got > 3 || got < 3-assumed || assumed > 1) {
			t.Errorf("%s: %s finished with %d mails, %d of them assumed\n%s", name, p, got, assumed, o.story(p))
		}
	}
	return crash.calls >= n
}
