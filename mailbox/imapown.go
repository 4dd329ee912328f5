package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"nudge/engine"
)

// ownLimit is how many messages one OwnMail reads at most. An answer that left
// some out could be taken for proof that a mail was never sent.
const ownLimit = 50_000

var _ engine.SentReader = (*IMAP)(nil)

// OwnMail implements engine.SentReader: it reads the headers of what arrived at
// or after since in the folders for sent mail and for all mail, oldest UID
// first, folder by folder. Arrived is zero where the server's date makes no
// sense; such a message is in the answer all the same, and so is one that cannot
// be read, as in Fetch. The error is engine.ErrNoSent when there is no such
// folder, and another one when there are more than 50,000 messages.
func (m *IMAP) OwnMail(ctx context.Context, since time.Time) ([]engine.Incoming, error) {
	m.start()
	ctx, leave, err := m.enter(ctx, m.turn)
	if err != nil {
		return nil, err
	}
	defer leave()
	ins, fresh, err := m.ownMail(ctx, since)
	if isLost(err) && !fresh && ctx.Err() == nil {
		ins, _, err = m.ownMail(ctx, since)
	}
	if err != nil {
		return nil, err
	}
	return ins, nil
}

func (m *IMAP) ownMail(ctx context.Context, since time.Time) (ins []engine.Incoming, fresh bool, err error) {
	s, fresh, err := m.session(ctx)
	if err != nil {
		return nil, fresh, err
	}
	defer func() { m.heal(err) }()
	list, err := s.list(ctx)
	if err != nil {
		return nil, fresh, err
	}
	folders := slices.DeleteFunc(foldersIn(list), func(f folder) bool {
		return f.role != engine.SentMail && f.role != engine.AllMail || slices.Contains(m.Skip, f.name)
	})
	if len(folders) == 0 {
		return nil, fresh, engine.ErrNoSent
	}
	for _, f := range folders {
		r := &reader{m: m, folder: f, room: ownLimit - len(ins)}
		got, err := r.own(ctx, since)
		if err != nil {
			return nil, fresh, fmt.Errorf("folder %s: %w", f.name, err)
		}
		ins = append(ins, got...)
	}
	return ins, fresh, m.main.unselect(ctx)
}

// own reads what arrived in the folder at or after since.
func (r *reader) own(ctx context.Context, since time.Time) ([]engine.Incoming, error) {
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	if err := r.m.main.noop(ctx); err != nil {
		return nil, err
	}
	dates := map[imap.UID]time.Time{}
	uids, err := r.arrivedSince(ctx, since, dates)
	if err != nil {
		return nil, err
	}
	ins, err := r.headers(ctx, uids)
	if err != nil {
		return nil, err
	}
	for i := range ins {
		ins[i].Arrived = dates[imap.UID(ins[i].UID)]
	}
	return ins, nil
}

// arrivedSince lists the messages that arrived at or after since, window by
// window as scan does, and notes when.
func (r *reader) arrivedSince(ctx context.Context, since time.Time, dates map[imap.UID]time.Time) ([]imap.UID, error) {
	day := since
	if !since.IsZero() {
		day = since.Add(-lookBack)
	}
	var all []imap.UID
	from, width := uint32(1), uint64(firstWindow)
	for {
		to := uint64(from) + width - 1
		last := r.folder.next == 0 || to+1 >= uint64(r.folder.next)
		set, limits := imap.UIDSet{{Start: imap.UID(from)}}, bounds{from: from, to: math.MaxUint32, most: 2 * widestWindow}
		if !last {
			set[0].Stop, limits.to = imap.UID(to), uint32(to)
		}
		uids, err := r.m.main.search(ctx, set, day, limits)
		if _, refused := refusal(err); refused && r.exists == 0 {
			return nil, nil // some servers refuse any set in an empty folder
		}
		if err != nil {
			return nil, err
		}
		for batch := range slices.Chunk(uids, fetchBatch) {
			if err := r.dates(ctx, batch, dates); err != nil {
				return nil, err
			}
			for _, uid := range batch {
				if dates[uid].IsZero() || !dates[uid].Before(since) {
					all = append(all, uid)
					continue
				}
				delete(dates, uid)
			}
			if len(all) > r.room {
				return nil, fmt.Errorf("%w: over %d mails arrived there since %s", engine.ErrTooMany, ownLimit, since.Format(time.DateOnly))
			}
		}
		if last {
			return all, nil
		}
		from = uint32(to) + 1
		if len(uids) < firstWindow/8 {
			width = min(4*width, widestWindow)
		}
	}
}

// dates asks when messages arrived. A date that no calendar has ends the
// connection, so it is traced to its message by halving; that one is left
// without.
func (r *reader) dates(ctx context.Context, uids []imap.UID, dates map[imap.UID]time.Time) error {
	if len(uids) == 0 {
		return nil
	}
	err := r.m.main.dates(ctx, uids, dates)
	if _, refused := refusal(err); err == nil || !refused && !isGarbled(err) {
		return err
	}
	if r.m.main.broken {
		if rerr := r.reopen(ctx); rerr != nil {
			return errors.Join(err, rerr)
		}
	}
	if len(uids) == 1 {
		return nil
	}
	half := len(uids) / 2
	if err := r.dates(ctx, uids[:half], dates); err != nil {
		return err
	}
	return r.dates(ctx, uids[half:], dates)
}

// dates asks for INTERNALDATE and notes what is answered.
func (s *imapSession) dates(ctx context.Context, uids []imap.UID, dates map[imap.UID]time.Time) error {
	return s.do(ctx, "FETCH", func() error {
		cmd := s.client.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true, InternalDate: true})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			uid, at, err := dateOf(msg)
			if err != nil {
				return err // the connection is gone, and the command with it
			}
			if uid != 0 && !at.IsZero() {
				dates[uid] = at
			}
		}
		return cmd.Close()
	})
}

// dateOf reads a message's UID and INTERNALDATE. What else comes with it, as
// long as it may be, is passed over. For its error see take.
func dateOf(msg *imapclient.FetchMessageData) (uid imap.UID, at time.Time, err error) {
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = item.UID
		case imapclient.FetchItemDataInternalDate:
			at = item.Time
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil {
				continue
			}
			if _, err := io.Copy(io.Discard, item.Literal); err != nil {
				return 0, time.Time{}, err
			}
		}
	}
	return uid, at, nil
}

// The header fields by which our own mails are known again.
const (
	instanceField   = "X-Nudge-Instance"
	originalIDField = "X-Microsoft-Original-Message-ID"
)

// maxInstance is how long the name of an instance may be, in bytes.
const maxInstance = 40

// instanceIn is the name of the nudge that sent a mail, "" when none did or when
// the field holds what none writes.
func instanceIn(h header) string {
	name := strings.TrimSpace(h.get(instanceField))
	strange := strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && r != '-'
	})
	if len(name) > maxInstance || strange {
		return ""
	}
	return name
}

// originalID is the Message-ID that a mail had before its provider gave it
// another one, "" when none says so.
func originalID(h header) string {
	ids := messageIDs(h.all(originalIDField)...)
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}
