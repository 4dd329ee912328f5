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
// every system call that changes a file or a name below a folder, and it lets the
// call through, fails it, does half of it, or kills the process in its place
// (seccomp(2), user notification). Calls are counted over all threads, which
// strace cannot do.
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
	half  bool          // it is a write, and half of it is done before calls fail
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
	if f.half {
		what = "half, then " + what
	}
	return fmt.Sprintf("%s %d %s", f.call, f.n, what)
}

// call is a system call that changes what is on disk.
type call struct {
	name string
	file int // the argument with the file's descriptor, or with the folder's that path begins in
	path int // the argument with the path; 0 = there is none
}

// trapped are the calls that nudge, and bbolt in it, change the disk with, as
// strace shows them for every command that touches the state.
var trapped = map[uint32]call{
	unix.SYS_WRITE: {name: "write"}, unix.SYS_PWRITE64: {name: "pwrite64"}, unix.SYS_COPY_FILE_RANGE: {name: "copy_file_range", file: 2},
	unix.SYS_FDATASYNC: {name: "fdatasync"}, unix.SYS_FSYNC: {name: "fsync"}, unix.SYS_FTRUNCATE: {name: "ftruncate"},
	unix.SYS_OPENAT: {name: "openat", path: 1}, unix.SYS_MKDIRAT: {name: "mkdirat", path: 1}, unix.SYS_UNLINKAT: {name: "unlinkat", path: 1},
	unix.SYS_LINKAT: {name: "linkat", file: 2, path: 3}, unix.SYS_RENAMEAT: {name: "renameat", file: 2, path: 3}, unix.SYS_RENAMEAT2: {name: "renameat2", file: 2, path: 3},
	unix.SYS_FCHMOD: {name: "fchmod"}, unix.SYS_FCHMODAT: {name: "fchmodat", path: 1}, unix.SYS_FCHOWN: {name: "fchown"},
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
	if c := trapped[uint32(n.nr)]; d.concerns(c, n) {
		switch f, strike := d.strike(c.name); {
		case strike && f.half:
			done, err := writeHalf(n)
			if err != nil {
				return fmt.Errorf("half a %s: %w", c.name, err)
			}
			v.value, v.flags = int64(done), 0
		case strike && f.errno == 0:
			_ = unix.Kill(int(n.pid), unix.SIGKILL) // by a thread's id: it reaches the process
			return nil
		case strike:
			v.err, v.flags = -int32(f.errno), 0
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

// concerns says whether a call changes a file or a name below the folder.
func (d *diskTrap) concerns(c call, n notice) bool {
	if c.name == "openat" && n.arguments[2]&unix.O_CREAT == 0 {
		return false
	}
	process, file := filepath.Join("/proc", fmt.Sprint(n.pid)), int32(n.arguments[c.file])
	from := filepath.Join(process, "fd", fmt.Sprint(file))
	if c.path > 0 && file == unix.AT_FDCWD {
		from = filepath.Join(process, "cwd")
	}
	if c.path > 0 {
		b, _ := remember(n, c.path, unix.PathMax) // its memory may end before that
		path, _, _ := strings.Cut(string(b), "\x00")
		if filepath.IsAbs(path) {
			return strings.HasPrefix(path, d.below)
		}
		folder, err := os.Readlink(from)
		return err == nil && strings.HasPrefix(filepath.Join(folder, path), d.below)
	}
	path, err := os.Readlink(from)
	return err == nil && strings.HasPrefix(path, d.below)
}

// remember reads the memory that an argument points to.
func remember(n notice, argument, length int) ([]byte, error) {
	f, err := os.Open(filepath.Join("/proc", fmt.Sprint(n.pid), "mem"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, length)
	got, err := f.ReadAt(b, int64(n.arguments[argument]))
	return b[:got], err
}

// writeHalf does the first half of a write or pwrite64 in the process's place,
// through its own open file, so that its position moves as well.
func writeHalf(n notice) (int, error) {
	half, err := remember(n, 1, int(n.arguments[2]+1)/2)
	if err != nil {
		return 0, err
	}
	status, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(n.pid), "status"))
	if err != nil {
		return 0, err
	}
	var process int
	_, after, _ := strings.Cut(string(status), "\nTgid:")
	if _, err := fmt.Sscan(after, &process); err != nil {
		return 0, err
	}
	held, err := unix.PidfdOpen(process, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(held)
	fd, err := unix.PidfdGetfd(held, int(int32(n.arguments[0])), 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if trapped[uint32(n.nr)].name == "pwrite64" {
		return unix.Pwrite(fd, half, int64(n.arguments[3]))
	}
	return unix.Write(fd, half)
}

// strike counts a call and says what becomes of it, if anything.
func (d *diskTrap) strike(name string) (f fault, strike bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen[name]++
	f = d.fault
	switch {
	case f.n > 0 && name == f.call && d.seen[name] == f.n:
		d.hit = true
		return f, true
	case d.hit && f.on:
		f.half = false
		return f, true
	}
	return fault{}, false
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
