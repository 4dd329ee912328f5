package main_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// post is a mail server that takes every mail, forgets none, and can be held at
// any point of a dialogue. What it saw is the ledger: a witness that no crash
// of the program under test can touch, and that shares no code with it.
type post struct {
	addr string // host:port on loopback

	listener net.Listener
	running  sync.WaitGroup
	hook     atomic.Pointer[func(stage, *transaction)]
	life     atomic.Int64

	mu     sync.Mutex
	conns  map[net.Conn]bool
	ledger []*transaction
}

// stage is a point of the dialogue.
type stage string

const (
	atGreeting stage = "greeting"  // connected, nothing said
	atMail     stage = "MAIL"      // MAIL was read and not answered
	atRcpt     stage = "RCPT"      // RCPT was read and not answered
	pastRcpt   stage = "past RCPT" // RCPT was answered
	atData     stage = "DATA"      // DATA was read and not answered
	inBody     stage = "body"      // another 4 KiB of the mail were read
	atDot      stage = "dot"       // the final dot was read and not answered
	pastDot    stage = "past dot"  // the dot was answered
)

// transaction is what became of one MAIL. Its times are those of this process;
// zero means that it never came so far.
type transaction struct {
	number   int
	to       string
	mailAt   time.Time // MAIL was read
	rcptAt   time.Time // RCPT was read
	openAt   time.Time // RCPT was about to be answered: the fence comes later
	resetAt  time.Time // RSET was read
	dataAt   time.Time // DATA was read
	dotAt    time.Time // the dot was read: from here on it counts as delivered
	answerAt time.Time // 250 was written to the dot
	fenceAt  time.Time // set at DATA: when the last open transaction's RCPT was answered
	gone     bool      // its connection has ended
	life     int64     // of the program, as counted by reborn
	raw      []byte    // what was read of the mail
}

// mark finds what each step's text says about itself.
var mark = regexp.MustCompile(`mark:([a-z0-9-]+)`)

// step is the step that a mail says it is, or "".
func (tx *transaction) step() string {
	if found := mark.FindSubmatch(tx.raw); found != nil {
		return string(found[1])
	}
	return ""
}

func (tx *transaction) messageID() string {
	if found := regexp.MustCompile(`(?mi)^Message-ID: *<(\S+)>`).FindSubmatch(tx.raw); found != nil {
		return string(found[1])
	}
	return ""
}

func (tx *transaction) String() string {
	at := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.Format("05.000000")
	}
	return fmt.Sprintf("#%d to %s step %q: MAIL %s RCPT %s open %s RSET %s DATA %s dot %s 250 %s, %d bytes, <%s>", tx.number, tx.to, tx.step(),
		at(tx.mailAt), at(tx.rcptAt), at(tx.openAt), at(tx.resetAt), at(tx.dataAt), at(tx.dotAt), at(tx.answerAt), len(tx.raw), tx.messageID())
}

// newPost starts a server; with a certificate it speaks TLS from the first
// byte. It ends with the test.
func newPost(t testing.TB, cert *tls.Certificate) *post {
	t.Helper()
	// Small segments make for small buffers on both sides, so that a long mail
	// is not in the kernel's hands whole before its first byte is read.
	small := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 536)
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<10)
		})
	}}
	listener, err := small.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{addr: listener.Addr().String(), listener: listener, conns: map[net.Conn]bool{}}
	if cert != nil {
		p.listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{*cert}})
	}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *post) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.conns[conn] = true
		p.mu.Unlock()
		p.running.Go(func() {
			p.serve(conn)
			_ = conn.Close()
			p.mu.Lock()
			delete(p.conns, conn)
			p.mu.Unlock()
		})
	}
}

func (p *post) close() {
	p.on(nil)
	_ = p.listener.Close()
	p.mu.Lock()
	for conn := range p.conns {
		_ = conn.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

// on sets what is called at every stage, in the connection's own goroutine:
// the server says nothing while it runs. The transaction is the caller's to
// read until the hook returns.
func (p *post) on(hook func(stage, *transaction)) {
	if hook == nil {
		hook = func(stage, *transaction) {}
	}
	p.hook.Store(&hook)
}

func (p *post) at(s stage, tx *transaction) {
	if hook := p.hook.Load(); hook != nil {
		(*hook)(s, tx)
	}
}

// stall holds the server at a stage until it is released.
type stall struct {
	reached chan *transaction
	release func()
}

// stall arms a stall at the n-th time, from 1, that a stage is reached by a
// transaction that suits.
func (p *post) stall(at stage, n int, suits func(*transaction) bool) *stall {
	s := &stall{reached: make(chan *transaction, 1)}
	over := make(chan struct{})
	s.release = sync.OnceFunc(func() { p.on(nil); close(over) })
	var seen atomic.Int64
	p.on(func(now stage, tx *transaction) {
		if now != at || suits != nil && !suits(tx) || int(seen.Add(1)) != n {
			return
		}
		s.reached <- tx
		<-over
	})
	return s
}

// transactions returns the ledger so far: copies, in the order of their MAIL.
func (p *post) transactions() []transaction {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]transaction, len(p.ledger))
	for i, tx := range p.ledger {
		all[i] = *tx
	}
	return all
}

// dots counts the mails that were delivered.
func (p *post) dots() int {
	n := 0
	for _, tx := range p.transactions() {
		if !tx.dotAt.IsZero() {
			n++
		}
	}
	return n
}

