package engine_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
)

// silentKeeper is a mailbox that never answers when it is given a copy.
type silentKeeper struct{ *post }

func (silentKeeper) KeepSent(ctx context.Context, _ []byte) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// Whoever ends processes grants a minute and a half. Two mails are on their way
// then: one is answered for sooner or later, and the server is silent about its
// copy; about the other one it is silent altogether.
func TestAnEndingProcessWaitsForAnswersAndNotForEver(t *testing.T) {
	const ann, bob = "ann@kund.example", "bob@other.example"
	for name, tt := range map[string]struct {
		ann, bob   time.Duration // until the answer, from DATA on
		least      time.Duration // until the end, from when it was asked for
		most       time.Duration
		unanswered int
	}{
		"both are answered for":                  {ann: 10 * time.Second, bob: 30 * time.Second, least: 29 * time.Second, most: 50 * time.Second},
		"one is not":                             {ann: 10 * time.Second, bob: time.Hour, least: 80 * time.Second, most: 90 * time.Second, unanswered: 1},
		"one is not, the other at the last":      {ann: 79 * time.Second, bob: time.Hour, least: 80 * time.Second, most: 90 * time.Second, unanswered: 1},
		"one is not, a copy is being kept":       {ann: 50 * time.Millisecond, bob: time.Hour, least: 80 * time.Second, most: 90 * time.Second, unanswered: 1},
		"neither is, as far as anybody can tell": {ann: time.Hour, bob: time.Hour, least: 80 * time.Second, most: 90 * time.Second, unanswered: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				o.now = time.Now()
				diary := &strings.Builder{}
				o.engine.Log = slog.New(slog.NewTextHandler(diary, nil))
				o.engine.Inbox, o.engine.Mailbox.SaveSent = silentKeeper{o.post}, true
				o.onData = func(e engine.Email) error {
					time.Sleep(map[string]time.Duration{ann: tt.ann, bob: tt.bob}[e.To])
					return nil
				}
				o.enroll(ann)
				o.enroll(bob)
				ctx, end := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- o.engine.Run(ctx) }()
				time.Sleep(time.Second)
				synctest.Wait()
				o.mu.Lock()
				if o.data != 2 {
					t.Errorf("%d mails are on their way, want both", o.data)
				}
				o.mu.Unlock()
				asked := time.Now()
				end()
				if tt.ann < 80*time.Second {
					time.Sleep(tt.ann)
					synctest.Wait()
					if v := o.view(ann); v.Next == nil || v.Next.Step != "Second" {
						t.Errorf("an answer that came after %v is not kept at once: next is %+v", tt.ann, v.Next)
					}
				}
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if took := time.Since(asked); took < tt.least || took > tt.most {
					t.Errorf("it took %v to end, want %v to %v", took, tt.least, tt.most)
				}
				if said := strings.Count(diary.String(), "level=WARN msg=\"mails unanswered, looked for at the next start\" mailbox=sales mails="); said != min(tt.unanswered, 1) {
					t.Errorf("told %d times that mails are unanswered\n%s", said, diary)
				}

				o.onData = nil
				o.restart()
				o.engine.Mailbox.SaveSent = false
				o.now = time.Now()
				o.mustTick()
				doubts, err := o.desk.Doubts(t.Context())
				if err != nil || len(doubts) != tt.unanswered {
					t.Errorf("%d in doubt, %v; want %d", len(doubts), err, tt.unanswered)
				}
				if tt.unanswered > 0 {
					o.wants(bob, engine.Held, engine.InDoubt, 0)
				}
				for _, d := range doubts {
					o.deliver("Sent", engine.Incoming{Role: engine.SentMail, MessageID: d.MessageID, From: []string{"anna@bergroofing.example"}})
				}
				o.now = o.now.Add(time.Minute)
				o.mustTick()
				for _, address := range []string{ann, bob} {
					if v := o.view(address); v.State != engine.Active || v.Next == nil || v.Next.Step != "Second" {
						t.Errorf("%s is %s (%s), and next is %+v", address, v.State, v.Reason, v.Next)
					}
				}
				if o.data != 2 {
					t.Errorf("DATA was begun %d times for two mails", o.data)
				}
				time.Sleep(2 * time.Hour) // the servers answer after all, to nobody
			})
		})
	}
}
