package mailbox

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"nudge/engine"
)

// maxOptOutWords is how long a text may be that is nothing but an opt-out. In
// a longer one a person says more than that, and is answered by stopping.
const maxOptOutWords = 15

// maxOptOutRunes is the same for scripts that do not part words.
const maxOptOutRunes = 48

// unsubscribe recognises the mail that a List-Unsubscribe link makes, and a
// short text that is an opt-out and nothing else. Only new words count: our
// own footer quoted below says "unsubscribe" too.
func unsubscribe(r *reading) (engine.Kind, string) {
	if r.header.has("X-Apple-Unsubscribe") {
		return engine.Unsubscribe, "unsubscribe button of a mail program"
	}
	if optOutSubject.MatchString(r.in.Subject) && !r.answers() && words(r.fresh) <= 2*maxOptOutWords {
		return engine.Unsubscribe, "the subject is an opt-out"
	}
	if wholeOptOut(r.fresh) {
		return engine.Unsubscribe, "the text is an opt-out and nothing else"
	}
	return "", ""
}

// wholeOptOut says whether a text is an opt-out and nothing else: the core of
// one in any language, and around it nothing but courtesy, the names of who
// writes and who is written to, and words for what is not wanted.
func wholeOptOut(fresh string) bool {
	if len(fresh) > 2000 {
		return false
	}
	text := bareWords(farewellTail.ReplaceAllString(foldText(withoutGreeting(withoutFarewell(fresh))), ""))
	if text == "" {
		return false
	}
	if unspaced(text) {
		return !strings.ContainsAny(fresh, "?？") && wholeAsianOptOut(text)
	}
	if words(text) > maxOptOutWords {
		return false
	}
	rest, found := optOutPhrases.cut(text)
	if !found {
		return false
	}
	fillers := optOutFillers()
	for word := range strings.FieldsSeq(rest) {
		if word = strings.Trim(word, "-.'"); word != "" && !fillers[word] && !strings.Contains(word, "@") {
			return false
		}
	}
	return true
}

// wholeAsianOptOut is wholeOptOut for scripts that do not part words.
func wholeAsianOptOut(text string) bool {
	if utf8.RuneCountInString(text) > maxOptOutRunes {
		return false
	}
	rest, found := optOutPhrases.cut(text)
	rest = asianCourtesy.ReplaceAllString(rest, "")
	return found && utf8.RuneCountInString(strings.Join(strings.Fields(rest), "")) <= maxAsianRest
}

// maxAsianRest is how many letters, beside courtesy, leave an opt-out whole.
const maxAsianRest = 8

// asksToBeLeft says whether a longer text holds an opt-out. A single word
// proves nothing there, for people write about unsubscribing too. A phrase that
// neither names a list nor says that it is for ever ("don't write to me, call")
// needs a sentence that says nothing else.
func asksToBeLeft(fresh string) bool {
	text := foldText(cutRunes(fresh, maxMeaning))
	if !optOutPhrases.in(bareWords(text)) {
		return false
	}
	for _, sentence := range sentenceMark.Split(text, maxSentences) {
		if leavesIn(bareWords(sentence)) {
			return true
		}
	}
	return false
}

// maxSentences bounds in how many sentences an opt-out is looked for.
const maxSentences = 60

var sentenceMark = newPattern(`[.!?;。！？…]+(?:\s|$)|[。！？]`)

// leavesIn is asksToBeLeft for one sentence.
func leavesIn(sentence string) bool {
	text := sentence
	for range 20 {
		start, end, found := optOutPhrases.find(text)
		if !found {
			return false
		}
		switch match := text[start:end]; {
		case unspaced(match):
			return true
		case strings.Contains(strings.TrimSpace(match), " ") && (foreverPhrases.in(match) || wholeOptOut(sentence)):
			return true
		}
		text = text[:start] + " " + text[end:]
	}
	return false
}

