package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) showCommand() *cobra.Command {
	var asJSON bool
	var f sentFlags
	cmd := &cobra.Command{
		Use:   "show ADDRESS",
		Short: "tell the story of one prospect",
		Long: `Tell the story of one prospect: where they stand, what comes next, and everything that happened.

--mails lists the mails that were sent to them, and --mail prints one as it was sent. Mails are kept for 400 days, the
newest 64 MB of them, and of a mail with large attachments only the beginning.`,
		Example: "  nudge show maria@example.com\n  nudge show maria@example.com --mail last",
		Args:    need(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return a.ask(func(op engine.Operator, s settings) error {
				if f.asked() {
					return a.showSent(cmd.Context(), op, args[0], f, asJSON)
				}
				story, err := op.Show(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return a.writeJSON(storyForPrograms(story))
				}
				a.tellStory(story, s, time.Now())
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&f.list, "mails", false, "list the mails that were sent")
	cmd.Flags().StringVar(&f.which, "mail", "", "print mail `N` of that list, or the last, as it was sent")
	cmd.Flags().StringVar(&f.eml, "eml", "", "with --mail, write the whole mail to `FILE` (- for standard output)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) tellStory(story engine.Story, s settings, now time.Time) {
	zones := map[string]*time.Location{}
	for i, v := range story.Enrollments {
		zones[v.ID] = s.likelyZone(v)
		if i > 0 {
			a.printf("\n")
		}
		a.tellEnrollment(v, s.likelyZone(v), now)
	}
	loc := s.commonZone()
	if len(story.Enrollments) > 0 {
		loc = zones[story.Enrollments[0].ID]
	}
	a.printf("\n%s\n", a.dim("History"+timesIn(loc, now)))
	several := len(story.Enrollments) > 1
	for _, ev := range story.History {
		sentence := eventWords(ev, cmp.Or(zones[ev.Enrollment], s.commonZone()))
		if several && ev.Sequence != "" {
			sentence = ev.Sequence + ": " + sentence
		}
		stamp := day(ev.At.In(loc))
		indent := len(stamp) + 4
		for i, line := range a.linesOf(visible(sentence), indent) {
			if i == 0 {
				a.printf("  %s  %s\n", a.dim(stamp), line)
			} else {
				a.printf("%*s%s\n", indent, "", line)
			}
		}
	}
}

// tellEnrollment shows one enrollment. loc is the zone its moments are probably in.
func (a *app) tellEnrollment(v engine.View, loc *time.Location, now time.Time) {
	a.fact("", visible(person(v.Name, v.Address)+" in "+v.Sequence), a.bold)
	column := labelColumn(v.Fields)
	fact := func(label, words string) { a.fact(fmt.Sprintf("  %-*s ", column, visible(label)), visible(words), nil) }
	state := string(v.State)
	if v.Reason != "" {
		state += ": " + v.Reason
	}
	if v.Paused {
		state += ", paused"
	}
	state += fmt.Sprintf(", %s sent from %s", count(v.Touches-v.Rehearsed, "mail"), v.Mailbox)
	if v.Rehearsed > 0 {
		state += fmt.Sprintf(", %d rehearsed with you", v.Rehearsed)
	}
	a.fact(fmt.Sprintf("  %-*s ", column, "state"), visible(state), func(line string) string { return a.inColour(v, line) })
	if v.LastTouchAt != nil {
		fact("last", when(*v.LastTouchAt, loc)+", "+away(*v.LastTouchAt, now))
	}
	if n := v.Next; n != nil {
		if n.At != nil {
			fact("next", fmt.Sprintf("%s %q %s, %s", n.Action, n.Step, when(*n.At, loc), away(*n.At, now)))
			fact("why", n.Why)
		} else {
			fact("next", "waits for you: "+n.Why)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(v.Fields)) {
		fact(key, v.Fields[key])
	}
}

// labelColumn is how wide the labels are, the names of fields among them.
func labelColumn(fields map[string]string) int {
	const least, most = 8, 20
	column := least
	for key := range fields {
		column = min(max(column, utf8.RuneCountInString(key)), most)
	}
	return column
}

// inColour shows a state in its colour: green goes on, yellow waits.
func (a *app) inColour(v engine.View, words string) string {
	switch {
	case v.State == engine.Held || v.Paused:
		return a.yellow(words)
	case v.State == engine.Active, v.Reason == string(engine.Replied):
		return a.green(words)
	}
	return words
}
