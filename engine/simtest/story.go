package simtest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// line is one dated line of the story.
type line struct {
	at   time.Time
	who  *person
	text string
}

// tell adds a line to the story; who is nil when it concerns everybody. What
// it says must follow from the seed: no Message-IDs, which hang on a secret.
func (w *World) tell(who *person, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tellLocked(who, format, args...)
}

func (w *World) tellLocked(who *person, format string, args ...any) {
	w.story = append(w.story, line{time.Now(), who, fmt.Sprintf(format, args...)})
	if w.figures.verbose != nil {
		w.story[len(w.story)-1].write(w.figures.verbose)
	}
}

func (l line) write(out io.Writer) {
	who := ""
	if l.who != nil {
		who = l.who.addr + ": "
	}
	fmt.Fprintf(out, "%s %s%s\n", l.at.Format("2006-01-02 15:04:05.000"), who, l.text)
}

// Violation is a promise that was broken.
type Violation struct {
	Invariant string
	Who       *person
	Text      string
	At        time.Time
}

// violate ends the world: a promise was broken.
func (w *World) violate(invariant string, who *person, format string, args ...any) {
	w.mu.Lock()
	if w.broken == nil {
		w.broken = &Violation{invariant, who, fmt.Sprintf(format, args...), time.Now()}
		w.tellLocked(who, "BROKEN: %s: %s", invariant, w.broken.Text)
	}
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// Broken is the first promise that was broken, or nil.
func (w *World) Broken() *Violation { return w.broken }

// Story tells what happened: of the person whose promise was broken first, then
// everything.
func (w *World) Story() string {
	var b strings.Builder
	c := w.conf
	fmt.Fprintf(&b, "seed %d: %d people, driven by %s, %s\n", w.seed, c.people, map[bool]string{true: "Tick", false: "Run"}[c.tick], w.conf.kind())
	if v := w.broken; v != nil {
		fmt.Fprintf(&b, "broken: %s: %s\n", v.Invariant, v.Text)
		if v.Who != nil {
			fmt.Fprintf(&b, "\nwhat concerns %s:\n", v.Who.addr)
			for _, l := range w.story {
				if l.who == nil || l.who == v.Who {
					l.write(&b)
				}
			}
		}
		b.WriteString("\neverything:\n")
	}
	for _, l := range w.story {
		l.write(&b)
	}
	return b.String()
}

func (c conf) kind() string {
	kind := []string{"Sent is not kept by the provider", "Sent is kept at once", "Sent is kept late"}[c.savesSent]
	if c.mailbox.SaveSent {
		kind += " but by nudge"
	}
	if c.rewrites {
		kind += ", Message-IDs are replaced"
	}
	if c.second != nil {
		kind += ", two mailboxes"
	}
	return kind
}

// Figures count what happened in one or many worlds.
type Figures struct {
	mu        sync.Mutex
	verbose   io.Writer
	Worlds    int
	Years     float64 // prospect-years
	Enrolled  int
	Touches   int
	Letters   int
	Replies   int // letters that must stop
	InWindow  int // of those, how many arrived between the fence and the dot
	Held      int // at the end
	InDoubt   int
	faults    map[string]int
	LostDots  int // unknown outcomes
	Looks     int
	Finished  int
	Stopped   int
	Withheld  int
	MaxPerDay int
}

func newFigures() Figures { return Figures{faults: map[string]int{}} }

func (f *Figures) add(what string) {
	f.mu.Lock()
	f.faults[what]++
	f.mu.Unlock()
}

// of is how often something happened.
func (f *Figures) of(what string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.faults[what]
}

// count takes the figures of a world that is over.
func (f *Figures) count(w *World) {
	f.Worlds = 1
	f.Years = float64(len(w.people)) * time.Since(w.began).Hours() / 24 / 365
	f.Enrolled = len(w.enrolled)
	for _, d := range w.ledger {
		if d.accepted {
			f.Touches++
		}
		if !d.told {
			f.LostDots++
		}
	}
	f.Letters = len(w.letters)
	for _, l := range w.letters {
		if l.effect == stops {
			f.Replies++
		}
	}
}

// Add sums figures up.
func (f *Figures) Add(o *Figures) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Worlds += o.Worlds
	f.Years += o.Years
	f.Enrolled += o.Enrolled
	f.Touches += o.Touches
	f.Letters += o.Letters
	f.Replies += o.Replies
	f.InWindow += o.InWindow
	f.Held += o.Held
	f.InDoubt += o.InDoubt
	f.LostDots += o.LostDots
	f.Finished += o.Finished
	f.Stopped += o.Stopped
	for what, n := range o.faults {
		f.faults[what] += n
	}
}

// String is a table for people.
func (f *Figures) String() string {
	var b strings.Builder
	share := func(n int) float64 { return 100 * float64(n) / float64(max(f.Enrolled, 1)) }
	fmt.Fprintf(&b, "%d worlds, %.1f prospect-years, %d enrollments, %d touches, %d letters\n", f.Worlds, f.Years, f.Enrolled, f.Touches, f.Letters)
	fmt.Fprintf(&b, "%d letters that must stop, of which %d arrived between the fence and the dot\n", f.Replies, f.InWindow)
	fmt.Fprintf(&b, "%d dots whose answer was lost; at the end %.1f %% finished, %.1f %% stopped, %.1f %% held (%.1f %% in doubt)\n",
		f.LostDots, share(f.Finished), share(f.Stopped), share(f.Held), share(f.InDoubt))
	for _, what := range slices.Sorted(maps.Keys(f.faults)) {
		fmt.Fprintf(&b, "  %-28s %d\n", what, f.faults[what])
	}
	return b.String()
}
