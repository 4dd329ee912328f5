package mailbox

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// maxText bounds how much text of one message is read for its meaning.
const maxText = 256 << 10

// text returns what a person would see on opening the message: its plain-text
// parts, or its HTML ones where there is no plain text. Attachments and
// returned messages are left out.
func (m message) text() string {
	var plain, rich strings.Builder
	for _, p := range m.parts {
		if !p.leaf || p.returned || p.attached() || plain.Len()+rich.Len() > maxText {
			continue
		}
		switch {
		case p.mediaType == "text/html":
			rich.WriteString(htmlText(decodeCharset(p.body, p.params["charset"])))
			rich.WriteByte('\n')
		case readable(p.mediaType):
			plain.WriteString(decodeCharset(p.body, p.params["charset"]))
			plain.WriteByte('\n')
		}
	}
	if strings.TrimSpace(plain.String()) != "" {
		return plain.String()
	}
	return rich.String()
}

// readable says whether a part of that type is text meant for eyes.
func readable(mediaType string) bool {
	switch mediaType {
	case "text/calendar", "text/rfc822-headers", "text/x-vcard", "text/vcard", "text/directory", "text/css":
		return false
	}
	return strings.HasPrefix(mediaType, "text/")
}

func (p part) attached() bool {
	return strings.HasPrefix(strings.ToLower(p.header.get("Content-Disposition")), "attachment")
}

// Marks of where somebody else's words begin. All are matched against single
// lines, so their cost is that of the line.
var (
	// "On 3 May 2026, Anna wrote:" and its sisters.
	attribution = regexp.MustCompile(`(?i)^\W{0,3}(on|am|le|el|il|op|den|em|no dia|dnia|w dniu|dne|pe|på|på den|tirsdag|ons?dag|mandag|torsdag|fredag|pada|tarihinde)\b.{4,300}(wrote|schrieb|a écrit|escribió|ha scritto|schreef|skrev|escreveu|napisał(\(a\))?|napsal(\(a\))?|kirjoitti|yazdı|írta)( [^:]{0,80})?\s?[:：]\s*$`)
	// "Anna Bauer <anna@example.com> schrieb am 3. Mai 2026:" and forms led by a date.
	attributionBare  = regexp.MustCompile(`(?i)^(.{0,160}<[^<>\s]+@[^<>\s]+>.{0,120}(:|：)|\d{1,4}[-./年].{4,160}(wrote|schrieb|написал|пишет|写道|寫道|のメール|작성).{0,80}[:：]?|.{0,120}<[^<>\s]+@[^<>\s]+>.{0,20}(wrote|schrieb|написал|пише|写道|寫道).{0,60})\s*$`)
	attributionStart = regexp.MustCompile(`(?i)^\W{0,3}(on|am|le|el|il|op|den|em|no|dnia|w dniu|dne|pe|på|\d{4}|\d{1,2}[./ -])`)
	originalRule     = regexp.MustCompile(`(?i)^\W{0,3}[-_*=]{2,}\s*(original[- ](message|nachricht)|ursprüngliche (nachricht|e-mail)|message (d'origine|original)|mensaje original|oorspronkelijk bericht|ursprungligt meddelande|original(t)? meddelande|messaggio originale|mensagem original|(wiadomość|oryginalna) (oryginalna|wiadomość)|původní zpráva|alkuperäinen viesti|oprindelig meddelelse|opprinnelig melding|orijinal (mesaj|ileti)|исходное сообщение|пересылаемое сообщение|元のメッセージ|原始邮件|原始郵件|원본 메시지|(begin )?forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado|doorgestuurd bericht|reply above this line|reply to message)`)
	senderLine       = regexp.MustCompile(`(?i)^\W{0,4}(from|von|de|da|van|från|fra|lähettäjä|od|от|від|από|kimden|feladó|expéditeur|remitente|mittente|差出人|发件人|寄件者|보낸 사람|보낸사람)\W{0,4}\s?[:：]`)
	sentLine         = regexp.MustCompile(`(?i)^\W{0,4}(sent|date|to|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado( el)?|para|asunto|fecha|inviato|data|oggetto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til|emne|lähetetty|vastaanottaja|aihe|wysłano|do|temat|odesláno|komu|předmět|отправлено|кому|тема|дата|gönderilme|kime|konu|送信日時|宛先|件名|发送时间|收件人|主题|寄件日期|收件者|主旨|보낸 날짜|받는 사람|제목)\W{0,4}\s?[:：]`)
	deviceLine       = regexp.MustCompile(`(?i)^\W{0,2}(sent from (my|mail|outlook|yahoo)|von meinem \S+ gesendet|gesendet (von|mit)|envoyé (de|depuis)|enviado (desde|do)|inviato da|verstuurd vanaf|verzonden (vanaf|met)|skickat från|sendt fra|lähetetty|wysłane z|get outlook for|отправлено с|iphoneから送信|发自我的)`)
	gatewayLine      = regexp.MustCompile(`(?i)^\W{0,3}(caution|warning|external( e-?mail| sender)?|achtung|extern)\b.{0,60}(external|outside|originated|extern|sender)`)
)

// maxNewText is when enough was read of what the writer added.
const maxNewText = 16 << 10

