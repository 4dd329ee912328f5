package mailbox

import (
	"regexp"
	"strings"

	"nudge/engine"
)

// complaint recognises abuse reports (RFC 5965) and the older form without a
// report part. Reports on authentication (RFC 6591) complain about nothing;
// "opt-out" is a wish, "not-spam" a compliment.
func complaint(r *reading) (engine.Kind, string) {
	p, found := r.part("message/feedback-report")
	if !found {
		if complaintSubject.MatchString(r.in.Subject) && r.carriesMail() && !r.answers() {
			return engine.Complaint, "a complaint with our mail attached"
		}
		return "", ""
	}
	report, _ := splitHeader(p.body)
	switch kind := strings.ToLower(strings.TrimSpace(report.get("Feedback-Type"))); kind {
	case "auth-failure", "dmarc", "not-spam":
		return engine.Other, "feedback report of type " + kind
	case "opt-out", "opt-out-list":
		return engine.Unsubscribe, "feedback report of type " + kind
	case "virus":
		return engine.Other, "feedback report of type virus"
	}
	return engine.Complaint, "abuse report (RFC 5965)"
}

var complaintSubject = regexp.MustCompile(`(?i)^(complaint about message from|email feedback report for ip|abuse report\b|spam report\b)`)

// receipt recognises disposition notifications (RFC 8098), and the read
// receipts Outlook wraps into an attachment of its own.
func receipt(r *reading) (engine.Kind, string) {
	if p, found := r.part("message/disposition-notification"); found {
		if failures(parseDeliveryStatus(p.body)) > 0 {
			return "", "" // a rejection dressed as a receipt
		}
		if rejected.MatchString(r.text) && isDaemon(first(r.in.From)) {
			return "", ""
		}
		return engine.Receipt, "disposition notification (RFC 8098)"
	}
	mediaType, params := mediaTypeOf(r.header)
	if mediaType == "multipart/report" && params["report-type"] == "disposition-notification" && !rejected.MatchString(r.text) {
		return engine.Receipt, "disposition notification (RFC 8098) without its report"
	}
	if mediaType == "application/ms-tnef" && receiptSubject.MatchString(r.in.Subject) {
		return engine.Receipt, "read receipt in Outlook's own format"
	}
	return "", ""
}

// rejected finds the sentence of a system that hides a rejection in a receipt.
var rejected = regexp.MustCompile(`(?i)(was|has been|were) (not delivered|rejected|blocked|refused|returned)|could not be delivered|undeliverable|delivery (has )?failed`)

var receiptSubject = regexp.MustCompile(`(?i)^(not )?(read|gelesen|ungelesen|lu|non lu|leído|letto|gelezen|läst|lest|læst|lido|przeczytane|прочтено|已读|開封済み)\s?:`)

// calendar recognises answers to invitations (RFC 5546): a person chose. A
// counter-proposal is more than that, and stays a reply.
func calendar(r *reading) (engine.Kind, string) {
	for _, p := range r.parts {
		if p.returned || !p.leaf || p.mediaType != "text/calendar" && p.mediaType != "application/ics" {
			continue
		}
		method := p.params["method"]
		if m := calendarMethod.FindSubmatch(p.body); m != nil {
			method = string(m[1])
		}
		if strings.EqualFold(method, "REPLY") {
			return engine.Calendar, "answer to an invitation, METHOD:REPLY"
		}
	}
	return "", ""
}

var calendarMethod = regexp.MustCompile(`(?mi)^METHOD\s*:\s*([A-Z]+)`)

// machineReport takes what remains of reports, and those of TLS and DMARC
// (RFC 8460, RFC 7489), out of the way of the rules about people.
func machineReport(r *reading) (engine.Kind, string) {
	mediaType, params := mediaTypeOf(r.header)
	if _, found := r.part(deliveryStatusTypes...); found {
		return engine.Other, "delivery report without a failure"
	}
	if mediaType == "multipart/report" {
		return engine.Other, "report of type " + params["report-type"]
	}
	if reportSubject.MatchString(r.in.Subject) {
		return engine.Other, "report on a domain"
	}
	return "", ""
}

var reportSubject = regexp.MustCompile(`(?i)^report domain: ?\S+;? submitter: ?\S+`)

// challenge recognises systems that ask the sender to prove that he is a
// person. Nothing is ever confirmed by itself; the owner is shown it.
func challenge(r *reading) (engine.Kind, string) {
	for _, name := range challengeFields {
		if r.header.has(name) {
			return engine.Challenge, "header " + name
		}
	}
	if strings.Contains(r.in.MessageID, "-tmda-confirm") {
		return engine.Challenge, "Message-ID of a confirmation request"
	}
	if _, params := mediaTypeOf(r.header); strings.Contains(params["boundary"], "MailInBlack") {
		return engine.Challenge, "boundary of a confirmation request"
	}
	if challengeSubject.MatchString(r.in.Subject) && linked(r.text) && filterText.MatchString(r.line) && !r.answers() {
		return engine.Challenge, "subject asks for verification"
	}
	if linked(r.fresh) && words(r.fresh) < 400 && challengeText.MatchString(r.line) {
		return engine.Challenge, "asks the sender to prove that he is a person"
	}
	return "", ""
}

func linked(text string) bool {
	return strings.Contains(text, "http") || strings.Contains(text, "www.")
}

var (
	challengeFields = []string{
		"X-Boxtrapper", "X-Bluebottle-Request", "X-Spamarrest-noauth", "X-Spamarrest-speedcode", "X-AskVersion",
		"X-ChoiceMail-Registration-Request", "X-MailInBlack", "X-TMDA-Confirm",
	}
	challengeSubject = regexp.MustCompile(`(?i)(requires verification|verification required|confirm(ation)? (is )?(required|needed)|please confirm your (message|e-?mail))`)
	filterText       = regexp.MustCompile(`(?i)(white|guest|allowed|approved)[- ]?(list|senders?)|\bspam|unsolicited|verif(y|ication)|prove`)
	challengeText    = regexp.MustCompile(`(?i)(` + strings.Join([]string{
		`(prove|confirm|verify|show)( to us)?( that)? (you are|you're|that you are|yourself as)( really)?( a| an| not a)? ?(real )?(human|person|human being|people|spammer|robot)`,
		`add your (e-?mail )?address to (my|the|his|her|their)( list of)? (allowed|approved|guest|white|safe|accepted)`,
		`add yourself to (my|the|his|her|their)( \S+)? (guest|white|allow|approved|safe)\S*\s?list`,
		`(deliver|release) (your|this) (message|e-?mail),? (please )?(click|follow|visit|reply|confirm)`,
		`you are not (yet )?(on|in) (my|the|his|her|their) (guest|allowed|approved|white|safe)\s?-?list`,
		`(click|follow|visit|use).{0,60}(link|button|url|address).{0,80}(so that|to have|to get|to allow|before) .{0,30}(message|e-?mail).{0,30}(delivered|released|delivery|inbox)`,
		`(your )?(message|e-?mail) (is|has been|will be) (waiting|held|on hold|quarantined|being held|pending).{0,120}(verif|confirm|approv|permission)`,
		`one-time (confirmation|verification|request)`,
		`(bestätigen|beweisen) sie,? dass sie (ein mensch|kein spammer|kein roboter)`,
		`(confirmez|prouvez|vérifier) que vous (êtes|n'êtes pas) (un|une) (humain|personne|robot|spammeur)`,
		`(confirme|demuestre|verifique) que (es|usted es|no es) (una|un) (persona|humano|robot)`,
	}, "|") + `)`)
)

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
