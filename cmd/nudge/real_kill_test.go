package main_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"nudge/engine"
	"nudge/mailbox/mailpair"
)

const interrupt = syscall.SIGTERM

// lastMessageID reads the newest Message-ID out of nudge show --json.
func lastMessageID(t testing.TB, out string) string {
	t.Helper()
	var story engine.Story
	if err := json.Unmarshal([]byte(out), &story); err != nil {
		t.Fatal(err)
	}
	id := ""
	for _, ev := range story.History {
		if ev.Kind == engine.EventSent {
			id = ev.MessageID
		}
	}
	return id
}

// The process dies at random moments while it sends, again and again. The
// prospects' mailboxes, and not the state file, are the witness: nobody ever
// holds two copies of one step, and what nobody can know is listed.
func TestRealKillsWhileSending(t *testing.T) {
	pair := mailpair.Start(t)
	r := newRig(t, pair, followUp)
	conversations := rounds(12, 40) // so many that there is always something to send
	for i := range conversations {
		r.write(fmt.Sprintf("sequences/talk%d.md", i), strings.Replace(followUp, "Quote {{", fmt.Sprintf("Talk %d, quote {{", i), 1))
	}
	kills := rounds(4, 20)
	for i := range conversations {
		for _, p := range []string{mailpair.Prospect, mailpair.Other} {
			r.nudge("enroll", fmt.Sprintf("talk%d", i), p)
		}
	}
	for range kills {
		d := r.start()
		d.awaitReady()
		timer := time.NewTimer(time.Duration(rand.IntN(int(300 * time.Millisecond))))
		<-timer.C
		d.kill()
	}
	r.start().awaitReady()
	waiting := func() int {
		n := 0
		for _, v := range r.list() {
			if v.State == engine.Active {
				n++
			}
		}
		return n
	}
	await(t, 2*time.Minute, "every conversation at its end", func() bool { return waiting() == 0 })

	held := map[string]bool{}
	var doubts []engine.Doubt
	if err := json.Unmarshal([]byte(r.nudge("doubt", "list", "--json")), &doubts); err != nil {
		t.Fatal(err)
	}
	for _, d := range doubts {
		held[d.Enrollment] = true
	}
	expected := 0
	for _, v := range r.list() {
		switch {
		case v.State == engine.Finished:
			expected += 3
		case v.State == engine.Held && v.Reason == string(engine.InDoubt):
			expected += v.Touches
			if !held[v.ID] {
				t.Errorf("%s is in doubt but not listed", v.ID)
			}
		default:
			t.Errorf("%s in %s is %s (%s)", v.Address, v.Sequence, v.State, v.Reason)
		}
	}
	var got, doubtful int
	await(t, 60*time.Second, "every accepted mail delivered", func() bool {
		got = len(pair.Messages(t, mailpair.Prospect)) + len(pair.Messages(t, mailpair.Other))
		return got >= expected
	})
	for _, p := range []string{mailpair.Prospect, mailpair.Other} {
		ids, steps := map[string]bool{}, map[string]bool{}
		for _, raw := range pair.Messages(t, p) {
			h := header(t, raw)
			step := h.Get("Subject") + firstLine(raw)
			if ids[h.Get("Message-Id")] || steps[step] {
				t.Errorf("%s holds %q twice", p, step)
			}
			ids[h.Get("Message-Id")], steps[step] = true, true
		}
	}
	for _, d := range doubts {
		for _, p := range []string{mailpair.Prospect, mailpair.Other} {
			for _, raw := range pair.Messages(t, p) {
				if header(t, raw).Get("Message-Id") == "<"+d.MessageID+">" {
					doubtful++
				}
			}
		}
	}
	if got != expected+doubtful {
		t.Errorf("%d mails arrived; %d settled as sent and %d in doubt that did arrive", got, expected, doubtful)
	}
	t.Logf("%d kills, %d mails arrived, %d in doubt (%d of those had arrived), 0 twice", kills, got, len(doubts), doubtful)
}

// firstLine is the first line of a mail's plain text.
func firstLine(raw []byte) string {
	_, text, _ := strings.Cut(string(raw), "text/plain")
	_, text, _ = strings.Cut(text, "\r\n\r\n")
	if text == "" {
		_, text, _ = strings.Cut(string(raw), "\n\n")
	}
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
