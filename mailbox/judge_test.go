package mailbox

import (
	"strings"
	"testing"
	"time"

	"nudge/engine"
)

func mailWith(fields, text string) []byte { return completeMail(fields + "\n\n" + text) }

func TestJudgeKnowsOurSubject(t *testing.T) {
	raw := mailWith("Subject: Out of office chairs until 5 December", "I am away, but send ten.\n")
	if v := Judge(raw, Touched{}); v.Kind != engine.AutoReply {
		t.Errorf("without our subject it is %s: %s", v.Kind, v.Evidence)
	}
	if v := Judge(raw, Touched{Subjects: []string{"Out of office chairs until 5 December"}}); v.Kind != engine.Reply {
		t.Errorf("in answer to our own subject it is %s: %s", v.Kind, v.Evidence)
	}
}

func TestJudgeKnowsWhenOurTouchLeft(t *testing.T) {
	raw := mailWith("Subject: Abwesend", "Danke.\n")
	left := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for after, want := range map[time.Duration]engine.Kind{
		-time.Second: engine.Reply, 0: engine.AutoReply, 3 * time.Minute: engine.AutoReply, 3*time.Minute + 1: engine.Reply,
	} {
		if v := Judge(raw, Touched{At: left, Arrived: left.Add(after)}); v.Kind != want {
			t.Errorf("%v after our touch it is %s (%s), want %s", after, v.Kind, v.Evidence, want)
		}
	}
}

func TestJudgeKnowsOurTexts(t *testing.T) {
	const ours = "If you do not want to receive any more emails from us, answer with stop.\nThank you for contacting us, we have received your request and will get back to you."
	raw := mailWith("Subject: Re: Quote", "Fine.\n\n"+ours+"\n")
	v := Judge(raw, Touched{Texts: []string{ours}})
	if v.Kind != engine.Reply || v.OptOut || v.NewText != "Fine." {
		t.Errorf("it is %s, opt-out %v, new text %q", v.Kind, v.OptOut, v.NewText)
	}
	if v := Judge(raw, Touched{}); !v.OptOut {
		t.Error("where our text is not known, the opt-out in it ought to be seen")
	}
}

func TestJudgeReadsAnswersToInvitations(t *testing.T) {
	for status, want := range map[string]string{"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative", "DELEGATED": "delegated", "NEEDS-ACTION": ""} {
		raw := mailWith("Content-Type: text/calendar; method=REPLY", "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nATTENDEE;CN=Anna;PART\r\n STAT="+status+":mailto:anna@customer.example\r\nEND:VCALENDAR\r\n")
		if v := Judge(raw, Touched{}); v.Kind != engine.Calendar || v.Answer != want {
			t.Errorf("%s is %s, %q, want %q", status, v.Kind, v.Answer, want)
		}
	}
}

func TestJudgeNamesWhoTakesOver(t *testing.T) {
	for text, want := range map[string]string{
		"I have left the company. Please contact Tom at tom@customer.example.":                      "tom@customer.example",
		"anna@customer.example is no longer in use, write to new@customer.example":                  "new@customer.example",
		"Anna has left the company. Your mail to sales@seller.example was noted.":                   "",
		"I have left the company. Mails to noreply@customer.example are not read, <eva@c.example>.": "eva@c.example",
		"I am on leave, please contact tom@customer.example":                                        "",
	} {
		v := Judge(mailWith("Auto-Submitted: auto-replied", text+"\n"), Touched{})
		if v.Successor != want {
			t.Errorf("%q names %q, want %q", text, v.Successor, want)
		}
		if left := !strings.Contains(text, "on leave"); v.Left != left {
			t.Errorf("%q: left is %v, want %v", text, v.Left, left)
		}
	}
}

func TestUnreadableMailIsUnsure(t *testing.T) {
	for _, raw := range []string{"", "\n\n", "hello", "X-A: b\n\ntext", "\x00\x01\x02"} {
		if v := Judge([]byte(raw), Touched{}); v.Kind != engine.Ambiguous {
			t.Errorf("%q is %s", raw, v.Kind)
		}
	}
}

func TestBrokenMIMEHidesNothing(t *testing.T) {
	for _, tt := range []struct {
		name, fields, text string
		want               engine.Kind
	}{
		{"a boundary that never comes", "Content-Type: multipart/mixed; boundary=b", "Yes, go ahead.", engine.Reply},
		{"a part cut off inside its header", "Content-Type: multipart/mixed; boundary=b", "--b\nContent-Type: text/plain", engine.Reply},
		{"an unknown encoding", "Content-Type: text/plain\nContent-Transfer-Encoding: x-nobody", "STOP", engine.Unsubscribe},
		{"an unknown charset", "Content-Type: text/plain; charset=x-nobody", "Abmeldung", engine.Unsubscribe},
		{"a false multipart report", "Content-Type: multipart/report; report-type=delivery-status\nFrom: MAILER-DAEMON@x.example", "<anna@customer.example>: 550 5.1.1 user unknown", engine.BounceHard},
		{"an automatic header above garbage", "Auto-Submitted: auto-replied\nContent-Type: multipart/mixed; boundary=b", "\x80\x81--b--", engine.AutoReply},
	} {
		if v := Judge(mailWith(tt.fields, tt.text), Touched{}); v.Kind != tt.want {
			t.Errorf("%s: it is %s (%s), want %s", tt.name, v.Kind, v.Evidence, tt.want)
		}
	}
}

