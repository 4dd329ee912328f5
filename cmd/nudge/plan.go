package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
	"nudge/templates"
)

func (a *app) planCommand() *cobra.Command {
	var days int
	var from, zone string
	var set []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "plan [SEQUENCE]",
		Short: "who gets what, and when",
		Long: `Tell what comes in the next days, and why a day is empty. Each step is imagined done at its moment, with the decisions
that the engine will make: waits, windows, business days, holidays, the caps of a day. The gap between two mails may
spread them a little.

With a SEQUENCE, tell when each of its steps would come for one imagined prospect who is enrolled now, or at --from. No
state is read or changed.`,
		Example: "  nudge plan --days 30\n  nudge plan quote --from 2026-12-20T10:40 --timezone America/New_York",
		Args:    need(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && cmd.Flags().Changed("days") {
				return usage("--days looks at everybody's days, and goes with no SEQUENCE", "leave one of them out")
			}
			if len(args) == 1 {
				rows, err := a.rehearsed(args[0], from, zone, set)
				if err != nil {
					return err
				}
				if asJSON {
					return a.writeJSON(rows)
				}
				a.tellImagined(rows)
				return nil
			}
			if from != "" || zone != "" || len(set) > 0 {
				return usage("--from, --timezone and --set rehearse one sequence", "name it: nudge plan quote --from 2026-12-20")
			}
			return a.ask(func(op engine.Operator, s settings) error {
				result, err := op.Plan(cmd.Context(), engine.PlanRequest{Days: days})
				if err != nil {
					return err
				}
				if asJSON {
					return a.writeJSON(result.Coming)
				}
				a.tellPlan(result, s.mailboxes[0].engine.Location)
				return nil
			})
		},
		ValidArgsFunction: a.completeSequence,
	}
	cmd.Flags().IntVar(&days, "days", 14, "look `N` days ahead, today included")
	cmd.Flags().StringVar(&from, "from", "", "imagine somebody enrolled at `WHEN`: 2026-12-20, or with a time of day there")
	cmd.Flags().StringVar(&zone, "timezone", "", "imagine them in this `ZONE`, such as America/New_York")
	cmd.Flags().StringArrayVar(&set, "set", nil, "imagine them with this field, `KEY=VALUE`; may be repeated")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// rehearsed is one imagined prospect's way through a sequence.
func (a *app) rehearsed(name, from, zone string, set []string) ([]engine.Coming, error) {
	seq, owner, _, err := a.previewed(name)
	if err != nil {
		return nil, err
	}
	fields, err := parseFields(set)
	if err != nil {
		return nil, err
	}
	if zone != "" {
		if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
			return nil, usage(fmt.Sprintf("--timezone %s is not a time zone", zone), "write it like Europe/Stockholm")
		}
		fields["timezone"] = zone
	}
	start := time.Now()
	if from != "" {
		if start, err = templates.ParseDate(from, zoneOf(owner, seq, fields)); err != nil {
			return nil, usage("--from "+err.Error(), "write 2026-12-20, or with a time: 2026-12-20T10:40")
		}
	}
	return engine.Imagine(engine.EnrollRequest{Sequence: seq.Name, Address: "somebody@prospect.example", Fields: fields}, seq, owner, start)
}

func (a *app) tellImagined(rows []engine.Coming) {
	whole, short := table{}, table{shrink: []int{2}}
	whole.add("WHEN", "ACTION", "STEP", "")
	short.add("WHEN", "ACTION", "STEP")
	for _, r := range rows {
		at := r.At.Format("Mon 2 Jan 2006 15:04 -07:00")
		whole.add(at, r.Action, r.Step, r.Held)
		short.add(at, r.Action, r.Step)
	}
	if !isTerminal(a.out) || whole.wide() <= a.columns() {
		a.printTable(whole)
		return
	}
	// What is said of a step stands below it.
	for i, line := range short.lines(a.columns()) {
		if i == 0 {
			a.printf("%s\n", a.dim(line))
			continue
		}
		a.printf("%s\n", line)
		if held := rows[i-1].Held; held != "" {
			a.fact("    ", visible(held), nil)
		}
	}
}

// tellPlan writes the days one below the other. Empty days with one cause are
// one line. They are those of loc.
func (a *app) tellPlan(result engine.PlanResult, loc *time.Location) {
	rows := result.Coming
	elsewhere := slices.ContainsFunc(rows, func(c engine.Coming) bool { return sameClock(c.At, loc) && !sameClock(c.At, time.Local) })
	for len(result.Days) > 0 {
		day := result.Days[0]
		n := 1
		if day.Why != "" {
			for n < len(result.Days) && result.Days[n].Why == day.Why {
				n++
			}
		}
		heading := planDate(day.Date)
		if n > 1 {
			heading += " to " + planDate(result.Days[n-1].Date)
		}
		if day.Why != "" {
			a.fact("", heading+": "+visible(day.Why), a.dim)
		} else {
			rows = a.tellPlanDay(heading, day, rows, loc)
		}
		result.Days = result.Days[n:]
	}
	if elsewhere {
		a.printf("%s\n", a.dim("times are those of "+loc.String()))
	}
}

func planDate(date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return t.Format("Mon 2 Jan")
}

// tellPlanDay writes one day and returns the rows behind it. Rows stand in
// order of time, and say of prospects in another zone what their clocks show.
func (a *app) tellPlanDay(heading string, day engine.PlanDay, rows []engine.Coming, loc *time.Location) []engine.Coming {
	if day.Holiday != "" {
		heading += ", " + visible(day.Holiday)
	}
	a.printf("%s\n", a.bold(heading))
	end := min(day.Count, len(rows))
	for _, r := range rows[:end] {
		line := fmt.Sprintf("%s %s, %s: %s", r.Action, r.Address, r.Sequence, r.Step) + with(" (", r.Held)
		if r.Held != "" {
			line += ")"
		}
		if !sameClock(r.At, loc) {
			line += ", " + r.At.Format("Mon 15:04 -07:00") + " there"
		}
		a.fact("  "+r.At.In(loc).Format("15:04")+" ", visible(line), nil)
	}
	if day.Moved > 0 {
		a.fact("  ", fmt.Sprintf("the cap of the day is reached: %s wait until the next", count(day.Moved, "step")), a.yellow)
	}
	return rows[end:]
}
