package localmail

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Transaction is one MAIL command and what came of it.
type Transaction struct {
	At      time.Time // of the last thing that happened
	Account string    // who was logged in
	From    string    // envelope sender
	To      []string  // accepted recipients
	Refused []string  // recipients that were not accepted
	Phase   Phase     // the last command the client completed: mail, rcpt, data or dot
	Code    int       // the last answer to it; 0 = none was given
	Raw     []byte    // the mail, as far as it came
	Taken   bool      // the provider took responsibility, whether or not its answer arrived
}

// Ledger lists every transaction so far, oldest first. A transaction that was
// reset or cut off stays in it with the phase it reached.
func (p *Provider) Ledger() []Transaction {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Transaction, len(p.ledger))
	for i, t := range p.ledger {
		out[i] = *t
		out[i].To, out[i].Refused = slices.Clone(t.To), slices.Clone(t.Refused)
	}
	return out
}

// dialogue is one SMTP connection.
type dialogue struct {
	p       *Provider
	conn    *conn
	account string
	current *Transaction
}

func (p *Provider) newDialogue(c *smtp.Conn) (smtp.Session, error) {
	d := &dialogue{p: p, conn: rawConn(c.Conn())}
	if f := p.fault(SMTP, PhaseHello); f != nil {
		return nil, f.strike(d.conn)
	}
	return d, nil
}

// AuthMechanisms lists what AUTH offers.
func (d *dialogue) AuthMechanisms() []string { return []string{sasl.Plain, sasl.Login} }

// Auth checks a password.
func (d *dialogue) Auth(mech string) (sasl.Server, error) {
	check := func(user, password string) error {
		if f := d.p.fault(SMTP, PhaseAuth); f != nil {
			return f.strike(d.conn)
		}
		if !d.p.login(user, password) {
			return smtp.ErrAuthFailed
		}
		d.account = user
		return nil
	}
	switch mech {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
	case sasl.Login:
		return &loginServer{check: check}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// Mail begins a transaction.
func (d *dialogue) Mail(from string, _ *smtp.MailOptions) error {
	if d.account == "" {
		return smtp.ErrAuthRequired
	}
	t := &Transaction{Account: d.account, From: from}
	d.p.mu.Lock()
	d.current = t
	d.p.ledger = append(d.p.ledger, t)
	d.p.mu.Unlock()
	if f := d.p.fault(SMTP, PhaseMail); f != nil {
		return d.answer(PhaseMail, f.strike(d.conn))
	}
	return d.answer(PhaseMail, nil)
}

// Rcpt adds a recipient.
func (d *dialogue) Rcpt(to string, _ *smtp.RcptOptions) error {
	var err error
	if f := d.p.fault(SMTP, PhaseRcpt, to); f != nil {
		err = f.strike(d.conn)
	} else if r := d.p.refusal(to); r != "" {
		err = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: r}
	}
	d.p.mu.Lock()
	if err == nil {
		d.current.To = append(d.current.To, to)
	} else {
		d.current.Refused = append(d.current.Refused, to)
	}
	d.p.mu.Unlock()
	return d.answer(PhaseRcpt, err)
}

// Data reads the mail and delivers it.
func (d *dialogue) Data(r io.Reader) error {
	to := d.current.To
	d.note(PhaseData, 354)
	if f := d.p.fault(SMTP, PhaseData, to...); f != nil {
		if _, err := io.CopyN(io.Discard, r, 64); err != nil && err != io.EOF {
			return err
		}
		return d.answer(PhaseData, f.strike(d.conn))
	}
	raw, err := io.ReadAll(r)
	d.p.mu.Lock()
	d.current.Raw = raw
	d.p.mu.Unlock()
	if err != nil {
		return err // cut off before the dot, or too big
	}
	d.note(PhaseDot, 0)
	if f := d.p.fault(SMTP, PhaseDot, to...); f != nil {
		if f.Accept {
			d.p.accept(d.current)
		}
		return d.answer(PhaseDot, f.strike(d.conn))
	}
	d.p.accept(d.current)
	return d.answer(PhaseDot, nil)
}

// Reset forgets the transaction; the ledger does not.
func (d *dialogue) Reset() { d.current = nil }

// Logout ends the dialogue.
func (d *dialogue) Logout() error { return nil }

// answer notes in the ledger what is answered to a command.
func (d *dialogue) answer(phase Phase, err error) error {
	code := 250
	if err != nil {
		code = 0
		if refusal, ok := err.(*smtp.SMTPError); ok {
			code = refusal.Code
		}
	}
	select {
	case <-d.conn.cut:
		code = 0
	default:
	}
	d.note(phase, code)
	return err
}

func (d *dialogue) note(phase Phase, code int) {
	d.p.mu.Lock()
	defer d.p.mu.Unlock()
	d.current.At, d.current.Phase, d.current.Code = d.p.opts.Now(), phase, code
	d.p.notify()
}

// login says whether the password is right.
func (p *Provider) login(user, password string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.accounts[key(user)]
	return a != nil && a.password == password
}

// accept takes responsibility for a mail: it is delivered to the mailboxes
// here, read by the people here, and kept in Sent where the provider does that.
func (p *Provider) accept(t *Transaction) {
	now := p.opts.Now()
	p.mu.Lock()
	t.Taken = true
	raw, to, from := t.Raw, t.To, t.From
	if p.opts.RewritesIDs {
		raw = p.rewriteID(raw)
	}
	if a := p.accounts[key(t.Account)]; a != nil && p.opts.SavesSent {
		a.add(Sent, "").append(raw, nil, now)
		a.folders[Sent].messages[len(a.folders[Sent].messages)-1].flags[canonicalFlag(`\Seen`)] = true
	}
	for _, addr := range to {
		if a := p.accounts[key(addr)]; a != nil {
			a.add(a.folderFor(raw), "").append(raw, nil, now)
		}
		if someone := p.people[key(addr)]; someone != nil {
			p.plan(someone, received{from: from, to: addr, raw: raw, at: now})
		}
	}
	p.notify()
	p.mu.Unlock()
}

// rewriteID replaces the Message-ID; p.mu is held.
func (p *Provider) rewriteID(raw []byte) []byte {
	const name = "\r\nmessage-id:"
	start := bytes.Index(bytes.ToLower(raw), []byte(name))
	if start < 0 {
		return raw
	}
	start += len(name)
	end := bytes.Index(raw[start:], []byte("\r\n"))
	if end < 0 {
		return raw
	}
	end += start
	p.ids++
	id := fmt.Sprintf(" <provider.%d@%s>", p.ids, smtpHost)
	if p.opts.KeepsOriginalIDs {
		id += "\r\nX-Microsoft-Original-Message-ID:" + string(raw[start:end])
	}
	return slices.Concat(raw[:start], []byte(id), raw[end:])
}

// loginServer is the LOGIN mechanism, which has no specification but is what
// many providers offer: the server asks for the user, then for the password.
type loginServer struct {
	check func(user, password string) error
	user  string
	asked int
}

// Next answers one line of the client.
func (s *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	s.asked++
	switch {
	case s.asked == 1 && response == nil:
		return []byte("Username:"), false, nil
	case s.asked == 1: // an initial response is the user
		s.asked++
		fallthrough
	case s.asked == 2:
		s.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, s.check(s.user, string(response))
}
