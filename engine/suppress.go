package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Suppression is an address or domain never to be written to again.
type Suppression struct {
	Target string    `json:"target"` // an address key, or @domain
	Why    string    `json:"why"`
	At     time.Time `json:"at"`
}

// Outranks says whether one reason of a suppression weighs more than another:
// what a person asked for themselves weighs most, and never becomes less.
func Outranks(why, than string) bool { return rankOf(why) > rankOf(than) }

func rankOf(why string) int {
	switch Reason(why) {
	case Complained:
		return 4
	case Unsubscribed:
		return 3
	case Bounced:
		return 1
	}
	return 2 // by hand, in whatever words
}

// words tell a suppression behind an address.
func (s Suppression) words() string {
	words := "is suppressed"
	if strings.HasPrefix(s.Target, "@") {
		words += " with all of " + s.Target
	}
	return fmt.Sprintf("%s: %s, on %s", words, s.Why, s.At.Format(time.DateOnly))
}

// OwnWish says whether a suppression is what the person asked for themselves.
func (s Suppression) OwnWish() bool { return rankOf(s.Why) > 2 }

// Suppress implements Operator.
func (d *Desk) Suppress(_ context.Context, req SuppressRequest) (SuppressResult, error) {
	target, err := suppressionTarget(req.Target)
	if err != nil {
		return SuppressResult{}, err
	}
	why := strings.TrimSpace(req.Why)
	if err := checkValue("reason", why); err != nil {
		return SuppressResult{}, err
	}
	result := SuppressResult{Target: target}
	if req.Remove {
		return result, d.unsuppress(target, why, req.Force)
	}
	if why == "" {
		why = string(ByHand)
	}
	result.Stopped, err = d.Store.Suppress(target, why, true, d.Now())
	d.wake()
	return result, err
}

// suppressionTarget is the key of an address, or a whole @domain.
func suppressionTarget(typed string) (string, error) {
	typed = strings.TrimSpace(typed)
	domain, whole := strings.CutPrefix(typed, "@")
	if !whole {
		addr, err := CleanAddress(typed)
		if err != nil {
			return "", invalid(err.Error(), "write an address as anna@example.com, or a whole domain as @example.com")
		}
		return AddressKey(addr), nil
	}
	addr, err := CleanAddress("x@" + domain)
	if err != nil {
		return "", invalid(fmt.Sprintf("%s is not a domain", typed), "write a whole domain as @example.com")
	}
	return "@" + AddressDomain(AddressKey(addr)), nil
}

func (d *Desk) unsuppress(target, why string, force bool) error {
	all, err := d.Store.Suppressions()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(s Suppression) bool { return s.Target == target })
	if i < 0 {
		return &RefusalError{Err: ErrNotFound, What: target + " is not suppressed", Hint: "nudge suppress --list"}
	}
	if all[i].OwnWish() && !force {
		return &RefusalError{Err: ErrSuppressed, What: fmt.Sprintf("%s asked not to be written to (%s)", target, all[i].Why),
			Hint: "only when they asked for mail again themselves: nudge suppress --remove --yes " + target}
	}
	if why == "" {
		why = string(ByHand)
	}
	_, err = d.Store.Suppress(target, why, false, d.Now())
	return err
}

// Suppressions implements Operator.
func (d *Desk) Suppressions(_ context.Context) ([]Suppression, error) {
	all, err := d.Store.Suppressions()
	slices.SortStableFunc(all, func(a, b Suppression) int { return a.At.Compare(b.At) })
	return all, err
}

// FromMail says whether a suppression rests on mail that was read, rather than
// on a person's word.
func (s Suppression) FromMail() bool {
	switch s.Why {
	case string(Unsubscribed), string(Complained), string(Bounced), string(Gone), askedToBeLeft:
		return true
	}
	return false
}
