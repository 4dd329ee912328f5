package engine

import (
	"errors"
	"slices"
	"time"

	"nudge/sequences"
)

// How late is late. Up to lateGrace a touch simply leaves at the next moment
// its window allows; later than overdueAfter, or when too many are late at
// once, a person is asked.
const lateGrace = 24 * time.Hour

var overdueAfter = sequences.Delay{N: 10, Unit: sequences.BusinessDays}

// A backlog is asked about when it has more than backlogLeast and more than
// one in backlogShare of those that are active.
const (
	backlogLeast = 20
	backlogShare = 10
)

// Backlog sorts the enrollments whose moment has come after a time, since
// ableAt, in which the mailbox could not read or send: which of them are late,
// and which are overdue, so that a person is asked. Waiting for pace in a
// running daemon is no lateness: it counts from the latest of the moment an
// enrollment should have been looked at, ableAt, and its enrolling. active is
// how many the mailbox has.
func Backlog(due []Enrollment, active int, ableAt, now time.Time, zoneOf func(Enrollment) *time.Location) (late, overdue []Enrollment) {
	late, overdue = sortLate(due, ableAt, now, zoneOf)
	if tooMany(len(late)+len(overdue), active) {
		return nil, append(overdue, late...)
	}
	return late, overdue
}

// sortLate is Backlog for each of them alone, however many there are.
func sortLate(due []Enrollment, ableAt, now time.Time, zoneOf func(Enrollment) *time.Location) (late, overdue []Enrollment) {
	if ableAt.IsZero() || now.Sub(ableAt) <= lateGrace {
		return nil, nil
	}
	for _, en := range due {
		since := latestOf(en.Look, ableAt, en.EnrolledAt)
		switch {
		case now.Sub(since) <= lateGrace:
		case overdueAfter.After(since.In(zoneOf(en))).Before(now):
			overdue = append(overdue, en)
		default:
			late = append(late, en)
		}
	}
	return late, overdue
}

// tooMany says whether so many are late at once that a person is asked about all.
func tooMany(n, active int) bool { return n > backlogLeast && n*backlogShare > active }

func latestOf(ts ...time.Time) time.Time {
	latest := ts[0]
	for _, t := range ts[1:] {
		if t.After(latest) {
			latest = t
		}
	}
	return latest
}

// FallBehind makes an active enrollment part of the backlog, of which only a
// few leave a day, or with ask holds it until a person says what becomes of it.
func (en Enrollment) FallBehind(ask bool, at time.Time) (Enrollment, []Event) {
	switch {
	case en.State != Active:
		return en, nil
	case !ask:
		en.Late = true
		return en, nil
	}
	held, _ := en.hold(CatchUp, "was due "+en.Due.Format("2 January 2006"), time.Time{})
	return held, []Event{held.heldEvent(at)}
}

// CaughtUp is a person's answer to what was overdue. next and due are the step
// after the overdue one and its moment, for CatchUpSkip.
func (en Enrollment) CaughtUp(answer CatchUpAnswer, next string, due, at time.Time) (Enrollment, []Event) {
	if en.State != Held || en.Reason != CatchUp {
		return en, nil
	}
	ev := en.event(EventCaughtUp, at, map[string]string{"answer": string(answer)})
	switch answer {
	case CatchUpStop:
		en, more := en.StopByHand(at)
		return en, append([]Event{ev}, more...)
	case CatchUpSkip:
		step := en.Next
		en = en.unask(CatchUp)
		en, more := en.Skip(step, map[string]string{"by": "hand"}, next, due, at)
		return en, append([]Event{ev}, more...)
	}
	en = en.unask(CatchUp)
	en.Late = true
	return en, []Event{ev}
}

// beatEvery is how often it is kept that a mailbox can read and send.
const beatEvery = 10 * time.Minute

// catchUp looks, after a time in which the mailbox could not read or send, at
// what came due meanwhile, before any of it leaves.
func (e *Engine) catchUp(now time.Time) error {
	if now.Sub(e.caughtUpAt).Abs() < beatEvery { // a clock that was set back counts as well
		return nil
	}
	ableAt, err := e.Store.AbleAt(e.Mailbox.Name)
	if err != nil {
		return &storeError{err}
	}
	if !ableAt.IsZero() && now.Sub(ableAt) > lateGrace {
		if err := e.fallBehind(ableAt, now); err != nil {
			return err
		}
	}
	e.caughtUpAt = now
	pace, err := e.Store.Pace(e.Mailbox.Name, e.Mailbox.day(now))
	if err != nil {
		return &storeError{err}
	}
	if e.mute > 0 || e.slow > 0 || pace.Paused || e.halted() {
		return nil
	}
	if err := e.Store.Beat(e.Mailbox.Name, now); err != nil {
		return &storeError{err}
	}
	return nil
}

