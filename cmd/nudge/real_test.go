package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"nudge/engine"
	"nudge/mailbox/mailpair"
)

// These tests run the real binary against real Dovecot and Postfix servers. The
// short forms are part of every test run; NUDGE_PROVE=1 asks for the long ones.

// rounds is how often to repeat: short by default, long when asked to prove.
func rounds(short, long int) int {
	if os.Getenv("NUDGE_PROVE") != "" {
		return long
	}
	return short
}

// build builds the binary once for all tests of the package.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "nudge-test-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "nudge")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return bin, nil
})

// rig is a folder with a config, and the binary that reads it.
type rig struct {
	t    testing.TB
	pair *mailpair.Pair
	bin  string
	dir  string
}

const followUp = `---
name: Follow-up
send: always
---

## 1. First

` + "```step\nwait: 0\nsubject: Quote {{ quote_no | default: \"1042\" }} for you\n```" + `

Hi {{ first_name | default: "there" }}, did it reach you?

## 2. Second

` + "```step\nwait: 2 seconds\n```" + `

Is any line unclear?

## 3. Third

` + "```step\nwait: 4 seconds\n```" + `

Shall I close the file?
`

func newRig(t testing.TB, pair *mailpair.Pair, sequence string) *rig {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, pair: pair, bin: bin, dir: t.TempDir()}
	r.write("sequences/quote.md", sequence)
	r.write("mailbox-password", pair.Password+"\n")
	r.write("ca.pem", readFile(t, filepath.Join(pair.Dir, "tls", "ca.pem")))
	r.write("nudge.toml", fmt.Sprintf(`deliver = "live"
state = "nudge.db"
sequences = "sequences"
signature = "Sales, Acme"

[[mailbox]]
name = "sales"
address = %q
display-name = "Sally Acme"
imap = %q
smtp = %q
user = %q
password-from = "file mailbox-password"
ca-file = "ca.pem"
timezone = "Europe/Stockholm"
per-day = 1000
gap = "0s"

[pace]
per-domain = 1000
per-person = "off"
between-sequences = "off"
`, mailpair.Sales, pair.IMAPS, pair.SMTPS, mailpair.Sales))
	return r
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (r *rig) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) command(args ...string) *exec.Cmd {
	cmd := exec.Command(r.bin, args...)
	cmd.Dir = r.dir
	return cmd
}

// nudge runs a command that must succeed, and returns what it printed.
func (r *rig) nudge(args ...string) string {
	r.t.Helper()
	out, err := r.command(args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.t.Fatalf("nudge %s: exit %d\n%s%s", strings.Join(args, " "), exit.ExitCode(), out, exit.Stderr)
	} else if err != nil {
		r.t.Fatal(err)
	}
	return string(out)
}

// daemon is a running nudge run.
type daemon struct {
	t     testing.TB
	cmd   *exec.Cmd
	log   *logBuffer
	ready chan struct{}
	ended chan error
}

// logBuffer may be written to and read at once.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *logBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func (r *rig) start() *daemon {
	r.t.Helper()
	d := &daemon{t: r.t, cmd: r.command("run"), log: &logBuffer{}, ready: make(chan struct{}), ended: make(chan error, 1)}
	d.cmd.Stderr = d.log
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	go func() {
		for scan := bufio.NewScanner(stdout); scan.Scan(); {
			if scan.Text() == "ready" {
				close(d.ready)
			}
		}
		d.ended <- d.cmd.Wait()
	}()
	r.t.Cleanup(func() { d.kill(); r.t.Logf("daemon log:\n%s", d.log.String()) })
	return d
}

func (d *daemon) awaitReady() {
	d.t.Helper()
	select {
	case <-d.ready:
	case <-time.After(60 * time.Second):
		d.t.Fatalf("not ready after 60 s\n%s", d.log.String())
	}
}

// kill ends the process like a power cut, and waits until it is gone.
func (d *daemon) kill() {
	_ = d.cmd.Process.Signal(syscall.SIGKILL)
	d.wait()
}

