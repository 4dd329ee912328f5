package mailbox

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"github.com/wneessen/go-mail/smtp"

	"nudge/engine"
)

// failed turns the error of the step under way into what the engine needs to
// know. Up to AUTH nothing was said about this mail, so it is due again
// whatever the server thinks of us; from the dot on, only a real answer counts.
func (c *session) failed(err error) *engine.SendError {
	fail := &engine.SendError{Phase: c.phase, Outcome: engine.Deferred}
	if c.phase == engine.PhaseDot {
		fail.Outcome = engine.Unknown
	}
	var reply *textproto.Error
	if !errors.As(err, &reply) || reply.Code < 400 || reply.Code > 599 {
		fail.Err = c.connectionError(err)
		return fail
	}
	fail.Code, fail.Enhanced = reply.Code, replyStatus(reply.Code, reply.Msg)
	fail.Err = errors.New(replyWords(reply.Code, reply.Msg))
	switch c.phase {
	case engine.PhaseMail, engine.PhaseRcpt, engine.PhaseData, engine.PhaseDot:
		fail.Outcome = engine.Deferred
		if reply.Code >= 500 {
			fail.Outcome = engine.Refusal
		}
	}
	return fail
}

// refused is failed for an answer to AUTH. Some servers repeat what they did
// not like, so the secret is taken out of their words.
func (c *session) refused(err error, user, password string) *engine.SendError {
	var reply *textproto.Error
	var protocol textproto.ProtocolError
	switch {
	case errors.As(err, &reply):
		err = &textproto.Error{Code: reply.Code, Msg: redact(reply.Msg, user, password)}
	case errors.As(err, &protocol):
		err = textproto.ProtocolError(redact(string(protocol), user, password))
	case errors.Is(err, smtp.ErrUnexpectedServerResponse), errors.Is(err, smtp.ErrUnexpectedServerChallange):
		err = errors.New(oneLine(redact(err.Error(), user, password)))
	}
	fail := c.failed(err)
	// 4xx is the server's own trouble, 500 to 504 mean that it did not
	// understand; the rest of 5xx needs a person.
	if fail.Code > 504 {
		fail.Err = fmt.Errorf("%w: %w", ErrAuth, fail.Err)
	}
	return fail
}

// refine adds a sentence to an error.
func (c *session) refine(fail *engine.SendError, words string) *engine.SendError {
	if words != "" {
		fail.Err = fmt.Errorf("%w; %s", fail.Err, words)
	}
	return fail
}

// connectionError says in plain words how a connection ended.
func (c *session) connectionError(err error) error {
	var onTLS *tlsFailure
	var protocol textproto.ProtocolError
	var reply *textproto.Error
	switch {
	case errors.As(err, &onTLS), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case isTimeout(err):
		return fmt.Errorf("%s: no answer within %v", c.server.address(), c.wait)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed):
		return fmt.Errorf("%s: the connection was lost", c.server.address())
	case errors.As(err, &reply):
		return fmt.Errorf("%s: an answer that makes no sense here: %s", c.server.address(), replyWords(reply.Code, reply.Msg))
	case errors.As(err, &protocol):
		return fmt.Errorf("%s: an answer that is no SMTP: %s", c.server.address(), oneLine(string(protocol)))
	}
	return err
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

func isReply(err error) bool {
	var reply *textproto.Error
	return errors.As(err, &reply)
}

// readReply reads one answer (RFC 5321, section 4.2) whose code must begin with
// the digits of want, and returns its last line. The error for another code is
// a *textproto.Error.
func readReply(r *textproto.Reader, want int) (string, error) {
	code, msg, err := r.ReadResponse(want)
	if err != nil {
		return "", err
	}
	return oneLine(strconv.Itoa(code) + " " + msg[strings.LastIndexByte(msg, '\n')+1:]), nil
}

// replyStatus returns the enhanced status code at the start of a reply's text
// (RFC 2034), or "" when there is none or it belongs to another class.
func replyStatus(code int, msg string) string {
	word, _, _ := strings.Cut(strings.TrimLeft(msg, " "), " ")
	word, _, _ = strings.Cut(word, "\n")
	class, rest, _ := strings.Cut(word, ".")
	subject, detail, _ := strings.Cut(rest, ".")
	if class != strconv.Itoa(code/100) || !isNumber(subject) || !isNumber(detail) {
		return ""
	}
	return word
}

// isNumber says whether s is one to three digits.
func isNumber(s string) bool {
	return len(s) >= 1 && len(s) <= 3 && strings.Trim(s, "0123456789") == ""
}

// replyWords is a reply in one line. The enhanced code that servers repeat on
// each line of it is shown once.
func replyWords(code int, msg string) string {
	repeated := "\n" + replyStatus(code, msg) + " "
	if len(repeated) > 2 {
		msg = strings.ReplaceAll(msg, repeated, "\n")
	}
	return oneLine(strconv.Itoa(code) + " " + msg)
}

// maxWords is how much of a server's words is kept, in bytes.
const maxWords = 500

// oneLine makes foreign bytes fit for a log line: one line, valid UTF-8, no
// control characters, not endless.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if len(s) > maxWords {
		s = strings.ToValidUTF8(s[:maxWords], "") + "…"
	}
	return s
}

// redact takes a password out of foreign words, as it is and in the forms in
// which AUTH carries it.
func redact(words, user, password string) string {
	if password == "" {
		return words
	}
	encode := base64.StdEncoding.EncodeToString
	return strings.NewReplacer(
		encode([]byte("\x00"+user+"\x00"+password)), "[removed]",
		encode([]byte(password)), "[removed]",
		password, "[removed]",
	).Replace(words)
}

// checkEnvelope refuses what cannot be said in SMTP. The addresses were checked
// when they came in; this is the last place where one could become a command.
func checkEnvelope(email engine.Email) error {
	for _, address := range []string{email.From, email.To} {
		if address == "" || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' }) {
			return unsendable("553 5.1.3 the address " + strconv.Quote(address) + " cannot be written to")
		}
	}
	return nil
}

// unsendable is a refusal made before the server is asked, with the code that
// it would answer.
func unsendable(words string) *engine.SendError {
	code, msg, _ := strings.Cut(words, " ")
	number, _ := strconv.Atoi(code)
	return &engine.SendError{Phase: engine.PhaseRcpt, Outcome: engine.Refusal, Code: number, Enhanced: replyStatus(number, msg), Err: errors.New(words)}
}

func isASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] > unicode.MaxASCII {
			return false
		}
	}
	return true
}
