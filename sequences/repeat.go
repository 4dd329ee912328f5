package sequences

import (
	"slices"
	"strconv"
)

// Repeat says that a step is done again: N more times, each Every after the one
// before. The zero value is once.
type Repeat struct {
	N     int
	Every Delay
}

// unrolled writes the rounds of repeated steps out as steps of their own, so
// that whoever goes through a sequence needs to know nothing of them. Round n
// of step X is X/n; the first keeps its id, so that a step may become a
// repeated one while people are under way. Only the first has a subject: the
// others go on in its thread. Only the last round ends the enrollment.
func unrolled(steps []Step) []Step {
	if !slices.ContainsFunc(steps, func(st Step) bool { return st.Repeat.N > 0 }) {
		return steps
	}
	var all []Step
	for _, st := range steps {
		for round := range st.Repeat.N + 1 {
			one := st
			one.ID = roundID(st.ID, round+1)
			one.Round = 0
			if st.Repeat.N > 0 {
				one.Round = round + 1
			}
			if round > 0 {
				one.Wait, one.Subject, one.Subjects, one.Before, one.Calendar = st.Repeat.Every, nil, nil, "", nil
				one.Send = scheduleFor(one)
			}
			one.Last = st.Last && round == st.Repeat.N
			one.Number = len(all) + 1
			all = append(all, one)
		}
	}
	return all
}

// roundID is the id of one round of a step.
func roundID(id string, round int) string {
	if round <= 1 || id == "" {
		return id
	}
	return id + "/" + strconv.Itoa(round)
}

// scheduleFor is what a step's Send becomes by its wait and its urgency.
func scheduleFor(st Step) Schedule {
	if st.Urgent {
		return always{}
	}
	return onWorkdays(st.window, st.Wait, st.holidays)
}
