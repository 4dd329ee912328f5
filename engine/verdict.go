package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"nudge/sequences"
)

// Holds that the verdicts impose, counted in the prospect's business days.
var (
	absenceUndated = sequences.Delay{N: 5, Unit: sequences.BusinessDays}
	absenceDated   = sequences.Delay{N: 1, Unit: sequences.BusinessDays}
	machineMail    = sequences.Delay{N: 2, Unit: sequences.BusinessDays}
	companyAnswer  = sequences.Delay{N: 5, Unit: sequences.BusinessDays}
	companyMail    = sequences.Delay{N: 2, Unit: sequences.BusinessDays}
)

// maxAbsence bounds a believable date of return, in days.
const maxAbsence = 100

// askedToBeLeft is why somebody is suppressed who asked, beside other things,
// not to be written to. It is no formal opt-out, so a person can take it back.
const askedToBeLeft = "asked to be left alone"

// DealField is the field whose value ties enrollments of several people
// together.
const DealField = "deal"

// ruling is what an incoming does to the enrollment it was matched to, and how
// far it reaches beyond.
type ruling struct {
	Effect
	person  reach // the person's other enrollments
	deal    reach // those of others that have the same deal
	company reach // those of others at the same company
}

// reach is what becomes of those whom an incoming concerns only beside others.
type reach int

const (
	untouched reach = iota
	alike           // what becomes of the matched one
	waits           // held for five business days
)

// Judge turns one matched incoming into effects: on the enrollments it was
// matched to, and where the verdict reaches further, on everything else of that
// person, of the deal, and of the company. Each enrollment gets one effect, the
// strongest: a stop beats a hold, a longer hold a shorter one. Sentiment never
// decides.
func Judge(in Incoming, matches []Match, known Known, daysOf func(Enrollment) Days, policy Replies, now time.Time) []Effect {
	var effects []Effect
	add := func(en Enrollment, f Effect) {
		f.Enrollment = en.ID
		f.Event.Enrollment, f.Event.Address, f.Event.Sequence, f.Event.Step = en.ID, en.Address, en.Sequence, en.Next
		i := slices.IndexFunc(effects, func(o Effect) bool { return o.Enrollment == f.Enrollment })
		switch {
		case i < 0:
			effects = append(effects, f)
		case f.outweighs(effects[i]):
			effects[i] = f
		}
	}
	for _, match := range matches {
		if r, rules := ruleOn(in, match, daysOf(match.Enrollment), policy, now); rules {
			add(match.Enrollment, r.Effect)
		}
	}
	for _, match := range matches {
		r, rules := ruleOn(in, match, daysOf(match.Enrollment), policy, now)
		if !rules {
			continue
		}
		for _, en := range beside(match, in, known) {
			switch r.reaches(match.Enrollment, en) {
			case alike:
				also := match
				also.Enrollment = en
				if en.Key != match.Enrollment.Key { // of the same deal
					also.Rule = fmt.Sprintf("has the %s %q of %s, whose mail %s", DealField, en.Fields[DealField], match.Enrollment.Address, match.Rule)
				}
				more, _ := ruleOn(in, also, daysOf(en), policy, now)
				if en.Key != match.Enrollment.Key {
					more.Event.Kind, more.Suppress = EventColleague, false
				}
				add(en, more.Effect)
			case waits:
				add(en, colleagueHold(in, match, daysOf(en), now))
			}
		}
	}
	return effects
}

// beside lists whom a match may concern as well: those who had not begun when
// the mail came are not among them.
func beside(match Match, in Incoming, known Known) []Enrollment {
	all := slices.Concat(known.ByAddress[match.Enrollment.Key], known.Kin.Enrollments)
	return slices.DeleteFunc(all, func(en Enrollment) bool { return en.ID == match.Enrollment.ID || !arrivedAfter(in, en) })
}

// reaches says how a ruling about one enrollment concerns another one.
func (r ruling) reaches(matched, en Enrollment) reach {
	switch {
	case en.Key == matched.Key:
		return r.person
	case r.deal != untouched && dealOf(en) != "" && dealOf(en) == dealOf(matched):
		return r.deal
	case en.Company != "" && en.Company == matched.Company:
		return r.company
	}
	return untouched
}

