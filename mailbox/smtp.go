package mailbox

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"nudge/engine"
)

// SMTP is the outgoing side of an account. Its zero value with an Account is
// ready; it may be used concurrently and must not be copied.
//
// It drives the dialogue step by step over go-mail's client, because three
// things must be known exactly: what happens between RCPT and DATA, whether the
// final dot may have left, and that nothing short of the dot ends a mail.
type SMTP struct {
	Account  Account
	HELO     string       // the name we greet with; "" is the domain of Account.Address, never this machine's name
	Timeouts Timeouts     // how long single steps may take
	Log      *slog.Logger // nil logs nothing

	mu   sync.Mutex
	idle []*session // the one used last is the last
	shut bool
}

// Timeouts bound the steps of a dialogue, each on its own and never the whole
// of it (RFC 5321, section 4.5.3.2). A zero field takes its default.
type Timeouts struct {
	Login    time.Duration // greeting, EHLO, STARTTLS, AUTH: 60 s each
	Envelope time.Duration // MAIL, RCPT: 2 min each
	Data     time.Duration // the answer to DATA: 2 min
	Block    time.Duration // writing the next 16 KiB of the mail: 3 min
	Dot      time.Duration // the answer to the final dot: 10 min
}

const (
	// maxIdle is how many connections wait for the next volley.
	maxIdle = 16
	// idleTime is how long a connection may wait unused. Servers end idle
	// sessions after minutes, some after less than one.
	idleTime = 30 * time.Second
	// courtesyTime bounds what is only polite to say and never waited for.
	courtesyTime = time.Second
)

var (
	_ engine.Sender = (*SMTP)(nil)
	_ engine.Prober = (*SMTP)(nil)
)

// Open implements engine.Sender. A connection left by an earlier mail is used
// when there is one; should it turn out dead at MAIL, where nothing has been
// sent, the dialogue starts once more on a new one.
func (s *SMTP) Open(ctx context.Context, email engine.Email) (engine.Delivery, error) {
	if err := checkEnvelope(email); err != nil {
		return nil, err
	}
	if c := s.takeIdle(time.Now()); c != nil {
		err := c.envelope(ctx, email)
		if err == nil {
			return &delivery{smtp: s, session: c, raw: email.Raw}, nil
		}
		c.leave()
		if err.Phase != engine.PhaseMail || ctx.Err() != nil {
			return nil, err
		}
		s.log().Debug("idle smtp connection replaced", "mailbox", s.Account.Address, "err", err)
	}
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.envelope(ctx, email); err != nil {
		c.leave()
		return nil, err
	}
	return &delivery{smtp: s, session: c, raw: email.Raw}, nil
}

// Probe implements engine.Prober. The connection waits for the first mail.
func (s *SMTP) Probe(ctx context.Context) error {
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	s.keepIdle(c, time.Now())
	return nil
}

// Shutdown ends the connections that wait for the next mail. Deliveries under
// way are not touched; their connections end with them.
func (s *SMTP) Shutdown() {
	s.mu.Lock()
	idle := s.idle
	s.idle, s.shut = nil, true
	s.mu.Unlock()
	for _, c := range idle {
		c.leave()
	}
}

// takeIdle returns a connection that was used a moment before now, or nil. It
// ends those that have waited too long; no goroutine does so, since an unused
// connection harms nobody.
func (s *SMTP) takeIdle(now time.Time) *session {
	s.mu.Lock()
	var old []*session
	for len(s.idle) > 0 && now.Sub(s.idle[0].usedAt) > idleTime {
		old, s.idle = append(old, s.idle[0]), s.idle[1:]
	}
	var c *session
	if n := len(s.idle); n > 0 {
		c, s.idle = s.idle[n-1], s.idle[:n-1]
	}
	s.mu.Unlock()
	for _, o := range old {
		o.leave()
	}
	return c
}

// keepIdle keeps a connection on which no transaction is open.
func (s *SMTP) keepIdle(c *session, now time.Time) {
	s.mu.Lock()
	full := s.shut || len(s.idle) >= maxIdle
	if !full {
		c.usedAt = now
		s.idle = append(s.idle, c)
	}
	s.mu.Unlock()
	if full {
		c.leave()
	}
}

func (s *SMTP) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

func (s *SMTP) helo() string {
	return cmp.Or(s.HELO, engine.AddressDomain(s.Account.Address), "localhost")
}

// withDefaults fills the zero fields.
func (t Timeouts) withDefaults() Timeouts {
	return Timeouts{
		Login:    cmp.Or(t.Login, time.Minute),
		Envelope: cmp.Or(t.Envelope, 2*time.Minute),
		Data:     cmp.Or(t.Data, 2*time.Minute),
		Block:    cmp.Or(t.Block, 3*time.Minute),
		Dot:      cmp.Or(t.Dot, 10*time.Minute),
	}
}
