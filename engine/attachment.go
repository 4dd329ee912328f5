package engine

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"nudge/sequences"
)

// writeAttachment writes one file as a MIME part, headers and all.
func writeAttachment(b *bytes.Buffer, a sequences.Attachment) {
	writeHeader(b, "Content-Type", a.Type)
	writeHeader(b, "Content-Disposition", "attachment; "+fileNameOf(a.Name))
	b.WriteString("Content-Transfer-Encoding: base64\r\n\r\n")
	// Lines of 76, as RFC 2045 (section 6.8) has it: 57 bytes each.
	const line = 57
	var encoded [base64Line]byte
	for rest := a.Content; len(rest) > 0; {
		n := min(line, len(rest))
		base64.StdEncoding.Encode(encoded[:], rest[:n])
		b.Write(encoded[:base64.StdEncoding.EncodedLen(n)])
		b.WriteString("\r\n")
		rest = rest[n:]
	}
}

const base64Line = 76

// encodedSize is about how many bytes attachments take in a mail.
func encodedSize(files []sequences.Attachment) int {
	n := 0
	for _, a := range files {
		n += base64.StdEncoding.EncodedLen(len(a.Content))*(base64Line+2)/base64Line + 512
	}
	return n
}

// plainName are the characters that a file's name may have in quotes without
// any reader taking them for something else.
const plainName = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,+()&@'!#$~ "

// longestName is how much of a name stands in one parameter, so that header
// lines stay below 78 octets.
const longestName = 60

// fileNameOf is the parameter that carries a file's name: in quotes where it is
// short and plain, else as RFC 2231 has it, in several sections where it is
// long. No name can end the header or the line.
func fileNameOf(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if len(name) <= longestName && strings.Trim(name, plainName) == "" && !strings.Contains(name, "  ") {
		return `filename="` + name + `"`
	}
	var sections []string
	section := "utf-8''"
	for _, r := range name {
		word := percentEncoded(string(r))
		if len(section)+len(word) > longestName {
			sections = append(sections, section)
			section = ""
		}
		section += word
	}
	sections = append(sections, section)
	if len(sections) == 1 {
		return "filename*=" + sections[0]
	}
	for i, s := range sections {
		sections[i] = fmt.Sprintf("filename*%d*=%s", i, s)
	}
	return strings.Join(sections, "; ")
}

// percentEncoded writes all but letters, digits and - . _ ~ as %XX: what RFC
// 2231 allows in a parameter and RFC 6068 in a mailto: address.
func percentEncoded(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c < utf8.RuneSelf && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0):
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
		}
	}
	return b.String()
}

// unsubscribeAt is the address of List-Unsubscribe (RFC 2369): a mail to the
// mailbox itself whose subject is an opt-out. Who sends it says whom it
// concerns, as with every other answer.
func unsubscribeAt(address string) string {
	return "mailto:" + mailtoAddress(address) + "?subject=unsubscribe"
}

// mailtoAddress is an address as it stands in a mailto: link.
func mailtoAddress(address string) string {
	at := strings.LastIndexByte(address, '@')
	return percentEncoded(address[:max(at, 0)]) + "@" + percentEncoded(address[at+1:])
}
