package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nudge/sequences"
)

// A takeover is a mail that the owner wrote by hand, to a prospect or in their
// thread, found in the Sent folder. Our own copies lie there too. One with a
// Message-ID or the mark of a nudge is told at once. Where a provider has
// replaced the one and dropped the other, the copy says nothing that our touch
// did not say, and lies there since that touch left.

// handHold is how long the person's other sequences wait after a takeover.
var handHold = sequences.Delay{N: 5, Unit: sequences.BusinessDays}

// takenOver looks whether a mail of the owner's was written by hand, and adds
// what follows. moved is true when it was gone before it could be read.
func (e *Engine) takenOver(ctx context.Context, in Incoming, known Known, s *Sweep, now time.Time) (moved bool, err error) {
	if e.Mailbox.Replies.Takeover == TakeoverIgnore || e.trust.Behind != "" {
		return false, nil // once the state is trusted again, everything is read once more
	}
	matches := handMatches(in, known, e.Mailbox, e.ownColleague)
	k := e.sentKnown()
	matches = slices.DeleteFunc(matches, func(m Match) bool {
		_, ours := k.stepOf(m.Enrollment, in.MessageID)
		return ours
	})
	if len(matches) == 0 {
		return false, nil
	}
	var ens []Enrollment
	for _, m := range matches {
		ens = append(ens, known.ByAddress[m.Enrollment.Key]...)
		ens = append(ens, m.Enrollment)
	}
	whole, err := e.Inbox.Read(ctx, in, e.touched(ens, true))
	if errors.Is(err, ErrMoved) {
		return true, nil
	} else if err != nil {
		return false, fmt.Errorf("read message %d of %s: %w", in.UID, in.Folder, err)
	}
	silent, near := strings.TrimSpace(whole.NewText) == "", k.leftNear(ens, in.Arrived)
	if silent && near {
		return false, nil // our own copy
	}
	whole.Kind, whole.Arrived = "", in.Arrived // what it is was judged as if somebody else had written it
	whole.Evidence = "written by hand, in " + in.Folder
	effects := e.takeover(whole, matches, known, silent || near, now)
	s.Effects = append(s.Effects, effects...)
	return false, nil
}

// handMatches finds whom a mail of the owner's in Sent concerns: those of this
// mailbox that have not ended, began before it was written (by a chain: whose first sequence did), and are among its
// recipients or in whose thread it stands.
func handMatches(in Incoming, known Known, m Mailbox, colleague func(string) bool) []Match {
	_, ours := known.ByID[in.MessageID]
	_, was := known.ByID[in.OriginalID]
	outside := slices.ContainsFunc(in.To, func(a string) bool { return !m.IsOwn(a) && !colleague(a) })
	if in.Role != SentMail || in.Instance != "" || len(in.From) == 0 || in.Arrived.IsZero() || ours || was && in.OriginalID != "" || !outside {
		return nil
	}
	fits := func(en Enrollment) bool {
		return !en.Ended() && en.Mailbox == m.Name && !in.Arrived.Before(en.Waits().Truncate(time.Second))
	}
	var ms []Match
	for _, match := range matchIDs(append(slices.Clone(in.InReplyTo), in.References...), known, 1, "was written by hand in the thread") {
		if fits(match.Enrollment) {
			ms = append(ms, match)
		}
	}
	for _, addr := range in.To {
		for _, en := range known.ByAddress[AddressKey(addr)] {
			if fits(en) && !slices.ContainsFunc(ms, func(o Match) bool { return o.Enrollment.Key == en.Key && (o.ByID || o.Enrollment.ID == en.ID) }) {
				ms = append(ms, Match{Enrollment: en, Rung: 4, Rule: "was written by hand to " + addr})
			}
		}
	}
	return ms
}

// leftNear says whether a touch to one of these people left at about a moment.
func (k sentKnown) leftNear(ens []Enrollment, at time.Time) bool {
	for _, en := range ens {
		for _, t := range k.open {
			if t.Enrollment == en.ID && !at.Before(t.ClaimedAt.Add(-witnessSlack)) {
				return true
			}
		}
		for _, d := range en.Done {
			if d.Outcome == Sent && at.Sub(d.At).Abs() <= witnessSlack {
				return true
			}
		}
	}
	return false
}

// takeover turns a mail that the owner wrote by hand into effects. Where it may
// be a copy of our own after all, it holds and asks.
func (e *Engine) takeover(in Incoming, matches []Match, known Known, unsure bool, now time.Time) []Effect {
	var effects []Effect
	done := map[string]bool{}
	add := func(en Enrollment, m Match, set func(*Effect)) {
		if done[en.ID] {
			return
		}
		done[en.ID] = true
		f := Effect{Enrollment: en.ID, Incoming: identity(in), Event: Event{At: now, Kind: EventTakeover, Enrollment: en.ID, Address: en.Address,
			Sequence: en.Sequence, Step: en.Next, MessageID: in.MessageID, Detail: evidence(in, m)}}
		set(&f)
		effects = append(effects, f)
	}
	for _, m := range matches {
		add(m.Enrollment, m, func(f *Effect) { e.takes(f, m.Enrollment, in, unsure) })
	}
	if e.Mailbox.Replies.Takeover == TakeoverRestart && !unsure {
		return effects
	}
	for _, m := range matches {
		for _, en := range known.ByAddress[m.Enrollment.Key] {
			if en.Ended() || en.Waits().After(in.Arrived) {
				continue
			}
			add(en, m, func(f *Effect) {
				if unsure {
					e.takes(f, en, in, true)
					return
				}
				f.To, f.Reason, f.Detail, f.Until = Held, Takeover, "you wrote to them by hand", e.daysOf(en).until(handHold, now)
			})
		}
	}
	return effects
}

// takes is what a mail by hand does to the enrollment it was matched to.
func (e *Engine) takes(f *Effect, en Enrollment, in Incoming, unsure bool) {
	if unsure {
		f.Event.Kind, f.To, f.Reason, f.Detail = EventUnsure, Held, Unsure, "a mail in "+in.Folder+" may be yours, written by hand"
		return
	}
	if e.Mailbox.Replies.Takeover != TakeoverRestart {
		f.To, f.Reason = Stopped, Takeover
		return
	}
	seq, _ := e.Library.Sequence(en.Sequence)
	if seq == nil {
		return
	}
	if st := seq.Step(en.Next); st != nil {
		f.Due = st.DueAt(in.Arrived, e.daysOf(en).Location)
		f.Event.Detail["due"] = stamp(f.Due)
	}
}
