package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"

	"nudge/engine"
	"nudge/engine/bolt"
	"nudge/engine/control"
	"nudge/mailbox"
)

func (a *app) runCommand() *cobra.Command {
	format, debug := "text", false
	cmd := &cobra.Command{
		Use:   "run",
		Short: "the daemon: read mail, send what is due, stop at answers",
		Long: `Stay in the foreground, read mail, send what is due, and stop at answers. Prints "ready" once every mailbox was read
to its end. Ends cleanly on SIGTERM and Ctrl-C; SIGHUP reads the sequence files again, which also happens by itself
two to four seconds after one changed. A broken file keeps its last good copy.

When the state can no longer be written, it ends with the reason and exit code 5, rather than send what it could not
remember; a state that is damaged is not opened, with exit code 3. It copies the state every night; see [backup] in
nudge.toml.`,
		Example:     "  nudge run\n  nudge run --config /etc/nudge/nudge.toml --log-format json",
		Args:        need(0, 0),
		Annotations: map[string]string{daemonCommand: "yes"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := a.newLog(format, debug)
			if err != nil {
				return err
			}
			s, err := a.settings()
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // a second Ctrl-C ends it the hard way
			return runDaemon(ctx, a, s, log)
		},
	}
	cmd.Flags().StringVar(&format, "log-format", format, "`FORMAT` of the log: text or json")
	cmd.Flags().BoolVar(&debug, "debug", false, "log more than a diary needs")
	return cmd
}

// newLog is the diary: on standard error, coloured on a terminal.
func (a *app) newLog(format string, debug bool) (*slog.Logger, error) {
	level := slog.LevelInfo
	if debug {
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level}
	switch {
	case format == "json":
		return slog.New(slog.NewJSONHandler(a.err, options)), nil
	case format != "text":
		return nil, usage(fmt.Sprintf("unknown log format %q", format)+didYouMean(format, []string{"text", "json"}), "formats: text, json")
	case isTerminal(a.err) && !a.colourless():
		return slog.New(tint.NewTextHandler(a.err, &tint.Options{Level: level, TimeFormat: time.DateTime})), nil
	}
	return slog.New(slog.NewTextHandler(a.err, options)), nil
}

// daemon is everything that runs, wired by hand.
type daemon struct {
	app     *app
	log     *slog.Logger
	state   string // its file
	desk    *engine.Desk
	nightly *nightly
	shelf   *diaryShelf

	reloadAsked bool // changed sequence files wait for a person
	boxes       []*box
	hatch       net.Listener
	running     sync.WaitGroup
	end         context.CancelCauseFunc
}

// box is one mailbox: its engine, and the two sides that it works with.
type box struct {
	engine *engine.Engine
	inbox  *firstLook
	sender *mailbox.SMTP
}

// runDaemon opens what the config names, runs until ctx is done or something
// breaks that only a fresh start can mend, and closes everything again.
func runDaemon(ctx context.Context, a *app, s settings, log *slog.Logger) error {
	syscall.Umask(0o077) // the state is nobody else's business
	for _, m := range s.mailboxes {
		if _, err := m.account.Password(ctx); err != nil {
			return credentialsTrouble(m.engine.Name, s.file, err)
		}
	}
	if _, err := control.Dial(control.SocketPath(s.state)); err == nil {
		return &trouble{code: exitUnreachable, what: "a daemon is already running on " + s.state, hint: "nudge status tells how it is"}
	}
	store, err := openStore(s)
	if err != nil {
		return err
	}
	defer func() {
		if err := store.Close(); err != nil {
			log.Warn("state not closed cleanly", "err", err)
		}
	}()
	asked := ctx // done when a person wants it to end
	ctx, end := context.WithCancelCause(asked)
	defer end(nil)
	d := &daemon{app: a, log: log, state: s.state, end: end}
	if err := d.wire(s, store); err != nil {
		return err
	}
	if err := d.putRight(ctx); err != nil {
		return err
	}
	if d.hatch, err = control.Listen(control.SocketPath(s.state)); err != nil {
		return err
	}
	log.Info("nudge started", "version", thisBuild().Version, "deliver", s.deliver, "state", s.state,
		"mailboxes", len(d.boxes), "sequences", len(d.desk.Library.Names()))
	warnOfGroups(log, s)
	if halted(s.state) {
		log.Warn("nothing is sent", "why", haltWords(s.state), "until", "nudge resume --all")
	}
	d.start(ctx)
	<-ctx.Done()
	tellSystemd("STOPPING=1")
	d.running.Wait()
	for _, b := range d.boxes {
		b.inbox.Shutdown()
		b.sender.Shutdown()
	}
	log.Info("nudge ended")
	if cause := context.Cause(ctx); asked.Err() == nil || cause != context.Cause(asked) {
		return cause
	}
	return nil
}

