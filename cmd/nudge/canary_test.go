package main_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nudge/mailbox"
	"nudge/mailbox/localmail"
)

// The canaries: if one sings anywhere but where it was put, it was passed on.
const (
	canary      = "canary-Zq7-right-password"
	wrongCanary = "canary-Xw4-wrong-password"
)

const canaryAddress = "sales@acme.test"

// songs are the forms in which a password could be told.
func songs(password string) []string {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + canaryAddress + "\x00" + password)) // AUTH PLAIN
	return []string{password, base64.StdEncoding.EncodeToString([]byte(password)), plain, strings.ToUpper(fmt.Sprintf("%x", password)), fmt.Sprintf("%x", password)}
}

// aviary is a folder with a config, a mail provider, and all that was said.
type aviary struct {
	t     *testing.T
	bin   string
	dir   string
	env   []string
	heard bytes.Buffer
}

// TestAPasswordIsNowhereToBeRead runs the whole program, with logins that go
// well and that fail, and looks for the password in everything it said and
// wrote: outputs, errors, diaries, state, backups, ledgers.
func TestAPasswordIsNowhereToBeRead(t *testing.T) {
	sources := []struct{ name, right, wrong, format string }{
		{"a file", "file password", "file wrong", "text"},
		{"a variable", "env CANARY", "env WRONG_CANARY", "json"},
		{"a command", "command cat password", "command cat wrong", "text"},
	}
	for _, source := range sources {
		t.Run(source.name, func(t *testing.T) {
			a := newAviary(t)
			a.daemon(source.right, source.format, a.everyCommand)
			a.daemon(source.wrong, source.format, nil)
			a.daemon("command echo "+wrongCanary+" >&2; exit 1", source.format, nil)
			a.run(source.right, "pause", "--all")
			a.run("", "status", "--config", "canary.toml") // the password in the config itself, where none belongs
			a.listen()
			a.modes()
		})
	}
}

