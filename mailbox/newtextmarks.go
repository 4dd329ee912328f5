package mailbox

import (
	"strings"
	"sync"
)

// The marks by which mail programs show where somebody else's words begin, in
// the languages they are sold in. All are asked about folded single lines, so
// their cost is that of the line.

// wrotePhrases are the verbs of the line that introduces a quote.
var wrotePhrases = newPhrases(
	`wrote_`, `writes_`, `said_`, `has written`, `schrieb_`, `schreibt_`, `geschrieben_`, `a [ée]crit`, `[ée]crivait`, `a [ée]t[ée] [ée]crit`, `escribi[oó]_`, `escribe_`, `escribía`, `ha scritto`, `scrive_`, `scriveva`, `escreveu`, `escribiu`, `schreef`, `schrijft`, `geschreven`, `skrev_`, `skriver_`, `skrifaði`, `kirjoitti`, `kirjutas`, `napisa[lł]`, `pisze_`, `napsala?`, `napísala?`, `írta_`, `ezt írta`, `a scris`, `yazdı`, `şunu yazdı`, `rakstīja`, `raksta_`, `rašė`, `rašo_`,
	`написал`, `пишет`, `писал`, `пише_`, `написав`, `написала`, `написа`, `је написао`, `je napisa`, `piše_`, `έγραψε`, `γράφει`, `כתב`, `كتب`, `نوشت`, `menulis`, `nulis`, `đã viết`, `viết_`, `va escriure`, `idatzi`, `scríobh`, `ने लिखा`, `დაწერა`, `գրել`,
	`wrote`, `写道`, `寫道`, `写到`, `写了`, `書きました`, `が書いた`, `のメール`, `さんからのメッセージ`, `님이 작성`, `님이 쓴`, `작성:`, `썼습니다`, `เขียน`, `を書き`,
	`quoting_`, `zitat von`, `zitiere`, `citando`, `citat (från|fra)`, `citeren`, `citát`, `quota`, `selon_`, `em resposta a`,
)

// headerLabels name the lines of the header that Outlook and its like put
// above a quote, by what the line holds.
var headerLabels = sync.OnceValue(func() map[string]string {
	labels := map[string]string{}
	for kind, words := range map[string]string{
		"from":    `from von de da van från fra frá lähettäjä od от від из от: kimden gönderen feladó expéditeur remitente mittente nadawca odesílatel odosielateľ avsändare afsender avsender verzonden_door saatja no nuo de_la expeditor από מאת من dari từ จาก 差出人 送信者 发件人 發件人 寄件者 寄件人 보낸_사람 보낸사람 发信人 reply-to`,
		"sent":    `sent date gesendet datum envoyé envoyée date_d'envoi enviado enviado_el enviada enviada_em enviado_em fecha inviato data verzonden skickat skickades sendt dato sent_at lähetetty päivämäärä wysłano wyslano data_wysłania odesláno odoslané dátum elküldve küldve küldés_dátuma trimis отправлено дата надіслано изпратено дата: gönderilme gönderim gönderildi tarih saadetud nosūtīts išsiųsta poslano datum: στάλθηκε ημερομηνία נשלח تاريخ_الإرسال dikirim ngày ส่ง 送信日時 日付 日時 发送时间 发送日期 日期 時間 时间 寄件日期 傳送日期 보낸_날짜 보낸날짜 날짜`,
		"to":      `to an à a para aan till til vastaanottaja do komu кому до kime címzett destinataire destinatario para: către προς אל إلى kepada đến ถึง 宛先 收件人 收件者 받는_사람 받는사람 za prima kam kellele`,
		"cc":      `cc kopie kopia kopi copie copia cc: dw kopio копия копія másolatot_kap bilgi másolat κοιν. עותק نسخة 抄送 副本 참조`,
		"subject": `subject betreff objet asunto oggetto assunto onderwerp ämne emne aihe temat předmět predmet тема относно konu tárgy subiect teema tēma tema θέμα נושא الموضوع subjek perihal chủ_đề เรื่อง 件名 主题 主題 主旨 제목 efni re assumpte gaia`,
	} {
		for word := range strings.FieldsSeq(words) {
			labels[strings.TrimSuffix(strings.ReplaceAll(word, "_", " "), ":")] = kind
		}
	}
	return labels
})