func TestOptOutsAndWhatOnlySoundsLikeThem(t *testing.T) {
	for text, want := range map[string]bool{
		"STOP": true, "Stop!": true, "remove me, please": true, "Unsubscribe\n\nAnna Bauer": true, "no more emails please": true,
		"No thanks.": false, "No.": false, "Stop by on Monday.": false, "Remove the second item.": false, "Yes": false,
		"Please remove me from your list and send me the invoice.": false, "How do I unsubscribe?": false, "Don't stop": false,
		"Cancel the order": false, "Please stop the delivery": false, "Do not send it to me but to Tom": false,
	} {
		if wholeOptOut(text) != want {
			t.Errorf("%q is an opt-out: %v, want %v", text, !want, want)
		}
	}
}

// What sounds like an opt-out in a language without spaces, or is short, and
// says something else.
func TestShortAnswersThatAreNoOptOuts(t *testing.T) {
	for _, text := range []string{
		"登録の変更は不要です。", "ご連絡ありがとうございます。", "配信停止の件、了解しました。見積もりをお送りください。", "别忘了给我发邮件", "不用发邮件，打电话就行", "메일을 보내지 못했습니다", "메일 잘 받았습니다",
		"Keine E-Mails erhalten.", "Ich habe keine Nachricht bekommen.", "Drop me a line next week", "No me ha llegado el correo.", "Je n'ai pas reçu votre mail.", "Non ho ricevuto la mail.", "Please delete the attachment.",
	} {
		if wholeOptOut(text) {
			t.Errorf("%q is taken for an opt-out", text)
		}
	}
}

// What asks for less than to be left alone, in answer to us: never an opt-out,
// and never flagged as one.
func TestWishesThatAreNoOptOuts(t *testing.T) {
	for _, text := range []string{
		"Don't send it", "Please don't send", "Don't send this yet", "Do not contact him", "Remove it", "Cancel", "Please cancel my order", "No need to contact me", "No email from you today",
		"Don't wait for me", "Please delete my previous message", "Delete my details from the quote", "No more questions", "Not interested", "Please take me off speaker",
		"Ich melde mich.", "Danke, ich melde mich morgen!", "Ich melde mich ab 10 Uhr", "Melden Sie sich bitte", "Nehmen Sie mich mit", "Tragen Sie mich ein", "Bitte stornieren", "Bitte nicht mehr anrufen",
		"Pas de mail reçu", "Ne m'écrivez pas, appelez", "No quiero más", "No me escriba, llámeme", "Non mi interessa", "Cancellate la riunione", "Ik meld me morgen", "Meld meg på kurset, takk", "Geen mail ontvangen",
		"Nie wysyłać jeszcze", "не пишите сюда, пишите на личную", "不要です", "请取消", "취소",
	} {
		if v := Judge(mailWith("Subject: Re: Quote", text+"\n"), Touched{}); v.Kind != engine.Reply || v.OptOut {
			t.Errorf("%q is %s, opt-out %v", text, v.Kind, v.OptOut)
		}
	}
}

// Groups, gateways and help desks put these on what people write.
func TestWeakHeadersDoNotMakeAMachineOfAPerson(t *testing.T) {
	for _, a := range readAnswers(t, "testdata/answers/reply.txt") {
		for _, weak := range []string{
			"X-Auto-Response-Suppress: All\n", "X-Auto-Response-Suppress: DR, OOF, AutoReply\n", "X-MS-Exchange-Inbox-Rules-Loop: a@b.example\n",
			"Return-Path: <>\n", "Precedence: list\nList-Id: <a.example>\nList-Post: <mailto:a@b.example>\n", "Precedence: bulk\nList-Id: <a.example>\nList-Post: <mailto:a@b.example>\n",
			"Auto-Submitted: no\n", "X-Spam-Flag: YES\n", "Errors-To: <a@b.example>\n", "Reply-To: noreply@customer.example\n",
		} {
			mail := string(a.raw)
			switch {
			case strings.Contains(weak, "List-Post") && (!strings.Contains(mail, "In-Reply-To") || ticketSystem(readMessage(a.raw).header) != ""):
				continue // fresh mail through a list may be the list's, and a help desk's the desk's
			case strings.Contains(mail, "Subject: Out of office"), strings.Contains(mail, "Subject: Ticket 4711 created"):
				continue // a weak header and such a subject are proof
			}
			if strings.Contains(mail, "X-Auto-Response-Suppress") && strings.Contains(weak, "Rules-Loop") ||
				strings.Contains(mail, "Rules-Loop") && strings.Contains(weak, "X-Auto-Response-Suppress") ||
				strings.Contains(mail, "X-Auto-Response-Suppress") && strings.Contains(weak, "Return-Path: <>") && !replyPrefix.MatchString(ParseHeader(a.raw).Subject) {
				continue // the two together are more than weak
			}
			v := Judge(append([]byte(weak), a.raw...), Touched{})
			if strings.Contains(weak, "Return-Path: <>") && v.Kind == engine.Ambiguous && bounceTalk(a.raw) {
				continue // a person who tells of a bounce, through a gateway that makes it look like one
			}
			if v.Kind != engine.Reply {
				t.Errorf("%s, with %q: it is %s (%s)", a.name, weak, v.Kind, v.Evidence)
			}
		}
	}
}

// bounceTalk says whether a mail holds what only bounces hold besides.
func bounceTalk(raw []byte) bool {
	m := readMessage(raw)
	return failurePhrases.in(foldText(m.text()))
}
