package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// NotAReplyRequest names the mail that was no answer: by its Message-ID, or by
// the address of a prospect, whose latest mail that changed anything is meant.
type NotAReplyRequest struct {
	Target string `json:"target"`
	Force  bool   `json:"force,omitempty"` // also where the mail asked not to be written to
}

// NotAReplyResult says what it came to.
type NotAReplyResult struct {
	Incoming    string `json:"incoming"` // the mail that never counts again
	Enrollments []View `json:"enrollments"`
}

// NotAReply implements Operator.
func (d *Desk) NotAReply(_ context.Context, req NotAReplyRequest) (NotAReplyResult, error) {
	ids, err := d.reversible(req.Target)
	if err != nil {
		return NotAReplyResult{}, err
	}
	for _, id := range ids {
		ens, err := d.Store.Reverse(Reversal{Incoming: id, At: d.Now(), Force: req.Force})
		switch {
		case errors.Is(err, ErrNotFound):
			continue // it changed nothing; an earlier one did
		case errors.Is(err, ErrSuppressed):
			return NotAReplyResult{}, &RefusalError{Err: ErrSuppressed, What: "that mail asks not to be written to, and that wish was kept",
				Hint: "only if it was not their wish: nudge not-a-reply --force " + req.Target}
		case err != nil:
			return NotAReplyResult{}, err
		}
		d.wake()
		return NotAReplyResult{Incoming: id, Enrollments: d.views(ens)}, nil
	}
	return NotAReplyResult{}, &RefusalError{Err: ErrNotFound, What: fmt.Sprintf("no mail stopped or held anything for %s", req.Target),
		Hint: "nudge show ADDRESS lists the mails that were read; name one by its Message-ID"}
}

// reversible lists the mails that a person may mean, the likeliest first.
func (d *Desk) reversible(target string) ([]string, error) {
	target = strings.TrimSpace(target)
	if target == "" {
		return nil, invalid("nothing was named", "name the prospect's address, or the mail's Message-ID")
	}
	ens, err := d.Store.Enrollments(Filter{Key: AddressKey(target)})
	if err != nil {
		return nil, err
	}
	if len(ens) == 0 || strings.HasPrefix(target, "<") {
		return []string{CleanMessageID(target)}, nil
	}
	var events []Event
	by := map[string]string{} // by enrollment: what moved it last, also where that has no Message-ID
	reversed := map[string]bool{}
	for _, en := range ens {
		by[en.ID] = en.By
		more, err := d.Store.Events(en.ID, 0, -1000)
		if err != nil {
			return nil, err
		}
		events = append(events, more...)
	}
	slices.SortFunc(events, func(a, b Event) int { return int(b.Seq) - int(a.Seq) })
	var ids []string
	for _, ev := range events {
		id := ev.MessageID
		switch ev.Kind {
		case EventReversed:
			reversed[id] = true
			continue
		case EventReply, EventAutoReply, EventBounce, EventUnsubscribe, EventComplaint, EventUnsure, EventColleague, EventTakeover:
		default:
			continue
		}
		if id == "" {
			id = by[ev.Enrollment]
		}
		if id != "" && !reversed[id] && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Reversal is a person's word that an incoming was no answer.
type Reversal struct {
	Incoming string // its identity: the Message-ID, or where it has none its place
	At       time.Time
	Force    bool // remove also a suppression that the person asked for themselves
}
