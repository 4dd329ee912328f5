package simtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"nudge/engine"
)

// inbox is where one side's mail comes in.
type inbox struct{ *side }

// inbox has KeepSent only where the mailbox is set to keep copies.
func (s *side) inbox() engine.Inbox {
	if s.at.mailbox.SaveSent {
		return keeper{inbox{s}}
	}
	return inbox{s}
}

func (b inbox) Fetch(ctx context.Context, cursor engine.Cursor) (ins []engine.Incoming, next engine.Cursor, err error) {
	p := b.p
	from := time.Now()
	err = b.io("Inbox.Fetch", func() (err error) {
		if stall := p.w.stall("Inbox.Fetch" + b.tag); stall > 0 {
			if err := b.pause(ctx, "stall", stall, stall+time.Second); err != nil {
				return err
			}
		}
		ins, next, err = b.at.fetch(ctx, b.side, cursor)
		return err
	})
	if err != nil {
		return nil, cursor, err
	}
	if !next.More && sameFolders(cursor, next) {
		p.mu.Lock()
		b.quietFrom, b.quietTo = from, time.Now()
		p.mu.Unlock()
		b.at.ableNow()
		b.at.noteRead(from)
	}
	return ins, next, nil
}

func (b inbox) Read(ctx context.Context, in engine.Incoming, _ engine.Touched) (engine.Incoming, error) {
	whole, err := ask(b.side, "Inbox.Read", func() (engine.Incoming, error) { return b.at.read(ctx, b.side, in) })
	if err != nil {
		return in, err
	}
	return whole, nil
}

