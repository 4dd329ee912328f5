package mailbox

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nudge/engine"
)

// tape is a server that answers each line of the client with the next piece of
// a tape, whatever the line says, and hangs up when the tape ends.
type tape struct {
	mu      sync.Mutex
	pieces  []string
	serving sync.WaitGroup
}

func (s *tape) next() (piece string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pieces) == 0 {
		return "", false
	}
	piece, s.pieces = s.pieces[0], s.pieces[1:]
	return piece, true
}

func (s *tape) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	s.serving.Go(func() {
		defer server.Close()
		in, tag := bufio.NewReader(server), ""
		for {
			piece, ok := s.next()
			if !ok {
				return
			}
			if _, err := server.Write([]byte(strings.ReplaceAll(piece, "$", tag))); err != nil {
				return
			}
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			tag, _, _ = strings.Cut(line, " ")
		}
	})
	return client, nil
}

// sound is a session in which all goes well, pieces apart by a zero byte.
const sound = "* OK [CAPABILITY IMAP4rev1 LIST-STATUS SPECIAL-USE UNSELECT IDLE AUTH=PLAIN SASL-IR] hi\r\n\x00$ OK [CAPABILITY IMAP4rev1] in\r\n\x00" +
	"* CAPABILITY IMAP4rev1 LIST-STATUS SPECIAL-USE UNSELECT IDLE\r\n$ OK\r\n\x00" +
	"* LIST (\\HasNoChildren) \"/\" INBOX\r\n* STATUS INBOX (UIDNEXT 5 UIDVALIDITY 7)\r\n* LIST (\\Sent) \"/\" {4}\r\nSent\r\n* STATUS Sent (UIDNEXT 1 UIDVALIDITY 7)\r\n$ OK done\r\n\x00" +
	"* FLAGS (\\Seen)\r\n* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 5] ok\r\n$ OK [READ-ONLY] done\r\n\x00$ OK noop\r\n\x00* SEARCH 3 4\r\n$ OK done\r\n\x00" +
	"* 1 FETCH (UID 3 RFC822.SIZE 90 BODY[HEADER.FIELDS (FROM)] {13}\r\nFrom: a@b\r\n\r\n)\r\n* 2 FETCH (UID 4 BODY[HEADER.FIELDS (FROM)] \"\")\r\n$ OK done\r\n\x00$ OK unselected\r\n\x00" +
	"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n$ OK done\r\n\x00* 1 FETCH (UID 3 BODY[]<0> {15}\r\nFrom: a@b\r\n\r\nhi)\r\n$ OK done\r\n\x00" +
	"* 1 FETCH (UID 3 INTERNALDATE \"02-Mar-2026 10:00:00 +0100\")\r\n$ OK done\r\n"

func FuzzIMAPSession(f *testing.F) {
	f.Add([]byte(sound))
	for _, trouble := range []string{"* BYE\r\n", "* 1 FETCH (FLAGS ())\r\n", "* SEARCH 4294967295 0\r\n", "* ESEARCH (TAG \"T5\") UID ALL 1:*\r\n", "* 1 FETCH (UID 3 BODY[] {99999999999}\r\n", "* VANISHED 1\r\n", "+ go\r\n", "* LIST () NIL \"&\"\r\n", "* CAPABILITY (\r\n", "* OK [CAPABILITY(] x\r\n"} {
		f.Add([]byte(strings.ReplaceAll(sound, "\x00$", "\x00"+trouble+"$")))
		f.Add([]byte(strings.ReplaceAll(sound, "$ OK done", trouble+"$ OK done")))
		f.Add([]byte(strings.Replace(sound, "* 1 FETCH", trouble+"* 1 FETCH", 1)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// Not in a synctest bubble: one of the library's goroutines may wait for
		// a mutex until the deadline, and a bubble's clock stands still for that.
		server := &tape{pieces: strings.SplitN(string(data), "\x00", 200)}
		m := &IMAP{Account: Account{User: "u", IMAP: Server{Host: "localhost", Port: 143, TLS: TLSNone}, Dial: server.dial,
			Password: func(context.Context) (string, error) { return "p", nil }}, Timeout: 20 * time.Millisecond, Poll: time.Millisecond}
		cursor := engine.Cursor{Folders: map[string]engine.FolderCursor{"INBOX": {UIDValidity: 7, UIDNext: 3}}, Since: time.Unix(1_700_000_000, 0)}
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		ins, next, err := m.Fetch(ctx, cursor)
		if err != nil && (len(ins) > 0 || !cmp.Equal(next, cursor)) {
			t.Errorf("on error %v Fetch returned %d messages and cursor %v", err, len(ins), next)
		}
		if len(ins) > sweepLimit {
			t.Errorf("%d messages", len(ins))
		}
		for _, in := range ins {
			if in.Folder == "" || in.UID == 0 {
				t.Errorf("a message without a place: %+v", in)
			}
		}
		in := engine.Incoming{Folder: "INBOX", UIDValidity: 7, UID: 3}
		if len(ins) > 0 {
			in = ins[0]
		}
		_, _ = m.Read(ctx, in, engine.Touched{})
		_ = m.Wait(ctx)
		if ctx.Err() != nil {
			t.Error("it went on for longer than its deadlines allow")
		}
		m.Shutdown()
		server.serving.Wait()
	})
}

func TestTheSoundSessionOfTheFuzzerIsSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &tape{pieces: strings.Split(sound, "\x00")}
		m := &IMAP{Account: Account{User: "u", IMAP: Server{Host: "localhost", Port: 143, TLS: TLSNone}, Dial: server.dial,
			Password: func(context.Context) (string, error) { return "p", nil }}}
		ins, _, err := m.Fetch(t.Context(), engine.Cursor{Folders: map[string]engine.FolderCursor{"INBOX": {UIDValidity: 7, UIDNext: 3}}})
		if err != nil || len(ins) != 2 || ins[0].From[0] != "a@b" {
			t.Fatalf("read %v, %v", ins, err)
		}
		got, err := m.Read(t.Context(), ins[0], engine.Touched{})
		if err != nil || got.Kind != engine.Reply || got.Arrived.IsZero() {
			t.Errorf("read %+v, %v", got, err)
		}
		m.Shutdown()
		server.serving.Wait()
	})
}

