package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

// errSilent is the cause of a command's end when its time was up.
var errSilent = errors.New("no answer in time")

// linkError is the end of a connection.
type linkError struct {
	kind linkEnd
	err  error
}

// linkEnd is why a connection ended.
type linkEnd string

const (
	lost    linkEnd = "the connection to the mail server was lost"
	silent  linkEnd = "the mail server did not answer in time"
	garbled linkEnd = "the mail server's answer could not be understood"
)

func (e *linkError) Error() string { return fmt.Sprintf("%s: %v", e.kind, e.err) }
func (e *linkError) Unwrap() error { return e.err }

func isEnd(err error, kind linkEnd) bool {
	e, ok := errors.AsType[*linkError](err)
	return ok && e.kind == kind
}

func isLost(err error) bool    { return isEnd(err, lost) }
func isGarbled(err error) bool { return isEnd(err, garbled) }

// refusal is the server's NO or BAD to a command: the connection lives on.
func refusal(err error) (*imap.Error, bool) { return errors.AsType[*imap.Error](err) }

func isForbidden(err error) bool {
	no, ok := refusal(err)
	return ok && no.Code == imap.ResponseCodeNoPerm
}

func isGone(err error) bool {
	no, ok := refusal(err)
	return ok && no.Code == imap.ResponseCodeNonExistent
}

// imapSession is one connection that is logged in. One goroutine uses it at a time.
type imapSession struct {
	client  *imapclient.Client
	wire    *wire
	caps    imap.CapSet
	timeout time.Duration
	broken  bool // the connection is of no more use

	user, secret string // of the login, while it is under way

	selected    string // the folder that is open, "" for none
	validity    uint32 // its UIDVALIDITY, 0 when the server named none
	plainListed bool   // the server refuses the extended LIST it offers
}

// connect dials, encrypts and logs in. A session with told only listens: told
// is called for news of the open folder, from the goroutine that reads, and must
// not block it.
func (m *IMAP) connect(ctx context.Context, told func(*imapclient.UnilateralDataMailbox)) (*imapSession, error) {
	server := m.Account.IMAP
	conn, err := m.Account.dial(ctx, server)
	if err != nil {
		return nil, err
	}
	quicken(conn)
	preface := ""
	if server.mode() == TLSStart {
		if conn, err = m.startTLS(ctx, conn); err != nil {
			return nil, err
		}
		preface = "* OK now over TLS\r\n" // a server greets only once
	}
	w := newWire(conn, preface)
	w.listens = told != nil
	s := &imapSession{wire: w, timeout: m.Timeout}
	s.client = imapclient.New(w, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: told, Fetch: ignore}})
	if err := m.login(ctx, s); err != nil {
		s.close()
		return nil, fmt.Errorf("%s: %w", server.address(), err)
	}
	return s, nil
}

// deadAfter is how long the kernel bears that neither bytes nor probes are
// acknowledged. It looks when it probes next, so it notices within half a minute.
const deadAfter = 25 * time.Second

// quicken makes the kernel probe an idle connection often enough that a dead
// one is noticed within half a minute.
func quicken(conn net.Conn) {
	if over, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = over.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		// Without it the connection still works, only slower to notice.
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 4})
		if raw, err := tcp.SyscallConn(); err == nil {
			_ = limitUnacked(raw, deadAfter)
		}
	}
}

// startTLS speaks the part before TLS (RFC 9051, section 6.2.1) byte by byte,
// so that nothing a stranger put behind the server's answer is carried over.
func (m *IMAP) startTLS(ctx context.Context, conn net.Conn) (net.Conn, error) {
	server := m.Account.IMAP
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	err := conn.SetDeadline(time.Now().Add(m.Timeout))
	if err == nil {
		err = askSTARTTLS(conn)
	}
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err != nil {
		_ = conn.Close() // the first error is the one that matters
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("%s: %w", server.address(), err)
	}
	secure, err := m.Account.startTLS(ctx, server, conn)
	if err != nil {
		return nil, err
	}
	return secure, nil
}

func askSTARTTLS(conn net.Conn) error {
	greeting, err := shortLine(conn)
	if err != nil {
		return fmt.Errorf("no greeting: %w", err)
	}
	if word, _ := nextWord([]byte(strings.TrimPrefix(greeting, "* "))); word != "OK" {
		return fmt.Errorf("the server greeted with %q", greeting)
	}
	if _, err := conn.Write([]byte("a STARTTLS\r\n")); err != nil {
		return err
	}
	for range 20 {
		line, err := shortLine(conn)
		if err != nil {
			return fmt.Errorf("no answer to STARTTLS: %w", err)
		}
		answer, ours := strings.CutPrefix(line, "a ")
		if !ours {
			continue
		}
		if word, _ := nextWord([]byte(answer)); word != "OK" {
			return fmt.Errorf("the server refuses STARTTLS, and without it nothing is sent: %q", answer)
		}
		return nil
	}
	return errors.New("no answer to STARTTLS")
}

// shortLine reads one line without reading a byte behind it.
func shortLine(conn net.Conn) (string, error) {
	var line strings.Builder
	for one := make([]byte, 1); line.Len() < 4096; {
		if _, err := conn.Read(one); err != nil {
			return "", err
		}
		if one[0] == '\n' {
			return strings.TrimSuffix(line.String(), "\r"), nil
		}
		line.WriteByte(one[0])
	}
	return "", errMonstrous
}

