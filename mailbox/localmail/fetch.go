package localmail

import (
	"bytes"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// chosen is a message with its number as this connection counts.
type chosen struct {
	index uint32 // the number as the folder counts
	seq   uint32
	m     *message
	flags []imap.Flag
}

// choose lists the messages of a set that this connection has been told of:
// what arrived since its last NOOP does not exist for it yet, as on real
// servers. s.p.mu is held.
func (s *session) choose(set imap.NumSet) []chosen {
	f := s.folder
	if uids, ok := set.(imap.UIDSet); ok {
		set = staticUIDs(uids, f.next-1)
	} else if seqs, ok := set.(imap.SeqSet); ok {
		set = staticSeqs(seqs, uint32(len(f.messages)))
	}
	var out []chosen
	for i, m := range f.messages {
		seq := s.tracker.EncodeSeqNum(uint32(i) + 1)
		if seq == 0 {
			continue
		}
		in := false
		switch set := set.(type) {
		case imap.UIDSet:
			in = set.Contains(m.uid)
		case imap.SeqSet:
			in = set.Contains(seq)
		}
		if in {
			out = append(out, chosen{index: uint32(i) + 1, seq: seq, m: m, flags: m.flagList()})
		}
	}
	return out
}

// Fetch writes what is asked for. The lock is not held while writing: a client
// that reads slowly must not stop everybody else's mail.
func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	if err := s.fault("fetch"); err != nil {
		return err
	}
	s.p.mu.Lock()
	list := s.choose(set)
	if !s.readOnly && slices.ContainsFunc(o.BodySection, func(b *imap.FetchItemBodySection) bool { return !b.Peek }) {
		for i, c := range list {
			c.m.flags[canonicalFlag(imap.FlagSeen)] = true
			list[i].flags = c.m.flagList()
		}
	}
	s.p.mu.Unlock()
	for _, c := range list {
		if err := writeMessage(w.CreateMessage(c.seq), c, o); err != nil {
			return err
		}
	}
	return nil
}

func writeMessage(w *imapserver.FetchResponseWriter, c chosen, o *imap.FetchOptions) error {
	w.WriteUID(c.m.uid)
	if o.Flags {
		w.WriteFlags(c.flags)
	}
	if o.InternalDate {
		w.WriteInternalDate(c.m.arrived)
	}
	if o.RFC822Size {
		w.WriteRFC822Size(int64(len(c.m.raw)))
	}
	if o.Envelope {
		w.WriteEnvelope(envelope(c.m.raw))
	}
	if o.BodyStructure != nil {
		w.WriteBodyStructure(imapserver.ExtractBodyStructure(bytes.NewReader(c.m.raw)))
	}
	for _, section := range o.BodySection {
		part := imapserver.ExtractBodySection(bytes.NewReader(c.m.raw), section)
		lit := w.WriteBodySection(section, int64(len(part)))
		if _, err := lit.Write(part); err != nil {
			return err
		}
		if err := lit.Close(); err != nil {
			return err
		}
	}
	return w.Close()
}

// Store changes flags.
func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, _ *imap.StoreOptions) error {
	if s.readOnly {
		return no("", "the mailbox is open for reading only")
	}
	s.p.mu.Lock()
	for _, c := range s.choose(set) {
		c.m.store(flags)
		s.folder.tracker.QueueMessageFlags(c.index, c.m.uid, c.m.flagList(), s.tracker)
	}
	s.p.notify()
	s.p.mu.Unlock()
	if flags.Silent {
		return nil
	}
	return s.Fetch(w, set, &imap.FetchOptions{Flags: true})
}

// Copy copies messages into another folder.
func (s *session) Copy(set imap.NumSet, dest string) (*imap.CopyData, error) {
	data, _, err := s.copyOrMove(set, dest, false)
	return data, err
}

// Move moves messages into another folder. The removals are told by Poll.
func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, dest string) error {
	if s.readOnly {
		return no("", "the mailbox is open for reading only")
	}
	data, moved, err := s.copyOrMove(set, dest, true)
	if err != nil || moved == 0 {
		return err
	}
	return w.WriteCopyData(data)
}

func (s *session) copyOrMove(set imap.NumSet, dest string, move bool) (*imap.CopyData, int, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	to, err := s.find(dest, imap.ResponseCodeTryCreate)
	if err != nil {
		return nil, 0, err
	}
	if to == s.folder {
		return nil, 0, no("", "source and destination are the same")
	}
	data := &imap.CopyData{UIDValidity: to.validity}
	list := s.choose(set)
	for _, c := range list {
		data.SourceUIDs.AddNum(c.m.uid)
		data.DestUIDs.AddNum(to.append(c.m.raw, c.flags, c.m.arrived))
		if move {
			s.folder.remove(c.m.uid)
		}
	}
	s.p.notify()
	return data, len(list), nil
}
