//go:build !linux

package mailbox

import (
	"syscall"
	"time"
)

// controlSocket does nothing where TCP_USER_TIMEOUT does not exist.
func controlSocket(string, string, syscall.RawConn) error { return nil }

// limitUnacked does nothing either.
func limitUnacked(syscall.RawConn, time.Duration) error { return nil }
