package storetest

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nudge/engine"
)

// monday is when every test begins, in the mailbox's time zone, which is not
// UTC: days are counted in it.
var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.FixedZone("", 2*60*60))

const (
	today   = "2026-11-23"
	minute  = time.Minute
	day     = 24 * time.Hour
	mailbox = "sales"
)

// law is one thing a Store must do, as a sentence.
type law struct {
	sentence string
	holds    func(w *world)
}

// Run tests a Store. open returns a new, empty one and closes it in a cleanup
// of its own.
func Run(t *testing.T, open func(t *testing.T) engine.Store) {
	groups := []struct {
		name string
		laws []law
	}{
		{"Enroll", enrollLaws}, {"Change", changeLaws}, {"Prepare", prepareLaws}, {"Postpone", postponeLaws}, {"Claim", claimLaws},
		{"Settle", settleLaws}, {"Apply", applyLaws}, {"Recover", recoverLaws}, {"Release", releaseLaws}, {"Pause", pauseLaws},
		{"Suppress", suppressLaws}, {"Keep", keptLaws}, {"Doubt", doubtLaws}, {"Late", lateLaws}, {"Trust", trustLaws},
		{"Chain", chainLaws}, {"Read", readLaws}, {"Sent", sentLaws}, {"Kin", kinLaws}, {"Reverse", reverseLaws}, {"Together", togetherLaws},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, l := range g.laws {
				t.Run(l.sentence, func(t *testing.T) {
					w := &world{t, open(t)}
					l.holds(w)
					w.verify()
				})
			}
		})
	}
	t.Run("Random", func(t *testing.T) { random(t, open) })
}

// world is a Store under test with the words to write a test in.
type world struct {
	t tester
	s engine.Store
}

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// must ends the test when a method fails that may not.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// verify asks a Store that can tell whether it agrees with itself.
func (w *world) verify() {
	w.t.Helper()
	if v, ok := w.s.(interface{ Verify() error }); ok {
		w.must(v.Verify())
	}
}

// same compares what is there with what should be; an empty list is as good as
// none, and moments are equal in any time zone.
func (w *world) same(what string, got, want any) {
	w.t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateErrors()); diff != "" {
		w.t.Errorf("%s (- should be, + is):\n%s", what, diff)
	}
}

// prospect is the n-th new enrollment: active, due n minutes after monday.
func prospect(n int) engine.Enrollment {
	addr := fmt.Sprintf("p%d@kund%d.example", n, n)
	due := monday.Add(time.Duration(n) * minute)
	return engine.Enrollment{Sequence: "quote", Mailbox: mailbox, Address: addr, Key: engine.AddressKey(addr), Name: "Per Holm",
		Fields: map[string]string{"company": "Åkeri & Söner"}, EnrolledAt: monday, StartAt: monday, State: engine.Active,
		Next: "first", Due: due, Look: due}
}

// in puts a prospect into another sequence.
func in(en engine.Enrollment, sequence string) engine.Enrollment {
	en.Sequence = sequence
	return en
}

func (w *world) enroll(ens ...engine.Enrollment) []engine.Enrollment {
	w.t.Helper()
	kept, errs, err := w.s.Enroll(ens)
	w.must(err)
	for _, err := range errs {
		w.must(err)
	}
	return kept
}

// one enrolls the first prospect.
func (w *world) one() engine.Enrollment {
	w.t.Helper()
	return w.enroll(prospect(1))[0]
}

func (w *world) get(id string) engine.Enrollment {
	w.t.Helper()
	en, err := w.s.Enrollment(id)
	w.must(err)
	return en
}

// touchOf writes the next email of an enrollment.
func touchOf(en engine.Enrollment) engine.Touch {
	mid := fmt.Sprintf("%s.%s.%d@nudge.example", en.ID, en.Next, en.Resends)
	raw := []byte("Message-ID: <" + mid + ">\r\n\r\nHej!\x00\xff\r\n")
	thread := engine.Thread{Anchor: en.ID + ".anchor@nudge.example", IDs: append(en.Thread.IDs[:len(en.Thread.IDs):len(en.Thread.IDs)], mid), Subject: "Offert"}
	return engine.Touch{Enrollment: en.ID, Step: en.Next, Version: en.Version, Mailbox: en.Mailbox, Sequence: en.Sequence,
		Phase: engine.Prepared, PreparedAt: monday,
		Email: engine.Email{From: "me@firma.example", To: en.Address, MessageID: mid, Subject: "Offert", Thread: thread, Raw: raw,
			SHA256: fmt.Sprintf("%x", sha256.Sum256(raw))}}
}

