package mailbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
	"nudge/mailbox"
	"nudge/mailbox/localmail"
)

// sendOverTLS sends one mail to a provider over a connection that is cut. It
// returns what the provider took responsibility for.
func sendOverTLS(t *testing.T, p *localmail.Provider, mode mailbox.TLSMode, c cut) (fail *engine.SendError, took time.Duration, got [][]byte, way *relay) {
	t.Helper()
	before := len(p.Ledger())
	account := p.AccountOver(sales, mode)
	address := net.JoinHostPort(account.SMTP.Host, fmt.Sprint(account.SMTP.Port))
	way = &relay{cut: c, server: func(ctx context.Context) (net.Conn, error) { return p.Dial(ctx, "tcp", address) }}
	account.Dial = way.Dial
	s := &mailbox.SMTP{Account: account}
	began := time.Now()
	d, err := s.Open(t.Context(), engine.Email{From: sales, To: "ann@customer.test", Raw: fourKB})
	if err == nil {
		_, err = d.Data(t.Context(), time.Time{})
	}
	took = time.Since(began)
	if err != nil && !errors.As(err, &fail) {
		t.Fatalf("%v: the error is a %T: %v", c, err, err)
	}
	s.Shutdown()
	way.end()
	synctest.Wait()
	for _, transaction := range p.Ledger()[before:] {
		if transaction.Taken {
			got = append(got, transaction.Raw)
		}
	}
	return fail, took, got, way
}

// blank is a stream in which no byte looks like the end of a line.
func blank(stream []byte) []byte { return make([]byte, len(stream)) }

// Under TLS a test cannot see what a byte means, so what is asserted is the
// promise: due again means that the server has no mail, sent that it has it
// once, and nobody waits longer than a step may take.
func TestAMailWhoseTLSConnectionEndsAnywhereIsNeverSentTwiceNorHalf(t *testing.T) {
	for _, mode := range []mailbox.TLSMode{mailbox.TLSImplicit, mailbox.TLSStart} {
		for _, how := range []ending{fin, rst, stall, hole} {
			t.Run(fmt.Sprint(mode, " ", how), func(t *testing.T) {
				began, seen := time.Now(), map[engine.Outcome]int{}
				synctest.Test(t, func(t *testing.T) {
					p := filled(t)
					_, _, _, whole := sendOverTLS(t, p, mode, cut{after: -1})
					for _, c := range everyCut(blank(whole.links[0].tap.said), blank(whole.links[0].tap.heard), how, 53) {
						fail, took, got, _ := sendOverTLS(t, p, mode, c)
						outcome := engine.Sent
						if fail != nil {
							outcome = fail.Outcome
						}
						seen[outcome]++
						if outcome == engine.Refusal || outcome == engine.Deferred && len(got) != 0 || outcome == engine.Sent && len(got) != 1 || len(got) > 1 {
							t.Errorf("%v: %v, %d mails at the server", c, fail, len(got))
						}
						if len(got) == 1 && !bytes.Equal(got[0], fourKB) {
							t.Errorf("%v: the server took a mail of %d bytes that is not ours", c, len(got[0]))
						}
						if fail != nil && took > longest[fail.Phase] {
							t.Errorf("%v: it took %v to find %v", c, took, fail)
						}
					}
				})
				if seen[engine.Deferred] == 0 || seen[engine.Unknown] == 0 {
					t.Errorf("outcomes %v: the cuts did not reach everything", seen)
				}
				t.Logf("%v in %v", seen, time.Since(began).Round(time.Millisecond))
			})
		}
	}
}

// A sweep over TLS: whole or an error, within a command's deadline, which the
// handshake has as well.
func TestAMailboxWhoseTLSConnectionEndsAnywhereIsReadWholeOrNotAtAll(t *testing.T) {
	for _, mode := range []mailbox.TLSMode{mailbox.TLSImplicit, mailbox.TLSStart} {
		for _, how := range []ending{fin, rst, stall, hole} {
			t.Run(fmt.Sprint(mode, " ", how), func(t *testing.T) {
				began, runs := time.Now(), 0
				synctest.Test(t, func(t *testing.T) {
					p := filled(t)
					whole, said, heard := lookThrough(t, p, &relay{cut: cut{after: -1}}, mode)
					if err := errors.Join(whole.errs...); err != nil {
						t.Fatal(err)
					}
					for i, c := range everyCut(blank(said), blank(heard), how, 401) {
						for _, once := range bothWays(i) {
							l, _, _ := lookThrough(t, p, &relay{cut: c, once: once}, mode)
							runs++
							if err := l.compare(whole, once); err != nil {
								t.Errorf("%v, the first connection only %v: %v", c, once, err)
							}
							most := command
							if len(l.errs) > 0 && strings.Contains(l.errs[0].Error(), "TLS handshake") {
								most = 30 * time.Second
							}
							if l.longest > most {
								t.Errorf("%v, the first connection only %v: a call took %v: %v", c, once, l.longest, l.errs)
							}
						}
					}
				})
				t.Logf("%d sessions in %v", runs, time.Since(began).Round(time.Millisecond))
			})
		}
	}
}
