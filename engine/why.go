package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"nudge/sequences"
)

// Explanation is every fact that decides whether and when the next touch of an
// enrollment goes.
type Explanation struct {
	Enrollment View       `json:"enrollment"`
	At         *time.Time `json:"at"`      // the earliest moment that all facts allow; nil when a person must act first, or never
	Step       string     `json:"step"`    // what goes then: the next step, or the one behind those that are left out; "" for none
	Action     string     `json:"action"`  // email, call, letter or task
	Because    *Event     `json:"because"` // the mail or word that brought it where it stands; nil when none did
	Facts      []Fact     `json:"facts"`
	Zone       string     `json:"zone"` // in which moments in Facts are told, the prospect's, by its IANA name
}

// Fact is one of them, in words.
type Fact struct {
	About string `json:"about"` // state, held, wait, window, late, touch, person, suppressed, pause, pace, mailbox
	Words string `json:"words"`
	No    bool   `json:"no"` // it keeps the touch from going at this moment
}

// Why implements Operator.
func (d *Desk) Why(_ context.Context, address string) ([]Explanation, error) {
	ens, err := d.of(address, "")
	if err != nil {
		return nil, err
	}
	all := make([]Explanation, len(ens))
	for i, en := range ens {
		if all[i], err = d.explain(en); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// account is one explanation being written.
type account struct {
	Explanation
	en    Enrollment
	seq   *sequences.Sequence
	st    *sequences.Step // the next one, nil when there is none
	m     Mailbox
	loc   *time.Location
	now   time.Time
	never bool // until a person acts
}

func (a *account) fact(about string, no bool, format string, args ...any) {
	a.Facts = append(a.Facts, Fact{about, fmt.Sprintf(format, args...), no})
}

// clock writes a moment in the prospect's zone, with the year when it is not
// this one.
func (a *account) clock(t time.Time) string {
	if t = t.In(a.loc); t.Year() != a.now.In(a.loc).Year() {
		return t.Format("Mon 2 Jan 2006 15:04")
	}
	return t.Format("Mon 2 Jan 15:04")
}

func (d *Desk) explain(en Enrollment) (Explanation, error) {
	a := &account{en: en, now: d.Now(), m: d.mailboxOf(en)}
	a.Enrollment = d.view(en)
	if a.seq, _ = d.Library.Sequence(en.Sequence); a.seq != nil {
		a.st = a.seq.Step(en.Next)
	}
	a.loc = zone(a.m, a.seq, en)
	a.Zone = a.loc.String()
	events, err := d.Store.Events(en.ID, 0, -200)
	if err != nil {
		return a.Explanation, err
	}
	a.Because = causeOf(en, events)
	a.state()
	if en.Ended() {
		return a.Explanation, d.explainSuppression(a)
	}
	a.chains()
	at := latestOf(en.Due, en.HeldUntil)
	task, open := en.blocking()
	switch {
	case open:
		a.task(task)
		at = latestOf(task.look(), en.HeldUntil)
	case a.st != nil:
		a.wait()
		if !at.IsZero() {
			at = a.st.Send.First(at.In(a.loc))
		}
		a.window(at)
	}
	at = latestOf(at, a.now)
	if en.State == Active && !en.Paused && !open && en.Look.After(at) {
		at = en.Look
	}
	if err := d.explainSuppression(a); err != nil {
		return a.Explanation, err
	}
	if err := d.explainPauses(a); err != nil {
		return a.Explanation, err
	}
	a.comes(en)
	if open && task.look().Equal(ownersMove) {
		a.never = true
		return a.Explanation, nil
	}
	if at, err = d.explainGuard(a, at); err != nil {
		return a.Explanation, err
	}
	if at, err = d.explainMailbox(a, at); err != nil {
		return a.Explanation, err
	}
	if !a.never {
		a.At = moment(at, a.loc)
	}
	return a.Explanation, nil
}

// causeOf finds what brought an enrollment where it stands: the mail, where it
// was one, else the event of the stop or the hold.
func causeOf(en Enrollment, events []Event) *Event {
	if en.State == Active {
		return nil
	}
	for _, ev := range slices.Backward(events) {
		mail := ev.Detail["folder"] != "" && ev.Kind != EventNoted
		switch {
		case en.By != "" && mail && (ev.MessageID == en.By || ev.MessageID == ""):
			return &ev
		case en.By == "" && (ev.Kind == EventHeld || ev.Kind == EventStopped || ev.Kind == EventFinished):
			return &ev
		}
	}
	return nil
}

// state says where it stands, and until when by what reckoning.
func (a *account) state() {
	en := a.en
	words := string(en.State)
	if en.Reason != "" {
		words += ": " + string(en.Reason)
	}
	if en.Detail != "" {
		words += " (" + en.Detail + ")"
	}
	a.fact("state", en.State != Active, "%s", words)
	switch {
	case en.Ended():
		a.never = true
	case en.State == Held && en.HeldUntil.IsZero():
		a.never = true
		a.fact("held", true, "until you answer: %s", heldWhy(en))
	case en.State == Held:
		a.fact("held", en.HeldUntil.After(a.now), "until %s%s", a.clock(en.HeldUntil), a.reckoned())
	}
	if h := en.Behind; h != nil {
		until := "until you answer"
		if !h.Until.IsZero() {
			until = "until " + a.clock(h.Until)
		}
		a.fact("held", true, "behind that, %s: %s", until, h.Reason)
	}
}

// reckoned is how the date of a hold came about, where mail brought it.
func (a *account) reckoned() string {
	read := ""
	if a.Because != nil {
		read = ", read " + a.clock(a.Because.At)
	}
	switch {
	case a.en.Reason == Absent && a.en.Detail != "":
		return fmt.Sprintf(": away %s, + %s%s", a.en.Detail, absenceDated, a.withoutHolidays())
	case a.en.Reason == Absent:
		return fmt.Sprintf(": away, no date named%s, + %s%s", read, absenceUndated, a.withoutHolidays())
	case a.en.Reason == Colleague:
		return fmt.Sprintf(": %s%s, + %s%s", a.en.Detail, read, companyAnswer, a.withoutHolidays())
	case a.en.Reason == Unsure && a.Because != nil:
		return fmt.Sprintf("%s, + %s%s", read, machineMail, a.withoutHolidays())
	}
	return ""
}

func (a *account) withoutHolidays() string {
	if a.seq != nil && a.seq.Holidays != nil {
		return ", holidays left out"
	}
	return ""
}

// window says when touches may leave.
func (a *account) window(at time.Time) {
	words := fmt.Sprintf("%s, %s", a.st.Send, a.loc)
	open := a.st.Send.Allows(a.now.In(a.loc))
	switch {
	case a.st.Send.String() == "always":
		words = "always open"
	case open:
		words += ", open now"
	default:
		words += ", closed now"
	}
	if at.After(a.now) {
		words += "; first moment then: " + a.clock(at)
	}
	a.fact("window", !open, "%s", words)
}

func (d *Desk) explainSuppression(a *account) error {
	all, err := d.Store.Suppressions()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(s Suppression) bool { return s.Target == a.en.Key || s.Target == "@"+AddressDomain(a.en.Key) })
	if i < 0 {
		a.fact("suppressed", false, "no")
		return nil
	}
	a.never = true
	a.fact("suppressed", true, "%s, since %s: %s", all[i].Target, a.clock(all[i].At), all[i].Why)
	return nil
}

func (d *Desk) explainPauses(a *account) error {
	switches, err := d.Store.Switches()
	if err != nil {
		return err
	}
	var on []string
	for _, sw := range switches {
		what := ""
		switch {
		case sw.Scope == Scope{}:
			what = "everything"
		case sw.Person == a.en.Key:
			what = "this person"
		case sw.Sequence != "" && sw.Sequence == a.en.Sequence:
			what = "sequence " + sw.Sequence
		case sw.Mailbox != "" && sw.Mailbox == a.en.Mailbox:
			what = "mailbox " + sw.Mailbox
		default:
			continue
		}
		if sw.Why != "" {
			what += " (" + sw.Why + ")"
		}
		on = append(on, what)
	}
	if slices.ContainsFunc(d.Engines, (*Engine).halted) {
		on = append(on, "everything, by the emergency switch")
	}
	if len(on) == 0 {
		a.fact("pause", false, "none")
		return nil
	}
	a.never = true
	a.fact("pause", true, "%s; nudge resume lifts it", strings.Join(on, ", "))
	return nil
}

// maxGuards bounds how often the guard is asked again about one step, at the
// moment it names.
const maxGuards = 8

// explainGuard asks the guard itself, at the moment that everything else
// allows, again at whatever later moment it names, and about the step behind
// one that is left out.
func (d *Desk) explainGuard(a *account, at time.Time) (time.Time, error) {
	said := map[string]bool{}
	en, moved := a.en, false
	asked := maxGuards
	if a.seq != nil {
		asked += len(a.seq.Steps)
	}
	for range asked {
		c, err := d.Store.Candidate(a.en.ID, at, a.m.day(at))
		if err != nil {
			return at, err
		}
		c.SequenceOff = false // told among the pauses
		if moved {
			c.Enrollment = en
		}
		if a.m.day(at) != a.m.day(a.now) {
			c.DomainToday = 0
		}
		if c.OpenTouch {
			a.fact("touch", true, "its last mail is on its way, or in doubt: nudge doubt list")
			return at, nil
		}
		g := Guard(c, a.seq, a.m, at)
		if movesOn(g) {
			en, moved = a.goOn(en, g, at), true
			if a.never {
				return at, nil
			}
			at = latestOf(at, en.Look)
			continue
		}
		switch {
		case g.Stop: // told already
		case g.Hold != "":
			a.never = true
			a.fact("rule", true, "it will be held: %s", g.Why)
		case g.End:
			a.never = true
			a.fact("rule", true, "%s, so it ends", g.Why)
		case !g.Go && g.Look.After(at):
			words := fmt.Sprintf("%s: not before %s", g.Why, a.clock(g.Look))
			if !said[g.Why] {
				a.fact("pace", true, "%s", words)
			}
			said[g.Why], at = true, g.Look
			continue
		}
		break
	}
	if len(said) == 0 {
		a.fact("pace", false, "nothing sent to them forbids it: %s", a.paceWords())
	}
	if a.en.Late {
		a.fact("late", false, "part of a backlog, of which %d leave a day", a.m.lateShare())
	}
	return at, nil
}
