package main

import (
	"fmt"
	"slices"
	"time"

	"nudge/engine"
	"nudge/mailbox/localmail"
)

// closing tells how it ended, and checks it against the mail server's books.
func (s *demoScreen) closing() error {
	a := s.app
	views, err := s.world.desk.List(s.ctx, engine.Filter{})
	if err != nil {
		return err
	}
	s.pause(dayPause)
	a.printf("\n%s\n\n", a.bold("How it ended"))
	a.printf("  %s\n", a.dim(fit("Name", demoName)+"   Mails  State      Why           Last mail"))
	for _, v := range views {
		last := "never"
		if v.LastTouchAt != nil {
			last = v.LastTouchAt.In(s.world.begin.Location()).Format("Mon _2 Jan 15:04")
		}
		style := plainly
		if v.Reason == string(engine.Replied) {
			style = a.green
		}
		a.printf("  %s   %5d  %s  %s  %s\n", fit(v.Name, demoName), v.Touches, fit(string(v.State), 9), style(fit(v.Reason, 12)), last)
		s.pause(linePause)
	}
	books := readBooks(s.world.provider.Ledger(), s.world.wrote)
	a.printf("\n%d mails went out to %d people; %d of them wrote back.\n\n", books.mails, len(books.to), len(books.answered))
	a.printf("  %s%s\n", fit("mails to somebody who had already answered", 46), a.bold(fmt.Sprint(books.after)))
	a.printf("  %s%s\n", fit("mails that somebody got twice", 46), a.bold(fmt.Sprint(books.twice)))
	a.printf("  %s\n", a.dim("(counted in the mail server's own books, which nudge cannot write)"))
	if err := books.agree(views); err != nil {
		return err
	}
	a.printf("\n%s\n\n", a.bold("What to do next"))
	for _, step := range [][2]string{
		{"nudge demo --print-sequence > quote.md", "get the file"},
		{"nudge lint quote.md", "check your changes"},
		{"nudge preview quote.md --all --name Eva --set quote_no=7", "read the mails"},
		{"nudge help run", "use it for real"},
	} {
		a.printf("  %-58s%s\n", step[0], a.dim(step[1]))
	}
	return nil
}

// demoBooks is what the mail server knows.
type demoBooks struct {
	mails    int
	to       map[string]int       // mails taken, by recipient
	answered map[string]time.Time // a person's first answer
	after    int                  // mails taken for somebody after their first answer
	twice    int                  // mails of one text to one recipient beyond the first
}

func readBooks(ledger []localmail.Transaction, wrote []localmail.Written) demoBooks {
	b := demoBooks{to: map[string]int{}, answered: map[string]time.Time{}}
	for _, w := range wrote {
		if _, before := b.answered[w.By]; !before && (w.Deed == localmail.Answer || w.Deed == localmail.NewMail) {
			b.answered[w.By] = w.At
		}
	}
	texts := map[string]bool{}
	for _, t := range ledger {
		if !t.Taken {
			continue
		}
		for _, to := range t.To {
			b.mails++
			b.to[to]++
			if at, answered := b.answered[to]; answered && !t.At.Before(at) {
				b.after++
			}
			parts, err := partsOf(t.Raw)
			if err != nil || texts[to+"\n"+parts.text] {
				b.twice++
			}
			texts[to+"\n"+parts.text] = true
		}
	}
	return b
}

// agree says whether nudge kept its promises, and counts as the server does.
func (b demoBooks) agree(views []engine.View) error {
	if b.after > 0 || b.twice > 0 {
		return fmt.Errorf("nudge broke its promise: %s after an answer, %s twice", count(b.after, "mail"), count(b.twice, "mail"))
	}
	i := slices.IndexFunc(views, func(v engine.View) bool { return b.to[v.Address] != v.Touches })
	if i >= 0 {
		return fmt.Errorf("nudge counts %s to %s, the mail server %d", count(views[i].Touches, "mail"), views[i].Address, b.to[views[i].Address])
	}
	return nil
}
