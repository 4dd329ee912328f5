package localmail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-smtp"
)

// The folders every mailbox has from the start.
const (
	Inbox   = "INBOX"
	Archive = "Archive"
	Drafts  = "Drafts"
	Junk    = "Junk"
	Sent    = "Sent"
	Trash   = "Trash"
)

var ownFolders = map[string]imap.MailboxAttr{
	Archive: imap.MailboxAttrArchive,
	Drafts:  imap.MailboxAttrDrafts,
	Junk:    imap.MailboxAttrJunk,
	Sent:    imap.MailboxAttrSent,
	Trash:   imap.MailboxAttrTrash,
}

// Options say what kind of provider it is.
type Options struct {
	// Now is the provider's clock, for arrival dates and the ledger; nil means
	// time.Now. It may be called from several goroutines.
	Now func() time.Time

	// SavesSent puts a copy of each submitted mail into the sender's Sent
	// folder, as Gmail and Microsoft 365 do.
	SavesSent bool

	// RewritesIDs gives each submitted mail a Message-ID of the provider's
	// own, as Outlook.com does.
	RewritesIDs bool

	// KeepsOriginalIDs tells the Message-ID that RewritesIDs replaced in a
	// header field of its own, as Microsoft's servers do.
	KeepsOriginalIDs bool

	// BareIMAP offers IMAP4rev1 without extensions that need a backend: no
	// SPECIAL-USE, no LIST-STATUS, no UIDPLUS, no ESEARCH, no MOVE.
	BareIMAP bool
}

// Provider is a mail provider in memory. Its methods may be called from
// several goroutines.
type Provider struct {
	opts Options
	ca   authority

	imapTLS, imapPlain *imapserver.Server
	smtpTLS, smtpPlain *smtp.Server
	ports              map[int]*memListener

	serving sync.WaitGroup // one for each listener that is being served
	open    sync.WaitGroup // one for each connection that is being served

	mu        sync.Mutex
	closed    bool
	listeners []net.Listener
	conns     map[*conn]bool
	changed   chan struct{} // closed and replaced when anything changed; see Wait
	accounts  map[string]*account
	people    map[string]*person
	plans     []plan
	planned   int // plans made so far, to keep their order
	ids       int // Message-IDs made so far
	faults    []*Fault
	frozen    map[Side]chan struct{} // closed when it thaws
	refusing  map[Side]bool
	ledger    []*Transaction
}

// account is one mailbox and its folders; Provider.mu guards it.
type account struct {
	address  string
	password string
	folders  map[string]*folder
	rules    []Rule
	validity uint32
}

// Rule files incoming mail of one person into a folder, as rules on a server do.
type Rule struct {
	From   string // bare address
	Folder string // created when missing
}

// Message is one message in a folder.
type Message struct {
	UID     uint32
	Flags   []string // in lower case, sorted
	Arrived time.Time
	Raw     []byte // must not be changed
}

// New makes a provider without mailboxes. It must be closed.
func New(opts Options) (*Provider, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	ca, err := newAuthority(imapHost, smtpHost, "localhost")
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	p := &Provider{
		opts:     opts,
		ca:       ca,
		ports:    map[int]*memListener{},
		conns:    map[*conn]bool{},
		changed:  make(chan struct{}),
		accounts: map[string]*account{},
		people:   map[string]*person{},
		frozen:   map[Side]chan struct{}{},
		refusing: map[Side]bool{},
	}
	p.start()
	return p, nil
}

// AddMailbox opens an account with the folders every mailbox has, and any
// further ones. The login name is the address. An account that exists gets the
// new password and folders.
func (p *Provider) AddMailbox(address, password string, folders ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.accounts[key(address)]
	if a == nil {
		a = &account{address: address, folders: map[string]*folder{}, validity: 1000}
		p.accounts[key(address)] = a
		a.add(Inbox, "")
		for _, name := range []string{Archive, Drafts, Junk, Sent, Trash} {
			a.add(name, ownFolders[name])
		}
	}
	a.password = password
	for _, name := range folders {
		a.add(name, "")
	}
}

// AddRule files mail for a mailbox from now on.
func (p *Provider) AddRule(address string, r Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.accounts[key(address)]; a != nil {
		a.rules = append(a.rules, r)
	}
}

// Deliver puts a mail into a folder of a mailbox as a mail server does:
// unread, with the provider's now as its arrival. An empty folder means INBOX,
// or where a rule files it. Bare LF line ends become CRLF.
func (p *Provider) Deliver(address, folder string, raw []byte) error {
	return p.deliverAt(address, folder, raw, p.opts.Now())
}

