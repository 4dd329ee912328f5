package engine

import "time"

// An ending process waits for the answers to its dots finishPatience from the
// moment it was asked to end, and has lastPatience more for what follows from
// them: whoever ends processes counts on a minute and a half.
const (
	finishPatience = 80 * time.Second
	lastPatience   = 5 * time.Second
)

// Finish waits for the mails whose DATA is under way and settles them. What
// takes longer than finishPatience is left to the next process, which finds it
// in doubt.
func (e *Engine) Finish(now time.Time) error { return e.finish(now, time.Now()) }

// finish is Finish for a process that was asked to end some time ago.
func (e *Engine) finish(now, asked time.Time) error {
	watch := e.watch(now)
	e.endBy = asked.Add(finishPatience + lastPatience)
	defer func() { e.endBy = time.Time{} }()
	over := make(chan struct{})
	go func() { e.flights.Wait(); close(over) }()
	landed := e.landedChan()
	if !e.live { // where a day is lived through again, a volley lands in its order
		landed = nil
	}
	if e.flight != nil {
		e.Log.Info("ending, waits for what becomes of the last mails", "mailbox", e.Mailbox.Name, "mails", e.flight.pending, "until", asked.Add(finishPatience))
	}
	timer := time.NewTimer(time.Until(asked.Add(finishPatience)))
	defer timer.Stop()
	var err error
	land := func() {
		if lerr := e.land(watch, 0); err == nil {
			err = lerr
		}
	}
wait:
	for {
		select {
		case <-landed:
			land() // at once: a process that is killed meanwhile would forget what it knew
		case <-over:
			break wait
		case <-timer.C:
			break wait
		}
	}
	land()
	if e.flight != nil {
		e.Log.Warn("mails unanswered, looked for at the next start", "mailbox", e.Mailbox.Name, "mails", e.flight.pending)
	}
	return err
}
