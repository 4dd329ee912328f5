package engine_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nudge/engine"
	"nudge/engine/bolt"
	"nudge/sequences"
)

// post is a post office in memory that keeps a ledger of its own. Tests judge
// the engine by the ledger and never by the engine's own memory.
type post struct {
	mu      sync.Mutex
	folders map[string][]engine.Incoming
	ledger  []dot // every mail whose final dot was written and accepted
	data    int   // how often DATA was begun

	keeps     bool   // the provider files what leaves in Sent
	rewrites  bool   // and gives it a Message-ID of its own
	strips    bool   // and drops fields it does not know
	instance  string // which nudge the copies say they are of; "" = as in the mail
	now       func() time.Time
	down      error                       // Fetch and OwnMail fail with it
	sentDown  error                       // OwnMail alone fails with it
	afterRcpt func(engine.Email)          // what happens between RCPT and the fence
	onData    func(engine.Email) error    // how DATA ends; nil = accepted
	onOpen    func(engine.Email) error    // how Open ends; nil = RCPT accepted
	onRead    func(engine.Incoming) error // how Read ends
	onFetch   func()
}

// dot is one accepted mail.
type dot struct {
	to, id, subject, sum string
}

// file puts the provider's copy of a mail into Sent. The caller holds the lock.
func (p *post) file(email engine.Email) {
	m, err := mail.ReadMessage(bytes.NewReader(email.Raw))
	if err != nil {
		panic(err)
	}
	in := engine.Incoming{Folder: "Sent", Role: engine.SentMail, UIDValidity: 1, UID: uint32(len(p.folders["Sent"]) + 1),
		MessageID: email.MessageID, From: []string{email.From}, To: []string{email.To}, Subject: email.Subject,
		Instance: m.Header.Get("X-Nudge-Instance"), Arrived: p.now()}
	for _, ref := range strings.Fields(m.Header.Get("References")) {
		in.References = append(in.References, strings.Trim(ref, "<>"))
	}
	if p.instance != "" {
		in.Instance = p.instance
	}
	if p.strips {
		in.Instance = ""
	}
	if p.rewrites {
		in.MessageID = fmt.Sprintf("given-%d@provider.example", len(p.ledger))
	}
	p.folders["Sent"] = append(p.folders["Sent"], in)
}

func (p *post) OwnMail(_ context.Context, since time.Time) ([]engine.Incoming, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := cmp.Or(p.down, p.sentDown); err != nil {
		return nil, err
	}
	if !p.keeps {
		return nil, engine.ErrNoSent
	}
	return slices.DeleteFunc(slices.Clone(p.folders["Sent"]), func(in engine.Incoming) bool { return in.Arrived.Before(since) }), nil
}

// deliver puts a message into a folder.
func (p *post) deliver(folder string, in engine.Incoming) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.folders == nil {
		p.folders = map[string][]engine.Incoming{}
	}
	in.Folder, in.UIDValidity = folder, 1
	in.UID = uint32(len(p.folders[folder]) + 1)
	if in.Kind == "" {
		in.Kind = engine.Reply
	}
	p.folders[folder] = append(p.folders[folder], in)
}

// move takes the newest message of a folder to another.
func (p *post) move(from, to string) {
	p.mu.Lock()
	last := len(p.folders[from]) - 1
	in := p.folders[from][last]
	p.folders[from][last].UID = 0 // its UID is spent
	p.mu.Unlock()
	p.deliver(to, in)
}

