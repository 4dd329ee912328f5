// Package examples holds files to start from: nine sequences, which nudge new
// copies, prospects to try them on, a config and a service unit. Its tests keep
// them true: each sequence is free of errors and advice, and renders for every
// prospect.
package examples
