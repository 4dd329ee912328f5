package mailbox

import (
	"strings"

	"nudge/engine"
)

// Classify reads a whole message, or as much of it as was fetched: everything
// ParseHeader gives, and what the message is, by which rule, which mail it
// returns, who could not be reached, until when somebody is away. It never
// fails. The order of the rules is the judgement: what a standard says by
// content type, then what asks something of us, then failures, then machines;
// a person is what remains.
func Classify(raw []byte) engine.Incoming {
	m := readMessage(raw)
	in := incomingFrom(m.header)
	if len(m.header) == 0 || !legible(m.header) {
		in.Kind, in.Evidence = engine.Ambiguous, "it has no header that could be read"
		return in
	}
	r := reading{message: m, in: in, text: m.text()}
	r.fresh = newText(r.text)
	r.line = clip(strings.Join(strings.Fields(r.fresh), " "), maxMeaning)
	r.in.Quoted = m.quotedIDs(r.text)
	for _, rule := range rules {
		if kind, evidence := rule(&r); kind != "" {
			r.in.Kind, r.in.Evidence = kind, evidence
			break
		}
	}
	if r.in.Kind == engine.AutoReply {
		r.in.Until = absenceEnd(r.in.Subject+". "+r.fresh, m.header.date())
	}
	return r.in
}

// maxMeaning bounds the text in which phrases are looked for. What a machine
// or an absent person has to say stands at the top.
const maxMeaning = 4 << 10

// reading is one message on its way through the rules.
type reading struct {
	message
	in    engine.Incoming
	text  string // all that is shown
	fresh string // what its writer added
	line  string // the beginning of that as one line, which is what rules on words read
}

// rule says what a message is and why, or "" when it has no opinion. Rules
// that read reports also note whom they name.
type rule func(*reading) (engine.Kind, string)

// rules stand in the order in which they are asked.
var rules = []rule{
	complaint, receipt, calendar, challenge, unsubscribe, bounce, machineReport, autoReply, other, person,
}

func person(r *reading) (engine.Kind, string) {
	if optOutInside.MatchString(r.line) {
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
