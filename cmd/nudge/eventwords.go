package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"nudge/engine"
)

// eventWords tells one event in a sentence, with its evidence. Moments in it
// are told in loc, as those of what comes next are.
func eventWords(ev engine.Event, loc *time.Location) string {
	d := ev.Detail
	switch ev.Kind {
	case engine.EventEnrolled:
		words := "enrolled" + with(", first due ", moment(d["due"], loc))
		if d["from"] != "" {
			words += ", because another sequence ended"
		}
		return words
	case engine.EventClaimed:
		return fmt.Sprintf("began to send %q", d["subject"])
	case engine.EventSent:
		words := fmt.Sprintf("sent %q (step %s%s)", d["subject"], ev.Step, with(", variant ", d["variant"]))
		if d["assumed"] != "" {
			return words + with("; ", d["server"])
		}
		return words + with("; the server said: ", d["server"])
	case engine.EventRefused:
		return "the mail server refused it" + with(": ", d["server"])
	case engine.EventDeferred:
		return "not sent yet, to be tried again" + with(": ", d["server"])
	case engine.EventInDoubt:
		return fmt.Sprintf("nobody knows whether %q left", d["subject"]) + with(": ", d["why"])
	case engine.EventReply, engine.EventAutoReply, engine.EventBounce, engine.EventUnsubscribe, engine.EventComplaint,
		engine.EventUnsure, engine.EventNoted, engine.EventColleague, engine.EventTakeover:
		return mailWords(ev, loc)
	case engine.EventHeld:
		return "held: " + or(d["reason"], "a person must look") + with(", ", d["detail"]) + with(", until ", moment(d["until"], loc))
	case engine.EventReleased:
		return "goes on" + with(" after: ", d["reason"]) + with(", by ", d["by"])
	case engine.EventStopped:
		return "stopped: " + d["reason"] + with(", ", d["why"])
	case engine.EventFinished:
		return "finished: " + or(d["reason"], "no step is left")
	case engine.EventTaskOpen:
		return fmt.Sprintf("%s for %s (step %s)", or(d["do"], "work"), or(d["assignee"], "you"), ev.Step) + with(", until ", moment(d["until"], loc)) + ": " + d["text"]
	case engine.EventTaskDone:
		return fmt.Sprintf("done (step %s)", ev.Step)
	case engine.EventTaskExpired:
		return fmt.Sprintf("not done in time (step %s)", ev.Step)
	case engine.EventSkipped:
		return fmt.Sprintf("left out (step %s)", ev.Step) + with(": ", d["why"]) + with(", by ", d["by"])
	case engine.EventWon, engine.EventLost:
		return string(ev.Kind) + with(": ", d["reason"])
	case engine.EventChainRefused:
		return "sequence " + d["chain"] + " does not begin" + with(": ", d["why"])
	case engine.EventPaused, engine.EventResumed:
		return switchWords(ev)
	case engine.EventSuppressed:
		if d["removed"] != "" {
			return "may be written to again" + with(": ", d["why"])
		}
		return "will never be written to again" + with(": ", d["why"])
	case engine.EventReversed:
		return "you said that it was not a reply" + with("; it was ", d["was"]) + with(": ", d["reason"])
	case engine.EventCaughtUp:
		return "what was overdue: " + map[string]string{"send": "it goes on", "skip": "the step is left out", "stop": "it ends"}[d["answer"]]
	case engine.EventRestored:
		return restoredWords(d, loc)
	case engine.EventReloaded:
		loaded := len(strings.FieldsFunc(d["sequences"], func(r rune) bool { return r == ',' }))
		words := fmt.Sprintf("sequences were read again: %d loaded, %s broken", loaded, or(d["broken"], "0"))
		if d["changes"] != "" {
			words += "; " + d["changes"]
		}
		return words
	}
	return string(ev.Kind) + details(d)
}

// restoredWords tells how far the state can be trusted to know what was sent.
func restoredWords(d map[string]string, loc *time.Location) string {
	switch {
	case d["note"] != "":
		return d["note"] + with(", ", moment(d["sent"], loc))
	case d["reconciled"] != "":
		return fmt.Sprintf("the state was compared with what mailbox %s has sent: %s more had left than it knew, %s held, %s to strangers",
			d["mailbox"], or(d["found"], "0"), or(d["held"], "0"), or(d["strangers"], "0"))
	}
	return "the state may know less than was sent" + with(" from mailbox ", d["mailbox"]) + with(": ", d["why"])
}

// switchWords tells what a pause or its end covers.
func switchWords(ev engine.Event) string {
	switch {
	case ev.Address != "":
		return string(ev.Kind)
	case ev.Sequence != "":
		return fmt.Sprintf("sequence %s was %s", ev.Sequence, ev.Kind)
	case ev.Detail["mailbox"] != "":
		return fmt.Sprintf("mailbox %s was %s", ev.Detail["mailbox"], ev.Kind)
	}
	return fmt.Sprintf("everything was %s", ev.Kind)
}

// eventLine tells one event among those of others: a sentence with its subject.
func eventLine(ev engine.Event, loc *time.Location) string {
	words := eventWords(ev, loc)
	switch {
	case ev.Address == "":
		return words
	case ev.Kind == engine.EventSuppressed:
		return ev.Address + " " + words
	}
	return ev.Address + with(" ", ev.Sequence) + ": " + words
}

// mailWords tells of a mail that was read: what it was taken for, where it
// lies, and by which rules.
func mailWords(ev engine.Event, loc *time.Location) string {
	what := map[engine.EventKind]string{
		engine.EventReply: "a reply", engine.EventAutoReply: "an automatic reply", engine.EventBounce: "a bounce",
		engine.EventUnsubscribe: "a wish to get no more mail", engine.EventComplaint: "a complaint",
		engine.EventUnsure: "mail that might be an answer", engine.EventNoted: "mail that changes nothing",
		engine.EventColleague: "mail of somebody else that concerns them too", engine.EventTakeover: "your own mail, written by hand",
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
	s += with("; now reads there: ", d["successor"]) + with("; they ", d["answer"]) + with("; answered for ", d["answered for"])
	until := "; waits until "
	if ev.Kind == engine.EventAutoReply {
		until = "; away until "
	}
	return s + with("; failed: ", d["failed"]) + with(" ", d["status"]) + with(until, moment(d["until"], loc)) + with("; ", d["note"])
}

// with puts words before a value that is there.
func with(words, value string) string {
	if value == "" {
		return ""
	}
	return words + value
}

// moment writes an event's time for people.
func moment(stamp string, loc *time.Location) string {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return stamp
	}
	return when(t.In(loc), loc)
}

// details writes facts that no sentence was made for.
func details(d map[string]string) string {
	s := ""
	for _, key := range slices.Sorted(maps.Keys(d)) {
		s += " " + key + " " + d[key]
	}
	return s
}
