package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// commandPatience bounds how long a password command may run.
const commandPatience = 30 * time.Second

// maxSecret bounds a password, in bytes.
const maxSecret = 64 << 10

// secretError says why there is no password, and what to do about it.
type secretError struct{ what, hint string }

func (e *secretError) Error() string { return "password: " + e.what }

// parsePasswordFrom reads where a password comes from. What it returns is asked
// at every login, so that a changed secret is picked up and none is kept. Its
// errors name the place and never what was found there. path makes a path
// absolute.
func parsePasswordFrom(s string, path func(string) string) (func(context.Context) (string, error), error) {
	kind, name, _ := strings.Cut(strings.TrimSpace(s), " ")
	name = strings.TrimSpace(name)
	switch kind {
	case "":
		return nil, errors.New("it is missing")
	case "oauth":
		return nil, errors.New("oauth is not available yet")
	case "credential", "file", "command", "env":
		if name == "" {
			return nil, fmt.Errorf("%q does not say which", kind)
		}
	default: // not repeated: it may well be the password itself
		return nil, errors.New("it does not name a place for a password")
	}
	switch kind {
	case "credential":
		if name != filepath.Base(name) {
			return nil, fmt.Errorf("credential %q must be a name, not a path", name)
		}
		return func(context.Context) (string, error) { return credential(name) }, nil
	case "file":
		return func(context.Context) (string, error) { return privateFile(path(name)) }, nil
	case "command":
		return func(ctx context.Context) (string, error) { return firstLine(ctx, name) }, nil
	}
	return func(context.Context) (string, error) {
		secret := os.Getenv(name)
		if secret == "" {
			return "", &secretError{fmt.Sprintf("variable %s is not set", name),
				fmt.Sprintf(`export %s before nudge run, or keep the password in a file: password-from = "file PATH"`, name)}
		}
		return secret, nil
	}, nil
}

// credential reads what systemd hands to a unit with LoadCredential=.
func credential(name string) (string, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return "", &secretError{fmt.Sprintf("credential %s: $CREDENTIALS_DIRECTORY is not set", name),
			fmt.Sprintf(`credentials come from systemd: start nudge as a unit with LoadCredential=%s:PATH, or write password-from = "file PATH"`, name)}
	}
	file := filepath.Join(dir, name)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return "", &secretError{fmt.Sprintf("systemd passed on no credential %s", name), fmt.Sprintf("add LoadCredential=%s:PATH to the unit", name)}
	}
	return readSecret(file)
}

// privateFile reads a file that nobody else may read.
func privateFile(file string) (string, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", &secretError{fmt.Sprintf("there is no file %s", file), "write the password on its first line, then chmod 600 " + shell(file)}
	case err != nil:
		return "", fmt.Errorf("password: %w", err)
	case info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0:
		return "", &secretError{fmt.Sprintf("%s may be read by others (mode %04o)", file, info.Mode().Perm()), "chmod 600 " + shell(file)}
	}
	return readSecret(file)
}

// readSecret reads a regular file. A password is asked for again at every login,
// so nothing that gives it only once would do.
func readSecret(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	if kind := strange(info.Mode()); kind != "" {
		return "", &secretError{fmt.Sprintf("%s is %s, not a regular file", file, kind),
			`write the password into a file of its own, or have a program print it: password-from = "command CMD"`}
	}
	if info.Size() > maxSecret {
		return "", &secretError{file + " is too large to be one", onlyThePassword}
	}
	source, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrPermission) {
		return "", &secretError{"this user may not read " + file, "run nudge as the user the file belongs to, or give it the file with chown"}
	} else if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	return oneLine(source, file)
}

// firstLine runs a command and takes the first line it prints. What it says
// when it fails is not passed on: it might hold the secret.
func firstLine(ctx context.Context, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.WaitDelay = time.Second // children of the shell may hold its output open
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return "", &secretError{fmt.Sprintf("command took longer than %s", commandPatience), "run the command of password-from by hand: it may wait for an answer"}
	case err != nil:
		return "", &secretError{fmt.Sprintf("command failed: %v", err), "run the command of password-from by hand to see why"}
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return oneLine(line, "command")
}

// onlyThePassword is what to do about a file or a command that says more or less.
const onlyThePassword = "it must hold the password on one line, and nothing else"

// oneLine is a secret without the line end it was written with.
func oneLine(source []byte, from string) (string, error) {
	secret := strings.TrimRight(string(source), "\r\n")
	switch {
	case secret == "":
		return "", &secretError{from + " is empty", onlyThePassword}
	case strings.ContainsAny(secret, "\r\n"):
		return "", &secretError{from + " holds more than one line", onlyThePassword}
	}
	return secret, nil
}
