package mailbox

import (
	"bytes"
	"slices"
	"strings"

	"nudge/engine"
)

// deliveryStatusTypes are the parts that say what became of each recipient
// (RFC 3464, RFC 6533).
var deliveryStatusTypes = []string{"message/delivery-status", "message/global-delivery-status", "message/xdelivery-status"}

// deliveryStatus is what a report says of one recipient.
type deliveryStatus struct {
	original, final string // bare addresses
	action          string // lower-case: failed, delayed, delivered, relayed, expanded
	status          string // enhanced status code (RFC 3463), "" when none is given anywhere
}

// maxRecipients bounds how many recipients of one report are read.
const maxRecipients = 500

// parseDeliveryStatus reads the body of a delivery report, leniently: groups
// of fields apart by empty lines, of which the first speaks of the message and
// the others of one recipient each.
func parseDeliveryStatus(body []byte) []deliveryStatus {
	var found []deliveryStatus
	for block := range fieldGroups(body) {
		h, _ := splitHeader(block)
		d := deliveryStatus{
			original: typedAddress(h.get("Original-Recipient")),
			final:    typedAddress(h.get("Final-Recipient")),
			action:   firstWord(h.get("Action")),
			status:   enhancedCode(h.get("Status")),
		}
		if d.final == "" {
			d.final = typedAddress(h.get("X-Actual-Recipient"))
		}
		if d.original == "" && d.final == "" && d.action == "" && d.status == "" {
			continue
		}
		if told := statusIn(h.get("Diagnostic-Code")); d.status == "" || generic(d.status) && told != "" && told[0] == d.status[0] {
			d.status = told
		}
		if found = append(found, d); len(found) == maxRecipients {
			break
		}
	}
	return found
}

// fieldGroups yields the runs of lines between empty ones. Some systems forget
// the empty line: a second Final-Recipient begins a group too.
func fieldGroups(body []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		start, seen := 0, map[string]bool{}
		for pos := 0; pos < len(body); {
			line, after := cutLine(body[pos:])
			next := len(body) - len(after)
			name := recipientField(line)
			if empty := len(bytes.TrimSpace(line)) == 0; empty || seen[name] {
				if pos > start && !yield(body[start:pos]) {
					return
				}
				clear(seen)
				if start = pos; empty {
					start = next
				}
			}
			if name != "" {
				seen[name] = true
			}
			pos = next
		}
		if start < len(body) {
			yield(body[start:])
		}
	}
}

// recipientField returns the name of the field that a line begins, if it is
// one of those that name a recipient.
func recipientField(line []byte) string {
	name, _, _ := cutField(line)
	switch name = strings.ToLower(name); name {
	case "final-recipient", "original-recipient":
		return name
	}
	return ""
}

// typedAddress reads "rfc822; anna@example.com" and what broken systems write
// for it.
func typedAddress(value string) string {
	if kind, addr, found := strings.Cut(value, ";"); found && !strings.Contains(kind, "@") {
		value = addr
	}
	return first(addressesIn(decodeXtext(value)))
}

// decodeXtext undoes the encoding of an original recipient (RFC 3461, section
// 4): "+2B" is a plus. Where that is not what stands there, nothing changes.
func decodeXtext(s string) string {
	if !xtext.MatchString(s) {
		return s
	}
	return xtext.ReplaceAllStringFunc(s, func(code string) string {
		hi, _ := hexDigit(code[1])
		lo, _ := hexDigit(code[2])
		return string(rune(hi<<4 | lo))
	})
}

var xtext = newPattern(`\+(2B|3D|40)`)

func firstWord(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if i := strings.IndexFunc(s, func(r rune) bool { return r < 'a' || r > 'z' }); i >= 0 {
		s = s[:i]
	}
	return s
}

