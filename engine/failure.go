package engine

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// How long to wait after a temporary refusal of one recipient, and after
// trouble that concerns the whole mailbox: the n-th wait, the last one repeated.
var (
	recipientBackoff = []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour}
	senderBackoff    = []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}
	readerBackoff    = []time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second}
	loginBackoff     = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}
)

// recipientPatience is how long temporary refusals are retried before a person
// is asked.
const recipientPatience = 72 * time.Hour

// readAgain is how long to wait after a look at the mailbox that failed, the
// n-th in a row.
func readAgain(err error, n int) time.Duration {
	if errors.Is(err, ErrLogin) {
		return nth(loginBackoff, n)
	}
	return nth(readerBackoff, n)
}

func nth(waits []time.Duration, n int) time.Duration { return waits[min(max(n, 0), len(waits)-1)] }

// sendError views any failure of a Sender as a *SendError. An error of another
// type breaks the Sender's contract; after DATA began nothing may be assumed.
func sendError(err error, during SendPhase) *SendError {
	if se, ok := errors.AsType[*SendError](err); ok {
		return se
	}
	outcome := Deferred
	if during == PhaseDot {
		outcome = Unknown
	}
	return &SendError{Phase: during, Outcome: outcome, Err: err}
}

// concernsMailbox says whether a failure before the dot is about our own side
// (the network, TLS, the login, the sender, a server that closes) rather than
// about this recipient or this mail. Then no enrollment loses anything.
func concernsMailbox(se *SendError) bool {
	switch se.Phase {
	case PhaseConnect, PhaseTLS, PhaseAuth, PhaseMail:
		return true
	}
	switch se.Enhanced {
	case "5.1.0", "5.1.7", "5.1.8", "5.4.5", "5.7.30", "5.7.515": // the sender's address, its quota, its login, its policy
		return true
	}
	return se.Code == 0 || se.Code == 421 || se.Code >= 530 && se.Code <= 535
}

// mayBeRecipient says whether trouble that concerns the mailbox may all the same
// be about one recipient or one mail: a server that closes, or falls silent, only
// when it hears that address or that text. The next attempt tells, with another.
func mayBeRecipient(se *SendError) bool {
	switch se.Phase {
	case PhaseRcpt, PhaseData, PhaseDot:
		return se != errHalted && se.Enhanced == "" && se.Code == 0 || se.Code == 421
	}
	return false
}

// rejectedLogins is how many refused logins in a row are no passing trouble of
// the server's: more of them lock accounts.
const rejectedLogins = 3

// needsPerson says why trouble with the mail server needs a person before
// anything else is tried, or "".
func needsPerson(se *SendError, rejected int, mailbox string) string {
	switch {
	case rejected >= rejectedLogins:
		return fmt.Sprintf("the mail server refuses the login: %v. Correct the password, then nudge resume --mailbox %s", se.Err, mailbox)
	case se.Outcome == Refusal && (policyCode(se.Enhanced) || se.Phase == PhaseMail && strings.HasPrefix(se.Enhanced, "5.7.")):
		return fmt.Sprintf("the mail server refuses this sender: %v. Put it right with the provider, then nudge resume --mailbox %s", se.Err, mailbox)
	}
	return ""
}

// policyCode says whether an enhanced status code is about the sender and not
// about one mail: 5.1.8 (RFC 3463: bad sender's system address), 5.7.30 and
// 5.7.515 (Microsoft: basic authentication is off; unauthenticated sender).
func policyCode(enhanced string) bool {
	return enhanced == "5.1.8" || enhanced == "5.7.30" || enhanced == "5.7.515"
}

// A refusal that no code explains may be about one recipient or about us. So
// many within so long are about us.
const (
	refusalsPause = 3
	refusalsSpan  = 10 * time.Minute
)

// unexplained says whether a refusal may be about us: no enhanced code, or one
// of policy (RFC 3463, 5.7.x), and not an address that does not exist.
func unexplained(se *SendError) bool {
	return se.Outcome == Refusal && !badRecipient(se) && !unfit(se) && (se.Enhanced == "" || strings.HasPrefix(se.Enhanced, "5.7.") || strings.HasPrefix(se.Enhanced, "5.0."))
}

// unfit says whether a refusal is about the mail's size or content (RFC 5321:
// 552, 554; RFC 3463: 5.3.4, 5.6.x).
func unfit(se *SendError) bool {
	return se.Outcome == Refusal && (se.Code == 552 || se.Enhanced == "5.3.4" || strings.HasPrefix(se.Enhanced, "5.6."))
}

// slowDown says whether a temporary refusal asks us to write less (RFC 3463:
// 4.7.x), which greylisting does too.
func slowDown(se *SendError) bool {
	return se.Outcome == Deferred && (se.Code == 432 || strings.HasPrefix(se.Enhanced, "4.7."))
}

// settlementOf says what a failed send means for its enrollment. next and due
// are not needed: nothing left. passed is when a mail of this mailbox was last
// accepted: trouble that may be the mailbox's is a recipient's own only where
// others passed meanwhile.
func settlementOf(t Touch, en Enrollment, se *SendError, passed, now time.Time) Settlement {
	s := Settlement{Touch: t, Outcome: se.Outcome, At: now, Answer: se.Err.Error(), Due: en.Look, Attempts: en.Attempts}
	switch {
	case se.Outcome == Unknown:
	case concernsMailbox(se) && !mayBeRecipient(se):
		s.Outcome = Deferred // due again as soon as the mailbox can send
	case concernsMailbox(se) && !passed.After(en.TriedAt):
		s.Outcome, s.Attempts = Deferred, en.Attempts+1 // no other is kept waiting by it
		s.Due = now.Add(nth(recipientBackoff, en.Attempts))
	case se.Outcome == Refusal && badRecipient(se) && AddressKey(t.Email.To) == en.Key: // not so in a rehearsal
		s.Stop, s.Suppress = Bounced, true
	case se.Outcome == Refusal:
		s.Hold = Refused
	case !en.TriedAt.IsZero() && now.Sub(en.TriedAt) > recipientPatience:
		s.Hold = Undelivered
	default:
		s.Attempts = en.Attempts + 1
		s.Due = now.Add(nth(recipientBackoff, en.Attempts))
	}
	// A server that read it all may have kept it: then the same bytes again.
	s.Keep = s.Outcome == Deferred && (se.Phase == PhaseDot || t.Again)
	return s
}

// badRecipient says whether a permanent refusal means that the address does
// not exist (RFC 3463: 5.1.x; those about the sender concern the mailbox).
// A bare 550 may mean anything, so it is left to a person.
func badRecipient(se *SendError) bool {
	if se.Enhanced == "" {
		return se.Phase == PhaseRcpt && (se.Code == 551 || se.Code == 553)
	}
	return strings.HasPrefix(se.Enhanced, "5.1.")
}
