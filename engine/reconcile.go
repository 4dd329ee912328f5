package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// unreconciled notes that the Sent folder could not be read, without which
// nothing is sent, and returns when to try again.
func (e *Engine) unreconciled(now time.Time, err error) time.Time {
	h := e.Health()
	h.IMAPError = err.Error()
	if h.IMAPSince.IsZero() {
		h.IMAPSince = now
	}
	e.health.Store(&h)
	if e.unread == 0 {
		e.Log.Error("the state cannot be compared with the sent mail, all touches held back", "mailbox", e.Mailbox.Name, "err", err)
	}
	e.unread++
	return now.Add(nth(senderBackoff, e.unread-1))
}

// reconcileSpan is how much further back than a state's last sign of life its
// Sent folder is read: backups are copied while touches are on their way.
const reconcileSpan = clockTrust

// reconcile compares a state that may be older than what was sent with the Sent
// folder, before anything is sent from it. What it finds there is sent; where
// the folder cannot prove that something was not, a person is asked.
func (e *Engine) reconcile(ctx context.Context, now time.Time) error {
	own, readable, err := e.ownMail(ctx, e.trust.AsOf.Add(-reconcileSpan))
	if errors.Is(err, ErrTooMany) {
		own, readable, err = e.accusers, false, nil // of the others nobody can tell, then
	}
	if err != nil {
		return fmt.Errorf("read the sent mail: %w", err)
	}
	if e.unread > 0 {
		e.unread = 0
		e.heard(now, nil)
	}
	proof := false
	if readable {
		if proof, err = e.keepsSent(own); err != nil {
			return err
		}
	}
	c, err := e.concerned(own, proof, now)
	if err != nil {
		return err
	}
	r := e.compare(c, own, proof, now)
	if err := e.Store.Reconcile(r); err != nil {
		return &storeError{err}
	}
	e.Log.Warn("state compared with the sent mail", "mailbox", e.Mailbox.Name, "why", e.trust.Behind, "found", len(r.Sent),
		"held", len(r.Holds), "strangers", len(r.Strangers))
	e.doubting, e.accusers = true, nil
	return e.loadTrust()
}

// concern is what a Sent folder and a state have to do with each other: the
// enrollments that a mail of it belongs to, and of the others those of whom
// nobody can tell.
type concern struct {
	ens     []Enrollment
	steps   map[string]placeInPlan // by Message-ID
	anchors map[string]int         // anchor id → index in ens
	holds   []string
}

// reconcilePage is how many enrollments are compared at once. What is kept of
// them depends on the mails in Sent, not on how many are enrolled.
const reconcilePage = 1000

// concerned finds out whose the mails in Sent are.
func (e *Engine) concerned(own []Incoming, proof bool, now time.Time) (concern, error) {
	c := concern{steps: map[string]placeInPlan{}, anchors: map[string]int{}}
	ids, refs := map[string]bool{}, map[string]bool{}
	for _, in := range own {
		ids[in.MessageID], ids[in.OriginalID] = true, true
		for _, ref := range in.References {
			refs[ref] = true
		}
	}
	delete(ids, "") // a mail without one
	k := e.sentKnown()
	for after := ""; ; {
		page, err := e.Store.Enrollments(Filter{Mailbox: e.Mailbox.Name, After: after, Limit: reconcilePage})
		if err != nil {
			return c, &storeError{err}
		}
		for _, en := range page {
			after = en.ID
			anchor := en.Thread.Anchor
			if anchor == "" {
				anchor = anchorOf(k.secret, en, AddressDomain(e.Mailbox.Address))
			}
			switch {
			case k.expected(en, ids, c.steps) || refs[anchor]:
				c.anchors[anchor] = len(c.ens)
				c.ens = append(c.ens, en)
			case untold(en, proof, now):
				c.holds = append(c.holds, en.ID)
			}
		}
		if len(page) < reconcilePage {
			return c, nil
		}
	}
}

// untold says whether the next mail of an enrollment may have left without
// anything in Sent to tell it.
func untold(en Enrollment, proof bool, now time.Time) bool {
	return !en.Ended() && !proof && !en.Due.After(now)
}

