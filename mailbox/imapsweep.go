package mailbox

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"nudge/engine"
)

const (
	// lookBack is added to Cursor.Since: SEARCH SINCE knows only days, in a
	// time zone that the server does not tell.
	lookBack = 48 * time.Hour

	// firstWindow is how many UIDs the first search of a folder covers, so that
	// no answer is ever as long as a mailbox is full. Where UIDs are sparse, the
	// windows grow.
	firstWindow = 4 * sweepLimit

	// widestWindow keeps the answer bounded where UIDs were sparse and then
	// are not.
	widestWindow = 1 << 20
)

// reader reads one folder once.
type reader struct {
	m      *IMAP
	folder folder
	room   int    // how many messages may still be returned
	exists uint32 // how many messages there were when it was opened

	base   engine.FolderCursor // what is read goes on from here; zero where it begins anew
	cursor engine.FolderCursor // how far it was read
	known  bool                // cursor is set: the folder need not be met as a new one
	more   bool                // it was not read to its end

	numbered bool // opening it told its UIDNEXT, which servers need not do
	doubted  bool // a STATUS that shows nothing new is not believed
}

// standing is a folder whose gaps were looked into in vain, and since when.
type standing struct {
	cursor engine.FolderCursor
	since  time.Time
}

// fewFolders is how many folders may be opened in every sweep.
const fewFolders = 16

// doubts says whether a folder is opened even though its STATUS shows nothing
// new. Dovecot, with mail in the Maildir format, answers STATUS for a folder in
// which another mail is just being delivered without a mail that was delivered
// before: 44 to 50 of 100 looks missed one that way, while those that opened the
// folder missed none of 450. Where there are many folders, those are opened that
// get mail: by their role, or because they did while we watched.
func (m *IMAP) doubts(f folder, crowded, gaps bool) bool {
	switch f.role {
	case engine.Inboxed, engine.Junk, engine.AllMail:
		return true
	case engine.SentMail:
		return gaps // nobody answers there, but what was sent must not be overlooked
	}
	return !crowded || m.busy[f.name]
}

// span is what of a folder is to be read.
type span struct {
	from  uint32    // the first UID
	since time.Time // messages that arrived earlier are passed over; zero means none
}

// plan decides what is to be read. Nothing (quiet) when the folder stands as the
// cursor left it. Everything from the cursor on, when it only grew, and what
// turned up in the gaps before it. What arrived
// since the look-back, when it is new to us or was renumbered (RFC 9051, section
// 2.3.1.1), which a UIDNEXT that went down betrays as well. Nothing but its
// numbers (baseline), when no enrollment waits for anything older.
//
// A server that names no UIDVALIDITY, or 0, is taken to have the same each time:
// every sweep would have to begin from the start otherwise.
func plan(f folder, known engine.FolderCursor, seen bool, since time.Time) (s span, quiet, baseline bool) {
	same := seen && f.validity == known.UIDValidity && (f.next == 0 || f.next >= known.UIDNext)
	switch {
	case same && f.next == known.UIDNext && f.next != 0:
		return span{}, true, false
	case same:
		return span{from: firstGap(known)}, false, false
	case since.IsZero():
		return span{}, false, true
	}
	return span{from: 1, since: since.Add(-lookBack)}, false, false
}

// read reads what is new in the folder.
func (r *reader) read(ctx context.Context, known engine.FolderCursor, seen bool, since time.Time) ([]engine.Incoming, error) {
	_, quiet, baseline := plan(r.folder, known, seen, since)
	switch {
	case quiet && !r.doubted:
		r.cursor, r.known = known, true
		return nil, nil
	case baseline && r.folder.next != 0 && r.folder.validity != 0:
		r.stand(r.folder.next)
		return nil, nil
	case !baseline && r.room <= 0:
		r.cursor, r.known, r.more = known, seen, true
		return nil, nil
	}
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	todo, quiet, baseline := plan(r.folder, known, seen, since)
	if quiet && r.numbered && (known.Gaps == 0 || r.m.gapsAreOld(r.folder.name, known)) {
		r.cursor, r.known = known, true
		return nil, nil
	}
	if quiet {
		todo.from = firstGap(known)
	}
	if r.m.busy == nil {
		r.m.busy, r.m.stood = map[string]bool{}, map[string]standing{}
	}
	r.m.busy[r.folder.name] = true
	if err := r.m.main.noop(ctx); err != nil {
		return nil, err
	}
	switch {
	case baseline:
		return nil, r.baseline(ctx)
	case todo.since.IsZero():
		r.base = known
	case seen && known.UIDNext > 1:
		r.m.Log.Warn("folder was renumbered, it is read again", "mailbox", r.m.Account.Address, "folder", r.folder.name,
			"uid_validity", r.folder.validity, "uid_next", r.folder.next, "was", known.UIDValidity, "was_next", known.UIDNext)
	}
	ins, err := r.scan(ctx, todo)
	if err == nil && r.cursor == known && r.m.stood[r.folder.name].cursor != known {
		r.m.stood[r.folder.name] = standing{known, time.Now()}
	}
	return ins, err
}

