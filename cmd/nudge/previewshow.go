package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"nudge/sequences"
)

// showStep prints one step: the headers a person sees, then the text part.
func (a *app) showStep(seq *sequences.Sequence, s walked) error {
	parts, err := partsOf(s.email.Raw)
	if err != nil {
		return err
	}
	for _, line := range hanging(visible(s.title(seq)), a.columns(), 0) {
		a.printf("%s\n", a.dim(line))
	}
	if s.step.Do != sequences.Email {
		a.printf("Your own work, not a mail.\n\n%s", printable(parts.text))
		return nil
	}
	headers, err := headersOf(s.email.Raw)
	if err != nil {
		return err
	}
	a.showMail(headers, parts)
	return nil
}

// showMail prints a mail as a person reads it: its headers, then its plain text.
func (a *app) showMail(headers [][2]string, parts mailParts) {
	for _, h := range headers {
		label := h[0] + ": "
		for i, line := range a.linesOf(visible(h[1]), len(label)) {
			if i > 0 {
				label = strings.Repeat(" ", len(label))
			}
			a.printf("%s%s\n", a.bold(label), line)
		}
	}
	for _, f := range parts.files {
		a.printf("%s %s (%s)\n", a.bold("Attached:"), visible(f.name), size(int64(f.size)))
	}
	a.printf("\n%s", printable(parts.text))
}

// title says which step it is, and when.
func (s walked) title(seq *sequences.Sequence) string {
	moment := when(s.at, s.at.Location())
	which := fmt.Sprintf("Step %d of %d: %s", s.step.Number, len(seq.Steps), s.name())
	switch {
	case s.left:
		return fmt.Sprintf("%s (%s %s; as the file has it now)", which, s.how, moment)
	case s.held != "":
		return fmt.Sprintf("%s (would be due %s; %s)", which, moment, s.held)
	}
	return fmt.Sprintf("%s (would be due %s)", which, moment)
}

// name is the step's heading without its number, and with its round.
func (s walked) name() string {
	name := strings.TrimLeft(s.step.Title, "0123456789.) ")
	if s.step.Round > 1 {
		return fmt.Sprintf("%s, round %d", name, s.step.Round)
	}
	return name
}

// leftOut says in a line which step is not for this prospect, and why.
func (s walked) leftOut() string {
	return fmt.Sprintf("Left out for them: step %d, %s: %s", s.step.Number, s.name(), s.out)
}

// previewedStep is what nudge preview --json prints of one step. The headers
// are empty for the owner's own work.
type previewedStep struct {
	Step      string    `json:"step"`
	Number    int       `json:"number"`
	Action    string    `json:"action"`
	At        time.Time `json:"at"`
	Enrolled  bool      `json:"enrolled"`           // else the prospect is imagined
	Done      bool      `json:"done"`               // it is behind the prospect
	LeftOut   string    `json:"left_out,omitempty"` // why it is not for this prospect; then there is no mail
	Variant   string    `json:"variant,omitempty"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Subject   string    `json:"subject"`
	MessageID string    `json:"message_id"`
	Text      string    `json:"text"`
	HTML      string    `json:"html"`
	Attached  []string  `json:"attached,omitempty"` // names of files
}

func (a *app) stepsJSON(w *walker, steps []walked) error {
	answer := make([]previewedStep, len(steps))
	for i, s := range steps {
		if s.out != "" {
			answer[i] = previewedStep{Step: s.step.ID, Number: s.step.Number, Action: string(s.step.Do), At: s.at, Enrolled: w.enrolled, LeftOut: s.out}
			continue
		}
		parts, err := partsOf(s.email.Raw)
		if err != nil {
			return err
		}
		answer[i] = previewedStep{Step: s.step.ID, Number: s.step.Number, Action: string(s.step.Do), At: s.at, Text: parts.text,
			Enrolled: w.enrolled, Done: s.left}
		if s.step.Do != sequences.Email {
			continue
		}
		headers, err := headersOf(s.email.Raw)
		if err != nil {
			return err
		}
		answer[i].From, answer[i].To, answer[i].Subject = headers[0][1], headers[1][1], headers[2][1]
		answer[i].Variant = s.email.Variant
		for _, file := range parts.files {
			answer[i].Attached = append(answer[i].Attached, file.name)
		}
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
		return writeTrouble(path, err)
	}
	a.printf("wrote %s (%d bytes)\n", path, len(b))
	return nil
}