// compare decides what a Sent folder says about the enrollments that it
// concerns. proof says that the folder has every mail that left.
func (e *Engine) compare(c concern, own []Incoming, proof bool, now time.Time) Reconciliation {
	r := Reconciliation{Mailbox: e.Mailbox.Name, Learned: map[string]string{}, Holds: c.holds,
		At: now.In(e.Mailbox.Location)} // what was found counts on the owner's calendar day
	k, ens, steps, anchors := e.sentKnown(), c.ens, c.steps, c.anchors
	byID := map[string]int{}
	for i, en := range ens {
		byID[en.ID] = i
	}
	own = slices.Clone(own)
	slices.SortStableFunc(own, func(a, b Incoming) int { return a.Arrived.Compare(b.Arrived) })
	asked := map[string]bool{}
	seen := map[string]bool{}
	for _, in := range own {
		place, ours := steps[in.MessageID]
		if !ours {
			place, ours = steps[in.OriginalID]
		}
		if seen[in.MessageID] || !ours && in.Instance == "" {
			continue
		}
		seen[in.MessageID] = true
		if ours {
			en := &ens[byID[place.enrollment]]
			if slices.Contains(en.DoneSteps(), place.step) { // sent twice, by a person's word
				r.Learned[in.MessageID] = en.ID
				continue
			}
			s := e.found(*en, place, in, now)
			r.Sent = append(r.Sent, s)
			*en, _ = en.Found(s)
			continue
		}
		if i := slices.IndexFunc(in.References, func(id string) bool { _, ok := anchors[id]; return ok }); i >= 0 {
			en := ens[anchors[in.References[i]]]
			if t := k.testifyByAnchor(in, Known{ByID: map[string]string{in.References[i]: en.ID}, ByEnrollment: map[string]Enrollment{en.ID: en}}); t.unknown {
				asked[en.ID] = true
				r.Learned[in.MessageID] = en.ID
			}
			continue
		}
		if e.trust.was(in.Instance) {
			r.Strangers = append(r.Strangers, Stranger{MessageID: in.MessageID, To: firstOf(in.To), At: in.Arrived})
		}
	}
	for _, en := range ens {
		if asked[en.ID] && !en.Ended() || untold(en, proof, now) {
			r.Holds = append(r.Holds, en.ID)
		}
	}
	return r
}

// found is the settlement of a step whose mail lies in Sent.
func (e *Engine) found(en Enrollment, place placeInPlan, in Incoming, now time.Time) Settlement {
	seq, _ := e.Library.Sequence(en.Sequence)
	next, due := e.after(seq, en, place.step, in.Arrived)
	anchor := anchorOf(e.Store.Secret(), en, AddressDomain(e.Mailbox.Address))
	t := Touch{Enrollment: en.ID, Step: place.step, Mailbox: en.Mailbox, Sequence: en.Sequence,
		Email: Email{MessageID: in.MessageID, To: en.Address, Subject: in.Subject, Thread: Thread{Anchor: anchor, Subject: in.Subject}}}
	if place.rehearsal {
		t.Email.To, t.Email.For = e.Mailbox.Address, en.Address
	}
	return Settlement{Touch: t, Outcome: Sent, At: in.Arrived, Answer: "found in " + in.Folder, Next: next, Due: due, Then: e.then(en, next, now)}
}

// placeInPlan is which step of which enrollment a Message-ID stands for.
type placeInPlan struct {
	enrollment, step string
	rehearsal        bool
}

// expected adds to places, of these ids, those that steps of an enrollment have
// or will have, each with a person's resends. It says whether there was any.
func (k sentKnown) expected(en Enrollment, ids map[string]bool, places map[string]placeInPlan) bool {
	domain := AddressDomain(k.mailbox.Address)
	found := false
	add := func(id string, place placeInPlan) {
		if ids[id] {
			places[id], found = place, true
		}
	}
	for _, d := range en.Done {
		add(d.MessageID, placeInPlan{en.ID, d.Step, d.Rehearsed})
	}
	steps := append(en.DoneSteps(), en.Next)
	if seq := k.seqOf(en); seq != nil {
		for _, st := range seq.Steps {
			steps = append(steps, st.ID)
		}
	}
	slices.Sort(steps)
	for _, step := range slices.Compact(steps) {
		for en.Resends = range maxResends + 1 {
			add(messageID(k.secret, "touch", en, step, domain), placeInPlan{en.ID, step, false})
			add(messageID(k.secret, "rehearsal", en, step, domain), placeInPlan{en.ID, step, true})
		}
	}
	return found
}
