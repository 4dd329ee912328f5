package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"nudge/engine"
)

// replies is what [replies] means.
func (c *config) replies() (engine.Replies, error) {
	var r engine.Replies
	hold := map[string]bool{"hold": false, "ignore": true}
	var err error
	if r.IgnoreCompany, err = oneOf(c, "replies.same-company", c.Replies.SameCompany, "hold", hold); err != nil {
		return r, err
	}
	if r.IgnoreAbsence, err = oneOf(c, "replies.out-of-office", c.Replies.OutOfOffice, "hold", hold); err != nil {
		return r, err
	}
	r.Takeover, err = oneOf(c, "replies.takeover", c.Replies.Takeover, "stop", map[string]engine.TakeoverPolicy{
		"stop": engine.TakeoverStop, "restart": engine.TakeoverRestart, "ignore": engine.TakeoverIgnore})
	return r, err
}

// oneOf is what one of several words means.
func oneOf[V any](c *config, key, value, otherwise string, known map[string]V) (V, error) {
	v, ok := known[or(value, otherwise)]
	if ok {
		return v, nil
	}
	words := slices.Sorted(maps.Keys(known))
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = fmt.Sprintf("%q", word)
	}
	last := len(quoted) - 1
	return v, c.wrong(key, fmt.Sprintf("unknown value %q", value)+didYouMean(value, words),
		fmt.Sprintf("write %s = %s or %s", lastKey(key), strings.Join(quoted[:last], ", "), quoted[last]))
}
