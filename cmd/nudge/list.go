package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) listCommand() *cobra.Command {
	var state, sequence string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "list who is followed up with",
		Example: "  nudge list\n  nudge list --state held --sequence quote --json",
		Args:    need(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter := engine.Filter{State: engine.State(state)}
			switch filter.State {
			case "", engine.Active, engine.Held, engine.Stopped, engine.Finished:
			default:
				states := []string{"active", "held", "stopped", "finished"}
				return usage(fmt.Sprintf("unknown state %q", state)+didYouMean(state, states), "states: "+strings.Join(states, ", "))
			}
			return a.ask(func(op engine.Operator, s settings) error {
				filter.Sequence = s.sequenceName(sequence)
				views, err := op.List(cmd.Context(), filter)
				if err != nil {
					return s.suggestSequence(err, filter.Sequence)
				}
				if asJSON {
					if views == nil {
						views = []engine.View{}
					}
					return a.writeJSON(views)
				}
				a.tellList(views, s.commonZone(), state != "" || sequence != "", time.Now())
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only this `STATE`: active, held, stopped, finished")
	cmd.Flags().StringVar(&sequence, "sequence", "", "only this `SEQUENCE`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.RegisterFlagCompletionFunc("sequence", a.completeFlag) // the flag exists: see above
	return cmd
}

func (a *app) tellList(views []engine.View, zone *time.Location, filtered bool, now time.Time) {
	switch {
	case len(views) == 0 && filtered:
		a.printf("nobody\n")
		return
	case len(views) == 0:
		a.printf("nobody is enrolled yet\n")
		a.next("nudge enroll SEQUENCE ADDRESS")
		return
	}
	if !isTerminal(a.out) {
		a.printTable(listed(views, func(t time.Time) string { return shortWhen(t) + ", " + away(t, now) }))
		return
	}
	elsewhere := false // on a terminal the zone is told once
	moment := func(t time.Time) string {
		elsewhere = elsewhere || sameClock(t, zone) && !sameClock(t, time.Local)
		return shortly(t, now, zone)
	}
	t := listed(views, func(t time.Time) string { return moment(t) + ", " + away(t, now) })
	if t.wide() > a.columns() {
		t = listed(views, moment)
	}
	a.printTable(t)
	if elsewhere {
		a.printf("%s\n", a.dim("times are those of "+zone.String()))
	}
}

// listed is a row for each enrollment; moment tells when something is due.
func listed(views []engine.View, moment func(time.Time) string) table {
	t := table{shrink: []int{0, 1, 3, 5}}
	t.add("ADDRESS", "SEQUENCE", "STATE", "REASON", "TOUCHES", "NEXT")
	for _, v := range views {
		t.add(v.Address, v.Sequence, string(v.State), reasonWords(v), strconv.Itoa(v.Touches), nextWords(v, moment))
	}
	return t
}

// reasonWords is why an enrollment's state is what it is.
func reasonWords(v engine.View) string {
	if v.Paused {
		return strings.TrimPrefix(v.Reason+", paused", ", ")
	}
	return v.Reason
}

// nextWords is an enrollment's next action and when.
func nextWords(v engine.View, moment func(time.Time) string) string {
	switch {
	case v.Next == nil:
		return ""
	case v.Next.At == nil && v.Paused:
		return "when resumed"
	case v.Next.At == nil:
		return "your answer"
	}
	words := moment(*v.Next.At)
	if v.Next.Action != "email" {
		words = v.Next.Action + " " + words
	}
	return words
}
