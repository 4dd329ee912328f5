package mailbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// newTextCases reads testdata/newtext: a line "== name" begins a case, and
// "-- new" parts the text from what its writer added.
func newTextCases(t testing.TB) map[string][2]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "newtext", "quotes.txt"))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][2]string{}
	for record := range strings.SplitSeq("\n"+string(content), "\n== ") {
		name, rest, found := strings.Cut(record, "\n")
		text, want, parted := strings.Cut(rest, "\n-- new\n")
		if found && parted {
			cases[name] = [2]string{text, strings.TrimSpace(want)}
		}
	}
	return cases
}

func TestNewTextOfMailPrograms(t *testing.T) {
	cases := newTextCases(t)
	if len(cases) < 60 {
		t.Fatalf("only %d cases were read", len(cases))
	}
	for name, c := range cases {
		if got := NewText(c[0]); got != c[1] {
			t.Errorf("%s: got %q, want %q", name, got, c[1])
		}
		if got := NewText(strings.ReplaceAll(c[0], "\n", "\r\n")); got != c[1] {
			t.Errorf("%s, with CRLF: got %q, want %q", name, got, c[1])
		}
	}
}

func TestNewTextKnowsOurs(t *testing.T) {
	const ours = "Dear Anna,\n\nhere is our quote for twenty pieces of the blue ones.\nTo unsubscribe from these mails answer with stop.\n\nBest regards\nSales\n"
	for _, tt := range []struct{ name, text, want string }{
		{"an unmarked quote of ours below", "Yes.\n\nhere is our quote for twenty pieces of the blue ones.\nTo unsubscribe from these mails answer with stop.", "Yes."},
		{"an answer below an unmarked quote of ours", "From: Sales\nSent: Monday\nTo: Anna\nSubject: Quote\n\nDear Anna,\n\nhere is our quote for twenty pieces of the blue ones.\nTo unsubscribe from these mails answer with stop.\n\nYes, please.", "Yes, please."},
		{"an answer between our lines", "here is our quote for twenty pieces of the blue ones.\nRed ones, please.\nTo unsubscribe from these mails answer with stop.", "Red ones, please."},
		{"short lines prove nothing", "Best regards\nSales", "Best regards\nSales"},
		{"punctuation and case do not matter", "HERE IS OUR QUOTE, for twenty pieces of the blue ones\nNo.", "No."},
	} {
		if got := NewText(tt.text, ours); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestNewTextOfHTML(t *testing.T) {
	for _, tt := range []struct{ name, html, want string }{
		{"Gmail", `<div dir="ltr">Yes.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, Sales wrote:<br></div><blockquote class="gmail_quote">Dear Anna</blockquote></div>`, "Yes."},
		{"Gmail, answers between", `<div class="gmail_quote"><div class="gmail_attr">Sales:</div><blockquote class="gmail_quote">How many?</blockquote><div>Ten.</div><blockquote class="gmail_quote">When?</blockquote><div>Monday.</div></div>`, "Ten.\n\nMonday."},
		{"Gmail, an indent is no quote", `<div>We need:</div><blockquote style="margin:0 0 0 40px;border:none;padding:0px"><div>ten pieces</div></blockquote>`, "We need:\n\nten pieces"},
		{"Gmail with a signature", `<div>Yes.<br clear="all"><div><br></div>-- <br><div class="gmail_signature">Anna<br>Customer Ltd.</div></div>`, "Yes."},
		{"all typed into the signature", `<div class="gmail_signature">Yes, please</div>`, "Yes, please"},
		{"Thunderbird", `<p>Yes.</p><div class="moz-cite-prefix">On 23/11/2026 Sales wrote:<br></div><blockquote type="cite" cite="mid:x">Dear Anna</blockquote><p>And no.</p><pre class="moz-signature">-- Anna</pre>`, "Yes.\n\nAnd no."},
		{"Apple Mail", `<div>Yes.</div><div><br><blockquote type="cite"><div>On 23 Nov 2026, at 09:00, Sales wrote:</div><div>Dear Anna</div></blockquote></div>`, "Yes."},
		{"Outlook on the web", `<div>Yes.</div><div id="appendonsend"></div><hr tabindex="-1"><div id="divRplyFwdMsg"><b>From:</b> Sales<br><b>Sent:</b> Monday</div><div>Dear Anna</div>`, "Yes."},
		{"Outlook on the desk", `<p class=MsoNormal>Yes.</p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'><p><b>Od:</b> Sales</p></div></div><p>Dear Anna</p>`, "Yes."},
		{"new Outlook on a Mac", `<div>Yes.</div><div id="mail-editor-reference-message-container"><div>From: Sales</div><div>Dear Anna</div></div>`, "Yes."},
		{"Yahoo", `<div>Yes.</div><div id="yahoo_quoted_1" class="yahoo_quoted"><div>On Monday, Sales wrote:</div><div>Dear Anna</div></div>`, "Yes."},
		{"Zimbra", `<div>Yes.</div><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><b>From: </b>Sales</div><div>Dear Anna</div>`, "Yes."},
		{"Proton", `<div>Yes.</div><div class="protonmail_quote">On Monday Sales wrote:<blockquote class="protonmail_quote">Dear Anna</blockquote></div>`, "Yes."},
		{"GMX", `<div>Ja.<div name="quote" style="margin:10px 5px"><div><b>Gesendet:</b> Montag</div><div name="quoted-content">Hallo</div></div></div>`, "Ja."},
		{"hidden text", `<div style="display: none">preview</div><p>Yes.</p>`, "Yes."},
		{"elements that are never closed", `<div>Yes.<blockquote>Dear <b>Anna<p>quoted`, "Yes."},
		{"too many closed", `</div></blockquote></div>Yes.</div>`, "Yes."},
	} {
		if got := NewText(htmlText(tt.html)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzNewText holds that nothing is new that does not stand in the text, line
// by line and in order, and that nothing quoted is new, nor anything of ours.
func FuzzNewText(f *testing.F) {
	for _, c := range newTextCases(f) {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, text, ours string) {
		got := NewText(text, ours)
		if len(got) > 3*maxNewText && len(got) > len(text) {
			t.Errorf("%d bytes came of %d", len(got), len(text))
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("%q is no text", got)
		}
		lines := strings.Split(textTidier.Replace(letterSpaces.Replace(text)), "\n")
		known, at := ourLines([]string{ours}), 0
		for line := range strings.SplitSeq(got, "\n") {
			if strings.HasPrefix(line, ">") {
				t.Errorf("%q is quoted", line)
			}
			if known[ourForm(line)] {
				t.Errorf("%q is ours", line)
			}
			for at < len(lines) && line != "" && strings.TrimSpace(lines[at]) != line {
				at++
			}
			if at == len(lines) {
				t.Fatalf("%q does not stand in the text, or not there", line)
			}
		}
	})
}

func FuzzHTMLText(f *testing.F) {
	f.Add(`<div class="gmail_quote"><div class="gmail_attr">a</div><blockquote>b</blockquote>c</div><div style="display:none">`)
	f.Fuzz(func(t *testing.T, source string) {
		text := htmlText(source)
		if len(text) > 40*len(source)+40 {
			t.Errorf("%d bytes came of %d", len(text), len(source))
		}
	})
}
