package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"nudge/engine"
	"nudge/engine/bolt"
	"nudge/mailbox"
	"nudge/mailbox/localmail"
)

func TestMain(m *testing.M) {
	testscript.Main(leakFree{m}, map[string]func(){"nudge": main, "nobody": nobody})
}

// nobody is "nobody nudge command…": the command as a user from whom something
// may be kept, as nothing can be from root. What the script has belongs to them,
// from then on.
func nobody() {
	const nobody = 65534
	if work := os.Getenv("WORK"); os.Geteuid() == 0 {
		give := func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, nobody, nobody))
		}
		err := errors.Join(os.Chmod(filepath.Dir(work), 0o711), filepath.WalkDir(work, give), // the folder above is a private one
			syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(99)
		}
	}
	os.Args = os.Args[1:]
	main()
}

// leakFree are tests of which none may leave a goroutine behind, but for the one
// that waits for Ctrl-C as long as the process lives.
type leakFree struct{ *testing.M }

func (m leakFree) Run() int {
	code := m.M.Run()
	http.DefaultClient.CloseIdleConnections()
	idle := []goleak.Option{goleak.IgnoreTopFunction("nudge/cmd/nudge.quitOnInterrupt.func1"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop")}
	if err := goleak.Find(idle...); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestScripts runs the whole program as a person types it. Scripts are named
// after the command they are about; UPDATE=1 rewrites their golden output.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: os.Getenv("UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("TZ", "UTC")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each of some hundred commands waits a second under -race
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":      scriptCode,
			"localmail": scriptLocalmail,
			"await":     scriptAwait,
			"mails":     scriptMails,
			"deliver":   scriptDeliver,
			"dropword":  scriptDropWord,
			"freeze":    scriptFreeze,
			"signal":    scriptSignal,
			"exited":    scriptExited,
			"overdue":   scriptOverdue,
			"planned":   scriptPlanned,
			"read":      scriptRead,
			"mkfifo":    scriptMkfifo,
			"mkfile":    scriptMkfile,
			"bend":      scriptBend,
		},
	})
}

// scriptCode is "code N command…": the command ends with exit code N. What it
// prints is there for stdout, stderr and cmp as usual.
func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := err.(interface{ ExitCode() int }); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

const (
	salesAddress    = "sales@acme.test"
	prospectAddress = "pia@customer.test"
	mailboxPassword = "correct-horse-battery"
)

// scriptLocalmail starts a mail provider on loopback and points the config at
// it by its environment.
func scriptLocalmail(ts *testscript.TestScript, neg bool, args []string) {
	p, err := localmail.New(localmail.Options{})
	ts.Check(err)
	ts.Defer(func() { _ = p.Close() })
	p.AddMailbox(salesAddress, mailboxPassword)
	p.AddMailbox(prospectAddress, mailboxPassword)
	imap, smtp, err := p.Listen(mailbox.TLSImplicit)
	ts.Check(err)
	ts.Setenv("NUDGE_MAILBOX_IMAP", imap)
	ts.Setenv("NUDGE_MAILBOX_SMTP", smtp)
	ts.Check(p.CAFile(ts.MkAbs("ca.pem")))
	providers.Store(ts, p)
	ts.Defer(func() { providers.Delete(ts) })
}

// providers holds each running script's mail provider.
var providers sync.Map // *testscript.TestScript → *localmail.Provider

func providerOf(ts *testscript.TestScript) *localmail.Provider {
	p, ok := providers.Load(ts)
	if !ok {
		ts.Fatalf("start localmail first")
	}
	return p.(*localmail.Provider)
}

// scriptAwait is "await pattern command…": runs the command again and again
// until it succeeds and its output matches.
func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await pattern command [args...]")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	deadline := time.Now().Add(60 * time.Second)
	for {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if err == nil && pattern.MatchString(out) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("never matched %s: %v\n%s", args[0], err, out)
		}
	}
}

// scriptMails is "mails N": waits until the prospect has N mails, and writes
// the last one to mail.eml, and to mail.qp without the line breaks that
// quoted-printable adds.
func scriptMails(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	p := providerOf(ts)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	var mails []localmail.Message
	err = p.Wait(ctx, func() bool {
		mails = p.Messages(prospectAddress, "INBOX")
		return len(mails) >= want
	})
	if err != nil || len(mails) != want {
		ts.Fatalf("%d mails, want %d (%v)", len(mails), want, err)
	}
	if want > 0 {
		raw := mails[want-1].Raw
		ts.Check(os.WriteFile(ts.MkAbs("mail.eml"), raw, 0o600))
		ts.Check(os.WriteFile(ts.MkAbs("mail.qp"), bytes.ReplaceAll(raw, []byte("=\r\n"), nil), 0o600))
	}
}

