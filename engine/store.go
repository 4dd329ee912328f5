package engine

import (
	"errors"
	"time"
)

// What a Store's methods return for a caller to branch on.
var (
	ErrNotFound   = errors.New("nothing matched")
	ErrSuppressed = errors.New("the address is suppressed")
	ErrEnrolled   = errors.New("already enrolled")
	ErrEnded      = errors.New("the enrollment has ended") // at claim: stopped, held, paused or changed since it was prepared
)

// Store is the memory. Each method is one transaction and one sentence of the
// domain: it happens wholly and durably, or not at all. A failed write leaves
// the caller in doubt about whether it happened, so a writer that gets an error
// which is not one of the sentinels above must stop the process and start
// clean. Methods may be called from several goroutines. They take no context,
// since none of them waits for anything but a local disk.
type Store interface {
	StoreWriter
	StoreReader
}

// StoreWriter is the half of Store that changes it.
type StoreWriter interface {
	// Enroll adds enrollments, giving each its ID and Version, an event and,
	// when active, its place in the due index. The second result has one entry
	// per enrollment: nil, ErrSuppressed, or ErrEnrolled when the same person
	// has one in the same sequence that has not ended. Those are left out, the
	// others go in together.
	Enroll(ens []Enrollment) ([]Enrollment, []error, error)

	// Prepare durably keeps the intents. One of an enrollment that is gone,
	// not active, or already has an open touch yields ErrEnded in its place.
	// A Kept touch does not count as open: it is replaced, or, by a touch that
	// is Again and has its Message-ID, taken up as it is, bytes and all.
	Prepare(touches []Touch) ([]error, error)

	// Withdraw forgets prepared touches that came to nothing before their
	// claim, and looks at their enrollments again when told. One that is Again
	// goes back to Kept instead.
	Withdraw(changes []Postponement) error

	// Postpone changes when the engine looks at an enrollment next, or holds
	// it, without a touch being open. Enrollments that are no longer active or
	// whose version has moved are left as they are.
	Postpone(changes []Postponement) error

	// Claim applies a sweep and, in the same transaction, takes each prepared
	// touch for sending: its phase becomes Sending with ClaimedAt = sweep.At,
	// the day's counters and the person's contacts count it. A touch whose
	// enrollment CheckClaim refuses after the sweep's effects, or whose
	// person's contacts CheckContacts refuses, or whose address is suppressed,
	// or that a pause covers, yields its error (ErrEnded, ErrSuppressed), and
	// its intent is forgotten; Kept again where it was, unless the enrollment
	// has ended.
	Claim(sweep Sweep, touches []Touch) ([]error, error)

	// Settle records how open touches ended, whichever their phase (one that
	// was refused at RCPT is still Prepared, and no counter counts it yet):
	// Enrollment.Settle decides what becomes of each enrollment as it is now.
	// Outcome Unknown makes the touch Doubtful since At and keeps it open with
	// its bytes; Keep makes it Kept, unless its enrollment has ended; every
	// other outcome ends it. Counters of touches that did not leave are given
	// back. A touch that is no longer open is left as it is. A Kept touch is
	// forgotten as soon as its enrollment ends.
	Settle(settlements []Settlement) error

	// Apply commits a sweep: its effects, its events and its cursor. Of an effect
	// that its enrollment does not heed (see Enrollment.Heeds) nothing is kept,
	// unless it names an Alias that was not known.
	Apply(sweep Sweep) error

	// Recover turns what an interrupted process left open for a mailbox into
	// something true: prepared touches are forgotten or Kept (no dot was written),
	// those in phase Sending become Doubtful and their enrollments held
	// (InDoubt). It returns the latter. Called once at start, before anything
	// else touches the mailbox.
	Recover(mailbox string, now time.Time) ([]Touch, error)

	// Looked notes that doubtful touches were looked for in vain: Looks is
	// counted up by one where it is still as given.
	Looked(touches []Touch) error

	// Beat notes that a mailbox could read and send at a moment; see AbleAt.
	Beat(mailbox string, at time.Time) error

	// Distrust notes, for one mailbox or with "" for all, that mail was sent
	// which this state does not know, and since when that may be so. The
	// installation takes a new Instance, so that the two can be told apart.
	Distrust(mailbox, why string, asOf, now time.Time) error

	// Reconcile makes a mailbox's state agree with what was found in Sent, and
	// ends the distrust. Its cursor is forgotten, so that mail which cites what
	// was found is read again.
	Reconcile(r Reconciliation) error

	// Release makes active again whatever was held until a date that has come.
	// It returns how many were.
	Release(mailbox string, now time.Time) (int, error)

	// Change loads the enrollments with these ids, passes each through decide,
	// and keeps those it changed, with its events: how a person's word (stop,
	// answer a hold, resolve a doubt) is applied. A Kept touch of an enrollment
	// whose name or fields change is forgotten. Ids that do not exist yield
	// ErrNotFound and change nothing.
	Change(ids []string, decide func(Enrollment) (Enrollment, []Event)) ([]Enrollment, error)

	// Pause sets or clears a switch; see Scope. It returns how many
	// enrollments that have not ended it covers. Clearing looks at those again
	// at their Due. A switch that is on keeps its first why.
	Pause(scope Scope, on bool, why string, now time.Time) (int, error)

	// Suppress adds (or removes) an address or @domain that must never be
	// written to again. Adding stops, as Suppressed, every enrollment of it
	// that has not ended, and returns how many. The reason of one that is
	// suppressed already only ever moves up (see Outranks). What is suppressed
	// also outlives this state: a restored one knows it again.
	Suppress(target, why string, on bool, now time.Time) (int, error)

	// Reverse takes back what an incoming did, by a person's word: Enrollment.
	// NotAReply decides what becomes of each enrollment that it had an effect
	// on, what was learned from it is forgotten, and it never has an effect
	// again, wherever it is met. A suppression that came from it is removed;
	// where that is the person's own wish only with Force, else the error is
	// ErrSuppressed and nothing changes. ErrNotFound when it had no effect.
	Reverse(r Reversal) ([]Enrollment, error)

	// Note adds an event that belongs to no change of an enrollment.
	Note(ev Event) error
}

