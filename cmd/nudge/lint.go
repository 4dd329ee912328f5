package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nudge/sequences"
)

func (a *app) lintCommand() *cobra.Command {
	var strict, asJSON bool
	format := "text"
	cmd := &cobra.Command{
		Use:   "lint [FILE|DIR]...",
		Short: "check sequence files",
		Long: `Check sequence files: mistakes with their line and column, and advice on what could be better.

Without an argument the config's sequences folder is checked, or ./sequences when there is no config.
A FILE of - is standard input. The exit code is 3 when there are mistakes, or with --strict advice.`,
		Example: "  nudge lint sequences/quote.md\n  nudge lint --strict --format github",
		RunE: func(_ *cobra.Command, args []string) error {
			if asJSON {
				format = "json"
			}
			write, known := map[string]func([]lintedFile) error{"text": a.lintText, "json": a.lintJSON, "github": a.lintGitHub}[format]
			if !known {
				return usage(fmt.Sprintf("unknown format %q", format)+didYouMean(format, []string{"text", "json", "github"}), "formats: text, json, github")
			}
			files, err := a.lintSources(args)
			if err != nil {
				return err
			}
			sources := make([]sequences.Source, len(files))
			for i, f := range files {
				sources[i] = sequences.Source{File: f.name, Text: f.source}
			}
			for i, findings := range sequences.LintAll(sources) {
				files[i].findings = append(files[i].findings, findings...)
			}
			a.lintSenders(files)
			if err := write(files); err != nil {
				return err
			}
			if mistakes, advice := countFindings(files); mistakes > 0 || strict && advice > 0 {
				return &trouble{code: exitFindings}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "advice counts as a mistake")
	cmd.Flags().StringVar(&format, "format", format, "`FORMAT` of the answer: text, json or github")
	cmd.Flags().BoolVar(&asJSON, "json", false, "same as --format json")
	return cmd
}

// lintedFile is one file and what is wrong with it.
type lintedFile struct {
	name     string
	source   []byte
	findings []sequences.Finding
	misnamed bool // the first finding is about the name, not about a line
}

// lintedName begins a file with what is wrong with its name: a mistake where the
// daemon would refuse it, advice for a file that lies elsewhere.
func lintedName(name string, source []byte, shelved bool) lintedFile {
	f := lintedFile{name: name, source: source}
	finding, wrong := sequences.LintName(name)
	if !wrong {
		return f
	}
	if !shelved {
		finding.Severity = sequences.SeverityAdvice
		if finding.Suggestion != "" {
			finding.Suggestion = fmt.Sprintf("call it %q", finding.Suggestion)
		}
	}
	f.findings, f.misnamed = []sequences.Finding{finding}, true
	return f
}

// lintSenders looks whether the config has the mailboxes that files send from: a
// mistake where the daemon would enroll nobody for it, advice for a file that
// lies elsewhere. Without a config nobody knows.
func (a *app) lintSenders(files []lintedFile) {
	s, err := a.settings()
	if err != nil {
		return
	}
	var names []string
	for _, m := range s.mailboxes {
		names = append(names, m.engine.Name)
	}
	for i := range files {
		f := &files[i]
		finding, wrong := sequences.LintSender(f.name, f.source, names)
		if !wrong {
			continue
		}
		if !a.isShelved(f.name) {
			finding.Severity = sequences.SeverityAdvice
			if finding.Suggestion != "" {
				finding.Suggestion = fmt.Sprintf("did you mean %q?", finding.Suggestion)
			}
		}
		f.findings = append(f.findings, finding)
		slices.SortStableFunc(f.findings, func(a, b sequences.Finding) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
	}
}

// lintSources reads what the arguments name.
func (a *app) lintSources(args []string) ([]lintedFile, error) {
	if len(args) == 0 {
		dir, err := a.sequencesDir()
		if err != nil {
			return nil, err
		}
		args = []string{dir}
	}
	var files []lintedFile
	for _, arg := range args {
		if arg == "-" {
			source, err := io.ReadAll(a.in)
			if err != nil {
				return nil, err
			}
			files = append(files, lintedFile{name: "-", source: source})
			continue
		}
		names, err := sequenceFiles(arg)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			source, err := readSource(name)
			if err != nil {
				return nil, fileTrouble(name, err, "")
			}
			files = append(files, lintedName(name, source, name != arg || a.isShelved(name)))
		}
	}
	return files, nil
}

// maxSource is how much of a file is read: more than any sequence may have, so
// that one that never ends is found to be too large.
const maxSource = 1 << 20

func readSource(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSource))
}

