package mailbox

import (
	"slices"
	"strings"
)

// maxNewText is when enough was read of what the writer added, in bytes.
const maxNewText = 16 << 10

// maxQuotes is how many quotes of one text are looked below.
const maxQuotes = 300

// NewText returns what the writer of a mail added to the text that is shown:
// without quotes and the lines that introduce them, without signatures and
// what phones, gateways and lawyers add, and without whatever it repeats of
// ours, which are the texts of the touches it may answer. Above, between or
// below quotes does not matter where these are marked or known; what stands
// below an unmarked quote that we do not know is taken for a part of it.
// Lines are apart by LF.
func NewText(text string, ours ...string) string {
	t := newTexter{lines: strings.Split(textTidier.Replace(letterSpaces.Replace(text)), "\n"), ours: ourLines(ours)}
	for t.at < len(t.lines) && t.size < maxNewText {
		t.step()
	}
	kept := trimRulers(t.kept)
	if len(kept) == 0 && t.unmarked > 0 && len(t.ours) > 0 {
		kept = t.belowOurs()
	}
	if len(kept) == 0 && len(t.signed) > 0 {
		kept = trimRulers(t.signed)
	}
	return strings.TrimSpace(strings.Join(slices.CompactFunc(kept, func(a, b string) bool { return a == "" && b == "" }), "\n"))
}

// letterSpaces makes the blanks of typesetters plain ones and drops what
// steers the direction of writing.
var letterSpaces = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2007", " ", "\u3000", " ", "\u200e", "", "\u200f", "", "\u202a", "", "\u202b", "", "\u202c", "", "\u2068", "", "\u2069", "", "\ufeff", "")

// newTexter walks through the lines of a text once.
type newTexter struct {
	lines    []string
	at       int
	size     int // bytes kept
	kept     []string
	signed   []string // a signature, in case somebody wrote all he had to say into it
	quotes   int      // introduced so far
	unmarked int      // where a quote without marks begins, 0 if none does
	ours     map[string]bool
}

// step takes one line, or several that belong together.
func (t *newTexter) step() {
	line := strings.TrimSpace(t.lines[t.at])
	switch {
	case line == "":
		t.keep(line)
	case quoteMarked(line):
		t.at++
	case t.ours[ourForm(line)]:
		t.at++
	case signatureMark(t.lines[t.at]):
		t.skipSignature()
	case len(t.kept) == 0 && replyAbove.MatchString(line): // a help desk's mark, with what it says below
		t.at++
	case t.startsQuote():
		t.unmarked, t.at = max(1, t.at), len(t.lines)
	default:
		t.words(line)
	}
}

// words takes a line that no mark decides.
func (t *newTexter) words(line string) {
	if n := attributionAt(t.lines, t.at); n > 0 {
		t.quotes++
		if t.at += n; !t.quoteFollows() || t.quotes > maxQuotes {
			t.unmarked, t.at = max(1, t.at), len(t.lines) // an unmarked quote runs to the end
		}
		return
	}
	if n := t.notice(line); n > 0 {
		t.at += n
		return
	}
	t.keep(line)
}

func (t *newTexter) keep(line string) {
	t.kept = append(t.kept, line)
	t.size += len(line) + 1
	t.at++
}

var replyAbove = newPattern(`(?i)^##- |^[-=#*_ ]{0,40}(please )?(type|write|reply|antworten sie|répondez|responda|escriba)\b.{0,40}\b(above|oberhalb|au-dessus|acima|arriba|encima)\b`)

// quoteMarked says whether a line is marked as quoted.
func quoteMarked(line string) bool {
	return strings.HasPrefix(line, ">") || strings.HasPrefix(line, "＞") || strings.HasPrefix(line, "| ")
}

// signatureMark says whether a line parts a text from its signature (RFC 3676,
// section 4.3), or what people write for it.
func signatureMark(line string) bool {
	switch strings.TrimRight(line, " \t\r") {
	case "--", "—", "–", "-- -", "--=20", "- --":
		return true
	}
	return false
}

