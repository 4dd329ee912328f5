package localmail

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// original is a mail as its reader sees it.
type original struct {
	raw        []byte
	from       mail.Address
	subject    string
	date       time.Time
	id         string // with angle brackets
	references string
	text       string // the plain text part, LF line ends
}

// readOriginal reads what can be read; a broken mail leaves fields empty.
func readOriginal(raw []byte) original {
	o := original{raw: raw}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return o
	}
	for _, name := range []string{"Reply-To", "From"} {
		if from, err := mail.ParseAddress(msg.Header.Get(name)); err == nil {
			o.from = *from
			break
		}
	}
	if o.subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		o.subject = msg.Header.Get("Subject")
	}
	o.date, _ = msg.Header.Date()
	o.id = msg.Header.Get("Message-Id")
	o.references = strings.Join(strings.Fields(msg.Header.Get("References")), " ")
	text := textOf(msg.Header.Get("Content-Type"), msg.Header.Get("Content-Transfer-Encoding"), msg.Body)
	o.text = strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n") + "\n"
	return o
}

// topic is the subject without the marks of a reply.
func (o original) topic() string {
	s := o.subject
	for len(s) >= 3 && strings.EqualFold(s[:3], "re:") {
		s = strings.TrimSpace(s[3:])
	}
	return s
}

// textOf is the first plain text in a body.
func textOf(contentType, encoding string, body io.Reader) string {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = "text/plain"
	}
	if !strings.HasPrefix(kind, "multipart/") {
		if kind != "text/plain" {
			return ""
		}
		switch strings.ToLower(strings.TrimSpace(encoding)) {
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		text, _ := io.ReadAll(body)
		return string(text)
	}
	parts := multipart.NewReader(body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err != nil {
			return ""
		}
		if text := textOf(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p); text != "" {
			return text
		}
	}
}
