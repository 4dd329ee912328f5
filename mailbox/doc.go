// Package mailbox is the post office: one account, both directions. It knows
// how mail servers speak and what mail looks like, and nothing of prospects,
// sequences or what a verdict leads to.
//
// # Out: SMTP
//
// SMTP is an engine.Sender. The engine calls Open, which brings the dialogue
// to the accepted recipient; stands its fence there; claims; and calls Data on
// the Delivery, which sends the frozen bytes and returns the server's word to
// the final dot. Close gives up without delivering. Every failure is an
// *engine.SendError that says in which phase it happened and whether the dot
// may have left.
//
// # In: IMAP
//
// IMAP is an engine.Inbox, an engine.SentKeeper and an engine.SentReader. The
// engine calls
//
//  1. Fetch, which reads the headers of what arrived in any watched folder,
//     each through ParseHeader;
//  2. Read, for the few messages that may matter, which reads up to 256 KiB of
//     the text and passes it to Classify;
//  3. Wait, beside the two, which returns when something may have arrived.
//
// OwnMail, for a touch in doubt and after a
// restore, reads the headers of what was sent since a moment, wholly or not at
// all. Headers does so for one folder, and ReadPast reads files, where somebody
// wants to see what mail of the past would have done.
//
// # What a bad network can do
//
// A connection may end at any byte, or fall silent without a word. Each step of
// SMTP and each command of IMAP has a deadline of its own, the kernel probes
// idle connections, and IDLE is renewed every five minutes. Up to the dot a mail
// is then due again, from the dot on it is in doubt until the whole answer was
// read; a server's answer that breaks off is none. Fetch, Read and OwnMail
// return the whole truth or an error, never a part that looks like all.
//
// What a server says is bounded before anything is built of it, in size and in
// depth, so that a hostile one costs a connection and not the process. Its words
// enter errors cut short, and without the password that it may repeat.
//
// # What an incoming is
//
// ParseHeader, Classify, Judge and NewText are functions of bytes: no network,
// no clock, no state. They never fail and never give up on broken mail: a header
// that breaks off, a boundary that is missing, a charset that lies each cost
// only what they spoil. Work is bounded in depth, parts, lines and text, so that
// hostile mail costs milliseconds.
//
// ParseHeader says who wrote to whom, which ids are cited, and, in Report,
// whether the text must be read to know whose it is: a bounce comes from a
// mail system and often cites nothing.
//
// Judge adds what the message is and what it says besides; Classify is Judge
// for a caller who knows nothing of our touches and needs no more than an
// Incoming. The rules are asked in this order; the first that has an opinion
// decides, and Evidence names it:
//
//   - complaint: an abuse report (RFC 5965), whole or broken; Failed names who
//     complains where the report does;
//   - mdn: a disposition notification (RFC 8098), unless it hides a failure;
//   - calendar: an answer to an invitation (RFC 5546, METHOD:REPLY);
//   - challenge: a system that wants to be shown that the sender is a person;
//   - unsubscribe: the mail that an unsubscribe button makes, or a short new
//     text that is an opt-out and nothing else;
//   - bounce-hard, bounce-soft: a delivery report (RFC 3464, RFC 6533), or the
//     sender, subject and words of a mail system that writes none. Hard or soft
//     is the class of the status code; delayed is soft, and so is a full mailbox
//     without a code. Of several recipients the hard ones are named if there
//     are any, by both names where a report gives two;
//   - other: reports that report no failure;
//   - auto-reply: header proof (RFC 3834 and the fields of vendors), or a
//     subject in one of the languages and one more sign;
//   - other: lists, newsletters and notifications that answer nothing;
//   - reply: everything else. A person is the default.
//
// unsure is said of what has no header that could be read, of machines that may
// carry a person's words, such as help desks, of texts in which a machine
// speaks while nothing else proves one, and of texts that are the notice of
// somebody away from the first sentence to the last: whom to call when it is
// urgent is said to nobody in particular. One sentence besides, a question, or
// what follows a "but" is an answer.
//
// Only new text counts, which NewText returns: quotes, the lines that introduce
// them, signatures, the warnings of gateways and the notices of lawyers are left
// out first, and so is whatever repeats a touch, where Touched holds its text.
// Never enough alone are X-Auto-Response-Suppress, the rules-loop field of
// Exchange, Precedence: bulk or list, List-Id, a null Return-Path, a noreply
// sender, and any word in the text: people answer through groups, help desks and
// gateways that set them.
//
// Quoted holds the ids of mail that is returned or quoted, and before them the
// ids which that mail itself cites, since References survives where a provider
// rewrites the Message-ID. Until is the day that an automatic answer names as
// the end of an absence, whether as the last day ("until the 4th") or as the
// first one back ("back on the 7th"): the engine adds a business day, and a
// day too long is the smaller error. Only dates from 1 to 100 days after the
// mail's own Date are believed. A day and month in figures are read in the order
// of the language and the zone, or of another date in the same text, unless only
// the other order falls into those days. A weekday alone is no date.
//
// # How the languages are known
//
// What people and programs say stands in tables, one for each meaning
// (absencewords.go, optoutwords.go, classifywords.go, newtextmarks.go), of the
// type phrases. A new language is a new line there and a case in
// testdata/answers or testdata/newtext.
//
// # What it refuses
//
// It never changes a flag, never moves or removes a message, and never answers
// one. It never speaks in plain text beyond this machine. It never confirms a
// challenge. It never takes a tone for an answer: what a reply says is for
// people to read. It does not know whose a message is; that is engine.Match.
package mailbox
