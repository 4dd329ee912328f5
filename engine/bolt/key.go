package bolt

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"nudge/engine"
)

var (
	bucketMeta         = []byte("meta")
	bucketEnrollments  = []byte("enrollments")
	bucketAddresses    = []byte("addresses")
	bucketDue          = []byte("due")
	bucketHeld         = []byte("held")
	bucketWaiting      = []byte("waiting")
	bucketFollowing    = []byte("following")
	bucketMessageIDs   = []byte("message-ids")
	bucketTouches      = []byte("touches")
	bucketMails        = []byte("mails")
	bucketSeen         = []byte("seen")
	bucketPeople       = []byte("people")
	bucketSuppressions = []byte("suppressions")
	bucketSwitches     = []byte("switches")
	bucketCursors      = []byte("cursors")
	bucketCounters     = []byte("counters")
	bucketEvents       = []byte("events")
	bucketHistory      = []byte("history")
	bucketKin          = []byte("kin")
	bucketAliases      = []byte("aliases")
	bucketEffects      = []byte("effects")
	bucketReversed     = []byte("reversed")
	bucketSent         = []byte("sent")

	keySchema   = []byte("schema")
	keySecret   = []byte("secret")
	keyIdentity = []byte("identity")
	keyRestored = []byte("restored") // only between a restore and the next Open
)

// allBuckets are made together with the file.
var allBuckets = [][]byte{bucketMeta, bucketEnrollments, bucketAddresses, bucketDue, bucketHeld, bucketWaiting, bucketFollowing,
	bucketMessageIDs, bucketTouches, bucketMails, bucketSeen, bucketPeople, bucketSuppressions, bucketSwitches, bucketCursors,
	bucketCounters, bucketEvents, bucketHistory, bucketKin, bucketAliases, bucketEffects, bucketReversed, bucketSent}

// bucketsSince is from which schema on a state has a bucket, where not from the
// first.
var bucketsSince = map[string]int{"kin": 3, "aliases": 3, "effects": 3, "reversed": 3, "sent": 4}

// never is the Look of a paused person's enrollments: they stay in the due
// index, as every active one must, where no scan comes.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// idDigits is the length that ids are padded to, so that they sort by age up
// to 36⁶, two thousand million.
const idDigits = 6

func formatID(n uint64) string {
	id := strconv.FormatUint(n, 36)
	return strings.Repeat("0", max(0, idDigits-len(id))) + id
}

// name builds the first part of a key: a name that ends where its NUL stands.
func name(parts ...string) []byte {
	return []byte(strings.Join(parts, "\x00") + "\x00")
}

// timed builds mailbox, time, id.
func timed(mailbox string, t time.Time, id string) []byte {
	k := make([]byte, 0, len(mailbox)+9+len(id))
	k = append(append(k, mailbox...), 0)
	return append(binary.BigEndian.AppendUint64(k, order(t)), id...)
}

// order maps a moment to a number that sorts like it, to the nanosecond from
// 1678 to 2261. Moments outside lie at the ends.
func order(t time.Time) uint64 {
	switch y := t.Year(); {
	case y < 1678:
		return 0
	case y > 2261:
		return 1<<64 - 1
	}
	return uint64(t.UnixNano()) ^ 1<<63 // negative numbers sort first
}

// moment is the inverse of order. The zero time stands for both ends.
func moment(n uint64) time.Time {
	if n == 0 || n == 1<<64-1 {
		return time.Time{}
	}
	return time.Unix(0, int64(n^1<<63)).UTC()
}

// splitTimed takes a key apart that timed built with a mailbox of this length.
func splitTimed(key []byte, mailbox string) (n uint64, id string, ok bool) {
	rest := len(mailbox) + 1
	if len(key) < rest+8 {
		return 0, "", false
	}
	return binary.BigEndian.Uint64(key[rest:]), string(key[rest+8:]), true
}

// person is the first part of a key in addresses: the domain comes first, so
// that a domain's people lie together.
func person(key string) []byte {
	if i := strings.LastIndexByte(key, '@'); i >= 0 {
		key = key[i+1:] + "@" + key[:i]
	}
	return name(key)
}

// foreign makes a key of an id that a stranger wrote, which may be of any
// length. bbolt's keys may not.
func foreign(id string) string {
	if len(id) <= 256 {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func eventKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func historyKey(id string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(name(id), seq)
}

// switchKey is a scope's key, and the scope reduced to what it covers: where
// several are named, the narrowest.
func switchKey(s engine.Scope) ([]byte, engine.Scope) {
	switch {
	case s.Person != "":
		s = engine.Scope{Person: engine.AddressKey(s.Person)}
		return []byte("person\x00" + s.Person), s
	case s.Sequence != "":
		return []byte("sequence\x00" + s.Sequence), engine.Scope{Sequence: s.Sequence}
	case s.Mailbox != "":
		return []byte("mailbox\x00" + s.Mailbox), engine.Scope{Mailbox: s.Mailbox}
	}
	return []byte("all"), engine.Scope{}
}

// suppressionKey is the form in which an address or @domain is suppressed.
func suppressionKey(target string) string {
	target = strings.TrimSpace(target)
	if strings.HasPrefix(target, "@") {
		return "@" + engine.AddressDomain(engine.AddressKey("x"+target))
	}
	return engine.AddressKey(target)
}

func dayCounter(mailbox, day string) []byte { return []byte("day\x00" + mailbox + "\x00" + day) }

func domainCounter(mailbox, day, key string) []byte {
	return []byte("domain\x00" + mailbox + "\x00" + day + "\x00" + engine.AddressDomain(key))
}

func sequenceCounter(mailbox, day, sequence string) []byte {
	return []byte("sequence\x00" + mailbox + "\x00" + day + "\x00" + sequence)
}

func lateCounter(mailbox, day string) []byte { return []byte("late\x00" + mailbox + "\x00" + day) }

func lastCounter(mailbox string) []byte { return []byte(lastPrefix + mailbox) }

func ableCounter(mailbox string) []byte { return []byte(ablePrefix + mailbox) }

func copiesCounter(mailbox string) []byte { return []byte("copies\x00" + mailbox) }

// Of counters that are looked through for all mailboxes.
const (
	lastPrefix = "last\x00"
	ablePrefix = "able\x00"
)

// Counters of all enrollments and touches.
const (
	countActive   = "state\x00active"
	countHeld     = "state\x00held"
	countStopped  = "state\x00stopped"
	countFinished = "state\x00finished"
	countReplied  = "reason\x00replied"
	countDoubtful = "touch\x00in doubt"
	countClaims   = "touch\x00claims" // since the state was made; only ever grows

	countSentBytes = "sent\x00bytes" // of the mails that were sent, as they are kept
)