func (p *Provider) deliverAt(address, name string, raw []byte, at time.Time) error {
	raw = withCRLF(raw)
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.accounts[key(address)]
	if a == nil {
		return fmt.Errorf("no mailbox %s", address)
	}
	if name == "" {
		name = a.folderFor(raw)
	}
	a.add(name, "").append(raw, nil, at)
	p.notify()
	return nil
}

// Messages lists what lies in a folder, oldest first; nil when there is no such
// mailbox or folder.
func (p *Provider) Messages(address, folder string) []Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.folder(address, folder)
	if f == nil {
		return nil
	}
	var out []Message
	for _, m := range f.messages {
		msg := Message{UID: uint32(m.uid), Arrived: m.arrived, Raw: m.raw}
		for flag := range m.flags {
			msg.Flags = append(msg.Flags, string(flag))
		}
		slices.Sort(msg.Flags)
		out = append(out, msg)
	}
	return out
}

// Move moves one message to another folder, which is created when missing, as
// the owner's mail program would. It says whether the message was there.
func (p *Provider) Move(address, from string, uid uint32, to string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.folder(address, from)
	if f == nil {
		return false
	}
	m := f.remove(imap.UID(uid))
	if m == nil {
		return false
	}
	p.accounts[key(address)].add(to, "").append(m.raw, m.flagList(), m.arrived)
	p.notify()
	return true
}

// Remove deletes one message for good. It says whether it was there.
func (p *Provider) Remove(address, folder string, uid uint32) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.folder(address, folder)
	if f == nil || f.remove(imap.UID(uid)) == nil {
		return false
	}
	p.notify()
	return true
}

// RemoveFolder deletes a folder with all that lies in it, as the owner may.
func (p *Provider) RemoveFolder(address, folder string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.accounts[key(address)]; a != nil {
		delete(a.folders, folder)
	}
	p.notify()
}

// Mark sets flags on one message, as reading it on a phone does (`\Seen`).
func (p *Provider) Mark(address, folder string, uid uint32, flags ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.folder(address, folder)
	if f == nil {
		return
	}
	for i, m := range f.messages {
		if m.uid != imap.UID(uid) {
			continue
		}
		for _, flag := range flags {
			m.flags[canonicalFlag(imap.Flag(flag))] = true
		}
		f.tracker.QueueMessageFlags(uint32(i)+1, m.uid, m.flagList(), nil)
	}
	p.notify()
}

// Renumber gives a folder a new UIDVALIDITY and its messages new UIDs, as a
// restored or migrated server does. Connections that had the folder selected
// are cut.
func (p *Provider) Renumber(address, folder string) {
	p.mu.Lock()
	if f := p.folder(address, folder); f != nil {
		a := p.accounts[key(address)]
		delete(a.folders, f.name)
		fresh := a.add(f.name, f.use)
		for _, m := range f.messages {
			fresh.append(m.raw, m.flagList(), m.arrived)
		}
	}
	p.notify()
	p.mu.Unlock()
	p.DropConnections(IMAP)
}

// Wait waits until cond holds, asking again whenever anything changed here: a
// mail arrived, a transaction came further, someone logged in. The error is
// ctx's, or says that the provider is closed.
func (p *Provider) Wait(ctx context.Context, cond func() bool) error {
	for {
		p.mu.Lock()
		changed, closed := p.changed, p.closed
		p.mu.Unlock()
		if cond() {
			return nil
		}
		if closed {
			return errors.New("the provider is closed")
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// notify lets Wait look again; p.mu is held.
func (p *Provider) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// folder finds a folder; p.mu is held.
func (p *Provider) folder(address, name string) *folder {
	if a := p.accounts[key(address)]; a != nil {
		return a.folder(name)
	}
	return nil
}

// add returns the folder of that name, and makes it first when missing.
func (a *account) add(name string, use imap.MailboxAttr) *folder {
	if f := a.folder(name); f != nil {
		return f
	}
	a.validity++ // differs between folders and never comes back
	f := newFolder(name, a.validity, use)
	a.folders[name] = f
	return f
}

func (a *account) folder(name string) *folder {
	if strings.EqualFold(name, Inbox) {
		name = Inbox
	}
	return a.folders[name]
}

// folderFor is where the account's rules put a mail.
func (a *account) folderFor(raw []byte) string {
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Inbox
	}
	from, err := mail.ParseAddress(msg.Header.Get("From"))
	if err != nil {
		return Inbox
	}
	for _, r := range a.rules {
		if key(r.From) == key(from.Address) {
			return r.Folder
		}
	}
	return Inbox
}

// key is the form in which two spellings of an address are equal here.
func key(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

func withCRLF(raw []byte) []byte {
	lf := bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(lf, []byte("\n"), []byte("\r\n"))
}
