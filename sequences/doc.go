// Package sequences is the plan: one Markdown file is one Sequence, an ordered
// list of steps. It knows what a file means and when a step may leave; it knows
// nobody who would get it, no mailbox and no state.
//
// The command line calls Lint or LintAll on files people are writing. The
// engine calls Open once, asks the Library for a Sequence by name, asks that for
// the Next step of somebody, and asks the step for its DueAt. Reload follows
// edits; a broken edit never replaces a good copy. All decisions are functions
// of their arguments: nothing here reads the clock or waits.
//
// # The file
//
// A sequence is a Markdown file of at most 256 KB in UTF-8. CRLF, a byte order
// mark, blanks at line ends and what formatters make of a Markdown file (such
// as Prettier with --prose-wrap always) change nothing. A file looks like this:
//
//	---
//	name: Quote follow-up
//	from: sales
//	send: mon-fri 09:00-16:30
//	timezone: Europe/Stockholm
//	needs: first_name, quote_no
//	---
//
//	# Quote follow-up
//
//	A note for people. Everything before the first ## is never sent.
//
//	## 1. Did the quote arrive?
//
//	```step
//	wait: 3 business days
//	subject: Re: {{ original_subject }}
//	```
//
//	Hi {{ first_name }},
//
//	did quote {{ quote_no }} for {{ project | default: "the roof" }} reach you?
//
//	{{ signature }}
//
//	## 2. Call them
//
//	```step
//	wait: 2 business days
//	do: task
//	```
//
//	Call {{ first_name }}. Is it the price or the timing?
//
// A heading of level two (##) starts a step. What it is, Markdown decides: a ##
// in a code block, a quote, a list or a comment is text. Headings of level
// three and deeper belong to the mail. A heading of level one inside a step, a
// heading underlined with dashes, and ## without a space behind it are errors,
// because each is most likely a step its author believes to be one.
//
// # Settings
//
// The front matter, between two lines --- at the very top, holds settings of
// the sequence; it may be missing. The fenced block named step, directly under
// a step's heading, holds settings of the step; every step has one. A setting
// is one line, key: value. The value is literal to the end of the line: there
// are no quotes, no types and no escapes, and # : {{ are ordinary characters in
// it. A line that starts with # is a comment. In the front matter an indented
// line without a key continues the value above it. Unknown keys, keys set twice
// and keys without a value are errors.
//
// The keys, what they take and what they do stand in the tables of keys.go;
// Reference writes them down for people, with the units, schedules, fields and
// filters, from what Parse and Lint read by.
//
// Two steps with one id are an error; letter case does not tell them apart. Ids
// let steps be inserted, moved and renumbered while people are under way: see
// Sequence.Next. A repeated step stands in Sequence.Steps once for each round,
// as X, X/2, X/3 and so on.
//
// # Files beside
//
// A sequence may name other files of its folder: calendars in holidays,
// partials/NAME.md in {% render "NAME" %} and signature, attachments, and
// sequences in chains. They are read with the sequence, must be regular files
// and cannot lie outside of the folder; a change in one of them counts as a
// change of the sequence. A file called "-", standard input, has no folder, and
// what it names is not looked up.
//
// # Delays
//
// A delay is a whole number and a unit, up to five years: 30 minutes (30m,
// 30min), 4 hours (4h), 3 days (3d), 3 business days (3bd), 2 weeks (2w), for
// rehearsals also 2 seconds (2s). 0 needs no unit. Letter case, plural and the
// blanks between do not matter.
//
// Seconds, minutes and hours are elapsed time. Days, business days and weeks
// keep the wall-clock time of the touch before and move the date. A business
// day is Monday to Friday without the sequence's holidays; n of them walk
// forward day by day to the n-th one, so that one business day after a Saturday
// is Monday. A wall-clock time that a night skips moves forward by as much as
// the clocks do, one that it has twice is the first. The result then moves to
// the first moment that send allows.
//
// # Holidays
//
// holidays is a comma separated list of countries (se, us, de-by), of dates
// (2026-12-24), of ranges (2026-12-27..2027-01-02, both ends included), of dates
// in every year (12-24) and of .ics files in the same folder. A country has its
// public holidays, with the days on which they are observed where those differ. Of a calendar (RFC 5545) each event
// counts with the days it touches, also those that return every year on their
// date; another rule of recurrence is an error, because leaving it out would
// mean sending on a holiday.
//
// A step whose wait is in business days leaves on business days only: on other
// days its schedule stays shut, also where a window names them. To all other
// steps holidays are days like any.
//
// # Schedules
//
// A schedule (send) is one of these, read on the prospect's wall clock:
//
//	mon-fri 09:00-16:30; sat 10:00-12:00    windows
//	cron */15 9-16 * * mon-fri              a cron expression
//	always
//
// Windows are separated by semicolons. Each has days (mon,wed fri or ranges,
// which may wrap: fri-mon) and one or more times in 24 hours, from the first
// minute to the last, which is outside. 24:00 is the end of a day; a window
// that would pass midnight is written as two.
//
// A cron expression has the usual five fields, or is @hourly, @daily, @weekly,
// @monthly or @yearly. Each firing opens sending for 60 minutes or until the
// next firing, whichever is sooner. A firing whose wall-clock time a night
// skips happens at the first moment after the gap; one whose time comes twice
// fires once, at the first. Time zones inside the expression, @every, and
// expressions that never fire are errors.
//
// # Texts
//
// What follows the step block, up to the next step, is the text of the mail or
// task, in Markdown with the fields of package templates; so is a subject, in
// one line. A mail must have a text. BuiltinFields need no listing. A field
// that is neither built in nor listed in needs, and is nearly written like one
// that is, is an error; other unlisted fields are fine, and get advice unless
// each of their uses has a default.
//
// # Folders
//
// A Library reads the regular files of one folder whose names are made of a-z,
// 0-9, - and _, and end with .md. README.md, hidden files and folders are left
// out; symbolic links and other names are listed by Broken.
package sequences
