package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"nudge/engine"
)

const (
	fetchBatch = 250     // messages of one FETCH
	headerSize = 1 << 20 // bytes of one header that are read
	textSize   = 1 << 18 // bytes of one message that Read reads

	// patience is how long a message may be refused before it counts as
	// unreadable. A refusal may be passing trouble of the server, and until it
	// has passed nothing is sent.
	patience = 15 * time.Minute
)

var (
	headerPart = &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, Peek: true, HeaderFields: headerFields}
	firstPart  = &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: 1 << 16}}
	wholeText  = &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: textSize}}
)

// fetch asks for one section of some messages and calls each as they come, one
// at a time. A message that comes without its UID or without the section, as
// when the server only tells about a flag meanwhile, is passed over.
func (s *imapSession) fetch(ctx context.Context, set imap.NumSet, section *imap.FetchItemBodySection, each func(uid imap.UID, raw []byte)) error {
	options := &imap.FetchOptions{UID: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{section}}
	most := int64(headerSize)
	if section.Partial != nil {
		most, options.RFC822Size = section.Partial.Size, false
	}
	return s.do(ctx, "FETCH", func() error {
		cmd := s.client.Fetch(set, options)
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			uid, raw, err := take(msg, most)
			if err != nil {
				return err // the connection is gone, and the command with it
			}
			if raw != nil && uid != 0 {
				each(uid, raw)
			}
		}
		return cmd.Close()
	})
}

// take reads a message's UID, wherever it stands, and its section, nil when
// there is none. After an error, which means that the connection ended within
// the section, the library must not be asked for anything more of the message:
// it would read beside its own reader.
func take(msg *imapclient.FetchMessageData, most int64) (uid imap.UID, raw []byte, err error) {
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = item.UID
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil {
				continue
			}
			part := make([]byte, min(item.Literal.Size(), most))
			if _, err := io.ReadFull(item.Literal, part); err != nil {
				return 0, nil, err
			}
			if _, err := io.Copy(io.Discard, item.Literal); err != nil {
				return 0, nil, err
			}
			raw = part
		}
	}
	return uid, raw, nil
}

// ignore reads a message that nobody asked for.
func ignore(msg *imapclient.FetchMessageData) {
	_, _, _ = take(msg, 0)
}

// headers reads the headers of messages, and returns what it read in the order
// of the UIDs. None is passed over in silence: one that is not in the answer is
// asked for again, in other ways too, and is left out only when it is no longer
// in the folder.
func (r *reader) headers(ctx context.Context, uids []imap.UID) ([]engine.Incoming, error) {
	got := make(map[imap.UID]engine.Incoming, len(uids))
	for batch := range slices.Chunk(uids, fetchBatch) {
		if err := r.batch(ctx, batch, got); err != nil {
			return nil, err
		}
	}
	dates := map[imap.UID]time.Time{}
	if err := r.dates(ctx, r.ours(got), dates); err != nil {
		return nil, err
	}
	ins := make([]engine.Incoming, 0, len(got))
	for _, uid := range uids {
		if in, ok := got[uid]; ok {
			in.Arrived = dates[uid]
			ins = append(ins, in)
		}
	}
	return ins, nil
}

