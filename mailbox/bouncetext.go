package mailbox

import (
	"slices"
	"strings"

	"nudge/engine"
)

// Weights of what speaks for a bounce without a report part. Only a sender or
// subject of mail systems together with words of failure reaches the sum: a
// person who quotes a bounce is none.
const (
	bounceWeight     = 4
	unsignedWeight   = 6 // where nothing but the words points to a mail system
	maxReportMeaning = 8 << 10
	maxFlattened     = 64 << 10 // of a report that became text
)

// bounceText recognises bounces by sender, subject and text, and reads whom
// they name.
func bounceText(r *reading) (engine.Kind, string) {
	if !r.maybeBounce() {
		return "", ""
	}
	if deliveredSubject.MatchString(r.in.Subject) {
		return engine.Other, "delivery report without a failure"
	}
	if r.mayBeTalk() {
		return engine.Ambiguous, "a null Return-Path and words of failure, but nothing of a mail system"
	}
	if flattened.MatchString(clip(r.text, maxFlattened)) { // a gateway made one text of a report
		if kind, evidence := r.judgeReport(parseDeliveryStatus([]byte(clip(r.text, maxFlattened)))); kind != "" {
			return kind, evidence + ", as text"
		}
	}
	r.in.Failed = r.failedInText()
	told, _ := splitReturned(r.text)
	r.in.Status = statusIn(strings.Join(strings.Fields(told), " "))
	delayed := delaySubject.MatchString(r.in.Subject) ||
		delayText.MatchString(told) && !gaveUp.MatchString(told) && !strings.HasPrefix(r.in.Status, "5")
	switch {
	case delayed:
		if !strings.HasPrefix(r.in.Status, "4") {
			r.in.Status = "4.0.0"
		}
		return engine.BounceSoft, "text of a mail system: delayed"
	case r.in.Status == "" && fullText.MatchString(told):
		r.in.Status = "4.2.2"
		return engine.BounceSoft, "text of a mail system: mailbox full, no code"
	case strings.HasPrefix(r.in.Status, "4"):
		return engine.BounceSoft, "text of a mail system: failed for now"
	}
	return engine.BounceHard, "text of a mail system: failed"
}

// mayBeTalk says whether a person may be telling of a bounce: nothing but a
// null Return-Path, which gateways set too, points to a mail system.
func (r *reading) mayBeTalk() bool {
	if r.fromDaemon() || r.header.has("X-Failed-Recipients") || len(r.in.From) == 0 || isNoReply(first(r.in.From)) {
		return false
	}
	_, original := splitReturned(r.text)
	return !original && !r.carriesMail() && personalWords.in(r.line)
}

// personalWords are those with which a person tells of himself or asks, and a
// mail system does not.
var personalWords = newPhrases(`(my|our) (mailbox|mail|inbox|address|server|colleague|order)`, `i (get|got|tried|wrote|sent|think|may|have missed|received)_`, `(could|can|would) you_`, `we (want|would like|tried|need)_`, `(is there|do you have) another`, `see below`, `hallo (herr|frau)_`, `(bitte|künftig) an diese adresse`, `kam (bei mir )?zurück`, `(könnten|können) sie`, `mein (postfach|e-?mail)`, `ma boîte`, `pouvez-vous`, `mi (buzón|correo)`, `(puede|puedes|podría) `, `la mia (casella|mail)`, `(può|puoi|potete) `)