// originalPhrases stand in the rule above a quote or a forwarded mail.
var originalPhrases = newPhrases(
	`original[- ](message|nachricht|e-?mail|mail|appointment)`, `ursprüngliche (nachricht|e-mail|mail)`, `(original-?)nachricht`, `message (d'origine|original|initial)`, `(e-?mail|courriel) d'origine`, `mensaje original`, `correo original`, `oorspronkelijk(e)? (bericht|e-?mail|mail)`, `ursprungligt (meddelande|mejl)`, `original(t)?[- ]?meddelande`, `messaggio originale`, `mensagem original`, `(wiadomość oryginalna|oryginalna wiadomość|treść oryginalnej)`, `(původní zpráva|pôvodná správa|původní e-mail)`, `alkuperäinen viesti`, `(oprindelig|opprinnelig)(e)? (meddelelse|melding|e-?mail|besked)`, `(orijinal|özgün) (mesaj|ileti)`, `eredeti (üzenet|levél)`, `mesaj(ul)? (original|inițial)`, `(исходное|оригинальное|пересылаемое|первоначальное) сообщение`, `(оригінальне|вихідне|початкове) повідомлення`, `оригинално съобщение`, `(izvorna|originalna) poruka`, `izvirno sporočilo`, `(αρχικό|πρωτότυπο) μήνυμα`, `הודעה מקורית`, `(الرسالة الأصلية|رسالة أصلية)`, `(pesan asli|tin nhắn gốc|thư gốc|ข้อความต้นฉบับ)`, `元のメッセージ`, `原始(邮件|郵件|信件|訊息)`, `(原本|转发)邮件`, `원본 메시지`, `원본 메일`,
	`(begin )?forwarded (message|mail)`, `weitergeleitete (nachricht|mail)`, `anfang der weitergeleiteten`, `message transf[ée]r[ée]`, `début du message (transféré|réexpédié)`, `mensaje reenviado`, `(inicio del )?mensaje reenviado`, `messaggio (inoltrato|inoltrata)`, `mensagem (encaminhada|reencaminhada)`, `doorgestuurd bericht`, `begin doorgestuurd`, `vidarebefordrat`, `videresendt`, `edelleenlähetetty|välitetty viesti`, `(przesłana|przekazana) (dalej )?wiadomość`, `přeposlaná zpráva`, `továbbított`, `iletilen (mesaj|ileti)`, `пересланное`, `転送(された)?メ`, `转发的?邮件|轉寄`, `전달된 메시지`, `reply (above|below) this line`, `reply to message`, `antworten sie oberhalb`, `write above this line`,
)

// devicePhrases are the signatures that mail programs add by themselves.
var devicePhrases = newPhrases(
	`^sent (from|via|with|using) (my|mail|outlook|yahoo|proton|samsung|iphone|ipad|android|windows|gmail|the|a |an |aol|bluemail|spark|front|superhuman|mobile|blackberry|nine|airmail|edison|mailbird|canary)`, `^(get|download) outlook for`, `^this (message|e-?mail|mail) was sent from my (android|mobile|phone|blackberry)`, `^(von|aus|über) (meinem|meiner|outlook|meinem)( \S+){0,6} gesendet`, `^gesendet (von|mit|über|aus) `, `^(diese nachricht|diese e-?mail) wurde (von|mit) .{3,60} gesendet`, `^(holen sie sich|laden sie) outlook`, `^outlook für (ios|android)`, `^outlook (voor|per|para|pour|for|til) (ios|android|mac)`, `^envoy[ée]e? (de|depuis|à partir|avec|par) (mon|ma|mobile|outlook|yahoo|l'application|courrier|proton|iphone|ipad|un)`, `^(télécharge[rz]|obtenez|obtenir) outlook`, `^enviad[oa] (desde|do|de|a partir|com|con|pelo|por) (mi|meu|minha|o meu|outlook|yahoo|iphone|correo|samsung|el|correio|dispositivo|android)`, `^(obtener|descargar|obter|baixar|obtenga) outlook`, `^inviat[oa] (da|dal|dallo|con|tramite) (iphone|ipad|il|mio|yahoo|outlook|posta|smartphone|libero|android|tiscali|samsung|mobile|dispositivo|un)`, `^(scarica|ottieni) outlook`,
	`^(verstuurd|verzonden|gestuurd) (vanaf|met|via|vanuit) `, `^(outlook .{3,10} downloaden|download outlook)`, `^skickat (från|med|via) `, `^(hämta|skaffa) outlook`, `^sendt (fra|med|via) (min|outlook|yahoo|e-?post|iphone|mail|en|samsung)`, `^(hent|få) outlook`, `^lähetetty .{0,40}(iphone|ipad|puhelim|outlook|samsung|laitteesta|android|sähköposti)`, `^(hanki|lataa) outlook`, `^sent úr`, `^wysłan[eoay] z(e)? `, `^(pobierz|uzyskaj) (program )?outlook`, `^odesláno z`, `^odoslané z`, `^(získejte|získajte|stáhnout) outlook`, `^(küldve|elküldve) az? `, `^trimis (de pe|de la|din)`, `(cihazımdan|iphone'umdan|telefonumdan|ipad'imden|uygulamasından) gönderildi`, `^(отправлено|послано) (с|из|от) `, `^надіслано з`, `^изпратено от`, `^(poslano|послато) (iz|s|sa|z|са) `, `^στάλθηκε από`, `^(נשלח מ|מכשיר)`, `^(أرسلت من|أُرسلت من|تم الإرسال من|مرسل من)`, `^(dikirim|dihantar) (dari|daripada) `, `^(đã )?gửi từ`, `^ส่งจาก`, `^saadetud minu`, `^nosūtīts no`, `^išsiųsta iš`, `^enviat des`,
	`(iphone|ipad|スマートフォン|android|outlook|yahoo).{0,16}から送信`, `^(发|發)自(我的|我)`, `^(从|從)(我的)?.{1,20}(发送|發送|傳送)`, `^(发送自|來自|来自)(我的)?\s?(iphone|ipad|huawei|outlook|yahoo|android)`, `(아이폰|iphone|ipad|갤럭시|samsung|내|나의).{0,12}에서 보냄`, `outlook.{0,10}(を入手|다운로드|下载|下載)`, `^下[载載] outlook`, `^获取 outlook`,
	`^_*\s?virus-?free\.`, `^virenfrei\.`, `^(garanti )?sans virus\.`, `^libre de virus`, `^privo di virus`, `^(this e-?mail|diese e-?mail|ce(t)? e-?mail|dit e-?mail).{0,30}(checked for viruses|auf viren geprüft|vérifié|virus)`,
)