// scriptDeliver is "deliver FILE": the prospect answers the last mail with the
// text of a file.
func scriptDeliver(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	mail := ts.ReadFile("mail.eml")
	id := regexp.MustCompile(`(?mi)^Message-ID: (\S+)`).FindStringSubmatch(mail)
	if id == nil {
		ts.Fatalf("mail.eml has no Message-ID")
	}
	raw := fmt.Sprintf("From: Pia <%s>\nTo: %s\nSubject: Re: Quote\nMessage-ID: <%d@customer.test>\nIn-Reply-To: %s\nDate: %s\n\n%s",
		prospectAddress, salesAddress, time.Now().UnixNano(), id[1], time.Now().Format(time.RFC1123Z), text)
	ts.Check(providerOf(ts).Deliver(salesAddress, "INBOX", []byte(strings.ReplaceAll(raw, "\n", "\r\n"))))
}

// scriptDropWord makes the provider take the next mail and cut the connection
// before it says so.
func scriptDropWord(ts *testscript.TestScript, neg bool, args []string) {
	providerOf(ts).Break(localmail.Fault{Side: localmail.SMTP, Phase: localmail.PhaseDot, Drop: true, Accept: true, Times: 1})
}

// scriptFreeze makes the provider's IMAP side fall silent.
func scriptFreeze(ts *testscript.TestScript, neg bool, args []string) {
	providerOf(ts).Freeze(localmail.IMAP)
}

// scriptSignal is "signal INT|TERM|HUP|KILL|STOP|CONT", to the one command in the background.
// After "wait NAME", "exited N" says with which code it ended, and that it did
// so at once.
func scriptSignal(ts *testscript.TestScript, neg bool, args []string) {
	running := ts.BackgroundCmds()
	if len(running) != 1 {
		ts.Fatalf("%d commands in the background, want 1", len(running))
	}
	sig, ok := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL,
		"STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT}[args[0]]
	if !ok {
		ts.Fatalf("unknown signal %s", args[0])
	}
	ts.Check(running[0].Process.Signal(sig))
	signalled.Store(ts, signalledCommand{running[0], time.Now()})
}

// signalledCommand is a script's command in the background, and when it got
// its signal.
type signalledCommand struct {
	cmd *exec.Cmd
	at  time.Time
}

var signalled sync.Map // *testscript.TestScript → signalledCommand

// endPatience is how long a signalled command may take to end: the promise is a
// second, the rest is for a machine that is busy with other tests.
const endPatience = 20 * time.Second

func scriptExited(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	found, ok := signalled.LoadAndDelete(ts)
	if !ok {
		ts.Fatalf("nothing was signalled")
	}
	ended := found.(signalledCommand)
	if got := ended.cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	if took := time.Since(ended.at); took > endPatience {
		ts.Fatalf("it took %s to end", took)
	}
}

// scriptOverdue is "overdue": everybody who is active in state/nudge.db is held
// as long overdue, as after weeks in which nothing could be sent.
func scriptOverdue(ts *testscript.TestScript, neg bool, args []string) {
	store, err := bolt.Open(ts.MkAbs("state/nudge.db"), bolt.Options{})
	ts.Check(err)
	defer store.Close()
	active, err := store.Enrollments(engine.Filter{State: engine.Active})
	ts.Check(err)
	for _, en := range active {
		_, err := store.Change([]string{en.ID}, func(en engine.Enrollment) (engine.Enrollment, []engine.Event) {
			return en.FallBehind(true, time.Now())
		})
		ts.Check(err)
	}
}

