package sequences

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// promise is a sentence in which the sender says when they will be back. Its
// groups are the verb and the time.
var promise = regexp.MustCompile(`(?i)\b(?:i|we)(?:['’]ll|\s+will|\s+shall)\b[^.!?;\n]{0,60}?` +
	`\b(call|ring|phone|write|mail|e-?mail|send|check|follow\s+up|get\s+back|come\s+back|be\s+back|be\s+in\s+touch|get\s+in\s+touch|try|ask|remind)\b` +
	`[^.!?;]{0,60}?\b(tomorrow|next\s+week|in\s+(?:a|an|one|two|three|four|five|six|seven|eight|ten|\d{1,2})\s+(?:business\s+days?|working\s+days?|days?|weeks?)` +
	`|(?:on|this|next)\s+(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b`)

// stopping is a sentence that promises silence, not a mail.
var stopping = regexp.MustCompile(`(?i)\b(stop|won['’]t|not|never|leave|close|last)\b`)

// writing are the verbs that promise a mail.
var writing = regexp.MustCompile(`(?i)^(write|mail|e-?mail|send|remind|follow\s+up)$`)

// imagined is when each step of a sequence comes for one person.
type imagined []time.Time

// imagine walks through the sequence from five ordinary mornings, Monday to
// Friday, without holidays. What leads up to a date has one far ahead, another
// for each field. It is empty when a step never comes.
func (r *reader) imagine() []imagined {
	steps := slices.Clone(unrolled(r.seq.Steps))
	for i := range steps {
		steps[i].holidays = nil
		steps[i].Send = scheduleFor(steps[i])
	}
	anchors := map[string]int{} // days ahead
	for _, st := range steps {
		if _, known := anchors[st.Before]; st.Before != "" && !known {
			anchors[st.Before] = 12 * 7 * (len(anchors) + 1)
		}
	}
	if steps[0].Before == "" {
		steps[0].Wait.N = 0
	}
	var all []imagined
	for day := range 5 {
		at := anyDay.AddDate(0, 0, day)
		one := make(imagined, len(steps))
		for i := range steps {
			if field := steps[i].Before; field != "" {
				at, _ = steps[i].DueBefore(anyDay.AddDate(0, 0, day+anchors[field]).Add(14*time.Hour), at, time.UTC)
			} else {
				at = steps[i].DueAt(at, time.UTC)
			}
			if at.IsZero() {
				return nil
			}
			one[i] = at
		}
		all = append(all, one)
	}
	return all
}

// advisePromises compares what the mails say about the next one with when it
// comes.
func (r *reader) advisePromises() {
	var people []imagined // as soon as there is a promise
	row := 0              // of the step's last round in people
	for i, st := range r.seq.Steps {
		first := row
		row += st.Repeat.N + 1
		if st.Do != Email || i+1 < len(r.seq.Steps) && r.seq.Steps[i+1].Before != "" && r.seq.Steps[i+1].Before != st.Before {
			continue // nobody knows how far away that date is
		}
		body := r.sections[i].body
		text := r.text[body.start:body.end]
		if !hasAny(text, "'ll", "’ll", "will", "shall") || !hasAny(text, "day", "morrow", "week") {
			continue // a quick look spares most mails the slow one
		}
		for _, m := range promise.FindAllStringSubmatchIndex(text, -1) {
			if people == nil {
				people = r.imagine()
			}
			if len(people) == 0 {
				return
			}
			words := strings.Join(strings.Fields(text[m[4]:m[5]]), " ")
			message, advice := r.broken(words, text[m[0]:m[2]], text[m[2]:m[3]], people, span{first, row})
			if message != "" {
				r.advise(body.start+m[4], message, advice)
			}
		}
	}
}

// broken says what is wrong with a promise, and what to do; "" when it is kept.
// rounds are the step's own in people, and behind them the next step's.
func (r *reader) broken(words, before, verb string, people []imagined, rounds span) (message, advice string) {
	words = strings.ToLower(words)
	if rounds.end == len(people[0]) && rounds.end == rounds.start+1 {
		if writing.MatchString(verb) && !stopping.MatchString(before) {
			return fmt.Sprintf("%q, but no step follows", words), "plan one, or leave the promise out"
		}
		return "", ""
	}
	for at := rounds.start; at < rounds.end && at+1 < len(people[0]); at++ {
		for _, one := range people {
			if !kept(words, one[at], one[at+1]) {
				return fmt.Sprintf("%q, but the next step comes %s", words, apart(one[at], one[at+1])), "write {{ next_touch }}, or change the wait"
			}
		}
	}
	return "", ""
}

// dateOf is the midnight before t, which is in UTC.
func dateOf(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }

// daysBetween counts the dates and the business days from one to another.
func daysBetween(from, to time.Time) (days, business int) {
	for d := dateOf(from).AddDate(0, 0, 1); !d.After(dateOf(to)); d = d.AddDate(0, 0, 1) {
		days++
		if IsBusinessDay(d, nil) {
			business++
		}
	}
	return days, business
}

func apart(from, to time.Time) string {
	days, _ := daysBetween(from, to)
	switch days {
	case 0:
		return "on the same day"
	case 1:
		return "a day later"
	}
	return fmt.Sprintf("%d days later when this one leaves on a %s", days, from.Weekday())
}

var numberWords = map[string]int{"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "ten": 10}

// kept says whether a touch at next is what was promised at now.
func kept(words string, now, next time.Time) bool {
	fields := strings.Fields(words)
	days, business := daysBetween(now, next)
	switch {
	case fields[0] == "tomorrow":
		return days == 1
	case fields[0] == "next" && fields[1] == "week":
		monday := dateOf(now).AddDate(0, 0, 7-(int(now.Weekday())+6)%7)
		return !next.Before(monday) && next.Before(monday.AddDate(0, 0, 7))
	case fields[0] == "in":
		n := numberWords[fields[1]]
		if n == 0 {
			n, _ = atoi(fields[1])
		}
		switch unit := fields[len(fields)-1]; {
		case strings.HasPrefix(unit, "week"):
			return days == 7*n || business == 5*n
		case len(fields) == 4:
			return business == n
		default:
			return days == n || business == n
		}
	}
	day, err := parseDay(fields[1])
	return err != nil || int(next.Weekday()) == day
}

// atoi reads the two digits that promise matches.
func atoi(s string) (n int, ok bool) {
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func hasAny(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}
