package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/robfig/cron/v3"
)

// maxKeep bounds how many copies of the state are kept.
const maxKeep = 1000

// backups is what [backup] means for a state.
func (c *config) backups(state string) (backupSettings, error) {
	b := backupSettings{keep: defaultKeep, dir: filepath.Join(filepath.Dir(state), "backups")}
	if c.Backup.Dir != "" {
		b.dir = c.path(c.Backup.Dir)
	}
	var err error
	if b.dir, err = filepath.Abs(b.dir); err != nil { // commands tell it to the daemon, which was started elsewhere
		return b, err
	}
	at := defaultBackupAt
	if c.Backup.At != nil {
		at = strings.TrimSpace(*c.Backup.At)
	}
	hint := `write a cron expression in this machine's time, for example at = "10 2 * * *", or at = "" for none`
	if strings.Contains(at, "TZ=") {
		return b, c.wrong("backup.at", fmt.Sprintf("%q names a time zone; this machine's is used", at), hint)
	}
	if at != "" {
		if b.at, err = cron.ParseStandard(at); err != nil {
			return b, c.wrong("backup.at", fmt.Sprintf("%q is not a cron expression", at), hint)
		}
	}
	if keep := c.Backup.Keep; keep != nil {
		if b.keep = *keep; b.keep < 1 || b.keep > maxKeep {
			return b, c.wrong("backup.keep", fmt.Sprintf("%d is not a number of copies from 1 to %d", b.keep, maxKeep), `to make none, write at = ""`)
		}
	}
	return b, nil
}
