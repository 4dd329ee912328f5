package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
	"nudge/sequences"
)

// previewFlags are the flags of nudge preview.
type previewFlags struct {
	step    string
	all     bool
	address string
	name    string
	fields  []string
	eml     string
	html    string
	json    bool
	watch   bool
	port    uint16
}

// imaginedAddress is written to where nobody is named (RFC 2606).
const imaginedAddress = "prospect@example.com"

func (a *app) previewCommand() *cobra.Command {
	var f previewFlags
	cmd := &cobra.Command{
		Use:   "preview SEQUENCE|FILE.md",
		Short: "show the mails exactly as they would be sent",
		Long: `Show the mails of a sequence exactly as they would be sent: what stands here is taken from the finished mail, not
from the file. Nothing is sent, and the state is not changed.

With --for, somebody who is enrolled gets their next mail, with their own fields and thread; --set adds to those. Anybody
else is imagined, as if enrolled now, and the first line says so. Each step comes when the engine would do it; steps that
are not for this prospect (only-if, a date that is too close) are left out, and a line says why.

With --watch a page on this machine shows all steps as a desktop and a telephone would, and again whenever the file is
saved.`,
		Example:           "  nudge preview quote --name Maria --set quote_no=1042 --set project=\"the roof\"\n  nudge preview sequences/quote.md --watch --name \"Maria Lund\"",
		Args:              need(1, 1),
		ValidArgsFunction: a.completeSequence,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			if f.watch {
				return a.watchPreview(cmd.Context(), args[0], f)
			}
			return a.preview(cmd.Context(), args[0], f)
		},
		Annotations: map[string]string{daemonCommand: "yes"}, // --watch closes its page
	}
	cmd.Flags().StringVar(&f.step, "step", "", "step `N`, a number or an id (default the next one)")
	cmd.Flags().BoolVar(&f.all, "all", false, "all steps")
	cmd.Flags().StringVar(&f.address, "for", imaginedAddress, "`ADDRESS` of the prospect, enrolled or imagined")
	cmd.Flags().StringVar(&f.name, "name", "", "`NAME` of the prospect")
	cmd.Flags().StringArrayVar(&f.fields, "set", nil, "a field of the prospect, `KEY=VALUE`; may be repeated")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
	cmd.Flags().StringVar(&f.eml, "eml", "", "write the whole mail to `FILE` (- for standard output)")
	cmd.Flags().StringVar(&f.html, "html", "", "write the HTML part to `FILE` (- for standard output)")
	cmd.Flags().BoolVar(&f.watch, "watch", false, "show all steps on a local page that follows the file")
	cmd.Flags().Uint16Var(&f.port, "port", 0, "the page's `PORT` (default any free one)")
	return cmd
}

// check says which flags do not go together.
func (f previewFlags) check() error {
	switch {
	case f.all && (f.step != "" || f.eml != "" || f.html != ""):
		return usage("--all goes with none of --step, --eml and --html", "choose one step with --step N")
	case f.eml == "-" && f.html == "-":
		return usage("--eml - and --html - cannot both go to standard output", "give one of them a file's name")
	case f.watch && (f.step != "" || f.eml != "" || f.html != "" || f.json):
		return usage("--watch shows every step on a page, and goes with none of --step, --eml, --html and --json", "leave those out")
	case f.port != 0 && !f.watch:
		return usage("--port belongs to --watch", "add --watch")
	}
	return nil
}

func (a *app) preview(ctx context.Context, name string, f previewFlags) error {
	w, err := a.walkFor(name, f, a.records(ctx))
	if err != nil {
		return err
	}
	steps, missing, err := w.walk()
	if err != nil {
		return err
	}
	shown, err := f.chosen(w, steps)
	if err != nil {
		return err
	}
	if len(w.needs()) > 0 || lacks(steps, shown) {
		// The later steps may lack more: all of it is told at once.
		return w.gaps(missing)
	}
	if f.eml != "" || f.html != "" {
		return a.writeParts(f, shown[0].email.Raw)
	}
	if f.json {
		return a.stepsJSON(w, shown)
	}
	a.printf("%s\n", a.dim(visible(w.whose())))
	for _, s := range steps {
		if s.out != "" {
			a.printf("%s\n", a.dim(visible(s.leftOut())))
		}
	}
	a.printf("\n")
	for i, s := range slices.DeleteFunc(slices.Clone(shown), func(s walked) bool { return s.out != "" }) {
		if i > 0 {
			a.printf("\n%s\n\n", strings.Repeat("-", 72))
		}
		if err := a.showStep(w.seq, s); err != nil {
			return err
		}
	}
	return nil
}

