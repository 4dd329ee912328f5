package mailbox

import (
	"strings"
)

// onlyNotice says whether the new text is the notice of somebody who is away,
// or of an address that nobody reads, from its first sentence to its last. A
// person who answers says something besides, or says it in fewer words. What a
// notice says for whoever may write, such as whom to call when it is urgent, is
// the sign; words of absence without it are anybody's.
func (r *reading) onlyNotice() bool {
	if !r.absent() || strings.ContainsAny(r.fresh, "?？") || len(r.fresh) > maxMeaning {
		return false
	}
	away := absentPhrases.in(r.line)
	sign := unreadPhrases.in(r.line) || machinePhrases.in(r.line) || away && noticePhrases.in(r.line)
	if !sign {
		return false
	}
	for paragraph := range strings.SplitSeq(withoutFarewell(withoutGreeting(r.fresh)), "\n\n") {
		text, from := foldText(paragraph), 0
		for _, end := range append(noticeEnd.FindAllStringIndex(text, maxSentences), []int{0, len(text)}) {
			if !ofNotice(text[from:end[1]]) {
				return false
			}
			from = end[1]
		}
	}
	return true
}

// ofNotice says whether a sentence is one that stands in notices, or a lone
// word that decides nothing.
func ofNotice(sentence string) bool {
	if words(bareWords(sentence)) <= 1 {
		return !decisionWords.in(sentence)
	}
	for _, table := range []*phrases{absentPhrases, leftPhrases, unreadPhrases, noticePhrases, machinePhrases, acknowledgedPhrases, backWords, regretPhrases} {
		if table.in(sentence) {
			return true
		}
	}
	return false
}

// noticeEnd ends a sentence of a notice, but not behind the figures of a date.
// What follows a "but" is a sentence of its own: there the answer stands.
var noticeEnd = newPattern(`(?:[!;。！]|[^\d\s.]{2}\.)(?:\s|$)|[ ,](?:but|yet|aber|doch|trotzdem|mais|pero|ma|maar|mas|men|mutta|ale) `)
