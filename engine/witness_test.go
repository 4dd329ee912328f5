package engine_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"nudge/engine"
	"nudge/engine/bolt"
)

// snapshot copies the state as it is on disk.
func (o *office) snapshot() []byte {
	o.t.Helper()
	path := o.t.TempDir() + "/copy.db"
	if _, err := o.store.(*bolt.Store).Backup(path, o.now); err != nil {
		o.t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		o.t.Fatal(err)
	}
	return b
}

// restore puts a snapshot back in the place of the state.
func (o *office) restore(snapshot []byte) {
	o.t.Helper()
	if err := o.store.(*bolt.Store).Close(); err != nil {
		o.t.Fatal(err)
	}
	if err := os.WriteFile(o.path, snapshot, 0o600); err != nil {
		o.t.Fatal(err)
	}
	o.store = nil
	o.restart()
}

func TestARestoredStateLearnsFromSentWhatLeft(t *testing.T) {
	for _, rewrites := range []bool{false, true} {
		o := newOffice(t)
		o.provesThatItKeeps()
		o.enroll("per@kund.example")
		old := o.snapshot()
		o.rewrites = rewrites
		o.mustTick() // the first touch leaves
		o.restore(old)
		o.run(time.Hour)
		if rewrites {
			o.wants("per@kund.example", engine.Held, engine.Restored, 1)
			continue
		}
		o.wants("per@kund.example", engine.Active, "", 1)
		o.run(20 * day)
		o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
	}
}

func TestARestoredStateWithoutSentAsks(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.enroll("eva@other.example")
	o.mustTick()
	old := o.snapshot()
	o.run(3*day + time.Hour) // the second touches leave
	o.restore(old)
	o.run(20 * day)
	o.wants("per@kund.example", engine.Held, engine.Restored, 2)
	o.wants("eva@other.example", engine.Held, engine.Restored, 2)
}

// The mailbox is read as ever, but for the look back at what was sent.
func TestARestoredStateSendsNothingWhileSentCannotBeRead(t *testing.T) {
	o := newOffice(t)
	o.provesThatItKeeps()
	for _, addr := range []string{"per@kund.example", "eva@other.example", "zoe@far.example"} {
		o.enroll(addr)
	}
	old := o.snapshot()
	o.onOpen = func(e engine.Email) error { // zoe's stays due
		if e.To == "zoe@far.example" {
			return &engine.SendError{Phase: engine.PhaseRcpt, Outcome: engine.Deferred, Code: 451, Err: errors.New("try again later")}
		}
		return nil
	}
	o.mustTick()
	if o.sentTo("per@kund.example") != 1 || o.sentTo("eva@other.example") != 1 || o.sentTo("zoe@far.example") != 0 {
		t.Fatal("per's and eva's first touches have not left alone")
	}
	o.onOpen, o.sentDown = nil, errors.New("Sent: server too busy")
	o.restore(old)
	down, data := o.now, o.data
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"eva@other.example"}, Arrived: o.now})
	for o.now.Sub(down) < day {
		o.down = errors.New("connection refused") // one look that fails hides nothing of it
		o.mustTick()
		o.down = nil
		o.run(time.Hour)
		status, err := o.desk.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if h := o.engine.Health(); !strings.Contains(h.IMAPError, "read the sent mail: Sent: server too busy") || !h.IMAPSince.Equal(down) {
			t.Fatalf("health %+v, want the trouble with Sent since %s", h, down)
		}
		if imap := status.Mailboxes[0].IMAP; imap.State != "down" || !strings.Contains(imap.Error, "Sent: server too busy") ||
			!strings.Contains(strings.Join(status.Notices, "\n"), "nothing is sent until the daemon has read its Sent folder") {
			t.Fatalf("status %+v, %q", imap, status.Notices)
		}
	}
	if o.data != data {
		t.Errorf("DATA was begun %d times while Sent could not be read", o.data-data)
	}
	o.wants("eva@other.example", engine.Stopped, engine.Replied, 1)

	o.sentDown = nil
	o.onOpen = func(engine.Email) error {
		if h := o.engine.Health(); h.IMAPError != "" || !h.IMAPSince.IsZero() {
			t.Errorf("health %+v although Sent was read", h)
		}
		return nil
	}
	o.run(time.Hour)
	o.wants("zoe@far.example", engine.Active, "", 1)
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
	o.wants("zoe@far.example", engine.Finished, engine.NoAnswer, 3)
	o.wants("eva@other.example", engine.Stopped, engine.Replied, 1)
	seen := map[string]bool{}
	for _, d := range o.ledger {
		if seen[d.id] {
			t.Errorf("%s got %s twice", d.to, d.id)
		}
		seen[d.id] = true
	}
}