// maybeBounce weighs what speaks for a bounce. A sender or subject that mail
// systems have is worth most; a noreply sender only counts beside a code of
// SMTP and a recipient, for parcels are not delivered either.
func (r *reading) maybeBounce() bool {
	mediaType, params := mediaTypeOf(r.header)
	daemon := r.fromDaemon() || mediaType == "multipart/report" && strings.Contains(params["report-type"], "delivery-status")
	subject := bounceSubject(r.in.Subject)
	header := r.header.has("X-Failed-Recipients")
	nobody := (nullReturn(r.header) || len(r.in.From) == 0) && !(r.answers() && replyPrefix.MatchString(bareSubject(r.in.Subject)))
	noreply := isNoReply(first(r.in.From))
	if !daemon && !subject && !header && !nobody && !noreply {
		return false
	}
	told, original := splitReturned(r.text)
	code := statusIn(told) != ""
	failure := failurePhrases.in(foldText(told)) || refusalLine.MatchString(told)
	weight := 0
	for _, sign := range []struct {
		holds bool
		worth int
	}{
		{header, 3}, {daemon, 2}, {subject, 2}, {failure, 2}, {nobody, 1}, {original || r.carriesMail(), 1}, {code, 1}, {noreply && code, 1},
	} {
		if sign.holds {
			weight += sign.worth
		}
	}
	switch {
	case header, daemon, nobody:
		return weight >= bounceWeight && (header || failure || subject)
	case noreply && code && weight >= bounceWeight && failure:
		return len(r.failedInText()) > 0
	}
	return weight >= unsignedWeight && (failure || subject)
}

// fromDaemon says whether a mail system, not a person, is the sender.
func (r *reading) fromDaemon() bool { return fromDaemon(r.header) }

func fromDaemon(h header) bool {
	from := h.get("From")
	if !strings.Contains(from, "=?") && !strings.Contains(from, "<>") && !hasAny(from, "mail", "daemon", "master", "admin", "deliver", "bounce", "exchange") {
		return false // so for nearly all mail, at little cost
	}
	return len(addressesIn(from)) == 0 && daemonTitle.MatchString(from) || strings.Contains(from, "<>") ||
		slices.ContainsFunc(addressesIn(from), isDaemon) || daemonTitle.MatchString(decodeWords(from))
}

var (
	daemonName  = newPattern(`(?i)^(mailer[-_.]?daemon|mail[-_.]?daemon|post[-_.]?master|mailerdaemon|mdaemon|mail[-_.]?delivery\S*|mailsystem|mail[-_.]?system|mailadmin|mailadministrator|bounces?|microsoftexchange[0-9a-f]+|mailer|undeliverable)([-_.+]|$)`)
	daemonTitle = newPattern(`(?i)(^"?(system|mail|e-?mail|exchange)[- ]?(administrator|admin)"?( |<|$)|administrat(eur|or|ore|ör) ?(système|sistema|systemu|systemy)|administrador del sistema|administrador do sistema|amministratore di sistema|systeembeheerder|systemadministrat[oö]r|správce systému|системный администратор|システム管理者|系统管理员|系統管理員|시스템 관리자|mail(er)? ?delivery ?(sub)?system|mail delivery service|mailer[- ]daemon|^"?(system|mail|e-?mail) administrator"?( |<|$)|^"?post ?master"?( |<|$)|mail system|internet mail (delivery|service)|delivery (sub)?system)`)
)

// isDaemon says whether an address is one that mail systems report from.
func isDaemon(addr string) bool {
	return hasAny(localPart(addr), "mail", "daemon", "master", "bounce", "exchange", "deliver") && daemonName.MatchString(localPart(addr))
}

// hasAny says whether s holds one of the words, which are lower-case.
func hasAny(s string, words ...string) bool {
	s = strings.ToLower(s)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}

// bounceSubject says whether a subject is one that mail systems give reports.
// In answer to a report a person writes.
func bounceSubject(subject string) bool {
	if replyPrefix.MatchString(subject) || forwardPrefix.MatchString(subject) {
		return false
	}
	return failSubjects.in(foldText(listTag.ReplaceAllString(bareSubject(subject), ""))) || delaySubject.MatchString(subject)
}