// bannerPhrases begin the warnings that gateways put above a mail.
var bannerPhrases = newPhrases(
	`^\W*(caution|warning|attention|notice|security|alert|important|be careful|beware)?\W{0,4}(this|the) (is an? |e-?mail|message|mail|sender) ?.{0,40}(external|outside|originat|not verified|unknown sender)`, `^\W*(caution|warning|attention)\W.{0,60}(external|outside|originat|sender|unknown|links|phish)`, `^\W*external( e-?mail| sender| message| mail)?\W*($|:|-)`, `^\W*(\[|\*+|-+|<|\{)? ?(external|extern|externe|externo|esterno|ekstern|ext)( e-?mail| sender| message| mail)?\W*$`, `^this message (is|came|originated|was sent) .{0,20}(from )?(an external|outside|external)`, `^(do not|don't|never) (click|open).{0,40}(links?|attachments?).{0,60}(unless|attachments|links|sender)`, `^\W*unless you (recognize|recognise|trust|know) the sender`, `^(and )?know the content is safe`, `^learn why this is important`, `zjqcmqryfpfptbanner(start|end)`, `^report suspicious_`,
	`^\W*(achtung|vorsicht|warnung|hinweis)\W.{0,60}(extern|außerhalb|absender|links|anhänge)`, `^\W*diese (e-?mail|nachricht|mail) (stammt|kommt|kam|wurde).{0,30}(extern|außerhalb)`, `^(klicken sie|öffnen sie) (auf )?(keine|nicht).{0,60}(links|anhänge).{0,60}(anhänge|links|wenn|es sei)`, `^weitere informationen, warum dies wichtig ist`,
	`^\W*(attention|prudence|avertissement|alerte)\W.{0,60}(extern|extérieur|expéditeur|liens|pièces)`, `^\W*(ce|cet) (message|e-?mail|courriel|mail) (provient|vient|a été envoyé).{0,30}(extérieur|externe)`, `^(ne cliquez|n'ouvrez) .{0,40}(liens?|pièces?).{0,60}(pièces?|liens?|sauf|expéditeur)`, `^(découvrez|apprenez) pourquoi c`, `^\W*(precaución|atención|advertencia|cuidado|aviso)\W.{0,60}(extern|fuera|fora|remitente|enlaces|links)`, `^\W*este (correo|mensaje|e-?mail|e-mail) .{0,25}(externo|fuera|fora|exterior)`, `^\W*(attenzione|avviso)\W.{0,60}(extern|esterno|esterna|mittente|link)`, `^\W*(questa|questo) (e-?mail|messaggio) (proviene|è stat).{0,25}(estern)`,
	`^\W*(let op|waarschuwing|pas op)\W.{0,60}(extern|buiten|afzender|links)`, `^\W*(deze|dit) (e-?mail|bericht|mail) (komt|is).{0,25}(extern|buiten)`, `^\W*(varning|obs|observera)\W.{0,60}(extern|utanför|avsändare|länkar)`, `^\W*(advarsel|bemærk|merk|obs)\W.{0,60}(ekstern|utenfor|udenfor|afsender|avsender)`, `^\W*(varoitus|huomio)\W.{0,60}(ulkopuol|ulkoi)`, `^\W*(uwaga|ostrzeżenie)\W.{0,60}(zewn|spoza|nadawc)`, `^\W*(upozornění|pozor|upozornenie)\W.{0,60}(extern|mimo|odesílatel)`, `^\W*(внимание|осторожно|увага)\W.{0,60}(внешн|зовніш|отправител|извне)`, `^\W*(dikkat|uyarı)\W.{0,60}(dış|harici)`, `^\W*(注意|警告|【?外部).{0,30}(外部|社外)`, `^\W*\[?(社外|外部)(メール|邮件|郵件)`, `^\W*(주의|경고).{0,30}(외부)`, `^此邮件来自外部`,
)

