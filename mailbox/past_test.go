package mailbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nudge/engine"
	"nudge/mailbox/mailpair"
)

// readPast reads files and tells the subject of each mail, or why there is none.
func readPast(t *testing.T, path string) []string {
	t.Helper()
	var got []string
	err := ReadPast(t.Context(), path, func(in engine.Incoming, err error) error {
		name, _ := filepath.Rel(path, in.Folder)
		if err != nil {
			got = append(got, fmt.Sprintf("%s: %v", name, err))
			return nil
		}
		got = append(got, fmt.Sprintf("%s %d %s", name, in.UID, in.Subject))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got
}

func TestReadPastMbox(t *testing.T) {
	long := strings.Repeat("x", 3*maxPast)
	for _, tt := range []struct {
		name, content string
		want          []string
	}{
		{"two mails", "From a Mon\nSubject: one\n\ntext\n\nFrom b Tue\nSubject: two\n\ntext\n", []string{". 1 one", ". 2 two"}},
		{"CRLF, and no end of the last line", "From a Mon\r\nSubject: one\r\n\r\ntext\r\n\r\nFrom b Tue\r\nSubject: two\r\n\r\ntext", []string{". 1 one", ". 2 two"}},
		{"From inside a text", "From a Mon\nSubject: one\n\nHi.\nFrom now on\n\n>From here on\n>>From there\n\nFrom b Tue\nSubject: two\n\n", []string{". 1 one", ". 2 two"}},
		{"a line longer than any mail", "From a Mon\nSubject: one\n\n" + long + "\n\nFrom b Tue\nSubject: two\n\n", []string{". 1 one", ". 2 two"}},
		{"a mail longer than is read", "From a Mon\nSubject: one\n\n" + strings.Repeat("long\n", maxPast) + "\nFrom b Tue\nSubject: two\n\n", []string{". 1 one", ". 2 two"}},
		{"a mail without a header", "From a Mon\nSubject: one\n\nFrom b Tue\n\nno header\n\nFrom c Wed\nSubject: three\n", []string{". 1 one", ". 3 three", ".: it is neither a mail nor an mbox file"}},
		{"a single mail", "Subject: one\n\ntext\n\nFrom here on\n", []string{". 1 one"}},
		{"nothing", "", []string{".: it is neither a mail nor an mbox file"}},
		{"bytes", "\x00\x01\x02PK", []string{".: it is neither a mail nor an mbox file"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mail")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := readPast(t, path); !slices.Equal(got, tt.want) {
				t.Errorf("read %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReadPastFolders(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		"a.eml": "Subject: single\n\n", "sub/b": "From a Mon\nSubject: boxed\n\n", ".hidden": "no mail", "sub/notes.txt": "no mail",
		"Maildir/cur/1:2,S": "Subject: seen\n\n", "Maildir/new/2": "Subject: new\n\n", "Maildir/tmp/3": "Subject: half", "Maildir/dovecot-uidlist": "3 V1",
		"Maildir/.Junk/cur/4": "Subject: junk\n\n", "Maildir/.Junk/new/.keep": "",
	} {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"Maildir/.Junk/cur/4 1 junk", "Maildir/cur/1:2,S 1 seen", "Maildir/new/2 1 new", "a.eml 1 single", "sub/b 1 boxed",
		"sub/notes.txt: it is neither a mail nor an mbox file"}
	if got := readPast(t, root); !slices.Equal(got, want) {
		t.Errorf("read %q, want %q", got, want)
	}
}

func TestArrivalIsWhenOurServerTookTheMail(t *testing.T) {
	written, received := "Date: Mon, 23 Nov 2026 09:00:00 +0000\n", "Received: from a by b; Tue, 24 Nov 2026 10:00:00 +0000\nReceived: from c by a; Mon, 23 Nov 2026 09:01:00 +0000\n"
	for raw, want := range map[string]string{received + written: "2026-11-24T10:00:00Z", written: "2026-11-23T09:00:00Z", "Received: from a by b\n" + written: "2026-11-23T09:00:00Z", "X: y\n": "0001-01-01T00:00:00Z"} {
		h, _ := splitHeader([]byte(raw + "\n"))
		if got := h.arrival().UTC().Format(time.RFC3339); got != want {
			t.Errorf("%q arrived %s, want %s", raw, got, want)
		}
	}
}

// A folder is read for what is past without a trace, and one that is not there
// is answered with those that are.
func TestDovecotHeadersOfOneFolder(t *testing.T) {
	p := mailpair.Start(t)
	c, m := owner(t, p), dovecot(t, p)
	for _, id := range []string{"one@x", "two@x"} {
		p.DeliverLMTP(t, mailpair.Sales, letter(id))
	}
	before := flags(t, c)
	ins, err := m.Headers(t.Context(), "inbox")
	must(t, err)
	readReplies(t, m, ins, "one@x", "two@x")
	for _, in := range ins {
		if time.Since(in.Arrived).Abs() > time.Minute {
			t.Errorf("%s arrived %s", in.MessageID, in.Arrived)
		}
	}
	if after := flags(t, c); !slices.Equal(before, after) {
		t.Errorf("flags were %v and are %v", before, after)
	}
	_, err = m.Headers(t.Context(), "Nowhere")
	if missing, ok := errors.AsType[*NoFolderError](err); !ok || !slices.Contains(missing.Have, "INBOX") {
		t.Errorf("error %v", err)
	}
}
