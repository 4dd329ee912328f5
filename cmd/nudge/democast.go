package main

import (
	"time"

	"nudge/mailbox/localmail"
)

// The demo's town: Berg Roofing, and the people Anna Berg has sent quotes to.

const (
	demoOwner    = "anna@bergroofing.example"
	demoPassword = "a password that never leaves this process"
	demoZone     = "Europe/Stockholm"
)

// demoBegin is a Monday morning; three weeks later the demo is over.
func demoBegin(loc *time.Location) time.Time {
	return time.Date(2026, time.November, 2, 8, 30, 0, 0, loc)
}

const demoDays = 21

// demoProspect is someone with a quote, and what they will do about the mails.
type demoProspect struct {
	person  localmail.Person
	project string
	filed   string // the folder into which a rule on Anna's server files their mail; "" = none
}

const (
	day1  = 24 * time.Hour
	soon  = 20 * time.Second // a machine's answer
	weeks = 7 * day1
)

// demoCast lists the prospects in the order of their quotes, 1041 and up.
func demoCast() []demoProspect {
	return []demoProspect{
		{project: "the barn roof", person: localmail.Person{
			Name: "Maria Lindqvist", Address: "maria@lindqvist.example", Style: localmail.Gmail,
			Acts: []localmail.Act{{On: 1, After: day1 + 83*time.Minute + soon, Do: localmail.Answer,
				Text: "It did. Can you look at the chimney too?\n\nMaria"}},
		}},
		{project: "the house in Sigtuna", person: localmail.Person{
			Name: "Per Holm", Address: "per.holm@holmbygg.example", Style: localmail.Gmail,
			Acts: []localmail.Act{{On: 1, After: 2*day1 + 10*time.Hour + 5*time.Minute + soon, Do: localmail.NewMail,
				Subject: "Go ahead", Text: "Go ahead with the roof.\n\nThe key is with our neighbour.\n\nPer"}},
		}},
		{project: "the garage", filed: "Customers/Dahl", person: localmail.Person{
			Name: "Erik Dahl", Address: "erik@dahlsnickeri.example", Style: localmail.Phone,
			Acts: []localmail.Act{{On: 2, After: 2*day1 + 9*time.Hour + soon, Do: localmail.Answer,
				Text: "Yes to everything but the gutters"}},
		}},
		{project: "the summer house", person: localmail.Person{
			Name: "Karin Nyström", Address: "karin.nystrom@nystromlaw.example", Style: localmail.Outlook,
			Acts: []localmail.Act{
				{On: 1, After: soon, Do: localmail.AutoReply,
					Text: "I am out of the office until 13 November.\n\nKarin Nyström"},
				{On: 2, After: day1 - 38*time.Minute + soon, Do: localmail.Answer,
					Text: "I am back. It looks fine, please call.\n\nKarin"},
			},
		}},
		{project: "the workshop", person: localmail.Person{
			Name: "Johan Falk", Address: "johan@falkverkstad.example",
			Acts: []localmail.Act{{On: 1, After: soon, Do: localmail.BounceOff}},
		}},
		{project: "the terrace", person: localmail.Person{
			Name: "Lena Sjöberg", Address: "lena.sjoberg@sjobergs.example", Refuses: "no such user here",
		}},
		{project: "the stable", person: localmail.Person{
			Name: "Anders Wik", Address: "anders@wikgard.example",
			Acts: []localmail.Act{{On: 2, After: 3*time.Hour + 14*time.Minute + soon, Do: localmail.Answer,
				Text: "Please remove me from your list."}},
		}},
		{project: "the boathouse", person: localmail.Person{Name: "Gunilla Ström", Address: "gunilla@stromsvik.example"}},
		{project: "the parish hall", person: localmail.Person{Name: "Nils Åberg", Address: "nils.aberg@parish.example"}},
		{project: "the villa in Uppsala", person: localmail.Person{
			Name: "Eva Lund", Address: "eva@lundkeramik.example", Style: localmail.Phone,
			Acts: []localmail.Act{{On: 4, After: 5*time.Hour + 47*time.Minute + soon, Do: localmail.Answer,
				Text: "Sorry for the silence! We want the roof.\n\nIs April still free?"}},
		}},
		{project: "the warehouse", person: localmail.Person{
			Name: "Oskar Blom", Address: "oskar@blomlager.example", Style: localmail.Phone,
			Acts: []localmail.Act{{On: 2, After: weeks - 2*time.Minute + soon, Do: localmail.Answer, From: "oskar@blomhome.example",
				Text: "On the road, but yes: call me on Monday"}},
		}},
		{project: "the old school", filed: localmail.Junk, person: localmail.Person{
			Name: "Birgitta Hall", Address: "birgitta@hallskola.example", Style: localmail.Outlook,
			Acts: []localmail.Act{{On: 3, After: 3*day1 + 4*time.Hour + 9*time.Minute + soon, Do: localmail.NewMail,
				Subject: "The roof of the old school", Text: "The board has said yes.\n\nWhen can you begin?\n\nBirgitta Hall"}},
		}},
	}
}
