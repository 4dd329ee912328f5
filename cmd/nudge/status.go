package main

import (
	"fmt"
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
			return a.ask(func(op engine.Operator, _ settings) error {
				s, err := op.Status(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					if s.Mailboxes == nil {
						s.Mailboxes = []engine.MailboxStatus{}
					}
					return a.writeJSON(s)
				}
				a.tellStatus(s, time.Now())
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) tellStatus(s engine.Status, now time.Time) {
	running := a.green("running")
	if !s.Running {
		running = a.yellow("not running")
	}
	a.printf("%-9s %s\n", "daemon", running)
	deliver := s.Deliver
	if s.Deliver == rehearsal {
		deliver += ", every mail goes to you"
	}
	a.printf("%-9s %s\n", "deliver", visible(deliver))
	for _, m := range s.Mailboxes {
		a.printf("%-9s %s <%s>, %d of %d sent today\n", "mailbox", visible(m.Name), visible(m.Address), m.SentToday, m.PerDay)
		a.printf("%-9s   imap %s%s\n", "", a.stateColour(m.IMAP.State), sweptWords(m.IMAP, now))
		a.printf("%-9s   smtp %s%s\n", "", a.stateColour(m.SMTP.State), visible(with(": ", m.SMTP.Error)))
	}
	c := s.Counts
	a.printf("%-9s %d active, %d held, %d stopped (%d replied), %d finished\n", "people", c.Active, c.Held, c.Stopped, c.Replied, c.Finished)
	if s.Next != nil {
		at := s.Next.At.Local()
		a.printf("%-9s %s, %s: %s (%s, step %s)\n", "next", day(at), away(at, now), visible(s.Next.Address), visible(s.Next.Sequence), visible(s.Next.Step))
	}
	for _, why := range silence(s) {
		a.printf("%-9s %s\n", "silent", a.yellow(visible(why)))
	}
	for _, notice := range s.Notices {
		a.printf("%-9s %s\n", "look", a.yellow(visible(notice)))
	}
}

func (a *app) stateColour(state string) string {
	switch state {
	case "ok":
		return a.green(state)
	case "down":
		return a.red(state)
	}
	return a.yellow(visible(state))
}

func sweptWords(s engine.IMAPStatus, now time.Time) string {
	words := ""
	if s.SweptAt != nil {
		words = ", read " + away(*s.SweptAt, now)
	}
	return words + visible(with(": ", s.Error))
}

// silence says why nothing leaves, with what to do about it.
func silence(s engine.Status) []string {
	var why []string
	if !s.Running {
		why = append(why, "no daemon is running: nudge run")
	}
	if s.Paused {
		why = append(why, "everything is paused: nudge resume --all")
	}
	for _, m := range s.Mailboxes {
		var reasons []string
		if m.Paused && !s.Paused {
			reasons = append(reasons, "paused: nudge resume --mailbox "+m.Name)
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
