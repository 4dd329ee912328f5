package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"nudge/engine"
)

// session is one connection to the SMTP server. It belongs to one dialogue at a
// time, so it needs no lock.
type session struct {
	smtp     *SMTP
	server   Server
	timeouts Timeouts
	conn     *boundedConn // under TLS, where there is TLS
	client   *smtp.Client

	phase  engine.SendPhase // of the step under way
	wait   time.Duration    // that the step may take
	owed   int              // answers the server still owes to what Close wrote
	usedAt time.Time        // when it became idle
}

// connect brings a new connection to the point where MAIL may be said.
func (s *SMTP) connect(ctx context.Context) (*session, error) {
	c := &session{smtp: s, server: s.Account.SMTP, timeouts: s.Timeouts.withDefaults(), phase: engine.PhaseConnect}
	conn, err := s.Account.open(ctx, c.server)
	if err != nil {
		var onTLS *tlsFailure
		if errors.As(err, &onTLS) {
			c.phase = engine.PhaseTLS
		}
		return nil, c.failed(err)
	}
	c.conn = &boundedConn{Conn: conn}
	if err := c.during(ctx, func() *engine.SendError { return c.login(ctx) }); err != nil {
		c.cut()
		return nil, err
	}
	s.log().Debug("smtp connection opened", "mailbox", s.Account.Address, "server", c.server.address())
	return c, nil
}

// during runs a part of the dialogue that ends with ctx: the connection is
// closed when ctx is done, which wakes whatever waits on it.
func (c *session) during(ctx context.Context, part func() *engine.SendError) *engine.SendError {
	stop := context.AfterFunc(ctx, c.cut)
	err := part()
	if stop() {
		return err
	}
	if err == nil {
		return c.failed(context.Cause(ctx))
	}
	if err.Code == 0 {
		err.Err = context.Cause(ctx)
	}
	return err
}

// step begins a step of the dialogue, with its own deadline.
func (c *session) step(phase engine.SendPhase, wait time.Duration) {
	c.phase, c.wait = phase, wait
	c.conn.allow(wait)
}

// cut closes the connection without a word. It may be called more than once and
// from any goroutine. Closing under TLS sends no alert, which could block.
func (c *session) cut() { _ = c.conn.Close() }

// leave says QUIT without waiting for an answer, and closes. Not to be used
// after DATA has begun: a QUIT there would be read as part of the mail. A
// server that still owes an answer may not be listening, so it gets none.
func (c *session) leave() {
	if c.owed == 0 {
		c.conn.allow(courtesyTime)
		_ = c.client.Text.PrintfLine("QUIT") // a courtesy: the server closes anyway
	}
	c.cut()
}

// login takes the session from the greeting through EHLO and TLS to AUTH.
func (c *session) login(ctx context.Context) *engine.SendError {
	if err := c.greet(ctx); err != nil {
		return err
	}
	if c.server.mode() == TLSStart {
		if err := c.startTLS(); err != nil {
			return err
		}
	}
	if c.smtp.Account.User == "" {
		return nil
	}
	return c.auth(ctx)
}

// greet reads the greeting and says EHLO.
func (c *session) greet(ctx context.Context) *engine.SendError {
	conn := net.Conn(c.conn)
	if c.server.mode() == TLSImplicit {
		c.step(engine.PhaseTLS, c.timeouts.Login)
		secure, err := c.smtp.Account.startTLS(ctx, c.server, c.conn)
		if err != nil {
			return c.failed(err)
		}
		conn = secure
	}
	c.step(engine.PhaseConnect, c.timeouts.Login)
	client, err := smtp.NewClient(conn, c.server.Host)
	if err != nil {
		return c.refine(c.failed(err), c.greetingWords(err))
	}
	c.client = client
	c.step(engine.PhaseConnect, c.timeouts.Login)
	if err := client.Hello(c.smtp.helo()); err != nil {
		return c.failed(err)
	}
	return c.inStep()
}

