package sequences

import (
	"regexp"
	"slices"
	"strings"

	"nudge/templates"
)

// key is a setting's name, the form of its value and what it does. Reading,
// lint and the reference share these tables.
type key struct{ name, form, does string }

// frontKeys are the settings of a sequence, in the order of the reference.
var frontKeys = []key{
	{"name", "TITLE", "the sequence's title; else the first heading, else the file's name"},
	{"from", "MAILBOX", "the name of the mailbox that sends; may be missing where there is one"},
	{"send", "SCHEDULE", "when touches may leave; `" + defaultSend + "` where it is missing"},
	{"timezone", "ZONE", "an IANA name such as `Europe/Stockholm`, for prospects without a timezone field; else the mailbox's"},
	{"holidays", "LIST", "days that are no business days: a country's public holidays (`se`, `us`, `gb`, `de-by`), `2026-12-24`, `2026-12-27..2027-01-02`, `12-24` for every year, " +
		"or an `.ics` file in the same folder, separated by commas"},
	{"needs", "FIELDS", "fields that every prospect must bring, separated by commas"},
	{"signature", "PARTIAL", "the partial that stands for `{{ signature }}` in this sequence's mails, its line breaks kept; " +
		"else the mailbox's signature"},
	{"language", "CODE", "the language of the mails, such as `en` or `pt-BR`, told to screen readers, and in which dates name days and months: " +
		strings.Join(templates.DateLanguages(), ", ") + ". Else it is told from the words, and dates are English"},
	{"plain", "yes or no", "mails without an HTML part; `no` where it is missing"},
	{"per-day", "NUMBER", "the most mails of this sequence on one day; else only the mailbox's limit counts"},
	{"on-finish", "CHAIN", "what begins when all steps are done and no answer came: `enroll NAME` or `enroll NAME after DELAY`"},
	{"on-won", "CHAIN", "what begins when the prospect is marked as won"},
	{"on-lost", "CHAIN", "what begins when the prospect is marked as lost"},
}

// stepKeys are the settings of a step.
var stepKeys = []key{
	{"wait", "DELAY", "the delay since the touch before, as it really left, or since the moment at which one that was left out would have come; the first step waits from the enrollment's start. Required; `0` is at once"},
	{"before", "FIELD", "counts `wait` back from the date in this field, instead of forward from the touch before"},
	{"send", "SCHEDULE", "when this step may leave, instead of the sequence's"},
	{"urgent", "yes or no", "may leave at any hour; for waits of 0, minutes and hours"},
	{"do", "ACTION", "`email` (where it is missing), or the owner's work: `call`, `letter`, `task`"},
	{"due", "DELAY", "how long the owner has for a call, letter or task"},
	{"if-not-done", "continue, wait or stop", "what becomes of the prospect when a call, letter or task is not done: the next step comes (where it is missing), " +
		"waits until it is done, or the sequence ends"},
	{"assignee", "NAME", "who does a call, letter or task"},
	{"subject", "LINE", "starts a thread; a mail without one replies in the thread before (where every mail before it was left out, it opens one under the subject they had). The first mail must have one; a call, letter or task has none"},
	{"subject A", "LINE", "one of several subjects, `subject A`, `subject B` and so on; each prospect gets one, always the same, and `{{ variant }}` is its letter"},
	{"attach", "FILES", "files in the same folder that go with the mail, separated by commas"},
	{"calendar", "LINE", "the date of `before` goes with the mail as a calendar entry (`.ics`) with this title"},
	{"place", "LINE", "where that is, in the calendar entry"},
	{"lasts", "DELAY", "how long it lasts, in minutes, hours or days; else the entry has no end"},
	{"plain", "yes or no", "this mail without an HTML part"},
	{"only-if", "CONDITION", "does the step only for prospects of whom this is true, as in `{% if … %}`; for others it is skipped"},
	{"repeat", "N every DELAY", "does the step N more times, each so long after the one before"},
	{"last", "yes or no", "the enrollment ends here with no answer; no step may follow it"},
	{"id", "WORDS", "what the step is remembered by; else its heading without the number"},
}

// variantKey is a setting such as "subject B".
var variantKey = regexp.MustCompile(`^subject [A-Z]$`)

// tableName is the name by which the tables know a key.
func tableName(name string) string {
	if variantKey.MatchString(name) {
		return "subject A"
	}
	return name
}

func isKey(keys []key, name string) bool {
	return slices.ContainsFunc(keys, func(k key) bool { return k.name == tableName(name) })
}

func keyNames(keys []key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}
