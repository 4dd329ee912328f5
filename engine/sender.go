package engine

import (
	"context"
	"fmt"
	"time"
)

// Sender is the outgoing side of a mailbox.
type Sender interface {
	// Open brings the dialogue for one email to the answer to RCPT: connected,
	// over TLS, authenticated, MAIL and RCPT accepted, no DATA written. The
	// caller must end the Delivery with Data or Close. On failure the error is
	// a *SendError, and nothing has left.
	Open(ctx context.Context, email Email) (Delivery, error)
}

// Delivery is one dialogue that stands between RCPT and DATA.
type Delivery interface {
	// Data sends the frozen bytes and waits up to ten minutes for the answer
	// to the final dot. nil means that the server took responsibility, else
	// the error is a *SendError whose Outcome says what is known. The
	// connection is never ended in a way that could deliver a part of the
	// mail. A ctx that is done before the dot abandons the mail (Deferred);
	// after it, the outcome is Unknown. If the server is not ready to take the
	// first byte by before, the mail is abandoned as well: what was known of
	// the mailbox is too old by then. A zero before sets no such bound. Answer
	// is the server's last line.
	Data(ctx context.Context, before time.Time) (answer string, err error)

	// Close ends the dialogue without delivering. It does nothing after Data.
	Close() error
}

// Prober is what a Sender also does that can find out, without sending
// anything, whether it could.
type Prober interface {
	// Probe connects and logs in. Its error is a *SendError.
	Probe(ctx context.Context) error
}

// SentKeeper is what an Inbox also does where the provider does not put
// outgoing mail into the Sent folder by itself.
type SentKeeper interface {
	// KeepSent puts a copy of the bytes into the Sent folder, marked as read.
	KeepSent(ctx context.Context, raw []byte) error
}

// SendPhase is how far an SMTP dialogue came (RFC 5321, section 3).
type SendPhase string

const (
	PhaseConnect SendPhase = "connect" // DNS, TCP, greeting, EHLO
	PhaseTLS     SendPhase = "tls"
	PhaseAuth    SendPhase = "auth"
	PhaseMail    SendPhase = "mail"
	PhaseRcpt    SendPhase = "rcpt"
	PhaseData    SendPhase = "data" // before the final dot was written
	PhaseDot     SendPhase = "dot"  // the final dot was or may have been written
)

// SendError says how far a send came and what is known about the mail.
type SendError struct {
	Phase    SendPhase
	Outcome  Outcome // Refusal, Deferred or Unknown
	Code     int     // the server's reply code, 0 without one
	Enhanced string  // enhanced status code (RFC 3463) like "5.1.1", "" without one
	Err      error   // the cause, free of secrets
}

func (e *SendError) Error() string { return fmt.Sprintf("smtp %s: %v", e.Phase, e.Err) }
func (e *SendError) Unwrap() error { return e.Err }
