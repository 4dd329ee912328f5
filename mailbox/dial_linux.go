package mailbox

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// controlSocket makes the kernel give a connection up once bytes stay
// unacknowledged for too long (tcp(7), TCP_USER_TIMEOUT): a half-open
// connection is noticed in seconds instead of minutes.
func controlSocket(network, _ string, raw syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	return limitUnacked(raw, unackedTimeout)
}

// limitUnacked sets how long bytes may stay unacknowledged.
func limitUnacked(raw syscall.RawConn, limit time.Duration) error {
	return raw.Control(func(fd uintptr) {
		// A kernel without the option still works, only slower to notice.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(limit.Milliseconds()))
	})
}
