package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"nudge/engine"
)

// writers is how many goroutines write at once.
const writers = 64

// each runs do in that many goroutines at once and waits for them.
func (w *world) each(do func(i int) error) {
	w.t.Helper()
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	w.must(errors.Join(errs...))
}

var togetherLaws = []law{
	{"64 writers lose nothing and number events without a gap", func(w *world) {
		w.each(func(i int) error {
			for n := range 5 {
				if _, _, err := w.s.Enroll([]engine.Enrollment{prospect(100*i + n)}); err != nil {
					return err
				}
			}
			return nil
		})
		w.same("counts", w.counts(), engine.Counts{Active: 5 * writers})
		events, err := w.s.Events("", 0, 1_000_000)
		w.must(err)
		for i, ev := range events {
			if ev.Seq != uint64(i+1) {
				w.t.Fatalf("event %d has number %d", i+1, ev.Seq)
			}
		}
	}},
	{"of 64 who enroll the same person one succeeds", func(w *world) {
		var mu sync.Mutex
		won := 0
		w.each(func(int) error {
			_, errs, err := w.s.Enroll([]engine.Enrollment{prospect(1)})
			if err == nil && errs[0] == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
			return err
		})
		w.same("winners", won, 1)
	}},
	{"of 64 who claim the same touch one succeeds", func(w *world) {
		touches := w.prepare(w.one())
		var mu sync.Mutex
		won := 0
		w.each(func(int) error {
			errs, err := w.s.Claim(engine.Sweep{Mailbox: mailbox, At: monday}, touches)
			if err == nil && errs[0] == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
			return err
		})
		w.same("winners", won, 1)
		w.same("pace", w.pace(today).Today, 1)
	}},
	{"writers that fail do not touch those that share their commit", func(w *world) {
		en := w.one()
		w.each(func(i int) error {
			if i%2 == 0 {
				_, err := w.s.Change([]string{en.ID, "nobody"}, stopByHand)
				if !errors.Is(err, engine.ErrNotFound) {
					return fmt.Errorf("error %w", err)
				}
				return nil
			}
			return w.s.Note(engine.Event{At: monday, Kind: engine.EventReloaded})
		})
		w.same("enrollment", w.get(en.ID), en)
		w.same("history", len(w.kinds("")), 1+writers/2)
	}},
	{"a writer that panics does not touch those that share its commit", func(w *world) {
		en := w.one()
		w.each(func(i int) (err error) {
			if i%2 == 1 {
				return w.s.Note(engine.Event{At: monday, Kind: engine.EventReloaded})
			}
			defer func() {
				if recover() == nil {
					err = errors.New("the panic was swallowed")
				}
			}()
			_, err = w.s.Change([]string{en.ID}, func(engine.Enrollment) (engine.Enrollment, []engine.Event) { panic("a mistake in decide") })
			return err
		})
		w.same("enrollment", w.get(en.ID), en)
		w.same("history", len(w.kinds("")), 1+writers/2)
	}},
	{"whole lives side by side leave every count right", func(w *world) {
		w.each(func(i int) error { return w.live(prospect(i), monday.Add(time.Duration(i)*minute)) })
		w.same("counts", w.counts(), engine.Counts{Stopped: writers / 2, Finished: writers / 2, Replied: writers / 2})
		w.same("pace", w.pace(today).Today, writers)
		w.same("history", len(w.kinds("")), writers*4+writers/2) // enrolled, claimed, sent, finished; a reply has reply and stopped
	}},
	{"readers see each write wholly or not at all", func(w *world) {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, _, err := w.s.Enroll([]engine.Enrollment{prospect(2 * i), prospect(2*i + 1)}); err != nil {
					w.t.Error(err)
					return
				}
			}
		})
		for range 200 {
			if c := w.counts(); c.Active%2 != 0 {
				w.t.Errorf("half a write was seen: %d enrolled", c.Active)
				break
			}
		}
		close(stop)
		wg.Wait()
	}},
}

// live takes a prospect through one touch; every other one answers before it
// is settled.
func (w *world) live(en engine.Enrollment, at time.Time) error {
	answers := en.Due.Minute()%2 == 0
	kept, errs, err := w.s.Enroll([]engine.Enrollment{en})
	if err = errors.Join(append(errs, err)...); err != nil {
		return err
	}
	t := touchOf(kept[0])
	errs, err = w.s.Prepare([]engine.Touch{t})
	if err = errors.Join(append(errs, err)...); err != nil {
		return err
	}
	errs, err = w.s.Claim(engine.Sweep{Mailbox: mailbox, At: at}, []engine.Touch{t})
	if err = errors.Join(append(errs, err)...); err != nil {
		return err
	}
	if answers {
		if err := w.s.Apply(engine.Sweep{Mailbox: mailbox, At: at, Effects: []engine.Effect{reply(kept[0], "r@x")}}); err != nil {
			return err
		}
	}
	return w.s.Settle([]engine.Settlement{{Touch: t, Outcome: engine.Sent, At: at}})
}
