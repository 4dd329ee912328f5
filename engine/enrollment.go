package engine

import (
	"slices"
	"time"
)

// State is where an enrollment stands.
type State string

const (
	Active   State = "active"   // a next action with a date
	Held     State = "held"     // waits for a date, or for a person's answer
	Stopped  State = "stopped"  // ended before the last step; Reason says why
	Finished State = "finished" // all steps done, no answer
)

// Reason says, in words that are shown as they are, why an enrollment is
// stopped, held or finished.
type Reason string

const (
	// Why an enrollment stopped. Final, except by a person's word.
	Replied      Reason = "replied"
	Bounced      Reason = "bounced"
	Unsubscribed Reason = "unsubscribed"
	Complained   Reason = "complained"
	ByHand       Reason = "by hand"
	Won          Reason = "won"
	Lost         Reason = "lost"
	NotDone      Reason = "not done" // a task that was not done in time, whose author wants it so
	Suppressed   Reason = "suppressed"
	Takeover     Reason = "takeover" // the owner wrote to them by hand
	Gone         Reason = "gone"     // they have left, or nobody reads there any more

	// Why an enrollment is held.
	Absent       Reason = "out of office"
	Colleague    Reason = "colleague answered" // somebody at the same company, or of the same deal
	Unsure       Reason = "unsure"             // an incoming that might be an answer
	MissingField Reason = "missing field"      // a template needs a value this prospect does not have
	BadDate      Reason = "unreadable date"    // a step leads up to a date that nobody can read
	NoSequence   Reason = "sequence gone"      // its file was removed
	Rehearsed    Reason = "rehearsed"          // it went through steps in a rehearsal only
	StepsGone    Reason = "steps renamed"      // none of the steps it went through is in the file any more
	InDoubt      Reason = "in doubt"           // a touch may or may not have left
	Refused      Reason = "refused"            // the mail server refused this mail for good, and a person must look
	Unwritable   Reason = "cannot be written"  // the template fails for this prospect
	Undelivered  Reason = "undelivered"        // temporary refusals for longer than 72 hours
	Snoozed      Reason = "snoozed"            // put off by a person
	CatchUp      Reason = "overdue"            // its moment passed while nothing could be sent; nudge catch-up asks
	Restored     Reason = "restored"           // the state was restored, and nobody can tell whether its next step left since

	// Why an enrollment finished.
	NoAnswer Reason = "no answer"
)

// Enrollment is one prospect in one sequence. It is a value: the Store keeps
// it, and only the pure functions of this package change it.
type Enrollment struct {
	ID      string `json:"id"`      // given by the Store, never reused
	Version uint64 `json:"version"` // counted by the Store at each change

	Sequence string            `json:"sequence"` // the file's name without .md
	Mailbox  string            `json:"mailbox"`
	Address  string            `json:"address"`           // as CleanAddress returns it
	Key      string            `json:"key"`               // AddressKey(Address)
	Company  string            `json:"company,omitempty"` // the registrable domain of Address, given by the Store; "" where neighbours are strangers
	Name     string            `json:"name,omitempty"`
	Fields   map[string]string `json:"fields,omitempty"`

	From    string    `json:"from,omitempty"`    // the enrollment whose end began this one by a chain
	Lineage []string  `json:"lineage,omitempty"` // the sequences that chains led through to this one, by themselves
	HeardAt time.Time `json:"heard_at,omitzero"` // mail since then answers this one: when the first of its lineage began

	EnrolledAt time.Time `json:"enrolled_at"`
	StartAt    time.Time `json:"start_at"` // what the first step's wait counts from

	State     State     `json:"state"`
	Reason    Reason    `json:"reason,omitempty"`
	Detail    string    `json:"detail,omitempty"` // the reason's particulars: the missing field, the server's words
	HeldUntil time.Time `json:"held_until,omitzero"`
	Behind    *Hold     `json:"behind,omitempty"` // what holds it as well, once a doubt is answered
	Paused    bool      `json:"paused,omitempty"` // this person's switch; see Store.Pause

	Next    string    `json:"next,omitempty"`    // id of the step that comes next; "" when stopped or finished
	Due     time.Time `json:"due,omitzero"`      // the earliest moment for it that its sequence allows
	Look    time.Time `json:"look,omitzero"`     // when the engine looks at it next; never before Due
	Why     string    `json:"why,omitempty"`     // why Look is later than Due
	Vouched bool      `json:"vouched,omitempty"` // a person said that it goes on although nobody knows what was sent before a restore
	Late    bool      `json:"late,omitempty"`    // its moment passed while nothing could be sent: part of the backlog

	Tasks    []Task      `json:"tasks,omitempty"`    // the owner's open work for it
	Done     []Done      `json:"done,omitempty"`     // the steps behind it, in order
	Then     *Follow     `json:"-"`                  // only on its way to the Store: what begins with its end
	Thread   Thread      `json:"thread"`             // ties its mails together
	Variant  string      `json:"variant,omitempty"`  // of the subject it got first, kept for the later mails
	Attempts int         `json:"attempts,omitempty"` // temporary refusals of the next step so far
	TriedAt  time.Time   `json:"tried_at,omitzero"`  // the first of those
	Resends  int         `json:"resends,omitempty"`  // a person's explicit resends of the next step
	SoftAt   []time.Time `json:"soft_at,omitempty"`  // soft bounces of the last 14 days
	Tickets  int         `json:"tickets,omitempty"`  // automatic answers that said no more than that a mail came in

	By     string    `json:"by,omitempty"`     // the incoming that stopped or held it; "" when none did
	Before *Standing `json:"before,omitempty"` // where it stood before that; see NotAReply
}

