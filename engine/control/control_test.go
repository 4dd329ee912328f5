package control_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"nudge/engine"
	"nudge/engine/control"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is an Operator that notes what it was asked and answers what it was
// told to.
type desk struct {
	asked  []any
	answer any
	err    error
	began  chan struct{} // when set, closed by the first question
	wait   chan struct{} // when set, answers come only after it was closed, or after ctx was done
}

func reply[A any](d *desk, ctx context.Context, asked ...any) (A, error) {
	d.asked = asked
	if d.began != nil {
		close(d.began)
	}
	if d.wait != nil {
		select {
		case <-d.wait:
		case <-ctx.Done():
			var none A
			return none, ctx.Err()
		}
	}
	a, _ := d.answer.(A)
	return a, d.err
}

func (d *desk) Enroll(ctx context.Context, q engine.EnrollRequest) (engine.View, error) {
	return reply[engine.View](d, ctx, q)
}
func (d *desk) Import(ctx context.Context, q engine.ImportRequest) (engine.ImportResult, error) {
	return reply[engine.ImportResult](d, ctx, q)
}
func (d *desk) List(ctx context.Context, f engine.Filter) ([]engine.View, error) {
	return reply[[]engine.View](d, ctx, f)
}
func (d *desk) Show(ctx context.Context, address string) (engine.Story, error) {
	return reply[engine.Story](d, ctx, address)
}
func (d *desk) SentTouches(ctx context.Context, address string) ([]engine.SentTouch, error) {
	return reply[[]engine.SentTouch](d, ctx, address)
}
func (d *desk) Status(ctx context.Context) (engine.Status, error) {
	return reply[engine.Status](d, ctx)
}
func (d *desk) Log(ctx context.Context, after uint64, limit int) ([]engine.Event, error) {
	return reply[[]engine.Event](d, ctx, after, limit)
}
func (d *desk) Stop(ctx context.Context, address, sequence string) ([]engine.View, error) {
	return reply[[]engine.View](d, ctx, address, sequence)
}
func (d *desk) Pause(ctx context.Context, s engine.Scope) (int, error) {
	return reply[int](d, ctx, "pause", s)
}
func (d *desk) Resume(ctx context.Context, s engine.Scope) (int, error) {
	return reply[int](d, ctx, "resume", s)
}
func (d *desk) Doubts(ctx context.Context) ([]engine.Doubt, error) {
	return reply[[]engine.Doubt](d, ctx)
}
func (d *desk) ResolveDoubt(ctx context.Context, id string, v engine.DoubtVerdict) (engine.View, error) {
	return reply[engine.View](d, ctx, id, v)
}
func (d *desk) Reload(ctx context.Context, req engine.ReloadRequest) (engine.ReloadResult, error) {
	return reply[engine.ReloadResult](d, ctx, req)
}

func (d *desk) NotAReply(ctx context.Context, q engine.NotAReplyRequest) (engine.NotAReplyResult, error) {
	return reply[engine.NotAReplyResult](d, ctx, q)
}
func (d *desk) Why(ctx context.Context, address string) ([]engine.Explanation, error) {
	return reply[[]engine.Explanation](d, ctx, "why", address)
}
func (d *desk) Act(ctx context.Context, q engine.ActRequest) (engine.View, error) {
	return reply[engine.View](d, ctx, q)
}
func (d *desk) Today(ctx context.Context) (engine.Agenda, error) {
	return reply[engine.Agenda](d, ctx)
}
func (d *desk) Plan(ctx context.Context, q engine.PlanRequest) (engine.PlanResult, error) {
	return reply[engine.PlanResult](d, ctx, q)
}
func (d *desk) Suppress(ctx context.Context, q engine.SuppressRequest) (engine.SuppressResult, error) {
	return reply[engine.SuppressResult](d, ctx, q)
}
func (d *desk) Suppressions(ctx context.Context) ([]engine.Suppression, error) {
	return reply[[]engine.Suppression](d, ctx)
}
func (d *desk) CatchUp(ctx context.Context, q engine.CatchUpRequest) (engine.CatchUpResult, error) {
	return reply[engine.CatchUpResult](d, ctx, q)
}
func (d *desk) Backup(ctx context.Context, path string) (engine.BackupResult, error) {
	return reply[engine.BackupResult](d, ctx, path)
}
func (d *desk) Verify(ctx context.Context) ([]string, error) { return reply[[]string](d, ctx) }