// reborn tells the ledger that the program was started anew: what it opened in
// an earlier life is dead, though its connection may not have ended yet.
func (p *post) reborn() { p.life.Add(1) }

// note changes the ledger.
func (p *post) note(change func()) { p.mu.Lock(); defer p.mu.Unlock(); change() }

// last is the moment when the last of the transactions that now wait between
// RCPT and DATA was opened.
func (p *post) last(life int64) time.Time {
	var last time.Time
	for _, tx := range p.ledger[max(0, len(p.ledger)-100):] {
		if tx.life == life && tx.openAt.After(last) && tx.resetAt.IsZero() && tx.dotAt.IsZero() && !tx.gone {
			last = tx.openAt
		}
	}
	return last
}

// dialogue is one connection.
type dialogue struct {
	*post
	r    *bufio.Reader
	w    net.Conn
	tx   *transaction
	life int64
}

func (d *dialogue) say(line string) bool {
	_, err := d.w.Write([]byte(line + "\r\n"))
	return err == nil
}

func (p *post) serve(conn net.Conn) {
	d := &dialogue{post: p, r: bufio.NewReaderSize(conn, 2048), w: conn, life: p.life.Load()}
	defer d.note(func() {
		if d.tx != nil {
			d.tx.gone = true
		}
	})
	d.at(atGreeting, nil)
	if !d.say("220 post.test ESMTP") {
		return
	}
	for {
		line, err := d.r.ReadString('\n')
		if err != nil {
			return
		}
		if verb, argument, _ := strings.Cut(strings.TrimSpace(line), " "); !d.answer(strings.ToUpper(verb), argument) {
			return
		}
	}
}

// answer obeys one command and says whether the dialogue goes on.
func (d *dialogue) answer(verb, argument string) bool {
	switch verb {
	case "EHLO":
		return d.say("250-post.test\r\n250-8BITMIME\r\n250 AUTH PLAIN")
	case "AUTH":
		return d.say("235 2.7.0 Welcome")
	case "MAIL":
		d.tx = &transaction{mailAt: time.Now(), life: d.life}
		d.note(func() { d.tx.number = len(d.ledger) + 1; d.ledger = append(d.ledger, d.tx) })
		d.at(atMail, d.tx)
		return d.say("250 2.1.0 Ok")
	case "RCPT":
		to, _, _ := strings.Cut(strings.TrimPrefix(argument, "TO:<"), ">")
		d.note(func() { d.tx.to, d.tx.rcptAt = to, time.Now() })
		d.at(atRcpt, d.tx)
		d.note(func() { d.tx.openAt = time.Now() })
		ok := d.say("250 2.1.5 Ok")
		d.at(pastRcpt, d.tx)
		return ok
	case "DATA":
		d.note(func() { d.tx.dataAt, d.tx.fenceAt = time.Now(), d.last(d.life) })
		d.at(atData, d.tx)
		return d.say("354 Go on") && d.mail()
	case "RSET":
		d.note(func() {
			if d.tx != nil {
				d.tx.resetAt = time.Now()
			}
		})
		return d.say("250 2.0.0 Ok")
	case "QUIT":
		d.say("221 2.0.0 Bye")
		return false
	}
	return d.say("502 5.5.2 Unknown")
}

// mail reads a mail to its dot. A mail without one was never delivered.
func (d *dialogue) mail() bool {
	held := 0
	for {
		line, err := d.r.ReadBytes('\n')
		if bytes.Equal(line, []byte(".\r\n")) {
			break
		}
		d.note(func() { d.tx.raw = append(d.tx.raw, bytes.TrimPrefix(line, []byte("."))...) })
		if err != nil {
			return false
		}
		if len(d.tx.raw)>>12 > held {
			held = len(d.tx.raw) >> 12
			d.at(inBody, d.tx)
		}
	}
	d.note(func() { d.tx.dotAt = time.Now() })
	d.at(atDot, d.tx)
	d.note(func() { d.tx.answerAt = time.Now() })
	ok := d.say(fmt.Sprintf("250 2.0.0 Ok: queued as %d", d.tx.number))
	if !ok {
		d.note(func() { d.tx.answerAt = time.Time{} })
	}
	d.at(pastDot, d.tx)
	return ok
}

// twice lists the deliveries of a step to a prospect after the first one. The
// ledger alone decides.
func twice(ledger []transaction) []string {
	var found []string
	first := map[string]transaction{}
	for _, tx := range ledger {
		if tx.dotAt.IsZero() {
			continue
		}
		key := tx.to + " " + tx.step()
		if before, again := first[key]; again {
			found = append(found, before.String()+"\n  and again "+tx.String())
			continue
		}
		first[key] = tx
	}
	return found
}

// afterReply lists the deliveries to prospects whose answer was in the mailbox
// before the fence of that mail could begin.
func afterReply(ledger []transaction, replied map[string]time.Time) []string {
	var found []string
	for _, tx := range ledger {
		at, answered := replied[tx.to]
		if answered && !tx.dotAt.IsZero() && at.Before(tx.fenceAt) {
			found = append(found, fmt.Sprintf("%s; answered %s", tx.String(), at.Format("05.000000")))
		}
	}
	return found
}

// percentile sorts the durations and returns the one at p of 100.
func percentile(ds []time.Duration, p int) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	slices.Sort(ds)
	return ds[min(len(ds)-1, len(ds)*p/100)].Round(100 * time.Microsecond)
}
