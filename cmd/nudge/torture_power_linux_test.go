package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// disk is a small ext4 in a file, mounted for one test, whose power can be cut.
type disk struct {
	t            testing.TB
	image, mount string
}

// newDisk makes and mounts a disk, or skips the test.
func newDisk(t testing.TB, megabytes int) *disk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED power cuts: not run as root")
	}
	d := &disk{t: t, image: filepath.Join(t.TempDir(), "image"), mount: filepath.Join(t.TempDir(), "mount")}
	if err := os.Mkdir(d.mount, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, int64(megabytes)<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := tool("mkfs.ext4", "-q", "-F", "-m", "0", d.image).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED power cuts: no ext4 can be made here: %v %s", err, out)
	}
	if out, err := tool("mount", "-o", "loop", d.image, d.mount).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED power cuts: no loop device can be mounted here: %v %s", err, out)
	}
	t.Cleanup(d.unmount)
	return d
}

// tool is a program that is installed where people do not look.
func tool(name string, args ...string) *exec.Cmd {
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin"} {
		if path := filepath.Join(dir, name); exists(path) {
			return exec.Command(path, args...)
		}
	}
	return exec.Command(name, args...)
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func (d *disk) unmount() {
	if out, err := tool("umount", d.mount).CombinedOutput(); err != nil {
		d.t.Errorf("umount: %v %s", err, out)
	}
}

// cut cuts the power: what was not written by then never will be
// (EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH).
func (d *disk) cut() {
	const shutdown, noLogFlush = 0x8004587d, 2
	dir, err := os.Open(d.mount)
	if err != nil {
		d.t.Fatal(err)
	}
	defer dir.Close()
	how := uint32(noLogFlush)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, dir.Fd(), shutdown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		d.t.Skipf("SKIPPED power cuts: the power cannot be cut here: %v", errno)
	}
}

// powerUp mounts the disk again, as the next start would find it.
func (d *disk) powerUp() {
	d.t.Helper()
	d.unmount()
	if out, err := tool("mount", "-o", "loop", d.image, d.mount).CombinedOutput(); err != nil {
		d.t.Fatalf("the disk cannot be mounted again: %v %s", err, out)
	}
}

// keepsStateOn moves the state to a folder elsewhere.
func (r *torture) keepsStateOn(dir string) {
	r.t.Helper()
	config := readFile(r.t, filepath.Join(r.dir, "nudge.toml"))
	r.write("nudge.toml", strings.Replace(config, `"state/nudge.db"`, fmt.Sprintf("%q", filepath.Join(dir, "nudge.db")), 1))
}

// The power fails at random moments while touches are sent and opt-outs come
// in. After each cut the state opens, whoever was enrolled is there, whoever was
// stopped or suppressed still is, and nobody gets anything twice.
func TestTorturePowerCuts(t *testing.T) {
	besideOthers(t)
	const steps = 3
	disk := newDisk(t, 64)
	r := inMemory(t)
	r.keepsStateOn(disk.mount)
	r.write("sequences/talk.md", talk("talk", steps, "1 second", 0))
	cuts := trials(3, 30)
	began := time.Now()
	struck := map[stage]int{}
	for range cuts {
		struck[r.failPower(disk)]++
		if t.Failed() {
			return
		}
	}
	d := r.launch()
	d.awaitReady()
	r.settled(3 * time.Minute)
	count := r.audit(steps)
	r.answerDoubts()
	r.settled(3 * time.Minute)
	if code := d.terminate(); code != 0 {
		t.Errorf("exit code %d\n%s", code, d.log)
	}
	end := r.audit(steps)
	if end.doubtful > 0 {
		t.Errorf("after every doubt was answered: %s", end)
	}
	t.Logf("%d power cuts in %s at %v: %s", cuts, time.Since(began).Round(time.Millisecond), struck, count)
	t.Logf("once a person has answered the doubts: %s", end)
}