func dealOf(en Enrollment) string { return strings.TrimSpace(en.Fields[DealField]) }

// outweighs says whether an effect moves further towards not writing.
func (f Effect) outweighs(o Effect) bool {
	switch {
	case f.weight() != o.weight():
		return f.weight() > o.weight()
	case f.To == Held:
		return Hold{Until: f.Until}.longer(Hold{Until: o.Until})
	}
	return false
}

func (f Effect) weight() int {
	switch {
	case f.Suppress:
		return 3
	case f.To == Stopped:
		return 2
	case f.To == Held:
		return 1
	}
	return 0
}

// colleagueHold holds somebody because of an answer to one of their own.
func colleagueHold(in Incoming, match Match, c Days, now time.Time) Effect {
	about := match
	about.Rule = fmt.Sprintf("concerns %s, who belongs to the same company: %s", match.Enrollment.Address, match.Rule)
	f := Effect{Incoming: identity(in), To: Held, Reason: Colleague, Detail: firstOf(in.From) + " wrote", Until: c.until(companyAnswer, now),
		Event: Event{At: now, Kind: EventColleague, MessageID: in.MessageID, Detail: evidence(in, about)}}
	f.Event.Detail["until"] = stamp(f.Until)
	return f
}

// ruleOn is the table of what each kind of incoming does. The bool is false
// where it does nothing that needs a line in history.
func ruleOn(in Incoming, match Match, c Days, policy Replies, now time.Time) (ruling, bool) {
	r := ruling{Effect: Effect{Incoming: identity(in), Event: Event{At: now, MessageID: in.MessageID, Detail: evidence(in, match)}}}
	if match.Rung >= 5 {
		return r.byCompany(in, match, c, policy, now)
	}
	kind := in.Kind
	if match.Wrote && (kind == BounceHard || kind == BounceSoft) {
		kind = Ambiguous // mail systems write reports under names of their own
	}
	switch kind {
	case Reply:
		r.Event.Kind, r.To, r.Reason = EventReply, Stopped, Replied
		r.person, r.deal, r.company = alike, alike, waits
		if in.OptOut && in.from(match.Enrollment.Key) {
			r.Suppress, r.Why = true, askedToBeLeft
			r.Event.Detail["note"] = "it also asks not to be written to"
		}
	case Calendar:
		r.Event.Kind, r.To, r.Reason, r.person = EventReply, Stopped, Replied, alike
	case Unsubscribe:
		r.Event.Kind, r.To, r.Reason, r.Suppress, r.person = EventUnsubscribe, Stopped, Unsubscribed, true, alike
	case Complaint:
		r.Event.Kind, r.To, r.Reason, r.Suppress, r.person = EventComplaint, Stopped, Complained, true, alike
	case BounceHard, BounceSoft:
		r.bounce(in, match)
	case AutoReply:
		r.automatic(in, match, c, policy, now)
	case Receipt:
		r.Event.Kind = EventNoted
	case Challenge:
		r.Event.Kind = EventNoted
		r.Event.Detail["note"] = "their mail system asks you to confirm, in that mail, that a person wrote"
	case Other:
		r.Event.Kind = EventUnsure
		r.holds(Unsure, "mail by a machine, not in answer to ours", c.until(machineMail, now))
	default:
		r.Event.Kind, r.person = EventUnsure, alike
		r.holds(Unsure, "mail that might be an answer: "+in.Evidence, time.Time{})
	}
	if policy.IgnoreCompany {
		r.company = untouched
	}
	return r, true
}

// byCompany rules on mail that somebody at the prospect's company wrote. What a
// machine there sends, a newsletter or a notice, says nothing about them.
func (r ruling) byCompany(in Incoming, match Match, c Days, policy Replies, now time.Time) (ruling, bool) {
	switch in.Kind {
	case Reply, Calendar, Unsubscribe:
	case Ambiguous, "":
		r.Event.Kind = EventUnsure
		if match.Rung == 5 {
			r.person = alike
			r.holds(Unsure, "mail from their company that might be an answer: "+in.Evidence, time.Time{})
			return r, true
		}
	default:
		return r, false
	}
	if match.Rung == 6 {
		r.Event.Kind = EventUnsure
		r.holds(Unsure, firstOf(in.From)+", at their company, wrote", c.until(companyMail, now))
		return r, true
	}
	r.Event.Kind, r.To, r.Reason, r.Detail = EventReply, Stopped, Replied, "by "+firstOf(in.From)
	r.person, r.deal, r.company = waits, waits, waits
	return r, true
}

