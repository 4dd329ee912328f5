package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the release build with -ldflags "-X main.version=…".
var version = ""

// buildFacts is what nudge version --json prints.
type buildFacts struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Modified bool   `json:"modified"` // built from a tree with changes
	Go       string `json:"go"`
	System   string `json:"system"`
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "print which nudge this is",
		Example: "  nudge version\n  nudge version --json",
		Args:    need(0, 0),
		RunE: func(*cobra.Command, []string) error {
			facts := thisBuild()
			if asJSON {
				return a.writeJSON(facts)
			}
			a.tellVersion(facts)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) tellVersion(facts buildFacts) {
	a.printf("nudge %s (%s, %s)\n", facts.Version, facts.Go, facts.System)
	if facts.Commit != "" {
		a.printf("commit %s\n", facts.Commit)
	}
}

// thisBuild asks the binary about itself.
func thisBuild() buildFacts {
	facts := buildFacts{Version: version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok {
		facts.Version = or(facts.Version, info.Main.Version)
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				facts.Commit = s.Value
			case "vcs.modified":
				facts.Modified = s.Value == "true"
			}
		}
	}
	if facts.Version == "" || facts.Version == "(devel)" {
		facts.Version = "unreleased"
	}
	return facts
}
