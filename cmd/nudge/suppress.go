package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) suppressCommand() *cobra.Command {
	var f suppressFlags
	cmd := &cobra.Command{
		Use:   "suppress ADDRESS|@DOMAIN",
		Short: "never write to somebody again",
		Long: `Never write to an address again, or to anybody at a domain. What runs for them stops. Who unsubscribes, complains or
bounces is suppressed by itself; --list shows all. It also stands in a file beside the state, so that no restored backup
forgets it.

With --remove they may be written to again, and what was stopped stays stopped. What a person asked for themselves is
only removed with --yes: when they asked for mail again.`,
		Example: "  nudge suppress maria@example.com --why \"asked by phone\"\n  nudge suppress --list",
		Args:    need(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(cmd, args); err != nil {
				return err
			}
			return a.ask(func(op engine.Operator, _ settings) error {
				switch {
				case f.list:
					return a.listSuppressed(cmd.Context(), op, f.asJSON)
				case f.remove:
					return a.unsuppress(cmd.Context(), op, args[0], f)
				}
				return a.suppress(cmd.Context(), op, args[0], f)
			})
		},
	}
	cmd.Flags().StringVar(&f.why, "why", "", "the reason, in your `WORDS`")
	cmd.Flags().BoolVar(&f.list, "list", false, "list who is suppressed, and since when")
	cmd.Flags().BoolVar(&f.remove, "remove", false, "let them be written to again")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "with --remove: they asked for mail again themselves")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

type suppressFlags struct {
	why                       string
	list, remove, yes, asJSON bool
}

// check refuses what does not go together.
func (f suppressFlags) check(cmd *cobra.Command, args []string) error {
	switch {
	case f.list && (len(args) > 0 || f.remove || f.why != ""):
		return usage("--list goes with nothing but --json", "nudge suppress --list")
	case !f.list && len(args) == 0:
		return usage("nudge suppress needs ADDRESS|@DOMAIN, or --list", exampleHint+firstExample(cmd))
	case f.yes && !f.remove:
		return usage("--yes goes with --remove", "nudge suppress --remove --yes ADDRESS")
	}
	return nil
}

func (a *app) suppress(ctx context.Context, op engine.Operator, target string, f suppressFlags) error {
	done, err := op.Suppress(ctx, engine.SuppressRequest{Target: target, Why: f.why})
	if err != nil {
		return err
	}
	if f.asJSON {
		return a.writeJSON(done)
	}
	who := visible(done.Target) + " is never"
	if domain, whole := strings.CutPrefix(done.Target, "@"); whole {
		who = "nobody at " + visible(domain) + " is ever"
	}
	a.printf("%s written to again: %s stopped\n", who, count(done.Stopped, "enrollment"))
	a.next("nudge suppress --list")
	return nil
}

func (a *app) unsuppress(ctx context.Context, op engine.Operator, target string, f suppressFlags) error {
	req := engine.SuppressRequest{Target: target, Why: f.why, Remove: true, Force: f.yes}
	done, err := op.Suppress(ctx, req)
	if errors.Is(err, engine.ErrSuppressed) && a.canAsk() {
		if err := a.confirm(err.Error()+"; did they ask for mail again themselves?", "--yes"); err != nil {
			return err
		}
		req.Force = true
		done, err = op.Suppress(ctx, req)
	}
	if err != nil {
		return err
	}
	if f.asJSON {
		return a.writeJSON(done)
	}
	a.printf("%s may be written to again; what was stopped stays stopped\n", visible(done.Target))
	a.next("nudge enroll SEQUENCE ADDRESS")
	return nil
}

func (a *app) listSuppressed(ctx context.Context, op engine.Operator, asJSON bool) error {
	all, err := op.Suppressions(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		if all == nil {
			all = []engine.Suppression{}
		}
		return a.writeJSON(all)
	}
	if len(all) == 0 {
		a.printf("nobody is suppressed\n")
		return nil
	}
	t := table{shrink: []int{2, 0}}
	t.add("WHO", "SINCE", "WHY")
	for _, s := range all {
		t.add(s.Target, day(s.At.Local()), s.Why)
	}
	a.printTable(t)
	return nil
}
