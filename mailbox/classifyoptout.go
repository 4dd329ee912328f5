package mailbox

import (
	"regexp"
	"slices"
	"strings"

	"nudge/engine"
)

// maxOptOutWords is how long a text may be that is nothing but an opt-out. In
// a longer one a person says more than that, and is answered by stopping.
const maxOptOutWords = 15

// unsubscribe recognises the mail that a List-Unsubscribe link makes, and a
// short text that is an opt-out and nothing else. Only new words count: our
// own footer quoted below says "unsubscribe" too.
func unsubscribe(r *reading) (engine.Kind, string) {
	if r.header.has("X-Apple-Unsubscribe") {
		return engine.Unsubscribe, "unsubscribe button of a mail program"
	}
	if optOutSubject.MatchString(r.in.Subject) && !r.answers() {
		return engine.Unsubscribe, "the subject is an opt-out"
	}
	if n := words(r.fresh); n == 0 || n > maxOptOutWords {
		return "", ""
	}
	if optOut.MatchString(plainWords(r.fresh)) {
		return engine.Unsubscribe, "the text is an opt-out and nothing else"
	}
	return "", ""
}

// plainWords returns a text in lower case with one space between words, no
// punctuation, and none of the words that only make it polite.
func plainWords(s string) string {
	s = strings.ToLower(strings.ReplaceAll(s, "’", "'"))
	words := strings.FieldsFunc(s, func(r rune) bool {
		return r <= ' ' || strings.ContainsRune(".,;:!?()[]\"*-–—…。、！，？", r)
	})
	words = slices.DeleteFunc(words, func(w string) bool {
		switch w {
		case "please", "pls", "kindly", "bitte", "svp", "graag", "aub", "alstublieft", "vänligen", "venligst", "vennligst":
			return true
		}
		return false
	})
	return strings.Join(words, " ")
}

var optOutSubject = regexp.MustCompile(`(?i)^(list[- ])?(unsubscribe( me)?|opt[- ]?out|remove me|abmelden|abmeldung|abbestellen|austragen|désinscription|désabonnement|baja|darse de baja|afmelden|uitschrijven|avregistrera|avprenumerera|afmeld|avmeld|cancella iscrizione|descadastrar|wypisz|отписаться|配信停止|退订|退訂)([:\s#_-]+[\w.+=@-]*)?$`)

