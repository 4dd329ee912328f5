package simtest

import (
	"io"
	"math/rand/v2"
	"os"
	"time"

	"nudge/engine"
)

// restore is an older state that is put back.
type restore struct {
	path    string
	at      time.Time // when it was copied
	sidecar string    // what becomes of the file that tells which state was used last
}

// A backup is put back beside that file, or without it; and a whole machine may
// go back to a copy of it, on which nothing but the mailbox tells that it is old.
const (
	sidecarKept = "is kept"
	sidecarGone = "is gone"
	sidecarOld  = "is as old"
)

// rollsBack says whether the whole machine goes back, which only what the
// provider files at once, and calls by our Message-ID, can show.
func (w *World) rollsBack() bool {
	return w.conf.savesSent == savesAtOnce && !w.conf.rewrites && w.roll("rolled back") < 0.4
}

// scheduleRestores writes when the state is copied, and when which copy is put
// back.
func (w *World) scheduleRestores(dice *rand.Rand) {
	over := w.conf.faulty + 6*day // by then the machine's clock is right
	for n := range w.conf.restores {
		copied := evenly(dice, w.conf.faulty*3/4)
		back := copied + span(dice, time.Hour, w.conf.faulty/2)
		r := &restore{path: w.path + ".copy" + string(rune('0'+n)), sidecar: sidecarGone}
		if dice.Float64() < w.conf.sidecarKept {
			r.sidecar = sidecarKept
		}
		if w.rollsBack() {
			r.sidecar = sidecarOld
		}
		w.after(copied, func() { w.snapshot(r) })
		w.after(back, func() { w.putBack(r) })
		over = max(over, back+day)
	}
	if w.conf.restores > 0 {
		w.fresh = &enrolled{}
		w.after(over, w.enrollFresh)
	}
}

// enrollFresh enrolls somebody new, of whom no older state knows anything and
// who never writes, once the trouble is over. Whatever became of the others, they
// must get every step.
func (w *World) enrollFresh() {
	for _, scope := range w.scopes() {
		w.operator.resume(&pause{scope: scope}) // the state that was put back may know of one
	}
	seq := w.plans.shortest()
	w.mu.Lock()
	p := &person{w: w, n: len(w.people), addr: "fresh@later.example", tier: "gold", sequences: []string{seq}}
	w.people, w.byKey[p.addr] = append(w.people, p), p
	w.fresh = &enrolled{who: p, seq: seq, at: time.Now().Add(w.offset), asked: time.Now()}
	w.enrolled = append(w.enrolled, w.fresh)
	w.mu.Unlock()
	w.operator.enroll(p, seq, false)
}

// judgeFresh says whether mail leaves again. The caller holds the lock.
func (w *World) judgeFresh(byName map[string]engine.View) {
	en := w.fresh
	switch {
	case en == nil:
		return
	case en.who == nil || !en.acked:
		w.violateLater("a state that was put back serves again", en.who, "nobody new could be enrolled")
		return
	}
	v := byName[en.who.addr+" "+en.seq]
	undone := "" // how a call that nobody makes ends their way, or keeps it
	switch {
	case v.State == engine.Stopped && v.Reason == string(engine.NotDone):
		undone = "stop"
	case v.State == engine.Active:
		undone = "wait"
	}
	for _, st := range w.plans.plans[en.seq].steps {
		if st.call && st.undone == undone {
			return
		}
		for _, id := range st.ids() {
			got := st.call || st.before || !st.isFor(en.who) || w.left(key(en.who, en.seq, id))
			if v.State != engine.Finished && undone == "" || !got {
				w.violateLater("a state that was put back serves again", en.who, "%s is %s (%s) and never got %s", en.who.addr, v.State, v.Reason, id)
				return
			}
		}
	}
	if v.State != engine.Finished {
		w.violateLater("a state that was put back serves again", en.who, "%s is %s (%s) behind the last step", en.who.addr, v.State, v.Reason)
	}
}

// reconciled notes that the state was compared with Sent. Each older state that
// is put back, and each mail in Sent that the state does not know, is a cause to
// do so; whoever does it again and again without one is silent for ever.
func (w *World) reconciled(mailbox string) {
	w.figures.add("reconciliation")
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.named(mailbox)
	if p.compared++; p.compared > reconcileMost {
		w.violateLater("a state that was put back trusts itself again", nil, "it is compared with Sent of %s for the %d. time", mailbox, p.compared)
	}
}

// reconcileMost is how often in one world the state may be compared with one
// mailbox's Sent.
const reconcileMost = 12

// snapshot copies the state, as a backup at that moment would.
func (w *World) snapshot(r *restore) {
	if w.running() == nil {
		return
	}
	err := copyFile(w.path, r.path)
	if err == nil && r.sidecar == sidecarOld {
		err = copyFile(w.path+".instance", r.path+".instance")
	}
	if err != nil {
		w.violate("restore", nil, "%v", err)
		return
	}
	r.at = time.Now()
	w.tell(nil, "the state is copied")
}

// putBack ends the process and lets the next one start on an older state.
func (w *World) putBack(r *restore) {
	if r.at.IsZero() {
		return
	}
	w.mu.Lock()
	w.operator.want = r
	p := w.process
	w.mu.Unlock()
	if p != nil {
		p.shutDown()
	}
}

// restoreIfAsked puts the older state in place, between two processes.
func (w *World) restoreIfAsked() {
	w.mu.Lock()
	r := w.operator.want
	w.operator.want = nil
	w.mu.Unlock()
	if r == nil {
		return
	}
	err := copyFile(r.path, w.path)
	switch {
	case err != nil:
	case r.sidecar == sidecarOld:
		err = copyFile(r.path+".instance", w.path+".instance")
	case r.sidecar == sidecarGone:
		if err = os.Remove(w.path + ".instance"); os.IsNotExist(err) {
			err = nil
		}
	}
	if err != nil {
		w.violate("restore", nil, "%v", err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.restored = time.Now()
	for _, p := range w.providers {
		p.cursorFree = true
		p.forget(r.at.Add(-time.Hour))
	}
	w.lost = append(w.lost, [2]time.Time{r.at, w.restored})
	for _, en := range w.enrolled {
		en.erased = en.erased || en.tried.After(r.at)
		for i := range en.dates {
			en.dates[i].until = time.Time{}
		}
	}
	w.figures.add("restore, and the file beside the state " + r.sidecar)
	w.tellLocked(nil, "the state of %s is put back (the file beside it %s)", r.at.Format(time.DateTime), r.sidecar)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}
