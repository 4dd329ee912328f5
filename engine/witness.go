package engine

import (
	"fmt"
	"slices"
	"time"

	"nudge/sequences"
)

// witnessSlack is by how much the times of one mail may differ: our clock at
// the claim, the mail server's at delivery, the provider's at filing its copy.
const witnessSlack = 15 * time.Minute

// testimony is what a mail of ours, met in the mailbox, says about the state.
type testimony struct {
	en      Enrollment // whose it is; the zero one when unknown
	id      string     // our Message-ID for it, which the provider may have replaced
	foreign string     // another nudge sent it: its instance
	unknown bool       // this one sent it, and the state does not know
}

// sentKnown is what tells a mail that the state knows to have sent from one
// that it does not: the touches that may have left but are not settled.
type sentKnown struct {
	secret  []byte
	mailbox Mailbox
	trust   Trust
	open    []Touch // in flight or in doubt
	seqOf   func(Enrollment) *sequences.Sequence
}

// testify reads one mail that carries the mark of a nudge, or one of our ids.
// Only the Sent folder can accuse: anybody may write into an inbox in the
// owner's name.
func (k sentKnown) testify(in Incoming, known Known) testimony {
	t := k.recognise(in, known)
	if t.en.ID != "" && t.en.Mailbox != k.mailbox.Name || (t.foreign != "" || t.unknown) && in.Role != SentMail {
		return testimony{}
	}
	return t
}

func (k sentKnown) recognise(in Incoming, known Known) testimony {
	id := in.MessageID
	if _, ok := known.ByID[in.OriginalID]; ok && in.OriginalID != "" {
		id = in.OriginalID
	}
	owner, knownID := known.ByID[id]
	en := known.ByEnrollment[owner]
	if !knownID && in.Instance == "" && in.Role == SentMail {
		en, id, knownID = k.planned(in, known)
		owner = en.ID
	}
	until, former := k.trust.Former[in.Instance]
	left := knownID && (owner == "" || k.left(en, id))
	switch {
	case k.trust.Instance == "" || in.Instance == "" && !knownID:
		return testimony{}
	case left && (in.Instance == "" || k.trust.was(in.Instance)): // bytes that are kept keep the name they were made under
		return testimony{en: en, id: id}
	case in.Arrived.IsZero() || in.Arrived.Before(k.trust.Born.Add(-witnessSlack)):
		return testimony{} // nothing that is older than this state can accuse it
	case in.Instance != "" && in.Instance != k.trust.Instance && (!former || in.Arrived.After(until.Add(witnessSlack))):
		return testimony{en: en, id: id, foreign: in.Instance}
	case knownID:
		return testimony{en: en, id: id, unknown: true}
	}
	return k.testifyByAnchor(in, known)
}

// planned finds whose touch a mail is that bears no mark, since the provider
// dropped it, and an id that this state never gave: one of its recipients has a
// step that would get this id. Nobody else can make it up.
func (k sentKnown) planned(in Incoming, known Known) (en Enrollment, id string, ok bool) {
	for _, addr := range in.To {
		for _, en := range known.ByAddress[AddressKey(addr)] {
			for _, id := range []string{in.MessageID, in.OriginalID} {
				if id == "" {
					continue
				}
				if step, ours := k.stepOf(en, id); ours && step != "" {
					return en, id, true
				}
			}
		}
	}
	return Enrollment{}, "", false
}

// left says whether the state knows that a mail with this id may have left:
// its step is behind the enrollment, or its touch is open after the claim.
func (k sentKnown) left(en Enrollment, id string) bool {
	if slices.ContainsFunc(en.Done, func(d Done) bool { return d.MessageID == id }) {
		return true
	}
	if slices.ContainsFunc(k.open, func(t Touch) bool { return t.Email.MessageID == id }) {
		return true
	}
	step, ok := k.stepOf(en, id) // one that is not ours was learned from a copy
	return !ok || step == "" || slices.Contains(en.DoneSteps(), step)
}

