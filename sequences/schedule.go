package sequences

import (
	"strings"
	"time"
)

// defaultSend is the window of a sequence that names none.
const defaultSend = "mon-fri 09:00-16:30"

// ParseSchedule reads "mon-fri 09:00-16:30; sat 10:00-12:00", "always" or
// "cron */15 9-16 * * mon-fri".
func ParseSchedule(s string) (Schedule, error) {
	text := strings.TrimSpace(s)
	if text == "" {
		return nil, wrong("no schedule given; write for example %s", defaultSend)
	}
	first := strings.Fields(text)[0]
	rest := strings.TrimSpace(text[len(first):])
	switch strings.ToLower(first) {
	case "always":
		if rest != "" {
			return nil, wrong("nothing may follow always")
		}
		return always{}, nil
	case "cron":
		return parseCron(text, rest)
	}
	if near := Nearest(first, []string{"always", "cron"}); near != "" {
		return nil, wrong("unknown schedule %q", text).meant(strings.TrimSpace(near + " " + rest))
	}
	if looksLikeCron(text) {
		return nil, wrong("a cron expression needs the word cron before it").meant("cron " + text)
	}
	return parseWindows(text)
}

// always allows every moment.
type always struct{}

func (always) First(t time.Time) time.Time { return t }
func (always) Allows(time.Time) bool       { return true }
func (always) String() string              { return "always" }