// skipSignature leaves out a signature, which ends where a quote begins. It
// is kept aside in case nothing else was written.
func (t *newTexter) skipSignature() {
	for t.at++; t.at < len(t.lines); t.at++ {
		line := strings.TrimSpace(t.lines[t.at])
		if quoteMarked(line) || t.startsQuote() || attributionAt(t.lines, t.at) > 0 {
			return
		}
		if len(t.signed) < 100 && !t.ours[ourForm(line)] && t.notice(line) == 0 {
			t.signed = append(t.signed, line)
		}
	}
}

// startsQuote says whether a quote without marks begins at the present line.
func (t *newTexter) startsQuote() bool {
	line := strings.TrimSpace(t.lines[t.at])
	if strings.ContainsAny(cutRunes(line, 12), "-_*=~—–─") && ruleLine.MatchString(line) && originalPhrases.in(foldText(cutRunes(line, 200))) {
		return true
	}
	if strings.HasPrefix(line, "##- ") {
		return true
	}
	return startsHeaderBlock(t.lines, t.at) || startsTable(t.lines, t.at)
}

// notice says how many lines from the present one on are the work of a phone,
// a gateway or a lawyer. What a lawyer begins goes on to the next quote.
func (t *newTexter) notice(line string) int {
	if len(line) > 2000 {
		return 0
	}
	folded := foldText(cutRunes(line, 400))
	switch {
	case len(line) < 200 && devicePhrases.in(folded):
		return 1
	case hintPhrases.in(folded):
		return 1
	case bannerPhrases.in(folded):
		return 1 + t.wrapped(5)
	case len(t.kept) > 0 && disclaimerPhrases.in(folded):
		n := 1
		for t.at+n < len(t.lines) && !t.endsNotice(t.at+n) {
			n++
		}
		return n
	}
	return 0
}

func (t *newTexter) endsNotice(at int) bool {
	line := strings.TrimSpace(t.lines[at])
	return quoteMarked(line) || attributionAt(t.lines, at) > 0 || startsHeaderBlock(t.lines, at)
}

// wrapped counts the lines after the present one into which a warning runs on:
// as long as none ends like a sentence.
func (t *newTexter) wrapped(limit int) int {
	n := 0
	for n < limit && t.at+n+1 < len(t.lines) {
		line, next := strings.TrimSpace(t.lines[t.at+n]), strings.TrimSpace(t.lines[t.at+n+1])
		if next == "" || quoteMarked(next) || strings.ContainsAny(line[max(0, len(line)-1):], ".!:)]*}>-=") {
			break
		}
		n++
	}
	if n == limit {
		return 0
	}
	return n
}

// quoteFollows says whether the next line that is not empty is marked as
// quoted, or is one of ours.
func (t *newTexter) quoteFollows() bool {
	for i := t.at; i < len(t.lines); i++ {
		if line := strings.TrimSpace(t.lines[i]); line != "" {
			return quoteMarked(line) || t.ours[ourForm(line)]
		}
	}
	return false
}

// belowOurs returns what stands below a quote without marks that is known to
// be ours: where nothing stands above it, the answer is there.
func (t *newTexter) belowOurs() []string {
	var below []string
	seen := false
	for _, line := range t.lines[t.unmarked:] {
		line = strings.TrimSpace(line)
		if t.ours[ourForm(line)] {
			seen, below = true, nil
			continue
		}
		if seen {
			below = append(below, line)
		}
	}
	return trimRulers(below)
}

// ourLines returns the lines of texts of ours that are long enough to be known
// again.
func ourLines(texts []string) map[string]bool {
	lines := map[string]bool{}
	for _, text := range texts {
		for line := range strings.Lines(text) {
			if form := ourForm(line); form != "" {
				lines[form] = true
			}
		}
	}
	return lines
}

// ourForm is what of a line survives quoting: its letters and digits. Short
// lines prove nothing, for anybody may write "Best regards".
func ourForm(line string) string {
	if len(line) < 20 || len(line) > 4000 {
		return ""
	}
	form := strings.Join(strings.FieldsFunc(strings.ToLower(line), func(r rune) bool {
		return r <= '/' || r >= ':' && r <= '@' || r >= '[' && r <= '`' || r >= '{' && r <= 0xbf
	}), " ")
	if len(form) < 16 {
		return ""
	}
	return form
}

