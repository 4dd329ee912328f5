package mailpair

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// StopDovecot ends Dovecot and every session in it, as a restart would. New
// connections are refused until StartDovecot.
func (p *Pair) StopDovecot(tb testing.TB) {
	tb.Helper()
	pids := p.dovecot(tb)
	if len(pids) == 0 {
		tb.Fatal("Dovecot does not run")
	}
	signal(tb, pids[:1], syscall.SIGTERM)
	eventually(tb, "Dovecot's master has ended", func() bool { return !running(pids[0]) })
	// A session may outlive its master for a moment: no one must read from it.
	signal(tb, pids[1:], syscall.SIGKILL)
	eventually(tb, "Dovecot's sessions have ended", func() bool { return !slices.ContainsFunc(pids, running) })
}

// StartDovecot starts Dovecot again after StopDovecot, on the same ports and
// mail, and returns when it takes connections.
func (p *Pair) StartDovecot(tb testing.TB) {
	tb.Helper()
	// A pipe would be kept open by the daemon, so there is none.
	if err := command("dovecot", "-c", filepath.Join(p.Dir, "dovecot/dovecot.conf")).Run(); err != nil {
		tb.Fatalf("Dovecot did not start: %v", err)
	}
}

// FreezeDovecot stops Dovecot and every session in it from running without
// ending them: connections stay open and nothing answers, as behind a dead
// network. The kernel still takes new connections for it.
func (p *Pair) FreezeDovecot(tb testing.TB) {
	tb.Helper()
	// The master first, so that no session is born while the others freeze.
	pids := p.dovecot(tb)
	if len(pids) == 0 {
		tb.Fatal("Dovecot does not run")
	}
	signal(tb, pids[:1], syscall.SIGSTOP)
	pids = p.dovecot(tb)
	signal(tb, pids[1:], syscall.SIGSTOP)
	eventually(tb, "Dovecot is frozen", func() bool { return !slices.ContainsFunc(pids, thawed) })
	// Whatever happens to the test, down must be able to end them.
	tb.Cleanup(func() { signal(tb, p.dovecot(tb), syscall.SIGCONT) })
}

// ThawDovecot lets Dovecot run on after FreezeDovecot.
func (p *Pair) ThawDovecot(tb testing.TB) {
	tb.Helper()
	pids := p.dovecot(tb)
	signal(tb, pids, syscall.SIGCONT)
	eventually(tb, "Dovecot is thawed", func() bool { return !slices.ContainsFunc(pids, frozen) })
}

// dovecot returns the ids of this pair's Dovecot processes, the master first,
// or none when it does not run.
func (p *Pair) dovecot(tb testing.TB) []int {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join(p.Dir, "dovecot/run/master.pid"))
	if err != nil {
		return nil
	}
	master, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		tb.Fatalf("Dovecot's pid file: %v", err)
	}
	// A stale file could name a stranger.
	if line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(master), "cmdline")); err != nil || !strings.Contains(string(line), p.Dir) {
		return nil
	}
	return append([]int{master}, children(tb, master)...)
}

// children returns the ids of the processes that a process has started.
func children(tb testing.TB, parent int) []int {
	tb.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		tb.Fatal(err)
	}
	var pids []int
	for _, file := range stats {
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			if _, ppid := state(pid); ppid == parent {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// state returns a process's state letter and parent (proc(5)), or "" and 0
// when there is no such process.
func state(pid int) (string, int) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", 0
	}
	// The second field is the name in brackets, which may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return "", 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return fields[0], parent
}

// running says whether a process exists and is no zombie that nobody has
// collected yet.
func running(pid int) bool {
	letter, _ := state(pid)
	return letter != "" && letter != "Z" && letter != "X"
}

func frozen(pid int) bool { return running(pid) && !thawed(pid) }

// thawed says whether a process could still run.
func thawed(pid int) bool {
	letter, _ := state(pid)
	return running(pid) && letter != "T"
}

func signal(tb testing.TB, pids []int, sig syscall.Signal) {
	tb.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
			tb.Fatalf("process %d: %v", pid, err)
		}
	}
}
