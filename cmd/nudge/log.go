package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
)

// followEvery is how often --follow looks for new events.
const followEvery = 500 * time.Millisecond

func (a *app) logCommand() *cobra.Command {
	var follow, asJSON bool
	var after uint64
	cmd := &cobra.Command{
		Use:     "log",
		Short:   "print what happened, one event a line",
		Example: "  nudge log --follow\n  nudge log --json --after 1200",
		Args:    need(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			tell := a.tellEvent
			if asJSON {
				tell = func(ev engine.Event, _ *time.Location) error { return a.writeJSONLine(forPrograms(ev)) }
			}
			last, err := a.logFrom(cmd.Context(), after, tell)
			if err != nil || !follow {
				return err
			}
			ticks := time.NewTicker(followEvery)
			defer ticks.Stop()
			for {
				select {
				case <-cmd.Context().Done():
					return cmd.Context().Err()
				case <-ticks.C:
					if last, err = a.logFrom(cmd.Context(), last, tell); err != nil {
						return err
					}
				}
			}
		},
	}
	cmd.Flags().BoolVar(&follow, "follow", false, "go on with what happens from now on")
	cmd.Flags().Uint64Var(&after, "after", 0, "only events behind this `NUMBER` (seq)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a line")
	return cmd
}

// logFrom prints what is behind an event. The state is opened anew each time,
// so that following keeps no daemon from starting.
func (a *app) logFrom(ctx context.Context, after uint64, tell func(engine.Event, *time.Location) error) (uint64, error) {
	last := after
	err := a.ask(func(op engine.Operator, s settings) (err error) {
		loc := s.commonZone()
		last, err = everyEvent(ctx, op, after, func(ev engine.Event) error { return tell(ev, loc) })
		return err
	})
	return last, err
}

func (a *app) tellEvent(ev engine.Event, loc *time.Location) error {
	stamp := ev.At.Local().Format(time.DateTime)
	indent := len(stamp) + 2
	for i, line := range a.linesOf(visible(eventLine(ev, loc)), indent) {
		if i == 0 {
			a.printf("%s  %s\n", a.dim(stamp), line)
		} else {
			a.printf("%*s%s\n", indent, "", line)
		}
	}
	return a.lost()
}
