package engine

import (
	"container/heap"
	"time"

	"nudge/sequences"
)

// outbox is a mailbox as the forecaster imagines it: who waits in it, and what
// its day has seen.
type outbox struct {
	f         *forecaster
	m         Mailbox
	queue     dueOrder
	silent    time.Time // nothing leaves before
	day       string    // that the counters are of
	pace      Pace
	domains   map[string]int
	sequences map[string]int
	full      map[string]int // by day: how many looks its caps have put off

	// Of the round that is under way.
	passing map[string]*imagined // taken from the queue for one pass of gather
	volley  []*imagined
	owner   []*imagined // whose work the owner does
}

func newOutbox(f *forecaster, m Mailbox) *outbox {
	return &outbox{f: f, m: m, day: m.day(f.now), domains: map[string]int{}, sequences: map[string]int{}, full: map[string]int{}}
}

func (b *outbox) sequence(i *imagined) *sequences.Sequence {
	seq, _ := b.f.library.Sequence(i.c.Enrollment.Sequence)
	return seq
}

func (b *outbox) zone(i *imagined) *time.Location { return zone(b.m, b.sequence(i), i.c.Enrollment) }

func (b *outbox) following(i *imagined, step string) (string, time.Time) {
	return following(b.m, b.sequence(i), i.c.Enrollment, step, b.f.now)
}

// wakes is when the mailbox has something to do; zero = never.
func (b *outbox) wakes() time.Time {
	if len(b.queue) == 0 {
		return time.Time{}
	}
	return latestOf(b.queue[0].c.Enrollment.Look, b.silent, b.f.now)
}

// turn begins the counters afresh where a day has begun.
func (b *outbox) turn() {
	if day := b.m.day(b.f.now); day != b.day {
		b.day, b.pace.Today, b.pace.Late = day, 0, 0
		clear(b.domains)
		clear(b.sequences)
	}
}

// count counts a mail that leaves now. A rehearsal counts for nobody but the
// mailbox and the sequence.
func (b *outbox) count(en Enrollment) {
	b.pace.Today++
	b.pace.LastAt = b.f.now
	if en.Late {
		b.pace.Late++
	}
	b.sequences[en.Sequence]++
	if !b.m.Rehearsal {
		b.domains[AddressDomain(en.Key)]++
	}
}

// earliest is what is told of somebody who is done now: now, or where the gap
// between two mails spreads them, when it might have been today without it, to
// the second.
func (b *outbox) earliest(en Enrollment) time.Time {
	if b.m.volley() > 1 {
		return b.f.now
	}
	return latestOf(en.Look, startOfDay(b.f.now.In(b.m.Location)), b.f.began).Truncate(time.Second)
}

func (b *outbox) push(i *imagined) {
	i.out = false
	if _, passing := b.passing[i.c.Enrollment.ID]; !passing { // else the end of the pass does it
		heap.Push(&b.queue, i)
	}
}

// due implements queue.
func (b *outbox) due(limit int) ([]Candidate, error) {
	b.passing = map[string]*imagined{}
	due := make([]Candidate, 0, min(limit, len(b.queue)))
	for len(due) < limit && len(b.queue) > 0 && !b.queue[0].c.Enrollment.Look.After(b.f.now) {
		i := heap.Pop(&b.queue).(*imagined)
		b.passing[i.c.Enrollment.ID] = i
		c := i.c
		c.Contacts = b.f.contacts[c.Enrollment.Key]
		c.DomainToday, c.SequenceToday = b.domains[AddressDomain(c.Enrollment.Key)], b.sequences[c.Enrollment.Sequence]
		due = append(due, c)
	}
	return due, nil
}

// postpone implements queue: whoever was not taken goes back.
func (b *outbox) postpone() error {
	for _, i := range b.passing {
		if !i.out {
			heap.Push(&b.queue, i)
		}
	}
	b.passing = nil
	return nil
}

// dueOrder is a heap in the order of the due index: by Look, then by ID.
type dueOrder []*imagined

func (q dueOrder) Len() int { return len(q) }
func (q dueOrder) Less(i, j int) bool {
	a, b := &q[i].c.Enrollment, &q[j].c.Enrollment
	return a.Look.Before(b.Look) || a.Look.Equal(b.Look) && a.ID < b.ID
}
func (q dueOrder) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *dueOrder) Push(x any)   { *q = append(*q, x.(*imagined)) }
func (q *dueOrder) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// before counts those below a place in the heap whose Look is before a moment.
func (q dueOrder) before(t time.Time, at int) int {
	if at >= len(q) || !q[at].c.Enrollment.Look.Before(t) {
		return 0
	}
	return 1 + q.before(t, 2*at+1) + q.before(t, 2*at+2)
}
