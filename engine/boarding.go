package engine

import "time"

// This file is the order in which people are written to: whom a mailbox takes
// next, how many at once, and when it must be silent. The engine and the plan
// both go by it, so that what was planned is what is done, also where caps
// decide between two who are due at one moment.

// roomFor is how many touches a mailbox may start at a moment, or until when it
// must be silent; full says that it is so because of the day's cap.
func (m Mailbox) roomFor(pace Pace, now time.Time) (room int, silent time.Time, full bool) {
	room = m.volley()
	switch {
	case pace.Paused:
		return 0, now.Add(time.Hour), false
	case m.PerDay > 0 && pace.Today >= m.PerDay:
		return 0, m.tomorrow(now), true
	case m.PerDay > 0:
		room = min(room, m.PerDay-pace.Today)
	}
	if !pace.LastAt.IsZero() && !pace.LastAt.After(now) { // later than now: the clock was ahead then
		if ready := pace.LastAt.Add(m.gapAfter(pace)); ready.After(now) {
			return 0, ready, false
		}
	}
	return room, time.Time{}, false
}

// fate is what became of a candidate that was considered.
type fate int

const (
	boards  fate = iota // its mail has a place in the volley
	putOff              // it is looked at again at another time, from the end of this pass on
	altered             // it ended or changed on the spot
)

// queue is what a volley is gathered from: the engine's is the Store, the
// plan's is imagined.
type queue interface {
	// due lists, in order of Look and then of ID, up to limit of those whose
	// moment has come.
	due(limit int) ([]Candidate, error)

	// consider decides about one of them, and says how heavy its mail is.
	consider(c Candidate) (f fate, weight int, err error)

	// postpone makes those wait whose fate in this pass it was.
	postpone() error
}

// volleyWeight is how many bytes of mail fill a volley: attachments are kept in
// memory, and written into one transaction, until it has left.
const volleyWeight = 16 << 20

// gather takes what is due until room is full or nothing is left, at most one
// mail a person. late is how many of the backlog have left today. What is sent
// away is looked at again at the time that was named, so the due index never
// fills with what cannot leave.
func gather(m Mailbox, room, late int, q queue) error {
	people, domains, sequences, taken, heavy := map[string]bool{}, map[string]int{}, map[string]int{}, 0, 0
	for limit := room + 4; ; limit = min(4*limit, 1024) { // mostly the first are the ones
		due, err := q.due(limit)
		if err != nil {
			return err
		}
		away := 0
		for _, c := range due {
			if taken == room || heavy >= volleyWeight {
				break
			}
			if people[c.Enrollment.Key] {
				continue // it stays due
			}
			domain := AddressDomain(c.Enrollment.Key)
			c.DomainToday += domains[domain]
			c.SequenceToday += sequences[c.Enrollment.Sequence]
			c.LateToday, c.LateShare = late, m.lateShare()
			f, weight, err := q.consider(c)
			if err != nil {
				return err
			}
			if f != boards {
				away++
				continue
			}
			people[c.Enrollment.Key] = true
			domains[domain]++
			sequences[c.Enrollment.Sequence]++
			if c.Enrollment.Late {
				late++
			}
			taken++
			heavy += weight
		}
		if err := q.postpone(); err != nil {
			return err
		}
		if taken > 0 || len(due) == 0 || away == 0 {
			return nil
		}
	}
}
