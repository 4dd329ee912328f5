package main_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of some bytes over a folder, where a test may.
func smallDisk(t *testing.T, dir string, size string) {
	t.Helper()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		t.Skipf("SKIPPED: a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// TestADaemonOnAFullDiskEndsWithAWord fills the disk under a running daemon.
func TestADaemonOnAFullDiskEndsWithAWord(t *testing.T) {
	a := newAviary(t)
	state := filepath.Join(a.dir, "state")
	smallDisk(t, state, "512k")
	var rows strings.Builder
	rows.WriteString("email\n")
	for i := range 1500 {
		fmt.Fprintf(&rows, "somebody.%d@customer.test\n", i)
	}
	if err := os.WriteFile(filepath.Join(a.dir, "many.csv"), []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	diary, code := a.untilItEnds(func() {
		if code := a.run("file password", "import", "quote", "many.csv"); code == 0 {
			t.Error("the import found room")
		}
	})
	if code != 5 {
		t.Errorf("exit code %d, want 5", code)
	}
	for _, want := range []string{
		"nudge: error: state/nudge.db cannot be written any more, so nothing more is sent: ",
		"no space left on device",
		"nudge: hint: the disk is full: free some space, then start again",
	} {
		if !strings.Contains(diary, want) {
			t.Errorf("not said: %s\n%s", want, diary)
		}
	}

	// With room again, all that was promised is there.
	if err := syscall.Mount("none", state, "tmpfs", syscall.MS_REMOUNT, "mode=0700,size=64m"); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"verify", "import quote many.csv", "status"} {
		if code := a.run("file password", strings.Fields(line)...); code != 0 {
			t.Errorf("nudge %s: exit code %d\n%s", line, code, a.heard.String())
		}
	}
}

// TestAReadOnlyDiskIsSaidAtTheStart looks at a state that may not be written.
func TestAReadOnlyDiskIsSaidAtTheStart(t *testing.T) {
	a := newAviary(t)
	smallDisk(t, filepath.Join(a.dir, "state"), "8m")
	if code := a.run("file password", "list"); code != 0 {
		t.Fatal(a.heard.String())
	}
	if err := syscall.Mount("none", filepath.Join(a.dir, "state"), "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=8m"); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"run", "list", "pause --all"} {
		a.heard.Reset()
		if code := a.run("file password", strings.Fields(command)...); code != 5 || !bytes.Contains(a.heard.Bytes(), []byte("read-only file system")) {
			t.Errorf("nudge %s: exit code %d\n%s", command, code, a.heard.String())
		}
	}
}
