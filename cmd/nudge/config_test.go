package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nudge/engine"
	"nudge/mailbox"
	"nudge/sequences"
)

const smallConfig = `
[[mailbox]]
address = "anna@bergroofing.example"
imap = "imap.bergroofing.example:993"
smtp = "smtp.bergroofing.example:465"
password-from = "env MAIL_PASSWORD"
`

// resolved reads a config that must be right.
func resolved(t *testing.T, source string, env ...string) settings {
	t.Helper()
	c, err := decodeConfig("/etc/nudge/nudge.toml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.override(env); err != nil {
		t.Fatal(err)
	}
	s, err := c.resolve()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What an editor on Windows puts before the first line is no part of it.
func TestAByteOrderMarkBeforeTheConfigIsNothing(t *testing.T) {
	marked := "\uFEFFdeliver = \"live\"\r\n" + smallConfig
	if s := resolved(t, marked); s.deliver != "live" {
		t.Errorf("deliver %s", s.deliver)
	}
	if said := complaint(t, "\uFEFFdelivr = \"live\"\n"+smallConfig); !strings.HasPrefix(said, "nudge.toml:1:1: unknown key") {
		t.Errorf("said %s", said)
	}
	if said := complaint(t, "\uFEFFdeliver = \"life\"\n"+smallConfig); !strings.HasPrefix(said, "nudge.toml:1:1: deliver: ") {
		t.Errorf("said %s", said)
	}
}

// complaint reads a config that must be wrong, and returns what is said.
func complaint(t *testing.T, source string, env ...string) string {
	t.Helper()
	c, err := decodeConfig("nudge.toml", []byte(source))
	if err == nil {
		err = c.override(env)
	}
	if err == nil {
		_, err = c.resolve()
	}
	said, ok := errors.AsType[*trouble](err)
	if !ok || said.code != exitUsage {
		t.Fatalf("got %v", err)
	}
	return said.what
}

func TestAConfigOfFiveLinesMeansTheDefaults(t *testing.T) {
	s := resolved(t, smallConfig)
	if s.deliver != "rehearsal" || s.state != "/var/lib/nudge/nudge.db" || s.sequences != "/etc/nudge/sequences" {
		t.Errorf("%+v", s)
	}
	m := s.mailboxes[0].engine
	between := sequences.Delay{N: 2, Unit: sequences.BusinessDays}
	if m.Name != "anna@bergroofing.example" || m.PerDay != 40 || m.GapMin != 90*time.Second || m.GapMax != 240*time.Second ||
		m.PerDomain != 10 || m.PerPerson != 8 || m.PerPersonDays != 60 || m.BetweenSequences != between ||
		!m.SaveSent || !m.Rehearsal || m.Location != time.Local {
		t.Errorf("%+v", m)
	}
	a := s.mailboxes[0].account
	if a.User != "anna@bergroofing.example" || a.RootCAs != nil {
		t.Errorf("%+v", a)
	}
	at := time.Date(2026, 11, 24, 9, 1, 0, 0, time.UTC)
	if next := s.mailboxes[0].poll.Next(at); !next.Equal(at.Add(4 * time.Minute)) {
		t.Errorf("next poll %s", next)
	}
	if next := s.backup.at.Next(at); m.InDoubt != engine.DoubtByStep || s.backup.keep != 7 || s.backup.dir != "/var/lib/nudge/backups" ||
		next.Hour() != 2 || next.Minute() != 10 {
		t.Errorf("%+v, %s", s.backup, next)
	}
}

func TestEveryKeyOfTheConfigIsHeeded(t *testing.T) {
	s := resolved(t, `
deliver = "live"
state = "nudge.db"
sequences = "/srv/sequences"
signature = "Anna Berg\nBerg Roofing"

[[mailbox]]
name = "sales"
address = "anna@BergRoofing.example"
display-name = "Anna Berg"
aliases = ["info@bergroofing.example"]
imap = "imap.gmail.com:143"
smtp = "smtp.gmail.com:587"
user = "anna"
password-from = "env MAIL_PASSWORD"
timezone = "Europe/Stockholm"
per-day = 5
gap = "0"
poll = "0 * * * *"
save-sent = "auto"
in-doubt = "assume-sent"
list-unsubscribe = true

[pace]
per-person = "off"
between-sequences = "off"
per-domain = 3

[backup]
at = ""
keep = 30
dir = "copies"
`)
	if s.deliver != "live" || s.state != "/etc/nudge/nudge.db" || s.sequences != "/srv/sequences" {
		t.Errorf("%+v", s)
	}
	m := s.mailboxes[0].engine
	if m.Name != "sales" || m.Address != "anna@bergroofing.example" || m.DisplayName != "Anna Berg" || len(m.Aliases) != 1 ||
		m.Signature != "Anna Berg\nBerg Roofing" || m.PerDay != 5 || m.GapMax != 0 || m.PerPerson != 0 || m.BetweenSequences.N != 0 ||
		m.PerDomain != 3 || m.SaveSent || m.Rehearsal || m.Location.String() != "Europe/Stockholm" {
		t.Errorf("%+v", m)
	}
	if !m.ListUnsubscribe || m.InDoubt != engine.DoubtAssume || s.backup.at != nil || s.backup.keep != 30 || s.backup.dir != "/etc/nudge/copies" {
		t.Errorf("%q, %+v", m.InDoubt, s.backup)
	}
	if a := s.mailboxes[0].account; a.User != "anna" || a.IMAP.TLS != mailbox.TLSStart || a.SMTP.TLS != mailbox.TLSStart {
		t.Errorf("%+v", a)
	}
}

func TestThePortSaysHowAConnectionIsEncrypted(t *testing.T) {
	tests := []struct {
		server, tls string
		want        mailbox.TLSMode
		refused     string
	}{
		{server: "h:993", want: mailbox.TLSImplicit},
		{server: "h:465", want: mailbox.TLSImplicit},
		{server: "h:143", want: mailbox.TLSStart},
		{server: "h:587", want: mailbox.TLSStart},
		{server: "127.0.0.1:993", want: mailbox.TLSImplicit},
		{server: "127.0.0.1:587", want: mailbox.TLSStart},
		{server: "h:2993", want: mailbox.TLSByPort},
		{server: "h:2993", tls: "implicit", want: mailbox.TLSImplicit},
		{server: "h:2587", tls: "starttls", want: mailbox.TLSStart},
		{server: "h:993", tls: "starttls", want: mailbox.TLSImplicit},
		{server: "localhost:1143", tls: "none", want: mailbox.TLSNone},
		{server: "[::1]:143", tls: "none", want: mailbox.TLSNone},
		{server: "h:143", tls: "none", refused: "is not on this machine"},
		{server: "10.0.0.1:143", tls: "none", refused: "is not on this machine"},
		{server: "localhost.example:143", tls: "none", refused: "is not on this machine"},
		{server: "h", refused: "is not host:port"},
		{server: ":993", refused: "is not host:port"},
		{server: "h:imaps", refused: "is not a port"},
		{server: "h:99999", refused: "is not a port"},
		{server: "", refused: "it is missing"},
	}
	for _, tt := range tests {
		got, err := parseServer(tt.server, tt.tls)
		if tt.refused != "" {
			if err == nil || !strings.Contains(err.Error(), tt.refused) {
				t.Errorf("%q tls %q: %v", tt.server, tt.tls, err)
			}
			continue
		}
		if err != nil || got.TLS != tt.want || got.Host == "" {
			t.Errorf("%q tls %q: %+v, %v", tt.server, tt.tls, got, err)
		}
	}
}

func TestMistakesInTheConfigAreToldWithTheirPlace(t *testing.T) {
	with := func(lines string) string { return smallConfig + lines }
	tests := []struct{ name, source, want string }{
		{"an unknown value", `deliver = "liv"` + smallConfig, `nudge.toml:1:1: deliver: unknown value "liv"; did you mean "live"?`},
		{"a bad address", "[[mailbox]]\naddress = \"anna\"", `nudge.toml:2:1: address: "anna" is not an address like anna@example.com`},
		{"no address", "[[mailbox]]\nname = \"x\"", `nudge.toml: address: the address is empty`},
		{"a bad alias", with(`aliases = ["x"]`), `nudge.toml:7:1: aliases: "x" is not an address like anna@example.com`},
		{"a bad zone", with(`timezone = "Stockholm"`), `nudge.toml:7:1: timezone: "Stockholm" is not a time zone`},
		{"no mail a day", with(`per-day = 0`), `nudge.toml:7:1: per-day: 0 is not a number of mails a day`},
		{"a gap that shrinks", with(`gap = "4m-2m"`), `nudge.toml:7:1: gap: "4m-2m" does not go from a shorter to a longer time below a day`},
		{"a negative gap", with(`gap = "-5s"`), `nudge.toml:7:1: gap: "" is not a duration like 90s`},
		{"a bad poll", with(`poll = "often"`), `nudge.toml:7:1: poll: "often" is not a cron expression`},
		{"a poll that would panic", with(`poll = "TZ=x 0 0 * * *"`), `nudge.toml:7:1: poll: "TZ=x 0 0 * * *" names a time zone; the mailbox's timezone is used`},
		{"an unknown tls", with(`tls = "startls"`), `nudge.toml:7:1: tls: unknown value "startls"; did you mean "starttls"?`},
		{"an unknown save-sent", with(`save-sent = "maybe"`), `nudge.toml:7:1: save-sent: unknown value "maybe"`},
		{"a list-unsubscribe in words", with(`list-unsubscribe = "yes"`), `nudge.toml:7:20: list-unsubscribe must be true or false without quotation marks`},
		{"an unknown in-doubt", with(`in-doubt = "assume"`), `nudge.toml:7:1: in-doubt: unknown value "assume"; did you mean "assume-sent"?`},
		{"an unknown key of backup", with("[backup]\nkeeps = 3"), `nudge.toml:8:1: unknown key "keeps"; did you mean "keep"?`},
		{"a bad moment for backups", with("[backup]\nat = \"nightly\""), `nudge.toml:8:1: at: "nightly" is not a cron expression`},
		{"a backup zone that would panic", with("[backup]\nat = \"TZ=x 0 0 * * *\""), `nudge.toml:8:1: at: "TZ=x 0 0 * * *" names a time zone; this machine's is used`},
		{"no backup kept", with("[backup]\nkeep = 0"), `nudge.toml:8:1: keep: 0 is not a number of copies from 1 to 1000`},
		{"a number for a moment", with("[backup]\nat = 210"), `nudge.toml:8:6: at must be text in quotation marks`},
		{"a missing ca-file", with(`ca-file = "none.pem"`), `nudge.toml:7:1: ca-file: there is no file none.pem`},
		{"two of a name", smallConfig + smallConfig, `nudge.toml: name: two mailboxes are named "anna@bergroofing.example"`},
		{"a bad pace", with("[pace]\nper-person = \"8 a month\""), `nudge.toml:8:1: per-person: "8 a month" is not a number of mails in a number of days`},
		{"a pace beyond memory", with("[pace]\nper-person = \"8 in 90 days\""), `nudge.toml:8:1: per-person: "8 in 90 days" must be at least 1 mail in 1 to 60 days`},
		{"a bad delay", with("[pace]\nbetween-sequences = \"soon\""), `nudge.toml:8:1: between-sequences: `},
		{"a table for a list", with("[mailbox]\nname = \"x\""), `nudge.toml:7:`},
		{"text for a list", with(`aliases = "x"`), `nudge.toml:7:11: aliases must be a list of texts: ["…", "…"]`},
		{"a number for text", "state = 5", `nudge.toml:1:9: state must be text in quotation marks`},
		{"not UTF-8", "state = \"\xff\"", `nudge.toml is not UTF-8`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := complaint(t, tt.source); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestTheEnvironmentReachesEachOfSeveralMailboxes(t *testing.T) {
	two := `
[[mailbox]]
name = "sales"
address = "a@acme.test"
imap = "h:993"
smtp = "h:465"
password-from = "env P"

[[mailbox]]
name = "front desk"
address = "b@acme.test"
imap = "h:993"
smtp = "h:465"
password-from = "env P"
`
	s := resolved(t, two, "NUDGE_MAILBOX_SALES_PER_DAY=7", "NUDGE_MAILBOX_FRONT_DESK_ALIASES=c@acme.test, d@acme.test", "NUDGE_MAILBOX_GAP=0s", "NUDGE_SIGNATURE=Us",
		"NUDGE_BACKUP_AT=", "NUDGE_BACKUP_KEEP=2", "NUDGE_MAILBOX_SALES_IN_DOUBT=hold", "NUDGE_MAILBOX_SALES_LIST_UNSUBSCRIBE=true")
	if s.backup.at != nil || s.backup.keep != 2 || s.mailboxes[0].engine.InDoubt != engine.DoubtHold ||
		!s.mailboxes[0].engine.ListUnsubscribe || s.mailboxes[1].engine.ListUnsubscribe {
		t.Errorf("%+v", s.backup)
	}
	sales, desk := s.mailboxes[0].engine, s.mailboxes[1].engine
	if sales.PerDay != 7 || desk.PerDay != 40 || len(desk.Aliases) != 2 || sales.GapMin == 0 || sales.Signature != "Us" {
		t.Errorf("%+v\n%+v", sales, desk)
	}
}

func TestWithoutASignatureTheNameSigns(t *testing.T) {
	const plain = "[[mailbox]]\naddress = \"a@acme.test\"\ndisplay-name = \"Anna Berg\"\nimap = \"h:993\"\nsmtp = \"h:465\"\npassword-from = \"env P\"\n"
	if got := resolved(t, plain).mailboxes[0].engine.Signature; got != "Anna Berg" {
		t.Errorf("signature %q", got)
	}
	if got := resolved(t, "signature = \"Us\"\n"+plain).mailboxes[0].engine.Signature; got != "Us" {
		t.Errorf("signature %q", got)
	}
}

func TestTheEnvironmentAloneMakesAMailbox(t *testing.T) {
	s := resolved(t, "", "NUDGE_MAILBOX_ADDRESS=a@acme.test", "NUDGE_MAILBOX_IMAP=h:993", "NUDGE_MAILBOX_SMTP=h:465", "NUDGE_MAILBOX_PASSWORD_FROM=env P")
	if len(s.mailboxes) != 1 || s.mailboxes[0].engine.Address != "a@acme.test" {
		t.Errorf("%+v", s)
	}
	if got, want := complaint(t, smallConfig, "NUDGE_MAILBOX_LIST_UNSUBSCRIBE=yes"), `NUDGE_MAILBOX_LIST_UNSUBSCRIBE: "yes" is neither true nor false`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got := complaint(t, smallConfig, "NUDGE_MAILBOX_TIMEZONE=Nowhere")
	if got != `NUDGE_MAILBOX_TIMEZONE: timezone: "Nowhere" is not a time zone` {
		t.Errorf("got %s", got)
	}
}

func TestPasswordsComeFromFourPlaces(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	put("good", "s3cret\r\n", 0o600)
	put("open", "s3cret", 0o644)
	put("empty", "\n", 0o600)
	put("lines", "s3cret\nmore", 0o600)
	put("large", strings.Repeat("x", maxSecret+1), 0o600)
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	t.Setenv("MAIL_PASSWORD", "s3cret")
	inDir := func(p string) string { return filepath.Join(dir, p) }
	tests := []struct{ from, want, refused string }{
		{from: "file good", want: "s3cret"},
		{from: "credential good", want: "s3cret"},
		{from: "credential open", want: "s3cret"},
		{from: "env MAIL_PASSWORD", want: "s3cret"},
		{from: "command printf 's3cret\\nuser: anna\\n'", want: "s3cret"},
		{from: "file open", refused: "may be read by others (mode 0644)"},
		{from: "file none", refused: "there is no file"},
		{from: "file empty", refused: "is empty"},
		{from: "file lines", refused: "holds more than one line"},
		{from: "file large", refused: "is too large to be one"},
		{from: "credential none", refused: "passed on no credential none"},
		{from: "env NO_SUCH_VARIABLE", refused: "variable NO_SUCH_VARIABLE is not set"},
		{from: "command echo s3cret >&2; exit 1", refused: "command failed: exit status 1"},
		{from: "command true", refused: "command is empty"},
	}
	for _, tt := range tests {
		password, err := parsePasswordFrom(tt.from, inDir)
		if err != nil {
			t.Fatalf("%s: %v", tt.from, err)
		}
		got, err := password(t.Context())
		if tt.refused == "" {
			if err != nil || got != tt.want {
				t.Errorf("%s: %q, %v", tt.from, got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.refused) || strings.Contains(err.Error(), "s3cret\n") {
			t.Errorf("%s: %v", tt.from, err)
		}
	}
	for from, refused := range map[string]string{
		"":                      "it is missing",
		"hunter2":               "it does not name a place for a password",
		"hunter2 is it":         "it does not name a place for a password",
		"file":                  `"file" does not say which`,
		"oauth google":          "oauth is not available yet",
		"credential ../secrets": "must be a name, not a path",
	} {
		if _, err := parsePasswordFrom(from, inDir); err == nil || !strings.Contains(err.Error(), refused) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", from, err)
		}
	}
}

func FuzzDecodeConfig(f *testing.F) {
	f.Add(smallConfig)
	f.Add("[pace]\nper-person = 5\nx.y = [[1]]")
	f.Add("[[mailbox]]\n[mailbox.x]\na = {b = 1}\n[[mailbox]]\npassword = 1")
	f.Fuzz(func(t *testing.T, source string) {
		c, err := decodeConfig("nudge.toml", []byte(source))
		if err == nil {
			_, err = c.resolve()
		}
		if err == nil {
			return
		}
		if said, ok := errors.AsType[*trouble](err); !ok || said.code != exitUsage || said.what == "" {
			t.Fatalf("%T %v", err, err)
		}
	})
}

func TestMailboxesOfOneAccountKnowEachOther(t *testing.T) {
	s := resolved(t, `
[[mailbox]]
name = "sales"
address = "a@acme.test"
imap = "h:993"
smtp = "h:465"
user = "acme"
password-from = "env P"
[[mailbox]]
name = "desk"
address = "b@acme.test"
imap = "h:993"
smtp = "h:465"
user = "acme"
password-from = "env P"
`)
	if sales, desk := s.mailboxes[0].engine, s.mailboxes[1].engine; !sales.IsOwn("b@acme.test") || !desk.IsOwn("a@acme.test") {
		t.Errorf("mail of one would count as an answer to the other: %v, %v", sales.Aliases, desk.Aliases)
	}
}
