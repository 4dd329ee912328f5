package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"nudge/engine"
	"nudge/sequences"
)

//go:embed preview
var previewFiles embed.FS

// previewTemplate is the page of nudge preview --watch.
var previewTemplate = template.Must(template.ParseFS(previewFiles, "preview/page.html"))

// watchPreview shows all steps on a page of this machine until it is
// interrupted.
func (a *app) watchPreview(ctx context.Context, name string, f previewFlags) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	find := once(a.records(ctx))
	w, err := a.walkFor(name, f, find)
	if err != nil {
		if t, ok := errors.AsType[*trouble](err); !ok || t.code != exitFindings {
			return err // a file with mistakes is what the page is for
		}
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(f.port))))
	if err != nil {
		return &trouble{code: exitFailed, what: fmt.Sprintf("the page cannot be opened: %v", err), hint: "choose another --port, or none for any free one"}
	}
	b := &blackboard{name: name, last: w, token: strings.ToLower(rand.Text()[:16]), walk: func() (*walker, error) { return a.walkFor(name, f, find) }}
	server := &http.Server{Handler: b, ReadHeaderTimeout: 5 * time.Second}
	a.printf("http://%s/%s/\n", listener.Addr(), b.token)
	a.printf("%s\n", a.dim("it follows the file as it is saved; end with Ctrl-C"))
	closing := make(chan struct{})
	go func() {
		defer close(closing)
		<-ctx.Done()
		_ = server.Close()
	}()
	err = server.Serve(listener)
	stop()
	<-closing
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// once asks a finder only once for each sequence: the page is read often, and
// the state need not be.
func once(find finder) finder {
	type answer struct {
		record *engine.Record
		err    error
	}
	known := map[string]answer{}
	return func(address, sequence string) (*engine.Record, error) {
		a, had := known[sequence]
		if !had {
			a.record, a.err = find(address, sequence)
			known[sequence] = a
		}
		return a.record, a.err
	}
}

// blackboard is the page of nudge preview --watch: what the mails of a sequence
// look like, read from the file anew each time somebody looks. Only this
// machine reaches it, only by its own name, so that no web page elsewhere can
// read it through a browser, and only with a token that other users of the
// machine do not know.
type blackboard struct {
	name  string
	token string
	walk  func() (*walker, error)

	mu   sync.Mutex
	last *walker // the last one without mistakes, which a broken file leaves standing
	page board
}

// board is one reading.
type board struct {
	Version, Title, Whose, Trouble string
	LeftOut                        []string
	Steps                          []boardStep
}

// boardStep is one step on the page.
type boardStep struct {
	Number      int
	Title, Text string
	HTML        string
	Task        bool
	Headers     [][2]string
}

// ServeHTTP implements http.Handler.
func (b *blackboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if host != "localhost" && host != "127.0.0.1" && host != "::1" {
		http.Error(w, "this page is for this machine alone", http.StatusMisdirectedRequest)
		return
	}
	rest, known := strings.CutPrefix(r.URL.Path, "/"+b.token+"/")
	if !known {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "there is nothing to change here", http.StatusMethodNotAllowed)
		return
	}
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	switch rest {
	case "":
		var page bytes.Buffer
		if err := previewTemplate.Execute(&page, b.read()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		header.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page.Bytes()) // whoever asked has gone
	case "version":
		header.Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(b.read().Version))
	case "page.css", "page.js":
		http.ServeFileFS(w, r, previewFiles, "preview/"+rest)
	default:
		b.serveMail(w, r, rest)
	}
}

// serveMail writes the HTML part of one step, as it stands in the mail.
func (b *blackboard) serveMail(w http.ResponseWriter, r *http.Request, path string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.page.Steps {
		if path == fmt.Sprintf("mail/%d", s.Number) && s.HTML != "" {
			// No script runs in a mail, and nothing is loaded.
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-same-origin")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(s.HTML)) // whoever asked has gone
			return
		}
	}
	http.NotFound(w, r)
}

// read reads the file again. After a mistake the last good mails stay, below
// what is wrong.
func (b *blackboard) read() board {
	b.mu.Lock()
	defer b.mu.Unlock()
	walker, err := b.walk()
	page := board{Title: b.name}
	if err != nil {
		page.Trouble = visibleLines(asTrouble(err).what)
		walker = b.last
	}
	if walker != nil {
		if err := page.fill(walker); err != nil {
			page.Trouble = visibleLines(strings.TrimSpace(page.Trouble + "\n" + err.Error()))
		} else {
			b.last = walker
		}
	}
	sum := sha256.Sum256(fmt.Append(nil, page))
	page.Version = hex.EncodeToString(sum[:8])
	b.page = page
	return page
}

// fill writes down the steps, and what has no value.
func (p *board) fill(w *walker) error {
	steps, missing, err := w.walk()
	if err != nil {
		return err
	}
	p.Title, p.Whose = visible(w.seq.Title), visible(w.whose())
	if len(missing) > 0 {
		p.Trouble = strings.TrimSpace(p.Trouble + "\nno value for " + strings.Join(missing, ", ") + w.consequence() +
			"; start again with --set " + strings.Join(missing, "=… --set ") + "=…")
	}
	for _, s := range steps {
		if s.out != "" {
			p.LeftOut = append(p.LeftOut, visible(s.leftOut()))
			continue
		}
		parts, err := partsOf(s.email.Raw)
		if err != nil {
			return err
		}
		step := boardStep{Number: s.step.Number, Title: visible(s.title(w.seq)), Text: printable(parts.text), HTML: parts.page,
			Task: s.step.Do != sequences.Email}
		if step.Task {
			step.HTML = ""
		} else if step.Headers, err = headersOf(s.email.Raw); err != nil {
			return err
		}
		for _, f := range parts.files {
			step.Headers = append(step.Headers, [2]string{"Attached", fmt.Sprintf("%s (%s)", f.name, size(int64(f.size)))})
		}
		p.Steps = append(p.Steps, step)
	}
	return nil
}

// visibleLines is visible, line by line.
func visibleLines(s string) string { return strings.TrimRight(printable(s), "\n") }