// StoreReader is the half of Store that only looks.
type StoreReader interface {
	// Secret is 32 random bytes made when the state was made. Message-IDs are
	// derived from it.
	Secret() []byte

	// Due lists, in order of Look, up to limit active enrollments of a mailbox
	// with Look at or before now, with the facts the guard decides on. day is
	// the mailbox's calendar day (2006-01-02).
	Due(mailbox string, now time.Time, day string, limit int) ([]Candidate, error)

	// Candidate loads one enrollment, in whatever state, with the facts that Due
	// gives; ErrNotFound when there is none.
	Candidate(id string, now time.Time, day string) (Candidate, error)

	// Upcoming lists, by id, the enrollments of a mailbox that matter to what is
	// done before a moment: active ones with Look before it, those held until a
	// date before it, and all that wait for a person: held without a date,
	// paused, or with a task that has no end.
	Upcoming(mailbox string, until time.Time) ([]string, error)

	// NextLook is the earliest Look of an active enrollment, or the earliest
	// date a held one waits for; the zero time when there is neither.
	NextLook(mailbox string) (time.Time, error)

	// Pace is what a mailbox has done on a day (2006-01-02), and its switch.
	Pace(mailbox, day string) (Pace, error)

	// Cursor is how far a mailbox was read; its Since is the EnrolledAt of the
	// oldest enrollment of it that has not ended, or the zero time.
	Cursor(mailbox string) (Cursor, error)

	// Known looks up whose Message-IDs and addresses these are. The addresses of
	// people who answered for somebody lead to that person's enrollments too.
	Known(messageIDs, addressKeys []string) (Known, error)

	// Related looks up the companies of addresses, and who has not ended there
	// or in one of these deals.
	Related(addressKeys, deals []string) (Kin, error)

	// Enrollment loads one by id.
	Enrollment(id string) (Enrollment, error)

	// Enrollments lists those that fit the filter, oldest first.
	Enrollments(f Filter) ([]Enrollment, error)

	// Doubts lists the doubtful touches, oldest first.
	Doubts() ([]Touch, error)

	// SentTouches lists the mails an enrollment has behind it, oldest first, each
	// with what is kept of it: settling a touch as sent keeps its beginning, and
	// what is old or too much is forgotten later. ErrNotFound when there is no
	// such enrollment.
	SentTouches(enrollment string) ([]SentTouch, error)

	// Events lists up to limit events with Seq greater than after, in order;
	// of one enrollment when it is not "". A negative limit asks for the last
	// ones.
	Events(enrollment string, after uint64, limit int) ([]Event, error)

	// Counts counts enrollments by state and stop reason.
	Counts() (Counts, error)

	// Suppressions lists every suppressed address key and @domain.
	Suppressions() ([]Suppression, error)

	// Mailboxes lists, sorted, the names of the mailboxes that enrollments which
	// have not ended write from, whether or not the config still has them.
	Mailboxes() ([]string, error)

	// Switches lists the pauses that are on.
	Switches() ([]Switch, error)

	// AbleAt is when a mailbox could last read and send, to within ten
	// minutes; the zero time when it never could.
	AbleAt(mailbox string) (time.Time, error)

	// Overdue lists up to limit active enrollments of a mailbox with Look at or
	// before now, oldest Look first: those that stand behind after, which need
	// not be due any more. The zero Enrollment begins.
	Overdue(mailbox string, now time.Time, after Enrollment, limit int) ([]Enrollment, error)

	// ActiveOf counts the active enrollments of a mailbox, also paused ones.
	ActiveOf(mailbox string) (int, error)

	// Trust says how far this state can be trusted to know what was sent.
	Trust(mailbox string) (Trust, error)
}

