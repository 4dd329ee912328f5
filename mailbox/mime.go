package mailbox

import (
	"bytes"
	"strconv"
	"strings"
)

// Bounds on what hostile mail can make us do.
const (
	maxDepth = 12  // multiparts and messages inside each other
	maxParts = 300 // parts in one message, at any depth
)

// part is one node of a message's MIME tree, in the order of the text.
type part struct {
	header    header
	mediaType string // lower-case, "text/plain" when not said
	params    map[string]string
	body      []byte // decoded from its transfer encoding; nil for containers
	returned  bool   // inside a message that this message carries
	leaf      bool
	parent    string // media type of the container, "" at the top
}

// message is a mail taken apart.
type message struct {
	header header
	body   []byte // as it came, for what MIME does not explain
	parts  []part
}

// readMessage takes a mail apart. Broken MIME loses nothing: what cannot be
// split stays one part of text.
func readMessage(raw []byte) message {
	h, body := splitHeader(raw)
	m := message{header: h, body: body}
	m.walk(h, body, place{})
	return m
}

// place is where in the tree the walk stands.
type place struct {
	depth    int
	returned bool
	parent   string
}

func (m *message) walk(h header, body []byte, at place) {
	if len(m.parts) >= maxParts {
		return
	}
	mediaType, params := mediaTypeOf(h)
	if mediaType == "" {
		mediaType = "text/plain"
		if at.parent == "multipart/digest" {
			mediaType = "message/rfc822"
		}
	}
	p := part{header: h, mediaType: mediaType, params: params, returned: at.returned, parent: at.parent}
	below := place{depth: at.depth + 1, returned: at.returned, parent: mediaType}
	if strings.HasPrefix(mediaType, "multipart/") && at.depth < maxDepth {
		if pieces := splitMultipart(body, params["boundary"]); len(pieces) > 0 {
			m.parts = append(m.parts, p)
			for _, piece := range pieces {
				ph, pb := splitPart(piece)
				m.walk(ph, pb, below)
			}
			return
		}
		p.mediaType = "text/plain" // it is no multipart, whatever it says
	}
	p.leaf, p.body = true, decodeTransfer(body, h.get("Content-Transfer-Encoding"))
	m.parts = append(m.parts, p)
	if (mediaType == "message/rfc822" || mediaType == "message/global") && at.depth < maxDepth {
		below.returned = true
		ih, ib := splitHeader(p.body)
		m.walk(ih, ib, below)
	}
}

// splitPart parts the text between two boundaries. A part that begins with an
// empty line has no header.
func splitPart(piece []byte) (header, []byte) {
	line, rest := cutLine(piece)
	if len(bytes.TrimSpace(line)) == 0 {
		return nil, rest
	}
	if _, _, ok := cutField(line); !ok {
		return nil, piece
	}
	return splitHeader(piece)
}

// splitMultipart returns what stands between the boundaries. A missing last
// boundary ends the last part with the text; a boundary that is not named or
// does not occur is looked for in the body.
func splitMultipart(body []byte, boundary string) [][]byte {
	pieces := splitAt(body, boundary)
	if len(pieces) == 0 {
		pieces = splitAt(body, likelyBoundary(body))
	}
	return pieces
}

func splitAt(body []byte, boundary string) [][]byte {
	if boundary == "" {
		return nil
	}
	delimiter := []byte("--" + boundary)
	var pieces [][]byte
	start := -1
	for pos := 0; pos < len(body) && len(pieces) < maxParts; {
		line, after := cutLine(body[pos:])
		next := len(body) - len(after)
		if tail, found := bytes.CutPrefix(line, delimiter); found {
			tail = bytes.TrimSpace(tail)
			if closing := string(tail) == "--"; closing || len(tail) == 0 {
				if start >= 0 {
					pieces = append(pieces, body[start:pos])
				}
				if start = next; closing {
					return pieces
				}
			}
		}
		pos = next
	}
	if start >= 0 && start < len(body) {
		pieces = append(pieces, body[start:])
	}
	return pieces
}

// likelyBoundary finds a line that looks like a boundary: it starts with "--"
// and a field of a part header follows.
func likelyBoundary(body []byte) string {
	for rest := body; len(rest) > 0; {
		line, after := cutLine(rest)
		line = bytes.TrimRight(line, " \t")
		if len(line) > 4 && bytes.HasPrefix(line, []byte("--")) && len(after) > 8 && bytes.EqualFold(after[:8], []byte("content-")) {
			return string(line[2:])
		}
		rest = after
	}
	return ""
}

func decodeTransfer(body []byte, encoding string) []byte {
	encoding, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(encoding)), ";")
	switch strings.Trim(encoding, ` "'`) {
	case "base64":
		return decodeBase64(body)
	case "quoted-printable":
		return decodeQuoted(body)
	}
	return body
}

// mediaTypeOf reads Content-Type (RFC 2045, section 5.1, and the split and
// encoded parameters of RFC 2231), and is content with what broken software
// writes. The type is lower-case and empty when there is none.
func mediaTypeOf(h header) (string, map[string]string) {
	value := h.get("Content-Type")
	first, rest, _ := strings.Cut(value, ";")
	mediaType := strings.ToLower(strings.TrimSpace(first))
	if i := strings.IndexAny(mediaType, " \t("); i >= 0 {
		mediaType = mediaType[:i]
	}
	if !strings.Contains(mediaType, "/") {
		mediaType = ""
	}
	return mediaType, parameters(rest)
}

func parameters(s string) map[string]string {
	params := map[string]string{}
	split := false
	for s != "" && len(params) < 50 {
		var name string
		s = strings.TrimLeft(s, "; \t")
		end := strings.IndexAny(s, "=;")
		if end < 0 {
			break
		}
		if s[end] == ';' {
			s = s[end+1:]
			continue
		}
		name, s = strings.ToLower(strings.TrimSpace(s[:end])), strings.TrimLeft(s[end+1:], " \t")
		var value string
		if strings.HasPrefix(s, `"`) {
			end = quotedEnd(s, 0)
			value = strings.ReplaceAll(strings.Trim(s[:end], `"`), `\`, "")
			s = s[end:]
		} else {
			end = strings.IndexByte(s, ';')
			if end < 0 {
				end = len(s)
			}
			value, s = strings.TrimSpace(s[:end]), s[end:]
		}
		split = split || strings.Contains(name, "*")
		if _, dup := params[name]; !dup {
			params[name] = value
		}
	}
	if split {
		joinSplit(params)
	}
	return params
}

// joinSplit puts boundary*0, boundary*1, … together, and drops the marks of an
// encoded value.
func joinSplit(params map[string]string) {
	for _, name := range []string{"boundary", "charset", "report-type", "method"} {
		if params[name] != "" {
			continue
		}
		var joined strings.Builder
		joined.WriteString(unmark(params[name+"*"]))
		for i := range 10 {
			key := name + "*" + strconv.Itoa(i)
			joined.WriteString(params[key] + unmark(params[key+"*"]))
		}
		if joined.Len() > 0 {
			params[name] = joined.String()
		}
	}
}

func unmark(s string) string {
	if i := strings.LastIndexByte(s, '\''); i >= 0 {
		return s[i+1:]
	}
	return s
}