var (
	forwardPrefix = newPattern(`(?i)^\s*(fwd?|wg|tr|rv|vs|doorst|i|enc|pd|转发|轉寄|転送)\s?[:：]`)

	listTag      = newPattern(`^(\[[^\]]{1,40}\]|\*\*\*[^*]{1,30}\*\*\*)\s*`)
	failSubjects = newPhrases(startingWith(`^(\S+ )?`,
		`(e-?)?mail (delivery|system|transaction|routing)( status)? ?(fail|error|problem|report|notification|delay|warning|is impossible)`, `(e-?)?mail (could not|couldn't|cannot|can't|not) (be )?deliver`, `delivery (status|failure|failed|error|report|problem|delay|notification|of .{0,40} failed|has failed|unsuccessful|attempt)`,
		`undeliver(ed|able)\b( mail| message| e-?mail|:|$)`, `undelivered`, `failure notice`, `failed (mail|delivery|to deliver)`, `returned (mail|e-?mail|message|to sender)`, `(message|mail) (delivery|returned|status|not delivered|undeliverable|rejected|blocked|bounced)`, `non-?deliver(y|able)`, `notice: mail delivery status`, `(your )?message (to .{1,60} )?(could not|couldn't|cannot) be delivered`, `(rejected|bounced|blocked)( mail| message|:)`, `(user|recipient|mailbox) (unknown|not found|unavailable|is full|full)`, `unknown (user|recipient|address)`, `mail ?box (is )?full`, `(unable to|could not|cannot|failed to) (send|deliver)( your| the| this)?( message| mail| e-?mail|$)`, `unable to deliver`, `(nondeliverable|not deliverable|unsent) (mail|message)`, `permanent delivery failure`, `invalid (address|recipient)`, `address(ee)? (unknown|rejected)`, `there was an error sending your mail`, `error sending mail`, `e-?mail (address )?(not|does not|changed)`, `warning: could not send`, `problems? delivering`, `bounce(d)? mail`,
		`unzustellbar`, `nicht zustellbar`, `zustell(ung|status|bericht|fehler)`, `benachrichtigung(en)? (zum|über den)? ?(übermittlungs|zustell)`, `nachricht nicht zugestellt`, `(message )?non remis`, `non[- ]remise`, `échec (de la |d')?(remise|envoi|distribution)`, `notification d'(état|échec)`, `no se puede entregar`, `no entregado`, `notificación de estado`, `mensaje no entregado`, `non recapitabile`, `mancata consegna`, `(notifica|avviso) di (stato|mancat)`, `onbestelbaar`, `niet (te bezorgen|bezorgd)`, `não foi possível entregar`, `não entregue`, `notificação de status`, `kan (inte|ikke) lever`, `oleverbar`, `(meddelandet )?(gick inte|kunde inte) (att )?lever`, `ikke lever`, `uleveret`, `nie można dostarczyć`, `niedostarczon`, `zwrot nadawcy`, `nedoručiteln`, `nelze doručit`, `kézbesíthetetlen`, `iletilemedi`, `teslim edilemedi`,
		`недоставлен`, `не доставлен`, `ваше сообщение не доставлено`, `сообщение не может быть`, `未達`, `配信(不能|できません|エラー)`, `送信(できません|エラー|不能)`, `メールの送信に失敗`, `(系统|系統)?退信`, `(无法|無法|未能)(投递|投遞|传递|傳遞|送达)`, `(邮件|郵件)(投递|傳送|发送)失(败|敗)`, `반송`, `\[?(배달|발송|전송|메일)\s?(실패|불가)`,
		`(mail|e-?mail|nachricht|zustellung|übermittlung|versand) .{0,30}(fehlgeschlagen|nicht zugestellt|unzustellbar|gescheitert)`, `(fehler|problem) bei der (zustellung|übermittlung)`, `rückläufer`, `(message|courrier|mail|courriel|e-?mail) (non|pas) (distribu|délivr|remis|achemin)`, `(remise|livraison|distribution|envoi) (échouée?|impossible|refusée?)`, `impossible de (remettre|délivrer|livrer)`, `(fallo|error|fracaso) (en|de) (la )?(entrega|envío)`, `(correo|mensaje) (devuelto|rechazado|no entregado)`, `no (se ha podido|fue posible|ha sido posible) entregar`, `entrega (fallida|no realizada)`, `(impossibile|mancato|mancata) (recapit|consegn)`, `(recapito|consegna|invio) (non riuscit|fallit|impossibile)`, `(errore|problema) (di|nella) (consegna|recapito)`, `messaggio (non (consegnato|recapitato|recapitabile)|respinto)`, `(falha|erro) (na|de|no) (entrega|envio)`, `(não é|não foi) possível entregar`, `(mensagem|e-?mail) (não entregue|devolvid)`, `(niet|kan niet) (afgeleverd|bezorgd|worden (bezorgd|afgeleverd)|te bezorgen)`, `(aflevering|bezorging|levering|verzending) (mislukt|niet gelukt)`, `(kunde inte|gick inte att) levereras?`, `olevererba`, `leveransfel`, `(kunne|kan) ikke (leveres|levere)`, `ikke leveret`, `leveringsfejl|leveringsfeil`, `(toimitus|viestin toimitus) epäonnistui`, `(ei voitu|ei voida) toimittaa`, `toimittamaton`,
		`niedostarczaln`, `(nie dostarczono|niedoręczon|nie można dostarczyć|błąd dostarczania|zwrot wiadomości|zwrócon)`, `(nedoručeno|nedoručená|nedoručiteľn|selhání doručení|zlyhanie doručenia|nelze doručit)`, `(sikertelen kézbesítés|nem kézbesíthető|kézbesítési hiba)`, `(nelivrat|nu (se poate|a putut fi) livra|imposibil de livrat|eșec (la )?livrar)`, `(teslim edileme|iletileme|gönderileme)`, `(сообщение|письмо|почта) не (было )?доставлен`, `(ошибка|сбой) доставки`, `(не доставлено|недоставлен|неможливо доставити|не вдалося доставити)`, `(αδύνατη η παράδοση|ανεπίδοτο|αποτυχία παράδοσης)`, `(לא ניתן למסור|כשל במסירה|ההודעה לא נמסרה)`, `(تعذر تسليم|تعذر التسليم|غير قابل للتسليم|فشل تسليم|فشل التسليم)`, `(gagal (terkirim|dikirim)|tidak terkirim|pengiriman gagal)`, `(không thể gửi|gửi (thư )?thất bại|thư bị trả lại)`, `(メール)?(不達|配信エラー|送信エラー|未配信|送信失敗|配送エラー)`, `エラーメール`, `(来自.{1,30}的)?退信`, `(邮件|郵件)?(被)?退回`, `(未送达|未送達|未能送达|送达失败|无法送达)`,
	)...)
	delaySubject     = newPattern(`(?i)(^warning: (message .{0,60} delayed|could not send)|\bdelivery (status notification )?\(?delay|delayed mail|mail delivery delayed|delivery (delayed|has been delayed)|message .{0,40}delayed \d+ hours?|still being retried|verzöger(t|ung)|^warning - delayed|delivery warning|delivery delayed|(remise|livraison|envoi) (retardée?|différée?)|(entrega|envío) (retrasad|demorad|aplazad|atrasad)|(recapito|consegna) (ritardat|in ritardo|posticipat)|vertraagd|vertraging|försenad|forsinket|viivästy|opóźnion|zpožd|oneskoren|késleltet|întârziat|gecik(ti|me)|задерж|затрим|καθυστέρηση|配信.{0,4}遅延|遅延.{0,6}通知|延迟|延遲|지연|temporar(y|ily) (un|problem))`)
	deliveredSubject = newPattern(`(?i)^(successful mail delivery|delivered:|relayed:|expanded:|delivery (status notification|notification|report) ?\((relay|success|delivered)\)?)`)
)

