package export

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks that no export leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
