package engine

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// kund is two prospects of one company and one of a free-mail provider, as the
// memory knows them.
func kund() (per, eva, gus Enrollment, known Known) {
	per = activeEnrollment()
	per.Company, per.Fields = "kund.example", map[string]string{"quote_no": "Q-1042", "amount": "5000", "first_name": "Per"}
	per.Thread.Subject = "Quote Q-1042"
	per.Done = []Done{{Step: "first", At: monday, Outcome: Sent}}
	eva, gus = per, per
	eva.ID, eva.Address, eva.Key, eva.Fields, eva.Thread.Subject = "000002", "eva@kund.example", "eva@kund.example", nil, "Invoice"
	gus.ID, gus.Address, gus.Key, gus.Company = "000003", "gus@gmail.com", "gus@gmail.com", ""
	known = Known{
		ByID:         map[string]string{"touch-per": per.ID},
		ByEnrollment: map[string]Enrollment{per.ID: per},
		ByAddress:    map[string][]Enrollment{per.Key: {per}, eva.Key: {eva}, gus.Key: {gus}},
		Aliases:      map[string][]string{"assistant@elsewhere.example": {per.Key}},
		Kin: Kin{Company: map[string]string{"boss@kund.example": "kund.example", "boss@sub.kund.example": "kund.example"},
			Enrollments: []Enrollment{per, eva}},
	}
	return per, eva, gus, known
}

func TestEveryRungOfTheLadder(t *testing.T) {
	per, eva, gus, known := kund()
	later := monday.Add(time.Hour)
	boss := []string{"boss@kund.example"}
	tests := []struct {
		name string
		in   Incoming
		want string
		rung int
	}{
		{"1 an id in In-Reply-To", Incoming{InReplyTo: []string{"touch-per"}, From: boss}, per.ID, 1},
		{"1 an id in References", Incoming{References: []string{"x", "touch-per", "y"}, From: boss}, per.ID, 1},
		{"2 an id in a returned mail", Incoming{Quoted: []string{"touch-per"}, From: boss}, per.ID, 2},
		{"4 the address", Incoming{From: []string{"PER+quotes@Kund.example"}}, per.ID, 4},
		{"4 a learned alias", Incoming{From: []string{"assistant@elsewhere.example"}}, per.ID, 4},
		{"4 a free-mail address", Incoming{From: []string{"g.u.s@googlemail.com"}}, gus.ID, 4},
		{"5 our subject", Incoming{From: boss, Subject: "SV: [External] Re: quote  q-1042"}, per.ID, 5},
		{"5 our subject, in another language", Incoming{From: boss, Subject: "Antw: Fwd: Invoice"}, eva.ID, 5},
		{"5 from a subdomain", Incoming{From: []string{"boss@sub.kund.example"}, Subject: "Re: Quote Q-1042"}, per.ID, 5},
		{"5 the prospect among the recipients", Incoming{From: boss, To: []string{"anna@firma.example", "Eva@kund.example"}, Subject: "Roof"}, eva.ID, 5},
		{"5 the quote number in the subject", Incoming{From: boss, Subject: "About q-1042, please"}, per.ID, 5},
		{"5 the quote number in the new text", Incoming{From: boss, Subject: "Roof", NewText: "Is Q-1042 with tax?"}, per.ID, 5},
		{"6 a longer number is another number", Incoming{From: boss, Subject: "Q-10422"}, per.ID + eva.ID, 6},
		{"6 an amount is no quote number", Incoming{From: boss, NewText: "5000 pieces"}, per.ID + eva.ID, 6},
		{"6 the company alone", Incoming{From: boss, Subject: "Hello"}, per.ID + eva.ID, 6},
		{"none for mail from before they were enrolled", Incoming{From: boss, Arrived: monday.Add(-time.Hour)}, "", 0},
		{"none for neighbours at a free-mail provider", Incoming{From: []string{"neighbour@gmail.com"}, Subject: "Quote Q-1042"}, "", 0},
		{"none for a stranger with our subject", Incoming{From: []string{"x@y.example"}, Subject: "Re: Quote Q-1042"}, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.in.Arrived.IsZero() {
				tt.in.Arrived = later
			}
			got := ""
			for _, m := range FindMatches(tt.in, known) {
				got += m.Enrollment.ID
				if m.Rung != tt.rung || m.Rule == "" {
					t.Errorf("rung %d by %q, want rung %d", m.Rung, m.Rule, tt.rung)
				}
			}
			if got != tt.want {
				t.Errorf("matched %q, want %q", got, tt.want)
			}
			if headers := (Incoming{From: tt.in.From, InReplyTo: tt.in.InReplyTo, References: tt.in.References, Report: tt.in.Quoted != nil}); wanted(headers, known) == false && tt.want != "" {
				t.Error("its text would not be asked for")
			}
		})
	}
}

