package mailbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"

	"nudge/engine"
	"nudge/mailbox/mailpair"
)

// hostDates answers FETCH for INTERNALDATE with a date for each UID.
func hostDates(dates map[uint32]string) func(*hostConn, string, string) bool {
	return func(c *hostConn, tag, line string) bool {
		if !strings.Contains(line, "INTERNALDATE") {
			return false
		}
		for i, m := range c.open.mails {
			if date := dates[m.uid]; date != "" && mentions(line, m.uid) {
				c.send("* %d FETCH (UID %d INTERNALDATE %q)\r\n", i+1, m.uid, date)
			}
		}
		c.send("%s OK done\r\n", tag)
		return true
	}
}

func TestOwnMailReadsTheFoldersOfSentMailAndNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		h.folder("All", `\All`)
		for _, folder := range []string{"INBOX", "Sent", "Drafts", "Junk", "All"} {
			h.deliver(folder, strings.ToLower(folder)+"@x")
		}
		since := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) // the host's only date
		ins, err := m.OwnMail(t.Context(), since)
		must(t, err)
		wantIDs(t, ins, "sent@x", "all@x")
		if in := ins[1]; !in.Arrived.Equal(since) || in.Role != engine.AllMail || in.Folder != "All" || in.UID != 1 || in.UIDValidity != 7 {
			t.Errorf("read %+v", in)
		}
		for _, line := range h.heard("FETCH") {
			if strings.Contains(line, "BODY[") {
				t.Errorf("the client said %q; only BODY.PEEK leaves a message unread", line)
			}
		}
		step(t, "what arrived a second earlier is left out", func(t *testing.T) {
			ins, err := m.OwnMail(t.Context(), since.Add(time.Second))
			must(t, err)
			wantIDs(t, ins)
		})
		step(t, "a sweep that goes on afterwards misses nothing", func(t *testing.T) {
			ins, _ := fetchAll(t, m, engine.Cursor{Since: since})
			wantIDs(t, ins, "inbox@x", "sent@x", "junk@x", "all@x")
		})
		step(t, "what is skipped is not read", func(t *testing.T) {
			m.Skip = []string{"All"}
			ins, err := m.OwnMail(t.Context(), since)
			must(t, err)
			wantIDs(t, ins, "sent@x")
		})
		step(t, "without a folder it is ErrNoSent", func(t *testing.T) {
			m.Skip = []string{"All", "Sent"}
			if _, err := m.OwnMail(t.Context(), since); !errors.Is(err, engine.ErrNoSent) {
				t.Errorf("error %v, want ErrNoSent", err)
			}
		})
	})
}

func TestOwnMailTellsOfAMailWhoseDateIsNoDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		dates := map[uint32]string{}
		for i := uint32(1); i <= 9; i++ {
			h.deliver("Sent", fmt.Sprintf("%d@x", i))
			dates[i] = fmt.Sprintf("%02d-Mar-2026 10:00:00 +0000", i)
		}
		dates[7] = "31-Feb-2026 10:00:00 +0000"
		dates[8] = ""
		h.obey(hostDates(dates))
		ins, err := m.OwnMail(t.Context(), time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC))
		must(t, err)
		wantIDs(t, ins, "6@x", "7@x", "8@x", "9@x")
		if !ins[1].Arrived.IsZero() || !ins[2].Arrived.IsZero() || ins[3].Arrived.Day() != 9 {
			t.Errorf("read %+v", ins)
		}
	})
}

func TestOwnMailFailsRatherThanLeaveSomethingOut(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(c *hostConn, tag, line string) bool
		word   string
	}{
		"a folder that cannot be opened": {func(c *hostConn, tag, line string) bool {
			if !strings.HasPrefix(line, "EXAMINE") {
				return false
			}
			c.send("%s NO [NOPERM] not yours\r\n", tag)
			return true
		}, "folder Sent"},
		"a search that is refused": {func(c *hostConn, tag, line string) bool {
			if !strings.HasPrefix(line, "UID SEARCH") {
				return false
			}
			c.send("%s NO not now\r\n", tag)
			return true
		}, "not now"},
		"headers that do not come": {func(c *hostConn, tag, line string) bool { return asksHeaders(line) }, "did not answer in time"},
		"dates that do not come":   {func(c *hostConn, tag, line string) bool { return strings.Contains(line, "INTERNALDATE") }, "did not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, m := newIMAPHost(t)
				h.deliver("Sent", "a@x")
				h.obey(test.answer)
				began := time.Now()
				ins, err := m.OwnMail(t.Context(), time.Time{})
				if err == nil || len(ins) != 0 || !strings.Contains(err.Error(), test.word) {
					t.Errorf("read %v, %v; want an error that says %q", ids(ins), err, test.word)
				}
				if took := time.Since(began); took > commandTimeout {
					t.Errorf("it took %v", took)
				}
				h.obey(nil)
				ins, err = m.OwnMail(t.Context(), time.Time{})
				must(t, err)
				wantIDs(t, ins, "a@x")
			})
		})
	}
}

