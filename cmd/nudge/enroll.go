package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) enrollCommand() *cobra.Command {
	var name, at string
	var fields []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "enroll SEQUENCE ADDRESS",
		Short: "follow up with somebody",
		Long: `Put one prospect into a sequence. The first touch leaves when the first step's wait is over and the sequence's
sending window is open.`,
		Example: `  nudge enroll quote maria@example.com --name "Maria Lund" \
    --set quote_no=1042 --set project="the roof"
  nudge enroll quote tom@example.com --name "Tom Berg" \
    --set quote_no=1043 --set project="the fence" --at 2026-11-24T09:00:00+01:00`,
		Args:              need(2, 2),
		ValidArgsFunction: a.completeSequence,
		RunE: func(cmd *cobra.Command, args []string) error {
			req := engine.EnrollRequest{Sequence: args[0], Address: args[1], Name: name}
			var err error
			if req.Fields, err = parseFields(fields); err != nil {
				return err
			}
			if other, both := req.Fields["name"]; both && name != "" && other != name {
				return usage("--name and --set name= differ", "give the name once")
			}
			if at != "" {
				if req.At, err = time.Parse(time.RFC3339, at); err != nil {
					return usage(fmt.Sprintf("--at %s is not a time", at), "write it like 2026-11-24T09:00:00+01:00")
				}
			}
			return a.ask(func(op engine.Operator, s settings) error {
				req.Sequence = s.sequenceName(req.Sequence)
				v, err := op.Enroll(cmd.Context(), req)
				if err != nil {
					return notEnrolled(s.suggestSequence(err, req.Sequence), req.Address)
				}
				if asJSON {
					return a.writeJSON(v)
				}
				a.tell(fmt.Sprintf("enrolled %s in %s; %s%s", person(v.Name, v.Address), v.Sequence, firstTouch(v, s), countedFrom(req.At, time.Now())))
				if isRunning(op) {
					a.next("nudge show %s", v.Address)
				} else {
					a.printf("no daemon is running, so nothing leaves yet\n")
					a.next("nudge run")
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the prospect's `NAME`")
	cmd.Flags().StringArrayVar(&fields, "set", nil, "a field of the prospect, `KEY=VALUE`; may be repeated")
	cmd.Flags().StringVar(&at, "at", "", "count the first wait from this `TIME` (RFC 3339) instead of now")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// firstTouch says when it begins.
func firstTouch(v engine.View, s settings) string {
	switch {
	case v.Paused:
		return "paused: nothing leaves until nudge resume " + shell(v.Address)
	case v.Next == nil || v.Next.At == nil:
		return "nothing is due"
	}
	what := "first touch"
	if v.Next.Action != "email" {
		what = "first " + v.Next.Action
	}
	return what + " " + when(*v.Next.At, s.likelyZone(v))
}

// longPast is how far back a first wait may begin without a word about it.
const longPast = 24 * time.Hour

// countedFrom says what enrolling from a day in the past means.
func countedFrom(at, now time.Time) string {
	if at.IsZero() || now.Sub(at) <= longPast {
		return ""
	}
	return fmt.Sprintf("; counted from %s; what came before now was not read", when(at, time.Local))
}

// notEnrolled adds to a refusal what became of the fields of somebody who is
// enrolled already.
func notEnrolled(err error, address string) error {
	refusal, ok := errors.AsType[*engine.RefusalError](err)
	if !ok || !errors.Is(err, engine.ErrEnrolled) {
		return err
	}
	return &trouble{code: exitFailed, what: refusal.What + "; the fields were not changed",
		hint: "nudge import updates the fields of who is enrolled; nudge show " + shell(strings.TrimSpace(address)) + " tells how it stands"}
}
