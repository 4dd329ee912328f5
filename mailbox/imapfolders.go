package mailbox

import (
	"context"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"nudge/engine"
)

// statusAtOnce is how many STATUS commands are under way at a time.
const statusAtOnce = 50

// folder is a folder that can be opened. Numbers are 0 when the server did not
// name them.
type folder struct {
	name     string
	role     engine.Role
	drafts   bool
	validity uint32
	next     uint32 // UIDNEXT
	special  bool   // the server names its purpose
}

// folders lists what can be opened, INBOX first, each with its numbers where the
// server gives them. Nothing may be selected, else the numbers of that folder
// would be old.
func (s *imapSession) folders(ctx context.Context) ([]folder, error) {
	list, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	folders := foldersIn(list)
	if !s.liststatus() {
		for part := range slices.Chunk(folders, statusAtOnce) {
			if err := s.status(ctx, part); err != nil {
				return nil, err
			}
		}
	}
	return folders, nil
}

// numbers are the two that say whether a folder changed.
var numbers = imap.StatusOptions{UIDNext: true, UIDValidity: true}

func (s *imapSession) liststatus() bool { return !s.plainListed && s.caps.Has(imap.CapListStatus) }

// list asks for all folders, with their numbers in the same answer where the
// server can (RFC 5819).
func (s *imapSession) list(ctx context.Context) ([]*imap.ListData, error) {
	var options *imap.ListOptions
	if s.liststatus() {
		options = &imap.ListOptions{ReturnStatus: &numbers, ReturnSpecialUse: s.caps.Has(imap.CapSpecialUse)}
	}
	var list []*imap.ListData
	err := s.do(ctx, "LIST", func() (err error) {
		list, err = s.client.List("", "*", options).Collect()
		return err
	})
	if _, refused := refusal(err); refused && options != nil {
		s.plainListed = true
		return s.list(ctx)
	}
	return list, err
}

// status asks for the numbers of some folders. A folder whose STATUS is refused
// keeps none, so that it is opened, which tells more.
func (s *imapSession) status(ctx context.Context, folders []folder) error {
	return s.do(ctx, "STATUS", func() error {
		wait := make([]func() (*imap.StatusData, error), len(folders))
		for i := range folders {
			wait[i] = s.client.Status(folders[i].name, &numbers).Wait
		}
		var first error
		for i := range folders {
			data, err := wait[i]()
			if _, refused := refusal(err); err != nil && !refused && first == nil {
				first = err
			}
			if err == nil {
				folders[i].validity, folders[i].next = data.UIDValidity, uint32(data.UIDNext)
			}
		}
		return first
	})
}

// foldersIn says what the listed folders are.
func foldersIn(list []*imap.ListData) []folder {
	folders := []folder{{name: "INBOX", role: engine.Inboxed}}
	named := map[string]bool{} // purposes the server names itself
	seen := map[string]int{"INBOX": 0}
	leaf := map[string]string{}
	for _, data := range list {
		if slices.Contains(data.Attrs, imap.MailboxAttrNoSelect) || slices.Contains(data.Attrs, imap.MailboxAttrNonExistent) {
			continue
		}
		at, again := seen[data.Mailbox]
		if !again {
			at = len(folders)
			folders = append(folders, folder{name: data.Mailbox})
			seen[data.Mailbox] = at
		}
		f := &folders[at]
		if data.Status != nil {
			f.validity, f.next = data.Status.UIDValidity, uint32(data.Status.UIDNext)
		}
		if purpose := purposeByAttr(data.Attrs); purpose != "" && f.role != engine.Inboxed {
			f.take(purpose)
			f.special, named[purpose] = true, true
		}
		leaf[f.name] = topLevelName(data)
	}
	for i := range folders {
		f := &folders[i]
		purpose := folderNames[strings.ToLower(leaf[f.name])]
		if purpose != "" && !named[purpose] && f.role == engine.Ordinary && !f.special {
			f.take(purpose)
		}
	}
	return folders
}

// purposeDrafts stands beside the engine's roles: such a folder is not read.
const purposeDrafts = "drafts"

func (f *folder) take(purpose string) {
	if purpose == purposeDrafts {
		f.drafts = true
		return
	}
	f.role = engine.Role(purpose)
}

// purposeByAttr is what the server says (RFC 6154).
func purposeByAttr(attrs []imap.MailboxAttr) string {
	for _, attr := range attrs {
		switch attr {
		case imap.MailboxAttrSent:
			return string(engine.SentMail)
		case imap.MailboxAttrDrafts:
			return purposeDrafts
		case imap.MailboxAttrJunk:
			return string(engine.Junk)
		case imap.MailboxAttrTrash:
			return string(engine.Trash)
		case imap.MailboxAttrArchive:
			return string(engine.Archive)
		case imap.MailboxAttrAll:
			return string(engine.AllMail)
		}
	}
	return ""
}

// topLevelName is the name of a folder that stands where providers put their
// own, at the top, below INBOX or below [Gmail]; "" for one that a person put
// deeper, whatever its name.
func topLevelName(data *imap.ListData) string {
	if data.Delim == 0 {
		return data.Mailbox
	}
	parts := strings.Split(data.Mailbox, string(data.Delim))
	switch {
	case len(parts) == 1:
		return parts[0]
	case len(parts) == 2 && (strings.EqualFold(parts[0], "INBOX") || strings.HasPrefix(parts[0], "[")):
		return parts[1]
	}
	return ""
}