// failurePhrases are the words of failure in what mail systems write.
var failurePhrases = newPhrases(
	`(could|can|was|were|has|have|did)( ?not|n't| never)( yet)?( been| be)? (deliver|reach|sent\b|send\b|accepted)`, `(un|not )able to (be )?(deliver|send|relay|process)`, `undeliver(able|ed)`, `cannot (be )?(deliver|sent|reach)`, `wasn't able to deliver`, `deliver(y|ing|ed)?\b.{0,60}\b(fail|error|problem|delay|impossible|rejected|aborted)`, `(fail|error|problem)\w*\b.{0,40}\bdeliver`, `permanent (fatal )?(error|failure)`, `(message|mail|e-?mail) .{0,40}(was|has been|is being) (returned|rejected|bounced|refused|delayed|blocked)`, `returned to sender`, `failed recipient`, `recipients? (has |have )?failed`, `failed permanently`, `was rejected by`,
	`(user|recipient|mailbox|address|account|addressee)s? ?(name )?(is |was |address )?(unknown|not (found|known|recognized|listed|exist|available|allowed|valid|accepted)|invalid|disabled|suspended|full|rejected|inactive|unavailable|over quota|does not exist|doesn't exist|has been (disabled|deleted))`, `(unknown|invalid|no such|not a valid|nonexistent|non-existent|bad) (local )?(user|recipient|mailbox|address|account|person|destination|host|domain|e-?mail)`, `does(n't| not) (exist|have an? .{0,40}account|like recipient)`, `(quota|mailbox size|size limit).{0,20}exceed`, `exceed.{0,30}(quota|limit|size)`, `over ?quota`, `mailbox (is )?full`, `host (unknown|not found)`, `name service error`, `unrouteable`, `retry timeout exceeded`, `giving up on`, `relay(ing)? (access )?denied`,
	`(5\d\d|4[235]\d)[ -]#?[45]\.\d{1,3}\.\d`, `(smtp|remote|server) .{0,60}(error|said|respon\w+|returned|replied).{0,20}:?\s*[45]\d\d`, `rcpt to:`,
	`(did not|has not|have not) (yet )?reach`, `nicht erreicht`, `n'est pas parvenu|impossible de joindre`, `no (llegó|ha llegado)`, `non ha raggiunto`, `não (chegou|alcançou)`, `(inte|ikke) nått|nådde ikke|ikke nået`, `nie dotarł`, `nedosáhl|nebyl[ao]? (doručen|možné)`, `не (достигл|дошл)`, `未能到达|未能送达|到達しません|届きませんでした|届けられません|도달하지 못`, `(被退回|退信原因|收件人.{0,12}不存在|地址不存在)`, `전송(에)? ?실패|발송에 실패`, `nicht (zugestellt|zustellbar|ausgeliefert|erreich)`, `unzustellbar`, `konnte.{0,60}nicht.{0,40}(zugestellt|gesendet|übermittelt)`, `n'a (pas )?pu être (remis|délivré|distribué|envoyé)`, `pas pu être (remis|distribué|envoyé|acheminé)`, `échec de (la )?remise`, `no (se )?(pudo|ha podido|se ha podido|puede) (ser )?(entrega|envia)`, `non (è stato possibile|può essere|recapit)`, `niet (worden )?(bezorgd|afgeleverd|besteld)`, `não (foi possível|pôde|pode) (ser )?(entreg)`, `kunde inte levereras`, `(kunne|kan) ikke leveres`, `nie (można|mogła?|został[ao]?) .{0,20}dostarcz`, `не (может быть|удалось|было|была) ?доставлен`, `недостав`, `не доставлен`, `(配信|送信|配達|送達)(できません|でき(て|なか)|不能|エラー|され)`, `送信先メール(アドレス|サーバ)`, `见(见)?退信|退回|无法(投递|送达|发送)|無法(傳送|投遞)`, `존재하지 않`,
	`(group|list) .{0,80}(may not exist|doesn't exist|does not exist|not have permission)`, `blacklist|spam .{0,30}(reject|block|refus)`, `(reject|refus|block|discard|bounc)(ed|ing)\b.{0,80}(message|mail|recipient|sender|connection|spam|content|virus|attachment|policy)`, `(message|mail|e-?mail|letter).{0,80}\b(reject|refus|block|discard|bounc)(ed|ing)\b`,
)

