package mailbox

import (
	"slices"
	"strings"
	"time"

	"nudge/engine"
)

// autoReply recognises what a machine wrote for a person. Header proof is
// enough by itself. A subject in one of the languages needs one more sign, and
// a lone weak header, a noreply sender or any word in the text is none.
func autoReply(r *reading) (engine.Kind, string) {
	if value := autoSubmitted(r.header); value != "" {
		return r.submitted(value)
	}
	if name, found := machineField(r.header); found {
		return engine.AutoReply, "header " + name
	}
	suppress, loop := r.header.has("X-Auto-Response-Suppress"), r.header.has("X-MS-Exchange-Inbox-Rules-Loop")
	answer := replyPrefix.MatchString(bareSubject(r.in.Subject))
	if suppress && loop {
		const evidence = "headers X-Auto-Response-Suppress and X-MS-Exchange-Inbox-Rules-Loop together"
		if answer && r.fresh != "" && !r.absent() && !acknowledgedPhrases.in(r.line) && !machinePhrases.in(r.line) {
			return engine.Ambiguous, evidence + ", but it answers like a person"
		}
		return engine.AutoReply, evidence
	}
	if suppress && nullReturn(r.header) && !answer {
		const evidence = "header X-Auto-Response-Suppress and a null Return-Path together"
		if r.answers() && ticketSystem(r.header) != "" && !r.absent() && !acknowledgedPhrases.in(r.line) {
			return engine.Ambiguous, evidence + ", but " + ticketSystem(r.header) + " may carry a person's words"
		}
		return engine.AutoReply, evidence
	}
	if local := localPart(first(r.in.From)); machineSender.MatchString(local) {
		return engine.AutoReply, "the sender is called " + local
	}
	if subject := r.automaticSubject(); subject != noSubject {
		if sign := r.secondSign(subject, suppress || loop); sign != "" {
			return engine.AutoReply, "automatic subject, and " + sign
		}
	}
	return r.withoutSubject(suppress || loop || nullReturn(r.header))
}

// withoutSubject judges messages that neither a header nor the subject proves
// to be a machine's.
func (r *reading) withoutSubject(weak bool) (engine.Kind, string) {
	answer := replyPrefix.MatchString(bareSubject(r.in.Subject))
	switch {
	case weak && r.absent() && !answer:
		return engine.AutoReply, "weak machine header and absence text"
	case r.massMail() && r.absent() && !answer:
		return engine.AutoReply, "Precedence: " + r.header.get("Precedence") + " and absence text"
	case r.massMail() && r.absent():
		return engine.Ambiguous, "absence text in an answer with Precedence: " + r.header.get("Precedence")
	case ticketSystem(r.header) != "" && r.bulk():
		return engine.Ambiguous, "bulk mail of " + ticketSystem(r.header) + ", which may carry a person's words"
	case isNoReply(first(r.in.From)) && machinePhrases.in(r.line):
		return r.noReply()
	case machinePhrases.in(r.line) && (r.absent() || acknowledgedPhrases.in(r.line)):
		return engine.Ambiguous, "a text in which a machine speaks, and nothing else that proves it"
	case answer && r.absent() && r.answeredSubject() == softwareSubject:
		return engine.Ambiguous, "absence text in answer to an automatic subject"
	case r.onlyNotice():
		return engine.Ambiguous, "nothing but the notice of somebody who is away, and nothing else that proves a machine"
	}
	return "", ""
}

// noReply judges what comes from a noreply address and says that a machine
// wrote it. In answer to us it may still carry what a person typed elsewhere.
func (r *reading) noReply() (engine.Kind, string) {
	const evidence = "noreply sender, and a text that says a machine wrote it"
	switch {
	case acknowledgedPhrases.in(r.line) || r.absent():
		return engine.AutoReply, evidence
	case r.answers():
		return engine.Ambiguous, evidence + ", but it answers"
	}
	return engine.Other, evidence
}

