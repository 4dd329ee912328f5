package engine

import (
	"context"
	"errors"
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
	own, readable, err := e.ownMail(ctx, due[0].ClaimedAt)
	if err != nil {
		if !e.sentUnread {
			e.Log.Warn("sent mail unreadable, so doubts stay", "mailbox", e.Mailbox.Name, "err", err)
		}
		e.sentUnread = true
		return now.Add(time.Minute), nil
	}
	e.sentUnread = false
	keeps := readable && !e.Mailbox.SaveSent && e.trust.Copies >= copiesProve && e.trust.Behind == ""
	var settled []Settlement
	var vain []Touch
	for _, t := range due {
		en, err := e.Store.Enrollment(t.Enrollment)
		if err != nil {
			return time.Time{}, &storeError{err}
		}
		seq, _ := e.Library.Sequence(en.Sequence)
		in, found := e.copyOf(t, own)
		s, decided := Settlement{Touch: t, Outcome: Sent, At: t.ClaimedAt, Answer: "found in " + in.Folder}, found
		if !found && t.Looks+1 == len(doubtLooks) {
			s, decided = decideDoubt(t, en, e.Mailbox.InDoubt, keeps, now)
		}
		if !decided {
			vain = append(vain, t)
			next = earlier(next, undecided(Touch{DoubtAt: t.DoubtAt, Looks: t.Looks + 1}))
			continue
		}
		if s.Outcome == Sent {
			s.Next, s.Due = e.after(seq, en, t.Step, s.At)
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
// provider replaced that by the thread's anchor and our own mark.
func (e *Engine) copyOf(t Touch, own []Incoming) (Incoming, bool) {
	i := slices.IndexFunc(own, func(in Incoming) bool {
		return in.MessageID == t.Email.MessageID || in.OriginalID == t.Email.MessageID
	})
	if i < 0 && t.Email.Thread.Anchor != "" {
		i = slices.IndexFunc(own, func(in Incoming) bool {
			return e.trust.was(in.Instance) && !in.Arrived.Before(t.ClaimedAt.Add(-arrivalSlack)) &&
				slices.Contains(in.References, t.Email.Thread.Anchor) && !slices.Contains(t.Email.Thread.IDs, in.MessageID)
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
