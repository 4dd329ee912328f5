package mailbox

import (
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"nudge/engine"
)

func TestFoldersAreKnownByPurposeThenByName(t *testing.T) {
	type entry struct {
		name  string
		delim rune
		attrs []imap.MailboxAttr
	}
	for name, test := range map[string]struct {
		list []entry
		want map[string]string // name → role, "drafts" for one that is not read
	}{
		"what the server says counts, whatever the name": {
			[]entry{{"INBOX", '/', nil}, {"Outbound", '/', []imap.MailboxAttr{imap.MailboxAttrSent}}, {"Sent", '/', nil}, {"Alles", '/', []imap.MailboxAttr{imap.MailboxAttrAll}}},
			map[string]string{"INBOX": "inbox", "Outbound": "sent", "Sent": "", "Alles": "all"},
		},
		"else the name counts, in many languages": {
			[]entry{{"INBOX", '.', nil}, {"INBOX.Gesendete Objekte", '.', nil}, {"INBOX.Entwürfe", '.', nil}, {"INBOX.Papierkorb", '.', nil}, {"INBOX.SPAM", '.', nil}, {"INBOX.Archiv", '.', nil}},
			map[string]string{"INBOX": "inbox", "INBOX.Gesendete Objekte": "sent", "INBOX.Entwürfe": "drafts", "INBOX.Papierkorb": "trash", "INBOX.SPAM": "junk", "INBOX.Archiv": "archive"},
		},
		"a folder that a person put deeper is an ordinary one": {
			[]entry{{"INBOX", '/', nil}, {"Clients/Drafts", '/', nil}, {"Clients/Sent", '/', nil}},
			map[string]string{"INBOX": "inbox", "Clients/Drafts": "", "Clients/Sent": ""},
		},
		"Gmail's own stand below [Gmail]": {
			[]entry{{"INBOX", '/', nil}, {"[Gmail]", '/', []imap.MailboxAttr{imap.MailboxAttrNoSelect}}, {"[Gmail]/All Mail", '/', nil}, {"[Gmail]/Sent Mail", '/', nil}, {"[Gmail]/Drafts", '/', nil}},
			map[string]string{"INBOX": "inbox", "[Gmail]/All Mail": "all", "[Gmail]/Sent Mail": "sent", "[Gmail]/Drafts": "drafts"},
		},
		"INBOX is read whatever is said of it, even nothing": {
			[]entry{{"Gone", '/', []imap.MailboxAttr{imap.MailboxAttrNonExistent}}},
			map[string]string{"INBOX": "inbox"},
		},
		"INBOX stays INBOX when it is called drafts": {
			[]entry{{"INBOX", '/', []imap.MailboxAttr{imap.MailboxAttrDrafts}}, {"INBOX", '/', nil}},
			map[string]string{"INBOX": "inbox"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var list []*imap.ListData
			for _, e := range test.list {
				list = append(list, &imap.ListData{Mailbox: e.name, Delim: e.delim, Attrs: e.attrs})
			}
			got := map[string]string{}
			for _, f := range foldersIn(list) {
				got[f.name] = string(f.role)
				if f.drafts {
					got[f.name] = purposeDrafts
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("folders (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFolderNamesAreUnambiguous(t *testing.T) {
	for name, role := range map[string]engine.Role{"sent items": engine.SentMail, "envoyés": engine.SentMail, "junk e-mail": engine.Junk, "корзина": engine.Trash} {
		if got := folderNames[name]; got != string(role) {
			t.Errorf("%q is taken for %q, want %q", name, got, role)
		}
	}
}