var (
	enhanced = newPattern(`(?:^|[^\d.])([245]\.\d{1,3}\.\d{1,3})(?:[^\d.]|\.?$|\.\D)`)
	smtpCode = newPattern(`(?:^|[^\d.])([45]\d\d)(?:[ \-#:,]|$)`)
)

// enhancedCode returns the first enhanced status code in s.
func enhancedCode(s string) string {
	if m := enhanced.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// statusIn returns the enhanced status code of a failure that a line of SMTP
// or of prose names, or the class of its plain code with zeros behind.
func statusIn(s string) string {
	for _, m := range enhanced.FindAllStringSubmatch(s, 4) {
		if m[1][0] != '2' {
			return m[1]
		}
	}
	if m := smtpCode.FindStringSubmatch(s); m != nil {
		return m[1][:1] + ".0.0"
	}
	return ""
}

func generic(status string) bool { return strings.HasSuffix(status, ".0.0") }

// failed says whether the report means that the recipient did not get the
// mail, or not yet.
func (d deliveryStatus) failed() bool {
	switch d.action {
	case "delivered", "relayed", "expanded":
		return false
	case "failed", "failure", "delayed", "delay", "deferred":
		return true
	}
	return d.status != "" && d.status[0] != '2'
}

// soft says whether the failure is one that time may heal.
func (d deliveryStatus) soft() bool {
	return strings.HasPrefix(d.action, "delay") || d.action == "deferred" || strings.HasPrefix(d.status, "4")
}

// names returns both names of the recipient: an alias differs in each, and we
// know only the one we wrote to.
func (d deliveryStatus) names() []string {
	if strings.EqualFold(d.original, d.final) {
		return []string{d.final}
	}
	return []string{d.original, d.final}
}

func failures(report []deliveryStatus) int {
	n := 0
	for _, d := range report {
		if d.failed() {
			n++
		}
	}
	return n
}

// bounce recognises what says that a mail did not arrive: by its report part,
// or by rules on its text, since two of five bounces have no such part.
func bounce(r *reading) (engine.Kind, string) {
	if kind, evidence := bounceReport(r); kind != "" {
		return kind, evidence
	}
	return bounceText(r)
}

func bounceReport(r *reading) (engine.Kind, string) {
	report := r.deliveryReport(false)
	if failures(report) == 0 && r.fromDaemon() {
		report = r.deliveryReport(true) // a gateway reports that a report came
	}
	return r.judgeReport(report)
}

// deliveryReport reads all report parts of the message, or those of the
// messages it carries. A receipt counts where it holds a failure.
func (r *reading) deliveryReport(returned bool) []deliveryStatus {
	var report []deliveryStatus
	for _, p := range r.parts {
		if p.returned == returned && p.leaf && (slices.Contains(deliveryStatusTypes, p.mediaType) || p.mediaType == "message/disposition-notification") {
			report = append(report, parseDeliveryStatus(p.utf8())...)
		}
	}
	return report
}

// judgeReport is the verdict on the recipients of a report. A hard one names
// only whom it is hard for: the others may yet be reached.
func (r *reading) judgeReport(report []deliveryStatus) (engine.Kind, string) {
	var hard, soft []deliveryStatus
	for _, d := range report {
		switch {
		case !d.failed():
		case d.soft():
			soft = append(soft, d)
		default:
			hard = append(hard, d)
		}
	}
	kind, evidence, worst := engine.BounceHard, "delivery report (RFC 3464): failed", hard
	if len(hard) == 0 {
		kind, evidence, worst = engine.BounceSoft, "delivery report (RFC 3464): delayed, or failed for now", soft
	}
	if len(worst) == 0 {
		return "", ""
	}
	for _, d := range worst {
		r.in.Failed = append(r.in.Failed, d.names()...)
		if r.in.Status == "" {
			r.in.Status = d.status
		}
	}
	if r.in.Failed = unique(r.in.Failed); len(r.in.Failed) == 0 {
		r.in.Failed = r.failedInText()
	}
	return kind, evidence
}
