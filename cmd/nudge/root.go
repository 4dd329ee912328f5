package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// group is one heading of the help, with its commands in order.
type group struct {
	id, title string
	commands  []*cobra.Command
}

func (a *app) groups() []group {
	return []group{
		{"start", "Start", []*cobra.Command{a.demoCommand()}},
		{"write", "Write", []*cobra.Command{a.newCommand(), a.lintCommand(), a.previewCommand(), a.planCommand()}},
		{"run", "Run", []*cobra.Command{a.runCommand(), a.reloadCommand(), a.pauseCommand(), a.resumeCommand(), a.catchUpCommand()}},
		{"people", "People", []*cobra.Command{a.enrollCommand(), a.importCommand(), a.listCommand(), a.showCommand(), a.whyCommand(), a.doneCommand(),
			a.skipCommand(), a.snoozeCommand(), a.stopCommand(), a.wonCommand(), a.lostCommand(), a.notAReplyCommand(), a.suppressCommand(), a.doubtCommand()}},
		{"look", "Look", []*cobra.Command{a.statusCommand(), a.todayCommand(), a.logCommand(), a.classifyCommand(), a.replayCommand()}},
		{"after", "Look after", []*cobra.Command{a.backupCommand(), a.restoreCommand(), a.verifyCommand(), a.versionCommand()}},
	}
}

// daemonCommand marks commands that end by themselves on an interrupt.
const daemonCommand = "ends by itself"

// root builds the tree of commands.
func (a *app) root() *cobra.Command {
	showVersion := false
	root := &cobra.Command{
		Use:           "nudge",
		Short:         "follow up until they answer, then stop",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			if showVersion {
				a.tellVersion(thisBuild())
				return nil
			}
			return cmd.Help()
		},
		PersistentPreRun: func(cmd *cobra.Command, _ []string) {
			if cmd.Annotations[daemonCommand] == "" {
				quitOnInterrupt()
			}
		},
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.PersistentFlags().StringVar(&a.configFile, "config", "", "config `FILE` (default ./nudge.toml, else /etc/nudge/nudge.toml)")
	root.PersistentFlags().BoolVar(&a.noColor, "no-color", false, "no colours, as NO_COLOR=1")
	root.Flags().BoolVar(&showVersion, "version", false, "print which nudge this is, as nudge version")
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().BoolP("help", "h", false, "tell about a command")
	_ = root.PersistentFlags().MarkHidden("help") // it exists: the line above made it
	groups := a.groups()
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, command := range g.commands {
			command.GroupID = g.id
			root.AddCommand(command)
		}
	}
	root.SetHelpCommand(a.helpCommand(root))
	root.SetCompletionCommandGroupID(completionGroup)
	root.InitDefaultCompletionCmd("completion") // any argument: it is left out only for a tree that is being completed
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args, c.RunE = cobra.ArbitraryArgs, onlyBelow
		}
	}
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		if typed := cmd.Flags().Args(); cmd.HasAvailableSubCommands() && len(typed) > 0 {
			a.noHelp = unknownCommand(cmd, typed[0])
			return
		}
		if cmd != root {
			a.commandHelp(cmd)
			return
		}
		a.rootHelp(root, groups)
	})
	root.SetUsageTemplate(usageTemplate)
	return root
}

// onlyBelow is a command that does nothing itself: its own commands do.
func onlyBelow(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	return cmd.Help()
}

// completionGroup is where cobra's own completion command stands.
const completionGroup = "after"

const usageTemplate = `Usage:
{{if .HasAvailableSubCommands}}  {{.CommandPath}} COMMAND
{{else}}  {{.UseLine}}
{{end}}{{if .HasExample}}
Examples:
{{.Example}}
{{end}}{{if .HasAvailableSubCommands}}
Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}
{{end}}{{if .HasAvailableInheritedFlags}}
Everywhere:
{{.InheritedFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}
{{end}}`

// rootHelp is the first thing a person sees.
func (a *app) rootHelp(root *cobra.Command, groups []group) {
	fmt.Fprintf(a.out, "%s\n\n", "nudge — follow up until they answer, then stop.")
	for _, line := range [][3]string{
		{"demo", "nudge demo", "see it work in 20 seconds, no account"},
		{"lint", "nudge lint sequences", "check what you wrote"},
		{"enroll", "nudge enroll quote maria@example.com", "follow up with somebody"},
	} {
		if hasCommand(root, line[0]) {
			fmt.Fprintf(a.out, "  %-38s %s\n", line[1], line[2])
		}
	}
	fmt.Fprintln(a.out)
	for _, g := range groups {
		var names []string
		if g.id == completionGroup {
			names = append(names, "completion")
		}
		for _, c := range g.commands {
			names = append(names, c.Name())
		}
		title := g.title
		for _, line := range wrap(strings.Join(names, " "), helpWidth) {
			fmt.Fprintf(a.out, "%-12s%s\n", title, strings.Join(strings.Fields(line), "  "))
			title = ""
		}
	}
	fmt.Fprint(a.out, "\nnudge help COMMAND, or --help after it, tells more.\n")
}