// testifyByAnchor reads a mail whose Message-ID the provider replaced: the
// anchor in References tells whose it is, and the time which touch.
func (k sentKnown) testifyByAnchor(in Incoming, known Known) testimony {
	for _, ref := range in.References {
		en, ok := known.ByEnrollment[known.ByID[ref]]
		if !ok {
			continue
		}
		for _, t := range k.open {
			if t.Enrollment == en.ID && !in.Arrived.Before(t.ClaimedAt.Add(-witnessSlack)) {
				return testimony{en: en, id: t.Email.MessageID}
			}
		}
		for _, d := range en.Done {
			if d.Outcome == Sent && in.Arrived.Sub(d.At).Abs() <= witnessSlack {
				return testimony{en: en, id: d.MessageID}
			}
		}
		return testimony{en: en, unknown: true}
	}
	return testimony{unknown: true}
}

// maxResends bounds the resends by hand whose ids are tried.
const maxResends = 3

// stepOf finds the step whose Message-ID this is: behind the enrollment, next,
// or still to come. The step of a rehearsal is "".
func (k sentKnown) stepOf(en Enrollment, id string) (step string, ok bool) {
	domain := AddressDomain(k.mailbox.Address)
	steps := append(en.DoneSteps(), en.Next)
	if seq := k.seqOf(en); seq != nil {
		for _, st := range seq.Steps {
			steps = append(steps, st.ID)
		}
	}
	for _, step := range steps {
		for en.Resends = range maxResends + 1 {
			if messageID(k.secret, "touch", en, step, domain) == id {
				return step, true
			}
			if messageID(k.secret, "rehearsal", en, step, domain) == id {
				return "", true
			}
		}
	}
	return "", false
}

// foreignWhy says to a person that a second nudge is at work.
func foreignWhy(instance string, in Incoming) string {
	return fmt.Sprintf("another nudge (instance %s) writes from this mailbox: see the mail of %s to %s in %s. End one of the two, then nudge resume",
		instance, in.Arrived.Format("2 January 15:04"), firstOf(in.To), in.Folder)
}

// behindWhy says to a person that the state is older than the Sent folder.
func behindWhy(in Incoming) string {
	return fmt.Sprintf("%s has a mail of %s to %s that this state does not know", in.Folder, in.Arrived.Format("2 January 15:04"), firstOf(in.To))
}

func firstOf(addrs []string) string {
	if len(addrs) == 0 {
		return "somebody"
	}
	return addrs[0]
}

// accusersKept bounds what is kept of the mails that accuse a state.
const accusersKept = 1000

// was says whether an instance is this installation, or one it was before.
func (t Trust) was(instance string) bool {
	_, former := t.Former[instance]
	return instance != "" && (instance == t.Instance || former)
}

func (e *Engine) sentKnown() sentKnown {
	open := slices.Clone(e.doubts)
	if e.flight != nil {
		open = append(open, touchesOf(e.flight.group)...)
	}
	return sentKnown{secret: e.Store.Secret(), mailbox: e.Mailbox, trust: e.trust, open: open,
		seqOf: func(en Enrollment) *sequences.Sequence { seq, _ := e.Library.Sequence(en.Sequence); return seq }}
}

// witness heeds what a mail of our own in the mailbox says: that a touch in
// doubt left, which id the provider gave it, that this state is older than what
// was sent, or that a second nudge is at work. The last two are durable before
// the cursor moves behind the mail that shows them.
func (e *Engine) witness(in Incoming, known Known, s *Sweep, now time.Time) error {
	t := e.sentKnown().testify(in, known)
	switch {
	case t.foreign != "":
		return e.stopForeign(t, in, now)
	case t.unknown:
		return e.distrust(in, now)
	case t.en.ID == "":
		return nil
	}
	if in.Role == SentMail && !e.Mailbox.SaveSent && !slices.ContainsFunc(in.To, e.Mailbox.IsOwn) { // a rehearsal goes to ourselves
		s.Copies++
	}
	if in.MessageID != t.id && in.MessageID != "" {
		if s.Learned == nil {
			s.Learned = map[string]string{}
		}
		s.Learned[in.MessageID] = t.en.ID
	}
	s.Effects = append(s.Effects, e.undoubted(t.id, "found in "+in.Folder, in, now)...)
	return nil
}

