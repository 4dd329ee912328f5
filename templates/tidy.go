package templates

import "bytes"

// tidy removes what untaken branches leave behind: empty paragraphs, items and
// lists; and it joins lists that only tags had parted.
func tidy(page []byte) []byte {
	out := make([]byte, 0, len(page))
	for {
		start := bytes.IndexByte(page, '<')
		if start < 0 {
			return append(out, page...)
		}
		end := start + bytes.IndexByte(page[start:], '>') + 1
		if end <= start {
			return append(out, page...)
		}
		joins := start > 0 && page[start-1] == joinMark
		if joins {
			out = append(out, page[:start-1]...)
		} else {
			out = append(out, page[:start]...)
		}
		tag := page[start:end]
		page = page[end:]
		switch before, joined := bytes.CutSuffix(bytes.TrimRight(out, "\n "), closing(tag)); {
		case joins && joined:
			out, page = before, bytes.TrimPrefix(page, []byte("\n"))
		case tag[1] == '/':
			out = closeElement(out, tag)
		default:
			out = append(out, tag...)
		}
	}
}

// closing is the tag that ends the list that an opening tag begins.
func closing(opening []byte) []byte {
	if bytes.HasPrefix(opening, []byte("<ol")) {
		return []byte("</ol>")
	}
	return []byte("</ul>")
}

// closeElement ends an element, or removes it when nothing is inside.
func closeElement(out, tag []byte) []byte {
	body := bytes.TrimRight(out, " \n")
	open := bytes.LastIndexByte(body, '<')
	if open < 0 || body[len(body)-1] != '>' {
		return append(out, tag...)
	}
	name, _, _ := bytes.Cut(bytes.Trim(body[open:], "<>"), []byte(" "))
	switch string(name) {
	case "pre", "body", "div", "td", "th": // they hold their place
		return append(out, tag...)
	}
	if !bytes.Equal(name, tag[2:len(tag)-1]) {
		return append(out, tag...)
	}
	return bytes.TrimRight(body[:open], "\n")
}
