package main_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nudge/engine"
	"nudge/mailbox/mailpair"
)

// The states of the protocol in which a kill must strike.
const (
	inIdle       = "idle"
	inConnecting = "connecting"
	inMail       = "after MAIL"
	inFence      = "fence under way"
	inFrozen     = "fence frozen"
	inClaimed    = "claimed, before 354"
	inMidData    = "middle of DATA"
	inDot        = "after the dot, before 250"
	inSettle     = "after 250, before settle"
	inSweep      = "sweep that applies a reply"
	inAnything   = "any moment"
)

var killStates = []string{inIdle, inConnecting, inMail, inFence, inFrozen, inClaimed, inMidData, inDot, inSettle, inSweep, inAnything}

const killSteps = 3

// killer kills one daemon after the other.
type killer struct {
	*torture
	t      *testing.T
	struck map[string]int // kills by state
	silent atomic.Value   // the address that must not answer now
	sweep  int64          // bytes of a first sweep that finds nothing
}

// kill -9 in every state of the protocol, again and again, on the same state
// file, while people answer at random moments. The SMTP server's ledger is the
// witness: nothing twice, nothing after an answer, nobody lost.
func TestTortureKills(t *testing.T) {
	besideOthers(t)
	kills := trials(len(killStates), 200)
	least := trials(0, 5) // in each state
	pair := mailpair.Start(t)
	k := &killer{torture: onDovecot(t, pair), t: t, struck: map[string]int{}}
	k.write("sequences/talk.md", talk("talk", killSteps, "1 second", 0))
	k.write("sequences/long.md", talk("long", killSteps, "1 second", 230))
	k.people("talk", 8)
	before := k.wire.heard.Load()
	d := k.launch()
	d.awaitReady()
	k.sweep = k.wire.heard.Load() - before
	d.kill()

	stop := k.answering()
	began := time.Now()
	for round := 0; round < kills || k.rarest() < least; round++ {
		if round > 2*kills+20 {
			t.Errorf("after %d kills some state was struck fewer than %d times: %v", round, least, k.struck)
			break
		}
		state := killStates[round%len(killStates)]
		if round >= kills {
			state = k.rarestState()
		}
		k.struck[k.strike(state)]++
		if t.Failed() {
			break
		}
	}
	took := time.Since(began)
	stop()
	k.configure("0s")
	d = k.launch()
	d.awaitReady()
	k.settled(2 * time.Minute)
	count := k.audit(killSteps)
	k.answerDoubts()
	k.settled(2 * time.Minute)
	if code := d.terminate(); code != 0 {
		t.Errorf("exit code %d at the end\n%s", code, d.log)
	}
	end := k.audit(killSteps)
	if end.doubtful > 0 {
		t.Errorf("after every doubt was answered: %s", end)
	}
	total := 0
	for _, state := range killStates {
		total += k.struck[state]
		t.Logf("%4d kills %s", k.struck[state], state)
	}
	t.Logf("%d kills in %s: %s", total, took.Round(time.Second), count)
	t.Logf("once a person has answered the doubts: %s", end)
}

func (k *killer) rarestState() string {
	return slices.MinFunc(killStates, func(a, b string) int { return k.struck[a] - k.struck[b] })
}

func (k *killer) rarest() int { return k.struck[k.rarestState()] }

// answering lets prospects answer at random moments until the returned function
// is called: about one in five of them, before, between and after their mails.
func (k *killer) answering() (stop func()) {
	over := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		done := 0
		for {
			timer := time.NewTimer(time.Duration(rand.IntN(int(400 * time.Millisecond))))
			select {
			case <-over:
				timer.Stop()
				return
			case <-timer.C:
			}
			k.mu.Lock()
			fresh := slices.Clone(k.enrolled[min(done, len(k.enrolled)):])
			k.mu.Unlock()
			for _, address := range fresh {
				done++
				if rand.IntN(5) == 0 && k.silent.Load() != address {
					k.reply(address, "Yes, that is fine.")
				}
			}
		}
	})
	return func() { close(over); running.Wait() }
}

// strike brings a daemon into a state, kills it there, and returns the state in
// which it was really struck.
func (k *killer) strike(state string) string {
	gap := "0s"
	if state == inFence || state == inFrozen || rand.IntN(2) == 0 {
		gap = "1ms" // one after the other
	}
	k.configure(gap)
	k.people("talk", 3)
	k.people("long", trials(0, rand.IntN(2)))
	switch state {
	case inIdle, inAnything:
		return k.strikeAtEase(state)
	case inFence:
		return k.strikeInFence()
	case inFrozen:
		return k.strikeFrozen()
	case inMidData:
		return k.strikeInData()
	case inSettle:
		return k.strikeBeforeSettle()
	case inSweep:
		return k.strikeInSweep()
	}
	stages := map[string]stage{inConnecting: atGreeting, inMail: atMail, inClaimed: atData, inDot: atDot}
	n := 1
	if state != inConnecting {
		n += rand.IntN(3)
	}
	s := k.post.stall(stages[state], n, nil)
	defer s.release()
	d := k.launch()
	if k.reached(s, d) == nil && state != inConnecting {
		return inAnything
	}
	k.moment(5)
	d.kill()
	return state
}

// moment waits for up to n milliseconds.
func (k *killer) moment(n int) {
	timer := time.NewTimer(time.Duration(rand.IntN(n*1000+1)) * time.Microsecond)
	<-timer.C
}

// reached waits until the stall holds the daemon. When it never does, there
// was nothing left to send; the daemon is killed.
func (k *killer) reached(s *stall, d *daemon) *transaction {
	k.t.Helper()
	select {
	case tx := <-s.reached:
		return tx
	case err := <-d.ended:
		d.ended <- err
		k.t.Fatalf("the daemon ended: %v\n%s", err, d.log)
	case <-time.After(60 * time.Second):
		d.kill()
	}
	return nil
}