// wire builds the engines and the desk over an open store.
func (d *daemon) wire(s settings, store *bolt.Store) error {
	library, err := openLibrary(s)
	if err != nil {
		return err
	}
	shelf := &diaryShelf{Library: library, log: d.log}
	shelf.tellBroken()
	d.shelf, d.reloadAsked = shelf, s.reloadAsked
	keeper := archive{store, s.backup.dir, true}
	d.desk = &engine.Desk{Store: store, Library: shelf, Mailboxes: s.owners(), Deliver: s.deliver, Now: time.Now, Keeper: keeper}
	d.nightly = &nightly{backupSettings: s.backup, log: d.log, last: keeper.newest,
		copy: func(now time.Time) (engine.BackupResult, error) { return keeper.nightly(s.backup.keep, now) }}
	refusals := &roll{}
	for _, m := range s.mailboxes {
		b := &box{
			inbox:  &firstLook{IMAP: &mailbox.IMAP{Account: m.account, Log: d.log}, hint: authorityHint(m.engine.Name, s.file)},
			sender: &mailbox.SMTP{Account: m.account, Log: d.log},
		}
		name := m.engine.Name
		b.inbox.refused = func(err error) {
			served := slices.ContainsFunc(d.boxes, func(b *box) bool { return b.inbox.later.Load() })
			if refusals.add(name) == len(s.mailboxes) && !served { // else the others go on, and this one is tried ever more rarely
				d.end(credentialsTrouble(name, s.file, err))
			}
		}
		b.engine = &engine.Engine{Mailbox: m.engine, Mailboxes: s.owners(), Store: store, Library: library, Sender: b.sender, Inbox: b.inbox, Log: d.log, Poll: m.poll,
			Halted: func() bool { return halted(s.state) }}
		d.boxes = append(d.boxes, b)
		d.desk.Engines = append(d.desk.Engines, b.engine)
	}
	return nil
}

// putRight lets the desk mend what changed while no daemon ran, and tells what
// is amiss. Broken sequence files are in the diary already.
func (d *daemon) putRight(ctx context.Context) error {
	notices, err := d.desk.Start(ctx)
	if err != nil {
		return err
	}
	for _, notice := range notices {
		if !slices.Contains(d.shelf.broken(), notice) {
			d.log.Warn("something needs a look", "what", notice)
		}
	}
	return nil
}

// start starts everything. Each part ends with ctx; one that breaks ends all.
func (d *daemon) start(ctx context.Context) {
	d.running.Go(func() {
		server := control.Server{Operator: d.operator(), Log: d.log, Failed: d.storeFailed}
		if err := server.Serve(ctx, d.hatch); err != nil {
			d.end(fmt.Errorf("control socket: %w", err))
		}
	})
	for _, b := range d.boxes {
		d.running.Go(func() {
			if err := b.engine.Run(ctx); err != nil && ctx.Err() == nil {
				d.storeFailed(err)
				d.end(fmt.Errorf("mailbox %s: %w", b.engine.Mailbox.Name, err))
			}
		})
	}
	d.running.Go(func() { d.nightly.run(ctx) })
	d.running.Go(func() { d.watchSequences(ctx) })
	d.running.Go(func() { d.announce(ctx) })
}

// operator is who answers for the daemon.
func (d *daemon) operator() engine.Operator { return nightDesk{d.desk, d.nightly, d.shelf} }

// storeFailed ends the daemon when a commit failed, whoever asked for it: the
// next start reads what was kept. Other errors are the asker's own.
func (d *daemon) storeFailed(err error) {
	if errors.Is(err, bolt.ErrCommit) {
		d.end(brokenStore(d.state, err))
	}
}

// announce says "ready" once every mailbox was read to its end.
func (d *daemon) announce(ctx context.Context) {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		ready := true
		for _, b := range d.boxes {
			ready = ready && !b.engine.Health().SweptAt.IsZero()
		}
		if ready {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
	for _, b := range d.boxes {
		b.inbox.calm()
	}
	_, _ = io.WriteString(d.app.unchecked, "ready\n") // nobody listening is no reason to end
	tellSystemd("READY=1")
	d.log.Info("every mailbox read, ready")
}

// credentialsTrouble says that a mailbox cannot be logged in to: its password
// cannot be had, or the server refuses it. file is the config.
func credentialsTrouble(name, file string, err error) error {
	hint := fmt.Sprintf("check password-from of mailbox %s in %s", name, or(file, "the environment"))
	if secret, ok := errors.AsType[*secretError](err); ok {
		hint = secret.hint
	} else if errors.Is(err, mailbox.ErrAuth) {
		hint = fmt.Sprintf("check user and password-from of mailbox %s in %s; many providers want an app password for mail programs", name, or(file, "the environment"))
	}
	return &trouble{code: exitCredentials, what: fmt.Sprintf("mailbox %s: %v", name, err), hint: hint}
}

// tellSystemd passes a state on to systemd, when it started us as a unit of
// Type=notify (sd_notify(3)). Nobody listening is no mistake.
func tellSystemd(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if name, abstract := strings.CutPrefix(path, "@"); abstract {
		path = "\x00" + name
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state))
}