// Wait announces nothing: whatever arrives is found by looking.
func (b inbox) Wait(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func (b inbox) OwnMail(ctx context.Context, since time.Time) ([]engine.Incoming, error) {
	return ask(b.side, "Inbox.OwnMail", func() ([]engine.Incoming, error) { return b.at.ownMail(ctx, b.side, since) })
}

// keeper is an inbox that can file copies of sent mail.
type keeper struct{ inbox }

func (k keeper) KeepSent(ctx context.Context, raw []byte) error {
	return k.io("Inbox.KeepSent", func() error { return k.at.keepSent(ctx, k.side, raw) })
}

// sender is where one side's mail goes out.
type sender struct{ *side }

// Open brings a dialogue to RCPT, or ends it where the server says no.
func (s sender) Open(ctx context.Context, email engine.Email) (engine.Delivery, error) {
	p := s.p
	who, seq, step, err := p.addressee(email)
	if err != nil {
		p.w.violate("5.9: bytes", nil, "%v", err)
		return nil, &engine.SendError{Phase: engine.PhaseConnect, Outcome: engine.Deferred, Err: err}
	}
	d := &delivery{side: s.side, email: email, who: who, seq: seq, step: step}
	_ = s.pause(ctx, "knock "+d.name(), 0, time.Millisecond) // a volley's go one after the other
	if se := asSend(s.io("Sender.Open", func() error { return d.open(ctx) })); se != nil {
		if p.ctx.Err() == nil && !p.isDead() { // else a volley is cut all at once, in no order
			p.w.tell(who, "%s %s: RCPT not reached: %v", seq, step, se)
		}
		return nil, se
	}
	d.rcpt = time.Now()
	return d, nil
}

// asSend makes a *engine.SendError of what broke before the dot.
func asSend(err error) *engine.SendError {
	if err == nil {
		return nil
	}
	if se, ok := errors.AsType[*engine.SendError](err); ok {
		return se
	}
	return &engine.SendError{Phase: engine.PhaseConnect, Outcome: engine.Deferred, Err: err}
}

// delivery is one dialogue between RCPT and DATA.
type delivery struct {
	*side
	email     engine.Email
	who       *person
	seq, step string
	rcpt      time.Time
	began     time.Time // its first byte
	fence     time.Time // when the last quiet look before it began
	claimed   time.Time // by the engine's clock
	gap       int       // in which of the world's gaps, from 1
	late      bool      // its moment passed while nothing could be sent
	closed    bool
}

func (d *delivery) name() string { return key(d.who, d.seq, d.step) }

func (d *delivery) open(ctx context.Context) error {
	w := d.p.w
	if err := d.pause(ctx, "open "+d.name(), 20*time.Millisecond, 400*time.Millisecond); err != nil {
		return err
	}
	if w.onRCPT != nil {
		w.onRCPT()
	}
	if d.who.temper == crosser {
		d.who.crosses(d.at)
	}
	no := func(phase engine.SendPhase, code int, enhanced, text string) error {
		return refusal(phase, code, enhanced, text)
	}
	switch {
	case d.at.out(smtpDown):
		return no(engine.PhaseConnect, 0, "", "connection refused")
	case d.at.out(loginRefused):
		return no(engine.PhaseAuth, 535, "5.7.8", "authentication failed")
	case d.at.out(throttled):
		return no(engine.PhaseRcpt, 451, "4.7.1", "too many mails, slow down")
	case d.who.temper == gone:
		return no(engine.PhaseRcpt, 550, "5.1.1", "no such user")
	case d.who.temper == greylisted && !w.isCalm() && w.roll("greylisting of "+d.name()) < 0.6:
		return no(engine.PhaseRcpt, 450, "4.2.0", "greylisted")
	}
	if w.scripted != nil || w.isCalm() || w.roll("open fails "+d.name()) > w.conf.smtp/3 {
		return nil
	}
	w.figures.add("SMTP before DATA")
	switch int(w.roll("how open fails "+d.name()) * 6) {
	case 0:
		return no(engine.PhaseConnect, 421, "4.3.2", "shutting down")
	case 1:
		return no(engine.PhaseTLS, 0, "", "handshake failed")
	case 2:
		return no(engine.PhaseMail, 452, "4.3.1", "out of storage")
	case 3:
		return no(engine.PhaseRcpt, 451, "4.3.0", "try again")
	case 4:
		return no(engine.PhaseRcpt, 0, "", "connection lost")
	}
	if stall := d.pause(ctx, "stall", 10*time.Second, 5*time.Minute); stall != nil {
		return no(engine.PhaseConnect, 0, "", "no answer in time")
	}
	return nil
}

// refusal is a server's no, or a lost connection when code is 0.
func refusal(phase engine.SendPhase, code int, enhanced, text string) *engine.SendError {
	outcome := engine.Deferred
	if code >= 500 {
		outcome = engine.Refusal
	}
	return &engine.SendError{Phase: phase, Outcome: outcome, Code: code, Enhanced: enhanced, Err: fmt.Errorf("%d %s %s", code, enhanced, text)}
}

func (d *delivery) Close() error { d.closed = true; return nil }

// Data sends the mail. What becomes of it is the world's affair; what the
// process hears of that is another matter.
func (d *delivery) Data(ctx context.Context, before time.Time) (answer string, err error) {
	p, w := d.p, d.p.w
	p.flying.Add(1)
	defer p.flying.Add(-1)
	if d.closed {
		w.violate("5.9: data", d.who, "DATA after the dialogue was closed")
	}
	_ = d.pause(ctx, "knock "+d.name(), 0, time.Millisecond)
	if err := d.point("Sender.Data", false); err != nil {
		return "", &engine.SendError{Phase: engine.PhaseData, Outcome: engine.Deferred, Err: err}
	}
	se := d.begin(ctx, before)
	if se != nil {
		if p.ctx.Err() == nil && !p.isDead() {
			w.tell(d.who, "%s %s: no dot: %v", d.seq, d.step, se)
		}
		return "", se
	}
	w.checkData(d)
	if w.onDATA != nil {
		w.onDATA()
	}
	if d.who.temper == crosser {
		d.who.crosses(d.at)
	}
	if d.pause(ctx, "data "+d.name(), 5*time.Millisecond, 900*time.Millisecond) != nil {
		w.mu.Lock()
		delete(w.flying, d)
		w.mu.Unlock()
		return "", &engine.SendError{Phase: engine.PhaseData, Outcome: engine.Deferred, Err: errDead}
	}
	return d.dot(ctx)
}

// begin is DATA up to the server's 354.
func (d *delivery) begin(ctx context.Context, before time.Time) *engine.SendError {
	p, w := d.p, d.p.w
	if err := d.pause(ctx, "354 "+d.name(), time.Millisecond, 60*time.Millisecond); err != nil {
		return &engine.SendError{Phase: engine.PhaseData, Outcome: engine.Deferred, Err: err}
	}
	if w.scripted == nil && !w.isCalm() && w.roll("data fails "+d.name()) < w.conf.smtp/3 {
		w.figures.add("SMTP in DATA")
		switch int(w.roll("how data fails "+d.name()) * 4) {
		case 0:
			return refusal(engine.PhaseData, 451, "4.3.0", "try again")
		case 1:
			return refusal(engine.PhaseData, 0, "", "connection lost before the dot")
		case 2:
			return refusal(engine.PhaseData, 421, "4.4.2", "closing")
		}
		_ = d.pause(ctx, "stall", time.Second, 20*time.Second) // the server thinks before it says 354
	}
	if p.isDead() {
		return &engine.SendError{Phase: engine.PhaseData, Outcome: engine.Deferred, Err: errDead}
	}
	if !before.IsZero() && time.Now().After(before) {
		return refusal(engine.PhaseData, 0, "", "the server was not ready in time")
	}
	return nil
}

// dot is the final dot and the answer to it.
func (d *delivery) dot(ctx context.Context) (string, error) {
	p, w := d.p, d.p.w
	sum := sha256.Sum256(d.email.Raw)
	w.mu.Lock()
	mail := &dot{from: d.at, at: d.began, clock: d.began.Add(w.offset), claimed: d.claimed, who: d.who, seq: d.seq, step: d.step,
		late: d.late, gap: d.gap, variant: variantIn(d.email.Raw), id: d.email.MessageID, sum: hex.EncodeToString(sum[:]), starts: p.number}
	w.mu.Unlock()
	se, told := w.verdict(d)
	mail.accepted = se == nil || se.Outcome == engine.Unknown && se.Code == accepted
	w.keepDot(d, mail)
	how := "accepted"
	if !mail.accepted {
		how = fmt.Sprint("not accepted: ", se)
	}
	w.tell(d.who, "%s %s: the dot, %s", d.seq, d.step, how)
	if mail.accepted {
		d.at.accepted(mail, d.email.Raw)
	}
	if err := d.pause(ctx, "answer "+d.name(), time.Millisecond, w.answerTime(d)); err != nil {
		return "", &engine.SendError{Phase: engine.PhaseDot, Outcome: engine.Unknown, Err: err}
	}
	if err := d.point("Sender.Data", true); err != nil {
		d.answered(mail, false, nil) // whatever the server said
		return "", &engine.SendError{Phase: engine.PhaseDot, Outcome: engine.Unknown, Err: err}
	}
	d.answered(mail, told, se)
	if se != nil {
		if se.Code == accepted {
			se.Code = 0
		}
		return "", se
	}
	return "250 2.0.0 queued", nil
}

// answered notes what the process was told.
func (d *delivery) answered(mail *dot, told bool, se *engine.SendError) {
	w := d.p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	mail.told, mail.refused = told, told && se != nil && se.Outcome == engine.Refusal
	if se != nil && se.Enhanced == "5.1.1" {
		w.refused[d.who] = true
	}
	if !told {
		w.doubtful[d.name()] = true
	}
}

// accepted marks an unknown outcome of a mail that the server took.
const accepted = 250

// verdict is what the server makes of a mail, and whether it can say so.
func (w *World) verdict(d *delivery) (se *engine.SendError, told bool) {
	if w.scripted != nil || w.isCalm() || w.roll("dot "+d.name()) > w.conf.smtp {
		return nil, true
	}
	w.figures.add("SMTP after the dot")
	lost := &engine.SendError{Phase: engine.PhaseDot, Outcome: engine.Unknown, Err: errors.New("connection lost after the dot")}
	switch int(w.roll("verdict "+d.name()) * 16) {
	case 0, 1, 2, 3:
		lost.Code = accepted
		return lost, false
	case 4, 5, 6:
		return lost, false
	case 7, 8, 9, 10:
		return refusal(engine.PhaseDot, 451, "4.3.0", "try again later"), true
	case 11:
		return refusal(engine.PhaseDot, 554, "5.6.0", "content refused"), true
	case 12:
		return refusal(engine.PhaseDot, 550, "5.7.1", "rejected by policy"), true
	case 13:
		return refusal(engine.PhaseDot, 550, "", "no"), true
	case 14:
		return refusal(engine.PhaseDot, 550, "5.1.1", "no such user after all"), true
	}
	return refusal(engine.PhaseDot, 452, "4.2.2", "mailbox full"), true
}

// answerTime is how long the answer to the dot may take.
func (w *World) answerTime(d *delivery) time.Duration {
	if w.scripted == nil && !w.isCalm() && w.roll("slow answer "+d.name()) < w.conf.smtp/4 {
		return 9 * time.Minute
	}
	return 300 * time.Millisecond
}

// crosses lets a person write at this very moment, give or take some seconds.
func (p *person) crosses(from *provider) {
	w := p.w
	w.mu.Lock()
	n := len(p.letters)
	w.mu.Unlock()
	if w.isCalm() || n > 0 || w.roll("crossing of "+p.addr) > 0.5 {
		return
	}
	at := time.Duration(w.roll("crossing at "+p.addr) * float64(1500*time.Millisecond))
	w.after(at, func() { p.write(from, engine.Reply, nil, stops, "fresh mail that crosses ours") })
}