func TestARestoredStateAsksNobodyWhoseNextTouchIsToCome(t *testing.T) {
	o := newOffice(t)
	o.enroll("eva@other.example")
	o.mustTick()
	o.enroll("per@kund.example")
	old := o.snapshot()
	o.mustTick() // per's first touch leaves; eva's second is three days away
	o.restore(old)
	o.run(20 * day)
	o.wants("per@kund.example", engine.Held, engine.Restored, 1)
	o.wants("eva@other.example", engine.Finished, engine.NoAnswer, 3)
}

func TestARestoredStateForgetsNoAnswerAndNoOptOut(t *testing.T) {
	o := newOffice(t)
	o.provesThatItKeeps()
	for _, addr := range []string{"per@kund.example", "eva@other.example"} {
		o.enroll(addr)
	}
	old := o.snapshot()
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "r1", From: []string{"per@kund.example"}, Arrived: o.now})
	o.deliver("INBOX", engine.Incoming{MessageID: "r2", From: []string{"eva@other.example"}, Kind: engine.Unsubscribe, Arrived: o.now})
	o.mustTick()
	o.folders["INBOX"] = nil // the owner cleans up
	o.restore(old)
	o.run(20 * day)
	if n := o.sentTo("eva@other.example"); n != 1 {
		t.Errorf("%d mails to somebody who opted out before the restore, want the 1 of before", n)
	}
	if _, err := o.desk.Enroll(t.Context(), engine.EnrollRequest{Sequence: "quote", Address: "eva@other.example", Name: "Eva",
		Fields: map[string]string{"quote_no": "1"}}); !errors.Is(err, engine.ErrSuppressed) {
		t.Errorf("enrolling somebody who opted out: %v, want %v", err, engine.ErrSuppressed)
	}
}

