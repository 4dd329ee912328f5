package main

import (
	"fmt"
	"time"
)

func (a *app) tellReplay(answer replayAnswer) {
	for _, m := range answer.Mails {
		at := "no date"
		if m.At != nil {
			at = when(*m.At, time.Local)
		}
		a.printf("%s  %s  %s\n", at, visible(m.Address), a.outcomeWords(m))
		a.printf("    %s, %s: %s\n", m.Kind, visible(m.Match), visible(m.Rule))
		a.printf("    %s\n", a.dim(visible(fmt.Sprintf("%q from %s (%s)", m.Subject, m.From, m.Place))))
	}
	for _, u := range answer.Unreadable {
		a.printf("%s\n", a.red(visible(u.Place+": could not be read: "+u.Error)))
	}
	if len(answer.Mails)+len(answer.Unreadable) > 0 {
		a.printf("\n")
	}
	a.printf("%s read, %d of them yours; %d concern one of %s\n", count(answer.Read, "mail"), answer.Own, concerning(answer.Mails), peopleWords(answer.People))
	a.printf("%d would be stopped in the end, %d held, %d would go on\n", answer.Stopped, answer.Held, answer.People-answer.Stopped-answer.Held)
}

// concerning counts mails, of which one may concern several sequences.
func concerning(mails []replayed) int {
	places := map[string]bool{}
	for _, m := range mails {
		places[m.Place] = true
	}
	return len(places)
}

func peopleWords(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

// outcomeWords is what a mail would have done.
func (a *app) outcomeWords(m replayed) string {
	switch {
	case m.Outcome == outcomeStop:
		return a.green("would stop: " + m.Reason)
	case m.Outcome == outcomeHold && m.Until != nil:
		return a.yellow("would hold until " + when(*m.Until, time.Local) + ": " + m.Reason)
	case m.Outcome == outcomeHold:
		return a.yellow("would hold and ask you: " + m.Reason)
	case m.Reason != "":
		return "nothing: " + visible(m.Reason)
	}
	return "nothing"
}

// progress tells on a terminal how far something got, on a line that is
// written over.
type progress struct {
	app  *app
	told bool
}

// progressEvery is how many pass between two words of progress.
const progressEvery = 50

// show tells that n of a number passed; of is 0 where nobody knows how many
// there are.
func (p *progress) show(n, of int) {
	if !isTerminal(p.app.err) || n%progressEvery != 0 && n != of {
		return
	}
	p.told = true
	if of > 0 {
		fmt.Fprintf(p.app.err, "\r%d of %s", n, count(of, "mail"))
		return
	}
	fmt.Fprintf(p.app.err, "\r%s", count(n, "mail"))
}

// done wipes the line.
func (p *progress) done() {
	if p.told {
		fmt.Fprint(p.app.err, "\r\x1b[K")
	}
}
