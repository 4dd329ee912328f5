package engine

import (
	"fmt"
	"sync"
	"time"
)

// zones remembers loaded time zones: time.LoadLocation reads and parses a file
// each time, and the guard asks at every look. Names come from configuration
// and prospects, so only those that exist are kept.
var zones sync.Map // string → *time.Location

// loadLocation loads an IANA time zone. Local and the empty name are refused:
// a sequence must mean the same on every machine.
func loadLocation(name string) (*time.Location, error) {
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location), nil
	}
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is not a time zone like Europe/Stockholm", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone like Europe/Stockholm", name)
	}
	zones.Store(name, loc)
	return loc, nil
}
