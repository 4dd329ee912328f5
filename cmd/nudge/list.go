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
			filter := engine.Filter{State: engine.State(state), Sequence: sequence}
			switch filter.State {
			case "", engine.Active, engine.Held, engine.Stopped, engine.Finished:
			default:
				states := []string{"active", "held", "stopped", "finished"}
				return usage(fmt.Sprintf("unknown state %q", state)+didYouMean(state, states), "states: "+strings.Join(states, ", "))
			}
			return a.ask(func(op engine.Operator, _ settings) error {
				views, err := op.List(cmd.Context(), filter)
				if err != nil {
					return err
				}
				if asJSON {
					if views == nil {
						views = []engine.View{}
					}
					return a.writeJSON(views)
				}
				a.tellList(views, state != "" || sequence != "", time.Now())
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

func (a *app) tellList(views []engine.View, filtered bool, now time.Time) {
	switch {
	case len(views) == 0 && filtered:
		a.printf("nobody\n")
		return
	case len(views) == 0:
		a.printf("nobody is enrolled yet\n")
		a.next("nudge enroll SEQUENCE ADDRESS")
		return
	}
	var t table
	t.add("ADDRESS", "SEQUENCE", "STATE", "SENT", "NEXT")
	for _, v := range views {
		t.add(v.Address, v.Sequence, stateWords(v), strconv.Itoa(v.Touches), nextWords(v, now))
	}
	a.printTable(t)
}

// stateWords is an enrollment's state with its reason in one or two words.
func stateWords(v engine.View) string {
	switch {
	case v.State == engine.Active && v.Paused:
		return "paused"
	case v.State == engine.Stopped && v.Reason != "":
		return v.Reason
	}
	return string(v.State)
}

// nextWords is an enrollment's next action and when.
func nextWords(v engine.View, now time.Time) string {
	switch {
	case v.Next == nil:
		return ""
	case v.Next.At == nil && v.Paused:
		return "when resumed"
	case v.Next.At == nil:
		return "your answer: " + v.Reason
	}
	at := v.Next.At.Local()
	words := day(at) + ", " + away(at, now)
	if v.Next.Action != "email" {
		words = v.Next.Action + " " + words
	}
	return words
}
