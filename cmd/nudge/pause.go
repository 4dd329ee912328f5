package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"nudge/engine"
)

// scopeFlags say what a pause covers.
type scopeFlags struct {
	all               bool
	sequence, mailbox string
}

func (a *app) pauseCommand() *cobra.Command {
	return a.switchCommand(&cobra.Command{
		Use:   "pause [ADDRESS]",
		Short: "let nothing leave for a while",
		Long: `Let nothing leave: for one person, for a sequence or a mailbox, or, without an argument, at all. Mail is still read,
and replies still stop sequences. Nobody's waiting time is lost: what fell due meanwhile is due when resumed; after more
than a day only a few of it leave a day, and very much or very late waits for nudge catch-up.

A pause of everything works even when the daemon hangs: it is also a file beside the state, its name ending in .pause,
which the daemon looks for before every mail.`,
		Example: "  nudge pause --all\n  nudge pause --sequence quote",
	}, "paused", "resume", engine.Operator.Pause)
}

func (a *app) resumeCommand() *cobra.Command {
	return a.switchCommand(&cobra.Command{
		Use:   "resume [ADDRESS]",
		Short: "undo a pause, or answer what somebody is held for",
		Long: `Undo a pause. With an address, also answer what this person's enrollments are held for: yes, go on. Without an
argument, the pause of everything is undone; persons, sequences and mailboxes that were paused by name stay paused.`,
		Example: "  nudge resume maria@example.com\n  nudge resume --all",
	}, "resumed", "", engine.Operator.Resume)
}

// switchCommand finishes pause or resume.
func (a *app) switchCommand(cmd *cobra.Command, done, undo string, turn func(engine.Operator, context.Context, engine.Scope) (int, error)) *cobra.Command {
	var f scopeFlags
	cmd.Args = need(0, 1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		scope, words, flags, err := f.scope(args)
		switch {
		case err != nil:
			return err
		case scope == engine.Scope{} && undo != "":
			return a.pauseAll(cmd.Context())
		case scope == engine.Scope{}:
			return a.resumeAll(cmd.Context())
		}
		return a.ask(func(op engine.Operator, s settings) error {
			scope.Sequence = s.sequenceName(scope.Sequence)
			last, err := lastEvent(cmd.Context(), op)
			if err != nil {
				return err
			}
			n, err := turn(op, cmd.Context(), scope)
			if err != nil {
				return s.suggestSequence(err, scope.Sequence)
			}
			if undo == "" {
				if changed, err := resumedSince(cmd.Context(), op, last); err != nil {
					return err
				} else if !changed && (scope.Person == "" || n > 0) { // a person without an open sequence leaves no event
					a.tellNothingPaused(scope, words)
					return nil
				}
			}
			if scope.Person != "" && n == 0 {
				a.tell(fmt.Sprintf("%s %s, whose sequences have all ended: it %s", done, words,
					map[string]string{"paused": "counts for what they are put into later", "resumed": "lets nothing go on"}[done]))
			} else {
				a.printf("%s %s: %s\n", done, visible(words), count(n, "enrollment"))
			}
			if undo != "" {
				a.next("nudge %s %s", command(undo), command(flags))
			} else {
				a.next("nudge status")
			}
			return nil
		})
	}
	cmd.Flags().BoolVar(&f.all, "all", false, "everything, as without an argument")
	cmd.Flags().StringVar(&f.sequence, "sequence", "", "this `SEQUENCE`")
	cmd.Flags().StringVar(&f.mailbox, "mailbox", "", "this `MAILBOX`")
	_ = cmd.RegisterFlagCompletionFunc("sequence", a.completeFlag) // the flag exists: see above
	return cmd
}

// scope is what was asked for, in words, and as it is typed.
func (f scopeFlags) scope(args []string) (s engine.Scope, words, typed string, err error) {
	var given []string
	if f.all {
		given = append(given, "--all")
	}
	words, typed = "everything", "--all"
	if f.sequence != "" {
		given = append(given, "--sequence")
		s.Sequence, words, typed = f.sequence, "sequence "+f.sequence, "--sequence "+shell(f.sequence)
	}
	if f.mailbox != "" {
		given = append(given, "--mailbox")
		s.Mailbox, words, typed = f.mailbox, "mailbox "+f.mailbox, "--mailbox "+shell(f.mailbox)
	}
	if len(args) > 0 {
		given = append(given, "an address")
		if s.Person, err = engine.CleanAddress(args[0]); err != nil {
			return s, "", "", usage(err.Error(), "write the address as anna@example.com")
		}
		words, typed = args[0], shell(args[0])
	}
	if len(given) > 1 {
		return s, "", "", usage(strings.Join(given, " and ")+" do not go together",
			"name one: an address for one person, --sequence or --mailbox for everybody in it, or --all for everything")
	}
	return s, words, typed, nil
}

// lastEvent is the number of the newest event, 0 when there is none.
func lastEvent(ctx context.Context, op engine.Operator) (uint64, error) {
	events, err := op.Log(ctx, 0, -1)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	return events[len(events)-1].Seq, nil
}

// resumedSince says whether anything was let go on after an event: resuming
// writes history only where it is a change.
func resumedSince(ctx context.Context, op engine.Operator, last uint64) (bool, error) {
	changed := false
	_, err := everyEvent(ctx, op, last, func(ev engine.Event) error {
		changed = changed || ev.Kind == engine.EventResumed || ev.Kind == engine.EventReleased
		return nil
	})
	return changed, err
}

func (a *app) tellNothingPaused(scope engine.Scope, words string) {
	if (scope == engine.Scope{}) {
		a.printf("nothing was paused as a whole; what was paused by name stays paused\n")
	} else {
		a.printf("nothing was paused: %s\n", visible(words))
	}
	a.next("nudge status")
}