// arrived finds in the mail of others the proof that a touch in doubt left: it
// cites that very mail.
func (e *Engine) arrived(in Incoming, now time.Time) []Effect {
	var effects []Effect
	for _, id := range slices.Concat(in.InReplyTo, in.References, in.Quoted) {
		effects = append(effects, e.undoubted(id, "cited by a mail in "+in.Folder, in, now)...)
	}
	return effects
}

// undoubted settles as sent the touch in doubt that has this Message-ID.
func (e *Engine) undoubted(id, proof string, in Incoming, now time.Time) []Effect {
	if e.flight != nil {
		for i, p := range e.flight.group { // should its answer be lost, this is it
			e.flight.group[i].seen = p.seen || p.touch.Email.MessageID == id
		}
	}
	i := slices.IndexFunc(e.doubts, func(t Touch) bool { return t.Email.MessageID == id })
	if i < 0 {
		return nil
	}
	t := e.doubts[i]
	en, err := e.Store.Enrollment(t.Enrollment)
	if err != nil {
		return nil // it stays in doubt; the next round tells what is wrong with the memory
	}
	seq, _ := e.Library.Sequence(t.Sequence)
	next, due := e.after(seq, en, t.Step, t.ClaimedAt)
	if next == "" && seq != nil && seq.OnFinish != nil {
		// What this mail says is not applied yet. The guard finds that no step is
		// left, and lets the chain begin if it still may.
		next, due = t.Step, now
	}
	f := Effect{Enrollment: t.Enrollment, Incoming: identity(in), Event: Event{At: now, Kind: EventNoted, Enrollment: t.Enrollment,
		Address: en.Address, Sequence: en.Sequence, Step: t.Step, MessageID: id,
		Detail: map[string]string{"note": proof + ", so it was sent", "folder": in.Folder, "uid": decimal(in.UID)}}}
	f.Sent = &Settlement{Touch: t, Outcome: Sent, At: t.ClaimedAt, Answer: proof, Next: next, Due: due}
	return []Effect{f}
}

// stopForeign stops all sending because a second nudge writes from this
// mailbox: neither knows what the other sent.
func (e *Engine) stopForeign(t testimony, in Incoming, now time.Time) error {
	why := foreignWhy(t.foreign, in)
	e.Log.Error("a second nudge is at work, all sending stopped", "mailbox", e.Mailbox.Name, "instance", t.foreign, "folder", in.Folder, "uid", in.UID)
	e.flagged = true
	if _, err := e.Store.Pause(Scope{}, true, why, now); err != nil {
		return &storeError{err}
	}
	return nil
}

// distrust notes that the Sent folder has a mail this state does not know. The
// mail is kept for reconcile: where Sent holds too many to be read, it would
// accuse the state again and again.
func (e *Engine) distrust(in Incoming, now time.Time) error {
	e.flagged = true
	if len(e.accusers) < accusersKept {
		e.accusers = append(e.accusers, in)
	}
	asOf, err := e.Store.AbleAt(e.Mailbox.Name) // older than any round of this process: a round listens before it beats
	if err != nil {
		return &storeError{err}
	}
	if asOf.IsZero() || in.Arrived.Before(asOf) {
		asOf = in.Arrived
	}
	if e.trust.Behind != "" && !asOf.Before(e.trust.AsOf) {
		return nil // known already; the Sent folder is about to be read
	}
	e.Log.Error("this state is older than what was sent", "mailbox", e.Mailbox.Name, "folder", in.Folder, "uid", in.UID)
	if err := e.Store.Distrust(e.Mailbox.Name, behindWhy(in), asOf, now); err != nil {
		return &storeError{err}
	}
	return e.loadTrust()
}

// loadTrust reads how far the state can be trusted, and which nudge this is.
func (e *Engine) loadTrust() error {
	trust, err := e.Store.Trust(e.Mailbox.Name)
	if err != nil {
		return &storeError{err}
	}
	e.trust, e.Mailbox.Instance = trust, trust.Instance
	return nil
}
