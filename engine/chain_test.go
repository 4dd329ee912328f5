package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"nudge/engine"
)

// chained sets up three sequences that lead into each other.
func chained(t *testing.T) *office {
	o := newOffice(t)
	o.plan("quote", "send: always; on-finish: enroll nurture after 5 days; on-won: enroll after-sale after 2 days; on-lost: enroll nurture",
		step("First", "wait: 0; subject: Quote", "Hello?"), step("Last", "wait: 2 days", "Close?"))
	o.plan("nurture", "send: always; on-finish: enroll quote", step("News", "wait: 0; subject: News", "Look?"))
	o.plan("after-sale", "send: always; needs: site", step("Thanks", "wait: 0; subject: Thanks", "All well at {{ site }}?"))
	return o
}

// of lists an address's enrollments, oldest first, as "sequence state reason".
func (o *office) of(addr string) string {
	o.t.Helper()
	story, err := o.desk.Show(o.t.Context(), addr)
	if err != nil {
		o.t.Fatal(err)
	}
	var all []string
	for _, v := range story.Enrollments {
		all = append(all, strings.TrimSpace(v.Sequence+" "+string(v.State)+" "+v.Reason))
	}
	return strings.Join(all, ", ")
}

func (o *office) isIn(addr, want string) {
	o.t.Helper()
	if got := o.of(addr); got != want {
		o.t.Errorf("%s is in %q, want %q\n%s", addr, got, want, o.story(addr))
	}
}

func TestASequenceFollowsTheOneThatFinished(t *testing.T) {
	o := chained(t)
	o.enter("quote", "per@kund.example", nil)
	o.run(3 * day)
	o.isIn("per@kund.example", "quote finished no answer, nurture active")
	o.restart()
	o.run(20 * day)
	o.isIn("per@kund.example", "quote finished no answer, nurture finished no answer")
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
	// nurture would lead back into quote: chains end there, and say so.
	if got := strings.Join(o.events("per@kund.example"), "\n"); !strings.Contains(got, "chain_refused chain=quote why=it was in that sequence before") {
		t.Error(got)
	}
	o.run(100 * day)
	o.wants("per@kund.example", engine.Finished, engine.NoAnswer, 3)
}

func TestWhatIsWonOrLostIsFollowedUpToo(t *testing.T) {
	o := chained(t)
	o.enter("quote", "won@kund.example", map[string]string{"site": "Main St"})
	o.enter("quote", "lost@other.example", nil)
	o.enter("quote", "bare@third.example", nil)
	o.mustTick()
	o.say(engine.SayWon, "won@kund.example")
	o.say(engine.SayWon, "won@kund.example", func(r *engine.ActRequest) { r.Sequence = "quote" }) // said twice, begun once
	o.say(engine.SayLost, "lost@other.example")
	o.say(engine.SayWon, "bare@third.example")
	o.isIn("won@kund.example", "quote stopped won, after-sale active")
	o.isIn("lost@other.example", "quote stopped lost, nurture active")
	o.isIn("bare@third.example", "quote stopped won")
	if got := strings.Join(o.events("bare@third.example"), "\n"); !strings.Contains(got, "chain_refused chain=after-sale why=sequence after-sale needs site") {
		t.Error(got)
	}
	o.run(day)
	o.wants("won@kund.example", engine.Stopped, engine.Won, 1)
	o.say(engine.SayWon, "lost@other.example", func(r *engine.ActRequest) { r.Sequence = "quote" }) // they came back after all
	o.isIn("lost@other.example", "quote stopped won, nurture finished no answer")
	o.run(10 * day)
	o.isIn("won@kund.example", "quote stopped won, after-sale finished no answer")
}

