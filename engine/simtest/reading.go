package simtest

import (
	"context"
	"maps"
	"slices"
	"time"

	"nudge/engine"
)

// This file is what the provider answers to whoever reads a mailbox.

// fetch answers engine.Inbox.Fetch as a correct IMAP client would: the folders
// are looked at one after the other.
func (p *provider) fetch(ctx context.Context, s *side, cursor engine.Cursor) ([]engine.Incoming, engine.Cursor, error) {
	next := engine.Cursor{Folders: map[string]engine.FolderCursor{}}
	var ins []engine.Incoming
	if err := s.pause(ctx, "imap command", 3*time.Millisecond, 30*time.Millisecond); err != nil {
		return nil, cursor, err
	}
	for i, f := range p.folders {
		if i == len(p.folders)/2 {
			if err := s.pause(ctx, "imap command", time.Millisecond, 20*time.Millisecond); err != nil {
				return nil, cursor, err
			}
		}
		if p.out(imapDown) {
			return nil, cursor, errDown
		}
		at, seen := cursor.Folders[f.name]
		p.w.mu.Lock()
		got, upTo := f.since(at, seen, cursor.Since, p.w.conf.batch-len(ins))
		next.Folders[f.name] = engine.FolderCursor{UIDValidity: f.validity, UIDNext: upTo}
		next.More = next.More || int(upTo) <= len(f.places)
		p.w.mu.Unlock()
		ins = append(ins, got...)
	}
	if err := s.pause(ctx, "imap command", time.Millisecond, 10*time.Millisecond); err != nil {
		return nil, cursor, err
	}
	return ins, next, nil
}

// since lists the headers of up to room letters behind a cursor, and the UID
// before which everything was read.
func (f *folder) since(at engine.FolderCursor, seen bool, since time.Time, room int) ([]engine.Incoming, uint32) {
	var ins []engine.Incoming
	from, back := int(at.UIDNext)-1, time.Time{}
	if !seen || at.UIDValidity != f.validity {
		from, back = 0, since.Truncate(day)
		if since.IsZero() {
			from = len(f.places)
		}
	}
	for i := max(from, 0); i < len(f.places); i++ {
		l := f.places[i]
		if l == nil || l.arrived.Before(back) {
			continue
		}
		if len(ins) >= room {
			return ins, uint32(i + 1)
		}
		ins = append(ins, f.header(i))
	}
	return ins, uint32(len(f.places) + 1)
}

// header is what a letter's headers say.
func (f *folder) header(i int) engine.Incoming {
	in := f.place(i)
	if f.role != engine.SentMail && in.Instance == "" {
		in.Arrived = time.Time{}
	}
	in.NewText, in.Ticket = "", false
	in.Kind, in.Evidence, in.Quoted, in.Failed, in.Status, in.Until = "", "", nil, nil, "", time.Time{}
	return in
}

func (f *folder) place(i int) engine.Incoming {
	in := f.places[i].in
	in.Folder, in.Role, in.UIDValidity, in.UID = f.name, f.role, f.validity, uint32(i+1)
	return in
}

// read answers engine.Inbox.Read.
func (p *provider) read(ctx context.Context, s *side, in engine.Incoming) (engine.Incoming, error) {
	if err := s.pause(ctx, "imap command", time.Millisecond, 20*time.Millisecond); err != nil {
		return in, err
	}
	if p.out(imapDown) {
		return in, errDown
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	f := p.folder(in.Folder)
	i := int(in.UID) - 1
	if f.validity != in.UIDValidity || i >= len(f.places) || f.places[i] == nil {
		return in, engine.ErrMoved
	}
	return f.place(i), nil
}

// ownMail answers engine.SentReader.OwnMail.
func (p *provider) ownMail(ctx context.Context, s *side, since time.Time) ([]engine.Incoming, error) {
	if err := s.pause(ctx, "imap command", 5*time.Millisecond, 50*time.Millisecond); err != nil {
		return nil, err
	}
	if p.out(imapDown) {
		return nil, errDown
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	var ins []engine.Incoming
	for _, f := range p.folders {
		if f.role != engine.SentMail && f.role != engine.AllMail {
			continue
		}
		for i, l := range f.places {
			if l != nil && !l.arrived.Before(since) && (f.role == engine.SentMail || slices.Contains(l.in.From, p.mailbox.Address)) {
				in := f.header(i)
				in.Arrived = l.in.Arrived
				ins = append(ins, in)
			}
		}
	}
	return ins, nil
}

// sameFolders says whether two cursors stand at the same places.
func sameFolders(a, b engine.Cursor) bool { return maps.Equal(a.Folders, b.Folders) }
