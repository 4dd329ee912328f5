package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// doubtLooks is how long after a touch fell in doubt it is looked for among the
// sent mail. A provider files its copy within minutes; the last look decides.
var doubtLooks = []time.Duration{time.Minute, 6 * time.Minute, 16 * time.Minute}

// copiesProve is how many copies that the provider filed by itself prove that
// it always does.
const copiesProve = 3

// decideDoubt says what becomes of a touch in doubt after the last look found
// nothing: the settlement, or false when a person decides. keepsSent says that
// the provider files every mail in Sent by itself and that the folder was read.
func decideDoubt(t Touch, en Enrollment, policy DoubtPolicy, keepsSent bool, now time.Time) (Settlement, bool) {
	s := Settlement{Touch: t, At: now}
	switch {
	case keepsSent:
		s.Outcome, s.Keep, s.Due, s.Attempts = Deferred, true, now, en.Attempts
		s.Answer = "not among the sent mail at three looks, so it never left"
	case en.Ended(): // nothing of it is due again, whatever became of this one
		s.Outcome, s.Assumed, s.At, s.Answer = Sent, true, t.ClaimedAt, "nobody knows whether it left, and nothing follows it"
	case policy == DoubtHold, policy == DoubtByStep && !en.written():
		return Settlement{}, false
	default:
		s.Outcome, s.Assumed, s.At = Sent, true, t.ClaimedAt
		s.Answer = "nobody knows whether it left; it counts as sent, so that it cannot come twice"
	}
	return s, true
}

// undecided is when the next look for a doubtful touch is due; the zero time
// when there is none left.
func undecided(t Touch) time.Time {
	if t.Looks >= len(doubtLooks) {
		return time.Time{}
	}
	return t.DoubtAt.Add(doubtLooks[t.Looks])
}

// loadDoubts reads what is in doubt, if anything may be.
func (e *Engine) loadDoubts() error {
	if !e.doubting {
		return nil
	}
	all, err := e.Store.Doubts()
	if err != nil {
		return &storeError{err}
	}
	e.doubts = slices.DeleteFunc(all, func(t Touch) bool { return t.Mailbox != e.Mailbox.Name })
	e.doubting = len(e.doubts) > 0
	return nil
}

// resolve looks for what is in doubt among the sent mail, where a look is due.
// It returns when the next one is.
func (e *Engine) resolve(ctx context.Context, now time.Time) (next time.Time, err error) {
	var due []Touch
	for _, t := range e.doubts {
		switch at := undecided(t); {
		case at.IsZero():
		case at.After(now):
			next = earlier(next, at)
		default:
			due = append(due, t)
		}
	}
	if len(due) == 0 {
		return next, nil
	}
	oldest := slices.MinFunc(due, func(a, b Touch) int { return a.ClaimedAt.Compare(b.ClaimedAt) })
	own, readable, err := e.ownMail(ctx, oldest.ClaimedAt.Add(-clockTrust))
	if err != nil {
		if !e.sentUnread {
			e.Log.Warn("sent mail unreadable, so doubts stay", "mailbox", e.Mailbox.Name, "err", err)
		}
		e.sentUnread = true
		return now.Add(time.Minute), nil
	}
	e.sentUnread = false
	keeps := false
	if readable {
		if keeps, err = e.keepsSent(own); err != nil {
			return time.Time{}, err
		}
	}
	var settled []Settlement
	var vain []Touch
	for _, t := range due {
		s, decided, err := e.decide(t, own, keeps && e.steady(t, now), now)
		if err != nil {
			return time.Time{}, err
		}
		if !decided {
			vain = append(vain, t)
			next = earlier(next, undecided(Touch{DoubtAt: t.DoubtAt, Looks: t.Looks + 1}))
			continue
		}
		settled = append(settled, s)
	}
	if len(vain) > 0 {
		if err := e.Store.Looked(vain); err != nil {
			return time.Time{}, &storeError{err}
		}
	}
	if err := e.settleAll(settled); err != nil {
		return time.Time{}, err
	}
	return next, e.loadDoubts()
}

// decide settles one touch in doubt, if this look can.
func (e *Engine) decide(t Touch, own []Incoming, keepsSent bool, now time.Time) (s Settlement, decided bool, err error) {
	en, err := e.Store.Enrollment(t.Enrollment)
	if err != nil {
		return s, false, &storeError{err}
	}
	if in, found := e.copyOf(t, en, own); found {
		s, decided = Settlement{Touch: t, Outcome: Sent, At: t.ClaimedAt, Answer: "found in " + in.Folder}, true
	} else if t.Looks+1 == len(doubtLooks) {
		s, decided = decideDoubt(t, en, e.Mailbox.InDoubt, keepsSent, now)
	}
	if s.Outcome == Sent {
		seq, _ := e.Library.Sequence(en.Sequence)
		s.Next, s.Due = e.after(seq, en, t.Step, s.At)
		s.Then = e.then(en, s.Next, now)
	}
	return s, decided, nil
}

