package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// flight is a volley whose DATA is under way beside the loop: the answer to a
// final dot may take ten minutes, and until then mail goes on being read.
type flight struct {
	group   []passenger
	results chan landing // one for each passenger, buffered
	pending int
}

// landing is how one DATA ended.
type landing struct {
	index  int
	answer string
	err    error
}

// errHalted is why a claimed touch did not leave after all.
var errHalted = &SendError{Phase: PhaseData, Outcome: Deferred, Err: errors.New("everything was paused")}

// takeOff sends the frozen bytes of claimed touches, side by side. A stop of
// the program does not tear them apart: Run waits for them. None begins after
// before, when the fence has grown too old.
func (e *Engine) takeOff(ctx context.Context, group []passenger, before time.Time) {
	if len(group) == 0 {
		return
	}
	f := &flight{group: group, results: make(chan landing, len(group)), pending: len(group)}
	e.flight = f
	landed := e.landedChan()
	for i, p := range group {
		e.flights.Go(func() {
			defer signal(landed)
			if e.halted() {
				_ = p.delivery.Close() // nothing was delivered
				f.results <- landing{i, "", errHalted}
				return
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dataTimeout)
			defer cancel()
			answer, err := p.delivery.Data(ctx, before)
			f.results <- landing{i, answer, err}
		})
	}
}

// land settles what has landed, waiting up to patience for the whole volley.
// What takes longer is settled by a later round.
func (e *Engine) land(watch stopwatch, patience time.Duration) error {
	f := e.flight
	if f == nil {
		return nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var done []landing
wait:
	for f.pending > 0 {
		select {
		case l := <-f.results:
			done = append(done, l)
			f.pending--
		default:
			select {
			case l := <-f.results:
				done = append(done, l)
				f.pending--
			case <-timer.C:
				break wait
			}
		}
	}
	if f.pending == 0 {
		e.flight = nil
	}
	return e.settleLandings(f, done, watch.now())
}

func (e *Engine) settleLandings(f *flight, done []landing, now time.Time) error {
	slices.SortFunc(done, func(a, b landing) int { return a.index - b.index }) // what chains begin stands in this order, too
	var settled []Settlement
	var trouble *SendError
	accepted := false
	for _, l := range done {
		p := f.group[l.index]
		if l.err == nil {
			accepted, e.passedAt = true, now
			next, due := e.after(p.seq, p.en, p.touch.Step, now)
			if _, later := e.after(p.seq, p.en, p.touch.Step, p.claimed); later.After(due) {
				due = later // in business days, a touch that ended after midnight would come sooner
			}
			settled = append(settled, Settlement{Touch: p.touch, Outcome: Sent, At: now, Answer: l.answer, Next: next, Due: due, Filed: e.Mailbox.SaveSent, Then: e.then(p.en, next, now)})
			continue
		}
		se := sendError(l.err, PhaseDot)
		if se.Outcome == Unknown && p.seen {
			next, due := e.after(p.seq, p.en, p.touch.Step, now)
			settled = append(settled, Settlement{Touch: p.touch, Outcome: Sent, At: now, Answer: "its copy was found", Next: next, Due: due, Then: e.then(p.en, next, now)})
			continue
		}
		if se.Outcome != Unknown && concernsMailbox(se) && se != errHalted {
			trouble = se
		}
		settled = append(settled, settlementOf(p.touch, p.en, se, e.passedAt, now))
	}
	if err := e.settleAll(settled); err != nil {
		return err
	}
	if accepted || trouble != nil {
		if err := e.spoke(now, trouble); err != nil {
			return err
		}
	}
	for _, l := range done {
		se, failed := errors.AsType[*SendError](l.err)
		if failed && (se.Outcome == Unknown || concernsMailbox(se)) {
			continue
		}
		if err := e.tally(f.group[l.index].touch, se, now); err != nil {
			return err
		}
	}
	e.keepCopies(settled)
	return nil
}

// settleAll records how touches ended.
func (e *Engine) settleAll(settled []Settlement) error {
	if len(settled) == 0 {
		return nil
	}
	if err := e.Store.Settle(settled); err != nil {
		return &storeError{err}
	}
	for _, s := range settled {
		log := e.Log.With("enrollment", s.Touch.Enrollment, "prospect", cmp.Or(s.Touch.Email.For, s.Touch.Email.To), "sequence", s.Touch.Sequence,
			"step", s.Touch.Step, "message_id", s.Touch.Email.MessageID, "answer", s.Answer)
		if s.Touch.Email.For != "" {
			log = log.With("rehearsal", s.Touch.Email.To)
		}
		switch s.Outcome {
		case Sent:
			log.Info("touch sent")
		case Unknown:
			e.doubting = true
			log.Warn("touch in doubt")
		case Refusal:
			log.Warn("touch refused")
		default:
			log.Info("touch deferred", "until", s.Due)
		}
	}
	return nil
}

// copyPatience bounds the keeping of a volley's copies.
const copyPatience = 20 * time.Second

// keepCopies puts the mails that left into the Sent folder, where the provider
// does not. A copy that fails costs nobody a follow-up, so it is only logged.
func (e *Engine) keepCopies(settled []Settlement) {
	keeper, ok := e.Inbox.(SentKeeper)
	if !ok || !e.Mailbox.SaveSent {
		return
	}
	patience := copyPatience
	if !e.endBy.IsZero() {
		patience = min(patience, time.Until(e.endBy))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, s := range settled {
		if s.Outcome != Sent {
			continue
		}
		if err := keeper.KeepSent(ctx, s.Touch.Email.Raw); err != nil {
			e.Log.Warn("copy for the Sent folder not kept", "message_id", s.Touch.Email.MessageID, "err", err)
		}
	}
}
