package mailbox

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// imapHost is an IMAP server in a test's hands: well-behaved by itself, and as
// bad as answer makes it. It records what the client says.
type imapHost struct {
	t    testing.TB
	caps string

	mu       sync.Mutex
	answer   func(c *hostConn, tag, line string) bool // says whether it dealt with the command
	folders  []*hostFolder
	said     []string // by the client, one line each
	dials    int
	serving  sync.WaitGroup
	sessions []*hostConn
}

type hostFolder struct {
	name     string
	attrs    string
	validity uint32
	next     uint32
	mails    []hostMail
}

type hostMail struct {
	uid uint32
	raw string
}

// hostConn is one session on the server's side.
type hostConn struct {
	host *imapHost
	conn net.Conn
	in   *bufio.Reader
	open *hostFolder
	idle string // the tag of the IDLE under way
}

const hostCaps = "IMAP4rev1 LIST-EXTENDED LIST-STATUS SPECIAL-USE UNSELECT IDLE SASL-IR AUTH=PLAIN"

// newIMAPHost returns a server with an INBOX and some folders, and a client of it.
func newIMAPHost(t testing.TB) (*imapHost, *IMAP) {
	h := &imapHost{t: t, caps: hostCaps}
	h.folder("INBOX", "")
	h.folder("Sent", `\Sent`)
	h.folder("Drafts", `\Drafts`)
	h.folder("Junk", `\Junk`)
	return h, h.client()
}

// client returns a client of the server. It is shut down with the test.
func (h *imapHost) client() *IMAP {
	m := &IMAP{Log: slog.New(slog.DiscardHandler), Account: Account{Address: "sales@acme.test", User: "sales", IMAP: Server{Host: "localhost", Port: 143, TLS: TLSNone},
		Password: func(context.Context) (string, error) { return "s3cret", nil }, Dial: h.dial}}
	h.t.Cleanup(func() {
		m.Shutdown()
		h.hangUp()
		h.serving.Wait()
	})
	return m
}

func (h *imapHost) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	c := &hostConn{host: h, conn: server, in: bufio.NewReader(server)}
	h.mu.Lock()
	h.dials++
	h.sessions = append(h.sessions, c)
	h.mu.Unlock()
	h.serving.Go(c.serve)
	return client, nil
}

// hangUp ends all sessions.
func (h *imapHost) hangUp() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.sessions {
		c.conn.Close()
	}
	h.sessions = nil
}

func (h *imapHost) folder(name, attrs string) *hostFolder {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.folders {
		if f.name == name {
			return f
		}
	}
	f := &hostFolder{name: name, attrs: attrs, validity: 7, next: 1}
	h.folders = append(h.folders, f)
	return f
}

// obey makes the server answer otherwise than a good one; nil ends that.
func (h *imapHost) obey(answer func(c *hostConn, tag, line string) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = answer
}

// tell says a line to whoever listens.
func (h *imapHost) tell(line string) {
	h.mu.Lock()
	var idle []*hostConn
	for _, c := range h.sessions {
		if c.idle != "" {
			idle = append(idle, c)
		}
	}
	h.mu.Unlock()
	for _, c := range idle {
		c.send("%s\r\n", line)
	}
}

// deliver puts a mail with that Message-ID into a folder.
func (h *imapHost) deliver(folder, id string) uint32 {
	f := h.folder(folder, "")
	h.mu.Lock()
	defer h.mu.Unlock()
	f.mails = append(f.mails, hostMail{f.next, "Message-ID: <" + id + ">\r\nFrom: ann@customer.test\r\nSubject: Re: quote\r\n\r\nyes\r\n"})
	f.next++
	return f.next - 1
}

// remove takes a mail out of a folder.
func (h *imapHost) remove(folder string, uid uint32) {
	f := h.folder(folder, "")
	h.mu.Lock()
	defer h.mu.Unlock()
	f.mails = slices.DeleteFunc(f.mails, func(m hostMail) bool { return m.uid == uid })
}

// heard returns the client's lines that contain a word.
func (h *imapHost) heard(word string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var lines []string
	for _, line := range h.said {
		if strings.Contains(line, word) {
			lines = append(lines, line)
		}
	}
	return lines
}

func (c *hostConn) send(format string, args ...any) {
	_, _ = fmt.Fprintf(c.conn, format, args...) // a client that left is no failure
}

func (c *hostConn) serve() {
	defer c.conn.Close()
	c.send("* OK [CAPABILITY %s] ready\r\n", c.host.caps)
	c.converse()
}

// converse answers line by line until the client leaves.
func (c *hostConn) converse() {
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		c.host.mu.Lock()
		c.host.said = append(c.host.said, line)
		answer := c.host.answer
		c.host.mu.Unlock()
		tag, command, _ := strings.Cut(line, " ")
		if tag == "DONE" {
			tag, command, c.idle = c.idle, "DONE", ""
		}
		if answer != nil && answer(c, tag, command) {
			continue
		}
		c.behave(tag, command)
	}
}

