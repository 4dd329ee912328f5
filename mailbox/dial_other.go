//go:build !linux

package mailbox

import "syscall"

// controlSocket does nothing where TCP_USER_TIMEOUT does not exist.
func controlSocket(string, string, syscall.RawConn) error { return nil }