// scriptPlanned is "planned TIME DAYS FILE": what nudge plan prints at another
// time than now; where FILE ends in .json, with --json.
func scriptPlanned(ts *testscript.TestScript, neg bool, args []string) {
	now, err := time.Parse(time.RFC3339, args[0])
	ts.Check(err)
	days, err := strconv.Atoi(args[1])
	ts.Check(err)
	c, err := readConfig(ts.MkAbs("nudge.toml"), nil)
	ts.Check(err)
	set, err := c.resolve()
	ts.Check(err)
	store, err := bolt.Open(ts.MkAbs("state/nudge.db"), bolt.Options{})
	ts.Check(err)
	defer store.Close()
	set.sequences = ts.MkAbs("sequences")
	desk, err := newDesk(set, store)
	ts.Check(err)
	desk.Now = func() time.Time { return now }
	result, err := desk.Plan(context.Background(), engine.PlanRequest{Days: days})
	ts.Check(err)
	var out bytes.Buffer
	if a := (&app{out: &out, noColor: true}); strings.HasSuffix(args[2], ".json") {
		ts.Check(a.writeJSON(result.Coming))
	} else {
		a.tellPlan(result, set.mailboxes[0].engine.Location)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), out.Bytes(), 0o600))
}

// scriptRead is "read FILE.eml": the mail was found in INBOX and judged, as a
// daemon does, and state/nudge.db knows it.
func scriptRead(ts *testscript.TestScript, neg bool, args []string) {
	store, err := bolt.Open(ts.MkAbs("state/nudge.db"), bolt.Options{})
	ts.Check(err)
	defer store.Close()
	in := mailbox.Classify([]byte(ts.ReadFile(args[0])))
	in.Folder, in.UIDValidity, in.UID, in.Arrived = "INBOX", 1, 7, time.Now()
	keys := []string{engine.AddressKey(in.From[0])}
	known, err := store.Known(in.References, keys)
	ts.Check(err)
	known.Kin, err = store.Related(keys, nil)
	ts.Check(err)
	days := func(engine.Enrollment) engine.Days { return engine.Days{Location: time.UTC} }
	effects := engine.Judge(in, engine.FindMatches(in, known), known, days, engine.Replies{}, time.Now())
	ts.Check(store.Apply(engine.Sweep{Mailbox: "sales", At: time.Now(), Effects: effects}))
}

// scriptMkfifo is "mkfifo FILE": a pipe in which nothing ever comes.
func scriptMkfifo(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(syscall.Mkfifo(ts.MkAbs(args[0]), 0o600))
}

// scriptMkfile is "mkfile FILE BYTES": a file of that size.
func scriptMkfile(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Repeat([]byte("words "), n/6), 0o600))
}

// scriptBend is "bend FILE": the disk has lost what was behind the first two pages.
func scriptBend(ts *testscript.TestScript, neg bool, args []string) {
	whole := []byte(ts.ReadFile(args[0]))
	clear(whole[2*os.Getpagesize():])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), whole, 0o600))
}

// TestEveryCommandHasTwoExamples holds the help to its promise, and the
// examples to commands that exist.
func TestEveryCommandHasTwoExamples(t *testing.T) {
	root := (&app{}).root()
	doubt, _, err := root.Find([]string{"doubt"})
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range append(root.Commands(), doubt.Commands()...) {
		if cmd.Name() == "completion" || cmd.Name() == "help" {
			continue
		}
		examples := examplesOf(cmd)
		if len(examples) != 2 {
			t.Errorf("%s has %d examples", cmd.Name(), len(examples))
		}
		for _, example := range examples {
			words := strings.Fields(example)
			found, _, err := root.Find(words[1:])
			if err != nil || words[0] != "nudge" || found == root {
				t.Errorf("%s: example %q is no command", cmd.Name(), example)
			}
		}
		if cmd.Short == "" || cmd.GroupID == "" && cmd.Parent() == root {
			t.Errorf("%s has no short text or no group", cmd.Name())
		}
	}
}

// Commands are all that somebody can type behind "nudge", for the tests that see
// the program from outside.
func Commands() []string {
	var typed []string
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if _, words, below := strings.Cut(cmd.CommandPath(), " "); below && cmd.Runnable() {
			typed = append(typed, words)
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	root := (&app{}).root()
	root.InitDefaultHelpCmd()
	walk(root)
	return typed
}

// TestScriptsAreNamedAfterCommands keeps the folder searchable.
func TestScriptsAreNamedAfterCommands(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	root := (&app{}).root()
	covered := map[string]bool{}
	for _, script := range scripts {
		name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(script), ".txtar"), "_")
		if name != "nudge" && name != "config" && !hasCommand(root, name) {
			t.Errorf("%s is named after no command", script)
		}
		covered[name] = true
	}
	for _, cmd := range root.Commands() {
		if name := cmd.Name(); !covered[name] && name != "completion" && name != "help" && name != "demo" {
			t.Errorf("no script is about %s", name)
		}
	}
}
