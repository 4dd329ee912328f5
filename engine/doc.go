// Package engine is the judgement: who hears from us next, and who never again.
//
// # The story
//
// A sequence is a plan (package sequences). Enrolling a prospect in it makes an
// [Enrollment]: one next action, with a date and an owner. When the date comes
// the engine sends a touch, and goes on until the prospect answers; then it
// stops. One [Engine] serves one mailbox, and each round of it is three verbs:
//
//	listen   read every watched folder to its end and apply what was found
//	speak    send what is due, if the mailbox could be read
//	rest     until mail arrives or the next touch is due
//
// It reads its mail before it sends any; if it cannot read, it does not send.
//
// # The send protocol
//
// Every touch takes the same road, and every step of it has one owner:
//
//	guard    a pure function says yes, or not before when, or ask a person
//	prepare  rendered to its final bytes, durably stored: the intent
//	open     the SMTP dialogue is brought to RCPT            (Sender.Open)
//	fence    every watched folder is read to its end again   (Inbox.Fetch)
//	claim    one transaction: what the last look found, a check that nothing
//	         about the enrollment moved, and "sending"
//	data     the frozen bytes leave                          (Delivery.Data)
//	settle   the outcome and the next due date, in one transaction
//
// What is found in state "sending" when the program starts was interrupted
// between claim and settle. Nobody can know whether it left, so it is in doubt,
// as is a touch whose connection broke after the final dot. It is looked for
// among the sent mail, three times in a quarter of an hour. A copy, a report or
// an answer that cites it: it was sent. Proven absent, where the provider is
// known to file every mail by itself: it goes again, the same bytes. Nothing
// found: the first mail of a sequence waits for a person, a later one counts as
// sent, since one follow-up too few is cheaper than one twice (doubt.go).
//
// # Whose mail it is
//
// [FindMatches] climbs down a ladder from our own Message-IDs to the company of
// a prospect (match.go, company.go), [Judge] is the table of what each kind of
// mail does and how far it reaches: the person, the deal, the company
// (verdict.go). A mail of the owner's in Sent that no nudge wrote is a takeover
// (takeover.go). Each effect remembers where the enrollment stood before, so that
// a person can take back what a mail did (standing.go, notareply.go), and every
// fact behind the next touch can be told (why.go).
//
// # After the unexpected
//
// Late: when a mailbox could not read or send for more than a day, what came
// due meanwhile is a backlog. A quarter of the day's cap is for it, oldest
// first; what is over ten business days late, or too much at once, waits for
// nudge catch-up (overdue.go). Waiting for pace is no lateness.
//
// Restored or cloned: every mail carries the installation's instance. A state
// that is older than its own witness beside it, or than a mail of ours in Sent,
// sends nothing until the Sent folder was compared; what that cannot settle is
// held. A mail of another instance in Sent stops all sending (witness.go,
// reconcile.go).
//
// Refused: trouble of the network or the server backs off; a refused login, a
// refused sender, or several refusals in a row pause the mailbox or the
// sequence until a person has looked (failure.go, health.go).
//
// # Tasks, chains and plans
//
// A call, a letter or a task is the owner's work: open until it is done,
// skipped, or expires. The sequence waits for it where it has a limit or its
// author says so; else it goes on meanwhile (task.go). When an enrollment ends,
// its sequence may begin another: in the transaction that keeps the ending, for
// nobody suppressed or enrolled already, and never round in a circle. An answer
// to what has ended is an answer to what follows it (chain.go). What nudge plan
// tells is found by the same guard, each step imagined done (forecast.go), with
// people taken in the same order (boarding.go).
//
// # The invariants
//
// Each has a test of the same name.
//
//  1. No DATA byte leaves unless the mailbox was read to its end, successfully,
//     after RCPT and at most five seconds ago, and nothing in it could be
//     attributed to that prospect.
//  2. The intent is durable before DATA. Dots for one enrollment and step are
//     at most one, plus a person's explicit resends.
//  3. Stopping is the same transaction that makes the next touch not due.
//  4. The IMAP cursor moves only in the transaction that applied what was read.
//  5. A suppressed address is refused at enroll, at claim, and in every import.
//  6. Same inputs and same now give the same bytes: preview is what is sent.
//  7. Every active enrollment is in the due index exactly once; nothing else is.
//  8. Per mailbox and day, accepted touches are at most the cap; between two
//     there is at least the gap; none leaves outside its window.
//
// # Who calls whom
//
// Package cmd/nudge wires an Engine for each mailbox, and a [Desk] for the
// people. The engine calls four interfaces that it declares itself: [Store]
// (memory), [Sender] and [Inbox] (one mailbox), and [Operator], which is what a
// person may ask and which [Desk] answers. Decisions are functions of values
// that take now; sockets and disks only obey. This package imports neither net
// nor a database nor a mail library, and a test says so.
package engine