// behave answers as a good server does.
func (c *hostConn) behave(tag, command string) {
	h := c.host
	h.mu.Lock()
	var out strings.Builder
	word, rest, _ := strings.Cut(command, " ")
	if word == "UID" {
		word, rest, _ = strings.Cut(rest, " ")
		word = "UID " + word
	}
	switch word {
	case "CAPABILITY":
		fmt.Fprintf(&out, "* CAPABILITY %s\r\n", h.caps)
	case "LIST":
		for _, f := range h.folders {
			fmt.Fprintf(&out, "* LIST (%s) \"/\" %q\r\n", f.attrs, f.name)
			if strings.Contains(rest, "STATUS") {
				fmt.Fprintf(&out, "* STATUS %q (UIDNEXT %d UIDVALIDITY %d)\r\n", f.name, f.next, f.validity)
			}
		}
	case "STATUS":
		f := h.named(rest)
		fmt.Fprintf(&out, "* STATUS %q (UIDNEXT %d UIDVALIDITY %d)\r\n", f.name, f.next, f.validity)
	case "EXAMINE":
		c.open = h.named(rest)
		fmt.Fprintf(&out, "* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* OK [UIDVALIDITY %d] ok\r\n* OK [UIDNEXT %d] ok\r\n", len(c.open.mails), c.open.validity, c.open.next)
	case "UNSELECT", "CLOSE":
		c.open = nil
	case "UID SEARCH", "SEARCH":
		out.WriteString("* SEARCH")
		for i, m := range c.open.mails {
			if c.open.meets(rest, m) {
				fmt.Fprintf(&out, " %d", map[bool]int{true: int(m.uid), false: i + 1}[word == "UID SEARCH"])
			}
		}
		out.WriteString("\r\n")
	case "UID FETCH", "FETCH":
		set, items, _ := strings.Cut(rest, " ")
		for i, m := range c.open.mails {
			if word == "UID FETCH" && inSet(set, m.uid, c.open.highest()) || word == "FETCH" && inSet(set, uint32(i+1), uint32(len(c.open.mails))) {
				fmt.Fprintf(&out, "* %d FETCH (UID %d%s)\r\n", i+1, m.uid, section(items, m.raw))
			}
		}
	case "IDLE":
		c.idle = tag
		h.mu.Unlock()
		c.send("+ idling\r\n")
		return
	case "APPEND":
		h.append(c, rest)
	}
	h.mu.Unlock()
	done := "done"
	if word == "AUTHENTICATE" || word == "LOGIN" {
		done = "[CAPABILITY " + h.caps + "] in"
	}
	c.send("%s%s OK %s\r\n", out.String(), tag, done)
	if word == "LOGOUT" {
		c.conn.Close()
	}
}

// section is the part of a FETCH answer behind the UID.
func section(items, raw string) string {
	head, _, _ := strings.Cut(raw, "\r\n\r\n")
	head += "\r\n\r\n"
	switch {
	case strings.Contains(items, "HEADER.FIELDS"):
		return fmt.Sprintf(" BODY[HEADER.FIELDS (From)] {%d}\r\n%s", len(head), head)
	case strings.Contains(items, "INTERNALDATE"):
		return ` INTERNALDATE "02-Mar-2026 10:00:00 +0100"`
	}
	return fmt.Sprintf(" BODY[]<0> {%d}\r\n%s", len(raw), raw)
}

func (h *imapHost) named(name string) *hostFolder {
	name, _, _ = strings.Cut(strings.Trim(name, `"`), `"`)
	name, _, _ = strings.Cut(name, " ")
	for _, f := range h.folders {
		if f.name == name {
			return f
		}
	}
	return &hostFolder{}
}

func (h *imapHost) append(c *hostConn, rest string) {
	f := h.named(rest)
	var size int
	fmt.Sscanf(rest[strings.LastIndex(rest, "{"):], "{%d}", &size)
	h.mu.Unlock()
	c.send("+ go on\r\n")
	raw := make([]byte, size+2)
	_, err := io.ReadFull(c.in, raw)
	h.mu.Lock()
	if err == nil {
		f.mails = append(f.mails, hostMail{f.next, string(raw[:size])})
		f.next++
	}
}

func (f *hostFolder) highest() uint32 {
	if len(f.mails) == 0 {
		return 0
	}
	return f.mails[len(f.mails)-1].uid
}

var searchUID = regexp.MustCompile(`^UID (\S+)`)

func (f *hostFolder) meets(criteria string, m hostMail) bool {
	if set := searchUID.FindStringSubmatch(criteria); set != nil && !inSet(set[1], m.uid, f.highest()) {
		return false
	}
	if _, since, ok := strings.Cut(criteria, "SINCE "); ok && since != "" {
		return !strings.Contains(m.raw, "Subject: old")
	}
	if strings.HasPrefix(criteria, "HEADER") {
		id := strings.Trim(criteria[strings.LastIndex(criteria, " ")+1:], `"`)
		return strings.Contains(m.raw, id)
	}
	return true
}

// inSet is a server's reading of a set: * is the highest number.
func inSet(set string, n, highest uint32) bool {
	num := func(s string) uint32 {
		if s == "*" {
			return highest
		}
		v, _ := strconv.ParseUint(s, 10, 32)
		return uint32(v)
	}
	for part := range strings.SplitSeq(set, ",") {
		from, to, isRange := strings.Cut(part, ":")
		if !isRange {
			to = from
		}
		low, high := min(num(from), num(to)), max(num(from), num(to))
		if low <= n && n <= high {
			return true
		}
	}
	return false
}
