package engine

import (
	"testing"
	"time"
)

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func activeEnrollment() Enrollment {
	return Enrollment{ID: "000001", Version: 3, Sequence: "quote", Mailbox: "sales", Address: "per@kund.example", Key: "per@kund.example",
		EnrolledAt: monday, StartAt: monday, State: Active, Next: "second", Due: monday.AddDate(0, 0, 3), Look: monday.AddDate(0, 0, 3),
		Done: []Done{{Step: "first", At: monday, Outcome: Sent, MessageID: "1@x"}}}
}

func stopEffect(why Reason) Effect {
	return Effect{Enrollment: "000001", To: Stopped, Reason: why, Event: Event{Kind: EventReply}}
}

func holdEffect(why Reason, until time.Time) Effect {
	return Effect{Enrollment: "000001", To: Held, Reason: why, Until: until, Event: Event{Kind: EventAutoReply}}
}

func TestVerdictsOnlyMoveTowardsStopping(t *testing.T) {
	friday := monday.AddDate(0, 0, 4)
	nextWeek := monday.AddDate(0, 0, 7)
	tests := []struct {
		name    string
		effects []Effect
		state   State
		reason  Reason
		until   time.Time
	}{
		{"a reply stops", []Effect{stopEffect(Replied)}, Stopped, Replied, time.Time{}},
		{"a reply after a hold stops", []Effect{holdEffect(Absent, friday), stopEffect(Replied)}, Stopped, Replied, time.Time{}},
		{"a hold after a reply changes nothing", []Effect{stopEffect(Replied), holdEffect(Absent, friday)}, Stopped, Replied, time.Time{}},
		{"the first stop reason stays", []Effect{stopEffect(Replied), stopEffect(Bounced)}, Stopped, Replied, time.Time{}},
		{"an absence holds", []Effect{holdEffect(Absent, friday)}, Held, Absent, friday},
		{"a longer absence holds longer", []Effect{holdEffect(Absent, friday), holdEffect(Absent, nextWeek)}, Held, Absent, nextWeek},
		{"a shorter one does not shorten it", []Effect{holdEffect(Absent, nextWeek), holdEffect(Absent, friday)}, Held, Absent, nextWeek},
		{"a question for a person outlasts an absence", []Effect{holdEffect(Unsure, time.Time{}), holdEffect(Absent, friday)}, Held, Unsure, time.Time{}},
		{"a question replaces an absence", []Effect{holdEffect(Absent, friday), holdEffect(Unsure, time.Time{})}, Held, Unsure, time.Time{}},
		{"a note changes nothing", []Effect{{Event: Event{Kind: EventNoted}}}, Active, "", time.Time{}},
		{"two soft bounces change nothing", []Effect{{Soft: true}, {Soft: true}}, Active, "", time.Time{}},
		{"the third soft bounce stops", []Effect{{Soft: true}, {Soft: true}, {Soft: true}}, Stopped, Bounced, time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			en := activeEnrollment()
			for _, f := range tt.effects {
				var events []Event
				en, events, _ = en.Apply(f, monday)
				if len(events) == 0 {
					t.Error("nothing was recorded")
				}
			}
			if en.State != tt.state || en.Reason != tt.reason || !en.HeldUntil.Equal(tt.until) {
				t.Errorf("state %s (%s) until %s, want %s (%s) until %s", en.State, en.Reason, en.HeldUntil, tt.state, tt.reason, tt.until)
			}
			if en.Ended() && (en.Next != "" || !en.Due.IsZero() || !en.Look.IsZero()) {
				t.Errorf("ended, but %q is due %s", en.Next, en.Due)
			}
		})
	}
}

func TestSoftBouncesOlderThanTwoWeeksDoNotCount(t *testing.T) {
	en := activeEnrollment()
	for i := range 6 {
		en, _, _ = en.Apply(Effect{Soft: true}, monday.AddDate(0, 0, 10*i))
	}
	if en.State != Active {
		t.Errorf("state %s after soft bounces ten days apart", en.State)
	}
}

func TestAReplyDuringDataOutlivesTheSettlement(t *testing.T) {
	en := activeEnrollment()
	touch := Touch{Enrollment: en.ID, Step: en.Next, Email: Email{MessageID: "2@x", Thread: Thread{IDs: []string{"1@x", "2@x"}}}}
	en, _, _ = en.Apply(stopEffect(Replied), monday)
	en, _ = en.Settle(Settlement{Touch: touch, Outcome: Sent, At: monday, Next: "third", Due: monday.AddDate(0, 0, 9)})
	if en.State != Stopped || en.Next != "" || en.Touches() != 2 {
		t.Errorf("state %s, next %q, %d touches; want stopped, none, 2", en.State, en.Next, en.Touches())
	}
}

