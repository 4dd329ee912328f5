package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nudge/engine"
)

// step is t.Run inside a synctest bubble, where t.Run is not allowed.
func step(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Log(name)
	f(t)
}

// fetchAll fetches until there is no more, and fails the test on an error.
func fetchAll(t testing.TB, m *IMAP, cursor engine.Cursor) ([]engine.Incoming, engine.Cursor) {
	t.Helper()
	var all []engine.Incoming
	for {
		ins, next, err := m.Fetch(t.Context(), cursor)
		if err != nil {
			t.Fatalf("Fetch: %v", err)
		}
		if len(ins) > sweepLimit {
			t.Fatalf("one call returned %d messages, at most %d are allowed", len(ins), sweepLimit)
		}
		all = append(all, ins...)
		next.Since, cursor = cursor.Since, next
		if !next.More {
			return all, next
		}
	}
}

// ids are the Message-IDs of messages, or their kind where they have none.
func ids(ins []engine.Incoming) []string {
	var list []string
	for _, in := range ins {
		if in.MessageID == "" {
			list = append(list, fmt.Sprintf("%s %d of %s", in.Kind, in.UID, in.Folder))
			continue
		}
		list = append(list, in.MessageID)
	}
	return list
}

func wantIDs(t testing.TB, ins []engine.Incoming, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, ids(ins)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// wantHeld asserts that Fetch fails and leaves the cursor where it stood.
func wantHeld(t testing.TB, m *IMAP, cursor engine.Cursor, word string) {
	t.Helper()
	ins, next, err := m.Fetch(t.Context(), cursor)
	if err == nil {
		t.Fatalf("Fetch returned %v and no error; sending would go on", ids(ins))
	}
	if !strings.Contains(err.Error(), word) {
		t.Errorf("error %q does not say %q", err, word)
	}
	if len(ins) != 0 || !cmp.Equal(next, cursor) {
		t.Errorf("on error Fetch returned %v and cursor %+v, want nothing and the old cursor", ids(ins), next)
	}
}

func TestFetchBeginsAtTheEndOfEachFolderAndThenReadsWhatArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		h.deliver("INBOX", "before@x")
		ins, cursor := fetchAll(t, m, engine.Cursor{})
		wantIDs(t, ins)
		h.deliver("INBOX", "one@x")
		h.deliver("Junk", "two@x")
		h.deliver("Sent", "own@x")
		h.deliver("Drafts", "draft@x")
		ins, next := fetchAll(t, m, cursor)
		wantIDs(t, ins, "one@x", "own@x", "two@x")
		want := engine.Incoming{Folder: "Junk", Role: engine.Junk, UIDValidity: 7, UID: 1, MessageID: "two@x", From: []string{"ann@customer.test"}, Subject: "Re: quote"}
		if diff := cmp.Diff(want, ins[2]); diff != "" {
			t.Errorf("incoming (-want +got):\n%s", diff)
		}
		if _, ok := next.Folders["Drafts"]; ok {
			t.Error("Drafts stands in the cursor, although it is not read")
		}
		ins, again := fetchAll(t, m, next)
		wantIDs(t, ins)
		if !cmp.Equal(again.Folders, next.Folders) {
			t.Errorf("a quiet sweep moved the cursor from %v to %v", next.Folders, again.Folders)
		}
		if got := len(h.heard("EXAMINE")); got != 5 {
			t.Errorf("%d folders were opened, want the 3 with news, and those of them that get mail once more", got)
		}
		if h.dials != 1 {
			t.Errorf("%d connections were made, want 1", h.dials)
		}
	})
}

