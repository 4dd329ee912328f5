package localmail

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A connection in memory must hold what was written until it is read, as a
// kernel does: on net.Pipe, where each write waits for its read, both ends of a
// TLS connection can wait for each other for ever (session tickets are written
// by the server while the client writes its first command).

// streamSize is how much one direction holds before a write waits, about what
// a kernel gives a socket.
const streamSize = 256 << 10

// newPipe returns both ends of a connection in memory.
func newPipe(local, remote net.Addr) (client, server net.Conn) {
	up, down := newStream(), newStream()
	return &pipeConn{in: down, out: up, local: local, remote: remote},
		&pipeConn{in: up, out: down, local: remote, remote: local}
}

// pipeConn is one end of a connection in memory.
type pipeConn struct {
	in, out       *stream
	local, remote net.Addr
}

func (c *pipeConn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *pipeConn) Write(b []byte) (int, error) { return c.out.write(b) }

// Close ends both directions. What was written before can still be read by the
// other end.
func (c *pipeConn) Close() error {
	c.out.closeWriter()
	c.in.closeReader()
	return nil
}

func (c *pipeConn) LocalAddr() net.Addr  { return c.local }
func (c *pipeConn) RemoteAddr() net.Addr { return c.remote }

func (c *pipeConn) SetDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.reading, t)
	c.out.setDeadline(&c.out.writing, t)
	return nil
}

func (c *pipeConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.reading, t)
	return nil
}

func (c *pipeConn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writing, t)
	return nil
}

// stream is one direction: bytes, and who waits for them.
type stream struct {
	mu           sync.Mutex
	buf          bytes.Buffer
	readerClosed bool
	writerClosed bool
	reset        bool // something was written after the reader had closed
	reading      deadline
	writing      deadline
	changed      chan struct{} // closed and replaced when someone should look again
}

// deadline is one that may have passed; stream.mu guards it.
type deadline struct {
	passed bool
	timer  *time.Timer
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.readerClosed:
			return 0, io.ErrClosedPipe
		case s.reading.passed:
			return 0, os.ErrDeadlineExceeded
		case s.buf.Len() > 0 || len(b) == 0:
			n, _ := s.buf.Read(b) // empty only when b is
			s.wake()
			return n, nil
		case s.writerClosed:
			return 0, io.EOF
		}
		s.await()
	}
}

func (s *stream) write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	written := 0
	for {
		switch {
		case s.writerClosed, s.reset:
			return written, io.ErrClosedPipe
		case s.readerClosed: // a kernel learns of it from the answer to this write
			s.reset = true
			return len(b), nil
		case s.writing.passed:
			return written, os.ErrDeadlineExceeded
		}
		n := min(len(b)-written, streamSize-s.buf.Len())
		s.buf.Write(b[written : written+n])
		written += n
		s.wake()
		if written == len(b) {
			return written, nil
		}
		s.await()
	}
}

func (s *stream) closeReader() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readerClosed = true
	s.end()
}

func (s *stream) closeWriter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writerClosed = true
	s.end()
}

// end lets nothing of the deadlines outlive the connection; s.mu is held.
func (s *stream) end() {
	for _, d := range []*deadline{&s.reading, &s.writing} {
		if d.timer != nil && s.readerClosed && s.writerClosed {
			d.timer.Stop()
		}
	}
	s.wake()
}

func (s *stream) setDeadline(d *deadline, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	left := time.Until(t)
	d.passed = !t.IsZero() && left <= 0
	if d.passed {
		s.wake()
	}
	if t.IsZero() || d.passed || s.readerClosed && s.writerClosed {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(left, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d.timer == timer { // else another deadline has replaced this one
			d.passed = true
			s.wake()
		}
	})
	d.timer = timer
}

// await waits for a change with s.mu released.
func (s *stream) await() {
	changed := s.changed
	s.mu.Unlock()
	<-changed
	s.mu.Lock()
}

// wake lets everybody look again; s.mu is held.
func (s *stream) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}
