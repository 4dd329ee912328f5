package engine

import (
	"fmt"
	"slices"
	"time"
)

// Match is the decision that an incoming belongs to an enrollment, with its
// evidence.
type Match struct {
	Enrollment Enrollment
	Rule       string // in words
	Rung       int    // of the ladder, see FindMatches
	ByID       bool   // one of our Message-IDs proves it
	Wrote      bool   // the prospect wrote it, or somebody who answered for them before
}

// arrivalSlack forgives a mail server's clock that is behind ours when asking
// whether a mail came after an enrollment. INTERNALDATE counts whole seconds.
const arrivalSlack = 2 * time.Minute

// FindMatches says whose an incoming is. It climbs down a ladder, and the first
// rung that bears decides:
//
//  1. our id in In-Reply-To or References
//  2. our id in a returned mail
//  3. (an address that only we hand out; nudge hands out none so far)
//  4. a bounce that names the prospect; the prospect, or somebody who answered
//     for them, as From, Sender or Reply-To, whatever the subject and with no
//     threading at all
//  5. somebody at the same company, with our subject, the prospect among the
//     recipients, or a number of theirs
//  6. somebody at the same company
//
// The subject alone never matches. What a person wrote also belongs to whoever
// wrote it: an answer in a colleague's thread ends both.
func FindMatches(in Incoming, known Known) []Match {
	cited := matchIDs(append(slices.Clone(in.InReplyTo), in.References...), known, 1, "cites our Message-ID")
	if len(cited) == 0 {
		cited = matchIDs(in.Quoted, known, 2, "returns our mail")
	}
	switch in.Kind {
	case BounceHard, BounceSoft:
		if len(cited) > 0 {
			return cited
		}
		written := func(en Enrollment) bool { return en.Touches() > 0 }
		if ms := matchAddresses(in.Failed, in, known, "names %s as the failed recipient", written); len(ms) > 0 {
			return ms
		}
	case Complaint:
		if len(cited) > 0 {
			return cited
		}
	}
	wrote := matchAddresses(in.From, in, known, "comes from %s", func(Enrollment) bool { return true })
	for _, m := range append(wrote, matchAliases(in, known)...) {
		if slices.ContainsFunc(cited, func(c Match) bool { return c.Enrollment.ID == m.Enrollment.ID }) {
			continue
		}
		m.Wrote = true
		cited = append(cited, m)
	}
	if len(cited) == 0 {
		return companyMatches(in, known)
	}
	return cited
}

func matchIDs(ids []string, known Known, rung int, rule string) []Match {
	for _, id := range slices.Backward(ids) { // the nearest ancestor stands last
		if en, ok := known.ByEnrollment[known.ByID[id]]; ok {
			return []Match{{Enrollment: en, Rule: rule, Rung: rung, ByID: true}}
		}
	}
	return nil
}

func matchAddresses(addrs []string, in Incoming, known Known, rule string, fits func(Enrollment) bool) []Match {
	var ms []Match
	seen := map[string]bool{}
	for _, addr := range addrs {
		for _, en := range known.ByAddress[AddressKey(addr)] {
			if seen[en.ID] || !fits(en) || !arrivedAfter(in, en) {
				continue
			}
			seen[en.ID] = true
			ms = append(ms, Match{Enrollment: en, Rung: 4, Rule: fmt.Sprintf(rule, addr)})
		}
	}
	return ms
}

// matchAliases finds the people for whom a writer answered before.
func matchAliases(in Incoming, known Known) []Match {
	var ms []Match
	for _, addr := range in.From {
		for _, key := range known.Aliases[AddressKey(addr)] {
			for _, en := range known.ByAddress[key] {
				if arrivedAfter(in, en) {
					ms = append(ms, Match{Enrollment: en, Rung: 4, Rule: fmt.Sprintf("comes from %s, who answered for %s before", addr, en.Address)})
				}
			}
		}
	}
	return ms
}

// arrivedAfter says whether a mail can be an answer to an enrollment that
// began when it did. Unknown arrival counts as after: a needless stop is the
// lesser harm.
func arrivedAfter(in Incoming, en Enrollment) bool {
	return in.Arrived.IsZero() || in.Arrived.Add(arrivalSlack).After(en.heardFrom())
}

// wanted says whether the headers alone make an incoming worth reading whole.
func wanted(in Incoming, known Known) bool {
	if in.Report || in.Kind == Ambiguous {
		return true
	}
	for _, id := range append(slices.Clone(in.InReplyTo), in.References...) {
		if _, ok := known.ByID[id]; ok {
			return true
		}
	}
	return slices.ContainsFunc(in.From, func(a string) bool {
		key := AddressKey(a)
		return len(known.ByAddress[key]) > 0 || len(known.Aliases[key]) > 0 || known.Kin.has(key)
	})
}

// has says whether somebody waits at the company of an address.
func (k Kin) has(key string) bool {
	company := k.Company[key]
	return company != "" && slices.ContainsFunc(k.Enrollments, func(en Enrollment) bool { return en.Company == company })
}
