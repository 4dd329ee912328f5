package main

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"nudge/engine"
	"nudge/engine/bolt"
)

// replayer runs the engine's rules over mail of the past, for people who are
// imagined to have been followed up with all that time. It sends nothing,
// changes nothing and remembers nothing.
type replayer struct {
	known  engine.Known
	policy engine.Replies
	loc    *time.Location  // in which absences end
	own    map[string]bool // address keys of the owner, whose mail is nobody's answer
}

// imagined puts somebody into a sequence before all mail, with one touch that
// left, so that reports which name him count.
func (r *replayer) imagine(address, sequence string) {
	en := engine.Enrollment{ID: "imagined-" + strconv.Itoa(len(r.known.ByEnrollment)+1), Address: address, Key: engine.AddressKey(address),
		Sequence: sequence, Company: bolt.Company(engine.AddressKey(address)), State: engine.Active, Next: "next", Done: []engine.Done{{Step: "first", Outcome: engine.Sent}}}
	r.keep(en)
	r.known.ByAddress[en.Key] = append(r.known.ByAddress[en.Key], en)
}

// keep puts what became of an enrollment in its place.
func (r *replayer) keep(en engine.Enrollment) {
	r.known.ByEnrollment[en.ID] = en
	for i, other := range r.known.ByAddress[en.Key] {
		if other.ID == en.ID {
			r.known.ByAddress[en.Key][i] = en
		}
	}
}

// What would have become of an enrollment.
const (
	outcomeStop = "stop"
	outcomeHold = "hold"
	outcomeNone = "none"
)

// replayed is one mail of the past, and what it would have done to one
// enrollment.
type replayed struct {
	At        *time.Time  `json:"at"`
	Place     string      `json:"place"`
	Address   string      `json:"address"`  // the person's it concerns
	Sequence  string      `json:"sequence"` // "" where only an address was given
	Kind      engine.Kind `json:"kind"`
	Outcome   string      `json:"outcome"` // stop, hold or none
	Reason    string      `json:"reason"`
	Until     *time.Time  `json:"until"` // of a hold; null waits for a person
	Match     string      `json:"match"` // why it is that person's
	Rule      string      `json:"rule"`  // why it is of that kind
	From      string      `json:"from"`
	Subject   string      `json:"subject"`
	MessageID string      `json:"message_id"`
}

// pastMail is a mail of the past that could be read.
type pastMail struct {
	engine.Incoming
	place string
}

// ours says whether the owner wrote a mail.
func (r *replayer) ours(m pastMail) bool {
	return len(m.From) > 0 && r.own[engine.AddressKey(m.From[0])]
}

// run asks the rules about every mail, in the order in which they came.
func (r *replayer) run(mails []pastMail) (done []replayed, ours int) {
	slices.SortStableFunc(mails, func(a, b pastMail) int { return a.Arrived.Compare(b.Arrived) })
	for _, m := range mails {
		if r.ours(m) {
			ours++
			r.learn(m)
		}
	}
	seen := map[string]bool{}
	for _, m := range mails {
		if r.ours(m) || m.MessageID != "" && seen[m.MessageID] { // a copy in another folder
			continue
		}
		seen[m.MessageID] = true
		done = append(done, r.judge(m)...)
	}
	return done, ours
}

// learn notes the id of a mail that the owner wrote to somebody, as the engine
// knows those of its touches.
func (r *replayer) learn(m pastMail) {
	for _, to := range m.To {
		for _, en := range r.known.ByAddress[engine.AddressKey(to)] {
			if m.MessageID != "" && r.known.ByID[m.MessageID] == "" {
				r.known.ByID[m.MessageID] = en.ID
			}
		}
	}
}

// judge is what one mail would have done.
func (r *replayer) judge(m pastMail) []replayed {
	matches := r.matches(m.Incoming)
	if len(matches) == 0 {
		return nil
	}
	now := m.Arrived
	if now.IsZero() {
		now = time.Now()
	}
	r.wake(now)
	days := func(engine.Enrollment) engine.Days { return engine.Days{Location: r.loc} }
	var done []replayed
	for _, effect := range engine.Judge(m.Incoming, matches, r.known, days, r.policy, now) {
		before, there := r.known.ByEnrollment[effect.Enrollment]
		if !there {
			continue
		}
		after, _, _ := before.Apply(effect, now)
		r.keep(after)
		done = append(done, r.tell(m, effect, before, after))
	}
	return done
}

// matches is whose a mail would have been.
func (r *replayer) matches(in engine.Incoming) []engine.Match {
	r.known.Kin = r.kinOf(in)
	return engine.FindMatches(in, r.known)
}

// kinOf is who works at the companies that a mail comes from.
func (r *replayer) kinOf(in engine.Incoming) engine.Kin {
	kin := engine.Kin{Company: map[string]string{}}
	for _, from := range in.From {
		key := engine.AddressKey(from)
		kin.Company[key] = bolt.Company(key)
	}
	for _, en := range r.known.ByEnrollment {
		if !en.Ended() && slices.Contains(slices.Collect(maps.Values(kin.Company)), en.Company) {
			kin.Enrollments = append(kin.Enrollments, en)
		}
	}
	slices.SortFunc(kin.Enrollments, func(a, b engine.Enrollment) int { return cmp.Compare(a.ID, b.ID) })
	return kin
}

// wake ends the holds that ended by then.
func (r *replayer) wake(now time.Time) {
	for _, en := range r.known.ByEnrollment {
		if en.State == engine.Held && !en.HeldUntil.IsZero() && !en.HeldUntil.After(now) {
			en.State, en.Reason, en.HeldUntil = engine.Active, "", time.Time{}
			r.keep(en)
		}
	}
}

func (r *replayer) tell(m pastMail, effect engine.Effect, before, after engine.Enrollment) replayed {
	done := replayed{Place: m.place, Address: after.Address, Sequence: after.Sequence, Kind: m.Kind, Outcome: outcomeNone,
		Match: effect.Event.Detail["match"], Rule: m.Evidence, Subject: m.Subject, MessageID: m.MessageID}
	if len(m.From) > 0 {
		done.From = m.From[0]
	}
	if !m.Arrived.IsZero() {
		at := m.Arrived.In(r.loc)
		done.At = &at
	}
	switch {
	case before.State == engine.Stopped:
		done.Reason = "already stopped: " + string(before.Reason)
	case after.State == engine.Stopped:
		done.Outcome, done.Reason = outcomeStop, string(after.Reason)
	case after.State == engine.Held && effect.To == engine.Held:
		done.Outcome, done.Reason = outcomeHold, string(cmp.Or(effect.Reason, after.Reason))
		if !after.HeldUntil.IsZero() {
			until := after.HeldUntil.In(r.loc)
			done.Until = &until
		}
	default:
		done.Reason = effect.Event.Detail["note"]
	}
	return done
}
