package mailbox

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nudge/engine"
)

// corpusWords are the corpus's names of what differs from ours.
var corpusWords = map[engine.Kind]string{
	engine.Receipt:   "disposition",
	engine.Challenge: "challenge-response",
}

// TestCorpus measures Classify on a folder of labelled mail that is not part
// of the product. NUDGE_CORPUS names the folder with its labels.tsv (first
// column the path, second the label, several right ones apart by a bar, third
// the recipients of a bounce, fifth the id of the mail it returns),
// NUDGE_PREDICTIONS the file to write: path, kind, failed recipients.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("NUDGE_CORPUS")
	if dir == "" {
		t.Skip("NUDGE_CORPUS does not name a corpus")
	}
	labels, err := os.ReadFile(filepath.Join(dir, "labels.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var predictions bytes.Buffer
	right, total, returned, lost := 0, 0, 0, 0
	for row := bufio.NewScanner(bytes.NewReader(labels)); row.Scan(); {
		columns := strings.Split(row.Text(), "\t")
		if len(columns) < 5 || columns[0] == "path" {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, columns[0]))
		if err != nil {
			t.Fatal(err)
		}
		in := Classify(raw)
		word := string(in.Kind)
		if w, ok := corpusWords[in.Kind]; ok {
			word = w
		}
		fmt.Fprintf(&predictions, "%s\t%s\t%s\n", columns[0], word, strings.Join(in.Failed, ","))
		if total++; strings.Contains("|"+columns[1]+"|", "|"+word+"|") {
			right++
		} else {
			t.Logf("%s is %s, taken for %s: %s", columns[0], columns[1], word, in.Evidence)
		}
		if id := engine.CleanMessageID(columns[4]); id != "" {
			if returned++; !slices.Contains(in.Quoted, id) {
				t.Logf("%s returns %s, not among %s", columns[0], id, strings.Join(in.Quoted, ", "))
				lost++
			}
		}
		if strings.HasPrefix(columns[1], "bounce") && !ParseHeader(raw).Report {
			t.Logf("%s is %s, and its header does not say so", columns[0], columns[1])
		}
		if strings.HasPrefix(word, "bounce") && columns[2] != "" && !sameRecipients(columns[2], in.Failed) {
			t.Logf("%s failed for %s, read as %s", columns[0], columns[2], strings.Join(in.Failed, ","))
		}
	}
	if total == 0 {
		t.Fatalf("%s has no labelled mail", dir)
	}
	t.Logf("%d of %d right; %d of %d returned ids not found", right, total, lost, returned)
	if path := os.Getenv("NUDGE_PREDICTIONS"); path != "" {
		if err := os.WriteFile(path, predictions.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// sameRecipients compares what was read with a column like "a|b,c": every
// recipient by one of its names, and nobody else.
func sameRecipients(want string, got []string) bool {
	used := map[string]bool{}
	groups := strings.Split(strings.ToLower(want), ",")
	for _, a := range got {
		hit := false
		for _, g := range groups {
			if strings.Contains("|"+g+"|", "|"+strings.ToLower(a)+"|") {
				used[g], hit = true, true
			}
		}
		if !hit {
			return false
		}
	}
	return len(used) == len(groups)
}
