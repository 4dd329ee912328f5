// Package mailpair runs a real mail server pair for tests: Postfix takes mail
// (plain SMTP, submission with STARTTLS, smtps) and hands it by LMTP to Dovecot,
// which serves it over IMAP and imaps. Fakes agree with our assumptions; these
// two do not.
//
// Only tests import it. Start brings up a pair of its own for one test and ends
// it with the test; several may run at once. The same pair can be started from a
// shell with the scripts up and down beside this file. Everything lives in one
// temporary directory and listens on 127.0.0.1 at random ports, with an
// authority that is thrown away; nothing is installed and nothing can leave the
// machine.
//
// It needs root, Postfix and Dovecot 2.3. Without them a test is skipped, with a
// line that says what to install; where the environment says CI=true it fails
// instead, so that a green run means that the real servers were there.
//
// Accounts, all with Pair.Password: Sales, Prospect and Other. Logged in, each
// may only send as itself. What happens to other addresses:
//
//	nobody@customer.test     550 5.1.1 at RCPT
//	greylist@customer.test   451 4.7.1 at RCPT
//	full@customer.test       552 5.2.2 at RCPT
//	blocked@customer.test    550 5.7.1 at RCPT
//	…@elsewhere.test         refused at RCPT
//	bounce@customer.test     accepted; a report (5.1.1) comes back a moment later
//	defer@customer.test      accepted; stays in Postfix's queue
//
// Dovecot tells an IDLE client of new mail half a second late, on purpose.
package mailpair