// ours lists the messages of which it counts already now when they arrived:
// those that lie in Sent, and those that say that a nudge sent them.
func (r *reader) ours(got map[imap.UID]engine.Incoming) []imap.UID {
	var uids []imap.UID
	for uid, in := range got {
		if in.Role == engine.SentMail || in.Instance != "" {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return uids
}

// batch reads headers into got. An answer that ends the connection is traced to
// its message by halving.
func (r *reader) batch(ctx context.Context, uids []imap.UID, got map[imap.UID]engine.Incoming) error {
	err := r.m.main.fetch(ctx, imap.UIDSetNum(uids...), headerPart, r.keep(got))
	rest := slices.DeleteFunc(slices.Clone(uids), func(uid imap.UID) bool { _, ok := got[uid]; return ok })
	_, refused := refusal(err)
	switch {
	case err != nil && !refused && !isGarbled(err) && !isLost(err):
		return err
	case len(rest) == 0 && !r.m.main.broken:
		return nil
	}
	if r.m.main.broken {
		if lerr := r.reopen(ctx); lerr != nil {
			return lerr
		}
		if half := len(rest) / 2; half > 0 {
			if err := r.batch(ctx, rest[:half], got); err != nil {
				return err
			}
			return r.batch(ctx, rest[half:], got)
		}
	}
	return r.rescue(ctx, rest, got)
}

// keep parses headers into got.
func (r *reader) keep(got map[imap.UID]engine.Incoming) func(imap.UID, []byte) {
	return func(uid imap.UID, raw []byte) { got[uid] = r.placed(ParseHeader(raw), uid) }
}

func (r *reader) placed(in engine.Incoming, uid imap.UID) engine.Incoming {
	in.Folder, in.Role, in.UIDValidity, in.UID = r.folder.name, r.folder.role, r.folder.validity, uint32(uid)
	return in
}

// reopen connects anew and opens the folder again.
func (r *reader) reopen(ctx context.Context) error {
	r.m.drop()
	s, _, err := r.m.session(ctx)
	if err != nil {
		return err
	}
	data, err := s.examine(ctx, r.folder.name)
	if err != nil {
		return err
	}
	if data.UIDValidity != 0 && data.UIDValidity != r.folder.validity {
		return errors.New("it was renumbered while it was read")
	}
	return s.noop(ctx)
}

// rescue reads the headers of messages that a FETCH by UID did not yield,
// although the server had listed them.
func (r *reader) rescue(ctx context.Context, uids []imap.UID, got map[imap.UID]engine.Incoming) error {
	uids, err := r.present(ctx, uids)
	if err != nil || len(uids) == 0 {
		return err
	}
	if len(uids) > 1 {
		err := r.bySequence(ctx, uids, headerPart, r.keep(got))
		if err = r.survive(ctx, err); err != nil {
			return err
		}
	}
	for _, uid := range uids {
		if _, ok := got[uid]; ok {
			continue
		}
		in, there, err := r.alone(ctx, uid)
		if err != nil {
			return err
		}
		if there {
			got[uid] = in
		}
	}
	return nil
}

// present says which of some messages are still in the folder.
func (r *reader) present(ctx context.Context, uids []imap.UID) ([]imap.UID, error) {
	if len(uids) == 0 {
		return nil, nil
	}
	// NOOP lets the server say which are gone; until then it may list them.
	if err := r.m.main.noop(ctx); err != nil {
		return nil, err
	}
	limits := bounds{from: uint32(uids[0]), to: uint32(uids[len(uids)-1]), most: len(uids)}
	return r.m.main.search(ctx, imap.UIDSetNum(uids...), time.Time{}, limits)
}

// bySequence fetches by message number: in that form a UID is also found when
// the server puts it behind the section.
func (r *reader) bySequence(ctx context.Context, uids []imap.UID, section *imap.FetchItemBodySection, each func(imap.UID, []byte)) error {
	s := r.m.main
	var data *imap.SearchData
	err := s.do(ctx, "SEARCH", func() (err error) {
		data, err = s.client.Search(&imap.SearchCriteria{UID: []imap.UIDSet{imap.UIDSetNum(uids...)}}, nil).Wait()
		return err
	})
	numbers, _ := data.All.(imap.SeqSet)
	if err != nil || len(numbers) == 0 || numbers.Dynamic() {
		return err
	}
	return s.fetch(ctx, numbers, section, func(uid imap.UID, raw []byte) {
		if slices.Contains(uids, uid) {
			each(uid, raw)
		}
	})
}

// survive takes an error for no answer where the next attempt may still bring
// one: a refusal, and an answer that ended the connection.
func (r *reader) survive(ctx context.Context, err error) error {
	if _, refused := refusal(err); refused || err == nil {
		return nil
	}
	if isGarbled(err) {
		return r.reopen(ctx)
	}
	return err
}

// alone reads the header of one message, in every way there is. What is there
// and cannot be had is returned as unreadable.
func (r *reader) alone(ctx context.Context, uid imap.UID) (in engine.Incoming, there bool, err error) {
	one := []imap.UID{uid}
	got := map[imap.UID]engine.Incoming{}
	keep := r.keep(got)
	ways := []func() error{
		func() error { return r.m.main.fetch(ctx, imap.UIDSetNum(uid), headerPart, keep) },
		func() error { return r.bySequence(ctx, one, headerPart, keep) },
		func() error { return r.bySequence(ctx, one, firstPart, keep) },
	}
	reason := errors.New("the server lists it and does not show it")
	for _, way := range ways {
		err := way()
		if in, ok := got[uid]; ok {
			delete(r.m.refused, r.key(uid))
			return in, true, r.survive(ctx, err)
		}
		if err != nil {
			reason = err
		}
		if err := r.survive(ctx, err); err != nil {
			return in, false, r.trouble(uid, err)
		}
	}
	if still, err := r.present(ctx, one); err != nil || len(still) == 0 {
		return in, false, err
	}
	if _, refused := refusal(reason); refused && !r.tired(uid) {
		return in, false, r.trouble(uid, reason)
	}
	in = r.placed(engine.Incoming{Kind: engine.Ambiguous, Evidence: "unreadable: " + reason.Error()}, uid)
	return in, true, nil
}

func (r *reader) key(uid imap.UID) messageKey {
	return messageKey{r.folder.name, r.folder.validity, uint32(uid)}
}

// trouble names the message that stands in the way.
func (r *reader) trouble(uid imap.UID, err error) error {
	return fmt.Errorf("message %d: %w", uid, err)
}

// tired says whether the server has refused a message for longer than can be
// passing trouble.
func (r *reader) tired(uid imap.UID) bool {
	since, again := r.m.refused[r.key(uid)]
	if !again {
		r.m.refused[r.key(uid)] = time.Now()
		return false
	}
	return time.Since(since) >= patience
}
