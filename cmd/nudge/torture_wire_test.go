package main_test

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// wire is what lies between the program and its IMAP server. It passes on what
// it cannot read, and knows when and how much.
type wire struct {
	addr string // host:port on loopback
	to   string

	listener net.Listener
	running  sync.WaitGroup
	heard    atomic.Int64 // bytes from the server so far
	trap     atomic.Pointer[trap]

	mu    sync.Mutex
	lines map[*line]bool
}

// line is one connection.
type line struct {
	near, far net.Conn
	asked     atomic.Int64 // when the program last said something, in Unix nanoseconds
	answered  atomic.Int64 // when the server did
}

// trap does something once a number of bytes have come from the server.
type trap struct {
	left atomic.Int64
	do   func()
}

func newWire(t testing.TB, to string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{addr: listener.Addr().String(), to: to, listener: listener, lines: map[*line]bool{}}
	w.running.Go(w.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		w.mu.Lock()
		for l := range w.lines {
			l.cut()
		}
		w.mu.Unlock()
		w.running.Wait()
	})
	return w
}

func (l *line) cut() { _ = l.near.Close(); _ = l.far.Close() }

func (w *wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", w.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		l := &line{near: near, far: far}
		w.mu.Lock()
		w.lines[l] = true
		w.mu.Unlock()
		w.running.Go(func() { w.pass(l, near, far, &l.asked, nil) })
		w.running.Go(func() { w.pass(l, far, near, &l.answered, w.count) })
	}
}

// pass copies one direction until an end closes, and closes both.
func (w *wire) pass(l *line, from, to net.Conn, at *atomic.Int64, count func(int) int) {
	defer func() {
		l.cut()
		w.mu.Lock()
		delete(w.lines, l)
		w.mu.Unlock()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		for rest := buf[:n]; len(rest) > 0; {
			part := len(rest)
			if count != nil {
				part = count(part)
			}
			at.Store(time.Now().UnixNano())
			if _, werr := to.Write(rest[:part]); werr != nil {
				return
			}
			rest = rest[part:]
			if count != nil {
				w.spring(part)
			}
		}
		if err != nil {
			return
		}
	}
}

// count says how many of n bytes may pass before the trap springs.
func (w *wire) count(n int) int {
	if t := w.trap.Load(); t != nil {
		if left := t.left.Load(); left > 0 {
			return int(min(int64(n), left))
		}
	}
	return n
}

// spring counts bytes that passed, and springs the trap at its byte.
func (w *wire) spring(n int) {
	w.heard.Add(int64(n))
	if t := w.trap.Load(); t != nil && t.left.Add(int64(-n)) <= 0 && w.trap.CompareAndSwap(t, nil) {
		t.do()
	}
}

// after calls do once n more bytes have come from the server, before any
// further one is passed on; n is at least 1.
func (w *wire) after(n int64, do func()) {
	t := &trap{do: do}
	t.left.Store(n)
	w.trap.Store(t)
}

// fence returns when the server last said something on a connection on which
// the program asked something after a moment: the fence's answer.
func (w *wire) fence(since time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	var last int64
	for l := range w.lines {
		if l.asked.Load() >= since.UnixNano() {
			last = max(last, l.answered.Load())
		}
	}
	if last == 0 {
		return time.Time{}
	}
	return time.Unix(0, last)
}
