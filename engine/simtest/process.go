package simtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"nudge/engine"
	"nudge/engine/bolt"
)

// What a process meets at a point where something goes wrong.
var (
	errDead  = errors.New("the process is gone")
	errFault = errors.New("input/output error")
)

// process is one incarnation of the program: the real engine over the real
// store, which reach the world only through the points of this type.
type process struct {
	w      *World
	number int
	db     *bolt.Store
	sides  []*side // one for each mailbox
	desk   *engine.Desk
	ctx    context.Context
	cancel context.CancelFunc
	dead   chan struct{} // closed at a crash
	died   sync.Once
	broken atomic.Bool  // every later call fails; see fromHere
	flying atomic.Int32 // mails whose DATA is under way
	turns  sync.RWMutex // the operator's calls against the closing of the store

	mu     sync.Mutex
	sums   map[string]string // of what was durably prepared, by Message-ID
	steps  map[string]string // and which step it is
	claims map[string]claim  // of what was durably claimed and not settled, by Message-ID
}

// side is what of a process serves one mailbox; or the desk, which serves the
// people and has neither engine nor mailbox. What two sides do at one moment
// happens in an order of its own: each has a nanosecond of every four.
type side struct {
	p      *process
	at     *provider
	engine *engine.Engine
	turn   int    // which nanosecond
	tag    string // chance is drawn for each side apart

	quietFrom time.Time // the last look at the mailbox that found nothing new: when it began
	quietTo   time.Time // and ended
}

// wait lets time go on to the side's own nanosecond, where there are others.
func (s *side) wait() {
	if w := s.p.w; len(w.providers) > 1 {
		w.sleepUntil(s.turn)
	}
}

func (w *World) sleepUntil(turn int) {
	time.Sleep(time.Duration((turn - time.Now().Nanosecond()%4 + 4) % 4))
}

// machine keeps a process running, as an init system does, until ctx is done.
func (w *World) machine(ctx context.Context) {
	for ctx.Err() == nil {
		p, err := w.start(ctx)
		if err != nil {
			w.violate("start", nil, "the state does not open: %v", err)
			return
		}
		err = p.run()
		p.abandoned()
		w.mu.Lock()
		w.process = nil
		w.mu.Unlock()
		p.turns.Lock()
		_ = p.db.Close()
		p.turns.Unlock()
		if err != nil && !errors.Is(err, errDead) && !errors.Is(err, errFault) {
			w.violate("run", nil, "the engine gave up: %v", err)
			return
		}
		w.betweenRuns(ctx)
	}
}

// betweenRuns is the time in which no process runs.
func (w *World) betweenRuns(ctx context.Context) {
	dice := w.dice("restart", w.starts)
	down := span(dice, time.Second, 5*time.Minute)
	if until := w.operator.downUntil(); time.Until(until) > down {
		down = time.Until(until)
	}
	timer := time.NewTimer(down + time.Duration(dice.IntN(1e6)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return
	}
	w.restoreIfAsked()
}

// start opens the state and wires an engine as the program does.
func (w *World) start(ctx context.Context) (*process, error) {
	if err := os.MkdirAll(filepath.Dir(w.path), 0o700); err != nil {
		return nil, err
	}
	db, err := bolt.Open(w.path, bolt.Options{NoSync: true})
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.starts++
	p := &process{w: w, number: w.starts, db: db, dead: make(chan struct{}),
		sums: map[string]string{}, steps: map[string]string{}, claims: map[string]claim{}}
	w.mu.Unlock()
	p.ctx, p.cancel = context.WithCancel(ctx)
	p.wire()
	w.mu.Lock()
	w.process = p
	w.tellLocked(nil, "process %d starts", p.number)
	w.mu.Unlock()
	return p, nil
}

func (p *process) wire() {
	w := p.w
	log := slog.New(slog.DiscardHandler)
	if w.figures.verbose != nil {
		log = slog.New(slog.NewTextHandler(storyWriter{w}, &slog.HandlerOptions{Level: slog.LevelInfo,
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}}))
	}
	var mailboxes []engine.Mailbox
	for _, at := range w.providers {
		m := at.mailbox
		if trust, err := p.db.Trust(m.Name); err == nil {
			m.Instance = trust.Instance
		}
		mailboxes = append(mailboxes, m)
	}
	for i, at := range w.providers {
		s := &side{p: p, at: at, turn: i + 1}
		if i > 0 {
			s.tag = " of " + at.mailbox.Name
		}
		s.engine = &engine.Engine{Mailbox: mailboxes[i], Mailboxes: mailboxes, Store: &store{db: p.db, side: s}, Library: w.plans,
			Sender: sender{s}, Inbox: s.inbox(), Log: log, Poll: regularly{w.conf.poll, evenly(w.dice("poll"+s.tag, p.number), w.conf.poll)}}
		p.sides = append(p.sides, s)
	}
	p.desk = &engine.Desk{Store: &store{db: p.db, side: &side{p: p}}, Library: w.plans, Mailboxes: mailboxes, Now: w.clock, Deliver: "live"}
}

