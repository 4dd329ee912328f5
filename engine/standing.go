package engine

import (
	"slices"
	"time"
)

// Standing is where an enrollment stood before an incoming moved it, so that a
// person can take that back.
type Standing struct {
	State  State     `json:"state"`
	Reason Reason    `json:"reason,omitempty"`
	Detail string    `json:"detail,omitempty"`
	Until  time.Time `json:"until,omitzero"`
	Next   string    `json:"next,omitempty"`
	Due    time.Time `json:"due,omitzero"`
	By     string    `json:"by,omitempty"`   // the incoming that had brought it there
	Then   Reason    `json:"then,omitempty"` // why the incoming that followed stopped it as well
	Before *Standing `json:"before,omitempty"`
}

// maxStandings bounds how many incomings can be taken back.
const maxStandings = 8

// movedBy notes that an incoming moved the enrollment from where it was.
func (en Enrollment) movedBy(incoming string, was Enrollment) Enrollment {
	en.By = incoming
	before := Standing{State: was.State, Reason: was.Reason, Detail: was.Detail, Until: was.HeldUntil, Next: was.Next, Due: was.Due, By: was.By, Before: was.Before}
	en.Before = before.upTo(maxStandings)
	return en
}

// stoppedAgain notes that another incoming would have stopped the enrollment
// too, which says already why it stopped.
func (en Enrollment) stoppedAgain(incoming string, why Reason) Enrollment {
	en = en.movedBy(incoming, en)
	en.Before.Then = why
	return en
}

// goesBack says whether taking back what incomings did could let an enrollment go
// on that they have stopped.
func (en Enrollment) goesBack() bool {
	for s := en.Before; s != nil; s = s.Before {
		if s.State != Stopped {
			return true
		}
	}
	return false
}

// upTo is the chain without what lies further back than n.
func (s *Standing) upTo(n int) *Standing {
	if s == nil || n == 0 {
		return nil
	}
	short := *s
	short.Before = s.Before.upTo(n - 1)
	return &short
}

// without is the chain without what an incoming did.
func (s *Standing) without(incoming string) *Standing {
	switch {
	case s == nil:
		return nil
	case s.By == incoming && s.Before != nil:
		return s.Before.without(incoming)
	}
	rest := *s
	rest.Before = s.Before.without(incoming)
	return &rest
}

// NotAReply takes back what an incoming did to the enrollment, by a person's
// word. It goes on where it was, with the date that its next step had; what
// another incoming or a person did since stays.
func (en Enrollment) NotAReply(incoming string, at time.Time) (Enrollment, []Event) {
	ev := en.event(EventReversed, at, map[string]string{"was": string(en.State), "reason": string(en.Reason)})
	ev.MessageID = incoming
	if en.By != incoming || en.Before == nil {
		before := en.Before
		en.Before = before.without(incoming)
		if en.State == Stopped && en.Before != nil && en.Before.State != Stopped && before.Then != "" {
			en.Reason, en.Detail = before.Then, "" // what it gave as the reason is gone, and this is left
		}
		return en, []Event{ev}
	}
	was := en.Before.without(incoming)
	if en.State == Held && asksItself(en.Reason) {
		en.Behind, en.By, en.Before = nil, was.By, was.Before // its question stays
		return en, []Event{ev}
	}
	ended := en.Ended()
	en.By, en.Before = was.By, was.Before
	en.State, en.Reason, en.Detail, en.HeldUntil, en.Behind = was.State, was.Reason, was.Detail, was.Until, nil
	if ended { // else a mail that was on its way may have moved it on
		en.Next, en.Due = was.Next, was.Due
		if en.Next != "" && slices.Contains(en.DoneSteps(), en.Next) { // it was on its way when the incoming was read, and left
			en.Next, en.Due = toBeFound, at
		}
	}
	if en.State == Held && (asksItself(en.Reason) || !en.HeldUntil.IsZero() && !en.HeldUntil.After(at)) {
		en.State, en.Reason, en.Detail, en.HeldUntil = Active, "", "", time.Time{} // that question was answered meanwhile, or its date has come
	}
	if en.State == Active {
		en.Look, en.Why = latestOf(en.Due, at), ""
	}
	return en, []Event{ev}
}

// asksItself says whether a hold has a question of its own, behind which others
// stand.
func asksItself(why Reason) bool { return why == InDoubt || why == CatchUp }

// waitAnew moves the next step to a later moment, because its wait counts anew.
func (en Enrollment) waitAnew(due time.Time) Enrollment {
	if due.After(en.Due) {
		en.Due, en.Look, en.Why = due, latestOf(due, en.Look), ""
	}
	return en
}
