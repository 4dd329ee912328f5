package mailbox

import (
	"os"
	"path/filepath"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
)

func phraseTables() map[string]*phrases {
	return map[string]*phrases{
		"absentPhrases": absentPhrases, "leftPhrases": leftPhrases, "presentPhrases": presentPhrases, "latePhrases": latePhrases, "personalWords": personalWords, "foreverPhrases": foreverPhrases, "autoSubjects": autoSubjects,
		"awaySubjects": awaySubjects, "acknowledgedPhrases": acknowledgedPhrases, "machinePhrases": machinePhrases,
		"challengePhrases": challengePhrases, "optOutPhrases": optOutPhrases, "wrotePhrases": wrotePhrases,
		"originalPhrases": originalPhrases, "devicePhrases": devicePhrases, "bannerPhrases": bannerPhrases, "hintPhrases": hintPhrases,
		"disclaimerPhrases": disclaimerPhrases, "backWords": backWords, "failurePhrases": failurePhrases, "failSubjects": failSubjects,
	}
}

// A phrase is only tried on a text that holds what it needs, so what it is
// said to need must be in every text that it matches.
func TestPhrasesFindWhatTheirExpressionsMatch(t *testing.T) {
	var texts []string
	nth := 0
	files, _ := filepath.Glob(filepath.Join("testdata", "*", "*.txt"))
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			if nth++; nth%6 == 0 { // a sixth of them is enough to tell, and takes a second
				texts = append(texts, foldText(line))
			}
		}
	}
	if len(texts) < 200 {
		t.Fatalf("only %d lines to try", len(texts))
	}
	for name, table := range phraseTables() {
		table.in("")
		for i, p := range table.list {
			re := p.compile()
			for _, text := range texts {
				without := len(p.needs) > 0 && !slices.ContainsFunc(p.needs, func(s string) bool { return strings.Contains(text, s) })
				if without && re.MatchString(text) {
					t.Errorf("%s: %q matches %q without %q", name, table.sources[i], text, p.needs)
				}
			}
		}
	}
}

func TestPhrasesAreInLowerCase(t *testing.T) {
	for name, table := range phraseTables() {
		for _, source := range table.sources {
			plain := strings.NewReplacer(`\S`, "", `\W`, "", `\P`, "", `\A`, "", `\D`, "", `\p{L}`, "").Replace(source)
			if folded := foldText(plain); folded != strings.Join(strings.Fields(plain), " ") {
				t.Errorf("%s: %q can never match what foldText returns, %q", name, plain, folded)
			}
		}
	}
}

func TestFewPhrasesHaveToBeTriedOnEveryText(t *testing.T) {
	for name, table := range phraseTables() {
		table.in("")
		blind := 0
		for _, p := range table.list {
			if len(p.needs) == 0 {
				blind++
			}
		}
		if blind*4 > len(table.list) {
			t.Errorf("%s: %d of %d phrases need nothing", name, blind, len(table.list))
		}
	}
}

func TestRequiredStrings(t *testing.T) {
	for source, want := range map[string][]string{
		`out of (the )?office`:  {" office", "out of "},
		`(left|gone) for good`:  {" for good"},
		`(until|till) monday`:   {" monday"},
		`a?b?`:                  nil,
		`(x|y?)`:                nil,
		`(unsubscribe|opt out)`: {"unsubscribe", "opt out"},
	} {
		tree, err := syntax.Parse(source, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		got := required(tree)
		if len(want) == 0 {
			if len(got) != 0 {
				t.Errorf("%s needs %q, want nothing", source, got)
			}
			continue
		}
		if len(got) == 0 || !slices.ContainsFunc(want, func(w string) bool { return slices.Contains(got, w) }) {
			t.Errorf("%s needs %q, want one of %q", source, got, want)
		}
	}
}

func TestPhrasesEndAtWords(t *testing.T) {
	p := newPhrases(`leave_`, `stop`, `休暇`)
	for text, want := range map[string]bool{"on leave": true, "leaves": false, "nonstop": false, "stops": true, "の休暇です": true, "leave.": true, "éleave": false} {
		if p.in(text) != want {
			t.Errorf("%q: found %v, want %v", text, !want, want)
		}
	}
	if rest, found := p.cut("please stopping it"); !found || rest != "please   it" {
		t.Errorf("cut leaves %q", rest)
	}
}

func TestFoldText(t *testing.T) {
	for in, want := range map[string]string{
		"Ｄｅｃ １２": "dec 12", "e\u0301te\u0301": "été", "I\u2019m\u00a0OUT": "i'm out", "a\u200bb": "ab", "İzin": "izin", " a\n\tb ": "a b", "Straße": "straße",
	} {
		if got := foldText(in); got != want {
			t.Errorf("%q is folded to %q, want %q", in, got, want)
		}
	}
	if regexp.MustCompile(`\s\s`).MatchString(foldText("a \u3000 b")) {
		t.Error("two blanks stay two")
	}
}
