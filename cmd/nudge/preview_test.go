package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nudge/engine"
)

// What may differ between a preview and the mail itself: the date to the
// second, the ids that nudge's secret makes, and the boundaries they make.
var (
	dateLine = regexp.MustCompile(`(?m)^Date: .*$`)
	ids      = regexp.MustCompile(`<[a-z2-7]{26}@[^>]+>`)
	borders  = regexp.MustCompile(`=_[0-9a-f]{24}`)
)

func withoutIDs(raw []byte) string {
	s := dateLine.ReplaceAllString(string(raw), "Date: …")
	return borders.ReplaceAllString(ids.ReplaceAllString(s, "<…>"), "=_…")
}

// Somebody who never answers is followed through all of the demo. Whenever a
// mail has left, the preview from before is held against it.
func TestAPreviewIsWhatIsSent(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		loc, err := time.LoadLocation(demoZone)
		if err != nil {
			t.Fatal(err)
		}
		w, err := buildDemoWorld(demoBegin(loc))
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := w.close(); err != nil {
				t.Error(err)
			}
		}()
		if err := w.enroll(t.Context()); err != nil {
			t.Fatal(err)
		}
		who := ""
		for _, p := range w.cast {
			if strings.HasPrefix(p.person.Name, "Gunilla") {
				who = p.person.Address
			}
		}
		preview := func(now time.Time) (*walker, []walked) {
			t.Helper()
			story, err := w.desk.Show(t.Context(), who)
			if err != nil || len(story.Records) != 1 {
				t.Fatalf("%+v, %v", story, err)
			}
			owner := w.engine.Mailbox
			owner.Instance = story.Records[0].Instance
			p := &walker{owner: owner, seq: w.sequence, en: story.Records[0].Enrollment, enrolled: true, now: now}
			steps, missing, err := p.walk()
			if err != nil || len(missing) > 0 || len(steps) != 4 {
				t.Fatalf("%d steps, missing %v, %v", len(steps), missing, err)
			}
			return p, steps
		}
		sent := 0
		for now := w.begin; now.Before(w.begin.AddDate(0, 0, demoDays)); {
			w.set(now)
			w.provider.Advance(now)
			_, before := preview(now)
			next, err := w.round(t.Context(), now)
			if err != nil {
				t.Fatal(err)
			}
			for _, tx := range w.provider.Ledger() {
				if len(tx.To) != 1 || tx.To[0] != who || !tx.At.Equal(now) {
					continue
				}
				if got, want := withoutIDs(tx.Raw), withoutIDs(before[sent].email.Raw); got != want {
					t.Errorf("mail %d was\n%s\nand its preview\n%s", sent+1, got, want)
				}
				if sent++; before[sent-1].left || before[sent-1].at.After(now) {
					t.Errorf("mail %d left at %s; its preview said %s, left %v", sent, now, before[sent-1].at, before[sent-1].left)
				}
				_, after := preview(now)
				if !after[sent-1].left || withoutIDs(after[sent-1].email.Raw) != withoutIDs(tx.Raw) {
					t.Errorf("what is behind them reads\n%s", after[sent-1].email.Raw)
				}
			}
			if act, planned := w.provider.NextEvent(); planned && (next.IsZero() || act.Before(next)) {
				next = act
			}
			if next.IsZero() {
				break
			}
			if !next.After(now) {
				next = now.Add(time.Second)
			}
			now = next
		}
		if sent != 4 {
			t.Errorf("%d mails", sent)
		}
		p, steps := preview(w.clock())
		if got, want := p.whose(), "for Gunilla Ström <"+who+">, enrolled in quote: 4 mails sent, finished (no answer): nothing more will be"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if shown, err := (previewFlags{}).chosen(p, steps); err != nil || shown[0].step.Number != 4 {
			t.Errorf("of somebody who is through, %+v is shown, %v", shown, err)
		}
	})
}

