package mailbox_test

import (
	"context"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// ending is what becomes of a connection.
type ending string

const (
	fin   ending = "closed"     // both ends see it end
	rst   ending = "reset"      // the client sees a reset, what was on its way is gone
	stall ending = "stalled"    // in one direction nothing more is taken, the other one goes on
	hole  ending = "black hole" // everything is taken, nothing arrives, neither end is told
)

// cut is where and how a connection ends.
type cut struct {
	up    bool // count what the client says, else what the server says
	after int  // bytes that still pass; below 0 it never ends
	how   ending
}

// relay stands between a client and a server and ends connections by the byte.
type relay struct {
	server func(context.Context) (net.Conn, error)
	cut    cut
	once   bool         // only the first connection is cut
	tcp    net.Listener // the client's side is a real socket; nil is in memory

	mu    sync.Mutex
	links []*link
	pumps sync.WaitGroup
}

// link is one connection through a relay.
type link struct {
	cut            cut
	left           int // of the direction that is cut
	client, server net.Conn
	tap            *tap
	deaf           atomic.Bool // the black hole
	ended          chan struct{}
}

// tap is the client's end. It keeps what the client said, whether or not it
// left, and what it heard.
type tap struct {
	net.Conn
	reset atomic.Bool

	mu          sync.Mutex
	said, heard []byte
}

func (c *tap) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.said = append(c.said, p...)
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	return n, c.explain(err)
}

func (c *tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.heard = append(c.heard, p[:n]...)
	c.mu.Unlock()
	return n, c.explain(err)
}

func (c *tap) explain(err error) error {
	if err != nil && c.reset.Load() {
		return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	}
	return err
}

// passed returns what was said and heard so far.
func (c *tap) passed() (said, heard []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said[:len(c.said):len(c.said)], c.heard[:len(c.heard):len(c.heard)]
}

// Dial is for mailbox.Account.
func (r *relay) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	server, err := r.server(ctx)
	if err != nil {
		return nil, err
	}
	client, inner := net.Pipe()
	if r.tcp != nil {
		if client, inner, err = socketPair(r.tcp); err != nil {
			return nil, err
		}
	}
	l := &link{cut: r.cut, left: r.cut.after, client: inner, server: server, tap: &tap{Conn: client}, ended: make(chan struct{})}
	r.mu.Lock()
	if r.once && len(r.links) > 0 {
		l.cut.after = -1
	}
	r.links = append(r.links, l)
	r.mu.Unlock()
	r.pumps.Go(func() { l.pump(true, inner, server) })
	r.pumps.Go(func() { l.pump(false, server, inner) })
	return l.tap, nil
}

func socketPair(listener net.Listener) (client, server net.Conn, err error) {
	if client, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		return nil, nil, err
	}
	server, err = listener.Accept()
	return client, server, err
}

// end closes whatever is left and waits until nothing of the relay runs.
func (r *relay) end() {
	r.mu.Lock()
	for _, l := range r.links {
		close(l.ended)
		_ = l.client.Close()
		_ = l.server.Close()
	}
	r.mu.Unlock()
	r.pumps.Wait()
}

// swallow makes every connection a black hole from now on.
func (r *relay) swallow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.links {
		l.deaf.Store(true)
	}
}

// pump carries one direction.
func (l *link) pump(up bool, from, to net.Conn) {
	mine := l.cut.up == up && l.cut.after >= 0
	for buf := make([]byte, 4096); ; {
		room := len(buf)
		if mine && !l.deaf.Load() {
			room = min(room, l.left)
		}
		if room == 0 {
			if !l.strike() {
				return
			}
			continue
		}
		n, err := from.Read(buf[:room])
		if l.deaf.Load() {
			if err != nil {
				return // the other end is not told
			}
			continue
		}
		if mine {
			l.left -= n
		}
		if n > 0 {
			_, _ = to.Write(buf[:n]) // where it has closed, so will this one
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

// strike ends the connection as was ordered. It says whether there is still
// something to carry.
func (l *link) strike() bool {
	switch l.cut.how {
	case hole:
		l.deaf.Store(true)
		return true
	case stall:
		<-l.ended
		return false
	case rst:
		l.tap.reset.Store(true)
		if socket, ok := l.client.(*net.TCPConn); ok {
			_ = socket.SetLinger(0)
		}
	}
	_ = l.client.Close()
	_ = l.server.Close()
	return false
}

// everyCut lists the places at which a session is cut: every stride-th byte,
// the last ones, and where lines end. Under NUDGE_PROVE=1 there are fifty times
// as many, which is all of them up to a stride of 99; the race detector gets a
// tenth.
func everyCut(said, heard []byte, how ending, stride int) []cut {
	if os.Getenv("NUDGE_PROVE") != "" {
		stride = max(1, stride/50)
	}
	if underRace {
		stride = 10*stride + 1
	}
	var cuts []cut
	for _, up := range []bool{true, false} {
		stream := heard
		if up {
			stream = said
		}
		for n := range len(stream) + 1 {
			line := !underRace && n > 0 && (stream[n-1] == '\n' || stream[n-1] == '\r')
			if line || n%stride == 0 || n > len(stream)-4 {
				cuts = append(cuts, cut{up, n, how})
			}
		}
	}
	return cuts
}

// listen opens a socket for the client's side of a relay.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
