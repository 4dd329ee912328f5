package engine

import (
	"slices"
	"time"

	"nudge/sequences"
)

// Mailbox is what the engine must know about the mailbox it serves: who the
// owner is, and at what pace to write. How to reach it is the Sender's and the
// Inbox's affair.
type Mailbox struct {
	Name        string // as the config calls it
	Address     string // bare
	DisplayName string
	Aliases     []string       // the owner's other addresses; mail from them is never inbound
	Location    *time.Location // for the day a cap counts, and for prospects without a zone of their own
	Signature   string

	PerDay           int             // most touches a calendar day; 0 = no cap
	GapMin, GapMax   time.Duration   // between two touches; both 0 = none, and several may leave at once
	PerDomain        int             // most touches a day to one domain that is not free-mail; 0 = no cap
	PerPerson        int             // most touches to one person in PerPersonDays; 0 = no cap
	PerPersonDays    int             // at most 60, which is how long contacts are remembered
	BetweenSequences sequences.Delay // least time between mails of different sequences to one person

	Replies         Replies
	InDoubt         DoubtPolicy
	Instance        string // which nudge this is, for the header that tells two apart; see Trust
	ListUnsubscribe bool   // mails carry List-Unsubscribe, a mail to Address

	SaveSent  bool // put a copy into Sent, since the provider does not
	Rehearsal bool // every mail goes to Address, with a banner
}

// IsOwn says whether an address is one of the owner's.
func (m Mailbox) IsOwn(addr string) bool {
	key := AddressKey(addr)
	return key == AddressKey(m.Address) ||
		slices.ContainsFunc(m.Aliases, func(a string) bool { return AddressKey(a) == key })
}

// day is the mailbox's calendar day at now, as counters are keyed.
func (m Mailbox) day(now time.Time) string { return now.In(m.Location).Format("2006-01-02") }

// tomorrow is the next moment at which the day's counters start afresh.
func (m Mailbox) tomorrow(now time.Time) time.Time {
	y, mo, d := now.In(m.Location).Date()
	t := time.Date(y, mo, d+1, 0, 0, 0, 0, m.Location)
	for t.Day() == d {
		t = t.Add(time.Hour)
	}
	return t
}

// gapAfter is how long to wait after the last touch: between GapMin and GapMax,
// chosen by the touch's place in the day, so that the same state always gives
// the same answer.
func (m Mailbox) gapAfter(p Pace) time.Duration {
	spread := m.GapMax - m.GapMin
	if spread <= 0 {
		return m.GapMin
	}
	seed := (uint64(p.LastAt.Unix()/86400)<<16 + uint64(p.Today)) * 0x9E3779B97F4A7C15 // Fibonacci hashing spreads neighbours
	return m.GapMin + time.Duration(seed>>1)%(spread+1)
}

// volley is how many touches may leave at once.
func (m Mailbox) volley() int {
	if m.GapMin > 0 || m.GapMax > 0 {
		return 1
	}
	return maxVolley
}

// maxVolley is how many touches of one mailbox share one fence.
const maxVolley = 16

// DoubtPolicy is what becomes of a touch in doubt that the Sent folder says
// nothing about.
type DoubtPolicy string

const (
	DoubtByStep DoubtPolicy = ""       // the first mail waits for a person, later ones count as sent
	DoubtHold   DoubtPolicy = "hold"   // always waits for a person
	DoubtAssume DoubtPolicy = "assume" // always counts as sent
)
