package engine

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// soon bounds what counts as coming: paused people are looked at in a far year.
const soon = 50 * 365 * 24 * time.Hour

// Status implements Operator.
func (d *Desk) Status(ctx context.Context) (Status, error) {
	now := d.Now()
	s := Status{Deliver: d.Deliver, Running: len(d.Engines) > 0}
	var err error
	if s.Counts, err = d.Store.Counts(); err != nil {
		return s, err
	}
	switches, err := d.Store.Switches()
	if err != nil {
		return s, err
	}
	s.Paused = slices.ContainsFunc(switches, func(sw Switch) bool { return sw.Scope == Scope{} })
	for _, m := range d.Mailboxes {
		ms, next, err := d.mailboxStatus(m, now)
		if err != nil {
			return s, err
		}
		s.Mailboxes = append(s.Mailboxes, ms)
		if next != nil && (s.Next == nil || next.At.Before(s.Next.At)) {
			s.Next = next
		}
	}
	s.Notices = append(s.Notices, pauseNotices(switches)...)
	if slices.ContainsFunc(d.Engines, (*Engine).halted) {
		s.Paused = true
	}
	distrusted, err := d.distrusted()
	if err != nil {
		return s, err
	}
	s.Notices = append(s.Notices, distrusted...)
	amiss, err := d.amiss()
	s.Notices = append(s.Notices, amiss...)
	if n := s.Counts.InDoubt; n > 0 {
		s.Notices = append(s.Notices, fmt.Sprintf("%d in doubt, never sent again unless it is proven that they did not leave: nudge doubt list", n))
	}
	overdue, cerr := d.CatchUp(ctx, CatchUpRequest{})
	if n := len(overdue.Overdue); n > 0 {
		s.Notices = append(s.Notices, fmt.Sprintf("%d came due while nothing could be sent, and wait for your word: nudge catch-up", n))
	}
	if err == nil {
		err = cerr
	}
	if n := s.Counts.Held; n > 0 {
		s.Notices = append(s.Notices, fmt.Sprintf("%d held; some may wait for your answer: nudge list --state held", n))
	}
	return s, err
}

// pauseNotices says which sequences are paused, and what was paused not by
// hand but because a person must look.
func pauseNotices(switches []Switch) []string {
	var notices []string
	for _, sw := range switches {
		switch {
		case sw.Why != "":
			notices = append(notices, sw.Why)
		case sw.Sequence != "":
			notices = append(notices, fmt.Sprintf("sequence %s is paused: nudge resume --sequence %s", sw.Sequence, sw.Sequence))
		}
	}
	return notices
}

// distrusted says which mailboxes wait for their state to be compared with
// what was sent.
func (d *Desk) distrusted() ([]string, error) {
	var notices []string
	for _, m := range d.Mailboxes {
		trust, err := d.Store.Trust(m.Name)
		if err != nil {
			return nil, err
		}
		if trust.Behind != "" {
			notices = append(notices, fmt.Sprintf("mailbox %s: %s; nothing is sent until the daemon has read its Sent folder", m.Name, trust.Behind))
		}
	}
	return notices, nil
}

// amiss says what is wrong with the sequences and mailboxes, in words.
func (d *Desk) amiss() ([]string, error) {
	var notices []string
	for _, broken := range d.Library.Broken() {
		notices = append(notices, broken.Error())
	}
	for _, name := range d.Library.Names() {
		if _, _, err := d.plan(name); err != nil {
			notices = append(notices, err.Error())
		}
	}
	used, err := d.Store.Mailboxes()
	for _, name := range used {
		if !slices.ContainsFunc(d.Mailboxes, func(m Mailbox) bool { return m.Name == name }) {
			notices = append(notices, fmt.Sprintf("people are enrolled from mailbox %q, which the config does not have: nothing is sent to them; give the mailbox that name again", name))
		}
	}
	return notices, err
}

// Start puts right what changed while no daemon ran, and says what is amiss.
// It is called once, before the engines run.
func (d *Desk) Start(_ context.Context) ([]string, error) {
	if err := d.welcomeBack(); err != nil {
		return nil, err
	}
	return d.amiss()
}

