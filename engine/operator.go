package engine

import (
	"context"
	"errors"
	"time"
)

// ErrInvalid marks what a person asked for that cannot be done as asked: a bad
// address, an unknown sequence, a missing field.
var ErrInvalid = errors.New("invalid request")

// ErrBroken marks a sequence file that has errors.
var ErrBroken = errors.New("the sequence has errors")

// RefusalError is an error for a person: what is wrong, and what to do next. Err is
// one of this package's sentinels, for programs.
type RefusalError struct {
	Err  error
	What string
	Hint string
}

func (r *RefusalError) Error() string { return r.What }
func (r *RefusalError) Unwrap() error { return r.Err }

// Operator is what a person may ask, whether or not the daemon runs. Desk
// answers it over a Store; control.Client answers it over a running daemon.
// Errors that a person can mend are *RefusalError.
type Operator interface {
	// Enroll puts one prospect into a sequence.
	Enroll(ctx context.Context, req EnrollRequest) (View, error)

	// Import enrolls many, all or none: with any rejected row nothing is
	// enrolled. Rows of people already enrolled update their fields.
	Import(ctx context.Context, req ImportRequest) (ImportResult, error)

	// List lists enrollments, oldest first.
	List(ctx context.Context, f Filter) ([]View, error)

	// Show tells the story of one address; ErrNotFound when there is none.
	Show(ctx context.Context, address string) (Story, error)

	// SentTouches lists the mails that were sent to one address, oldest first, with
	// what is kept of each; ErrNotFound when the address was never enrolled.
	SentTouches(ctx context.Context, address string) ([]SentTouch, error)

	// Status says how the engine and its mailboxes are.
	Status(ctx context.Context) (Status, error)

	// Log lists up to limit events with Seq greater than after, in order. A
	// negative limit asks for the last ones.
	Log(ctx context.Context, after uint64, limit int) ([]Event, error)

	// Stop ends the enrollments of an address (in one sequence, when named).
	Stop(ctx context.Context, address, sequence string) ([]View, error)

	// Act is a person's word about one enrollment of an address: a task is
	// done, a step is left out, it is put off, won or lost. Where several
	// could be meant, the sequence must be named.
	Act(ctx context.Context, req ActRequest) (View, error)

	// Today lists what waits for a person: open tasks, and questions.
	Today(ctx context.Context) (Agenda, error)

	// Plan tells what comes in the next days, by the decisions the engine
	// will make.
	Plan(ctx context.Context, req PlanRequest) (PlanResult, error)

	// Pause and Resume set and clear a switch, and say how many enrollments
	// that have not ended it covers. Resuming a person also answers what
	// their enrollments are held for.
	Pause(ctx context.Context, scope Scope) (int, error)
	Resume(ctx context.Context, scope Scope) (int, error)

	// Doubts lists touches of which nobody knows whether they left.
	Doubts(ctx context.Context) ([]Doubt, error)

	// ResolveDoubt decides one: DoubtSent counts it as sent and goes on,
	// DoubtResend sends it again with a new Message-ID.
	ResolveDoubt(ctx context.Context, enrollment string, verdict DoubtVerdict) (View, error)

	// NotAReply takes back what a mail did, by a person's word.
	NotAReply(ctx context.Context, req NotAReplyRequest) (NotAReplyResult, error)

	// Why explains, for each enrollment of an address, every fact that decides
	// whether and when its next touch goes; ErrNotFound when there is none.
	Why(ctx context.Context, address string) ([]Explanation, error)

	// Suppress adds or removes an address or @domain that must never be
	// written to again. What a person asked for themselves is only removed
	// with Force.
	Suppress(ctx context.Context, req SuppressRequest) (SuppressResult, error)

	// Suppressions lists them, oldest first.
	Suppressions(ctx context.Context) ([]Suppression, error)

	// CatchUp answers for enrollments whose moment passed while nothing could
	// be sent; with no Answer it only lists them.
	CatchUp(ctx context.Context, req CatchUpRequest) (CatchUpResult, error)

	// Backup writes a copy of the state that is whole and checked. A daemon
	// goes on meanwhile.
	Backup(ctx context.Context, path string) (BackupResult, error)

	// Verify reads the whole state and lists what does not agree.
	Verify(ctx context.Context) ([]string, error)

	// Reload reads the sequence files again, tells whom that affects, and unless
	// it is a dry run takes them. Broken ones keep their last good copy and are
	// reported.
	Reload(ctx context.Context, req ReloadRequest) (ReloadResult, error)
}