// Whom a mail reaches, by what it is and how it was matched.
func TestEveryRowOfTheTable(t *testing.T) {
	per, eva, _, known := kund()
	other := per // another sequence of the same person
	other.ID, other.Sequence = "000004", "invoice"
	partner := per // of the same deal, elsewhere
	partner.ID, partner.Address, partner.Key, partner.Company = "000005", "ulf@partner.example", "ulf@partner.example", "partner.example"
	partner.Fields = map[string]string{"deal": "D7"}
	per.Fields = map[string]string{"deal": "D7"}
	known.ByAddress[per.Key] = []Enrollment{per, other}
	known.Kin.Enrollments = []Enrollment{per, other, eva, partner}
	names := map[string]string{per.ID: "this", other.ID: "other", eva.ID: "company", partner.ID: "deal"}

	at := func(day, hour int) string { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC).Format("2 Jan") }
	five, two := at(30, 0), at(25, 0)
	tests := []struct {
		name   string
		in     Incoming
		rung   int
		policy Replies
		want   string // what becomes of whom
	}{
		{"a reply", Incoming{Kind: Reply}, 1, Replies{},
			"this stopped replied, other stopped replied, deal stopped replied, company held colleague answered until " + five},
		{"a reply, with the company left alone", Incoming{Kind: Reply}, 4, Replies{IgnoreCompany: true},
			"this stopped replied, other stopped replied, deal stopped replied"},
		{"a reply of a colleague's, with our subject", Incoming{Kind: Reply}, 5, Replies{},
			"this stopped replied, other held colleague answered until " + five + ", company held colleague answered until " + five + ", deal held colleague answered until " + five},
		{"mail of a colleague's", Incoming{Kind: Reply}, 6, Replies{}, "this held unsure until " + two},
		{"an unclear mail of a colleague's, with our subject", Incoming{Kind: Ambiguous}, 5, Replies{}, "this held unsure, other held unsure"},
		{"an unclear mail of a colleague's", Incoming{Kind: Ambiguous}, 6, Replies{}, "this held unsure until " + two},
		{"a company's newsletter", Incoming{Kind: Other}, 6, Replies{}, ""},
		{"a company's newsletter to the prospect", Incoming{Kind: Other}, 5, Replies{}, ""},
		{"a colleague's absence", Incoming{Kind: AutoReply}, 5, Replies{}, ""},
		{"a colleague's read receipt", Incoming{Kind: Receipt}, 6, Replies{}, ""},
		{"an opt-out", Incoming{Kind: Unsubscribe, OptOut: true}, 4, Replies{}, "this stopped unsubscribed suppressed, other stopped unsubscribed suppressed"},
		{"a reply that asks to be left alone", Incoming{Kind: Reply, OptOut: true}, 1, Replies{},
			"this stopped replied suppressed: asked to be left alone, other stopped replied suppressed: asked to be left alone, deal stopped replied, company held colleague answered until " + five},
		{"somebody else's reply that asks so", Incoming{Kind: Reply, OptOut: true, From: []string{"x@y.example"}}, 1, Replies{},
			"this stopped replied, other stopped replied, deal stopped replied, company held colleague answered until " + five},
		{"an absence with a date", Incoming{Kind: AutoReply, Until: time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)}, 1, Replies{},
			"this held out of office until " + at(30, 0) + ", other held out of office until " + at(30, 0)},
		{"an absence without one", Incoming{Kind: AutoReply}, 1, Replies{}, "this held out of office until " + five + ", other held out of office until " + five},
		{"an absence nobody wants to wait for", Incoming{Kind: AutoReply}, 1, Replies{IgnoreAbsence: true}, "this noted"},
		{"they have left", Incoming{Kind: AutoReply, Left: true, Successor: "new@kund.example"}, 1, Replies{},
			"this stopped gone suppressed, other stopped gone suppressed"},
		{"somebody else who reads there has left", Incoming{Kind: AutoReply, Left: true, From: []string{"x@y.example"}}, 1, Replies{}, "this held unsure until " + two},
		{"a ticket acknowledgement", Incoming{Kind: AutoReply, Ticket: true}, 1, Replies{}, "this held unsure until " + two + " the second time"},
		{"other machine mail", Incoming{Kind: Other}, 4, Replies{}, "this held unsure until " + two},
		{"a hard bounce", Incoming{Kind: BounceHard}, 1, Replies{}, "this stopped bounced suppressed, other stopped bounced suppressed"},
		{"a soft bounce", Incoming{Kind: BounceSoft}, 1, Replies{}, "this noted soft"},
		{"a complaint", Incoming{Kind: Complaint}, 1, Replies{}, "this stopped complained suppressed, other stopped complained suppressed"},
		{"a read receipt", Incoming{Kind: Receipt}, 1, Replies{}, "this noted"},
		{"a challenge", Incoming{Kind: Challenge}, 4, Replies{}, "this noted"},
		{"an accepted invitation", Incoming{Kind: Calendar, Answer: "accepted"}, 4, Replies{}, "this stopped replied, other stopped replied"},
		{"a declined invitation", Incoming{Kind: Calendar, Answer: "declined"}, 4, Replies{}, "this stopped replied, other stopped replied"},
		{"a perhaps to an invitation", Incoming{Kind: Calendar, Answer: "tentative"}, 4, Replies{}, "this stopped replied, other stopped replied"},
		{"what cannot be told", Incoming{Kind: Ambiguous}, 4, Replies{}, "this held unsure, other held unsure"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.in.From == nil {
				tt.in.From = []string{per.Address}
			}
			tt.in.Arrived = monday.Add(time.Hour)
			match := Match{Enrollment: per, Rule: "because", Rung: tt.rung, ByID: tt.rung <= 2}
			var got []string
			for _, f := range Judge(tt.in, []Match{match}, known, func(Enrollment) Days { return Days{Location: time.UTC} }, tt.policy, monday) {
				got = append(got, names[f.Enrollment]+" "+did(f))
				if f.Event.Detail["match"] == "" || f.Event.Kind == "" || f.Event.Address == "" {
					t.Errorf("an effect without evidence: %+v", f.Event)
				}
			}
			want := strings.Split(tt.want, ", ")
			slices.Sort(got)
			slices.Sort(want)
			if s := strings.Join(got, ", "); s != strings.Join(want, ", ") {
				t.Errorf("got  %s\nwant %s", s, tt.want)
			}
		})
	}
}

