package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"nudge/engine"
	"nudge/engine/bolt"
	"nudge/engine/control"
)

func (a *app) backupCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "backup [FILE]",
		Short: "copy the state, while the daemon goes on",
		Long: `Copy the state to FILE, or into the backup folder under a name with the date. The copy is opened again and checked
before this says that it is made. The daemon makes one every night by itself; see [backup] in nudge.toml. A copy holds
people's addresses and the secret in Message-IDs: keep it as private as the state.`,
		Example: "  nudge backup\n  nudge backup /mnt/usb/nudge-friday.db",
		Args:    need(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(func(op engine.Operator, s settings) error {
				path := filepath.Join(s.backup.dir, bolt.BackupName(byHand, time.Now()))
				if len(args) > 0 {
					path = args[0]
				}
				path, err := filepath.Abs(path) // the daemon, which writes it, was started elsewhere
				if err != nil {
					return err
				}
				done, err := op.Backup(cmd.Context(), path)
				if refused, ok := errors.AsType[*engine.RefusalError](err); ok {
					return &trouble{code: exitFailed, what: refused.What, hint: refused.Hint}
				} else if err != nil {
					return err
				}
				if asJSON {
					return a.writeJSON(done)
				}
				a.printf("made and checked a backup of %s, %s\n%s\n", count(done.Enrollments, "enrollment"), size(done.Bytes), visible(done.Path))
				a.next("keep one on another machine too; nudge restore FILE brings it back")
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) restoreCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "bring back a state that was copied",
		Long: `Put a copy made by nudge backup in the place of the state. The daemon must not run. The copy is checked first, and the
state that was there is put aside, not lost.

A copy is older than what was sent since it was made. So after a restore nothing is sent until the Sent folder was read
and the state agrees with it; nudge run does that first, by itself. Who is suppressed stays suppressed.`,
		Example: "  nudge restore /var/lib/nudge/backups/nudge-20261124T021000Z.db\n  nudge restore /mnt/usb/nudge-friday.db --yes",
		Args:    need(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.settings()
			if err != nil {
				return err
			}
			return a.restore(s, args[0], yes)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask whether it is meant")
	return cmd
}

// restore puts a copy in the state's place.
func (a *app) restore(s settings, file string, yes bool) error {
	if err := noDaemon(s); err != nil {
		return err
	}
	if err := s.restorable(file); err != nil {
		return err
	}
	if !yes {
		if err := a.confirm(fmt.Sprintf("Put %s in the place of %s?", file, s.state), "--yes"); err != nil {
			return err
		}
	}
	aside, err := bolt.Restore(file, s.state, time.Now())
	if err != nil {
		return restoreTrouble(s, err)
	}
	a.printf("restored %s from %s\n", visible(s.state), visible(file))
	if aside != "" {
		a.printf("the state that was there is now %s\n", visible(aside))
	}
	a.printf("nothing is sent until the Sent folder was compared with it: nudge run reads Sent first\n")
	a.next("nudge run")
	return nil
}

// restorable says why a file cannot come in the state's place, before anybody is
// asked whether it should.
func (s settings) restorable(file string) error {
	copies := "copies made by themselves are in " + s.backup.dir
	if err := bolt.CheckKind(s.state); err != nil {
		return stateTrouble(s, err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return fileTrouble(file, err, copies)
	}
	if present, err := os.Stat(s.state); err == nil && os.SameFile(info, present) {
		return usage(file+" is the state itself, not a copy of it", copies)
	}
	err = bolt.VerifyFile(file)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fileTrouble(file, err, copies)
	case errors.Is(err, bolt.ErrForeign):
		return &trouble{code: exitFindings, what: fmt.Sprintf("%s: %v\nnothing was changed", file, err), hint: copies}
	case err != nil:
		return restoreTrouble(s, fmt.Errorf("%s: %w", file, err))
	}
	return nil
}

// noDaemon refuses to go on beside a daemon.
func noDaemon(s settings) error {
	state := s.state
	_, err := control.Dial(control.SocketPath(state))
	switch {
	case errors.Is(err, control.ErrNotRunning):
		return nil
	case err == nil, errors.Is(err, control.ErrSilent):
		return &trouble{code: exitUnreachable, what: "a daemon is running on " + state, hint: "end it first, with Ctrl-C or systemctl stop nudge"}
	case errors.Is(err, fs.ErrPermission):
		return stateTrouble(s, err)
	}
	return &trouble{code: exitUnreachable, what: fmt.Sprintf("nobody can tell whether a daemon runs on %s: %v", state, err),
		hint: "run this as the user the daemon runs as"}
}

// restoreTrouble says why nothing was restored.
func restoreTrouble(s settings, err error) error {
	switch {
	case errors.Is(err, bolt.ErrLocked):
		return &trouble{code: exitUnreachable, what: err.Error(), hint: lockedHint}
	case errors.Is(err, bolt.ErrDamaged):
		return &trouble{code: exitFindings, what: err.Error() + "\nnothing was changed", hint: "nudge verify FILE tells of others whether they are whole"}
	case errors.Is(err, bolt.ErrNewer):
		return &trouble{code: exitFindings, what: err.Error() + "\nnothing was changed", hint: newerHint}
	}
	return stateTrouble(s, err)
}

func (a *app) verifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "read the whole state and say whether it is sound",
		Long: `Read everything in the state, or in a copy of it, and say what does not agree: damaged pages, counts, people who would
never be looked at again. Nothing is changed. The daemon may run meanwhile. The exit code is 3 when something was found.`,
		Example: "  nudge verify\n  nudge verify /var/lib/nudge/backups/nudge-20261124T021000Z.db --json",
		Args:    need(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := a.verify(cmd, args)
			if err != nil {
				return err
			}
			return a.tellVerified(v, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// verify checks the file that was named, or the state: through the daemon when
// one runs.
func (a *app) verify(cmd *cobra.Command, args []string) (verified, error) {
	if len(args) > 0 {
		return verifyFile(args[0], "keep it and restore another: nudge verify FILE tells of each copy whether it is sound")
	}
	s, err := a.settings()
	if err != nil {
		return verified{}, err
	}
	v := verified{File: s.state, hint: "keep this file, restore the newest copy that is sound: nudge restore FILE; copies made by themselves are in " + s.backup.dir}
	client, err := control.Dial(control.SocketPath(s.state))
	switch {
	case err == nil:
		v.Findings, err = client.Verify(cmd.Context())
		return v, err
	case errors.Is(err, fs.ErrPermission):
		return v, stateTrouble(s, err)
	case !errors.Is(err, control.ErrNotRunning):
		return v, err
	}
	if err := bolt.CheckKind(s.state); err != nil {
		return v, stateTrouble(s, err)
	}
	return verifyFile(s.state, v.hint)
}

// verifyFile checks a file that no daemon has open; hint says what to do with one
// that is not sound.
func verifyFile(file, hint string) (verified, error) {
	const name = "name a copy of the state; nudge verify alone checks the state"
	v := verified{File: file, hint: hint}
	if _, err := os.Stat(file); err != nil {
		return v, fileTrouble(file, err, name)
	}
	err := bolt.VerifyFile(file)
	switch {
	case errors.Is(err, bolt.ErrLocked):
		return v, &trouble{code: exitUnreachable, what: file + ": " + err.Error(), hint: "wait until it is done"}
	case errors.Is(err, bolt.ErrNewer):
		return v, &trouble{code: exitFindings, what: file + ": " + err.Error(), hint: newerHint}
	case errors.Is(err, fs.ErrPermission):
		return v, fileTrouble(file, err, name)
	case errors.Is(err, bolt.ErrForeign):
		v.hint = name
	}
	v.Findings = findingsOf(err)
	return v, nil
}

// findingsOf lists what a verification came to.
func findingsOf(err error) []string {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	var findings []string
	for _, finding := range joined.Unwrap() {
		findings = append(findings, finding.Error())
	}
	return findings
}

// verified is what nudge verify --json prints.
type verified struct {
	File     string   `json:"file"`
	Findings []string `json:"findings"`

	hint string // what to do about findings
}

func (a *app) tellVerified(v verified, asJSON bool) error {
	if asJSON {
		if v.Findings == nil {
			v.Findings = []string{}
		}
		if err := a.writeJSON(v); err != nil {
			return err
		}
	} else if len(v.Findings) == 0 {
		a.printf("%s is sound\n", visible(v.File))
		a.next("nudge backup, or nudge status")
	} else {
		for _, finding := range v.Findings {
			a.printf("%s: %s\n", visible(v.File), visible(finding))
		}
	}
	if len(v.Findings) > 0 {
		return &trouble{code: exitFindings, what: count(len(v.Findings), "finding"), hint: v.hint}
	}
	return nil
}

// newerHint is what to do about a state that this nudge cannot read yet.
const newerHint = "nudge version tells which one this is"

// What a copy's name begins with. Only the daemon's own are ever removed by
// themselves.
const (
	byItself = "nightly"
	byHand   = "nudge"
)

// size writes a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%d bytes", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%d KB", bytes>>10)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
}
