package templates

import (
	"strings"

	"github.com/yuin/goldmark/util"
)

// The document around a mail: what a mail program writes for words typed by
// hand. It loads nothing. All styles stand in the elements, because Gmail and
// Outlook drop style sheets, and on a div, because they drop the body. Colours
// are left to the mail program, so that a dark one can choose its own; the
// greys of the lines can be seen on white and on black.
const (
	htmlOpen = `<!DOCTYPE html>
<html`
	htmlHead = `>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
</head>
<body>
<div style="font-family: Arial, Helvetica, sans-serif; font-size: 14px; line-height: 1.5; overflow-wrap: break-word;">
`
	htmlFoot = `</div>
</body>
</html>
`
	fontStyle      = "font-family: Arial, Helvetica, sans-serif; font-size: 14px; " // Outlook lets no table inherit it
	paragraphStyle = "margin: 0 0 1em;"
	listStyle      = "margin: 0 0 1em; padding-left: 2em;"
	quoteStyle     = "margin: 0 0 1em; padding-left: 1em; border-left: 2px solid #999999;"
	codeStyle      = "margin: 0 0 1em; font-family: Menlo, Consolas, monospace; font-size: 13px; white-space: pre-wrap;"
	wordStyle      = "font-family: Menlo, Consolas, monospace; font-size: 13px;"
	ruleStyle      = "margin: 1em 0; border: 0; border-top: 1px solid #999999;"
	tableStyle     = "margin: 0 0 1em; border-collapse: collapse;"
	cellStyle      = fontStyle + "padding: %s; vertical-align: top; text-align: %s;"
	headStyle      = fontStyle + "padding: %s; vertical-align: bottom; text-align: %s; border-bottom: 1px solid #999999;"
)

// headingStyles are those of the first three levels of a mail's headings; the
// deeper ones look like the third.
var headingStyles = [...]string{
	"margin: 1em 0 0.5em; font-size: 18px; line-height: 1.3;",
	"margin: 1em 0 0.5em; font-size: 16px; line-height: 1.3;",
	"margin: 1em 0 0.5em; font-size: 14px; line-height: 1.3;",
}

// directed is a style in the direction of the words. Mail programs do not know
// margins and borders that follow it by themselves.
func (h *htmlWriter) directed(style string) string {
	if !h.rtl {
		return style
	}
	return mirrored.Replace(style)
}

var mirrored = strings.NewReplacer("padding-left", "padding-right", "border-left", "border-right")

// headFor is the document's beginning.
func headFor(language string) string {
	attributes := ""
	if language != "" {
		attributes = ` lang="` + string(util.EscapeHTML([]byte(language))) + `"`
	}
	if rightToLeft(language) {
		attributes += ` dir="rtl"`
	}
	return htmlOpen + attributes + htmlHead
}
