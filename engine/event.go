package engine

import "time"

// EventKind names what happened. The words are a contract of nudge log --json.
type EventKind string

const (
	EventEnrolled     EventKind = "enrolled"
	EventClaimed      EventKind = "claimed"
	EventSent         EventKind = "sent"
	EventRefused      EventKind = "refused"
	EventDeferred     EventKind = "deferred"
	EventInDoubt      EventKind = "in_doubt"
	EventReply        EventKind = "reply"
	EventAutoReply    EventKind = "auto_reply"
	EventBounce       EventKind = "bounce"
	EventUnsubscribe  EventKind = "unsubscribe"
	EventComplaint    EventKind = "complaint"
	EventUnsure       EventKind = "unsure"
	EventColleague    EventKind = "colleague" // mail of somebody else that concerns this prospect too
	EventTakeover     EventKind = "takeover"  // the owner wrote by hand
	EventReversed     EventKind = "reversed"  // a person said that a mail was no answer
	EventNoted        EventKind = "noted"     // read and matched, changes nothing: a read receipt, a challenge
	EventHeld         EventKind = "held"
	EventReleased     EventKind = "released"
	EventPaused       EventKind = "paused"
	EventResumed      EventKind = "resumed"
	EventStopped      EventKind = "stopped"
	EventFinished     EventKind = "finished"
	EventTaskOpen     EventKind = "task_open"
	EventTaskDone     EventKind = "task_done"
	EventTaskExpired  EventKind = "task_expired"  // not done in time
	EventSkipped      EventKind = "skipped"       // a step was left out
	EventChainRefused EventKind = "chain_refused" // what should follow its end does not begin
	EventWon          EventKind = "won"
	EventLost         EventKind = "lost"
	EventSuppressed   EventKind = "suppressed"
	EventReloaded     EventKind = "reloaded"
	EventCaughtUp     EventKind = "caught_up" // a person's answer to what was overdue
	EventRestored     EventKind = "restored"  // the state may be older than what was sent, or was made whole again
)

// Event is one dated line of history. Events are only ever added.
type Event struct {
	Seq        uint64            `json:"seq"` // given by the Store, gap-free
	At         time.Time         `json:"at"`
	Kind       EventKind         `json:"kind"`
	Enrollment string            `json:"enrollment,omitempty"`
	Address    string            `json:"address,omitempty"`
	Sequence   string            `json:"sequence,omitempty"`
	Step       string            `json:"step,omitempty"`
	MessageID  string            `json:"message_id,omitempty"`
	Detail     map[string]string `json:"detail,omitempty"` // in words: reason, rule, folder, uid, until, server, …
}
