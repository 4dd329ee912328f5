package main_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Every call that writes to the state fails once, or from then on, or is the
// process's last. The daemon ends with a clear sentence or goes on correctly;
// started again on a sound disk, it sends what is left and nothing twice.
func TestTortureEveryWriteFails(t *testing.T) {
	besideOthers(t)
	if reason := trapMissing(); reason != "" {
		t.Skip("SKIPPED disk faults: " + reason)
	}
	seen := map[string]int{}
	if !t.Run("no fault", func(t *testing.T) { seen = faulty(t, fault{}) }) {
		return
	}
	t.Logf("calls that write to the state in one run of three touches: %v", seen)
	var faults []fault
	for call, most := range seen {
		for n := 1; n <= most+2; n++ { // shared commits make it a few more or less
			faults = append(faults, fault{call: call, n: n}, fault{call: call, n: n, errno: unix.EIO},
				fault{call: call, n: n, errno: unix.EIO, on: true}, fault{call: call, n: n, errno: unix.ENOSPC, on: true})
		}
	}
	rand.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	faults = faults[:min(len(faults), trials(6, len(faults)))]
	began, reached, done := time.Now(), 0, 0
	for _, f := range faults {
		if end, bounded := t.Deadline(); bounded && time.Until(end) < time.Minute {
			t.Errorf("no time is left after %d of %d points", done, len(faults))
			break
		}
		t.Run(f.String(), func(t *testing.T) {
			if faulty(t, f) != nil {
				reached++
			}
		})
		done++
	}
	t.Logf("%d faults at %d points in %s", reached, done, time.Since(began).Round(time.Millisecond))
}

// trapMissing says why calls cannot be trapped here, or "".
func trapMissing() string {
	actions, err := os.ReadFile("/proc/sys/kernel/seccomp/actions_avail")
	if err != nil || !strings.Contains(string(actions), "user_notif") {
		return "the kernel has no seccomp user notification"
	}
	return ""
}

// faulty lets a daemon make its state, take three prospects and write to them,
// with a fault; and then another one without. It returns the calls seen, or nil
// when the fault was never reached.
func faulty(t *testing.T, f fault) map[string]int {
	r := inMemory(t)
	r.configure("1ms") // three sends, each with commits of its own
	r.write("sequences/talk.md", talk("talk", 1, "1 second", 0))
	trap := &diskTrap{below: filepath.Join(r.dir, "state"), fault: f}
	d := r.follow(trap.command(t, r.command("run")))
	r.try(d)
	r.checkEnd(d, f, trap)
	seen, hit := trap.state()
	if f.n > 0 && !hit {
		return nil
	}

	again := r.launch()
	again.awaitReady()
	r.enrolled = nil // those who are there already are skipped
	r.people("talk", 3)
	r.settled(60 * time.Second)
	if code := again.terminate(); code != 0 {
		t.Errorf("exit code %d on a sound disk\n%s", code, again.log)
	}
	count := r.audit(1)
	if f.n == 0 && (count.finished != 3 || count.mails != 3) {
		t.Errorf("without a fault: %s", count)
	}
	if f.n == 0 {
		for _, call := range []string{"pwrite64", "fdatasync", "fsync", "renameat"} {
			if seen[call] == 0 {
				t.Errorf("no %s was seen: the trap is blind", call)
			}
		}
	}
	return seen
}

// try enrolls three people with a daemon and waits until they are written to,
// or the daemon ends, or it says that it cannot go on.
func (r *torture) try(d *daemon) {
	r.t.Helper()
	select {
	case <-d.ready:
	case err := <-d.ended:
		d.ended <- err
		return
	case <-time.After(60 * time.Second):
		r.t.Errorf("neither ready nor ended\n%s", d.log)
		return
	}
	r.write("people.csv", "email\np1@customer1.test\np2@customer2.test\np3@customer3.test\n")
	out, err := r.command("import", "talk", "people.csv").CombinedOutput()
	if err != nil && !strings.Contains(string(out), "nudge: error: ") {
		r.t.Errorf("import: %v, %s", err, out)
	}
	deadline := time.After(60 * time.Second)
	for tick := time.Tick(5 * time.Millisecond); ; {
		select {
		case err := <-d.ended:
			d.ended <- err
			return
		case <-deadline:
			r.t.Errorf("60 s after import (%v, %s) the daemon has neither ended nor written to everybody\n%s", err, out, d.log)
			return
		case <-tick:
			if strings.Count(d.log.String(), "touch sent") == 3 {
				return
			}
		}
	}
}

// checkEnd holds a daemon to its promise about how it ends.
func (r *torture) checkEnd(d *daemon, f fault, trap *diskTrap) {
	r.t.Helper()
	ended := len(d.ended) > 0
	code := d.terminate()
	_, hit := trap.state()
	log := d.log.String()
	for _, cry := range []string{"panic:", "goroutine ", "fatal error:", "SIGBUS", "unexpected fault"} {
		if strings.Contains(log, cry) {
			r.t.Errorf("it ended like a broken program (%q)", cry)
		}
	}
	switch killed := d.cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled(); {
	case killed && hit && f.errno == 0:
	case killed:
		r.t.Errorf("a signal ended it: %v\n%s", d.cmd.ProcessState, log)
	case ended && code == 0:
		r.t.Errorf("it ended by itself, with exit code 0\n%s", log)
	case code != 0 && !hit:
		r.t.Errorf("exit code %d without a fault\n%s", code, log)
	case code != 0 && !strings.Contains(log, "nudge: error: "):
		r.t.Errorf("exit code %d without a sentence\n%s", code, log)
	}
}
