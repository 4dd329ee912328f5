package mailbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"

	"nudge/engine"
)

// Read reads up to 256 KiB of a message that Fetch returned and says what it
// is, as an answer to what was touched. Its date of arrival is asked for by itself: a server that stores a date
// which no calendar has must not cost us the message.
func (m *IMAP) Read(ctx context.Context, in engine.Incoming, touched engine.Touched) (engine.Incoming, error) {
	m.start()
	ctx, leave, err := m.enter(ctx, m.turn)
	if err != nil {
		return in, err
	}
	defer leave()
	out, fresh, err := m.readOne(ctx, in, touched)
	if isLost(err) && !fresh && ctx.Err() == nil {
		out, _, err = m.readOne(ctx, in, touched)
	}
	if err != nil {
		return in, err
	}
	return out, nil
}

func (m *IMAP) readOne(ctx context.Context, in engine.Incoming, touched engine.Touched) (out engine.Incoming, fresh bool, err error) {
	s, fresh, err := m.session(ctx)
	if err != nil {
		return in, fresh, err
	}
	defer func() { m.heal(err) }()
	if s.selected != in.Folder || s.validity != in.UIDValidity {
		if _, err := s.examine(ctx, in.Folder); isGone(err) {
			return in, fresh, engine.ErrMoved
		} else if err != nil {
			return in, fresh, fmt.Errorf("folder %s: %w", in.Folder, err)
		}
		if s.validity != in.UIDValidity && s.validity != 0 {
			return in, fresh, engine.ErrMoved
		}
	}
	r := &reader{m: m, folder: folder{name: in.Folder, role: in.Role, validity: in.UIDValidity}}
	raw, reason, err := r.text(ctx, imap.UID(in.UID))
	if err != nil {
		return in, fresh, err
	}
	if reason != nil {
		in.Kind, in.Evidence = engine.Ambiguous, "unreadable: "+reason.Error()
		return in, fresh, nil
	}
	arrived, err := r.arrived(ctx, imap.UID(in.UID))
	if err != nil {
		return in, fresh, err
	}
	out = merge(Judge(raw, Touched{Subjects: touched.Subjects, Texts: touched.Texts, At: touched.At, Arrived: arrived}), in)
	out.Arrived = arrived
	return out, fresh, nil
}

// text reads the message. reason says why it cannot be had although it is
// there; the error is ErrMoved when it is not.
func (r *reader) text(ctx context.Context, uid imap.UID) (raw []byte, reason, err error) {
	keep := func(_ imap.UID, b []byte) { raw = b }
	ways := []func() error{
		func() error { return r.m.main.fetch(ctx, imap.UIDSetNum(uid), wholeText, keep) },
		func() error { return r.bySequence(ctx, []imap.UID{uid}, wholeText, keep) },
		func() error { return r.bySequence(ctx, []imap.UID{uid}, firstPart, keep) },
	}
	reason = errors.New("the server lists it and does not show it")
	for _, way := range ways {
		err := way()
		if raw != nil {
			delete(r.m.refused, r.key(uid))
			return raw, nil, r.survive(ctx, err)
		}
		if err != nil {
			reason = err
		}
		if err := r.survive(ctx, err); err != nil {
			return nil, nil, r.trouble(uid, err)
		}
		still, err := r.present(ctx, []imap.UID{uid})
		if err != nil {
			return nil, nil, err
		}
		if len(still) == 0 {
			return nil, nil, engine.ErrMoved
		}
	}
	if _, refused := refusal(reason); refused && !r.tired(uid) {
		return nil, nil, r.trouble(uid, reason)
	}
	return nil, reason, nil
}

// arrived asks for INTERNALDATE. It is zero when the answer made no sense.
func (r *reader) arrived(ctx context.Context, uid imap.UID) (time.Time, error) {
	dates := map[imap.UID]time.Time{}
	err := r.m.main.dates(ctx, []imap.UID{uid}, dates)
	at := dates[uid]
	if _, refused := refusal(err); refused {
		return at, nil
	}
	if isGarbled(err) {
		r.m.drop()
		return time.Time{}, nil
	}
	return at, err
}

