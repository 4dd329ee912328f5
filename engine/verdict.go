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
)

// maxAbsence bounds a believable date of return, in days.
const maxAbsence = 100

// Judge turns one matched incoming into effects, on the enrollments it was
// matched to and, where the verdict concerns the person, on everything else of
// that person. zoneOf is the time zone a prospect lives in. Sentiment never
// decides.
func Judge(in Incoming, matches []Match, known Known, zoneOf func(Enrollment) *time.Location, now time.Time) []Effect {
	var effects []Effect
	done := map[string]bool{}
	for _, match := range matches {
		verdict, personWide := verdictOf(in, match, zoneOf(match.Enrollment), now)
		targets := []Enrollment{match.Enrollment}
		if personWide {
			targets = append(targets, known.ByAddress[match.Enrollment.Key]...)
		}
		for _, en := range targets {
			if done[en.ID] || en.ID != match.Enrollment.ID && !arrivedAfter(in, en) {
				continue
			}
			done[en.ID] = true
			f := verdict
			f.Enrollment = en.ID
			f.Event.Enrollment, f.Event.Address, f.Event.Sequence, f.Event.Step = en.ID, en.Address, en.Sequence, en.Next
			effects = append(effects, f)
		}
	}
	return effects
}

// verdictOf is the table of what each kind of incoming does. The bool says
// whether it concerns all of the person's enrollments.
func verdictOf(in Incoming, match Match, loc *time.Location, now time.Time) (Effect, bool) {
	f := Effect{Incoming: identity(in), Event: Event{At: now, MessageID: in.MessageID, Detail: evidence(in, match)}}
	kind := in.Kind
	if match.Wrote && (kind == BounceHard || kind == BounceSoft) {
		kind = Ambiguous // mail systems write reports under names of their own
	}
	switch kind {
	case Reply, Calendar:
		f.Event.Kind, f.To, f.Reason = EventReply, Stopped, Replied
	case Unsubscribe:
		f.Event.Kind, f.To, f.Reason, f.Suppress = EventUnsubscribe, Stopped, Unsubscribed, true
	case Complaint:
		f.Event.Kind, f.To, f.Reason, f.Suppress = EventComplaint, Stopped, Complained, true
	case BounceHard, BounceSoft:
		f.Event.Kind = EventBounce
		if len(in.Failed) > 0 && !slices.ContainsFunc(in.Failed, func(a string) bool { return AddressKey(a) == match.Enrollment.Key }) {
			f.Event.Detail["note"] = "another recipient failed, not this prospect"
			return f, false
		}
		if in.Kind == BounceSoft {
			f.Soft = true
			return f, false
		}
		// Only a report that returns our own mail may suppress: anyone can
		// forge one that merely names an address.
		f.To, f.Reason, f.Suppress = Stopped, Bounced, match.ByID
	case AutoReply:
		f.Event.Kind, f.To, f.Reason = EventAutoReply, Held, Absent
		f.Until = absentUntil(in, loc, now)
		f.Event.Detail["until"] = stamp(f.Until)
	case Receipt, Challenge:
		f.Event.Kind = EventNoted
		return f, false
	case Other:
		f.Event.Kind, f.To, f.Reason = EventUnsure, Held, Unsure
		f.Detail = "mail by a machine, not in answer to ours"
		f.Until = startOfDay(machineMail.After(now.In(loc)))
		f.Event.Detail["until"] = stamp(f.Until)
	default:
		f.Event.Kind, f.To, f.Reason = EventUnsure, Held, Unsure
		f.Detail = "mail that might be an answer: " + in.Evidence
	}
	return f, true
}

// absentUntil is the start of the first business day after an absence. A date
// that is past, or too far away to believe, counts as none.
func absentUntil(in Incoming, loc *time.Location, now time.Time) time.Time {
	if !in.Until.IsZero() {
		y, mo, d := in.Until.Date()
		last := time.Date(y, mo, d, 0, 0, 0, 0, loc)
		if last.After(now.Add(-24*time.Hour)) && last.Before(now.AddDate(0, 0, maxAbsence)) {
			return absenceDated.After(last)
		}
	}
	return startOfDay(absenceUndated.After(now.In(loc)))
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
	}
	return tidy(d)
}
