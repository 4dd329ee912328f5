package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"time"

	"nudge/sequences"
	"nudge/templates"
)

// Compose renders one step for one enrollment to its final bytes. It is a pure
// function: preview and send call it alike, so that what is shown is what is
// sent. The error is a *templates.MissingError where a field has no value.
func Compose(m Mailbox, secret []byte, seq *sequences.Sequence, st *sequences.Step, en Enrollment, now time.Time) (Email, error) {
	w, err := wordsFor(m, seq, st, en, now)
	if err != nil {
		return Email{}, err
	}
	domain := AddressDomain(m.Address)
	kind := "touch"
	if m.Rehearsal {
		kind = "rehearsal"
	}
	l := letter{
		fromName: m.DisplayName, from: m.Address,
		toName: en.Name, to: en.Address,
		date:      now.In(m.Location),
		messageID: messageID(secret, kind, en, st.ID, domain),
		instance:  m.Instance,
		text:      w.body.Text, html: w.body.HTML,
		attach: st.Attach,
	}
	if st.Calendar != nil {
		entry, err := calendarEntry(secret, m, seq, st, en, w, now)
		if err != nil {
			return Email{}, err
		}
		l.attach = append(slices.Clone(l.attach), entry)
	}
	if st.Plain {
		l.html = ""
	}
	if m.ListUnsubscribe {
		l.unsubscribe = unsubscribeAt(m.Address)
	}
	thread := Thread{Anchor: en.Thread.Anchor}
	if thread.Anchor == "" {
		thread.Anchor = anchorOf(secret, en, domain)
	}
	switch {
	case w.opens:
		l.subject = w.subject
		thread.Subject = l.subject
		l.references = []string{thread.Anchor}
	default:
		thread.Subject = en.Thread.Subject
		thread.IDs = en.Thread.IDs
		l.subject = replySubject(thread.Subject)
		l.references = append([]string{thread.Anchor}, thread.IDs...)
		if n := len(thread.IDs); n > 0 {
			l.inReplyTo = thread.IDs[n-1]
		}
	}
	thread.IDs = append(append([]string(nil), thread.IDs...), l.messageID)
	if m.Rehearsal {
		l = l.rehearsed(m)
	}
	raw, err := l.bytes()
	if err != nil {
		return Email{}, fmt.Errorf("step %q: %w", st.ID, err)
	}
	email := Email{From: m.Address, To: l.to, MessageID: l.messageID, Subject: l.subject, Thread: thread, Variant: w.variant, Words: st.Hash,
		Raw: raw, SHA256: sumOf(raw)}
	if m.Rehearsal {
		email.For = en.Address
	}
	return email, nil
}

// words are what a mail says, before they become bytes.
type words struct {
	body    templates.Parts
	opens   bool   // it opens a thread,
	subject string // with this subject
	variant string

	title, place string // of the calendar entry, where the step has one
}

// wordsFor pours a prospect's fields into a step. The error is a
// *templates.MissingError where a field has no value.
func wordsFor(m Mailbox, seq *sequences.Sequence, st *sequences.Step, en Enrollment, now time.Time) (w words, err error) {
	fields, loc := fieldsFor(m, seq, st, en, now), zone(m, seq, en)
	if w.body, err = st.Body.RenderIn(loc, fields); err != nil {
		return w, fmt.Errorf("step %q: %w", st.ID, err)
	}
	if c := st.Calendar; c != nil {
		if w.title, err = c.Title.RenderIn(loc, fields); err != nil {
			return w, fmt.Errorf("step %q calendar: %w", st.ID, err)
		}
		if c.Place != nil {
			if w.place, err = c.Place.RenderIn(loc, fields); err != nil {
				return w, fmt.Errorf("step %q place: %w", st.ID, err)
			}
		}
	}
	var subject *templates.Line
	if subject, w.variant = subjectFor(st, en); subject == nil && !en.Thread.begun() {
		subject, w.variant = subjectBefore(seq, st, en)
	}
	if subject == nil {
		return w, nil
	}
	w.opens = true
	if w.subject, err = subject.RenderIn(loc, fields); err != nil {
		return w, fmt.Errorf("step %q subject: %w", st.ID, err)
	}
	return w, nil
}

// subjectFor is the subject of a step for one prospect, and its variant's name;
// nil = it replies in the thread, if there is one. The choice depends on the prospect and the
// sequence alone, and the one of the first mail is kept for the later ones.
func subjectFor(st *sequences.Step, en Enrollment) (*templates.Line, string) {
	if v := st.Variant(en.Variant, en.Sequence+"\x00"+en.Key); v != nil {
		return v.Subject, v.Name
	}
	return st.Subject, ""
}

// subjectBefore is the subject of the nearest mail before a step in its
// sequence. A step that should reply opens the thread with it where the mails
// before it were left out: there is nothing to reply to, and no mail goes
// without a subject.
func subjectBefore(seq *sequences.Sequence, st *sequences.Step, en Enrollment) (subject *templates.Line, variant string) {
	for i := range seq.Steps {
		if seq.Steps[i].ID == st.ID {
			break
		}
		if line, name := subjectFor(&seq.Steps[i], en); line != nil {
			subject, variant = line, name
		}
	}
	return subject, variant
}

