package mailbox

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"

	"nudge/engine"
)

func TestGaps(t *testing.T) {
	for name, test := range map[string]struct {
		base      engine.FolderCursor
		next      uint32
		found     []imap.UID
		gaps      uint64
		first     uint32
		read, not []imap.UID
	}{
		"a new folder":           {next: 1, first: 1, not: []imap.UID{1, 2}},
		"all there":              {next: 4, found: []imap.UID{1, 2, 3}, first: 4, read: []imap.UID{1, 2, 3}, not: []imap.UID{4}},
		"one missing":            {next: 4, found: []imap.UID{1, 3}, gaps: 0b10, first: 2, read: []imap.UID{1, 3}, not: []imap.UID{2, 4}},
		"none there":             {next: 4, gaps: 0b111, first: 1, not: []imap.UID{1, 2, 3, 4}},
		"what is before is read": {base: engine.FolderCursor{UIDNext: 3}, next: 5, found: []imap.UID{4}, gaps: 0b10, first: 3, read: []imap.UID{1, 2, 4}, not: []imap.UID{3}},
		"a gap is kept":          {base: engine.FolderCursor{UIDNext: 4, Gaps: 0b10}, next: 5, found: []imap.UID{4}, gaps: 0b100, first: 2, read: []imap.UID{1, 3, 4}, not: []imap.UID{2}},
		"a gap is closed":        {base: engine.FolderCursor{UIDNext: 4, Gaps: 0b10}, next: 4, found: []imap.UID{2}, first: 4, read: []imap.UID{1, 2, 3}},
		"64 are watched":         {base: engine.FolderCursor{UIDNext: 4, Gaps: 0b10}, next: 100, gaps: 1<<64 - 1, first: 36, read: []imap.UID{1, 2, 35}, not: []imap.UID{36, 99, 100}},
		"the highest UID":        {base: engine.FolderCursor{UIDNext: 1<<32 - 2}, next: 1<<32 - 1, found: []imap.UID{1<<32 - 2}, first: 1<<32 - 1, read: []imap.UID{1, 1<<32 - 2}, not: []imap.UID{1<<32 - 1}},
	} {
		t.Run(name, func(t *testing.T) {
			c := engine.FolderCursor{UIDNext: test.next, Gaps: gaps(test.base, test.next, test.found)}
			if c.Gaps != test.gaps || firstGap(c) != test.first {
				t.Errorf("gaps %b from %d, want %b from %d", c.Gaps, firstGap(c), test.gaps, test.first)
			}
			for _, uid := range test.read {
				if !wasRead(c, uid) {
					t.Errorf("UID %d would be read again", uid)
				}
			}
			for _, uid := range test.not {
				if wasRead(c, uid) {
					t.Errorf("UID %d would never be read", uid)
				}
			}
		})
	}
	if got := firstGap(engine.FolderCursor{UIDNext: 2, Gaps: 1 << 63}); got != 1 {
		t.Errorf("a cursor that nobody could have written begins at UID %d, want 1", got)
	}
}

// hide takes a mail out of sight; what it returns shows it.
func (h *imapHost) hide(folder string, uid uint32) (show func()) {
	f := h.folder(folder, "")
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(f.mails, func(m hostMail) bool { return m.uid == uid })
	mail := f.mails[i]
	f.mails = slices.Delete(f.mails, i, i+1)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		f.mails = append(f.mails, mail)
		slices.SortFunc(f.mails, func(a, b hostMail) int { return cmp.Compare(a.uid, b.uid) })
	}
}

