package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) enrollCommand() *cobra.Command {
	var name, at string
	var fields []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "enroll SEQUENCE ADDRESS",
		Short: "follow up with somebody",
		Long: `Put one prospect into a sequence. The first touch leaves when the first step's wait is over and the sequence's
sending window is open.`,
		Example:           "  nudge enroll quote maria@example.com --name \"Maria Lund\" --set quote_no=1042\n  nudge enroll quote maria@example.com --at 2026-11-24T09:00:00+01:00",
		Args:              need(2, 2),
		ValidArgsFunction: a.completeSequence,
		RunE: func(cmd *cobra.Command, args []string) error {
			req := engine.EnrollRequest{Sequence: args[0], Address: args[1], Name: name}
			var err error
			if req.Fields, err = parseFields(fields); err != nil {
				return err
			}
			if at != "" {
				if req.At, err = time.Parse(time.RFC3339, at); err != nil {
					return usage(fmt.Sprintf("--at %s is not a time", at), "write it like 2026-11-24T09:00:00+01:00")
				}
			}
			return a.ask(func(op engine.Operator, s settings) error {
				v, err := op.Enroll(cmd.Context(), req)
				if err != nil {
					return err
				}
				if asJSON {
					return a.writeJSON(v)
				}
				a.printf("enrolled %s in %s; %s\n", visible(person(v.Name, v.Address)), visible(v.Sequence), firstTouch(v, s))
				if isRunning(op) {
					a.next("nudge show %s", v.Address)
				} else {
					a.printf("no daemon is running, so nothing leaves yet\n")
					a.next("nudge run")
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the prospect's `NAME`")
	cmd.Flags().StringArrayVar(&fields, "set", nil, "a field of the prospect, `KEY=VALUE`; may be repeated")
	cmd.Flags().StringVar(&at, "at", "", "count the first wait from this `TIME` (RFC 3339) instead of now")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// firstTouch says when it begins.
func firstTouch(v engine.View, s settings) string {
	if v.Next == nil || v.Next.At == nil {
		return "nothing is due"
	}
	likely := time.Local
	for _, m := range s.mailboxes {
		if m.engine.Name == v.Mailbox {
			likely = m.engine.Location
		}
	}
	what := "first touch"
	if v.Next.Action != "email" {
		what = "first " + v.Next.Action
	}
	return fmt.Sprintf("%s %s (%s)", what, day(*v.Next.At), zoneName(*v.Next.At, likely))
}
