package mailbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"nudge/engine"
)

// crowd is a server with one folder of very many messages, none of which it
// holds: each is made up while it is sent.
type crowd struct {
	folder  string // as in LIST, like `() "/" INBOX`
	size    uint32
	serving sync.WaitGroup
}

func (s *crowd) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	s.serving.Go(func() {
		defer server.Close()
		s.serve(bufio.NewReader(server), bufio.NewWriterSize(server, 64<<10))
	})
	return client, nil
}

func (s *crowd) serve(in *bufio.Reader, out *bufio.Writer) {
	fmt.Fprint(out, "* OK hi\r\n")
	for out.Flush() == nil {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		tag, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		words := strings.Fields(command)
		switch {
		case words[0] == "CAPABILITY":
			fmt.Fprint(out, "* CAPABILITY IMAP4rev1 UNSELECT\r\n")
		case words[0] == "LIST":
			fmt.Fprintf(out, "* LIST %s\r\n", s.folder)
		case words[0] == "STATUS":
			fmt.Fprintf(out, "* STATUS %s (UIDNEXT %d UIDVALIDITY 7)\r\n", words[1], s.size+1)
		case words[0] == "EXAMINE":
			fmt.Fprintf(out, "* %d EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT %d] ok\r\n", s.size, s.size+1)
		case strings.HasPrefix(command, "UID SEARCH"):
			fmt.Fprint(out, "* SEARCH")
			s.each(words[3], func(uid uint64) { out.WriteString(" " + strconv.FormatUint(uid, 10)) })
			fmt.Fprint(out, "\r\n")
		case strings.HasPrefix(command, "UID FETCH") && strings.Contains(command, "INTERNALDATE"):
			s.each(words[2], func(uid uint64) {
				fmt.Fprintf(out, "* %d FETCH (UID %d INTERNALDATE \"02-Mar-2026 10:00:00 +0100\")\r\n", uid, uid)
			})
		case strings.HasPrefix(command, "UID FETCH"):
			s.each(words[2], func(uid uint64) { s.header(out, uid) })
		}
		fmt.Fprintf(out, "%s OK done\r\n", tag)
	}
}

// each calls f for the numbers of a set.
func (s *crowd) each(set string, f func(uint64)) {
	for part := range strings.SplitSeq(set, ",") {
		from, to, isRange := strings.Cut(part, ":")
		if !isRange {
			to = from
		}
		low, _ := strconv.ParseUint(from, 10, 32)
		high, err := strconv.ParseUint(to, 10, 32)
		if err != nil {
			high = uint64(s.size)
		}
		for uid := low; uid <= min(high, uint64(s.size)); uid++ {
			f(uid)
		}
	}
}

// header makes up the header of one message, of about 600 bytes.
func (s *crowd) header(out io.Writer, uid uint64) {
	raw := fmt.Sprintf("From: =?utf-8?q?Ann_M=C3=BCller?= <ann%d@customer.test>\r\nTo: Sales <sales@acme.test>\r\nCc: office@customer.test\r\n"+
		"Subject: Re: =?utf-8?q?Angebot_f=C3=BCr_Halle?= %d\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\nMessage-ID: <m%d.20260302@mail.customer.test>\r\n"+
		"In-Reply-To: <t%d.20260301@acme.test>\r\nReferences: <anchor%d@acme.test>\r\n <t%d.20260228@acme.test>\r\n <t%d.20260301@acme.test>\r\n"+
		"Delivered-To: sales@acme.test\r\nReturn-Path: <ann%d@customer.test>\r\nContent-Type: multipart/alternative; boundary=\"=_%d\"\r\n\r\n", uid, uid, uid, uid, uid, uid, uid, uid, uid)
	fmt.Fprintf(out, "* %d FETCH (UID %d RFC822.SIZE 4000 BODY[HEADER.FIELDS (FROM)] {%d}\r\n%s)\r\n", uid, uid, len(raw), raw)
}

// client returns a client of the server. It is shut down with the test.
func (s *crowd) client(t testing.TB) *IMAP {
	m := &IMAP{Account: Account{User: "sales", IMAP: Server{Host: "localhost", Port: 143, TLS: TLSNone}, Dial: s.dial,
		Password: func(context.Context) (string, error) { return "s3cret", nil }}}
	t.Cleanup(func() { m.Shutdown(); s.serving.Wait() })
	return m
}

