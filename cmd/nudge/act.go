package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"nudge/engine"
)

// word is a command by which a person says something about one prospect.
type word struct {
	verb           engine.Verb
	use, short     string
	long, examples string
	args           int
}

func (a *app) doneCommand() *cobra.Command {
	return a.wordCommand(word{engine.SayDone, "done ADDRESS", "tick off a call, a letter or a task",
		`Say that the open call, letter or task for somebody was done. Where the sequence waited for it, the next step's wait
counts from now. A task that comes next may be done before its time. nudge today lists the open ones.`,
		"  nudge done maria@example.com\n  nudge done maria@example.com --sequence quote", 1}, nil)
}

func (a *app) skipCommand() *cobra.Command {
	return a.wordCommand(word{engine.SaySkip, "skip ADDRESS", "leave somebody's next step out",
		`Leave out the next step, be it a mail or an open call, letter or task. The wait of the step behind it counts from now.`,
		"  nudge skip maria@example.com\n  nudge skip maria@example.com --sequence quote", 1}, nil)
}

func (a *app) snoozeCommand() *cobra.Command {
	cmd := a.wordCommand(word{engine.SaySnooze, "snooze ADDRESS WHEN", "let somebody rest until a day",
		`Do nothing for somebody before a day. WHEN is a date (2026-12-04), a date with a time ("2026-12-04 14:00"), a weekday
(friday: the next one) or a delay from now (3 business days, 2w), in the prospect's time zone. A question that waits for
your answer keeps waiting.`,
		"  nudge snooze maria@example.com friday\n  nudge snooze maria@example.com 2 weeks", -1}, nil)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		unknown, ok := errors.AsType[*pflag.NotExistError](err)
		if ok && strings.ContainsAny(unknown.GetSpecifiedShortnames(), "0123456789") { // no flag, but a delay backwards
			return usage("-"+unknown.GetSpecifiedShortnames()+" is not in the future", "write 2026-12-04, friday, or 3 business days")
		}
		return flagError(cmd, err)
	})
	return cmd
}

func (a *app) wonCommand() *cobra.Command {
	return a.wordCommand(word{engine.SayWon, "won ADDRESS", "they said yes: end it as won",
		`End somebody's sequence as won, whether or not it has ended otherwise, and begin what its on-won: says. What a chain
had begun from it ends with it.`,
		"  nudge won maria@example.com\n  nudge won maria@example.com --sequence quote", 1}, nil)
}

func (a *app) lostCommand() *cobra.Command {
	var reason string
	cmd := a.wordCommand(word{engine.SayLost, "lost ADDRESS", "they said no: end it as lost",
		`End somebody's sequence as lost, whether or not it has ended otherwise, and begin what its on-lost: says.`,
		"  nudge lost maria@example.com\n  nudge lost maria@example.com --reason 'cheaper quote'", 1}, &reason)
	cmd.Flags().StringVar(&reason, "reason", "", "`WHY` it was lost, for the history")
	return cmd
}

func (a *app) wordCommand(w word, reason *string) *cobra.Command {
	var sequence string
	var asJSON bool
	least := max(1, -2*w.args) // snooze takes all that follows the address
	cmd := &cobra.Command{
		Use: w.use, Short: w.short, Long: w.long, Example: w.examples,
		Args: need(least, w.args),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(func(op engine.Operator, s settings) error {
				req := engine.ActRequest{Verb: w.verb, Address: args[0], Sequence: s.sequenceName(sequence)}
				req.Until = strings.Join(args[1:], " ")
				if reason != nil {
					req.Reason = *reason
				}
				last, err := lastEvent(cmd.Context(), op)
				if err != nil {
					return err
				}
				v, err := op.Act(cmd.Context(), req)
				if errors.Is(err, engine.ErrNotFound) && req.Sequence != "" {
					if _, unknown := op.List(cmd.Context(), engine.Filter{Sequence: req.Sequence}); unknown != nil {
						err = unknown
					}
				}
				if err != nil {
					return s.suggestSequence(err, req.Sequence)
				}
				if asJSON {
					err = a.writeJSON(v)
				} else {
					a.tellWord(v, s)
				}
				return errors.Join(err, a.tellNotBegun(cmd.Context(), op, last, v))
			})
		},
	}
	cmd.Flags().StringVar(&sequence, "sequence", "", "in this `SEQUENCE`, where several could be meant")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.RegisterFlagCompletionFunc("sequence", a.completeFlag) // the flag exists: see above
	return cmd
}

// tellNotBegun warns of what a chain should have begun and did not: what was
// said is done, and only history would tell the rest.
func (a *app) tellNotBegun(ctx context.Context, op engine.Operator, last uint64, v engine.View) error {
	_, err := everyEvent(ctx, op, last, func(ev engine.Event) error {
		if ev.Kind == engine.EventChainRefused && ev.Enrollment == v.ID {
			a.say("warning", visible(eventWords(ev, time.Local)))
			a.say("hint", "to begin it all the same: nudge enroll "+shell(ev.Detail["chain"])+" "+shell(v.Address))
		}
		return nil
	})
	return err
}

// tellWord says where somebody stands now.
func (a *app) tellWord(v engine.View, s settings) {
	line := visible(person(v.Name, v.Address)) + " in " + visible(v.Sequence) + ": " + string(v.State) + with(", ", v.Reason)
	if n := v.Next; n != nil && n.At != nil {
		line += "; next " + n.Action + " " + visible(n.Step) + " " + when(*n.At, s.likelyZone(v))
	}
	a.printf("%s\n", line)
	a.next("nudge show %s", v.Address)
}