func TestSettleByOutcome(t *testing.T) {
	later := monday.AddDate(0, 0, 1)
	tests := []struct {
		name  string
		s     Settlement
		state State
		next  string
		look  time.Time
	}{
		{"sent goes on", Settlement{Outcome: Sent, Next: "third", Due: later}, Active, "third", later},
		{"sent with no step left finishes", Settlement{Outcome: Sent}, Finished, "", time.Time{}},
		{"deferred looks again later", Settlement{Outcome: Deferred, Due: later, Attempts: 1}, Active, "second", later},
		{"deferred for too long asks a person", Settlement{Outcome: Deferred, Hold: Undelivered}, Held, "second", time.Time{}},
		{"a bad recipient stops", Settlement{Outcome: Refusal, Stop: Bounced}, Stopped, "", time.Time{}},
		{"another refusal asks a person", Settlement{Outcome: Refusal, Hold: Refused}, Held, "second", time.Time{}},
		{"unknown is in doubt", Settlement{Outcome: Unknown}, Held, "second", time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			en := activeEnrollment()
			tt.s.Touch = Touch{Enrollment: en.ID, Step: en.Next}
			tt.s.At = monday
			en, events := en.Settle(tt.s)
			if en.State != tt.state || en.Next != tt.next || len(events) == 0 {
				t.Errorf("state %s, next %q, %d events", en.State, en.Next, len(events))
			}
			if tt.state == Active && !en.Look.Equal(tt.look) {
				t.Errorf("looks again %s, want %s", en.Look, tt.look)
			}
		})
	}
}

