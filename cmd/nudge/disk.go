package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"nudge/engine/bolt"
)

// diskHint is what to do about a disk that takes no more, or "" when an error is
// about something else. The memory passes on the words of a failed commit and
// not its number, so the words count too.
func diskHint(err error) string {
	for _, known := range []struct {
		errno syscall.Errno
		hint  string
	}{
		{syscall.ENOSPC, "the disk is full: free some space, then start again"},
		{syscall.EDQUOT, "this user's share of the disk is full: free some space, then start again"},
		{syscall.EROFS, "the disk is mounted read-only: see dmesg for the reason, mount it writable, then start again"},
		{syscall.EIO, "the disk fails: see dmesg, and copy the state to another disk before you start again"},
	} {
		if errors.Is(err, known.errno) || strings.Contains(err.Error(), known.errno.Error()) {
			return known.hint
		}
	}
	return ""
}

// brokenStore is how the daemon ends when the state can no longer be written:
// what is on disk is true, and only a fresh start reads it.
func brokenStore(state string, err error) error {
	cause := err.Error()
	if _, after, ok := strings.Cut(cause, bolt.ErrCommit.Error()+": "); ok {
		cause = after
	}
	return &trouble{code: exitTemporary, what: fmt.Sprintf("%s cannot be written any more, so nothing more is sent: %s", state, cause),
		hint: or(diskHint(err), "check the disk, then start again: the state on it is whole")}
}
