package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
			return "", fmt.Errorf("password: variable %s is not set", name)
		}
		return secret, nil
	}, nil
}

// credential reads what systemd hands to a unit with LoadCredential=.
func credential(name string) (string, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return "", fmt.Errorf("password: credential %s: $CREDENTIALS_DIRECTORY is not set; start nudge by systemd with LoadCredential=", name)
	}
	return readSecret(filepath.Join(dir, name))
}

// privateFile reads a file that nobody else may read.
func privateFile(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("password: %s may be read by others (mode %04o); chmod 600 %s", file, info.Mode().Perm(), file)
	}
	return readSecret(file)
}

func readSecret(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	if info.Size() > maxSecret {
		return "", fmt.Errorf("password: %s is too large to be one", file)
	}
	source, err := os.ReadFile(file)
	if err != nil {
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
		return "", fmt.Errorf("password: command took longer than %s", commandPatience)
	case err != nil:
		return "", fmt.Errorf("password: command failed: %w", err)
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return oneLine(line, "command")
}

// oneLine is a secret without the line end it was written with.
func oneLine(source []byte, from string) (string, error) {
	secret := strings.TrimRight(string(source), "\r\n")
	switch {
	case secret == "":
		return "", fmt.Errorf("password: %s is empty", from)
	case strings.ContainsAny(secret, "\r\n"):
		return "", fmt.Errorf("password: %s holds more than one line", from)
	}
	return secret, nil
}