func (k *killer) strikeAtEase(state string) string {
	d := k.launch()
	if state == inAnything {
		k.moment(600)
		d.kill()
		return state
	}
	d.awaitReady()
	quiet, seen := time.Now(), -1
	await(k.t, 60*time.Second, "nothing more to send", func() bool {
		if n := len(k.post.transactions()); n != seen {
			quiet, seen = time.Now(), n
		}
		return time.Since(quiet) > 100*time.Millisecond
	})
	d.kill()
	return state
}

// strikeInFence kills at some byte of what the mailbox answers between RCPT and
// DATA.
func (k *killer) strikeInFence() string {
	d := &daemon{}
	killed := make(chan *transaction, 1)
	var launched sync.WaitGroup
	launched.Add(1)
	n, opened := 1+rand.IntN(3), 0
	k.post.on(func(at stage, tx *transaction) {
		if at != atRcpt {
			return
		}
		if opened++; opened != n { // one mail after the other, so nobody else is here
			return
		}
		launched.Wait()
		k.wire.after(1+rand.Int64N(600), func() {
			_ = d.cmd.Process.Signal(syscall.SIGKILL)
			killed <- tx
		})
	})
	defer k.post.on(nil)
	d = k.launch()
	launched.Done()
	select {
	case tx := <-killed:
		d.wait()
		if ledger := k.post.transactions(); !ledger[tx.number-1].dataAt.IsZero() || ledger[tx.number-1].openAt.IsZero() {
			return inAnything
		}
		return inFence
	case <-time.After(60 * time.Second):
		d.kill()
		return inAnything
	}
}

// strikeFrozen kills while the mailbox has fallen silent between RCPT and DATA.
func (k *killer) strikeFrozen() string {
	s := k.post.stall(atRcpt, 1+rand.IntN(3), nil)
	d := k.launch()
	tx := k.reached(s, d)
	if tx == nil {
		s.release()
		return inAnything
	}
	k.pair.FreezeDovecot(k.t)
	defer k.pair.ThawDovecot(k.t)
	s.release()
	k.moment(200)
	d.kill()
	if ledger := k.post.transactions(); !ledger[tx.number-1].dataAt.IsZero() {
		k.t.Errorf("DATA was begun while the mailbox could not be read: %s", &ledger[tx.number-1])
	}
	return inFrozen
}

// strikeInData kills when a part of a mail was read, and the rest is not in the
// server's hands.
func (k *killer) strikeInData() string {
	to := fmt.Sprintf("p%d@customer%[1]d.test", len(k.enrolled)+1)
	k.silent.Store(to)
	k.people("long", 1)
	s := k.post.stall(inBody, 1+rand.IntN(2), func(tx *transaction) bool { return tx.to == to })
	d := k.launch()
	tx := k.reached(s, d)
	if tx == nil {
		s.release()
		return inAnything
	}
	k.moment(20)
	d.kill()
	s.release()
	await(k.t, 60*time.Second, "the connection's end", func() bool { return k.post.transactions()[tx.number-1].gone })
	if ledger := k.post.transactions(); !ledger[tx.number-1].dotAt.IsZero() {
		return inDot // all of it was on its way
	}
	return inMidData
}

// strikeBeforeSettle kills when 250 was said and nothing of it is on disk yet:
// the process is stopped at the dot, and dies without having read the answer.
func (k *killer) strikeBeforeSettle() string {
	s := k.post.stall(atDot, 1+rand.IntN(3), nil)
	d := k.launch()
	tx := k.reached(s, d)
	if tx == nil {
		s.release()
		return inAnything
	}
	if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		k.t.Error(err)
	}
	s.release()
	await(k.t, 60*time.Second, "250", func() bool { return !k.post.transactions()[tx.number-1].answerAt.IsZero() })
	d.kill()
	return inSettle
}

// strikeInSweep kills at some byte of the first look at a mailbox in which
// answers wait.
func (k *killer) strikeInSweep() string {
	for _, address := range k.people("talk", 4) {
		k.reply(address, "Yes, that is fine.")
	}
	d := &daemon{}
	killed := make(chan struct{})
	var launched sync.WaitGroup
	launched.Add(1)
	k.wire.after(k.sweep/2+rand.Int64N(k.sweep/2+3000), func() {
		launched.Wait()
		_ = d.cmd.Process.Signal(syscall.SIGKILL)
		close(killed)
	})
	d = k.launch()
	launched.Done()
	select {
	case <-killed:
		d.wait()
	case <-d.ready: // it was shorter than that
		d.kill()
	case <-time.After(60 * time.Second):
		d.kill()
	}
	select {
	case <-d.ready:
		return inAnything
	default:
		return inSweep
	}
}

// A step's mark must survive the way through templates and MIME, or the ledger
// could not tell steps apart.
func TestTortureMarksAreFound(t *testing.T) {
	besideOthers(t)
	r := inMemory(t)
	r.write("sequences/talk.md", talk("talk", 1, "1 second", 3))
	address := r.people("talk", 1)[0]
	d := r.launch()
	await(t, 60*time.Second, "a mail", func() bool { return r.post.dots() == 1 })
	d.terminate()
	tx := r.post.transactions()[0]
	if tx.step() != "talk-1" || tx.to != address || tx.messageID() == "" || !strings.Contains(string(tx.raw), "All work and no play") {
		t.Errorf("the ledger has %s\n%s", &tx, tx.raw)
	}
	if v := r.list()[0]; fmt.Sprint(v.State, v.Touches) != fmt.Sprint(engine.Finished, 1) {
		t.Errorf("%s after %d touches", v.State, v.Touches)
	}
}
