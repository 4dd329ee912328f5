package localmail

import (
	"crypto/tls"
	"net"
	"sync"
)

// watchedListener hands out connections that the provider can freeze, cut and
// wait for.
type watchedListener struct {
	net.Listener
	p    *Provider
	side Side
}

// Accept returns the next connection. Those that come while the side refuses
// are closed at once; on a real port that is the nearest thing to a refusal.
func (l *watchedListener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, net.ErrClosed
		}
		if c, ok := l.p.watch(raw, l.side); ok {
			return c, nil
		}
		raw.Close()
	}
}

// conn is the server's end of one connection.
type conn struct {
	net.Conn
	p    *Provider
	side Side
	cut  chan struct{} // closed with the connection
	once sync.Once
	left sync.Once
}

func (p *Provider) watch(raw net.Conn, side Side) (*conn, bool) {
	c := &conn{Conn: raw, p: p, side: side, cut: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.refusing[side] {
		return nil, false
	}
	p.conns[c] = true
	p.open.Add(1)
	return c, true
}

// Read reads, and keeps what it read to itself while the side is frozen.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if frozen := c.thaw(); frozen != nil {
		return 0, frozen
	}
	return n, err
}

// Write writes, after the side has thawed.
func (c *conn) Write(b []byte) (int, error) {
	if err := c.thaw(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Close is called by the server when it has done with the connection.
func (c *conn) Close() error {
	c.abort()
	c.left.Do(func() {
		c.p.mu.Lock()
		delete(c.p.conns, c)
		c.p.mu.Unlock()
		c.p.open.Done()
	})
	return nil
}

// abort cuts the connection: both sides see it end, without a word.
func (c *conn) abort() {
	c.once.Do(func() {
		close(c.cut)
		c.Conn.Close()
	})
}

// thaw waits while the side is frozen. The error says that the connection was
// cut meanwhile.
func (c *conn) thaw() error {
	for {
		c.p.mu.Lock()
		thawed := c.p.frozen[c.side]
		c.p.mu.Unlock()
		if thawed == nil {
			return nil
		}
		select {
		case <-thawed:
		case <-c.cut:
			return net.ErrClosed
		}
	}
}

// rawConn finds the provider's connection under what a server made of it.
func rawConn(c net.Conn) *conn {
	for {
		switch t := c.(type) {
		case *conn:
			return t
		case *tls.Conn:
			c = t.NetConn()
		default:
			return nil
		}
	}
}