// helpWidth holds names of commands, with one space between them: with two
// they fit into 80 columns.
const helpWidth = 56

// commandHelp is what a person sees of one command. Its paragraphs are broken
// into lines here; what is indented or short already stays as it is.
func (a *app) commandHelp(cmd *cobra.Command) {
	for i, paragraph := range strings.Split(strings.TrimSpace(or(cmd.Long, cmd.Short)), "\n\n") {
		if i > 0 {
			a.printf("\n")
		}
		if cmd.Name() == "completion" || cmd.HasParent() && cmd.Parent().Name() == "completion" {
			for line := range strings.SplitSeq(paragraph, "\n") { // cobra's own, with lines to type
				a.printf("%s\n", strings.Join(broken(line, width), "\n"))
			}
			continue
		}
		for _, line := range hanging(paragraph, width, 0) {
			a.printf("%s\n", line)
		}
	}
	a.printf("\n%s", cmd.UsageString())
}

func hasCommand(root *cobra.Command, name string) bool {
	for _, c := range root.Commands() {
		if c.Name() == name {
			return true
		}
	}
	return false
}

// helpCommand is "nudge help COMMAND".
func (a *app) helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "tell about a command",
		Example: "  nudge help enroll\n  nudge help doubt",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			switch {
			case err != nil:
				return unknownCommand(root, args[0])
			case len(rest) > 0 && cmd.HasSubCommands():
				return unknownCommand(cmd, rest[0])
			case len(rest) > 0:
				return usage(fmt.Sprintf("%s has no command %q", cmd.CommandPath(), rest[0]), cmd.CommandPath()+" --help")
			}
			return cmd.Help()
		},
	}
}

// unknownCommand says so, with the one that was probably meant.
func unknownCommand(parent *cobra.Command, typed string) error {
	var known []string
	for _, c := range parent.Commands() {
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
		}
	}
	return usage(fmt.Sprintf("unknown command %q", typed)+didYouMean(typed, known), parent.CommandPath()+" --help lists the commands")
}

// flagError puts a mistake in the flags into words.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	what := err.Error()
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		what = fmt.Sprintf("--%s %s is not %s", wrong.GetFlag().Name, wrong.GetValue(), flagKind(wrong.GetFlag()))
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		name := unknown.GetSpecifiedName()
		what = "unknown flag --" + name
		if unknown.GetSpecifiedShortnames() != "" {
			what = "unknown flag -" + name
		}
		if word := nearest(name, known); word != "" {
			what += fmt.Sprintf("; did you mean --%s?", word)
		}
	}
	return usage(what, cmd.CommandPath()+" --help lists the flags")
}

// flagKind says in words what a flag's value is.
func flagKind(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "uint64", "int":
		return "a whole number"
	case "bool":
		return "true or false"
	case "uint16":
		return "a port from 1 to 65535"
	}
	return "a value it takes"
}

// need makes the check of a command's arguments: at least least, at most most
// (-1 for any number).
func need(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usage(fmt.Sprintf("%s needs %s", cmd.CommandPath(), argumentNames(cmd)), exampleHint+firstExample(cmd))
		case most >= 0 && len(args) > most:
			return usage(fmt.Sprintf("unexpected argument %q", args[most]), exampleHint+firstExample(cmd))
		}
		return nil
	}
}

// argumentNames are the words in capitals of a command's usage line.
func argumentNames(cmd *cobra.Command) string {
	return strings.Join(strings.Fields(cmd.Use)[1:], " ")
}

// examplesOf are the examples of a command, each in one line.
func examplesOf(cmd *cobra.Command) []string {
	return strings.Split(strings.ReplaceAll(strings.TrimSpace(cmd.Example), " \\\n   ", ""), "\n")
}

func firstExample(cmd *cobra.Command) string { return examplesOf(cmd)[0] }

// settings reads the config.
func (a *app) settings() (settings, error) {
	c, err := readConfig(a.configFile, os.Environ())
	if err != nil {
		return settings{}, err
	}
	return c.resolve()
}
