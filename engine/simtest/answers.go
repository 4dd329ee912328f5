package simtest

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"nudge/engine"
)

// answer answers what the engine asks.
func (o *operator) answer(dice *rand.Rand) {
	if o.w.running() == nil {
		return
	}
	o.answerDoubts(dice)
	o.answerOverdue(dice)
	o.answerHolds(dice)
}

func (o *operator) answerDoubts(dice *rand.Rand) {
	w := o.w
	var doubts []engine.Doubt
	w.askDesk("doubts", func(ctx context.Context, d *engine.Desk) (err error) { doubts, err = d.Doubts(ctx); return err })
	for _, doubt := range doubts {
		who := w.byKey[engine.AddressKey(doubt.Address)]
		if w.clock().Sub(doubt.ClaimedAt) < 12*time.Hour || who == nil {
			continue
		}
		name := key(who, doubt.Sequence, doubt.Step)
		w.mu.Lock()
		left := slices.ContainsFunc(w.dots[name], func(d *dot) bool { return d.id == doubt.MessageID && d.accepted })
		verdict := engine.DoubtResend
		if left == (dice.Float64() < w.conf.answersRight) {
			verdict = engine.DoubtSent
		} else {
			o.resends[name]++
		}
		who.touchedBy = true
		w.mu.Unlock()
		w.tell(who, "%s %s: the operator answers the doubt: %s", doubt.Sequence, doubt.Step, verdict)
		w.askDesk("doubt", func(ctx context.Context, d *engine.Desk) error {
			return refusable(d.ResolveDoubt(ctx, doubt.Enrollment, verdict))
		})
	}
}

func (o *operator) answerOverdue(dice *rand.Rand) {
	w := o.w
	var overdue []engine.Overdue
	w.askDesk("catch-up", func(ctx context.Context, d *engine.Desk) error {
		result, err := d.CatchUp(ctx, engine.CatchUpRequest{})
		overdue = result.Overdue
		return refusable(0, err)
	})
	if len(overdue) == 0 {
		return
	}
	answer := []engine.CatchUpAnswer{engine.CatchUpSend, engine.CatchUpSend, engine.CatchUpSkip, engine.CatchUpStop}[dice.IntN(4)]
	w.mu.Lock()
	for _, late := range overdue {
		if who := w.byKey[engine.AddressKey(late.Address)]; who != nil {
			who.touchedBy = true
			o.caught[who] = time.Now()
			if answer == engine.CatchUpSkip {
				o.skipped[who] = true
			}
			w.tellLocked(who, "%s %s is overdue, the operator says: %s", late.Sequence, late.Step, answer)
		}
	}
	w.mu.Unlock()
	w.figures.add("catch-up answered")
	w.askDesk("catch-up", func(ctx context.Context, d *engine.Desk) error {
		return refusable(d.CatchUp(ctx, engine.CatchUpRequest{Answer: answer}))
	})
}

// answerHolds lets some of those go on who wait for a person, and ends others.
func (o *operator) answerHolds(dice *rand.Rand) {
	w := o.w
	var views []engine.View
	w.askDesk("list", func(ctx context.Context, d *engine.Desk) (err error) {
		views, err = d.List(ctx, engine.Filter{State: engine.Held})
		return refusable(0, err)
	})
	for _, v := range views {
		who := w.byKey[engine.AddressKey(v.Address)]
		if who == nil || v.Next == nil || v.Next.Action != "answer" || v.Reason == string(engine.InDoubt) || v.Reason == string(engine.CatchUp) {
			continue
		}
		switch dice.IntN(4) {
		case 0:
			o.stop(who)
		case 1, 2:
			o.resume(&pause{scope: engine.Scope{Person: who.addr}})
		}
	}
}
