package mailbox

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/goleak"

	"nudge/engine"
	"nudge/mailbox/mailpair"
)

// dovecot returns a client of a real Dovecot.
func dovecot(tb testing.TB, p *mailpair.Pair) *IMAP {
	tb.Helper()
	m := &IMAP{Account: Account{Address: mailpair.Sales, User: mailpair.Sales, IMAP: serverAt(tb, p.IMAPS, TLSImplicit), RootCAs: p.CA,
		Password: func(context.Context) (string, error) { return p.Password, nil }}, Log: slog.New(slog.DiscardHandler)}
	tb.Cleanup(m.Shutdown)
	return m
}

func serverAt(tb testing.TB, address string, mode TLSMode) Server {
	tb.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		tb.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		tb.Fatal(err)
	}
	return Server{Host: host, Port: n, TLS: mode}
}

// owner is a mail program that the mailbox's owner uses beside us.
func owner(tb testing.TB, p *mailpair.Pair) *imapclient.Client {
	tb.Helper()
	c, err := imapclient.DialTLS(p.IMAPS, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: p.CA}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	must(tb, c.Login(mailpair.Sales, p.Password).Wait())
	return c
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func letter(id string) []byte {
	return []byte("From: Ann <ann@customer.test>\nTo: sales@acme.test\nSubject: Re: quote\nMessage-ID: <" + id + ">\nIn-Reply-To: <ours@acme.test>\nDate: Mon, 2 Mar 2026 10:00:00 +0100\n\nyes please\n")
}

func TestDovecotMailDeliveredBeforeFetchIsAlwaysInItsAnswer(t *testing.T) {
	for _, config := range []mailpair.Config{{Format: mailpair.Maildir}, {Format: mailpair.Mdbox}, {Capability: "IMAP4rev1"}, {Format: mailpair.Mdbox, Capability: "IMAP4rev1"}} {
		t.Run(config.Format+" "+config.Capability, func(t *testing.T) {
			p := config.Start(t)
			m := dovecot(t, p)
			_, cursor := fetchAll(t, m, engine.Cursor{})
			const n = 200
			missed := 0
			for i := range n {
				id := fmt.Sprintf("m%d@x", i)
				p.DeliverLMTP(t, mailpair.Sales, letter(id))
				ins, next := fetchAll(t, m, cursor)
				if !slices.Equal(ids(ins), []string{id}) {
					missed++
				}
				cursor = next
			}
			if missed != 0 {
				t.Errorf("%d of %d mails were not in the answer of the Fetch after their delivery", missed, n)
			}
		})
	}
}

func TestDovecotSeesRepliesWhereverTheyLieAndChangesNothing(t *testing.T) {
	p := mailpair.Start(t)
	c := owner(t, p)
	m := dovecot(t, p)
	p.DeliverLMTP(t, mailpair.Sales, letter("before@x"))
	_, cursor := fetchAll(t, m, engine.Cursor{})
	cursor.Since = time.Now()

	for _, id := range []string{"new@x", "seen@x", "junk@x", "sorted@x"} {
		p.DeliverLMTP(t, mailpair.Sales, letter(id))
	}
	_, err := c.Select("INBOX", nil).Wait()
	must(t, err)
	must(t, c.Store(imap.SeqSetNum(3), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen, "$label"}}, nil).Close())
	must(t, c.Create("Kunden & Co", nil).Wait())
	must(t, c.Create("Kunden & Co/Größe", nil).Wait())
	_, err = c.Move(imap.SeqSetNum(5), "Kunden & Co/Größe").Wait()
	must(t, err)
	_, err = c.Move(imap.SeqSetNum(4), "Junk").Wait()
	must(t, err)
	before := flags(t, c)

	ins, next := fetchAll(t, m, cursor)
	got := ids(ins)
	slices.Sort(got)
	if want := []string{"junk@x", "new@x", "seen@x", "sorted@x"}; !slices.Equal(got, want) {
		t.Fatalf("read %v, want %v", got, want)
	}
	for _, in := range ins {
		whole, err := m.Read(t.Context(), in, engine.Touched{})
		if err != nil || whole.Kind != engine.Reply || whole.MessageID != in.MessageID || time.Since(whole.Arrived).Abs() > time.Minute {
			t.Errorf("read %+v, %v", whole, err)
		}
	}
	ins, again := fetchAll(t, m, next)
	wantIDs(t, ins)
	if !slices.Equal(before, flags(t, c)) {
		t.Errorf("flags were %v and are %v", before, flags(t, c))
	}

	t.Run("a message moved after Fetch is ErrMoved, and is found where it went", func(t *testing.T) {
		p.DeliverLMTP(t, mailpair.Sales, letter("wanders@x"))
		ins, _ := fetchAll(t, m, again)
		wantIDs(t, ins, "wanders@x")
		_, err := c.Select("INBOX", nil).Wait()
		must(t, err)
		_, err = c.Move(imap.UIDSetNum(imap.UID(ins[0].UID)), "Archive").Wait()
		must(t, err)
		if _, err := m.Read(t.Context(), ins[0], engine.Touched{}); !errors.Is(err, engine.ErrMoved) {
			t.Errorf("error %v, want ErrMoved", err)
		}
		ins, _ = fetchAll(t, m, again)
		wantIDs(t, ins, "wanders@x")
	})
	t.Run("a folder that was removed and made again is read again", func(t *testing.T) {
		p.DeliverLMTP(t, mailpair.Sales, letter("reborn@x"))
		_, cursor := fetchAll(t, m, again)
		must(t, c.Unselect().Wait())
		must(t, c.Delete("Kunden & Co/Größe").Wait())
		must(t, c.Create("Kunden & Co/Größe", nil).Wait())
		_, err := c.Select("INBOX", nil).Wait()
		must(t, err)
		_, err = c.Move(imap.SeqSetNum(1), "Kunden & Co/Größe").Wait()
		must(t, err)
		cursor.Since = time.Now()
		ins, _ := fetchAll(t, m, cursor)
		wantIDs(t, ins, "before@x")
	})
}