// did is what an effect does, in words.
func did(f Effect) string {
	s := "noted"
	if f.To != "" {
		s = string(f.To) + " " + string(f.Reason)
	}
	if !f.Until.IsZero() {
		s += " until " + f.Until.Format("2 Jan")
	}
	if f.Ticket {
		s += " the second time"
	}
	if f.Soft {
		s += " soft"
	}
	if f.Suppress {
		s += " suppressed"
		if f.Why != "" {
			s += ": " + f.Why
		}
	}
	return s
}

func TestBaseSubject(t *testing.T) {
	for subject, want := range map[string]string{
		"Re: Quote": "quote", "RE: AW: Re[2]: quote": "quote", "[EXTERNAL] SV: Quote": "quote", "回复：报价": "报价", "Réf: x": "réf: x",
		"Ответ: Re: смета": "смета", "  Quote   1042 ": "quote 1042", "Regarding: Quote": "regarding: quote", "Re:": "", "": "",
	} {
		if got := baseSubject(subject); got != want {
			t.Errorf("%q is %q, want %q", subject, got, want)
		}
	}
}

func TestTheFreeMailListIsWellFormed(t *testing.T) {
	if domains := strings.Fields(freeMailList); !slices.IsSorted(domains) || len(slices.Compact(domains)) != len(freeMailDomains) {
		t.Error("it is not sorted, or has one twice")
	}
	for domain := range freeMailDomains {
		if domain != strings.ToLower(domain) || !strings.Contains(domain, ".") || strings.ContainsAny(domain, " @") {
			t.Errorf("%q is no domain", domain)
		}
	}
	for _, domain := range []string{"gmail.com", "hotmail.no", "yahoo.com.au", "wp.pl", "mail.ru", "web.de", "orange.fr", "libero.it", "ziggo.nl", "naver.com", "uol.com.br"} {
		if !FreeMail(domain) {
			t.Errorf("%s is not known for free mail", domain)
		}
	}
}
