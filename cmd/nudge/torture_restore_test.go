package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"nudge/engine"
	"nudge/mailbox/mailpair"
)

// snapshot is a copy of the state as it was at some moment of a run.
type snapshot struct {
	file string
	sent int // mails delivered until then
}

// The state is restored from each of many copies made during one run. What left
// since is found in Sent, by us or by the provider, so that nothing comes twice;
// and whoever asked not to be written to since stays suppressed, though even
// their mail is gone.
func TestTortureRestores(t *testing.T) {
	besideOthers(t)
	t.Run("copies kept by the provider", func(t *testing.T) { restores(t, "no", trials(2, 20)) })
	if thorough() {
		t.Run("copies kept by us", func(t *testing.T) { restores(t, "yes", 20) })
	}
}

const restoreSteps = 3

func restores(t *testing.T, save string, n int) {
	r := onDovecot(t, mailpair.Start(t))
	r.write("sequences/talk.md", talk("talk", restoreSteps, "1 second", 0))
	r.write("sequences/other.md", talk("other", 1, "1 second", 0))
	r.configure("0s")
	r.write("nudge.toml", strings.Replace(readFile(t, filepath.Join(r.dir, "nudge.toml")), "gap =", "save-sent = \""+save+"\"\ngap =", 1))
	if save == "no" {
		r.fileCopies()
	}
	snapshots, opted := r.snapshots(n)
	r.forgetMail()
	sent := r.post.dots()
	kinds := map[string]int{}
	for i, s := range snapshots {
		if copies, dots := len(r.pair.Folder(t, mailpair.Sales, "Sent")), r.post.dots(); copies != dots {
			t.Fatalf("%d copies in Sent of %d mails, so Sent is no witness", copies, dots)
		}
		how := "nudge restore"
		if i%2 == 0 {
			r.nudge("restore", s.file, "--yes")
		} else { // as people do it
			how = "copied over the state"
			r.write("state/nudge.db", readFile(t, s.file))
		}
		for state, people := range r.afterRestore(how, opted) {
			kinds[state] += people
		}
	}
	ledger := r.post.transactions()
	t.Logf("%d restores, each over the one before, of copies made after %d to %d of %d mails: %d mails delivered since, %d twice; %d opt-outs since, all kept; people afterwards: %v",
		n, snapshots[0].sent, snapshots[n-1].sent, sent, r.post.dots()-sent, len(twice(ledger)), len(opted), kinds)
}

// fileCopies makes the mail server file what it takes in Sent by itself.
func (r *torture) fileCopies() {
	c := reader(r.t, r.pair, mailpair.Sales)
	jobs := make(chan []byte)
	filed := make(chan bool)
	go func() {
		for raw := range jobs {
			put(r.t, c, "Sent", raw, imap.FlagSeen)
			filed <- true
		}
	}()
	r.t.Cleanup(func() { close(jobs) })
	r.post.on(func(at stage, tx *transaction) {
		if at == atDot {
			jobs <- tx.raw
			<-filed
		}
	})
}

// snapshots runs a daemon n times and copies the state after, or in, each run.
// After each copy somebody asks not to be written to; who did is returned. At
// the end some mails are still to be sent.
func (r *torture) snapshots(n int) (all []snapshot, opted []string) {
	r.t.Helper()
	folder := r.t.TempDir()
	for i := range n {
		d := r.launch()
		d.awaitReady()
		fresh := r.people("talk", 6)
		await(r.t, 60*time.Second, "the first mails of a run", func() bool { return r.post.gave(fresh[0]) })
		nap(time.Second)
		s := snapshot{file: filepath.Join(folder, fmt.Sprintf("%d.db", i)), sent: r.post.dots()}
		if i%2 == 0 {
			r.nudge("backup", s.file)
		}
		r.reply(fresh[0], "Please unsubscribe me from this list.")
		await(r.t, 60*time.Second, "unsubscribed", func() bool { return r.ended()[fresh[0]] })
		opted = append(opted, fresh[0])
		if code := d.terminate(); code != 0 {
			r.t.Errorf("exit code %d\n%s", code, d.log)
		}
		if i%2 != 0 {
			if err := os.WriteFile(s.file, []byte(readFile(r.t, filepath.Join(r.dir, "state/nudge.db"))), 0o600); err != nil {
				r.t.Fatal(err)
			}
		}
		all = append(all, s)
	}
	return all, opted
}

// gave says whether a prospect got a mail.
func (p *post) gave(address string) bool {
	for _, tx := range p.transactions() {
		if tx.to == address && !tx.answerAt.IsZero() {
			return true
		}
	}
	return false
}

// forgetMail removes everything from the owner's INBOX.
func (r *torture) forgetMail() {
	r.t.Helper()
	c := reader(r.t, r.pair, mailpair.Sales)
	box, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		r.t.Fatal(err)
	}
	if box.NumMessages == 0 {
		return
	}
	var everything imap.SeqSet
	everything.AddRange(1, box.NumMessages)
	if err := c.Store(everything, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
		r.t.Fatal(err)
	}
	if err := c.Expunge().Close(); err != nil {
		r.t.Fatal(err)
	}
}

// afterRestore runs a daemon on a restored state until it has nothing more to
// do, and counts the people by what became of them.
func (r *torture) afterRestore(how string, opted []string) map[string]int {
	r.t.Helper()
	before := r.post.dots()
	d := r.launch()
	d.awaitReady()
	r.settled(60 * time.Second)
	for _, address := range opted {
		out, err := r.command("enroll", "other", address).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "suppress") {
			r.t.Errorf("%s: %s asked not to be written to, and can be enrolled: %s", how, address, out)
		}
	}
	kinds := map[string]int{}
	for _, v := range r.list() {
		kinds[strings.TrimSpace(string(v.State)+" "+v.Reason)]++
		for _, address := range opted {
			if v.Address == address && v.State != engine.Stopped {
				r.t.Errorf("%s: %s asked not to be written to, and is %s (%s)", how, address, v.State, v.Reason)
			}
		}
	}
	if code := d.terminate(); code != 0 {
		r.t.Errorf("%s: exit code %d\n%s", how, code, d.log)
	}
	if found := twice(r.post.transactions()); len(found) > 0 {
		r.t.Errorf("%s: %d mails since, delivered twice: %s", how, r.post.dots()-before, found[0])
	}
	return kinds
}
