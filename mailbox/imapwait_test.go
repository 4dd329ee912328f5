package mailbox

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
)

// waitOnce runs Wait and returns how long it took, in the bubble's time.
func waitOnce(ctx context.Context, m *IMAP) (time.Duration, error) {
	began := time.Now()
	err := m.Wait(ctx)
	return time.Since(began), err
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		if took, err := waitOnce(t.Context(), m); err != nil || took != 0 {
			t.Fatalf("the first call took %v and returned %v; want nil at once, since nobody listened before", took, err)
		}
		step(t, "returns when something arrives", func(t *testing.T) {
			go func() { time.Sleep(3 * time.Second); h.tell("* 1 EXISTS") }()
			if took, err := waitOnce(t.Context(), m); err != nil || took != 3*time.Second {
				t.Errorf("took %v, %v", took, err)
			}
		})
		step(t, "returns at once for what arrived between two calls", func(t *testing.T) {
			h.tell("* 2 EXISTS")
			h.tell("* 3 EXISTS")
			synctest.Wait()
			if took, err := waitOnce(t.Context(), m); err != nil || took != 0 {
				t.Errorf("took %v, %v", took, err)
			}
		})
		step(t, "sleeps on when only flags change, whatever they look like", func(t *testing.T) {
			go func() { time.Sleep(time.Second); h.tell("* 1 FETCH (FLAGS (\\Seen ]))") }()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if took, err := waitOnce(ctx, m); !errors.Is(err, context.DeadlineExceeded) || took != time.Minute {
				t.Errorf("took %v, %v", took, err)
			}
		})
		step(t, "renews IDLE every five minutes", func(t *testing.T) {
			before := len(h.heard("DONE"))
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour+time.Second)
			defer cancel()
			_, _ = waitOnce(ctx, m)
			if got := len(h.heard("DONE")) - before; got != 12 {
				t.Errorf("renewed %d times in an hour, want 12", got)
			}
			if h.dials != 1 {
				t.Errorf("%d connections, want 1", h.dials)
			}
		})
		step(t, "returns an error at once when the connection is closed, then listens again", func(t *testing.T) {
			go func() { time.Sleep(time.Second); h.hangUp() }()
			if took, err := waitOnce(t.Context(), m); !isLost(err) || took != time.Second {
				t.Errorf("took %v, %v", took, err)
			}
			if took, err := waitOnce(t.Context(), m); err != nil || took != 0 {
				t.Errorf("the call after it took %v, %v", took, err)
			}
		})
		step(t, "finds out at the renewal that nobody answers", func(t *testing.T) {
			h.obey(func(_ *hostConn, _, line string) bool { return line == "DONE" })
			if took, err := waitOnce(t.Context(), m); !isEnd(err, silent) || took > idleRenewal+commandTimeout {
				t.Errorf("took %v, %v", took, err)
			}
		})
	})
}

func TestWaitPollsWhereTheServerCannotTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		h.caps, m.Poll = "IMAP4rev1", 90*time.Second
		for range 3 {
			if took, err := waitOnce(t.Context(), m); err != nil || took != 90*time.Second {
				t.Errorf("took %v, %v", took, err)
			}
		}
		if h.dials != 1 {
			t.Errorf("%d connections, want the 1 that asked", h.dials)
		}
	})
}

func TestWaitTellsOfAServerThatRefuses(t *testing.T) {
	for _, command := range []string{"IDLE", "EXAMINE"} {
		synctest.Test(t, func(t *testing.T) {
			h, m := newIMAPHost(t)
			h.obey(func(c *hostConn, tag, line string) bool {
				if !strings.HasPrefix(line, command) {
					return false
				}
				c.send("%s NO not now\r\n", tag)
				return true
			})
			if err := m.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "not now") {
				t.Errorf("%s refused: error %v", command, err)
			}
		})
	}
}

func TestShutdownEndsACallUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newIMAPHost(t)
		h.obey(func(_ *hostConn, _, line string) bool { return strings.HasPrefix(line, "LIST") })
		ended := make(chan error)
		go func() { _, _, err := m.Fetch(t.Context(), engine.Cursor{}); ended <- err }()
		go func() { ended <- m.Wait(t.Context()) }()
		if err := <-ended; err != nil {
			t.Fatal(err) // Wait returns at once when it has connected
		}
		go func() { ended <- m.Wait(t.Context()) }()
		synctest.Wait()
		m.Shutdown()
		for range 2 {
			if err := <-ended; !errors.Is(err, errShutDown) {
				t.Errorf("error %v, want that of the shut-down", err)
			}
		}
		if _, _, err := m.Fetch(t.Context(), engine.Cursor{}); !errors.Is(err, errShutDown) {
			t.Errorf("after Shutdown Fetch returned %v", err)
		}
		if err := m.Wait(context.Background()); !errors.Is(err, errShutDown) {
			t.Errorf("after Shutdown Wait returned %v", err)
		}
	})
}
