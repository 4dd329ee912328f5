package main

import (
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"nudge/engine"
	"nudge/mailbox"
	"nudge/sequences"
)

// contactDays is how long the engine remembers mails to a person.
const contactDays = 60

// limits is what [pace] means.
func (c *config) limits() (engine.Mailbox, error) {
	var m engine.Mailbox
	var err error
	if m.PerPerson, m.PerPersonDays, err = parsePerPerson(or(c.Pace.PerPerson, defaultPerPerson)); err != nil {
		return m, c.wrong("pace.per-person", err.Error(), `write for example per-person = "8 in 60 days", or "off"`)
	}
	if between := or(c.Pace.BetweenSequences, defaultBetween); between != "off" {
		if m.BetweenSequences, err = sequences.ParseDelay(between); err != nil {
			return m, c.wrong("pace.between-sequences", err.Error(), `write for example between-sequences = "2 business days", or "off"`)
		}
	}
	if m.PerDomain, err = c.atLeastOne("pace.per-domain", c.Pace.PerDomain, defaultPerDomain); err != nil {
		return m, err
	}
	m.Replies, err = c.replies()
	return m, err
}

// atLeastOne is a daily cap. Nought is refused: some read it as none at all,
// others as no cap.
func (c *config) atLeastOne(key string, value *int, otherwise int) (int, error) {
	switch {
	case value == nil:
		return otherwise, nil
	case *value < 1:
		return 0, c.wrong(key, fmt.Sprintf("%d is not a number of mails a day", *value), "to send nothing for a while, use: nudge pause")
	}
	return *value, nil
}

var perPerson = regexp.MustCompile(`^(\d{1,4}) in (\d{1,2}) days?$`)

// parsePerPerson reads "8 in 60 days" or "off".
func parsePerPerson(s string) (mails, days int, err error) {
	if s == "off" {
		return 0, 0, nil
	}
	found := perPerson.FindStringSubmatch(strings.Join(strings.Fields(s), " "))
	if found == nil {
		return 0, 0, fmt.Errorf("%q is not a number of mails in a number of days", s)
	}
	mails, _ = strconv.Atoi(found[1]) // digits only
	days, _ = strconv.Atoi(found[2])
	if mails < 1 || days < 1 || days > contactDays {
		return 0, 0, fmt.Errorf("%q must be at least 1 mail in 1 to %d days", s, contactDays)
	}
	return mails, days, nil
}

// resolveMailbox gives the i-th [[mailbox]] its meaning.
func (c *config) resolveMailbox(i int, limits engine.Mailbox) (mailboxSettings, error) {
	w := c.Mailboxes[i]
	key := func(name string) string { return fmt.Sprintf("mailbox.%d.%s", i, name) }
	m := mailboxSettings{engine: limits}
	var err error
	if m.engine.Address, err = engine.CleanAddress(w.Address); err != nil {
		return m, c.wrong(key("address"), err.Error(), `write address = "anna@example.com"`)
	}
	m.engine.Name = or(w.Name, m.engine.Address)
	m.engine.ListUnsubscribe = w.ListUnsubscribe
	m.engine.DisplayName = strings.TrimSpace(w.DisplayName)
	for _, alias := range w.Aliases {
		clean, err := engine.CleanAddress(alias)
		if err != nil {
			return m, c.wrong(key("aliases"), err.Error(), `write aliases = ["info@example.com"]`)
		}
		m.engine.Aliases = append(m.engine.Aliases, clean)
	}
	if m.engine.Location, err = location(w.Timezone); err != nil {
		return m, c.wrong(key("timezone"), err.Error(), "use a name like Europe/Stockholm")
	}
	if m.engine.PerDay, err = c.atLeastOne(key("per-day"), w.PerDay, defaultPerDay); err != nil {
		return m, err
	}
	if m.engine.GapMin, m.engine.GapMax, err = parseGap(or(w.Gap, defaultGap)); err != nil {
		return m, c.wrong(key("gap"), err.Error(), `write for example gap = "90s-240s", or "0s" for none`)
	}
	if m.poll, err = parsePoll(or(w.Poll, defaultPoll), m.engine.Location); err != nil {
		return m, c.wrong(key("poll"), err.Error(), `write a cron expression, for example poll = "*/5 * * * *"`)
	}
	if m.account, err = c.account(i, m.engine.Address); err != nil {
		return m, err
	}
	policies := map[string]engine.DoubtPolicy{"by-step": engine.DoubtByStep, "hold": engine.DoubtHold, "assume-sent": engine.DoubtAssume}
	policy, known := policies[or(w.InDoubt, defaultInDoubt)]
	if m.engine.InDoubt = policy; !known {
		return m, c.wrong(key("in-doubt"), fmt.Sprintf("unknown value %q", w.InDoubt)+didYouMean(w.InDoubt, slices.Sorted(maps.Keys(policies))),
			`write in-doubt = "by-step", "hold" or "assume-sent"`)
	}
	switch save := or(w.SaveSent, defaultSaveSent); save {
	case "yes", "no":
		m.engine.SaveSent = save == "yes"
	case "auto":
		m.engine.SaveSent = !keepsSentItself(m.account.SMTP.Host)
	default:
		return m, c.wrong(key("save-sent"), fmt.Sprintf("unknown value %q", save), `write save-sent = "auto", "yes" or "no"`)
	}
	return m, nil
}