// Hold is why an enrollment waits, and until when; a zero Until waits for a
// person.
type Hold struct {
	Reason Reason    `json:"reason"`
	Detail string    `json:"detail,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// Done is a step that an enrollment has behind it.
type Done struct {
	Step      string    `json:"step"`
	At        time.Time `json:"at"`
	Outcome   Outcome   `json:"outcome"`
	MessageID string    `json:"message_id,omitempty"`
	Rehearsed bool      `json:"rehearsed,omitempty"` // the owner got it, the prospect did not
	Assumed   bool      `json:"assumed,omitempty"`   // nobody knows whether it left; it counts as sent
}

// Thread is what makes a mail program show an enrollment's mails as one
// conversation.
type Thread struct {
	Anchor  string   `json:"anchor,omitempty"`  // a made-up id, first in References of every touch; survives rewriting of Message-IDs
	IDs     []string `json:"ids,omitempty"`     // Message-IDs of the touches so far, oldest first
	Subject string   `json:"subject,omitempty"` // of the mail that began the thread, without Re:
}

// begun says whether there is a mail that the next one can reply to.
func (t Thread) begun() bool { return t.Subject != "" || len(t.IDs) > 0 }

// Touches counts the mails that left for this enrollment.
func (en Enrollment) Touches() int {
	n := 0
	for _, d := range en.Done {
		if d.Outcome == Sent {
			n++
		}
	}
	return n
}

// LastTouchAt is when the last mail left, or the zero time.
func (en Enrollment) LastTouchAt() time.Time {
	for i := len(en.Done) - 1; i >= 0; i-- {
		if en.Done[i].Outcome == Sent {
			return en.Done[i].At
		}
	}
	return time.Time{}
}

// DoneSteps lists the ids of the steps behind it, in order.
func (en Enrollment) DoneSteps() []string {
	ids := make([]string, len(en.Done))
	for i, d := range en.Done {
		ids[i] = d.Step
	}
	return ids
}

// rehearsed says whether steps behind it reached the owner alone.
func (en Enrollment) rehearsed() bool {
	return slices.ContainsFunc(en.Done, func(d Done) bool { return d.Rehearsed })
}

// written says whether the prospect got a mail.
func (en Enrollment) written() bool {
	return slices.ContainsFunc(en.Done, func(d Done) bool { return d.Outcome == Sent && !d.Rehearsed })
}

// Ended says whether nothing will ever be due again without a person's word.
func (en Enrollment) Ended() bool { return en.State == Stopped || en.State == Finished }
