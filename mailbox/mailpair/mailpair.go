package mailpair

import (
	"bytes"
	"crypto/x509"
	"embed"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The three mailboxes of every pair.
const (
	Sales    = "sales@acme.test"
	Prospect = "prospect@customer.test"
	Other    = "other@customer.test"
)

// Formats in which Dovecot can store mail.
const (
	Maildir = "maildir"
	Mdbox   = "mdbox"
)

// Config says how a pair differs from the usual one. Its zero value is the
// usual one.
type Config struct {
	Format     string // Maildir (the default) or Mdbox
	Capability string // what IMAP claims to be able to, like "IMAP4rev1 UIDPLUS"; "" is everything
}

// Pair is a running Postfix and Dovecot.
type Pair struct {
	Dir        string         // everything of the pair, also log/postfix.log and log/dovecot.log
	CA         *x509.CertPool // signed the servers' certificate, which is for localhost, mail.acme.test and 127.0.0.1
	IMAP       string         // host:port, STARTTLS required
	IMAPS      string         // host:port, TLS
	SMTP       string         // host:port, no login: mail "from the internet" to the pair's own domains
	Submission string         // host:port, STARTTLS and login required
	SMTPS      string         // host:port, TLS and login required
	Password   string         // of all three accounts

	format string
}

//go:embed up down conf
var scripts embed.FS

// Start brings up a pair and ends it with the test.
func Start(tb testing.TB) *Pair {
	tb.Helper()
	return Config{}.Start(tb)
}

// Start brings up a pair of this kind and ends it with the test.
func (c Config) Start(tb testing.TB) *Pair {
	tb.Helper()
	if missing := missing(); missing != "" {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("real-server test: %s; install postfix dovecot-imapd dovecot-lmtpd openssl", missing)
		}
		tb.Skipf("SKIPPED real-server test: install postfix dovecot-imapd dovecot-lmtpd openssl (%s)", missing)
	}
	bin := tb.TempDir()
	if err := unpack(bin); err != nil {
		tb.Fatal(err)
	}
	// Ports are chosen, then taken: another pair may take one in between.
	var out []byte
	var err error
	for range 3 {
		if out, err = c.up(tb, bin); err == nil {
			break
		}
	}
	if err != nil {
		tb.Fatalf("mail servers did not start: %v", err)
	}
	p, err := parse(out)
	if err != nil {
		tb.Fatal(err)
	}
	p.format = c.Format
	tb.Cleanup(func() { p.down(tb, bin) })
	return p
}

// missing says what this machine lacks, or "".
func missing() string {
	if os.Geteuid() != 0 {
		return "not run as root"
	}
	for _, program := range []string{"dovecot", "postconf", "openssl", "bash"} {
		if _, err := lookPath(program); err != nil {
			return program + " is missing"
		}
	}
	for _, file := range []string{"/usr/lib/dovecot/imap", "/usr/lib/dovecot/lmtp"} {
		if _, err := os.Stat(file); err != nil {
			return file + " is missing"
		}
	}
	out, err := command("dovecot", "--version").Output()
	if version := string(out); err != nil || !strings.HasPrefix(version, "2.3.") {
		return "Dovecot 2.3 is needed, this is " + strings.TrimSpace(version)
	}
	return ""
}

// lookPath also looks where servers are installed and people are not.
func lookPath(program string) (string, error) {
	path, err := exec.LookPath(program)
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if err != nil {
			path, err = exec.LookPath(filepath.Join(dir, program))
		}
	}
	return path, err
}

func command(program string, args ...string) *exec.Cmd {
	if path, err := lookPath(program); err == nil {
		program = path
	}
	return exec.Command(program, args...)
}

// unpack writes the scripts, so that they run wherever the test does.
func unpack(dir string) error {
	return fs.WalkDir(scripts, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, name)
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		content, err := scripts.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o755)
	})
}

func (c Config) up(tb testing.TB, bin string) ([]byte, error) {
	cmd := exec.Command(filepath.Join(bin, "up"))
	cmd.Env = append(os.Environ(), "MAILPAIR_FORMAT="+c.Format, "MAILPAIR_CAPABILITY="+c.Capability)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		tb.Logf("up: %v\n%s", err, stderr.Bytes())
	}
	return out, err
}

func (p *Pair) down(tb testing.TB, bin string) {
	if tb.Failed() {
		for _, name := range []string{"dovecot.log", "postfix.log"} {
			if log, err := os.ReadFile(filepath.Join(p.Dir, "log", name)); err == nil {
				tb.Logf("end of %s:\n%s", name, log[max(0, len(log)-3000):])
			}
		}
	}
	if out, err := exec.Command(filepath.Join(bin, "down"), p.Dir).CombinedOutput(); err != nil {
		tb.Errorf("mail servers did not end: %v\n%s", err, out)
	}
}

// parse reads what up prints.
func parse(out []byte) (*Pair, error) {
	vars := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		vars[name] = value
	}
	p := &Pair{
		Dir: vars["MAILPAIR_DIR"], CA: x509.NewCertPool(),
		IMAP: vars["MAILPAIR_IMAP"], IMAPS: vars["MAILPAIR_IMAPS"], SMTP: vars["MAILPAIR_SMTP"],
		Submission: vars["MAILPAIR_SUBMISSION"], SMTPS: vars["MAILPAIR_SMTPS"], Password: vars["MAILPAIR_PASSWORD"],
	}
	pem, err := os.ReadFile(vars["MAILPAIR_CA"])
	if err != nil {
		return nil, err
	}
	if !p.CA.AppendCertsFromPEM(pem) {
		return nil, errors.New("the pair's authority cannot be read")
	}
	return p, nil
}