// bareWords drops the punctuation around words, and between those of scripts
// that do not part them.
func bareWords(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`,;:!?()[]{}"*…、。·～~«»„“”‚/|<>•#+=_`, r) {
			return ' '
		}
		return r
	}, s)
	var out []string
	for word := range strings.FieldsSeq(s) {
		if word = strings.Trim(word, ".-–—'"); word != "" {
			out = append(out, word)
		}
	}
	return strings.Join(out, " ")
}

// withoutFarewell cuts a text at the line that takes leave, and drops a name
// that stands alone at the end.
func withoutFarewell(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		if i > 0 && len(line) < 80 && farewell.MatchString(foldText(line)) {
			lines = lines[:i]
			break
		}
	}
	for len(lines) > 1 && (lines[len(lines)-1] == "" || isName(lines[len(lines)-1])) {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines, "\n")
}

// isName says whether a line could be the name of a person or a company, and
// is no opt-out.
func isName(line string) bool {
	names := strings.Fields(line)
	for _, name := range names {
		if first, _ := utf8.DecodeRuneInString(name); !unicode.IsUpper(first) {
			return false
		}
	}
	return len(names) > 0 && len(names) <= 4 && !optOutPhrases.in(bareWords(foldText(line)))
}

func withoutGreeting(text string) string {
	line, rest, _ := strings.Cut(text, "\n")
	folded := foldText(line)
	if at := greeting.FindStringIndex(folded); at != nil {
		if len(folded) != len(line) { // folding moved the letters
			return folded[at[1]:] + "\n" + rest
		}
		return line[at[1]:] + "\n" + rest
	}
	return text
}

