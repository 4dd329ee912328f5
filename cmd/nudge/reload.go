package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) reloadCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "read the sequence files again at once",
		Long: `Let the daemon read the sequence files again, as SIGHUP does; it also does so by itself two seconds after one changed. A
broken file keeps its last good copy. People under way get the new text; a step that is gone is passed over.`,
		Example: "  nudge reload\n  nudge reload --json",
		Args:    need(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ask(func(op engine.Operator, _ settings) error {
				result, err := op.Reload(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return a.writeJSON(result)
				}
				a.printf("%s loaded\n", count(result.Loaded, "sequence"))
				for _, broken := range result.Broken {
					a.say("warning", broken)
				}
				if len(result.Broken) > 0 {
					return &trouble{code: exitFailed, what: fmt.Sprintf("%s cannot be used as written", count(len(result.Broken), "file")), hint: "nudge lint shows every mistake with its line"}
				}
				if !isRunning(op) {
					a.printf("no daemon is running; it reads them when it starts\n")
				}
				a.next("nudge plan")
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
