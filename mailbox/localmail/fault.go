package localmail

import (
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-smtp"
)

// Phase is how far a dialogue came. For SMTP these are the commands of a
// transaction; for IMAP the name of a command in lower case ("select",
// "search", "fetch", "list", "status", "append", "idle", "login").
type Phase string

const (
	PhaseHello Phase = "hello" // EHLO
	PhaseAuth  Phase = "auth"
	PhaseMail  Phase = "mail"
	PhaseRcpt  Phase = "rcpt"
	PhaseData  Phase = "data" // DATA was answered with 354, the mail is being read
	PhaseDot   Phase = "dot"  // the whole mail and its final dot were read
)

// Fault is one thing that goes wrong. It happens at the first moment that
// fits, Times times; then all is well again.
type Fault struct {
	Side  Side
	Phase Phase
	To    string // only for this recipient; "" = whoever. Known from PhaseRcpt on
	Times int    // how often; 0 = always

	// What happens: exactly one of these.
	Code  int  // an answer of this code (on IMAP, where any code means NO)
	Drop  bool // the connection is cut without an answer
	Stall bool // no answer until the connection ends or the provider is closed

	Text     string // of the answer, "" = a plain one
	Enhanced [3]int // status code (RFC 3463) of the answer; zero = one of the code's class

	// Accept delivers the mail all the same: with PhaseDot and Drop, the server
	// took responsibility but its word was lost.
	Accept bool
}

// Break adds a fault.
func (p *Provider) Break(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, &f)
}

// Mend removes all faults, thaws, and accepts connections again.
func (p *Provider) Mend() {
	p.Thaw(IMAP)
	p.Thaw(SMTP)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
	clear(p.refusing)
}

// Freeze lets a side fall silent: connections stay open, nothing is answered.
func (p *Provider) Freeze(side Side) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen[side] == nil && !p.closed {
		p.frozen[side] = make(chan struct{})
	}
}

// Thaw ends a freeze. Commands that came meanwhile are answered now.
func (p *Provider) Thaw(side Side) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if thawed := p.frozen[side]; thawed != nil {
		close(thawed)
		delete(p.frozen, side)
	}
}

// Refuse makes a side refuse new connections, or accept them again.
func (p *Provider) Refuse(side Side, refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing[side] = refuse
}

func (p *Provider) refuses(side Side) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refusing[side]
}

// DropConnections cuts every connection of a side.
func (p *Provider) DropConnections(side Side) {
	p.mu.Lock()
	var cut []*conn
	for c := range p.conns {
		if c.side == side {
			cut = append(cut, c)
		}
	}
	p.mu.Unlock()
	for _, c := range cut {
		c.abort()
	}
}

// fault takes the first fault that fits; nil when all is well.
func (p *Provider) fault(side Side, phase Phase, to ...string) *Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, f := range p.faults {
		if f.Side != side || f.Phase != phase {
			continue
		}
		if f.To != "" && !slices.ContainsFunc(to, func(a string) bool { return key(a) == key(f.To) }) {
			continue
		}
		taken := *f
		if f.Times == 1 {
			p.faults = slices.Delete(p.faults, i, i+1)
		} else if f.Times > 1 {
			f.Times--
		}
		return &taken
	}
	return nil
}

// strike carries a fault out on a connection, and returns what the server then
// answers, if it can.
func (f *Fault) strike(c *conn) error {
	switch {
	case f.Drop:
		c.abort()
	case f.Stall:
		<-c.cut
	}
	text := f.Text
	if f.Side == IMAP {
		if text == "" {
			text = "the server is out of order"
		}
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeUnavailable, Text: text}
	}
	code := f.Code
	if code == 0 {
		code = 421 // nobody hears it
	}
	if text == "" {
		text = "not now"
		if code >= 500 {
			text = "not accepted"
		}
	}
	enhanced := smtp.EnhancedCode(f.Enhanced)
	if f.Enhanced == [3]int{} {
		enhanced = smtp.EnhancedCode{code / 100, 0, 0}
	}
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}
