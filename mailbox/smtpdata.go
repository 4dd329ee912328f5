package mailbox

import (
	"bytes"
	"context"
	"errors"
	"time"

	"nudge/engine"
)

// delivery implements engine.Delivery.
type delivery struct {
	smtp    *SMTP
	session *session
	raw     []byte
	ended   bool
}

// blockSize is how much of a mail is written under one deadline, and what one
// TLS record holds.
const blockSize = 16 << 10

// Data implements engine.Delivery.
func (d *delivery) Data(ctx context.Context, before time.Time) (string, error) {
	if d.ended {
		// Whatever the first call did, this one must not make the mail due again.
		return "", &engine.SendError{Phase: engine.PhaseDot, Outcome: engine.Unknown, Err: errors.New("this dialogue has already ended")}
	}
	d.ended = true
	c := d.session
	var answer string
	stop := context.AfterFunc(ctx, c.cut)
	fail := d.body(ctx, before)
	if fail == nil {
		answer, fail = c.dot()
	}
	alive := stop()
	if fail != nil && !alive && fail.Code == 0 {
		fail.Err = context.Cause(ctx)
	}
	// A refusal of the whole mail leaves the session usable; any other failure
	// ends it without a word, so that no part of the mail can be taken for all.
	usable := fail == nil || fail.Phase == engine.PhaseDot && fail.Code != 0 && fail.Code != 421
	if usable && alive && c.client.Text.R.Buffered() == 0 {
		d.smtp.keepIdle(c, time.Now())
	} else {
		c.cut()
	}
	if fail != nil {
		return "", fail
	}
	return answer, nil
}

// Close implements engine.Delivery. It says RSET, whose answer is read when the
// connection is used again: closing one delivery must not delay others.
func (d *delivery) Close() error {
	if d.ended {
		return nil
	}
	d.ended = true
	c := d.session
	c.conn.allow(courtesyTime)
	if err := c.client.Text.PrintfLine("RSET"); err != nil {
		c.cut() // which resets as well
		return nil
	}
	c.owed++
	d.smtp.keepIdle(c, time.Now())
	return nil
}

// body says DATA and writes the mail up to, and without, the final dot.
// Whatever fails in here, no dot was written.
func (d *delivery) body(ctx context.Context, before time.Time) *engine.SendError {
	c := d.session
	c.step(engine.PhaseData, c.timeouts.Data)
	if ctx.Err() != nil {
		return c.failed(context.Cause(ctx))
	}
	if _, err := c.command(354, "DATA"); err != nil {
		return c.failed(err)
	}
	if late(before) {
		return c.failed(errors.New("the server was not ready to take the mail soon enough after the mailbox was read"))
	}
	w := c.client.Text.W
	for rest := dotStuff(d.raw); len(rest) > 0; {
		block := rest[:min(len(rest), blockSize)]
		rest = rest[len(block):]
		c.step(engine.PhaseData, c.timeouts.Block)
		if _, err := w.Write(block); err != nil {
			return c.failed(err)
		}
		if err := w.Flush(); err != nil {
			return c.failed(err)
		}
	}
	// An answer before the dot would be read as the answer to it.
	if err := c.inStep(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return c.failed(context.Cause(ctx))
	}
	return nil
}

// late says whether a moment has passed; the zero one never does.
func late(moment time.Time) bool {
	now := time.Now()
	return !moment.IsZero() && passed(now.Sub(moment), now.Round(0).Sub(moment.Round(0)))
}

// passed decides it by how far a moment lies back on two clocks, less than zero
// while it is to come: the monotonic one does not count the time a machine
// slept, and the wall clock may be set back.
func passed(monotonic, wall time.Duration) bool { return monotonic > 0 || wall > 0 }

// dot writes the final dot and waits for the answer. From its first byte on,
// only an answer tells what became of the mail.
func (c *session) dot() (string, *engine.SendError) {
	c.step(engine.PhaseDot, c.timeouts.Block)
	c.conn.endure(c.timeouts.Dot)
	w := c.client.Text.W
	_, err := w.WriteString(".\r\n")
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return "", c.failed(err)
	}
	c.step(engine.PhaseDot, c.timeouts.Dot)
	answer, err := c.command(2, "")
	if err != nil {
		return "", c.failed(err)
	}
	return answer, nil
}

// dotStuff doubles each dot at the start of a line (RFC 5321, section 4.5.2)
// and ends the last line. A bare CR or LF counts as a line end here, though the
// mail stays as it is: there are servers that take one for it, and no body may
// hold what such a server could take for its end.
func dotStuff(raw []byte) []byte {
	out := raw
	if bytes.HasPrefix(raw, []byte(".")) || bytes.Contains(raw, []byte("\n.")) || bytes.Contains(raw, []byte("\r.")) {
		out = make([]byte, 0, len(raw)+len(raw)/16+2)
		last := byte('\n')
		for _, b := range raw {
			if b == '.' && (last == '\n' || last == '\r') {
				out = append(out, '.')
			}
			out = append(out, b)
			last = b
		}
	}
	if !bytes.HasSuffix(out, []byte("\r\n")) {
		out = append(out[:len(out):len(out)], "\r\n"...)
	}
	return out
}
