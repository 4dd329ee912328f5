package mailbox

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode/utf32"
)

// decodeCharset turns bytes of a named charset into UTF-8. It never fails: an
// unknown or false name is answered by looking at the bytes themselves.
func decodeCharset(b []byte, charset string) string {
	charset = strings.ToLower(strings.Trim(strings.TrimSpace(charset), `"'`))
	charset, _, _ = strings.Cut(charset, "*") // RFC 2231, section 5: charset*language
	switch charset {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "unknown-8bit", "x-unknown", "unknown", "default", "8bit", "binary":
		return guessCharset(b)
	}
	enc := charsetNamed(charset)
	if enc == nil {
		return guessCharset(b)
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return guessCharset(b)
	}
	return tidyText(out)
}

// charsetNamed finds a charset by its registered names, those of browsers, and
// the misspellings of mail programs. What nothing here reads is nil.
func charsetNamed(name string) encoding.Encoding {
	name, _, _ = strings.Cut(name, ";")
	name = strings.Trim(name, " \t.,")
	for _, n := range []string{name, strings.ReplaceAll(name, "_", "-"), charsetAliases[name], windowsName(name), strings.TrimPrefix(name, "x-"), strings.TrimPrefix(name, "x-unknown-")} {
		if n == "" {
			continue
		}
		if enc, err := htmlindex.Get(n); err == nil && enc != encoding.Replacement {
			return enc
		}
		if enc, err := ianaindex.MIME.Encoding(n); err == nil && enc != nil && enc != encoding.Replacement {
			return enc
		}
	}
	switch name {
	case "hz-gb-2312", "hz":
		return simplifiedchinese.HZGB2312
	case "utf-32", "utf32":
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM)
	case "utf-32le":
		return utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)
	case "utf-32be":
		return utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)
	}
	return nil
}

// windowsName makes windows-1252 of cp1252, win-1252, windows1252 and ansi-1252.
func windowsName(name string) string {
	for _, prefix := range []string{"cp-", "cp", "win-", "win", "windows", "ansi-", "ms", "x-cp", "x-windows-", "ibm-"} {
		digits, found := strings.CutPrefix(name, prefix)
		if found && len(digits) >= 3 && digits[0] >= '1' && digits[0] <= '9' {
			if len(digits) == 3 {
				return "ibm" + digits
			}
			return "windows-" + digits
		}
	}
	return ""
}

// charsetAliases are names that mail programs use and no register knows.
var charsetAliases = map[string]string{
	"cp932": "shift_jis", "ms932": "shift_jis", "windows-31j": "shift_jis", "x-ms-cp932": "shift_jis", "shift-jis-2004": "shift_jis",
	"cp936": "gbk", "ms936": "gbk", "x-gb": "gbk", "gb_2312": "gbk", "gb-2312": "gbk", "euc-cn": "gbk", "gb18030-2000": "gb18030", "chinesebig5": "big5", "cp950": "big5", "big-5": "big5", "big5-hkscs:unicode": "big5",
	"cp949": "euc-kr", "ms949": "euc-kr", "ks_c_5601": "euc-kr", "ks-c-5601-1987": "euc-kr", "uhc": "euc-kr", "x-windows-949": "euc-kr",
	"latin-1": "iso-8859-1", "latin1": "iso-8859-1", "iso8859": "iso-8859-1", "iso-8859": "iso-8859-1", "8859-1": "iso-8859-1", "ansi": "windows-1252", "iso-8859-8-i": "iso-8859-8", "iso-8859-9e": "windows-1254", "koi8": "koi8-r", "koi8r": "koi8-r", "mac": "macintosh", "x-mac-roman": "macintosh", "x-mac-ce": "windows-1250", "tis620": "tis-620", "thai": "windows-874", "utf-8-mac": "utf-8", "utf8mb4": "utf-8", "utf": "utf-8", "unicode": "utf-16",
}

// guessCharset takes bytes for UTF-8 where they are, for ISO-2022-JP where its
// escapes stand, and for Windows-1252 otherwise.
func guessCharset(b []byte) string {
	if utf8.Valid(b) {
		if bytes.Contains(b, []byte("\x1b$")) {
			if out, err := japanese.ISO2022JP.NewDecoder().Bytes(b); err == nil {
				return tidyText(out)
			}
		}
		return tidyText(b)
	}
	// A single cut or spoilt letter does not make a UTF-8 text Western.
	valid, invalid := 0, 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			invalid++
		} else if n > 1 {
			valid++
		}
		i += n
	}
	if valid > 4*invalid {
		return tidyText(bytes.ToValidUTF8(b, []byte("\ufffd")))
	}
	out, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return tidyText(bytes.ToValidUTF8(b, []byte("\ufffd")))
	}
	return tidyText(out)
}

