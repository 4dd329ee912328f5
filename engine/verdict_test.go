package engine

import (
	"testing"
	"time"
)

func TestJudgeByKind(t *testing.T) {
	en := activeEnrollment()
	other := en
	other.ID, other.Sequence = "000002", "invoice"
	known := Known{ByAddress: map[string][]Enrollment{en.Key: {en, other}}}
	friday := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name     string
		in       Incoming
		byID     bool
		effects  int // how many of the person's two enrollments it concerns
		to       State
		reason   Reason
		until    time.Time
		suppress bool
	}{
		{"a reply", Incoming{Kind: Reply}, true, 2, Stopped, Replied, time.Time{}, false},
		{"a calendar answer", Incoming{Kind: Calendar}, true, 2, Stopped, Replied, time.Time{}, false},
		{"an opt-out", Incoming{Kind: Unsubscribe}, true, 2, Stopped, Unsubscribed, time.Time{}, true},
		{"a complaint", Incoming{Kind: Complaint}, true, 2, Stopped, Complained, time.Time{}, true},
		{"a hard bounce of our mail", Incoming{Kind: BounceHard, Failed: []string{"Per@kund.example"}}, true, 2, Stopped, Bounced, time.Time{}, true},
		{"a hard bounce that only names the prospect", Incoming{Kind: BounceHard, Failed: []string{"per@kund.example"}}, false, 2, Stopped, Bounced, time.Time{}, false},
		{"a hard bounce of a forward to someone else", Incoming{Kind: BounceHard, Failed: []string{"boss@elsewhere.example"}}, true, 1, "", "", time.Time{}, false},
		{"a soft bounce", Incoming{Kind: BounceSoft}, true, 1, "", "", time.Time{}, false},
		{"an absence with a date", Incoming{Kind: AutoReply, Until: friday}, true, 2, Held, Absent, friday.AddDate(0, 0, 3), false},
		{"an absence without a date", Incoming{Kind: AutoReply}, true, 2, Held, Absent, time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), false},
		{"an absence with a date long past", Incoming{Kind: AutoReply, Until: friday.AddDate(-1, 0, 0)}, true, 2, Held, Absent, time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), false},
		{"an absence with an unbelievable date", Incoming{Kind: AutoReply, Until: friday.AddDate(1, 0, 0)}, true, 2, Held, Absent, time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), false},
		{"a newsletter", Incoming{Kind: Other}, false, 1, Held, Unsure, time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), false},
		{"a read receipt", Incoming{Kind: Receipt}, true, 1, "", "", time.Time{}, false},
		{"a challenge", Incoming{Kind: Challenge}, true, 1, "", "", time.Time{}, false},
		{"what cannot be told", Incoming{Kind: Ambiguous}, true, 2, Held, Unsure, time.Time{}, false},
		{"a kind nobody has heard of", Incoming{Kind: "new"}, true, 2, Held, Unsure, time.Time{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.From = []string{"per@kund.example"}
			match := Match{Enrollment: en, Rule: "cites our Message-ID", ByID: tt.byID}
			effects := Judge(tt.in, []Match{match}, known, func(Enrollment) Days { return Days{Location: time.UTC} }, Replies{}, monday)
			if len(effects) != tt.effects {
				t.Fatalf("%d effects, want %d", len(effects), tt.effects)
			}
			for _, f := range effects {
				if f.To != tt.to || f.Reason != tt.reason || !f.Until.Equal(tt.until) || f.Suppress != tt.suppress {
					t.Errorf("to %q (%s) until %s suppress %v", f.To, f.Reason, f.Until, f.Suppress)
				}
				if f.Event.Kind == "" || f.Event.Detail["match"] == "" {
					t.Errorf("event without kind or evidence: %+v", f.Event)
				}
			}
		})
	}
}

func TestFindMatchesFirstRuleWins(t *testing.T) {
	ann, bob := activeEnrollment(), activeEnrollment()
	bob.ID, bob.Address, bob.Key = "000002", "bob@b.example", "bob@b.example"
	known := Known{
		ByID:         map[string]string{"touch-ann": ann.ID, "touch-bob": bob.ID},
		ByEnrollment: map[string]Enrollment{ann.ID: ann, bob.ID: bob},
		ByAddress:    map[string][]Enrollment{ann.Key: {ann}, bob.Key: {bob}},
	}
	later := monday.Add(time.Hour)
	tests := []struct {
		name string
		in   Incoming
		want string
	}{
		{"In-Reply-To", Incoming{InReplyTo: []string{"touch-ann"}, From: []string{"x@y.example"}}, ann.ID},
		{"References alone", Incoming{References: []string{"unknown", "touch-bob", "theirs"}}, bob.ID},
		{"an answer in a colleague's thread", Incoming{InReplyTo: []string{"touch-ann"}, From: []string{bob.Address}}, ann.ID + bob.ID},
		{"a returned mail", Incoming{Kind: BounceHard, Quoted: []string{"touch-bob"}, Failed: []string{"bob@b.example"}}, bob.ID},
		{"a bounce that only names the recipient", Incoming{Kind: BounceHard, Failed: []string{"BOB@b.example"}, Arrived: later}, bob.ID},
		{"a fresh mail", Incoming{From: []string{"Bob@B.example"}, Subject: "something else", Arrived: later}, bob.ID},
		{"a fresh mail with an arrival that makes no sense", Incoming{From: []string{"bob@b.example"}}, bob.ID},
		{"a mail from before the enrollment", Incoming{From: []string{"bob@b.example"}, Arrived: monday.Add(-time.Hour)}, ""},
		{"the subject alone", Incoming{From: []string{"x@y.example"}, Subject: "Re: Quote 1042", Arrived: later}, ""},
		{"a bounce that the prospect's own address wrote", Incoming{Kind: BounceHard, From: []string{"bob@b.example"}, Arrived: later}, bob.ID},
		{"a bounce of somebody else's mail", Incoming{Kind: BounceHard, From: []string{"mailer-daemon@b.example"}, Failed: []string{"z@b.example"}, Arrived: later}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for _, m := range FindMatches(tt.in, known) {
				got += m.Enrollment.ID
				if m.Rule == "" {
					t.Error("a match without evidence")
				}
			}
			if got != tt.want {
				t.Errorf("matched %q, want %q", got, tt.want)
			}
		})
	}
}
