package mailpair

import (
	"cmp"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait for the servers.
const patience = 60 * time.Second

// Deliver injects a mail as from the internet and returns when Postfix has
// answered 250; Dovecot has it a moment later. An empty from is the null sender
// of bounces and auto-replies. Line ends in raw may be LF or CRLF.
func (p *Pair) Deliver(tb testing.TB, from, to string, raw []byte) {
	tb.Helper()
	conn, err := net.DialTimeout("tcp", p.SMTP, patience)
	if err != nil {
		tb.Fatal(err)
	}
	if err := transfer(conn, "EHLO internet.test", from, to, raw); err != nil {
		tb.Fatalf("deliver to %s: %v", to, err)
	}
}

// DeliverLMTP puts a mail into an account's INBOX and returns when Dovecot has
// answered 250, so the mail is then in the mailbox. It may be called
// concurrently.
func (p *Pair) DeliverLMTP(tb testing.TB, to string, raw []byte) {
	tb.Helper()
	conn, err := net.DialTimeout("unix", filepath.Join(p.Dir, "dovecot/run/lmtp"), patience)
	if err != nil {
		tb.Fatal(err)
	}
	if err := transfer(conn, "LHLO internet.test", "", to, raw); err != nil {
		tb.Fatalf("deliver to %s: %v", to, err)
	}
}

// transfer speaks SMTP, or LMTP with its other greeting: for a single
// recipient they do not differ otherwise (RFC 2033, section 4.2).
func transfer(conn net.Conn, hello, from, to string, raw []byte) error {
	text := textproto.NewConn(conn)
	defer text.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, _, err := text.ReadResponse(220); err != nil {
		return err
	}
	for _, step := range []struct {
		line string
		code int
	}{{hello, 250}, {"MAIL FROM:<" + from + ">", 250}, {"RCPT TO:<" + to + ">", 250}, {"DATA", 354}} {
		if err := text.PrintfLine("%s", step.line); err != nil {
			return err
		}
		if _, _, err := text.ReadResponse(step.code); err != nil {
			return err
		}
	}
	w := text.DotWriter()
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if _, _, err := text.ReadResponse(250); err != nil {
		return err
	}
	return text.PrintfLine("QUIT")
}

// Messages returns the mails in an account's INBOX as they stand on disk,
// oldest first. Format must be Maildir.
func (p *Pair) Messages(tb testing.TB, address string) [][]byte {
	tb.Helper()
	return p.Folder(tb, address, "INBOX")
}

// Folder returns the mails in a folder as they stand on disk, oldest first.
// A folder that does not exist has none. Format must be Maildir.
func (p *Pair) Folder(tb testing.TB, address, folder string) [][]byte {
	tb.Helper()
	if p.format == Mdbox {
		tb.Fatal("mails can only be read from disk in the Maildir format")
	}
	dir := filepath.Join(p.Dir, "mail", address, "Maildir")
	if folder != "INBOX" {
		dir = filepath.Join(dir, "."+folder)
	}
	var files []string
	for _, sub := range []string{"new", "cur"} {
		found, err := filepath.Glob(filepath.Join(dir, sub, "*"))
		if err != nil {
			tb.Fatal(err)
		}
		files = append(files, found...)
	}
	slices.SortFunc(files, func(a, b string) int {
		return cmp.Or(deliveredAt(a).Compare(deliveredAt(b)), strings.Compare(filepath.Base(a), filepath.Base(b)))
	})
	var mails [][]byte
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			return p.Folder(tb, address, folder) // moved from new to cur meanwhile
		}
		if err != nil {
			tb.Fatal(err)
		}
		mails = append(mails, raw)
	}
	return mails
}

// deliveredAt reads when a maildir file was delivered: its name begins with the
// second and, after ".M", has the microsecond, which is not padded with zeros
// ("1795892089.M52310P4711.host"). A name that says neither is the oldest.
func deliveredAt(file string) time.Time {
	var second, microsecond int64
	if n, _ := fmt.Sscanf(filepath.Base(file), "%d.M%d", &second, &microsecond); n == 0 {
		return time.Time{}
	}
	return time.Unix(second, microsecond*1000)
}

// Await waits until an account's INBOX has at least n mails and returns them,
// oldest first. Format must be Maildir.
func (p *Pair) Await(tb testing.TB, address string, n int) [][]byte {
	tb.Helper()
	var mails [][]byte
	eventually(tb, "mail arrives for "+address, func() bool {
		mails = p.Messages(tb, address)
		return len(mails) >= n
	})
	return mails
}

// eventually looks until what is so. Other programs bring it about, so there is
// nothing to wait on but the clock.
func eventually(tb testing.TB, what string, so func() bool) {
	tb.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("gave up waiting until %s", what)
		}
	}
}
