package mailbox

import (
	"context"
	"errors"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// idleRenewal is how long one IDLE lasts. Routers and providers forget
// connections that are silent for much longer.
const idleRenewal = 5 * time.Minute

// listener is a connection in IDLE on INBOX. It stays so between calls of Wait,
// so that nothing is missed.
type listener struct {
	session *imapSession
	idle    *imapclient.IdleCommand
	wake    chan struct{} // holds a token when something may have arrived
	renew   time.Time
}

// Wait returns when the server tells of something new in INBOX. It also returns
// at once when it had to connect first, since nobody listened before. Where the
// server offers no IDLE (RFC 2177), it returns after the poll interval.
func (m *IMAP) Wait(ctx context.Context) error {
	m.start()
	inner, leave, err := m.enter(ctx, m.ear)
	if err == nil {
		defer leave()
		err = m.wait(inner)
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (m *IMAP) wait(ctx context.Context) error {
	if m.listening == nil && !m.deaf {
		err := m.listen(ctx)
		if err != nil || !m.deaf {
			return err
		}
	}
	if m.deaf {
		return pause(ctx, m.Poll)
	}
	l := m.listening
	for {
		timer := time.NewTimer(time.Until(l.renew))
		select {
		case <-l.wake:
			timer.Stop()
			return nil
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-l.session.client.Closed():
			timer.Stop()
			m.stopListening()
			return &linkError{lost, errors.New("IDLE on INBOX ended")}
		case <-timer.C:
		}
		err := l.hush(ctx)
		if err == nil {
			err = l.listen(ctx)
		}
		if err != nil {
			m.stopListening()
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// listen makes the waiting connection.
func (m *IMAP) listen(ctx context.Context) error {
	l := &listener{wake: make(chan struct{}, 1)}
	told := func(data *imapclient.UnilateralDataMailbox) {
		if data.NumMessages == nil {
			return
		}
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	s, err := m.connect(ctx, told)
	if err != nil {
		return err
	}
	l.session = s
	if !s.caps.Has(imap.CapIdle) {
		s.close()
		m.deaf = true
		m.Log.Info("the server cannot tell of new mail, so it is asked", "mailbox", m.Account.Address, "every", m.Poll)
		return nil
	}
	if _, err := s.examine(ctx, "INBOX"); err != nil {
		s.close()
		return err
	}
	if err := l.listen(ctx); err != nil {
		s.close()
		return err
	}
	m.listening = l
	return nil
}

// listen begins IDLE.
func (l *listener) listen(ctx context.Context) error {
	l.renew = time.Now().Add(idleRenewal)
	return l.session.do(ctx, "IDLE", func() (err error) {
		l.idle, err = l.session.client.Idle()
		return err
	})
}

// hush ends IDLE, which also shows whether the connection still lives.
func (l *listener) hush(ctx context.Context) error {
	idle := l.idle
	l.idle = nil
	return l.session.do(ctx, "DONE", func() error {
		if err := idle.Close(); err != nil {
			return err
		}
		return idle.Wait()
	})
}

// stopListening closes the waiting connection.
func (m *IMAP) stopListening() {
	l := m.listening
	m.listening = nil
	if l == nil {
		return
	}
	l.session.close()
	if l.idle != nil {
		_ = l.idle.Close() // the connection is gone; this ends the library's goroutine
	}
}
