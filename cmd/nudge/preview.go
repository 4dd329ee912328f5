package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
	"nudge/sequences"
	"nudge/templates"
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
}

func (a *app) previewCommand() *cobra.Command {
	var f previewFlags
	cmd := &cobra.Command{
		Use:   "preview SEQUENCE|FILE.md",
		Short: "show the mails exactly as they would be sent",
		Long: `Show the mails of a sequence as they would be sent to an imagined prospect who is enrolled now: what stands here
is taken from the finished mail, not from the file. Nothing is sent, and the state is not touched.`,
		Example:           "  nudge preview quote --set first_name=Maria --set quote_no=1042\n  nudge preview sequences/quote.md --all --name \"Maria Lund\"",
		Args:              need(1, 1),
		ValidArgsFunction: a.completeSequence,
		RunE: func(_ *cobra.Command, args []string) error {
			if f.all && (f.step != "" || f.eml != "" || f.html != "") {
				return usage("--all goes with none of --step, --eml and --html", "choose one step with --step N")
			}
			if f.eml == "-" && f.html == "-" {
				return usage("--eml - and --html - cannot both go to standard output", "give one of them a file's name")
			}
			return a.preview(args[0], f)
		},
	}
	cmd.Flags().StringVar(&f.step, "step", "", "step `N`, a number or an id (default the first)")
	cmd.Flags().BoolVar(&f.all, "all", false, "all steps")
	cmd.Flags().StringVar(&f.address, "for", "prospect@example.com", "`ADDRESS` of the imagined prospect")
	cmd.Flags().StringVar(&f.name, "name", "", "`NAME` of the imagined prospect")
	cmd.Flags().StringArrayVar(&f.fields, "set", nil, "a field of the prospect, `KEY=VALUE`; may be repeated")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
	cmd.Flags().StringVar(&f.eml, "eml", "", "write the whole mail to `FILE` (- for standard output)")
	cmd.Flags().StringVar(&f.html, "html", "", "write the HTML part to `FILE` (- for standard output)")
	return cmd
}

// imagined is a step as it would be, and when.
type imagined struct {
	step  *sequences.Step
	email engine.Email
	at    time.Time
}

func (a *app) preview(name string, f previewFlags) error {
	fields, err := parseFields(f.fields)
	if err != nil {
		return err
	}
	address, err := engine.CleanAddress(f.address)
	if err != nil {
		return usage(err.Error(), "write --for anna@example.com")
	}
	seq, owner, err := a.previewed(name)
	if err != nil {
		return err
	}
	last, err := lastStep(seq, f)
	if err != nil {
		return err
	}
	en := engine.Enrollment{ID: "preview", Sequence: seq.Name, Mailbox: owner.Name, Address: address, Key: engine.AddressKey(address),
		Name: strings.TrimSpace(f.name), Fields: fields, State: engine.Active}
	given := maps.Clone(fields)
	steps, missing, err := imagine(owner, seq, en, last, time.Now())
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		// The later steps may lack more: all of it is told at once.
		en.Fields = maps.Clone(given)
		if _, all, err := imagine(owner, seq, en, len(seq.Steps)-1, time.Now()); err == nil {
			missing = all
		}
		return &trouble{code: exitUsage, what: "no value for " + strings.Join(missing, ", "), hint: "add --set " + strings.Join(missing, "=… --set ") + "=…"}
	}
	if f.eml != "" || f.html != "" {
		return a.writeParts(f, steps[last].email.Raw)
	}
	if !f.all {
		steps = steps[last:]
	}
	if f.json {
		return a.stepsJSON(steps)
	}
	for i, s := range steps {
		if i > 0 {
			a.printf("\n%s\n\n", strings.Repeat("-", 72))
		}
		if err := a.showStep(seq, s); err != nil {
			return err
		}
	}
	return nil
}

