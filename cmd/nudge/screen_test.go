package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"nudge/engine"
	"nudge/engine/bolt"
	"nudge/engine/control"
	"nudge/mailbox"
)

func TestEveryHelpFitsAScreen(t *testing.T) {
	var walk func(cmd *cobra.Command, path []string)
	walk = func(cmd *cobra.Command, path []string) {
		var out bytes.Buffer
		if code := execute(t.Context(), append(path, "--help"), strings.NewReader(""), &out, &out); code != 0 {
			t.Errorf("%v: exit code %d", path, code)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
				t.Errorf("%v: %d columns: %s", path, n, line)
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub, append(path[:len(path):len(path)], sub.Name()))
		}
	}
	walk((&app{}).root(), nil)
}

func TestStatusSaysOnceWhyAMailboxIsSilent(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	why := "the server refuses this sender (550 5.7.1)"
	a.tellStatus(engine.Status{Running: true, Counts: engine.Counts{Active: 1}, Notices: []string{why, "3 overdue: nudge catch-up"},
		Mailboxes: []engine.MailboxStatus{{Name: "sales", Paused: true, Why: why}, {Name: "front", Paused: true}}}, settings{state: t.TempDir() + "/nudge.db"}, time.Now())
	said := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"silent mailbox sales: " + why + ": nudge resume --mailbox sales silent mailbox front: paused: nudge resume --mailbox front",
		"look 3 overdue: nudge catch-up",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("not said: %s\n%s", want, out.String())
		}
	}
	if strings.Count(said, why) != 1 {
		t.Errorf("said twice:\n%s", out.String())
	}
}

func TestStatusAndShowFitAScreen(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	long := strings.Repeat("word after word ", 20)
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	a.tellStatus(engine.Status{Notices: []string{long}, Next: &engine.Upcoming{At: at, Address: "somebody.with.a.name@customer.test", Sequence: "quote", Step: long},
		Mailboxes: []engine.MailboxStatus{{Name: "sales", IMAP: engine.IMAPStatus{State: "down", Error: long}}}}, settings{}, at)
	a.tellStory(engine.Story{Enrollments: []engine.View{{Address: "a@b.se", Fields: map[string]string{"project": long},
		Next: &engine.Next{Action: "email", Step: "a", At: &at, Why: long}}}}, settings{}, at)
	for line := range strings.Lines(out.String()) {
		if utf8.RuneCountInString(strings.TrimRight(line, "\n")) > width {
			t.Errorf("too wide: %s", line)
		}
	}
	if !strings.Contains(out.String(), "\n                 after word") {
		t.Errorf("what goes on does not hang below the words:\n%s", out.String())
	}
}

func TestFieldsStandInOneColumn(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	a.tellEnrollment(engine.View{Address: "a@b.se", State: engine.Active, Mailbox: "sales",
		Fields: map[string]string{"appointment": "2026-12-10", "topic": "roofs", "a_name_longer_than_any_column": "x"}}, time.UTC, time.Now())
	want := "a@b.se in\n  state                active, 0 mails sent from sales\n  a_name_longer_than_any_column x\n" +
		"  appointment          2026-12-10\n  topic                roofs\n"
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}

func TestPipedEventsStayOnOneLine(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	ev := engine.Event{Kind: engine.EventHeld, Address: "a@b.se", Detail: map[string]string{"detail": strings.Repeat("word ", 40)}}
	if err := a.tellEvent(ev, time.UTC); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%v, %q", err, out.String())
	}
}