// The whole machine is rolled back: state, witness file and all.
func TestAMachineRolledBackLearnsFromSent(t *testing.T) {
	for _, tt := range []struct {
		name            string
		tidied          bool // the owner has moved what was sent to a folder of his own
		strips, renames bool // the provider's copies lack our mark; have an id of its own beside ours
		login           bool // and name as the sender who logged in
		tooMany         bool // Sent holds more than is read at once
	}{
		{name: "as it was"},
		{name: "tidied", tidied: true},
		{name: "copies without our mark", strips: true},
		{name: "copies with our id as their former one", strips: true, renames: true},
		{name: "copies that name who logged in", strips: true, login: true},
		{name: "more than is read at once", tooMany: true},
		{name: "more than is read at once, without our mark", strips: true, tooMany: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t)
			o.provesThatItKeeps()
			o.strips = tt.strips
			o.enroll("per@kund.example")
			old := o.snapshot()
			witness, err := os.ReadFile(o.path + ".instance")
			if err != nil {
				t.Fatal(err)
			}
			o.run(3*day + time.Hour) // two touches leave
			if tt.tidied {
				o.folders["Sent"] = slices.DeleteFunc(o.folders["Sent"], func(in engine.Incoming) bool { return in.UID < 6 })
			}
			if tt.renames {
				for i, in := range o.folders["Sent"] {
					o.folders["Sent"][i].MessageID, o.folders["Sent"][i].OriginalID = fmt.Sprintf("given-%d@provider.example", i), in.MessageID
				}
			}
			if tt.login {
				for i := range o.folders["Sent"] {
					o.folders["Sent"][i].From = append(o.folders["Sent"][i].From, "login@provider.example")
				}
			}
			if tt.tooMany {
				o.sentDown = fmt.Errorf("%w: over 50,000", engine.ErrTooMany)
			}
			if err := o.store.(*bolt.Store).Close(); err != nil {
				t.Fatal(err)
			}
			for path, b := range map[string][]byte{o.path: old, o.path + ".instance": witness} {
				if err := os.WriteFile(path, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			o.store = nil
			o.restart()
			diary := &strings.Builder{}
			o.engine.Log = slog.New(slog.NewTextHandler(diary, nil))
			o.run(20 * day)
			if n := strings.Count(diary.String(), "state compared with the sent mail"); n > 2 {
				t.Errorf("compared with Sent %d times", n)
			}
			if n := o.sentTo("per@kund.example"); n > 3 {
				t.Errorf("%d mails, want at most 3\n%s", n, o.story("per@kund.example"))
			}
			if v := o.view("per@kund.example"); !tt.tidied && v.State != engine.Finished {
				t.Errorf("%s (%s)\n%s", v.State, v.Reason, o.story("per@kund.example"))
			}
		})
	}
}

// The answer comes from another address, and cites a mail that the restored
// state does not know when it reads it.
func TestAnAnswerToWhatARestoredStateHadForgottenStops(t *testing.T) {
	o := newOffice(t)
	o.provesThatItKeeps()
	o.enroll("per@kund.example")
	old := o.snapshot()
	o.mustTick()
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"assistant@elsewhere.example"}, InReplyTo: []string{o.lastID("per@kund.example")}, Arrived: o.now})
	o.restore(old)
	o.run(20 * day)
	o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
}

func TestSomebodyEnrolledAgainAfterARestoreIsAskedAbout(t *testing.T) {
	o := newOffice(t)
	o.provesThatItKeeps()
	old := o.snapshot()
	o.enroll("per@kund.example")
	o.mustTick()
	o.restore(old)
	o.run(time.Hour)
	o.enroll("per@kund.example") // the list is imported again
	o.run(time.Hour)
	o.wants("per@kund.example", engine.Held, engine.Restored, 1)
	if _, err := o.desk.Resume(t.Context(), engine.Scope{Person: "per@kund.example"}); err != nil {
		t.Fatal(err)
	}
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 4) // as the person said
}

func TestASecondNudgeStopsAllSending(t *testing.T) {
	o := newOffice(t)
	o.keeps = true
	o.enroll("per@kund.example")
	o.mustTick()
	o.instance = "elsewhere7"
	o.mu.Lock()
	o.file(engine.Email{From: "anna@bergroofing.example", To: "zoe@far.example", MessageID: "abc@bergroofing.example", Raw: []byte("Subject: x\r\n\r\n")})
	o.mu.Unlock()
	o.run(6 * day)
	o.wants("per@kund.example", engine.Active, "", 1)
	status, err := o.desk.Status(t.Context())
	if err != nil || !status.Paused || !strings.Contains(strings.Join(status.Notices, "\n"), "elsewhere7") {
		t.Errorf("status %+v, %v does not name the other instance", status, err)
	}
}

