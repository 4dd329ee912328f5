package mailbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
)

// What may answer one command. Sections of messages are streamed and count for
// nothing; of all the rest the library builds something, and knows no bounds.
const (
	maxNumbers = 16 << 20 // bytes of numbers, as SEARCH answers
	maxAnswer  = 4 << 20  // bytes of everything else, as LIST of 30,000 folders
	maxData    = 1 << 20  // bytes of one response
	maxRemark  = 64 << 10 // bytes of one response that is text for people
	maxLiteral = 64 << 20 // bytes of a section of a message
	maxNested  = 50       // brackets within brackets; no answer to what we ask has more than four
)

// errMonstrous means that the server announced or sent more than any mail
// needs.
var errMonstrous = errors.New("the server's answer is larger than any that could be meant")

// errCapability means a list of capabilities that no server means seriously, and
// on which the library would spin for ever.
var errCapability = errors.New("the server's list of capabilities is none")

// wire stands between the network and the IMAP library, for which a single
// response that it does not know or cannot parse is the end of the connection.
// It cuts what the server sends into responses (RFC 9051, section 2.2.2) and
// keeps back those of which nothing is needed here: flags, and whatever
// extension of its own a server volunteers. It bounds sizes, notes a BYE, which
// the library passes over, and remembers whether it was the network that failed
// or only an answer that made no sense.
type wire struct {
	net.Conn
	in      *bufio.Reader
	listens bool // keeps FETCH responses back too, which in IDLE are only flags

	bye     atomic.Pointer[string]
	failed  atomic.Pointer[error] // the network's own error
	numbers atomic.Int64          // bytes of answers to SEARCH since allow
	answer  atomic.Int64          // bytes of all else since then

	ready   []byte // read, and owed to the caller
	inside  bool   // within a response, behind its first bytes
	plain   bool   // the response ends in text for people, in which {1} is no literal
	hidden  bool   // the response is kept back
	counted bool   // the response is numbers
	line    int    // bytes of the response so far
	nested  nest   // how deep it is in brackets
	tail    []byte // the last bytes of the line, where a literal is announced
	literal int64  // bytes of the literal still to come
	ended   error  // no more is read
}

// newWire reads from conn as if it had sent preface first.
func newWire(conn net.Conn, preface string) *wire {
	return &wire{Conn: conn, in: bufio.NewReaderSize(conn, 16<<10), ready: []byte(preface)}
}

// Read is net.Conn's.
func (w *wire) Read(p []byte) (int, error) {
	for len(p) > 0 {
		if w.ended != nil {
			return 0, w.ended
		}
		if len(w.ready) > 0 {
			n := copy(p, w.ready)
			w.ready = w.ready[n:]
			return n, nil
		}
		if w.literal > 0 {
			n, err := w.in.Read(p[:min(int64(len(p)), w.literal)])
			w.literal -= int64(n)
			if err != nil {
				w.ended = w.fail(err)
			}
			if !w.hidden && n > 0 {
				return n, nil
			}
			continue
		}
		// The library may read on after an error, so it stays.
		w.ended = w.next()
	}
	return 0, nil
}

// Write is net.Conn's.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil && !errors.Is(err, net.ErrClosed) { // closed is what the library does itself after nonsense
		_ = w.fail(err)
	}
	return n, err
}

// next reads a line, or a piece of a long one, and makes it ready.
func (w *wire) next() error {
	piece, err := w.in.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		return w.fail(err)
	}
	if !w.inside {
		w.inside, w.line, w.tail, w.nested = true, 0, w.tail[:0], nest{}
		if list := w.judge(piece); bytes.IndexByte(list, '(') >= 0 || list != nil && err != nil {
			return errCapability
		}
	}
	if err := w.weigh(piece); err != nil {
		return err
	}
	w.tail = append(w.tail, piece[max(0, len(piece)-32):]...)
	w.tail = w.tail[max(0, len(w.tail)-32):]
	if !w.hidden {
		w.ready = piece
	}
	if err != nil { // the line goes on
		return nil
	}
	size, section, announced := announcedLiteral(w.tail)
	switch {
	case w.plain || !announced:
		w.inside = false
		return nil
	case size > maxLiteral || !section && size > maxData:
		return fmt.Errorf("%w: %d bytes", errMonstrous, size)
	}
	w.literal, w.tail = size, w.tail[:0]
	if !section {
		w.line += int(size)
		w.answer.Add(size)
	}
	return nil
}

