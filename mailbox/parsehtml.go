package mailbox

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// htmlText turns HTML into lines of text. What is quoted comes out with "> "
// before it, as in plain text. It works on whatever stands there, well formed
// or not, and runs no further than the tokens go.
func htmlText(source string) string {
	w := htmlWriter{}
	z := html.NewTokenizer(strings.NewReader(source))
	z.SetMaxBuf(maxText)
	for {
		switch z.Next() {
		case html.ErrorToken:
			return w.out.String()
		case html.TextToken:
			w.text(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			name, attributes := z.TagName()
			w.open(string(name))
			if attributes && quoteMarked(z) {
				w.out.WriteString("\n" + quoteRule + "\n")
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			w.close(string(name))
		}
	}
}

// quoteRule stands where a mail program marks the start of a quote in HTML
// that it does not put into a blockquote.
const quoteRule = "-----Original Message-----"

// quoteMarked says whether the present tag is one that Gmail, Yahoo or Outlook
// begin the quoted mail with.
func quoteMarked(z *html.Tokenizer) bool {
	for range 20 {
		key, value, more := z.TagAttr()
		if k := string(key); k == "class" || k == "id" {
			for _, mark := range []string{"gmail_quote", "yahoo_quoted", "divRplyFwdMsg", "OLK_SRC_BODY_SECTION"} {
				if bytes.Contains(value, []byte(mark)) {
					return true
				}
			}
		}
		if !more {
			break
		}
	}
	return false
}

type htmlWriter struct {
	out     strings.Builder
	quotes  int  // depth of blockquotes
	hidden  int  // depth of elements whose text is not shown
	midline bool // something stands on the present line
}

func (w *htmlWriter) text(raw []byte) {
	if w.hidden > 0 {
		return
	}
	words := strings.Fields(html.UnescapeString(string(raw)))
	if len(words) == 0 {
		return
	}
	if !w.midline {
		w.out.WriteString(strings.Repeat("> ", min(w.quotes, 8)))
	} else if isSpace(raw[0]) {
		w.out.WriteByte(' ')
	}
	w.out.WriteString(strings.Join(words, " "))
	if isSpace(raw[len(raw)-1]) {
		w.out.WriteByte(' ')
	}
	w.midline = true
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func (w *htmlWriter) open(name string) {
	switch name {
	case "script", "style", "title", "noscript":
		w.hidden++
	case "blockquote":
		w.newline()
		w.quotes++
	case "br", "p", "div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre":
		w.newline()
	}
}

func (w *htmlWriter) close(name string) {
	switch name {
	case "script", "style", "title", "noscript":
		w.hidden = max(0, w.hidden-1)
	case "blockquote":
		w.newline()
		w.quotes = max(0, w.quotes-1)
	case "p", "div", "tr", "li", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre":
		w.newline()
	}
}

func (w *htmlWriter) newline() {
	if w.hidden == 0 {
		w.out.WriteByte('\n')
		w.midline = false
	}
}
