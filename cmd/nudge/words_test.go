package main

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nudge/engine"
)

func TestWordsForPeople(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	for want, got := range map[string]string{
		"1 file":               count(1, "file"),
		"0 files":              count(0, "file"),
		"2 days":               count(2, "day"),
		"3 entries":            count(3, "entry"),
		"2 pieces of advice":   count(2, "piece of advice"),
		"in 20 s":              away(now.Add(20*time.Second), now),
		"in 45 min":            away(now.Add(45*time.Minute), now),
		"2 h ago":              away(now.Add(-2*time.Hour), now),
		"in 3 days":            away(now.Add(71*time.Hour), now),
		"maria@example.com":    person("", "maria@example.com"),
		"Maria <m@example.se>": person("Maria", "m@example.se"),
		"2 Jan 1999":           strings.Join(strings.Fields(day(time.Date(1999, 1, 2, 3, 4, 0, 0, time.UTC)))[1:4], " "),
		"a reply from a@b.se, \"Re: x\", in INBOX (UID 7); whose: cites our Message-ID; what: text": eventWords(engine.Event{Kind: engine.EventReply,
			Detail: map[string]string{"from": "a@b.se", "subject": "Re: x", "folder": "INBOX", "uid": "7", "match": "cites our Message-ID", "rule": "text"}}, time.UTC),
		"held: unsure, two answers":                                          eventWords(engine.Event{Kind: engine.EventHeld, Detail: map[string]string{"reason": "unsure", "detail": "two answers"}}, time.UTC),
		"sequences were read again: 2 loaded, 1 broken":                      eventLine(engine.Event{Kind: engine.EventReloaded, Detail: map[string]string{"sequences": "a, b", "broken": "1"}}, time.UTC),
		"a@b.se quote: what was overdue: it goes on":                         eventLine(engine.Event{Kind: engine.EventCaughtUp, Address: "a@b.se", Sequence: "quote", Detail: map[string]string{"answer": "send"}}, time.UTC),
		"the state may know less than was sent from mailbox sales: a backup": eventLine(engine.Event{Kind: engine.EventRestored, Detail: map[string]string{"mailbox": "sales", "why": "a backup"}}, time.UTC),
		"the state was compared with what mailbox sales has sent: 2 more had left than it knew, 1 held, 0 to strangers": eventLine(engine.Event{
			Kind: engine.EventRestored, Detail: map[string]string{"mailbox": "sales", "reconciled": "yes", "found": "2", "held": "1"}}, time.UTC),
		"c@d.se: was sent, and this state does not know to whom": eventLine(engine.Event{Kind: engine.EventRestored, Address: "c@d.se",
			Detail: map[string]string{"note": "was sent, and this state does not know to whom"}}, time.UTC),
		"less than an hour":         lateness(now.Add(-30*time.Minute), now),
		"1 hour":                    lateness(now.Add(-90*time.Minute), now),
		"35 hours":                  lateness(now.Add(-35*time.Hour), now),
		"12 days":                   lateness(now.Add(-12*24*time.Hour), now),
		"512 bytes":                 size(512),
		"24 KB":                     size(24 << 10),
		"16.5 MB":                   size(33 << 19),
		"everything was paused":     eventLine(engine.Event{Kind: engine.EventPaused, Detail: map[string]string{"scope": "everything"}}, time.UTC),
		"mailbox sales was resumed": eventLine(engine.Event{Kind: engine.EventResumed, Detail: map[string]string{"mailbox": "sales"}}, time.UTC),
		"sequence quote was paused": eventLine(engine.Event{Kind: engine.EventPaused, Sequence: "quote"}, time.UTC),
		"a@b.se will never be written to again: bounced": eventLine(engine.Event{Kind: engine.EventSuppressed, Address: "a@b.se", Detail: map[string]string{"why": "bounced"}}, time.UTC),
		"a@b.se quote: stopped: by hand":                 eventLine(engine.Event{Kind: engine.EventStopped, Address: "a@b.se", Sequence: "quote", Detail: map[string]string{"reason": "by hand"}}, time.UTC),
		`nobody knows whether "Hi" left: cut off`:        eventWords(engine.Event{Kind: engine.EventInDoubt, Detail: map[string]string{"subject": "Hi", "why": "cut off"}}, time.UTC),
		`sent "Hi" (step a); the server said: 250 2`:     eventWords(engine.Event{Kind: engine.EventSent, Step: "a", Detail: map[string]string{"subject": "Hi", "server": "250 2"}}, time.UTC),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEveryEventIsToldInWords(t *testing.T) {
	for _, kind := range []engine.EventKind{engine.EventEnrolled, engine.EventClaimed, engine.EventSent, engine.EventRefused, engine.EventDeferred,
		engine.EventInDoubt, engine.EventReply, engine.EventAutoReply, engine.EventBounce, engine.EventUnsubscribe, engine.EventComplaint,
		engine.EventUnsure, engine.EventNoted, engine.EventHeld, engine.EventReleased, engine.EventPaused, engine.EventResumed, engine.EventStopped,
		engine.EventFinished, engine.EventTaskOpen, engine.EventSuppressed, engine.EventReloaded, engine.EventCaughtUp, engine.EventRestored, engine.EventTaskDone,
		engine.EventTaskExpired, engine.EventSkipped, engine.EventWon, engine.EventLost, engine.EventChainRefused} {
		if words := eventWords(engine.Event{Kind: kind}, time.UTC); words == "" || strings.Contains(words, "_") {
			t.Errorf("%s: %q", kind, words)
		}
	}
}

func TestAZoneGetsItsNameBackWhereItMustBeTheSame(t *testing.T) {
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	wired := time.Date(2026, 11, 24, 9, 0, 0, 0, time.FixedZone("", 3600)) // as JSON gives it
	if got := zoneName(wired, stockholm); got != "Europe/Stockholm" {
		t.Errorf("got %s", got)
	}
	elsewhere := time.Date(2026, 11, 24, 9, 0, 0, 0, time.FixedZone("", -5*3600))
	if got := zoneName(elsewhere, stockholm); got != "UTC-05:00" {
		t.Errorf("got %s", got)
	}
}

func TestWhatWasProbablyMeant(t *testing.T) {
	known := []string{"enroll", "import", "list", "preview", "pause", "password-from"}
	for typed, want := range map[string]string{
		"enrol": "enroll", "imprt": "import", "lits": "list", "LIST": "list", "prev": "preview", "password": "password-from",
		"pasue": "pause", "xyz": "", "p": "", "password_from": "password-from", "": "",
	} {
		if got := nearest(typed, known); got != want {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
}

func TestForeignTextCannotMoveTheCursor(t *testing.T) {
	if got := visible("a\x1b[2Jb\r\nc\a\u202ed\u009b\tå"); got != "a[2Jb  cd å" {
		t.Errorf("got %q", got)
	}
	if got := printable("one  \n\x1btwo\n"); got != "one\ntwo\n" {
		t.Errorf("got %q", got)
	}
}

func TestATableFitsAScreen(t *testing.T) {
	tb := table{shrink: []int{1, 0}}
	tb.add("ADDRESS", "SEQUENCE", "NEXT")
	long := strings.Repeat("ä", 60) + "@example.com"
	tb.add(long, strings.Repeat("quote", 5), "Tue 24 Nov 09:00, in 14 h")
	tb.add("maria@example.com", "a", "")
	lines := tb.lines(width)
	for _, line := range lines {
		if utf8.RuneCountInString(line) > width {
			t.Errorf("%d: %s", utf8.RuneCountInString(line), line)
		}
	}
	if lines[1] != long || !strings.HasPrefix(lines[2], "  ") || !strings.Contains(lines[2], "quotequoteq…  Tue") ||
		!strings.HasPrefix(lines[3], "maria@example.com ") || strings.HasSuffix(lines[3], " ") {
		t.Errorf("%q", lines)
	}
	if whole := tb.lines(0)[1]; !strings.HasPrefix(whole, long+"  quote") {
		t.Errorf("where there is no edge an address is cut: %q", whole)
	}
	if lines = tb.lines(0); len(lines) != 3 {
		t.Errorf("%q", lines)
	}
	mails := table{shrink: []int{4, 3, 2}} // as nudge show --mails lists them
	mails.add("", "sent", "sequence", "step", "subject")
	mails.add("1", "Wed 23 Dec 2026 09:00", "appointment", "what-the-quote-does-not-say-"+strings.Repeat("x", 20), "Quote 1042: did it reach you?")
	for _, line := range mails.lines(width) {
		if utf8.RuneCountInString(line) > width {
			t.Errorf("too wide: %s", line)
		}
	}
}

func TestColoursAreForTerminalsOnly(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	a.next("nudge %s", "status")
	if out.String() != "next: nudge status\n" {
		t.Errorf("got %q", out.String())
	}
}

func TestWhatIsBeingDoneAboutADoubtIsSaid(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.Local)
	soon, tomorrow, past := now.Add(16*time.Minute), now.Add(20*time.Hour), now.Add(-time.Minute)
	for want, got := range map[string]string{
		"being looked for in Sent until 10:16":                           doubtWords(engine.Doubt{Until: &soon}, true, now),
		"being looked for in Sent until " + day(tomorrow):                doubtWords(engine.Doubt{Until: &tomorrow}, true, now),
		"about to be decided: it was looked for in Sent":                 doubtWords(engine.Doubt{Until: &past}, true, now),
		"waits for your word":                                            doubtWords(engine.Doubt{}, true, now),
		"waits for your word, or for a daemon that looks for it in Sent": doubtWords(engine.Doubt{}, false, now),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAnAnswerIsTakenByItsFirstLetters(t *testing.T) {
	for typed, want := range map[string]string{
		"send\n": "send", "SE\n": "send", "sk\n": "skip", "\n": "leave", "": "leave", "s\nwhat\nst\n": "stop", "l\n": "leave", "  skip \n": "skip",
	} {
		a := &app{in: strings.NewReader(typed), err: io.Discard}
		if got := a.choose("What?", "leave", "send", "skip", "stop"); got != want {
			t.Errorf("%q: %s", typed, got)
		}
	}
}

func TestSystemdIsToldWhenItListens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	tellSystemd("READY=1")
	heard := make([]byte, 100)
	n, err := conn.Read(heard)
	if err != nil || string(heard[:n]) != "READY=1" {
		t.Errorf("heard %q, %v", heard[:n], err)
	}
	t.Setenv("NOTIFY_SOCKET", path+"-gone")
	tellSystemd("STOPPING=1") // nobody listens, which is no mistake
}

func TestThePlaceInALineIsShown(t *testing.T) {
	long := strings.Repeat("a", 300)
	for _, tt := range []struct {
		line string
		at   int
		want string
	}{
		{"wait: 3", 6, "wait: 3\n      ^"},
		{"\ta\x1b[2J\u202e\x00b", 3, " a·[2J··b\n   ^"},
		{long, 0, strings.Repeat("a", 19) + "…\n^"},
		{long + "b" + long, 300, "…aaaaaaaaab" + strings.Repeat("a", 8) + "…\n          ^"},
		{long + "b", 300, "…" + strings.Repeat("a", 18) + "b\n                   ^"},
		{long, 300, "…" + strings.Repeat("a", 19) + "\n                    ^"},
		{"", 5, "\n^"},
		{"roof 🏠 and 屋根 it", 8, "roof 🏠 and 屋根 it\n         ^"},
		{strings.Repeat("🏠", 15) + "b", 15, "…" + strings.Repeat("🏠", 8) + "b\n                 ^"},
		{"🏠" + long, 0, "🏠" + strings.Repeat("a", 17) + "…\n^"},
	} {
		shown, at := around(tt.line, tt.at, 20)
		if got := shown + "\n" + strings.Repeat(" ", at) + "^"; got != tt.want {
			t.Errorf("got\n%s\nwant\n%s", got, tt.want)
		}
	}
	if got := clipped(`"` + long + `"`); got != `"`+long[:60]+`…"` || clipped(`"b"`) != `"b"` {
		t.Errorf("got %s", got)
	}
}

func TestWordsAreTypedIntoAShell(t *testing.T) {
	for word, want := range map[string]string{
		"sequences/quote.md": "sequences/quote.md", "maria+x@example.com": "maria+x@example.com", "crlf file.md": "'crlf file.md'", "": "''",
		"o'brien@example.com": `'o'\''brien@example.com'`, "$HOME": "'$HOME'", "~x": "'~x'", "a~b": "a~b", "Übersicht.md": "Übersicht.md", "a&b": "'a&b'",
	} {
		if got := shell(word); got != want {
			t.Errorf("%q: got %s", word, got)
		}
	}
	var out bytes.Buffer
	(&app{out: &out}).next("nudge %s %s --all", command("lint --json"), "a b.md")
	if out.String() != "next: nudge lint --json 'a b.md' --all\n" {
		t.Errorf("got %q", out.String())
	}
}

// A long hint fits a screen, and a command in it can still be copied.
func TestWhatIsToldFitsAScreen(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"nudge list shows everybody", "nudge list shows everybody"},
		{"nudge import updates the fields of who is enrolled", "nudge import updates the fields of who\nis enrolled"},
		{`for example: nudge enroll quote m@example.com --name "Maria Lund" --set a=1`, "for example: nudge enroll quote \\\nm@example.com --name \"Maria Lund\" \\\n--set a=1"},
	} {
		if got := strings.Join(toldIn(39, tt.text), "\n"); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// The days of a plan are those of the mailbox; what somebody elsewhere sees on
// their own clock is told beside it.
func TestAPlanTellsOneClock(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	a := &app{out: &out, noColor: true}
	a.tellPlan(engine.PlanResult{
		Days: []engine.PlanDay{{Date: "2026-12-09", Count: 2}},
		Coming: []engine.Coming{
			{At: time.Date(2026, 12, 8, 22, 0, 0, 0, newYork), Action: "email", Address: "eva@x.example", Sequence: "winback", Step: "Still there?"},
			{At: time.Date(2026, 12, 9, 9, 0, 0, 0, berlin), Action: "call", Address: "pia@y.example", Sequence: "quote", Step: "Ring"},
		},
	}, berlin)
	want := "Wed 9 Dec\n  04:00 email eva@x.example, winback: Still there?, Tue 22:00 -05:00 there\n  09:00 call pia@y.example, quote: Ring\n"
	if !sameClock(time.Date(2026, 12, 9, 9, 0, 0, 0, berlin), time.Local) {
		want += "times are those of Europe/Berlin\n"
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
