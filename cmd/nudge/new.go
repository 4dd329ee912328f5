package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"nudge/examples"
	"nudge/sequences"
)

// usualPreset is what a new sequence is made from where nothing else is said.
const usualPreset = "quote"

func (a *app) newCommand() *cobra.Command {
	var from string
	var list bool
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "begin a sequence from a preset",
		Long: `Write a new sequence into the config's sequences folder, or ./sequences when there is no config: a complete one to
change, with a note on why each step stands where it stands. A file that is there is never overwritten.

The preset is the one called NAME, else ` + usualPreset + `; --list shows them all.`,
		Example: "  nudge new quote\n  nudge new spring-offers --from 3-2-4",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case list && (len(args) > 0 || from != ""):
				return usage("--list writes nothing, and goes with neither a NAME nor --from", "leave one of them out")
			case list:
				return a.listPresets()
			case len(args) == 0:
				return usage(cmd.CommandPath()+" needs NAME", exampleHint+firstExample(cmd))
			}
			return a.newSequence(args[0], from)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "begin with this `PRESET`")
	cmd.Flags().BoolVar(&list, "list", false, "list the presets")
	_ = cmd.RegisterFlagCompletionFunc("from", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return presets().Names(), cobra.ShellCompDirectiveNoFileComp
	}) // the flag exists: it stands three lines above
	return cmd
}

// presets are the example sequences.
func presets() *sequences.Library {
	library, err := sequences.Load(examples.Sequences())
	if err != nil {
		panic(err) // what is embedded can be read
	}
	return library
}

func (a *app) listPresets() error {
	library := presets()
	t := table{shrink: []int{3}}
	t.add("PRESET", "TITLE", "TOUCHES", "NEEDS")
	for _, name := range library.Names() {
		seq, _ := library.Sequence(name)
		t.add(name, seq.Title, fmt.Sprint(len(seq.Steps)), strings.Join(seq.Needs, ", "))
	}
	a.printTable(t)
	a.next("nudge new NAME --from %s", usualPreset)
	return nil
}

// sequenceNames are what a sequence's file may be called, without .md.
var sequenceNames = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

func (a *app) newSequence(name, from string) error {
	name = strings.TrimSuffix(name, ".md")
	if !sequenceNames.MatchString(name) || name == "readme" {
		return usage(fmt.Sprintf("%q is not the name of a sequence", name), "a name is made of a-z, 0-9, - and _, such as spring-offers")
	}
	library := presets()
	if _, same := library.Sequence(name); from == "" && same {
		from = name
	}
	from = strings.TrimSuffix(or(from, usualPreset), ".md")
	if !slices.Contains(library.Names(), from) {
		return &trouble{code: exitNothing, what: fmt.Sprintf("there is no preset %q", from) + didYouMean(from, library.Names()),
			hint: "presets: " + strings.Join(library.Names(), ", ")}
	}
	source, err := fs.ReadFile(examples.Sequences(), from+".md")
	if err != nil {
		return err
	}
	dir, err := a.sequencesDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	seq, _ := library.Sequence(from)
	path := filepath.Join(dir, name+".md")
	if err := writeNew(path, renamed(string(source), seq, name, from)); err != nil {
		return err
	}
	a.printf("wrote %s, from the preset %s: %s\n", path, from, count(len(seq.Steps), "step"))
	a.printf("every prospect needs: %s\n", strings.Join(seq.Needs, ", "))
	a.next("change the words to your own, then: nudge preview %s --watch", name)
	return nil
}

// writeNew writes a file that must not be there yet.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return &trouble{code: exitFailed, what: path + " is there already", hint: "choose another name, or move the file away"}
	} else if err != nil {
		return writeTrouble(path, err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// renamed gives a copy of a preset a title of its own, where its name differs:
// two sequences with one title could not be told apart by it.
func renamed(source string, seq *sequences.Sequence, name, from string) string {
	if name == from {
		return source
	}
	words := []rune(strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' }), " "))
	words[0] = unicode.ToUpper(words[0])
	for _, line := range []string{"name: ", "# "} {
		source = strings.Replace(source, "\n"+line+seq.Title+"\n", "\n"+line+string(words)+"\n", 1)
	}
	return source
}