// Filter narrows a listing; its zero value lists everything.
type Filter struct {
	State    State  `json:"state,omitempty"`
	Sequence string `json:"sequence,omitempty"`
	Mailbox  string `json:"mailbox,omitempty"`
	Key      string `json:"key,omitempty"`   // of one person
	After    string `json:"after,omitempty"` // only those whose id comes after this one
	Limit    int    `json:"limit,omitempty"`
}

// Candidate is an enrollment whose moment has come, with everything the guard
// needs to know.
type Candidate struct {
	Enrollment    Enrollment
	Contacts      []Contact // this person's mails of the last 60 days, over all sequences
	DomainToday   int       // mails to this address's domain today, over this mailbox
	SequenceToday int       // mails of its sequence today, over this mailbox
	Suppressed    bool
	SequenceOff   bool   // its sequence is paused
	OpenTouch     bool   // it has a touch that is not settled, and is not Kept
	LateToday     int    // touches of the backlog that left today; the engine fills these two
	LateShare     int    // how many of them may leave a day; 0 = no limit
	Kept          *Touch // its touch that goes again as it is, with its bytes
}

// Contact is one mail that was claimed for a person.
type Contact struct {
	At       time.Time `json:"at"`
	Sequence string    `json:"sequence"`
}

// LostSequence stands, in a contact, for the sequence of a Stranger's mail. No
// file can have this name.
const LostSequence = "(lost)"

// Pace is what a mailbox has done.
type Pace struct {
	Today  int       // touches claimed today and not known to have failed
	Late   int       // those of them that belonged to the backlog
	LastAt time.Time // the latest claim, whatever day
	Paused bool      // this mailbox, or everything
}

// Scope is what a pause covers: everything (its zero value), or one mailbox,
// one sequence, or one person by address key.
type Scope struct {
	Mailbox  string `json:"mailbox,omitempty"`
	Sequence string `json:"sequence,omitempty"`
	Person   string `json:"person,omitempty"`
}

// Switch is a pause that is on.
type Switch struct {
	Scope
	Why string    `json:"why,omitempty"` // "" = by hand
	At  time.Time `json:"at,omitzero"`
}