func (d *Desk) mailboxStatus(m Mailbox, now time.Time) (MailboxStatus, *Upcoming, error) {
	ms := MailboxStatus{Name: m.Name, Address: m.Address, PerDay: m.PerDay, IMAP: IMAPStatus{State: "unknown"}, SMTP: SMTPStatus{State: "unknown"}}
	pace, err := d.Store.Pace(m.Name, m.day(now))
	if err != nil {
		return ms, nil, err
	}
	ms.SentToday, ms.Paused = pace.Today, pace.Paused
	switches, err := d.Store.Switches()
	if err != nil {
		return ms, nil, err
	}
	for _, sw := range switches {
		if sw.Mailbox == m.Name || sw.Scope == (Scope{}) {
			ms.Why = sw.Why
		}
	}
	if i := slices.IndexFunc(d.Engines, func(e *Engine) bool { return e.Mailbox.Name == m.Name }); i >= 0 {
		ms.IMAP, ms.SMTP = statesOf(d.Engines[i].Health(), m.Location)
	}
	due, err := d.Store.Due(m.Name, now.Add(soon), m.day(now), 1)
	if err != nil || len(due) == 0 {
		return ms, nil, err
	}
	en := due[0].Enrollment
	return ms, &Upcoming{At: en.Look.In(m.Location), Address: en.Address, Sequence: en.Sequence, Step: en.Next}, nil
}

func statesOf(h Health, loc *time.Location) (IMAPStatus, SMTPStatus) {
	imap, smtp := IMAPStatus{State: "ok"}, SMTPStatus{State: "ok"}
	if !h.SweptAt.IsZero() {
		imap.SweptAt = moment(h.SweptAt, loc)
	}
	switch {
	case h.IMAPError != "":
		imap.State, imap.Error = "down", "no touch leaves while the mailbox cannot be read: "+h.IMAPError
	case h.SweptAt.IsZero():
		imap.State = "starting"
	}
	switch {
	case h.SMTPError != "":
		smtp.State, smtp.Error = "down", h.SMTPError
	case !h.SMTPTried:
		smtp.State = "starting"
	}
	return imap, smtp
}

// Doubts implements Operator.
func (d *Desk) Doubts(_ context.Context) ([]Doubt, error) {
	touches, err := d.Store.Doubts()
	if err != nil {
		return nil, err
	}
	doubts := make([]Doubt, len(touches))
	for i, t := range touches {
		doubts[i] = Doubt{Enrollment: t.Enrollment, Address: t.Email.To, Sequence: t.Sequence, Step: t.Step, Subject: t.Email.Subject,
			MessageID: t.Email.MessageID, ClaimedAt: t.ClaimedAt, Why: t.Doubt}
		if t.Looks < len(doubtLooks) && len(d.Engines) > 0 {
			doubts[i].Until = moment(t.DoubtAt.Add(doubtLooks[len(doubtLooks)-1]), t.ClaimedAt.Location())
		}
	}
	return doubts, nil
}

// ResolveDoubt implements Operator.
func (d *Desk) ResolveDoubt(_ context.Context, enrollment string, verdict DoubtVerdict) (View, error) {
	touches, err := d.Store.Doubts()
	if err != nil {
		return View{}, err
	}
	i := slices.IndexFunc(touches, func(t Touch) bool { return t.Enrollment == enrollment })
	if i < 0 {
		return View{}, &RefusalError{Err: ErrNotFound, What: fmt.Sprintf("enrollment %s has nothing in doubt", enrollment), Hint: "nudge doubt list"}
	}
	en, err := d.Store.Enrollment(enrollment)
	if err != nil {
		return View{}, err
	}
	t, now := touches[i], d.Now()
	s := Settlement{Touch: t, Outcome: Deferred, At: now, Due: now, Resend: true, Doubted: true, Answer: "to be sent again, by hand"}
	if verdict == DoubtSent {
		s = Settlement{Touch: t, Outcome: Sent, At: t.ClaimedAt, Doubted: true, Assumed: true, Answer: "counted as sent, by hand"}
		if seq, _ := d.Library.Sequence(en.Sequence); seq != nil {
			s.Next, s.Due = following(d.mailboxOf(en), seq, en, t.Step, t.ClaimedAt)
			if s.Next == "" {
				s.Then = d.chains().onFinish(en, now)
			}
		} else {
			s.Next, s.Due = en.Next, now
		}
	}
	if err := d.Store.Settle([]Settlement{s}); err != nil {
		return View{}, err
	}
	d.wake()
	if en, err = d.Store.Enrollment(enrollment); err != nil {
		return View{}, err
	}
	return d.view(en), nil
}

// welcomeBack lets go on whoever was held because their sequence's file was
// gone, and is there again.
func (d *Desk) welcomeBack() error {
	held, err := d.Store.Enrollments(Filter{State: Held})
	if err != nil {
		return err
	}
	held = slices.DeleteFunc(held, func(en Enrollment) bool {
		_, there := d.Library.Sequence(en.Sequence)
		return en.Reason != NoSequence || !there
	})
	if len(held) == 0 {
		return nil
	}
	now := d.Now()
	_, err = d.Store.Change(waiting(held), finishing(d.chains(), now, func(en Enrollment) (Enrollment, []Event) {
		if en.Reason != NoSequence {
			return en, nil
		}
		return en.Answer(now, "the file, which is back")
	}))
	return err
}
