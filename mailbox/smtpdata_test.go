package mailbox

import (
	"testing"
	"time"
)

func TestAMomentPassesByEitherClock(t *testing.T) {
	for _, tt := range []struct {
		name            string
		monotonic, wall time.Duration
		want            bool
	}{
		{"it is to come", -time.Second, -time.Second, false},
		{"now", 0, 0, false},
		{"it has passed", 1, 1, true},
		{"it has passed, and the wall clock was set back meanwhile", 1, -time.Hour, true},
		{"the machine slept over it", -time.Second, 1, true},
	} {
		if got := passed(tt.monotonic, tt.wall); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if late(time.Time{}) || late(time.Now().Add(time.Hour)) || !late(time.Now().Add(-time.Second)) {
		t.Error("a moment that never comes or is to come is late, or one that is over is not")
	}
}