// Postponement says when to look at an enrollment again, or holds it.
type Postponement struct {
	Enrollment string
	Version    uint64
	Look       time.Time
	Why        string // why not before Look, in words
	Hold       Reason // when not "": held, HeldUntil as given
	Detail     string
	HeldUntil  time.Time
	Next       string    // when not "": the step that really comes next
	Due        time.Time // with Next
	Attempts   int       // counts of temporary refusals, kept as given
	TriedAt    time.Time
	Events     []Event
}

// Sweep is what one look at a mailbox came to.
type Sweep struct {
	Mailbox string
	At      time.Time // when the folders' ends were read
	Cursor  Cursor
	Effects []Effect
	Copies  int               // of our own touches seen in Sent, put there by the provider
	Learned map[string]string // Message-ID that the provider gave a touch → enrollment
}

// Effect is what one incoming message does to one enrollment.
type Effect struct {
	Enrollment string
	Incoming   string // identity of the message: applied once per enrollment, whichever folder it is seen in
	To         State  // Stopped, Held, or "" to only record it
	Reason     Reason
	Detail     string
	Until      time.Time   // for Held; zero = until a person answers
	Soft       bool        // a soft bounce: the third in 14 days stops
	Suppress   bool        // the enrollment's address is suppressed as well
	Why        string      // why it is suppressed; "" = Reason
	Ticket     bool        // it acknowledges that a mail came in: the second one holds, as To, Reason and Until say
	Due        time.Time   // when not zero: the wait of the next step counts anew, and ends then
	Alias      string      // the address key of somebody who answered for this person
	Sent       *Settlement // the message is the Sent copy of this doubtful touch, which is thereby sent
	Event      Event
}

// Settlement is how a touch ended and what comes after.
type Settlement struct {
	Touch    Touch
	Outcome  Outcome
	At       time.Time
	Answer   string    // the server's words
	Next     string    // the step that comes next once this one is done; "" = finished
	Due      time.Time // of Next, or of the same step again
	Attempts int       // for Deferred
	Hold     Reason    // when not "": held instead of due
	Stop     Reason    // when not "": stopped
	Suppress bool      // the address as well
	Resend   bool      // a person decided that a doubtful touch is sent again
	Doubted  bool      // only of a touch that is in doubt still: a person's word about it
	Then     *Follow   // begins with the end, when no step is left
	Filed    bool      // for Sent: the copy in Sent is put there by us
	Keep     bool      // for Deferred: the next attempt sends the same bytes
	Assumed  bool      // for Sent: nobody knows, and it counts as sent
}

// Trust is how far a state can be trusted to know what was sent from a mailbox.
type Trust struct {
	Instance string               // of this installation
	Born     time.Time            // of this state's first event
	Former   map[string]time.Time // instances it was before, and until when
	Behind   string               // why mail may have left that it does not know; "" = none did
	AsOf     time.Time            // with Behind: it surely knows everything until then
	Copies   int                  // touches of which the provider's own copy was seen in Sent, so far
}

// Reconciliation is what comparing a mailbox's state with its Sent folder came
// to.
type Reconciliation struct {
	Mailbox   string
	At        time.Time
	Sent      []Settlement // found in Sent, oldest first; no touch of theirs is open
	Holds     []string     // enrollments of which nobody can tell; see Enrollment.Distrusted
	Strangers []Stranger
	Learned   map[string]string // Message-ID of another mail of ours → enrollment
}

// Stranger is a mail in Sent that nudge sent to somebody this state does not
// know.
type Stranger struct {
	MessageID string
	To        string
	At        time.Time
}

// Known is whose some Message-IDs and addresses are.
type Known struct {
	ByID         map[string]string       // Message-ID → enrollment id; "" for a Stranger's
	ByAddress    map[string][]Enrollment // address key → its enrollments, also ended ones
	ByEnrollment map[string]Enrollment   // those of ByID
	Aliases      map[string][]string     // address key → keys of the people it answered for; they are in ByAddress
	Kin          Kin
}

// Counts counts enrollments.
type Counts struct {
	Active   int `json:"active"`
	Held     int `json:"held"`
	Stopped  int `json:"stopped"`
	Finished int `json:"finished"`
	Replied  int `json:"replied"`
	InDoubt  int `json:"in_doubt"`
}
