package simtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"nudge/engine"
	"nudge/sequences"
)

// shelf is the folder of sequences, which their author goes on editing.
type shelf struct {
	w     *World
	mu    sync.Mutex
	names []string // of all; people are enrolled in the first two
	plans map[string]*plan
}

// open are the sequences that people are enrolled in by hand.
func (s *shelf) open() []string { return s.names[:min(2, len(s.names))] }

// plan is one sequence with its history.
type plan struct {
	name     string
	at       string // the mailbox that it sends from
	send     string
	steps    []planStep
	chains   []string // on-finish, on-won and on-lost
	holidays []string // dates and countries
	perDay   int      // mails of it a day; 0 = as many as the mailbox may
	made     int      // steps ever
	edited   bool
	rich     bool // more than waits and windows decides
	versions []version
}

// planStep is one step as its author thinks of it. What its mails say names it,
// so that the world recognises them without the engine's ids.
type planStep struct {
	id, heading string
	wait        string
	text        int
	tier        string // only-if: whom it is for; "" = everybody
	repeat      int    // how often again,
	every       string // and each so long after the one before
	urgent      bool
	before      bool   // its wait counts back from the visit
	call        bool   // the owner's work, with
	due, undone string // what becomes of it
}

// version is a sequence as it was from a moment on.
type version struct {
	from     time.Time
	seq      *sequences.Sequence
	steps    []planStep
	holidays []string
	perDay   int
}

// form is a step as it was in one version: as it was read, and as its author
// wrote it.
type form struct {
	*sequences.Step
	of       planStep
	holidays []string
}

func newShelf(w *World) *shelf {
	s := &shelf{w: w, plans: map[string]*plan{}}
	sends := []string{"mon-fri 09:00-16:30", "always", "mon-fri 08:00-11:00; sat 10:00-12:00", "cron 0 9-15 * * mon-fri"}
	for n, name := range []string{"quote", "review"} {
		dice := w.dice("plan", n)
		p := &plan{name: name, at: w.mailboxFor(n), send: sends[dice.IntN(len(sends))]}
		for range 2 + dice.IntN(3) {
			p.steps = append(p.steps, p.newStep(dice))
		}
		p.steps[0].wait = []string{"0", "2 hours", "1 business day"}[dice.IntN(3)]
		if !w.conf.plain && dice.IntN(2) == 0 {
			p.enrich(dice, w)
		}
		s.names, s.plans[name] = append(s.names, name), p
		p.publish(time.Time{})
	}
	for n, name := range []string{care, thanks, parting} {
		dice := w.dice("chained plan", n)
		p := &plan{name: name, at: w.mailboxFor(n), send: sends[dice.IntN(len(sends))], rich: true}
		p.steps = append(p.steps, p.newStep(dice), p.newStep(dice))
		p.steps[0].wait = []string{"0", "1 business day"}[dice.IntN(2)]
		s.names, s.plans[name] = append(s.names, name), p
		p.publish(time.Time{})
	}
	return s
}

// mailboxFor is the mailbox that the n-th of some sequences sends from.
func (w *World) mailboxFor(n int) string { return w.providers[n%len(w.providers)].mailbox.Name }

func (p *plan) newStep(dice *rand.Rand) planStep {
	p.made++
	waits := []string{"3 days", "2 business days", "4 business days", "26 hours", "1 week", "5 days"}
	return planStep{id: fmt.Sprintf("s%d", p.made), heading: fmt.Sprintf("Step %d", p.made), wait: waits[dice.IntN(len(waits))]}
}

// source writes the file.
func (p *plan) source() string {
	var b strings.Builder
	fmt.Fprintf(&b, "---\nname: %s\nfrom: %s\nsend: %s\n", p.name, p.at, p.send)
	if len(p.holidays) > 0 {
		fmt.Fprintf(&b, "holidays: %s\n", strings.Join(p.holidays, ", "))
	}
	if slices.ContainsFunc(p.steps, func(st planStep) bool { return st.before }) {
		b.WriteString("needs: visit\n")
	}
	if p.perDay > 0 {
		fmt.Fprintf(&b, "per-day: %d\n", p.perDay)
	}
	for _, chain := range p.chains {
		b.WriteString(chain + "\n")
	}
	b.WriteString("---\n")
	first := slices.IndexFunc(p.steps, func(st planStep) bool { return !st.call })
	for i, st := range p.steps {
		fmt.Fprintf(&b, "\n## %d. %s\n\n```step\n%s", i+1, st.heading, st.settings())
		if i == first {
			b.WriteString("subject A: Your offer\nsubject B: A word on your offer\n")
		}
		if b.WriteString("```\n"); st.call {
			fmt.Fprintf(&b, "\nCall them about %s.\n", st.id)
			continue
		}
		fmt.Fprintf(&b, "\nHello,\n\nMark %s %s %d {{ variant }} end.\n", p.name, st.id, st.text)
	}
	return b.String()
}

