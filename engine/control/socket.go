package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ErrNotRunning says that no daemon listens: the state file may be opened.
var ErrNotRunning = errors.New("no daemon is running")

// ErrGone says that the daemon went away in the middle of a call. What was
// asked may have been done or not.
var ErrGone = errors.New("the daemon went away before it answered")

// ErrRunning says that a daemon listens already.
var ErrRunning = errors.New("another daemon is running")

// ErrSilent says that a daemon listens but does not answer: it hangs, or was
// stopped with a signal. What was asked may be done later or not.
var ErrSilent = errors.New("the daemon does not answer")

// silence is ErrSilent with the daemon's name.
type silence struct{ path string }

func (s *silence) Error() string { return "the daemon on " + s.path + " does not answer" }

// Is makes errors.Is find ErrSilent.
func (s *silence) Is(target error) bool { return target == ErrSilent }

// maxPath is the longest path that every system takes for a socket: sun_path
// is 104 bytes on BSD and macOS, 108 on Linux, with a final NUL.
const maxPath = 100

// dialPatience bounds how long a command waits to learn that a daemon runs. The
// system answers at once, even for a daemon that hangs: only on a machine so
// busy that the command itself must wait does it take longer.
const dialPatience = 2 * time.Second

// SocketPath is where the daemon of a state file listens: beside the file, or,
// where that path is too long for a socket, under a name made from it in the
// directory for temporary files.
func SocketPath(state string) string {
	if abs, err := filepath.Abs(state); err == nil {
		state = abs
	}
	if path := state + ".sock"; len(path) <= maxPath {
		return path
	}
	sum := sha256.Sum256([]byte(state))
	return filepath.Join(os.TempDir(), "nudge-"+hex.EncodeToString(sum[:8])+".sock")
}

// Listen makes the socket, mode 0600. A socket that a dead daemon left is
// removed; ErrRunning when a living one answers. Closing the listener removes
// the socket.
func Listen(path string) (net.Listener, error) {
	if err := checkDirectory(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := clear(path); err != nil {
		return nil, err
	}
	// On Linux a socket's file gets the mode that the socket has when it is
	// bound, so there is no moment at which others could connect. Elsewhere
	// this fails harmlessly and the mode is set below.
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
	}}
	l, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return l, nil
}

// checkDirectory refuses a directory in which anybody could put a socket of
// their own in place of ours. A group is let pass, since on many systems
// everybody has one of their own; checkOwner sees what others of it make.
func checkDirectory(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if mode := info.Mode(); mode.Perm()&0o002 != 0 && mode&fs.ModeSticky == 0 {
		return fmt.Errorf("control socket: directory %s may be written by everybody (mode %04o); chmod o-w %s", dir, mode.Perm(), dir)
	}
	return nil
}

// clear removes what a dead daemon left.
func clear(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("control socket: %s is in the way and is not a socket", path)
	}
	conn, err := net.DialTimeout("unix", path, dialPatience)
	if err == nil {
		_ = conn.Close()
		return ErrRunning
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("control socket: %w", err) // full, or not ours: somebody may be alive behind it
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

// checkOwner refuses a socket that another user made, to whom we would tell
// our prospects. The superuser may talk to everybody's daemon.
func checkOwner(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if me := os.Geteuid(); me != 0 && int(stat.Uid) != me && stat.Uid != 0 {
			return fmt.Errorf("control socket %s belongs to another user", path)
		}
	}
	return nil
}
