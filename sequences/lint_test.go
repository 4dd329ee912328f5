package sequences

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// adviseOn lints a file of four good steps with one of them replaced, and
// returns what is said, place and all.
func adviseOn(t *testing.T, change func(string) string) []string {
	t.Helper()
	source, err := os.ReadFile("testdata/good/full.md")
	if err != nil {
		t.Fatal(err)
	}
	changed := change(string(source))
	if changed == string(source) {
		t.Fatal("the change changed nothing")
	}
	var lines []string
	for _, f := range Lint("full.md", []byte(changed)) {
		if f.Severity != SeverityAdvice {
			t.Errorf("%s: %v", f.Severity, f)
		}
		lines = append(lines, f.String())
	}
	return lines
}

func replace(old, with string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, with, 1) }
}

func TestLintAdvisesWhatAConsultantWould(t *testing.T) {
	const subject = "subject: Re: {{ original_subject }}"
	tests := []struct {
		name   string
		change func(string) string
		want   string // the only finding
	}{
		{"a worn opener, wherever the line is wrapped", replace("did quote", "I am just\nfollowing up. Did quote"),
			`full.md:22:6: "just following up" is worn out; say what is new, or ask one question`},
		{"a worn opener in the subject", replace(subject, "subject: Just checking in"),
			`full.md:17:10: "just checking in" is worn out; say what is new, or ask one question`},
		{"an apostrophe from a word processor", replace("did quote", "hope you’re well. Did quote"),
			`full.md:22:1: "hope you’re well" is worn out; say what is new, or ask one question`},
		{"HTML", replace("did quote", "<b>did</b> quote"),
			`full.md:22:1: HTML is sent as it stands here: <b>; write Markdown, such as **bold**`},
		{"two variants that read alike", replace(subject, "subject A: Quote {{ quote_no }}\nsubject B: Your quote\nsubject C: Quote  {{ quote_no }}"),
			`full.md:19:12: subject C is the same as subject A; change one thing in it, or leave it out`},
		{"a last mail that does not let go", replace("I haven't heard back, so I'll close quote {{ quote_no }}. No hard feelings: one line from you reopens it.",
			"Is quote {{ quote_no }} still in your hands? I look forward to your order."),
			`full.md:55:1: no way out in the last mail; say that this is the last one, and that a no is fine`},
		{"three touches", func(s string) string {
			return s[:strings.Index(s, "## 2.")] + s[strings.Index(s, "## 3."):]
		}, `full.md:45:1: 3 touches in all; most answers come after the third; plan at least four`},
		{"two mails on one day, hours apart", func(s string) string {
			s = strings.Replace(s, "do: task\n", "", 1)
			return strings.Replace(s, "wait: 2 business days", "wait: 4 hours", 1)
		}, `full.md:39:7: two mails to one person on one day; wait at least 1 business day`},
		{"a word in capitals", replace(subject, "subject: Your URGENT quote, {{ first_name }} (PDF)"),
			`full.md:17:15: URGENT in capitals reads as shouting; write it in small letters`},
		{"a long subject", replace(subject, "subject: All about the quote for the new roof of your house on the hill, {{ first_name }}"),
			`full.md:17:10: a subject of about 72 characters is cut off in most inboxes; stay below 60`},
		{"no question", replace("Does it change the picture?", "I thought you would like to know."),
			`full.md:44:1: no question in this mail; ask one thing that is easy to answer`},
		{"a wait of seconds", replace("wait: 3 business days", "wait: 2 seconds"),
			`full.md:16:7: a wait of seconds is for rehearsals; use minutes, hours, days, business days or weeks`},
		{"a field that nothing asks for", replace("Does it change", "Does {{ ridge_colour }} change"),
			`full.md:46:98: field "ridge_colour" is not listed in needs:; add it to needs:, so that prospects without it are refused at enroll`},
		{"a field that nobody uses", replace("first_name, quote_no", "first_name, quote_no, amount"),
			`full.md:6:30: amount is needed but no step uses it; take it out of needs:`},
		{"quotes around a value", replace("name: Quote follow-up", `name: "Quote follow-up"`),
			`full.md:2:7: the quotes around this value are part of it; leave them out: a value goes to the end of its line`},
		{"words in capitals in a mail", replace("Does it change", "THIS OFFER ENDS soon. Does it change"),
			`full.md:46:90: "THIS OFFER ENDS" in capitals reads as shouting; write it in small letters`},
		{"a cron that means or", replace("cron */15 9-16 * * mon-fri", "cron 0 9 13 * fri"),
			`full.md:41:7: cron fires on these days of the month and also on these weekdays, not only where both agree; put * for one of the two`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(adviseOn(t, tt.change), "\n")
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A promise in step 1 of full.md is kept or not by step 2, three business days
// later; one in step 4 has nothing behind it.
func TestLintHoldsPromisesAgainstTheSchedule(t *testing.T) {
	const advice = "; write {{ next_touch }}, or change the wait"
	inFirst := func(words string) func(string) string { return replace("did quote", words+" Did quote") }
	inLast := func(words string) func(string) string { return replace("No hard feelings", words+" No hard feelings") }
	wait := func(d string, then func(string) string) func(string) string {
		return func(s string) string {
			i := strings.Index(s, "## 2.")
			return s[:i] + then(strings.Replace(s[i:], "wait: 3 business days", "wait: "+d, 1))
		}
	}
	first := func(words string, d string) func(string) string {
		return func(s string) string { return inFirst(words)(wait(d, func(s string) string { return s })(s)) }
	}
	tests := []struct {
		name   string
		change func(string) string
		want   string // "" = nothing is said
	}{
		{"tomorrow, in three days", inFirst("I'll call you tomorrow."),
			`full.md:22:15: "tomorrow", but the next step comes 3 days later when this one leaves on a Monday` + advice},
		{"tomorrow, in one", first("I'll call you tomorrow.", "1 day"), ""},
		{"tomorrow, in a business day", first("I'll call you tomorrow.", "1bd"),
			`full.md:22:15: "tomorrow", but the next step comes 3 days later when this one leaves on a Friday` + advice},
		{"in three days", inFirst("I will call you in three days."), ""},
		{"in three business days", inFirst("We'll get back to you in 3 business days."), ""},
		{"in two days", inFirst("I’ll write again in two days."),
			`full.md:22:18: "in two days", but the next step comes 3 days later when this one leaves on a Monday` + advice},
		{"next week, in a week", first("I'll try again next week.", "1 week"), ""},
		{"next week, in three business days", inFirst("I'll try again next week."),
			`full.md:22:16: "next week", but the next step comes 3 days later when this one leaves on a Monday` + advice},
		{"in a week", first("I'll be back in a week.", "5 business days"), ""},
		{"in two weeks, in one", first("I'll be back in two weeks.", "1 week"),
			`full.md:22:14: "in two weeks", but the next step comes 7 days later when this one leaves on a Monday` + advice},
		{"on a weekday that depends on when one enrolls", inFirst("I'll ring you on Thursday."),
			`full.md:22:15: "on thursday", but the next step comes 3 days later when this one leaves on a Tuesday` + advice},
		{"across a line's end", inFirst("I'll call\nyou next\nweek."),
			`full.md:23:5: "next week", but the next step comes 3 days later when this one leaves on a Monday` + advice},
		{"not a promise to be back", inFirst("I'll keep the price until next week, and be away tomorrow."), ""},
		{"somebody else's promise", inFirst("Will you call me tomorrow?"), ""},
		{"nothing follows", inLast("I'll write again next week."), `full.md:64:76: "next week", but no step follows; plan one, or leave the promise out`},
		{"nothing follows, and silence is promised", inLast("I'll stop writing and call next week."), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(adviseOn(t, tt.change), "\n"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestLintAllFindsWhatLintFinds(t *testing.T) {
	var files []Source
	for _, pattern := range []string{"testdata/broken/*.md", "testdata/good/*.md"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, Source{File: name, Text: source})
		}
	}
	for range 3 { // in the same order every time
		for i, found := range LintAll(files) {
			if diff := cmp.Diff(Lint(files[i].File, files[i].Text), found); diff != "" {
				t.Errorf("%s (-Lint +LintAll):\n%s", files[i].File, diff)
			}
		}
	}
}

func TestAFileFromStandardInputIsNotAskedForItsNeighbours(t *testing.T) {
	source := strings.Replace(withFront("holidays: office.ics\nsignature: anna"), "Did it arrive?", "Did it?\n\n{% render \"g\" %}", 1)
	for _, f := range Lint("-", []byte(source)) {
		if f.Severity == SeverityError {
			t.Error(f)
		}
	}
	if got := Lint("nowhere/q.md", []byte(source)); len(got) == 0 || got[0].Severity == SeverityError {
		t.Errorf("a file of a folder that does not exist: %v", got)
	}
}

func TestGoodFilesHaveNoFindings(t *testing.T) {
	for _, file := range []string{"full.md", "wrapped.md"} {
		source, err := os.ReadFile("testdata/good/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range Lint(file, source) {
			t.Error(f)
		}
	}
}

func TestAFileInAnotherLanguageIsNotAskedForEnglishWords(t *testing.T) {
	got := adviseOn(t, replace("I haven't heard back, so I'll close quote {{ quote_no }}. No hard feelings: one line from you reopens it.",
		"Da ich nichts gehört habe, lege ich Angebot {{ quote_no }} zu den Akten."))
	if len(got) > 0 {
		t.Error(got)
	}
}

func TestLintSaysErrorsAndAdviceInOrderOfPlace(t *testing.T) {
	source := "---\ntimezon: UTC\n---\n## 1. A\n\n```step\nwait: 2 seconds\nsubject: Hello\n```\n\nDear {{ compny }}, I write.\n"
	want := []string{
		`f.md:2:1: unknown key "timezon"; did you mean "timezone"?`,
		`f.md:4:1: no way out in the last mail; say that this is the last one, and that a no is fine`,
		`f.md:4:1: one touch in all; most answers come after the third; plan at least four`,
		`f.md:7:7: a wait of seconds is for rehearsals; use minutes, hours, days, business days or weeks`,
		`f.md:11:9: no field "compny"; did you mean "company"?`,
	}
	var got []string
	for _, f := range Lint("f.md", []byte(source)) {
		got = append(got, f.String())
	}
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestNearestFindsOnlyWhatIsNear(t *testing.T) {
	known := []string{"first_name", "name", "email", "company", "today", "quote_no"}
	tests := map[string]string{
		"compny": "company", "COMPANY": "company", "firstname": "first_name", "frist_name": "first_name",
		"qoute_no": "quote_no", "nmae": "name", "nam": "name", "country": "", "date": "", "x": "", "": "", "amount": "",
	}
	for word, want := range tests {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q is near %q, want %q", word, got, want)
		}
	}
}

func TestLinksThatLeadNowhereAreMistakes(t *testing.T) {
	source, err := os.ReadFile("testdata/good/full.md")
	if err != nil {
		t.Fatal(err)
	}
	for link, want := range map[string]string{
		"[offer](offer.pdf)":   `full.md:22:1: "offer.pdf" leads nowhere from a mail; write a whole address, such as https://example.com/…, or attach the file`,
		"[offer]()":            "full.md:22:1: a link without an address; write it between the parentheses",
		"[call](tel:+49 89 1)": `full.md:22:6: this link is sent as it stands here: the address "tel:+49 89 1" has spaces in it; link to http, https or mailto`,
	} {
		changed := strings.Replace(string(source), "did quote", link+" did quote", 1)
		if _, err := Parse("full.md", []byte(changed)); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", link, err, want)
		}
	}
}

func TestAChainIsHeldAgainstTheNeedsOfWhatItBegins(t *testing.T) {
	files := folder(map[string]string{"offer.md": "---\nneeds: last_name, quote_no, project, amount\n---\n", "plain.md": "# Plain\n"})
	tests := []struct{ front, want string }{
		{"on-won: enroll offer", "2:16: offer needs last_name, quote_no, project, amount, which this sequence does not: it does not begin for whoever lacks them; add them to needs: here, too"},
		{"needs: first_name, quote_no, amount\non-lost: enroll offer after 2 days",
			"3:17: offer needs project, which this sequence does not: it does not begin for whoever lacks it; add it to needs: here, too"},
		{"needs: name, quote_no, amount, project\non-finish: enroll offer", ""},
		{"on-won: enroll plain", ""},
	}
	for _, tt := range tests {
		got := ""
		for _, f := range LintIn(files, "f.md", []byte(withFront(tt.front))) {
			if strings.Contains(f.Message, "need") {
				got += strings.TrimPrefix(f.String(), "f.md:")
			}
		}
		if got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.front, got, tt.want)
		}
	}
}

// Two mails before one date are as far apart as their waits say, and nothing is
// told of waits that have a mistake.
func TestTwoMailsOnOneDayAreFoundByWhenTheyComeOnly(t *testing.T) {
	mail := func(name, settings string) string {
		return "## " + name + "\n\n```step\n" + settings + "\n```\n\nFine?\n\n"
	}
	file := func(second, third string) string {
		return "---\nneeds: visit, other\n---\n\n" + mail("A", "wait: 0\nsubject: Hello") + mail("B", second) + mail("C", third)
	}
	tests := []struct {
		name, second, third string
		crowded             bool
	}{
		{"a day and two hours before a date", "wait: 1 business day\nbefore: visit", "wait: 2 hours\nbefore: visit", false},
		{"four hours and two hours before a date", "wait: 4 hours\nbefore: visit", "wait: 2 hours\nbefore: visit", true},
		{"before two dates", "wait: 4 hours\nbefore: visit", "wait: 4 hours\nbefore: other", false},
		{"hours apart", "wait: 2 days", "wait: 2 hours", true},
		{"too many weeks", "wait: 2 days", "wait: 300 weeks", false},
		{"a fraction", "wait: 1.5 days", "wait: 2 days", false},
		{"months", "wait: 1 month", "wait: 2 days", false},
		{"no date", "wait: 3 days\nbefore: vist", "wait: 2 hours\nbefore: visit", false},
	}
	for _, tt := range tests {
		crowded := false
		for _, f := range Lint("f.md", []byte(file(tt.second, tt.third))) {
			crowded = crowded || strings.Contains(f.Message, "on one day")
		}
		if crowded != tt.crowded {
			t.Errorf("%s: %v", tt.name, crowded)
		}
	}
}

func TestOnlyWhatMayBeAttachedIsMeantByAnAttachment(t *testing.T) {
	files := folder(map[string]string{"offer.md": "x", "price.pdf": "%PDF-"})
	for name, want := range map[string]string{"offer.pdf": "", "prise.pdf": "price.pdf"} {
		source := strings.Replace(withFront("name: A"), "wait: 3 business days", "wait: 3 business days\nattach: "+name, 1)
		if got := LintIn(files, "f.md", []byte(source))[1]; got.Severity != SeverityError || got.Suggestion != want {
			t.Errorf("%s: %v, want %q", name, got, want)
		}
	}
}

func TestMoreMailsThanOnePersonGetsAreFound(t *testing.T) {
	const advice = "mail 9 within 60 days: it waits where nudge.toml allows one person no more than 8 (per-person); plan fewer, or further apart"
	file := func(more string) string {
		return "## A\n\n```step\nwait: 0\nsubject: Hello\n```\n\nFine?\n\n## B\n\n```step\nwait: 3 days\n" + more + "\n```\n\nNo hard feelings?\n"
	}
	for more, want := range map[string]string{
		"repeat: 6 every 3 days":                       "",
		"repeat: 7 every 3 days":                       "f.md:10:1: " + advice,
		"repeat: 7 every 9 days":                       "",
		"repeat: 7 every 3 days\nonly-if: phone":       "",
		"repeat: 7 every 3 days\ndo: call":             "",
		"repeat: 30 every 7 days\nsend: tue 9:00-9:30": "f.md:10:1: " + advice,
	} {
		got := ""
		for _, f := range Lint("f.md", []byte(file(more))) {
			if strings.Contains(f.Message, "within 60 days") || f.Severity == SeverityError {
				got += f.String()
			}
		}
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", more, got, want)
		}
	}
}