func (p *post) Fetch(_ context.Context, cursor engine.Cursor) ([]engine.Incoming, engine.Cursor, error) {
	if p.onFetch != nil {
		p.onFetch()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down != nil {
		return nil, cursor, p.down
	}
	next := engine.Cursor{Folders: map[string]engine.FolderCursor{}}
	var ins []engine.Incoming
	for name, mails := range p.folders {
		from := max(cursor.Folders[name].UIDNext, 1)
		for _, in := range mails {
			if in.UID >= from {
				in.Kind, in.Evidence = "", ""
				if in.Role != engine.SentMail && in.Instance == "" {
					in.Arrived = time.Time{}
				}
				ins = append(ins, in)
			}
		}
		next.Folders[name] = engine.FolderCursor{UIDValidity: 1, UIDNext: uint32(len(mails) + 1)}
	}
	return ins, next, nil
}

func (p *post) Read(_ context.Context, in engine.Incoming, _ engine.Touched) (engine.Incoming, error) {
	if p.onRead != nil {
		if err := p.onRead(in); err != nil {
			return in, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.folders[in.Folder] {
		if m.UID == in.UID {
			return m, nil
		}
	}
	return in, engine.ErrMoved
}

func (p *post) Wait(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func (p *post) Open(_ context.Context, email engine.Email) (engine.Delivery, error) {
	if p.onOpen != nil {
		if err := p.onOpen(email); err != nil {
			return nil, err
		}
	}
	if p.afterRcpt != nil {
		p.afterRcpt(email)
	}
	return &dialogue{p, email}, nil
}

type dialogue struct {
	post  *post
	email engine.Email
}

func (d *dialogue) Data(context.Context, time.Time) (string, error) {
	d.post.mu.Lock()
	d.post.data++
	d.post.mu.Unlock()
	if d.post.onData != nil {
		if err := d.post.onData(d.email); err != nil {
			return "", err
		}
	}
	d.post.mu.Lock()
	defer d.post.mu.Unlock()
	d.post.ledger = append(d.post.ledger, dot{d.email.To, d.email.MessageID, d.email.Subject, d.email.SHA256})
	if d.post.keeps {
		d.post.file(d.email)
	}
	return "250 ok", nil
}

func (d *dialogue) Close() error { return nil }

// sentTo counts the accepted mails to an address.
func (p *post) sentTo(addr string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, d := range p.ledger {
		if d.to == addr {
			n++
		}
	}
	return n
}

// lost is a connection that broke after the final dot.
func lost(engine.Email) error {
	return &engine.SendError{Phase: engine.PhaseDot, Outcome: engine.Unknown, Err: errors.New("connection lost after the final dot")}
}

const threeTouches = `---
name: Quote
send: always
---

## 1. First

` + "```step\nwait: 0\nsubject: Quote {{ quote_no }}\n```" + `

Hi {{ first_name }}, did it arrive?

## 2. Second

` + "```step\nwait: 3 days\n```" + `

Any questions?

## 3. Third

` + "```step\nwait: 4 days\n```" + `

Shall I close the file?
`

// shelf is a library of sequences that a test wrote.
type shelf map[string]*sequences.Sequence

func (s shelf) Sequence(name string) (*sequences.Sequence, bool) { seq, ok := s[name]; return seq, ok }
func (s shelf) Names() []string                                  { return nil }
func (s shelf) Broken() []error                                  { return nil }
func (s shelf) Read() (engine.Reading, error)                    { return nil, errors.New("a test reads no files") }

func sequence(t testing.TB, name, source string) *sequences.Sequence {
	t.Helper()
	seq, err := sequences.Parse(name+".md", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// office is an engine with its memory and a post office, at a simulated time.
type office struct {
	*post
	t       testing.TB
	path    string
	machine string // "" = this one
	store   engine.Store
	lib     shelf
	engine  *engine.Engine
	desk    *engine.Desk
	now     time.Time
	wrap    func(engine.Store) engine.Store
}

var start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) // a Monday

func newOffice(t testing.TB) *office {
	t.Helper()
	return newOfficeOn(t, "")
}

func newOfficeOn(t testing.TB, machine string) *office {
	t.Helper()
	o := &office{post: &post{folders: map[string][]engine.Incoming{"INBOX": nil}}, t: t, path: t.TempDir() + "/nudge.db", machine: machine, now: start,
		lib: shelf{"quote": sequence(t, "quote", threeTouches)}}
	o.post.now = func() time.Time { return o.now }
	o.restart()
	return o
}

func settings() engine.Mailbox {
	return engine.Mailbox{Name: "sales", Address: "anna@bergroofing.example", DisplayName: "Anna Berg",
		Aliases: []string{"info@bergroofing.example"}, Location: time.UTC, Signature: "Anna Berg"}
}

// restart ends the process and starts the next one on what is on disk.
func (o *office) restart() {
	o.t.Helper()
	if c, ok := o.store.(interface{ Close() error }); ok {
		_ = c.Close()
	}
	db, err := bolt.Open(o.path, bolt.Options{NoSync: true, Machine: o.machine})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = db.Close() })
	o.store = db
	var store engine.Store = db
	if o.wrap != nil {
		store = o.wrap(db)
	}
	m := settings()
	if o.engine != nil {
		m = o.engine.Mailbox
	}
	o.engine = &engine.Engine{Mailbox: m, Store: store, Library: o.lib, Sender: o.post, Inbox: o.post, Log: slog.New(slog.DiscardHandler)}
	o.desk = &engine.Desk{Store: db, Library: o.lib, Mailboxes: []engine.Mailbox{m}, Engines: []*engine.Engine{o.engine}, Now: func() time.Time { return o.now }}
}

func (o *office) enroll(addr string) engine.View {
	o.t.Helper()
	v, err := o.desk.Enroll(o.t.Context(), engine.EnrollRequest{Sequence: "quote", Address: addr, Name: "Per Holm",
		Fields: map[string]string{"quote_no": "1042"}})
	if err != nil {
		o.t.Fatal(err)
	}
	return v
}

// tick does one round at the office's time.
func (o *office) tick() (time.Time, error) {
	next, err := o.engine.Tick(o.t.Context(), o.now)
	if err == nil {
		err = o.engine.Finish(o.now)
	}
	return next, err
}

func (o *office) mustTick() {
	o.t.Helper()
	if _, err := o.tick(); err != nil {
		o.t.Fatal(err)
	}
}

// run goes on, a tick each six hours and whenever the engine asks, for a time.
func (o *office) run(span time.Duration) {
	o.t.Helper()
	for end := o.now.Add(span); o.now.Before(end); {
		next, err := o.tick()
		if err != nil {
			o.t.Fatal(err)
		}
		if !next.IsZero() && !next.After(o.now) {
			continue // more is due at this very moment
		}
		step := o.now.Add(6 * time.Hour)
		if next.After(o.now) && next.Before(step) {
			step = next
		}
		o.now = step
	}
}

func (o *office) view(addr string) engine.View {
	o.t.Helper()
	story, err := o.desk.Show(o.t.Context(), addr)
	if err != nil {
		o.t.Fatal(err)
	}
	return story.Enrollments[0]
}

// wants checks where an enrollment stands.
func (o *office) wants(addr string, state engine.State, reason engine.Reason, dots int) {
	o.t.Helper()
	v := o.view(addr)
	if v.State != state || v.Reason != string(reason) {
		o.t.Errorf("%s is %s (%s), want %s (%s)\n%s", addr, v.State, v.Reason, state, reason, o.story(addr))
	}
	if got := o.sentTo(addr); got != dots {
		o.t.Errorf("%s got %d mails, want %d\n%s", addr, got, dots, o.story(addr))
	}
}

func (o *office) story(addr string) string {
	story, err := o.desk.Show(o.t.Context(), addr)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, ev := range story.History {
		fmt.Fprintf(&b, "  %s %s %s %v\n", ev.At.Format(time.DateTime), ev.Kind, ev.Step, ev.Detail)
	}
	return b.String()
}

// lastID is the Message-ID of the newest mail to an address.
func (o *office) lastID(addr string) string {
	o.t.Helper()
	for _, d := range slices.Backward(o.ledger) {
		if d.to == addr {
			return d.id
		}
	}
	o.t.Fatalf("nothing was sent to %s", addr)
	return ""
}