// greetingWords explains a greeting that never came or was none.
func (c *session) greetingWords(err error) string {
	switch {
	case isTimeout(err) && c.server.mode() != TLSImplicit:
		return "the port may expect TLS from the first byte"
	case isTimeout(err) || isReply(err) || errors.Is(err, io.EOF):
		return ""
	}
	return "the server does not speak SMTP on this port"
}

// startTLS upgrades the session. There is no way on without it.
func (c *session) startTLS() *engine.SendError {
	c.step(engine.PhaseTLS, c.timeouts.Login)
	if offered, _ := c.client.Extension("STARTTLS"); !offered {
		return c.failed(&tlsFailure{words: c.server.address() + ": the server does not offer STARTTLS, so no password and no mail was sent; " +
			"the port may be the wrong one, or someone on the way strips the offer"})
	}
	// go-mail drops what it had read ahead, so injected bytes are never taken
	// for the server's. Someone put them there, so we do not go on either.
	plain := c.client.Text
	err := c.client.StartTLS(c.smtp.Account.tlsConfig(c.server.Host))
	if plain.R.Buffered() > 0 {
		return c.failed(&tlsFailure{words: c.server.address() + ": something was injected into the connection before TLS, so it was closed"})
	}
	if err == nil {
		return c.inStep()
	}
	if isReply(err) {
		return c.failed(err)
	}
	return c.failed(&tlsFailure{words: c.server.address() + ": " + tlsWords(err, c.server), cause: err})
}

// auth logs in with whichever of the usual mechanisms the server offers. The
// connection is encrypted here, or does not leave the machine.
func (c *session) auth(ctx context.Context) *engine.SendError {
	c.step(engine.PhaseAuth, c.timeouts.Login)
	account := c.smtp.Account
	_, offered := c.client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	if len(mechanisms) == 0 {
		return c.failed(fmt.Errorf("%s: the server offers no login on this port, but a user name is configured; submission ports are 465 and 587",
			c.server.address()))
	}
	password, err := account.password(ctx)
	if err != nil {
		return c.failed(fmt.Errorf("password of %s: %w", account.User, err))
	}
	method := chooseAuth(mechanisms, account.User, password, c.server.Host)
	if method == nil {
		return c.failed(fmt.Errorf("%s: the server offers none of the logins PLAIN, LOGIN and CRAM-MD5, only %s",
			c.server.address(), oneLine(strings.Join(mechanisms, " "))))
	}
	c.step(engine.PhaseAuth, c.timeouts.Login)
	if err := c.client.Auth(method); err != nil {
		return c.refused(err, account.User, password)
	}
	return c.inStep()
}

// chooseAuth returns the first mechanism that both sides know, or nil. The
// library's own refusal to speak in plain text is switched off, as open has
// already made sure of it: it would know fewer loopback addresses.
func chooseAuth(offered []string, user, password, host string) smtp.Auth {
	has := map[string]bool{}
	for _, name := range offered {
		has[name] = true
	}
	switch {
	case has["PLAIN"]:
		return smtp.PlainAuth("", user, password, host, true)
	case has["LOGIN"]:
		return smtp.LoginAuth(user, password, host, true)
	case has["CRAM-MD5"]:
		return smtp.CRAMMD5Auth(user, password)
	}
	return nil
}

// envelope says MAIL and RCPT, in one write where the server takes commands
// together (RFC 2920).
func (c *session) envelope(ctx context.Context, email engine.Email) *engine.SendError {
	return c.during(ctx, func() *engine.SendError {
		if err := c.collectOwed(); err != nil {
			return err
		}
		return c.announce(email)
	})
}