// optOutPhrases are whole opt-outs by language, without the courtesy around
// them.
var optOutPhrases = []string{
	// English
	`(i (would like|want|wish) to |can you |could you |you can |just )?(unsubscribe|opt out|optout|opt me out|remove|delete|take)( (me|us|this (address|e ?mail)|my (e ?mail )?(address|name)|our address))?( off| out)?( (from|of))?( (this|your|the|all|any|further))*( (mailing|e ?mail|mail|distribution|contact|marketing))?( (lists?|e ?mails?|mailings?|database|communications?|messages?))?`,
	`(stop|quit|cease)( (sending|e ?mailing|mailing|contacting|writing( to)?|messaging|spamming))?( (me|us))?( (these|this|your|any|more))*( (e ?mails?|mails?|messages?|spam))?( (again|now|anymore|immediately))?`,
	`(do not|don't|dont|never)( ever)? (e ?mail|mail|contact|write( to)?|send|message)( (me|us))?( (any|more|further|such|these))*( (e ?mails?|mails?|messages?))?( (again|anymore|any more))?`,
	`no more (e ?mails?|mails?|messages?)( (from you|to me))?`,
	`leave (me|us) alone`,
	`(i am |we are |i'm )?not interested (remove|unsubscribe|stop)( (me|us|e ?mailing|writing|contacting))*( (from|your|the|this|list|lists))*`,
	// German
	`(ich möchte )?(mich )?(abmelden|austragen|abbestellen)`, `abmeldung`,
	`(nehmen|streichen|löschen|entfernen|tragen) sie (mich|uns|meine (e ?mail ?)?adresse|diese adresse)( (aus|von))?( (ihrem|ihrer|dem|der|ihren))?( (verteiler|liste|mailingliste|e ?mail ?liste|datenbank|mailverteiler))?( (aus|raus|heraus))?`,
	`(schicken|senden|schreiben) sie (mir|uns)( bitte)? (keine|nicht)( weiteren?)?( (e ?mails?|mails?|nachrichten))?( mehr)?`,
	`keine( weiteren)? (e ?mails?|mails?|nachrichten|werbung)( mehr)?( senden| schicken)?`, `(kontaktieren|schreiben) sie (mich|uns|mir) nicht( mehr)?( an)?`,
	`(nicht|nie) (mehr|wieder) (schreiben|kontaktieren|anschreiben)`,
	// French
	`(désinscrivez|désabonnez|retirez|supprimez|enlevez)( |-)(moi|nous)( de)?( (votre|vos|la|cette))?( (liste|listes|base|fichier))?( (de diffusion|d'envoi))?`, `(veuillez )?(me )?(désinscrire|désabonner|retirer|supprimer|enlever)( de)?( (votre|vos|la|cette))?( (liste|listes|base|fichier))?( (de diffusion|d'envoi))?`, `désinscription`, `désabonnement`, `stop`,
	`(veuillez )?(ne|n')( plus)? (me |nous )?(plus )?(contacter|contactez|écrire|écrivez|envoyer|envoyez)( plus)?( (de|d'))?( ?(mails?|e ?mails?|messages?))?`,
	// Spanish
	`(quiero |deseo )?(darme|darse|dar|dadme|deme|denme)( me)? de baja( (de|del|en))?( (su|la|esta|vuestra))?( (lista|boletín|base))?( de (correo|distribución))?`, `baja`, `(no|dejen de|deje de) (me |enviarme |escribirme |contactarme )?(envíen?|escriban?|contacten?|manden?)?( más)?( (correos?|mensajes?|e ?mails?))?( más)?`,
	`(borren?me|elimínenme|quítenme|sáquenme|elimíneme)( de)?( (su|la|esta))?( lista)?`,
	// Dutch
	`(graag |wil me )?(afmelden|uitschrijven)`, `(meld|schrijf|haal) (mij|me|ons) (af|uit)( van| uit)?( (uw|de|deze))?( (lijst|mailinglijst|verzendlijst|bestand))?`, `(stuur|stuurt u|mail) (mij|me|ons) (geen|niet)( (mails?|e ?mails?|berichten))?( meer)?`, `geen (mails?|e ?mails?|berichten) meer`,
	// Swedish, Danish, Norwegian, Finnish
	`(avregistrera|avprenumerera|avsluta|ta bort)( (mig|oss))?( (från|ur))?( (er|din|listan|listan|utskick))*`, `(sluta|inga fler) (mejla|maila|skicka|mejl|mail)( (mig|till mig))?( (mejl|mail))?`,
	`(afmeld|frameld|fjern|slet)( (mig|os))?( (fra))?( (listen|jeres liste|mailingliste))?`, `(meld|fjern|slett)( (meg|oss))?( (av|fra))?( (listen|denne listen))?`,
	`(poista|poistakaa)( (minut|osoitteeni))?( (listalta|postituslistalta))?`, `(peruuta|lopeta) (tilaus|viestit)`,
	// Italian, Portuguese
	`(cancellatemi|cancellami|rimuovetemi|rimuovimi|disiscrivetemi|disiscrivimi|toglietemi)( (da|dalla|dalle))?( (vostra|vostre|lista|mailing list|liste))*`, `(non|smettete di) (scrivermi|contattarmi|scrivetemi|contattatemi|inviatemi)( più)?( (mail|e ?mail|messaggi))?`, `disiscrizione`,
	`(remova|retire|tire|descadastre|exclua)( |-)?(me|meu e ?mail|o meu e ?mail)?( (da|de))?( (sua|vossa|lista|listas))*`, `(cancelar|remover)( a)?( (minha|inscrição|subscrição|assinatura))*`, `não (me )?(envie|enviem|contacte|escreva)( mais)?( (e ?mails?|mensagens))?`,
	// Polish, Czech, Russian, Ukrainian
	`(wypisz|wypiszcie|usuń|usuńcie)( mnie)?( (z|ze))?( (listy|bazy|newslettera))?`, `(o )?usunięcie( (mnie|mojego adresu))?( z)?( (listy|bazy))?`, `(odhlásit|odhlaste mě|vyřaďte mě)( (z|ze))?( seznamu)?`,
	`(отпишите|удалите|уберите)( меня)?( (от|из))?( (рассылки|списка|базы))?`, `(отписаться|відписатися|відпишіть мене)`, `не (пишите|беспокойте)( мне| меня)?( больше)?`,
	// Japanese, Chinese, Korean
	`配信(停止|解除|を停止)?(を?(お願い|希望)(いた)?します|してください|希望)?`, `(メールを?)?送らないでください`, `(请|請)?(退订|退訂|取消订阅|取消訂閱)(邮件|郵件|谢谢|謝謝)?`, `(请|請)?(不要|别|別)再(给我)?(发|發)(送)?(邮件|郵件|信)?(了)?`, `수신\s?거부`, `구독\s?취소`,
}

// courtesy is what may stand around an opt-out without making it more.
const courtesy = `(?:(?:please|pls|kindly|hi|hello|dear|sir|madam|team|all|there|thanks|thank you|thx|regards|best|kind|cheers|bitte|hallo|guten tag|sehr geehrte damen und herren|danke|vielen dank|mfg|mit freundlichen grüßen|bonjour|merci de|merci|svp|s'il vous plaît|hola|buenos días|por favor|gracias|saludos|graag|alstublieft|aub|bedankt|dank u|groet|groeten|hej|tack|vänligen|vänliga hälsningar|takk|vennligst|venligst|kiitos|prego|grazie|cortesemente|per favore|obrigado|obrigada|proszę|dziękuję|prosím|děkuji|пожалуйста|спасибо|すみません|谢谢)\s*)*`

// closing is what stands before the name of the writer.
const closing = `(?:thanks|thank you|thx|(?:best|kind|many)? ?regards|best|cheers|danke|mfg|(?:viele|beste|mit freundlichen) grüßen?|gruß|merci|cordialement|gracias|saludos|bedankt|groet|groeten|tack|mvh|hilsen|grazie|saluti|obrigad[oa]|pozdrawiam)`

var (
	optOut = regexp.MustCompile(`^` + courtesy + `(?:(?:` + strings.Join(optOutPhrases, `|`) + `) ?)(?:` + courtesy + `| ?` + closing + `( \S+){0,3})$`)
	// optOutInside finds the plainest of them inside a longer text.
	optOutInside = regexp.MustCompile(`(?i)(unsubscribe me|opt me out|remove me from|take me off|stop (e-?mailing|contacting|writing to) me|do not (contact|e-?mail) me|don't (contact|e-?mail) me|nehmen sie mich .{0,20}verteiler|keine (weiteren )?(e-?mails|mails) mehr|ne me contactez plus|désinscri|darme de baja|haal mij van|uitschrijven|avregistrera mig|配信停止|退订)`)
)