// serve runs a server for the length of a test and returns its socket.
func serve(t *testing.T, op engine.Operator) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nudge.db.sock")
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		server := control.Server{Operator: op, Log: slog.New(slog.DiscardHandler)}
		if err := server.Serve(ctx, l); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); serving.Wait() })
	return path
}

func dial(t *testing.T, path string) *control.Client {
	t.Helper()
	c, err := control.Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var (
	at   = time.Date(2026, 11, 24, 9, 0, 0, 0, time.FixedZone("", 3600))
	view = engine.View{ID: "7", Sequence: "quote", Address: "maria@example.com", Name: "Maria Lund", Fields: map[string]string{"quote_no": "1042"},
		Mailbox: "sales", State: engine.Active, Touches: 1, LastTouchAt: &at, Next: &engine.Next{Action: "email", Step: "Close", At: &at, Why: "5 business days"}}
	event = engine.Event{Seq: 9, At: at, Kind: engine.EventSent, Enrollment: "7", Address: "maria@example.com", Sequence: "quote", Step: "Close",
		MessageID: "a@b", Detail: map[string]string{"server": "250 ok"}}
)

// calls are all of Operator's methods, each with values that must arrive whole
// on either side.
var calls = []struct {
	name   string
	do     func(context.Context, engine.Operator) (any, error)
	asked  []any
	answer any
}{
	{"enroll", func(ctx context.Context, op engine.Operator) (any, error) {
		return op.Enroll(ctx, engine.EnrollRequest{Sequence: "quote", Address: "å@b.se", Name: "Å", Fields: map[string]string{"a": "1"}, At: at})
	}, []any{engine.EnrollRequest{Sequence: "quote", Address: "å@b.se", Name: "Å", Fields: map[string]string{"a": "1"}, At: at}}, view},
	{"import", func(ctx context.Context, op engine.Operator) (any, error) {
		return op.Import(ctx, engine.ImportRequest{Sequence: "quote", DryRun: true, Rows: []engine.ImportRow{{Row: 2, Address: "a@b.se"}}})
	}, []any{engine.ImportRequest{Sequence: "quote", DryRun: true, Rows: []engine.ImportRow{{Row: 2, Address: "a@b.se"}}}},
		engine.ImportResult{Enrolled: 1, Updated: 2, Skipped: 3, Rejected: []engine.RejectedRow{{Row: 4, Column: "email", Reason: "no"}}}},
	{"list", func(ctx context.Context, op engine.Operator) (any, error) {
		return op.List(ctx, engine.Filter{State: engine.Held, Sequence: "quote", Mailbox: "sales", Key: "k", Limit: 5})
	}, []any{engine.Filter{State: engine.Held, Sequence: "quote", Mailbox: "sales", Key: "k", Limit: 5}}, []engine.View{view}},
	{"show", func(ctx context.Context, op engine.Operator) (any, error) { return op.Show(ctx, "maria@example.com") },
		[]any{"maria@example.com"}, engine.Story{Enrollments: []engine.View{view}, History: []engine.Event{event}}},
	{"sent", func(ctx context.Context, op engine.Operator) (any, error) {
		return op.SentTouches(ctx, "maria@example.com")
	},
		[]any{"maria@example.com"}, []engine.SentTouch{{Enrollment: "7", Step: "first", At: at, Size: 3, Raw: []byte("a\r\n")}}},
	{"status", func(ctx context.Context, op engine.Operator) (any, error) { return op.Status(ctx) }, nil,
		engine.Status{Deliver: "live", Running: true, Mailboxes: []engine.MailboxStatus{{Name: "sales", IMAP: engine.IMAPStatus{State: "ok", SweptAt: &at}}},
			Counts: engine.Counts{Active: 1}, Next: &engine.Upcoming{At: at, Address: "a@b.se"}, Notices: []string{"x"}}},
	{"log", func(ctx context.Context, op engine.Operator) (any, error) { return op.Log(ctx, 1<<63, 100) },
		[]any{uint64(1 << 63), 100}, []engine.Event{event}},
	{"stop", func(ctx context.Context, op engine.Operator) (any, error) { return op.Stop(ctx, "a@b.se", "quote") },
		[]any{"a@b.se", "quote"}, []engine.View{view}},
	{"pause", func(ctx context.Context, op engine.Operator) (any, error) {
		return op.Pause(ctx, engine.Scope{Mailbox: "m", Sequence: "s", Person: "p"})
	}, []any{"pause", engine.Scope{Mailbox: "m", Sequence: "s", Person: "p"}}, 3},
	{"resume", func(ctx context.Context, op engine.Operator) (any, error) { return op.Resume(ctx, engine.Scope{}) },
		[]any{"resume", engine.Scope{}}, 4},
	{"doubts", func(ctx context.Context, op engine.Operator) (any, error) { return op.Doubts(ctx) }, nil,
		[]engine.Doubt{{Enrollment: "7", Address: "a@b.se", ClaimedAt: at, Why: "lost"}}},
	{"resolve", func(ctx context.Context, op engine.Operator) (any, error) {
		return op.ResolveDoubt(ctx, "7", engine.DoubtResend)
	}, []any{"7", engine.DoubtResend}, view},
	{"suppress", func(ctx context.Context, op engine.Operator) (any, error) {
		return op.Suppress(ctx, engine.SuppressRequest{Target: "@b.se", Why: "w", Remove: true, Force: true})
	}, []any{engine.SuppressRequest{Target: "@b.se", Why: "w", Remove: true, Force: true}}, engine.SuppressResult{Target: "@b.se", Stopped: 2}},
	{"not-a-reply", func(ctx context.Context, op engine.Operator) (any, error) {
		return op.NotAReply(ctx, engine.NotAReplyRequest{Target: "m@x.se", Force: true})
	}, []any{engine.NotAReplyRequest{Target: "m@x.se", Force: true}},
		engine.NotAReplyResult{Incoming: "m@x.se", Enrollments: []engine.View{view}}},
	{"why", func(ctx context.Context, op engine.Operator) (any, error) { return op.Why(ctx, "maria@example.com") },
		[]any{"why", "maria@example.com"}, []engine.Explanation{{Enrollment: view, At: &at, Because: &event,
			Facts: []engine.Fact{{About: "wait", Words: "3 days", No: true}}}}},
	{"suppressions", func(ctx context.Context, op engine.Operator) (any, error) { return op.Suppressions(ctx) }, nil,
		[]engine.Suppression{{Target: "a@b.se", Why: "unsubscribed", At: at}}},
	{"catch-up", func(ctx context.Context, op engine.Operator) (any, error) {
		return op.CatchUp(ctx, engine.CatchUpRequest{Answer: engine.CatchUpSkip, Address: "a@b.se", Sequence: "quote"})
	}, []any{engine.CatchUpRequest{Answer: engine.CatchUpSkip, Address: "a@b.se", Sequence: "quote"}},
		engine.CatchUpResult{Overdue: []engine.Overdue{{Address: "a@b.se", Sequence: "quote", Step: "Close", Due: at}}}},
	{"act", func(ctx context.Context, op engine.Operator) (any, error) {
		return op.Act(ctx, engine.ActRequest{Verb: engine.SaySnooze, Address: "a@b.se", Sequence: "quote", Until: "friday", Reason: "r"})
	}, []any{engine.ActRequest{Verb: engine.SaySnooze, Address: "a@b.se", Sequence: "quote", Until: "friday", Reason: "r"}}, view},
	{"plan", func(ctx context.Context, op engine.Operator) (any, error) {
		return op.Plan(ctx, engine.PlanRequest{Days: 7})
	}, []any{engine.PlanRequest{Days: 7}}, engine.PlanResult{Coming: []engine.Coming{{At: at, Address: "a@b.se", Action: "email", Held: "unsure"}},
		Days: []engine.PlanDay{{Date: "2026-11-24", Why: "weekend", Holiday: "x", Moved: 3}}}},
	{"today", func(ctx context.Context, op engine.Operator) (any, error) { return op.Today(ctx) }, nil,
		engine.Agenda{Tasks: []engine.AgendaTask{{Address: "a@b.se", Action: "call", Text: "Call", OpenedAt: at, Due: &at}}, Answers: []engine.View{view}}},
	{"backup", func(ctx context.Context, op engine.Operator) (any, error) { return op.Backup(ctx, "/var/b.db") }, []any{"/var/b.db"},
		engine.BackupResult{Path: "/var/b.db", Bytes: 1 << 40, Enrollments: 3, At: at}},
	{"verify", func(ctx context.Context, op engine.Operator) (any, error) { return op.Verify(ctx) }, nil, []string{"one", "two"}},
	{"reload", func(ctx context.Context, op engine.Operator) (any, error) {
		return op.Reload(ctx, engine.ReloadRequest{DryRun: true, Sum: "1f"})
	}, []any{engine.ReloadRequest{DryRun: true, Sum: "1f"}},
		engine.ReloadResult{Loaded: 2, Broken: []string{"a.md:1:1: x"}, Sum: "1f", Changes: []engine.SequenceChange{
			{Sequence: "quote", Change: engine.FileChanged, Added: []string{"a"}, UnderWay: 3, NewWords: 1}}}},
}

func TestEveryMethodArrivesWhole(t *testing.T) {
	for _, call := range calls {
		t.Run(call.name, func(t *testing.T) {
			d := &desk{answer: call.answer}
			got, err := call.do(t.Context(), dial(t, serve(t, d)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(call.answer, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(call.asked, d.asked); diff != "" {
				t.Errorf("question (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsKeepTheirSentinelAndTheirWords(t *testing.T) {
	for _, sentinel := range []error{engine.ErrInvalid, engine.ErrBroken, engine.ErrNotFound, engine.ErrSuppressed, engine.ErrEnrolled, engine.ErrEnded} {
		d := &desk{err: fmt.Errorf("layer: %w", &engine.RefusalError{Err: sentinel, What: "what is wrong", Hint: "what to do"})}
		c := dial(t, serve(t, d))
		for _, call := range calls {
			_, err := call.do(t.Context(), c)
			refusal, ok := errors.AsType[*engine.RefusalError](err)
			if !errors.Is(err, sentinel) || !ok || refusal.What != "what is wrong" || refusal.Hint != "what to do" {
				t.Errorf("%s: %v became %#v", call.name, sentinel, err)
			}
		}
	}
}

func TestABareSentinelAndAPlainErrorArriveToo(t *testing.T) {
	d := &desk{err: fmt.Errorf("enrollment 7: %w", engine.ErrNotFound)}
	c := dial(t, serve(t, d))
	if _, err := c.Show(t.Context(), "a@b.se"); !errors.Is(err, engine.ErrNotFound) || err.Error() != "enrollment 7: nothing matched" {
		t.Errorf("got %v", err)
	}
	d.err = errors.New("disk full")
	_, err := c.Show(t.Context(), "a@b.se")
	if _, refusal := errors.AsType[*engine.RefusalError](err); refusal || err == nil || err.Error() != "the daemon answered: disk full" {
		t.Errorf("got %v", err)
	}
}

func TestWhatNoPersonCanMendIsToldToTheDaemon(t *testing.T) {
	var told []error
	path := filepath.Join(t.TempDir(), "s.sock")
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{err: fmt.Errorf("enrollment 7: %w", engine.ErrNotFound)}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		server := control.Server{Operator: d, Log: slog.New(slog.DiscardHandler), Failed: func(err error) { told = append(told, err) }}
		if err := server.Serve(ctx, l); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	c := dial(t, path)
	_, _ = c.Show(ctx, "a@b.se")
	d.err = errors.New("disk full")
	_, _ = c.Show(ctx, "a@b.se")
	cancel()
	serving.Wait()
	if len(told) != 1 || told[0] != d.err {
		t.Errorf("told %v", told)
	}
}

func TestALongCallOutlastsThePatienceWithShortOnes(t *testing.T) {
	d := &desk{answer: engine.BackupResult{Bytes: 1}, began: make(chan struct{}), wait: make(chan struct{})}
	c := dial(t, serve(t, d))
	c.SetPatience(time.Nanosecond)
	go func() { <-d.began; close(d.wait) }()
	if done, err := c.Backup(t.Context(), "/b.db"); err != nil || done.Bytes != 1 {
		t.Errorf("%v, %v", done, err)
	}
}

func TestDialIsQuickAndSaysThatNothingListens(t *testing.T) {
	began := time.Now()
	_, err := control.Dial(filepath.Join(t.TempDir(), "none.sock"))
	if !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("no socket: %v", err)
	}
	if _, err := control.Dial(stale(t)); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("stale socket: %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %s", took)
	}
}

// stale leaves the socket of a daemon that died.
func stale(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stale.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestListenTakesOverFromTheDeadButNotFromTheLiving(t *testing.T) {
	path := stale(t)
	l, err := control.Listen(path)
	if err != nil {
		t.Fatalf("stale socket: %v", err)
	}
	if _, err := control.Listen(path); !errors.Is(err, control.ErrRunning) {
		t.Errorf("living daemon: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket was left behind: %v", err)
	}
}

func TestListenRefusesWhatIsNotSafe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nudge.db.sock")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(file); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("a file in the way: %v", err)
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(filepath.Join(open, "s.sock")); err == nil || !strings.Contains(err.Error(), "may be written by everybody") {
		t.Errorf("a directory open to all: %v", err)
	}
	if _, err := control.Listen(filepath.Join(open, "missing", "s.sock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

func TestSocketPathFitsIntoASocketAddress(t *testing.T) {
	if got := control.SocketPath("/var/lib/nudge/nudge.db"); got != "/var/lib/nudge/nudge.db.sock" {
		t.Errorf("got %s", got)
	}
	long := "/" + strings.Repeat("x", 200) + "/nudge.db"
	got := control.SocketPath(long)
	if len(got) > 100 || got == control.SocketPath(long+"2") || got != control.SocketPath(long) {
		t.Errorf("got %s", got)
	}
}

func TestAnEndingDaemonLetsGoOfAnAnswerThatNeverComes(t *testing.T) {
	d := &desk{began: make(chan struct{}), wait: make(chan struct{})} // wait is never closed: only the daemon's end releases it
	path := filepath.Join(t.TempDir(), "nudge.db.sock")
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		server := control.Server{Operator: d, Log: slog.New(slog.DiscardHandler)}
		served <- server.Serve(ctx, l)
	}()
	asked := make(chan error, 1)
	go func() {
		_, err := dial(t, path).Status(t.Context())
		asked <- err
	}()
	<-d.began
	cancel()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if err := <-asked; !errors.Is(err, control.ErrGone) && (err == nil || !strings.Contains(err.Error(), "the daemon answered")) {
		t.Errorf("the client heard %v", err)
	}
	if _, err := control.Dial(path); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("afterwards: %v", err)
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	d := &desk{wait: make(chan struct{})}
	c := dial(t, serve(t, d))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Status(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(d.wait)
}

func TestAClientWhoseDaemonEndedSaysSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, path)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context()); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("got %v", err)
	}
}

func TestTheServerRefusesWhatItDoesNotUnderstand(t *testing.T) {
	path := serve(t, &desk{answer: view})
	tests := []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"an unknown question", "POST", "/v1/explode", "{}", 404, ""},
		{"a GET", "GET", "/v1/status", "", 405, ""},
		{"no JSON", "POST", "/v1/status", "hello", 400, "makes no sense"},
		{"an unknown key", "POST", "/v1/enroll", `{"sequnce":"quote"}`, 400, "sequnce"},
		{"two values", "POST", "/v1/status", "{} {}", 400, "something follows"},
		{"too much", "POST", "/v1/enroll", `{"name":"` + strings.Repeat("x", 2<<20) + `"}`, 400, "too large"},
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://x"+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body := make([]byte, 1000)
			n, _ := resp.Body.Read(body)
			if resp.StatusCode != tt.status || !strings.Contains(string(body[:n]), tt.says) {
				t.Errorf("%d %s", resp.StatusCode, body[:n])
			}
		})
	}
	big := engine.EnrollRequest{Name: strings.Repeat("x", 2<<20)}
	if _, err := dial(t, path).Enroll(t.Context(), big); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("the client sends it nevertheless: %v", err)
	}
}

// Package net has two errors for a connection that was not made in time: which
// one comes depends on whether the time was over before it was begun.
func TestADaemonThatIsNotReachedInTimeIsSaidNotToAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nudge.db.sock")
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, before := net.DialTimeout("unix", path, time.Nanosecond)
	during := &net.OpError{Op: "dial", Net: "unix", Err: os.ErrDeadlineExceeded}
	for _, late := range []error{before, during} {
		if err := control.DialError(path, late); !errors.Is(err, control.ErrSilent) {
			t.Errorf("%v became %v", late, err)
		}
	}
}

func TestADaemonThatHangsIsSaidNotToAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nudge.db.sock")
	l, err := control.Listen(path) // takes calls and never answers, as a stopped process does
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := dial(t, path)
	c.SetPatience(20 * time.Millisecond)
	_, err = c.Status(t.Context())
	if !errors.Is(err, control.ErrSilent) || err.Error() != "the daemon on "+path+" does not answer" {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who gave up got %v", err)
	}
}
