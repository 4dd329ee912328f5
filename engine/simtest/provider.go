package simtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"nudge/engine"
)

// provider is the mail provider of one mailbox: its folders, and what the world
// knows about the mail that passed through it. It never reads the engine's state.
type provider struct {
	w       *World
	mailbox engine.Mailbox
	folders []*folder
	outages []outage
	unread  []*letter // no look at all folders has passed over them yet

	cursor     map[string]engine.FolderCursor
	cursorFree bool           // after a restore it may go back
	compared   int            // how often the state was compared with Sent
	able       time.Time      // when it was last read to its end, by the engine's clock
	gaps       [][2]time.Time // more than a day in which it was not
}

// folder is an IMAP folder. The UID of place i is i+1; a place whose letter was
// moved or removed is nil.
type folder struct {
	name     string
	role     engine.Role
	validity uint32
	places   []*letter
}

// letter is one mail in the mailbox, with the truth about it.
type letter struct {
	in      engine.Incoming // complete; where it lies is filled when it is read
	who     *person         // whom it concerns; nil = nobody we know
	arrived time.Time
	effect  effect
	until   time.Time // for absent: nothing may leave before it
	byHand  bool      // the owner wrote it
	seq     string    // to which sequence's mail it is an acknowledgement, or in whose thread the owner wrote
	lies    *provider // in whose folders
	read    time.Time // when a look at them that began after it arrived was over
}

// effect is what a letter must do.
type effect int

const (
	nothing effect = iota
	stops          // nothing may leave to this person any more
	absent         // nothing may leave until a date
	asks           // nothing may leave until a person said so
)

// outage is a time in which the provider does not answer.
type outage struct {
	from, to time.Time
	what     outageKind
}

type outageKind int

const (
	imapDown outageKind = iota
	smtpDown
	loginRefused
	throttled
	policyRefused
	allDown
)

var errDown = errors.New("connection refused")

func newProvider(w *World, m engine.Mailbox) *provider {
	p := &provider{w: w, mailbox: m, cursor: map[string]engine.FolderCursor{}}
	for _, f := range []folder{{name: "INBOX", role: engine.Inboxed}, {name: "Junk", role: engine.Junk}, {name: "Archive", role: engine.Archive},
		{name: "Clients"}, {name: "Sent", role: engine.SentMail}, {name: "Trash", role: engine.Trash}} {
		f.validity = 1
		p.folders = append(p.folders, &f)
	}
	if w.conf.allMail {
		p.folders = append(p.folders, &folder{name: "All", role: engine.AllMail, validity: 1})
	}
	return p
}

func (p *provider) folder(name string) *folder {
	for _, f := range p.folders {
		if f.name == name {
			return f
		}
	}
	return nil
}

// newID is a Message-ID that the engine did not make. The caller holds the lock.
func (w *World) newID() string {
	w.made++
	return fmt.Sprintf("m%d@elsewhere.example", w.made)
}

// deliver puts a letter into a folder, now.
func (p *provider) deliver(name string, l *letter) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.deliverLocked(name, l)
}

func (p *provider) deliverLocked(name string, l *letter) {
	l.arrived, l.lies = time.Now(), p
	l.in.Arrived = l.arrived.Truncate(time.Second)
	if l.in.MessageID == "" {
		l.in.MessageID = p.w.newID()
	}
	f := p.folder(name)
	f.places = append(f.places, l)
	if all := p.folder("All"); all != nil && f.role != engine.Junk && f.role != engine.Trash {
		all.places = append(all.places, l)
	}
	p.w.letters, p.unread = append(p.w.letters, l), append(p.unread, l)
	if l.who != nil {
		p.w.tellLocked(l.who, "%s arrives in %s (%s)", l.in.Kind, p.called(name), l.in.Evidence)
		l.who.letters = append(l.who.letters, l)
	}
}

// called is how the story names a folder.
func (p *provider) called(folder string) string {
	if len(p.w.providers) == 1 {
		return folder
	}
	return folder + " of " + p.mailbox.Name
}

// move takes a letter out of a folder and puts it into another, under a new
// UID there.
func (p *provider) move(l *letter, from, to string) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	f := p.folder(from)
	i := slices.Index(f.places, l)
	if i < 0 || from == to {
		return
	}
	f.places[i] = nil
	f = p.folder(to)
	f.places = append(f.places, l)
	if l.who != nil {
		p.w.tellLocked(l.who, "%s is moved from %s to %s", l.in.Kind, p.called(from), to)
	}
}

