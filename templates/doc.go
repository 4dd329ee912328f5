// Package templates is words: a prospect's fields poured into Markdown.
//
// Package sequences calls Parse for each body and ParseLine for each subject
// when a file is loaded, and reads Uses to find fields that no prospect brings.
// Package engine calls Render when a touch is composed, and holds the prospect
// when the answer is a *MissingError.
//
// # The language
//
// A body is CommonMark with tables, and with bare web addresses as links.
// Liquid tags may stand anywhere in it, also in link targets and code:
//
//	{{ first_name }}                       the field, which must have a value
//	{{ first_name | default: "there" }}    or these words
//	{{ sender.name }}                      a dotted name is one field
//	{% if amount > 5000 %} … {% elsif plan == "b" %} … {% else %} … {% endif %}
//	{% unless phone %} … {% endunless %}
//	{% case plan %}{% when "a", "b" %} … {% else %} … {% endcase %}
//	{% for item in items | split: ";" %} … {% endfor %}
//	{% assign total = amount | times: 1.25 %}
//	{% render "guarantee" %}               the words of a partial
//	{% comment %} … {% endcomment %}  and  {% raw %}{{ as it is }}{% endraw %}
//
// A line that holds only {% … %} tags stands between paragraphs and leaves no
// trace; between the rows of a table it makes rows. A tag that opens in a paragraph, list item or emphasis closes at the
// same depth. Conditions are joined by and, or, read from the right as
// everywhere in Liquid, and compare with ==, !=, <, >, <=, >= and contains.
// What looks like a number compares as one: 6200, -3.5, 12,500.00, 1 250; but
// not 0123, which is an article number or a telephone. A comparison that asks
// for more or less than a number is false for a value that is not one. A
// missing field equals "" and blank, and alone it is false. The names true,
// false, nil, null, blank, empty, and, or, contains and in are Liquid's own.
//
// Dates are read in the usual ways (2026-03-14, 14 March 2026, 2026-03-14
// 15:30); date writes them, plus_days and plus_business_days move them. They
// are read and written in the zone that RenderIn is given, also those that
// name an offset of their own. Of
// fields that hold a date in words, today and next_touch, these filters read
// the other form, in today.iso and next_touch.iso.
//
// A partial is put in before anything is parsed, so it may hold paragraphs and
// lists; one of several lines needs a line of its own. What opens in it closes
// in it. Where Options name one as the signature, it stands for {{ signature }}
// and keeps its line breaks.
//
// A dash in a tag ({%- and -%}) removes spaces beside it within its line.
// Underlined headings do not exist, so that "-- " on a line is the signature
// separator it is in mail. Images become links, within a link words. HTML
// comments are dropped; any other HTML is shown as it was typed. Remarks names
// the places that will not look in the mail as they do here. HTML, includes, files and the clock are
// out of a template's reach.
//
// # How it is compiled
//
// The tags are found first and stand as opaque words while goldmark parses the
// Markdown, once. The one tree is written out twice, as HTML and as a plain
// stream of paragraphs, and each becomes a Liquid program: fields outside of
// conditions are looked up directly, the rest runs in package liquid. Values
// enter after all parsing, escaped for the place where they stand. So a value
// can become neither Markdown nor HTML, nor a tag, nor a header, nor a link
// with a scheme other than http, https or mailto.
//
// # What a value may hold
//
// Line breaks in a value stay line breaks in a body and become spaces in a
// subject. Other control characters and marks that turn the writing direction
// are removed, spaces at its ends too, and what exceeds 1,000 characters is cut
// off. A value of nothing but spaces is missing.
//
// # The HTML
//
// All styles stand in the elements and nothing is loaded. Colours are the mail
// program's, so that a dark one can choose its own. Headings begin at the
// second level, tables have header cells, and the language is told: as Options
// give it, else by the words that give one away, else not at all.
//
// # The plain text
//
// Paragraphs are wrapped at 72 columns after the fields are filled in, as
// format=flowed (RFC 3676): a line that goes on ends with a space, and a line
// that starts with a space, with ">" or with "From " gets one space in front.
// Lists hang, and their lines are fixed. Addresses are never broken. A table
// stands in columns, and row by row where it is too wide.
package templates
