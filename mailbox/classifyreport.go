package mailbox

import (
	"strings"

	"nudge/engine"
)

// complaint recognises abuse reports (RFC 5965), also where their parts have
// the wrong type, and the older form without a report part. Reports on
// authentication (RFC 6591) complain about nothing; "opt-out" is a wish,
// "not-spam" a compliment.
func complaint(r *reading) (engine.Kind, string) {
	report, found := r.feedback()
	if !found {
		if complaintSubject.MatchString(r.in.Subject) && r.carriesMail() && !r.answers() {
			r.in.Failed = r.complainant(nil)
			return engine.Complaint, "a complaint with our mail attached"
		}
		return "", ""
	}
	kind := strings.ToLower(strings.TrimSpace(report.get("Feedback-Type")))
	switch kind {
	case "auth-failure", "dmarc", "not-spam", "virus":
		return engine.Other, "feedback report of type " + kind
	}
	r.in.Failed = r.complainant(report)
	if kind == "opt-out" || kind == "opt-out-list" {
		return engine.Unsubscribe, "feedback report of type " + kind
	}
	return engine.Complaint, "abuse report (RFC 5965)"
}

// feedback returns the fields of an abuse report: of the part that has its
// type, or else of a text that has its first field.
func (r *reading) feedback() (header, bool) {
	if p, found := r.part("message/feedback-report"); found {
		report, _ := splitHeader(p.utf8())
		return report, true
	}
	for _, p := range r.parts {
		if !p.leaf || p.returned || !strings.HasPrefix(p.mediaType, "text/") && p.mediaType != "application/octet-stream" || !r.carriesMail() {
			continue
		}
		if report, _ := splitHeader(p.body); report.has("Feedback-Type") && (report.has("User-Agent") || report.has("Version")) {
			return report, true
		}
	}
	return nil, false
}

// complainant returns whom a complaint is about, by the names that senders of
// reports use, or else as the one recipient of the mail it carries.
func (r *reading) complainant(report header) []string {
	for _, name := range []string{"Original-Rcpt-To", "Removal-Recipient", "X-HmXmrOriginalRecipient", "X-Original-Rcpt-To"} {
		for _, h := range []header{report, r.header} {
			if to := addressesIn(h.all(name)...); len(to) > 0 {
				return to
			}
		}
	}
	if to := r.foreign(r.returnedTo()); len(to) == 1 {
		return to
	}
	return nil
}

var complaintSubject = newPattern(`(?i)^(complaint about message from|email feedback report for ip|abuse report\b|spam report\b)`)

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
	if receiptSubject.MatchString(r.in.Subject) && r.receiptInWords() {
		return engine.Receipt, "read receipt in the words of Outlook"
	}
	return "", ""
}

// receiptInWords says whether a short text is the sentence of a receipt.
func (r *reading) receiptInWords() bool {
	text := foldText(cutRunes(r.text, maxMeaning))
	return len(r.text) < maxMeaning/2 && receiptOpens.MatchString(text) && receiptEnds.MatchString(text)
}

// rejected finds the sentence of a system that hides a rejection in a receipt.
var rejected = newPattern(`(?i)(was|has been|were) (not delivered|rejected|blocked|refused|returned)|could not be delivered|undeliverable|delivery (has )?failed`)

var receiptSubject = newPattern(`(?i)^(not |nicht |non |no |não |niet |nie |ikke |inte |ej )?(read|gelesen|ungelesen|lue?|leído|letto|letta|gelezen|läst|oläst|lest|ulest|læst|ulæst|lid[oa]|przeczytan[eoay]|přečten[oaéý]|luettu|прочтено|已读|開封済み)\s?:`)

// receiptOpens and receiptEnds find the sentence of such a receipt where no
// part tells what it is: the mail is named between its beginning and its end.
var (
	receiptOpens = newPattern(`^\W*(your message|ihre nachricht|votre message|(su|el) mensaje|il messaggio|(a )?sua mensagem|uw bericht|ditt meddelande|din meddelelse|meldingen din|meddelelsen|(twoja|państwa) wiadomość|vaše zpráva|viestisi)\W{1,8}[\p{L} ]{1,20}:`)
	receiptEnds  = newPattern(`\b(was (read|deleted) on .*|wurde am .*(gelesen|gelöscht)|a été (lu|supprimé)|(ha sido|fue) (leído|eliminado)|se leyó|è stato (letto|eliminato)|foi (lida|eliminada|excluída)|(is|werd) .*(gelezen|verwijderd)|(har lästs|lästes|blev läst|togs bort)|(blev|ble) .*(læst|lest|slettet)|została .*(przeczytana|usunięta)|byla .*(přečtena|odstraněna)|on luettu)`)
)

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
			r.answer = attendance(p.body)
			return engine.Calendar, "answer to an invitation, METHOD:REPLY"
		}
	}
	if m := calendarSubject.FindStringSubmatch(r.in.Subject); m != nil && r.meetingMail() {
		return engine.Calendar, "answer to an invitation in Outlook's own format"
	}
	return "", ""
}

// meetingMail says whether a message is of the kind that Outlook makes of an
// answer to an invitation.
func (r *reading) meetingMail() bool {
	if strings.HasSuffix(strings.ToLower(r.header.get("Content-Class")), "calendarmessage") {
		return true
	}
	_, found := r.part("application/ms-tnef")
	return found
}

// attendance reads PARTSTAT, folded lines and all.
func attendance(body []byte) string {
	body = calendarFold.ReplaceAll(body, nil)
	if m := partStat.FindSubmatch(body); m != nil {
		switch status := strings.ToLower(string(m[1])); status {
		case "accepted", "declined", "tentative", "delegated":
			return status
		}
	}
	return ""
}

var (
	calendarFold = newPattern(`\r?\n[ \t]`)
	partStat     = newPattern(`(?i);PARTSTAT="?([A-Z-]+)`)
	// calendarSubject is how Outlook begins the subject of an answer.
	calendarSubject = newPattern(`(?i)^(accepted|declined|tentative(ly accepted)?|zugesagt|angenommen|abgelehnt|abgesagt|mit vorbehalt|accepté|refusé|provisoire|aceptad[ao]|rechazad[ao]|provisional|accettat[ao]|rifiutat[ao]|provvisorio|aceite|aceit[oa]|recusad[oa]|geaccepteerd|afgewezen|voorlopig|accepterat|avböjt|preliminärt|accepteret|afvist|foreløbig|akseptert|avslått|hyväksytty|hylätty|zaakceptowane|odrzucone|přijato|odmítnuto|принято|отклонено|kabul edildi|reddedildi|承諾済み|辞退|仮承諾|已接受|已谢绝|已拒绝|수락됨|거절됨)\s?[:：]`)
)

var calendarMethod = newPattern(`(?mi)^METHOD\s*:\s*([A-Z]+)`)

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

var reportSubject = newPattern(`(?i)^(\[[^\]]{1,20}\] ?)?report domain: ?\S+;? submitter: ?\S+`)

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
	if linked(r.text) && words(r.fresh) < 400 && challengePhrases.in(r.line) {
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
	challengeSubject = newPattern(`(?i)(requires verification|verification required|confirm(ation)? (is )?(required|needed)|please confirm your (message|e-?mail))`)
	filterText       = newPattern(`(?i)(white|guest|allowed|approved)[- ]?(list|senders?)|\bspam|unsolicited|verif(y|ication)|prove`)
)

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