// renumber gives a folder a new UIDVALIDITY, and its letters new UIDs.
func (p *provider) renumber(name string) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	f := p.folder(name)
	f.validity++
	f.places = slices.DeleteFunc(f.places, func(l *letter) bool { return l == nil })
	p.w.figures.add("UIDVALIDITY changed")
	p.w.tellLocked(nil, "%s has a new UIDVALIDITY", p.called(name))
}

// noteRead notes that a look at all folders which began at a moment found
// nothing new: what arrived before it has been read.
func (p *provider) noteRead(from time.Time) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	now := time.Now()
	p.unread = slices.DeleteFunc(p.unread, func(l *letter) bool {
		if l.arrived.After(from) {
			return false
		}
		l.read = now
		return true
	})
}

// forget makes those letters unread again of which an older state that was put
// back knows nothing. The caller holds the lock.
func (p *provider) forget(since time.Time) {
	for _, l := range p.w.letters {
		if l.lies == p && l.read.After(since) {
			l.read = time.Time{}
			p.unread = append(p.unread, l)
		}
	}
}

// noise is a mail that concerns nobody.
func (p *provider) noise() {
	folders := []string{"INBOX", "INBOX", "Junk", "Clients"}
	n := int(p.w.roll("noise folder") * float64(len(folders)))
	p.deliver(folders[n], &letter{in: engine.Incoming{From: []string{"news@shop.example"}, To: []string{p.mailbox.Address},
		Subject: "This week", Kind: engine.Other, Report: n == 0}})
}

// out says whether something is down now.
func (p *provider) out(kinds ...outageKind) bool {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	now := time.Now()
	return slices.ContainsFunc(p.outages, func(o outage) bool {
		return slices.Contains(append(kinds, allDown), o.what) && !now.Before(o.from) && now.Before(o.to)
	})
}

// recover ends every outage.
func (p *provider) recover() {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	now := time.Now()
	for i := range p.outages {
		if p.outages[i].to.After(now) {
			p.outages[i].to = now
		}
	}
}

// accepted is what the provider does with a mail that it took: it hands it to
// the recipient, and files its own copy where it does that.
func (p *provider) accepted(d *dot, raw []byte) {
	c := p.w.conf
	sent, err := sentLetter(raw)
	if err != nil {
		p.w.violate("5.9: bytes", d.who, "the mail cannot be read: %v", err)
		return
	}
	p.w.mu.Lock()
	if c.rewrites {
		if c.keepsOldID {
			sent.in.OriginalID = sent.in.MessageID
		}
		sent.in.MessageID = p.w.newID()
	}
	if c.strips {
		sent.in.Instance = ""
	}
	p.w.mu.Unlock()
	dice := p.w.dice("copy "+key(d.who, d.seq, d.step), len(p.w.ledger))
	switch c.savesSent {
	case savesAtOnce:
		p.deliver("Sent", sent)
	case savesLate:
		p.w.after(span(dice, time.Second, c.saveDelay), func() { p.deliver("Sent", sent) })
	}
	d.who.receives(p, d, sent.in)
}

// keepSent answers engine.SentKeeper.KeepSent.
func (p *provider) keepSent(ctx context.Context, s *side, raw []byte) error {
	if err := s.pause(ctx, "imap command", time.Millisecond, 50*time.Millisecond); err != nil {
		return err
	}
	if p.out(imapDown) {
		return errDown
	}
	sent, err := sentLetter(raw)
	if err != nil {
		return err
	}
	p.deliver("Sent", sent)
	return nil
}

// sentLetter is what lies in Sent of a mail with these bytes.
func sentLetter(raw []byte) (*letter, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	from, err := m.Header.AddressList("From")
	if err != nil {
		return nil, err
	}
	to, err := m.Header.AddressList("To")
	if err != nil {
		return nil, err
	}
	in := engine.Incoming{MessageID: bare(m.Header.Get("Message-Id")), InReplyTo: bares(m.Header.Get("In-Reply-To")),
		References: bares(m.Header.Get("References")), From: []string{from[0].Address}, To: []string{to[0].Address},
		Subject: m.Header.Get("Subject"), Instance: m.Header.Get("X-Nudge-Instance")}
	return &letter{in: in}, nil
}

func bare(id string) string { return strings.Trim(strings.TrimSpace(id), "<>") }

func bares(ids string) []string {
	var out []string
	for _, id := range strings.Fields(ids) {
		out = append(out, bare(id))
	}
	return out
}
