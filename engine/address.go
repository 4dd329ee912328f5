package engine

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// maxAddress is the longest address SMTP can carry (RFC 5321, section 4.5.3.1.3:
// a path of 256 octets with its angle brackets).
const maxAddress = 254

// CleanAddress checks an e-mail address as a person typed it and returns it in
// the form that is stored and written to: trimmed, the domain in lower-case
// ASCII (IDNA). The error says in a person's words what is wrong. Addresses
// with quoted local parts or address literals are refused: no business mailbox
// has one, and each has been used to smuggle commands.
func CleanAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return "", errors.New("the address is empty")
	case !utf8.ValidString(s):
		return "", errors.New("the address is not valid UTF-8")
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		return "", fmt.Errorf("the address %q contains a line break or another invisible character", s)
	case strings.ContainsFunc(s, unicode.IsSpace):
		return "", fmt.Errorf("the address %q contains a space", s)
	case strings.ContainsAny(s, `<>(),;:\"[]`):
		return "", fmt.Errorf("the address %q contains a character that no mailbox has", s)
	}
	local, domain, found := strings.Cut(s, "@")
	if !found || local == "" || domain == "" || strings.Contains(domain, "@") {
		return "", fmt.Errorf("%q is not an address like anna@example.com", s)
	}
	if strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return "", fmt.Errorf("the address %q has a misplaced dot", s)
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || !strings.Contains(ascii, ".") || strings.HasSuffix(ascii, ".") || strings.HasPrefix(ascii, ".") || strings.Contains(ascii, "..") {
		return "", fmt.Errorf("%q is not a domain that mail can be sent to", domain)
	}
	if len(local) > 64 || len(local)+1+len(ascii) > maxAddress {
		return "", fmt.Errorf("the address %q is too long", s)
	}
	return local + "@" + ascii, nil
}

// AddressKey returns the form in which two addresses of one person are equal:
// case-folded, without a plus-tag, and for Gmail without dots. It is used to
// match, to suppress and to index, never to send to. An address that
// CleanAddress refuses still gets a key, so that foreign headers can be looked
// up: its trimmed, lower-cased self.
func AddressKey(addr string) string {
	addr = strings.ToLower(strings.TrimSpace(addr))
	local, domain, found := strings.Cut(addr, "@")
	if !found {
		return addr
	}
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if domain == "gmail.com" {
		local = strings.ReplaceAll(local, ".", "")
	}
	return local + "@" + domain
}

// AddressDomain returns the part of an address or key after the @.
func AddressDomain(addr string) string {
	return addr[strings.LastIndexByte(addr, '@')+1:]
}

// CleanMessageID returns a Message-ID without its angle brackets and
// surrounding space, the form in which ids are stored and compared (RFC 5322,
// section 3.6.4). Ids are case-sensitive and stay as they are.
func CleanMessageID(id string) string {
	return strings.Trim(strings.TrimSpace(id), "<>")
}
