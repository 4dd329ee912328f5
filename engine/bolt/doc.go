// Package bolt is the memory: an engine.Store in one bbolt file.
//
// It knows buckets, keys and commits, and nothing of what they mean: every
// change of an enrollment is a pure function of package engine, called inside
// the transaction that keeps its result. The engines of all mailboxes and the
// person's Desk call one [Store] side by side; cmd/nudge opens it first, before
// anything touches a mailbox, and closes it last. [Restore], [VerifyFile] and
// [Prune] work on files that nobody has open.
//
// # What lies where
//
// A state is four files, which their owner alone can read:
//
//	path               the bbolt file
//	path.lock          flock, and the id of the process that holds it
//	path.suppressions  the ledger: who must never be written to again
//	path.instance      the sidecar: which state was used last, and where
//
// Beside it may lie path.schema-N-TIME, a copy from before it was brought up
// from schema N, and path.before-restore-TIME, what a backup has replaced.
//
// In the file, keys are built from names and a NUL byte between them; numbers in
// keys are big-endian, so that they sort. Values are one version byte and JSON,
// readable with any bbolt tool.
//
//	meta          schema, secret, identity; restored, until the next Open
//	enrollments   id → enrollment; ids are numbered in base 36, so they sort by age
//	addresses     domain@local, id → nothing; all enrollments of a person, of a domain
//	due           mailbox, Look, id → nothing; every active enrollment, exactly once
//	held          mailbox, HeldUntil, id → nothing; those held until a date
//	waiting       mailbox, EnrolledAt, id → nothing; those that have not ended
//	following     sequence, id → whether Look is not Due; those that have not ended
//	message-ids   Message-ID or anchor → id; → nothing for mail to somebody unknown
//	touches       id → open or Kept touch, without its bytes; at most one each
//	mails         id → that touch's frozen bytes
//	sent          when it left, id → a mail that was sent; the newest, up to 64 MiB and 400 days
//	kin           company or deal, its name, id → nothing; those that have not ended
//	aliases       address key, key of the person it answered for → where that was seen
//	effects       identity of an incoming, id → whether it suppressed; what it did, to be taken back
//	reversed      identity of an incoming that a person called no answer → when
//	seen          id, identity of an incoming → how strong its effect was
//	people        address key → contacts of the last 60 days
//	suppressions  address key or @domain → suppression
//	switches      scope → pause that is on
//	cursors       mailbox → cursor
//	counters      of a mailbox: each of the last 120 days, the backlog's share and
//	              each domain's and sequence's of it, last claim, last beat, copies seen in Sent;
//	              of all: states, doubts, claims so far, bytes in sent
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
// process has started again and read what is on disk. The error says why in the
// system's words, and wraps it.
//
// # Opt-outs outlive the state
//
// The ledger is appended to and brought to disk before the transaction commits
// that suppresses or removes; where that fails, so does the commit. Open adds to
// either what only the other knows, and stops whom it concerns, before it
// returns. A removal is lost with the state that knew of it: the address is
// then suppressed again.
//
// # Old states and copies
//
// Claims are counted, in the state by their transaction and in the sidecar soon
// after. Open compares the two, and the machine: a state that knows of fewer
// claims, is of another instance, was moved or restored, or has lost its sidecar
// may not know all that was sent. Each of its mailboxes is then distrusted until
// Reconcile, the installation takes a new instance, and ids that may have been
// given are left out. A sidecar older than its state, as after a crash, means
// nothing.
//
// A state of an earlier schema is copied, and brought up to date in one
// transaction.
//
// # Backups
//
// [Store.Backup] copies one moment of the state while others write, and reads
// the copy before it gets its name. [Restore] puts one in place by one rename,
// with a mark that Open heeds. What a process that was killed left unfinished,
// Open removes beside the state, and [RemoveUnfinished] among the copies.
//
// # What it refuses
//
// A file that another process has open, by a lock file of its own as well as
// by bbolt's lock, which follows the inode and would let a copied file be opened
// twice; a file written by a newer nudge; a file that is cut short or damaged; a
// file that never was a state, before anything is made beside it.
// The file and its lock are readable by their owner alone.
package bolt