// account is how the i-th mailbox is reached.
func (c *config) account(i int, address string) (mailbox.Account, error) {
	w := c.Mailboxes[i]
	key := func(name string) string { return fmt.Sprintf("mailbox.%d.%s", i, name) }
	a := mailbox.Account{Address: address, User: or(w.User, address)}
	switch mode := w.TLS; mode {
	case "", "implicit", "starttls", "none":
	default:
		return a, c.wrong(key("tls"), fmt.Sprintf("unknown value %q", mode)+didYouMean(mode, []string{"implicit", "starttls", "none"}),
			`leave it out: the port says it. tls = "none" is for servers on this machine`)
	}
	var err error
	if a.IMAP, err = parseServer(w.IMAP, w.TLS); err != nil {
		return a, c.wrong(key("imap"), err.Error(), `write for example imap = "imap.example.com:993"`)
	}
	if a.SMTP, err = parseServer(w.SMTP, w.TLS); err != nil {
		return a, c.wrong(key("smtp"), err.Error(), `write for example smtp = "smtp.example.com:465"`)
	}
	if a.Password, err = parsePasswordFrom(w.PasswordFrom, c.path); err != nil {
		return a, c.wrong(key("password-from"), err.Error(),
			"write password-from as one of: credential NAME, file PATH, command CMD, env NAME")
	}
	if w.CAFile != "" {
		if a.RootCAs, err = authorities(c.path(w.CAFile)); err != nil {
			return a, c.wrong(key("ca-file"), err.Error(), "name a file with certificates in PEM")
		}
	}
	return a, nil
}

// location loads a time zone; without a name it is this machine's.
func location(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone", name)
	}
	return loc, nil
}

// parseGap reads "90s-240s", "2m" or "0".
func parseGap(s string) (least, most time.Duration, err error) {
	from, to, isRange := strings.Cut(s, "-")
	if least, err = time.ParseDuration(strings.TrimSpace(from)); err != nil {
		return 0, 0, fmt.Errorf("%q is not a duration like 90s", from)
	}
	most = least
	if isRange {
		if most, err = time.ParseDuration(strings.TrimSpace(to)); err != nil {
			return 0, 0, fmt.Errorf("%q is not a duration like 240s", to)
		}
	}
	if least < 0 || most < least || most > 24*time.Hour {
		return 0, 0, fmt.Errorf("%q does not go from a shorter to a longer time below a day", s)
	}
	return least, most, nil
}

// parsePoll reads a cron expression. A time zone inside it is refused: the
// parser panics on some, and the mailbox has one already.
func parsePoll(s string, loc *time.Location) (interface{ Next(time.Time) time.Time }, error) {
	if strings.Contains(s, "TZ=") {
		return nil, fmt.Errorf("%q names a time zone; the mailbox's timezone is used", s)
	}
	spec, err := cron.ParseStandard(s)
	if err != nil {
		return nil, fmt.Errorf("%q is not a cron expression", s)
	}
	return pollTimes{spec, loc}, nil
}

// pollTimes is a cron expression read in a mailbox's time zone.
type pollTimes struct {
	spec cron.Schedule
	loc  *time.Location
}

// Next is the first poll after t.
func (p pollTimes) Next(t time.Time) time.Time { return p.spec.Next(t.In(p.loc)) }

// parseServer reads "host:port". The port says how the connection is encrypted
// (RFC 8314), on loopback too; the tls key is for ports that say nothing, and
// for servers on this machine that offer no encryption.
func parseServer(s, mode string) (mailbox.Server, error) {
	if s == "" {
		return mailbox.Server{}, fmt.Errorf("it is missing")
	}
	host, number, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return mailbox.Server{}, fmt.Errorf("%q is not host:port", s)
	}
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || port == 0 {
		return mailbox.Server{}, fmt.Errorf("%q is not a port", number)
	}
	server := mailbox.Server{Host: host, Port: int(port)}
	switch {
	case mode == "none" && !onThisMachine(host):
		return mailbox.Server{}, fmt.Errorf(`tls = "none" sends the password in clear text; %s is not on this machine`, host)
	case port == 993 || port == 465:
		server.TLS = mailbox.TLSImplicit
	case mode == "none":
		server.TLS = mailbox.TLSNone
	case port == 143 || port == 587 || mode == "starttls":
		server.TLS = mailbox.TLSStart
	case mode == "implicit":
		server.TLS = mailbox.TLSImplicit
	default:
		server.TLS = mailbox.TLSByPort
	}
	return server, nil
}

func onThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// keepsSentItself says whether a provider puts what it sends into Sent.
func keepsSentItself(smtpHost string) bool {
	return slices.ContainsFunc([]string{"gmail.com", "googlemail.com", "office365.com", "outlook.com"},
		func(provider string) bool { return strings.HasSuffix(strings.ToLower(smtpHost), provider) })
}

// authorities are the system's, and those in a file.
func authorities(file string) (*x509.CertPool, error) {
	pem, err := readPlain(file)
	if err != nil {
		return nil, fileTrouble(file, err, "")
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}
