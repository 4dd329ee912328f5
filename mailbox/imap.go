package mailbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"nudge/engine"
)

const (
	commandTimeout = 20 * time.Second // how long one IMAP command may take
	pollInterval   = time.Minute      // how often to look where the server cannot tell of new mail
	sweepLimit     = 500              // messages one Fetch returns at most
)

var errShutDown = errors.New("the mailbox was shut down")

// IMAP is the incoming side of an account: an engine.Inbox, an
// engine.SentKeeper and an engine.SentReader over IMAP4rev1 (RFC 3501) or
// IMAP4rev2 (RFC 9051). Its fields may be set until the first call.
//
// It uses two connections. One sweeps: nothing is selected on it while a sweep
// begins, so that the server's answer about each folder is fresh. The other one
// only waits in IDLE on INBOX. Both are made when they are needed, and made
// again after a failure. Every command has a deadline.
//
// The mailbox stays as it is: folders are opened with EXAMINE, texts are read
// with BODY.PEEK, and the one command that writes is KeepSent's APPEND.
//
// A folder that cannot be read fails the sweep, since a reply could lie in it.
// Left out, and logged once, is a folder which the server lists but whose
// reading it forbids by rights (RFC 5530, NOPERM); what must never be read is
// named in Skip.
type IMAP struct {
	Account Account
	Log     *slog.Logger

	Skip    []string      // folders that are not watched, spelled as the server spells them
	Timeout time.Duration // for each command; 0 means 20 seconds
	Poll    time.Duration // between two looks where the server offers no IDLE; 0 means one minute

	once   sync.Once
	base   context.Context // done after Shutdown
	cancel context.CancelCauseFunc
	turn   chan struct{} // holds one token: whoever took it uses the sweeping connection
	ear    chan struct{} // the same for the waiting one

	mu       sync.Mutex // guards stopping against new calls
	stopping bool
	calls    sync.WaitGroup

	// Used by whoever holds the turn.
	main    *imapSession
	told    map[string]bool          // what was logged once
	refused map[messageKey]time.Time // since when the server has kept a message from us
	halfway *halfway                 // a folder too full for one call, still open
	busy    map[string]bool          // folders that got mail while we watched
	stood   map[string]standing      // by folder, where it has gaps, how long it has stood as it stands

	// Used by whoever holds the ear.
	listening *listener
	deaf      bool // the server offers no IDLE
}

var (
	_ engine.Inbox      = (*IMAP)(nil)
	_ engine.SentKeeper = (*IMAP)(nil)
)

// messageKey names one message of the account.
type messageKey struct {
	folder        string
	validity, uid uint32
}

func (m *IMAP) start() {
	m.once.Do(func() {
		m.base, m.cancel = context.WithCancelCause(context.Background())
		m.turn, m.ear = make(chan struct{}, 1), make(chan struct{}, 1)
		m.turn <- struct{}{}
		m.ear <- struct{}{}
		m.told, m.refused = map[string]bool{}, map[messageKey]time.Time{}
		if m.Log == nil {
			m.Log = slog.New(slog.DiscardHandler)
		}
		if m.Timeout <= 0 {
			m.Timeout = commandTimeout
		}
		if m.Poll <= 0 {
			m.Poll = pollInterval
		}
	})
}

// enter begins a call that uses one of the connections. The returned ctx also
// ends at Shutdown; leave gives the connection back.
func (m *IMAP) enter(ctx context.Context, token chan struct{}) (inner context.Context, leave func(), err error) {
	m.mu.Lock()
	if m.stopping {
		m.mu.Unlock()
		return nil, nil, errShutDown
	}
	m.calls.Add(1)
	m.mu.Unlock()
	inner, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(m.base, func() { cancel(errShutDown) })
	done := func() { stop(); cancel(nil); m.calls.Done() }
	select {
	case <-token:
		return inner, func() { token <- struct{}{}; done() }, nil
	case <-inner.Done():
		err := context.Cause(inner)
		done()
		return nil, nil, err
	}
}

// Shutdown ends calls under way, closes both connections and waits until
// nothing of them runs any more. Later calls fail.
func (m *IMAP) Shutdown() {
	m.start()
	m.mu.Lock()
	m.stopping = true
	m.mu.Unlock()
	m.cancel(errShutDown)
	m.calls.Wait()
	m.drop()
	m.stopListening()
}

// session returns the sweeping connection, made anew when there is none. fresh
// says that it was made by this call.
func (m *IMAP) session(ctx context.Context) (s *imapSession, fresh bool, err error) {
	if m.main != nil {
		return m.main, false, nil
	}
	s, err = m.connect(ctx, nil)
	if err != nil {
		return nil, true, err
	}
	m.main = s
	return s, true, nil
}

// drop closes the sweeping connection.
func (m *IMAP) drop() {
	if m.main != nil {
		m.main.close()
		m.main = nil
	}
}

// heal drops the sweeping connection when err says that it is of no more use.
func (m *IMAP) heal(err error) {
	if err != nil && m.main != nil && m.main.broken {
		m.drop()
	}
}

