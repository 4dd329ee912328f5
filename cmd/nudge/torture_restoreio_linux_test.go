package main_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Every call with which nudge restore changes the disk fails, as those of the
// daemon do. Afterwards there is one whole state, the old one or the one that was
// restored, which knows that it is older than what was sent; the old one is not
// lost, and who is suppressed stays so.
func TestTortureEveryWriteOfARestoreFails(t *testing.T) {
	besideOthers(t)
	if reason := trapMissing(); reason != "" {
		t.Skip("SKIPPED disk faults: " + reason)
	}
	r := inMemory(t)
	r.write("sequences/talk.md", talk("talk", 1, "1 second", 0))
	r.people("talk", 1)
	r.nudge("backup", "copy.db")
	r.people("talk", 1)
	r.nudge("suppress", leavers)
	seen := map[string]int{}
	if t.Run("no fault", func(t *testing.T) { seen, _ = restoreFaulty(t, r, fault{}) }) {
		t.Logf("calls of one restore that write: %v", seen)
		eachFault(t, seen, func(t *testing.T, f fault) bool {
			_, hit := restoreFaulty(t, r, f)
			return hit
		})
	}
}

// restoreFaulty restores the copy in a folder like the given one, with a fault,
// and looks at what is there then.
func restoreFaulty(t *testing.T, like *torture, f fault) (seen map[string]int, hit bool) {
	r := &rig{t: t, bin: like.bin, dir: t.TempDir()}
	if err := os.CopyFS(r.dir, os.DirFS(like.dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(r.dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	trap := &diskTrap{below: filepath.Join(r.dir, "state"), fault: f}
	cmd := trap.command(t, r.command("restore", "copy.db", "--yes"))
	out, err := cmd.CombinedOutput()
	seen, hit = trap.state()
	said := string(out)
	r.notBroken(said)
	switch killed := cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled(); {
	case killed && (!hit || f.errno != 0):
		t.Errorf("a signal ended it: %v\n%s", err, said)
	case !killed && err != nil && (!hit || !strings.Contains(said, "nudge: error: ")):
		t.Errorf("%v, struck %t\n%s", err, hit, said)
	}

	r.nudge("verify")
	here := map[string]bool{}
	for _, v := range r.list() { // it opens the state, which removes what is unfinished
		here[v.Address] = true
	}
	first, both := map[string]bool{like.enrolled[0]: true}, map[string]bool{like.enrolled[0]: true, like.enrolled[1]: true}
	restored := maps.Equal(here, first)
	if !restored && (err == nil || !maps.Equal(here, both)) {
		t.Errorf("%v\n%sand afterwards there are %v", err, said, here)
	}
	if knows := strings.Contains(r.nudge("log"), "restored from a backup"); knows != restored {
		t.Errorf("restored %t, and the state knows of it %t", restored, knows)
	}
	if !strings.Contains(r.nudge("suppress", "--list"), leavers) {
		t.Errorf("%s is forgotten", leavers)
	}
	kept, _ := filepath.Glob(filepath.Join(r.dir, "state", "nudge.db.before-restore-*"))
	for _, file := range kept {
		r.nudge("verify", file)
	}
	if restored && len(kept) == 0 {
		t.Error("the state that was there is lost")
	}
	if left, _ := filepath.Glob(filepath.Join(r.dir, "state", ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if f.n == 0 {
		notBlind(t, seen, "fchown", "renameat2", "mkdirat", "write")
	}
	return seen, hit
}
