// Command nudge is the front door: flags, config and wiring, and nothing that
// decides.
//
// main hands the arguments to execute, which builds the tree of commands, runs
// one, and turns its error into words on standard error and an exit code
// (voice.go is the only place that does). There is one file for each command.
// Commands that look at people or change them ask an [engine.Operator], which
// is the running daemon where one answers and the state file itself where none
// does; they cannot tell which. run wires the daemon: store, library, and for
// each mailbox one engine with its two sides.
//
// Everything goes to standard error but what was asked for. Every command works
// without a terminal: only on one do the few that could be regretted ask back
// (question.go).
package main