// submitted judges a message whose Auto-Submitted says that it is automatic
// (RFC 3834, section 5).
func (r *reading) submitted(value string) (engine.Kind, string) {
	evidence := "Auto-Submitted: " + value
	if strings.HasPrefix(value, "auto-replied") || r.automaticSubject() != noSubject {
		return engine.AutoReply, evidence
	}
	if r.answers() && ticketSystem(r.header) != "" && !acknowledgedPhrases.in(r.line) && !r.absent() && words(r.fresh) > 0 {
		return engine.Ambiguous, evidence + ", but " + ticketSystem(r.header) + " may carry a person's words"
	}
	return r.answerOrOther(evidence)
}

// subjectForm is what a subject proves.
type subjectForm int

const (
	noSubject       subjectForm = iota
	behindSubject               // in brackets behind what it answers; people keep that in their answers
	awaySubject                 // a person might begin a mail so too
	autoSubject                 // the words of software
	softwareSubject             // the words of software where it puts them: before a colon, in brackets or alone
)

// automaticSubject says whether a subject is one that software writes, leaving
// out what it repeats of ours.
func (r *reading) automaticSubject() subjectForm {
	return subjectFormOf(r.subjectWithoutOurs())
}

// answeredSubject judges the subject that a message answers.
func (r *reading) answeredSubject() subjectForm {
	subject := bareSubject(r.in.Subject)
	return subjectFormOf(foldText(subject[len(replyPrefix.FindString(subject)):]))
}

func (r *reading) subjectWithoutOurs() string {
	subject := foldText(bareSubject(r.in.Subject))
	for _, ours := range r.touched.Subjects {
		if ours = foldText(ours); len(ours) > 3 {
			subject = strings.Replace(subject, ours, "", 1)
		}
	}
	return subject
}

func subjectFormOf(folded string) subjectForm {
	folded = strings.TrimSpace(folded)
	_, second, _ := strings.Cut(folded, " / ") // in two languages
	for _, s := range []string{folded, listTag.ReplaceAllString(folded, ""), second} {
		if _, end, found := autoSubjects.find(s); found {
			if softwareEnd.MatchString(s[end:]) {
				return softwareSubject
			}
			return autoSubject
		}
		if awaySubjects.in(s) {
			return awaySubject
		}
	}
	if m := bracketsBehind.FindStringSubmatch(folded); m != nil && (autoSubjects.in(m[1]) || awaySubjects.in(m[1])) {
		return behindSubject
	}
	return noSubject
}

// bracketsBehind finds what some programs put behind a subject.
var bracketsBehind = newPattern(`\S\s?[(\[]([^()\[\]]{3,80})[)\]]$`)

// softwareEnd is what software puts behind its words.
var softwareEnd = newPattern(`^[\p{L}'.]{0,20}\s{0,2}(?:[:\]】)(\-–—]|[.!]?$)`)

// answerOrOther tells a machine's answer to us from a machine's own message.
func (r *reading) answerOrOther(evidence string) (engine.Kind, string) {
	if r.answers() || r.absent() || acknowledgedPhrases.in(r.line) || r.header.has("X-Auto-Response-Suppress") ||
		replyPrefix.MatchString(r.in.Subject) {
		return engine.AutoReply, evidence
	}
	return engine.Other, evidence + ", not in answer to anything"
}

// quickly is within what time of our touch a machine answers.
const quickly = 3 * time.Minute

// secondSign is what, besides its subject, makes a message automatic.
func (r *reading) secondSign(subject subjectForm, weakHeader bool) string {
	away, machine := r.away(), acknowledgedPhrases.in(r.line) || machinePhrases.in(r.line)
	switch {
	case subject == behindSubject && !away && !machine:
		return "" // people keep it, also behind gateways that set such headers
	case weakHeader:
		return "a weak machine header"
	case nullReturn(r.header):
		return "a null Return-Path"
	case r.bulk():
		return "Precedence: " + r.header.get("Precedence")
	case away:
		return "absence text"
	case machine:
		return "a machine's text"
	case !absenceEnd(r.subjectOfAbsence()+". "+r.fresh, r.header.date()).IsZero():
		return "a date of return"
	case isNoReply(first(r.in.From)):
		return "a noreply sender"
	case !r.touched.At.IsZero() && !r.touched.Arrived.Before(r.touched.At) && r.touched.Arrived.Sub(r.touched.At) <= quickly:
		return "arrived within minutes of our touch"
	case subject == softwareSubject:
		return "it stands where software puts it"
	case subject == autoSubject && !r.answers():
		return "a fresh thread" // which says nothing of a subject that a person might choose
	}
	return ""
}