// A clone has everything that the original has, its instance file as well. It
// sends the same touch between our RCPT and our fence.
func TestACloneThatWasQuickerIsSeenInTheFence(t *testing.T) {
	o := newOffice(t)
	o.provesThatItKeeps()
	o.enroll("per@kund.example")
	o.afterRcpt = func(e engine.Email) {
		o.afterRcpt = nil
		o.mu.Lock()
		defer o.mu.Unlock()
		o.ledger = append(o.ledger, dot{e.To, e.MessageID, e.Subject, e.SHA256})
		o.file(e)
	}
	o.run(time.Hour)
	o.wants("per@kund.example", engine.Active, "", 1)
	o.run(20 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
}

func TestAnIDThatTheProviderGaveIsLearned(t *testing.T) {
	o := newOffice(t)
	o.keeps, o.rewrites = true, true
	o.enroll("per@kund.example")
	o.mustTick()
	o.mustTick()
	id := o.folders["Sent"][0].MessageID
	o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"assistant@elsewhere.example"}, InReplyTo: []string{id}, Arrived: o.now})
	o.run(20 * day)
	o.wants("per@kund.example", engine.Stopped, engine.Replied, 1)
}

func TestARunOfSequencesAtAProviderThatRewritesStaysTrusted(t *testing.T) {
	o := newOffice(t)
	o.keeps, o.rewrites = true, true
	for _, addr := range []string{"per@kund.example", "eva@other.example", "zoe@far.example"} {
		o.enroll(addr)
	}
	o.run(20 * day)
	for _, addr := range []string{"per@kund.example", "eva@other.example", "zoe@far.example"} {
		o.wants(addr, engine.Finished, engine.NoAnswer, 3)
	}
	if trust, err := o.store.Trust("sales"); err != nil || trust.Behind != "" || len(trust.Former) > 0 {
		t.Errorf("trust %+v, %v", trust, err)
	}
}

// The touch left after the backup, and the person had answered by the time of
// the restore: the enrollment ends before the Sent folder is compared, and the
// mail in Sent may not accuse the state for ever.
func TestARestoredStateTrustsAgainAlthoughSomebodyEnded(t *testing.T) {
	for _, kind := range []engine.Kind{engine.Reply, engine.Unsubscribe} {
		o := newOffice(t)
		o.provesThatItKeeps()
		o.enroll("per@kund.example")
		old := o.snapshot()
		o.mustTick() // the first touch leaves
		o.now = o.now.Add(time.Hour)
		o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Kind: kind, Arrived: o.now})
		o.mustTick()
		o.restore(old)
		o.staysTrusted(string(kind))
		if v := o.view("per@kund.example"); v.State != engine.Stopped || v.Touches != 1 {
			t.Errorf("%s: per is %s after %d mails, want stopped after 1\n%s", kind, v.State, v.Touches, o.story("per@kund.example"))
		}
	}
}

func TestARestoredStateTrustsAgainAtAProviderThatRewrites(t *testing.T) {
	o := newOffice(t)
	o.provesThatItKeeps()
	o.enroll("per@kund.example")
	old := o.snapshot()
	o.rewrites = true
	o.mustTick() // the first touch leaves
	o.restore(old)
	o.staysTrusted("rewritten ids")
	o.wants("per@kund.example", engine.Held, engine.Restored, 1)
}

// The state that is put back has a doubt; it was answered, and the next step left.
// Answering it again must not let that step leave again.
func TestARestoredDoubtAsksAlsoWhetherALaterStepLeft(t *testing.T) {
	o := newOffice(t)
	o.keeps = false // nothing in Sent tells what left
	o.enroll("per@kund.example")
	o.onData = func(e engine.Email) error { o.onData = nil; return lost(e) }
	o.mustTick()
	o.wants("per@kund.example", engine.Held, engine.InDoubt, 0)
	old := o.snapshot()
	id := o.view("per@kund.example").ID
	if _, err := o.desk.ResolveDoubt(t.Context(), id, engine.DoubtSent); err != nil {
		t.Fatal(err)
	}
	o.run(5 * day)
	left := len(o.ledger)
	if v := o.view("per@kund.example"); v.Touches != 2 {
		t.Fatalf("%d mails left before the restore\n%s", v.Touches, o.story("per@kund.example"))
	}
	o.restore(old)
	o.mustTick()
	o.wants("per@kund.example", engine.Held, engine.InDoubt, 1)
	if _, err := o.desk.ResolveDoubt(t.Context(), id, engine.DoubtSent); err != nil {
		t.Fatal(err)
	}
	o.wants("per@kund.example", engine.Held, engine.Restored, 1)
	o.run(10 * day)
	if len(o.ledger) != left {
		t.Errorf("%d mails left again\n%s", len(o.ledger)-left, o.story("per@kund.example"))
	}
}