// A step that was put in before one that is done will not come any more.
func TestAPreviewLeavesOutWhatThePersonWillNotGet(t *testing.T) {
	seq, err := findSequence("demo/quote.md", "", "")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	w := &walker{owner: engine.Mailbox{Address: "anna@bergroofing.example", Location: time.UTC, Signature: "Anna"}, seq: seq, enrolled: true, now: now,
		en: engine.Enrollment{ID: "1", Sequence: "quote", Address: "a@b.example", Key: "a@b.example", Name: "Maria", State: engine.Active, Next: seq.Steps[2].ID,
			Due: now.Add(time.Hour), Fields: map[string]string{"quote_no": "1", "project": "roof"},
			Done: []engine.Done{{Step: seq.Steps[1].ID, At: now.Add(-time.Hour), Outcome: engine.Sent, MessageID: "x@y"}, {Step: "a step that was removed", At: now.Add(-time.Minute)}}}}
	steps, _, err := w.walk()
	if err != nil || len(steps) != 3 || steps[0].step.Number != 2 || !steps[0].left || steps[1].step.Number != 3 || !steps[1].at.Equal(now.Add(time.Hour)) {
		t.Fatalf("%+v, %v", steps, err)
	}
	_, err = previewFlags{step: "1"}.chosen(w, steps)
	if tr := asTrouble(err); tr.code != exitNothing || !strings.Contains(tr.what, "a@b.example will not get step") {
		t.Errorf("step 1: %v", err)
	}
}

// The engine's own decisions stand in a preview: what is left out for this
// prospect, and when a step leads up to a date.
func TestAPreviewDecidesAsTheEngineDoes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "visit.md")
	const source = "---\nneeds: visit\nsend: mon-fri 09:00-16:30\n---\n\n## 1. Quote\n\n```step\nwait: 0\nsubject: The quote\n```\n\nDid it arrive?\n\n" +
		"## 2. Large\n\n```step\nwait: 1 business day\nonly-if: amount > 5000\n```\n\nIn two parts?\n\n" +
		"## 3. Tomorrow\n\n```step\nwait: 1 business day\nbefore: visit\n```\n\nUntil tomorrow?\n\n" +
		"## 4. Again\n\n```step\nwait: 2 business days\nrepeat: 1 every 1 week\n```\n\nAgain?\n"
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	seq, err := findSequence(file, "", "")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC) // a Monday
	for _, tt := range []struct{ amount, visit, want string }{
		{"6000", "2026-11-12 15:00", "1 Nov 2 10:00; 2 Nov 3 10:00; 3 Nov 11 15:00; 4 Nov 13 15:00; 5 Nov 20 15:00"},
		{"400", "2026-11-12 15:00", "1 Nov 2 10:00; 2 not amount > 5000; 3 Nov 11 15:00; 4 Nov 13 15:00; 5 Nov 20 15:00"},
		{"400", "2026-11-02 09:00", "1 Nov 2 10:00; 2 not amount > 5000; 3 too late: visit is 2 November 2026 09:00; 4 Nov 5 10:00; 5 Nov 12 10:00"},
	} {
		w := &walker{owner: engine.Mailbox{Address: "anna@bergroofing.example", Location: time.UTC}, seq: seq, now: now, en: engine.Enrollment{ID: "1", Sequence: "visit",
			Address: "a@b.example", Key: "a@b.example", StartAt: now, State: engine.Active, Fields: map[string]string{"amount": tt.amount, "visit": tt.visit}}}
		steps, missing, err := w.walk()
		if err != nil || len(missing) > 0 {
			t.Fatal(missing, err)
		}
		var got []string
		for _, s := range steps {
			words := s.out
			if words == "" {
				words = s.at.Format("Jan 2 15:04")
			}
			got = append(got, fmt.Sprintf("%d %s", s.step.Number, words))
		}
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("amount %s, visit %s:\ngot  %s\nwant %s", tt.amount, tt.visit, strings.Join(got, "; "), tt.want)
		}
	}

	var out bytes.Buffer
	t.Chdir(t.TempDir())
	a := &app{out: &out, err: io.Discard, in: strings.NewReader("")}
	flags := previewFlags{address: imaginedAddress, fields: []string{"amount=1", "visit=2020-01-01"}, all: true}
	if err := a.preview(t.Context(), file, flags); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Left out for them: step 2, Large: not amount > 5000\n", "Left out for them: step 3, Tomorrow: too late: visit is 1 January 2020 00:00\n",
		"Again, round 2 (would be due"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "In two parts?") {
		t.Errorf("it shows a step that is left out:\n%s", out.String())
	}
	flags.all, flags.step = false, "2"
	if err := a.preview(t.Context(), file, flags); err == nil || !strings.Contains(err.Error(), `prospect@example.com will not get step "Large": not amount > 5000`) {
		t.Errorf("step 2: %v", err)
	}
}

func TestTheWatchedPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "quote.md")
	save := func(source string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const good = "## One <b>\n\n```step\nwait: 0\nsubject: Quote {{ quote_no }}\nsend: always\n```\n\nIs **it** for {{ first_name }}?\n\n" +
		"## Call\n\n```step\nwait: 1 day\ndo: task\n```\n\nCall.\n"
	save(good)
	t.Chdir(t.TempDir())
	a := &app{out: io.Discard, err: io.Discard}
	looked := 0
	find := once(func(string, string) (*engine.Record, error) { looked++; return nil, nil })
	flags := previewFlags{address: "maria@example.com", fields: []string{"quote_no=7"}}
	b := &blackboard{name: "quote", token: "t0ken", walk: func() (*walker, error) { return a.walkFor(file, flags, find) }}
	server := httptest.NewServer(b)
	defer server.Close()
	get := func(host, path string) (int, http.Header, string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			req.Host = host
		}
		answer, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var body bytes.Buffer
		if _, err := body.ReadFrom(answer.Body); err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, answer.Header, body.String()
	}

	code, header, page := get("", "/t0ken/")
	for _, want := range []string{"imagined: nobody with this address", "no value for first_name; start again with --set first_name=…", "One &lt;b&gt;",
		"<dt>Subject</dt><dd>Quote 7</dd>", "Is it for …?", "Your own work, not a mail.", `class="phone"`, `class="desktop"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if code != 200 || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(page, "://") {
		t.Errorf("%d, %v: a page loads nothing from elsewhere", code, header)
	}
	if code, header, mail := get("localhost:1234", "/t0ken/mail/1?x"); code != 200 || !strings.Contains(mail, "Is <strong>it</strong> for") ||
		!strings.Contains(header.Get("Content-Security-Policy"), "sandbox allow-same-origin") {
		t.Errorf("%d, %s, %v", code, mail, header)
	}
	for _, asset := range []string{"page.css", "page.js"} {
		if code, _, text := get("127.0.0.1", "/t0ken/"+asset); code != 200 || text == "" || strings.Contains(text, "://") {
			t.Errorf("%s: %d", asset, code)
		}
	}
	for _, tt := range []struct {
		host, path string
		want       int
	}{
		{"evil.example", "/t0ken/", http.StatusMisdirectedRequest}, {"127.0.0.1.evil.example:80", "/t0ken/version", http.StatusMisdirectedRequest},
		{"", "/", 404}, {"", "/other/", 404}, {"", "/t0ken/mail/2", 404}, {"", "/t0ken/mail/9", 404}, {"", "/t0ken/../page.html", 404}, {"", "/t0ken/page.html", 404},
	} {
		if code, _, _ := get(tt.host, tt.path); code != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.host, tt.path, code, tt.want)
		}
	}
	if answer, err := server.Client().Post(server.URL+"/t0ken/", "text/plain", nil); err != nil || answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v, %v", answer, err)
	}

	// Saving changes the version; a mistake is shown above the last good mails.
	_, _, first := get("", "/t0ken/version")
	save(strings.Replace(good, "Is **it**", "Shall it be", 1))
	_, _, second := get("", "/t0ken/version")
	save(strings.Replace(good, "quote_no", "qoute_no", 1) + "\n## Another\n\n```step\nwait: 3 dys\n```\n\nx\n")
	_, _, third := get("", "/t0ken/version")
	if first == second || second == third || len(first) != 16 {
		t.Errorf("versions %q, %q, %q", first, second, third)
	}
	_, _, page = get("", "/t0ken/")
	for _, want := range []string{`quote.md:23:7: wait: unknown unit &#34;dys&#34;`, "Shall it be for …?"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of a broken file lacks %q:\n%s", want, page)
		}
	}

	// What a number is asked of is shown, too, before it has a value.
	save(strings.Replace(good, "Is **it** for", "Is it {{ amount | times: 2 }} from {{ day | date: \"%Y\" }} for", 1))
	_, _, page = get("", "/t0ken/")
	for _, want := range []string{"no value for amount, day, first_name; start again with", "Is it 2 from 20"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if looked != 1 {
		t.Errorf("the state was read %d times", looked)
	}
}
