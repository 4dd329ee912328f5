package main_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nudge/engine"
)

// Every call that changes the state, its ledger or a backup fails once, or from
// then on, or is half done, or is the process's last. The daemon ends with a
// clear sentence or goes on correctly; started again on a sound disk, it sends
// what is left and nothing twice. Whom it said it suppressed stays suppressed,
// and every backup is sound.
func TestTortureEveryWriteFails(t *testing.T) {
	besideOthers(t)
	if reason := trapMissing(); reason != "" {
		t.Skip("SKIPPED disk faults: " + reason)
	}
	seen := map[string]int{}
	if !t.Run("no fault", func(t *testing.T) { seen = faulty(t, fault{}) }) {
		return
	}
	t.Logf("calls that write to the state in one run of three touches, an opt-out and a backup: %v", seen)
	eachFault(t, seen, func(t *testing.T, f fault) bool { return faulty(t, f) != nil })
}

// eachFault tries every fault at the calls that a run without one made; try says
// whether it struck.
func eachFault(t *testing.T, seen map[string]int, try func(*testing.T, fault) bool) {
	t.Helper()
	faults := everyFault(seen)
	if !thorough() {
		rand.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		faults = faults[:6]
	}
	began, struck, done := time.Now(), 0, 0
	for _, f := range faults {
		if end, bounded := t.Deadline(); bounded && time.Until(end) < time.Minute {
			t.Errorf("no time is left after %d of %d faults", done, len(faults))
			break
		}
		t.Run(f.String(), func(t *testing.T) {
			done++
			if try(t, f) {
				struck++
			}
		})
	}
	t.Logf("%d of %d faults struck, in %s", struck, done, time.Since(began).Round(time.Millisecond))
	if 2*struck < done {
		t.Errorf("only %d of %d faults struck: the others prove nothing", struck, done)
	}
}

// trapMissing says why calls cannot be trapped here, or "".
func trapMissing() string {
	actions, err := os.ReadFile("/proc/sys/kernel/seccomp/actions_avail")
	if err != nil || !strings.Contains(string(actions), "user_notif") {
		return "the kernel has no seccomp user notification"
	}
	return ""
}

// faultWays are what happens to a call.
var faultWays = []fault{
	{}, // killed
	{errno: unix.EIO}, {errno: unix.EIO, on: true},
	{errno: unix.ENOSPC}, {errno: unix.ENOSPC, on: true},
	{errno: unix.EROFS, on: true}, // a disk is not read-only for a moment
	{errno: unix.ENOSPC, on: true, half: true},
}

// mostFaults bounds a long run to a few minutes.
const mostFaults = 700

// everyFault is each call that was seen in each way. Where that is more than
// mostFaults, each call takes its turn in every second way, or third.
func everyFault(seen map[string]int) []fault {
	var points []fault
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		most := seen[name]
		for n := 1; n <= most+most/20; n++ { // shared commits make many a few more or less
			points = append(points, fault{call: name, n: n})
		}
	}
	stride := (len(points)*len(faultWays)-1)/mostFaults + 1
	var faults []fault
	for i, f := range points {
		for j, way := range faultWays {
			if (i+j)%stride == 0 && (!way.half || strings.Contains(f.call, "write")) {
				way.call, way.n = f.call, f.n
				faults = append(faults, way)
			}
		}
	}
	return faults
}

// faulty lets a daemon make its state, take three prospects and write to them,
// never write to a fourth's company again and copy its state, with a fault; and
// then another one without. It returns the calls seen, or nil when the fault was
// never reached.
func faulty(t *testing.T, f fault) map[string]int {
	r := inMemory(t)
	r.configure("1ms") // three sends, each with commits of its own
	r.write("sequences/talk.md", talk("talk", 1, "1 second", 0))
	r.write("sequences/later.md", strings.Replace(talk("later", 1, "", 0), "wait: 0", "wait: 1 hour", 1))
	r.write("early.csv", "email\n"+earlyLeaver+"\n")
	r.write("late.csv", "email\n"+lateLeaver+"\n")
	trap := &diskTrap{below: filepath.Join(r.dir, "state"), fault: f}
	d := r.follow(trap.command(t, r.command("run")))
	said := r.try(d)
	r.checkEnd(d, f, trap)
	seen, hit := trap.state()
	if f.n > 0 && !hit {
		return nil
	}

	again := r.launch()
	again.awaitReady()
	suppressed := r.checkOptOut(said)
	r.enrolled = nil // those who are there already are skipped
	r.people("talk", 3)
	r.nudge("import", "talk", "late.csv")
	r.settled(60 * time.Second)
	if code := again.terminate(); code != 0 {
		t.Errorf("exit code %d on a sound disk\n%s", code, again.log)
	}
	count := r.audit(1)
	r.checkFiles(said)
	if got := r.post.to(lateLeaver); suppressed && got != 0 || !suppressed && got != 1 {
		t.Errorf("suppressed %t, and %d mails came to %s", suppressed, got, lateLeaver)
	}
	if f.n == 0 {
		if count.finished != 3 || !said.suppressed || said.backup == "" {
			t.Errorf("without a fault: %s; %+v", count, said)
		}
		notBlind(t, seen, "copy_file_range", "fchown", "renameat2")
	}
	return seen
}

// notBlind fails where a trapped call was not seen, but for those that a run does
// not make.
func notBlind(t *testing.T, seen map[string]int, but ...string) {
	t.Helper()
	for _, c := range trapped {
		if seen[c.name] == 0 && !slices.Contains(but, c.name) {
			t.Errorf("no %s was seen: the trap is blind", c.name)
		}
	}
}