// flags lists the flags of every message in every folder.
func flags(tb testing.TB, c *imapclient.Client) []string {
	tb.Helper()
	folders, err := c.List("", "*", nil).Collect()
	must(tb, err)
	var all []string
	for _, f := range folders {
		_, err := c.Select(f.Mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
		must(tb, err)
		msgs, err := c.Fetch(imap.SeqSet{{Start: 1}}, &imap.FetchOptions{UID: true, Flags: true}).Collect()
		if err != nil {
			continue // an empty folder
		}
		for _, msg := range msgs {
			set := slices.DeleteFunc(msg.Flags, func(f imap.Flag) bool { return f == `\Recent` })
			slices.Sort(set)
			all = append(all, fmt.Sprint(f.Mailbox, msg.UID, set))
		}
	}
	return all
}

func TestDovecotOverSTARTTLSAndWithAWrongPassword(t *testing.T) {
	p := mailpair.Start(t)
	m := dovecot(t, p)
	m.Account.IMAP = serverAt(t, p.IMAP, TLSStart)
	_, cursor := fetchAll(t, m, engine.Cursor{})
	p.DeliverLMTP(t, mailpair.Sales, letter("a@x"))
	ins, _ := fetchAll(t, m, cursor)
	wantIDs(t, ins, "a@x")

	wrong := dovecot(t, p)
	wrong.Account.Password = func(context.Context) (string, error) { return "wr0ng", nil }
	if _, _, err := wrong.Fetch(t.Context(), engine.Cursor{}); !errors.Is(err, ErrAuth) || strings.Contains(err.Error(), "wr0ng") {
		t.Errorf("error %v, want ErrAuth without the password", err)
	}
}

func TestDovecotKeepSent(t *testing.T) {
	p := mailpair.Start(t)
	m := dovecot(t, p)
	raw := []byte("From: sales@acme.test\r\nMessage-ID: <kept@acme.test>\r\nSubject: quote\r\n\r\nhello\r\n")
	for range 3 {
		must(t, m.KeepSent(t.Context(), raw))
	}
	if got := p.Folder(t, mailpair.Sales, "Sent"); len(got) != 1 {
		t.Errorf("the Sent folder holds %d copies, want 1", len(got))
	}
	if got := flags(t, owner(t, p)); !slices.Equal(got, []string{`Sent1 [\Seen]`}) {
		t.Errorf("flags %v", got)
	}
}

func TestDovecotFrozenStoppedAndStartedAgain(t *testing.T) {
	p := mailpair.Start(t)
	m := dovecot(t, p)
	m.Timeout = time.Second
	_, cursor := fetchAll(t, m, engine.Cursor{})
	must(t, m.Wait(t.Context()))
	p.DeliverLMTP(t, mailpair.Sales, letter("a@x"))

	p.FreezeDovecot(t)
	began := time.Now()
	wantHeld(t, m, cursor, "did not answer in time")
	if took := time.Since(began); took > 10*time.Second { // its deadline is 1 s; the rest is for a busy machine
		t.Errorf("frozen: the error took %v", took)
	}
	p.ThawDovecot(t)
	ins, _ := fetchAll(t, m, cursor)
	wantIDs(t, ins, "a@x")
	for m.Wait(t.Context()) == nil { // news of the mail; then the end of the connection
		if len(p.Messages(t, mailpair.Sales)) == 1 {
			break
		}
	}

	ended := make(chan error, 1)
	go func() { ended <- m.Wait(t.Context()) }()
	p.StopDovecot(t)
	began = time.Now()
	wantHeld(t, m, cursor, "")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopped: the error took %v", took)
	}
	select {
	case err := <-ended:
		t.Logf("Wait ended with: %v", err)
	case <-time.After(10 * time.Second):
		t.Error("stopped: Wait did not end")
	}
	p.StartDovecot(t)
	ins, _ = fetchAll(t, m, cursor)
	wantIDs(t, ins, "a@x")
}

