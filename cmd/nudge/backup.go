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
	if err := noDaemon(s.state); err != nil {
		return err
	}
	if _, err := os.Stat(file); err != nil {
		return fileTrouble(file, err, "copies made by themselves are in "+s.backup.dir)
	}
	if !yes {
		if err := a.confirm(fmt.Sprintf("Put %s in the place of %s?", file, s.state), "--yes"); err != nil {
			return err
		}
	}
	aside, err := bolt.Restore(file, s.state, time.Now())
	if err != nil {
		return restoreTrouble(file, s.state, err)
	}
	a.printf("restored %s from %s\n", visible(s.state), visible(file))
	if aside != "" {
		a.printf("the state that was there is now %s\n", visible(aside))
	}
	a.printf("nothing is sent until the Sent folder was compared with it: nudge run reads Sent first\n")
	a.next("nudge run")
	return nil
}

// noDaemon refuses to go on beside a daemon.
func noDaemon(state string) error {
	_, err := control.Dial(control.SocketPath(state))
	switch {
	case errors.Is(err, control.ErrNotRunning):
		return nil
	case err == nil, errors.Is(err, control.ErrSilent):
		return &trouble{code: exitUnreachable, what: "a daemon is running on " + state, hint: "end it first, with Ctrl-C or systemctl stop nudge"}
	case errors.Is(err, fs.ErrPermission):
		return stateTrouble(state, err)
	}
	return &trouble{code: exitUnreachable, what: fmt.Sprintf("nobody can tell whether a daemon runs on %s: %v", state, err),
		hint: "run this as the user the daemon runs as"}
}

// restoreTrouble says why nothing was restored.
func restoreTrouble(file, state string, err error) error {
	switch {
	case errors.Is(err, bolt.ErrLocked):
		return &trouble{code: exitUnreachable, what: err.Error(), hint: "wait until it is done; a daemon that hangs can be ended with kill"}
	case errors.Is(err, bolt.ErrDamaged):
		return &trouble{code: exitFindings, what: err.Error() + "\nnothing was changed", hint: "nudge verify FILE tells of others whether they are whole"}
	case errors.Is(err, bolt.ErrNewer):
		return &trouble{code: exitFailed, what: err.Error() + "\nnothing was changed"}
	}
	return stateTrouble(state, err)
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
			file, findings, err := a.verify(cmd, args)
			if err != nil {
				return err
			}
			return a.tellVerified(file, findings, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// verify checks the file that was named, or the state: through the daemon when
// one runs.
func (a *app) verify(cmd *cobra.Command, args []string) (file string, findings []string, err error) {
	if len(args) > 0 {
		findings, err = verifyFile(args[0])
		return args[0], findings, err
	}
	s, err := a.settings()
	if err != nil {
		return "", nil, err
	}
	client, err := control.Dial(control.SocketPath(s.state))
	switch {
	case err == nil:
		findings, err = client.Verify(cmd.Context())
	case errors.Is(err, control.ErrNotRunning):
		findings, err = verifyFile(s.state)
	}
	return s.state, findings, err
}

// verifyFile checks a file that no daemon has open.
func verifyFile(file string) ([]string, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, fileTrouble(file, err, "name a copy of the state; nudge verify alone checks the state")
	}
	err := bolt.VerifyFile(file)
	switch {
	case errors.Is(err, bolt.ErrLocked):
		return nil, &trouble{code: exitUnreachable, what: err.Error(), hint: "wait until it is done"}
	case errors.Is(err, bolt.ErrNewer), errors.Is(err, fs.ErrPermission):
		return nil, err
	}
	return findingsOf(err), nil
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
}

func (a *app) tellVerified(file string, findings []string, asJSON bool) error {
	if asJSON {
		if findings == nil {
			findings = []string{}
		}
		if err := a.writeJSON(verified{file, findings}); err != nil {
			return err
		}
	} else if len(findings) == 0 {
		a.printf("%s is sound\n", visible(file))
		a.next("nudge backup, or nudge status")
	} else {
		for _, finding := range findings {
			a.printf("%s: %s\n", visible(file), visible(finding))
		}
	}
	if len(findings) > 0 {
		return &trouble{code: exitFindings, what: count(len(findings), "finding"), hint: "keep this file, restore the newest copy that is sound: nudge restore FILE"}
	}
	return nil
}

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
