package localmail

import (
	"bufio"
	"bytes"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-message/textproto"
)

// Search lists the messages that fit.
func (s *session) Search(kind imapserver.NumKind, criteria *imap.SearchCriteria, _ *imap.SearchOptions) (*imap.SearchData, error) {
	if err := s.fault("search"); err != nil {
		return nil, err
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	var (
		data imap.SearchData
		uids imap.UIDSet
		seqs imap.SeqSet
	)
	for i, m := range s.folder.messages {
		seq := s.tracker.EncodeSeqNum(uint32(i) + 1)
		if seq == 0 || !s.fits(m, seq, criteria) {
			continue
		}
		num := seq
		if kind == imapserver.NumKindUID {
			num = uint32(m.uid)
		}
		uids.AddNum(m.uid)
		seqs.AddNum(seq)
		if data.Count++; data.Count == 1 {
			data.Min = num
		}
		data.Max = num
	}
	data.All = seqs
	if kind == imapserver.NumKindUID {
		data.All = uids
	}
	return &data, nil
}

// fits says whether a message meets all criteria; s.p.mu is held.
func (s *session) fits(m *message, seq uint32, c *imap.SearchCriteria) bool {
	last := uint32(len(s.folder.messages))
	for _, set := range c.SeqNum {
		if fixed := staticSeqs(set, last); !fixed.Contains(seq) {
			return false
		}
	}
	for _, set := range c.UID {
		if fixed := staticUIDs(set, s.folder.next-1); !fixed.Contains(m.uid) {
			return false
		}
	}
	for _, flag := range c.Flag {
		if !m.flags[canonicalFlag(flag)] {
			return false
		}
	}
	for _, flag := range c.NotFlag {
		if m.flags[canonicalFlag(flag)] {
			return false
		}
	}
	if !between(m.arrived, c.Since, c.Before) ||
		c.Larger != 0 && int64(len(m.raw)) <= c.Larger || c.Smaller != 0 && int64(len(m.raw)) >= c.Smaller {
		return false
	}
	if !fitsText(m.raw, c) {
		return false
	}
	for i := range c.Not {
		if s.fits(m, seq, &c.Not[i]) {
			return false
		}
	}
	for i := range c.Or {
		if !s.fits(m, seq, &c.Or[i][0]) && !s.fits(m, seq, &c.Or[i][1]) {
			return false
		}
	}
	return true
}

// fitsText looks into the message itself: as plain bytes, without decoding.
func fitsText(raw []byte, c *imap.SearchCriteria) bool {
	if len(c.Header)+len(c.Body)+len(c.Text) == 0 && c.SentSince.IsZero() && c.SentBefore.IsZero() {
		return true
	}
	lower := bytes.ToLower(raw)
	contains := func(b []byte, s string) bool { return bytes.Contains(b, []byte(strings.ToLower(s))) }
	if slices.ContainsFunc(c.Text, func(s string) bool { return !contains(lower, s) }) {
		return false
	}
	_, body, _ := bytes.Cut(lower, []byte("\r\n\r\n"))
	if slices.ContainsFunc(c.Body, func(s string) bool { return !contains(body, s) }) {
		return false
	}
	h, _ := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(raw)))
	if !c.SentSince.IsZero() || !c.SentBefore.IsZero() {
		sent, err := mail.ParseDate(h.Get("Date"))
		if err != nil || !between(sent, c.SentSince, c.SentBefore) {
			return false
		}
	}
	for _, field := range c.Header {
		values := h.Values(field.Key)
		if !slices.ContainsFunc(values, func(v string) bool {
			return strings.Contains(strings.ToLower(v), strings.ToLower(field.Value))
		}) {
			return false
		}
	}
	return true
}

// between compares dates without their time and zone (RFC 3501, section 6.4.4).
func between(t, since, before time.Time) bool {
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return (since.IsZero() || !day.Before(since)) && (before.IsZero() || day.Before(before))
}

// staticUIDs replaces "*" in a set by the highest UID.
func staticUIDs(set imap.UIDSet, last imap.UID) imap.UIDSet {
	out := slices.Clone(set)
	for i, r := range out {
		out[i].Start, out[i].Stop = static(r.Start, r.Stop, last)
	}
	return out
}

// staticSeqs replaces "*" in a set by the last number.
func staticSeqs(set imap.SeqSet, last uint32) imap.SeqSet {
	out := slices.Clone(set)
	for i, r := range out {
		out[i].Start, out[i].Stop = static(r.Start, r.Stop, last)
	}
	return out
}

// static reads a range in which 0 stands for "*". Its ends may stand in either
// order, so 559:* always holds the last message, even when that is 558 (RFC
// 3501, section 6.4.8).
func static[N uint32 | imap.UID](start, stop, last N) (N, N) {
	if start == 0 {
		start = last
	}
	if stop == 0 {
		stop = last
	}
	return min(start, stop), max(start, stop)
}

func envelope(raw []byte) *imap.Envelope {
	h, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return nil
	}
	return imapserver.ExtractEnvelope(h)
}
