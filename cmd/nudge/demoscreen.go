package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"nudge/engine"
	"nudge/mailbox/localmail"
	"nudge/sequences"
)

// demoScreen tells the demo as it happens, in 80 columns. What the people do is
// told by the mail provider, all else by the engine's own history.
type demoScreen struct {
	app   *app
	ctx   context.Context // ends the pauses
	paced bool
	world *demoWorld

	seen uint64               // number of the last event told
	date string               // of the last line
	who  string               // address the last line is about
	due  map[string]time.Time // when those who just wrote would have heard from us
}

const (
	demoWidth  = 80
	demoIndent = 20 // where names and details begin
	demoName   = 15 // the longest name
	linePause  = 50 * time.Millisecond
	dayPause   = 200 * time.Millisecond
)

// title says what is about to happen.
func (s *demoScreen) title() {
	a, seq := s.app, s.world.sequence
	a.printf("%s\n\n", a.bold("Three weeks at Berg Roofing"))
	a.printf(`Anna Berg has sent quotes to %d people, and now leaves the follow-up to nudge.
What it may write, and when, stands in one Markdown file:

`, len(s.world.cast))
	for i, st := range seq.Steps {
		from := "after the mail before"
		if i == 0 {
			from = "after the start"
		}
		a.printf("  mail %d  %s %s %s\n", st.Number, fit(st.ID, 24), delayWords(st.Wait), from)
	}
	a.printf(`
Whoever answers, in whatever way, gets no further mail. The program is the real
one, with its state file, SMTP and IMAP. The people, their mail server and the
calendar are simulated: nothing leaves this machine.

  %s nudge sends   %s somebody writes   %s something else happens
`, "→", a.green("←"), a.yellow("·"))
	s.line(s.world.begin, "·", a.yellow, "", fmt.Sprintf("Anna enrolls %d people", len(s.world.cast)))
}

// delayWords writes "1 business day".
func delayWords(d sequences.Delay) string {
	unit := string(d.Unit)
	if d.N == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return fmt.Sprintf("%d %s", d.N, unit)
}

// line begins a new moment: its time, who it is about, and what happened.
func (s *demoScreen) line(at time.Time, mark string, style func(string) string, address, text string) {
	at = at.In(s.world.begin.Location())
	date := at.Format("Mon _2 Jan")
	if date != s.date {
		s.pause(dayPause)
		s.app.printf("\n%s ", s.app.bold(date))
	} else {
		s.app.printf("%s ", strings.Repeat(" ", len(date)))
	}
	s.date, s.who = date, address
	who := ""
	if address != "" {
		who = fit(s.name(address), demoName) + "  "
	}
	text = clip(visible(text), demoWidth-demoIndent-utf8.RuneCountInString(who))
	s.app.printf("%s  %s %s%s\n", at.Format("15:04"), style(mark), who, style(text))
	s.pause(linePause)
}

// detail adds what followed from the line above.
func (s *demoScreen) detail(style func(string) string, text string) {
	for _, line := range wrap(visible(text), demoWidth-demoIndent) {
		s.app.printf("%s%s\n", strings.Repeat(" ", demoIndent), style(line))
	}
	s.pause(linePause)
}

