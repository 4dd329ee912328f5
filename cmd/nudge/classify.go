package main

import (
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
	"nudge/mailbox"
)

// maxMessage bounds what is read of one message, in bytes.
const maxMessage = 32 << 20

// classified is what nudge classify --json prints of one file.
type classified struct {
	Path      string      `json:"path"`
	Label     engine.Kind `json:"label"`
	Failed    []string    `json:"failed"`
	Evidence  string      `json:"evidence"`            // the rule that decided, in words
	Status    string      `json:"status,omitempty"`    // a bounce's enhanced status code
	Until     string      `json:"until,omitempty"`     // an absence's last day
	OptOut    bool        `json:"opt_out,omitempty"`   // it asks to be left alone
	Left      bool        `json:"left,omitempty"`      // whoever was written to is gone
	Successor string      `json:"successor,omitempty"` // the address to write to instead
	Ticket    bool        `json:"ticket,omitempty"`    // an automatic answer that says no more than that a mail came in
	Answer    string      `json:"answer,omitempty"`    // to an invitation: accepted, declined, tentative or delegated
	From      []string    `json:"from"`
	Subject   string      `json:"subject"`
	MessageID string      `json:"message_id"`
}

func (a *app) classifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "classify FILE.eml...",
		Short: "say what a received mail is",
		Long: `Say what received mails are: reply, auto-reply, bounce-hard, bounce-soft, complaint, unsubscribe, mdn, calendar,
challenge, other or unsure. One line a file, tab separated: path, label, recipients that a bounce names.
A FILE of - is standard input. Nothing is sent or changed.`,
		Example: "  nudge classify answer.eml\n  nudge classify --json *.eml",
		Args:    need(1, -1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, path := range args {
				raw, err := a.readMessage(path)
				if err != nil {
					return err
				}
				in := mailbox.Classify(raw)
				if !asJSON {
					a.printf("%s\t%s\t%s\n", visible(path), in.Kind, visible(strings.Join(in.Failed, ",")))
					continue
				}
				if err := a.writeJSONLine(evidenceOf(path, in)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line, with the evidence")
	return cmd
}

func (a *app) readMessage(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(a.in, maxMessage))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fileTrouble(path, err, "name a file that holds one mail, or - for standard input")
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxMessage))
	if err != nil {
		return nil, fileTrouble(path, err, "name a file that holds one mail, or - for standard input")
	}
	return raw, nil
}

func evidenceOf(path string, in engine.Incoming) classified {
	c := classified{Path: path, Label: in.Kind, Failed: in.Failed, Evidence: in.Evidence, Status: in.Status,
		OptOut: in.OptOut, Left: in.Left, Successor: in.Successor, Ticket: in.Ticket, Answer: in.Answer,
		From: in.From, Subject: in.Subject, MessageID: in.MessageID}
	if c.Failed == nil {
		c.Failed = []string{}
	}
	if c.From == nil {
		c.From = []string{}
	}
	if !in.Until.IsZero() {
		c.Until = in.Until.Format(time.DateOnly)
	}
	return c
}
