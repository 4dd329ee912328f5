package simtest

import (
	"container/heap"
	"time"
)

// agenda is what the world will do, in order of time; of equal moments the one
// that was written first comes first.
type agenda struct {
	entries entries
	written int
}

type entry struct {
	at   time.Time
	n    int
	todo func()
}

func (a *agenda) add(at time.Time, todo func()) {
	a.written++
	heap.Push(&a.entries, entry{at, a.written, todo})
}

// next is the earliest entry; an empty agenda has nothing for a day.
func (a *agenda) next() (time.Time, func()) {
	if len(a.entries) == 0 {
		return time.Now().Add(24 * time.Hour), nil
	}
	return a.entries[0].at, a.entries[0].todo
}

func (a *agenda) take() { heap.Pop(&a.entries) }

type entries []entry

func (e entries) Len() int { return len(e) }
func (e entries) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].n < e[j].n
}
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *entries) Push(x any)   { *e = append(*e, x.(entry)) }
func (e *entries) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
