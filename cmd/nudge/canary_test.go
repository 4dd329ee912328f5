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
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	nudge "nudge/cmd/nudge"
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
	ran   []string // the commands that were run, with their arguments
	heard bytes.Buffer
}

// TestAPasswordIsNowhereToBeRead runs the whole program, with logins that go
// well and that fail, and looks for the password in everything it said and
// wrote: outputs, errors, diaries, state, backups, ledgers. No command may be
// left out.
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
			a.restore(source.right)
			a.everyCommandRan()
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
		"answer.eml": "From: Pia <pia@customer.test>\nTo: " + canaryAddress + "\nSubject: Re: Quote\nMessage-ID: <1@customer.test>\n\nYes please.\n",
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
	a.ran = append(a.ran, strings.Join(args, " "))
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

// everyCommand asks the running daemon everything: what goes well has exit code
// 0, and what has another one in front is refused.
func (a *aviary) everyCommand(passwordFrom string) {
	for _, line := range []string{
		"enroll quote pia@customer.test", "import quote people.csv", "status", "status --json", "list --json", "show pia@customer.test",
		"show pia@customer.test --json", "log", "log --json", "doubt list --json", "7 doubt sent pia@customer.test", "7 doubt resend pia@customer.test",
		"new spring", "new autumn --from quote", "preview quote", "lint", "plan", "plan quote --from 2026-11-24T09:00 --timezone UTC",
		"why bo@customer.test", "why bo@customer.test --json", "today", "today --json", "reload --yes", "reload --dry-run",
		"pause --all", "resume --all", "pause bo@customer.test", "resume bo@customer.test",
		"snooze bo@customer.test 2 weeks", "skip bo@customer.test", "2 done bo@customer.test", "7 not-a-reply bo@customer.test",
		"won bo@customer.test", "lost bo@customer.test --reason dear", "suppress cy@customer.test", "suppress --list", "catch-up",
		"classify answer.eml", "classify --json answer.eml", "replay answer.eml --address pia@customer.test", "replay INBOX --json",
		"7 replay Nowhere", "backup", "backup copy.db", "verify", "verify copy.db --json", "6 restore copy.db --yes", "6 run",
		"version", "demo --print-sequence", "stop pia@customer.test", "help run", "completion", "completion bash", "completion fish",
		"completion powershell", "completion zsh", "__complete show ", "2 no-such-command", "2 enroll quote not-an-address",
	} {
		want, args := 0, strings.Split(line, " ")
		if n, err := strconv.Atoi(args[0]); err == nil {
			want, args = n, args[1:]
		}
		if code := a.run(passwordFrom, args...); code != want {
			a.t.Errorf("nudge %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, want, a.heard.String())
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

// restore puts a backup back, which only goes while no daemon runs.
func (a *aviary) restore(passwordFrom string) {
	a.t.Helper()
	if code := a.run(passwordFrom, "restore", "copy.db", "--yes"); code != 0 {
		a.t.Errorf("nudge restore: exit code %d\n%s", code, a.heard.String())
	}
}

// everyCommandRan looks whether a command was left out.
func (a *aviary) everyCommandRan() {
	a.t.Helper()
	for _, command := range nudge.Commands() {
		ran := func(line string) bool { return line == command || strings.HasPrefix(line, command+" ") }
		if !slices.ContainsFunc(a.ran, ran) {
			a.t.Errorf("nudge %s was never run: add it to everyCommand", command)
		}
	}
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