// isShelved says whether a file lies in the folder of sequences.
func (a *app) isShelved(name string) bool {
	dir, err := a.sequencesDir()
	if err != nil {
		return false
	}
	shelf, err := os.Stat(dir)
	if err != nil {
		return false
	}
	own, err := os.Stat(filepath.Dir(name))
	return err == nil && os.SameFile(shelf, own)
}

// sequencesDir is the config's folder, or ./sequences when there is no config.
func (a *app) sequencesDir() (string, error) {
	c, err := readConfig(a.configFile, os.Environ())
	if errors.Is(err, errNoConfig) {
		return defaultSequences, nil
	} else if err != nil {
		return "", err
	}
	return c.path(or(c.Sequences, defaultSequences)), nil
}

// sequenceFiles lists a file, or the Markdown files of a folder.
func sequenceFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &trouble{code: exitNothing, what: "there is no " + kindOfPath(path) + " " + path, hint: "name a sequence file, or the folder they are in"}
	} else if err != nil {
		return nil, fileTrouble(path, err, "")
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fileTrouble(path, err, "")
	}
	var names []string
	for _, e := range entries {
		name := e.Name() // left out is what sequences.Open leaves out
		if e.IsDir() || !strings.EqualFold(filepath.Ext(name), ".md") || strings.HasPrefix(name, ".") || strings.EqualFold(name, "README.md") {
			continue
		}
		name = filepath.Join(path, name)
		if !e.Type().IsRegular() { // a link may lead out of the folder, and a pipe never ends
			return nil, &trouble{code: exitFindings, what: name + " is not a regular file", hint: "put the file itself into the folder"}
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, &trouble{code: exitNothing, what: fmt.Sprintf("there are no .md files in %s", path), hint: "one sequence is one Markdown file"}
	}
	return names, nil
}

// kindOfPath is what somebody means by a path that is not there.
func kindOfPath(path string) string {
	switch {
	case strings.HasSuffix(path, string(filepath.Separator)):
		return "folder"
	case filepath.Ext(path) != "":
		return "file"
	}
	return "file or folder"
}

func countFindings(files []lintedFile) (mistakes, advice int) {
	for _, f := range files {
		for _, finding := range f.findings {
			if finding.Severity == sequences.SeverityError {
				mistakes++
			} else {
				advice++
			}
		}
	}
	return mistakes, advice
}

// lintText shows each finding with its line and a caret under the place.
func (a *app) lintText(files []lintedFile) error {
	for _, f := range files {
		lines := strings.Split(strings.ReplaceAll(string(f.source), "\r\n", "\n"), "\n")
		for i, finding := range f.findings {
			a.tellFinding(finding)
			if (i > 0 || !f.misnamed) && finding.Line >= 1 && finding.Line <= len(lines) {
				a.showPlace(lines[finding.Line-1], finding)
			}
		}
	}
	mistakes, advice := countFindings(files)
	switch {
	case mistakes > 0:
		a.printf("%s, %s in %s\n", a.red(count(mistakes, "mistake")), count(advice, "piece of advice"), count(len(files), "file"))
	case advice > 0:
		a.printf("no mistakes, %s in %s\n", a.yellow(count(advice, "piece of advice")), count(len(files), "file"))
	default:
		a.printf("%s\n", a.green(count(len(files), "file")+" without a mistake"))
	}
	if mistakes == 0 && files[0].name != "-" {
		a.next("nudge preview %s --all", files[0].name)
	}
	return nil
}

func (a *app) lintJSON(files []lintedFile) error {
	findings := []sequences.Finding{}
	for _, f := range files {
		findings = slices.Concat(findings, f.findings)
	}
	return a.writeJSON(findings)
}

// lintGitHub writes workflow commands, which GitHub shows beside the lines of
// a pull request.
func (a *app) lintGitHub(files []lintedFile) error {
	value := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, f := range files {
		for _, finding := range f.findings {
			level := "error"
			if finding.Severity != sequences.SeverityError {
				level = "warning"
			}
			_, message, _ := strings.Cut(finding.String(), fmt.Sprintf(":%d:%d: ", finding.Line, finding.Column))
			a.printf("::%s file=%s,line=%d,col=%d::%s\n", level, property.Replace(finding.File), finding.Line, finding.Column, value.Replace(message))
		}
	}
	return nil
}
