package main_test

import (
	"fmt"
	"slices"

	"nudge/engine"
)

// tally is what the books came to.
type tally struct {
	people, mails, doubtful, arrived, stopped, finished, twice, late, lost int
}

func (c tally) String() string {
	return fmt.Sprintf("%d people, %d mails delivered, %d finished, %d stopped by an answer, %d in doubt (of which %d had arrived); %d twice, %d after an answer, %d lost",
		c.people, c.mails, c.finished, c.stopped, c.doubtful, c.arrived, c.twice, c.late, c.lost)
}

// ended is who is stopped.
func (r *torture) ended() map[string]bool {
	r.t.Helper()
	all := map[string]bool{}
	for _, v := range r.list() {
		if v.State == engine.Stopped {
			all[v.Address] = true
		}
	}
	return all
}

// answers are why an enrollment stops when its prospect wrote.
var answers = []engine.Reason{engine.Replied, engine.Unsubscribed, engine.Suppressed}

// audit compares what the program believes with the ledger. Everybody is there
// once, in a state a person can see; no step came twice, or after an answer that
// the fence could see; and what did not come is explained. steps is how many a
// person gets who never answers.
func (r *torture) audit(steps int) tally {
	r.t.Helper()
	ledger, replied, doubts := r.post.transactions(), r.answered(), r.doubts()
	count := tally{people: len(r.enrolled)}
	for _, line := range twice(ledger) {
		count.twice++
		r.t.Errorf("delivered twice: %s", line)
	}
	for _, line := range afterReply(ledger, replied) {
		count.late++
		r.t.Errorf("delivered after an answer: %s", line)
	}
	came := map[string]map[string]bool{} // by address: the steps that came
	for _, tx := range ledger {
		if tx.dotAt.IsZero() {
			continue
		}
		if came[tx.to] == nil {
			came[tx.to] = map[string]bool{}
		}
		came[tx.to][tx.step()] = true
		count.mails++
	}
	views := map[string]engine.View{}
	for _, v := range r.list() {
		if _, again := views[v.Address]; again {
			r.t.Errorf("%s is enrolled twice", v.Address)
		}
		views[v.Address] = v
	}
	for _, address := range r.enrolled {
		v, ok := views[address]
		if !ok {
			count.lost++
			r.t.Errorf("%s is lost", address)
			continue
		}
		doubt, doubtful := doubts[address]
		delete(doubts, address)
		got := len(came[address])
		_, answered := replied[address]
		what := fmt.Sprintf("%s is %s (%s) after %d touches; %d steps came, answered %t, in doubt %t", address, v.State, v.Reason, v.Touches, got, answered, doubtful)
		if doubtful {
			count.doubtful++
			for _, tx := range ledger {
				if tx.to == address && tx.messageID() == doubt.MessageID && !tx.dotAt.IsZero() {
					count.arrived++
					got--
				}
			}
		}
		if v.Touches != got {
			r.t.Errorf("the books are wrong: %s", what)
		}
		switch {
		case v.State == engine.Stopped && answered && slices.Contains(answers, engine.Reason(v.Reason)):
			count.stopped++
		case v.State == engine.Finished && got == steps && !doubtful:
			count.finished++
		case v.State == engine.Held && v.Reason == string(engine.InDoubt) && doubtful && !answered:
		default:
			count.lost++
			r.t.Errorf("unexplained: %s", what)
		}
	}
	for address := range doubts {
		r.t.Errorf("%s is in doubt and nobody's", address)
	}
	return count
}
