package localmail

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-smtp"

	"nudge/mailbox"
)

// The hosts a client dials. They exist only inside Dial.
const (
	imapHost = "imap.localmail.example"
	smtpHost = "smtp.localmail.example"
)

// The ports of connections in memory. The last two never offer TLS.
const (
	portIMAPS     = 993
	portIMAP      = 143
	portSMTPS     = 465
	portSMTP      = 587
	portIMAPPlain = 1143
	portSMTPPlain = 1587
)

// Side is one of the two servers of a provider.
type Side string

const (
	IMAP Side = "imap"
	SMTP Side = "smtp"
)

// start begins to serve connections in memory.
func (p *Provider) start() {
	session := func(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
		return &session{p: p, conn: rawConn(c.NetConn())}, nil, nil
	}
	caps := imap.CapSet{imap.CapIMAP4rev1: {}}
	if !p.opts.BareIMAP {
		for _, c := range []imap.Cap{imap.CapNamespace, imap.CapUIDPlus, imap.CapESearch, imap.CapListExtended,
			imap.CapListStatus, imap.CapMove, imap.CapStatusSize, imap.CapSpecialUse, imap.CapLiteralPlus} {
			caps[c] = struct{}{}
		}
	}
	quiet := log.New(io.Discard, "", 0)
	p.imapTLS = imapserver.New(&imapserver.Options{NewSession: session, Caps: caps, Logger: quiet, TLSConfig: p.ca.server})
	p.imapPlain = imapserver.New(&imapserver.Options{NewSession: session, Caps: caps, Logger: quiet, InsecureAuth: true})

	backend := smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return p.newDialogue(c) })
	newSMTP := func() *smtp.Server {
		s := smtp.NewServer(backend)
		s.Domain, s.ErrorLog, s.EnableSMTPUTF8 = smtpHost, quiet, true
		s.MaxMessageBytes, s.ReadTimeout, s.WriteTimeout = 30<<20, 15*time.Minute, 15*time.Minute
		return s
	}
	p.smtpTLS, p.smtpPlain = newSMTP(), newSMTP()
	p.smtpTLS.TLSConfig = p.ca.server
	p.smtpPlain.AllowInsecureAuth = true

	for _, port := range []int{portIMAPS, portIMAP, portIMAPPlain, portSMTPS, portSMTP, portSMTPPlain} {
		l := newMemListener(port)
		p.ports[port] = l
		side := IMAP
		if port == portSMTPS || port == portSMTP || port == portSMTPPlain {
			side = SMTP
		}
		mode := mailbox.TLSStart
		switch port {
		case portIMAPS, portSMTPS:
			mode = mailbox.TLSImplicit
		case portIMAPPlain, portSMTPPlain:
			mode = mailbox.TLSNone
		}
		p.serve(l, side, mode)
	}
}

// serve serves one listener until it is closed.
func (p *Provider) serve(l net.Listener, side Side, mode mailbox.TLSMode) {
	p.mu.Lock()
	p.listeners = append(p.listeners, l)
	p.mu.Unlock()
	l = &watchedListener{Listener: l, p: p, side: side}
	if mode == mailbox.TLSImplicit {
		l = tls.NewListener(l, p.ca.server)
	}
	serve := p.imapTLS.Serve
	switch {
	case side == SMTP && mode == mailbox.TLSNone:
		serve = p.smtpPlain.Serve
	case side == SMTP:
		serve = p.smtpTLS.Serve
	case mode == mailbox.TLSNone:
		serve = p.imapPlain.Serve
	}
	p.serving.Go(func() { _ = serve(l) }) // ends with the listener; there is nothing to report
}

// Account is a mailbox as a client needs it, over TLS from the first byte on
// connections in memory. The password is asked of the provider's own records.
func (p *Provider) Account(address string) mailbox.Account {
	return p.AccountOver(address, mailbox.TLSImplicit)
}

// AccountOver is Account with another way of encryption.
func (p *Provider) AccountOver(address string, mode mailbox.TLSMode) mailbox.Account {
	a := mailbox.Account{
		Address: address,
		User:    address,
		IMAP:    mailbox.Server{Host: imapHost, Port: portIMAPS, TLS: mode},
		SMTP:    mailbox.Server{Host: smtpHost, Port: portSMTPS, TLS: mode},
		Password: func(context.Context) (string, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if acc := p.accounts[key(address)]; acc != nil {
				return acc.password, nil
			}
			return "", fmt.Errorf("no mailbox %s", address)
		},
		RootCAs: p.RootCAs(),
		Dial:    p.Dial,
	}
	switch mode {
	case mailbox.TLSStart:
		a.IMAP.Port, a.SMTP.Port = portIMAP, portSMTP
	case mailbox.TLSNone:
		a.IMAP.Host, a.IMAP.Port = "127.0.0.1", portIMAPPlain
		a.SMTP.Host, a.SMTP.Port = "127.0.0.1", portSMTPPlain
	}
	return a
}

// Dial opens a connection in memory to the port that address names, as a
// mailbox.Account asks for it; the host is not looked at. Ports: 993 and 465
// TLS, 143 and 587 STARTTLS, 1143 and 1587 plain text.
func (p *Provider) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	refused := func(why string) error {
		return &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("%s: %s", address, why)}
	}
	_, number, err := net.SplitHostPort(address)
	if err != nil {
		return nil, refused(err.Error())
	}
	port, err := strconv.Atoi(number)
	if err != nil || p.ports[port] == nil {
		return nil, refused("connection refused: nothing listens on this port")
	}
	if p.refuses(p.ports[port].side()) {
		return nil, refused("connection refused")
	}
	client, server := newPipe(memAddr(0), memAddr(port))
	select {
	case p.ports[port].queue <- server:
		return client, nil
	case <-p.ports[port].done:
		return nil, refused("connection refused: the provider is closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Listen opens two ports on loopback, for programs that reach the provider
// over the network, and returns their addresses. Close closes them.
func (p *Provider) Listen(mode mailbox.TLSMode) (imapAddr, smtpAddr string, err error) {
	var addrs [2]string
	for i, side := range []Side{IMAP, SMTP} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", err
		}
		p.serve(l, side, mode)
		addrs[i] = l.Addr().String()
	}
	return addrs[0], addrs[1], nil
}

// Close ends every connection and waits until nothing of the provider runs any
// more. What lies in its folders and in its ledger stays readable.
func (p *Provider) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	listeners := p.listeners
	p.notify()
	p.mu.Unlock()

	for _, l := range listeners {
		l.Close()
	}
	p.serving.Wait() // from now on no connection is added
	p.DropConnections(IMAP)
	p.DropConnections(SMTP)
	p.Thaw(IMAP) // too late to answer anything
	p.Thaw(SMTP)
	p.open.Wait()
	return nil
}

// memAddr is the address of one end in memory: its port.
type memAddr int

func (a memAddr) Network() string { return "memory" }
func (a memAddr) String() string  { return "localmail:" + strconv.Itoa(int(a)) }

// memListener accepts connections in memory.
type memListener struct {
	port  int
	queue chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newMemListener(port int) *memListener {
	return &memListener{port: port, queue: make(chan net.Conn), done: make(chan struct{})}
}

func (l *memListener) side() Side {
	switch l.port {
	case portSMTPS, portSMTP, portSMTPPlain:
		return SMTP
	}
	return IMAP
}

// Accept returns the next connection, or net.ErrClosed.
func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (l *memListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr is the port in memory.
func (l *memListener) Addr() net.Addr { return memAddr(l.port) }
