package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// The config names commands that nudge runs, and whoever may write into the
// state's folder may put another state there. So neither may be open to everybody.
// What is open to a group may be meant so: that is told when the daemon starts.

const (
	groupWrites  = 0o020
	othersWrites = 0o002
)

// configOpen is the trouble with a config file that everybody may change, or nil.
func configOpen(file string) error {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&othersWrites == 0 {
		return nil // a pipe has no mode that matters, and reading tells what else is wrong
	}
	return &trouble{code: exitUsage, what: fmt.Sprintf("%s may be changed by everybody on this machine (mode %04o), and it can name commands to run", file, info.Mode().Perm()),
		hint: "look whether it still says what you wrote, then chmod go-w " + shell(file)}
}

// stateOpen is the trouble with a state's folder into which everybody may write,
// or nil.
func stateOpen(s settings) error {
	dir := filepath.Dir(s.state)
	info, err := os.Stat(dir)
	if err != nil || info.Mode()&othersWrites == 0 {
		return nil // opening the state tells what else is wrong
	}
	return &trouble{code: exitUsage, what: fmt.Sprintf("everybody on this machine may write into %s (mode %04o), where the state is", dir, info.Mode().Perm()),
		hint: "chmod 700 " + shell(dir) + ", or set state in " + s.config() + " to a file in a folder of your own"}
}

// warnOfGroups tells in the diary what a group may change.
func warnOfGroups(log *slog.Logger, s settings) {
	for what, path := range map[string]string{"config": s.file, "state folder": filepath.Dir(s.state)} {
		if info, err := os.Stat(path); err == nil && info.Mode()&groupWrites != 0 {
			log.Warn("a group may change it", "what", what, "path", path, "mode", fmt.Sprintf("%04o", info.Mode().Perm()), "hint", "chmod g-w "+shell(path))
		}
	}
}