// tidyText drops NULs and a byte order mark, and makes every line end LF.
func tidyText(b []byte) string {
	s := string(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	if strings.ContainsAny(s, "\x00\r\u00ad\u200b") {
		s = textTidier.Replace(s)
	}
	return s
}

var textTidier = strings.NewReplacer("\x00", "", "\r\n", "\n", "\r", "\n", "\u00ad", "", "\u200b", "")

// decodeWords decodes the encoded words of a header field (RFC 2047) and its
// raw 8-bit bytes. Words of one charset that touch are put together before
// they are decoded: many senders split in the middle of a letter.
func decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return guessCharset([]byte(s))
	}
	var out strings.Builder
	var pending []byte // bytes of the words read last, in pendingCharset
	pendingCharset := ""
	flush := func() {
		if pendingCharset != "" {
			out.WriteString(decodeCharset(pending, pendingCharset))
		}
		pending, pendingCharset = nil, ""
	}
	for s != "" {
		start := strings.Index(s, "=?")
		if start < 0 {
			break
		}
		charset, content, rest, ok := encodedWord(s[start:])
		if !ok {
			flush()
			out.WriteString(guessCharset([]byte(s[:start+2])))
			s = s[start+2:]
			continue
		}
		between := s[:start]
		if pendingCharset == "" || strings.TrimSpace(between) != "" {
			flush()
			out.WriteString(guessCharset([]byte(between)))
		} else if !strings.EqualFold(charset, pendingCharset) {
			flush()
		}
		pending, pendingCharset = append(pending, content...), charset
		s = rest
	}
	flush()
	out.WriteString(guessCharset([]byte(s)))
	return out.String()
}

// encodedWord reads the encoded word that s starts with.
func encodedWord(s string) (charset string, content []byte, rest string, ok bool) {
	charset, s, found := strings.Cut(s[2:], "?")
	if !found || charset == "" || len(charset) > 60 || strings.ContainsAny(charset, " \t<>@") {
		return "", nil, "", false
	}
	kind, s, found := strings.Cut(s, "?")
	if !found || len(kind) != 1 {
		return "", nil, "", false
	}
	end := strings.Index(s, "?=")
	if end < 0 {
		return "", nil, "", false
	}
	word, rest := s[:end], s[end+2:]
	switch kind {
	case "b", "B":
		return charset, decodeBase64([]byte(word)), rest, true
	case "q", "Q":
		return charset, decodeQuoted([]byte(strings.ReplaceAll(word, "_", " "))), rest, true
	}
	return "", nil, "", false
}

// decodeBase64 decodes what it can: foreign bytes are skipped, padding inside
// is passed over, a cut end is dropped.
func decodeBase64(b []byte) []byte {
	out := make([]byte, 0, len(b)*3/4+3)
	var group [4]byte
	n := 0
	for _, c := range b {
		switch {
		case c == '=':
			out = appendGroup(out, group[:n])
			n = 0
			continue
		case c == '-':
			c = '+'
		case c == '_':
			c = '/'
		}
		if !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/') {
			continue
		}
		group[n] = c
		if n++; n == 4 {
			out = appendGroup(out, group[:])
			n = 0
		}
	}
	return appendGroup(out, group[:n])
}

func appendGroup(out, group []byte) []byte {
	if len(group) < 2 {
		return out
	}
	var buf [3]byte
	n, _ := base64.RawStdEncoding.Decode(buf[:], group)
	return append(out, buf[:n]...)
}

// decodeQuoted decodes quoted-printable; what is no escape stays as it is.
func decodeQuoted(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '=' {
			out = append(out, b[i])
			continue
		}
		if i+2 < len(b) {
			hi, ok1 := hexDigit(b[i+1])
			lo, ok2 := hexDigit(b[i+2])
			if ok1 && ok2 {
				out = append(out, hi<<4|lo)
				i += 2
				continue
			}
		}
		end := i + 1
		for end < len(b) && (b[end] == ' ' || b[end] == '\t' || b[end] == '\r') {
			end++
		}
		if end >= len(b) || b[end] == '\n' {
			i = end // a soft line break
			continue
		}
		out = append(out, '=')
	}
	return out
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}
