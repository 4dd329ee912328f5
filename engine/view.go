package engine

import (
	"fmt"
	"time"

	"nudge/sequences"
)

// viewOf shows an enrollment to a person: what comes next, when, and why then.
// seq is nil when its file is gone.
func viewOf(en Enrollment, seq *sequences.Sequence, m Mailbox) View {
	v := View{ID: en.ID, Sequence: en.Sequence, Address: en.Address, Name: en.Name, Fields: en.Fields, Mailbox: en.Mailbox,
		State: en.State, Reason: string(en.Reason), Paused: en.Paused, Touches: en.Touches()}
	if v.Fields == nil {
		v.Fields = map[string]string{}
	}
	for _, d := range en.Done {
		if d.Rehearsed {
			v.Rehearsed++
		}
	}
	loc := zone(m, seq, en)
	if t := en.LastTouchAt(); !t.IsZero() {
		v.LastTouchAt = moment(t, loc)
	}
	if !en.Ended() {
		v.Next = nextOf(en, seq, loc)
	}
	return v
}

func nextOf(en Enrollment, seq *sequences.Sequence, loc *time.Location) *Next {
	n := &Next{Action: "email", Step: en.Next}
	if en.Next == toBeFound {
		n.Step = ""
	}
	var st *sequences.Step
	if seq != nil {
		st = seq.Step(en.Next)
	}
	if st != nil && st.Do != sequences.Email {
		n.Action = string(st.Do)
	}
	at := en.Due
	task, open := en.blocking()
	switch {
	case en.State == Held && en.HeldUntil.IsZero():
		n.Action, n.Why = "answer", heldWhy(en)
		return n
	case en.State == Held:
		if en.HeldUntil.After(at) {
			at = en.HeldUntil
			if st != nil {
				at = st.Send.First(at.In(loc))
			}
		}
		n.Why = fmt.Sprintf("held until %s: %s", en.HeldUntil.In(loc).Format("Mon 2 Jan 15:04"), en.Reason)
	case en.Paused:
		n.Action, n.Why = "answer", "paused: nudge resume "+en.Address
		return n
	case open:
		at = task.OpenedAt
		if !task.Due.IsZero() {
			at = task.Due
		}
		n.Action, n.Why, n.At = task.Do, task.why()+": nudge done "+en.Address, moment(at, loc)
		return n
	case en.Why != "" && en.Look.After(en.Due):
		n.Why = en.Why
	case en.Attempts > 0:
		at, n.Why = en.Look, fmt.Sprintf("the recipient's server asked to try again later (%d so far)", en.Attempts)
	case seq == nil:
		n.Why = "its sequence file is gone"
	case st == nil:
		n.Why = "its step is gone from the file; the next one comes instead"
	case len(en.Done) == 0:
		n.Why = waited(st.Wait) + "after enrolling" + inWindow(st.Send)
	default:
		n.Why = fmt.Sprintf("%safter step %q%s", waited(st.Wait), en.Done[len(en.Done)-1].Step, inWindow(st.Send))
	}
	if en.Look.After(at) && en.State == Active {
		at = en.Look
	}
	n.At = moment(at, loc)
	return n
}

// waited is a delay before "after …": "3 days ", or "at once " for none.
func waited(d sequences.Delay) string {
	if d.N == 0 {
		return "at once "
	}
	return d.String() + " "
}

// inWindow says which moments count, where not all do.
func inWindow(send sequences.Schedule) string {
	if send.String() == "always" {
		return ""
	}
	return ", then the first moment in " + send.String()
}

// heldWhy says what a person must answer.
func heldWhy(en Enrollment) string {
	switch en.Reason {
	case MissingField:
		if en.Detail == "signature" {
			return "there is no signature: set signature or display-name in the config, then nudge resume " + en.Address
		}
		return fmt.Sprintf("field %q has no value: add it with nudge import or nudge enroll, then nudge resume %s", en.Detail, en.Address)
	case InDoubt:
		return "nobody knows whether the last mail left: nudge doubt list"
	case Rehearsed:
		return en.Detail + ": nudge resume " + en.Address + " does those steps for real"
	case BadDate:
		return en.Detail + ": give the date anew with nudge import, then nudge resume " + en.Address
	case StepsGone:
		return en.Detail + ": give the renamed steps their old names as id:, then nudge resume " + en.Address
	case CatchUp:
		return en.Detail + ", while nothing could be sent: nudge catch-up"
	case Restored:
		return en.Detail + ": nudge resume " + en.Address + " if it did not, nudge stop " + en.Address + " to end"
	case NoSequence:
		return "there is no sequence " + en.Sequence + ": put its file back"
	}
	why := string(en.Reason)
	if en.Detail != "" {
		why += ": " + en.Detail
	}
	return why + "; nudge resume " + en.Address + " to go on, nudge stop " + en.Address + " to end"
}

func moment(t time.Time, loc *time.Location) *time.Time {
	t = t.In(loc)
	return &t
}
