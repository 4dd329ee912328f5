package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// What the config names is read when nobody looks on. A pipe into which nobody
// writes would be waited for without end, and a device may never end: neither is
// opened.

// strange names what a file is that is no regular one, "" for one that is.
func strange(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return ""
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// readPlain reads a regular file, or what was handed over.
func readPlain(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if kind := strange(info.Mode()); kind != "" && !info.IsDir() && !handedOver(path) {
		return nil, &trouble{code: exitFailed, what: fmt.Sprintf("%s is %s, not a regular file", path, kind)}
	}
	return os.ReadFile(path)
}

// handedOver says whether a path names what the caller opened for this process,
// as standard input or as what the shell's <(…) stands for: whoever typed it
// knows that something comes. Nothing comes from /dev/null, and at once.
func handedOver(path string) bool {
	path = filepath.Clean(path)
	return path == os.DevNull || path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}
