package mailbox

import (
	"bytes"
	"slices"
	"strings"
)

// maxText bounds how much text of one message is read for its meaning.
const maxText = 256 << 10

// text returns what a person would see on opening the message: its plain-text
// parts, or its HTML ones where there is no plain text. Attachments and
// returned messages are left out.
func (m message) text() string {
	plain := m.textOf(func(p part) bool { return p.mediaType != "text/html" && readable(p.mediaType) }, func(s string) string { return s })
	if strings.TrimSpace(plain) != "" {
		return plain
	}
	return m.textOf(func(p part) bool { return p.mediaType == "text/html" }, htmlText)
}

// textOf joins the parts of one kind that are shown.
func (m message) textOf(wanted func(part) bool, read func(string) string) string {
	var text strings.Builder
	for _, p := range m.parts {
		if !p.leaf || p.returned || p.attached() || !wanted(p) || text.Len() > maxText {
			continue
		}
		text.WriteString(read(decodeCharset(p.body, p.params["charset"])))
		text.WriteByte('\n')
	}
	return text.String()
}

// readable says whether a part of that type is text meant for eyes.
func readable(mediaType string) bool {
	switch mediaType {
	case "text/calendar", "text/rfc822-headers", "text/x-vcard", "text/vcard", "text/directory", "text/css":
		return false
	}
	return strings.HasPrefix(mediaType, "text/")
}

// utf8 returns the text of a part that ought to be plain ASCII and is not
// always.
func (p part) utf8() []byte {
	if bytes.IndexByte(p.body, 0) < 0 && p.params["charset"] == "" {
		return p.body
	}
	return []byte(decodeCharset(p.body, p.params["charset"]))
}

func (p part) attached() bool {
	return strings.HasPrefix(strings.ToLower(p.header.get("Content-Disposition")), "attachment")
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