// SuppressRequest names who must never be written to again.
type SuppressRequest struct {
	Target string `json:"target"` // an address, or @domain
	Why    string `json:"why,omitempty"`
	Remove bool   `json:"remove,omitempty"`
	Force  bool   `json:"force,omitempty"` // remove even what they asked for themselves
}

// SuppressResult says what it came to.
type SuppressResult struct {
	Target  string `json:"target"`
	Stopped int    `json:"stopped"` // enrollments that were ended
}

// CatchUpAnswer is what becomes of what is overdue.
type CatchUpAnswer string

const (
	CatchUpSend CatchUpAnswer = "send" // goes on, a few a day, each with its waits kept
	CatchUpSkip CatchUpAnswer = "skip" // the overdue step is left out, and the wait of the next counts from now
	CatchUpStop CatchUpAnswer = "stop" // ends
)

// CatchUpRequest narrows by address or sequence; neither means all.
type CatchUpRequest struct {
	Answer   CatchUpAnswer `json:"answer,omitempty"`
	Address  string        `json:"address,omitempty"`
	Sequence string        `json:"sequence,omitempty"`
}

// CatchUpResult lists those held because they are overdue, before the answer.
type CatchUpResult struct {
	Overdue []Overdue `json:"overdue"`
}

// Overdue is one of them.
type Overdue struct {
	Address  string    `json:"address"`
	Sequence string    `json:"sequence"`
	Step     string    `json:"step"`
	Due      time.Time `json:"due"`
}

// BackupResult is a copy that was made and opened again to check it.
type BackupResult struct {
	Path        string    `json:"path"`
	Bytes       int64     `json:"bytes"`
	Enrollments int       `json:"enrollments"`
	At          time.Time `json:"at"`
}

// EnrollRequest is one prospect for one sequence.
type EnrollRequest struct {
	Sequence string            `json:"sequence"`
	Address  string            `json:"address"`
	Name     string            `json:"name,omitempty"`
	Fields   map[string]string `json:"fields,omitempty"`
	At       time.Time         `json:"at,omitzero"` // what the first wait counts from; zero = now
}

// ImportRequest is many prospects for one sequence.
type ImportRequest struct {
	Sequence string      `json:"sequence"`
	Rows     []ImportRow `json:"rows"`
	DryRun   bool        `json:"dry_run,omitempty"`
}

// ImportRow is one prospect, with the line of the file it came from.
type ImportRow struct {
	Row     int               `json:"row"` // 1 = the first line of the file, which is the header
	Address string            `json:"address"`
	Name    string            `json:"name,omitempty"`
	Fields  map[string]string `json:"fields,omitempty"`
}

// ImportResult counts what became of the rows.
type ImportResult struct {
	Enrolled int           `json:"enrolled"`
	Updated  int           `json:"updated"`
	Skipped  int           `json:"skipped"` // already enrolled with the same fields, or of Left
	Left     []LeftRow     `json:"left"`    // nobody is enrolled for these, in the order of the file
	Rejected []RejectedRow `json:"rejected"`
}

// LeftRow is a row that is fine, and enrolls nobody: who ended before, or is
// suppressed.
type LeftRow struct {
	Row     int    `json:"row"`
	Address string `json:"address"`
	Reason  string `json:"reason"`
}