// regularly looks again and again, at a phase of its own.
type regularly struct{ every, at time.Duration }

func (r regularly) Next(t time.Time) time.Time {
	next := t.Truncate(r.every).Add(r.at)
	if !next.After(t) {
		next = next.Add(r.every)
	}
	return next
}

// run drives the engines until they stop: by Run, or by Tick where the machine's
// clock may be wrong. When one gives up, so do the others.
func (p *process) run() error {
	errs := make([]error, len(p.sides))
	var engines sync.WaitGroup
	for i, s := range p.sides {
		engines.Go(func() {
			if errs[i] = s.drive(); errs[i] != nil {
				p.cancel()
			}
		})
	}
	engines.Wait()
	err := cmp.Or(errs...)
	p.cancel()
	p.died.Do(func() { close(p.dead) }) // what is left of it ends with it
	if err != nil {
		p.w.tell(nil, "process %d ends: %v", p.number, err)
	}
	return err
}

func (s *side) drive() error {
	p := s.p
	if !p.w.conf.tick {
		return s.engine.Run(p.ctx)
	}
	for p.ctx.Err() == nil {
		now := p.w.clock()
		next, err := s.engine.Tick(p.ctx, now)
		if err != nil {
			return err
		}
		wait := p.w.conf.poll
		if p.flying.Load() > 0 { // Run would be woken
			wait = time.Minute
		}
		if !next.IsZero() {
			wait = min(wait, next.Sub(p.w.clock()))
		}
		timer := time.NewTimer(max(wait, time.Millisecond))
		select {
		case <-timer.C:
		case <-p.ctx.Done():
			timer.Stop()
		}
	}
	return s.engine.Finish(p.w.clock())
}

// shutDown asks the process to end, as a service manager does.
func (p *process) shutDown() { p.cancel() }

// crash ends the process at once.
func (p *process) crash(where string) {
	p.died.Do(func() {
		p.w.figures.add("crash")
		p.w.tell(nil, "process %d crashes %s", p.number, where)
		close(p.dead)
		p.cancel()
	})
}

func (p *process) isDead() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// io is one call that reaches out of the process, with a point before and a
// point after it at which something may go wrong.
func (s *side) io(what string, do func() error) error {
	s.wait()
	if err := s.point(what, false); err != nil {
		return err
	}
	err := do()
	if errors.Is(err, context.Canceled) { // the process ends; of a volley all mails at once, in no order
		return err
	}
	if ferr := s.point(what, true); ferr != nil {
		return ferr
	}
	return err
}

func (s *side) point(what string, after bool) error {
	p := s.p
	if p.isDead() {
		return errDead
	}
	if p.broken.Load() {
		return errFault
	}
	switch p.w.fault(what, s.tag, after) {
	case crash:
		p.crash(place(what, after))
		return errDead
	case fromHere:
		p.broken.Store(true)
		fallthrough
	case failing:
		p.w.figures.add("error of " + what)
		p.w.tell(nil, "%s an error is returned", place(what, after))
		return errFault
	}
	return nil
}

func place(what string, after bool) string {
	if after {
		return "after " + what
	}
	return "before " + what
}

// pause lets a call take its time, unless the process dies or ctx is done.
func (s *side) pause(ctx context.Context, what string, least, most time.Duration) error {
	p := s.p
	d := least + time.Duration(p.w.roll(what+s.tag)*float64(most-least))
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-p.dead:
		return errDead
	case <-ctx.Done():
		return ctx.Err()
	}
}

// storyWriter puts the engine's own diary into the story.
type storyWriter struct{ w *World }

func (s storyWriter) Write(b []byte) (int, error) {
	s.w.tell(nil, "    %s", string(b[:len(b)-1]))
	return len(b), nil
}

var _ io.Writer = storyWriter{}

// ask is io for a call that answers with a value.
func ask[T any](s *side, what string, do func() (T, error)) (v T, err error) {
	err = s.io(what, func() (err error) { v, err = do(); return err })
	return v, err
}

// who the operator reaches: the process that runs.
func (w *World) running() *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.process == nil || w.process.isDead() {
		return nil
	}
	return w.process
}

// askDesk lets the operator ask, and says whether an answer came. An error of
// the state ends the process, as it does in the program.
func (w *World) askDesk(what string, do func(ctx context.Context, d *engine.Desk) error) bool {
	if len(w.providers) > 1 {
		w.sleepUntil(0)
	}
	p := w.running()
	if p == nil {
		return false
	}
	p.turns.RLock()
	if p.ctx.Err() != nil {
		p.turns.RUnlock()
		return false
	}
	err := do(p.ctx, p.desk)
	p.turns.RUnlock() // nobody sleeps with a lock
	for _, s := range p.sides {
		s.engine.Wake()
	}
	time.Sleep(time.Millisecond) // the engine looks first, so that the order of things is one
	switch {
	case errors.Is(err, errDead):
		return false
	case errors.Is(err, errFault), errors.Is(err, bolt.ErrCommit):
		p.crash(fmt.Sprintf("because %s failed", what))
		return false
	}
	return true
}
