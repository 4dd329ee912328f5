// Package control is the hatch: how a command talks to the daemon that holds
// the state file.
//
// It is HTTP and JSON over a Unix socket that only its owner may open; there is
// no TCP, so there is nothing to log in to. The daemon calls [Listen] once,
// before it says that it is ready, and [Server.Serve] until it ends. A command
// calls [Dial], which is quick whether or not a daemon runs, and then has an
// [engine.Operator] that it cannot tell from one over the file itself: the same
// values, the same sentinels under errors.Is, the same words for a person.
//
// Each method of Operator is one POST to /v1/ and its name in lower case. The
// body is the request as JSON, the answer is its result as JSON, and a status
// other than 200 carries an error by name. A command and a daemon of different
// versions say so instead of guessing.
//
// It refuses to listen in a directory where others could replace the socket, to
// take the place of a daemon that still answers, and to talk to a socket that
// somebody else made.
package control