// bulk says whether Precedence calls a message one of many. By itself it proves
// nothing: people answer through groups.
func (r *reading) bulk() bool {
	switch strings.ToLower(strings.TrimSpace(r.header.get("Precedence"))) {
	case "bulk", "junk", "list":
		return true
	}
	return false
}

// massMail says whether Precedence is one that vacation programs set, and no
// list is in sight that could have set it.
func (r *reading) massMail() bool {
	precedence := strings.ToLower(strings.TrimSpace(r.header.get("Precedence")))
	if precedence != "bulk" && precedence != "junk" {
		return false
	}
	return !slices.ContainsFunc(r.header, func(f field) bool { return len(f.name) > 5 && strings.EqualFold(f.name[:5], "List-") })
}

// absent says whether the new text holds a whole phrase of absence, and no
// sign that its writer is there: "I was out of office, yes please" is an
// answer.
func (r *reading) absent() bool {
	return r.away() && !latePhrases.in(r.line)
}

// away is absent where the subject is a machine's, which begs pardon as well.
func (r *reading) away() bool {
	return (absentPhrases.in(r.line) || leftPhrases.in(r.line)) && !presentPhrases.in(r.line)
}

// subjectOfAbsence is what a subject may say of an absence: nothing of ours,
// and nothing behind the colon that software puts before what it answers.
func (r *reading) subjectOfAbsence() string {
	subject := r.subjectWithoutOurs()
	if _, end, found := autoSubjects.find(subject); found && subjectFormOf(subject) == softwareSubject {
		rest := strings.TrimLeft(subject[end:], " :]】")
		if awaySubjects.in(rest) || absentPhrases.in(rest) {
			return rest
		}
		if before, _, found := strings.Cut(subject[end:], ":"); found {
			return subject[:end] + before
		}
	}
	return subject
}

// departed says whether somebody is gone for good, and whom to write to
// instead: the first address that is neither his nor ours.
func (r *reading) departed() (bool, string) {
	if !leftPhrases.in(r.line) {
		return false, ""
	}
	for _, found := range plainAddress.FindAllString(cutRunes(r.fresh, maxMeaning), 20) {
		addr := tidyAddress(strings.TrimRight(found, ".,;:!?、。）)"))
		known := slices.ContainsFunc(slices.Concat(r.in.From, r.in.To), func(a string) bool { return strings.EqualFold(a, addr) })
		if addr != "" && !known && !isNoReply(addr) {
			return true, addr
		}
	}
	return true, ""
}

// autoSubmitted returns the value of Auto-Submitted without its parameters,
// "" when it is absent or says no.
func autoSubmitted(h header) string {
	value := strings.ToLower(h.get("Auto-Submitted"))
	value, _, _ = strings.Cut(value, ";")
	value, _, _ = strings.Cut(value, "(")
	if value = strings.TrimSpace(value); value == "no" || value == "false" {
		return ""
	}
	return value
}

// machineFieldName finds field names that only automatic answers carry,
// whatever a vendor puts around the word.
var (
	machineFieldName = newPattern(`auto[-_]?(response|submitted|replied|reply|generated|respond)|holidayreply|machinegenerated|^(x-)?(vacation|out-?of-?office)(-message)?$`)
	// forbiddenField finds the names of fields that ask for no automatic answer.
	forbiddenField = newPattern(`suppress|(^|[-_])(no|not|dont|prevent|disable|skip|ignore|stop|allow|loop|request)([-_]|$)`)
	// machineSender finds local parts that answer by themselves.
	machineSender = newPattern(`(?i)^(auto[-_.]?(reply|replies|respon(se|d|der)|answer|mailer)|vacation|out[-_.]?of[-_.]?office)([-_.+0-9]|$)`)
)

