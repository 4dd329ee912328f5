package mailbox

import (
	"regexp"
	"strings"
)

// The tables of languages. Each entry is a whole phrase that a person who is
// there does not begin a subject, or say of now, with.

// autoSubject finds the subjects in which software says that it answers by
// itself.
var autoSubject = subjects(
	`auto(matic|mated|matically generated)?[- ]?(reply|response|responder|respons|answer)`, `\[?auto[- ]?reply\]?`, `out[- ]of[- ](the[- ])?office (auto|reply|response|message|notification|assistant)`,
	`vacation (reply|response|notice)`, `.{0,80}\(automatic (response|reply)\)$`, `\S.{1,60} is out of the office \(returning`,
	`autosvar`, `automati(sk|skt) svar`, `frånvaromeddelande`, `fraværs(melding|besked|assistent)`,
	`automatische?s? (antwoord|antwort|antwortmail|beantwoord|rückantwort|abwesenheits\S*)`, `abwesenheits?(notiz|meldung|nachricht|agent|assistent|benachrichtigung)\S*`, `afwezigheids?(bericht|melding|assistent)`,
	`réponse automatique`, `reponse automatique`, `(message|notification) d'absence`, `respuesta autom[aá]tica`, `auto-?respuesta`, `risposta automatica`, `risposta non al computer`, `resposta autom[aá]tica`,
	`automaattinen (vastaus|poissaoloviesti)`, `poissaolo(viesti|ilmoitus)`, `\[?automatyczna odpowied[zź]\]?`, `autoodpowiedź`, `automatická odpov[eě][dď]`, `automatikus válasz`, `r[aă]spuns automat`, `otomatik (yanıt|cevap)`,
	`automaatvastus`, `automātisk\S* atbilde`, `.{0,60}automatiska atbilde`, `automatinis atsakymas`, `samodejni odgovor`, `automatski odgovor`, `автоматичен отговор`, `аутоматски одговор`, `автоматический ответ`, `автоответ`, `автоматична відповідь`, `αυτόματη απάντηση`,
	`自動(応答|返信|回覆|答覆)`, `自动(答复|回复|應答|应答)`, `不在(通知|のお知らせ|連絡)`, `자동\s?(회신|응답|답장)`, `תשובה אוטומטית`, `מענה אוטומטי`, `رد تلقائي`, `الرد التلقائي`, `ตอบกลับอัตโนมัติ`, `trả lời tự động`, `balasan otomatis`,
)

// awaySubject finds the subjects of automatic answers that a person might
// begin a mail with too.
var awaySubject = subjects(
	`auto:\s`, `vacation:`, `out[- ]of[- ](the[- ])?office`, `ooo[:\s]`, `away from (my|the) (desk|office|mail)`, `i am (currently )?(out of (the )?office|away|on (vacation|leave|holiday))`, `on (vacation|annual leave|maternity leave|parental leave|holiday)`,
	`.{1,60} (is|will be) (out of (the )?office|away from (the|my) (office|desk)|on (vacation|leave|holiday))`, `.{0,80}\((away from|out of) the office\)$`,
	`frånvaro`, `fravær`, `ikke til stede`, `ikke på kontoret`, `inte på kontoret`, `automatische (e-?mail|eingangsbestätigung)`, `abwesen(d|heit)`, `außer haus`, `nicht im (büro|haus)`, `urlaubs?(abwesenheit|notiz|meldung)`, `eingangsbestätigung`, `empfangsbestätigung`,
	`afwezig(heid)?`, `niet op kantoor`, `buiten kantoor`, `absente? du bureau`, `absence du bureau`, `absence\s?:`, `accusé de réception`, `fuera de (la )?oficina`, `acuse de recibo`,
	`fuori (sede|ufficio)`, `non in ufficio`, `conferma di ricezione`, `fora do escritório`, `ausência( temporária)?\s?:`, `ausente do escritório`, `poissa toimistosta`, `nieobecność`, `poza biurem`, `mimo kancel[aá]ř`, `nepřítomnost`, `házon kívül`, `ofis dışında`,
	`外出`, `休暇`, `休假`, `부재\s?중`,
)

