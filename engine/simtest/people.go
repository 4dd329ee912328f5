package simtest

import (
	"fmt"
	"slices"
	"time"

	"nudge/engine"
)

// temper is how a person behaves towards our mails.
type temper int

const (
	silent temper = iota
	replier
	crosser // writes just when we do
	refuser // asks not to be written to
	complainer
	traveller // out of office for a while
	bouncer   // the address stops working
	flaky     // some mails come back as delayed
	gone      // the address does not exist
	greylisted
	unclear // writes what no rule understands
	machine
	acknowledger // a help desk, which answers each mail that it came in
	takenOver    // the owner writes to them by hand
	tempers
)

// person is a prospect.
type person struct {
	w         *World
	n         int
	addr      string
	zone      string
	tier      string // a field that conditions ask for
	temper    temper
	sequences []string
	reactAt   int // to which mail they react
	mails     []*dot
	letters   []*letter // that came from them, or concern them
	away      [2]time.Time

	resumed    []time.Time // when the operator let them go on
	updated    time.Time   // when the operator last gave their fields anew
	stoppedAt  time.Time   // by the operator; acknowledged
	suppressed time.Time   // known to be so by the state, and for ever
	said       []said      // what the operator said of them
	touchedBy  bool        // the operator, a doubt or a fault that may leave them held
}

