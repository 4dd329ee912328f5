package engine_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"nudge/engine"
	"nudge/sequences"
)

// leaf is one part of a mail that holds no others.
type leaf struct{ media, name, content string }

// leavesOf takes a mail apart with the standard library, an independent reader.
// The second result is the tree of media types.
func leavesOf(t testing.TB, raw []byte) (mail.Header, string, []leaf) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	tree, leaves := walk(t, m.Header, m.Body)
	return m.Header, tree, leaves
}

func walk(t testing.TB, header interface{ Get(string) string }, body io.Reader) (string, []leaf) {
	t.Helper()
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(media, "multipart/") {
		switch header.Get("Content-Transfer-Encoding") {
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		}
		content, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		_, disposition, _ := mime.ParseMediaType(header.Get("Content-Disposition"))
		words := string(content)
		if disposition == nil { // the line end before a boundary is the boundary's
			words = strings.TrimRight(words, "\r\n")
		}
		return media, []leaf{{media, disposition["filename"], words}}
	}
	var names []string
	var leaves []leaf
	parts := multipart.NewReader(body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return media + "(" + strings.Join(names, " ") + ")", leaves
		} else if err != nil {
			t.Fatal(err)
		}
		name, more := walk(t, part.Header, part)
		names, leaves = append(names, name), append(leaves, more...)
	}
}

