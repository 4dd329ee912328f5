package engine

import (
	"context"
	"errors"
	"time"
)

// ErrNoSent is returned by SentReader.OwnMail for a mailbox without a folder for
// sent mail.
var ErrNoSent = errors.New("the mailbox has no Sent folder")

// ErrTooMany is what SentReader.OwnMail's error wraps when there is more mail
// than it reads.
var ErrTooMany = errors.New("more mail than is read at once")

// ErrLogin is what an Inbox's errors wrap when the server refused the user name
// or the password. Trying again soon would lock the account at many providers.
var ErrLogin = errors.New("the server refused the user name or the password")

// ErrMoved is returned by Inbox.Read for a message that is no longer where
// Fetch saw it: moved or removed meanwhile.
var ErrMoved = errors.New("message is no longer there")

// Inbox is the incoming side of a mailbox. The engine pulls; nothing calls
// back. No method ever changes a flag, moves or removes a message.
type Inbox interface {
	// Fetch reads the headers of what arrived in any watched folder since
	// cursor, and returns the cursor that stands behind it. It looks at the
	// server afresh: what was delivered before the call is in the answer. One
	// call returns a bounded number of messages; Cursor.More says that there
	// are more. The folders count as read to their end when a call returns
	// the cursor it was given, since they are not looked at all at once. On error
	// nothing was read, and the old cursor stands. Sent is read as well; only
	// Drafts is not.
	Fetch(ctx context.Context, cursor Cursor) ([]Incoming, Cursor, error)

	// Read completes one message that Fetch returned: when it arrived, what it
	// is, which mail it returns. touched is what it may answer. ErrMoved when it
	// is no longer there.
	Read(ctx context.Context, in Incoming, touched Touched) (Incoming, error)

	// Wait returns nil when something may have arrived, an error when the
	// connection that would tell is lost, ctx.Err() when ctx is done. It is a
	// hint to look early, never a proof that nothing came. It may run beside
	// Fetch and Read; those two run one at a time.
	Wait(ctx context.Context) error
}

// SentReader is what an Inbox also does that can look back at what was sent.
type SentReader interface {
	// OwnMail reads the headers of every message that arrived at or after
	// since in the folders that keep sent mail (SentMail and AllMail), with
	// Arrived filled from INTERNALDATE. ErrNoSent when there is none.
	OwnMail(ctx context.Context, since time.Time) ([]Incoming, error)
}
