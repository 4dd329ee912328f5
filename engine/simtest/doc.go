// Package simtest is the proof: the real engine over the real store, in a world
// that is made up. It knows what a mail provider, people, an operator and a
// failing machine do, and keeps a ledger of its own; it never reads the engine's
// state to judge it, but only what reached the provider and what a person is
// shown.
//
// # One world
//
// A [World] follows from its seed alone. It lives in a testing/synctest bubble:
// months pass in a second. Its main goroutine works through an agenda (people
// write, the author edits a sequence, the operator interferes, the machine is
// switched off, an older state is put back), and an init system of its own keeps
// an incarnation of the program running: engine.Engine, driven by Run or, where
// the machine's clock may be wrong, by Tick; engine.Desk; and bolt.Store on a
// real file. Some worlds have two mailboxes, and people enrolled from both: an
// engine for each, side by side over one store, as in the program.
//
//	agenda, conf      what kind of world, and what happens when
//	people, provider  who writes what, and where it lies in which mailbox
//	reading           what the provider answers to whoever reads it
//	post              the SMTP server, and the engine's Sender and Inbox
//	process, store    an incarnation, and the points around each of its calls
//	faults, restore   what goes wrong at a point, and around the process
//	plans, language   what is sent, and how its author edits it
//	calendar          whose holidays are when, and the dates that steps lead up to
//	operator, answers what a person asks for, and answers
//	chains            the owner's calls, who is won or lost, and what follows a sequence
//	judge, letters, pace, overdue
//	                  what must hold at the first byte and at each dot
//	end               what must hold every day, and at the end
//	story             what happened, line by line, and the figures
//
// Every call of the engine to its store, inbox or sender has a point before it
// and one after it. At a point the process may crash, the call may fail, or it
// may fail although it happened. After a crash nothing of the dead process
// reaches the world any more; the next one opens the same file.
//
// # What is judged
//
// At the first byte of DATA: the touch was durably claimed, its bytes are those
// of the intent, the mailbox was read to its end after RCPT and at most five
// seconds ago, nothing that could be attributed to the prospect lay in any
// folder when that look began, the address is not suppressed, stopped or
// paused, the moment is inside the window and after the wait, and caps, gaps
// and the distance between sequences are kept. By the text that its author
// wrote, the step is in the file, its condition is true of the person, the day
// is no holiday or weekend where business days are asked for, no call is open
// that it waits for, and what a chain begins comes after the last mail of the
// sequence before, in its time, and never after an answer to that. A step that
// leads up to a date leaves before it and not before its time; a public holiday
// is one by the world's own calendar; of one sequence no more leaves on a day
// of its mailbox's zone than its author allows. Of two mailboxes none writes to
// a person while the other does, or too soon after it, and what was read in one
// ends the other's sequence as well. At each dot: nobody accepts a step twice
// but by a person's word, what goes again has the same bytes, of a backlog no
// more than a quarter of the cap leaves a day, and what was due for more than
// ten business days was asked about. Every day: everybody who was enrolled is
// there, in one state, with one next action. At the end, when the faults have
// been over for long: nobody is still active, nobody is held beyond their date,
// nobody was stopped without a cause, and whoever finished has got every step,
// but for those whose outcome nobody knows and those whose date was too near;
// and what a word of the owner's begins has begun. Where an older state was put
// back, somebody new who is enrolled after it gets every step, and the state is
// compared with Sent only a few times.
//
// # What it assumes
//
// A mailbox is read by its own engine alone: what lies in another is known when
// that one's has read it. The kind of an incoming is given as a correct
// classifier would give it. A provider that keeps a copy in Sent has it there
// within twelve minutes; the engine trusts that it is there after sixteen. The
// machine's clock is right until everybody is enrolled. Enrolling again by hand
// somebody whose enrollment an older state does not know, letting go on whom
// that state holds, and resending what is in doubt are a person's word.
//
// # Stories
//
// A world whose promise was broken tells its story: first what concerns the
// prospect, then everything. The same seed tells the same story, byte for
// byte: chance is drawn by name and occurrence, calls that run side by side take
// times that differ, and nobody prints an id that hangs on the state's secret.
//
//	go test ./engine/simtest                           some prospect-years
//	NUDGE_YEARS=200 go test -run Simulate -v …         more
//	NUDGE_SEED=12 go test -run Simulate …              one world, told aloud with the engine's diary
//	NUDGE_TORTURE=1 go test -run Mutants -v …          the proof can fail
//
// It refuses to be imported by anything but its own tests.
package simtest
