package localmail

import (
	"bytes"
	"fmt"
	"html"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// Style is the mail program a person writes with.
type Style string

const (
	Plain   Style = ""        // text above, nothing quoted
	Gmail   Style = "gmail"   // text and HTML, the mail quoted with >
	Outlook Style = "outlook" // text and HTML, the mail below a From/Sent/To/Subject block
	Phone   Style = "phone"   // text with a phone's signature, the mail quoted with >
)

// letter is what someone writes about a mail.
type letter struct {
	person     Person
	act        Act
	original   original
	to, toName string
	at         time.Time
	id         string
}

const (
	outlookDate = "Monday, 2 January 2006 15:04"
	gmailDate   = "Mon, 2 Jan 2006 at 15:04"
	phoneDate   = "2 Jan 2006, at 15:04"
)

// bytes writes the letter with CRLF line ends.
func (l letter) bytes() []byte {
	switch l.act.Do {
	case BounceOff:
		return l.report()
	case AutoReply:
		return l.absence()
	}
	h := l.head(l.subject())
	if l.act.Do == Answer {
		l.thread(&h)
	}
	switch l.person.Style {
	case Gmail:
		text := l.act.Text + "\n\n" + l.quotedAfter("On "+l.original.date.In(l.at.Location()).Format(gmailDate)+", %s wrote:\n\n")
		return h.alternative(l.id, text, l.gmailHTML())
	case Outlook:
		h.add("Thread-Topic", word(l.original.topic()))
		h.add("X-MS-Has-Attach", "")
		return h.alternative(l.id, l.outlookText(), l.outlookHTML())
	case Phone:
		h.add("X-Mailer", "iPhone Mail (23A341)")
		text := l.act.Text + "\n\nSent from my iPhone\n\n" +
			l.quotedAfter("> On "+l.original.date.In(l.at.Location()).Format(phoneDate)+", %s wrote:\n> \n")
		return h.text(text)
	}
	return h.text(l.act.Text)
}

func (l letter) subject() string {
	switch {
	case l.act.Do == BounceOff:
		return "Undelivered Mail Returned to Sender"
	case l.act.Do == NewMail || l.act.Subject != "":
		return l.act.Subject
	case l.act.Do == AutoReply:
		return "Automatic reply: " + l.original.topic()
	}
	prefix := "Re: "
	if l.person.Style == Outlook {
		prefix = "RE: "
	}
	return prefix + l.original.topic()
}

func (l letter) head(subject string) header {
	var h header
	h.add("Received", fmt.Sprintf("from mx.%s (mx.%s [192.0.2.25]) by %s with ESMTPS; %s",
		domain(l.act.From), domain(l.act.From), imapHost, l.at.Format(time.RFC1123Z)))
	h.add("From", mailboxHeader(l.person.Name, l.act.From))
	h.add("To", mailboxHeader(l.toName, l.to))
	h.add("Subject", word(subject))
	h.add("Date", l.at.Format(time.RFC1123Z))
	h.add("Message-ID", "<"+l.id+">")
	return h
}

// thread ties the letter to the mail it answers (RFC 5322, section 3.6.4).
func (l letter) thread(h *header) {
	if l.original.id == "" {
		return
	}
	h.add("In-Reply-To", l.original.id)
	h.add("References", strings.TrimSpace(l.original.references+" "+l.original.id))
}

// quotedAfter is the mail below a line that names its writer; "" for a new mail.
func (l letter) quotedAfter(intro string) string {
	if l.act.Do == NewMail {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, intro, l.original.from.Name+" <"+l.original.from.Address+">")
	for line := range strings.Lines(l.original.text) {
		b.WriteString("> " + strings.TrimRight(line, " \r\n") + "\n")
	}
	return b.String()
}

func (l letter) gmailHTML() string {
	body := `<div dir="ltr">` + lines(l.act.Text) + `</div>`
	if l.act.Do == NewMail {
		return body
	}
	o := l.original
	return body + `<br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On ` +
		o.date.In(l.at.Location()).Format(gmailDate) + ", " + html.EscapeString(o.from.Name) + ` &lt;<a href="mailto:` + o.from.Address + `">` +
		o.from.Address + `</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex">` +
		lines(o.text) + `</blockquote></div>`
}

func (l letter) outlookText() string {
	if l.act.Do == NewMail {
		return l.act.Text
	}
	o := l.original
	return l.act.Text + "\n\n________________________________\n" +
		"From: " + o.from.Name + " <" + o.from.Address + ">\n" +
		"Sent: " + o.date.In(l.at.Location()).Format(outlookDate) + "\n" +
		"To: " + l.person.Name + " <" + l.person.Address + ">\n" +
		"Subject: " + o.subject + "\n\n" + o.text
}

func (l letter) outlookHTML() string {
	body := `<div class="elementToProof">` + lines(l.act.Text) + `</div>`
	if l.act.Do == NewMail {
		return body
	}
	o := l.original
	return body + `<div id="appendonsend"></div><hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr"><b>From:</b> ` +
		html.EscapeString(o.from.Name) + " &lt;" + o.from.Address + "&gt;<br><b>Sent:</b> " + o.date.In(l.at.Location()).Format(outlookDate) +
		"<br><b>To:</b> " + html.EscapeString(l.person.Name) + "<br><b>Subject:</b> " + html.EscapeString(o.subject) + "</div><div>" + lines(o.text) + "</div>"
}

// absence is what a mail server writes for someone who is away.
func (l letter) absence() []byte {
	h := l.head(l.subject())
	l.thread(&h)
	h.add("Return-Path", "<>")
	h.add("Auto-Submitted", "auto-replied")
	h.add("X-Auto-Response-Suppress", "All")
	return h.text(l.text())
}

// text is what they write themselves.
func (l letter) text() string {
	if l.act.Do == AutoReply && l.act.Text == "" {
		return "Thank you for your mail. I am out of the office until " + l.act.Until.Format("Monday, 2 January 2006") +
			" and will read it when I am back.\n\n" + l.person.Name
	}
	return l.act.Text
}

// report is a delivery report (RFC 3464) that says the mailbox does not exist.
func (l letter) report() []byte {
	server := "mx." + domain(l.person.Address)
	var h header
	h.add("Return-Path", "<>")
	h.add("From", mailboxHeader("Mail Delivery System", "MAILER-DAEMON@"+server))
	h.add("To", l.to)
	h.add("Subject", l.subject())
	h.add("Date", l.at.Format(time.RFC1123Z))
	h.add("Message-ID", "<"+l.id+">")
	h.add("Auto-Submitted", "auto-replied")
	h.add("MIME-Version", "1.0")
	boundary := "report-" + l.id[:12]
	h.add("Content-Type", `multipart/report; report-type=delivery-status; boundary="`+boundary+`"`)
	reason := l.act.Text
	if reason == "" {
		reason = "550 5.1.1 <" + l.person.Address + ">: Recipient address rejected: User unknown"
	}
	head, _, _ := bytes.Cut(withCRLF(l.original.raw), []byte("\r\n\r\n"))

	var b bytes.Buffer
	b.Write(h.bytes())
	fmt.Fprintf(&b, "\r\n--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n", boundary)
	fmt.Fprintf(&b, "This is the mail system at host %s.\r\n\r\nI'm sorry to have to inform you that your message could not\r\n"+
		"be delivered to one or more recipients. It's attached below.\r\n\r\n<%s>: %s\r\n\r\n", server, l.person.Address, reason)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: message/delivery-status\r\n\r\n", boundary)
	fmt.Fprintf(&b, "Reporting-MTA: dns; %s\r\nArrival-Date: %s\r\n\r\n", server, l.original.date.Format(time.RFC1123Z))
	fmt.Fprintf(&b, "Final-Recipient: rfc822; %s\r\nOriginal-Recipient: rfc822;%s\r\nAction: failed\r\nStatus: 5.1.1\r\n"+
		"Diagnostic-Code: smtp; %s\r\n\r\n", l.person.Address, l.person.Address, reason)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: text/rfc822-headers\r\n\r\n%s\r\n\r\n--%s--\r\n", boundary, head, boundary)
	return b.Bytes()
}

// header is a mail's header as it grows.
type header struct{ b bytes.Buffer }

func (h *header) add(name, value string) {
	h.b.WriteString(name + ":")
	col := len(name) + 1
	for w := range strings.FieldsSeq(value) {
		if col+1+len(w) > 77 && col > len(name)+1 {
			h.b.WriteString("\r\n")
			col = 0
		}
		h.b.WriteString(" " + w)
		col += 1 + len(w)
	}
	h.b.WriteString("\r\n")
}

func (h *header) bytes() []byte { return h.b.Bytes() }

// text ends the header with a body of plain text.
func (h *header) text(s string) []byte {
	h.add("MIME-Version", "1.0")
	return append(h.bytes(), part("text/plain", s)...)
}

// alternative ends it with a body in text and HTML.
func (h *header) alternative(id, text, markup string) []byte {
	boundary := "part-" + strings.Trim(id[:18], "+")
	h.add("MIME-Version", "1.0")
	h.add("Content-Type", `multipart/alternative; boundary="`+boundary+`"`)
	var b bytes.Buffer
	b.Write(h.bytes())
	b.WriteString("\r\n--" + boundary + "\r\n")
	b.Write(part("text/plain", text))
	b.WriteString("\r\n--" + boundary + "\r\n")
	b.Write(part("text/html", markup))
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return b.Bytes()
}

// part is a Content-Type, an empty line and an encoded body.
func part(contentType, body string) []byte {
	var b bytes.Buffer
	b.WriteString("Content-Type: " + contentType + "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	w := quotedprintable.NewWriter(&b)
	w.Write([]byte(strings.ReplaceAll(strings.TrimRight(body, "\n")+"\n", "\n", "\r\n"))) // a bytes.Buffer never fails
	w.Close()
	return b.Bytes()
}

func lines(text string) string {
	return strings.ReplaceAll(html.EscapeString(strings.TrimRight(text, "\r\n")), "\n", "<br>\n")
}

func mailboxHeader(name, address string) string {
	if name == "" {
		return address
	}
	return (&mail.Address{Name: name, Address: address}).String()
}

func word(s string) string { return mime.QEncoding.Encode("utf-8", s) }

func domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
