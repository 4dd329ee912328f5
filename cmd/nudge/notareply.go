package main

import (
	"errors"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) notAReplyCommand() *cobra.Command {
	var force, asJSON bool
	cmd := &cobra.Command{
		Use:   "not-a-reply ADDRESS|MESSAGE-ID",
		Short: "take back what a mail did",
		Long: `Say that a mail was no answer. What it stopped or held goes on where it was, each with the date its next step had, and
that mail never counts again, wherever it is met. With an address, the latest mail that changed anything for that person
is meant; nudge show lists them. A prospect who was suppressed because of it may be written to again; where the mail asked
not to be written to, only with --force.`,
		Example: "  nudge not-a-reply maria@example.com\n  nudge not-a-reply 'CAF1x@mail.example.com'",
		Args:    need(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(func(op engine.Operator, _ settings) error {
				req := engine.NotAReplyRequest{Target: args[0], Force: force}
				done, err := op.NotAReply(cmd.Context(), req)
				if errors.Is(err, engine.ErrSuppressed) && a.canAsk() {
					if err := a.confirm(err.Error()+"; was it not their wish?", "--force"); err != nil {
						return err
					}
					req.Force = true
					done, err = op.NotAReply(cmd.Context(), req)
				}
				if err != nil {
					return err
				}
				if asJSON {
					return a.writeJSON(done)
				}
				for _, v := range done.Enrollments {
					a.printf("%s in %s: %s\n", visible(person(v.Name, v.Address)), visible(v.Sequence), visible(string(v.State)+with(", ", v.Reason)))
				}
				if len(done.Enrollments) > 0 {
					a.next("nudge why %s", done.Enrollments[0].Address)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "also where the mail asked not to be written to")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