// trimRulers drops empty lines and lines of dashes from both ends.
func trimRulers(lines []string) []string {
	bare := func(line string) bool { return line == "" || rulerOnly.MatchString(line) }
	for len(lines) > 0 && bare(lines[0]) {
		lines = lines[1:]
	}
	for len(lines) > 0 && bare(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// attributionAt says how many lines from i on introduce a quote: mailers wrap
// the line, so up to four are read as one.
func attributionAt(lines []string, i int) int {
	joined := ""
	for n := range 4 {
		if i+n >= len(lines) {
			return 0
		}
		line := strings.TrimSpace(lines[i+n])
		if line == "" || quoteMarked(line) || len(joined)+len(line) > 500 {
			return 0
		}
		if n == 1 && !mayWrap(joined) {
			return 0
		}
		joined = strings.TrimSpace(joined + " " + line)
		if introducesQuote(joined, lines, i+n+1) {
			return n + 1
		}
	}
	return 0
}

// mayWrap says whether a line could be the first of a wrapped introduction: it
// names a day or an address.
func mayWrap(line string) bool {
	return hasDay.MatchString(line) || strings.Contains(line, "@")
}

// introducesQuote says whether a text, which ends just above line next, says
// who wrote what follows and when. A verb of any language with a day or an
// address will do, and so does a day with an address.
func introducesQuote(s string, lines []string, next int) bool {
	end := strings.TrimRight(s, "-–—*_ ") // Zoho frames the line in dashes
	colon := strings.HasSuffix(end, ":") || strings.HasSuffix(end, "：")
	if !colon && len(end) == len(s) && !markedAt(lines, next) {
		return false
	}
	day, address := hasDay.MatchString(s), strings.Contains(s, "@") && hasAddress.MatchString(s)
	if !day && !address && (!colon || !markedAt(lines, next)) {
		return false
	}
	folded := foldText(s)
	wrote := wrotePhrases.in(folded)
	switch {
	case wrote && (day || address):
		return true
	case day && address && colon:
		return len(s) < 200 || markedAt(lines, next)
	case colon && markedAt(lines, next):
		return wrote || address || day && len(s) < 120
	}
	return false
}

// markedAt says whether the next line from i on that is not empty is marked as
// quoted.
func markedAt(lines []string, i int) bool {
	for ; i < len(lines) && i >= 0; i++ {
		if line := strings.TrimSpace(lines[i]); line != "" {
			return quoteMarked(line)
		}
	}
	return false
}

// startsHeaderBlock says whether line i begins the header that Outlook and its
// like put above an unmarked quote: of the lines that follow, most are fields
// of a mail, one of them the sender.
func startsHeaderBlock(lines []string, i int) bool {
	if kind := headerLabel(lines[i]); kind == "" || kind == "cc" {
		return false
	}
	kinds := map[string]bool{}
	for n, misses := i, 0; n < len(lines) && n < i+14 && misses < 3; n++ {
		line := strings.TrimSpace(lines[n])
		if line == "" {
			continue
		}
		if kind := headerLabel(line); kind != "" {
			kinds[kind] = true
			misses = 0
		} else {
			misses++
		}
	}
	return kinds["from"] && len(kinds) >= 3 || len(kinds) >= 4
}

// headerLabel returns what a line of such a header holds, "" when it is none.
func headerLabel(line string) string {
	line = strings.TrimLeft(strings.TrimSpace(cutRunes(line, 80)), "*_ \t|")
	end := strings.IndexAny(line, ":：")
	if end <= 0 || end > 40 {
		return ""
	}
	return headerLabels()[strings.Trim(foldText(line[:end]), "*_ ")]
}

// startsTable says whether line i begins the header that Lotus Notes writes as
// a table, a label on each line: "To", "cc", "Subject" or "An", "Kopie",
// "Thema".
func startsTable(lines []string, i int) bool {
	if line := strings.TrimSpace(lines[i]); len(line) > 20 || headerLabels()[foldText(line)] != "to" {
		return false
	}
	for _, line := range lines[i+1 : min(i+12, len(lines))] {
		if line = strings.TrimSpace(line); len(line) > 0 && len(line) <= 20 {
			if kind := headerLabels()[foldText(line)]; kind == "subject" || foldText(line) == "thema" {
				return true
			}
		}
	}
	return false
}