func TestDovecotWakesWait(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	p := mailpair.Start(t)
	m := dovecot(t, p)
	must(t, m.Wait(t.Context()))
	var took []time.Duration
	for i := range 10 {
		p.DeliverLMTP(t, mailpair.Sales, letter(fmt.Sprintf("m%d@x", i)))
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		must(t, m.Wait(ctx))
		cancel()
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("Wait returned after delivery: median %v, slowest %v", took[5], took[9])
	m.Shutdown()
}

// fill writes n small mails into the INBOX, as if they had always been there.
func fill(tb testing.TB, p *mailpair.Pair, n int) {
	tb.Helper()
	dir := filepath.Join(p.Dir, "mail", mailpair.Sales, "Maildir")
	about, err := os.Stat(dir)
	must(tb, err)
	uid, gid := int(about.Sys().(*syscall.Stat_t).Uid), int(about.Sys().(*syscall.Stat_t).Gid)
	for i := range n {
		// Dovecot keeps the names in a hash table that counting up would fill badly.
		name := sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)})
		file := filepath.Join(dir, "cur", fmt.Sprintf("%d.%x:2,S", 1_700_000_000+i, name[:12]))
		must(tb, os.WriteFile(file, letter(fmt.Sprintf("old%d@x", i)), 0o600))
		must(tb, os.Chown(file, uid, gid))
	}
}

func BenchmarkIMAPQuietFetch(b *testing.B) {
	p := mailpair.Start(b)
	m := dovecot(b, p)
	_, cursor := fetchAll(b, m, engine.Cursor{})
	for b.Loop() {
		if _, _, err := m.Fetch(b.Context(), cursor); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIMAPFetchOfOneNewMail(b *testing.B) {
	p := mailpair.Start(b)
	m := dovecot(b, p)
	_, cursor := fetchAll(b, m, engine.Cursor{})
	p.DeliverLMTP(b, mailpair.Sales, letter("a@x"))
	for b.Loop() {
		if ins, _, err := m.Fetch(b.Context(), cursor); err != nil || len(ins) != 1 {
			b.Fatal(ins, err)
		}
	}
}

// BenchmarkIMAPFirstSweep reads 20,000 headers from a server that has read them
// once before, and reports the memory that the process holds meanwhile.
func BenchmarkIMAPFirstSweep(b *testing.B) {
	const n = 20_000
	p := mailpair.Start(b)
	m := dovecot(b, p)
	fetchAll(b, m, engine.Cursor{})
	fill(b, p, n)
	sweep := func() {
		var peak, before runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		cursor, read, most := engine.Cursor{Since: time.Unix(1_600_000_000, 0)}, 0, uint64(0)
		for {
			ins, next, err := m.Fetch(b.Context(), cursor)
			must(b, err)
			read += len(ins)
			runtime.ReadMemStats(&peak)
			most = max(most, peak.HeapAlloc-min(before.HeapAlloc, peak.HeapAlloc))
			next.Since, cursor = cursor.Since, next
			if !next.More {
				break
			}
		}
		if read != n {
			b.Fatalf("read %d of %d", read, n)
		}
		b.ReportMetric(float64(most)/(1<<20), "MB-heap")
	}
	sweep()
	for b.Loop() {
		sweep()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/mail")
}