// clockTrust is how much further back than its claim, by our clock, a touch is
// looked for in Sent: our clock may have been ahead of the mail server's.
const clockTrust = 7 * 24 * time.Hour

// keepsSent says whether Sent, as it was just read, has every mail that leaves:
// the provider files copies by itself, and those of the last three touches that
// the state knows to have left are there, at the time at which they left. So
// the clocks agree as well, and the owner does not tidy the folder.
func (e *Engine) keepsSent(own []Incoming) (bool, error) {
	if e.Mailbox.SaveSent || e.trust.Copies < copiesProve {
		return false, nil // a copy that we file may have failed
	}
	at := map[string]time.Time{}
	for _, in := range own {
		for _, id := range append([]string{in.MessageID, in.OriginalID}, in.References...) {
			if id != "" && e.trust.was(in.Instance) {
				at[id] = in.Arrived
			}
		}
	}
	known, err := e.Store.Known(slices.Collect(maps.Keys(at)), nil)
	if err != nil {
		return false, &storeError{err}
	}
	filed := map[string][]time.Time{} // by enrollment: when its copies arrived
	for id, en := range known.ByID {
		filed[en] = append(filed[en], at[id])
	}
	events, err := e.Store.Events("", 0, -proofEvents)
	if err != nil {
		return false, &storeError{err}
	}
	left := copiesProve
	for _, ev := range slices.Backward(events) {
		if ev.Kind != EventSent || ev.Detail["mailbox"] != e.Mailbox.Name || ev.Detail["assumed"] != "" || ev.Detail["rehearsal"] != "" {
			continue
		}
		there := func(t time.Time) bool { return t.Sub(ev.At).Abs() <= witnessSlack }
		if ev.Detail["copy"] != "" || !slices.ContainsFunc(filed[ev.Enrollment], there) {
			return false, nil
		}
		if left--; left == 0 {
			return true, nil
		}
	}
	return false, nil
}

// proofEvents is how many of the last events are looked through for the last
// touches that left.
const proofEvents = 1000

// steady says whether the wall clock went on as the process's own did since
// this touch was first looked for, and did not go back since its claim: only
// then a quarter of an hour was one. A process that met the touch at its last
// look has not watched long enough.
func (e *Engine) steady(t Touch, now time.Time) bool {
	if t.DoubtAt.Before(t.ClaimedAt) {
		return false
	}
	if !e.live {
		return true
	}
	if e.watched == nil {
		e.watched = map[string]stopwatch{}
	}
	w, ok := e.watched[t.Email.MessageID]
	if !ok {
		w = e.watch(now)
		e.watched[t.Email.MessageID] = w
	}
	apart := now.Sub(w.now()).Abs()
	return now.Sub(w.start) >= doubtLooks[len(doubtLooks)-1]/2 && apart <= arrivalSlack
}

// ownMail reads the headers of the sent mail since shortly before a moment.
// readable is false where the mailbox keeps none.
func (e *Engine) ownMail(ctx context.Context, since time.Time) (own []Incoming, readable bool, err error) {
	reader, ok := e.Inbox.(SentReader)
	if !ok {
		return nil, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, partTimeout)
	defer cancel()
	own, err = reader.OwnMail(ctx, since.Add(-witnessSlack))
	if errors.Is(err, ErrNoSent) {
		return nil, false, nil
	}
	return own, err == nil, err
}

// copyOf finds a touch among the sent mail: by its Message-ID, or where the
// provider replaced that by the thread's anchor and our own mark, unless the
// copy is of an earlier touch of the thread.
func (e *Engine) copyOf(t Touch, en Enrollment, own []Incoming) (Incoming, bool) {
	i := slices.IndexFunc(own, func(in Incoming) bool {
		return in.MessageID == t.Email.MessageID || in.OriginalID == t.Email.MessageID
	})
	if i < 0 && t.Email.Thread.Anchor != "" {
		i = slices.IndexFunc(own, func(in Incoming) bool {
			before := func(d Done) bool { return d.Outcome == Sent && in.Arrived.Sub(d.At).Abs() <= witnessSlack }
			return e.trust.was(in.Instance) && slices.Contains(in.References, t.Email.Thread.Anchor) &&
				!slices.Contains(t.Email.Thread.IDs, in.MessageID) && !slices.ContainsFunc(en.Done, before)
		})
	}
	if i < 0 {
		return Incoming{}, false
	}
	return own[i], true
}

// earlier is the earlier of two moments, of which the zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
