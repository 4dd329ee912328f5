// Package bolt is the memory: an engine.Store in one bbolt file.
//
// It knows buckets, keys and commits, and nothing of what they mean: every
// change of an enrollment is a pure function of package engine, called inside
// the transaction that keeps its result. The engines of all mailboxes and the
// person's Desk call one [Store] side by side; cmd/nudge opens it first, before
// anything touches a mailbox, and closes it last.
//
// # What lies where
//
// Keys are built from names and a NUL byte between them; numbers in keys are
// big-endian, so that they sort. Values are one version byte and JSON, readable
// with any bbolt tool.
//
//	meta          schema, secret
//	enrollments   id → enrollment; ids are numbered in base 36, so they sort by age
//	addresses     domain@local, id → nothing; all enrollments of a person, of a domain
//	due           mailbox, Look, id → nothing; every active enrollment, exactly once
//	held          mailbox, HeldUntil, id → nothing; those held until a date
//	waiting       mailbox, EnrolledAt, id → nothing; those that have not ended
//	following     sequence, id → whether Look is not Due; those that have not ended
//	message-ids   Message-ID or anchor → id
//	touches       id → open touch, without its bytes; at most one each
//	mails         id → the open touch's frozen bytes
//	seen          id, identity of an incoming → how strong its effect was
//	people        address key → contacts of the last 60 days
//	suppressions  address key or @domain → suppression
//	switches      scope → pause that is on
//	cursors       mailbox → cursor
//	counters      mailbox and day, mailbox and day and domain, last claim, states
//	events        Seq → event
//	history       id, Seq → nothing
//
// One function, write.keep, changes an enrollment together with all of its
// index entries and counts; nothing else writes them. [Store.Verify] recounts.
//
// # Durability
//
// Each method is one transaction. Writers that come while a commit is under way
// are gathered and share the next one; a writer that fails leaves the others
// untouched. When a commit itself fails, nobody knows whether it happened:
// every writer of it gets [ErrCommit], and so does every later one, until the
// process has started again and read what is on disk.
//
// # What it refuses
//
// A file that another process has open, by a lock file of its own as well as
// by bbolt's lock, which follows the inode and would let a copied file be opened
// twice; a file written by a newer nudge; a file that is cut short or damaged.
// The file and its lock are readable by their owner alone.
package bolt
