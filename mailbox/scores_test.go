package mailbox

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// scoreLabels are the labels of a corpus, in the order of its tables.
var scoreLabels = []string{
	"reply", "auto-reply", "bounce-hard", "bounce-soft", "complaint", "unsubscribe", "mdn", "calendar", "challenge", "other", "unsure",
}

// otherNames are the words of corpora for what we call otherwise.
var otherNames = map[string]string{"disposition": "mdn", "challenge-response": "challenge"}

// verdictRow is one labelled message and what was read in it.
type verdictRow struct {
	path      string
	want      []string // labels, any of which is right; the first is the better one
	failed    string   // recipients of a bounce apart by commas, the names of one by bars; "" when not known
	got       string
	gotFailed []string
	took      time.Duration
	size      int
}

// seen is the label that a verdict counts as: any right one as the first.
func (r verdictRow) seen() string {
	if slices.Contains(r.want, r.got) {
		return r.want[0]
	}
	return r.got
}

// person says whether only a person can have written the message in answer.
func (r verdictRow) person() bool {
	return r.want[0] == "reply" && !slices.Contains(r.want, "other")
}

// machine says whether the message is no answer of a person.
func (r verdictRow) machine() bool { return !slices.Contains(r.want, "reply") }

func isBounce(label string) bool { return strings.HasPrefix(label, "bounce") }

// share is how many of how many.
type share struct{ hits, of int }

func (s *share) count(hit bool) {
	s.of++
	if hit {
		s.hits++
	}
}

func (s share) percent() float64 {
	if s.of == 0 {
		return 0
	}
	return 100 * float64(s.hits) / float64(s.of)
}

func (s share) String() string { return fmt.Sprintf("%6.2f%%  (%d of %d)", s.percent(), s.hits, s.of) }

// scores are the figures by which a reader of mail is judged.
type scores struct {
	confusion     map[string]map[string]int // truth, verdict
	right         share
	missed        share // replies of people taken for something on which the sequence goes on, or stops for the wrong reason
	unsurePeople  share
	falseReply    share // mail of machines taken for a reply
	unsureMachine share
	bounceFound   share // of the bounces
	bounceTrue    share // of what was taken for one
	hardOrSoft    share // of the bounces that were found
	recipients    share // named exactly, of the bounces whose recipients are known
	slowest       verdictRow
}

func scoresOf(rows []verdictRow) scores {
	s := scores{confusion: map[string]map[string]int{}}
	for _, r := range rows {
		want, seen := r.want[0], r.seen()
		if s.confusion[want] == nil {
			s.confusion[want] = map[string]int{}
		}
		s.confusion[want][seen]++
		s.right.count(seen == want)
		switch {
		case r.person():
			s.missed.count(seen != want && r.got != "unsure")
			s.unsurePeople.count(r.got == "unsure")
		case r.machine():
			s.falseReply.count(r.got == "reply")
			s.unsureMachine.count(r.got == "unsure")
		}
		s.countBounce(r)
		if r.took > s.slowest.took {
			s.slowest = r
		}
	}
	return s
}

func (s *scores) countBounce(r verdictRow) {
	if isBounce(r.got) && (isBounce(r.want[0]) || r.seen() != r.want[0]) {
		s.bounceTrue.count(isBounce(r.want[0]))
	}
	if !isBounce(r.want[0]) {
		return
	}
	if isBounce(r.got) || !slices.Contains(r.want, r.got) {
		s.bounceFound.count(isBounce(r.got))
	}
	if isBounce(r.got) {
		s.hardOrSoft.count(r.seen() == r.want[0])
	}
	if r.failed != "" {
		s.recipients.count(sameRecipients(r.failed, r.gotFailed))
	}
}

// label returns how many messages have a label, and the precision, recall and
// F1 of the verdict that names it.
func (s scores) label(label string) (n int, precision, recall, f1 float64) {
	named, hits := 0, s.confusion[label][label]
	for want, verdicts := range s.confusion {
		named += verdicts[label]
		if want == label {
			for _, count := range verdicts {
				n += count
			}
		}
	}
	if named > 0 {
		precision = float64(hits) / float64(named)
	}
	if n > 0 {
		recall = float64(hits) / float64(n)
	}
	if precision+recall > 0 {
		f1 = 2 * precision * recall / (precision + recall)
	}
	return n, precision, recall, f1
}

// macroF1 is the mean of F1 over the labels that occur.
func (s scores) macroF1() float64 {
	sum, labels := 0.0, 0
	for _, label := range scoreLabels {
		if n, _, _, f1 := s.label(label); n > 0 {
			sum, labels = sum+f1, labels+1
		}
	}
	return sum / float64(max(1, labels))
}

