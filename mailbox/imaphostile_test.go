package mailbox

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
)

// TestHostileServers sends two mails past servers that misbehave. Whatever they
// do, each mail is seen, or told of as unreadable, or Fetch fails.
func TestHostileServers(t *testing.T) {
	for name, test := range hostileServers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, m := newIMAPHost(t)
				cursor := engine.Cursor{Folders: map[string]engine.FolderCursor{"INBOX": {UIDValidity: 7, UIDNext: 1}}}
				if strings.Contains(name, "nowhere") {
					cursor.Folders["INBOX"] = engine.FolderCursor{UIDNext: 1}
				}
				h.deliver("INBOX", "a@x")
				h.deliver("INBOX", "b@x")
				h.obey(test.answer)
				began := time.Now()
				if test.held != "" {
					wantHeld(t, m, cursor, test.held)
					if took := time.Since(began); took > commandTimeout+time.Second {
						t.Errorf("it took %v to find out", took)
					}
					h.obey(nil)
				}
				ins, next := fetchAll(t, m, cursor)
				want := test.want
				if test.held != "" {
					want = []string{"a@x", "b@x"} // once the trouble is over
				}
				wantIDs(t, ins, want...)
				for _, in := range ins {
					if in.MessageID == "" && (in.Kind != engine.Ambiguous || !strings.HasPrefix(in.Evidence, "unreadable") || in.UIDValidity != 7) {
						t.Errorf("unreadable message told as %+v", in)
					}
				}
				if got := next.Folders["INBOX"].UIDNext; got != 3 {
					t.Errorf("the cursor stands at %d, want 3: behind what was seen and no further", got)
				}
				ins, _ = fetchAll(t, m, next)
				wantIDs(t, ins)
			})
		})
	}
}

func TestASearchThatNamesFourBillionMessagesIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		h.deliver("INBOX", "a@x")
		h.obey(func(c *hostConn, tag, line string) bool {
			if !strings.HasPrefix(line, "UID SEARCH") {
				return false
			}
			c.send("* ESEARCH (TAG %q) UID ALL 1:4294967295\r\n%s OK done\r\n", tag, tag)
			return true
		})
		ins, next, err := m.Fetch(t.Context(), cursor)
		if err != nil || len(ins) != sweepLimit || ins[0].MessageID != "a@x" || !next.More {
			t.Errorf("read %d messages, more %v, %v; want %d and more", len(ins), next.More, err, sweepLimit)
		}
	})
}

// mentions says whether a FETCH command asks for a message, by its UID or by
// its number, which are the same in these tests.
func mentions(line string, n uint32) bool {
	line = strings.TrimPrefix(line, "UID ")
	words := strings.Fields(line)
	return len(words) > 1 && words[0] == "FETCH" && inSet(words[1], n, 1<<31)
}

func TestAPoisonedMessageAmongManyIsIsolated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		var want []string
		for i := 1; i <= 400; i++ {
			id := fmt.Sprintf("m%d@x", i)
			h.deliver("INBOX", id)
			if i == 123 {
				id = "unsure 123 of INBOX"
			}
			want = append(want, id)
		}
		h.obey(func(c *hostConn, tag, line string) bool {
			if !strings.Contains(line, "FETCH") || !mentions(line, 123) {
				return false
			}
			c.send("* 123 FETCH (UID 123 ENVELOPE (((\r\n%s OK done\r\n", tag)
			return true
		})
		ins, _ := fetchAll(t, m, cursor)
		wantIDs(t, ins, want...)
		if h.dials > 20 {
			t.Errorf("%d connections were needed to find it", h.dials)
		}
	})
}

func TestAMessageRemovedBetweenSearchAndFetchIsSimplyGone(t *testing.T) {
	for name, no := range map[string]string{"the server says OK": "OK done", "the server says EXPUNGEISSUED": "NO [EXPUNGEISSUED] some are gone"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, m := newIMAPHost(t)
				_, cursor := fetchAll(t, m, engine.Cursor{})
				h.deliver("INBOX", "a@x")
				h.deliver("INBOX", "b@x")
				h.obey(func(c *hostConn, tag, line string) bool {
					if !strings.HasPrefix(line, "UID FETCH 1") {
						return false
					}
					h.remove("INBOX", 1)
					c.send("* 2 FETCH (UID 2%s)\r\n%s %s\r\n", section(line, c.open.mails[0].raw), tag, no)
					return true
				})
				ins, next := fetchAll(t, m, cursor)
				wantIDs(t, ins, "b@x")
				if next.Folders["INBOX"].UIDNext != 3 {
					t.Errorf("cursor %+v", next.Folders["INBOX"])
				}
			})
		})
	}
}

