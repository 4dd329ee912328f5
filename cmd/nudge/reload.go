package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nudge/engine"
)

// reloadFlags are the flags of nudge reload.
type reloadFlags struct {
	dry, yes, json bool
}

func (a *app) reloadCommand() *cobra.Command {
	var f reloadFlags
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "read the sequence files again, and tell whom it affects",
		Long: `Let the daemon read the sequence files again, after showing what changed and whom it affects. Off a terminal, add --yes.

The daemon also does so on SIGHUP, and by itself two to four seconds after a file changed, unless nudge.toml says
reload = "asked". A broken file keeps its last good copy. People under way get the new text; a step that is gone is passed
over. Without a daemon, which steps are new or rewritten is not known; whose step or file is gone or broken is told.`,
		Example: "  nudge reload --dry-run\n  nudge reload --yes",
		Args:    need(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ask(func(op engine.Operator, _ settings) error { return a.reload(cmd.Context(), op, f) })
		},
	}
	cmd.Flags().BoolVar(&f.dry, "dry-run", false, "only show what would change")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
	return cmd
}

func (a *app) reload(ctx context.Context, op engine.Operator, f reloadFlags) error {
	found, err := op.Reload(ctx, engine.ReloadRequest{DryRun: true})
	if err != nil {
		return err
	}
	if !f.json {
		a.showChanges(found)
	}
	if len(found.Changes) > 0 && !f.dry && !f.yes && !f.json {
		if err := a.confirm("take the files as they are now?", "--yes"); err != nil {
			return err
		}
	}
	if !f.dry {
		if found, err = op.Reload(ctx, engine.ReloadRequest{Sum: found.Sum}); err != nil {
			return err
		}
	}
	if f.json {
		err = a.writeJSON(found)
	} else {
		err = a.tellReloaded(op, found, f.dry)
	}
	if err == nil && len(found.Broken) > 0 {
		return &trouble{code: exitFailed, what: fmt.Sprintf("%s cannot be used as written; %s", count(len(found.Broken), "file"), instead(op)), hint: "nudge lint shows every mistake with its line"}
	}
	return err
}

// instead says what stands for files that are broken.
func instead(op engine.Operator) string {
	if isRunning(op) {
		return "where the daemon had read a good text before, that is kept"
	}
	return "left out until that is mended"
}

// showChanges tells, for each sequence that changed, what and for whom.
func (a *app) showChanges(r engine.ReloadResult) {
	for _, broken := range r.Broken {
		for line := range strings.SplitSeq(broken, "\n") {
			a.say("warning", line)
		}
	}
	for _, c := range r.Changes {
		a.fact("", visible(fmt.Sprintf("%s: %s", c.Sequence, fileWords(c))), a.bold)
		for _, part := range []struct {
			label string
			steps []string
		}{{"new step", c.Added}, {"gone", c.Removed}, {"rewritten", c.Rewritten}} {
			if len(part.steps) > 0 {
				a.fact(fmt.Sprintf("  %-9s ", part.label), visible(strings.Join(part.steps, "; ")), nil)
			}
		}
		if c.Moved {
			a.fact(fmt.Sprintf("  %-9s ", "order"), "the steps stand in another order", nil)
		}
		a.fact(fmt.Sprintf("  %-9s ", "people"), fmt.Sprintf("%d under way: %s", c.UnderWay, c.Words()), nil)
	}
}

func fileWords(c engine.SequenceChange) string {
	switch c.Change {
	case engine.FileNew:
		return "a new file"
	case engine.FileGone:
		return "its file is gone"
	case engine.FileBroken:
		return "its file has mistakes"
	case engine.FileSame:
		return "the file as before"
	}
	if len(c.Added)+len(c.Removed)+len(c.Rewritten) == 0 && !c.Moved {
		return "changed, but for its steps"
	}
	return "changed"
}

func (a *app) tellReloaded(op engine.Operator, r engine.ReloadResult, dry bool) error {
	switch {
	case dry && len(r.Changes) == 0:
		a.printf("nothing would change\n")
	case dry:
		a.printf("nothing was done\n")
	default:
		a.printf("%s loaded\n", count(r.Loaded, "sequence"))
	}
	switch {
	case !isRunning(op):
		a.printf("no daemon is running; it reads them when it starts\n")
		if dry {
			a.printf("which steps are new or rewritten is only known while one runs\n")
		}
	case dry && len(r.Changes) > 0:
		a.next("nudge reload")
		return nil
	}
	a.next("nudge plan")
	return nil
}
