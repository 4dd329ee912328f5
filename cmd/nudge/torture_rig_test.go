package main_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"nudge/engine"
	"nudge/mailbox"
	"nudge/mailbox/localmail"
	"nudge/mailbox/mailpair"
)

// The tests named Torture break the real binary from outside: they kill it,
// freeze its servers, fail its disk, and then ask an independent ledger (see
// post) what the prospects got. Short forms are part of every test run;
// NUDGE_TORTURE=1 or NUDGE_PROVE=1 asks for the long ones.

// trials is how often to repeat: short by default, long when asked to.
func trials(short, long int) int {
	if thorough() {
		return long
	}
	return short
}

// besideOthers lets the short forms wait for their servers side by side. The
// long ones run alone, so that their figures mean something.
func besideOthers(t *testing.T) {
	if !thorough() {
		t.Parallel()
	}
}

func thorough() bool { return os.Getenv("NUDGE_TORTURE") != "" || os.Getenv("NUDGE_PROVE") != "" }

// torture is a rig whose mail goes to a post, and whose people answer.
type torture struct {
	*rig
	post  *post
	wire  *wire               // to Dovecot; nil with a mailbox in memory
	local *localmail.Provider // the mailbox in memory; nil with Dovecot
	imap  string
	tls   string // value of the config's tls key, "" leaves it out

	mu       sync.Mutex
	enrolled []string
	replied  map[string]time.Time // by address: when the answer was in the mailbox
}

// onDovecot is a rig that reads a real mailbox through a wire.
func onDovecot(t testing.TB, pair *mailpair.Pair) *torture {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(filepath.Join(pair.Dir, "tls/server.pem"), filepath.Join(pair.Dir, "tls/server.key"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWire(t, pair.IMAPS)
	r := bareTorture(t, newPost(t, &cert), w.addr)
	r.pair, r.wire = pair, w
	r.write("mailbox-password", pair.Password+"\n")
	r.write("ca.pem", readFile(t, filepath.Join(pair.Dir, "tls", "ca.pem")))
	r.configure("0s")
	return r
}

// inMemory is a rig whose mailbox is in this process: no server is needed, and
// nothing but the program touches a disk.
func inMemory(t testing.TB) *torture {
	t.Helper()
	p, err := localmail.New(localmail.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	p.AddMailbox(mailpair.Sales, mailboxPassword)
	imap, _, err := p.Listen(mailbox.TLSNone)
	if err != nil {
		t.Fatal(err)
	}
	r := bareTorture(t, newPost(t, nil), imap)
	r.local, r.tls = p, "none"
	r.write("mailbox-password", mailboxPassword+"\n")
	r.configure("0s")
	return r
}

const mailboxPassword = "correct-horse-battery"

func bareTorture(t testing.TB, p *post, imap string) *torture {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return &torture{rig: &rig{t: t, bin: bin, dir: t.TempDir()}, post: p, imap: imap, replied: map[string]time.Time{}}
}

// configure writes the config. A gap of "0s" sends in volleys, any other one
// mail after the other, each behind a fence of its own.
func (r *torture) configure(gap string) {
	r.t.Helper()
	side := `ca-file = "ca.pem"`
	if r.tls != "" {
		side = fmt.Sprintf("tls = %q\nsave-sent = \"no\"", r.tls) // nobody reads the copies there
	}
	r.write("nudge.toml", fmt.Sprintf(`deliver = "live"
state = "state/nudge.db"
sequences = "sequences"

[[mailbox]]
name = "sales"
address = %q
imap = %q
smtp = %q
password-from = "file mailbox-password"
%s
timezone = "UTC"
in-doubt = "hold"
per-day = 100000
gap = %q

[pace]
per-domain = 100000
per-person = "off"
between-sequences = "off"
`, mailpair.Sales, r.imap, r.post.addr, side, gap))
	if err := os.MkdirAll(filepath.Join(r.dir, "state"), 0o700); err != nil {
		r.t.Fatal(err)
	}
}

// talk is a sequence whose mails say which step they are. Its first step is due
// at once, each other one after wait; the first mail is padding KiB longer.
func talk(name string, steps int, wait string, padding int) string {
	var b strings.Builder
	b.WriteString("---\nname: Talk\nsend: always\n---\n")
	for n := range steps {
		after := wait
		if n == 0 {
			after = "0"
		}
		fmt.Fprintf(&b, "\n## %d. Step %d\n\n```step\nwait: %s\n", n+1, n+1, after)
		if n == 0 {
			b.WriteString("subject: A question\n")
		}
		fmt.Fprintf(&b, "```\n\nHello, this is mark:%s-%d of ours.\n", name, n+1)
		for i := 0; i < padding && n == 0; i++ {
			b.WriteString("\n" + strings.Repeat("All work and no play makes a long mail. ", 25) + "\n")
		}
	}
	return b.String()
}

// people enrolls n new prospects, each at a company of their own, in one go.
func (r *torture) people(sequence string, n int) []string {
	r.t.Helper()
	var fresh []string
	csv := "email\n"
	for range n {
		number := len(r.enrolled) + 1
		address := fmt.Sprintf("p%d@customer%d.test", number, number)
		r.mu.Lock()
		r.enrolled, fresh = append(r.enrolled, address), append(fresh, address)
		r.mu.Unlock()
		csv += address + "\n"
	}
	r.write("people.csv", csv)
	r.nudge("import", sequence, "people.csv")
	return fresh
}

// replyFrom is an answer as a mail program would write it.
func replyFrom(address, text string) []byte {
	return []byte(strings.ReplaceAll(fmt.Sprintf("From: Pia <%s>\nTo: %s\nSubject: Re: A question\nDate: %s\nMessage-ID: <%d@%s>\n\n%s\n",
		address, mailpair.Sales, time.Now().Format(time.RFC1123Z), rand.Int64(), engine.AddressDomain(address), text), "\n", "\r\n"))
}

// reply lets a prospect answer; when it returns the answer is in the mailbox.
func (r *torture) reply(address, text string) {
	r.t.Helper()
	if r.local != nil {
		if err := r.local.Deliver(mailpair.Sales, "INBOX", replyFrom(address, text)); err != nil {
			r.t.Fatal(err)
		}
	} else {
		r.pair.DeliverLMTP(r.t, mailpair.Sales, replyFrom(address, text))
	}
	at := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.replied[address] = at
}

// answered is who has answered, and when.
func (r *torture) answered() map[string]time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]time.Time{}
	for address, at := range r.replied {
		all[address] = at
	}
	return all
}

// launch starts a daemon whose log is only shown when the test fails.
func (r *torture) launch() *daemon {
	r.t.Helper()
	return r.follow(r.command("run"))
}

// follow starts a command that is, or becomes, a daemon.
func (r *torture) follow(cmd *exec.Cmd) *daemon {
	r.t.Helper()
	r.post.reborn()
	d := &daemon{t: r.t, cmd: cmd, log: &logBuffer{}, ready: make(chan struct{}), ended: make(chan error, 1)}
	cmd.Stderr = d.log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	go func() {
		for scan := bufio.NewScanner(stdout); scan.Scan(); {
			if scan.Text() == "ready" {
				close(d.ready)
			}
		}
		d.ended <- cmd.Wait()
	}()
	r.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		d.wait()
		if r.t.Failed() {
			log := d.log.String()
			r.t.Logf("daemon %d:\n%s", cmd.Process.Pid, log[max(0, len(log)-4000):])
		}
	})
	return d
}

