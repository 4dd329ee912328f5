package main

import (
	"errors"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) stopCommand() *cobra.Command {
	var sequence string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "stop ADDRESS",
		Short:   "end somebody's sequences",
		Example: "  nudge stop maria@example.com\n  nudge stop maria@example.com --sequence quote",
		Args:    need(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(func(op engine.Operator, s settings) error {
				name := s.sequenceName(sequence)
				views, err := op.Stop(cmd.Context(), args[0], name)
				if errors.Is(err, engine.ErrNotFound) && name != "" {
					// Nobody is in it: is there such a sequence at all?
					if _, unknown := op.List(cmd.Context(), engine.Filter{Sequence: name}); unknown != nil {
						err = unknown
					}
				}
				if err != nil {
					return s.suggestSequence(err, name)
				}
				if asJSON {
					return a.writeJSON(views)
				}
				for _, v := range views {
					a.printf("%s in %s: %s\n", visible(person(v.Name, v.Address)), visible(v.Sequence), visible(string(v.State)+with(", ", v.Reason)))
				}
				a.next("nudge show %s", args[0])
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&sequence, "sequence", "", "only in this `SEQUENCE`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.RegisterFlagCompletionFunc("sequence", a.completeFlag) // the flag exists: see above
	return cmd
}
