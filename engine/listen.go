package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// partTimeout bounds one part of a sweep: a Fetch and the reading of what it
// returned. Each command has a shorter deadline of the Inbox's own; this bounds
// their sum.
const partTimeout = 10 * time.Minute

// restless is how often, at the end of what there was to read, folders may turn
// out to have changed again before a sweep gives up.
const restless = 50

// moveRetries is how often a sweep is begun again because a message that
// matters was moved between seeing and reading it.
const moveRetries = 3

// listen reads the mailbox to its end and applies what it found.
func (e *Engine) listen(ctx context.Context, now time.Time) error {
	sweep, err := e.sweep(ctx, now)
	if err != nil {
		return err
	}
	if len(sweep.Effects) == 0 {
		return nil
	}
	return e.apply(sweep.Sweep)
}

func (e *Engine) apply(s Sweep) error {
	if err := e.Store.Apply(s); err != nil {
		return &storeError{err}
	}
	e.report(s.Effects)
	return nil
}

// looked is a sweep that is not applied yet.
type looked struct {
	Sweep
	started time.Time // by the process's clock, when the last look at the server began
}

// sweep reads every watched folder to its end. Folders are looked at one after
// the other, and a message may be moved from one that was not read yet into one
// that was. So a mailbox counts as read to its end only when a look at it found
// nothing new anywhere. What the looks before found is applied on the way, also
// that a message vanished; what is left to the caller is the last, quiet one.
func (e *Engine) sweep(ctx context.Context, now time.Time) (looked, error) {
	s, err := e.look(ctx, now)
	e.heard(now, err)
	return s, err
}

func (e *Engine) look(ctx context.Context, now time.Time) (looked, error) {
	cursor, err := e.Store.Cursor(e.Mailbox.Name)
	if err != nil {
		return looked{}, &storeError{err}
	}
	missing := map[string]Incoming{} // seen by its headers, but gone when it was to be read
	for tries, empty := 0, 0; ; {
		s := looked{started: time.Now()}
		s.Mailbox, s.At = e.Mailbox.Name, now
		ins, next, lost, err := e.part(ctx, cursor, &s.Sweep, now)
		if err != nil {
			return looked{}, errors.Join(e.remember(missing, now), err)
		}
		for _, in := range ins {
			delete(missing, identity(in))
		}
		for _, in := range lost {
			missing[identity(in)] = in
		}
		if len(missing) > 0 && tries < moveRetries {
			tries++
			continue // from the same cursor: where it was moved to is looked at too
		}
		if err := e.judgeMissing(missing, &s.Sweep, now); err != nil { // with the cursor that goes behind them
			return looked{}, err
		}
		s.Cursor = next
		if !next.More && maps.Equal(cursor.Folders, next.Folders) {
			return s, nil
		}
		if len(ins) == 0 || !next.More {
			empty++
		}
		if empty > restless {
			err := fmt.Errorf("the mailbox does not come to rest: %d looks in a row found its folders changed", empty)
			return looked{}, errors.Join(e.remember(missing, now), err)
		}
		if err := e.apply(s.Sweep); err != nil {
			return looked{}, err
		}
		clear(missing)
		next.Since, cursor = cursor.Since, next
	}
}

// remember holds whoever a vanished message came from, when the sweep that saw
// it breaks off before the cursor could go behind it: no later one will see it.
func (e *Engine) remember(missing map[string]Incoming, now time.Time) error {
	s := Sweep{Mailbox: e.Mailbox.Name, At: now}
	if err := e.judgeMissing(missing, &s, now); err != nil || len(s.Effects) == 0 {
		return err
	}
	return e.apply(s)
}

// part fetches one part and judges it. It returns what it fetched, the cursor
// behind it, and the messages that were no longer there.
func (e *Engine) part(ctx context.Context, from Cursor, s *Sweep, now time.Time) (ins []Incoming, next Cursor, lost []Incoming, err error) {
	ctx, cancel := context.WithTimeout(ctx, partTimeout)
	defer cancel()
	if ins, next, err = e.Inbox.Fetch(ctx, from); err != nil {
		return nil, from, nil, err
	}
	lost, err = e.judge(ctx, ins, s, now)
	return ins, next, lost, err
}

// judge reads whole what the headers call for, and adds the effects to the
// sweep. It returns the messages that were no longer there.
func (e *Engine) judge(ctx context.Context, ins []Incoming, s *Sweep, now time.Time) (lost []Incoming, err error) {
	known, err := e.known(ins)
	if err != nil {
		return nil, err
	}
	for _, in := range ins {
		if e.own(in, known) {
			if err := e.witness(in, known, s, now); err != nil {
				return nil, err
			}
			moved, err := e.takenOver(ctx, in, known, s, now)
			if err != nil {
				return nil, err
			}
			if moved {
				lost = append(lost, in)
			}
			continue
		}
		if !wanted(in, known) {
			continue
		}
		whole := in
		if in.Kind != Ambiguous { // else the Inbox has tried already and could not read it
			whole, err = e.Inbox.Read(ctx, in, e.touched(addressed(in, known), false))
		}
		if errors.Is(err, ErrMoved) {
			lost = append(lost, in)
			continue
		} else if err != nil {
			return nil, fmt.Errorf("read message %d of %s: %w", in.UID, in.Folder, err)
		}
		effects, err := e.effects(whole, now)
		if err != nil {
			return nil, err
		}
		s.Effects = append(s.Effects, effects...)
	}
	return lost, nil
}

