package engine

import "time"

// Kind is what an incoming message is. The words are those of nudge classify.
type Kind string

const (
	Reply       Kind = "reply"
	AutoReply   Kind = "auto-reply"
	BounceHard  Kind = "bounce-hard"
	BounceSoft  Kind = "bounce-soft"
	Complaint   Kind = "complaint"
	Unsubscribe Kind = "unsubscribe"
	Receipt     Kind = "mdn"
	Calendar    Kind = "calendar"
	Challenge   Kind = "challenge"
	Other       Kind = "other"
	Ambiguous   Kind = "unsure"
)

// Role is what a folder is for, as the server says (RFC 6154) or its name.
type Role string

const (
	Ordinary Role = ""
	Inboxed  Role = "inbox"
	SentMail Role = "sent"
	Junk     Role = "junk"
	Trash    Role = "trash"
	Archive  Role = "archive"
	AllMail  Role = "all"
)

// Incoming is one message read from the mailbox. Inbox.Fetch fills what the
// headers say; Inbox.Read adds the rest for the few that matter.
type Incoming struct {
	// Where it lies. UIDs are only meaningful together with UIDValidity.
	Folder      string `json:"folder"`
	Role        Role   `json:"role,omitempty"`
	UIDValidity uint32 `json:"uid_validity"`
	UID         uint32 `json:"uid"`

	// From the headers. Ids are as CleanMessageID returns them, addresses bare
	// and as written; anything a broken header did not yield is empty.
	MessageID  string   `json:"message_id,omitempty"`
	InReplyTo  []string `json:"in_reply_to,omitempty"`
	References []string `json:"references,omitempty"`
	From       []string `json:"from,omitempty"`        // From, Sender and Reply-To together, From first
	To         []string `json:"to,omitempty"`          // To, Cc, Delivered-To, X-Original-To, Envelope-To
	Subject    string   `json:"subject,omitempty"`     // decoded
	Instance   string   `json:"instance,omitempty"`    // X-Nudge-Instance: which nudge sent it; "" = none did
	OriginalID string   `json:"original_id,omitempty"` // the Message-ID it had before the provider gave it another (X-Microsoft-Original-Message-ID)
	Report     bool     `json:"report,omitempty"`      // looks like a delivery report: it must be read to know whose it is

	// From the whole message, by Inbox.Read; Arrived by Fetch already of what
	// lies in Sent or bears an Instance.
	Arrived  time.Time `json:"arrived,omitzero"` // INTERNALDATE; zero when the server's answer made no sense
	Kind     Kind      `json:"kind,omitempty"`
	Evidence string    `json:"evidence,omitempty"` // the rule that decided Kind, in words
	Quoted   []string  `json:"quoted,omitempty"`   // Message-IDs inside returned mail (message/rfc822, text/rfc822-headers)
	Failed   []string  `json:"failed,omitempty"`   // recipients a bounce names
	Status   string    `json:"status,omitempty"`   // a bounce's enhanced status code (RFC 3463)
	Until    time.Time `json:"until,omitzero"`     // an absence's last day, at 00:00 UTC; zero when it names none

	OptOut    bool   `json:"opt_out,omitempty"`   // it asks to be left alone: all of an unsubscribe, or beside what else a reply says
	Left      bool   `json:"left,omitempty"`      // whoever was written to is gone, or nobody reads there any more
	Successor string `json:"successor,omitempty"` // the address to write to instead; "" when none is named
	Ticket    bool   `json:"ticket,omitempty"`    // an automatic answer that says no more than that a mail came in
	Answer    string `json:"answer,omitempty"`    // to an invitation: accepted, declined, tentative or delegated; "" when it says none

	// NewText is what its writer added, without quotes, signature and what
	// Touched says is ours. It serves to find out whose the message is, and is
	// never stored, logged or put on the wire.
	NewText string `json:"-"`
}

// Touched is what is known of the touches that a message may answer. All of it
// may be empty; what is given makes the verdict surer.
type Touched struct {
	Subjects []string  // of our touches, as sent
	Texts    []string  // their plain texts: what an answer repeats of them is not new
	At       time.Time // when the last one left
}

// Cursor is how far the folders of one mailbox were read. It is a value: the
// Inbox makes it, the Store keeps it, the engine only carries it, and moves it
// in the transaction that applied what was read.
type Cursor struct {
	Folders map[string]FolderCursor `json:"folders,omitempty"` // by folder name as the server spells it

	// Since bounds how far back a folder that was never seen before, or whose
	// UIDVALIDITY changed, is read. Zero means from now on. The engine sets it
	// to the oldest enrollment that still waits.
	Since time.Time `json:"-"`

	// More says that the folders were not read to their end: fetch again.
	More bool `json:"-"`
}

// FolderCursor is how far one folder was read.
type FolderCursor struct {
	UIDValidity uint32 `json:"uid_validity"`
	UIDNext     uint32 `json:"uid_next"` // every UID below it that could be seen was read

	// Gaps are those of the last 64 UIDs below UIDNext at which nothing was to
	// be seen: bit n is UIDNext-1-n. What a server shows there later is read.
	Gaps uint64 `json:"gaps,omitempty"`
}