// backlogPage is how many of those that are due are loaded at once.
const backlogPage = 1000

// fallBehind goes through what is due twice, a page at a time: to count what is
// late, and then to say what becomes of each.
func (e *Engine) fallBehind(ableAt, now time.Time) error {
	n, drip, ask := 0, 0, 0
	err := e.eachDue(now, func(due []Enrollment) error {
		late, overdue := sortLate(due, ableAt, now, e.zoneOf)
		n, drip, ask = n+len(late)+len(overdue), drip+len(notYetLate(late)), ask+len(overdue)
		return nil
	})
	if err != nil || n == 0 {
		return err
	}
	active, err := e.Store.ActiveOf(e.Mailbox.Name)
	if err != nil {
		return &storeError{err}
	}
	all := tooMany(n, active)
	if all {
		drip, ask = 0, n
	}
	if drip+ask > 0 {
		e.Log.Warn("touches came due while nothing could be sent", "mailbox", e.Mailbox.Name, "since", ableAt, "late", drip, "held", ask)
	}
	return e.eachDue(now, func(due []Enrollment) error {
		late, overdue := sortLate(due, ableAt, now, e.zoneOf)
		if all {
			late, overdue = nil, append(overdue, late...)
		}
		if err := fallBehind(e.Store, notYetLate(late), false, now); err != nil {
			return &storeError{err}
		}
		return storeErrorOf(fallBehind(e.Store, overdue, true, now))
	})
}

// eachDue goes through those whose moment has come, oldest Look first.
func (e *Engine) eachDue(now time.Time, each func([]Enrollment) error) error {
	var last Enrollment
	for {
		due, err := e.Store.Overdue(e.Mailbox.Name, now, last, backlogPage)
		if err != nil {
			return &storeError{err}
		}
		if err := each(due); err != nil || len(due) < backlogPage {
			return err
		}
		last = due[len(due)-1]
	}
}

func notYetLate(ens []Enrollment) []Enrollment {
	return slices.DeleteFunc(ens, func(en Enrollment) bool { return en.Late })
}

// fallBehind applies Enrollment.FallBehind to some.
func fallBehind(s Store, ens []Enrollment, ask bool, now time.Time) error {
	if len(ens) == 0 {
		return nil
	}
	_, err := s.Change(waiting(ens), func(en Enrollment) (Enrollment, []Event) { return en.FallBehind(ask, now) })
	return err
}

// lateShare is how many of the backlog may leave a day: a quarter of the cap.
func (m Mailbox) lateShare() int {
	if m.PerDay == 0 {
		return 0
	}
	return max(1, m.PerDay/4)
}

// halted says whether a person has stopped everything by the file.
func (e *Engine) halted() bool { return e.Halted != nil && e.Halted() }

func storeErrorOf(err error) error {
	if err == nil {
		return nil
	}
	return &storeError{err}
}

// lateAfterPause sorts, before a person's or a sequence's switch is cleared that
// was on for long, what came due meanwhile, so that it does not leave all at
// once. For a mailbox and for everything the engine does so itself.
func (d *Desk) lateAfterPause(scope Scope, now time.Time) error {
	if scope.Person == "" && scope.Sequence == "" {
		return nil
	}
	switches, err := d.Store.Switches()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(switches, func(sw Switch) bool {
		return sw.Person == scope.Person && (scope.Person != "" || sw.Sequence == scope.Sequence)
	})
	if i < 0 || now.Sub(switches[i].At) <= lateGrace {
		return nil
	}
	ens, err := d.Store.Enrollments(Filter{State: Active, Sequence: scope.Sequence, Key: scope.Person})
	if err != nil {
		return err
	}
	var due []Enrollment
	for _, en := range ens {
		if en.Look = en.Due; !en.Due.After(now) { // while it was paused it was put off
			due = append(due, en)
		}
	}
	late, overdue := Backlog(due, len(ens), switches[i].At, now, d.zoneOf)
	return errors.Join(fallBehind(d.Store, late, false, now), fallBehind(d.Store, overdue, true, now))
}
