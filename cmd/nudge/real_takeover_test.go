package main_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nudge/engine"
	"nudge/mailbox/mailpair"
)

// The owner writes to a prospect from another mail program, which files its
// copy in Sent: the sequence stops, since a person took over. A mail to somebody
// else there does nothing, and neither does the copy of a touch.
func TestRealTheOwnersHandTakesOver(t *testing.T) {
	pair := mailpair.Start(t)
	r := newRig(t, pair, strings.Replace(slow, "wait: 0\n", "wait: 3 hours\n", 1))
	r.start().awaitReady()
	r.nudge("enroll", "quote", mailpair.Prospect)
	byHand := func(to string) []byte {
		return []byte(strings.ReplaceAll(fmt.Sprintf("From: Sally <%s>\nTo: <%s>\nSubject: The price\nDate: %s\nMessage-ID: <%d@phone.test>\n\nI can do it for less.\n",
			mailpair.Sales, to, time.Now().Format(time.RFC1123Z), time.Now().UnixNano()), "\n", "\r\n"))
	}
	c := reader(t, pair, mailpair.Sales)
	put(t, c, "Sent", byHand("somebody@elsewhere.test"))
	r.nudge("resume") // a person's command makes the daemon look at once
	if v := r.list()[0]; v.State != engine.Active {
		t.Fatalf("a mail to somebody else made it %s (%s)", v.State, v.Reason)
	}
	put(t, c, "Sent", byHand(mailpair.Prospect))
	await(t, 60*time.Second, "stopped as taken over", func() bool {
		r.nudge("resume")
		return r.stopped("takeover")()
	})
	if why := r.nudge("why", mailpair.Prospect); !strings.Contains(why, "takeover") || !strings.Contains(why, "Sent") {
		t.Errorf("nudge why does not say it:\n%s", why)
	}
	if n := len(pair.Messages(t, mailpair.Prospect)); n != 0 {
		t.Errorf("%d mails to the prospect", n)
	}
}