// refusalLine finds a reply of SMTP at the beginning of a line.
var refusalLine = newPattern(`(?m)^\W{0,6}(55[0-4]|45[0-2]|421)[ -]`)

var (
	delayText = newPattern(`(?i)(warning message only|n'a (pas )?(encore )?(pas )?été (remis|distribué|délivré) .{0,40}(encore|nouvelle)|pas encore (pu )?être? ?(remis|distribué|délivré)|aún no (se )?ha (sido )?(podido )?entreg|todavía no|non è ancora stat|non ancora (consegnat|recapitat)|nog niet (afgeleverd|bezorgd)|ännu inte (levererats|kunnat)|endnu ikke (leveret|blevet)|ennå ikke levert|ainda não foi|jeszcze nie zosta|zatím nebyl|пока не (доставлен|удалось)|ещё не доставлен|まだ(配信|配達)され|遅延して|尚未(送达|投递|送達)|아직 (배달|전송)|weitere zustellversuche|nouvelles tentatives|se reintentará|will retry|(has|have|is|was)( been)? delayed|not yet been delivered|will (be retried|keep trying|continue (to try|trying))|still (being retried|trying)|delivery attempts will continue|no action is required on your part|do not need to resend|could not be delivered for .{1,20}(hours?|minutes|days?)|will try (again|to (re)?deliver)|noch nicht zugestellt|wird weiter versucht)`)
	fullText  = newPattern(`(?i)(mailbox (is )?full|full mailbox|over ?quota|quota exceeded|(full|exceed\w*) .{0,20}(mailbox|quota|allowed size)|mailbox .{0,20}(is full|exceed)|(postfach|mailbox|speicherplatz|empfänger).{0,50}(voll|überschritten|erschöpft|überfüllt)\b|(boîte|messagerie|quota).{0,40}(pleine|saturée|dépassé)|(buzón|casilla|cuota|espacio).{0,40}(llen[ao]|excedid|superad|agotad)|(casella|quota|spazio).{0,40}(pien[ao]|superat|esaurit)|(caixa|quota|cota).{0,40}(chei[ao]|excedid|lotad)|postvak.{0,20}vol\b|(brevlåda|inkorg|postkasse|postboks|innboks).{0,20}(full|fuld)|(skrzynka|limit).{0,30}(pełn|przepełn|przekroczon)|(schránka|kvóta).{0,30}(pln|překroč|prekroč)|postafiók.{0,20}(megtelt|tele)|ящик.{0,20}(переполнен|заполнен)|(kota|posta kutusu).{0,20}(dolu|aş)|(メールボックス|受信箱|容量).{0,12}(一杯|いっぱい|満杯|超過|オーバー|不足)|(邮箱|郵箱|信箱|容量).{0,10}(已满|已滿|满了|空间不足|不足|超出|超过)|(메일함|편지함|용량).{0,12}(가득|초과|부족))`)
	flattened = newPattern(`(?mi)^(final|original)-recipient:[ \t]*rfc822`)
	gaveUp    = newPattern(`(?i)(permanent error|permanent fatal|given up|giving up|failed permanently|could not be delivered to (all|one or more)|no further (delivery )?attempts)`)
)