func FuzzWire(f *testing.F) {
	f.Add([]byte("* OK hi {5}\r\n* 1 EXISTS\r\n* 1 FETCH (BODY[] {3}\r\nabc FLAGS ())\r\n* VANISHED {2}\r\nxx 1\r\n+ go\r\nT1 OK\r\n"), 3)
	f.Fuzz(func(t *testing.T, data []byte, chunk int) {
		whole, _ := through(data, 1<<16)
		parts, _ := through(data, max(1, chunk%64))
		if !bytes.Equal(whole, parts) {
			t.Errorf("read in pieces of %d it is %q, in one %q", chunk, parts, whole)
		}
		if len(whole) > len(data) {
			t.Errorf("%q became %q", data, whole)
		}
	})
}

func TestWireKeepsBackWhatIsNotNeeded(t *testing.T) {
	for name, test := range map[string]struct{ in, out, bye string }{
		"answers pass":                        {"* OK hi\r\n* 1 EXISTS\r\n* LIST () \"/\" INBOX\r\nT1 OK {9}\r\n+ go\r\n", "* OK hi\r\n* 1 EXISTS\r\n* LIST () \"/\" INBOX\r\nT1 OK {9}\r\n+ go\r\n", ""},
		"flags do not":                        {"* FLAGS (]])\r\n* OK [PERMANENTFLAGS (]])] x\r\n* 2 EXISTS\r\n", "* 2 EXISTS\r\n", ""},
		"nor extensions, with their literals": {"* X-GM {9}\r\n* BYE a\r\n {2}\r\nzz\r\n* 3 X-NEW\r\n* SEARCH 1\r\n", "* SEARCH 1\r\n", ""},
		"a literal is not looked into":        {"* 1 FETCH (BODY[] {19}\r\n* BYE x\r\n* FLAGS x\r\n UID 1)\r\n* FLAGS ()\r\n", "* 1 FETCH (BODY[] {19}\r\n* BYE x\r\n* FLAGS x\r\n UID 1)\r\n", ""},
		"capabilities in brackets end it":     {"* OK [CAPABILITY A] (hi)\r\nT1 OK [CAPABILITY A (] x\r\n", "* OK [CAPABILITY A] (hi)\r\n", ""},
		"also without a code":                 {"* CAPABILITY A\r\n* CAPABILITY (A\r\n", "* CAPABILITY A\r\n", ""},
		"a good-bye is noted":                 {"* BYE too many\r\nT1 OK\r\n", "* BYE too many\r\nT1 OK\r\n", "too many"},
	} {
		t.Run(name, func(t *testing.T) {
			out, w := through([]byte(test.in), 7)
			bye := ""
			if p := w.bye.Load(); p != nil {
				bye = *p
			}
			if string(out) != test.out || bye != test.bye {
				t.Errorf("became %q and good-bye %q, want %q and %q", out, bye, test.out, test.bye)
			}
		})
	}
}

// onlyReads is a connection whose other side has said all it will say.
type onlyReads struct {
	net.Conn
	in *bytes.Reader
}

func (c onlyReads) Read(p []byte) (int, error) { return c.in.Read(p) }

// through reads data through a wire, some bytes at a time.
func through(data []byte, chunk int) ([]byte, *wire) {
	w := newWire(onlyReads{in: bytes.NewReader(data)}, "")
	var out []byte
	for p := make([]byte, chunk); ; {
		n, err := w.Read(p)
		out = append(out, p[:n]...)
		if err != nil {
			return out, w
		}
	}
}
