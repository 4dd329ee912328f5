package mailbox

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mustPassInText are the cases that no change may ever lose, as far as a
// message alone decides them. Each is one or more mails of testdata/answers
// whose names begin so. Those about folders, flags and servers are in
// TestDovecotMustPass.
var mustPassInText = []string{
	"plain top-posted reply with no quote",
	"from an alias",
	"from a colleague in Cc",
	"from the assistant with a new subject",
	`fresh mail "go ahead"`,
	"in Junk",
	`"I was out of office, yes please"`,
	`our own footer quoted with "unsubscribe"`,
	`"Thanks for contacting us" quoted from our step`,
	"helpdesk agent with X-Auto-Response-Suppress",
	"group mail with Precedence: list",
	"German absence", "French absence", "Spanish absence", "Dutch absence", "Swedish absence", "Japanese absence", "Chinese absence",
	"absence as a fresh thread",
	`"retired"`,
	"delayed report",
	"bounce of a forward",
	"References dropped",
	"Message-ID rewritten",
}

func TestMustPass(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "answers", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var answers []answer
	for _, file := range files {
		answers = append(answers, readAnswers(t, file)...)
	}
	for _, name := range mustPassInText {
		t.Run(name, func(t *testing.T) {
			if !slices.ContainsFunc(answers, func(a answer) bool { return strings.HasPrefix(a.name, "must pass: "+name) }) {
				t.Fatal("no mail of testdata/answers is named so")
			}
			for _, a := range answers {
				if strings.HasPrefix(a.name, "must pass: "+name) {
					a.check(t)
				}
			}
		})
	}
}

// The header of a mail that Exchange Online gave another Message-ID still
// tells the one that we gave it.
func TestMustPassOwnFollowUpInSentWithARewrittenMessageID(t *testing.T) {
	in := ParseHeader([]byte("From: sales@seller.example\r\nTo: anna@customer.example\r\nMessage-ID: <AM0PR05@eurprd05.prod.outlook.com>\r\nX-Microsoft-Original-Message-ID: <q@seller.example>\r\nReferences: <anchor@seller.example>\r\nX-Nudge-Instance: 7b3\r\n\r\n"))
	if in.OriginalID != "q@seller.example" || in.Instance == "" || !slices.Equal(in.References, []string{"anchor@seller.example"}) {
		t.Errorf("read %+v", in)
	}
}
