package localmail

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// Person is someone at the other end. Mail that arrives for them by SMTP is
// read; what they do about it stands in Acts.
type Person struct {
	Name    string
	Address string
	Style   Style
	Refuses string // with this text their server answers RCPT with 550 5.1.1; "" = it accepts
	Acts    []Act  // none = reads and never answers
}

// Act is something a person, or a machine of theirs, does about a mail.
type Act struct {
	On    int           // the n-th mail they get, from 1; 0 = every mail
	After time.Duration // from its arrival
	Do    Deed

	From    string    // another address of theirs to write from; "" = the one that was written to
	Subject string    // of a NewMail; elsewhere "" is what mail programs make of the subject they answer
	Text    string    // what they write, LF line ends; "" has an AutoReply name its date
	Until   time.Time // AutoReply: the last day of the absence
}

// Deed is what an Act does.
type Deed string

const (
	Answer    Deed = "answer"     // a reply in the thread, with the mail quoted as Style does
	NewMail   Deed = "new mail"   // a mail of its own: no Re:, no In-Reply-To, no References
	AutoReply Deed = "auto-reply" // an absence notice by their server (RFC 3834)
	BounceOff Deed = "bounce"     // a delivery report by their server (RFC 3464), status 5.1.1
)

// Written is a mail that an act delivered.
type Written struct {
	At        time.Time
	By        string // the person's address
	From      string // the address it was written from
	To        string
	Folder    string // where it was filed
	Deed      Deed
	MessageID string // without angle brackets
	Subject   string
	Text      string // what they wrote themselves, without what they quoted; "" for a BounceOff
	Raw       []byte
}

// person is a Person and the mail they got so far.
type person struct {
	Person
	got int
}

// received is one mail for a person.
type received struct {
	from, to string // envelope
	raw      []byte
	at       time.Time
}

// plan is an act with its time.
type plan struct {
	Written
	order int
}

// AddPerson puts someone at the other end, in place of whoever had the address.
func (p *Provider) AddPerson(someone Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.people[key(someone.Address)] = &person{Person: someone}
}

// NextEvent is when the next act is due; false when nobody has planned any.
func (p *Provider) NextEvent() (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.plans) == 0 {
		return time.Time{}, false
	}
	return p.plans[0].At, true
}

// Advance carries out every act that is due at now, and returns the mails it
// delivered, oldest first. Each carries the time of its act, as its Date and as
// its arrival. Mail to an address that is no mailbox here is dropped.
func (p *Provider) Advance(now time.Time) []Written {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Written
	for len(p.plans) > 0 && !p.plans[0].At.After(now) {
		w := p.plans[0].Written
		p.plans = p.plans[1:]
		a := p.accounts[key(w.To)]
		if a == nil {
			continue
		}
		w.Folder = a.folderFor(w.Raw)
		a.add(w.Folder, "").append(w.Raw, nil, w.At)
		out = append(out, w)
	}
	if len(out) > 0 {
		p.notify()
	}
	return out
}

// plan decides what someone does about a mail; p.mu is held.
func (p *Provider) plan(someone *person, r received) {
	someone.got++
	read := readOriginal(r.raw)
	for i, act := range someone.Acts {
		if act.On != 0 && act.On != someone.got {
			continue
		}
		if act.From == "" {
			act.From = someone.Address
		}
		l := letter{
			person: someone.Person, act: act, original: read,
			to: read.from.Address, toName: read.from.Name,
			at: r.at.Add(act.After),
			id: someone.messageID(someone.got, i, act),
		}
		if l.to == "" || act.Do == BounceOff {
			l.to, l.toName = r.from, ""
		}
		p.planned++
		p.plans = append(p.plans, plan{order: p.planned, Written: Written{
			At: l.at, By: someone.Address, From: act.From, To: l.to, Deed: act.Do, MessageID: l.id,
			Subject: l.subject(), Text: l.text(), Raw: l.bytes(),
		}})
	}
	slices.SortStableFunc(p.plans, func(a, b plan) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.By, b.By), cmp.Compare(a.order, b.order))
	})
}

// messageID is the same in every run.
func (someone *person) messageID(mail, act int, a Act) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", key(someone.Address), mail, act))
	id := hex.EncodeToString(sum[:12])
	switch {
	case a.Do == BounceOff:
		return id + "@mx." + domain(someone.Address)
	case someone.Style == Gmail:
		return "CA+" + id + "@mail.gmail.com"
	case someone.Style == Outlook:
		return "AM0PR01MB" + id + "@AM0PR01MB0001.eurprd01.prod.outlook.com"
	}
	return id + "@" + domain(a.From)
}

// refusal is the text with which an address is refused at RCPT.
func (p *Provider) refusal(to string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if someone := p.people[key(to)]; someone != nil {
		return someone.Refuses
	}
	return ""
}