// failPower cuts the power of the disk under a sending daemon, at a random
// stage, and returns the stage.
func (r *torture) failPower(disk *disk) stage {
	stages := []stage{atMail, pastRcpt, atData, atDot, pastDot}
	where := stages[rand.IntN(len(stages))]
	d := r.launch()
	d.awaitReady()
	held := r.post.stall(where, 1+rand.IntN(30), nil)
	fresh := r.people("talk", 40)
	r.reply(fresh[0], "Please unsubscribe me from this list.")
	r.reply(fresh[1], "Yes, that is fine.")
	select {
	case <-held.reached:
	case <-time.After(60 * time.Second):
		r.t.Errorf("%s was never reached\n%s", where, d.log)
	}
	nap(20 * time.Millisecond)
	before := r.ended()
	if rand.IntN(2) == 0 {
		disk.cut()
		held.release()
		nap(20 * time.Millisecond) // it goes on, on a dead disk
		d.kill()
	} else {
		d.kill()
		disk.cut()
		held.release()
	}
	disk.powerUp()
	after := r.ended()
	for address := range before {
		if !after[address] {
			r.t.Errorf("%s was stopped before the power failed, and is not after it", address)
		}
	}
	return where
}

// The disk runs full while touches are sent. The daemon ends with a sentence
// about it; when there is room again it goes on, and nobody gets anything twice.
func TestTortureDiskFull(t *testing.T) {
	besideOthers(t)
	for n := range trials(1, 5) {
		t.Run(fmt.Sprintf("disk %d", n+1), diskFull)
	}
}

func diskFull(t *testing.T) {
	const steps = 2
	disk := newDisk(t, 6)
	r := inMemory(t)
	r.keepsStateOn(disk.mount)
	r.write("sequences/talk.md", talk("talk", steps, "1 second", 0))
	r.people("talk", 40)
	d := r.launch()
	d.awaitReady()
	nap(300 * time.Millisecond)
	full := filepath.Join(disk.mount, "full")
	fill(t, full)
	crowd := r.crowd(150) // more than the file has room for
	if out, err := r.command("import", "talk", "crowd.csv").CombinedOutput(); err == nil || !strings.Contains(string(out), "nudge: error: ") {
		t.Errorf("import with a full disk: %v %s", err, out)
	}
	select {
	case err := <-d.ended:
		d.ended <- err
	case <-time.After(60 * time.Second):
		t.Errorf("the daemon goes on with a full disk\n%s", d.log)
	}
	code, log := d.terminate(), d.log.String()
	if code == 0 || !strings.Contains(log, "nudge: error: ") || !strings.Contains(log, "no space left") && !strings.Contains(log, "is full") {
		t.Errorf("with a full disk: exit code %d\n%s", code, log)
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	r.nudge("import", "talk", "crowd.csv")
	r.enrolled = append(r.enrolled, crowd...)
	d = r.launch()
	d.awaitReady()
	r.settled(time.Minute)
	if code := d.terminate(); code != 0 {
		t.Errorf("exit code %d with room again\n%s", code, d.log)
	}
	t.Logf("the disk was full (exit code %d): %s", code, r.audit(steps))
}

// crowd writes a file of n prospects that nobody has enrolled yet.
func (r *torture) crowd(n int) []string {
	r.t.Helper()
	var all []string
	csv := "email,name\n"
	for i := range n {
		address := fmt.Sprintf("c%d@crowd%d.test", len(r.enrolled)+i, i)
		all = append(all, address)
		csv += address + "," + strings.Repeat("Long Name ", 20) + "\n"
	}
	r.write("crowd.csv", csv)
	return all
}

// fill leaves no room on a disk.
func fill(t testing.TB, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size >= 1<<10; size /= 2 {
		for block := make([]byte, size); ; {
			if _, err := f.Write(block); err != nil {
				break
			}
		}
	}
	_ = f.Sync() // it is full: that is the point
}
