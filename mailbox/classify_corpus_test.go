package mailbox

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nudge/engine"
)

// TestCorpus measures Classify on a folder of labelled mail that is not part
// of the product, and prints the table of scores. NUDGE_CORPUS names the
// folder with its labels.tsv, whose first line names the columns: path, label
// (several right ones apart by a bar), and where they are known
// failed_recipients and original_message_id. NUDGE_PREDICTIONS names a file
// to write: path, kind, failed recipients.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("NUDGE_CORPUS")
	if dir == "" {
		t.Skip("NUDGE_CORPUS does not name a corpus")
	}
	Classify([]byte("From: a@b\n\nwarm up")) // the tables are prepared once, whoever comes first
	var rows []verdictRow
	returned := share{}
	for _, columns := range readLabels(t, filepath.Join(dir, "labels.tsv")) {
		raw, err := os.ReadFile(filepath.Join(dir, columns["path"]))
		if err != nil {
			t.Fatal(err)
		}
		row := verdictRow{path: columns["path"], failed: columns["failed_recipients"], size: len(raw)}
		for label := range strings.SplitSeq(columns["label"], "|") {
			row.want = append(row.want, cmp.Or(otherNames[label], label))
		}
		began := time.Now()
		in := Classify(raw)
		row.took, row.got, row.gotFailed = time.Since(began), string(in.Kind), in.Failed
		rows = append(rows, row)
		logMistakes(t, row, raw, in)
		if id := engine.CleanMessageID(columns["original_message_id"]); id != "" {
			if returned.count(slices.Contains(in.Quoted, id)); !slices.Contains(in.Quoted, id) {
				t.Logf("%s returns %s, not among %s", row.path, id, strings.Join(in.Quoted, ", "))
			}
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no labelled mail", dir)
	}
	var table bytes.Buffer
	scoresOf(rows).print(&table)
	fmt.Fprintf(&table, "%-40s %s\n", "id of the returned mail found", returned)
	os.Stdout.Write(table.Bytes())
	writePredictions(t, rows)
}

// readLabels reads a table whose first line names its columns.
func readLabels(t *testing.T, path string) []map[string]string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var rows []map[string]string
	for line := range strings.Lines(string(content)) {
		columns := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if names == nil {
			names = columns
			continue
		}
		row := map[string]string{}
		for i, value := range columns[:min(len(columns), len(names))] {
			row[names[i]] = value
		}
		if row["path"] == "" || row["label"] == "" {
			t.Fatalf("%s: a line without path or label: %q", path, line)
		}
		rows = append(rows, row)
	}
	return rows
}

func logMistakes(t *testing.T, row verdictRow, raw []byte, in engine.Incoming) {
	if !slices.Contains(row.want, row.got) {
		t.Logf("%s is %s, taken for %s: %s", row.path, strings.Join(row.want, "|"), row.got, in.Evidence)
	}
	if isBounce(row.want[0]) && !ParseHeader(raw).Report {
		t.Logf("%s is %s, and its header does not say so", row.path, row.want[0])
	}
	if isBounce(row.want[0]) && row.failed != "" && !sameRecipients(row.failed, row.gotFailed) {
		t.Logf("%s failed for %s, read as %s", row.path, row.failed, strings.Join(row.gotFailed, ","))
	}
}

func writePredictions(t *testing.T, rows []verdictRow) {
	path := os.Getenv("NUDGE_PREDICTIONS")
	if path == "" {
		return
	}
	var predictions bytes.Buffer
	for _, r := range rows {
		fmt.Fprintf(&predictions, "%s\t%s\t%s\n", r.path, r.got, strings.Join(r.gotFailed, ","))
	}
	if err := os.WriteFile(path, predictions.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
