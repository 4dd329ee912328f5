package localmail

import (
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// folder is one IMAP mailbox; Provider.mu guards it.
type folder struct {
	name     string
	use      imap.MailboxAttr // RFC 6154, "" for most
	validity uint32
	next     imap.UID
	messages []*message
	tracker  *imapserver.MailboxTracker // tells connections that have it selected
}

// message is one message. raw and arrived never change, so they may be read
// without the lock.
type message struct {
	uid     imap.UID
	raw     []byte
	arrived time.Time
	flags   map[imap.Flag]bool // canonical
}

func newFolder(name string, validity uint32, use imap.MailboxAttr) *folder {
	return &folder{name: name, use: use, validity: validity, next: 1, tracker: imapserver.NewMailboxTracker(0)}
}

func (f *folder) append(raw []byte, flags []imap.Flag, arrived time.Time) imap.UID {
	m := &message{uid: f.next, raw: raw, arrived: arrived, flags: map[imap.Flag]bool{}}
	for _, flag := range flags {
		m.flags[canonicalFlag(flag)] = true
	}
	f.next++
	f.messages = append(f.messages, m)
	f.tracker.QueueNumMessages(uint32(len(f.messages)))
	return m.uid
}

// remove takes a message out; nil when it is not there.
func (f *folder) remove(uid imap.UID) *message {
	i := slices.IndexFunc(f.messages, func(m *message) bool { return m.uid == uid })
	if i < 0 {
		return nil
	}
	m := f.messages[i]
	f.messages = slices.Delete(f.messages, i, i+1)
	f.tracker.QueueExpunge(uint32(i) + 1)
	return m
}

func (f *folder) status(o *imap.StatusOptions) *imap.StatusData {
	all, unseen, deleted, recent, size := uint32(len(f.messages)), uint32(0), uint32(0), uint32(0), int64(0)
	for _, m := range f.messages {
		if !m.flags[canonicalFlag(imap.FlagSeen)] {
			unseen++
		}
		if m.flags[canonicalFlag(imap.FlagDeleted)] {
			deleted++
		}
		size += int64(len(m.raw))
	}
	d := &imap.StatusData{Mailbox: f.name}
	if o.NumMessages {
		d.NumMessages = &all
	}
	if o.UIDNext {
		d.UIDNext = f.next
	}
	if o.UIDValidity {
		d.UIDValidity = f.validity
	}
	if o.NumUnseen {
		d.NumUnseen = &unseen
	}
	if o.NumDeleted {
		d.NumDeleted = &deleted
	}
	if o.NumRecent {
		d.NumRecent = &recent
	}
	if o.Size {
		d.Size = &size
	}
	return d
}

func (m *message) flagList() []imap.Flag {
	var flags []imap.Flag
	for flag := range m.flags {
		flags = append(flags, flag)
	}
	slices.Sort(flags)
	return flags
}

func (m *message) store(s *imap.StoreFlags) {
	if s.Op == imap.StoreFlagsSet {
		clear(m.flags)
	}
	for _, flag := range s.Flags {
		if s.Op == imap.StoreFlagsDel {
			delete(m.flags, canonicalFlag(flag))
		} else {
			m.flags[canonicalFlag(flag)] = true
		}
	}
}

// canonicalFlag is how a flag is kept: flags are not case-sensitive (RFC 3501,
// section 2.3.2).
func canonicalFlag(flag imap.Flag) imap.Flag { return imap.Flag(strings.ToLower(string(flag))) }
