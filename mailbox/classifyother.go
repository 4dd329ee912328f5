package mailbox

import (
	"regexp"
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
	case !reply && (footer.MatchString(r.line) || footer.MatchString(tail(r.fresh, maxMeaning))):
		return engine.Other, "fresh mail with a bulk sender's footer"
	case !reply && len(r.in.From) == 0 && strings.TrimSpace(r.text) == "" && r.in.Subject == "":
		return engine.Ambiguous, "nobody wrote it, and nothing stands in it"
	}
	return "", ""
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

var (
	machineName = regexp.MustCompile(`(?i)^(notifications?|notify|alerts?|newsletters?|news|mailer|robot|daemon|cron|root|www-data|bounces?|system|auto(mailer|mated|matic))([-_.+0-9]|$)`)
	footer      = regexp.MustCompile(`(?i)(to (unsubscribe|be removed|opt[- ]out|stop receiving)\b.{0,80}(click|visit|follow|go to|here|send|reply|http)|click here to (unsubscribe|opt)|\bunsubscribe\s*(:|here|from this (list|newsletter))|you (are receiving|received|have received) this (e-?mail|message|newsletter|mailing) because|newsletter (abbestellen|abmelden)|vom newsletter abmelden|(um|zum) .{0,40}(abzubestellen|abzumelden|abmelden).{0,40}(klick|hier|link)|(hier|hier klicken|hier abmelden)\W{0,3}(abbestellen|abmelden)|sie erhalten diese (e-?mail|nachricht|mail),? weil|(pour|vous) .{0,20}(désinscrire|désabonner|désinscription).{0,40}(cliqu|ici|lien|suiv)|se désinscrire de|vous recevez (ce|cet) (e-?mail|message|mail|courriel) (car|parce)|(darse|darme|dar) de baja .{0,20}(aquí|enlace|clic|pinch|puls)|(ha recibido|recibe|recibes) este (correo|mensaje|e-?mail|boletín) porque|(cancellar(ti|si|e)|disiscriver(ti|si)|annullare l'iscrizione).{0,40}(clicc|qui|link)|(ricev(i|e|ete)|hai ricevuto|ha ricevuto) (questa|questo) (e-?mail|mail|messaggio|newsletter) perch|(cancelar|anular|remover).{0,30}(subscrição|inscrição|assinatura).{0,40}(clique|aqui|link)|(recebe|recebeu|está a receber|está recebendo) (este|esta) (e-?mail|mensagem) porque|uitschrijven voor deze|(uitschrijven|afmelden).{0,30}(klik|hier|link)|(klik|hier).{0,30}(uitschrijven|af te melden|uit te schrijven)|(u|je) ontvangt (deze|dit) (e-?mail|mail|bericht|nieuwsbrief) omdat|(avregistrera|avsluta prenumeration|avprenumerera).{0,40}(klick|här|länk)|du (får|mottar|modtager) (detta|denne|dette) (mejl|mail|e-?post\p{L}*|nyhetsbrev|nyhedsbrev|e-?mail|utskick|mejlet) (eftersom|fordi|för att|då)|(afmeld|avmeld|framelde?) .{0,30}(her|klik|klikk|link)|(klik|klikk) her .{0,20}(afmelde|melde deg av|avmelde|framelde)|(wypisać|zrezygnować|wypisz się).{0,50}(klikn|tutaj|link)|(otrzymuj\S+|otrzymał\S+) (tę|tą|ten|niniejsz\S+) (wiadomość|e-?mail|mail|newsletter),? (ponieważ|bo|gdyż)|(odhlásit|odhlášení).{0,40}(klikn|zde|odkaz)|(tento|tuto) (e-?mail|zprávu|newsletter) (jste obdržel|dostáváte|vám)|(peruuta|perua).{0,20}tilau.{0,30}(täst|klikk)|do(es)? not (reply|respond) to this e-?mail)`)
)