// variantFor is the variant of a prospect at a step: the step's own, else what
// was kept, else what the first step with variants gives; "" where none has any.
func variantFor(seq *sequences.Sequence, st *sequences.Step, en Enrollment) string {
	if _, name := subjectFor(st, en); name != "" {
		return name
	}
	if en.Variant != "" {
		return en.Variant
	}
	for i := range seq.Steps {
		if _, name := subjectFor(&seq.Steps[i], en); name != "" {
			return name
		}
	}
	return ""
}

// Thread subjects carry no Re: of their own, so that answers carry one.
func replySubject(s string) string {
	if s == "" || len(s) >= 3 && strings.EqualFold(s[:3], "re:") {
		return s
	}
	return "Re: " + s
}

// rehearsed turns the letter around: it goes to the owner, and says so.
func (l letter) rehearsed(m Mailbox) letter {
	banner := fmt.Sprintf("Rehearsal: this mail would have gone to %s. Set deliver = \"live\" in nudge.toml to send for real.",
		mailboxHeader(l.toName, l.to))
	l.text = banner + "\n\n" + l.text
	note := `<p style="background:#fff3c4;color:#333;padding:8px 12px;border:1px solid #e0c36a">` + html.EscapeString(banner) + `</p>`
	if i := strings.Index(l.html, "<body"); i >= 0 {
		if j := strings.IndexByte(l.html[i:], '>'); j >= 0 {
			at := i + j + 1
			l.html = l.html[:at] + note + l.html[at:]
		}
	}
	l.subject = "[Rehearsal] " + l.subject
	l.toName, l.to = m.DisplayName, m.Address
	return l
}

// fieldsFor gathers what a template may name: the prospect's own fields, and
// the built-in ones. The prospect's own never replace sender.* or the facts of
// this touch.
func fieldsFor(m Mailbox, seq *sequences.Sequence, st *sequences.Step, en Enrollment, now time.Time) templates.Fields {
	f := factsFor(m, seq, en, now)
	if next := nextTouch(m, seq, st, en, now); !next.IsZero() {
		next = next.In(zone(m, seq, en))
		f["next_touch"], f["next_touch.iso"] = templates.DayInWords(next, languageOf(seq)), next.Format(time.DateOnly)
	}
	if variant := variantFor(seq, st, en); variant != "" {
		f["variant"] = variant
	}
	return f
}

// factsFor is fieldsFor without what comes next, as an only-if condition sees
// them.
func factsFor(m Mailbox, seq *sequences.Sequence, en Enrollment, now time.Time) templates.Fields {
	f := make(templates.Fields, len(en.Fields)+16)
	first, last := splitName(en.Name)
	f["first_name"], f["last_name"], f["name"] = first, last, en.Name
	maps.Copy(f, en.Fields)
	if f["name"] == "" {
		f["name"] = strings.TrimSpace(f["first_name"] + " " + f["last_name"])
	}
	f["email"] = en.Address
	f["sender.name"], f["sender.email"] = m.DisplayName, m.Address
	if f["sender.name"] == "" {
		f["sender.name"] = m.Address
	}
	f["signature"] = m.Signature
	if f["original_subject"] == "" {
		f["original_subject"] = en.Thread.Subject
	}
	loc := zone(m, seq, en)
	local := now.In(loc)
	f["today"], f["today.iso"] = templates.DayInWords(local, languageOf(seq)), local.Format(time.DateOnly)
	for _, computed := range []string{"variant", "next_touch", "next_touch.iso"} {
		delete(f, computed)
	}
	f["touch_number"] = decimal(en.Touches() + 1)
	return f
}

// languageOf is the language that a sequence names; "" = none.
func languageOf(seq *sequences.Sequence) string {
	if seq == nil {
		return ""
	}
	return seq.Language
}

// splitName takes "Dr. Anna Maria Berg" apart: first name Anna, last name Berg.
func splitName(name string) (first, last string) {
	words := strings.Fields(name)
	for len(words) > 1 && strings.HasSuffix(words[0], ".") { // titles
		words = words[1:]
	}
	switch len(words) {
	case 0:
		return "", ""
	case 1:
		return words[0], ""
	}
	return words[0], words[len(words)-1]
}

// zone is the time zone a prospect lives in: their own timezone field, else the
// sequence's, else the mailbox's. A name that does not exist counts as none;
// enrolling refuses it.
func zone(m Mailbox, seq *sequences.Sequence, en Enrollment) *time.Location {
	names := []string{en.Fields["timezone"]}
	if seq != nil {
		names = append(names, seq.Timezone)
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		if loc, err := loadLocation(name); err == nil {
			return loc
		}
	}
	return m.Location
}

// sumOf is the SHA-256 of frozen bytes, in hex: what is kept for another attempt
// leaves only where it is still the same.
func sumOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