// enclosed is a sequence of one mail with these settings, and files beside it.
func enclosed(t testing.TB, settings, body string, files fstest.MapFS) *sequences.Sequence {
	t.Helper()
	seq, err := sequences.ParseIn(files, "quote.md", []byte("## Only\n\n```step\nwait: 0\nsubject: Quote\n"+settings+"\n```\n\n"+body+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func composed(t testing.TB, m engine.Mailbox, seq *sequences.Sequence, step int, en engine.Enrollment) engine.Email {
	t.Helper()
	email, err := engine.Compose(m, make([]byte, 32), seq, &seq.Steps[step], en, start)
	if err != nil {
		t.Fatal(err)
	}
	again, err := engine.Compose(m, make([]byte, 32), seq, &seq.Steps[step], en, start)
	if err != nil || !bytes.Equal(email.Raw, again.Raw) {
		t.Errorf("the same inputs gave other bytes (%v)", err)
	}
	for line := range strings.SplitSeq(string(email.Raw), "\r\n") {
		if len(line) > 78 && strings.Count(line, " ") > 1 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line of %d octets: %q", len(line), line)
		}
	}
	return email
}

func maria() engine.Enrollment {
	return engine.Enrollment{ID: "000001", Sequence: "quote", Address: "maria@kund.example", Key: "maria@kund.example", Name: "Maria Lindqvist"}
}

func TestFilesGoAlong(t *testing.T) {
	pdf := "%PDF-1.4\n" + strings.Repeat("\x00\xff binary\r\n", 2000)
	files := fstest.MapFS{
		"warranty.pdf": {Data: []byte(pdf)},
		"pris.csv":     {Data: []byte("rad;pris\nett;1\n")},
		"Prisliste Tårnåsen - überarbeitete Fassung für Frau Ångström.txt": {Data: []byte("From here\n")},
	}
	seq := enclosed(t, "attach: warranty.pdf, pris.csv, Prisliste Tårnåsen - überarbeitete Fassung für Frau Ångström.txt", "Is it **clear**?", files)
	email := composed(t, settings(), seq, 0, maria())
	_, tree, leaves := leavesOf(t, email.Raw)
	if want := "multipart/mixed(multipart/alternative(text/plain text/html) application/pdf text/csv text/plain)"; tree != want {
		t.Errorf("the mail is %s, want %s", tree, want)
	}
	want := []leaf{{"application/pdf", "warranty.pdf", pdf}, {"text/csv", "pris.csv", "rad;pris\nett;1\n"},
		{"text/plain", "Prisliste Tårnåsen - überarbeitete Fassung für Frau Ångström.txt", "From here\n"}}
	for i, w := range want {
		if leaves[i+2] != w {
			t.Errorf("file %d is %q (%s, %d bytes)", i+1, leaves[i+2].name, leaves[i+2].media, len(leaves[i+2].content))
		}
	}
	if !strings.Contains(string(email.Raw), "\r\nContent-Disposition: attachment; filename=\"warranty.pdf\"\r\n") ||
		!strings.Contains(string(email.Raw), "filename*0*=utf-8''Prisliste%20T%C3%A5rn%C3%A5sen") {
		t.Errorf("file names are written\n%s", email.Raw)
	}
}

func TestAMailOfPlainTextAlone(t *testing.T) {
	files := fstest.MapFS{"a.pdf": {Data: []byte("%PDF-1.4\n")}}
	for settings_, want := range map[string]string{
		"plain: yes":                "text/plain",
		"plain: yes\nattach: a.pdf": "multipart/mixed(text/plain application/pdf)",
		"plain: no":                 "multipart/alternative(text/plain text/html)",
	} {
		email := composed(t, settings(), enclosed(t, settings_, "Är allt klart?", files), 0, maria())
		_, tree, leaves := leavesOf(t, email.Raw)
		if tree != want || leaves[0].content != "Är allt klart?" {
			t.Errorf("%s: %s, %q", settings_, tree, leaves[0].content)
		}
		m := settings()
		m.Rehearsal = true
		if rehearsed := composed(t, m, enclosed(t, settings_, "Klart?", files), 0, maria()); !strings.Contains(string(rehearsed.Raw), "\r\nRehearsal: this") {
			t.Errorf("%s: a rehearsal without its banner:\n%s", settings_, rehearsed.Raw)
		}
	}
}

func TestListUnsubscribe(t *testing.T) {
	seq := enclosed(t, "", "Is it?", nil)
	for _, tt := range []struct{ address, want string }{
		{"anna@bergroofing.example", "<mailto:anna@bergroofing.example?subject=unsubscribe>"},
		{"anna+quotes@bergroofing.example", "<mailto:anna%2Bquotes@bergroofing.example?subject=unsubscribe>"},
		{"o'neil&co?x=1@bergroofing.example", "<mailto:o%27neil%26co%3Fx%3D1@bergroofing.example?subject=unsubscribe>"},
	} {
		m := settings()
		m.Address = tt.address
		if h, _, _ := leavesOf(t, composed(t, m, seq, 0, maria()).Raw); h.Get("List-Unsubscribe") != "" {
			t.Errorf("%s without being asked: %q", tt.address, h.Get("List-Unsubscribe"))
		}
		m.ListUnsubscribe = true
		if h, _, _ := leavesOf(t, composed(t, m, seq, 0, maria()).Raw); h.Get("List-Unsubscribe") != tt.want {
			t.Errorf("%s: %q, want %q", tt.address, h.Get("List-Unsubscribe"), tt.want)
		}
	}
}

const twoSubjects = "---\nsend: always\n---\n\n## One\n\n```step\nwait: 0\nsubject A: Red\nsubject B: Blue\n```\n\nVariant {{ variant }}?\n\n" +
	"## Two\n\n```step\nwait: 1 day\n```\n\n{% if variant == \"A\" %}red{% else %}blue{% endif %}?\n\n" +
	"## Three\n\n```step\nwait: 1 day\nsubject A: Rose\nsubject B: Sky\n```\n\nVariant {{ variant }}?\n"

// Each prospect gets one variant, the same in every mail, and history says which.
func TestTheVariantIsChosenOnceAndKept(t *testing.T) {
	o := newOffice(t)
	o.lib["quote"] = sequence(t, "quote", twoSubjects)
	bodies := map[string][]string{}
	var mu sync.Mutex // a volley's mails leave side by side
	o.onData = func(e engine.Email) error {
		_, _, leaves := leavesOf(t, e.Raw)
		mu.Lock()
		defer mu.Unlock()
		bodies[e.To] = append(bodies[e.To], e.Subject+": "+strings.TrimSpace(leaves[0].content))
		return nil
	}
	red, blue := 0, 0
	for i := range 24 {
		o.enroll(fmt.Sprintf("person%d@kund%d.example", i, i))
	}
	o.run(36 * time.Hour)
	// The author adds variants: those under way keep theirs.
	o.lib["quote"] = sequence(t, "quote", strings.NewReplacer("subject B: Blue", "subject B: Blue\nsubject C: Green", "subject B: Sky", "subject B: Sky\nsubject C: Leaf").Replace(twoSubjects))
	o.run(5 * day)
	for to, got := range bodies {
		switch strings.Join(got, " | ") {
		case "Red: Variant A? | Re: Red: red? | Rose: Variant A?":
			red++
		case "Blue: Variant B? | Re: Blue: blue? | Sky: Variant B?":
			blue++
		default:
			t.Errorf("%s got %q", to, got)
		}
	}
	if red+blue != 24 || red < 6 || blue < 6 {
		t.Errorf("%d got A and %d got B", red, blue)
	}
	story, err := o.desk.Show(t.Context(), "person3@kund3.example")
	if err != nil {
		t.Fatal(err)
	}
	said := 0
	for _, ev := range story.History {
		if ev.Kind == engine.EventSent {
			said++
			if step := o.lib["quote"].Step(ev.Step); said != 2 && ev.Detail["variant"] == "" || ev.Detail["words"] == "" || step == nil {
				t.Errorf("history of %s says %v", ev.Step, ev.Detail)
			}
		}
	}
	if said != 3 {
		t.Errorf("%d mails in history", said)
	}
}

// The choice hangs on sequence and person, not on the order or the time of
// enrolling: enrolling again changes nothing.
func TestTheVariantIsThePersonsOwn(t *testing.T) {
	seq := sequence(t, "quote", twoSubjects)
	for i := range 20 {
		en := maria()
		en.Key = fmt.Sprintf("p%d@kund.example", i)
		first := composed(t, settings(), seq, 0, en)
		en.ID, en.EnrolledAt = "000777", start.Add(90*day)
		if again := composed(t, settings(), seq, 0, en); again.Variant != first.Variant || first.Variant == "" {
			t.Errorf("%s got %s, and enrolled again %s", en.Key, first.Variant, again.Variant)
		}
		en.Variant = map[string]string{"A": "B", "B": "A"}[first.Variant]
		if kept := composed(t, settings(), seq, 2, en); kept.Variant != en.Variant {
			t.Errorf("%s had %s and got %s", en.Key, en.Variant, kept.Variant)
		}
	}
}

// Dates that are written in words can be written otherwise.
func TestDatesThatNudgeFillsInTakeAnyForm(t *testing.T) {
	seq := sequence(t, "quote", "---\nsend: always\n---\n\n## One\n\n```step\nwait: 0\nsubject: {{ today | date: \"%Y-%m-%d\" }}\n```\n\n"+
		"{{ today }}, {{ next_touch }}, {{ next_touch | date: \"%d.%m.\" }}, {{ today | plus_business_days: 5 | date: \"%d.%m.\" }}?\n\n"+
		"## Two\n\n```step\nwait: 3 days\n```\n\n{{ next_touch | default: \"none\" }}?\n")
	email := composed(t, settings(), seq, 0, maria())
	_, _, leaves := leavesOf(t, email.Raw)
	if want := "Monday 23 November, Thursday 26 November, 26.11., 30.11.?"; leaves[0].content != want || email.Subject != "2026-11-23" {
		t.Errorf("subject %q, text %q, want %q", email.Subject, leaves[0].content, want)
	}
	en := maria()
	en.Fields = map[string]string{"next_touch": "soon", "variant": "Z", "today.iso": "1999-01-01"}
	if _, _, leaves := leavesOf(t, composed(t, settings(), seq, 1, en).Raw); leaves[0].content != "none?" {
		t.Errorf("a prospect's own field stood for the last step's: %q", leaves[0].content)
	}
}

// A volley of heavy mails is cut, so that a small machine holds it.
func TestHeavyMailsLeaveInSmallVolleys(t *testing.T) {
	o := newOffice(t)
	files := fstest.MapFS{"big.pdf": {Data: append([]byte("%PDF-"), make([]byte, 9<<20)...)}}
	o.lib["quote"] = enclosed(t, "send: always\nattach: big.pdf", "Is it?", files)
	for i := range 5 {
		o.enroll(fmt.Sprintf("p%d@kund%d.example", i, i))
	}
	o.mustTick()
	if n := len(o.ledger); n < 1 || n > 2 {
		t.Errorf("%d mails of 12 MB in one volley", n)
	}
	o.run(day)
	if n := len(o.ledger); n != 5 {
		t.Errorf("%d mails left, want 5", n)
	}
}

func TestAReplyWithoutAThreadOpensOneUnderTheSubjectBefore(t *testing.T) {
	seq, err := sequences.Parse("quote.md", []byte("## One\n\n```step\nwait: 0\nsubject A: Quote for {{ first_name }}\nsubject B: Quote for {{ first_name }}\n```\n\nA?\n\n"+
		"## Two\n\n```step\nwait: 1 day\n```\n\nB?\n\n## Three\n\n```step\nwait: 1 day\nsubject: Closing\n```\n\nC?\n\n## Four\n\n```step\nwait: 1 day\n```\n\nD?\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		step          int
		thread        engine.Thread
		subject, kept string
	}{
		{1, engine.Thread{}, "Quote for Maria", "Quote for Maria"}, // the first was left out
		{1, engine.Thread{IDs: []string{"a@kund.example"}, Subject: "Your roof"}, "Re: Your roof", "Your roof"},
		{3, engine.Thread{}, "Closing", "Closing"}, // the nearest before it, as if that had been sent
	} {
		en := maria()
		en.Thread = c.thread
		email := composed(t, engine.Mailbox{Name: "sales", Address: "anna@acme.example", Location: time.UTC}, seq, c.step, en)
		header, _, _ := leavesOf(t, email.Raw)
		if got := header.Get("Subject"); got != c.subject || email.Thread.Subject != c.kept {
			t.Errorf("step %d in thread %q: subject %q, kept %q; want %q, %q", c.step+1, c.thread.Subject, got, email.Thread.Subject, c.subject, c.kept)
		}
		if began := len(c.thread.IDs) == 0; began != (header.Get("In-Reply-To") == "") {
			t.Errorf("step %d in thread %q: In-Reply-To %q", c.step+1, c.thread.Subject, header.Get("In-Reply-To"))
		}
	}
}
