package engine

import (
	"maps"
	"regexp"
	"slices"

	"nudge/sequences"
)

// maxTouched bounds how many enrollments' mails are written again to tell what
// an answer repeats of them.
const maxTouched = 8

// addressed lists the enrollments to which the headers of an incoming lead, so
// that what it repeats of our own mails can be told from what its writer says.
func addressed(in Incoming, known Known) []Enrollment {
	ens := map[string]Enrollment{}
	for _, id := range slices.Concat(in.InReplyTo, in.References) {
		if en, ok := known.ByEnrollment[known.ByID[id]]; ok {
			ens[en.ID] = en
		}
	}
	for _, addr := range in.From {
		key := AddressKey(addr)
		for _, person := range append([]string{key}, known.Aliases[key]...) {
			for _, en := range known.ByAddress[person] {
				ens[en.ID] = en
			}
		}
		for _, en := range known.Kin.Enrollments {
			if company := known.Kin.Company[key]; company != "" && en.Company == company {
				ens[en.ID] = en
			}
		}
	}
	ids := slices.Sorted(maps.Keys(ens))
	slices.Reverse(ids) // the newest first
	list := make([]Enrollment, 0, min(len(ids), maxTouched))
	for _, id := range ids[:min(len(ids), maxTouched)] {
		list = append(list, ens[id])
	}
	return list
}

// touched is what these enrollments' prospects got from us, written again from
// the sequences as they are now; with all, also what they have yet to get.
func (e *Engine) touched(ens []Enrollment, all bool) Touched {
	var t Touched
	for _, en := range ens {
		if en.Thread.Subject != "" {
			t.Subjects = append(t.Subjects, en.Thread.Subject)
		}
		t.At = latestOf(t.At, en.LastTouchAt())
		seq, _ := e.Library.Sequence(en.Sequence)
		if seq == nil {
			continue
		}
		for i := range seq.Steps {
			st := &seq.Steps[i]
			done := slices.IndexFunc(en.Done, func(d Done) bool { return d.Step == st.ID })
			if st.Do != sequences.Email || done < 0 && !all {
				continue
			}
			at := t.At
			if done >= 0 {
				at = en.Done[done].At
			}
			if parts, err := st.Body.RenderIn(zone(e.Mailbox, seq, en), fieldsFor(e.Mailbox, seq, st, en, at)); err == nil {
				t.Texts = append(t.Texts, parts.Text)
			}
		}
	}
	return t
}

// kin asks the memory who waits at the companies of some addresses, or has one
// of some deals. The owner's own company is none: people there are not the
// prospect's.
func (e *Engine) kin(keys, deals []string) (Kin, error) {
	if e.Mailbox.Replies.IgnoreCompany {
		keys = nil
	}
	if len(keys) == 0 && len(deals) == 0 {
		return Kin{}, nil
	}
	own := []string{AddressKey(e.Mailbox.Address)}
	for _, alias := range e.Mailbox.Aliases {
		own = append(own, AddressKey(alias))
	}
	kin, err := e.Store.Related(append(slices.Clone(keys), own...), deals)
	if err != nil {
		return Kin{}, &storeError{err}
	}
	for _, key := range own {
		company := kin.Company[key]
		if company == "" {
			continue
		}
		maps.DeleteFunc(kin.Company, func(_, c string) bool { return c == company })
		for i := range kin.Enrollments {
			if kin.Enrollments[i].Company == company {
				kin.Enrollments[i].Company = ""
			}
		}
	}
	return kin, nil
}

// kinOf asks for the companies and deals of the matched.
func (e *Engine) kinOf(matches []Match) (Kin, error) {
	var keys, deals []string
	for _, m := range matches {
		keys = append(keys, m.Enrollment.Key)
		if deal := dealOf(m.Enrollment); deal != "" {
			deals = append(deals, deal)
		}
	}
	return e.kin(keys, deals)
}

// learnAlias notes in the effects of an answer that somebody else wrote it for
// the prospect: a person who answered in the prospect's thread from an address
// that is neither ours, nor a colleague's of ours, nor another prospect's.
func (e *Engine) learnAlias(in Incoming, matches []Match, known Known, effects []Effect) {
	if in.Kind != Reply || in.Role == SentMail || len(in.From) == 0 {
		return
	}
	key := AddressKey(in.From[0])
	if e.Mailbox.IsOwn(key) || e.ownColleague(key) || len(known.ByAddress[key]) > 0 || nobody.MatchString(key) {
		return
	}
	for _, m := range matches {
		if !m.ByID || m.Enrollment.Key == key {
			continue
		}
		for i := range effects {
			if effects[i].Enrollment == m.Enrollment.ID {
				effects[i].Alias = key
				effects[i].Event.Detail["answered for"] = m.Enrollment.Address
			}
		}
	}
}

// nobody matches the addresses at which no single person writes.
var nobody = regexp.MustCompile(`^(no-?reply|do-?not-?reply|mailer-daemon|postmaster|bounces?|notifications?)([-+_.@]|$)`)

// ownColleague says whether an address is on the domain of one of the owner's
// own, where that is not a free-mail provider's.
func (e *Engine) ownColleague(addr string) bool {
	domain := AddressDomain(AddressKey(addr))
	return !FreeMail(domain) && slices.ContainsFunc(append([]string{e.Mailbox.Address}, e.Mailbox.Aliases...),
		func(own string) bool { return AddressDomain(AddressKey(own)) == domain })
}
