package engine

import (
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
	if n := len(late) + len(overdue); n > backlogLeast && n*backlogShare > active {
		return nil, append(overdue, late...)
	}
	return late, overdue
}

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

func (e *Engine) fallBehind(ableAt, now time.Time) error {
	due, err := e.Store.Overdue(e.Mailbox.Name, now)
	if err != nil || len(due) == 0 {
		return storeErrorOf(err)
	}
	active := 0
	if len(due) > backlogLeast {
		all, err := e.Store.Enrollments(Filter{State: Active, Mailbox: e.Mailbox.Name})
		if err != nil {
			return &storeError{err}
		}
		active = len(all)
	}
	late, overdue := Backlog(due, active, ableAt, now, e.zoneOf)
	late = slices.DeleteFunc(late, func(en Enrollment) bool { return en.Late })
	for _, group := range []struct {
		ens []Enrollment
		ask bool
	}{{late, false}, {overdue, true}} {
		if len(group.ens) == 0 {
			continue
		}
		e.Log.Warn("touches came due while nothing could be sent", "mailbox", e.Mailbox.Name, "touches", len(group.ens),
			"since", ableAt, "held", group.ask)
		_, err := e.Store.Change(waiting(group.ens), func(en Enrollment) (Enrollment, []Event) { return en.FallBehind(group.ask, now) })
		if err != nil {
			return &storeError{err}
		}
	}
	return nil
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
	for ask, group := range map[bool][]Enrollment{false: late, true: overdue} {
		if len(group) == 0 {
			continue
		}
		if _, err := d.Store.Change(waiting(group), func(en Enrollment) (Enrollment, []Event) { return en.FallBehind(ask, now) }); err != nil {
			return err
		}
	}
	return nil
}
