package sequences

import (
	"regexp"
	"strings"
)

var (
	// tag is a field or a command of a template.
	tag = regexp.MustCompile(`(?s)\{\{.*?\}\}|\{%.*?%\}`)
	// capitals is a word of four letters or more; shorter ones are abbreviations.
	capitals = regexp.MustCompile(`(?:^|[^\p{L}\p{N}_-])(\p{Lu}{4,})(?:$|[^\p{L}\p{N}_-])`)
	// english is a rough sign that the phrases below can be expected.
	english = phrases("the", "you", "your", "i", "we", "our", "this")
)

// worn are openers that every inbox has seen too often.
var worn = phrases(
	"(just|only) (wanted to )?(following|follow|checking|check) (up|in)",
	"wanted to (follow up|check in|touch base)",
	"following up on my (last|previous|earlier|recent) (e-?mail|mail|message|note)",
	"did you (get|receive|see|read) my (last |previous |earlier )?(e-?mail|mail|message|note)",
	"touch(ing)? base",
	"circl(e|ing) back",
	"(hope|trust) (this|my|the) (e-?mail|mail|message|note )?(finds|reaches) you",
	"hope this finds you",
	"hope (you are|you're) (doing )?well",
	"bump(ing)? this",
	"(per|as per) my (last|previous|earlier) (e-?mail|mail|message)",
	"in case you missed (it|this|my)",
	"(friendly|gentle|quick) reminder",
	"any updates? on (this|my)",
	"pick(ing)? your brain",
)

// wayOut are the words by which a last mail lets go, roughly.
var wayOut = phrases(
	"no hard feelings",
	"(re-?)?open(s)? (it|the|this)",
	"clos(e|ing) (the|this|my|our|your|it|quote|file)",
	"not interested", "no longer", "not for you", "not (the )?right",
	"(a |say |just )?no (is|'s|will be|would be) (fine|ok|okay|enough|good|an answer|as good)",
	"(that|it) (is|'s) (fine|ok|okay|all right)( too)?",
	"last (time|mail|e-?mail|message|note|letter|one)",
	"(won't|will not|stop|shan't) (write|writing|mail|mailing|e-?mail|bother|contact|ask|asking|follow|remind|reminding|chase|chasing)",
	"(i'll|i will|we'll|we will) (stop|leave|let|put|assume|take)",
	"(leave|let) (it|this|you|the matter) (there|here|at that|rest|in peace|go)",
	"either way", "opt out", "unsubscribe", "let (me|us) know if you'd rather",
	"hear no more", "not hear from (me|us)",
)

// phrases is a pattern that finds any of these words in a text, wherever its
// lines are wrapped and whichever apostrophe it is written with.
func phrases(any ...string) *regexp.Regexp {
	all := strings.Join(any, "|")
	all = strings.ReplaceAll(all, " ", `\s+`)
	all = strings.ReplaceAll(all, "'", "['’]")
	return regexp.MustCompile(`(?i)\b(?:` + all + `)\b`)
}

// blank puts spaces in the place of what the pattern finds: offsets stay.
func blank(pattern *regexp.Regexp, s string) string {
	return pattern.ReplaceAllStringFunc(s, func(m string) string { return strings.Repeat(" ", len(m)) })
}
