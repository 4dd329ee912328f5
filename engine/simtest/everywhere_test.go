package simtest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
)

// answerAt is when the reply of a small world arrives.
type answerAt int

const (
	noAnswer   answerAt = iota
	atRCPT              // before the fence: nothing may leave
	duringDATA          // too late for the first mail, not for the second
)

// how is what goes wrong at the one point.
type how struct {
	name string
	does fault
}

// One send of two steps is lived through once for every point at which the
// process reaches out (before and after each call of its memory, its mailbox
// and its mail server), and at that point it crashes, gets an error that is true
// or a lie, or gets errors from there on. With and without a reply, nobody gets
// a step twice, nobody is written to after their answer, and nobody is lost.
func TestEveryPointOfASend(t *testing.T) {
	hows := []how{{"a crash", crash}, {"an error", failing}, {"errors from there on", fromHere}}
	dir := tempDir(t)
	var points, lives atomic.Int64
	t.Run("lives", func(t *testing.T) {
		for _, answer := range []answerAt{noAnswer, atRCPT, duringDATA} {
			for _, h := range hows {
				t.Run(fmt.Sprintf("%s, answer %d", h.name, answer), func(t *testing.T) {
					t.Parallel()
					n := everyPoint(t, dir, answer, h)
					points.Add(int64(n))
					lives.Add(int64(n + 1))
				})
			}
		}
	})
	t.Logf("%d times something went wrong at one of the points, in %d lives", points.Load(), lives.Load())
}

// everyPoint lives through one send for each of its points, and says how many
// there are.
func everyPoint(t *testing.T, dir string, answer answerAt, h how) int {
	for n := 1; ; n++ {
		w := smallWorld(t, dir, answer, h, n)
		if w.Broken() != nil {
			t.Fatalf("%s at point %d, answer %d:\n%s", h.name, n, answer, w.Story())
		}
		if w.hit == 0 {
			return n - 1
		}
	}
}

// smallWorld is one prospect, two steps and one thing that goes wrong.
func smallWorld(t *testing.T, dir string, answer answerAt, h how, at int) *World {
	w := bareWorld(filepath.Join(dir, fmt.Sprintf("%d-%s-%d", answer, h.name, at), "nudge.db"))
	defer os.RemoveAll(filepath.Dir(w.path))
	var mu sync.Mutex // the operator's calls and the engine's may be at a point at once
	calls := 0
	w.scripted = func(what string, after bool) fault {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(w.began) > 26*time.Hour { // both steps are behind
			return fine
		}
		calls++
		if calls != at {
			return fine
		}
		w.hit = at
		return h.does
	}
	who := w.people[0]
	w.onRCPT = func() {
		if answer == atRCPT && len(who.letters) == 0 {
			who.write(w.providers[0], engine.Reply, nil, stops, "fresh mail")
		}
	}
	w.onDATA = func() {
		if answer == duringDATA && len(who.letters) == 0 {
			who.write(w.providers[0], engine.Reply, nil, stops, "fresh mail")
		}
	}
	synctest.Test(t, func(t *testing.T) { w.live(t) })
	return w
}

// bareWorld has one person, no chance and no faults but those that are
// scripted.
func bareWorld(path string) *World {
	w := emptyWorld(1, path)
	w.conf = conf{season: 9 * time.Hour, enrolling: time.Minute, faulty: 2 * day, patience: 5 * day, batch: 10, poll: 12 * time.Hour,
		savesSent: savesAtOnce, mailbox: engine.Mailbox{Name: "sales", Address: "anna@bergroofing.example", Location: time.UTC}}
	w.providers = []*provider{newProvider(w, w.conf.mailbox)}
	w.plans = &shelf{w: w, names: []string{"quote"}, plans: map[string]*plan{"quote": twoSteps()}}
	who := &person{w: w, addr: "per@kund.example", zone: "UTC", sequences: []string{"quote"}}
	w.people, w.byKey[who.addr] = []*person{who}, who
	return w
}

// twoSteps is the plan of every small world.
var twoSteps = sync.OnceValue(func() *plan {
	p := &plan{name: "quote", at: "sales", send: "always", steps: []planStep{{id: "s1", heading: "First", wait: "0"}, {id: "s2", heading: "Second", wait: "1 day"}}}
	p.publish(time.Time{})
	return p
})
