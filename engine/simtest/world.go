package simtest

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
)

// World is one simulated installation: people, a mail provider, a machine that
// crashes and an operator. Everything it does follows from its seed.
type World struct {
	seed uint64
	conf conf
	path string // of the state file

	mu             sync.Mutex
	began          time.Time
	offset         time.Duration // by which the engine's clock is wrong
	calm           bool          // faults are over
	over           bool
	people         []*person
	byKey          map[string]*person
	providers      []*provider // one for each mailbox
	letters        []*letter   // every mail that arrived, in order
	made           int         // Message-IDs that the engine did not make
	flying         map[*delivery]bool
	plans          *shelf
	ledger         []*dot
	dots           map[string][]*dot // by person, sequence and step
	variants       map[string]string // by person and sequence: the variant of their first mail
	enrolled       []*enrolled
	operator       operator
	calls          map[string]call // open, by person, sequence and step
	agenda         agenda
	ordinals       map[string]uint64
	process        *process // nil while it is down
	starts         int
	restored       time.Time            // the last time an older state was put back
	fresh          *enrolled            // who must be served after that; nil where no state is put back
	doubtful       map[string]bool      // touches that may have been claimed and not sent
	first          map[string]time.Time // when it first was
	taken          map[string]time.Time // when a touch was last claimed, or may have been, by the engine's clock
	refused        map[*person]bool     // whose address the server refused
	lost           [][2]time.Time       // what a state that was put back does not know: from the copy until then
	story          []line
	broken         *Violation
	figures        Figures
	scripted       func(what string, after bool) fault // decides instead of chance
	onRCPT, onDATA func()                              // with scripted: what happens then
	hit            int                                 // with scripted: at which point something went wrong
	news           chan struct{}                       // the agenda has an earlier entry
}

// dot is one mail whose final dot was written.
type dot struct {
	from      *provider
	at, clock time.Time // of the first byte of DATA, in truth and by the engine's clock
	claimed   time.Time // by the engine's clock
	variant   string    // of the subject, as the mail says
	who       *person
	seq, step string
	id, sum   string
	accepted  bool
	told      bool // the engine was told how it ended
	late      bool // its moment passed while nothing could be sent
	gap       int  // in which of the world's gaps, from 1; 0 = none
	refused   bool // for good, and the engine was told
	starts    int  // the incarnation that wrote it
}

// enrolled is an enrollment that a person asked for.
type enrolled struct {
	who    *person
	seq    string
	at     time.Time // by the engine's clock
	asked  time.Time // in truth, the first time
	tried  time.Time // the last time
	last   time.Time // the same, by the engine's clock
	acked  bool      // and was told that it is so
	erased bool      // in a state that was replaced by an older one
	dates  []appointment
}

// fault is what goes wrong at one point.
type fault int

const (
	fine     fault = iota
	crash          // the process is gone
	failing        // an error: before the call without effect, after it a lie
	fromHere       // an error, and so is every later call of this process
)

// Run lives through the world of one seed, in a bubble of its own.
func Run(t *testing.T, seed uint64, dir string) *World {
	room := filepath.Join(dir, fmt.Sprintf("w%x", seed))
	defer os.RemoveAll(room)
	w := newWorld(seed, filepath.Join(room, "nudge.db"))
	synctest.Test(t, func(t *testing.T) { w.live(t) })
	return w
}

func newWorld(seed uint64, path string) *World {
	w := emptyWorld(seed, path)
	w.conf = drawConf(w.dice("conf", 0))
	w.conf.drawPlain(w.dice("plain", 0))
	w.conf.drawSecond(w.dice("second mailbox", 0))
	w.providers = []*provider{newProvider(w, w.conf.mailbox)}
	if w.conf.second != nil {
		w.providers = append(w.providers, newProvider(w, *w.conf.second))
	}
	w.plans = newShelf(w)
	return w
}

func emptyWorld(seed uint64, path string) *World {
	w := &World{seed: seed, path: path, byKey: map[string]*person{}, dots: map[string][]*dot{}, variants: map[string]string{}, calls: map[string]call{},
		ordinals: map[string]uint64{}, doubtful: map[string]bool{}, taken: map[string]time.Time{}, first: map[string]time.Time{}, refused: map[*person]bool{},
		flying: map[*delivery]bool{}, figures: newFigures()}
	w.operator.w = w
	return w
}

// dice are random numbers that follow from the seed and a name alone, so that
// no order of goroutines can change them.
func (w *World) dice(what string, n int) *rand.Rand {
	return rand.New(rand.NewPCG(w.seed^nameHash(what), uint64(n)*0x9E3779B97F4A7C15+1))
}

