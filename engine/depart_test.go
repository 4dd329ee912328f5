package engine

import (
	"testing"
	"time"
)

func TestALookIsTooOldByEitherClock(t *testing.T) {
	for _, tt := range []struct {
		name            string
		monotonic, wall time.Duration
		want            bool
	}{
		{"just now", 0, 0, false},
		{"at the limit", fenceAge, fenceAge, false},
		{"beyond it", fenceAge + 1, fenceAge + 1, true},
		{"beyond it, and the wall clock was set back meanwhile", fenceAge + 1, time.Second, true},
		{"the machine slept", time.Second, fenceAge + 1, true},
		{"the machine slept all night", time.Millisecond, 8 * time.Hour, true},
		{"the wall clock went back", time.Second, -1, true},
		{"the wall clock went back by an hour", time.Second, -time.Hour, true},
	} {
		if got := tooOld(tt.monotonic, tt.wall); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
