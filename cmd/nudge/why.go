package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) whyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "why ADDRESS",
		Short: "explain whether and when the next touch goes",
		Long: `Explain for one address every fact that decides whether and when the next touch goes: where it stands and because of
which mail, how the date was reckoned, the window, pauses, suppression and pace. What stands in its way now is marked.`,
		Example: "  nudge why maria@example.com\n  nudge why maria@example.com --json",
		Args:    need(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(func(op engine.Operator, s settings) error {
				all, err := op.Why(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return a.writeJSON(explanationsForPrograms(all))
				}
				for i, e := range all {
					if i > 0 {
						a.printf("\n")
					}
					a.tellWhy(e, s, time.Now())
				}
				a.next("nudge show %s", args[0])
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// tellWhy shows one explanation: a fact a line, those that stand in the way in
// yellow and with a mark that needs no colour.
func (a *app) tellWhy(e engine.Explanation, s settings, now time.Time) {
	v := e.Enrollment
	loc, err := time.LoadLocation(e.Zone)
	if err != nil || e.Zone == "" { // of an older daemon
		loc = s.likelyZone(v)
	}
	a.fact("", visible(person(v.Name, v.Address)+" in "+v.Sequence+timesIn(loc, now)), a.bold)
	for i, f := range e.Facts {
		mark, style := " ", func(line string) string { return line }
		if f.No {
			mark, style = "!", a.yellow
		}
		a.fact(fmt.Sprintf("%s %-10s ", mark, visible(f.About)), visible(f.Words), style)
		if i == 0 && e.Because != nil {
			a.fact(fmt.Sprintf("  %-10s ", "because"), visible(day(e.Because.At.In(loc))+": "+eventWords(*e.Because, loc)), nil)
		}
	}
	next := "nothing, it has ended"
	switch {
	case e.At != nil && v.Next != nil:
		next = fmt.Sprintf("%s %q %s, %s", e.Action, e.Step, when(*e.At, loc), away(*e.At, now))
	case v.Next != nil:
		next = "waits for you"
	}
	a.fact(fmt.Sprintf("  %-10s ", "next"), visible(next), a.bold)
}

// explanationForPrograms is an explanation as --json prints it.
type explanationForPrograms struct {
	Enrollment engine.View       `json:"enrollment"`
	At         *time.Time        `json:"at"`
	Step       string            `json:"step"`
	Action     string            `json:"action"`
	Because    *eventForPrograms `json:"because"`
	Facts      []engine.Fact     `json:"facts"`
	Zone       string            `json:"zone"`
}

func explanationsForPrograms(all []engine.Explanation) []explanationForPrograms {
	list := make([]explanationForPrograms, len(all))
	for i, e := range all {
		list[i] = explanationForPrograms{e.Enrollment, e.At, e.Step, e.Action, nil, e.Facts, e.Zone}
		if e.Because != nil {
			ev := forPrograms(*e.Because)
			list[i].Because = &ev
		}
	}
	return list
}
