// Package storetest says, as tests, what every engine.Store must do, whatever
// it is built on. An implementation's own tests call [Run] and, when it keeps
// anything beyond the process, [RunDurable]. A Store that has a method
// Verify() error is asked after each test whether it agrees with itself.
//
// It refuses to know any implementation: each law is stated through the
// methods of engine.Store alone.
package storetest
