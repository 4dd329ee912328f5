package simtest

import (
	"context"
	"fmt"
	"time"

	"nudge/engine"
)

// views lists every enrollment, as a person sees them.
func (w *World) views() (all []engine.View, ok bool) {
	ok = w.askDesk("list", func(ctx context.Context, d *engine.Desk) (err error) {
		all, err = d.List(ctx, engine.Filter{})
		return err
	})
	return all, ok
}

// checkpoint is taken every day: nobody is missing, and everybody stands in one
// state with one next action. Once the faults are over and nothing moves any
// more, the world ends.
func (w *World) checkpoint() {
	views, ok := w.views()
	if !ok {
		return
	}
	seen := w.checkViews(views)
	moving := false
	for _, v := range views {
		moving = moving || v.State == engine.Active && !v.Paused || v.State == engine.Held && v.Next != nil && v.Next.At != nil
	}
	w.mu.Lock()
	waits := w.fresh != nil && !w.fresh.acked
	w.mu.Unlock()
	if w.isCalm() && !moving && seen && !waits {
		w.finish()
	}
}

// checkViews says whether everybody who was enrolled is there, whole.
func (w *World) checkViews(views []engine.View) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	byName := map[string][]engine.View{}
	for _, v := range views {
		name := engine.AddressKey(v.Address) + " " + v.Sequence
		byName[name] = append(byName[name], v)
	}
	settled := true
	for _, en := range w.enrolled {
		vs := byName[en.who.addr+" "+en.seq]
		if !en.acked || en.erased {
			continue
		}
		if len(vs) != 1 {
			w.violateLater("never lost", en.who, "%s has %d enrollments in %s", en.who.addr, len(vs), en.seq)
			continue
		}
		if wrong := misshapen(vs[0]); wrong != "" {
			w.violateLater("exactly one state, and one next action", en.who, "%s in %s: %s", en.who.addr, en.seq, wrong)
		}
	}
	return settled
}

// misshapen says what about a listed enrollment contradicts its state.
func misshapen(v engine.View) string {
	switch v.State {
	case engine.Active:
		if v.Next == nil || v.Next.At == nil && !v.Paused {
			return "active without a next action and its date"
		}
		if v.Next.Action != "email" && v.Next.Why == "" {
			return "active, and nobody is named who is to call"
		}
	case engine.Held:
		if v.Next == nil || v.Next.At == nil && v.Next.Why == "" {
			return "held without a reason or a date"
		}
	case engine.Stopped, engine.Finished:
		if v.Next != nil || v.Reason == "" {
			return "ended, but with something to do or no reason"
		}
	default:
		return fmt.Sprintf("state %q", v.State)
	}
	return ""
}

// judgeEnd says, once the faults have been over for long, whether anybody was
// forgotten.
func (w *World) judgeEnd() {
	views, ok := w.views()
	if !ok {
		w.violate("never lost", nil, "no process runs at the end, though nothing is wrong any more")
		return
	}
	w.checkViews(views)
	byName := map[string]engine.View{}
	for _, v := range views {
		byName[engine.AddressKey(v.Address)+" "+v.Sequence] = v
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.judgeFresh(byName)
	w.checkBegun(byName)
	for _, en := range w.enrolled {
		v, there := byName[en.who.addr+" "+en.seq]
		if !there {
			continue
		}
		switch v.State {
		case engine.Held:
			w.figures.Held++
			if v.Reason == string(engine.InDoubt) {
				w.figures.InDoubt++
			}
		case engine.Finished:
			w.figures.Finished++
		case engine.Stopped:
			w.figures.Stopped++
		}
		if en.acked && !en.erased {
			w.judgeOne(en, v)
			if v.State == engine.Finished && !en.who.touchedBy && w.restored.IsZero() && !w.begins(en, byName) {
				w.violateLater("never lost", en.who, "%s finished %s, and %s never began", en.who.addr, en.seq, care)
			}
		}
	}
}

// judgeOne says whether the end of one enrollment has a cause that the world
// knows.
func (w *World) judgeOne(en *enrolled, v engine.View) {
	now := time.Now().Add(w.offset)
	switch {
	case v.Paused: // by a person, who is told so
	case v.State == engine.Active:
		w.violateLater("never lost", en.who, "%s in %s is still active: %s due %s (%s)", en.who.addr, en.seq, v.Next.Step, v.Next.At, v.Next.Why)
	case v.State == engine.Held && v.Next.At != nil && now.Sub(*v.Next.At) > 3*day:
		w.violateLater("never lost", en.who, "%s in %s was held until %s and is still", en.who.addr, en.seq, v.Next.At)
	case en.who.touchedBy || !w.restored.IsZero():
		return
	case v.State == engine.Stopped && v.Reason == string(engine.NotDone) && w.plans.plans[en.seq].mayStopUndone():
	case v.State == engine.Stopped && !w.mayStop(en.who):
		w.violateLater("nobody is stopped without a cause", en.who, "%s in %s is stopped: %s", en.who.addr, en.seq, v.Reason)
	case v.State == engine.Finished && !w.plans.plans[en.seq].edited:
		for _, st := range w.plans.plans[en.seq].steps {
			for _, id := range st.ids() {
				name := key(en.who, en.seq, id)
				if !st.call && !st.before && st.isFor(en.who) && !w.left(name) && !w.doubtful[name] {
					w.violateLater("never lost", en.who, "%s finished %s without ever getting %s", en.who.addr, en.seq, id)
				}
			}
		}
	}
}

// left says whether a step was ever accepted.
func (w *World) left(name string) bool {
	for _, d := range w.dots[name] {
		if d.accepted {
			return true
		}
	}
	return false
}

// mayStop says whether anything happened that may stop a person.
func (w *World) mayStop(who *person) bool {
	soft := 0
	for _, l := range who.letters {
		if l.effect == stops || l.byHand {
			return true
		}
		if l.in.Kind == engine.BounceSoft {
			soft++
		}
	}
	return who.temper == gone || w.refused[who] || soft >= 3
}
