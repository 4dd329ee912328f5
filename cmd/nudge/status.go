package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) statusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "say how things are, and why nothing leaves",
		Example: "  nudge status\n  nudge status --json",
		Args:    need(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ask(func(op engine.Operator, set settings) error {
				s, err := op.Status(cmd.Context())
				if err != nil {
					return err
				}
				s.Paused = s.Paused || halted(set.state)
				if asJSON {
					if s.Mailboxes == nil {
						s.Mailboxes = []engine.MailboxStatus{}
					}
					return a.writeJSON(s)
				}
				a.tellStatus(s, set, time.Now())
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) tellStatus(s engine.Status, set settings, now time.Time) {
	fact := func(label, words string, paint func(string) string) {
		a.fact(fmt.Sprintf("%-9s ", label), visible(words), paint)
	}
	if s.Running {
		fact("daemon", "running", a.green)
	} else {
		fact("daemon", "not running", a.yellow)
	}
	deliver := s.Deliver
	if s.Deliver == rehearsal {
		deliver += ", every mail goes to you"
	}
	fact("deliver", deliver, nil)
	for _, m := range s.Mailboxes {
		fact("mailbox", fmt.Sprintf("%s <%s>, %d of %d sent today", m.Name, m.Address, m.SentToday, m.PerDay), nil)
		fact("            imap", m.IMAP.State+sweptWords(m.IMAP, now), a.stateColour(m.IMAP.State))
		fact("            smtp", m.SMTP.State+with(": ", m.SMTP.Error), a.stateColour(m.SMTP.State))
	}
	c := s.Counts
	fact("people", fmt.Sprintf("%d active, %d held, %d stopped (%d replied), %d finished", c.Active, c.Held, c.Stopped, c.Replied, c.Finished), nil)
	if s.Next != nil {
		at := s.Next.At
		fact("next", fmt.Sprintf("%s, %s: %s (%s, step %s)", when(at, set.someZone(at)), away(at, now), s.Next.Address, s.Next.Sequence, s.Next.Step), nil)
	}
	for _, why := range silence(s, set) {
		fact("silent", why, a.yellow)
	}
	for _, m := range s.Mailboxes {
		if said := m.IMAP.Error + m.SMTP.Error; strings.Contains(said, unknownAuthority) && !strings.Contains(said, "set ca-file") {
			fact("look", authorityHint(m.Name, set.file), a.yellow)
		}
	}
	for _, notice := range s.Notices {
		if !slices.ContainsFunc(s.Mailboxes, func(m engine.MailboxStatus) bool { return m.Why == notice }) { // said above
			fact("look", notice, a.yellow)
		}
	}
}

// stateColour is the colour in which a server's state is told.
func (a *app) stateColour(state string) func(string) string {
	switch state {
	case "ok":
		return a.green
	case "down":
		return a.red
	}
	return a.yellow
}

// someZone is the zone of the mailbox whose clocks show what a moment's do.
func (s settings) someZone(t time.Time) *time.Location {
	for _, m := range s.mailboxes {
		if sameClock(t, m.engine.Location) {
			return m.engine.Location
		}
	}
	return time.Local
}

// unknownAuthority is how a mailbox says that a certificate was signed by
// somebody this machine does not trust.
const unknownAuthority = "certificate comes from an unknown authority"

// authorityHint is what to do about it where the authority is one's own.
func authorityHint(name, file string) string {
	return fmt.Sprintf("if the authority is your own, set ca-file = \"…\" in %s (mailbox %s)", configName(file), name)
}

func sweptWords(s engine.IMAPStatus, now time.Time) string {
	words := ""
	if s.SweptAt != nil {
		words = ", read " + away(*s.SweptAt, now)
	}
	return words + with(": ", s.Error)
}

// silence says why nothing leaves, with what to do about it.
func silence(s engine.Status, set settings) []string {
	var why []string
	if !s.Running {
		why = append(why, "no daemon is running: nudge run")
	}
	switch {
	case halted(set.state):
		why = append(why, haltWords(set.state)+": nudge resume --all")
	case s.Paused:
		why = append(why, "everything is paused: nudge resume --all")
	}
	for _, m := range s.Mailboxes {
		var reasons []string
		switch {
		case m.Why != "" && !strings.Contains(m.Why, "nudge resume"):
			reasons = append(reasons, m.Why+": nudge resume --mailbox "+shell(m.Name))
		case m.Why != "":
			reasons = append(reasons, m.Why)
		case m.Paused && !s.Paused:
			reasons = append(reasons, "paused: nudge resume --mailbox "+shell(m.Name))
		}
		if m.IMAP.State == "down" {
			reasons = append(reasons, "its mail cannot be read")
		}
		if m.SMTP.State == "down" {
			reasons = append(reasons, "its server takes no mail")
		}
		if m.PerDay > 0 && m.SentToday >= m.PerDay {
			reasons = append(reasons, "its daily cap is reached")
		}
		if len(reasons) > 0 {
			why = append(why, fmt.Sprintf("mailbox %s: %s", m.Name, strings.Join(reasons, "; ")))
		}
	}
	if s.Counts.Active == 0 {
		why = append(why, "nobody is active")
	}
	return why
}