// stand sets the cursor: every UID below next was read.
func (r *reader) stand(next uint32) {
	r.cursor, r.known = engine.FolderCursor{UIDValidity: r.folder.validity, UIDNext: next}, true
}

// open opens the folder and takes its numbers from there.
func (r *reader) open(ctx context.Context) error {
	s, _, err := r.m.session(ctx)
	if err != nil {
		return err
	}
	data, err := s.examine(ctx, r.folder.name)
	if err != nil {
		return err
	}
	r.exists = data.NumMessages
	if data.UIDValidity != 0 {
		r.folder.validity = data.UIDValidity
	}
	if data.UIDNext != 0 {
		// Also when it is lower than what STATUS said: only what this
		// connection can see may count as read.
		r.folder.next, r.numbered = uint32(data.UIDNext), true
	}
	return nil
}

// baseline begins a folder at its end.
func (r *reader) baseline(ctx context.Context) error {
	if r.folder.next != 0 {
		r.stand(r.folder.next)
		return nil
	}
	last, err := r.m.main.search(ctx, imap.UIDSet{{}}, time.Time{}, bounds{from: 1, to: math.MaxUint32, most: 1})
	if err != nil {
		return err
	}
	if len(last) == 0 {
		r.stand(1)
		return nil
	}
	r.stand(behind(last[len(last)-1]))
	return nil
}

// scan reads the messages from todo.from on, window by window, until the folder
// ends or there is no more room. The last window is open at its end, so that
// mail which came after the folder was opened is read as well.
func (r *reader) scan(ctx context.Context, todo span) ([]engine.Incoming, error) {
	var ins []engine.Incoming
	watched, found, err := r.inSight(ctx, todo)
	if err != nil {
		return nil, err
	}
	stand := func(next uint32) {
		r.stand(max(next, r.base.UIDNext))
		r.cursor.Gaps = gaps(watched, r.cursor.UIDNext, found)
	}
	from, width := todo.from, uint64(firstWindow)
	for {
		to := uint64(from) + width - 1
		last := r.folder.next == 0 || to+1 >= uint64(r.folder.next)
		set := imap.UIDSet{{Start: imap.UID(from)}}
		limits := bounds{from: from, to: math.MaxUint32, most: r.room + 1 + overlap}
		if !last {
			set[0].Stop, limits.to = imap.UID(to), uint32(to)
		}
		uids, err := r.m.main.search(ctx, set, todo.since, limits)
		if _, refused := refusal(err); refused && r.exists == 0 {
			err, last = nil, true // some servers refuse any set in an empty folder
		}
		if err != nil {
			return nil, err
		}
		uids = slices.DeleteFunc(uids, func(uid imap.UID) bool { return wasRead(r.base, uid) })
		full := len(uids) > r.room
		uids = uids[:min(len(uids), r.room)]
		got, err := r.headers(ctx, uids)
		if err != nil {
			return nil, err
		}
		ins, found, r.room = append(ins, got...), append(found, uids...), r.room-len(uids)
		switch {
		case full:
			r.more = true
			stand(behind(uids[len(uids)-1]))
			return ins, nil
		case last && len(uids) > 0:
			stand(max(r.folder.next, behind(uids[len(uids)-1])))
			return ins, nil
		case last:
			stand(max(r.folder.next, from))
			return ins, nil
		case r.room == 0:
			r.more = true
			stand(uint32(to) + 1)
			return ins, nil
		}
		from = uint32(to) + 1
		if len(uids) < firstWindow/8 {
			width = min(4*width, widestWindow)
		}
	}
}

// behind is the UID after uid.
func behind(uid imap.UID) uint32 {
	if uid == math.MaxUint32 {
		return math.MaxUint32 // it will be read again, rather than from the start
	}
	return uint32(uid) + 1
}

// bounds limits what is taken from an answer to SEARCH.
type bounds struct {
	from, to uint32
	most     int
}

// search returns the UIDs of a set that exist, in order, those that arrived
// since a day only if since is set. What lies outside the limits is left out:
// n:* yields the last message even when its UID is below n (RFC 9051, section
// 6.4.8), and a hostile range could hold four billion numbers.
func (s *imapSession) search(ctx context.Context, set imap.UIDSet, since time.Time, limits bounds) ([]imap.UID, error) {
	criteria := &imap.SearchCriteria{UID: []imap.UIDSet{set}}
	if !since.IsZero() {
		criteria.Since = since.UTC()
	}
	var data *imap.SearchData
	err := s.do(ctx, "UID SEARCH", func() (err error) {
		data, err = s.client.UIDSearch(criteria, nil).Wait()
		return err
	})
	if err != nil {
		return nil, err
	}
	found, _ := data.All.(imap.UIDSet)
	var uids []imap.UID
	for _, r := range found {
		if r.Start == 0 || r.Stop == 0 {
			continue // "*" is no answer
		}
		stop := min(uint64(r.Stop), uint64(limits.to))
		for n := uint64(max(uint32(r.Start), limits.from)); n <= stop && len(uids) < limits.most; n++ {
			uids = append(uids, imap.UID(n))
		}
	}
	slices.Sort(uids)
	return uids, nil
}