// Fetch reads what arrived in any folder since cursor: at most 500 messages a
// call. A folder that is new to the cursor, or that was renumbered, is read from
// two days before cursor.Since; without Since, it is read from now on. A
// message that the server has but cannot show, or shows in a form nobody can
// read, is returned with no more than its place, and Kind Ambiguous.
//
// When the connection turns out to have died since the last call, one new one
// is made at once and everything is read over it.
func (m *IMAP) Fetch(ctx context.Context, cursor engine.Cursor) ([]engine.Incoming, engine.Cursor, error) {
	m.start()
	ctx, leave, err := m.enter(ctx, m.turn)
	if err != nil {
		return nil, cursor, err
	}
	defer leave()
	ins, next, fresh, err := m.sweep(ctx, cursor)
	if isLost(err) && !fresh && ctx.Err() == nil {
		ins, next, _, err = m.sweep(ctx, cursor)
	}
	if err != nil {
		return nil, cursor, err
	}
	return ins, next, nil
}

// halfway is where a call stopped inside a folder: the next one goes on there
// instead of asking for all folders again, which costs a server the more the
// fuller they are.
type halfway struct {
	folder  folder
	folders map[string]engine.FolderCursor // the cursor that was returned
}

// sweep reads all folders over one connection, or goes on in the one that the
// last call left halfway.
func (m *IMAP) sweep(ctx context.Context, cursor engine.Cursor) (ins []engine.Incoming, next engine.Cursor, fresh bool, err error) {
	s, fresh, err := m.session(ctx)
	if err != nil {
		return nil, cursor, fresh, err
	}
	defer func() { m.heal(err) }()
	at := m.halfway
	m.halfway = nil
	if at != nil && !fresh && s.selected == at.folder.name && maps.Equal(cursor.Folders, at.folders) {
		ins, next, err = m.goOn(ctx, at.folder, cursor)
		return ins, next, fresh, err
	}
	if err := s.unselect(ctx); err != nil {
		return nil, cursor, fresh, err
	}
	folders, err := s.folders(ctx)
	if err != nil {
		return nil, cursor, fresh, err
	}
	ins, next, err = m.readAll(ctx, folders, cursor)
	if err != nil || m.halfway != nil {
		return ins, next, fresh, err
	}
	// A sweep ends with nothing selected, so that the next one need not begin
	// with that.
	return ins, next, fresh, m.main.unselect(ctx)
}

func (m *IMAP) readAll(ctx context.Context, folders []folder, cursor engine.Cursor) ([]engine.Incoming, engine.Cursor, error) {
	var ins []engine.Incoming
	var full *reader
	next := engine.Cursor{Folders: map[string]engine.FolderCursor{}, Since: cursor.Since}
	for _, f := range folders {
		if f.drafts || slices.Contains(m.Skip, f.name) {
			continue
		}
		known, seen := cursor.Folders[f.name]
		r := &reader{m: m, folder: f, room: sweepLimit - len(ins), doubted: m.doubts(f, len(folders) > fewFolders, known.Gaps != 0)}
		got, err := r.read(ctx, known, seen, cursor.Since)
		switch {
		case isForbidden(err) && f.role != engine.Inboxed:
			m.tellOnce("folder is left out, reading it is forbidden", f.name, err)
			continue
		case isGone(err) && f.role != engine.Inboxed:
			continue // removed since it was listed
		case err != nil:
			return nil, cursor, fmt.Errorf("folder %s: %w", f.name, err)
		}
		ins = append(ins, got...)
		if r.known {
			next.Folders[f.name] = r.cursor
		}
		if r.more && full == nil {
			next.More, full = true, r
		}
	}
	if full != nil && full.known && m.main.selected == full.folder.name {
		m.halfway = &halfway{full.folder, maps.Clone(next.Folders)}
	}
	return ins, next, nil
}

// goOn reads on in the open folder. Since other folders may have got mail
// meanwhile, there is always more to fetch behind it.
func (m *IMAP) goOn(ctx context.Context, f folder, cursor engine.Cursor) ([]engine.Incoming, engine.Cursor, error) {
	if err := m.main.noop(ctx); err != nil {
		return nil, cursor, err
	}
	known := cursor.Folders[f.name]
	r := &reader{m: m, folder: f, room: sweepLimit, base: known, exists: 1} // never empty: it was left halfway
	ins, err := r.scan(ctx, span{from: firstGap(known)})
	if err != nil {
		return nil, cursor, fmt.Errorf("folder %s: %w", f.name, err)
	}
	next := engine.Cursor{Folders: maps.Clone(cursor.Folders), Since: cursor.Since, More: true}
	next.Folders[f.name] = r.cursor
	if r.more {
		m.halfway = &halfway{f, maps.Clone(next.Folders)}
	}
	return ins, next, nil
}

func (m *IMAP) tellOnce(what, folder string, err error) {
	if !m.told[what+folder] {
		m.told[what+folder] = true
		m.Log.Warn(what, "mailbox", m.Account.Address, "folder", folder, "err", err)
	}
}