// bounce rules on a report that a mail was not delivered.
func (r *ruling) bounce(in Incoming, match Match) {
	r.Event.Kind = EventBounce
	switch {
	case len(in.Failed) > 0 && !slices.ContainsFunc(in.Failed, func(a string) bool { return AddressKey(a) == match.Enrollment.Key }):
		r.Event.Detail["note"] = "another recipient failed, not this prospect"
	case in.Kind == BounceSoft:
		r.Soft = true
	default:
		// Only a report that returns our own mail may suppress: anyone can
		// forge one that merely names an address.
		r.To, r.Reason, r.Suppress, r.person = Stopped, Bounced, match.ByID, alike
	}
}

// automatic rules on what a machine answered for a person.
func (r *ruling) automatic(in Incoming, match Match, c Days, policy Replies, now time.Time) {
	r.Event.Kind = EventAutoReply
	switch {
	case in.Left && !in.from(match.Enrollment.Key):
		r.holds(Unsure, firstOf(in.From)+" has left, says a machine, in answer to this one's mail", c.until(machineMail, now))
	case in.Left:
		r.To, r.Reason, r.Suppress, r.person = Stopped, Gone, true, alike
		if in.Successor != "" {
			r.Detail = "write to " + in.Successor + " instead"
		}
	case in.Ticket: // the first goes on, which Enrollment.Apply counts
		r.Ticket = true
		r.holds(Unsure, "a second automatic answer that says no more than that a mail came in", c.until(machineMail, now))
		delete(r.Event.Detail, "until")
	case policy.IgnoreAbsence:
	default:
		r.person = alike
		r.holds(Absent, "", absentUntil(in, c, now))
		if !in.Until.IsZero() {
			r.Detail = "until " + in.Until.Format("Mon 2 January")
		}
	}
}

func (r *ruling) holds(why Reason, detail string, until time.Time) {
	r.To, r.Reason, r.Detail, r.Until = Held, why, detail, until
	if !until.IsZero() {
		r.Event.Detail["until"] = stamp(until)
	}
}

// from says whether an address key wrote an incoming.
func (in Incoming) from(key string) bool {
	return slices.ContainsFunc(in.From, func(a string) bool { return AddressKey(a) == key })
}

// absentUntil is the start of the first business day after an absence. A date
// that is past, or too far away to believe, counts as none.
func absentUntil(in Incoming, c Days, now time.Time) time.Time {
	if !in.Until.IsZero() {
		y, mo, d := in.Until.Date()
		last := time.Date(y, mo, d, 0, 0, 0, 0, c.Location)
		if last.After(now.Add(-24*time.Hour)) && last.Before(now.AddDate(0, 0, maxAbsence)) {
			return absenceDated.AfterHolidays(last, c.Holidays)
		}
	}
	return c.until(absenceUndated, now)
}

func startOfDay(t time.Time) time.Time {
	y, mo, d := t.Date()
	return time.Date(y, mo, d, 0, 0, 0, 0, t.Location())
}

// identity tells one message from another, in whichever folder it lies.
func identity(in Incoming) string {
	if in.MessageID != "" {
		return in.MessageID
	}
	return fmt.Sprintf("%s/%d/%d", in.Folder, in.UIDValidity, in.UID)
}

// evidence is what history keeps of an incoming: enough for a person to find
// it and to see why it was taken for what it was taken for. Never its text.
func evidence(in Incoming, match Match) map[string]string {
	d := map[string]string{
		"kind":    string(in.Kind),
		"match":   match.Rule,
		"rule":    in.Evidence,
		"folder":  in.Folder,
		"uid":     decimal(in.UID),
		"from":    strings.Join(in.From[:min(1, len(in.From))], ""),
		"subject": in.Subject,
		"failed":  strings.Join(in.Failed, ", "),
		"status":  in.Status,

		"successor": in.Successor,
		"answer":    in.Answer,
	}
	if match.Rung > 0 {
		d["rung"] = decimal(match.Rung)
	}
	return tidy(d)
}
