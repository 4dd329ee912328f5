package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
)

// catchUpFlags narrow who is meant, and may hold the answer.
type catchUpFlags struct {
	sequence                      string
	send, skip, stop, yes, asJSON bool
}

func (a *app) catchUpCommand() *cobra.Command {
	var f catchUpFlags
	cmd := &cobra.Command{
		Use:   "catch-up [ADDRESS]",
		Short: "decide about mails that are overdue",
		Long: `After a time in which nothing could be sent, mails that are long overdue wait for your word, since a follow-up that
comes weeks late may say the wrong thing. This lists whose they are, and on a terminal asks what becomes of them. Off a
terminal a flag says so. Without an answer they stay as they are.

What is sent late goes a few a day, oldest first, each with its waits kept.`,
		Example: "  nudge catch-up\n  nudge catch-up --sequence quote --skip",
		Args:    need(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			answer, err := f.answer()
			if err != nil {
				return err
			}
			req := engine.CatchUpRequest{Sequence: f.sequence}
			if len(args) > 0 {
				req.Address = args[0]
			}
			return a.ask(func(op engine.Operator, s settings) error {
				req.Sequence = s.sequenceName(req.Sequence)
				err := a.catchUp(cmd.Context(), op, req, answer, f)
				return s.suggestSequence(err, req.Sequence)
			})
		},
	}
	cmd.Flags().StringVar(&f.sequence, "sequence", "", "only those in this `SEQUENCE`")
	cmd.Flags().BoolVar(&f.send, "send", false, "let them go on, a few a day")
	cmd.Flags().BoolVar(&f.skip, "skip", false, "leave the overdue step out; the next wait counts from now")
	cmd.Flags().BoolVar(&f.stop, "stop", false, "end them here")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask whether it is meant")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	_ = cmd.RegisterFlagCompletionFunc("sequence", a.completeFlag) // the flag exists: see above
	return cmd
}

// answer is what the flags say becomes of the overdue, or "".
func (f catchUpFlags) answer() (engine.CatchUpAnswer, error) {
	var answer engine.CatchUpAnswer
	given := 0
	for _, flag := range []struct {
		on     bool
		answer engine.CatchUpAnswer
	}{{f.send, engine.CatchUpSend}, {f.skip, engine.CatchUpSkip}, {f.stop, engine.CatchUpStop}} {
		if flag.on {
			answer = flag.answer
			given++
		}
	}
	if given > 1 {
		return "", usage("--send, --skip and --stop do not go together", "narrow with ADDRESS or --sequence to answer differently")
	}
	return answer, nil
}

// catchUp shows the overdue and passes an answer on.
func (a *app) catchUp(ctx context.Context, op engine.Operator, req engine.CatchUpRequest, answer engine.CatchUpAnswer, f catchUpFlags) error {
	found, err := op.CatchUp(ctx, req)
	if err != nil {
		return err
	}
	if found.Overdue == nil {
		found.Overdue = []engine.Overdue{}
	}
	n := len(found.Overdue)
	switch {
	case f.asJSON && (answer == "" || n == 0):
		return a.writeJSON(found)
	case n == 0:
		a.printf("nobody is overdue\n")
		a.next("nudge status")
		return nil
	case !f.asJSON:
		a.tellOverdue(found.Overdue, time.Now())
	}
	if answer == "" {
		if !a.canAsk() {
			a.next("nudge catch-up --send, --skip or --stop says what becomes of them")
			return nil
		}
		picked := a.choose(fmt.Sprintf("What becomes of %s?", them(n)), "leave", "send", "skip", "stop")
		if picked == "leave" {
			a.printf("left as they are\n")
			a.next("nudge catch-up")
			return nil
		}
		answer = engine.CatchUpAnswer(picked)
	} else if a.canAsk() && !f.yes {
		if err := a.confirm(fmt.Sprintf("%s %s?", answer, them(n)), "--yes"); err != nil {
			return err
		}
	}
	req.Answer = answer
	done, err := op.CatchUp(ctx, req)
	if err != nil {
		return err
	}
	if f.asJSON {
		return a.writeJSON(done)
	}
	a.tellCaughtUp(len(done.Overdue), answer)
	return nil
}

func (a *app) tellOverdue(overdue []engine.Overdue, now time.Time) {
	t := table{shrink: []int{2, 1, 0}}
	t.add("ADDRESS", "SEQUENCE", "STEP", "WAS DUE", "LATE")
	for _, o := range overdue {
		t.add(o.Address, o.Sequence, o.Step, shortWhen(o.Due), lateness(o.Due, now))
	}
	a.printTable(t)
}

func (a *app) tellCaughtUp(n int, answer engine.CatchUpAnswer) {
	words := map[engine.CatchUpAnswer]string{
		engine.CatchUpSend: "goes on, a few a day",
		engine.CatchUpSkip: "goes on without the overdue step",
		engine.CatchUpStop: "ended",
	}[answer]
	if n != 1 && answer != engine.CatchUpStop {
		words = "go" + words[len("goes"):]
	}
	a.printf("%s %s\n", count(n, "enrollment"), words)
	if answer == engine.CatchUpStop {
		a.next("nudge list --state stopped")
	} else {
		a.next("nudge list")
	}
}

// them says how many are meant.
func them(n int) string {
	if n == 1 {
		return "this one"
	}
	return fmt.Sprintf("these %d", n)
}

// lateness is how long ago something should have happened: "12 days".
func lateness(due, now time.Time) string {
	switch late := now.Sub(due); {
	case late < time.Hour:
		return "less than an hour"
	case late < 36*time.Hour:
		return count(int(late/time.Hour), "hour")
	default:
		return count(int(late/(24*time.Hour)), "day")
	}
}
