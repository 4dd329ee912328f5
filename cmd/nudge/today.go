package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) todayCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "today",
		Short: "what waits for you: calls, letters, tasks, answers",
		Long: `List the open calls, letters and tasks, the most pressing first, and the questions that hold somebody until you answer.
What was done is ticked off by nudge done.`,
		Example: "  nudge today\n  nudge today --json",
		Args:    need(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ask(func(op engine.Operator, s settings) error {
				agenda, err := op.Today(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return a.writeJSON(agenda)
				}
				a.tellAgenda(agenda, time.Now())
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) tellAgenda(agenda engine.Agenda, now time.Time) {
	if len(agenda.Tasks)+len(agenda.Answers) == 0 {
		a.printf("nothing waits for you\n")
		a.next("nudge plan")
		return
	}
	for i, t := range agenda.Tasks {
		if i > 0 {
			a.printf("\n")
		}
		line := t.Action + " " + visible(person(t.Name, t.Address)) + ", " + visible(t.Sequence)
		if t.Assignee != "" {
			line += ", for " + visible(t.Assignee)
		}
		a.fact("", line, a.bold)
		since := "since " + day(t.OpenedAt.Local())
		if t.Due != nil {
			since += ", due " + day(t.Due.Local()) + " (" + away(*t.Due, now) + ")"
		}
		a.fact("  ", since, a.dim)
		for line := range strings.SplitSeq(strings.TrimSpace(t.Text), "\n") {
			a.fact("  ", visible(line), nil)
		}
	}
	if len(agenda.Answers) > 0 {
		if len(agenda.Tasks) > 0 {
			a.printf("\n")
		}
		a.printf("%s\n", a.dim("Your answer is needed"))
		for _, v := range agenda.Answers {
			a.fact("  ", visible(person(v.Name, v.Address)+", "+v.Sequence+": "+v.Next.Why), nil)
		}
	}
	if len(agenda.Tasks) > 0 {
		a.next("nudge done %s", agenda.Tasks[0].Address)
	}
}
