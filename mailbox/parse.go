package mailbox

import (
	"slices"
	"strings"

	"nudge/engine"
)

// ParseHeader reads the header of a message, whole or only the fields that
// were fetched. It never fails: what a broken header does not yield stays
// empty. Report is set when the message may be a machine's report whose text
// must be read to know whose it is.
func ParseHeader(raw []byte) engine.Incoming {
	h, _ := splitHeader(raw)
	return incomingFrom(h)
}

func incomingFrom(h header) engine.Incoming {
	in := engine.Incoming{
		InReplyTo:  messageIDs(h.all("In-Reply-To")...),
		References: messageIDs(h.all("References")...),
		From:       addressesIn(concat(h, "From", "Sender", "Reply-To")...),
		To:         addressesIn(concat(h, "To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")...),
		Subject:    h.text("Subject"),
		Instance:   instanceIn(h),
		OriginalID: originalID(h),
	}
	if ids := messageIDs(h.all("Message-ID")...); len(ids) > 0 {
		in.MessageID = ids[0]
	}
	in.Report = mayReport(h, in)
	return in
}

func concat(h header, names ...string) []string {
	var values []string
	for _, name := range names {
		values = append(values, h.all(name)...)
	}
	return values
}

// reportWords stand in the subjects that mail systems give their reports.
// Every header passes here, so they are words, not the expressions by which
// bounces are known.
var reportWords = []string{
	"deliver", "failure", "failed", "returned", "undeliver", "bounce", "mail system", "mailbox", "mail status", "unknown", "rejected", "warning", "delay", "retr", "error", "feedback report", "abuse", "complaint", "spam report",
	"zustell", "übermittlung", "rückläufer", "nicht zugestellt", "non distribu", "livraison", "devuelto", "non riuscit", "falha", "devolvid", "mislukt", "aflever", "epäonnistui", "toimit", "niedoręcz", "zwróc", "nelivrat", "livrat", "gönderileme", "доставк", "доставити", "παράδοση", "למסור", "במסירה", "تسليم", "gagal", "thất bại", "遅延", "エラー", "退回", "延迟", "延遲", "실패", "지연", "remis", "échec", "entrega", "recapit", "consegna", "bestel", "bezorg", "entreg", "lever", "dostarcz", "zwrot", "doruč", "kézbesít", "iletil", "teslim",
	"доставлен", "未達", "配信", "送信", "退信", "投递", "投遞", "送达", "반송", "배달", "unzustell",
}

// mayReport says whether a header could belong to a delivery report, an abuse
// report or a receipt. It is generous: reading one message in vain costs a
// fetch, not reading a bounce costs its prospect's sequence.
func mayReport(h header, in engine.Incoming) bool {
	mediaType, params := mediaTypeOf(h)
	switch {
	case strings.HasPrefix(mediaType, "multipart/report"), strings.HasPrefix(mediaType, "message/"), params["report-type"] != "":
		return true
	case h.has("X-Failed-Recipients"):
		return true
	case h.has("Return-Path") && len(addressesIn(h.get("Return-Path"))) == 0:
		return true
	}
	return fromDaemon(h) || slices.ContainsFunc(in.From, isDaemon) || hasAny(in.Subject, reportWords...)
}
