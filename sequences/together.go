package sequences

import (
	"errors"
	"fmt"
	"strings"
)

// checkTogether finds the mistakes that only the steps together show.
func (r *reader) checkTogether() {
	first := true
	for i, st := range r.seq.Steps {
		if st.Do == Email && first {
			first = false
			if !r.subjectGiven(i) && !r.sections[i].fenceWrong && !r.misspelt(r.sections[i].settings, "subject") {
				r.wrongAt(r.sections[i].heading, errors.New("no subject: in the first mail, which has nothing to reply to; "+
					"write for example subject: Re: {{ original_subject }}"), "")
			}
		}
		if last := len(r.seq.Steps) - 1; st.Last && i < last {
			r.wrongAt(r.sets[i]["last"].keyAt, fmt.Errorf("no step after the last: one can be reached, and %d follow", last-i), "")
		}
	}
	r.checkIDs()
	r.checkNextTouch()
	if len(r.lettered) > 0 && !r.varied {
		r.wrongUse(r.lettered[0], errors.New("variant has no value: no step has variants of its subject, subject A and subject B"), "")
	}
}

// subjectGiven says whether a step has a subject, be it a wrong one.
func (r *reader) subjectGiven(i int) bool {
	for key := range r.sets[i] {
		if key == "subject" || variantKey.MatchString(key) {
			return true
		}
	}
	return false
}

// checkIDs finds steps with one id, the rounds of repeated steps included.
func (r *reader) checkIDs() {
	ids := map[string]int{}
	for i, st := range r.seq.Steps {
		at := r.sections[i].heading
		if s, ok := r.sets[i]["id"]; ok {
			at = s.keyAt
		}
		for round := range st.Repeat.N + 1 {
			key := strings.ToLower(roundID(st.ID, round+1))
			if line, twice := ids[key]; twice && key != "" {
				r.wrongAt(at, fmt.Errorf("the step in line %d has the same id %q; rename one or give it an id", line, shorten(st.ID)), "")
				break
			}
			ids[key] = st.Line
		}
	}
}

// checkNextTouch refuses next_touch where nothing comes next: it would hold
// every prospect there.
func (r *reader) checkNextTouch() {
	n := len(r.seq.Steps)
	if n == 0 {
		return
	}
	st := r.seq.Steps[n-1]
	if st.Body == nil || st.Repeat.N > 0 {
		return
	}
	for _, u := range st.Body.Uses() {
		if u.Field == "next_touch" && !u.HasDefault {
			r.wrongUse(u, errors.New("next_touch has no value in the last step, after which nothing comes"), "")
			return
		}
	}
}
