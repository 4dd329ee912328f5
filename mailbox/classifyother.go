package mailbox

import (
	"strings"

	"nudge/engine"
)

// other recognises newsletters, notifications and posts that answer nobody. A
// list header proves little: people answer through groups, and a shared
// address that is a group puts its marks on all that comes in. So a message
// that cites another one is never other, and neither is a person's post to a
// group.
func other(r *reading) (engine.Kind, string) {
	if r.answers() {
		return "", ""
	}
	reply := replyPrefix.MatchString(r.in.Subject)
	group := r.header.has("List-Post") || r.header.has("X-Google-Group-Id")
	switch {
	case isNoReply(first(r.in.From)):
		return engine.Other, "fresh mail from a noreply sender"
	case r.header.has("List-Unsubscribe-Post"), r.header.has("List-Unsubscribe") && !group && !r.header.has("List-Id"):
		return engine.Other, "List-Unsubscribe of a bulk sender, fresh thread"
	case !reply && (r.bulk() || r.header.has("List-Id") || r.header.has("List-Unsubscribe")) && !(group && strings.EqualFold(r.header.get("Precedence"), "list")):
		return engine.Other, "list or bulk mail, fresh thread"
	case !reply && campaignField(r.header) != "":
		return engine.Other, "header " + campaignField(r.header) + ", fresh thread"
	case !reply && machineName.MatchString(localPart(first(r.in.From))):
		return engine.Other, "fresh mail from a machine's address"
	case !reply && r.footed():
		return engine.Other, "fresh mail with a bulk sender's footer"
	case !reply && len(r.in.From) == 0 && strings.TrimSpace(r.text) == "" && r.in.Subject == "":
		return engine.Ambiguous, "nobody wrote it, and nothing stands in it"
	}
	return "", ""
}

// footed says whether the footer of a newsletter stands below a text. In its
// first paragraph people write about such things too.
func (r *reading) footed() bool {
	_, below, _ := strings.Cut(strings.TrimSpace(withoutGreeting(r.fresh)), "\n\n")
	top := foldText(cutRunes(below, maxMeaning))
	return footerPhrases.in(top) || len(below) > maxMeaning && footerPhrases.in(foldText(strings.ToValidUTF8(tail(below, maxMeaning), "")))
}

// tail returns the last n bytes of s at most.
func tail(s string, n int) string {
	return s[max(0, len(s)-n):]
}

func localPart(addr string) string {
	local, _, _ := strings.Cut(addr, "@")
	return local
}

// campaignField returns the name of a field that only bulk senders set.
func campaignField(h header) string {
	for _, f := range h {
		switch name := strings.ToLower(f.name); name {
		case "feedback-id", "x-campaign", "x-campaignid", "x-campaign-id", "x-mailgun-tag", "x-mc-user", "x-report-abuse-to",
			"x-csa-complaints", "x-bulkmail", "x-mailer-recptid", "x-newsletter", "x-mailinglist":
			return f.name
		}
	}
	return ""
}

var machineName = newPattern(`(?i)^(notifications?|notify|alerts?|newsletters?|news|mailer|robot|daemon|cron|root|www-data|bounces?|system|auto(mailer|mated|matic))([-_.+0-9]|$)`)
