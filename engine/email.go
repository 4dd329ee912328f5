package engine

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"nudge/sequences"
)

// Writing the bytes of a mail is done here and not by a mail library because
// the bytes must be the same whenever the inputs are (a resend, a preview), and
// the engine may not reach the network even through its imports. Encoding is
// the standard library's.

// letter is everything that is written into a mail.
type letter struct {
	fromName, from string
	toName, to     string
	subject        string
	date           time.Time
	messageID      string
	inReplyTo      string
	references     []string
	instance       string
	unsubscribe    string // a mailto: address of List-Unsubscribe; "" = none
	text, html     string // LF line ends; no HTML = a mail of plain text alone
	attach         []sequences.Attachment
}

// bytes writes the letter as RFC 5322 and RFC 2045 ask: CRLF line ends, header
// lines folded below 78 octets, multipart/alternative with the plain text
// first, and around it multipart/mixed where files go along. Boundaries follow
// from the Message-ID, so equal letters have equal bytes. Nothing names the
// host or the program.
func (l letter) bytes() ([]byte, error) {
	var b bytes.Buffer
	b.Grow(len(l.text)*5/4 + len(l.html)*5/4 + encodedSize(l.attach) + 1024)
	head := func(name, value string) { writeHeader(&b, name, value) }
	head("From", mailboxHeader(l.fromName, l.from))
	head("To", mailboxHeader(l.toName, l.to))
	head("Subject", encodeWords(l.subject))
	head("Date", l.date.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	head("Message-ID", "<"+l.messageID+">")
	if l.inReplyTo != "" {
		head("In-Reply-To", "<"+l.inReplyTo+">")
	}
	if len(l.references) > 0 {
		head("References", "<"+strings.Join(l.references, "> <")+">")
	}
	if l.instance != "" {
		head("X-Nudge-Instance", l.instance)
	}
	if l.unsubscribe != "" {
		head("List-Unsubscribe", "<"+l.unsubscribe+">")
	}
	head("MIME-Version", "1.0")
	if err := l.writeBody(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// The media types of a mail's words.
const (
	plainType = `text/plain; charset=utf-8; format=flowed`
	htmlType  = `text/html; charset=utf-8`
)

// writeBody writes the last header, Content-Type, and all that follows it.
func (l letter) writeBody(b *bytes.Buffer) error {
	if len(l.attach) == 0 {
		return l.writeWords(b)
	}
	mixed := boundary(l.messageID, "mixed")
	writeHeader(b, "Content-Type", `multipart/mixed; boundary="`+mixed+`"`)
	b.WriteString("\r\n--" + mixed + "\r\n")
	if err := l.writeWords(b); err != nil {
		return err
	}
	for _, a := range l.attach {
		b.WriteString("--" + mixed + "\r\n")
		writeAttachment(b, a)
	}
	b.WriteString("--" + mixed + "--\r\n")
	return nil
}

// writeWords writes the text, and the HTML beside it where there is one, with
// the headers that say so.
func (l letter) writeWords(b *bytes.Buffer) error {
	if l.html == "" {
		return writePart(b, plainType, l.text)
	}
	alternative := boundary(l.messageID, "")
	writeHeader(b, "Content-Type", `multipart/alternative; boundary="`+alternative+`"`)
	b.WriteString("\r\n--" + alternative + "\r\n")
	if err := writePart(b, plainType, l.text); err != nil {
		return err
	}
	b.WriteString("--" + alternative + "\r\n")
	if err := writePart(b, htmlType, l.html); err != nil {
		return err
	}
	b.WriteString("--" + alternative + "--\r\n")
	return nil
}

// boundary is a line that parts a mail's parts. Nobody who does not know the
// secret can write it into a text beforehand, and Base64 has no "=_".
func boundary(messageID, kind string) string {
	sum := sha256.Sum256([]byte(messageID + kind))
	return "=_" + hex.EncodeToString(sum[:12])
}

// writePart writes one MIME part: as it is where every mail server takes it
// (ASCII in short lines), as quoted-printable elsewhere.
func writePart(b *bytes.Buffer, contentType, body string) error {
	b.WriteString("Content-Type: " + contentType + "\r\n")
	if !strings.HasSuffix(body, "\n") {
		body += "\n"
	}
	if travelsAsIs(body) {
		b.WriteString("Content-Transfer-Encoding: 7bit\r\n\r\n")
		b.WriteString(strings.ReplaceAll(body, "\n", "\r\n"))
		return nil
	}
	b.WriteString("Content-Transfer-Encoding: quoted-printable\r\n")
	start := b.Len()
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(b) // which also makes CRLF of LF
	if _, err := io.WriteString(w, body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	// Old mailbox files take a line that begins with "From " for the start of
	// the next message.
	if !bytes.Contains(b.Bytes()[start:], []byte("\nFrom ")) {
		return nil
	}
	safe := bytes.ReplaceAll(b.Bytes()[start:], []byte("\nFrom "), []byte("\n=46rom "))
	b.Truncate(start)
	b.Write(safe)
	return nil
}

// travelsAsIs says whether text needs no encoding: printable ASCII, no line
// longer than 78, none that a mailbox file would take for a new message.
func travelsAsIs(s string) bool {
	line := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\n':
			line = 0
			if strings.HasPrefix(s[i+1:], "From ") {
				return false
			}
			continue
		case c >= utf8.RuneSelf || c < ' ' && c != '\t' || c == 0x7f:
			return false
		}
		if line++; line > 78 {
			return false
		}
	}
	return !strings.HasPrefix(s, "From ")
}

// writeHeader folds a header at spaces so that lines stay below 78 octets
// where they can. A value never holds a line break: every caller builds it from
// cleaned text, and this is the last line of defence.
func writeHeader(b *bytes.Buffer, name, value string) {
	b.WriteString(name + ":")
	col := len(name) + 1
	for word := range strings.FieldsFuncSeq(value, isSpaceOrControl) {
		if col+1+len(word) > 77 && col > len(name)+1 {
			b.WriteString("\r\n")
			col = 0
		}
		b.WriteString(" " + word)
		col += 1 + len(word)
	}
	b.WriteString("\r\n")
}

func isSpaceOrControl(r rune) bool {
	return r <= ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029
}

// mailboxHeader writes a display name and address (RFC 5322, section 3.4).
func mailboxHeader(name, addr string) string {
	if name = displayName(name); name == "" {
		return addr
	}
	if strings.IndexFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		return encodeWords(name) + " <" + addr + ">"
	}
	if strings.ContainsAny(name, `()<>[]:;@\,."`) || strings.Contains(name, "=?") {
		name = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	}
	return name + " <" + addr + ">"
}

// longestDisplayName is how many characters of a name stand before an address.
const longestDisplayName = 100

// displayName is a name on one line, without marks that nobody sees, and no
// longer than a name is.
func displayName(name string) string {
	name = oneLine(name)
	if utf8.RuneCountInString(name) > longestDisplayName {
		name = strings.TrimSpace(string([]rune(name)[:longestDisplayName]))
	}
	return name
}

// oneLine is text on one line, without marks that turn the writing direction.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.FieldsFunc(s, isSpaceOrControl), " ")
}