func subjects(alternatives ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:` + strings.Join(alternatives, "|") + `)`)
}

// absenceText finds the sentences in which somebody says that he is away now,
// will not read, or is gone for good.
var absenceText = regexp.MustCompile(`(?i)(` + strings.Join([]string{
	`\bi('| a)m (currently |presently |now )?(out of (the )?(office|town|country)|away( from (the|my) (office|desk|mail|e-?mail))?|on (annual |maternity |paternity |parental |sick |medical |extended |a )?(leave|vacation|holiday|holidays|sabbatical)|travel+ing|not in the office|unavailable|off work|absent)`,
	`\bi will be (out of (the )?office|away|on (leave|vacation|holiday|holidays)|travel+ing|out until|off until|absent|returning)`, `\bi('| wi)ll (reply|respond|get back) .{0,40}(when i return|on my return|upon my return|after my return)`, `\b(limited|no|intermittent|sporadic|restricted) access to (my )?(e-?mails?|mailbox|inbox|messages)`,
	`\bout of (the )?office (until|till|from|between|through|and|with)`, `no longer (works?|working|employed|with|in use|monitored|valid|active|at|reads?)\b`, `(has|have) (left|retired from) (the company|our company|the organi[sz]ation|this company|the team)`, `(is|am|have) (now )?retired`, `(e-?mail address|mailbox|inbox|address) is (no longer|not) (monitored|in use|active|valid|read)`,
	`ich bin (derzeit |zurzeit |momentan |aktuell |zur zeit |vom .{3,30}|bis .{3,30}|ab .{3,30}|am .{3,30}|heute |leider )*(nicht (im (büro|haus|hause|dienst)|erreichbar|da\b|am (arbeits)?platz|an meinem)|abwesend|im urlaub|außer haus|auf (dienst|geschäfts)reise|in elternzeit|in mutterschutz|verreist|wieder)`, `(befinde mich|bin) .{0,40}(im urlaub|in elternzeit|auf reisen|auf dienstreise)`, `(mail|nachricht|e-mail|sie) wird (nicht|weder) (weitergeleitet|gelesen|bearbeitet)`, `(e-?mails|nachrichten) werden (nicht|weder) (weitergeleitet|gelesen|bearbeitet)`, `nicht mehr (im unternehmen|bei uns|für .{2,40} tätig|in der firma|beschäftigt)`, `(das|unser) büro ist .{0,40}geschlossen`, `im ruhestand`,
	`je suis (actuellement |présentement )?(absente?|en (congés?|vacances|déplacement|arrêt)|hors du bureau|indisponible)`, `je serai (absente?|de retour|en congés?|en vacances|indisponible)`, `(absente?|fermés?) (du bureau )?(jusqu|du \d)`, `ne fait plus partie`, `ne travaille plus`, `a quitté (la société|l'entreprise)`, `accès limité à (ma|mes) (messagerie|mails?|e-?mails?|courriels?)`,
	`(estoy|estaré|me encuentro|me encontraré) (actualmente )?(fuera|ausente|de (vacaciones|viaje|baja|permiso))`, `ya no trabaja`, `no (estaré|estoy) (disponible|en la oficina)`, `regresaré`,
	`\bik ben er (even |momenteel |deze week |vandaag |helaas )*niet`, `\bik ben (momenteel |tot .{3,30}|van .{3,40}|op dit moment |vandaag )*(afwezig|niet (aanwezig|op kantoor|bereikbaar|in de gelegenheid)|op vakantie|met (vakantie|verlof|zwangerschapsverlof)|weer)`, `niet meer (werkzaam|in dienst)`, `(i|tijdens) .{0,20}afwezigheid`,
	`jag (är|har|kommer att vara) (inte på kontoret|borta|ledig|på semester|semester|tjänstledig|föräldraledig|på resande fot|bortrest|åter|tillbaka|ute ur kontoret|frånvarande|sjukskriven)`, `(har slutat|arbetar inte längre|jobbar inte längre)`, `\bär (på semester|föräldraledig|tjänstledig)`,
	`(jeg er|jeg har|er) (på ferie|ikke på kontoret|fraværende|bortreist|bortrejst|på barsel|ferie|ikke til stede|tilbage|tilbake|på kursus)`, `jobber ikke lenger`, `arbejder ikke længere`, `olen (lomalla|poissa|vapaalla|vuosilomalla|matkoilla|perhevapaalla)`, `en ole (toimistolla|paikalla)`,
	`(sono|sarò) (fuori (ufficio|sede)|in ferie|assente|in viaggio|in trasferta|in maternità|di rientro)`, `non lavora più`, `rientrerò`, `(estou|estarei) (ausente|fora do escritório|de férias|em viagem|de licença)`, `não trabalha mais`, `já não trabalha`,
	`(jestem|będę) (obecnie )?(nieobecn[ya]|na urlopie|poza biurem|w delegacji)`, `już nie pracuje`, `(jsem|budu) (mimo kancelář|na dovolené|nepřítomn)`, `szabadságon (vagyok|leszek)`, `(sunt|voi fi) (în concediu|plecat)`, `(izindeyim|ofis dışındayım|tatildeyim)`, `esmu (atvaļinājumā|prombūtnē)`, `atvaļinājumā`,
	`(я |буду |нахожусь )+(в отпуске|в командировке|вне офиса)`, `больше не работает`, `(я )?(у|в) відпустці`, `λείπω|εκτός γραφείου`,
	`不在に(して|し)`, `不在(です|となり|中|の)`, `休暇(中|を|の|で|いただ)`, `(休業|休み)(中|とさせ|を)`, `退職(し|いた|致)`, `外出(中|して)`, `出張(中|で|の)`, `育児休(業|暇)`, `休假`, `(不在|离开|離開)(办公室|辦公室|公司)`, `出差`, `已(离职|離職)`, `外出`, `휴가`, `부재\s?중`, `출장`, `퇴사`, `(בחופשה|מחוץ למשרד)`, `(خارج المكتب|في إجازة)`,
}, "|") + `)`)

