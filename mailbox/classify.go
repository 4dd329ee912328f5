package mailbox

import (
	"strings"
	"time"

	"nudge/engine"
)

// Classify reads a whole message, or as much of it as was fetched, as Judge
// does for one of whose answers nothing is known. It never fails.
func Classify(raw []byte) engine.Incoming {
	return Judge(raw, Touched{})
}

// Touched is what is known of the touches that a message may answer, and when
// it arrived (INTERNALDATE). All of it may be empty; what is given makes the
// verdict surer.
type Touched struct {
	Subjects []string
	Texts    []string
	At       time.Time
	Arrived  time.Time
}

// Judge reads a whole message, or as much of it as was fetched: everything
// ParseHeader gives, and what the message is, by which rule, which mail it
// returns, who could not be reached, until when somebody is away, who takes
// his place. It never fails. The order of the rules is the judgement: what a
// standard says by content type, then what asks something of us, then
// failures, then machines; a person is what remains.
func Judge(raw []byte, touched Touched) engine.Incoming {
	m := readMessage(raw)
	v := incomingFrom(m.header)
	if len(m.header) == 0 || !legible(m.header) {
		v.Kind, v.Evidence = engine.Ambiguous, "it has no header that could be read"
		return v
	}
	r := reading{message: m, in: v, text: m.text(), touched: touched}
	r.fresh = NewText(r.text, touched.Texts...)
	r.line = foldText(cutRunes(r.fresh, maxMeaning))
	r.in.Quoted = m.quotedIDs(r.text)
	for _, rule := range rules {
		if kind, evidence := rule(&r); kind != "" {
			r.in.Kind, r.in.Evidence = kind, evidence
			break
		}
	}
	return r.verdict()
}

// verdict adds what a message of the kind found says besides.
func (r *reading) verdict() engine.Incoming {
	v := r.in
	v.NewText, v.Answer = r.fresh, r.answer
	switch v.Kind {
	case engine.Unsubscribe:
		v.OptOut = true
	case engine.Reply:
		v.OptOut = r.leave
		v.Left, v.Successor = r.departed()
	case engine.AutoReply:
		v.Left, v.Successor = r.departed()
		v.Until = absenceEnd(r.subjectOfAbsence()+". "+r.fresh, r.header.date())
		v.Ticket = !v.Left && v.Until.IsZero() && !r.absent() && acknowledgedPhrases.in(r.line)
	}
	return v
}

// maxMeaning bounds the text in which phrases are looked for, in bytes. What a
// machine or an absent person has to say stands at the top.
const maxMeaning = 4 << 10

// reading is one message on its way through the rules.
type reading struct {
	message
	in      engine.Incoming
	touched Touched
	text    string // all that is shown
	fresh   string // what its writer added
	line    string // the beginning of that, folded, which is what rules on words read
	answer  string // to an invitation
	leave   bool   // it asks, beside other things, to be left alone
}

// rule says what a message is and why, or "" when it has no opinion. Rules
// that read reports also note whom they name.
type rule func(*reading) (engine.Kind, string)

// rules stand in the order in which they are asked.
var rules = []rule{
	complaint, receipt, calendar, challenge, unsubscribe, bounce, machineReport, autoReply, other, person,
}

func person(r *reading) (engine.Kind, string) {
	if r.leave = asksToBeLeft(r.fresh); r.leave {
		return engine.Reply, "a person wrote it, and asks to be left alone"
	}
	return engine.Reply, "nothing proves that a machine wrote it"
}

// legible says whether a header has any field that mail has.
func legible(h header) bool {
	for _, name := range []string{"From", "To", "Subject", "Date", "Message-ID", "Received", "Return-Path", "Content-Type", "Sender", "Delivered-To"} {
		if h.has(name) {
			return true
		}
	}
	return false
}

// part returns the first leaf of that type which is not inside a returned
// message.
func (m message) part(mediaTypes ...string) (part, bool) {
	for _, p := range m.parts {
		for _, t := range mediaTypes {
			if p.mediaType == t && !p.returned {
				return p, true
			}
		}
	}
	return part{}, false
}

// carriesMail says whether a message is returned or attached within.
func (m message) carriesMail() bool {
	_, found := m.part("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers", "message/rfc822-headers")
	return found
}

// answers says whether a message cites another one.
func (r *reading) answers() bool {
	return len(r.in.InReplyTo)+len(r.in.References) > 0
}

// words counts the words of a text, and takes scripts without spaces for one
// word to every two letters.
func words(s string) int {
	n := 0
	for w := range strings.FieldsSeq(s) {
		n++
		if len(w) > 30 {
			n += len(w) / 6
		}
	}
	return n
}