// lastStep is the index of the step to show, or of the last one with --all.
func lastStep(seq *sequences.Sequence, f previewFlags) (int, error) {
	switch {
	case f.all:
		return len(seq.Steps) - 1, nil
	case f.step == "":
		return 0, nil
	}
	ids := make([]string, len(seq.Steps))
	for i, st := range seq.Steps {
		if st.ID == f.step || fmt.Sprint(i+1) == f.step {
			return i, nil
		}
		ids[i] = fmt.Sprintf("%d %s", i+1, st.ID)
	}
	return 0, &trouble{code: exitNothing, what: fmt.Sprintf("sequence %s has no step %q", seq.Name, f.step), hint: "steps: " + strings.Join(ids, "; ")}
}

// imagine walks through a sequence up to a step, each touch leaving when it is
// due. Instead of mails it may return the fields that have no value.
func imagine(owner engine.Mailbox, seq *sequences.Sequence, en engine.Enrollment, last int, now time.Time) ([]imagined, []string, error) {
	en.EnrolledAt, en.StartAt = now, now
	missing := missingNeeds(seq, en)
	loc := zoneOf(owner, seq, en.Fields)
	prev := now
	var steps []imagined
	for i := range seq.Steps[:last+1] {
		st := &seq.Steps[i]
		s := imagined{step: st, at: st.DueAt(prev, loc)}
		for {
			var err error
			s.email, err = engine.Compose(owner, make([]byte, 32), seq, st, en, s.at)
			if err == nil {
				break
			}
			gap, ok := errors.AsType[*templates.MissingError](err)
			if !ok || slices.Contains(missing, gap.Field) && en.Fields[gap.Field] != "" {
				return nil, nil, err
			}
			if !slices.Contains(missing, gap.Field) {
				missing = append(missing, gap.Field)
			}
			en.Fields[gap.Field] = "…"
		}
		steps = append(steps, s)
		done := engine.Done{Step: st.ID, At: s.at, Outcome: engine.Opened}
		if st.Do == sequences.Email {
			done.Outcome, en.Thread = engine.Sent, s.email.Thread
		}
		en.Done = append(en.Done, done)
		prev = s.at
	}
	return steps, missing, nil
}

// missingNeeds lists what a sequence needs of every prospect and this one lacks.
func missingNeeds(seq *sequences.Sequence, en engine.Enrollment) []string {
	return slices.DeleteFunc(slices.Clone(seq.Needs), func(field string) bool {
		fromName := field == "name" || field == "first_name" || field == "last_name"
		return en.Fields[field] != "" || field == "email" || fromName && en.Name != ""
	})
}

// previewed finds the sequence, and the mailbox it would leave from.
func (a *app) previewed(name string) (*sequences.Sequence, engine.Mailbox, error) {
	owner := engine.Mailbox{Name: "preview", Address: "you@example.com", DisplayName: "Your Name", Signature: "Your Name", Location: time.Local}
	dir := defaultSequences
	s, err := a.settings()
	switch {
	case err == nil:
		dir, owner = s.sequences, s.mailboxes[0].engine
	case !errors.Is(err, errNoConfig):
		return nil, owner, err
	}
	seq, err := findSequence(name, dir)
	if err != nil {
		return nil, owner, err
	}
	for _, m := range s.mailboxes {
		if m.engine.Name == seq.From {
			owner = m.engine
		}
	}
	owner.Rehearsal = false // the mail itself, without the banner
	return seq, owner, nil
}