func TestAMessageRemovedDuringTheLastAttemptIsGoneAndNotUnreadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		h.deliver("INBOX", "a@x")
		h.obey(func(c *hostConn, tag, line string) bool {
			if !strings.Contains(line, "FETCH") {
				return false
			}
			if !asksHeaders(line) {
				h.remove("INBOX", 1)
			}
			c.send("%s OK done\r\n", tag)
			return true
		})
		ins, _ := fetchAll(t, m, cursor)
		wantIDs(t, ins)
	})
}

func TestARefusedMessageHoldsTheMailboxForAQuarterOfAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		h.deliver("INBOX", "a@x")
		h.deliver("INBOX", "b@x")
		h.obey(func(c *hostConn, tag, line string) bool {
			if !strings.Contains(line, "FETCH") || !mentions(line, 1) {
				return false
			}
			if mentions(line, 2) {
				c.send("* 2 FETCH (UID 2%s)\r\n", section(line, c.open.mails[1].raw))
			}
			c.send("%s NO [SERVERBUG] internal error\r\n", tag)
			return true
		})
		wantHeld(t, m, cursor, "message 1")
		time.Sleep(patience - time.Minute)
		wantHeld(t, m, cursor, "internal error")
		time.Sleep(2 * time.Minute)
		ins, _ := fetchAll(t, m, cursor)
		wantIDs(t, ins, "unsure 1 of INBOX", "b@x")
	})
}

func TestASilentServerIsFoundOutInTwentySeconds(t *testing.T) {
	for _, silent := range []string{"", "AUTHENTICATE", "CAPABILITY", "LIST", "EXAMINE", "NOOP", "UID SEARCH", "UID FETCH", "UNSELECT"} {
		t.Run("after "+silent, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, m := newIMAPHost(t)
				cursor := engine.Cursor{Folders: map[string]engine.FolderCursor{"INBOX": {UIDValidity: 7, UIDNext: 1}}}
				h.deliver("INBOX", "a@x")
				h.obey(func(_ *hostConn, _, line string) bool { return strings.HasPrefix(line, silent) })
				began := time.Now()
				wantHeld(t, m, cursor, "did not answer in time")
				if took := time.Since(began); took != commandTimeout {
					t.Errorf("it took %v, want %v", took, commandTimeout)
				}
				h.obey(nil)
				ins, _ := fetchAll(t, m, cursor)
				wantIDs(t, ins, "a@x")
			})
		})
	}
}

func TestFetchDialsOnceMoreWhenTheOldConnectionIsDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		h.deliver("INBOX", "a@x")
		h.hangUp()
		ins, _ := fetchAll(t, m, cursor)
		wantIDs(t, ins, "a@x")
		if h.dials != 2 {
			t.Errorf("%d connections, want 2", h.dials)
		}
	})
}

func TestReadOfMessagesThatCannotBeHad(t *testing.T) {
	for name, test := range map[string]struct {
		first string // answer to the FETCH of the text
		kind  engine.Kind
		held  bool
	}{
		"nonsense in every form is told as unreadable":         {"* 1 FETCH (UID 1 NONSENSE 1)\r\n", engine.Ambiguous, false},
		"listed and never shown is told as unreadable":         {"", engine.Ambiguous, false},
		"the UID behind the literal is read":                   {"* 1 FETCH (BODY[]<0> {12}\r\nFrom: a@x\r\n\r UID 1)\r\n", engine.Reply, false},
		"a refusal holds the mailbox until it has lasted long": {"NO", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, m := newIMAPHost(t)
				_, cursor := fetchAll(t, m, engine.Cursor{})
				h.deliver("INBOX", "a@x")
				ins, _ := fetchAll(t, m, cursor)
				h.obey(func(c *hostConn, tag, line string) bool {
					if !strings.Contains(line, "FETCH") || strings.Contains(line, "INTERNALDATE") {
						return false
					}
					if test.first == "NO" {
						c.send("%s NO [SERVERBUG] internal error\r\n", tag)
						return true
					}
					c.send("%s%s OK done\r\n", test.first, tag)
					return true
				})
				got, err := m.Read(t.Context(), ins[0], engine.Touched{})
				if test.held {
					if err == nil {
						t.Fatalf("read %+v", got)
					}
					time.Sleep(patience)
					got, err = m.Read(t.Context(), ins[0], engine.Touched{})
					test.kind = engine.Ambiguous
				}
				if err != nil || got.Kind != test.kind || got.MessageID != "a@x" {
					t.Errorf("read %+v, %v; want kind %s and what the header said", got, err, test.kind)
				}
			})
		})
	}
}