func (s scores) print(w io.Writer) {
	fmt.Fprintf(w, "messages %d   accuracy %.2f%%   macro-F1 %.3f\n\n", s.right.of, s.right.percent(), s.macroF1())
	fmt.Fprintf(w, "%-14s %6s %10s %8s %8s\n", "label", "n", "precision", "recall", "F1")
	var truths, verdicts []string
	for _, label := range scoreLabels {
		n, precision, recall, f1 := s.label(label)
		if n > 0 {
			truths = append(truths, label)
		}
		if n > 0 || precision > 0 || s.named(label) {
			verdicts = append(verdicts, label)
		}
		if label != "unsure" && (n > 0 || s.named(label)) {
			fmt.Fprintf(w, "%-14s %6d %9.1f%% %7.1f%% %8.3f\n", label, n, 100*precision, 100*recall, f1)
		}
	}
	fmt.Fprintf(w, "\nconfusion (rows: truth, columns: verdict)\n%-14s", "")
	for _, label := range verdicts {
		fmt.Fprintf(w, "%12s", label)
	}
	for _, want := range truths {
		fmt.Fprintf(w, "\n%-14s", want)
		for _, got := range verdicts {
			if count := s.confusion[want][got]; count > 0 {
				fmt.Fprintf(w, "%12d", count)
			} else {
				fmt.Fprintf(w, "%12s", ".")
			}
		}
	}
	fmt.Fprintf(w, "\n\n")
	for _, line := range []struct {
		name  string
		share share
	}{
		{"replies of people missed", s.missed}, {"mail of machines taken for a reply", s.falseReply},
		{"unsure about replies of people", s.unsurePeople}, {"unsure about mail of machines", s.unsureMachine},
		{"bounces found", s.bounceFound}, {"of what was taken for a bounce, is one", s.bounceTrue},
		{"hard or soft right, of those found", s.hardOrSoft}, {"failed recipients named exactly", s.recipients},
	} {
		fmt.Fprintf(w, "%-40s %s\n", line.name, line.share)
	}
	fmt.Fprintf(w, "%-40s %7.2f ms  %s, %d bytes\n", "slowest message", float64(s.slowest.took.Microseconds())/1000, s.slowest.path, s.slowest.size)
}

// named says whether any message got a label.
func (s scores) named(label string) bool {
	for _, verdicts := range s.confusion {
		if verdicts[label] > 0 {
			return true
		}
	}
	return false
}

// sameRecipients compares what was read with a column like "a|b,c": every
// recipient by one of its names, and nobody else.
func sameRecipients(want string, got []string) bool {
	used := map[int]bool{}
	groups := strings.Split(strings.ToLower(want), ",")
	for _, a := range got {
		hit := false
		for i, g := range groups {
			if slices.Contains(strings.Split(g, "|"), strings.ToLower(a)) {
				used[i], hit = true, true
			}
		}
		if !hit {
			return false
		}
	}
	return len(used) == len(groups)
}

func TestScores(t *testing.T) {
	rows := []verdictRow{
		{want: []string{"reply"}, got: "reply"},
		{want: []string{"reply"}, got: "auto-reply"},
		{want: []string{"reply"}, got: "unsure"},
		{want: []string{"reply", "other"}, got: "other"}, // both are right
		{want: []string{"other", "reply"}, got: "reply"},
		{want: []string{"auto-reply"}, got: "reply"},
		{want: []string{"auto-reply"}, got: "auto-reply"},
		{want: []string{"unsubscribe", "reply"}, got: "reply"},
		{want: []string{"bounce-hard"}, got: "bounce-hard", failed: "a@x|b@x,c@x", gotFailed: []string{"B@x", "c@x"}},
		{want: []string{"bounce-hard"}, got: "bounce-soft", failed: "a@x", gotFailed: []string{"a@x", "z@x"}},
		{want: []string{"bounce-soft"}, got: "other"},
		{want: []string{"other"}, got: "bounce-hard"},
	}
	s := scoresOf(rows)
	for _, tt := range []struct {
		name string
		got  share
		want share
	}{
		{"right", s.right, share{6, 12}},
		{"missed", s.missed, share{1, 3}},
		{"unsure about people", s.unsurePeople, share{1, 3}},
		{"false replies", s.falseReply, share{1, 6}},
		{"unsure about machines", s.unsureMachine, share{0, 6}},
		{"bounces found", s.bounceFound, share{2, 3}},
		{"true bounces", s.bounceTrue, share{2, 3}},
		{"hard or soft", s.hardOrSoft, share{1, 2}},
		{"recipients", s.recipients, share{1, 2}},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %v, want %v", tt.name, tt.got, tt.want)
		}
	}
	if n, precision, recall, f1 := s.label("reply"); n != 4 || precision != 2.0/3 || recall != 0.5 || math.Abs(f1-4.0/7) > 1e-9 {
		t.Errorf("reply: n %d, precision %v, recall %v, F1 %v", n, precision, recall, f1)
	}
}
