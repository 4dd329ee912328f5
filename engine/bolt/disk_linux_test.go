package bolt

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nudge/engine"
)

// onItsOwnDisk runs a test again in a process of its own, where it may mount
// file systems that nobody else sees. It says whether this is that process.
func onItsOwnDisk(t *testing.T) bool {
	t.Helper()
	const inside = "NUDGE_TEST_MOUNTS"
	if os.Getenv(inside) == t.Name() {
		if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Skip(err)
		}
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"="+t.Name())
	root := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	group := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, UidMappings: root, GidMappings: group}
	out, err := cmd.CombinedOutput()
	_, ran := errors.AsType[*exec.ExitError](err)
	if err != nil && !ran || strings.Contains(string(out), "--- SKIP: "+t.Name()) {
		t.Skipf("SKIPPED, not tested here: a process may not have file systems of its own: %v\n%s", err, out)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// disk mounts a small file system in memory.
func disk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func remount(t *testing.T, dir string, flags uintptr, size string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, "size="+size); err != nil {
		t.Fatal(err)
	}
}

func TestADiskThatFillsUpStopsAllWriting(t *testing.T) {
	if !onItsOwnDisk(t) {
		return
	}
	dir := disk(t, "1m")
	path := filepath.Join(dir, "state.db")
	s := reopen(t, path)
	kept := 0
	var err error
	for n := 0; err == nil && n < 100_000; n++ {
		if _, _, err = s.Enroll([]engine.Enrollment{prospect(n)}); err == nil {
			kept++
		}
	}
	for range 2 {
		if !errors.Is(err, ErrCommit) || !errors.Is(err, syscall.ENOSPC) || !strings.HasSuffix(err.Error(), "no space left on device") {
			t.Fatalf("error %v", err)
		}
		err = s.Note(engine.Event{At: monday}) // a later writer
	}
	_, err = s.Backup(filepath.Join(dir, "backup.db"), monday)
	if err == nil || !strings.HasSuffix(err.Error(), "no space left on device") {
		t.Errorf("backup: %v", err)
	}
	closeStore(t, s)
	names, _ := filepath.Glob(dir + "/*")
	hidden, _ := filepath.Glob(dir + "/.*new*")
	if len(names) != 4 || len(hidden) != 0 {
		t.Errorf("left %v %v", names, hidden)
	}

	remount(t, dir, 0, "64m")
	s = reopen(t, path)
	defer closeStore(t, s)
	if c, err := s.Counts(); err != nil || c.Active < kept || c.Active > kept+1 {
		t.Errorf("%d are there, and of %d it was said, %v", c.Active, kept, err)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

func TestADiskTooFullForTheLedgerForgetsNobody(t *testing.T) {
	if !onItsOwnDisk(t) {
		return
	}
	dir := disk(t, "1m")
	path := filepath.Join(dir, "state.db")
	s := reopen(t, path)
	if _, _, err := s.Enroll([]engine.Enrollment{prospect(1), prospect(2)}); err != nil {
		t.Fatal(err)
	}
	suppress(t, s, prospect(2).Address, "unsubscribed", true)
	writeUntilFull(t, filepath.Join(dir, "filler"))
	_, err := s.Suppress(prospect(1).Address, "asked to, "+strings.Repeat("and again, ", 1000), true, monday)
	if !errors.Is(err, ErrCommit) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "ledger") {
		t.Errorf("error %v", err)
	}
	closeStore(t, s)
	remove(t, filepath.Join(dir, "filler"))
	for range 2 { // the line was torn behind the name
		s = reopen(t, path)
		got := suppressions(t, s)
		if len(got) != 2 || got[prospect(2).Key] != "unsubscribed" || !strings.HasPrefix(got[prospect(1).Key], "asked to, ") {
			t.Errorf("%d suppressions: %.200v", len(got), got)
		}
		if err := s.Verify(); err != nil {
			t.Error(err)
		}
		closeStore(t, s)
	}
}

func writeUntilFull(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

func TestAStateOnAReadOnlyDiskIsRefused(t *testing.T) {
	if !onItsOwnDisk(t) {
		return
	}
	dir := disk(t, "64m")
	path := filepath.Join(dir, "state.db")
	closeStore(t, reopen(t, path))
	remount(t, dir, syscall.MS_RDONLY, "64m")
	for _, p := range []string{path, path + ".none"} {
		_, err := Open(p, Options{})
		if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "nothing can be written") {
			t.Errorf("error %v", err)
		}
	}
	if err := VerifyFile(path); err != nil {
		t.Errorf("reading it: %v", err)
	}
}
