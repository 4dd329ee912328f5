package main_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"nudge/engine"
	"nudge/mailbox/mailpair"
)

// reader is another mail program that has the owner's mailbox open.
func reader(t testing.TB, pair *mailpair.Pair, user string) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialTLS(pair.IMAPS, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: pair.CA, ServerName: "localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Login(user, pair.Password).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

// flags lists every message of every folder with its flags, without changing
// any.
func flags(t testing.TB, pair *mailpair.Pair) []string {
	t.Helper()
	c := reader(t, pair, mailpair.Sales)
	boxes, err := c.List("", "*", nil).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, box := range boxes {
		if box.Mailbox == "Sent" {
			continue // our own copies come here
		}
		sel, err := c.Select(box.Mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
		if err != nil {
			t.Fatal(err)
		}
		if sel.NumMessages == 0 {
			continue
		}
		var set imap.SeqSet
		set.AddRange(1, sel.NumMessages)
		msgs, err := c.Fetch(set, &imap.FetchOptions{Flags: true, UID: true}).Collect()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range msgs {
			f := slices.DeleteFunc(m.Flags, func(f imap.Flag) bool { return f == "\\Recent" })
			slices.Sort(f)
			all = append(all, fmt.Sprint(box.Mailbox, " ", m.UID, " ", f))
		}
	}
	slices.Sort(all)
	return all
}

func put(t testing.TB, c *imapclient.Client, folder string, raw []byte, fl ...imap.Flag) imap.UID {
	t.Helper()
	cmd := c.Append(folder, int64(len(raw)), &imap.AppendOptions{Flags: fl})
	if _, err := cmd.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := cmd.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return data.UID
}

const slow = `---
name: Slow
send: always
---

## 1. First

` + "```step\nwait: 0\nsubject: A question\n```" + `

Hi there, did it reach you?

## 2. Second

` + "```step\nwait: 3 hours\n```" + `

Still open?
`

// Whatever the road a person's answer takes into the mailbox, it stops the
// sequence, and the mailbox stays as others left it.
func TestRealAnswersOnEveryRoad(t *testing.T) {
	pair := mailpair.Start(t)
	roads := []struct {
		name string
		send func(t *testing.T, thread string)
		want string // state and reason
	}{
		{"a fresh mail", func(t *testing.T, _ string) {
			pair.Deliver(t, mailpair.Prospect, mailpair.Sales, answer("Subject: Go ahead\n", "Let us do it."))
		}, "stopped replied"},
		{"already read by another client", func(t *testing.T, thread string) {
			put(t, reader(t, pair, mailpair.Sales), "INBOX", answer("Subject: Re: A question\nIn-Reply-To: "+thread+"\n", "Yes."), imap.FlagSeen)
		}, "stopped replied"},
		{"in Junk", func(t *testing.T, _ string) {
			put(t, reader(t, pair, mailpair.Sales), "Junk", answer("Subject: Offer\n", "Yes, the price is fine."))
		}, "stopped replied"},
		{"filed into a new folder before the sweep", func(t *testing.T, thread string) {
			c := reader(t, pair, mailpair.Sales)
			folder := fmt.Sprintf("Customers %d", time.Now().UnixNano())
			if err := c.Create(folder, nil).Wait(); err != nil {
				t.Fatal(err)
			}
			uid := put(t, c, "Drafts", answer("Subject: Re: A question\nReferences: "+thread+"\n", "Yes."))
			if _, err := c.Select("Drafts", nil).Wait(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Move(imap.UIDSetNum(uid), folder).Wait(); err != nil {
				t.Fatal(err)
			}
		}, "stopped replied"},
		{"an auto-reply holds", func(t *testing.T, thread string) {
			pair.Deliver(t, "", mailpair.Sales, answer("Subject: Automatic reply: A question\nAuto-Submitted: auto-replied\nIn-Reply-To: "+thread+"\n", "I am out of the office."))
		}, "held out of office"},
	}
	for _, road := range roads {
		t.Run(road.name, func(t *testing.T) {
			r := newRig(t, pair, slow)
			r.start().awaitReady()
			before := len(pair.Messages(t, mailpair.Prospect))
			r.nudge("enroll", "quote", mailpair.Prospect)
			mails := pair.Await(t, mailpair.Prospect, before+1)
			var thread string
			for _, raw := range mails {
				thread = header(t, raw).Get("Message-Id") // any of them is ours; the newest is found below
			}
			if doubts := r.nudge("show", mailpair.Prospect, "--json"); strings.Contains(doubts, "message_id") {
				thread = "<" + lastMessageID(t, doubts) + ">"
			}
			await(t, 60*time.Second, "a copy in Sent", func() bool { return len(pair.Folder(t, mailpair.Sales, "Sent")) > 0 })
			if v := r.list()[0]; v.State != engine.Active {
				t.Fatalf("our own copy in Sent made it %s (%s)", v.State, v.Reason)
			}
			road.send(t, thread)
			want := flags(t, pair)
			await(t, 60*time.Second, road.want, func() bool {
				r.nudge("resume") // a person's command makes the daemon look at once
				v := r.list()[0]
				return fmt.Sprint(v.State, " ", v.Reason) == road.want
			})
			if got := flags(t, pair); !slices.Equal(got, want) {
				t.Errorf("the mailbox changed:\n%v\nwas\n%v", got, want)
			}
		})
	}
}

func TestRealBounceStops(t *testing.T) {
	pair := mailpair.Start(t)
	r := newRig(t, pair, slow)
	r.start().awaitReady()
	r.nudge("enroll", "quote", "bounce@customer.test")
	await(t, 60*time.Second, "stopped as bounced", r.stopped("bounced"))
}

// No mailbox, no sending: with Dovecot stopped or frozen nothing leaves and
// status says why; when it runs again the touches go.
func TestRealNoMailboxNoSending(t *testing.T) {
	faults := map[string]struct {
		begin, end func(p *mailpair.Pair, t testing.TB)
	}{
		"stopped": {(*mailpair.Pair).StopDovecot, (*mailpair.Pair).StartDovecot},
		"frozen":  {(*mailpair.Pair).FreezeDovecot, (*mailpair.Pair).ThawDovecot},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			pair := mailpair.Start(t)
			r := newRig(t, pair, strings.Replace(slow, "wait: 0", "wait: 3 seconds", 1))
			r.start().awaitReady()
			r.nudge("enroll", "quote", mailpair.Prospect)
			fault.begin(pair, t)
			await(t, 60*time.Second, "status says that the mailbox is down", func() bool {
				s := r.status()
				return s.Mailboxes[0].IMAP.State == "down" && s.Mailboxes[0].IMAP.Error != ""
			})
			if n := len(submitted(t, pair)); n != 0 {
				t.Fatalf("%d mails were submitted while the mailbox could not be read", n)
			}
			fault.end(pair, t)
			pair.Await(t, mailpair.Prospect, 1)
			await(t, 60*time.Second, "status says ok", func() bool { return r.status().Mailboxes[0].IMAP.State == "ok" })
		})
	}
}

// submitted lists what Postfix took from us, by its own log.
func submitted(t testing.TB, pair *mailpair.Pair) []string {
	var lines []string
	for line := range strings.SplitSeq(readFile(t, pair.Dir+"/log/postfix.log"), "\n") {
		if strings.Contains(line, "message-id=") {
			lines = append(lines, line)
		}
	}
	return lines
}

// The commands answer at once while the daemon works, and a second daemon on
// the same state says one clear sentence.
func TestRealCommandsBesideTheDaemon(t *testing.T) {
	pair := mailpair.Start(t)
	r := newRig(t, pair, slow)
	d := r.start()
	d.awaitReady()
	for _, args := range [][]string{
		{"enroll", "quote", mailpair.Prospect}, {"list"}, {"status"}, {"pause", mailpair.Prospect}, {"resume", mailpair.Prospect},
		{"stop", mailpair.Prospect}, {"show", mailpair.Prospect}, {"log"},
	} {
		began := time.Now()
		r.nudge(args...)
		t.Logf("nudge %s: %s", args[0], time.Since(began).Round(time.Millisecond))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	second := r.command("run")
	var said strings.Builder
	second.Stderr = &said
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { <-ctx.Done(); _ = second.Process.Kill() }()
	_ = second.Wait()
	if code := second.ProcessState.ExitCode(); code != 6 || !strings.Contains(said.String(), "nudge: error: ") {
		t.Errorf("a second daemon: exit %d, %q", code, said.String())
	}
	began := time.Now()
	if err := d.cmd.Process.Signal(interrupt); err != nil {
		t.Fatal(err)
	}
	if err := d.wait(); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	t.Logf("ended %s after SIGTERM", time.Since(began).Round(time.Millisecond))
}