// terminate asks the daemon to end, and returns its exit code.
func (d *daemon) terminate() int {
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	d.wait()
	return d.cmd.ProcessState.ExitCode()
}

// doubts lists what is in doubt, by address.
func (r *torture) doubts() map[string]engine.Doubt {
	r.t.Helper()
	var list []engine.Doubt
	if err := json.Unmarshal([]byte(r.nudge("doubt", "list", "--json")), &list); err != nil {
		r.t.Fatal(err)
	}
	all := map[string]engine.Doubt{}
	for _, d := range list {
		all[d.Address] = d
	}
	return all
}

// settled waits until nobody is active any more: everything that can be sent
// was.
func (r *torture) settled(limit time.Duration) {
	r.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond) // each look costs the daemon's processor a little
	defer tick.Stop()
	for deadline := time.Now().Add(limit); r.status().Counts.Active > 0; <-tick.C {
		if time.Now().After(deadline) {
			r.t.Fatalf("after %s %d enrollments are still active", limit, r.status().Counts.Active)
		}
	}
}

// answerDoubts says of everything in doubt, as a person would who asked the
// prospects, whether it came. What did not is sent again.
func (r *torture) answerDoubts() {
	r.t.Helper()
	arrived := map[string]bool{}
	for _, tx := range r.post.transactions() {
		if !tx.dotAt.IsZero() {
			arrived[tx.messageID()] = true
		}
	}
	for address, doubt := range r.doubts() {
		verdict := "resend"
		if arrived[doubt.MessageID] {
			verdict = "sent"
		}
		r.nudge("doubt", verdict, address)
	}
}
