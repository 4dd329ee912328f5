package engine_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
)

func TestALateTouchWaitsForTheNextMomentOrAsks(t *testing.T) {
	for _, c := range []struct {
		name  string
		late  time.Duration // behind the second touch's moment
		state engine.State
		dots  int
	}{
		{"an hour late leaves", time.Hour, engine.Active, 2},
		{"a day late leaves", 24 * time.Hour, engine.Active, 2},
		{"a week late leaves, as part of the backlog", 7 * day, engine.Active, 2},
		{"three weeks late asks", 21 * day, engine.Held, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t)
			o.enroll("per@kund.example")
			o.run(time.Hour)
			o.now = start.Add(3*day + c.late)
			o.restart()
			o.mustTick()
			reason := engine.Reason("")
			if c.state == engine.Held {
				reason = engine.CatchUp
			}
			o.wants("per@kund.example", c.state, reason, c.dots)
		})
	}
}

func TestAnOutageOfTheMailServerMakesLateToo(t *testing.T) {
	for _, road := range []string{"imap", "smtp", "pause"} {
		t.Run(road, func(t *testing.T) {
			o := newOffice(t)
			o.enroll("per@kund.example")
			o.run(time.Hour)
			switch road {
			case "imap":
				o.down = errors.New("connection refused")
			case "smtp":
				o.onOpen = func(engine.Email) error {
					return &engine.SendError{Phase: engine.PhaseConnect, Outcome: engine.Deferred, Err: errors.New("connection refused")}
				}
			case "pause":
				_, _ = o.desk.Pause(t.Context(), engine.Scope{})
			}
			o.run(24 * day)
			o.down, o.onOpen = nil, nil
			_, _ = o.desk.Resume(t.Context(), engine.Scope{})
			o.run(day)
			o.wants("per@kund.example", engine.Held, engine.CatchUp, 1)
		})
	}
}

// behind enrolls so many people and lets their second touches become a week
// late.
func behind(t *testing.T, people int) *office {
	o := newOffice(t)
	o.engine.Mailbox.PerDay = 40
	for i := range people {
		o.enroll(fmt.Sprintf("p%02d@kund%02d.example", i, i))
	}
	o.run(2 * day)
	if len(o.ledger) != people {
		t.Fatalf("%d first touches left, want %d", len(o.ledger), people)
	}
	o.now = start.Add(10 * day)
	o.restart()
	return o
}

func TestAFewLateOnesLeaveAFewADay(t *testing.T) {
	o := behind(t, 18)
	o.run(14 * time.Hour)
	if n := len(o.ledger) - 18; n != 10 {
		t.Errorf("%d of the backlog left on the first day, want a quarter of 40", n)
	}
	o.run(day)
	if n := len(o.ledger) - 18; n != 18 {
		t.Errorf("%d of the backlog left by the second day, want all", n)
	}
}

// paged is a Store that refuses to list more than a page at once.
type paged struct{ engine.Store }

const pageAtMost = 1000

func (p paged) Enrollments(f engine.Filter) ([]engine.Enrollment, error) {
	if f.Limit < 1 || f.Limit > pageAtMost {
		return nil, errors.New("asked for all enrollments at once")
	}
	return p.Store.Enrollments(f)
}

func (p paged) Overdue(mailbox string, now time.Time, after engine.Enrollment, limit int) ([]engine.Enrollment, error) {
	if limit > pageAtMost {
		return nil, errors.New("asked for all that is due at once")
	}
	return p.Store.Overdue(mailbox, now, after, limit)
}

// A long outage of a large mailbox is sorted page by page, and counted as a whole.
func TestALongOutageIsSortedPageByPage(t *testing.T) {
	const people = 2*pageAtMost + 5
	o := newOffice(t)
	o.mustTick()
	ens := make([]engine.Enrollment, people)
	for i := range ens {
		addr := fmt.Sprintf("p%04d@kund%04d.example", i, i)
		ens[i] = engine.Enrollment{Mailbox: "sales", Sequence: "quote", Address: addr, Key: addr, Fields: map[string]string{"quote_no": "1"},
			EnrolledAt: start, State: engine.Active, Next: "1. First", Due: start, Look: start}
	}
	if _, _, err := o.store.Enroll(ens); err != nil {
		t.Fatal(err)
	}
	o.wrap = func(s engine.Store) engine.Store { return paged{s} }
	o.restart()
	o.now = start.Add(3 * day)
	o.mustTick()
	counts, err := o.store.Counts()
	if err != nil || counts.Held != people || len(o.ledger) > 0 {
		t.Errorf("%d are held and %d mails left (%v), want all %d to be asked about", counts.Held, len(o.ledger), err, people)
	}
}