// A server may show a mail after another one with a higher UID, and after it
// said that its next UID lies beyond both.
func TestAMailThatIsShownLateIsRead(t *testing.T) {
	for name, later := range map[string]string{"alone": "", "with another one": "three@x"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, m := newIMAPHost(t)
				h.deliver("INBOX", "before@x")
				_, cursor := fetchAll(t, m, engine.Cursor{})
				show := h.hide("INBOX", h.deliver("INBOX", "one@x"))
				h.deliver("INBOX", "two@x")
				ins, cursor := fetchAll(t, m, cursor)
				wantIDs(t, ins, "two@x")
				for range 2 {
					ins, cursor = fetchAll(t, m, cursor)
					wantIDs(t, ins)
				}
				show()
				want := []string{"one@x"}
				if later != "" {
					h.deliver("INBOX", later)
					want = append(want, later)
				}
				// Whoever could not keep what was read asks again with the old
				// cursor, and so does a process that starts anew.
				for _, m := range []*IMAP{m, m, h.client()} {
					ins, _ = fetchAll(t, m, cursor)
					wantIDs(t, ins, want...)
				}
				ins, cursor = fetchAll(t, m, cursor)
				wantIDs(t, ins, want...)
				ins, again := fetchAll(t, m, cursor)
				wantIDs(t, ins)
				if again.Folders["INBOX"] != cursor.Folders["INBOX"] || again.Folders["INBOX"].Gaps != 0 {
					t.Errorf("a quiet look moved the cursor from %v to %v", cursor.Folders["INBOX"], again.Folders["INBOX"])
				}
			})
		})
	}
}

// A message that was removed before it was read leaves a gap for good, as most
// do. It is looked into for an hour after the folder changed.
func TestAGapIsWatchedForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		h.remove("INBOX", h.deliver("INBOX", "gone@x"))
		h.deliver("INBOX", "two@x")
		ins, cursor := fetchAll(t, m, cursor)
		wantIDs(t, ins, "two@x")
		searches := func() int {
			before := len(h.heard("UID SEARCH"))
			ins, cursor = fetchAll(t, m, cursor)
			wantIDs(t, ins)
			return len(h.heard("UID SEARCH")) - before
		}
		got := []int{searches(), searches()}
		time.Sleep(gapPatience)
		got = append(got, searches(), searches())
		h.deliver("INBOX", "three@x")
		_, cursor = fetchAll(t, m, cursor)
		got = append(got, searches())
		if want := []int{1, 1, 0, 0, 1}; !slices.Equal(got, want) {
			t.Errorf("searches a sweep: %v, want %v\n%s", got, want, strings.Join(h.heard("UID SEARCH"), "\n"))
		}
	})
}

// What is shown late is read also where something else changed at that moment,
// and where the folder was only just met.
func TestALateMailIsReadInOddMoments(t *testing.T) {
	since := func(c engine.Cursor) engine.Cursor { c.Since = time.Now().Add(-24 * time.Hour); return c }
	for name, live := range map[string]func(*testing.T, *imapHost, *IMAP) (engine.Cursor, func()){
		"while another is removed": func(t *testing.T, h *imapHost, m *IMAP) (engine.Cursor, func()) {
			old := h.deliver("INBOX", "before@x")
			_, cursor := fetchAll(t, m, engine.Cursor{})
			show := h.hide("INBOX", h.deliver("INBOX", "late@x"))
			h.deliver("INBOX", "two@x")
			_, cursor = fetchAll(t, m, cursor)
			_, cursor = fetchAll(t, m, cursor)
			return cursor, func() { h.remove("INBOX", old); show() }
		},
		"after the first look": func(t *testing.T, h *imapHost, m *IMAP) (engine.Cursor, func()) {
			show := h.hide("INBOX", h.deliver("INBOX", "late@x"))
			h.deliver("INBOX", "two@x")
			_, cursor := fetchAll(t, m, since(engine.Cursor{}))
			return cursor, show
		},
		"after a look at a copy that lags behind": func(t *testing.T, h *imapHost, m *IMAP) (engine.Cursor, func()) {
			h.deliver("INBOX", "before@x")
			_, cursor := fetchAll(t, m, since(engine.Cursor{}))
			showLate := h.hide("INBOX", h.deliver("INBOX", "late@x"))
			h.deliver("INBOX", "two@x")
			last := h.deliver("INBOX", "three@x")
			_, cursor = fetchAll(t, m, since(cursor))
			showLast, f := h.hide("INBOX", last), h.folder("INBOX", "")
			f.next--
			_, cursor = fetchAll(t, m, since(cursor))
			return cursor, func() { f.next++; showLast(); showLate() }
		},
		"in Sent": func(t *testing.T, h *imapHost, m *IMAP) (engine.Cursor, func()) {
			_, cursor := fetchAll(t, m, engine.Cursor{})
			show := h.hide("Sent", h.deliver("Sent", "late@x"))
			h.deliver("Sent", "two@x")
			_, cursor = fetchAll(t, m, cursor)
			return cursor, show
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, m := newIMAPHost(t)
				cursor, show := live(t, h, m)
				show()
				ins, _ := fetchAll(t, m, since(cursor))
				if !slices.Contains(ids(ins), "late@x") {
					t.Errorf("read were %v", ids(ins))
				}
			})
		})
	}
}

