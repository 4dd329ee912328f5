package simtest

import (
	"math/rand/v2"
	"strings"
	"time"
)

// sendPath are the calls between which the order of things matters. The others
// happen many times a day, so that the same chance would be too much.
var sendPath = map[string]bool{"Store.Enroll": true, "Store.Prepare": true, "Store.Withdraw": true, "Store.Postpone": true, "Store.Claim": true,
	"Store.Settle": true, "Store.Apply": true, "Store.Recover": true, "Store.Looked": true, "Store.Reconcile": true, "Store.Distrust": true,
	"Store.Change": true, "Store.Pause": true, "Store.Suppress": true, "Inbox.Read": true, "Inbox.OwnMail": true, "Inbox.KeepSent": true}

// fault decides what goes wrong at one point.
func (w *World) fault(what, tag string, after bool) fault {
	if w.scripted != nil {
		return w.scripted(what, after)
	}
	if w.isCalm() {
		return fine
	}
	chance, c := w.roll(place(what, after)+tag), w.conf
	often := 1.0
	if !sendPath[what] && !strings.HasPrefix(what, "Sender.") {
		often = 0.01
	}
	errors := c.errors * often
	if strings.HasPrefix(what, "Inbox.") {
		errors = c.imap / 4
	}
	switch {
	case chance < c.crashes*often:
		return crash
	case chance < c.crashes*often+errors/2:
		return failing
	case chance < c.crashes*often+errors && strings.HasPrefix(what, "Store."):
		return fromHere
	}
	return fine
}

func (w *World) isCalm() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calm
}

// stall is how long a call that should be quick takes instead.
func (w *World) stall(what string) time.Duration {
	if w.scripted != nil || w.conf.stalls == 0 || w.isCalm() || w.roll("stall of "+what) > w.conf.stalls {
		return 0
	}
	d := span(w.dice("length of a stall of "+what, int(w.roll("stalls")*1e9)), time.Second, 30*time.Second)
	w.figures.add("stall")
	return d
}

// scheduleFaults writes what is down when, and what else befalls the machine.
func (w *World) scheduleFaults() {
	dice := w.dice("faults", 0)
	c := w.conf
	for range c.outages {
		o := outage{what: outageKind(dice.IntN(int(allDown) + 1))}
		from, long := evenly(dice, c.faulty), span(dice, 5*time.Minute, 22*day)
		o.from = w.began.Add(from)
		o.to = o.from.Add(long)
		at := w.someProvider(dice)
		at.outages = append(at.outages, o)
		w.at(o.from, func() {
			w.figures.add("outage")
			w.tell(nil, "outage %d of %s for %s", o.what, at.mailbox.Name, long.Round(time.Second))
		})
	}
	for range c.downtimes {
		long := span(dice, time.Minute, 25*day)
		if dice.IntN(3) == 0 {
			long = 2*day + evenly(dice, 25*day)
		}
		w.after(evenly(dice, c.faulty), func() { w.operator.switchOff(long) })
	}
	if c.plain {
		long := 3*day + evenly(dice, 24*day)
		w.after(c.enrolling/2+evenly(dice, 8*day), func() { w.operator.switchOff(long) })
	}
	for range c.validities {
		name := []string{"INBOX", "Junk", "Archive", "Clients", "Sent"}[dice.IntN(5)]
		at := w.someProvider(dice)
		w.after(evenly(dice, c.faulty), func() { at.renumber(name) })
	}
	for n := range c.edits {
		w.after(evenly(dice, c.faulty), func() { w.plans.edit(w.dice("edit", n)) })
	}
	for range c.jumps {
		by := span(dice, time.Minute, 20*day)
		if dice.IntN(2) == 0 {
			by = -span(dice, time.Second, 5*day)
		}
		lasting := evenly(dice, 5*day)
		w.after(c.enrolling+evenly(dice, c.faulty-c.enrolling), func() { w.jump(by); w.after(lasting, func() { w.jump(-by) }) })
	}
	w.scheduleRestores(dice)
}

// someProvider is one of the mailboxes.
func (w *World) someProvider(dice *rand.Rand) *provider {
	if len(w.providers) == 1 {
		return w.providers[0]
	}
	return w.providers[dice.IntN(len(w.providers))]
}

// jump sets the machine's clock.
func (w *World) jump(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offset += by
	w.figures.add("clock jump")
	w.tellLocked(nil, "the machine's clock jumps by %s", by.Round(time.Second))
}
