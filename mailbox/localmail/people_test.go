package localmail_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nudge/mailbox/localmail"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// bothTouches sends Ola two mails, four days apart, and returns what was
// written back by then and afterwards.
func bothTouches(t *testing.T, p *localmail.Provider, at *clock) []localmail.Written {
	t.Helper()
	c := smtpClient(t, p.Account(anna))
	var out []localmail.Written
	for i, id := range []string{"1@bergroofing.example", "2@bergroofing.example"} {
		now := tuesday.AddDate(0, 0, 4*i)
		out = append(out, p.Advance(now)...)
		at.set(now)
		if err := submit(c, ola, quote(id)); err != nil {
			t.Fatal(err)
		}
	}
	return append(out, p.Advance(tuesday.AddDate(1, 0, 0))...)
}

func TestWhatPeopleWrite(t *testing.T) {
	for _, tc := range []struct {
		file   string
		person localmail.Person
	}{
		{"answer-plain", localmail.Person{Acts: []localmail.Act{{On: 1, After: 3 * time.Hour, Do: localmail.Answer, Text: "Yes, it did.\n\nOla"}}}},
		{"answer-gmail", localmail.Person{Style: localmail.Gmail, Acts: []localmail.Act{{On: 2, After: 3 * time.Hour, Do: localmail.Answer, Text: "Ja, tack! När kan ni börja?\n\nOla"}}}},
		{"answer-outlook", localmail.Person{Style: localmail.Outlook, Acts: []localmail.Act{{On: 1, After: 26 * time.Hour, Do: localmail.Answer, Text: "We are still waiting for the bank.\n\nOla"}}}},
		{"answer-phone-alias", localmail.Person{Style: localmail.Phone, Acts: []localmail.Act{{On: 1, After: time.Minute, Do: localmail.Answer, From: "ola.private@gmail.com", Text: "Call me tomorrow"}}}},
		{"new-mail", localmail.Person{Style: localmail.Gmail, Acts: []localmail.Act{{On: 1, After: time.Hour, Do: localmail.NewMail, Subject: "go ahead", Text: "Go ahead with the roof.\n\nOla"}}}},
		{"auto-reply", localmail.Person{Acts: []localmail.Act{{On: 1, After: 20 * time.Second, Do: localmail.AutoReply, Until: time.Date(2026, 11, 13, 0, 0, 0, 0, time.UTC)}}}},
		{"bounce", localmail.Person{Acts: []localmail.Act{{On: 1, After: 4 * time.Second, Do: localmail.BounceOff}}}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			at := &clock{now: tuesday}
			p := open(t, localmail.Options{Now: at.Now})
			tc.person.Name, tc.person.Address = "Ola Lindqvist", ola
			p.AddPerson(tc.person)
			wrote := bothTouches(t, p, at)
			if len(wrote) != 1 {
				t.Fatalf("Ola wrote %d mails, want 1", len(wrote))
			}
			w, act := wrote[0], tc.person.Acts[0]
			if want := tuesday.AddDate(0, 0, 4*(act.On-1)).Add(act.After); !w.At.Equal(want) {
				t.Errorf("written at %v, want %v", w.At, want)
			}
			inbox := p.Messages(anna, localmail.Inbox)
			if len(inbox) != 1 || !inbox[0].Arrived.Equal(w.At) || string(inbox[0].Raw) != string(w.Raw) {
				t.Fatalf("INBOX holds %d mails, want the one that was written, with its time", len(inbox))
			}
			golden(t, tc.file+".eml", w.Raw)

			h := parse(t, w.Raw).Header
			answered := "<" + strings.Repeat("1", 2-act.On) + strings.Repeat("2", act.On-1) + "@bergroofing.example>"
			threaded := h.Get("In-Reply-To") == answered && h.Get("References") == "<anchor@bergroofing.example> "+answered
			if want := act.Do == localmail.Answer || act.Do == localmail.AutoReply; threaded != want {
				t.Errorf("threaded: %v (In-Reply-To %q, References %q), want %v", threaded, h.Get("In-Reply-To"), h.Get("References"), want)
			}
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestRefusedPersonAndSilentPerson(t *testing.T) {
	at := &clock{now: tuesday}
	p := open(t, localmail.Options{Now: at.Now})
	p.AddPerson(localmail.Person{Name: "Gone", Address: "gone@lindqvist.example", Refuses: "no such user"})
	p.AddPerson(localmail.Person{Name: "Ola Lindqvist", Address: ola})
	c := smtpClient(t, p.Account(anna))
	if err := submit(c, "gone@lindqvist.example", quote("1@x")); err == nil || !strings.Contains(err.Error(), "no such user") {
		t.Errorf("RCPT for someone who is gone: %v", err)
	}
	if wrote := bothTouches(t, p, at); len(wrote) != 0 {
		t.Errorf("someone who never answers wrote %d mails", len(wrote))
	}
	if _, ok := p.NextEvent(); ok {
		t.Error("something is planned")
	}
	if got := p.Ledger()[0]; len(got.To) != 0 || !cmp.Equal(got.Refused, []string{"gone@lindqvist.example"}) || got.Phase != localmail.PhaseRcpt {
		t.Errorf("the ledger says %+v", got)
	}
}

func TestActsHappenInOrderAndOnlyWhenTimeComes(t *testing.T) {
	at := &clock{now: tuesday}
	p := open(t, localmail.Options{Now: at.Now})
	p.AddRule(anna, localmail.Rule{From: "per@holm.example", Folder: "Clients/Roofs"})
	p.AddPerson(localmail.Person{Name: "Ola Lindqvist", Address: ola, Acts: []localmail.Act{{On: 1, After: 2 * time.Hour, Do: localmail.Answer, Text: "later"}}})
	p.AddPerson(localmail.Person{Name: "Per Holm", Address: "per@holm.example", Acts: []localmail.Act{{After: time.Hour, Do: localmail.Answer, Text: "sooner"}}})
	c := smtpClient(t, p.Account(anna))
	for _, to := range []string{ola, "per@holm.example"} {
		if err := submit(c, to, quote("1@x")); err != nil {
			t.Fatal(err)
		}
	}
	if next, ok := p.NextEvent(); !ok || !next.Equal(tuesday.Add(time.Hour)) {
		t.Errorf("next event at %v, want %v", next, tuesday.Add(time.Hour))
	}
	if wrote := p.Advance(tuesday.Add(59 * time.Minute)); len(wrote) != 0 {
		t.Errorf("%d mails came before their time", len(wrote))
	}
	var order []string
	for _, w := range p.Advance(tuesday.Add(2 * time.Hour)) {
		order = append(order, w.By+" → "+w.Folder)
	}
	if diff := cmp.Diff([]string{"per@holm.example → Clients/Roofs", ola + " → INBOX"}, order); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAWholeMonthInsideABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := localmail.New(localmail.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		p.AddMailbox(anna, "secret")
		p.AddPerson(localmail.Person{Name: "Ola Lindqvist", Address: ola, Acts: []localmail.Act{{On: 3, After: 5 * time.Hour, Do: localmail.Answer, Text: "yes"}}})
		for range 4 {
			c := smtpClient(t, p.Account(anna))
			if err := submit(c, ola, quote("1@x")); err != nil {
				t.Fatal(err)
			}
			if err := c.Quit(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(7 * 24 * time.Hour) // simulated
			p.Advance(time.Now())
		}
		inbox := p.Messages(anna, localmail.Inbox)
		start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		if len(inbox) != 1 || !inbox[0].Arrived.Equal(start.Add(14*24*time.Hour+5*time.Hour)) {
			t.Errorf("INBOX holds %d mails, want one that arrived five hours after the third touch", len(inbox))
		}
	})
}