// publish saves the file, so that it counts from now on.
func (p *plan) publish(now time.Time) {
	seq, err := sequences.ParseIn(nil, p.name+".md", []byte(p.source()))
	if err != nil {
		panic(fmt.Sprintf("the world wrote a bad sequence: %v\n%s", err, p.source()))
	}
	p.versions = append(p.versions, version{now, seq, slices.Clone(p.steps), slices.Clone(p.holidays), p.perDay})
}

// edit changes one sequence as authors do.
func (s *shelf) edit(dice *rand.Rand) {
	s.mu.Lock()
	p := s.plans[s.names[dice.IntN(len(s.names))]]
	i := dice.IntN(len(p.steps))
	var what string
	switch dice.IntN(8) {
	case 0:
		j := dice.IntN(len(p.steps))
		p.steps[i], p.steps[j] = p.steps[j], p.steps[i]
		what = fmt.Sprintf("%s and %s change places", p.steps[j].id, p.steps[i].id)
	case 1:
		st := p.newStep(dice)
		p.steps = slices.Insert(p.steps, i, st)
		what = fmt.Sprintf("%s is put in at place %d", st.id, i+1)
	case 2:
		if rest := slices.Delete(slices.Clone(p.steps), i, i+1); (&plan{steps: rest}).mails() {
			what, p.steps = p.steps[i].id+" is removed", rest
		}
	case 3:
		p.steps[i].text++
		what = p.steps[i].id + " says something else"
	case 4:
		p.steps[i].wait = []string{"1 day", "3 business days", "2 weeks"}[dice.IntN(3)]
		what = p.steps[i].id + " waits " + p.steps[i].wait
	case 5:
		p.steps[i].heading += " again"
		what = p.steps[i].id + " has another heading"
	case 6:
		st := p.newStep(dice)
		what = fmt.Sprintf("%s is rewritten as %s", p.steps[i].id, st.id)
		p.steps[i] = st
	case 7:
		what = p.rework(dice, i, s.w)
	}
	p.edited = true
	p.publish(time.Now())
	s.mu.Unlock()
	s.w.figures.add("sequence edited")
	s.w.tell(nil, "sequence %s: %s", p.name, what)
}

// shortest is the sequence with the fewest steps, of those that people are
// enrolled in.
func (s *shelf) shortest() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.MinFunc(s.open(), func(a, b string) int { return len(s.plans[a].steps) - len(s.plans[b].steps) })
}

// Sequence, Names, Broken and Read answer engine.Shelf.
func (s *shelf) Sequence(name string) (*sequences.Sequence, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.plans[name]
	if !ok {
		return nil, false
	}
	return p.versions[len(p.versions)-1].seq, true
}

func (s *shelf) Names() []string               { return s.names }
func (s *shelf) Broken() []error               { return nil }
func (s *shelf) Read() (engine.Reading, error) { return reading{s}, nil }

// reading answers engine.Reading. An edit is in force as soon as it is made, so
// there is nothing to take.
type reading struct{ *shelf }

func (reading) IsBroken(string) bool    { return false }
func (reading) Edits() []sequences.Edit { return nil }
func (reading) Changed() bool           { return true }
func (reading) Sum() string             { return "" }
func (reading) Take()                   {}

// forms lists a step as it was in every version that was in force between two
// moments.
func (s *shelf) forms(seq, step string, from, to time.Time) []form {
	s.mu.Lock()
	defer s.mu.Unlock()
	var forms []form
	id, _ := roundOf(step)
	versions := s.plans[seq].versions
	for i, v := range versions {
		if v.from.After(to) || i+1 < len(versions) && versions[i+1].from.Before(from) {
			continue
		}
		i := slices.IndexFunc(v.steps, func(st planStep) bool { return st.id == id && slices.Contains(st.ids(), step) })
		if i >= 0 {
			forms = append(forms, form{v.seq.Step(step), v.steps[i], v.holidays})
		}
	}
	return forms
}

// most is how many mails of a sequence may leave a day by any version that was
// in force between two moments; 0 where one did not say.
func (s *shelf) most(seq string, from, to time.Time) (most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	versions := s.plans[seq].versions
	for i, v := range versions {
		if v.from.After(to) || i+1 < len(versions) && versions[i+1].from.Before(from) {
			continue
		}
		if v.perDay == 0 {
			return 0
		}
		most = max(most, v.perDay)
	}
	return most
}

// variantIn reads from the bytes of a mail which variant of the subject its
// prospect has.
func variantIn(raw []byte) string {
	_, rest, _ := strings.Cut(string(raw), "Mark ")
	words := strings.Fields(rest[:min(len(rest), 200)])
	if len(words) < 4 {
		return ""
	}
	return words[3]
}

// marks reads from the bytes of a mail which step of which sequence it is.
func marks(raw []byte) (seq, step string, ok bool) {
	_, rest, ok := strings.Cut(string(raw), "Mark ")
	words := strings.Fields(rest[:min(len(rest), 200)])
	if !ok || len(words) < 2 {
		return "", "", false
	}
	return words[0], words[1], true
}