// newText returns what the writer of a mail added: without quotes, the lines
// that introduce them, signatures, and what gateways put on top. Expressions
// are only asked about lines that could match them.
func newText(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\u00a0", " "), "\n")
	var kept []string
	for i, size := 0, 0; i < len(lines) && size < maxNewText; i++ {
		line := strings.TrimSpace(lines[i])
		if !strings.HasPrefix(line, ">") {
			size += len(line) + 1
		}
		switch {
		case line == "--" || line == "—":
			return joinLines(kept)
		case startsHeaderBlock(lines, i), strings.ContainsAny(clip(line, 4), "-_*=") && originalRule.MatchString(clip(line, 200)):
			return joinLines(kept)
		case strings.HasPrefix(line, ">"):
			continue
		case len(line) < 300 && (deviceLine.MatchString(line) || gatewayLine.MatchString(line)):
			continue
		}
		if n := attributionAt(lines, i); n > 0 {
			if !quoteFollows(lines, i+n) {
				return joinLines(kept) // an unmarked quote runs to the end
			}
			i += n - 1
			continue
		}
		kept = append(kept, line)
	}
	return joinLines(kept)
}

func joinLines(lines []string) string {
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// attributionAt says how many lines from i on introduce a quote: mailers wrap
// the line, so up to three are read as one.
func attributionAt(lines []string, i int) int {
	joined := ""
	for n := range 3 {
		if i+n >= len(lines) {
			return 0
		}
		line := strings.TrimSpace(lines[i+n])
		if line == "" || len(joined)+len(line) > 400 || n == 1 && !attributionStart.MatchString(joined) {
			return 0
		}
		joined = strings.TrimSpace(joined + " " + line)
		if !strings.HasSuffix(joined, ":") && !strings.HasSuffix(joined, "：") {
			continue
		}
		if attribution.MatchString(joined) || attributionBare.MatchString(joined) {
			return n + 1
		}
	}
	return 0
}

// quoteFollows says whether the next line that is not empty is marked as
// quoted.
func quoteFollows(lines []string, i int) bool {
	for ; i < len(lines); i++ {
		if line := strings.TrimSpace(lines[i]); line != "" {
			return strings.HasPrefix(line, ">")
		}
	}
	return false
}

// startsHeaderBlock says whether line i begins the header that Outlook and its
// like put above an unmarked quote: a sender line with a date, recipient or
// subject line close below.
func startsHeaderBlock(lines []string, i int) bool {
	line := clip(strings.TrimSpace(lines[i]), 40)
	if !strings.Contains(line, ":") && !strings.Contains(line, "：") || !senderLine.MatchString(line) {
		return false
	}
	found := 0
	for _, line := range lines[i+1 : min(i+6, len(lines))] {
		if sentLine.MatchString(strings.TrimSpace(line)) {
			found++
		}
	}
	return found >= 2
}

// idLines returns the ids in lines like "> Message-ID: <id>", with which an
// old bounce returns a mail as plain text and people quote its header. The id
// may stand on the next line.
func idLines(text string) []string {
	const name = "message-id:"
	var ids []string
	for line, rest := "", text; rest != "" && len(ids) < 50; {
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimLeft(line, " \t>|")
		if cut, found := strings.CutPrefix(line, "X-Microsoft-Original-"); found {
			line = cut
		}
		if len(line) < len(name) || !strings.EqualFold(line[:len(name)], name) {
			continue
		}
		value := strings.TrimSpace(line[len(name):])
		if value == "" {
			next, _, _ := strings.Cut(rest, "\n")
			value = strings.TrimLeft(next, " \t>|")
		}
		ids = append(ids, bracketed(clip(value, 300))...)
	}
	return ids
}

// quotedIDs returns the ids of every mail that a message carries or quotes,
// the ids those refer to first, so that the nearest stands last.
func (m message) quotedIDs(text string) []string {
	var ancestors, own []string
	take := func(h header) {
		ancestors = append(ancestors, messageIDs(h.all("References")...)...)
		own = append(own, messageIDs(append(h.all("X-Microsoft-Original-Message-ID"), h.all("Message-ID")...)...)...)
	}
	for i, p := range m.parts {
		switch {
		case strings.HasPrefix(p.mediaType, "message/rfc822"), p.mediaType == "message/global":
			if h, _ := splitHeader(p.body); p.leaf && len(h) > 0 {
				take(h)
			}
		case p.mediaType == "message/disposition-notification", p.mediaType == "message/feedback-report":
			h, _ := splitHeader(p.body)
			own = append(own, messageIDs(h.all("Original-Message-ID")...)...)
		case p.mediaType == "text/rfc822-headers", p.mediaType == "message/global-headers", p.mediaType == "message/rfc822-headers":
			h, _ := splitHeader(p.body)
			take(h)
		case i > 0 && p.leaf && !p.returned && bytes.Contains(p.body, []byte("Message-ID:")) && p.mediaType == "application/octet-stream":
			h, _ := splitHeader(p.body)
			take(h)
		}
	}
	return unique(slices.Concat(ancestors, idLines(text), own))
}

// unique returns the values in order, each once, without empty ones.
func unique(values []string) []string {
	var out []string
	seen := map[string]bool{"": true}
	for _, v := range values {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