// roll is one number in [0, 1) for the next occurrence of what.
func (w *World) roll(what string) float64 {
	w.mu.Lock()
	w.ordinals[what]++
	n := w.ordinals[what]
	w.mu.Unlock()
	return float64(mix(w.seed^nameHash(what)+n*0x9E3779B97F4A7C15)>>11) / (1 << 53)
}

func nameHash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}

func mix(x uint64) uint64 { // SplitMix64's finaliser
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// clock is the time by the machine that the engine runs on.
func (w *World) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.offset)
}

// season is when the world begins: a bubble's clock starts at 1 January 2000.
func (w *World) season() time.Time {
	return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(w.conf.season)
}

// live is the world's main goroutine: it starts the machine, carries out the
// agenda and, once everybody is served, ends.
func (w *World) live(t *testing.T) {
	w.news = make(chan struct{}, 1) // of this bubble
	time.Sleep(w.conf.season)
	w.began = time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	if w.scripted == nil {
		w.populate()
	}
	w.schedule()
	var machine sync.WaitGroup
	machine.Go(func() { w.machine(ctx) })
	w.carryOut()
	cancel()
	w.mu.Lock()
	w.over = true
	p := w.process
	w.mu.Unlock()
	if p != nil {
		p.shutDown()
	}
	machine.Wait()
	if len(w.providers) > 1 {
		w.figures.add("world of two mailboxes")
	}
	w.figures.count(w)
}

// carryOut works through the agenda until the world is over or broken.
func (w *World) carryOut() {
	for !w.ended() {
		w.mu.Lock()
		at, todo := w.agenda.next()
		w.mu.Unlock()
		wait := time.Until(at)
		if todo != nil && wait <= 0 {
			w.mu.Lock()
			w.agenda.take()
			w.mu.Unlock()
			todo()
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-w.news:
			timer.Stop()
		}
	}
}

func (w *World) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over || w.broken != nil
}

// at puts something on the agenda, at a moment of the true time.
func (w *World) at(when time.Time, todo func()) {
	w.mu.Lock()
	w.agenda.add(when, todo)
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (w *World) after(d time.Duration, todo func()) { w.at(time.Now().Add(d), todo) }

// schedule writes the agenda that stands from the beginning.
func (w *World) schedule() {
	for i, p := range w.people {
		dice := w.dice("enroll", i)
		for _, name := range p.sequences {
			w.after(span(dice, time.Minute, w.conf.enrolling), func() { w.operator.enroll(p, name, false) })
		}
	}
	dice := w.dice("noise", 0)
	for range w.conf.noise {
		w.after(span(dice, time.Hour, w.conf.faulty), w.someProvider(dice).noise)
	}
	w.scheduleFaults()
	w.operator.schedule()
	for day := 1; day <= int((w.conf.faulty+w.conf.patience)/(24*time.Hour)); day++ {
		w.at(w.began.Add(time.Duration(day)*24*time.Hour+1234567), w.checkpoint)
	}
	w.at(w.began.Add(w.conf.faulty), w.calmDown)
	w.at(w.began.Add(w.conf.faulty+w.conf.patience), w.finish)
}

// calmDown ends every fault. From here on everything must come to its end.
func (w *World) calmDown() {
	w.mu.Lock()
	w.calm = true
	w.mu.Unlock()
	w.tell(nil, "the faults are over")
	for _, p := range w.providers {
		p.recover()
	}
	w.operator.tidyUp()
}

// finish judges what became of everybody.
func (w *World) finish() {
	w.judgeEnd()
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
}

// span draws a duration between least and most, evenly over its logarithm's
// octaves where they are far apart, so that both seconds and days come up.
func span(dice *rand.Rand, least, most time.Duration) time.Duration {
	if most <= least {
		return least
	}
	if most < 4*least {
		return least + time.Duration(dice.Int64N(int64(most-least)))
	}
	octaves := 0
	for d := least; d < most; d *= 2 {
		octaves++
	}
	low := least << dice.IntN(octaves)
	return min(low+time.Duration(dice.Int64N(int64(low))), most)
}

// evenly draws a duration between zero and most.
func evenly(dice *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(dice.Int64N(int64(most)))
}

// providerOf is the mailbox that a sequence sends from.
func (w *World) providerOf(seq string) *provider { return w.named(w.plans.plans[seq].at) }

func (w *World) named(mailbox string) *provider {
	i := slices.IndexFunc(w.providers, func(p *provider) bool { return p.mailbox.Name == mailbox })
	return w.providers[i]
}

func key(who *person, seq, step string) string { return who.addr + " " + seq + " " + step }

var _ engine.Shelf = (*shelf)(nil)
