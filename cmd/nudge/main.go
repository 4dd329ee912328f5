package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	_ "time/tzdata" // small machines have no zone files
)

func main() {
	os.Exit(execute(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// app is what all commands share.
type app struct {
	configFile string
	noColor    bool
	in         io.Reader
	out, err   io.Writer
	unchecked  io.Writer // standard output where a lost word is no failure
	noHelp     error     // help was asked for what there is not
}

// execute runs one command and returns the exit code.
func execute(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	answer := &answerWriter{to: out}
	a := &app{in: in, out: answer, err: errs, unchecked: out}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = a.noHelp
	}
	if lost := answer.trouble(); lost != nil {
		err = lost
	}
	return a.explain(err)
}

// quitOnInterrupt ends the process when a person presses Ctrl-C, with the code
// that shells expect. Only the daemon does without: it has mail on its way.
func quitOnInterrupt() {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	go func() {
		<-interrupted
		os.Exit(exitInterrupted)
	}()
}