// merge puts what the whole message says over what its header fields said,
// and keeps its place.
func merge(whole, in engine.Incoming) engine.Incoming {
	whole.Folder, whole.Role, whole.UIDValidity, whole.UID = in.Folder, in.Role, in.UIDValidity, in.UID
	whole.Report = whole.Report || in.Report
	whole.Instance, whole.OriginalID = cmp.Or(whole.Instance, in.Instance), cmp.Or(whole.OriginalID, in.OriginalID)
	if whole.MessageID == "" {
		whole.MessageID = in.MessageID
	}
	if whole.Subject == "" {
		whole.Subject = in.Subject
	}
	for _, field := range []struct {
		whole *[]string
		in    []string
	}{{&whole.InReplyTo, in.InReplyTo}, {&whole.References, in.References}, {&whole.From, in.From}, {&whole.To, in.To}} {
		if len(*field.whole) == 0 {
			*field.whole = field.in
		}
	}
	return whole
}

// KeepSent puts a copy of a sent mail into the Sent folder, marked as read,
// unless a mail with its Message-ID lies there: many providers keep one by
// themselves. A Sent folder that does not exist is not made.
func (m *IMAP) KeepSent(ctx context.Context, raw []byte) error {
	m.start()
	ctx, leave, err := m.enter(ctx, m.turn)
	if err != nil {
		return err
	}
	defer leave()
	begun, fresh, err := m.keep(ctx, raw, false)
	if isLost(err) && !fresh && ctx.Err() == nil {
		// It looks for the copy first. One that was on its way when the connection
		// ended may still be kept, so another could be one too many.
		_, _, err = m.keep(ctx, raw, begun)
	}
	if err != nil {
		return fmt.Errorf("copy into the Sent folder: %w", err)
	}
	return nil
}

// errHandedOver says that nobody knows whether the server kept a copy.
var errHandedOver = errors.New("the connection was lost while it was handed over, and it is not there")

// keep looks for the copy and, unless it may only look, puts it there. begun says
// that the server was given something of it.
func (m *IMAP) keep(ctx context.Context, raw []byte, onlyLook bool) (begun, fresh bool, err error) {
	s, fresh, err := m.session(ctx)
	if err != nil {
		return false, fresh, err
	}
	defer func() { m.heal(err) }()
	if err := s.unselect(ctx); err != nil {
		return false, fresh, err
	}
	list, err := s.list(ctx)
	if err != nil {
		return false, fresh, err
	}
	name, ok := sentFolder(foldersIn(list))
	if !ok {
		return false, fresh, errors.New("the mailbox has no folder for sent mail")
	}
	kept, err := s.holds(ctx, name, ParseHeader(raw).MessageID)
	if err == nil && !kept && onlyLook {
		err = errHandedOver
	}
	if err != nil || kept {
		return false, fresh, err
	}
	if err := s.unselect(ctx); err != nil {
		return false, fresh, err
	}
	return true, fresh, s.do(ctx, "APPEND", func() error {
		cmd := s.client.Append(name, int64(len(raw)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
		_, werr := cmd.Write(raw)
		cerr := cmd.Close()
		_, err := cmd.Wait()
		return errors.Join(err, werr, cerr)
	})
}

// sentFolder is where sent mail goes: the folder that the server names, else
// the first with such a name.
func sentFolder(folders []folder) (name string, ok bool) {
	for _, f := range folders {
		if f.role == engine.SentMail && (!ok || f.special) {
			name, ok = f.name, true
			if f.special {
				break
			}
		}
	}
	return name, ok
}

// holds says whether a folder has a mail of that Message-ID.
func (s *imapSession) holds(ctx context.Context, name, messageID string) (bool, error) {
	if _, err := s.examine(ctx, name); err != nil {
		return false, err
	}
	if messageID == "" {
		return false, nil
	}
	var data *imap.SearchData
	err := s.do(ctx, "UID SEARCH", func() (err error) {
		data, err = s.client.UIDSearch(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: messageID}}}, nil).Wait()
		return err
	})
	if err != nil {
		return false, err
	}
	found, _ := data.All.(imap.UIDSet)
	return len(found) > 0, nil
}