// A person had said "send it again" of a mail that left all the same.
func TestARestoredStateTrustsAgainAlthoughAStepLeftTwice(t *testing.T) {
	o := newOffice(t)
	o.provesThatItKeeps()
	o.enroll("per@kund.example")
	old := o.snapshot()
	o.keeps = false // nothing tells
	var first engine.Email
	o.onData = func(e engine.Email) error {
		first, o.onData = e, nil
		return lost(e)
	}
	o.run(time.Hour)
	v := o.view("per@kund.example")
	if _, err := o.desk.ResolveDoubt(t.Context(), v.ID, engine.DoubtResend); err != nil {
		t.Fatal(err)
	}
	o.keeps = true
	o.run(day)
	o.mu.Lock()
	o.file(first)
	o.mu.Unlock()
	o.restore(old)
	o.staysTrusted("two mails of one step")
}

// staysTrusted goes on after a restore, and checks that the state is distrusted
// once and that whoever is enrolled then is served to the end.
func (o *office) staysTrusted(what string) {
	o.t.Helper()
	o.run(time.Hour)
	o.enroll("zoe@far.example")
	o.run(20 * day)
	events, err := o.store.Events("", 0, 100_000)
	if err != nil {
		o.t.Fatal(err)
	}
	distrusts := 0
	for _, ev := range events {
		if ev.Kind == engine.EventRestored && ev.Detail["why"] != "" {
			distrusts++
		}
	}
	if trust, err := o.store.Trust("sales"); err != nil || trust.Behind != "" || distrusts != 1 {
		o.t.Errorf("%s: distrusted %d times, want once; behind %q, %v", what, distrusts, trust.Behind, err)
	}
	o.wants("zoe@far.example", engine.Finished, engine.NoAnswer, 3)
}

// pages is a Store that notes how large a listing of enrollments may get.
type pages struct {
	engine.Store
	largest, unbounded int
}

func (p *pages) Enrollments(f engine.Filter) ([]engine.Enrollment, error) {
	ens, err := p.Store.Enrollments(f)
	p.largest = max(p.largest, len(ens))
	if f.Limit == 0 {
		p.unbounded++
	}
	return ens, err
}

// However many are enrolled, they are compared with Sent page by page.
func TestAStateIsComparedWithSentPageByPage(t *testing.T) {
	o := newOffice(t)
	o.provesThatItKeeps()
	v := o.enroll("first@kund.example")
	en, err := o.store.Enrollment(v.ID)
	if err != nil {
		t.Fatal(err)
	}
	var crowd []engine.Enrollment
	for i := range 2300 {
		other := en
		other.ID, other.Version, other.Address = "", 0, fmt.Sprintf("p%d@crowd.example", i)
		other.Key, other.Due = engine.AddressKey(other.Address), o.now.Add(300*day)
		other.Look = other.Due
		crowd = append(crowd, other)
	}
	if _, _, err := o.store.Enroll(crowd); err != nil {
		t.Fatal(err)
	}
	o.enroll("last@kund.example")
	old := o.snapshot()
	o.mustTick() // both first touches leave
	o.mustTick()
	listings := &pages{}
	o.wrap = func(s engine.Store) engine.Store { listings.Store = s; return listings }
	o.restore(old)
	o.run(time.Hour)
	o.wants("first@kund.example", engine.Active, "", 1)
	o.wants("last@kund.example", engine.Active, "", 1)
	if listings.unbounded > 0 || listings.largest > 1000 {
		t.Errorf("%d listings without a limit, up to %d enrollments at once; want pages of at most 1000", listings.unbounded, listings.largest)
	}
}
