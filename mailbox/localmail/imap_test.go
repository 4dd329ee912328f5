package localmail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"nudge/mailbox"
	"nudge/mailbox/localmail"
)

func TestListNamesRolesAndCounts(t *testing.T) {
	p := open(t, localmail.Options{})
	p.AddMailbox(anna, "secret", "Clients/Roofs")
	if err := p.Deliver(anna, "Clients/Roofs", []byte(quote("1@x"))); err != nil {
		t.Fatal(err)
	}
	c := imapClient(t, p.Account(anna))
	folders, err := c.List("", "*", &imap.ListOptions{
		ReturnSpecialUse: true,
		ReturnStatus:     &imap.StatusOptions{NumMessages: true, UIDNext: true, UIDValidity: true},
	}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]any{}
	validities := map[uint32]bool{}
	for _, f := range folders {
		use := imap.MailboxAttr("")
		for _, attr := range f.Attrs {
			use = attr
		}
		got[f.Mailbox] = [2]any{use, *f.Status.NumMessages}
		validities[f.Status.UIDValidity] = true
	}
	want := map[string][2]any{
		"INBOX": {imap.MailboxAttr(""), uint32(0)}, "Archive": {imap.MailboxAttrArchive, uint32(0)},
		"Drafts": {imap.MailboxAttrDrafts, uint32(0)}, "Junk": {imap.MailboxAttrJunk, uint32(0)},
		"Sent": {imap.MailboxAttrSent, uint32(0)}, "Trash": {imap.MailboxAttrTrash, uint32(0)},
		"Clients/Roofs": {imap.MailboxAttr(""), uint32(1)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("folders (-want +got):\n%s", diff)
	}
	if len(validities) != len(folders) {
		t.Errorf("%d folders share %d UIDVALIDITY values", len(folders), len(validities))
	}
}

func TestReadingAsTheEngineDoesChangesNothing(t *testing.T) {
	p := open(t, localmail.Options{})
	for _, id := range []string{"1@x", "2@x", "3@x"} {
		if err := p.Deliver(anna, "", []byte(quote(id))); err != nil {
			t.Fatal(err)
		}
	}
	before := p.Messages(anna, localmail.Inbox)
	for _, mode := range []mailbox.TLSMode{mailbox.TLSImplicit, mailbox.TLSStart, mailbox.TLSNone} {
		c := imapClient(t, p.AccountOver(anna, mode))
		if _, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
			t.Fatal(err)
		}
		found, err := c.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 2, Stop: 0}}}}, nil).Wait()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]imap.UID{2, 3}, found.AllUIDs()); diff != "" {
			t.Errorf("UID SEARCH 2:* (-want +got):\n%s", diff)
		}
		msgs, err := c.Fetch(imap.UIDSetNum(3), &imap.FetchOptions{
			UID: true, InternalDate: true, Flags: true, RFC822Size: true,
			BodySection: []*imap.FetchItemBodySection{
				{Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"Message-ID", "From"}, Peek: true},
				{Partial: &imap.SectionPartial{Offset: 0, Size: 10}, Peek: true},
			},
		}).Collect()
		if err != nil || len(msgs) != 1 {
			t.Fatalf("fetched %d messages, %v; want 1", len(msgs), err)
		}
		m := msgs[0]
		if !m.InternalDate.Equal(tuesday) {
			t.Errorf("INTERNALDATE is %v, want the provider's now %v", m.InternalDate, tuesday)
		}
		if head := string(m.BodySection[0].Bytes); !strings.Contains(head, "<3@x>") || strings.Contains(head, "Subject") {
			t.Errorf("header fields are %q, want From and Message-ID alone", head)
		}
		if part := string(m.BodySection[1].Bytes); part != "From: Anna" {
			t.Errorf("BODY[]<0.10> is %q, want %q", part, "From: Anna")
		}
		if m.RFC822Size != int64(len(quote("3@x"))) {
			t.Errorf("size is %d, want %d", m.RFC822Size, len(quote("3@x")))
		}
		if err := c.UnselectAndExpunge().Wait(); err != nil { // CLOSE
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, p.Messages(anna, localmail.Inbox)); diff != "" {
		t.Errorf("reading changed the folder (-before +after):\n%s", diff)
	}
}

func TestWhatArrivesIsToldToIdleAndFoundAfterNoop(t *testing.T) {
	p := open(t, localmail.Options{})
	a := p.Account(anna)
	exists := make(chan uint32, 10)
	conn, err := a.Dial(t.Context(), "tcp", address(a.IMAP))
	if err != nil {
		t.Fatal(err)
	}
	c := imapclient.New(tlsClient(a, a.IMAP, conn), &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(d *imapclient.UnilateralDataMailbox) {
				if d.NumMessages != nil {
					exists <- *d.NumMessages
				}
			},
		},
	})
	defer c.Close()
	if err := c.Login(a.User, "secret").Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		t.Fatal(err)
	}
	idle, err := c.Idle()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Deliver(anna, "", []byte(quote("1@x"))); err != nil {
		t.Fatal(err)
	}
	select {
	case n := <-exists:
		if n != 1 {
			t.Errorf("IDLE told of %d messages, want 1", n)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("IDLE told nothing")
	}
	idle.Close()
	if err := idle.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := c.Noop().Wait(); err != nil {
		t.Fatal(err)
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagSeen}}, nil).Wait()
	if err != nil || len(found.AllUIDs()) != 1 {
		t.Errorf("UID SEARCH UNSEEN found %v, %v; want one", found, err)
	}
}

