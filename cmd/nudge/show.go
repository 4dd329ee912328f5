package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
)

func (a *app) showCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show ADDRESS",
		Short:   "tell the story of one prospect",
		Example: "  nudge show maria@example.com\n  nudge show maria@example.com --json",
		Args:    need(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(func(op engine.Operator, _ settings) error {
				story, err := op.Show(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return a.writeJSON(story)
				}
				a.tellStory(story, time.Now())
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) tellStory(story engine.Story, now time.Time) {
	for i, v := range story.Enrollments {
		if i > 0 {
			a.printf("\n")
		}
		a.tellEnrollment(v, now)
	}
	a.printf("\n%s\n", a.dim("History"))
	several := len(story.Enrollments) > 1
	for _, ev := range story.History {
		sentence := eventWords(ev)
		if several && ev.Sequence != "" {
			sentence = ev.Sequence + ": " + sentence
		}
		a.printf("  %s  %s\n", a.dim(day(ev.At.Local())), visible(sentence))
	}
}

func (a *app) tellEnrollment(v engine.View, now time.Time) {
	a.printf("%s in %s\n", a.bold(visible(person(v.Name, v.Address))), visible(v.Sequence))
	state := string(v.State)
	if v.Reason != "" {
		state += ": " + v.Reason
	}
	if v.Paused {
		state += ", paused"
	}
	a.printf("  %-8s %s, %s sent from %s\n", "state", a.inColour(v, visible(state)), count(v.Touches, "mail"), visible(v.Mailbox))
	if v.LastTouchAt != nil {
		a.printf("  %-8s %s, %s\n", "last", day(v.LastTouchAt.Local()), away(*v.LastTouchAt, now))
	}
	if n := v.Next; n != nil {
		if n.At != nil {
			a.printf("  %-8s %s %q %s, %s\n", "next", n.Action, visible(n.Step), day(n.At.Local()), away(*n.At, now))
			a.printf("  %-8s %s\n", "why", visible(n.Why))
		} else {
			a.printf("  %-8s %s\n", "next", visible("waits for you: "+n.Why))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(v.Fields)) {
		a.printf("  %-8s %s\n", visible(key), visible(v.Fields[key]))
	}
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

// eventWords tells one event in a sentence, with its evidence.
func eventWords(ev engine.Event) string {
	d := ev.Detail
	switch ev.Kind {
	case engine.EventEnrolled:
		return "enrolled" + with(", first due ", moment(d["due"]))
	case engine.EventClaimed:
		return fmt.Sprintf("began to send %q", d["subject"])
	case engine.EventSent:
		return fmt.Sprintf("sent %q (step %s)", d["subject"], ev.Step) + with("; the server said: ", d["server"])
	case engine.EventRefused:
		return "the mail server refused it" + with(": ", d["server"])
	case engine.EventDeferred:
		return "not sent yet, to be tried again" + with(": ", d["server"])
	case engine.EventInDoubt:
		return fmt.Sprintf("nobody knows whether %q left", d["subject"]) + with(": ", d["why"])
	case engine.EventReply, engine.EventAutoReply, engine.EventBounce, engine.EventUnsubscribe, engine.EventComplaint,
		engine.EventUnsure, engine.EventNoted:
		return mailWords(ev)
	case engine.EventHeld:
		return "held: " + or(d["reason"], "a person must look") + with(", ", d["detail"]) + with(", until ", moment(d["until"]))
	case engine.EventReleased:
		return "goes on" + with(" after: ", d["reason"]) + with(", by ", d["by"])
	case engine.EventStopped:
		return "stopped: " + d["reason"] + with(", ", d["why"])
	case engine.EventFinished:
		return "finished: " + or(d["reason"], "no step is left")
	case engine.EventTaskOpen:
		return fmt.Sprintf("your work (step %s): %s", ev.Step, d["text"])
	case engine.EventPaused, engine.EventResumed:
		return string(ev.Kind) + details(d)
	}
	return string(ev.Kind) + details(d)
}

// mailWords tells of a mail that was read: what it was taken for, where it
// lies, and by which rules.
func mailWords(ev engine.Event) string {
	what := map[engine.EventKind]string{
		engine.EventReply: "a reply", engine.EventAutoReply: "an automatic reply", engine.EventBounce: "a bounce",
		engine.EventUnsubscribe: "a wish to get no more mail", engine.EventComplaint: "a complaint",
		engine.EventUnsure: "mail that might be an answer", engine.EventNoted: "mail that changes nothing",
	}[ev.Kind]
	d := ev.Detail
	s := what + with(" from ", d["from"])
	if d["subject"] != "" {
		s += fmt.Sprintf(", %q", d["subject"])
	}
	s += with(", in ", d["folder"])
	if d["uid"] != "" {
		s += " (UID " + d["uid"] + ")"
	}
	s += with("; whose: ", d["match"]) + with("; what: ", d["rule"])
	return s + with("; failed: ", d["failed"]) + with(" ", d["status"]) + with("; away until ", moment(d["until"])) + with("; ", d["note"])
}

// with puts words before a value that is there.
func with(words, value string) string {
	if value == "" {
		return ""
	}
	return words + value
}

// moment writes an event's time for people.
func moment(stamp string) string {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return stamp
	}
	return day(t.Local())
}

// details writes facts that no sentence was made for.
func details(d map[string]string) string {
	s := ""
	for _, key := range slices.Sorted(maps.Keys(d)) {
		s += " " + key + " " + d[key]
	}
	return s
}