// returnedMark is the line after which a bounce gives back the mail itself.
var returnedMark = newPattern(`(?i)^\W{0,16}((this is a|below (this line )?is a|enclosed is a|here is a|a) copy of|(the )?(original|unsent|returned|undelivered|failed) (message|mail)( text| headers?| follows| is| below| attached| included|\W*$)|(the )?message (headers?|text|body|contents?)? ?follows?|(the )?headers? of the original|the first \d+ lines of|original (mail|message)? ?headers?|(your|the) (original )?message (is )?(returned|attached|follows|included|reads|below)|start of (returned|original|forwarded)|(begin|start)ning of|returned message)`)

var receivedLine = newPattern(`^[> ]{0,4}(Received: (from|by|\()|Return-[Pp]ath: ?<|Received: )`)

// splitReturned cuts the returned mail off what a mail system says, and tells
// whether there was one. A mail system is brief: it says no more than
// maxReportMeaning bytes.
func splitReturned(text string) (told string, found bool) {
	at := 0
	for line := range strings.Lines(text) {
		if at+len(line) > maxReportMeaning {
			break
		}
		trimmed := strings.TrimRight(line, "\r\n ")
		if receivedLine.MatchString(trimmed) || returnedMark.MatchString(trimmed) && at > 0 {
			return text[:at], true
		}
		at += len(line)
	}
	return clip(text, maxReportMeaning), false
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// startingWith puts a beginning before each of some expressions.
func startingWith(start string, sources ...string) []string {
	for i, source := range sources {
		sources[i] = start + "(?:" + source + ")"
	}
	return sources
}