// presentText finds what only somebody who is there again says.
var presentText = regexp.MustCompile(`(?i)(\bi was (out of (the )?office|away|on (vacation|leave|holiday)|travel+ing)|\b(i'm|i am) (now )?back (from|in the office|at work|now|today)|\bjust (got|came) back|ich war (im urlaub|nicht im büro|verreist|krank|unterwegs)|(j'étais|je suis rentrée?) |\bestuve (fuera|de)|\bik was (op|met|afwezig|vrij|ziek)|jag (var|har varit) |jeg (var|har været|har vært) |ero (in|fuori)|я был)`)

// acknowledgement finds the sentences of ticket systems and shops that say no
// more than that a mail came in.
var acknowledgement = regexp.MustCompile(`(?i)(` + strings.Join([]string{
	`(has been|was|have) (successfully )?(received|registered|logged|created|assigned|opened)\b.{0,60}(ticket|request|case|number|reference|support|team|will)`, `we (have )?(received|got) your (request|message|e-?mail|inquiry|enquiry|ticket|mail|query)`, `thank you for (contacting|your (request|inquiry|enquiry|message|e-?mail) ?(to|\.|,)|reaching out to (us|our)).{0,200}(will (be answered|respond|reply|get back|contact)|business days|within|as soon as possible|shortly)`, `your (request|ticket|case|inquiry|enquiry) (\(?#?[\w-]+\)? )?(has been|was|is) (received|created|registered|assigned|logged|opened)`,
	`(ihre|deine) (anfrage|nachricht|e-?mail|mitteilung) (ist bei uns|wurde|haben wir) .{0,60}(eingegangen|erhalten|registriert|empfangen)`, `wir haben (ihre|deine|sie) .{0,60}(erhalten|empfangen)`, `vielen dank für (ihre|deine) (anfrage|nachricht|e-?mail)\. wir (haben sie erhalten|melden uns|werden)`,
	`nous avons bien reçu votre`, `votre (demande|message|e-?mail|mail) a (bien )?été (reçue?|enregistrée?)`, `hemos recibido su`, `su (solicitud|mensaje|correo|consulta) ha sido (recibid|registrad)[ao]`, `(wij|we) hebben (uw|je) (bericht|e-?mail|mail|vraag|aanvraag) (goed )?ontvangen`, `vi har (tagit emot|mottagit|modtaget|mottatt) (ditt|din|deres|dit|er)`, `abbiamo ricevuto (la (sua|vostra|tua)|il (suo|vostro|tuo))`, `recebemos (a sua|o seu|sua|seu)`, `otrzymaliśmy (twoją|twoje|państwa|pana)`, `お問い合わせ(いただき|を(受け付け|承り))`, `我们已收到(您|你)的`,
}, "|") + `)`)

// machineText finds the sentence in which a machine says that it is one.
var machineText = regexp.MustCompile(`(?i)(` + strings.Join([]string{
	`this (is|was) an? (auto(matic(ally)?|mated)?[- ]?(generated |sent )?(e-?mail|message|response|reply|notification|notice|mail))`, `(do not|don't|cannot) (reply|respond) (directly )?to this (e-?mail|message|mail)`, `replies to this (e-?mail|message|mailbox|address) (are not|will not be) (read|monitored|answered)`, `(this|the) (mailbox|inbox|e-?mail address|address) is (not|un)\s?(monitored|read|attended)`, `automatically generated`,
	`(dies|das|diese e-?mail|diese nachricht) (ist|wurde) .{0,20}automatisch (erzeugt|generiert|erstellt|versandt|versendet|versandte)\S*`, `automatisch (erzeugte|generierte|erstellte|versendete) (nachricht|e-?mail|mail|antwort)`, `(bitte )?antworten sie (bitte )?nicht (auf|darauf)`, `(ceci est|il s'agit d')\s?un (message|e-?mail|courriel|mail) automatique`, `(merci de )?ne (pas )?(répondez|répondre) (pas )?à (ce|cet)`, `este (es un )?(mensaje|correo) (es |ha sido |se ha )?(generado |enviado )?(automátic|automatic)`, `no responda a este`, `(dit|deze) (is een|e-?mail is|bericht is) automati`, `detta (är ett|meddelande).{0,20}(automatisk|autogenererat)`, `dette er en automatisk`, `(messaggio|e-?mail) (generat[oa] )?automatic`, `(mensagem|e-?mail) (gerada )?automátic`, `wiadomość (została )?(wygenerowana )?automatycz`, `автоматическ(ое|и) `, `自動(的に)?(送信|配信|返信|応答)(され|して|メール|です)`, `(系统|系統)自(动|動)(发|發)`,
}, "|") + `)`)
