package mailbox

import (
	"strings"
	"testing"
)

func TestNewText(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"all of it", "Yes.\n\nAnna\n", "Yes.\n\nAnna"},
		{"above a quote", "Yes.\n\nOn Mon, 16 Nov 2026, Sales wrote:\n> Dear Anna\n", "Yes."},
		{"between quotes", "> first\nA\n> second\nB\n", "A\nB"},
		{"below a quote", "On Mon, 16 Nov 2026, Sales wrote:\n> Dear Anna\n\nYes.\n", "Yes."},
		{"an attribution over two lines", "Yes.\nOn Mon, 16 Nov 2026 at 09:00, Sales\n<sales@seller.example> wrote:\n> Dear Anna\n", "Yes."},
		{"an unmarked quote", "Yes.\nAm 16.11.2026 um 09:00 schrieb Sales:\n\nDear Anna\nunsubscribe\n", "Yes."},
		{"Outlook in English", "Yes.\n\nFrom: Sales <sales@seller.example>\nSent: Monday\nTo: Anna\nSubject: Quote\n\nDear Anna\n", "Yes."},
		{"Outlook in German", "Ja.\n________________________________\nVon: Sales\nGesendet: Montag\nAn: Anna\nBetreff: Angebot\n\nHallo\n", "Ja."},
		{"Outlook in Chinese", "好的\n\n发件人: Sales\n发送时间: 2026年11月16日\n收件人: Anna\n主题: 报价\n\n你好\n", "好的"},
		{"Apple Mail in French", "Oui.\n\nLe 16 nov. 2026 à 09:00, Sales <sales@seller.example> a écrit :\n\n> Bonjour\n", "Oui."},
		{"Gmail in Spanish", "Sí.\n\nEl lun, 16 nov 2026 a las 9:00, Sales (<sales@seller.example>) escribió:\n\n> Hola\n", "Sí."},
		{"Dutch", "Ja.\n\nOp ma 16 nov. 2026 om 09:00 schreef Sales <sales@seller.example>:\n> Dag\n", "Ja."},
		{"Swedish", "Ja.\n\nDen mån 16 nov. 2026 kl 09:00 skrev Sales <sales@seller.example>:\n> Hej\n", "Ja."},
		{"Japanese", "はい\n\n2026年11月16日(月) 9:00 Sales <sales@seller.example>:\n> こんにちは\n", "はい"},
		{"an old rule", "Yes.\n\n-----Ursprüngliche Nachricht-----\nVon: Sales\nHallo\n", "Yes."},
		{"a signature", "Yes.\n-- \nAnna Bauer\nunsubscribe\n", "Yes."},
		{"a phone", "Yes.\n\nVon meinem iPhone gesendet\n", "Yes."},
		{"a warning of the gateway", "CAUTION: This email originated from outside of the organization.\n\nYes.\n", "Yes."},
		{"a colon at the end is no quote", "We need these on Monday:\nten pieces\n", "We need these on Monday:\nten pieces"},
		{"a line that begins like a header", "From: Monday on we are closed.\nYes.\n", "From: Monday on we are closed.\nYes."},
	} {
		if got := NewText(tt.text); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestHTMLText(t *testing.T) {
	for in, want := range map[string]string{
		"<p>Yes</p><p>please</p>":                                                      "Yes\n\nplease",
		"<div>Yes<br>please <b>now</b>!</div>":                                         "Yes\nplease now!",
		"<style>p{}</style><script>x</script><title>t</title>a &amp; b&nbsp;c":         "a & b c",
		"Yes<blockquote>Dear <i>Anna</i><blockquote>older</blockquote></blockquote>No": "Yes\n> Dear Anna\n> > older\n\nNo",
		"<p>unclosed <b>all of it":                                                     "unclosed all of it",
		`Yes<div class="gmail_quote">On Monday</div>`:                                  "Yes\n> On Monday",
	} {
		if got := strings.TrimSpace(htmlText(in)); got != want {
			t.Errorf("%s gives %q, want %q", in, got, want)
		}
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ name, raw, want string }{
		{"plain beats HTML", "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>html\n--b\nContent-Type: text/plain\n\nplain\n--b--\n", "plain"},
		{"HTML where plain is empty", "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n  \n--b\nContent-Type: text/html\n\n<p>html\n--b--\n", "html"},
		{"attachments are not read", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nyes\n--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\nunsubscribe\n--b--\n", "yes"},
		{"returned mail is not read", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nyes\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\nunsubscribe\n--b--\n", "yes"},
		{"quoted-printable", "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=\n=DFe =zz\n", "Grüße =zz"},
		{"base64 cut short", "Content-Transfer-Encoding: base64\n\nWWVz", "Yes"},
		{"base64 with foreign bytes", "Content-Transfer-Encoding: base64\n\nW W*V\nz", "Yes"},
		{"no charset, Latin-1 bytes", "Content-Type: text/plain\n\nGr\xfc\xdfe", "Grüße"},
		{"false charset", "Content-Type: text/plain; charset=us-ascii\n\nGr\xc3\xbc\xc3\x9fe", "Grüße"},
		{"boundary split as in RFC 2231", "Content-Type: multipart/mixed; boundary*0=\"lo\"; boundary*1=\"ng\"\n\n--long\n\nyes\n--long--\n", "yes"},
		{"boundary not the one named", "Content-Type: multipart/mixed; boundary=other\n\n--real\nContent-Type: text/plain\n\nyes\n--real--\n", "yes"},
		{"multipart without any boundary", "Content-Type: multipart/mixed; boundary=b\n\nyes", "yes"},
	} {
		if got := strings.TrimSpace(readMessage([]byte(tt.raw)).text()); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestHostileStructureIsBounded(t *testing.T) {
	for name, raw := range benchmarkMails() {
		if m := readMessage(raw); len(m.parts) > maxParts {
			t.Errorf("%s: %d parts", name, len(m.parts))
		}
	}
}
