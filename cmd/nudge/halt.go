package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"nudge/engine"
	"nudge/engine/bolt"
	"nudge/engine/control"
)

// The pause of everything is a file beside the state as well as a switch in it:
// a file can be made while the daemon hangs or the state is locked, and with
// nothing but touch(1). The daemon looks for it before every mail.

// haltFile is the file whose being there lets nothing leave.
func haltFile(state string) string { return state + ".pause" }

// halted says whether nothing may leave. A file that cannot be looked for may
// be there.
func halted(state string) bool {
	_, err := os.Lstat(haltFile(state))
	return !errors.Is(err, fs.ErrNotExist)
}

// halt makes the file, and makes it durable. One that is there already stays as
// it is, whatever it is.
func halt(state string, now time.Time) error {
	path := haltFile(state)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return err
	}
	// From here on nothing leaves, even if the disk has no room for these words.
	_, err = fmt.Fprintf(f, "paused %s by %s\n", now.UTC().Format(time.RFC3339), whoami())
	return errors.Join(err, f.Sync(), f.Close(), syncFolder(filepath.Dir(path)))
}

// haltWords says that the file is there, and who made it when, as far as it
// tells: anybody may have made it in any way.
func haltWords(state string) string {
	path := haltFile(state)
	words := "everything is paused"
	info, err := os.Lstat(path)
	if err == nil && info.Mode().IsRegular() && info.Size() < 1000 {
		said, _ := os.ReadFile(path)
		line, _, _ := strings.Cut(string(said), "\n")
		stamp, who, _ := strings.Cut(strings.TrimPrefix(line, "paused "), " ")
		if at, err := time.Parse(time.RFC3339, stamp); err == nil {
			words += " since " + day(at.Local()) + " " + who
		}
	}
	return words + " (file " + path + ")"
}

// whoami names the person at the keyboard, behind sudo too.
func whoami() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return visible(name)
	}
	if me, err := user.Current(); err == nil {
		return me.Username
	}
	return fmt.Sprintf("user %d", os.Getuid())
}

// syncFolder makes the names in a folder durable. Not every file system can.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// pausePatience is how long pausing or resuming everything waits for the
// daemon's word. Nothing leaves meanwhile: the file is there.
const pausePatience = 3 * time.Second

// pauseAll makes the file first, then sets the switch if anybody answers.
func (a *app) pauseAll(ctx context.Context) error {
	state, err := a.statePath()
	if err != nil {
		return err
	}
	err = halt(state, time.Now())
	if err != nil && !halted(state) {
		return haltTrouble(state, err)
	}
	if err != nil {
		a.say("hint", fmt.Sprintf("the file %s is there, but may not outlast a power cut: %v", haltFile(state), err))
	}
	n := 0
	err = a.ask(func(op engine.Operator, _ settings) error {
		ctx, cancel := context.WithTimeoutCause(ctx, pausePatience, control.ErrSilent)
		defer cancel()
		var err error
		n, err = op.Pause(ctx, engine.Scope{})
		return err
	})
	if err == nil {
		a.printf("paused everything: %s\n", count(n, "enrollment"))
		a.next("nudge resume --all")
		return nil
	}
	a.fact("nothing more leaves: ", "a daemon looks at "+haltFile(state)+" before every mail; "+unswitched(err)+", so nudge status may not show it yet", nil)
	a.next("nudge resume --all, once that is mended")
	return nil
}

// unswitched says why the switch in the state could not be set.
func unswitched(err error) string {
	switch {
	case errors.Is(err, control.ErrSilent), errors.Is(err, control.ErrGone):
		return "the one that runs did not answer"
	case errors.Is(err, bolt.ErrLocked):
		return "another nudge has the state open"
	}
	return "the state could not be told (" + visible(err.Error()) + ")"
}

// haltTrouble says why the file could not be made.
func haltTrouble(state string, err error) error {
	dir := filepath.Dir(state)
	code, hint := exitFailed, "to stop everything now, end the daemon"
	if errors.Is(err, fs.ErrNotExist) {
		hint = "mkdir -p " + shell(dir)
	} else if disk := diskHint(err); disk != "" {
		code, hint = exitTemporary, hint+"; "+disk
	}
	return &trouble{code: code, what: fmt.Sprintf("nothing is paused: %v", err), hint: hint}
}

// resumeAll clears the switch first and then removes the file: as long as the
// one cannot be done, nothing leaves for the sake of the other. That the file
// is gone need not be durable: one that comes back after a power cut only keeps
// things paused.
func (a *app) resumeAll(ctx context.Context) error {
	state, err := a.statePath()
	if err != nil {
		return err
	}
	byFile := halted(state)
	n, changed := 0, false
	err = a.ask(func(op engine.Operator, _ settings) error {
		ctx, cancel := context.WithTimeoutCause(ctx, pausePatience, control.ErrSilent)
		defer cancel()
		last, err := lastEvent(ctx, op)
		if err != nil {
			return err
		}
		if n, err = op.Resume(ctx, engine.Scope{}); err != nil {
			return err
		}
		if changed, err = resumedSince(ctx, op, last); err != nil || !byFile {
			return err
		}
		if err := os.Remove(haltFile(state)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &trouble{code: exitFailed, what: err.Error(), hint: "remove the file as the user it belongs to"}
		}
		_, _ = op.Resume(ctx, engine.Scope{}) // changes nothing more, and makes the engines look at once
		return nil
	})
	switch {
	case err != nil && byFile:
		t := *asTrouble(err)
		t.what = "everything stays paused: " + t.what + "\nthe file " + haltFile(state) + " is only removed together with the pause in the state"
		return &t
	case err != nil:
		return err
	case !changed && !byFile:
		a.tellNothingPaused(engine.Scope{}, "everything")
		return nil
	}
	a.printf("resumed everything: %s\n", count(n, "enrollment"))
	a.next("nudge status")
	return nil
}

// statePath is the state's file, also where the rest of the config is wrong.
func (a *app) statePath() (string, error) {
	c, err := readConfig(a.configFile, os.Environ())
	if err != nil {
		return "", err
	}
	return c.path(or(c.State, defaultState)), nil
}
