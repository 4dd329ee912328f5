package mailbox

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// htmlText turns HTML into lines of text. What is quoted comes out with "> "
// before it, as in plain text, whether a blockquote or a mark of some mail
// program says so; signatures stand below "-- ". It works on whatever stands
// there, well formed or not, and runs no further than the tokens go.
func htmlText(source string) string {
	w := htmlWriter{}
	z := html.NewTokenizer(strings.NewReader(source))
	z.SetMaxBuf(maxText)
	for {
		switch z.Next() {
		case html.ErrorToken:
			return w.all()
		case html.TextToken:
			w.text(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			name, attributes := z.TagName()
			tag := string(name)
			var mark markOf
			if attributes {
				mark = markIn(z, tag)
			}
			w.open(tag, mark)
		case html.EndTagToken:
			name, _ := z.TagName()
			w.close(string(name))
		}
	}
}

// quoteRule stands where a mail program marks the start of a quote in HTML
// that it does not put into any element.
const quoteRule = "-----Original Message-----"

// markOf is what the attributes of an element say of its text.
type markOf int

// The marks in the order in which one beats another on the same element.
const (
	noMark        markOf = iota
	indentMark           // a blockquote that only indents
	signatureSign        // a signature
	ruleMark             // everything from here on is quoted
	containerMark        // holds an introduction and a quote: what follows the quote in it is new
	quoteMark            // quoted by somebody
	hiddenMark           // not shown
)

// markWords stand in the class or id, or data-marker, of elements by which
// mail programs mark quotes and signatures.
var markWords = []struct {
	word string
	mark markOf
}{
	{"gmail_attr", quoteMark}, {"moz-cite-prefix", quoteMark}, {"yahoo_quoted", quoteMark}, {"reply-intro", quoteMark}, {"isReplyContent", quoteMark}, {"mail-quote-collapse", quoteMark}, {"spark_quote", quoteMark}, {"sh-quoted-content", quoteMark}, {"front-blockquote", quoteMark}, {"hs_reply", quoteMark}, {"tutanota_quote", quoteMark}, {"mail-editor-reference-message-container", quoteMark}, {"mailcontainer_quoted", quoteMark}, {"OLK_SRC_BODY_SECTION", quoteMark}, {"WordSection1_quoted", quoteMark}, {"quoted-content", quoteMark}, {"replyforwardcontainer", quoteMark}, {"ms-outlook-mobile-reference-message", quoteMark}, {"reply_quote", quoteMark}, {"cm_quote", quoteMark}, {"__QUOTED_TEXT__", quoteMark}, {"__HEADERS__", quoteMark},
	{"gmail_quote", containerMark}, {"protonmail_quote", containerMark}, {"zmail_extra", containerMark}, {"zmail_quoted", containerMark},
	{"divRplyFwdMsg", ruleMark}, {"zwchr", ruleMark}, {"__DIVIDER__", ruleMark}, {"OutlookMessageHeader", ruleMark}, {"reply-separator", ruleMark},
	{"gmail_signature", signatureSign}, {"moz-signature", signatureSign}, {"ms-outlook-mobile-signature", signatureSign}, {"protonmail_signature_block", signatureSign}, {"AppleMailSignature", signatureSign}, {"x_Signature", signatureSign}, {"__SIG", signatureSign}, {"mailbox_signature", signatureSign}, {"bloop_sign", signatureSign},
}

// markIn reads the attributes of the present tag.
func markIn(z *html.Tokenizer, tag string) markOf {
	mark := noMark
	for range 30 {
		key, value, more := z.TagAttr()
		found := noMark
		switch string(key) {
		case "class", "id", "data-marker", "name":
			found = markNamed(value, tag)
		case "style":
			found = styleMark(bytes.ToLower(value), tag)
		case "type":
			if tag == "blockquote" && string(value) == "cite" {
				found = quoteMark
			}
		case "hidden":
			found = hiddenMark
		}
		mark = max(mark, found)
		if !more {
			break
		}
	}
	return mark
}

func markNamed(value []byte, tag string) markOf {
	if tag == "div" && string(value) == "quote" || string(value) == "Signature" {
		if string(value) == "quote" {
			return quoteMark // GMX and WEB.DE
		}
		return signatureSign
	}
	for _, m := range markWords {
		if bytes.Contains(value, []byte(m.word)) {
			if m.mark == containerMark && tag == "blockquote" {
				return quoteMark
			}
			return m.mark
		}
	}
	return noMark
}

// styleMark knows what is only marked by its looks: hidden text, the line that
// Outlook draws above a quote, and a blockquote that somebody indented with.
func styleMark(style []byte, tag string) markOf {
	style = bytes.ReplaceAll(style, []byte(" "), nil)
	switch {
	case bytes.Contains(style, []byte("display:none")), bytes.Contains(style, []byte("mso-hide:all")), bytes.Contains(style, []byte("visibility:hidden")):
		return hiddenMark
	case tag == "div" && (bytes.Contains(style, []byte("border-top:solid#e1e1e1")) || bytes.Contains(style, []byte("border-top:solid#b5c4df"))):
		return ruleMark
	case tag == "blockquote" && bytes.Contains(style, []byte("border:none")) && bytes.Contains(style, []byte("40px")):
		return indentMark
	}
	return noMark
}

type htmlWriter struct {
	out     strings.Builder
	signed  strings.Builder // signatures, which come last
	stack   []element
	quotes  int  // elements around that are quoted
	hidden  int  // elements around whose text is not shown
	signing int  // signatures around
	midline bool // something stands on the present line
}

// element is an open element that changes how its text is read.
type element struct {
	name   string
	mark   markOf
	quoted bool // a container whose quote has not begun yet
}

// maxElements bounds how many open elements are remembered.
const maxElements = 500

func (w *htmlWriter) text(raw []byte) {
	if w.hidden > 0 {
		return
	}
	words := strings.Fields(html.UnescapeString(string(raw)))
	if len(words) == 0 {
		if w.midline && len(raw) > 0 {
			w.place().WriteByte(' ')
		}
		return
	}
	out := w.place()
	if !w.midline {
		out.WriteString(strings.Repeat("> ", min(w.quotes, 8)))
	} else if isSpace(raw[0]) {
		out.WriteByte(' ')
	}
	out.WriteString(strings.Join(words, " "))
	if isSpace(raw[len(raw)-1]) {
		out.WriteByte(' ')
	}
	w.midline = true
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func (w *htmlWriter) open(name string, mark markOf) {
	switch name {
	case "script", "style", "title", "noscript", "template", "select":
		mark = hiddenMark
	case "blockquote":
		if mark != indentMark && mark != hiddenMark {
			mark = quoteMark
		}
		w.newline()
	case "br", "p", "div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre":
		w.newline()
	}
	switch name {
	case "br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr":
		if mark == ruleMark {
			w.rule()
		}
		return // these hold nothing
	}
	if mark == noMark && !tracked(name) || len(w.stack) >= maxElements {
		return
	}
	w.push(name, mark)
}

// tracked says whether elements of that name may close one that is marked.
func tracked(name string) bool {
	switch name {
	case "div", "blockquote", "span", "p", "section", "td", "table", "pre", "a", "font", "b":
		return true
	}
	return false
}

func (w *htmlWriter) push(name string, mark markOf) {
	e := element{name: name, mark: mark}
	switch mark {
	case quoteMark:
		w.newlineAt(name)
		if name == "blockquote" {
			w.endIntroduction()
		}
		w.quotes++
	case containerMark:
		w.newlineAt(name)
		w.quotes++
		e.quoted = true
	case hiddenMark:
		w.hidden++
	case ruleMark:
		w.rule()
	case signatureSign:
		w.newlineAt(name)
		w.signing++
	}
	w.stack = append(w.stack, e)
}

// endIntroduction is called where a blockquote begins: what follows it in the
// container around is new.
func (w *htmlWriter) endIntroduction() {
	for i := range w.stack {
		if w.stack[i].quoted {
			w.stack[i].quoted = false
			w.quotes--
		}
	}
}

func (w *htmlWriter) rule() {
	if w.hidden == 0 && w.quotes == 0 {
		w.out.WriteString("\n" + quoteRule + "\n")
		w.midline = false
	}
}

func (w *htmlWriter) close(name string) {
	switch name {
	case "p", "div", "tr", "li", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote":
		w.newline()
	}
	for i := len(w.stack) - 1; i >= max(0, len(w.stack)-60); i-- {
		if w.stack[i].name == name {
			for _, e := range w.stack[i:] {
				w.leave(e)
			}
			w.stack = w.stack[:i]
			return
		}
	}
}

func (w *htmlWriter) leave(e element) {
	switch {
	case e.mark == hiddenMark:
		w.hidden = max(0, w.hidden-1)
	case e.mark == signatureSign:
		w.newlineAt(e.name)
		w.signing = max(0, w.signing-1)
	case e.mark == quoteMark, e.mark == containerMark && e.quoted:
		w.newlineAt(e.name)
		w.quotes = max(0, w.quotes-1)
	}
}

// newlineAt begins a line where the element by itself does not.
func (w *htmlWriter) newlineAt(name string) {
	switch name {
	case "div", "p", "blockquote", "table", "pre":
		return
	}
	w.newline()
}

func (w *htmlWriter) newline() {
	if w.hidden == 0 {
		w.place().WriteByte('\n')
		w.midline = false
	}
}

// place is where the text of the present element goes: a signature that is
// not inside a quote is kept for the end.
func (w *htmlWriter) place() *strings.Builder {
	if w.signing > 0 && w.quotes == 0 {
		return &w.signed
	}
	return &w.out
}

func (w *htmlWriter) all() string {
	if strings.TrimSpace(w.signed.String()) == "" {
		return w.out.String()
	}
	return w.out.String() + "\n-- \n" + w.signed.String()
}
