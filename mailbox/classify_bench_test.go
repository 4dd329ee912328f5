package mailbox

import (
	"strings"
	"testing"
)

// benchmarkMails are what reading costs: an everyday reply, the longest texts
// that are fetched, and structures made to cost.
func benchmarkMails() map[string][]byte {
	head := "From: Anna Bauer <anna@customer.example>\r\nTo: sales@seller.example\r\nSubject: Re: Quote 2417\r\nDate: Mon, 9 Nov 2026 10:00:00 +0100\r\nMessage-ID: <a@customer.example>\r\nIn-Reply-To: <seq.1@seller.example>\r\n"
	plain := head + "Content-Type: text/plain; charset=utf-8\r\n\r\n"
	fill := func(start, line string) []byte {
		return []byte(start + strings.Repeat(line, (256<<10-len(start))/len(line)))
	}
	nested := head
	for range 400 {
		nested += "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
	}
	daemon := "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: sales@seller.example\r\nSubject: failure notice\r\n\r\n"
	return map[string][]byte{
		"small reply":                  []byte(plain + "Yes please, go ahead.\r\n\r\nOn Mon, 2 Nov 2026 at 09:00, Sales wrote:\r\n> Dear Anna, here is our quote.\r\n"),
		"256 KiB of prose":             fill(plain, "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor.\r\n"),
		"256 KiB of quotes":            fill(plain, "> On Mon Anna <anna@customer.example> wrote that 5.1.1 is unknown: yes\r\n"),
		"256 KiB of attribution":       fill(plain, "On Monday the 2nd of November 2026 at 9 somebody <a@b.example> thought that\r\n"),
		"256 KiB of introductions":     fill(plain, "On Mon, 2 Nov 2026 at 09:00, Sales wrote:\r\n> a\r\n"),
		"256 KiB of absence":           fill("Auto-Submitted: auto-replied\r\n"+plain, "Back on Monday, 7 December, from 1.12. until 4.12., am 7. Dezember wieder da.\r\n"),
		"256 KiB of automatic subject": fill(strings.Replace(plain, "Re: Quote", "Automatic reply: Quote", 1), "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod.\r\n"),
		"256 KiB in one line":          fill(plain, "on le am wrote From: 2 Nov a@b.example "),
		"256 KiB of HTML":              fill(head+"Content-Type: text/html\r\n\r\n", "<div><p class=x>Hello <b>there</b> &amp; back</p></div>\r\n"),
		"256 KiB of bounce":            fill(daemon, "<anna@customer.example>: host mx said: 550 5.1.1 user unknown\r\n"),
		"256 KiB of boundaries":        fill(head+"Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n"),
		"256 KiB of reports":           fill(head+"Content-Type: message/delivery-status\r\n\r\n", "Final-Recipient: rfc822; a@b.example\r\n\r\n"),
		"256 KiB of ids":               fill(head+"References: ", "<abcdef@b.example>\r\n "),
		"256 KiB of header":            fill(head, "X: y\r\n"),
		"256 KiB of base64":            fill(head+"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n", "SSBhbSBvdXQgb2Ygb2ZmaWNlIHVudGlsIE1vbmRheS4K\r\n"),
		"256 KiB of quotes in quotes":  fill(plain, strings.Repeat(">", 500)+" On Mon Anna wrote:\r\n"),
		"256 KiB of one header field":  append(fill("X-Long: ", "On Mon a@b.example wrote =?utf-8?q?x?= <a@b> 5.1.1; "), []byte("\r\n"+plain+"Yes.\r\n")...),
		"256 KiB of one subject":       append(fill("Subject: ", "Automatic reply: =?utf-8?b?SGk=?= undeliverable "), []byte("\r\n"+plain+"Yes.\r\n")...),
		"256 KiB of recipients":        append(fill("To: ", "\"a, b\" <a@b.example>, (c) "), []byte("\r\n"+plain+"Yes.\r\n")...),
		"256 KiB of open brackets":     fill(head+"Content-Type: text/html\r\n\r\n", "<a <!-- <b \" &am ' <style "),
		"256 KiB of nested tags":       fill(head+"Content-Type: text/html\r\n\r\n", "<blockquote><div><table><tr><td>x"),
		"256 KiB of opt-outs":          fill(plain, "Please stop. Do not send me the list. Remove my address from it. "),
		"4 KiB of notice":              []byte(plain + strings.Repeat("I am away until Monday. If urgent, call Tom.\r\n\r\n", 80)),
		"256 KiB of footers":           fill(strings.Replace(plain, "In-Reply-To: <seq.1@seller.example>\r\n", "", 1), "To unsubscribe du modtager denne mail pour vous um sich klik "),
		"256 KiB of labels":            fill(plain, "From: a\r\nBlah blah\r\nTo: b\r\n"),
		"256 KiB of free lines":        fill(daemon, "\r\n"),
		"256 KiB of quoted-printable":  fill(head+"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", "=C3=A4=\r\n"),
		"256 KiB of parameters":        fill(head+"Content-Type: multipart/mixed", "; boundary*0=\"b\"; a=b"),
		"256 KiB of Chinese":           fill(plain, "我正在休假请不要回复此邮件退订自动"),
		"256 KiB of figures":           fill("Auto-Submitted: auto-replied\r\n"+plain, "12/7-1.2.3 2026-12-07 7 Dez 8 "),
		"deeply nested":                []byte(nested),
		"256 KiB nested":               append([]byte(nested), fill("", "--b\r\nContent-Type: message/rfc822\r\n\r\n")[:256<<10-len(nested)]...),
	}
}

func BenchmarkClassify(b *testing.B) {
	for name, raw := range benchmarkMails() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				Classify(raw)
			}
		})
	}
}

func BenchmarkParseHeader(b *testing.B) {
	for _, name := range []string{"small reply", "256 KiB of ids", "256 KiB of header"} {
		raw := benchmarkMails()[name]
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				ParseHeader(raw)
			}
		})
	}
}