// encodeWords writes text for a header: as it is when ASCII, else as encoded
// words (RFC 2047), base64 where that is shorter.
func encodeWords(s string) string {
	s = strings.Join(strings.FieldsFunc(s, isSpaceOrControl), " ")
	if strings.Contains(s, "=?") || hasLongWord(s) { // would be read as an encoded word itself, or cannot be folded
		var words []string
		for chunk := range slices.Chunk([]rune(s), 10) {
			words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(string(chunk)))+"?=")
		}
		return strings.Join(words, " ")
	}
	q := mime.QEncoding.Encode("utf-8", s)
	if bEnc := mime.BEncoding.Encode("utf-8", s); len(bEnc) < len(q) {
		return bEnc
	}
	return q
}

// longestWord is what a line of a header holds: a longer word cannot be folded,
// and beyond 998 octets no server need take it (RFC 5322, section 2.1.1).
const longestWord = 200

func hasLongWord(s string) bool {
	for word := range strings.SplitSeq(s, " ") {
		if len(word) > longestWord {
			return true
		}
	}
	return false
}

// anchorOf is the made-up id that every mail of an enrollment refers to.
func anchorOf(secret []byte, en Enrollment, domain string) string {
	en.Resends = 0
	return messageID(secret, "anchor", en, "", domain)
}

// messageID makes an id that is the same for every attempt at one step of one
// enrollment, different for an explicit resend, and reveals nothing. kind keeps
// touches and anchors apart.
func messageID(secret []byte, kind string, en Enrollment, step, domain string) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s\x00%s\x00%s\x00%d\x00%s\x00%d", kind, en.ID, en.Key, en.EnrolledAt.UnixNano(), step, en.Resends)
	id := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil))
	return strings.ToLower(id[:26]) + "@" + domain
}
