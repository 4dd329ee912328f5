package mailbox

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"nudge/engine"
)

// canary is the password of all these tests. It must never be seen again.
const canary = "canary-7f3a\u00e9"

var smtpEmail = engine.Email{
	From: "sales@acme.test", To: "anna@customer.test",
	Raw: []byte("From: sales@acme.test\r\nTo: anna@customer.test\r\nSubject: your quote\r\n" +
		"Date: Mon, 23 Nov 2026 09:00:00 +0100\r\nMessage-ID: <touch-1@acme.test>\r\n\r\nHello Anna,\r\n.hidden dot\r\n\r\nSam\r\n"),
}

// scriptedSMTP is a server that answers each step as it was told to. Besides a
// reply, a step can be told to "cut" the connection, to be "silent", or to
// answer "late" after a duration.
type scriptedSMTP struct {
	offers  string            // EHLO lines after the first, separated by "|"
	replies map[string]string // by step: greeting, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, dot, RSET
	tls     *tls.Config
	direct  bool // TLS from the first byte
	socket  bool // over a real socket, whose writes do not wait for the reader
	wrap    func(net.Conn) net.Conn

	mu       sync.Mutex
	wg       sync.WaitGroup
	dials    int
	commands []string
	mails    []string // complete mails: the dot was read
	torn     []string // what was read of mails that never ended
}

// dial is for Account.Dial.
func (s *scriptedSMTP) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	if s.socket {
		ours, theirs = smtpSocketPair()
	}
	s.mu.Lock()
	s.dials++
	s.mu.Unlock()
	s.wg.Go(func() {
		defer ours.Close()
		s.serve(ours)
	})
	if s.wrap != nil {
		return s.wrap(theirs), nil
	}
	return theirs, nil
}

// smtpSocketPair is net.Pipe over loopback.
func smtpSocketPair() (net.Conn, net.Conn) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	theirs, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	ours, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	return ours, theirs
}

// client returns an SMTP for this server.
func (s *scriptedSMTP) client(mode TLSMode) *SMTP {
	host := "localhost"
	if mode != TLSNone {
		host = "mail.acme.test"
	}
	return &SMTP{Account: Account{
		Address: "sales@acme.test", User: "sales@acme.test",
		Password: func(context.Context) (string, error) { return canary, nil },
		SMTP:     Server{Host: host, Port: 2525, TLS: mode},
		RootCAs:  smtpCerts().roots,
		Dial:     s.dial,
	}}
}

// saw returns what has been read: complete mails and commands.
func (s *scriptedSMTP) saw() (mails []string, commands string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.mails...), strings.Join(s.commands, " ")
}

// scripted is one connection to a scriptedSMTP.
type scripted struct {
	*scriptedSMTP
	conn net.Conn
	r    *bufio.Reader
}

func (s *scriptedSMTP) serve(conn net.Conn) {
	if s.direct {
		conn = tls.Server(conn, s.tls)
	}
	c := &scripted{s, conn, bufio.NewReader(conn)}
	if !c.say("greeting", "220 mail.acme.test ESMTP") {
		return
	}
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return
		}
		verb := strings.ToUpper(strings.TrimSpace(line))
		if i := strings.IndexFunc(verb, func(r rune) bool { return r < 'A' || r > 'Z' }); i >= 0 {
			verb = verb[:i]
		}
		s.mu.Lock()
		s.commands = append(s.commands, verb)
		s.mu.Unlock()
		if verb == "QUIT" || !c.answer(verb, line) {
			return
		}
	}
}

func (c *scripted) answer(verb, line string) bool {
	switch verb {
	case "EHLO", "HELO":
		ehlo := "250-mail.acme.test"
		for offer := range strings.SplitSeq(c.offers, "|") {
			ehlo += "\r\n250-" + offer
		}
		return c.say("EHLO", ehlo+"\r\n250 HELP")
	case "STARTTLS":
		if !c.say(verb, "220 go ahead") {
			return false
		}
		if c.tls == plainText {
			return true
		}
		c.conn = tls.Server(c.conn, c.tls)
		c.r = bufio.NewReader(c.conn)
		return true
	case "AUTH":
		return c.auth(line)
	case "DATA":
		return c.data()
	case "MAIL", "RCPT", "RSET":
		return c.say(verb, "250 2.0.0 ok")
	}
	return c.say(verb, "502 5.5.2 what?")
}

