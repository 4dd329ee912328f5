package sequences

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"nudge/templates"
)

// Reference is the sequence language in Markdown, written from the tables that
// Parse and Lint read by: what stands in it is what they accept.
func Reference() string {
	var b strings.Builder
	b.WriteString("# The sequence language\n\n" +
		"Written by the program itself from the tables it reads sequences by.\n")
	settingsTable(&b, "Settings of a sequence", "In the front matter, between two lines `---` at the very top.", frontKeys)
	settingsTable(&b, "Settings of a step", "In the fenced block named `step`, directly under the step's heading.", stepKeys)
	unitsTable(&b)
	b.WriteString("\n## Schedules\n\n")
	table(&b, []string{"Form", "Open"}, [][]string{
		{code(defaultSend), "on these days between these times; what holds where no `send` is written"},
		{code("mon-fri 09:00-12:00, 13:00-16:30; sat 10:00-12:00"), "several times on a day, several windows"},
		{code("always"), "at every moment"},
		{code("cron */15 9-16 * * mon-fri"), fmt.Sprintf("for %d minutes from each firing of a cron expression", int(openFor.Minutes()))},
	})
	fmt.Fprintf(&b, "\nDays are %s, or their English names; ranges may wrap (`fri-mon`).\n"+
		"A step that waits in business days leaves on business days only, whatever its schedule.\n", dayNames())
	b.WriteString("\n## Built-in fields\n\n")
	var rows [][]string
	for _, f := range builtins {
		rows = append(rows, []string{code(f.name), f.form, f.does})
	}
	table(&b, []string{"Field", "Brought by", "What it is"}, rows)
	describedTable(&b, "Tags", []string{"Tag", "What it does"}, templates.Tags(), func(d templates.Described) []string {
		return []string{code(d.Form), d.Does}
	})
	describedTable(&b, "Filters", []string{"Filter", "Takes", "What comes out"}, templates.Filters(), func(d templates.Described) []string {
		return []string{code(d.Name), d.Form, d.Does}
	})
	b.WriteString(textsWritten)
	attachmentsTable(&b)
	return b.String()
}

// textsWritten says what becomes of a text.
const textsWritten = `
## Texts

A text is Markdown: paragraphs, headings from the third level on, lists, quotes, code, emphasis, links and tables. It is sent as HTML
and as plain text.

- HTML is no part of it: tags such as ` + "`<b>`" + ` are sent as the words they are, comments (` + "`<!-- … -->`" + `) are not sent at all.
- A link leads to a whole address with http, https or mailto, without spaces (` + "`%20`" + ` stands for one); links to a page's part or to
  a file beside it lead nowhere from a mail and are mistakes. Of other links only the words are sent.
- An image becomes a link to it; within a link only its words are left.
- ` + "`{% for %}` and `{% if %}`" + ` on lines of their own between the rows of a table make rows.
- Dates are written as the clocks of the prospect's time zone show them, else the sequence's, else the mailbox's.
- A field holds a date as ` + "`2026-03-14`, `2026-03-14 15:30`, `14 March 2026`, `March 14, 2026`, `2026/03/14` or `14.03.2026`" + `, or with an
  offset as ` + "`2026-03-14T15:30:00+01:00`" + `. The form that ` + "`date`" + ` asks for is strftime's: ` + "`%A`" + ` the day, ` + "`%-d`" + ` its number, ` + "`%B`" + ` the month, ` + "`%Y`" + ` the year,
  ` + "`%H:%M`" + ` the time.
- A number is ` + "`6200`, `-3.5`, `12,500.00` or `1 250`" + `. Where a condition compares a field with a number and the field holds something else,
  such as ` + "`6.200,00`" + `, it is false.
- Arithmetic is exact; up to ten decimals are written, and ` + "`round: 2`" + ` leaves two.
`

// settingsTable lists the keys that are taken.
func settingsTable(b *strings.Builder, title, where string, keys []key) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", title, where)
	var rows [][]string
	for _, k := range keys {
		does := k.does
		if k.name == "do" {
			does = actionsTaken()
		}
		rows = append(rows, []string{code(k.name), k.form, does})
	}
	table(b, []string{"Key", "Value", "What it does"}, rows)
}

// actionsTaken says what do: may be.
func actionsTaken() string {
	var names []string
	for _, a := range actions[1:] {
		names = append(names, code(string(a)))
	}
	return code(string(Email)) + " (where it is missing), or the owner's work: " + strings.Join(names, ", ")
}

func unitsTable(b *strings.Builder) {
	b.WriteString("\n## Delays\n\nA whole number and a unit; letter case and blanks do not matter. `0` needs no unit.\n\n")
	var rows [][]string
	for _, u := range units {
		var words []string
		for _, w := range slices.Sorted(maps.Keys(unitNames)) {
			if unitNames[w] == u {
				words = append(words, code(w))
			}
		}
		counts := "elapsed time"
		if _, elapsed := elapsedUnits[u]; !elapsed {
			counts = "the date; the time of day is kept"
		}
		if u == BusinessDays {
			counts = "Monday to Friday without the sequence's holidays; the time of day is kept"
		}
		rows = append(rows, []string{strings.Join(words, ", "), counts, fmt.Sprint(longest[u])})
	}
	table(b, []string{"Unit", "Counts", "At most"}, rows)
}

func dayNames() string {
	var names []string
	for _, d := range weekdays {
		names = append(names, code(d[0]))
	}
	return strings.Join(append(names[1:], names[0]), ", ")
}

func describedTable(b *strings.Builder, title string, head []string, all []templates.Described, row func(templates.Described) []string) {
	fmt.Fprintf(b, "\n## %s\n\n", title)
	var rows [][]string
	for _, d := range all {
		rows = append(rows, row(d))
	}
	table(b, head, rows)
}

func attachmentsTable(b *strings.Builder) {
	fmt.Fprintf(b, "\n## Attachments\n\nFiles of these types, together at most %d MB.\n\n", maxAttachment>>20)
	var rows [][]string
	for _, ending := range slices.Sorted(maps.Keys(fileKinds)) {
		rows = append(rows, []string{code(ending), fileKinds[ending].media})
	}
	table(b, []string{"Ending", "Media type"}, rows)
}

func table(b *strings.Builder, head []string, rows [][]string) {
	line := func(cells []string) {
		b.WriteString("|")
		for _, c := range cells {
			b.WriteString(" " + strings.ReplaceAll(c, "|", `\|`) + " |")
		}
		b.WriteString("\n")
	}
	line(head)
	b.WriteString("|" + strings.Repeat(" --- |", len(head)) + "\n")
	for _, r := range rows {
		line(r)
	}
}

func code(s string) string { return "`" + s + "`" }
