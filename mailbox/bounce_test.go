package mailbox

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDeliveryStatus(t *testing.T) {
	const report = `Reporting-MTA: dns; mx.example
Arrival-Date: Mon, 23 Nov 2026 09:00:00 +0100

Original-Recipient: rfc822;anna+2Bsales@b.example
Final-Recipient: RFC822; <anna@c.example>
Action: FAILED
Status: 5.1.1 (bad mailbox)
 
Final-Recipient: tom@b.example
Action: delayed
Status: 4.4.1
Final-Recipient: rfc822; eva@b.example
Action: relayed
Status: 2.0.0

Final-Recipient: rfc822; max@b.example
Action: failed
Diagnostic-Code: smtp; 452-4.2.2 The mailbox of 192.0.2.1
 is full

Final-Recipient: rfc822; ida@b.example
Diagnostic-Code: smtp; 550 no such user
`
	want := []deliveryStatus{
		{original: "anna+sales@b.example", final: "anna@c.example", action: "failed", status: "5.1.1"},
		{final: "tom@b.example", action: "delayed", status: "4.4.1"},
		{final: "eva@b.example", action: "relayed", status: "2.0.0"},
		{final: "max@b.example", action: "failed", status: "4.2.2"},
		{final: "ida@b.example", status: "5.0.0"},
	}
	for _, end := range []string{"\n", "\r\n"} {
		got := parseDeliveryStatus([]byte(strings.ReplaceAll(report, "\n", end)))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(deliveryStatus{})); diff != "" {
			t.Errorf("line end %q (-want +got):\n%s", end, diff)
		}
	}
}

func TestStatusIn(t *testing.T) {
	for text, want := range map[string]string{
		"550 5.1.1 user unknown":             "5.1.1",
		"552-5.2.2 over quota":               "5.2.2",
		"(#5.4.6)":                           "5.4.6",
		"host 192.0.2.5 said: 450 try later": "4.0.0",
		"mail from 5.1.1.7 was seen":         "",
		"250 2.0.0 ok, then 554 rejected":    "5.0.0",
		"ERROR_CODE :421, not reachable":     "4.0.0",
		"in room 550a":                       "",
		"see version 4.80":                   "",
		"":                                   "",
	} {
		if got := statusIn(text); got != want {
			t.Errorf("%q: status %q, want %q", text, got, want)
		}
	}
}

func TestSubjectsOfMailSystems(t *testing.T) {
	for subject, want := range map[string]bool{
		"Undelivered Mail Returned to Sender":              true,
		"[team] Mail delivery failed: returning message":   true,
		"Delivery Status Notification (Failure)":           true,
		"Unzustellbar: Angebot":                            true,
		"Non remis : Devis":                                true,
		"系统退信":                                             true,
		"Re: Undelivered Mail Returned to Sender":          false,
		"WG: Unzustellbar: Angebot":                        false,
		"Quote 2417":                                       false,
		"How do you handle mail that cannot be delivered?": false,
	} {
		if got := bounceSubject(subject); got != want {
			t.Errorf("%q: %v, want %v", subject, got, want)
		}
	}
}