// auth takes any credentials, through all three mechanisms.
func (c *scripted) auth(line string) bool {
	words := strings.Fields(line)
	if strings.Contains(c.replies["AUTH"], "ECHO") {
		return c.write(strings.ReplaceAll(c.replies["AUTH"], "ECHO", strings.TrimSpace(line)+" "+canary))
	}
	prompts := map[string][]string{"LOGIN": {"Username:", "Password:"}, "CRAM-MD5": {"<1.2@acme.test>"}}[words[1]]
	for _, prompt := range prompts {
		if !c.write("334 " + base64.StdEncoding.EncodeToString([]byte(prompt))) {
			return false
		}
		if _, err := c.r.ReadString('\n'); err != nil {
			return false
		}
	}
	return c.say("AUTH", "235 2.7.0 welcome")
}

// data reads a mail. Only one that ends with a dot is recorded.
func (c *scripted) data() bool {
	if !c.say("DATA", "354 go ahead") || c.replies["DATA"] != "" && !strings.HasPrefix(c.replies["DATA"], "354") {
		return false
	}
	if c.replies["body"] == "stall" {
		time.Sleep(time.Hour) // in a synctest bubble
	}
	var mail strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.mu.Lock()
			c.torn = append(c.torn, mail.String()+line)
			c.mu.Unlock()
			return false
		}
		if line == ".\r\n" {
			break
		}
		mail.WriteString(strings.TrimPrefix(line, "."))
	}
	c.mu.Lock()
	c.mails = append(c.mails, mail.String())
	c.mu.Unlock()
	return c.say("dot", "250 2.0.0 Ok: queued as 4XYZ")
}

// say does what the script says for a step, or the usual. False ends the
// connection.
func (c *scripted) say(step, usual string) bool {
	told, ok := c.replies[step]
	if !ok {
		return c.write(usual)
	}
	if wait, found := strings.CutPrefix(told, "late "); found {
		d, err := time.ParseDuration(wait)
		if err != nil {
			panic(err)
		}
		time.Sleep(d) // in a synctest bubble
		return c.write(usual)
	}
	switch told {
	case "cut":
		return false
	case "silent":
		for { // until the client hangs up
			if _, err := c.r.ReadByte(); err != nil {
				return false
			}
		}
	}
	return c.write(told)
}

func (c *scripted) write(text string) bool {
	_, err := c.conn.Write([]byte(text + "\r\n"))
	return err == nil
}

type smtpCertSet struct {
	roots *x509.CertPool
	good  *tls.Config // for mail.acme.test
	other *tls.Config // for another name, same authority
	wild  *tls.Config // unknown authority
	old   *tls.Config // valid, but TLS 1.1 at most
}

// smtpCerts makes the certificates of these tests once. They are also valid in
// the year in which synctest's clock starts.
var smtpCerts = sync.OnceValue(func() smtpCertSet {
	root, rootKey := smtpCert("test authority", nil, nil)
	pool := x509.NewCertPool()
	pool.AddCert(root)
	config := func(name string, parent *x509.Certificate, key *ecdsa.PrivateKey) *tls.Config {
		cert, certKey := smtpCert(name, parent, key)
		return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: certKey}}}
	}
	set := smtpCertSet{roots: pool, good: config("mail.acme.test", root, rootKey), other: config("mail.elsewhere.test", root, rootKey),
		wild: config("mail.acme.test", nil, nil)}
	set.old = set.good.Clone()
	set.old.MinVersion, set.old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	return set
})

func smtpCert(name string, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
		IsCA: parent == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		panic(err)
	}
	return cert, key
}

// smtpSend takes one email through Open and Data.
func smtpSend(t testing.TB, s *SMTP) (string, *engine.SendError) {
	t.Helper()
	d, err := s.Open(t.Context(), smtpEmail)
	if err == nil {
		var answer string
		if answer, err = d.Data(t.Context(), time.Time{}); err == nil {
			return answer, nil
		}
	}
	fail, ok := err.(*engine.SendError)
	if !ok {
		t.Fatalf("the error is a %T: %v", err, err)
	}
	return "", fail
}