func TestFetchReturnsEachOfManyMessagesOnce(t *testing.T) {
	for _, sparse := range []uint32{1, 37, 100_000} {
		t.Run(fmt.Sprintf("UIDs %d apart", sparse), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, m := newIMAPHost(t)
				_, cursor := fetchAll(t, m, engine.Cursor{})
				var want []string
				for i := range 1300 {
					id := fmt.Sprintf("m%d@x", i)
					h.deliver("INBOX", id)
					h.folder("INBOX", "").next += sparse - 1
					want = append(want, id)
				}
				h.deliver("Junk", "last@x")
				ins, _ := fetchAll(t, m, cursor)
				wantIDs(t, ins, append(want, "last@x")...)
				if got := len(h.heard("LIST")); got != 3 {
					t.Errorf("all folders were asked for %d times; want once before, and at the two ends of this", got)
				}
			})
		})
	}
}

func TestFetchLooksBackInFoldersThatAreNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		h.deliver("Clients", "moved@x")
		old := h.folder("Clients", "")
		old.mails = append(old.mails, hostMail{old.next, "Message-ID: <ancient@x>\r\nSubject: old\r\n\r\n"})
		old.next++
		step(t, "nothing when no enrollment waits", func(t *testing.T) {
			ins, next := fetchAll(t, m, cursor)
			wantIDs(t, ins)
			if next.Folders["Clients"].UIDNext != 3 {
				t.Errorf("cursor of the new folder is %+v, want its end", next.Folders["Clients"])
			}
		})
		step(t, "two days before the oldest enrollment", func(t *testing.T) {
			cursor := cursor
			cursor.Since = time.Date(2026, 3, 10, 0, 30, 0, 0, time.FixedZone("", 3600))
			ins, _ := fetchAll(t, m, cursor)
			wantIDs(t, ins, "moved@x")
			if len(h.heard(`SINCE "7-Mar-2026"`)) == 0 {
				t.Errorf("searched %q, want a search SINCE 7-Mar-2026", h.heard("SEARCH"))
			}
		})
	})
}

func TestFetchReadsARenumberedFolderAgain(t *testing.T) {
	since := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	for name, change := range map[string]func(*hostFolder){
		"UIDVALIDITY changed":  func(f *hostFolder) { f.validity = 8 },
		"UIDVALIDITY became 0": func(f *hostFolder) { f.validity = 0 },
		"UIDNEXT went down": func(f *hostFolder) {
			f.mails, f.next = []hostMail{{1, f.mails[1].raw}, {2, f.mails[2].raw}}, 3
		},
		"UIDNEXT stayed and UIDVALIDITY changed": func(f *hostFolder) { f.validity, f.mails[2].uid = 9, 3 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, m := newIMAPHost(t)
				h.deliver("INBOX", "a@x")
				h.deliver("INBOX", "b@x")
				h.deliver("INBOX", "c@x")
				_, cursor := fetchAll(t, m, engine.Cursor{})
				change(h.folder("INBOX", ""))
				cursor.Since = since
				ins, next := fetchAll(t, m, cursor)
				got := ids(ins)
				if !slices.Contains(got, "b@x") || !slices.Contains(got, "c@x") {
					t.Errorf("read %v, want b@x and c@x again", got)
				}
				ins, _ = fetchAll(t, m, next)
				wantIDs(t, ins)
			})
		})
	}
}

func TestFoldersWithOneUIDVALIDITYAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		h.deliver("INBOX", "a@x")
		h.deliver("Junk", "b@x")
		ins, next := fetchAll(t, m, cursor)
		wantIDs(t, ins, "a@x", "b@x")
		if diff := cmp.Diff(map[string]engine.FolderCursor{"INBOX": {UIDValidity: 7, UIDNext: 2}, "Junk": {UIDValidity: 7, UIDNext: 2}, "Sent": {UIDValidity: 7, UIDNext: 1}}, next.Folders); diff != "" {
			t.Errorf("cursor (-want +got):\n%s", diff)
		}
	})
}

func TestAVanishedFolderLeavesTheCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		h.folder("Old", "")
		_, cursor := fetchAll(t, m, engine.Cursor{})
		h.folders = slices.DeleteFunc(h.folders, func(f *hostFolder) bool { return f.name == "Old" })
		_, next := fetchAll(t, m, cursor)
		if _, ok := next.Folders["Old"]; ok {
			t.Error("the folder is gone and still stands in the cursor")
		}
	})
}

func TestNothingThatWritesLeavesTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		h.deliver("INBOX", "a@x")
		ins, _ := fetchAll(t, m, cursor)
		if _, err := m.Read(t.Context(), ins[0], engine.Touched{}); err != nil {
			t.Fatal(err)
		}
		if err := m.KeepSent(t.Context(), []byte("Message-ID: <s@x>\r\n\r\nhello\r\n")); err != nil {
			t.Fatal(err)
		}
		if err := m.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		fetchAll(t, m, cursor)
		allowed := []string{"AUTHENTICATE", "CAPABILITY", "LIST", "EXAMINE", "NOOP", "UID SEARCH", "SEARCH", "UID FETCH", "FETCH", "UNSELECT", "IDLE", "DONE", "APPEND"}
		for _, line := range h.heard("") {
			_, command, _ := strings.Cut(line, " ")
			if !slices.ContainsFunc(allowed, func(word string) bool { return command == word || strings.HasPrefix(command, word+" ") }) {
				t.Errorf("the client said %q", line)
			}
			if strings.Contains(line, "BODY[") || strings.Contains(line, "ENVELOPE") || strings.Contains(line, "BODYSTRUCTURE") {
				t.Errorf("the client said %q; only BODY.PEEK leaves a message unread", line)
			}
		}
		if got := len(h.heard("APPEND")); got != 1 {
			t.Errorf("%d APPENDs, want the 1 for the Sent folder", got)
		}
	})
}

func TestReadCompletesAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		h.deliver("INBOX", "a@x")
		ins, _ := fetchAll(t, m, cursor)
		got, err := m.Read(t.Context(), ins[0], engine.Touched{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Kind != engine.Reply || got.MessageID != "a@x" || got.Folder != "INBOX" || got.UID != 1 || got.Role != engine.Inboxed {
			t.Errorf("read %+v", got)
		}
		if want := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC); !got.Arrived.Equal(want) {
			t.Errorf("arrived %v, want %v", got.Arrived, want)
		}
		step(t, "removed meanwhile", func(t *testing.T) {
			h.remove("INBOX", 1)
			if _, err := m.Read(t.Context(), ins[0], engine.Touched{}); !errors.Is(err, engine.ErrMoved) {
				t.Errorf("error %v, want ErrMoved", err)
			}
		})
		step(t, "renumbered meanwhile", func(t *testing.T) {
			h.deliver("INBOX", "b@x")
			m.drop()
			h.folder("INBOX", "").validity = 99
			in := ins[0]
			in.UID = 2
			if _, err := m.Read(t.Context(), in, engine.Touched{}); !errors.Is(err, engine.ErrMoved) {
				t.Errorf("error %v, want ErrMoved", err)
			}
		})
	})
}

func TestReadKeepsTheMessageWhenItsDateIsNoDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		h.deliver("INBOX", "a@x")
		ins, cursor := fetchAll(t, m, cursor)
		h.obey(func(c *hostConn, tag, line string) bool {
			if !strings.Contains(line, "INTERNALDATE") {
				return false
			}
			c.send("* 1 FETCH (UID 1 INTERNALDATE \"31-Feb-2026 10:00:00 +0000\")\r\n%s OK done\r\n", tag)
			return true
		})
		got, err := m.Read(t.Context(), ins[0], engine.Touched{})
		if err != nil || got.Kind != engine.Reply || !got.Arrived.IsZero() {
			t.Errorf("read %+v, %v; want a reply that arrived at an unknown time", got, err)
		}
		ins, _ = fetchAll(t, m, cursor)
		wantIDs(t, ins)
	})
}

