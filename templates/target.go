package templates

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/util"
)

// target prepares a link's target: percent-encoded, its tags told where they
// stand in it. It is empty when the target is of a kind that does not belong in
// a mail, such as javascript:.
func (d *document) target(destination []byte) (string, error) {
	first, index, _, _ := d.cut(string(destination))
	by, ok := byte(byPart), true
	switch scheme(first) {
	case "http", "https":
	case "mailto":
		by = byMail
	case "":
		if first == "" && index >= 0 {
			by = byTarget
		}
	default:
		ok = false
	}
	if !ok {
		return "", nil
	}
	if isWWW(first) {
		destination = append([]byte("https://"), destination...)
	}
	var b strings.Builder
	for rest := string(destination); rest != ""; {
		var literal string
		literal, index, _, rest = d.cut(rest)
		b.Write(util.URLEscape([]byte(literal), false))
		if index < 0 {
			continue
		}
		if t := d.tags[index]; t.kind == controlTag {
			return "", errorAt(t.at, "a link target can hold {{ … }}, but not %s", t.source)
		}
		b.WriteString(d.word(index, by))
		if by == byTarget {
			by = byPart
		}
	}
	return b.String(), nil
}

// leads is where a link leads; "" = nowhere, also where it stands in another,
// and words alone are written.
func (d *document) leads(n ast.Node) (string, error) {
	if inLink(n) {
		return "", nil
	}
	return d.target(destination(n))
}

// scheme is what stands before the colon of an absolute address, in lower
// case, else "". Everything a mail program might take for a scheme counts.
func scheme(address string) string {
	i := strings.IndexAny(address, ":/?#")
	if i < 0 || address[i] != ':' {
		return ""
	}
	if i == 0 {
		return ":"
	}
	return strings.ToLower(strings.TrimSpace(address[:i]))
}

// allowed says whether a link of this scheme may go out.
func allowed(scheme string) bool {
	return scheme == "http" || scheme == "https" || scheme == "mailto"
}

// wholeTarget makes a link target of a value that stands at its beginning. An
// address without a scheme gets one; any scheme but http, https and mailto
// leaves "#", which leads nowhere, and so does http: without a host.
func wholeTarget(value string) string {
	value = strings.Join(strings.Fields(value), "")
	kind := scheme(value)
	dotted := strings.Contains(value, ".")
	switch {
	case kind == "mailto":
	case allowed(kind) && strings.HasPrefix(value[len(kind):], "://"):
	case strings.Contains(kind, ".") && isPort(value[len(kind)+1:]):
		value = "https://" + value // a host with its port
	case kind != "" || !dotted || strings.IndexByte("/#?.", value[0]) >= 0:
		return "#"
	case strings.Contains(value, "@") && !strings.Contains(value, "/"):
		value = "mailto:" + value
	default:
		value = "https://" + value
	}
	if scheme(value) == "mailto" { // a value names an address, it writes no headers
		value, _, _ = strings.Cut(value, "?")
	}
	return string(util.URLEscape([]byte(value), false))
}

// isPort says whether s begins with a port number.
func isPort(s string) bool {
	s, _, _ = strings.Cut(s, "/")
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// appendTarget, appendPart and appendMail write a value into a link target of
// the plain text, the appendHref kind into one of the HTML.
func appendTarget(dst []byte, value string) []byte { return append(dst, wholeTarget(value)...) }
func appendPart(dst []byte, value string) []byte   { return appendEncoded(dst, value, "/") }
func appendMail(dst []byte, value string) []byte   { return appendEncoded(dst, value, "@") }

func appendHref(dst []byte, value string) []byte { return appendHTML(dst, wholeTarget(value)) }

// appendEncoded percent-encodes all but the unreserved characters (RFC 3986,
// section 2.3) and those in also.
func appendEncoded(dst []byte, value, also string) []byte {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			strings.IndexByte("-._~", c) >= 0, strings.IndexByte(also, c) >= 0:
			dst = append(dst, c)
		default:
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// sameTarget says whether a link's words already show its target.
func sameTarget(label, target []byte) bool {
	for _, prefix := range []string{"https://", "http://", "mailto:"} {
		if rest, ok := bytes.CutPrefix(target, []byte(prefix)); ok {
			return bytes.Equal(label, target) || bytes.Equal(label, bytes.TrimSuffix(rest, []byte("/"))) ||
				bytes.Equal(label, rest)
		}
	}
	return bytes.Equal(label, target)
}
