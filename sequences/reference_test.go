package sequences

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nudge/templates"
)

// docs/reference.md is what the program says; go test ./sequences -update writes it
// anew.
func TestTheReferenceIsWrittenFromTheTables(t *testing.T) {
	golden(t, "../docs/reference.md", Reference())
}

var example = regexp.MustCompile("^\\| `([^`]+)` ")

// Whatever the reference names is taken.
func TestWhatTheReferenceNamesIsTaken(t *testing.T) {
	section := ""
	seen := 0
	for line := range strings.Lines(Reference()) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.TrimSpace(title)
		}
		m := example.FindStringSubmatch(strings.ReplaceAll(line, `\|`, "|"))
		if m == nil {
			continue
		}
		seen++
		switch word := m[1]; section {
		case "Settings of a sequence", "Settings of a step":
			keys := frontKeys
			if section == "Settings of a step" {
				keys = stepKeys
			}
			if !isKey(keys, word) {
				t.Errorf("%s: %s is not taken", section, word)
			}
		case "Delays":
			for _, w := range strings.Split(strings.Split(line, "|")[1], ",") {
				if _, err := ParseDelay("3 " + strings.Trim(w, " `")); err != nil {
					t.Error(err)
				}
			}
		case "Schedules":
			if _, err := ParseSchedule(word); err != nil {
				t.Errorf("%s: %v", word, err)
			}
		case "Built-in fields":
			if !slices.Contains(BuiltinFields, word) {
				t.Errorf("no field %s", word)
			}
		case "Tags":
			body := word
			if word == "{% break %}" || word == "{% continue %}" {
				body = "{% for a in (1..2) %}" + word + "{% endfor %}"
			}
			_, err := templates.ParseWith(body, templates.Position{Line: 1, Column: 1},
				templates.Options{Partial: func(string) (string, error) { return "x", nil }})
			if err != nil {
				t.Errorf("%s: %v", word, err)
			}
		case "Filters":
			if err := filterTaken(word); err != nil {
				t.Error(err)
			}
		case "Attachments":
			if fileKinds[word].media == "" {
				t.Errorf("%s files are not taken", word)
			}
		default:
			t.Errorf("unknown section %q", section)
		}
	}
	if want := len(frontKeys) + len(stepKeys) + len(units) + 4 + len(builtins) + len(templates.Tags()) + len(templates.Filters()); seen < want-20 {
		t.Errorf("%d rows; about %d were expected", seen, want)
	}
}

// filterTaken tries a filter with no, one and two arguments, on a value and on
// a list.
func filterTaken(name string) error {
	var err error
	for _, value := range []string{"x", `x | split: ";"`} {
		for _, args := range []string{"", `: "1"`, `: "1", "2"`} {
			source := fmt.Sprintf("{{ %s | %s%s }}", value, name, args)
			if _, err = templates.Parse(source, templates.Position{Line: 1, Column: 1}); err == nil {
				return nil
			}
		}
	}
	return err
}
