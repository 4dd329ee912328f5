package main

import (
	"maps"
	"time"

	"nudge/engine"
)

// eventForPrograms is an event as --json prints it: every key is always there,
// and every time is in UTC, so that lines can be compared and sorted.
type eventForPrograms struct {
	Seq        uint64            `json:"seq"`
	At         time.Time         `json:"at"`
	Kind       engine.EventKind  `json:"kind"`
	Enrollment string            `json:"enrollment"`
	Address    string            `json:"address"`
	Sequence   string            `json:"sequence"`
	Step       string            `json:"step"`
	MessageID  string            `json:"message_id"`
	Detail     map[string]string `json:"detail"`
}

func forPrograms(ev engine.Event) eventForPrograms {
	detail := map[string]string{}
	maps.Copy(detail, ev.Detail)
	for _, key := range []string{"due", "until", "sent"} {
		if t, err := time.Parse(time.RFC3339, detail[key]); err == nil {
			detail[key] = t.UTC().Format(time.RFC3339)
		}
	}
	return eventForPrograms{Seq: ev.Seq, At: ev.At.UTC(), Kind: ev.Kind, Enrollment: ev.Enrollment, Address: ev.Address,
		Sequence: ev.Sequence, Step: ev.Step, MessageID: ev.MessageID, Detail: detail}
}

// wholeStory is what nudge show --json prints.
type wholeStory struct {
	Enrollments []engine.View      `json:"enrollments"`
	History     []eventForPrograms `json:"history"`
}

func storyForPrograms(story engine.Story) wholeStory {
	w := wholeStory{Enrollments: story.Enrollments, History: make([]eventForPrograms, len(story.History))}
	for i, ev := range story.History {
		w.History[i] = forPrograms(ev)
	}
	return w
}