// What is suppressed is a whole company: one of it is enrolled before, another
// one afterwards.
const (
	leavers     = "@leaver.test"
	earlyLeaver = "early@leaver.test"
	lateLeaver  = "late@leaver.test"
)

// promises are what commands said was done.
type promises struct {
	suppressed bool
	backup     string // its file
}

// try enrolls three people with a daemon and waits until they are written to,
// suppresses a company and makes a backup; or the daemon ends, or it says that it
// cannot go on.
func (r *torture) try(d *daemon) (said promises) {
	r.t.Helper()
	select {
	case <-d.ready:
	case err := <-d.ended:
		d.ended <- err
		return said
	case <-time.After(60 * time.Second):
		r.t.Errorf("neither ready nor ended\n%s", d.log)
		return said
	}
	r.write("people.csv", "email\np1@customer1.test\np2@customer2.test\np3@customer3.test\n")
	r.asked("import", "later", "early.csv")
	out, _ := r.asked("import", "talk", "people.csv")
	deadline := time.After(60 * time.Second)
	for tick := time.Tick(5 * time.Millisecond); strings.Count(d.log.String(), "touch sent") < 3; {
		select {
		case err := <-d.ended:
			d.ended <- err
			return said
		case <-deadline:
			r.t.Errorf("60 s after import (%s) the daemon has neither ended nor written to everybody\n%s", out, d.log)
			return said
		case <-tick:
		}
	}
	_, said.suppressed = r.asked("suppress", leavers, "--why", "asked by phone")
	if out, made := r.asked("backup", "--json"); made {
		var result engine.BackupResult
		if err := json.Unmarshal([]byte(out), &result); err != nil {
			r.t.Errorf("%v: %s", err, out)
		}
		said.backup = result.Path
	}
	return said
}

// asked runs a command whose daemon may be failing: it is done, or says in a
// sentence why not.
func (r *torture) asked(args ...string) (out string, done bool) {
	r.t.Helper()
	said, err := r.command(args...).Output()
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case failed && strings.Contains(string(exit.Stderr), "nudge: error: "):
		return string(exit.Stderr), false
	case failed:
		r.t.Errorf("nudge %s: exit %d\n%s%s", strings.Join(args, " "), exit.ExitCode(), said, exit.Stderr)
	case err != nil:
		r.t.Error(err)
	}
	return string(said), err == nil
}

// checkOptOut looks, through a sound daemon, at the suppression that was tried:
// it stands wholly, in the state, in the ledger and with who was enrolled, or
// not at all, and then nobody said that it does.
func (r *torture) checkOptOut(said promises) (suppressed bool) {
	r.t.Helper()
	var all []engine.Suppression
	if err := json.Unmarshal([]byte(r.nudge("suppress", "--list", "--json")), &all); err != nil {
		r.t.Fatal(err)
	}
	suppressed = slices.ContainsFunc(all, func(s engine.Suppression) bool { return s.Target == leavers && s.Why == "asked by phone" })
	if said.suppressed && !suppressed || len(all) > 1 || len(all) == 1 && !suppressed {
		r.t.Errorf("said to be suppressed %t, and the list is %v", said.suppressed, all)
	}
	if ledger := readFile(r.t, filepath.Join(r.dir, "state", "nudge.db.suppressions")); strings.Contains(ledger, "\tadd\t"+leavers+"\t") != suppressed {
		r.t.Errorf("suppressed %t, and the ledger says\n%s", suppressed, ledger)
	}
	for _, v := range r.list() {
		if v.Address != earlyLeaver {
			continue
		}
		if (v.State == engine.Stopped) != suppressed {
			r.t.Errorf("suppressed %t, and %s is %s", suppressed, v.Address, v.State)
		}
		if !suppressed {
			r.nudge("stop", earlyLeaver) // nobody waits an hour
		}
	}
	return suppressed
}

// checkFiles looks at what lies on the disk after a sound run: the state and
// each backup that a person may find are sound, the one that was promised is
// there, and nothing unfinished is left beside the state.
func (r *torture) checkFiles(said promises) {
	r.t.Helper()
	r.nudge("verify")
	backups, err := filepath.Glob(filepath.Join(r.dir, "state", "backups", "*.db"))
	if err != nil {
		r.t.Fatal(err)
	}
	if said.backup != "" && !slices.Contains(backups, said.backup) {
		r.t.Errorf("no backup %s, there are %v", said.backup, backups)
	}
	for _, file := range backups {
		r.nudge("verify", file)
	}
	if left, _ := filepath.Glob(filepath.Join(r.dir, "state", ".*")); len(left) > 0 {
		r.t.Errorf("left behind: %v", left)
	}
}

// to counts the mails that were delivered to an address.
func (p *post) to(address string) int {
	n := 0
	for _, tx := range p.transactions() {
		if tx.to == address && !tx.dotAt.IsZero() {
			n++
		}
	}
	return n
}

// checkEnd holds a daemon to its promise about how it ends.
func (r *torture) checkEnd(d *daemon, f fault, trap *diskTrap) {
	r.t.Helper()
	ended := len(d.ended) > 0
	code := d.terminate()
	_, hit := trap.state()
	log := d.log.String()
	r.notBroken(log)
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

// notBroken fails where a process ended like a broken program.
func (r *rig) notBroken(said string) {
	r.t.Helper()
	for _, cry := range []string{"panic:", "goroutine ", "fatal error:", "SIGBUS", "unexpected fault"} {
		if strings.Contains(said, cry) {
			r.t.Errorf("it ended like a broken program (%q)\n%s", cry, said)
		}
	}
}