func (s *demoScreen) pause(d time.Duration) {
	if !s.paced {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

// written tells what somebody wrote, before the engine has seen it.
func (s *demoScreen) written(w localmail.Written) error {
	text := w.Subject
	if w.Text != "" {
		first, _, _ := strings.Cut(w.Text, "\n")
		text = "“" + clip(first, demoWidth-demoIndent-demoName-4) + "”"
	}
	s.line(w.At, "←", s.app.green, w.By, text)
	ens, err := s.world.store.Enrollments(engine.Filter{Key: engine.AddressKey(w.By)})
	if err != nil {
		return err
	}
	s.due = map[string]time.Time{}
	for _, en := range ens {
		s.due[en.Address] = en.Due
	}
	return nil
}

// history tells what the engine has recorded since it was last asked.
func (s *demoScreen) history() error {
	events, err := s.world.store.Events("", s.seen, 1000)
	if err != nil {
		return err
	}
	for _, ev := range events {
		s.seen = ev.Seq
		s.event(ev)
	}
	return nil
}

func (s *demoScreen) event(ev engine.Event) {
	a := s.app
	switch ev.Kind {
	case engine.EventEnrolled, engine.EventClaimed:
		return
	case engine.EventSent:
		text := ev.Detail["subject"]
		if st := s.world.sequence.Step(ev.Step); st != nil {
			text = fmt.Sprintf("%d of %d  %s", st.Number, len(s.world.sequence.Steps), text)
		}
		s.line(ev.At, "→", plainly, ev.Address, text)
		return
	case engine.EventRefused:
		s.line(ev.At, "·", a.red, ev.Address, "server refuses: "+ev.Detail["server"])
		return
	case engine.EventReleased:
		s.line(ev.At, "·", a.yellow, ev.Address, "the absence is over, the sequence goes on")
		return
	}
	if ev.Address != s.who {
		s.line(ev.At, "·", a.yellow, ev.Address, string(ev.Kind))
	}
	style, text := s.consequence(ev)
	s.detail(style, text)
}

// consequence puts an event into words that follows from what stands above.
func (s *demoScreen) consequence(ev engine.Event) (style func(string) string, text string) {
	a := s.app
	switch ev.Kind {
	case engine.EventReply:
		return a.dim, "a reply: " + s.evidence(ev)
	case engine.EventUnsubscribe:
		return a.dim, "wants no more mail: " + s.evidence(ev)
	case engine.EventAutoReply:
		return a.dim, "a machine's answer: " + s.evidence(ev) + "; " + ev.Detail["rule"]
	case engine.EventBounce:
		return a.dim, "not delivered: " + s.evidence(ev) + "; status " + ev.Detail["status"]
	case engine.EventHeld:
		text = "held: " + ev.Detail["reason"]
		if until, err := time.Parse(time.RFC3339, ev.Detail["until"]); err == nil {
			text += ", until " + until.In(s.world.begin.Location()).Format("Mon 2 Jan")
		}
		return a.yellow, text
	case engine.EventStopped:
		return a.bold, "stopped (" + ev.Detail["reason"] + "): nothing more will be sent"
	case engine.EventSuppressed:
		return a.bold, "this address will never be written to again"
	case engine.EventFinished:
		return a.bold, "finished (" + ev.Detail["reason"] + "): that was the last mail"
	}
	return a.dim, string(ev.Kind)
}

// evidence is where a mail was found, and why it is whose it is.
func (s *demoScreen) evidence(ev engine.Event) string {
	folder, from, match := ev.Detail["folder"], ev.Detail["from"], ev.Detail["match"]
	text := "in " + folder
	switch {
	case folder == localmail.Junk:
		text += ", taken for spam"
	case folder != localmail.Inbox:
		text += ", filed there by a rule"
	}
	if ev.Kind == engine.EventReply && engine.AddressKey(from) != engine.AddressKey(ev.Address) {
		text += ", from another address, " + from
	}
	if strings.HasPrefix(match, "comes from") {
		text += ", outside the thread"
	}
	text += "; " + match
	if left := s.due[ev.Address].Sub(ev.At); left > 0 && left <= time.Hour {
		text += fmt.Sprintf("; the next mail was due %s later", strings.TrimPrefix(away(ev.At.Add(left), ev.At), "in "))
	}
	return text
}

func (s *demoScreen) name(address string) string {
	i := slices.IndexFunc(s.world.cast, func(p demoProspect) bool { return p.person.Address == address })
	if i < 0 {
		return address
	}
	return s.world.cast[i].person.Name
}

// plainly is a style that changes nothing.
func plainly(s string) string { return s }

// fit cuts or fills text to a width in characters.
func fit(text string, width int) string {
	text = clip(text, width)
	return text + strings.Repeat(" ", width-utf8.RuneCountInString(text))
}

// clip cuts text to a width in characters.
func clip(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return strings.TrimRight(string([]rune(text)[:width-1]), " ,.") + "…"
}

// wrap breaks text at spaces.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
