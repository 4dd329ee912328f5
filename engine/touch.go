package engine

import "time"

// Phase is how far a touch has come. A touch that is settled is no longer
// open; its outcome then stands in Enrollment.Done.
type Phase string

const (
	Prepared Phase = "prepared" // frozen and durable; no dot was written
	Sending  Phase = "sending"  // claimed; DATA may have begun
	Doubtful Phase = "in doubt" // claimed, outcome unknown: looked for in Sent, then a person or the policy decides
	Kept     Phase = "kept"     // did not leave, and goes again as it is: same bytes, same Message-ID
)

// Outcome is how a touch ended.
type Outcome string

const (
	Sent     Outcome = "sent"     // the server took responsibility, or a person said so
	Refusal  Outcome = "refused"  // the server refused for good
	Deferred Outcome = "deferred" // no dot, or a temporary refusal: due again
	Unknown  Outcome = "unknown"  // the connection was lost after the dot
	Opened   Outcome = "task"     // not a mail: a task was opened for the owner
	TaskDone Outcome = "done"     // and the owner did it
	Expired  Outcome = "expired"  // or did not, in time
	Skipped  Outcome = "skipped"  // left out: a person said so, or it is not for this prospect
)

// Touch is one email of one enrollment on its way: the durable intent.
type Touch struct {
	Enrollment string    `json:"enrollment"`
	Step       string    `json:"step"`
	Version    uint64    `json:"version"` // of the enrollment it was prepared from
	Mailbox    string    `json:"mailbox"`
	Sequence   string    `json:"sequence"`
	Email      Email     `json:"email"`
	Phase      Phase     `json:"phase"`
	PreparedAt time.Time `json:"prepared_at"`
	ClaimedAt  time.Time `json:"claimed_at,omitzero"`
	Again      bool      `json:"again,omitempty"` // its bytes are those of an earlier attempt
	Late       bool      `json:"late,omitempty"`  // counts against the share of the backlog
	Doubt      string    `json:"doubt,omitempty"` // why the outcome is unknown
	DoubtAt    time.Time `json:"doubt_at,omitzero"`
	Looks      int       `json:"looks,omitempty"` // how often it was looked for among the sent mail, in vain
	Heard      []Contact `json:"-"`               // the person's contacts that the guard knew of; see CheckContacts
}

// Email is a rendered touch: an envelope and frozen bytes. Nothing changes it
// after it was prepared.
type Email struct {
	From      string `json:"from"`          // envelope sender, bare address
	To        string `json:"to"`            // envelope recipient, bare address
	For       string `json:"for,omitempty"` // in a rehearsal: the prospect it was written for
	MessageID string `json:"message_id"`
	Subject   string `json:"subject"`
	Thread    Thread `json:"thread"`            // the enrollment's thread once this has left
	Variant   string `json:"variant,omitempty"` // of its subject
	Words     string `json:"words,omitempty"`   // which text it was made from: Step.Hash
	Raw       []byte `json:"raw,omitempty"`     // RFC 5322 bytes with CRLF line ends, Date and Message-ID included
	SHA256    string `json:"sha256"`            // of Raw, in hex
}
