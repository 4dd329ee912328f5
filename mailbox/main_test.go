package mailbox

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets no goroutine outlive the tests. Most also say so themselves:
// those inside a synctest bubble cannot end otherwise.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
