package engine_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The house has one direction of imports. What stands on the right of each
// line may not be reached from the package on its left, not even through
// others: an import that runs the other way is a design question, not a build
// fix.
func TestImportDirections(t *testing.T) {
	engineMayNotReach := []string{"net", "go.etcd.io/bbolt", "github.com/emersion/go-imap/v2/imapclient", "github.com/wneessen/go-mail",
		"nudge/mailbox", "nudge/engine/bolt", "nudge/engine/control"}
	forbidden := map[string][]string{
		"nudge/templates":        append(engineMayNotReach, "nudge/sequences", "nudge/engine"),
		"nudge/sequences":        append(engineMayNotReach, "nudge/engine"),
		"nudge/engine":           engineMayNotReach,
		"nudge/engine/bolt":      {"nudge/mailbox", "nudge/engine/control"},
		"nudge/engine/control":   {"nudge/mailbox", "nudge/engine/bolt"},
		"nudge/engine/intake":    {"nudge/mailbox", "nudge/engine/bolt", "nudge/engine/control"},
		"nudge/mailbox":          {"nudge/engine/bolt", "nudge/engine/control"},
		"nudge/engine/storetest": {"nudge/mailbox", "nudge/engine/bolt", "nudge/engine/control"},
		"nudge/engine/simtest":   {"nudge/mailbox", "nudge/engine/control"},
	}
	for pkg, not := range forbidden {
		out, err := exec.Command("go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", pkg, err)
		}
		deps := strings.Fields(string(out))
		for _, dep := range not {
			if slices.Contains(deps, dep) {
				t.Errorf("%s reaches %s: decisions must not hold connections, and adapters must not know each other", pkg, dep)
			}
		}
	}
}

// Every package says in its documentation what it knows.
func TestEveryPackageHasDocumentation(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}\t{{.Doc}}", "nudge/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if pkg, doc, _ := strings.Cut(strings.TrimSpace(line), "\t"); doc == "" {
			t.Errorf("package %s has no documentation", pkg)
		}
	}
}