func TestManyLateOnesAskOnce(t *testing.T) {
	o := behind(t, 30)
	o.run(2 * day)
	if n := len(o.ledger); n != 30 {
		t.Fatalf("%d mails left, want none of the backlog", n-30)
	}
	list, err := o.desk.CatchUp(t.Context(), engine.CatchUpRequest{})
	if err != nil || len(list.Overdue) != 30 {
		t.Fatalf("%d overdue, %v, want 30", len(list.Overdue), err)
	}
	for addr, answer := range map[string]engine.CatchUpAnswer{"p00@kund00.example": engine.CatchUpStop, "p01@kund01.example": engine.CatchUpSkip} {
		if _, err := o.desk.CatchUp(t.Context(), engine.CatchUpRequest{Address: addr, Answer: answer}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.desk.CatchUp(t.Context(), engine.CatchUpRequest{Answer: engine.CatchUpSend}); err != nil {
		t.Fatal(err)
	}
	o.run(15 * day)
	o.wants("p00@kund00.example", engine.Stopped, engine.ByHand, 1)
	o.wants("p01@kund01.example", engine.Finished, engine.NoAnswer, 2)
	o.wants("p02@kund02.example", engine.Finished, engine.NoAnswer, 3)
}

func TestAnAnswerForAllOverdueLetsNobodyGoOnWhoMayHaveAnswered(t *testing.T) {
	for _, answer := range []engine.CatchUpAnswer{engine.CatchUpSend, engine.CatchUpSkip} {
		o := behind(t, 30)
		o.mustTick()
		o.deliver("INBOX", engine.Incoming{MessageID: "u", From: []string{"p00@kund00.example"}, Kind: engine.Ambiguous, Evidence: "who knows", Arrived: o.now})
		o.mustTick()
		if _, err := o.desk.CatchUp(t.Context(), engine.CatchUpRequest{Answer: answer}); err != nil {
			t.Fatal(err)
		}
		o.run(20 * day)
		o.wants("p00@kund00.example", engine.Held, engine.Unsure, 1)
	}
}

func TestABatchInARunningDaemonIsNoBacklog(t *testing.T) {
	o := newOffice(t)
	o.engine.Mailbox.PerDay = 5
	for i := range 60 {
		o.enroll(fmt.Sprintf("p%02d@kund%02d.example", i, i))
	}
	o.run(13 * day)
	list, err := o.desk.CatchUp(t.Context(), engine.CatchUpRequest{})
	if err != nil || len(list.Overdue) != 0 {
		t.Errorf("%d overdue, %v: waiting for pace is no lateness", len(list.Overdue), err)
	}
	if n := len(o.ledger); n < 60 {
		t.Errorf("%d mails left in 13 days at 5 a day", n)
	}
}

func TestASequencePausedForWeeksAsksToo(t *testing.T) {
	o := newOffice(t)
	for i := range 30 {
		o.enroll(fmt.Sprintf("p%02d@kund%02d.example", i, i))
	}
	o.run(time.Hour)
	if _, err := o.desk.Pause(t.Context(), engine.Scope{Sequence: "quote"}); err != nil {
		t.Fatal(err)
	}
	o.run(12 * day)
	if _, err := o.desk.Resume(t.Context(), engine.Scope{Sequence: "quote"}); err != nil {
		t.Fatal(err)
	}
	o.run(day)
	if n := len(o.ledger); n != 30 {
		t.Errorf("%d second touches left at once, want none before a person's word", n-30)
	}
}

func TestAClockFarAheadAsksBeforeAnythingLeaves(t *testing.T) {
	o := newOffice(t)
	o.enroll("per@kund.example")
	o.run(time.Hour)
	right := o.now
	o.now = o.now.AddDate(0, 3, 0)
	o.mustTick()
	o.wants("per@kund.example", engine.Held, engine.CatchUp, 1)
	o.now = right.Add(time.Hour)
	o.mustTick()
	o.wants("per@kund.example", engine.Held, engine.CatchUp, 1)
}

// A mailbox that answers, but never soon enough to send on, is not able: what
// comes due meanwhile is late, and the trouble is told until it ends.
func TestAFenceThatIsAlwaysTooSlowIsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		diary := &strings.Builder{}
		o.engine.Log = slog.New(slog.NewTextHandler(diary, nil))
		o.enroll("eva@other.example")
		o.mustTick()
		fencing := false
		o.afterRcpt = func(engine.Email) { fencing = true }
		o.onFetch = func() {
			if fencing {
				time.Sleep(10 * time.Second) // in the test's own time
			}
			fencing = false
		}
		o.enroll("per@kund.example")
		o.run(time.Hour)
		o.wants("per@kund.example", engine.Active, "", 0)
		if at, err := o.store.AbleAt("sales"); err != nil || at.After(start.Add(time.Minute)) {
			t.Errorf("able at %s, %v; want not since %s", at, err, start)
		}
		if h := o.engine.Health(); !strings.Contains(h.IMAPError, "took longer than") || h.IMAPSince.After(start.Add(time.Minute)) {
			t.Errorf("health %+v does not tell", h)
		}
		if n := strings.Count(diary.String(), "still read too slowly"); n != 1 {
			t.Errorf("%d alarms, want one", n)
		}
		o.onFetch = nil
		o.run(12 * time.Hour)
		o.wants("per@kund.example", engine.Active, "", 1)
		if h := o.engine.Health(); h.IMAPError != "" {
			t.Errorf("the trouble is over, and health is %+v", h)
		}
		if at, err := o.store.AbleAt("sales"); err != nil || !at.After(start.Add(time.Hour)) {
			t.Errorf("able at %s, %v; want since it is quick again", at, err)
		}
	})
}