// chosen are the steps that were asked for.
func (f previewFlags) chosen(w *walker, steps []walked) ([]walked, error) {
	if f.all {
		return steps, nil
	}
	ids, numbered := make([]string, len(w.seq.Steps)), make([]string, len(w.seq.Steps))
	for i, st := range w.seq.Steps {
		ids[i], numbered[i] = st.ID, fmt.Sprintf("%d %s", i+1, st.ID)
		if !strings.EqualFold(f.step, st.ID) && f.step != fmt.Sprint(i+1) {
			continue
		}
		why := "a later one is behind them"
		for _, s := range steps {
			switch {
			case s.step.ID != st.ID && s.held != "":
				why = fmt.Sprintf("step %q comes before it, %s", s.step.ID, s.held)
			case s.step.ID == st.ID && s.out == "":
				return []walked{s}, nil
			case s.step.ID == st.ID:
				why = s.out
			}
		}
		return nil, &trouble{code: exitNothing, what: fmt.Sprintf("%s will not get step %q: %s", w.en.Address, st.ID, why),
			hint: "nudge preview shows the next one"}
	}
	if f.step != "" {
		return nil, &trouble{code: exitNothing, what: fmt.Sprintf("sequence %s has no step %q", w.seq.Name, f.step) + didYouMean(f.step, ids),
			hint: "steps: " + strings.Join(numbered, "; ")}
	}
	theirs := slices.DeleteFunc(slices.Clone(steps), func(s walked) bool { return s.out != "" })
	if len(theirs) == 0 {
		return nil, &trouble{code: exitNothing, what: fmt.Sprintf("%s gets no step of %s", w.en.Address, w.seq.Name) + whyNone(steps),
			hint: "--set KEY=VALUE gives them other fields"}
	}
	for _, s := range theirs {
		if !s.left {
			return []walked{s}, nil
		}
	}
	return theirs[len(theirs)-1:], nil
}

// whyNone lists why steps are left out.
func whyNone(steps []walked) string {
	var words []string
	for _, s := range steps {
		words = append(words, fmt.Sprintf("step %d: %s", s.step.Number, s.out))
	}
	return with(": ", strings.Join(words, "; "))
}

// previewed finds the sequence, the mailbox it would leave from, and what the
// config is called.
func (a *app) previewed(name string) (*sequences.Sequence, engine.Mailbox, string, error) {
	owner := engine.Mailbox{Name: "preview", Address: "you@example.com", DisplayName: "Your Name", Signature: "Your Name", Location: time.Local}
	dir := defaultSequences
	s, err := a.settings()
	switch {
	case err == nil:
		dir = s.sequences
	case !errors.Is(err, errNoConfig):
		return nil, owner, "", err
	}
	seq, wrong := findSequence(name, dir, s.config())
	if t, ok := errors.AsType[*trouble](wrong); ok && t.code == exitUsage && errors.Is(err, errNoConfig) {
		t.code, t.hint = exitNothing, "nudge new "+usualPreset+" begins a sequence there; a file is named with its path: nudge preview FILE.md"
	}
	if wrong != nil {
		return nil, owner, "", wrong
	}
	if len(s.mailboxes) > 0 {
		if owner, wrong = engine.SenderOf(seq, s.owners()); wrong != nil {
			return nil, owner, "", wrong
		}
	}
	owner.Rehearsal = false // the mail itself, without the banner
	return seq, owner, s.config(), nil
}

// findSequence reads a file, or finds a sequence of the folder by its name. config
// is what says which folder.
func findSequence(name, dir, config string) (*sequences.Sequence, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fileTrouble(name, err, "")
	}
	if err == nil && !info.IsDir() {
		source, err := readSource(name)
		if err != nil {
			return nil, fileTrouble(name, err, "")
		}
		seq, err := sequences.Parse(name, source)
		if err != nil {
			return nil, &trouble{code: exitFindings, what: err.Error(), hint: "nudge lint " + shell(name) + " shows the lines"}
		}
		return seq, nil
	}
	library, failed := sequences.Open(dir)
	if errors.Is(failed, fs.ErrPermission) {
		return nil, fileTrouble(dir, failed, "")
	} else if failed == nil {
		word := strings.TrimSuffix(name, ".md")
		if seq, ok := library.Sequence(word); ok {
			return seq, nil
		}
		file := filepath.Join(dir, word+".md")
		if _, err := readSource(file); errors.Is(err, fs.ErrPermission) {
			return nil, fileTrouble(file, err, "")
		}
		if broken := brokenFile(library, word); broken != nil {
			return nil, &trouble{code: exitFindings, what: broken.Error(), hint: "nudge lint " + shell(dir) + " shows the lines"}
		}
	}
	switch {
	case err == nil:
		return nil, &trouble{code: exitNothing, what: name + " is a folder, not a file", hint: "name a file in it: nudge preview " + shell(filepath.Join(name, "FILE.md"))}
	case failed == nil && namesFile(name):
		return nil, noSequenceFile(name, dir, library.Names())
	case namesFile(name):
		return nil, noSequenceFile(name, dir, nil)
	case failed != nil:
		return nil, sequencesTrouble(dir, config, failed)
	}
	return nil, &trouble{code: exitNothing, what: fmt.Sprintf("there is no sequence %q in %s", name, dir) + didYouMean(name, library.Names()),
		hint: cmp.Or(with("sequences: ", strings.Join(library.Names(), ", ")), "nudge new "+shell(name)+" begins one")}
}