var (
	asianCourtesy = newPattern(`お?(手数ですが|願い(いた|致)?し?(ます|申し上げます)?|忙しいところ)|恐れ入りますが|宜しく|よろしく|ください|下さい|して|いただけ(ます|ませ)|今後|以後|これ以上|の|を|は|で|す|ます|(谢谢|謝謝|感谢|麻烦|麻煩|拜托|您好|你好|请|請|了|吧|以后|以後|今后|的|你们|貴公司|贵公司)|(부탁드립니다|부탁합니다|주세요|주십시오|바랍니다|감사합니다|안녕하세요|앞으로|더 ?이상|다시는|을|를|은|는|하고|합니다|해)|(กรุณา|ครับ|ค่ะ|ขอบคุณ)`)
	// farewellTail finds a leave taken in the same line as the rest.
	farewellTail  = newPattern(`[.!,;?] ?(thanks|thank you|thx|(kind |best |many )?regards|best|cheers|danke|vielen dank|mfg|lg|vg|gru(ß|ss)|(viele|beste|liebe) grüße|merci|cordialement|gracias|saludos|grazie|saluti|obrigad[oa]|bedankt|groet(en|jes)?|mvg|tack|mvh|tak|takk|hilsen|kiitos|t|dziękuję|pozdrawiam|děkuji|спасибо|teşekkürler|mulțumesc|köszönöm)[,.!]?( [\p{L}.]+){0,3}\W*$`)
	farewell      = newPattern(`^\W*((with )?(many |very |my |our )?(thanks|thank you|kind(est)?|best|warm|yours|regards|sincerely|cheers|respectfully)( (and|for|in|you|very|so|much|again|regards|wishes|best|kind|advance|truly|faithfully|sincerely|your|help))*|danke( .{0,20})?|vielen dank( .{0,20})?|mfg|vg|lg|(mit )?(freundliche[nmr]?|viele[n]?|beste[n]?|liebe[n]?|herzliche[n]?|schöne[n]?) gr(ü|ue)(ß|ss)e?n?|gru(ß|ss)|merci( .{0,20})?|(bien )?cordialement|(sincères |meilleures )?salutations|bien à vous|(muchas )?gracias( .{0,15})?|(un )?(cordial )?saludos?( cordial(es)?)?|atentamente|grazie( .{0,15})?|(cordiali|distinti) saluti|saluti|obrigad[oa]( .{0,15})?|(com os melhores )?cumprimentos|atenciosamente|att|bedankt( .{0,15})?|(met )?vriendelijke groet(en)?|mvg|groet(en|jes)?|tack( .{0,15})?|(med )?(vänlig(a)?|bästa) hälsning(ar)?|mvh|(med )?(venlig(e)?|vennlig(e)?|bedste|beste) hils(en|ner)|hilsen|tak|takk|(ystävällisin )?terveisin|kiitos|t|pozdrawiam|z poważaniem|dziękuję|(s )?pozdravem|děkuji|s pozdravom|ďakujem|üdvözlettel|köszönöm|cu stimă|mulțumesc|(iyi )?(günler|çalışmalar)|saygılarımla|teşekkürler|с уважением|спасибо|з повагою|дякую|поздрави|με εκτίμηση|ευχαριστώ|בברכה|תודה|(مع )?(خالص )?(التحية|تحياتي|الشكر)|شكرا|lp|lep pozdrav|lijep pozdrav|hvala|srdačan pozdrav|terima kasih|trân trọng|cảm ơn|salam)\W*(,.*)?$`)
	greeting      = newPattern(`^\W*(hi|hello|hey|dear|good (morning|afternoon|evening|day)|hallo|guten (tag|morgen|abend)|moin|servus|liebe[rs]?|sehr geehrte[rs]?|bonjour|bonsoir|madame|monsieur|hola|buen[oa]s (días|tardes)|estimad[oa]s?|ciao|buongiorno|salve|gentil[ei]|egregi[oa]|olá|oi|bom dia|boa tarde|car[oa]s?|prezad[oa]s?|exm[oa]s?|dag|goedendag|goedemorgen|goedemiddag|beste|geachte|hej|hei|hallå|god(dag| dag| morgen)|kære|kjære|terve|moi|dzień dobry|szanown\S+|witam|dobrý deň|dobrý den|vážen\S+|tisztelt|kedves|jó napot|bună( ziua)?|stimat\S*|merhaba|sayın|здравствуйте|уважаем\S+|добрый день|доброго дня|добрий день|шановн\S+|здравейте|poštovan\S+|pozdravljen\S+|spoštovan\S+|γεια|καλημέρα|αγαπητ\S+|שלום|مرحبا|السلام عليكم|selamat (pagi|siang)|xin chào|kính gửi)(\s[^,!.:\n]{0,40})?[,!.:]`)
	optOutSubject = newPattern(`(?i)^\W*(list[- ]|please |bitte )?(unsubscribe( me)?|opt[- ]?out|remove( me)?|stop( e-?mails?)?|abmelden|abmeldung|abbestellen|abbestellung|austragen|austragung|désinscription|désinscrire|désabonnement|se désabonner|baja|darse de baja|dar de baja|cancelar suscripción|afmelden|afmelding|uitschrijven|uitschrijving|avregistrera|avregistrering|avprenumerera|afmeld|afmelding|avmeld|avmelding|frameld|cancella iscrizione|cancellazione|disiscrizione|disiscrivimi|descadastrar|cancelar inscrição|cancelar subscrição|remover|wypisz|wypis|rezygnacja|odhlásit|odhlášení|odhlásiť|leiratkozás|dezabonare|aboneliği iptal|tilauksen peruutus|отписаться|отписка|відписатися|отписване|odjava|απεγγραφή|διαγραφή|配信停止|配信解除|退会|退订|退訂|取消订阅|取消訂閱|수신\s?거부|구독\s?취소|הסרה|إلغاء الاشتراك)([:\s#_-]+[\w.+=@:-]*)?$`)
	optOutFillers = sync.OnceValue(func() map[string]bool { return fillerSet(optOutFillerWords) })
)
