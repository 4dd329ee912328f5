package mailbox

import (
	"slices"
	"strings"
)

const addressPattern = `([^\s<>"'(),;:\[\]（）：，。、；「」【】《》]+@[^\s<>"'(),;:\[\]（）：，。、；「」【】《》]+\.?\w)`

// Forms in which mail systems name the recipient that failed, from those that
// stand alone on their line to those inside a sentence. The first form that
// yields anything is believed.
var recipientForms = []pattern{
	// a line of its own, perhaps followed by the reason: Exim, qmail, Postfix, sendmail, Gmail, Yahoo, GMX
	newPattern(`(?m)^[ \t>*-]{0,12}(?:[45]\d\d (?:#?\d\.\d\.\d+ )?)?["'<]{0,2}` + addressPattern + `[>"']{0,2}[ \t]*(?:$|:|\.\.\.|\(|[-–] |(?:\p{L}{1,4}\.? )?(?:\p{L}{2,4}, )?\d{1,4}[./-]\d|on (?:\w{3}, )?\d|failed|(?i:host|user|unknown|delivery|mailbox|invalid|error|address|recipient|account|not|does|is|has|was|cannot|could|no|[45]\d\d)\b)`),
	// named by a label: Exchange, kddi, MDaemon, Lotus
	newPattern(`(?mi)^[ \t>*-]{0,12}(?:failed )?(?:recipients?|final-recipient|original-recipient|failed address|e-?mail address|address|user|mailbox|account|mail to|undeliverable to|rcpt to|could not deliver to|unknown user|user unknown|delivery failed(?: \d+ attempts)?|failed|bad|invalid recipient|intended recipient|an|à|para|aan|to)(?: \(.{1,30}\))?\s*[:=]\s*(?:rfc822;|\[?smtp:)?\s*["'<]{0,2}` + addressPattern),
	// in the JSON of a provider's notice
	newPattern(`(?i)"(?:e-?mail_?address|recipient|rcpt_?to|bounced_?address)"\s*:\s*"` + addressPattern),
	// inside the dialogue
	newPattern(`(?i)rcpt to:\s*<?` + addressPattern),
	// inside a sentence
	newPattern(`(?i)(?:deliver(?:ed|y|ing)?(?: (?:your|the|this|a) (?:mail|message|e-?mail))?(?: failed)?(?: to)?(?: the)?(?: (?:following|this))?(?: (?:address|recipient|user|mailbox))?|(?:mail|message|e-?mail)(?: sent| addressed)? (?:to|for)|recipient|mailbox|user|address|account|addressee|to)[\s:]{1,3}(?:\[?smtp:|rfc822;\s?)?["'<(]{0,2}` + addressPattern),
	newPattern(`(?i)(?:^|[^\w.-])[4-5]\d\d[ -](?:#?\d\.\d\.\d+ )?<?` + addressPattern),
	newPattern(`(?i)["'<(]{0,2}` + addressPattern + `[>"')]{0,2}(?: \([^)]{0,80}\))?:? (?:is|was|has|does|could|user|unknown|mailbox|not|no longer|rejected|failed)`),
}

// providerForm is which of recipientForms is the JSON of providers, which name
// a recipient beyond doubt.
const providerForm = 2

// alsoKnown finds the address that we wrote to where a report names the one it
// was passed on to.
var alsoKnown = newPattern(`(?i)\((?:generated|expanded|ultimately generated) from:? ?<?` + addressPattern)

// failedInText returns the recipients that a bounce names outside a report
// part: in X-Failed-Recipients, in its text, or else as the one recipient of
// the mail it returns.
func (r *reading) failedInText() []string {
	told, _ := splitReturned(r.text)
	failed := addressesIn(r.header.all("X-Failed-Recipients")...)
	for i, form := range recipientForms {
		if len(failed) > 0 {
			break
		}
		var named []string
		for _, m := range form.FindAllStringSubmatch(told, maxRecipients) {
			named = append(named, tidyAddress(strings.TrimSuffix(m[1], ".")))
		}
		if failed = r.foreign(named); len(failed) == 0 && (i == 0 || i == providerForm) {
			failed = unique(named) // somebody wrote to himself, or to a daemon
		}
	}
	if len(failed) == 0 {
		failed = r.onlyFailed(told)
	}
	for _, m := range alsoKnown.FindAllStringSubmatch(told, maxRecipients) {
		failed = append(failed, tidyAddress(m[1]))
	}
	return unique(failed)
}

// onlyFailed returns the recipient where no form names one: the only address
// that the text holds, or that it shares with the recipients of the mail it
// returns, or the only one of these.
func (r *reading) onlyFailed(told string) []string {
	var named []string
	for _, at := range plainAddress.FindAllStringIndex(told, maxRecipients) {
		if !strings.Contains(lastWord(told[max(0, at[0]-200):at[0]]), "://") { // not a part of a link
			named = append(named, tidyAddress(strings.TrimRight(told[at[0]:at[1]], ".")))
		}
	}
	named, to := r.foreign(named), r.foreign(r.returnedTo())
	if len(named) > 1 {
		named = slices.DeleteFunc(named, func(a string) bool {
			return !slices.ContainsFunc(to, func(b string) bool { return strings.EqualFold(a, b) })
		})
	}
	switch {
	case len(named) == 1:
		return named
	case len(to) == 1:
		return to
	}
	return nil // which of them it was, nobody says
}

// plainAddress finds an address of ASCII letters, whatever script stands
// around it.
var plainAddress = newPattern(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)

// foreign leaves out the addresses of the bounce itself: who sent it, whom it
// was sent to, and the postmasters it refers to.
func (r *reading) foreign(addrs []string) []string {
	var kept []string
	for _, a := range addrs {
		own := slices.ContainsFunc(append(slices.Clip(r.in.From), addressesIn(r.header.all("To")...)...), func(b string) bool { return strings.EqualFold(a, b) })
		if a != "" && !own && !isDaemon(a) {
			kept = append(kept, a)
		}
	}
	return unique(kept)
}

// returnedTo returns the recipients of the mail that a bounce carries or
// quotes.
func (r *reading) returnedTo() []string {
	for _, p := range r.parts {
		switch p.mediaType {
		case "message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers", "message/rfc822-headers":
			h, _ := splitHeader(p.body)
			if to := addressesIn(append(h.all("X-Failed-Recipients"), h.all("To")...)...); len(to) > 0 {
				return to
			}
		}
	}
	told, found := splitReturned(r.text)
	if !found {
		return nil
	}
	for line := range strings.Lines(clip(r.text[len(told):], 16<<10)) {
		if m := quotedTo.FindStringSubmatch(strings.TrimRight(line, "\r\n")); m != nil {
			return addressesIn(m[1])
		}
	}
	return nil
}

var quotedTo = newPattern(`(?i)^[> \t]{0,6}to:\s*(.+)$`)
