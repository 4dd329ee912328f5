package mailbox

import (
	"math/bits"
	"slices"

	"github.com/emersion/go-imap/v2"

	"nudge/engine"
)

// overlap is how many UIDs below a cursor are watched. UIDs ascend strictly
// (RFC 9051, section 2.3.1.1), but several processes that deliver side by side,
// or copies of one mailbox on several machines, may show a higher one first.
const overlap = 64

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
// that could be seen from the base on, or in its gaps. found is in order.
func gaps(base engine.FolderCursor, next uint32, found []imap.UID) (gaps uint64) {
	for n := range min(uint32(overlap), next-1) {
		uid := imap.UID(next - 1 - n)
		if _, seen := slices.BinarySearch(found, uid); !seen && !wasRead(base, uid) {
			gaps |= 1 << n
		}
	}
	return gaps
}