// Of a new folder, mail that is older than the look-back is no gap.
func TestWhatIsOlderThanTheLookBackStaysUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		h.deliver("INBOX", "ancient@x")
		h.obey(func(c *hostConn, tag, line string) bool {
			if strings.Contains(line, "SINCE") {
				c.send("* SEARCH\r\n%s OK\r\n", tag)
				return true
			}
			return false
		})
		_, cursor := fetchAll(t, m, engine.Cursor{Since: time.Now()})
		h.deliver("INBOX", "new@x")
		cursor.Since = time.Now()
		ins, _ := fetchAll(t, m, cursor)
		wantIDs(t, ins, "new@x")
	})
}

// A search that is refused halfway through a folder holds the mailbox: only in
// an empty folder does it mean nothing.
func TestASearchThatIsRefusedHalfwaySkipsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		for range 3 * sweepLimit {
			h.deliver("INBOX", "one@x")
		}
		ins, cursor, err := m.Fetch(t.Context(), cursor)
		if err != nil || !cursor.More {
			t.Fatalf("more %v, %v", cursor.More, err)
		}
		h.obey(func(c *hostConn, tag, line string) bool {
			if strings.Contains(line, "UID SEARCH") {
				c.send("%s NO [SERVERBUG] try later\r\n", tag)
				return true
			}
			return false
		})
		wantHeld(t, m, cursor, "try later")
		h.obey(nil)
		rest, _ := fetchAll(t, m, cursor)
		if got := len(ins) + len(rest); got != 3*sweepLimit {
			t.Errorf("%d messages were read, want %d", got, 3*sweepLimit)
		}
	})
}

// Where more was late than one call returns, the next ones return the rest, and
// the cursor never goes back.
func TestManyLateMailsAreAllRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		_, cursor := fetchAll(t, m, engine.Cursor{})
		var show []func()
		for range overlap - 1 {
			show = append(show, h.hide("Junk", h.deliver("Junk", "late@x")))
		}
		h.deliver("Junk", "first@x")
		ins, cursor := fetchAll(t, m, cursor)
		wantIDs(t, ins, "first@x")
		for _, f := range show {
			f()
		}
		for range sweepLimit - 10 {
			h.deliver("INBOX", "inbox@x")
		}
		for range 2 * sweepLimit {
			h.deliver("Junk", "more@x")
		}
		read := 0
		for more := true; more; {
			ins, next, err := m.Fetch(t.Context(), cursor)
			if err != nil {
				t.Fatal(err)
			}
			if was, is := cursor.Folders["Junk"].UIDNext, next.Folders["Junk"].UIDNext; is < was {
				t.Errorf("the cursor went back from %d to %d", was, is)
			}
			read, cursor, more = read+len(ins), next, next.More
		}
		if want := sweepLimit - 10 + overlap - 1 + 2*sweepLimit; read != want {
			t.Errorf("%d messages were read, want %d", read, want)
		}
		ins, _ = fetchAll(t, m, cursor)
		wantIDs(t, ins)
	})
}
