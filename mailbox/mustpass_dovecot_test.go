package mailbox

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"nudge/engine"
	"nudge/mailbox/mailpair"
)

// ownerAppends files a mail as another mail program would.
func ownerAppends(t *testing.T, c *imapclient.Client, folder string, raw []byte, flags ...imap.Flag) imap.UID {
	t.Helper()
	cmd := c.Append(folder, int64(len(raw)), &imap.AppendOptions{Flags: flags})
	_, err := cmd.Write(raw)
	must(t, err)
	must(t, cmd.Close())
	data, err := cmd.Wait()
	must(t, err)
	return data.UID
}

// readReplies reads what Fetch found, and wants each to be a reply.
func readReplies(t *testing.T, m *IMAP, ins []engine.Incoming, want ...string) {
	t.Helper()
	got := ids(ins)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("read %v, want %v", got, want)
	}
	for _, in := range ins {
		if whole, err := m.Read(t.Context(), in, engine.Touched{}); err != nil || whole.Kind != engine.Reply {
			t.Errorf("%s: read %s (%s), %v", in.MessageID, whole.Kind, whole.Evidence, err)
		}
	}
}

// TestDovecotMustPass holds the cases about folders, flags and servers that no
// change may ever lose, against a real server.
func TestDovecotMustPass(t *testing.T) {
	p := mailpair.Start(t)
	c := owner(t, p)
	m := dovecot(t, p)
	must(t, c.Create("Customers", nil).Wait())
	_, cursor := fetchAll(t, m, engine.Cursor{})
	cursor.Since = time.Now().Add(-time.Hour)

	for _, tt := range []struct {
		name   string
		folder string
		flags  []imap.Flag
		want   []imap.Flag // that it bears afterwards
	}{
		{"filed by a server rule", "Customers", nil, nil},
		{"in Junk", "Junk", nil, nil},
		{"already read on a phone", "INBOX", []imap.Flag{imap.FlagSeen, imap.FlagAnswered}, []imap.Flag{imap.FlagAnswered, imap.FlagSeen}},
		{"in Trash", "Trash", []imap.Flag{imap.FlagDeleted}, []imap.Flag{imap.FlagDeleted}},
		{"archived", "Archive", []imap.Flag{imap.FlagSeen}, []imap.Flag{imap.FlagSeen}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := regexp.MustCompile(`\W`).ReplaceAllString(tt.name, "-") + "@x"
			ownerAppends(t, c, tt.folder, letter(id), tt.flags...)
			before := flags(t, c)
			ins, next := fetchAll(t, m, cursor)
			readReplies(t, m, ins, id)
			cursor = next
			if after := flags(t, c); !slices.Equal(before, after) {
				t.Errorf("flags were %v and are %v", before, after)
			}
		})
	}
	t.Run("moved while we scan", func(t *testing.T) {
		uid := ownerAppends(t, c, "INBOX", letter("wanders@x"))
		ins, _ := fetchAll(t, m, cursor)
		wantIDs(t, ins, "wanders@x")
		_, err := c.Select("INBOX", nil).Wait()
		must(t, err)
		_, err = c.Move(imap.UIDSetNum(uid), "Customers").Wait()
		must(t, err)
		ins, next := fetchAll(t, m, cursor)
		readReplies(t, m, ins, "wanders@x")
		cursor = next
	})
	t.Run("own follow-up in Sent", func(t *testing.T) {
		own := append([]byte("X-Nudge-Instance: 1abc\nReferences: <anchor@acme.test>\n"), letter("ours-2@acme.test")...)
		ownerAppends(t, c, "Sent", own, imap.FlagSeen)
		ins, next := fetchAll(t, m, cursor)
		wantIDs(t, ins, "ours-2@acme.test")
		if in := ins[0]; in.Role != engine.SentMail || in.Instance != "1abc" {
			t.Errorf("it lies in %q, written by %q", in.Role, in.Instance)
		}
		cursor = next
	})
	t.Run("UIDVALIDITY reset", func(t *testing.T) {
		must(t, c.Unselect().Wait())
		must(t, c.Delete("Customers").Wait())
		must(t, c.Create("Customers", nil).Wait())
		ownerAppends(t, c, "Customers", letter("after-reset@x"))
		ins, next := fetchAll(t, m, cursor)
		if !slices.Contains(ids(ins), "after-reset@x") {
			t.Errorf("read %v", ids(ins))
		}
		cursor = next
	})
}

// Two folders may have one UIDVALIDITY, and a mail of one UID each.
func TestDovecotMustPassTwoFoldersWithOneUIDVALIDITY(t *testing.T) {
	p := mailpair.Start(t)
	c := owner(t, p)
	for _, folder := range []string{"One", "Two"} {
		must(t, c.Create(folder, nil).Wait())
		_, err := c.Select(folder, nil).Wait()
		must(t, err)
	}
	must(t, c.Unselect().Wait())
	p.StopDovecot(t)
	lists := 0
	must(t, filepath.WalkDir(p.Dir, func(path string, entry os.DirEntry, err error) error {
		folder := filepath.Base(filepath.Dir(path))
		if err != nil || folder != ".One" && folder != ".Two" {
			return err
		}
		switch {
		case entry.Name() == "dovecot-uidlist":
			content, err := os.ReadFile(path)
			must(t, err)
			lists++
			return os.WriteFile(path, regexp.MustCompile(`V\d+`).ReplaceAll(content, []byte("V4242")), 0o600)
		case regexp.MustCompile(`^dovecot\.index`).MatchString(entry.Name()):
			return os.Remove(path)
		}
		return nil
	}))
	if lists != 2 {
		t.Fatalf("found %d lists of UIDs, want 2", lists)
	}
	p.StartDovecot(t)

	m := dovecot(t, p)
	_, cursor := fetchAll(t, m, engine.Cursor{})
	if one, two := cursor.Folders["One"].UIDValidity, cursor.Folders["Two"].UIDValidity; one != two || one == 0 {
		t.Fatalf("UIDVALIDITY %d and %d, want one for both", one, two)
	}
	c = owner(t, p)
	for _, folder := range []string{"One", "Two"} {
		ownerAppends(t, c, folder, letter(folder+"@x"))
		ins, next := fetchAll(t, m, cursor)
		readReplies(t, m, ins, folder+"@x")
		cursor = next
	}
}

// What a server cannot do costs time and never a reply.
func TestDovecotMustPassServerWithoutCONDSTOREIDLEOrMOVE(t *testing.T) {
	for _, capability := range []string{"IMAP4rev1", "IMAP4rev1 IDLE", "IMAP4rev1 UIDPLUS CONDSTORE", "IMAP4rev1 LIST-EXTENDED SPECIAL-USE"} {
		t.Run(capability, func(t *testing.T) {
			p := mailpair.Config{Capability: capability}.Start(t)
			m := dovecot(t, p)
			_, cursor := fetchAll(t, m, engine.Cursor{})
			var want []string
			for i := range 5 {
				id := fmt.Sprintf("m%d@x", i)
				p.DeliverLMTP(t, mailpair.Sales, letter(id))
				want = append(want, id)
			}
			ins, _ := fetchAll(t, m, cursor)
			readReplies(t, m, ins, want...)
		})
	}
}