func (w *world) prepare(ens ...engine.Enrollment) []engine.Touch {
	w.t.Helper()
	touches := make([]engine.Touch, len(ens))
	for i, en := range ens {
		touches[i] = touchOf(en)
	}
	errs, err := w.s.Prepare(touches)
	w.must(err)
	for _, err := range errs {
		w.must(err)
	}
	return touches
}

// claim prepares and claims the next email of an enrollment.
func (w *world) claim(at time.Time, ens ...engine.Enrollment) []engine.Touch {
	w.t.Helper()
	touches := w.prepare(ens...)
	errs, err := w.s.Claim(engine.Sweep{Mailbox: mailbox, At: at}, touches)
	w.must(err)
	for _, err := range errs {
		w.must(err)
	}
	return touches
}

func (w *world) settle(s ...engine.Settlement) {
	w.t.Helper()
	w.must(w.s.Settle(s))
}

// doubt claims the next email of an enrollment and loses sight of it.
func (w *world) doubt(at time.Time, en engine.Enrollment) engine.Touch {
	w.t.Helper()
	t := w.claim(at, en)[0]
	w.settle(engine.Settlement{Touch: t, Outcome: engine.Unknown, At: at, Answer: "connection lost"})
	return t
}

// due lists the ids that are due by a moment.
func (w *world) due(now time.Time) []string {
	w.t.Helper()
	candidates, err := w.s.Due(mailbox, now, today, 1000)
	w.must(err)
	ids := []string{}
	for _, c := range candidates {
		ids = append(ids, c.Enrollment.ID)
	}
	return ids
}

func (w *world) candidate(id string, now time.Time) engine.Candidate {
	w.t.Helper()
	candidates, err := w.s.Due(mailbox, now, now.Format("2006-01-02"), 1000)
	w.must(err)
	for _, c := range candidates {
		if c.Enrollment.ID == id {
			return c
		}
	}
	w.t.Fatalf("%s is not due at %s", id, now)
	return engine.Candidate{}
}

func (w *world) pace(day string) engine.Pace {
	w.t.Helper()
	p, err := w.s.Pace(mailbox, day)
	w.must(err)
	return p
}

func (w *world) counts() engine.Counts {
	w.t.Helper()
	c, err := w.s.Counts()
	w.must(err)
	return c
}

func (w *world) doubts() []engine.Touch {
	w.t.Helper()
	d, err := w.s.Doubts()
	w.must(err)
	return d
}

// kinds lists what happened to an enrollment, or to all.
func (w *world) kinds(id string) []engine.EventKind {
	w.t.Helper()
	events, err := w.s.Events(id, 0, 1_000_000)
	w.must(err)
	kinds := []engine.EventKind{}
	for _, ev := range events {
		kinds = append(kinds, ev.Kind)
	}
	return kinds
}

// apply applies effects found at a moment.
func (w *world) apply(at time.Time, effects ...engine.Effect) {
	w.t.Helper()
	w.must(w.s.Apply(engine.Sweep{Mailbox: mailbox, At: at, Effects: effects}))
}

func effect(en engine.Enrollment, incoming string, kind engine.EventKind) engine.Effect {
	return engine.Effect{Enrollment: en.ID, Incoming: incoming, Event: engine.Event{At: monday, Kind: kind, Enrollment: en.ID,
		Address: en.Address, Sequence: en.Sequence, Step: en.Next, MessageID: incoming}}
}

func reply(en engine.Enrollment, incoming string) engine.Effect {
	f := effect(en, incoming, engine.EventReply)
	f.To, f.Reason = engine.Stopped, engine.Replied
	return f
}

func absence(en engine.Enrollment, incoming string, until time.Time) engine.Effect {
	f := effect(en, incoming, engine.EventAutoReply)
	f.To, f.Reason, f.Until = engine.Held, engine.Absent, until
	return f
}

func unsubscribe(en engine.Enrollment, incoming string) engine.Effect {
	f := effect(en, incoming, engine.EventUnsubscribe)
	f.To, f.Reason, f.Suppress = engine.Stopped, engine.Unsubscribed, true
	return f
}

func stopByHand(en engine.Enrollment) (engine.Enrollment, []engine.Event) {
	return en.StopByHand(monday)
}