// findSequence reads a file, or finds a sequence of the folder by its name.
func findSequence(name, dir string) (*sequences.Sequence, error) {
	if info, err := os.Stat(name); err == nil && !info.IsDir() {
		source, err := readSource(name)
		if err != nil {
			return nil, err
		}
		seq, err := sequences.Parse(name, source)
		if err != nil {
			return nil, &trouble{code: exitFindings, what: err.Error(), hint: "nudge lint " + name + " shows the lines"}
		}
		return seq, nil
	}
	name = strings.TrimSuffix(name, ".md")
	library, err := sequences.Open(dir)
	if err != nil {
		return nil, &trouble{code: exitNothing, what: fmt.Sprintf("there is no sequence %q: %v", name, err), hint: "name a file: nudge preview FILE.md"}
	}
	if seq, ok := library.Sequence(name); ok {
		return seq, nil
	}
	for _, broken := range library.Broken() {
		if strings.Contains(broken.Error(), name+".md:") {
			return nil, &trouble{code: exitFindings, what: broken.Error(), hint: "nudge lint " + dir + " shows the lines"}
		}
	}
	return nil, &trouble{code: exitNothing, what: fmt.Sprintf("there is no sequence %q in %s", name, dir) + didYouMean(name, library.Names()),
		hint: "sequences: " + strings.Join(library.Names(), ", ")}
}

// showStep prints one step: the headers a person sees, then the text part.
func (a *app) showStep(seq *sequences.Sequence, s imagined) error {
	parts, err := partsOf(s.email.Raw)
	if err != nil {
		return err
	}
	title := strings.TrimLeft(s.step.Title, "0123456789.) ")
	a.printf("%s\n", a.dim(visible(fmt.Sprintf("Step %d of %d: %s (would be due %s)", s.step.Number, len(seq.Steps), title, when(s.at, s.at.Location())))))
	if s.step.Do != sequences.Email {
		a.printf("Your own work, not a mail.\n\n%s", printable(parts.text))
		return nil
	}
	headers, err := headersOf(s.email.Raw)
	if err != nil {
		return err
	}
	for _, h := range headers {
		a.printf("%s %s\n", a.bold(h[0]+":"), visible(h[1]))
	}
	for _, f := range parts.files {
		a.printf("%s %s (%s)\n", a.bold("Attached:"), visible(f.name), size(int64(f.size)))
	}
	a.printf("\n%s", printable(parts.text))
	return nil
}

// previewedStep is what nudge preview --json prints of one step. The headers
// are empty for the owner's own work.
type previewedStep struct {
	Step      string    `json:"step"`
	Number    int       `json:"number"`
	Action    string    `json:"action"`
	At        time.Time `json:"at"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Subject   string    `json:"subject"`
	MessageID string    `json:"message_id"`
	Text      string    `json:"text"`
	HTML      string    `json:"html"`
}

func (a *app) stepsJSON(steps []imagined) error {
	answer := make([]previewedStep, len(steps))
	for i, s := range steps {
		parts, err := partsOf(s.email.Raw)
		if err != nil {
			return err
		}
		answer[i] = previewedStep{Step: s.step.ID, Number: s.step.Number, Action: string(s.step.Do), At: s.at, Text: parts.text}
		if s.step.Do != sequences.Email {
			continue
		}
		headers, err := headersOf(s.email.Raw)
		if err != nil {
			return err
		}
		answer[i].From, answer[i].To, answer[i].Subject = headers[0][1], headers[1][1], headers[2][1]
		answer[i].MessageID, answer[i].HTML = s.email.MessageID, parts.page
	}
	return a.writeJSON(answer)
}

// writeParts writes what was asked for of one mail into files.
func (a *app) writeParts(f previewFlags, raw []byte) error {
	if f.eml != "" {
		if err := a.writeFile(f.eml, raw); err != nil || f.html == "" {
			return err
		}
	}
	parts, err := partsOf(raw)
	if err != nil {
		return err
	}
	if parts.page == "" {
		return &trouble{code: exitNothing, what: "this mail is plain text alone; it has no HTML", hint: "take plain: yes out of its step, or use --eml"}
	}
	return a.writeFile(f.html, []byte(strings.TrimRight(parts.page, "\n")+"\n"))
}

// writeFile writes bytes where a person asked for them.
func (a *app) writeFile(path string, b []byte) error {
	if path == "-" {
		_, err := a.out.Write(b)
		return err
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return err
	}
	a.printf("wrote %s (%d bytes)\n", path, len(b))
	return nil
}
