package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/robfig/cron/v3"

	"nudge/engine"
	"nudge/mailbox"
)

// config is nudge.toml as it is written. The toml tags are the only spelling of
// the keys: unknown ones, suggestions and NUDGE_… overrides all follow from them.
type config struct {
	Deliver   string          `toml:"deliver"`
	State     string          `toml:"state"`
	Sequences string          `toml:"sequences"`
	Reload    string          `toml:"reload"`
	Signature string          `toml:"signature"`
	Mailboxes []mailboxConfig `toml:"mailbox"`
	Replies   repliesConfig   `toml:"replies"`
	Pace      paceConfig      `toml:"pace"`
	Backup    backupConfig    `toml:"backup"`

	file   string            // "" when there is none
	origin map[string]string // key path → where its value stands: "nudge.toml:3:1", or a variable's name
}

// mailboxConfig is one [[mailbox]].
type mailboxConfig struct {
	Name         string   `toml:"name"`
	Address      string   `toml:"address"`
	DisplayName  string   `toml:"display-name"`
	Aliases      []string `toml:"aliases"`
	IMAP         string   `toml:"imap"`
	SMTP         string   `toml:"smtp"`
	User         string   `toml:"user"`
	PasswordFrom string   `toml:"password-from"`
	CAFile       string   `toml:"ca-file"`
	TLS          string   `toml:"tls"`
	Timezone     string   `toml:"timezone"`
	PerDay       *int     `toml:"per-day"`
	Gap          string   `toml:"gap"`
	Poll         string   `toml:"poll"`
	SaveSent     string   `toml:"save-sent"`
	InDoubt      string   `toml:"in-doubt"`

	ListUnsubscribe bool `toml:"list-unsubscribe"`
}

// repliesConfig is [replies].
type repliesConfig struct {
	SameCompany string `toml:"same-company"`
	OutOfOffice string `toml:"out-of-office"`
	Takeover    string `toml:"takeover"`
}

// paceConfig is [pace].
type paceConfig struct {
	PerPerson        string `toml:"per-person"`
	BetweenSequences string `toml:"between-sequences"`
	PerDomain        *int   `toml:"per-domain"`
}

// backupConfig is [backup].
type backupConfig struct {
	At   *string `toml:"at"` // "" means something: none by themselves
	Keep *int    `toml:"keep"`
	Dir  string  `toml:"dir"`
}

// What a key that is not written means.
const (
	defaultDeliver   = rehearsal
	defaultState     = "/var/lib/nudge/nudge.db"
	defaultSequences = "sequences"
	defaultPerDay    = 40
	defaultGap       = "90s-240s"
	defaultPoll      = "*/5 * * * *"
	defaultPerPerson = "8 in 60 days"
	defaultBetween   = "2 business days"
	defaultPerDomain = 10
	defaultSaveSent  = "auto"
	defaultInDoubt   = "by-step"
	defaultBackupAt  = "10 2 * * *"
	defaultKeep      = 7
)

// The values of deliver.
const (
	rehearsal = "rehearsal" // every mail goes to the owner, with a banner
	live      = "live"
)

// settings is what a config means: checked, and in the types of those who use it.
type settings struct {
	file      string // the config file, "" when there is none
	deliver   string
	state     string // path of the state file
	stateAt   string // where the config names it
	sequences string // path of the folder
	mailboxes []mailboxSettings
	backup    backupSettings

	reloadAsked bool // changed sequence files are taken only when a person asks
}

// backupSettings is when the daemon copies the state, and where copies lie.
type backupSettings struct {
	at   cron.Schedule // nil: never by itself
	keep int           // how many of its own copies stay
	dir  string
}

// mailboxSettings is one mailbox: how to write from it, and how to reach it.
type mailboxSettings struct {
	engine  engine.Mailbox
	account mailbox.Account
	poll    interface{ Next(time.Time) time.Time }
}

// config is what hints call the config that was read.
func (s settings) config() string { return configName(s.file) }

// configName is what hints call a config file, "" when there is none.
func configName(file string) string { return or(file, "nudge.toml") }

// owners lists what the engine must know about each mailbox.
func (s settings) owners() []engine.Mailbox {
	owners := make([]engine.Mailbox, len(s.mailboxes))
	for i, m := range s.mailboxes {
		owners[i] = m.engine
	}
	return owners
}

// resolve checks every value and gives it its meaning. The error names the
// place of the first one that is wrong.
func (c *config) resolve() (settings, error) {
	s := settings{
		file:      c.file,
		deliver:   or(c.Deliver, defaultDeliver),
		state:     c.path(or(c.State, defaultState)),
		stateAt:   or(c.origin["state"], c.file),
		sequences: c.path(or(c.Sequences, defaultSequences)),
	}
	switch s.deliver {
	case rehearsal, live:
	case "draft":
		return s, c.wrong("deliver", `"draft" is not available yet`, `write deliver = "rehearsal" or deliver = "live"`)
	default:
		return s, c.wrong("deliver", fmt.Sprintf("unknown value %q", s.deliver)+didYouMean(s.deliver, []string{rehearsal, live}),
			`write deliver = "rehearsal" or deliver = "live"`)
	}
	var err error
	if s.reloadAsked, err = oneOf(c, "reload", c.Reload, "auto", map[string]bool{"auto": false, "asked": true}); err != nil {
		return s, err
	}
	if len(c.Mailboxes) == 0 {
		return s, &trouble{code: exitUsage, what: fmt.Sprintf("%s has no [[mailbox]]", c.file), hint: "add [[mailbox]] with address, imap, smtp and password-from"}
	}
	limits, err := c.limits()
	if err != nil {
		return s, err
	}
	if s.backup, err = c.backups(s.state); err != nil {
		return s, err
	}
	names := map[string]bool{}
	for i := range c.Mailboxes {
		m, err := c.resolveMailbox(i, limits)
		if err != nil {
			return s, err
		}
		if names[m.engine.Name] {
			return s, c.wrong(fmt.Sprintf("mailbox.%d.name", i), fmt.Sprintf("two mailboxes are named %q", m.engine.Name), "give each a name of its own")
		}
		names[m.engine.Name] = true
		m.engine.Rehearsal = s.deliver == rehearsal
		m.engine.Signature = or(c.Signature, m.engine.DisplayName)
		s.mailboxes = append(s.mailboxes, m)
	}
	s.shareLogins()
	return s, nil
}

// shareLogins makes mailboxes that read one and the same account know each
// other's addresses as the owner's: what one sends lies in the other's Sent.
func (s *settings) shareLogins() {
	for i := range s.mailboxes {
		m := &s.mailboxes[i]
		for j, other := range s.mailboxes {
			if i != j && m.account.IMAP == other.account.IMAP && m.account.User == other.account.User {
				m.engine.Aliases = append(m.engine.Aliases, other.engine.Address)
			}
		}
	}
}

// path makes a path of the config absolute: relative ones are relative to the
// config file, wherever nudge was started.
func (c *config) path(p string) string {
	if filepath.IsAbs(p) || c.file == "" {
		return p
	}
	return filepath.Join(filepath.Dir(c.file), p)
}

// wrong is the error about one value.
func (c *config) wrong(key, what, hint string) error {
	at := c.origin[key]
	if at == "" {
		at = c.file
	}
	return &trouble{code: exitUsage, what: fmt.Sprintf("%s: %s: %s", at, lastKey(key), what), hint: hint}
}

// or is the value, or what a missing one means.
func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
