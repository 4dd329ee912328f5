package engine

import (
	"fmt"
	"slices"
	"time"

	"nudge/sequences"
)

// Task is the owner's work for one enrollment: a call, a letter or anything
// else. It is open until it is done, skipped, or expires.
type Task struct {
	Step     string           `json:"step"`
	Do       string           `json:"do"`   // call, letter or task
	Text     string           `json:"text"` // rendered when it was opened
	Assignee string           `json:"assignee,omitempty"`
	OpenedAt time.Time        `json:"opened_at"`
	Due      time.Time        `json:"due,omitzero"`     // zero = no limit
	Blocks   bool             `json:"blocks,omitempty"` // the sequence goes on only once it is closed
	Undone   sequences.Undone `json:"undone,omitempty"` // what becomes of the prospect when it is not done by Due
}

// ownersMove is when the engine looks at an enrollment that only its owner can
// move on.
var ownersMove = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// look is when the engine has something to do about the task.
func (t Task) look() time.Time {
	if t.Due.IsZero() || t.Undone == sequences.UndoneWait {
		return ownersMove
	}
	return t.Due
}

// why says in words what the task's enrollment waits for.
func (t Task) why() string {
	who := "you"
	if t.Assignee != "" {
		who = t.Assignee
	}
	return fmt.Sprintf("waits for %s to do the %s", who, t.Do)
}

// taskOf is the task that a step becomes when it is opened.
func taskOf(st *sequences.Step, text string, now time.Time, loc *time.Location) Task {
	t := Task{Step: st.ID, Do: string(st.Do), Text: text, Assignee: st.Assignee, OpenedAt: now, Undone: st.IfNotDone}
	if st.Due.N > 0 {
		t.Due = st.Deadline(now, loc)
	}
	t.Blocks = st.Due.N > 0 || st.IfNotDone == sequences.UndoneWait
	return t
}

// OpenTasks lists the owner's open work for an enrollment, oldest first. Work
// for somebody whose sequence was stopped is not to be done any more.
func (en Enrollment) OpenTasks() []Task {
	if en.State == Stopped {
		return nil
	}
	var open []Task
	for _, d := range en.Done { // opened before tasks were kept
		if d.Outcome == Opened && !slices.ContainsFunc(en.Tasks, func(t Task) bool { return t.Step == d.Step }) {
			open = append(open, Task{Step: d.Step, Do: string(sequences.Task), Text: d.Step, OpenedAt: d.At})
		}
	}
	return append(open, en.Tasks...)
}

// blocking is the open task that an enrollment's next step waits in.
func (en Enrollment) blocking() (Task, bool) {
	i := slices.IndexFunc(en.Tasks, func(t Task) bool { return t.Blocks && t.Step == en.Next })
	if i < 0 {
		return Task{}, false
	}
	return en.Tasks[i], true
}

// judgeTask is the guard's answer while a task is open that the next step
// waits for.
func judgeTask(t Task, now time.Time) Decision {
	switch look := t.look(); {
	case look.After(now):
		return Decision{Look: look, Why: t.why()}
	case t.Undone == sequences.UndoneStop:
		return Decision{Expire: true, Stop: true, Why: "the " + t.Do + " was not done in time"}
	}
	return Decision{Expire: true, Why: "the " + t.Do + " was not done in time"}
}

// OpenTask records that a task step came due: its text is now the owner's
// work. Unless the sequence waits for it, it goes on with the next step.
func (en Enrollment) OpenTask(t Task, next string, due, at time.Time) (Enrollment, []Event) {
	ev := en.event(EventTaskOpen, at, map[string]string{"text": t.Text, "do": t.Do, "assignee": t.Assignee, "until": stamp(t.Due)})
	ev.Step = t.Step
	en.Tasks = append(slices.Clone(en.Tasks), t)
	if t.Blocks {
		en.Look, en.Why = t.look(), t.why()
		return en, []Event{ev}
	}
	en.Done = append(slices.Clone(en.Done), Done{Step: t.Step, At: at, Outcome: Opened})
	en, more := en.goOn(next, due, at)
	return en, append([]Event{ev}, more...)
}

// taskEvents are what history calls the ends of a task.
var taskEvents = map[Outcome]EventKind{TaskDone: EventTaskDone, Skipped: EventSkipped, Expired: EventTaskExpired}

// CloseTask ends the owner's work on a step, whether it was opened or is done
// before its time. The sequence goes on from there where it waited for it.
func (en Enrollment) CloseTask(step string, how Outcome, next string, due, at time.Time) (Enrollment, []Event) {
	ev := en.event(taskEvents[how], at, map[string]string{})
	ev.Step = step
	en.Tasks = slices.DeleteFunc(slices.Clone(en.Tasks), func(t Task) bool { return t.Step == step })
	en.Done = slices.Clone(en.Done)
	if i := slices.IndexFunc(en.Done, func(d Done) bool { return d.Step == step && d.Outcome == Opened }); i >= 0 {
		en.Done[i].Outcome = how // the sequence did not wait for it
		return en, []Event{ev}
	}
	if en.Next != step || en.Ended() {
		return en, []Event{ev}
	}
	en.Done = append(en.Done, Done{Step: step, At: at, Outcome: how})
	en, more := en.goOn(next, due, at)
	return en, append([]Event{ev}, more...)
}

// notInTime ends an enrollment whose task was not done in time.
func (en Enrollment) notInTime(why string, at time.Time) (Enrollment, []Event) {
	expired := en.event(EventTaskExpired, at, map[string]string{})
	en = en.stop(NotDone, why)
	return en, []Event{expired, en.event(EventStopped, at, map[string]string{"reason": string(NotDone), "why": why})}
}

// openTask hands a task step to the owner.
func (e *Engine) openTask(seq *sequences.Sequence, st *sequences.Step, en Enrollment, now time.Time) error {
	parts, err := st.Body.RenderIn(zone(e.Mailbox, seq, en), fieldsFor(e.Mailbox, seq, st, en, now))
	text := parts.Text
	if err != nil {
		text = st.Title // a task with a hole in it is still the owner's to do
	}
	task := taskOf(st, text, now, zone(e.Mailbox, seq, en))
	next, due := e.after(seq, en, st.ID, now)
	e.Log.Info("task opened", "enrollment", en.ID, "prospect", en.Address, "sequence", en.Sequence, "step", st.ID)
	return e.change(en, now, func(en Enrollment) (Enrollment, []Event) { return en.OpenTask(task, next, due, now) })
}

// expire ends the wait for a task that was not done in time.
func (e *Engine) expire(seq *sequences.Sequence, en Enrollment, d Decision, now time.Time) error {
	next, due := e.after(seq, en, en.Next, now)
	e.Log.Info("task not done in time", "enrollment", en.ID, "prospect", en.Address, "sequence", en.Sequence, "step", en.Next)
	return e.change(en, now, func(en Enrollment) (Enrollment, []Event) {
		if d.Stop {
			return en.notInTime(d.Why, now)
		}
		return en.CloseTask(en.Next, Expired, next, due, now)
	})
}