func newAviary(t *testing.T) *aviary {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	p, err := localmail.New(localmail.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	p.AddMailbox(canaryAddress, canary)
	p.AddMailbox("pia@customer.test", canary)
	imap, smtp, err := p.Listen(mailbox.TLSImplicit)
	if err != nil {
		t.Fatal(err)
	}
	a := &aviary{t: t, bin: bin, dir: t.TempDir()}
	if err := p.CAFile(filepath.Join(a.dir, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	a.env = append(os.Environ(), "CANARY="+canary, "WRONG_CANARY="+wrongCanary, "NO_COLOR=1", "NUDGE_MAILBOX_IMAP="+imap, "NUDGE_MAILBOX_SMTP="+smtp)
	config := "deliver = \"live\"\nstate = \"state/nudge.db\"\n\n[[mailbox]]\nname = \"sales\"\naddress = \"" + canaryAddress + "\"\nca-file = \"ca.pem\"\ngap = \"0s\"\n"
	for name, text := range map[string]string{
		"password": canary + "\n", "wrong": wrongCanary + "\n", "nudge.toml": config,
		"canary.toml":        config + "password-from = \"" + canary + "\"\npassword = \"" + canary + "\"\n",
		"sequences/quote.md": followUp, "people.csv": "email,quote_no\nbo@customer.test,8\n",
	} {
		path := filepath.Join(a.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(a.dir, "state"), 0o755); err != nil {
		t.Fatal(err)
	}
	return a
}

// command is nudge as a careless person starts it: with a umask that closes
// nothing.
func (a *aviary) command(passwordFrom string, args ...string) *exec.Cmd {
	cmd := exec.Command("sh", append([]string{"-c", `umask 0; exec "$0" "$@"`, a.bin}, args...)...)
	cmd.Dir, cmd.Env = a.dir, a.env
	if passwordFrom != "" {
		cmd.Env = append(a.env[:len(a.env):len(a.env)], "NUDGE_MAILBOX_PASSWORD_FROM="+passwordFrom)
	}
	return cmd
}

// run runs one command to its end and returns its exit code.
func (a *aviary) run(passwordFrom string, args ...string) int {
	cmd := a.command(passwordFrom, args...)
	out, err := cmd.CombinedOutput()
	fmt.Fprintf(&a.heard, "$ nudge %s\n%s", strings.Join(args, " "), out)
	if cmd.ProcessState == nil {
		a.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// daemon runs a daemon, does something once it is ready, and ends it. With
// nothing to do, the daemon must end by itself, since it cannot log in.
func (a *aviary) daemon(passwordFrom, format string, busy func(passwordFrom string)) {
	a.t.Helper()
	if busy == nil {
		if code := a.run(passwordFrom, "run", "--debug", "--log-format", format); code != 4 {
			a.t.Errorf("exit code %d, want 4\n%s", code, a.heard.String())
		}
		return
	}
	cmd, diary, ended := a.start(passwordFrom, "--debug", "--log-format", format)
	busy(passwordFrom)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	<-ended
	a.heard.WriteString(diary.String())
}

// untilItEnds runs a daemon, does something once it is ready, and waits until
// the daemon has ended for that. It returns the diary and the exit code.
func (a *aviary) untilItEnds(busy func()) (diary string, code int) {
	a.t.Helper()
	cmd, log, ended := a.start("file password")
	busy()
	select {
	case <-ended:
	case <-time.After(60 * time.Second):
		a.t.Errorf("the daemon goes on\n%s", log.String())
	}
	return log.String(), cmd.ProcessState.ExitCode()
}

// start starts a daemon and waits until it is ready. It is killed at the end of
// the test, if it still runs then.
func (a *aviary) start(passwordFrom string, flags ...string) (*exec.Cmd, *logBuffer, chan struct{}) {
	a.t.Helper()
	cmd := a.command(passwordFrom, append([]string{"run"}, flags...)...)
	ready, diary, ended := &readyWriter{ready: make(chan struct{})}, &logBuffer{}, make(chan struct{})
	cmd.Stdout, cmd.Stderr = ready, diary
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	go func() { _ = cmd.Wait(); close(ended) }()
	a.t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	select {
	case <-ready.ready:
	case <-ended:
		a.t.Fatalf("the daemon ended: %s", diary.String())
	case <-time.After(30 * time.Second):
		a.t.Fatalf("the daemon is not ready: %s", diary.String())
	}
	return cmd, diary, ended
}

// readyWriter waits for the daemon's one word.
type readyWriter struct {
	ready chan struct{}
	said  bool
}

func (w *readyWriter) Write(b []byte) (int, error) {
	if !w.said && bytes.Contains(b, []byte("ready")) {
		w.said = true
		close(w.ready)
	}
	return len(b), nil
}

// everyCommand asks the running daemon everything.
func (a *aviary) everyCommand(passwordFrom string) {
	want := map[string]int{"enroll": 0, "import": 0, "backup": 0, "verify": 0, "suppress": 0}
	for _, line := range []string{
		"enroll quote pia@customer.test", "import quote people.csv", "status", "status --json", "list --json", "show pia@customer.test",
		"show pia@customer.test --json", "log", "log --json", "doubt list --json", "preview quote", "lint", "pause --all", "resume --all",
		"suppress cy@customer.test", "suppress --list", "catch-up", "backup", "backup copy.db", "verify", "verify copy.db --json",
		"version", "stop pia@customer.test", "help run", "no-such-command", "enroll quote not-an-address",
	} {
		args := strings.Fields(line)
		code := a.run(passwordFrom, args...)
		if wanted, ok := want[args[0]]; ok && code != wanted && !strings.Contains(line, "not-an-address") {
			a.t.Errorf("nudge %s: exit code %d\n%s", line, code, a.heard.String())
		}
	}
	ctx, cancel := context.WithTimeout(a.t.Context(), 20*time.Second)
	defer cancel()
	log := a.command(passwordFrom, "log", "--follow", "--json") // until the mail has left
	out, err := log.StdoutPipe()
	if err == nil {
		err = log.Start()
	}
	if err != nil {
		a.t.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = log.Process.Kill() })
	for buf := make([]byte, 1<<16); !bytes.Contains(a.heard.Bytes(), []byte(`"sent"`)); {
		n, err := out.Read(buf)
		a.heard.Write(buf[:n])
		if err != nil {
			a.t.Errorf("no mail left: %v", err)
			break
		}
	}
	stop()
	_ = log.Process.Kill()
	_ = log.Wait()
}

// listen looks for the canaries in everything that was said or written.
func (a *aviary) listen() {
	a.t.Helper()
	own := map[string]bool{"password": true, "wrong": true, "canary.toml": true}
	heard := map[string][]byte{"what it said": a.heard.Bytes()}
	files := 0
	err := filepath.WalkDir(a.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || own[e.Name()] {
			return err
		}
		files++
		heard[path], err = os.ReadFile(path)
		return err
	})
	if err != nil || files < 6 {
		a.t.Fatalf("%d files, %v", files, err)
	}
	for where, text := range heard {
		for _, password := range []string{canary, wrongCanary} {
			for _, song := range songs(password) {
				if bytes.Contains(text, []byte(song)) {
					a.t.Errorf("%q stands in %s", song, where)
				}
			}
		}
	}
}

// modes looks whether others may read what nudge made.
func (a *aviary) modes() {
	a.t.Helper()
	state := filepath.Join(a.dir, "state")
	err := filepath.WalkDir(state, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == state {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			a.t.Errorf("%s may be read by others: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		a.t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(a.dir, "copy.db")); err != nil || info.Mode().Perm() != 0o600 {
		a.t.Errorf("the backup: %v, %v", info, err)
	}
}
