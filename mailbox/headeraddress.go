package mailbox

import (
	"slices"
	"strings"
)

// addressesIn returns the bare addresses of address fields, as written, each
// once. Names, comments and group names are dropped. A field that breaks the
// grammar still yields every word in it that looks like an address.
func addressesIn(values ...string) []string {
	var addrs []string
	for _, v := range values {
		found := mailboxList(v)
		if len(found) == 0 && strings.Contains(v, "=?") {
			found = looseAddresses(decodeWords(v)) // some encode the address along with the name
		}
		if len(found) == 0 {
			found = looseAddresses(v)
		}
		for _, a := range found {
			if !slices.Contains(addrs, a) && len(addrs) < maxFields {
				addrs = append(addrs, a)
			}
		}
	}
	return addrs
}

// mailboxList reads a list of mailboxes and groups (RFC 5322, section 3.4).
func mailboxList(s string) []string {
	var addrs []string
	var bare, angle strings.Builder
	inAngle := false
	flush := func() {
		addr := angle.String()
		if addr == "" {
			addr = wordWithAt(bare.String())
		}
		if addr = tidyAddress(addr); addr != "" {
			addrs = append(addrs, addr)
		}
		bare.Reset()
		angle.Reset()
		inAngle = false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' && !inAngle:
			end := quotedEnd(s, i)
			if end < len(s) && s[end] == '@' { // a quoted local part, not a name
				bare.WriteString(s[i:end])
			} else {
				bare.WriteByte(' ')
			}
			i = end - 1
		case c == '(' && !inAngle:
			i = commentEnd(s, i) - 1
			bare.WriteByte(' ')
		case c == '<':
			inAngle = true
			angle.Reset()
		case c == '>':
			inAngle = false
		case (c == ',' || c == ';') && !(inAngle && strings.IndexByte(s[i:], '>') >= 0):
			flush()
		case inAngle:
			angle.WriteByte(c)
		case c == ':' && !strings.Contains(bare.String(), "@"):
			bare.Reset() // the name of a group
		default:
			bare.WriteByte(c)
		}
	}
	flush()
	return addrs
}

// quotedEnd returns the index behind the quoted string that starts at i, or
// behind the lone quote when it is never closed.
func quotedEnd(s string, i int) int {
	for j := i + 1; j < len(s); j++ {
		switch s[j] {
		case '\\':
			j++
		case '"':
			return j + 1
		}
	}
	return i + 1
}

// commentEnd returns the index behind the comment that starts at i, or behind
// the lone parenthesis when it is never closed.
func commentEnd(s string, i int) int {
	depth := 0
	for j := i; j < len(s); j++ {
		switch s[j] {
		case '\\':
			j++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return j + 1
			}
		}
	}
	return i + 1
}

// wordWithAt returns the first word that holds an @.
func wordWithAt(s string) string {
	for word := range strings.FieldsSeq(s) {
		if strings.Contains(word, "@") {
			return word
		}
	}
	return ""
}

// looseAddresses returns every word that looks like an address, whatever
// stands around it.
func looseAddresses(s string) []string {
	var addrs []string
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`<>()[],;:"`, r) }) {
		if a := tidyAddress(word); a != "" {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// tidyAddress strips what broken software puts around an address, and returns
// "" for what is none.
func tidyAddress(s string) string {
	s = strings.Join(strings.Fields(s), "")
	s = strings.Trim(s, `<>'.,;:()[]`)
	if !strings.Contains(s, `"@`) {
		s = strings.Trim(s, `"`)
	}
	for _, scheme := range []string{"mailto:", "smtp:", "rfc822;", "rfc822:"} {
		if len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			s = s[len(scheme):]
		}
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.HasPrefix(s, "@") {
		s = s[i+1:] // a source route, @relay:user@host
	}
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 || len(s) > 320 || strings.ContainsAny(s, "<>, ") {
		return ""
	}
	return s
}
