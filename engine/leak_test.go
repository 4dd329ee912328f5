package engine_test

import (
	"testing"

	"go.uber.org/goleak"
)

// No test leaves a goroutine behind: what the engine starts, it ends.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