func TestKeepSent(t *testing.T) {
	mail := []byte("Message-ID: <s@x>\r\n\r\nhello\r\n")
	t.Run("puts one copy, however often it is called", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, m := newIMAPHost(t)
			for range 2 {
				if err := m.KeepSent(t.Context(), mail); err != nil {
					t.Fatal(err)
				}
			}
			sent := h.folder("Sent", "").mails
			if len(sent) != 1 || sent[0].raw != string(mail) {
				t.Errorf("the Sent folder holds %+v, want the mail once", sent)
			}
			if !strings.Contains(strings.Join(h.heard("APPEND"), ""), `(\Seen)`) {
				t.Errorf("said %q, want the copy marked as read", h.heard("APPEND"))
			}
		})
	})
	t.Run("puts no second one where the server may still be about to keep the first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, m := newIMAPHost(t)
			fetchAll(t, m, engine.Cursor{})
			h.obey(func(c *hostConn, _, line string) bool {
				if strings.HasPrefix(line, "APPEND") {
					_ = c.conn.Close()
				}
				return strings.HasPrefix(line, "APPEND")
			})
			if err := m.KeepSent(t.Context(), mail); err == nil || !strings.Contains(err.Error(), "lost while it was handed over") {
				t.Errorf("error %v", err)
			}
			if said := h.heard("APPEND"); len(said) != 1 {
				t.Errorf("said %q, want APPEND once", said)
			}
		})
	})
	t.Run("waits for a server no longer than it has time", func(t *testing.T) {
		for patience, want := range map[time.Duration]time.Duration{time.Hour: commandTimeout, 7 * time.Second: 7 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				h, m := newIMAPHost(t)
				h.obey(func(_ *hostConn, _, line string) bool { return strings.HasPrefix(line, "APPEND") }) // which never asks for the mail
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				began := time.Now()
				if err := m.KeepSent(ctx, mail); err == nil || time.Since(began) != want {
					t.Errorf("with %v it ended after %v with %v, want an error after %v", patience, time.Since(began), err, want)
				}
				h.obey(nil)
				if err := m.KeepSent(t.Context(), mail); err != nil || len(h.folder("Sent", "").mails) != 1 {
					t.Errorf("afterwards: %v", err)
				}
			})
		}
	})
	t.Run("says so when there is no Sent folder, and makes none", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, m := newIMAPHost(t)
			h.folders = h.folders[:1]
			if err := m.KeepSent(t.Context(), mail); err == nil || !strings.Contains(err.Error(), "no folder for sent mail") {
				t.Errorf("error %v", err)
			}
			if len(h.heard("APPEND")) != 0 {
				t.Error("the client said APPEND")
			}
		})
	})
}

func TestForbiddenFoldersAreLeftOutAndRefusedOnesHoldTheMailbox(t *testing.T) {
	refuse := func(code string) func(c *hostConn, tag, line string) bool {
		return func(c *hostConn, tag, line string) bool {
			if line != "EXAMINE Junk" && line != `EXAMINE "Junk"` {
				return false
			}
			c.send("%s NO %s\r\n", tag, code)
			return true
		}
	}
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		var log bytes.Buffer
		m.Log = slog.New(slog.NewTextHandler(&log, nil))
		_, cursor := fetchAll(t, m, engine.Cursor{})
		h.deliver("Junk", "a@x")
		h.deliver("INBOX", "b@x")
		h.obey(refuse("[UNAVAILABLE] try later"))
		wantHeld(t, m, cursor, "folder Junk")
		h.obey(refuse("[NOPERM] not yours"))
		for range 3 {
			ins, _ := fetchAll(t, m, cursor)
			wantIDs(t, ins, "b@x")
		}
		if got := strings.Count(log.String(), "left out"); got != 1 {
			t.Errorf("logged %d times that a folder is left out, want once:\n%s", got, log.String())
		}
		h.obey(nil)
		m.Skip = []string{"Junk"}
		ins, _ := fetchAll(t, m, cursor)
		wantIDs(t, ins, "b@x")
	})
}