// hintPhrases are the one line that Microsoft puts above mail of strangers.
var hintPhrases = newPhrases(
	`^you don't often get e-?mail from`, `^some people who received this message don't often`, `^sie erhalten nicht (häufig|oft) e-?mails? von`, `^vous n'obtenez pas souvent d'e-?mail`, `^no suele recibir correo`, `^non si ricevono spesso`, `^você não costuma receber`, `^u ontvangt niet vaak e-?mail`, `^du får inte ofta e-?post`, `^du (får|modtager|mottar) (ikke|sjelden) ofte`, `^nie otrzymujesz często`, `^často nedostáváte`, `^вы нечасто получаете`, `^этот адрес редко`, `^通常、.{1,60}からメール`, `^你通常不会收到`, `^您通常不会收到`,
)

// disclaimerPhrases begin what lawyers put below a mail.
var disclaimerPhrases = newPhrases(
	`^\W*(confidentiality|legal|privacy|disclaimer)( (notice|note|statement|warning))?\W*(:|$)`, `^\W*confidentiality notice`, `^\W*(this|the information in this|the contents of this|the information contained in this) (e-?mail|message|mail|communication|transmission)( message)?( \S+){0,6} (is|are|may|contains?|and any)\b.{0,80}(confidential|privileged|intended|attach|files)`, `^\W*if you (are not the|have received this)`, `^(please )?consider the environment`, `^\W*(diese (e-?mail|nachricht)|der inhalt dieser|die information(en)? in dieser) .{0,80}(vertraulich|bestimmt|rechtlich|adressat|empfänger)`, `^\W*(ce (message|courriel)|cet? e-?mail|les informations contenues) .{0,100}(confidentiel|destinataire|exclusi)`, `^\W*(este (mensaje|correo|e-?mail)|la información contenida|esta mensagem|este e-?mail|a informação contida) .{0,100}(confidencia|destinatari|dirigid|exclusiv)`, `^\W*(questo messaggio|questa e-?mail|il contenuto di questa|le informazioni contenute|ai sensi del) .{0,100}(riservat|confidenzial|destinatari|privacy|gdpr|679)`, `^\W*(dit bericht|deze e-?mail|de informatie in|de inhoud van) .{0,100}(vertrouwelijk|bestemd|geadresseerde)`, `^\W*(detta meddelande|detta e-?post|denna e-?post|denne (e-?mail|e-?post|mail)|dette (brev|mail)) .{0,100}(konfidentiel|sekretess|fortrolig|avsedd|beregnet|ment for)`, `^\W*(tämä (viesti|sähköposti)) .{0,60}(luottamuksel)`, `^\W*(niniejsza wiadomość|treść tej wiadomości|ta wiadomość|informacje zawarte) .{0,100}(poufn|adresat|przeznaczon)`, `^\W*(tato zpráva|táto správa|obsah (této|tejto)) .{0,100}(důvěrn|dôvern|určen)`, `^\W*(это (сообщение|письмо)|данное (сообщение|письмо)|информация, содержащаяся) .{0,100}(конфиденциальн|предназначен)`, `^\W*(本|この)(電子)?メール.{0,40}(機密|宛先|秘密|名宛)`, `^\W*(本|此)(邮件|郵件|电邮|電郵).{0,40}(保密|机密|機密|收件人)`, `^\W*(이|본) (메일|이메일|전자우편).{0,40}(기밀|비밀|수신인)`, `^\W*(bu e-?posta|bu mesaj) .{0,60}(gizli|kişiye)`,
)

var (
	ruleLine   = newPattern(`^[\W_]*[-_=*~—–─]{2,}`)
	rulerOnly  = newPattern(`^[-_=*~—–─#\s]+$`)
	hasDay     = newPattern(`(19|20|25)\d\d|\d{1,2}[:.h]\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}`)
	hasAddress = newPattern(`[^\s<>()\[\]"',;:]+@[^\s<>()\[\]"',;:]+\.[^\s<>()\[\]"',;:]+`)
)