// RejectedRow is a row that cannot be enrolled as it is.
type RejectedRow struct {
	Row    int    `json:"row"`
	Column string `json:"column"`
	Reason string `json:"reason"`
}

// View is an enrollment as people and other programs see it.
type View struct {
	ID          string            `json:"id"`
	Sequence    string            `json:"sequence"`
	Address     string            `json:"address"`
	Name        string            `json:"name"`
	Fields      map[string]string `json:"fields"`
	Mailbox     string            `json:"mailbox"`
	State       State             `json:"state"`
	Reason      string            `json:"reason"`
	Paused      bool              `json:"paused"`
	Touches     int               `json:"touches"`
	Rehearsed   int               `json:"rehearsed"` // of Touches, those that went to the owner alone
	LastTouchAt *time.Time        `json:"last_touch_at"`
	Next        *Next             `json:"next"` // nil when stopped or finished
}

// Next is an enrollment's one next action.
type Next struct {
	Action string     `json:"action"` // email, call, letter, task, or answer: a person must decide
	Step   string     `json:"step"`
	At     *time.Time `json:"at"` // nil when only a person's answer moves it
	Why    string     `json:"why"`
}

// Story is everything about one address.
type Story struct {
	Enrollments []View  `json:"enrollments"`
	History     []Event `json:"history"`

	Records []Record `json:"records"` // of the enrollments, in their order
}

// Record is what Compose makes the mails of an enrollment from, besides its
// sequence and the mailbox's settings: a preview of it is what will be sent.
type Record struct {
	Enrollment Enrollment `json:"enrollment"`
	Instance   string     `json:"instance"`
}

// Status is how things are.
type Status struct {
	Deliver   string          `json:"deliver"`
	Paused    bool            `json:"paused"`
	Running   bool            `json:"running"` // a daemon answered
	Mailboxes []MailboxStatus `json:"mailboxes"`
	Counts    Counts          `json:"counts"`
	Next      *Upcoming       `json:"next"`
	Notices   []string        `json:"notices,omitempty"` // what a person should know: broken sequence files, doubts
}

// MailboxStatus is how one mailbox is.
type MailboxStatus struct {
	Name      string     `json:"name"`
	Address   string     `json:"address"`
	IMAP      IMAPStatus `json:"imap"`
	SMTP      SMTPStatus `json:"smtp"`
	SentToday int        `json:"sent_today"`
	PerDay    int        `json:"per_day"`
	Paused    bool       `json:"paused"`
	Why       string     `json:"why,omitempty"` // why nothing is sent, when it is not by hand
}

// IMAPStatus is how reading goes. State is ok, down (touches are held back),
// starting (not tried yet) or unknown (no daemon runs).
type IMAPStatus struct {
	State   string     `json:"state"`
	SweptAt *time.Time `json:"swept_at"`
	Error   string     `json:"error"`
}

// SMTPStatus is how sending goes. State is ok, down, starting or unknown.
type SMTPStatus struct {
	State string `json:"state"`
	Error string `json:"error"`
}

// Upcoming is the next touch of all.
type Upcoming struct {
	At       time.Time `json:"at"`
	Address  string    `json:"address"`
	Sequence string    `json:"sequence"`
	Step     string    `json:"step"`
}

// Doubt is a touch of which nobody knows whether it left.
type Doubt struct {
	Enrollment string    `json:"enrollment"`
	Address    string    `json:"address"`
	Sequence   string    `json:"sequence"`
	Step       string    `json:"step"`
	Subject    string    `json:"subject"`
	MessageID  string    `json:"message_id"`
	ClaimedAt  time.Time `json:"claimed_at"`
	Why        string    `json:"why"`

	// Until is when it has been looked for among the sent mail for the last
	// time; nil when only a person's word is left.
	Until *time.Time `json:"until"`
}

// DoubtVerdict is a person's answer to a doubt.
type DoubtVerdict string

const (
	DoubtSent   DoubtVerdict = "sent"
	DoubtResend DoubtVerdict = "resend"
)
