package mailbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"nudge/engine"
)

// NoFolderError says that a mailbox has no folder of a name.
type NoFolderError struct {
	Name string
	Have []string // the folders that it has
}

func (e *NoFolderError) Error() string { return fmt.Sprintf("the mailbox has no folder %q", e.Name) }

// Headers reads the headers of every mail in one folder, oldest UID first, as
// OwnMail does. What matters of them is then for Read. The error is a
// *NoFolderError when there is no such folder, and engine.ErrTooMany when it
// holds more than 50,000 mails.
func (m *IMAP) Headers(ctx context.Context, name string) ([]engine.Incoming, error) {
	m.start()
	ctx, leave, err := m.enter(ctx, m.turn)
	if err != nil {
		return nil, err
	}
	defer leave()
	ins, fresh, err := m.headersOf(ctx, name)
	if isLost(err) && !fresh && ctx.Err() == nil {
		ins, _, err = m.headersOf(ctx, name)
	}
	return ins, err
}

func (m *IMAP) headersOf(ctx context.Context, name string) (ins []engine.Incoming, fresh bool, err error) {
	s, fresh, err := m.session(ctx)
	if err != nil {
		return nil, fresh, err
	}
	defer func() { m.heal(err) }()
	list, err := s.list(ctx)
	if err != nil {
		return nil, fresh, err
	}
	folders := foldersIn(list)
	at := slices.IndexFunc(folders, func(f folder) bool {
		return f.name == name || strings.EqualFold(f.name, "INBOX") && strings.EqualFold(name, "INBOX")
	})
	if at < 0 {
		missing := &NoFolderError{Name: name}
		for _, f := range folders {
			missing.Have = append(missing.Have, f.name)
		}
		slices.SortFunc(missing.Have, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
		return nil, fresh, missing
	}
	r := &reader{m: m, folder: folders[at], room: ownLimit}
	if ins, err = r.own(ctx, time.Time{}); err != nil {
		return nil, fresh, fmt.Errorf("folder %s: %w", name, err)
	}
	return ins, fresh, m.main.unselect(ctx)
}
