package simtest

import (
	"io"
	"math/rand/v2"
	"os"
	"time"
)

// restore is an older state that is put back.
type restore struct {
	path    string
	at      time.Time // when it was copied
	sidecar bool      // the files beside the state stay as they are
}

// scheduleRestores writes when the state is copied, and when which copy is put
// back.
func (w *World) scheduleRestores(dice *rand.Rand) {
	for n := range w.conf.restores {
		copied := evenly(dice, w.conf.faulty*3/4)
		back := copied + span(dice, time.Hour, w.conf.faulty/2)
		r := &restore{path: w.path + ".copy" + string(rune('0'+n)), sidecar: dice.Float64() < w.conf.sidecarKept}
		w.after(copied, func() { w.snapshot(r) })
		w.after(back, func() { w.putBack(r) })
	}
}

// snapshot copies the state, as a backup at that moment would.
func (w *World) snapshot(r *restore) {
	if w.running() == nil {
		return
	}
	if err := copyFile(w.path, r.path); err != nil {
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
	if err == nil && !r.sidecar {
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
	w.restored, w.cursorFree = time.Now(), true
	w.lost = append(w.lost, [2]time.Time{r.at, w.restored})
	for _, en := range w.enrolled {
		en.erased = en.erased || en.tried.After(r.at)
	}
	w.figures.add("restore")
	w.tellLocked(nil, "the state of %s is put back (files beside it kept: %v)", r.at.Format(time.DateTime), r.sidecar)
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
