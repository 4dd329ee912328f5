package mailbox

import (
	"context"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"nudge/engine"
)

// overlap is how many UIDs below a cursor are watched. UIDs ascend strictly
// (RFC 9051, section 2.3.1.1), but several processes that deliver side by side,
// or copies of one mailbox on several machines, may show a higher one first.
const overlap = 64

// gapPatience is how long a folder in which nothing else changes is searched for
// what may turn up in its gaps. Most gaps are of mail that was removed.
const gapPatience = time.Hour

// gapsAreOld says whether a folder's gaps need not be looked into until it
// changes.
func (m *IMAP) gapsAreOld(folder string, known engine.FolderCursor) bool {
	s, there := m.stood[folder]
	return there && s.cursor == known && time.Since(s.since) >= gapPatience
}

// inSight returns from where on a folder's gaps are known when it is read, and
// what of that can be seen already. Where it is read from a day on, messages
// that are older than the day are no gaps: so it is asked for all of them, and
// before, since what turns up meanwhile must not count as read.
func (r *reader) inSight(ctx context.Context, todo span) (watched engine.FolderCursor, there []imap.UID, err error) {
	next := r.folder.next
	switch {
	case todo.since.IsZero():
		return r.base, nil, nil
	case next <= 1: // or unknown: then there are no gaps
		return engine.FolderCursor{UIDNext: math.MaxUint32}, nil, nil
	}
	watched.UIDNext = next - min(overlap, next-1)
	if r.exists == 0 {
		return watched, nil, nil // some servers refuse any set in an empty folder
	}
	set := imap.UIDSet{{Start: imap.UID(watched.UIDNext), Stop: imap.UID(next - 1)}}
	there, err = r.m.main.search(ctx, set, time.Time{}, bounds{from: watched.UIDNext, to: next - 1, most: overlap})
	return watched, there, err
}

// wasRead says whether what stands at a UID was read already.
func wasRead(c engine.FolderCursor, uid imap.UID) bool {
	if uint32(uid) >= c.UIDNext {
		return false
	}
	n := c.UIDNext - 1 - uint32(uid)
	return n >= overlap || c.Gaps&(1<<n) == 0
}

// firstGap is the lowest UID that is to be read.
func firstGap(c engine.FolderCursor) uint32 {
	if lowest := uint32(bits.Len64(c.Gaps)); lowest < c.UIDNext {
		return c.UIDNext - lowest
	}
	return 1
}

// gaps are those of a cursor that stands at next, when what was found is all
// that could be seen from the base on, or in its gaps.
func gaps(base engine.FolderCursor, next uint32, found []imap.UID) (gaps uint64) {
	for n := range min(uint32(overlap), next-1) {
		uid := imap.UID(next - 1 - n)
		if !wasRead(base, uid) && !slices.Contains(found, uid) {
			gaps |= 1 << n
		}
	}
	return gaps
}