// judgeMissing judges what vanished before it could be read, by its headers
// alone: someone wrote, so a person must look.
func (e *Engine) judgeMissing(missing map[string]Incoming, s *Sweep, now time.Time) error {
	for _, in := range missing {
		in.Kind, in.Evidence = Ambiguous, "it was removed before it could be read"
		effects, err := e.effects(in, now)
		if err != nil {
			return err
		}
		s.Effects = append(s.Effects, effects...)
	}
	return nil
}

// effects judges one incoming that was read.
func (e *Engine) effects(in Incoming, now time.Time) ([]Effect, error) {
	known, err := e.known([]Incoming{in})
	if err != nil {
		return nil, err
	}
	matches := FindMatches(in, known)
	if len(matches) == 0 {
		if in.Kind != Ambiguous {
			return nil, nil
		}
		e.Log.Warn("message unreadable, whoever wrote it", "mailbox", e.Mailbox.Name, "folder", in.Folder, "uid", in.UID, "reason", in.Evidence)
		ev := Event{At: now, Kind: EventUnsure, MessageID: in.MessageID, Detail: evidence(in, Match{Rule: "nobody that is known"})}
		if err := e.Store.Note(ev); err != nil {
			return nil, &storeError{err}
		}
		return nil, nil
	}
	if known.Kin, err = e.kinOf(matches); err != nil {
		return nil, err
	}
	judged := Judge(in, matches, known, e.daysOf, e.Mailbox.Replies, now)
	if len(judged) == 0 {
		e.Log.Info("mail by a machine at a prospect's company passed over", "mailbox", e.Mailbox.Name, "folder", in.Folder, "uid", in.UID,
			"kind", string(in.Kind), "match", matches[0].Rule)
	}
	e.learnAlias(in, matches, known, judged)
	return append(e.arrived(in, now), judged...), nil
}

// known asks the memory about every id and address that some messages name,
// and about the other enrollments of the people they lead to.
func (e *Engine) known(ins []Incoming) (Known, error) {
	ids, keys := map[string]bool{}, map[string]bool{}
	for _, in := range ins {
		for _, id := range slices.Concat([]string{in.MessageID, in.OriginalID}, in.InReplyTo, in.References, in.Quoted) {
			ids[id] = true
		}
		for _, addr := range slices.Concat(in.From, in.Failed) {
			keys[AddressKey(addr)] = true
		}
	}
	companies := slices.Collect(maps.Keys(keys))
	for _, in := range ins {
		if in.Role == SentMail && in.Instance == "" { // the owner may have written by hand
			for _, addr := range in.To {
				keys[AddressKey(addr)] = true
			}
		}
	}
	delete(ids, "")
	if len(ids) == 0 && len(keys) == 0 {
		return Known{}, nil
	}
	known, err := e.Store.Known(slices.Collect(maps.Keys(ids)), slices.Collect(maps.Keys(keys)))
	if err != nil {
		return Known{}, &storeError{err}
	}
	if known.Kin, err = e.kin(companies, nil); err != nil {
		return Known{}, err
	}
	var people []string
	for _, en := range known.ByEnrollment {
		if !keys[en.Key] {
			people = append(people, en.Key)
		}
	}
	if len(people) == 0 {
		return known, nil
	}
	more, err := e.Store.Known(nil, people)
	if err != nil {
		return Known{}, &storeError{err}
	}
	if known.ByAddress == nil {
		known.ByAddress = map[string][]Enrollment{}
	}
	maps.Copy(known.ByAddress, more.ByAddress)
	return known, nil
}

// own says whether the owner, or we, wrote a message. Such mail is never
// inbound, whichever folder it lies in. A foreign address beside an own one, as
// groups and contact forms write it, makes it somebody else's; so does a foreign
// From in the Sent folder.
func (e *Engine) own(in Incoming, known Known) bool {
	_, ours := known.ByID[in.MessageID]
	if in.Role == SentMail && !ours {
		if ours = e.trust.was(in.Instance); !ours && in.Instance == "" { // a copy may lack the mark, and name who logged in as its sender
			_, _, ours = e.sentKnown().planned(in, known)
		}
	}
	if ours || len(in.From) == 0 {
		return ours || in.Role == SentMail
	}
	return !slices.ContainsFunc(in.From, func(addr string) bool { return !e.Mailbox.IsOwn(addr) })
}

func (e *Engine) zoneOf(en Enrollment) *time.Location {
	seq, _ := e.Library.Sequence(en.Sequence)
	return zone(e.Mailbox, seq, en)
}

// report tells the diary what the mail did.
func (e *Engine) report(effects []Effect) {
	for _, f := range effects {
		e.Log.Info("mail read", "kind", string(f.Event.Kind), "prospect", f.Event.Address, "sequence", f.Event.Sequence,
			"effect", string(f.To), "reason", string(f.Reason), "folder", f.Event.Detail["folder"], "match", f.Event.Detail["match"])
	}
}