func TestAppendKeepsFlagsAndDate(t *testing.T) {
	p := open(t, localmail.Options{})
	c := imapClient(t, p.Account(anna))
	cmd := c.Append(localmail.Sent, int64(len(quote("1@x"))), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
	if _, err := cmd.Write([]byte(quote("1@x"))); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	want := []localmail.Message{{UID: 1, Flags: []string{`\seen`}, Arrived: tuesday, Raw: []byte(quote("1@x"))}}
	if diff := cmp.Diff(want, p.Messages(anna, localmail.Sent)); diff != "" {
		t.Errorf("Sent (-want +got):\n%s", diff)
	}
}

func TestAnAppendThatBreaksOffLeavesNothing(t *testing.T) {
	p := open(t, localmail.Options{})
	c := imapClient(t, p.Account(anna))
	long := quote("1@x") + strings.Repeat("words and words\r\n", 2000)
	cmd := c.Append(localmail.Sent, int64(len(long)), nil)
	if _, err := cmd.Write([]byte(long[:len(long)/2])); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	_ = cmd.Close()
	_ = p.Close() // waits until the server is through with what it got
	if got := p.Messages(anna, localmail.Sent); len(got) != 0 {
		t.Errorf("Sent holds %q", got[0].Raw)
	}
}

func TestSearchCriteria(t *testing.T) {
	at := &clock{now: tuesday}
	p := open(t, localmail.Options{Now: at.Now})
	p.Deliver(anna, "", []byte(quote("1@x")))
	at.set(tuesday.AddDate(0, 0, 7))
	p.Deliver(anna, "", []byte("From: a@b.example\nMessage-ID: <2@x>\nSubject: go ahead\n\nyes\n"))
	p.Mark(anna, localmail.Inbox, 2, `\Seen`)
	c := imapClient(t, p.Account(anna))
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		c    imap.SearchCriteria
		want []imap.UID
	}{
		{"everything", imap.SearchCriteria{}, []imap.UID{1, 2}},
		{"a star alone is the last message", imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 0, Stop: 0}}}}, []imap.UID{2}},
		{"a range beyond the end holds the last message", imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 9, Stop: 0}}}}, []imap.UID{2}},
		{"seen", imap.SearchCriteria{Flag: []imap.Flag{imap.FlagSeen}}, []imap.UID{2}},
		{"since counts days", imap.SearchCriteria{Since: tuesday.AddDate(0, 0, 7)}, []imap.UID{2}},
		{"before counts days", imap.SearchCriteria{Before: tuesday.AddDate(0, 0, 7)}, []imap.UID{1}},
		{"a header", imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: "<1@X>"}}}, []imap.UID{1}},
		{"the text", imap.SearchCriteria{Text: []string{"GO AHEAD"}}, []imap.UID{2}},
		{"the body, not the header", imap.SearchCriteria{Body: []string{"go ahead"}}, nil},
		{"not", imap.SearchCriteria{Not: []imap.SearchCriteria{{Flag: []imap.Flag{imap.FlagSeen}}}}, []imap.UID{1}},
		{"or", imap.SearchCriteria{Or: [][2]imap.SearchCriteria{{{Text: []string{"nowhere"}}, {Body: []string{"yes"}}}}}, []imap.UID{2}},
		{"larger", imap.SearchCriteria{Larger: 200}, []imap.UID{1}},
		{"sent since", imap.SearchCriteria{SentSince: tuesday}, []imap.UID{1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := c.UIDSearch(&tc.c, nil).Wait()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got.AllUIDs()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMovedRenumberedAndRemovedMessages(t *testing.T) {
	p := open(t, localmail.Options{})
	p.Deliver(anna, "", []byte(quote("1@x")))
	p.Deliver(anna, "", []byte(quote("2@x")))
	c := imapClient(t, p.Account(anna))
	sel, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Move(imap.UIDSetNum(1), localmail.Archive).Wait(); err != nil {
		t.Fatal(err)
	}
	if !p.Move(anna, localmail.Inbox, 2, "Clients/Roofs") {
		t.Error("the second message was not there to be moved")
	}
	if got := len(p.Messages(anna, localmail.Inbox)); got != 0 {
		t.Errorf("INBOX still holds %d messages", got)
	}
	if a, b := len(p.Messages(anna, localmail.Archive)), len(p.Messages(anna, "Clients/Roofs")); a != 1 || b != 1 {
		t.Errorf("Archive holds %d and Clients/Roofs %d messages, want 1 and 1", a, b)
	}
	if p.Remove(anna, "Clients/Roofs", 7) || !p.Remove(anna, "Clients/Roofs", 1) {
		t.Error("Remove does not say whether the message was there")
	}

	p.Renumber(anna, localmail.Inbox)
	if err := c.Noop().Wait(); err == nil {
		t.Error("the connection outlived the renumbering")
	}
	again, err := imapClient(t, p.Account(anna)).Select("INBOX", nil).Wait()
	if err != nil || again.UIDValidity == sel.UIDValidity {
		t.Errorf("UIDVALIDITY is %d as before, %v", again.UIDValidity, err)
	}
}

func TestBareServerOffersNoExtensions(t *testing.T) {
	p := open(t, localmail.Options{BareIMAP: true})
	c := imapClient(t, p.Account(anna))
	caps, err := c.Capability().Wait()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []imap.Cap{imap.CapSpecialUse, imap.CapListStatus, imap.CapUIDPlus, imap.CapMove, imap.CapESearch} {
		if caps.Has(want) {
			t.Errorf("a bare server offers %s", want)
		}
	}
	folders, err := c.List("", "*", nil).Collect()
	if err != nil || len(folders) != 6 {
		t.Fatalf("%d folders, %v; want 6", len(folders), err)
	}
	for _, f := range folders {
		if len(f.Attrs) > 0 {
			t.Errorf("a bare server says %v of %s", f.Attrs, f.Mailbox)
		}
	}
}