func TestTheHeaderFieldsOfOurOwnMails(t *testing.T) {
	for field, want := range map[string]string{
		"X-Nudge-Instance: k3-abc":                       "k3-abc",
		"x-nudge-instance:   0a\r\n":                     "0a",
		"X-Nudge-Instance: Abc":                          "",
		"X-Nudge-Instance: a b":                          "",
		"X-Nudge-Instance: a\u0430":                      "",
		"X-Nudge-Instance:":                              "",
		"X-Nudge-Instance: " + strings.Repeat("a", 40):   strings.Repeat("a", 40),
		"X-Nudge-Instance: " + strings.Repeat("a", 41):   "",
		"Subject: X-Nudge-Instance: abc":                 "",
		"X-Nudge-Instance: first\nX-Nudge-Instance: 2nd": "first",
	} {
		if got := ParseHeader([]byte("From: a@x\r\n" + field + "\r\n\r\n")).Instance; got != want {
			t.Errorf("%q: instance %q, want %q", field, got, want)
		}
	}
	in := ParseHeader([]byte("X-Microsoft-Original-Message-ID: \r\n <ours@acme.test>\r\nMessage-ID: <new@outlook.test>\r\n\r\n"))
	if in.OriginalID != "ours@acme.test" || in.MessageID != "new@outlook.test" {
		t.Errorf("read %+v", in)
	}
}

func TestDovecotOwnMail(t *testing.T) {
	p := mailpair.Start(t)
	c, m := owner(t, p), dovecot(t, p)
	since := time.Date(2026, 3, 10, 1, 30, 0, 0, time.FixedZone("", 2*3600))
	put := func(folder, id string, at time.Time) {
		raw := []byte("From: sales@acme.test\r\nMessage-ID: <" + id + ">\r\nX-Nudge-Instance: i-" + id[:1] + "\r\nX-Microsoft-Original-Message-ID: <old-" + id + ">\r\nSubject: quote\r\n\r\nhello\r\n")
		cmd := c.Append(folder, int64(len(raw)), &imap.AppendOptions{Time: at})
		_, err := cmd.Write(raw)
		must(t, err)
		must(t, cmd.Close())
		_, err = cmd.Wait()
		must(t, err)
	}
	put("Sent", "a@x", since.AddDate(0, 0, -40))
	put("Sent", "b@x", since.Add(-time.Second).In(time.FixedZone("", -11*3600)))
	put("Sent", "c@x", since.In(time.FixedZone("", -11*3600)))
	put("Sent", "d@x", since.Add(time.Hour).In(time.FixedZone("", 13*3600)))
	put("INBOX", "e@x", since.Add(time.Hour))
	put("Archive", "f@x", since.Add(time.Hour))
	before := flags(t, c)
	for range 2 {
		ins, err := m.OwnMail(t.Context(), since)
		must(t, err)
		wantIDs(t, ins, "c@x", "d@x")
		if in := ins[1]; in.Instance != "i-d" || in.OriginalID != "old-d@x" || in.Role != engine.SentMail || !in.Arrived.Equal(since.Add(time.Hour)) {
			t.Errorf("read %+v", in)
		}
	}
	ins, err := m.OwnMail(t.Context(), time.Time{})
	must(t, err)
	wantIDs(t, ins, "a@x", "b@x", "c@x", "d@x")
	ins, _ = fetchAll(t, m, engine.Cursor{Since: since})
	for _, in := range ins {
		if in.Instance != "i-"+in.MessageID[:1] || in.OriginalID != "old-"+in.MessageID {
			t.Errorf("Fetch read %+v", in)
		}
		if whole, err := m.Read(t.Context(), in, engine.Touched{}); err != nil || whole.Instance != in.Instance || whole.OriginalID != in.OriginalID {
			t.Errorf("Read made of it %+v, %v", whole, err)
		}
	}
	if after := flags(t, c); !slices.Equal(before, after) {
		t.Errorf("flags were %v and are %v", before, after)
	}
}
