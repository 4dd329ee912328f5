package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
	"nudge/engine/bolt"
	"nudge/mailbox"
	"nudge/mailbox/localmail"
	"nudge/sequences"
)

// The demo is the daemon with two things exchanged: its mail provider is in
// memory, and its clock jumps to the next thing that happens. Sequence, store,
// engine and both sides of the mailbox are those of nudge run.

//go:embed demo/quote.md
var demoSequence []byte

func (a *app) demoCommand() *cobra.Command {
	var fast, printSequence bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "see it work in 20 seconds, no account",
		Long: `Live through three weeks of follow-up with a firm that has twelve quotes out.

The program is the real one: a Markdown sequence, the state file, SMTP and IMAP over TLS. The twelve people, their
mail server and the calendar are simulated inside this process. Nothing leaves this machine, and no file stays on it.`,
		Example:     "  nudge demo\n  nudge demo --print-sequence > quote.md",
		Args:        need(0, 0),
		Annotations: map[string]string{daemonCommand: "yes"}, // it has a folder to remove
		RunE: func(cmd *cobra.Command, _ []string) error {
			if printSequence {
				_, err := a.out.Write(demoSequence)
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			err := a.demo(ctx, !fast && isTerminal(a.out))
			if errors.Is(err, context.Canceled) {
				return &trouble{code: exitInterrupted}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&fast, "fast", false, "do not pause between the lines")
	cmd.Flags().BoolVar(&printSequence, "print-sequence", false, "print the sequence that the demo uses, and do nothing else")
	return cmd
}

// demo plays the three weeks.
func (a *app) demo(ctx context.Context, paced bool) (err error) {
	loc, err := time.LoadLocation(demoZone)
	if err != nil {
		return err
	}
	w, err := buildDemoWorld(demoBegin(loc))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	screen := &demoScreen{app: a, ctx: ctx, paced: paced, world: w}
	screen.title()
	if err := w.enroll(ctx); err != nil {
		return err
	}
	if err := w.play(ctx, screen); err != nil {
		return err
	}
	return screen.closing()
}

// demoWorld is everything there is in the demo.
type demoWorld struct {
	begin    time.Time
	now      atomic.Pointer[time.Time]
	dir      string
	cast     []demoProspect
	provider *localmail.Provider
	store    *bolt.Store
	sequence *sequences.Sequence
	smtp     *mailbox.SMTP
	imap     *mailbox.IMAP
	engine   *engine.Engine
	desk     *engine.Desk
	wrote    []localmail.Written // everything the people wrote
}

func buildDemoWorld(begin time.Time) (w *demoWorld, err error) {
	w = &demoWorld{begin: begin, cast: demoCast()}
	w.set(begin)
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if err := w.populate(); err != nil {
		return w, err
	}
	library, err := w.openState()
	if err != nil {
		return w, err
	}
	account := w.provider.Account(demoOwner)
	w.smtp, w.imap = &mailbox.SMTP{Account: account}, &mailbox.IMAP{Account: account}
	owner := engine.Mailbox{
		Name: "sales", Address: demoOwner, DisplayName: "Anna Berg", Location: begin.Location(),
		Signature: "Anna Berg\nBerg Roofing, 12 Main St", SaveSent: true,
		PerDay: 40, GapMin: 2 * time.Minute, GapMax: 2 * time.Minute, PerDomain: 10, PerPerson: 8, PerPersonDays: 60,
		BetweenSequences: sequences.Delay{N: 2, Unit: sequences.BusinessDays},
	}
	w.engine = &engine.Engine{Mailbox: owner, Store: w.store, Library: library, Sender: w.smtp, Inbox: w.imap,
		Log: slog.New(slog.DiscardHandler)}
	w.desk = &engine.Desk{Store: w.store, Library: folder{library}, Mailboxes: []engine.Mailbox{owner}, Deliver: live, Now: w.clock}
	return w, nil
}

// clock is the demo's calendar, also for the mail provider's goroutines.
func (w *demoWorld) clock() time.Time { return *w.now.Load() }

func (w *demoWorld) set(now time.Time) { w.now.Store(&now) }

// populate opens Anna's mailbox, and puts the people at the other end.
func (w *demoWorld) populate() (err error) {
	if w.provider, err = localmail.New(localmail.Options{Now: w.clock}); err != nil {
		return err
	}
	w.provider.AddMailbox(demoOwner, demoPassword)
	for _, p := range w.cast {
		w.provider.AddPerson(p.person)
		if p.filed == "" {
			continue
		}
		for _, from := range addressesOf(p.person) {
			w.provider.AddRule(demoOwner, localmail.Rule{From: from, Folder: p.filed})
		}
	}
	return nil
}

// openState reads the sequence and opens the state, in a folder of the demo's
// own. The folder goes at once, where a system allows it: what is open stays
// usable, and nothing is left even by a process that is killed.
func (w *demoWorld) openState() (*sequences.Library, error) {
	var err error
	if w.dir, err = os.MkdirTemp("", "nudge-demo-"); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(w.dir, "quote.md"), demoSequence, 0o600); err != nil {
		return nil, err
	}
	library, err := sequences.Open(w.dir)
	if err != nil {
		return nil, err
	}
	seq, ok := library.Sequence("quote")
	if !ok {
		return nil, errors.Join(library.Broken()...)
	}
	w.sequence = seq
	if w.store, err = bolt.Open(filepath.Join(w.dir, "nudge.db"), bolt.Options{NoSync: true}); err != nil {
		return nil, err
	}
	os.RemoveAll(w.dir) // close tries again
	return library, nil
}

func (w *demoWorld) close() error {
	if w.smtp != nil {
		w.smtp.Shutdown()
	}
	if w.imap != nil {
		w.imap.Shutdown()
	}
	var errs []error
	if w.provider != nil {
		errs = append(errs, w.provider.Close())
	}
	if w.store != nil {
		errs = append(errs, w.store.Close())
	}
	if w.dir != "" {
		errs = append(errs, os.RemoveAll(w.dir))
	}
	return errors.Join(errs...)
}

// enroll puts everybody into the sequence.
func (w *demoWorld) enroll(ctx context.Context) error {
	for i, p := range w.cast {
		_, err := w.desk.Enroll(ctx, engine.EnrollRequest{
			Sequence: "quote", Address: p.person.Address, Name: p.person.Name,
			Fields: map[string]string{"quote_no": strconv.Itoa(1041 + i), "project": p.project},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// play jumps from one thing that happens to the next until the weeks are over.
func (w *demoWorld) play(ctx context.Context, screen *demoScreen) error {
	end := w.begin.AddDate(0, 0, demoDays)
	for now := w.begin; now.Before(end); {
		w.set(now)
		for _, written := range w.provider.Advance(now) {
			w.wrote = append(w.wrote, written)
			if err := screen.written(written); err != nil {
				return err
			}
		}
		next, err := w.round(ctx, now)
		if err != nil {
			return err
		}
		if err := screen.history(); err != nil {
			return err
		}
		if act, planned := w.provider.NextEvent(); planned && (next.IsZero() || act.Before(next)) {
			next = act
		}
		if next.IsZero() {
			return nil
		}
		if !next.After(now) {
			next = now.Add(time.Second)
		}
		now = next
	}
	return nil
}

// round is one round of the engine, which ends when its mail has been answered
// for. It returns when the engine has something to do next.
func (w *demoWorld) round(ctx context.Context, now time.Time) (time.Time, error) {
	next, err := w.engine.Tick(ctx, now)
	if err == nil {
		err = w.engine.Finish(now)
	}
	if err == nil && next.IsZero() { // also while a mail was on its way
		next, err = w.store.NextLook(w.engine.Mailbox.Name)
	}
	if ctx.Err() != nil {
		return next, context.Canceled
	}
	if err != nil {
		return next, err
	}
	if h := w.engine.Health(); h.IMAPError != "" || h.SMTPError != "" {
		return next, fmt.Errorf("the demo's own mail server failed: %s%s", h.IMAPError, h.SMTPError)
	}
	return next, nil
}

// addressesOf lists every address someone writes from.
func addressesOf(p localmail.Person) []string {
	addresses := []string{p.Address}
	for _, act := range p.Acts {
		if act.From != "" {
			addresses = append(addresses, act.From)
		}
	}
	return addresses
}
