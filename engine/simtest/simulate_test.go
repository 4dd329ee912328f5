package simtest

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
	"nudge/engine/bolt"
)

// tempDir is in memory where there is a file system for that.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "nudge-simtest-*")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestSimulate lives through worlds, each from a seed of its own, until enough
// prospect-years have passed: NUDGE_YEARS of them. NUDGE_SEED lives through one
// world and tells its story while it happens; NUDGE_FROM begins at another seed.
func TestSimulate(t *testing.T) {
	if text := os.Getenv("NUDGE_SEED"); text != "" {
		if w := tellAloud(t, uint64(number(t, "NUDGE_SEED", text)), os.Stdout); w.Broken() != nil {
			t.Errorf("broken: %s: %s", w.Broken().Invariant, w.Broken().Text)
		}
		return
	}
	years, first := 40.0, uint64(1)
	if text := os.Getenv("NUDGE_YEARS"); text != "" {
		years = number(t, "NUDGE_YEARS", text)
	}
	if text := os.Getenv("NUDGE_FROM"); text != "" {
		first = uint64(number(t, "NUDGE_FROM", text))
	}
	limit := time.Hour * 24
	if text := os.Getenv("NUDGE_SECONDS"); text != "" {
		limit = time.Duration(number(t, "NUDGE_SECONDS", text)) * time.Second
	}
	c := &campaign{limit: limit, t: t, years: years, next: first, dir: tempDir(t), began: time.Now(), total: newFigures()}
	t.Run("worlds", func(t *testing.T) {
		for n := range min(2, runtime.GOMAXPROCS(0)) {
			t.Run(fmt.Sprint(n), func(t *testing.T) { t.Parallel(); c.work(t) })
		}
	})
	t.Logf("%s%.1f prospect-years a second", c.total.String(), c.total.Years/time.Since(c.began).Seconds())
}

// tellAloud lives through the world of one seed and writes its story, and the
// engine's own diary, while it happens.
func tellAloud(t *testing.T, seed uint64, out io.Writer) *World {
	w := newWorld(seed, filepath.Join(tempDir(t), "nudge.db"))
	w.figures.verbose = out
	synctest.Test(t, func(t *testing.T) { w.live(t) })
	if v := w.Broken(); v != nil && v.Who != nil {
		ownHistory(t, w, v.Who, out)
	}
	return w
}

// ownHistory writes what the engine itself remembers of a person.
func ownHistory(t *testing.T, w *World, who *person, out io.Writer) {
	db, err := bolt.Open(w.path, bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var mailboxes []engine.Mailbox
	for _, at := range w.providers {
		mailboxes = append(mailboxes, at.mailbox)
	}
	story, err := (&engine.Desk{Store: db, Library: w.plans, Mailboxes: mailboxes, Now: time.Now}).Show(t.Context(), who.addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(out, "\nwhat the engine remembers of %s:\n", who.addr)
	for _, v := range story.Enrollments {
		fmt.Fprintf(out, "%s %s: %s (%s), %+v\n", v.ID, v.Sequence, v.State, v.Reason, v.Next)
	}
	for _, ev := range story.History {
		fmt.Fprintf(out, "%s %s %s %s %v\n", ev.At.UTC().Format("2006-01-02 15:04:05.000"), ev.Enrollment, ev.Kind, ev.Step, ev.Detail)
	}
}

func number(t *testing.T, name, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// campaign is many worlds.
type campaign struct {
	t     *testing.T
	mu    sync.Mutex
	years float64
	next  uint64
	dir   string
	began time.Time
	total Figures
	limit time.Duration
	ended bool
}

// seed is the next world to live through; false when it is enough.
func (c *campaign) seed() (uint64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	return c.next - 1, !c.ended && c.total.Years < c.years && time.Since(c.began) < c.limit
}

func (c *campaign) work(t *testing.T) {
	for {
		seed, more := c.seed()
		if !more {
			return
		}
		w := Run(t, seed, c.dir)
		c.mu.Lock()
		c.total.Add(&w.figures)
		worlds := c.total.Worlds
		c.ended = c.ended || w.Broken() != nil
		c.mu.Unlock()
		if w.Broken() != nil {
			t.Errorf("world %d after %.1f s: NUDGE_SEED=%d\n%s", worlds, time.Since(c.began).Seconds(), seed, w.Story())
		}
	}
}