// heap follows how much memory is taken, garbage included.
type heap struct {
	before, most uint64
	stop, done   chan struct{}
}

func watchHeap() *heap {
	h := &heap{stop: make(chan struct{}), done: make(chan struct{})}
	var now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&now)
	h.before = now.HeapAlloc
	go func() {
		defer close(h.done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			h.most = max(h.most, now.HeapAlloc)
			select {
			case <-h.stop:
				return
			case <-tick.C:
			}
		}
	}()
	return h
}

// grown returns by how much it grew at most, in MB.
func (h *heap) grown() float64 {
	close(h.stop)
	<-h.done
	return float64(h.most-min(h.before, h.most)) / (1 << 20)
}

// A mailbox of 20,000, under NUDGE_PROVE=1 of 200,000, is swept with 15 MB. The
// collector lets a heap grow to twice of what lives, so what lived before the
// sweep counts once more.
func TestAMailboxOfManyIsSweptInLittleMemory(t *testing.T) {
	server := &crowd{folder: `() "/" INBOX`, size: 20_000}
	if os.Getenv("NUDGE_PROVE") != "" {
		server.size = 200_000
	}
	m := server.client(t)
	watch, began := watchHeap(), time.Now()
	cursor, read := engine.Cursor{Since: time.Unix(1_600_000_000, 0)}, uint32(0)
	for {
		ins, next, err := m.Fetch(t.Context(), cursor)
		must(t, err)
		for i, in := range ins {
			if want := read + uint32(i) + 1; in.UID != want || in.MessageID != fmt.Sprintf("m%d.20260302@mail.customer.test", want) {
				t.Fatalf("message %d is %+v", want, in)
			}
		}
		read += uint32(len(ins))
		next.Since, cursor = cursor.Since, next
		if !next.More {
			break
		}
	}
	took, grown := time.Since(began), watch.grown()
	if read != server.size {
		t.Errorf("read %d of %d", read, server.size)
	}
	if most := 15 + float64(watch.before)/(1<<20); grown > most {
		t.Errorf("the heap grew by %.1f MB, want %.1f at most", grown, most)
	}
	t.Logf("%d messages in %v (%.1f µs each), the heap grew from %.1f MB by %.1f MB at most", read, took.Round(time.Millisecond),
		float64(took.Microseconds())/float64(read), float64(watch.before)/(1<<20), grown)
}

// BenchmarkInitialSweep reads the headers of a mailbox of 50,000 from a server
// in this process, as on the first day.
func BenchmarkInitialSweep(b *testing.B) {
	server := &crowd{folder: `() "/" INBOX`, size: 50_000}
	m := server.client(b)
	for b.Loop() {
		cursor, read := engine.Cursor{Since: time.Unix(1_600_000_000, 0)}, 0
		for {
			ins, next, err := m.Fetch(b.Context(), cursor)
			must(b, err)
			read += len(ins)
			next.Since, cursor = cursor.Since, next
			if !next.More {
				break
			}
		}
		if read != int(server.size) {
			b.Fatalf("read %d of %d", read, server.size)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*int(server.size)), "µs/mail")
}

func TestOwnMailReadsManyAndNoPartOfTooMany(t *testing.T) {
	server := &crowd{folder: `(\Sent) "/" Sent`, size: 5_000}
	if os.Getenv("NUDGE_PROVE") != "" {
		server.size = ownLimit
	}
	m := server.client(t)
	watch, began := watchHeap(), time.Now()
	ins, err := m.OwnMail(t.Context(), time.Unix(1_600_000_000, 0))
	took, grown := time.Since(began), watch.grown()
	if err != nil || len(ins) != int(server.size) || ins[len(ins)-1].UID != server.size || ins[0].Arrived.IsZero() {
		t.Fatalf("read %d, %v", len(ins), err)
	}
	t.Logf("%d messages in %v, the heap grew by %.1f MB at most", len(ins), took.Round(time.Millisecond), grown)
	server.size = ownLimit + 1
	if ins, err := m.OwnMail(t.Context(), time.Unix(1_600_000_000, 0)); err == nil || len(ins) != 0 || !errors.Is(err, engine.ErrTooMany) {
		t.Errorf("of %d it read %d, %v", server.size, len(ins), err)
	}
}
