// Package localmail is a mail provider in memory: SMTP submission and IMAP for
// any number of mailboxes, scripted people who answer their mail, and faults.
// It serves the demo and the tests; no mail ever leaves it.
//
// In this order:
//
//  1. [New] makes a Provider, [Provider.AddMailbox] the accounts on it.
//  2. [Provider.Account] describes one account over connections in memory,
//     with TLS and without a single socket, so that it also works inside a
//     testing/synctest bubble. [Provider.Listen] opens real ports on loopback
//     instead, for programs that cannot be given a dialer.
//  3. [Provider.AddPerson] puts someone at the other end. Every mail that
//     arrives by SMTP for a person makes them plan their answers; a plan is
//     carried out by [Provider.Advance], so time passes only when the caller
//     says so. [Provider.NextEvent] says until when nothing will happen.
//  4. [Provider.Break] and [Provider.Freeze] make things go wrong.
//  5. [Provider.Ledger] lists every SMTP transaction with how far it came, and
//     [Provider.Messages] what lies in a folder: what a test believes, since
//     neither was written by the program under test.
//  6. [Provider.Close] ends every connection and waits for every goroutine.
//
// As on real servers, a connection that has a folder selected does not find
// what arrived since its last NOOP.
//
// It refuses to relay: mail to an address that is neither a mailbox nor a
// person here is accepted, kept in the ledger, and goes nowhere. Passwords are
// not accepted without TLS, except on the ports that never offer it.
package localmail
