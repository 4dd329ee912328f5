package mailpair

import (
	"bytes"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"
)

const hello = "From: anna@customer.test\nTo: sales@acme.test\nSubject: hello\n\n.a line with a dot\n"

func TestMailInjectedOverSMTPAndLMTPArrives(t *testing.T) {
	p := Start(t)
	p.DeliverLMTP(t, Sales, []byte(hello))
	if got := p.Messages(t, Sales); len(got) != 1 || !bytes.Contains(got[0], []byte("\n.a line with a dot")) {
		t.Fatalf("after LMTP's 250 the mailbox holds %q", got)
	}
	p.Deliver(t, "", Sales, []byte(hello))
	if got := p.Await(t, Sales, 2); !bytes.Contains(got[1], []byte("Return-Path: <>")) {
		t.Errorf("the second mail is %q", got[1])
	}
	if got := p.Messages(t, Other); len(got) != 0 {
		t.Errorf("another mailbox holds %q", got)
	}
}

// Dovecot does not pad the microseconds, so names do not sort by time.
func TestMaildirNamesAreReadAsTimes(t *testing.T) {
	names := []string{
		"stray",
		"1795892089.M9310P4711.mail,S=7",
		"/new/1795892089.M52310P4712.mail,S=7,W=8",
		"/cur/1795892089.M152310P4712.mail:2,S",
		"1795892090.M1P4712.mail",
	}
	if !slices.IsSortedFunc(names, func(a, b string) int { return deliveredAt(a).Compare(deliveredAt(b)) }) {
		t.Error("the names are not in the order of their times")
	}
	if got, want := deliveredAt(names[1]), time.Unix(1795892089, 9_310_000); !got.Equal(want) {
		t.Errorf("delivered at %s, want %s", got, want)
	}
}

func TestDovecotCanBeStoppedFrozenAndReconfigured(t *testing.T) {
	p := Config{Format: Mdbox, Capability: "IMAP4rev1 UIDPLUS"}.Start(t)
	text, greeting := greet(t, p.IMAP)
	if !strings.Contains(greeting, "IMAP4rev1 UIDPLUS") || strings.Contains(greeting, "IDLE") {
		t.Errorf("the greeting %q does not have the capabilities asked for", greeting)
	}

	p.FreezeDovecot(t)
	pids := p.dovecot(t)
	if len(pids) < 2 || slices.ContainsFunc(pids, thawed) {
		t.Errorf("after freezing, some of the processes %v can run", pids)
	}
	if err := text.PrintfLine("a NOOP"); err != nil {
		t.Errorf("a frozen server's connection does not stay open: %v", err)
	}
	p.ThawDovecot(t)
	if line, err := text.ReadLine(); err != nil || !strings.HasPrefix(line, "a ") {
		t.Errorf("after thawing the answer is %q, %v", line, err)
	}

	p.StopDovecot(t)
	if c, err := net.Dial("tcp", p.IMAP); err == nil {
		_ = c.Close()
		t.Error("a stopped server takes connections")
	}
	p.StartDovecot(t)
	p.DeliverLMTP(t, Prospect, []byte(hello))
	if _, greeting := greet(t, p.IMAP); !strings.HasPrefix(greeting, "* OK") {
		t.Errorf("after a restart the greeting is %q", greeting)
	}
}

// greet connects and returns the server's first line.
func greet(t *testing.T, address string) (*textproto.Conn, string) {
	t.Helper()
	text, err := textproto.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = text.Close() })
	line, err := text.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	return text, line
}