// login waits for the greeting, logs in and asks what the server can do.
func (m *IMAP) login(ctx context.Context, s *imapSession) error {
	if err := s.do(ctx, "greeting", s.client.WaitGreeting); err != nil {
		return err
	}
	if s.client.State() == imap.ConnStateNotAuthenticated {
		if err := m.authenticate(ctx, s); err != nil {
			return err
		}
	}
	// Asked by itself: what stood before the login need not hold behind it.
	return s.do(ctx, "CAPABILITY", func() (err error) {
		s.caps, err = s.client.Capability().Wait()
		return err
	})
}

func (m *IMAP) authenticate(ctx context.Context, s *imapSession) error {
	var caps imap.CapSet
	if err := s.do(ctx, "CAPABILITY", func() error { caps = s.client.Caps(); return nil }); err != nil {
		return err
	}
	plain := caps.Has(imap.AuthCap(sasl.Plain))
	if !plain && caps.Has(imap.CapLoginDisabled) {
		return errors.New("the server allows no login by password; it may want another port, or OAuth")
	}
	password, err := m.Account.password(ctx)
	if err != nil {
		return fmt.Errorf("password: %w", err)
	}
	s.user, s.secret = m.Account.User, password
	defer func() { s.secret = "" }()
	err = s.do(ctx, "login", func() error {
		if plain {
			return s.client.Authenticate(sasl.NewPlainClient("", m.Account.User, password))
		}
		return s.client.Login(m.Account.User, password).Wait()
	})
	no, refused := refusal(err)
	if refused && no.Type == imap.StatusResponseTypeNo && !passing(no) {
		return fmt.Errorf("%w of %s; it said: %q", ErrAuth, m.Account.User, no.Text)
	}
	return err
}

// passing says whether a refused login may work later with the same password.
func passing(no *imap.Error) bool {
	switch no.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeLimit, imap.ResponseCodeServerBug, imap.ResponseCodeContactAdmin:
		return true
	case imap.ResponseCodeAuthenticationFailed, imap.ResponseCodeAuthorizationFailed, imap.ResponseCodeExpired:
		return false
	}
	text := strings.ToLower(no.Text)
	for _, word := range []string{"too many", "try again", "temporar", "unavailable", "internal error", "timeout", "timed out"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// do runs one exchange with the server within the deadline. f must not be left
// waiting when the connection is closed. The error is a *linkError, after which
// the session is broken, or wraps an *imap.Error, after which it goes on.
func (s *imapSession) do(ctx context.Context, what string, f func() error) error {
	if s.broken {
		return &linkError{lost, net.ErrClosed}
	}
	inner, cancel := context.WithTimeoutCause(ctx, s.timeout, errSilent)
	defer cancel()
	s.wire.allow()
	stop := context.AfterFunc(inner, func() { s.client.Close() })
	err := f()
	ended := !stop() // by the deadline or by ctx
	bye := s.wire.bye.Load()
	no, refused := refusal(err)
	if !ended && bye == nil && (err == nil || refused) {
		if refused {
			return fmt.Errorf("%s refused: %w", what, &imap.Error{Type: no.Type, Code: no.Code, Text: s.words(no.Text)})
		}
		return nil
	}
	s.broken = true
	cause := context.Cause(inner)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case ended && errors.Is(cause, errSilent):
		return &linkError{silent, fmt.Errorf("%s: nothing within %v", what, s.timeout)}
	case bye != nil:
		return &linkError{lost, fmt.Errorf("%s: the server ended the session: %s", what, s.words(*bye))}
	}
	if broken := s.wire.failed.Load(); broken != nil {
		return &linkError{lost, fmt.Errorf("%s: %w", what, *broken)}
	}
	return &linkError{garbled, fmt.Errorf("%s: %s", what, s.words(err.Error()))}
}

// words makes what the server said fit for an error. Some servers repeat the
// login that they did not like, so the secret is taken out first.
func (s *imapSession) words(said string) string { return oneLine(redact(said, s.user, s.secret)) }

// close ends the connection and its goroutines.
func (s *imapSession) close() {
	s.broken = true
	_ = s.client.Close() // nothing depends on how it ends
}

// examine opens a folder read-only.
func (s *imapSession) examine(ctx context.Context, folder string) (*imap.SelectData, error) {
	var data *imap.SelectData
	s.selected = "" // also when it fails (RFC 9051, section 6.3.2)
	err := s.do(ctx, "EXAMINE", func() (err error) {
		data, err = s.client.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	if err != nil {
		return nil, err
	}
	s.selected, s.validity = folder, data.UIDValidity
	return data, nil
}

// unselect leaves the open folder, if any. CLOSE removes nothing from a folder
// that was opened with EXAMINE (RFC 9051, section 6.4.1).
func (s *imapSession) unselect(ctx context.Context) error {
	if s.selected == "" {
		return nil
	}
	s.selected = ""
	if s.caps.Has(imap.CapUnselect) {
		return s.do(ctx, "UNSELECT", func() error { return s.client.Unselect().Wait() })
	}
	return s.do(ctx, "CLOSE", func() error { return s.client.UnselectAndExpunge().Wait() })
}

// noop lets the server tell what happened in the open folder. Without it, mail
// delivered since then is not in its answers.
func (s *imapSession) noop(ctx context.Context) error {
	return s.do(ctx, "NOOP", func() error { return s.client.Noop().Wait() })
}