func TestAMomentIsToldInItsOwnZone(t *testing.T) {
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2099, 1, 8, 9, 0, 0, 0, time.UTC)
	wired := at.In(time.FixedZone("", 3600))
	want := map[string]string{}
	switch os.Getenv("NUDGE_TEST_ZONE") {
	case "UTC":
		want = map[string]string{
			"Thu 8 Jan 2099 09:00":                    when(at, time.Local),
			"Thu 8 Jan 2099 10:00 (Europe/Stockholm)": when(wired, stockholm),
			"Thu 8 Jan 2099 10:00 (UTC+01:00)":        when(wired, time.Local),
			"Thu 8 Jan 2099 10:00 +01:00":             shortWhen(wired),
		}
	case "Europe/Stockholm":
		want = map[string]string{"Thu 8 Jan 2099 10:00": when(wired, stockholm)} // this machine's zone is not named
	default: // the zone of a process cannot be changed while others read the clock
		for _, zone := range []string{"UTC", "Europe/Stockholm"} {
			cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
			cmd.Env = append(os.Environ(), "TZ="+zone, "NUDGE_TEST_ZONE="+zone)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("in %s: %v\n%s", zone, err, out)
			}
		}
	}
	for want, got := range want {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEventsForProgramsHaveEveryKeyAndOneZone(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.FixedZone("", 3600))
	if err := a.writeJSONLine(forPrograms(engine.Event{Seq: 1, At: at, Kind: engine.EventReloaded})); err != nil {
		t.Fatal(err)
	}
	want := `{"seq":1,"at":"2026-11-24T08:00:00Z","kind":"reloaded","enrollment":"","address":"","sequence":"","step":"","message_id":"","detail":{}}` + "\n"
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
	ev := engine.Event{Detail: map[string]string{"due": "2026-11-24T09:00:00+01:00"}}
	if got := forPrograms(ev).Detail["due"]; got != "2026-11-24T08:00:00Z" || ev.Detail["due"] == got {
		t.Errorf("due %s, and the event itself %s", got, ev.Detail["due"])
	}
}

func TestNoColoursForADumbTerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	for kind, want := range map[string]bool{"dumb": true, "xterm": false} {
		t.Setenv("TERM", kind)
		if got := (&app{}).colourless(); got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
}

func TestTroublesAreToldInWords(t *testing.T) {
	denied := fmt.Errorf("state/nudge.db: %w", &fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES})
	for _, tt := range []struct {
		err        error
		code       int
		what, hint string
	}{
		{stateTrouble(settings{state: "/srv/nudge/nudge.db"}, fmt.Errorf("nudge.db: %w", syscall.EROFS)), exitTemporary, "the state cannot be opened: nudge.db: read-only file system", "the disk is mounted read-only"},
		{brokenStore("nudge.db", fmt.Errorf("state: %w: write nudge.db: %v", bolt.ErrCommit, syscall.ENOSPC)), exitTemporary,
			"nudge.db cannot be written any more, so nothing more is sent: write nudge.db: no space left on device", "the disk is full: free some space"},
		{brokenStore("nudge.db", bolt.ErrCommit), exitTemporary, "nudge.db cannot be written any more", "check the disk, then start again"},
		{fmt.Errorf("%w: write x: %v", bolt.ErrCommit, syscall.EIO), exitTemporary, "not known whether the change was kept", "the disk fails: see dmesg"},
		{errors.New("the daemon answered: write x: no space left on device"), exitTemporary, "the daemon answered", "the disk is full"},
		{stateTrouble(settings{state: "/srv/nudge/nudge.db"}, denied), exitFailed, "this user may not read and write the state in /srv/nudge", "run nudge as the user"},
		{fileTrouble("a.csv", denied, ""), exitFailed, "this user may not read a.csv", "chmod u+r"},
		{fileTrouble("a.csv", &fs.PathError{Err: syscall.EISDIR}, "h"), exitFailed, "a.csv is a folder, not a file", "h"},
		{control.ErrSilent, exitUnreachable, "does not answer", "kill -9"},
		{credentialsTrouble("sales", "/etc/x.toml", mailbox.ErrAuth), exitCredentials, "mailbox sales: ", "of mailbox sales in /etc/x.toml; many providers want an app password"},
		{credentialsTrouble("sales", "/etc/x.toml", errors.New("odd")), exitCredentials, "mailbox sales: odd", "check password-from of mailbox sales in /etc/x.toml"},
	} {
		said := asTrouble(tt.err)
		if said.code != tt.code || !strings.Contains(said.what, tt.what) || !strings.Contains(said.hint, tt.hint) {
			t.Errorf("%v: got %d %q, %q", tt.err, said.code, said.what, said.hint)
		}
	}
}