func TestAChainRespectsWhoIsSuppressedOrEnrolled(t *testing.T) {
	o := chained(t)
	o.enter("quote", "per@kund.example", nil)
	o.enter("quote", "gone@other.example", nil)
	o.mustTick()
	o.plan("nurture", "send: always", step("News", "wait: 90 days; subject: News", "Look?"))
	o.enter("nurture", "per@kund.example", nil)
	if _, err := o.desk.Suppress(t.Context(), engine.SuppressRequest{Target: "gone@other.example"}); err != nil {
		t.Fatal(err)
	}
	o.say(engine.SayLost, "gone@other.example")
	o.run(5 * day)
	o.isIn("per@kund.example", "quote finished no answer, nurture active")
	o.isIn("gone@other.example", "quote stopped lost")
	for addr, why := range map[string]string{"per@kund.example": "already enrolled", "gone@other.example": "the address is suppressed"} {
		if got := strings.Join(o.events(addr), "\n"); !strings.Contains(got, "chain_refused chain=nurture why="+why) {
			t.Errorf("%s:\n%s", addr, got)
		}
	}
}

// An answer to what has ended is an answer to what follows it, however late it
// is read and from whatever address it came.
func TestAnAnswerStopsWhatAChainBegan(t *testing.T) {
	for name, in := range map[string]engine.Incoming{
		"in the thread, from another address": {MessageID: "r", From: []string{"private@elsewhere.example"}, InReplyTo: []string{"LAST"}},
		"a fresh mail":                        {MessageID: "r", From: []string{"per@kund.example"}},
		"read long after it arrived":          {MessageID: "r", From: []string{"per@kund.example"}, Arrived: start.Add(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			o := chained(t)
			o.enter("quote", "per@kund.example", nil)
			o.run(3 * day)
			o.isIn("per@kund.example", "quote finished no answer, nurture active")
			if len(in.InReplyTo) > 0 {
				in.InReplyTo = []string{o.lastID("per@kund.example")}
			}
			if in.Arrived.IsZero() {
				in.Arrived = o.now
			}
			o.deliver("INBOX", in)
			o.run(30 * day)
			o.isIn("per@kund.example", "quote stopped replied, nurture stopped replied")
			if got := o.sentTo("per@kund.example"); got != 2 {
				t.Errorf("%d mails, want 2", got)
			}
		})
	}
}

// While the last mail is on its way the answer may come: then nothing follows.
func TestNothingFollowsAnAnswerThatCameWithTheLastMail(t *testing.T) {
	o := chained(t)
	o.enter("quote", "per@kund.example", nil)
	o.run(day)
	o.onData = func(engine.Email) error {
		o.deliver("INBOX", engine.Incoming{MessageID: "r", From: []string{"per@kund.example"}, Arrived: o.now})
		return nil
	}
	o.run(30 * day)
	o.isIn("per@kund.example", "quote stopped replied, nurture stopped replied")
	if got := o.sentTo("per@kund.example"); got != 2 {
		t.Errorf("%d mails, want 2", got)
	}
}

// The last mail's answer was lost, and somebody cites it: it has left, and the
// chain begins, unless what they say is an answer.
func TestAChainBeginsWhenTheLastMailIsFoundToHaveLeft(t *testing.T) {
	for kind, want := range map[engine.Kind]string{
		engine.Receipt: "quote finished no answer, nurture active",
		engine.Reply:   "quote stopped replied",
	} {
		t.Run(string(kind), func(t *testing.T) {
			o := chained(t)
			o.enter("quote", "per@kund.example", nil)
			o.run(day)
			lost := ""
			o.onData = func(mail engine.Email) error {
				if lost == "" {
					lost = mail.MessageID
					return &engine.SendError{Phase: engine.PhaseDot, Outcome: engine.Unknown, Err: errors.New("connection lost")}
				}
				return nil
			}
			for range 24 * 60 {
				if o.run(time.Minute); lost != "" {
					break
				}
			}
			o.deliver("INBOX", engine.Incoming{MessageID: "c", From: []string{"per@kund.example"}, Kind: kind, InReplyTo: []string{lost}, Arrived: o.now})
			o.run(time.Hour)
			o.isIn("per@kund.example", want)
		})
	}
}
