package main_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// diskTrap stands between a process and its disk: the kernel asks it about
// every system call that writes to a file below a folder, and it lets the call
// through, fails it, or kills the process in its place (seccomp(2), user
// notification). Calls are counted over all threads, which strace cannot do.
type diskTrap struct {
	below string
	fault fault

	mu   sync.Mutex
	seen map[string]int // calls so far, by name
	hit  bool
	err  error // why the trap itself stopped working
}

// fault is what becomes of a call. Its zero value lets everything through.
type fault struct {
	call  string        // its name
	n     int           // at its n-th time, from 1
	on    bool          // and from then on: all calls fail
	errno syscall.Errno // 0 kills the process
}

func (f fault) String() string {
	what := "kill"
	if f.errno != 0 {
		what = unix.ErrnoName(f.errno)
	}
	if f.on {
		what += " from then on"
	}
	return fmt.Sprintf("%s %d %s", f.call, f.n, what)
}

// trapped are the calls that change what is on disk.
var trapped = map[uint32]string{
	unix.SYS_WRITE: "write", unix.SYS_PWRITE64: "pwrite64", unix.SYS_FDATASYNC: "fdatasync", unix.SYS_FSYNC: "fsync",
	unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_RENAMEAT: "renameat", unix.SYS_RENAMEAT2: "renameat2",
}

// The helper process reads its task from here; see TestTortureTrapped.
const trapEnv = "NUDGE_TORTURE_TRAPPED"

// command is the given command, run under the trap. The trap works from
// the command's start to its end.
func (d *diskTrap) command(t testing.TB, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	patience := unix.Timeval{Sec: 60}
	if err := unix.SetsockoptTimeval(pair[0], unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "trap")
	caught := exec.Command(self, "-test.run=^TestTortureTrapped$")
	caught.Dir, caught.Env = cmd.Dir, append(os.Environ(), trapEnv+"="+strings.Join(cmd.Args, "\n"))
	caught.ExtraFiles = []*os.File{theirs}
	d.seen = map[string]int{}
	over := make(chan struct{})
	go func() {
		defer close(over)
		if err := d.serve(pair[0]); err != nil {
			d.mu.Lock()
			d.err = err
			d.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = unix.Shutdown(pair[0], unix.SHUT_RDWR) // wakes one that still waits for its helper
		defer unix.Close(pair[0])
		defer theirs.Close()
		select {
		case <-over:
		case <-time.After(60 * time.Second):
			t.Error("the trap did not end with its process")
		}
		if d.err != nil {
			t.Errorf("the trap broke: %v", d.err)
		}
	})
	return caught
}

// TestTortureTrapped is no test: it is the process that puts itself under the
// trap and becomes the command it was given.
func TestTortureTrapped(t *testing.T) {
	args := strings.Split(os.Getenv(trapEnv), "\n")
	if args[0] == "" {
		t.Skip("only run by the tests that need a trap")
	}
	runtime.LockOSThread() // the filter is this thread's, and exec makes it the process's
	load := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: k}
	}
	answer := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	filter := []unix.SockFilter{load(0)} // the call's number
	for number := range trapped {
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: number, Jf: 1}, answer(unix.SECCOMP_RET_USER_NOTIF))
	}
	filter = append(filter, answer(unix.SECCOMP_RET_ALLOW))
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	environ := os.Environ()
	fd, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		t.Fatal(errno)
	}
	err := unix.Sendmsg(3, []byte{0}, unix.UnixRights(int(fd)), nil, 0)
	for errors.Is(err, unix.EINTR) {
		err = unix.Sendmsg(3, []byte{0}, unix.UnixRights(int(fd)), nil, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(3)
	t.Fatal(syscall.Exec(args[0], args, environ))
}

// serve takes the listener from the helper and answers for as long as a process
// is under it.
func (d *diskTrap) serve(socket int) error {
	buf, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, buf, oob, unix.MSG_CMSG_CLOEXEC)
	for errors.Is(err, unix.EINTR) { // the runtime sends its threads signals
		_, n, _, _, err = unix.Recvmsg(socket, buf, oob, unix.MSG_CMSG_CLOEXEC)
	}
	if err != nil {
		return err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) == 0 {
		return fmt.Errorf("no listener came: %v", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	defer unix.Close(fds[0])
	for {
		ready := []unix.PollFd{{Fd: int32(fds[0]), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		switch {
		case ready[0].Revents&unix.POLLIN != 0:
			if err := d.answer(fds[0]); err != nil {
				return err
			}
		case ready[0].Revents&unix.POLLHUP != 0:
			return nil // nobody is left under it
		}
	}
}

// notice is struct seccomp_notif, verdict struct seccomp_notif_resp.
type notice struct {
	id        uint64
	pid, _    uint32
	nr        int32
	arch      uint32
	ip        uint64
	arguments [6]uint64
}

type verdict struct {
	id    uint64
	value int64
	err   int32
	flags uint32
}

func (d *diskTrap) answer(fd int) error {
	var n notice
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n))); errno != 0 {
		if errno == unix.ENOENT || errno == unix.EINTR {
			return nil // it died while it asked
		}
		return errno
	}
	v := verdict{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	if name := trapped[uint32(n.nr)]; d.concerns(name, n) {
		if errno, strike := d.strike(name); strike && errno == 0 {
			_ = unix.Kill(int(n.pid), unix.SIGKILL) // by a thread's id: it reaches the process
			return nil
		} else if strike {
			v.err, v.flags = -int32(errno), 0
		}
	}
	for { // a signal to this thread, as the runtime sends them, must not leave the call unanswered
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&v)))
		switch errno {
		case 0, unix.ENOENT: // it died, or asks again
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

// concerns says whether a call is about a file below the folder, or the folder.
func (d *diskTrap) concerns(name string, n notice) bool {
	if strings.HasPrefix(name, "rename") {
		return true
	}
	path, err := os.Readlink(filepath.Join("/proc", fmt.Sprint(n.pid), "fd", fmt.Sprint(int32(n.arguments[0]))))
	return err == nil && strings.HasPrefix(path, d.below)
}

// strike counts a call and says whether it is the one.
func (d *diskTrap) strike(name string) (syscall.Errno, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen[name]++
	switch {
	case d.fault.n > 0 && name == d.fault.call && d.seen[name] == d.fault.n, d.hit && d.fault.on:
		d.hit = true
		return d.fault.errno, true
	}
	return 0, false
}

// state is what the trap has seen so far.
func (d *diskTrap) state() (seen map[string]int, hit bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	seen = map[string]int{}
	for name, n := range d.seen {
		seen[name] = n
	}
	return seen, d.hit
}
