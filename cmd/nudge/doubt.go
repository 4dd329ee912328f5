package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) doubtCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doubt",
		Short: "decide about mails that may or may not have left",
		Long: `A mail whose sending was cut off at the last moment is in doubt: it may have arrived or not. For a quarter of an hour it
is looked for in the Sent folder: a copy there, or mail that cites it, proves that it left. That it did not leave is only
proven where the provider is known to keep a copy of every mail; then the very same mail goes again.

Otherwise in-doubt in nudge.toml decides. By default a first mail waits for your word, and a later one counts as sent.
Look for it in your Sent folder, or ask the prospect; then say whether it counts as sent.`,
		Example: "  nudge doubt list\n  nudge doubt sent maria@example.com",
		Args:    cobra.ArbitraryArgs,
		RunE:    onlyBelow,
	}
	cmd.AddCommand(a.doubtListCommand(),
		a.resolveCommand(engine.DoubtSent, "it left: count it as sent and go on"),
		a.resolveCommand(engine.DoubtResend, "it did not leave: send it again"))
	return cmd
}

func (a *app) doubtListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "list what is in doubt",
		Example: "  nudge doubt list\n  nudge doubt list --json",
		Args:    need(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ask(func(op engine.Operator, _ settings) error {
				doubts, err := op.Doubts(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					if doubts == nil {
						doubts = []engine.Doubt{}
					}
					return a.writeJSON(doubts)
				}
				a.tellDoubts(doubts, isRunning(op), time.Now())
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) tellDoubts(doubts []engine.Doubt, running bool, now time.Time) {
	if len(doubts) == 0 {
		a.printf("nothing is in doubt\n")
		return
	}
	for i, d := range doubts {
		if i > 0 {
			a.printf("\n")
		}
		a.printf("%s in %s, step %s (enrollment %s)\n", a.bold(visible(d.Address)), visible(d.Sequence), visible(d.Step), visible(d.Enrollment))
		a.printf("  %q, %s, %s\n", visible(d.Subject), day(d.ClaimedAt.Local()), away(d.ClaimedAt, now))
		a.printf("  %s\n", visible(d.Why))
		a.printf("  %s\n", a.yellow(doubtWords(d, running, now)))
		a.printf("  in Sent it would have the Message-ID <%s>\n", visible(d.MessageID))
	}
	a.next("nudge doubt sent ADDRESS, or nudge doubt resend ADDRESS")
}

// doubtWords says what is being done about a doubt.
func doubtWords(d engine.Doubt, running bool, now time.Time) string {
	switch {
	case d.Until != nil && d.Until.After(now):
		until := d.Until.Local().Format("15:04")
		if now.Local().Format(time.DateOnly) != d.Until.Local().Format(time.DateOnly) {
			until = day(d.Until.Local())
		}
		return "being looked for in Sent until " + until
	case d.Until != nil:
		return "about to be decided: it was looked for in Sent"
	case running:
		return "waits for your word"
	}
	return "waits for your word, or for a daemon that looks for it in Sent"
}

// resolveCommand is "doubt sent" or "doubt resend".
func (a *app) resolveCommand(verdict engine.DoubtVerdict, short string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     string(verdict) + " ADDRESS|ENROLLMENT",
		Short:   short,
		Example: fmt.Sprintf("  nudge doubt %s maria@example.com\n  nudge doubt %s 7 --json", verdict, verdict),
		Args:    need(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(func(op engine.Operator, _ settings) error {
				id, err := doubtful(cmd.Context(), op, args[0])
				if err != nil {
					return err
				}
				v, err := op.ResolveDoubt(cmd.Context(), id, verdict)
				if err != nil {
					return err
				}
				if asJSON {
					return a.writeJSON(v)
				}
				words := "counts as sent"
				if verdict == engine.DoubtResend {
					words = "will be sent again"
				}
				a.printf("the mail to %s %s\n", visible(v.Address), words)
				a.next("nudge show %s", v.Address)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// doubtful finds the enrollment that a person means: its id, or the address of
// somebody with one mail in doubt.
func doubtful(ctx context.Context, op engine.Operator, meant string) (string, error) {
	if !strings.Contains(meant, "@") {
		return meant, nil
	}
	doubts, err := op.Doubts(ctx)
	if err != nil {
		return "", err
	}
	var ids []string
	for _, d := range doubts {
		if engine.AddressKey(d.Address) == engine.AddressKey(meant) {
			ids = append(ids, d.Enrollment)
		}
	}
	switch len(ids) {
	case 0:
		return "", &trouble{code: exitNothing, what: fmt.Sprintf("%s has nothing in doubt", meant), hint: "nudge doubt list shows what is"}
	case 1:
		return ids[0], nil
	}
	return "", usage(fmt.Sprintf("%s has %d mails in doubt", meant, len(ids)), "name one by its enrollment: "+strings.Join(ids, ", "))
}
