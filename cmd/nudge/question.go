package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// canAsk says whether somebody sits at the keyboard. Off a terminal nothing is
// ever asked: flags decide, or nothing happens.
func (a *app) canAsk() bool {
	f, ok := a.in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// choose asks a question until one of the answers, or the beginning of only
// one of them, is typed. The first answer is the harmless one: an empty line
// means it, and so does the end of the input.
func (a *app) choose(question string, answers ...string) string {
	lines := bufio.NewScanner(a.in)
	for {
		fmt.Fprintf(a.err, "%s [%s, else %s] ", visible(question), strings.Join(answers[1:], "/"), answers[0])
		if !lines.Scan() {
			fmt.Fprintln(a.err)
			return answers[0]
		}
		typed := strings.ToLower(strings.TrimSpace(lines.Text()))
		if typed == "" {
			return answers[0]
		}
		if slices.Contains(answers, typed) {
			return typed
		}
		var meant []string
		for _, answer := range answers {
			if strings.HasPrefix(answer, typed) {
				meant = append(meant, answer)
			}
		}
		if len(meant) == 1 {
			return meant[0]
		}
	}
}

// confirm asks whether to do something. Off a terminal, yes has to be said
// before: flag is how.
func (a *app) confirm(question, flag string) error {
	switch {
	case !a.canAsk():
		return usage("not done without a yes: "+question, "off a terminal, add "+flag)
	case a.choose(question, "no", "yes") != "yes":
		return &trouble{code: exitFailed, what: "nothing was done"}
	}
	return nil
}