func TestEverydayMailOfTheEndedLeavesNoTrace(t *testing.T) {
	byMail := func(en Enrollment) Enrollment {
		f := stopEffect(Replied)
		f.Incoming = "answer@x"
		en, _, _ = en.Apply(f, monday)
		return en
	}
	byHand := func(en Enrollment) Enrollment { en, _ = en.StopByHand(monday); return en }
	finished := func(en Enrollment) Enrollment {
		en, _ = en.Settle(Settlement{Touch: Touch{Step: "second"}, Outcome: Sent, At: monday})
		return en
	}
	often := func(en Enrollment) Enrollment {
		en = byMail(en)
		for i := range maxStandings {
			en = en.stoppedAgain(string(rune('a'+i)), Replied)
		}
		return en
	}
	active := func(en Enrollment) Enrollment { return en }
	answer, optOut, absence := stopEffect(Replied), stopEffect(Unsubscribed), holdEffect(Absent, monday.AddDate(1, 0, 0))
	answer.Incoming, absence.Incoming, optOut.Incoming, optOut.Suppress = "later@x", "later@x", "later@x", true
	noted := Effect{Enrollment: "000001", Incoming: "later@x", Event: Event{Kind: EventNoted}}
	const soon, late = 29 * 24 * time.Hour, 31 * 24 * time.Hour
	for _, tt := range []struct {
		name  string
		en    func(Enrollment) Enrollment
		f     Effect
		after time.Duration
		want  bool
	}{
		{"an absence of somebody who is written to", active, absence, late, true},
		{"a receipt of somebody who is written to", active, noted, late, true},
		{"another answer, soon", byHand, answer, soon, true},
		{"an absence, soon", finished, absence, soon, true},
		{"another answer, which still stops should the first be taken back", byMail, answer, late, true},
		{"another answer, where nothing can be taken back any more", often, answer, late, false},
		{"an answer to somebody stopped by hand", byHand, answer, late, false},
		{"an absence of somebody who answered", byMail, absence, late, false},
		{"a first answer, after the last step", finished, answer, late, true},
		{"an absence, after the last step", finished, absence, late, false},
		{"a receipt, after the last step", finished, noted, late, false},
		{"an opt-out of somebody who answered", byMail, optOut, late, true},
		{"an opt-out of somebody stopped by hand", byHand, optOut, late, true},
		{"an opt-out where nothing can be taken back any more", often, optOut, late, true},
		{"an opt-out after the last step", finished, optOut, late, true},
	} {
		if got := tt.en(activeEnrollment()).Heeds(tt.f, monday.Add(tt.after)); got != tt.want {
			t.Errorf("%s: heeded %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestADoubtIsNotAnsweredByResume(t *testing.T) {
	en, _ := activeEnrollment().InDoubt(Touch{}, "connection lost", monday)
	if en, _ = en.Answer(monday, "hand"); en.State != Held {
		t.Error("resuming sent a touch again that may have left")
	}
	en, _ = en.Settle(Settlement{Touch: Touch{Step: "second"}, Outcome: Deferred, Resend: true, Due: monday})
	if en.State != Active || en.Resends != 1 {
		t.Errorf("a person's resend leaves it %s with %d resends", en.State, en.Resends)
	}
}

func TestReleaseKeepsTheStepsOwnDate(t *testing.T) {
	en := activeEnrollment()
	due := en.Due
	en, _, _ = en.Apply(holdEffect(Absent, monday.AddDate(0, 0, 1)), monday)
	if _, _, ok := en.Release(monday); ok {
		t.Error("released before its date")
	}
	en, _, ok := en.Release(monday.AddDate(0, 0, 1))
	if !ok || en.State != Active || !en.Due.Equal(due) {
		t.Errorf("released %v, state %s, due %s, want %s", ok, en.State, en.Due, due)
	}
}

func TestCheckClaimRefusesWhateverMoved(t *testing.T) {
	en := activeEnrollment()
	touch := Touch{Step: en.Next, Version: en.Version}
	if err := CheckClaim(en, touch); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Enrollment){
		"stopped": func(e *Enrollment) { *e = e.stop(Replied, "") },
		"held":    func(e *Enrollment) { e.State = Held },
		"paused":  func(e *Enrollment) { e.Paused = true },
		"changed": func(e *Enrollment) { e.Version++ },
		"moved":   func(e *Enrollment) { e.Next = "third" },
	} {
		moved := en
		change(&moved)
		if CheckClaim(moved, touch) == nil {
			t.Errorf("a %s enrollment was claimed", name)
		}
	}
}

func TestADoubtAndAHoldAreTwoQuestions(t *testing.T) {
	touch := Touch{Step: "second"}
	sent := Settlement{Touch: touch, Outcome: Sent, Next: "third", Due: monday}
	friday := monday.AddDate(0, 0, 4)
	doubt := func(en Enrollment) Enrollment { en, _ = en.InDoubt(touch, "lost", monday); return en }
	apply := func(f Effect) func(Enrollment) Enrollment {
		return func(en Enrollment) Enrollment { en, _, _ = en.Apply(f, monday); return en }
	}
	tests := []struct {
		name   string
		do     []func(Enrollment) Enrollment
		reason Reason
	}{
		{"unsure, then a doubt", []func(Enrollment) Enrollment{apply(holdEffect(Unsure, time.Time{})), doubt}, Unsure},
		{"a doubt, then unsure", []func(Enrollment) Enrollment{doubt, apply(holdEffect(Unsure, time.Time{}))}, Unsure},
		{"absent, then a doubt", []func(Enrollment) Enrollment{apply(holdEffect(Absent, friday)), doubt}, Absent},
		{"a doubt, then absent, then unsure", []func(Enrollment) Enrollment{doubt, apply(holdEffect(Absent, friday)), apply(holdEffect(Unsure, time.Time{}))}, Unsure},
		{"a doubt, then unsure, then absent", []func(Enrollment) Enrollment{doubt, apply(holdEffect(Unsure, time.Time{})), apply(holdEffect(Absent, friday))}, Unsure},
	}
	for _, tt := range tests {
		en := activeEnrollment()
		for _, do := range tt.do {
			en = do(en)
		}
		if en.State != Held || en.Reason != InDoubt {
			t.Errorf("%s: %s (%s), want the doubt first", tt.name, en.State, en.Reason)
		}
		if en, _ = en.Settle(sent); en.State != Held || en.Reason != tt.reason || en.Next != "third" {
			t.Errorf("%s: once the doubt is answered %s (%s), next %q", tt.name, en.State, en.Reason, en.Next)
		}
	}
	en := apply(holdEffect(Unsure, time.Time{}))(activeEnrollment())
	en, _ = en.Settle(Settlement{Touch: touch, Outcome: Sent})
	if en.State != Held {
		t.Errorf("a question was dropped because the last step is done: %s (%s)", en.State, en.Reason)
	}
	if en, _ = en.Answer(monday, "hand"); en.State != Finished {
		t.Errorf("answered after the last step, but %s", en.State)
	}
}