func (d *daemon) wait() error {
	select {
	case err := <-d.ended:
		d.ended <- err
		return err
	case <-time.After(60 * time.Second):
		d.t.Fatal("the daemon did not end")
		return nil
	}
}

// list reads nudge list --json.
func (r *rig) list() []engine.View {
	r.t.Helper()
	var views []engine.View
	if err := json.Unmarshal([]byte(r.nudge("list", "--json")), &views); err != nil {
		r.t.Fatal(err)
	}
	return views
}

func (r *rig) status() engine.Status {
	r.t.Helper()
	var s engine.Status
	if err := json.Unmarshal([]byte(r.nudge("status", "--json")), &s); err != nil {
		r.t.Fatal(err)
	}
	return s
}

// await polls until so holds, for at most limit.
func await(t testing.TB, limit time.Duration, what string, so func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		if time.Since(began) > limit {
			t.Fatalf("not within %s: %s", limit, what)
		}
		<-tick.C
	}
	return time.Since(began)
}

func (r *rig) stopped(reason string) func() bool {
	return func() bool { vs := r.list(); return vs[0].State == engine.Stopped && vs[0].Reason == reason }
}

// holdsStill watches a prospect's mailbox for longer than the next touch would
// take, and fails when one comes.
func (r *rig) holdsStill(n int) {
	r.t.Helper()
	deadline := time.After(6 * time.Second)
	for tick := time.Tick(100 * time.Millisecond); ; {
		select {
		case <-tick:
			if got := len(r.pair.Messages(r.t, mailpair.Prospect)); got != n {
				r.t.Fatalf("%d mails, want %d for ever", got, n)
			}
		case <-deadline:
			return
		}
	}
}

func header(t testing.TB, raw []byte) mail.Header {
	t.Helper()
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return msg.Header
}

func answer(extra, body string) []byte {
	return []byte(strings.ReplaceAll("From: Pia Prospect <"+mailpair.Prospect+">\nTo: "+mailpair.Sales+"\nDate: "+time.Now().Format(time.RFC1123Z)+
		"\nMessage-ID: <"+fmt.Sprint(rand.Int64())+"@customer.test>\n"+extra+"\n\n"+body+"\n", "\n", "\r\n"))
}

func TestRealReplyStopsTheSequence(t *testing.T) {
	pair := mailpair.Start(t)
	r := newRig(t, pair, followUp)
	r.start().awaitReady()
	r.nudge("enroll", "quote", mailpair.Prospect, "--name", "Pia Prospect", "--set", "quote_no=7")
	mails := pair.Await(t, mailpair.Prospect, 2)

	first, second := header(t, mails[0]), header(t, mails[1])
	if first.Get("Date") > second.Get("Date") {
		first, second = second, first
	}
	if id := first.Get("Message-Id"); second.Get("In-Reply-To") != id || !strings.Contains(second.Get("References"), id) {
		t.Errorf("the second touch is not threaded: In-Reply-To %q, References %q, first %q", second.Get("In-Reply-To"), second.Get("References"), id)
	}
	if ct := second.Get("Content-Type"); !strings.HasPrefix(ct, "multipart/alternative") || !bytes.Contains(mails[1], []byte("text/plain")) || !bytes.Contains(mails[1], []byte("text/html")) {
		t.Errorf("Content-Type %q", ct)
	}
	pair.Deliver(t, mailpair.Prospect, mailpair.Sales, answer("Subject: Re: Quote\nIn-Reply-To: "+second.Get("Message-Id")+"\n", "Yes please!"))
	took := await(t, 60*time.Second, "stopped as replied after the reply was delivered", r.stopped("replied"))
	t.Logf("stopped %s after delivery", took.Round(time.Millisecond))
	r.holdsStill(2)
	story := r.nudge("show", mailpair.Prospect)
	for _, part := range []string{"replied", "INBOX", "cites our Message-ID"} {
		if !strings.Contains(story, part) {
			t.Errorf("nudge show does not say %q:\n%s", part, story)
		}
	}
}
