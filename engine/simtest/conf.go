package simtest

import (
	"math/rand/v2"
	"time"

	"nudge/engine"
	"nudge/sequences"
)

const day = 24 * time.Hour

// conf is what kind of world a seed makes.
type conf struct {
	season    time.Duration // after 1 January 2000, so that every weekday and both nights of daylight saving come up
	enrolling time.Duration // people are enrolled from the beginning until then
	faulty    time.Duration // faults end
	patience  time.Duration // after that everybody must be served
	plain     bool          // nothing but waits decides when mails are due: what is overdue can be told for sure
	people    int
	noise     int // mails that concern nobody
	poll      time.Duration
	mailbox   engine.Mailbox
	second    *engine.Mailbox // of some worlds: one half of the sequences sends from it
	tick      bool            // driven by Tick, with a clock that may be wrong

	savesSent    savesSent
	saveDelay    time.Duration // at most; the engine trusts that a copy is there after a quarter of an hour
	rewrites     bool          // the provider gives mails another Message-ID
	keepsOldID   bool          // and says which it was
	strips       bool          // its copies lack the fields it does not know
	allMail      bool
	batch        int // messages one Fetch returns at most
	movers       float64
	crashes      float64 // chance of a crash at one point of the send path
	errors       float64
	smtp         float64 // chance that something goes wrong with one mail
	imap         float64 // chance that one look fails
	stalls       float64
	outages      int // of IMAP or SMTP, minutes to weeks
	downtimes    int
	edits        int
	jumps        int
	restores     int
	sidecarKept  float64 // chance that a restore leaves the files beside the state
	validities   int
	interfering  int     // actions of the operator
	answers      bool    // whether the operator answers what is asked
	answersRight float64 // chance that the answer about a doubt is true
}

// savesSent is what a provider does with mail that it took.
type savesSent int

const (
	savesNever savesSent = iota
	savesAtOnce
	savesLate
)

// drawConf draws what kind of world it is. Some are calm, so that a fault's
// effect is not hidden behind other faults.
func drawConf(dice *rand.Rand) conf {
	chance := func(p float64) bool { return dice.Float64() < p }
	some := func(p float64, most int) int {
		if chance(p) {
			return 1 + dice.IntN(most)
		}
		return 0
	}
	rate := func(p, most float64) float64 {
		if chance(p) {
			return most * dice.Float64() * dice.Float64()
		}
		return 0
	}
	c := conf{
		season: evenly(dice, 700*day), enrolling: evenly(dice, 15*day) + time.Hour, faulty: 40*day + evenly(dice, 20*day),
		patience: 150 * day, people: 60 + dice.IntN(180), poll: time.Hour + time.Duration(dice.IntN(3))*time.Hour, noise: dice.IntN(60), tick: chance(0.4),
		savesSent: savesSent(dice.IntN(3)), saveDelay: span(dice, time.Second, 12*time.Minute), rewrites: chance(0.25), keepsOldID: chance(0.5),
		allMail: chance(0.3), batch: 1 + dice.IntN(40), movers: rate(0.7, 0.8),
		crashes: rate(0.7, 0.05), errors: rate(0.6, 0.02), smtp: rate(0.8, 0.6), imap: rate(0.6, 0.1), stalls: rate(0.5, 0.1),
		outages: some(0.6, 4), downtimes: some(0.5, 3), edits: some(0.5, 8), validities: some(0.25, 2),
		restores: some(0.3, 2), sidecarKept: dice.Float64(),
		interfering: some(0.7, 25), answers: chance(0.7), answersRight: dice.Float64(),
	}
	if c.tick {
		c.jumps = some(0.6, 4)
	}
	c.mailbox = drawMailbox(dice, c)
	if c.strips = chance(0.1) || c.rewrites && chance(0.5); c.strips {
		c.keepsOldID = false
	}
	return c
}

// drawPlain makes some worlds plain, in which the machine is off for long.
func (c *conf) drawPlain(dice *rand.Rand) {
	if c.plain = dice.IntN(4) == 0; c.plain {
		c.restores, c.jumps, c.edits, c.mailbox.PerPerson = 0, 0, 0, 0
	}
}

// drawSecond gives some worlds a second mailbox, with a pace of its own.
func (c *conf) drawSecond(dice *rand.Rand) {
	if dice.IntN(3) > 0 || c.plain {
		return
	}
	m := drawMailbox(dice, *c)
	m.Name, m.Address, m.DisplayName, m.Signature, m.Aliases = "office", "jonas@bergroofing.example", "Jonas Berg", "Jonas Berg", nil
	m.BetweenSequences, m.PerPerson, m.PerPersonDays = c.mailbox.BetweenSequences, c.mailbox.PerPerson, c.mailbox.PerPersonDays
	m.SaveSent = c.mailbox.SaveSent
	c.second = &m
}

func drawMailbox(dice *rand.Rand, c conf) engine.Mailbox {
	chance := func(p float64) bool { return dice.Float64() < p }
	m := engine.Mailbox{Name: "sales", Address: "anna@bergroofing.example", DisplayName: "Anna Berg", Signature: "Anna Berg",
		Aliases: []string{"info@bergroofing.example"}, Location: stockholm,
		InDoubt: []engine.DoubtPolicy{engine.DoubtByStep, engine.DoubtByStep, engine.DoubtHold, engine.DoubtAssume}[dice.IntN(4)]}
	if chance(0.7) {
		m.PerDay = c.people/6 + dice.IntN(60)
	}
	if chance(0.6) {
		m.GapMin = span(dice, 20*time.Second, 10*time.Minute)
		m.GapMax = m.GapMin + evenly(dice, 10*time.Minute)
	}
	if chance(0.3) {
		m.PerDomain = 1 + dice.IntN(4)
	}
	if chance(0.3) {
		m.PerPerson, m.PerPersonDays = 3+dice.IntN(2), 7
	}
	if chance(0.7) {
		m.BetweenSequences = sequences.Delay{N: 2, Unit: sequences.BusinessDays}
	}
	m.SaveSent = c.savesSent == savesNever && chance(0.7)
	return m
}

var stockholm = mustZone("Europe/Stockholm")

func mustZone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // the zone database is part of every Go installation
	}
	return loc
}