// weigh bounds what the library is given.
func (w *wire) weigh(piece []byte) error {
	w.line += len(piece)
	if w.counted {
		if w.numbers.Add(int64(len(piece))) > maxNumbers {
			return errMonstrous
		}
		return nil
	}
	most := maxData
	if w.plain {
		most = maxRemark
	}
	if w.answer.Add(int64(len(piece))) > maxAnswer || w.line > most || !w.plain && w.nested.deeper(piece) > maxNested {
		return errMonstrous
	}
	return nil
}

// allow begins a command: what is answered to it counts anew.
func (w *wire) allow() {
	w.numbers.Store(0)
	w.answer.Store(0)
}

// nest counts brackets outside of quoted strings.
type nest struct {
	depth           int
	quoted, escaped bool
}

// deeper reads on, and returns how deep it was at the deepest.
func (n *nest) deeper(piece []byte) (deepest int) {
	for _, b := range piece {
		switch {
		case n.escaped:
			n.escaped = false
		case b == '\\' && n.quoted:
			n.escaped = true
		case b == '"':
			n.quoted = !n.quoted
		case n.quoted:
		case b == '(':
			n.depth++
			deepest = max(deepest, n.depth)
		case b == ')':
			n.depth--
		}
	}
	return deepest
}

// Close is net.Conn's. Under TLS it sends no alert, which could block.
func (w *wire) Close() error {
	if over, ok := w.Conn.(interface{ NetConn() net.Conn }); ok {
		return over.NetConn().Close()
	}
	return w.Conn.Close()
}

// judge looks at the beginning of a response. It returns the list of
// capabilities that stands in it, nil when there is none.
func (w *wire) judge(piece []byte) (capabilities []byte) {
	w.hidden, w.plain, w.counted = false, true, false
	rest, untagged := bytes.CutPrefix(piece, []byte("* "))
	if !untagged {
		_, rest = nextWord(piece) // the tag
	}
	word, rest := nextWord(rest)
	if _, err := strconv.ParseUint(word, 10, 32); err == nil && untagged {
		word, rest = nextWord(rest)
	}
	code, _ := nextWord(rest)
	switch {
	case word == "CAPABILITY":
		return rest
	case strings.HasPrefix(code, "[CAPABILITY"):
		capabilities, _, _ = bytes.Cut(rest, []byte("]"))
	}
	if !untagged {
		return capabilities
	}
	switch word {
	case "OK":
		w.hidden = strings.HasPrefix(code, "[PERMANENTFLAGS")
	case "BYE":
		text := strings.TrimSpace(string(rest))
		w.bye.Store(&text)
	case "NO", "BAD", "PREAUTH", "EXISTS", "RECENT", "EXPUNGE":
	case "SEARCH", "ESEARCH":
		w.counted = true
	case "FETCH":
		w.plain, w.hidden = false, w.listens
	case "LIST", "STATUS":
		w.plain = false
	default:
		w.plain, w.hidden = false, true
	}
	return capabilities
}

// nextWord returns the word before the next space or line end, in upper case.
func nextWord(line []byte) (word string, rest []byte) {
	line = bytes.TrimLeft(line, " ")
	end := bytes.IndexAny(line, " \r\n")
	if end < 0 {
		end = len(line)
	}
	return strings.ToUpper(string(line[:min(end, 32)])), line[end:]
}

// announcedLiteral says whether a line ends in {size}, so that as many bytes
// follow, and whether they are a section of a message.
func announcedLiteral(line []byte) (size int64, section, ok bool) {
	line = bytes.TrimRight(line, "\r\n")
	line, ok = bytes.CutSuffix(line, []byte("}"))
	if !ok {
		return 0, false, false
	}
	open := bytes.LastIndexByte(line, '{')
	if open < 0 {
		return 0, false, false
	}
	size, err := strconv.ParseInt(string(line[open+1:]), 10, 64)
	section = bytes.HasSuffix(line[:open], []byte("] ")) || bytes.HasSuffix(line[:open], []byte("> "))
	return size, section, err == nil && size >= 0
}

// fail remembers the network's error.
func (w *wire) fail(err error) error {
	w.failed.CompareAndSwap(nil, &err)
	return err
}
