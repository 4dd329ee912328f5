package localmail

import (
	"io"
	"maps"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

const delimiter = '/'

// session is one IMAP connection.
type session struct {
	p        *Provider
	conn     *conn
	account  *account
	folder   *folder // selected, or nil
	readOnly bool
	tracker  *imapserver.SessionTracker
}

var _ imapserver.SessionIMAP4rev2 = (*session)(nil)

func no(code imap.ResponseCode, text string) error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: code, Text: text}
}

func (s *session) fault(phase Phase) error {
	if f := s.p.fault(IMAP, phase); f != nil {
		return f.strike(s.conn)
	}
	return nil
}

// Close ends the session.
func (s *session) Close() error { return s.Unselect() }

// Login checks a password.
func (s *session) Login(user, password string) error {
	if err := s.fault("login"); err != nil {
		return err
	}
	if !s.p.login(user, password) {
		return imapserver.ErrAuthFailed
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.account = s.p.accounts[key(user)]
	s.p.notify()
	return nil
}

// find returns a folder of the account; s.p.mu is held.
func (s *session) find(name string, code imap.ResponseCode) (*folder, error) {
	if f := s.account.folder(name); f != nil {
		return f, nil
	}
	return nil, no(code, "no such mailbox")
}

// Select opens a folder. EXAMINE is a Select that may change nothing.
func (s *session) Select(name string, options *imap.SelectOptions) (*imap.SelectData, error) {
	if err := s.fault("select"); err != nil {
		return nil, err
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	f, err := s.find(name, imap.ResponseCodeNonExistent)
	if err != nil {
		return nil, err
	}
	s.folder, s.readOnly, s.tracker = f, options.ReadOnly, f.tracker.NewSession()
	data := &imap.SelectData{
		Flags:       []imap.Flag{imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagSeen, imap.FlagDraft},
		NumMessages: uint32(len(f.messages)),
		UIDNext:     f.next,
		UIDValidity: f.validity,
	}
	if !s.readOnly {
		data.PermanentFlags = append(slices.Clone(data.Flags), imap.FlagWildcard)
	}
	return data, nil
}

// Unselect leaves the folder as it is. When a connection breaks, imapserver
// calls it beside an Idle that has not ended yet.
func (s *session) Unselect() error {
	s.p.mu.Lock()
	tracker := s.tracker
	s.folder, s.tracker = nil, nil
	s.p.mu.Unlock()
	if tracker != nil {
		tracker.Close()
	}
	return nil
}

// Create makes a folder.
func (s *session) Create(name string, _ *imap.CreateOptions) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.account.folder(name) != nil {
		return no(imap.ResponseCodeAlreadyExists, "mailbox already exists")
	}
	s.account.add(name, "")
	return nil
}

// Delete removes a folder.
func (s *session) Delete(name string) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	f, err := s.find(name, imap.ResponseCodeNonExistent)
	if err != nil {
		return err
	}
	delete(s.account.folders, f.name)
	return nil
}

// Rename renames a folder; it keeps its UIDVALIDITY.
func (s *session) Rename(name, newName string, _ *imap.RenameOptions) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	f, err := s.find(name, imap.ResponseCodeNonExistent)
	if err != nil {
		return err
	}
	if s.account.folder(newName) != nil {
		return no(imap.ResponseCodeAlreadyExists, "mailbox already exists")
	}
	delete(s.account.folders, f.name)
	f.name = newName
	s.account.folders[newName] = f
	return nil
}

// Subscribe does nothing: every folder is subscribed.
func (s *session) Subscribe(string) error { return nil }

// Unsubscribe does nothing.
func (s *session) Unsubscribe(string) error { return nil }

// List lists folders, sorted, with their status where asked for.
func (s *session) List(w *imapserver.ListWriter, ref string, patterns []string, o *imap.ListOptions) error {
	if err := s.fault("list"); err != nil {
		return err
	}
	if len(patterns) == 0 {
		return w.WriteList(&imap.ListData{Attrs: []imap.MailboxAttr{imap.MailboxAttrNoSelect}, Delim: delimiter})
	}
	for _, d := range s.listed(ref, patterns, o) {
		if err := w.WriteList(&d); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) listed(ref string, patterns []string, o *imap.ListOptions) []imap.ListData {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	var out []imap.ListData
	for _, name := range slices.Sorted(maps.Keys(s.account.folders)) {
		f := s.account.folders[name]
		fits := slices.ContainsFunc(patterns, func(pattern string) bool {
			return imapserver.MatchList(name, delimiter, ref, pattern)
		})
		if !fits || o.SelectSpecialUse && f.use == "" {
			continue
		}
		d := imap.ListData{Mailbox: name, Delim: delimiter}
		if f.use != "" && !s.p.opts.BareIMAP {
			d.Attrs = append(d.Attrs, f.use)
		}
		if o.SelectSubscribed || o.ReturnSubscribed {
			d.Attrs = append(d.Attrs, imap.MailboxAttrSubscribed)
		}
		if o.ReturnStatus != nil {
			d.Status = f.status(o.ReturnStatus)
		}
		out = append(out, d)
	}
	return out
}

// Status counts one folder.
func (s *session) Status(name string, o *imap.StatusOptions) (*imap.StatusData, error) {
	if err := s.fault("status"); err != nil {
		return nil, err
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	f, err := s.find(name, imap.ResponseCodeNonExistent)
	if err != nil {
		return nil, err
	}
	return f.status(o), nil
}

// Append puts a message into a folder.
func (s *session) Append(name string, r imap.LiteralReader, o *imap.AppendOptions) (*imap.AppendData, error) {
	if err := s.fault("append"); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(r)
	if err == nil && int64(len(raw)) < r.Size() {
		err = io.ErrUnexpectedEOF // a mail of which a part came is none
	}
	if err != nil {
		return nil, err
	}
	at := o.Time
	if at.IsZero() {
		at = s.p.opts.Now()
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	f, err := s.find(name, imap.ResponseCodeTryCreate)
	if err != nil {
		return nil, err
	}
	uid := f.append(raw, o.Flags, at)
	s.p.notify()
	return &imap.AppendData{UID: uid, UIDValidity: f.validity}, nil
}

// Poll tells what changed in the selected folder.
func (s *session) Poll(w *imapserver.UpdateWriter, allowExpunge bool) error {
	if s.tracker == nil {
		return nil
	}
	return s.tracker.Poll(w, allowExpunge)
}

// Idle tells it as it happens, until stop.
func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	if err := s.fault("idle"); err != nil {
		return err
	}
	s.p.mu.Lock()
	s.p.notify()
	tracker := s.tracker
	s.p.mu.Unlock()
	if tracker == nil {
		<-stop
		return nil
	}
	if err := tracker.Poll(w, true); err != nil { // what came before the command
		return err
	}
	return tracker.Idle(w, stop)
}

// Expunge removes what is marked as deleted. The removals are told by Poll.
func (s *session) Expunge(_ *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	if s.readOnly {
		return nil // CLOSE after EXAMINE removes nothing (RFC 3501, section 6.4.2)
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for _, m := range slices.Clone(s.folder.messages) {
		if m.flags[canonicalFlag(imap.FlagDeleted)] && (uids == nil || uids.Contains(m.uid)) {
			s.folder.remove(m.uid)
		}
	}
	s.p.notify()
	return nil
}

// Namespace says that everything is the account's own.
func (s *session) Namespace() (*imap.NamespaceData, error) {
	return &imap.NamespaceData{Personal: []imap.NamespaceDescriptor{{Delim: delimiter}}}, nil
}
