package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"nudge/engine"
)

// sentFlags are the flags of nudge show that ask for mails as they were sent.
type sentFlags struct {
	list  bool
	which string // a number of the list, or last
	eml   string
}

func (f sentFlags) asked() bool { return f.list || f.which != "" }

// check says which flags do not go together.
func (f sentFlags) check() error {
	switch {
	case f.list && f.which != "":
		return usage("--mails lists the mails, --mail prints one of them", "give one of the two")
	case f.eml != "" && f.which == "":
		return usage("--eml belongs to --mail", "say which mail: --mail 2, or --mail last")
	case f.which != "" && f.which != "last":
		if _, err := strconv.Atoi(f.which); err != nil {
			return usage(fmt.Sprintf("--mail %q is no number", f.which), "say --mail 1, or --mail last")
		}
	}
	return nil
}

// showSent lists the mails that an address was sent, or prints one.
func (a *app) showSent(ctx context.Context, op engine.Operator, address string, f sentFlags, asJSON bool) error {
	mails, err := op.SentTouches(ctx, address)
	if err != nil {
		return err
	}
	if f.list {
		return a.listSent(address, mails, asJSON)
	}
	number, m, err := chosenMail(address, mails, f.which)
	if err != nil {
		return err
	}
	if m.Size == 0 {
		return &trouble{code: exitNothing, what: fmt.Sprintf("mail %d to %s is not kept: it left before mails were kept, over 400 days ago, or unseen by this state", number, address),
			hint: "the Sent folder of the mailbox has it: its Message-ID is " + m.MessageID}
	}
	if m.Whole() && !m.Intact() {
		return &trouble{code: exitFailed, what: fmt.Sprintf("mail %d to %s is not kept as it left: its checksum differs", number, address),
			hint: "nudge verify checks the whole state"}
	}
	switch {
	case f.eml != "" && !m.Whole():
		return &trouble{code: exitNothing, what: fmt.Sprintf("of mail %d only the first %s of %s are kept", number, size(int64(len(m.Raw))), size(int64(m.Size))),
			hint: "the Sent folder of the mailbox has the whole: its Message-ID is " + m.MessageID}
	case f.eml != "":
		return a.writeFile(f.eml, m.Raw)
	case asJSON:
		return a.writeJSON(sentForPrograms(number, m))
	}
	return a.printSent(number, len(mails), m)
}

// chosenMail finds the mail that which means, and its number.
func chosenMail(address string, mails []engine.SentTouch, which string) (int, engine.SentTouch, error) {
	if len(mails) == 0 {
		return 0, engine.SentTouch{}, &trouble{code: exitNothing, what: "no mail was sent to " + address + " yet", hint: "nudge show " + shell(address) + " tells what comes next"}
	}
	n := len(mails)
	if which != "last" {
		n, _ = strconv.Atoi(which) // check has seen that it is one
	}
	if n < 1 || n > len(mails) {
		return 0, engine.SentTouch{}, &trouble{code: exitNothing, what: fmt.Sprintf("there is no mail %d to %s; %s sent", n, address, wereSent(len(mails))),
			hint: "nudge show " + shell(address) + " --mails lists them"}
	}
	return n, mails[n-1], nil
}

func wereSent(n int) string {
	if n == 1 {
		return "1 was"
	}
	return fmt.Sprintf("%d were", n)
}

func (a *app) listSent(address string, mails []engine.SentTouch, asJSON bool) error {
	if asJSON {
		list := make([]sentMail, len(mails))
		for i, m := range mails {
			list[i] = sentForPrograms(i+1, m)
			list[i].Text, list[i].HTML = "", ""
		}
		return a.writeJSON(list)
	}
	if len(mails) == 0 {
		a.printf("no mail was sent to %s yet\n", visible(address))
		return nil
	}
	t := table{shrink: []int{4, 3, 2}}
	t.add("", "sent", "sequence", "step", "subject")
	for i, m := range mails {
		subject := m.Subject
		if m.Size == 0 {
			subject = "(not kept)"
		}
		t.add(strconv.Itoa(i+1), day(m.At.Local()), m.Sequence, m.Step, subject)
	}
	a.printTable(t)
	a.next("nudge show %s --mail last", address)
	return nil
}

// printSent prints a mail as its reader saw it.
func (a *app) printSent(number, of int, m engine.SentTouch) error {
	head := fmt.Sprintf("Mail %d of %d: step %q of %s, sent %s", number, of, m.Step, m.Sequence, when(m.At, time.Local))
	switch {
	case m.Rehearsed:
		head += " in a rehearsal, to you"
	case m.Assumed:
		head += "; nobody knows whether it left, and it counts as sent"
	}
	if m.Variant != "" {
		head += "; subject " + m.Variant
	}
	for _, line := range hanging(visible(head), a.columns(), 0) {
		a.printf("%s\n", a.dim(line))
	}
	parts, err := partsOf(m.Raw)
	if err != nil && m.Whole() { // one that was cut ends too early, behind its texts
		return err
	}
	headers, err := headersOf(m.Raw)
	if err != nil {
		return err
	}
	a.showMail(headers, parts)
	if !m.Whole() {
		a.printf("\n%s\n", a.dim(fmt.Sprintf("Of %s the first %s are kept; the rest was attachments.", size(int64(m.Size)), size(int64(len(m.Raw))))))
	}
	return nil
}

// sentMail is what nudge show --mail --json prints.
type sentMail struct {
	Number    int       `json:"number"`
	Sequence  string    `json:"sequence"`
	Step      string    `json:"step"`
	At        time.Time `json:"at"`
	Rehearsed bool      `json:"rehearsed"`
	Assumed   bool      `json:"assumed"`
	MessageID string    `json:"message_id"`
	Subject   string    `json:"subject"`
	Variant   string    `json:"variant,omitempty"`
	SHA256    string    `json:"sha256"`
	Size      int       `json:"size"` // in bytes; 0 = not kept
	Kept      int       `json:"kept"` // of them
	Text      string    `json:"text,omitempty"`
	HTML      string    `json:"html,omitempty"`
}

func sentForPrograms(number int, m engine.SentTouch) sentMail {
	parts, _ := partsOf(m.Raw) // of one that was cut, what was read
	return sentMail{Number: number, Sequence: m.Sequence, Step: m.Step, At: m.At, Rehearsed: m.Rehearsed, Assumed: m.Assumed,
		MessageID: m.MessageID, Subject: m.Subject, Variant: m.Variant, SHA256: m.SHA256, Size: m.Size, Kept: len(m.Raw),
		Text: parts.text, HTML: parts.page}
}
