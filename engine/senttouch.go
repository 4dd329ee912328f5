package engine

import (
	"context"
	"slices"
	"time"
)

// SentTouch is a touch that left, and its mail. A Store keeps the beginning of each one when its
// touch is settled as sent, and for a time only: what it keeps no more, or never
// saw (a mail that was found in Sent after a restore), has a Step, an At and a
// MessageID alone.
type SentTouch struct {
	Enrollment string    `json:"enrollment"`
	Sequence   string    `json:"sequence"`
	Step       string    `json:"step"`
	At         time.Time `json:"at"`                  // when it was known to have left
	Rehearsed  bool      `json:"rehearsed,omitempty"` // the owner got it, the prospect did not
	Assumed    bool      `json:"assumed,omitempty"`   // nobody knows whether it left; it counts as sent
	MessageID  string    `json:"message_id,omitempty"`
	Subject    string    `json:"subject,omitempty"`
	Variant    string    `json:"variant,omitempty"`
	SHA256     string    `json:"sha256,omitempty"` // of the whole mail, in hex
	Size       int       `json:"size,omitempty"`   // of the whole mail, in bytes; 0 = nothing is kept
	Raw        []byte    `json:"raw,omitempty"`    // the mail, or its first SentKept bytes
}

// SentKept is how much of a mail is kept once it was sent: the header and the
// texts, which stand first in it, and what fits of its attachments.
const SentKept = 64 << 10

// Whole says whether all of the mail is kept.
func (m SentTouch) Whole() bool { return m.Size > 0 && len(m.Raw) == m.Size }

// Intact says whether the bytes of a whole mail are those that left.
func (m SentTouch) Intact() bool { return m.Whole() && sumOf(m.Raw) == m.SHA256 }

// AsSent is the mail of a touch that left, as far as it is kept.
func (t Touch) AsSent(at time.Time) SentTouch {
	return SentTouch{Enrollment: t.Enrollment, Sequence: t.Sequence, Step: t.Step, At: at,
		MessageID: t.Email.MessageID, Subject: t.Email.Subject, Variant: t.Email.Variant,
		SHA256: t.Email.SHA256, Size: len(t.Email.Raw), Raw: t.Email.Raw[:min(len(t.Email.Raw), SentKept)]}
}

// SentTouches lists the mails an enrollment has behind it, oldest first; kept is
// what is kept of one, if anything is.
func (en Enrollment) SentTouches(kept func(Done) (SentTouch, bool, error)) ([]SentTouch, error) {
	var mails []SentTouch
	for _, d := range en.Done {
		if d.Outcome != Sent {
			continue
		}
		m, ok, err := kept(d)
		if err != nil {
			return nil, err
		}
		if !ok || m.MessageID != d.MessageID {
			m = SentTouch{MessageID: d.MessageID}
		}
		m.Enrollment, m.Sequence, m.Step, m.At = en.ID, en.Sequence, d.Step, d.At
		m.Rehearsed, m.Assumed = d.Rehearsed, d.Assumed
		mails = append(mails, m)
	}
	return mails, nil
}

// SentTouches implements Operator.
func (d *Desk) SentTouches(_ context.Context, address string) ([]SentTouch, error) {
	ens, err := d.of(address, "")
	if err != nil {
		return nil, err
	}
	var mails []SentTouch
	for _, en := range ens {
		more, err := d.Store.SentTouches(en.ID)
		if err != nil {
			return nil, err
		}
		mails = append(mails, more...)
	}
	slices.SortStableFunc(mails, func(a, b SentTouch) int { return a.At.Compare(b.At) })
	return mails, nil
}