// machineField returns the name of a field that proves a machine wrote the
// message.
func machineField(h header) (string, bool) {
	for _, f := range h {
		name, value := strings.ToLower(f.name), strings.ToLower(strings.TrimSpace(f.value))
		switch {
		case name == "auto-submitted":
		case machineFieldName.MatchString(name) && !forbiddenField.MatchString(name) && !slices.Contains(denials, value):
			return f.name, true
		case (name == "precedence" || name == "x-precedence") && strings.HasPrefix(value, "auto"):
			return f.name + ": " + value, true
		case name == "x-apple-action" && strings.HasPrefix(value, "vacation"),
			name == "x-post-messageclass" && strings.Contains(value, "autoresponder"),
			name == "delivered-to" && strings.HasPrefix(value, "autoresponder"),
			name == "x-ms-exchange-generated-message-source" && strings.Contains(value, "mailbox rules agent"):
			return f.name + ": " + value, true
		}
	}
	return "", false
}

// denials are the values with which such a field says that it is not so.
var denials = []string{"no", "false", "0", "off", "none", "never", "n"}

// nullReturn says whether the envelope had no sender. Reports and automatic
// answers have none, and so has some human mail that a gateway passed on.
func nullReturn(h header) bool {
	for _, v := range h.all("Return-Path") {
		if v = strings.TrimSpace(v); v == "<>" || v == "" {
			return true
		}
	}
	return false
}

var noReplyName = newPattern(`(?i)(^|[-_.+])(no[-_.]?reply|do[-_.]?not[-_.]?reply|nao[-_.]?responda|no[-_.]?responder|nepasrepondre|ne[-_.]pas[-_.]repondre|keine[-_.]?antwort|noreply\w*|donotreply\w*)([-_.+]|$)`)

func isNoReply(addr string) bool {
	local, _, _ := strings.Cut(addr, "@")
	return noReplyName.MatchString(local)
}

// ticketSystem returns the name of the help desk software that sent a message,
// which wraps what persons write.
func ticketSystem(h header) string {
	for _, f := range h {
		name, value := strings.ToLower(f.name), strings.ToLower(f.value)
		switch {
		case strings.HasPrefix(name, "x-zendesk"), name == "x-mailer" && strings.Contains(value, "zendesk"):
			return "Zendesk"
		case strings.HasPrefix(name, "x-freshdesk"), strings.HasPrefix(name, "x-fd-"):
			return "Freshdesk"
		case strings.HasPrefix(name, "x-helpscout"), strings.HasPrefix(name, "x-intercom"), strings.HasPrefix(name, "x-jira"), strings.HasPrefix(name, "x-otrs"):
			return f.name
		case name == "x-mailer" && (strings.Contains(value, "otrs") || strings.Contains(value, "znuny") || strings.Contains(value, "zammad")):
			return f.value
		}
	}
	return ""
}

// replyPrefix is what mail programs put before the subject of an answer.
var replyPrefix = newPattern(`(?i)^\s*(re|aw|antw|sv|vs|odp|ref|rv|r|回复|回覆|答复|答覆|返信)(\[\d+\])?\s?[:：]`)

var gatewayTag = newPattern(`(?i)^\s*[\[(*]{1,3}\s*(ext|extern|external|externe|caution|warning|spam\??|suspected spam|bulk)[^\])]{0,30}[\])*]{1,3}:?\s*`)

// bareSubject is a subject without what gateways and ticket systems put before
// it.
func bareSubject(subject string) string {
	for range 3 {
		tag := gatewayTag.FindString(subject)
		if tag == "" {
			break
		}
		subject = subject[len(tag):]
	}
	return strings.TrimSpace(subject)
}