// populate makes the people.
func (w *World) populate() {
	zones := []string{"", "", "Europe/Stockholm", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"}
	for n := range w.conf.people {
		dice := w.dice("person", n)
		domain := fmt.Sprintf("firm%d.example", dice.IntN(w.conf.people*2/3))
		p := &person{w: w, n: n, addr: fmt.Sprintf("p%d@%s", n, domain), zone: zones[dice.IntN(len(zones))], reactAt: 1 + dice.IntN(3)}
		p.tier = []string{"gold", "plain"}[n%2]
		if dice.Float64() > 0.45 {
			p.temper = 1 + temper(dice.IntN(int(tempers)-1))
		}
		for _, name := range w.plans.open() {
			if len(p.sequences) == 0 && dice.IntN(2) == 0 || dice.IntN(6) == 0 || len(w.providers) > 1 && dice.IntN(2) == 0 {
				p.sequences = append(p.sequences, name)
			}
		}
		if len(p.sequences) == 0 {
			p.sequences = w.plans.open()[:1]
		}
		w.people = append(w.people, p)
		w.byKey[engine.AddressKey(p.addr)] = p
		if p.temper == replier && dice.IntN(3) == 0 { // writes out of the blue
			w.after(evenly(dice, w.conf.faulty), func() { p.write(p.elsewhere(w.providers[0]), engine.Reply, nil, stops, "fresh mail, unasked") })
		}
	}
}

// receives is what a person does about a mail that reached them. sent is its
// header as it arrived.
func (p *person) receives(at *provider, d *dot, sent engine.Incoming) {
	p.w.mu.Lock()
	p.mails = append(p.mails, d)
	n := len(p.mails)
	dice := p.w.dice("reaction of "+p.addr, n)
	p.w.mu.Unlock()
	later := func(most time.Duration, do func()) { p.w.after(span(dice, time.Second, most), do) }
	mine := n == p.reactAt
	switch p.temper {
	case replier, crosser:
		if mine {
			later(6*day, func() { p.answer(at, &sent, engine.Reply, stops, dice.IntN(5)) })
		}
	case refuser:
		if mine {
			later(3*day, func() { p.answer(at, &sent, engine.Unsubscribe, stops, dice.IntN(3)) })
		}
	case complainer:
		if mine {
			later(2*day, func() { p.report(at, sent, engine.Complaint) })
		}
	case traveller:
		p.travel(at, sent)
	case bouncer:
		if mine {
			later(2*day, func() { p.report(at, sent, engine.BounceHard) })
		}
	case flaky:
		if dice.IntN(3) == 0 {
			later(day, func() { p.report(at, sent, engine.BounceSoft) })
		}
	case unclear:
		if mine {
			later(3*day, func() { p.answer(at, &sent, engine.Ambiguous, asks, dice.IntN(2)) })
		}
	case acknowledger:
		later(time.Hour, func() { p.acknowledge(at, d.seq, sent) })
	case takenOver:
		if mine {
			later(6*day, func() { p.byHand(at, d.seq, sent, dice.IntN(2) == 0) })
		}
	case machine:
		later(time.Hour, func() { p.answer(at, &sent, []engine.Kind{engine.Challenge, engine.Receipt}[n%2], nothing, 0) })
	}
}

// answer writes back, in one of several ways.
func (p *person) answer(at *provider, to *engine.Incoming, kind engine.Kind, does effect, way int) {
	switch way {
	case 1:
		p.write(p.elsewhere(at), kind, nil, does, "fresh mail without threading")
	case 2:
		alias := *to
		p.letter(at, "private"+fmt.Sprint(p.n)+"@elsewhere.example", kind, &alias, does, "from another address")
	default:
		p.write(at, kind, to, does, "threaded")
	}
}

// elsewhere is the mailbox that a person writes to afresh: where there are two,
// not always the one that wrote to them.
func (p *person) elsewhere(at *provider) *provider {
	w := p.w
	if len(w.providers) == 1 || w.roll("to which mailbox "+p.addr+" writes") < 0.5 {
		return at
	}
	return w.providers[len(w.providers)-1]
}

func (p *person) write(at *provider, kind engine.Kind, to *engine.Incoming, does effect, how string) {
	p.letter(at, p.addr, kind, to, does, how)
}

// letter writes to us from an address, and lets the provider's rules, the junk
// filter or the owner's hand move it about.
func (p *person) letter(at *provider, from string, kind engine.Kind, to *engine.Incoming, does effect, how string) {
	in := engine.Incoming{From: []string{from}, To: []string{at.mailbox.Address}, Subject: "Re: offer", Kind: kind, Evidence: how}
	if to != nil {
		in.InReplyTo = []string{to.MessageID}
		in.References = append(slices.Clone(to.References), to.MessageID)
	}
	l := &letter{in: in, who: p, effect: does}
	p.arrive(at, l)
}

// arrive delivers a letter, which may then wander.
func (p *person) arrive(to *provider, l *letter) {
	p.w.mu.Lock()
	dice := p.w.dice("way of a letter", len(p.w.letters))
	p.w.mu.Unlock()
	at := "INBOX"
	if dice.IntN(5) == 0 {
		at = []string{"Junk", "Clients", "Archive"}[dice.IntN(3)]
	}
	to.deliver(at, l)
	when := time.Duration(0)
	for dice.Float64() < p.w.conf.movers {
		where := []string{"Archive", "Clients", "Junk", "INBOX", "Trash"}[dice.IntN(5)]
		when += span(dice, time.Millisecond, day)
		from := at
		p.w.after(when, func() { to.move(l, from, where) })
		at = where
	}
}

// acknowledge is a help desk's answer, which says nothing.
func (p *person) acknowledge(at *provider, seq string, sent engine.Incoming) {
	in := engine.Incoming{From: []string{"support@" + engine.AddressDomain(p.addr)}, To: []string{at.mailbox.Address}, Subject: "[#17] Re: offer",
		Kind: engine.AutoReply, Ticket: true, Evidence: "acknowledgement", InReplyTo: []string{sent.MessageID}, References: append(slices.Clone(sent.References), sent.MessageID)}
	p.arrive(at, &letter{in: in, who: p, seq: seq})
}

// byHand is a mail that the owner writes to them with a mail program, of which
// Sent has a copy.
func (p *person) byHand(at *provider, seq string, sent engine.Incoming, inThread bool) {
	in := engine.Incoming{From: []string{at.mailbox.Address}, To: []string{p.addr}, Subject: "Re: offer", NewText: "I shall call you.", Evidence: "by hand"}
	if !inThread {
		seq = "" // whatever they are in
	} else {
		in.InReplyTo, in.References = []string{sent.MessageID}, append(slices.Clone(sent.References), sent.MessageID)
	}
	p.w.figures.add("written by hand")
	at.deliver("Sent", &letter{in: in, who: p, effect: asks, byHand: true, seq: seq})
}

// report is a mail server's or a provider's report about one of our mails.
func (p *person) report(at *provider, sent engine.Incoming, kind engine.Kind) {
	in := engine.Incoming{From: []string{"mailer-daemon@provider.example"}, To: []string{at.mailbox.Address}, Subject: "Undelivered mail",
		Report: true, Kind: kind, Quoted: append(slices.Clone(sent.References), sent.MessageID), Failed: []string{p.addr}, Status: "5.1.1", Evidence: "report"}
	l := &letter{in: in, who: p}
	switch kind {
	case engine.BounceHard:
		l.effect = stops
	case engine.Complaint:
		l.in.Failed, l.effect = nil, stops
	case engine.BounceSoft:
		l.in.Status = "4.4.1"
	}
	p.arrive(at, l)
}

// travel answers automatically while they are away.
func (p *person) travel(at *provider, sent engine.Incoming) {
	p.w.mu.Lock()
	if p.away[1].IsZero() {
		dice := p.w.dice("journey of "+p.addr, 0)
		p.away = [2]time.Time{time.Now(), time.Now().Add(evenly(dice, 20*day))}
	}
	away := time.Now().Before(p.away[1])
	dice := p.w.dice("absence of "+p.addr, len(p.mails))
	p.w.mu.Unlock()
	if !away {
		return
	}
	in := engine.Incoming{From: []string{p.addr}, To: []string{at.mailbox.Address}, Subject: "Out of office", Kind: engine.AutoReply,
		Evidence: "absence", InReplyTo: []string{sent.MessageID}, References: append(slices.Clone(sent.References), sent.MessageID)}
	l := &letter{in: in, who: p, effect: absent, until: time.Now().Add(4 * day)}
	if dice.IntN(2) == 0 {
		y, m, d := p.away[1].Date()
		l.in.Until = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		l.in.Evidence = "absence with a date"
		l.until = l.in.Until.Add(10 * time.Hour) // the day after it, in the easternmost zone
	}
	p.w.after(span(dice, time.Second, time.Hour), func() { p.arrive(at, l) })
}