func (c *session) announce(email engine.Email) *engine.SendError {
	mail, rcpt := "MAIL FROM:<"+email.From+">", "RCPT TO:<"+email.To+">"
	c.step(engine.PhaseMail, c.timeouts.Envelope)
	c.conn.endure(unackedTimeout) // another mail's dot may have changed it
	if !isASCII(email.From) || !isASCII(email.To) {
		if offered, _ := c.client.Extension("SMTPUTF8"); !offered {
			return unsendable("553 5.6.7 the server cannot write to an address with letters outside ASCII")
		}
		mail += " SMTPUTF8"
	}
	if offered, _ := c.client.Extension("8BITMIME"); offered && !isASCII(email.Raw) {
		mail += " BODY=8BITMIME"
	}
	together, _ := c.client.Extension("PIPELINING")
	if together {
		mail, rcpt = mail+"\r\n"+rcpt, ""
	}
	if _, err := c.command(2, mail); err != nil {
		if together {
			c.owed++ // the answer to RCPT
		}
		return c.failed(err)
	}
	c.step(engine.PhaseRcpt, c.timeouts.Envelope)
	if _, err := c.command(2, rcpt); err != nil {
		return c.failed(err)
	}
	return c.inStep()
}

// collectOwed reads the answers to what Close wrote earlier. It counts as a
// part of MAIL: nothing of this mail has been said.
func (c *session) collectOwed() *engine.SendError {
	for c.owed > 0 {
		c.step(engine.PhaseMail, c.timeouts.Envelope)
		c.owed--
		if _, err := c.command(2, ""); err != nil {
			return c.failed(err)
		}
	}
	return nil
}

// command writes a line, or nothing for one already written, and reads an
// answer whose code must begin with the digits of want.
func (c *session) command(want int, line string) (string, error) {
	if line != "" {
		if err := c.client.Text.PrintfLine("%s", line); err != nil {
			return "", err
		}
	}
	answer, err := readReply(&c.client.Text.Reader, want)
	if c.conn.ended != nil {
		return "", c.conn.ended // an answer that breaks off in its last line is none
	}
	return answer, err
}

// inStep fails when the server has already said more than it was asked: the
// next answer read would then belong to something else. It also fails when the
// last answer broke off, which the library does not tell.
func (c *session) inStep() *engine.SendError {
	if c.conn.ended != nil {
		return c.failed(c.conn.ended)
	}
	if n := c.client.Text.R.Buffered(); n > 0 {
		return c.failed(errors.New("the server said more than it was asked, so its answers cannot be told apart"))
	}
	return nil
}

// maxReplies is how many bytes a server may say in one step, TLS included.
const maxReplies = 1 << 18

// errTooMuch is the error of a server that never stops talking.
var errTooMuch = errors.New("the server's answer has no end")

// boundedConn gives every step a deadline and a limit of what is read. Once a
// read or a write has failed, so does all that follows: what was half said must
// not be taken for the whole, nor waited for a second time.
type boundedConn struct {
	net.Conn
	left    int
	ended   error
	unacked time.Duration // how long written bytes may stay unacknowledged, where it was changed
}

func (b *boundedConn) allow(wait time.Duration) {
	b.left = maxReplies
	_ = b.SetDeadline(time.Now().Add(wait)) // fails on a closed connection, as the next read or write will
}

func (b *boundedConn) Read(p []byte) (int, error) {
	if b.ended == nil && b.left <= 0 {
		b.ended = errTooMuch
	}
	if b.ended != nil {
		return 0, b.ended
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	b.ended = err
	return n, err
}

func (b *boundedConn) Write(p []byte) (int, error) {
	if b.ended != nil {
		return 0, b.ended
	}
	n, err := b.Conn.Write(p)
	b.ended = err
	return n, err
}

// endure changes how long the kernel bears that nothing is acknowledged. Until
// the dot a connection that is cut off costs little; behind it, it leaves the
// mail in doubt.
func (b *boundedConn) endure(limit time.Duration) {
	socket, ok := b.Conn.(syscall.Conn)
	if !ok || b.unacked == limit {
		return
	}
	if raw, err := socket.SyscallConn(); err == nil {
		_ = limitUnacked(raw, limit) // without it the answer may only be lost sooner
		b.unacked = limit
	}
}
