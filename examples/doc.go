// Package examples holds files to start from: three sequences, prospects to
// try them on, a config and a service unit. Its test keeps them true: each
// sequence is free of errors and advice, and renders for every prospect.
package examples
