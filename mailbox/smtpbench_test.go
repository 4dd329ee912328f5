package mailbox

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// mailSink takes every mail and forgets it.
type mailSink struct{ mails atomic.Int64 }

func (s *mailSink) NewSession(*smtp.Conn) (smtp.Session, error) { return s, nil }
func (s *mailSink) Reset()                                      {}
func (s *mailSink) Logout() error                               { return nil }
func (s *mailSink) Mail(string, *smtp.MailOptions) error        { return nil }
func (s *mailSink) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (s *mailSink) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	s.mails.Add(1)
	return err
}

// startSink returns an SMTP to a sink over loopback, in plain text.
func startSink(tb testing.TB) (*SMTP, *mailSink) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	sink := &mailSink{}
	server := smtp.NewServer(sink)
	server.Domain = "localhost"
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(listener) }) // ends with an error when closed
	s := &SMTP{Account: Account{Address: "sales@acme.test",
		SMTP: Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: TLSNone}}}
	tb.Cleanup(func() {
		s.Shutdown()
		_ = server.Close()
		wg.Wait()
	})
	return s, sink
}

func TestMailsArriveAtAnotherImplementationOverRealSockets(t *testing.T) {
	s, sink := startSink(t)
	for range 3 {
		var wg sync.WaitGroup
		for _, d := range smtpVolley(t, s, 16) {
			wg.Go(func() {
				if _, err := d.Data(t.Context(), time.Time{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if n := sink.mails.Load(); n != 48 {
		t.Errorf("%d mails arrived", n)
	}
}

func BenchmarkSend(b *testing.B) {
	for _, side := range []struct {
		name string
		n    int
	}{{"OneByOne", 1}, {"SixteenSideBySide", 16}} {
		b.Run(side.name, func(b *testing.B) {
			s, _ := startSink(b)
			var wg sync.WaitGroup
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ReportAllocs()
			b.ResetTimer()
			for range side.n {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						d, err := s.Open(b.Context(), smtpEmail)
						if err == nil {
							_, err = d.Data(b.Context(), time.Time{})
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}
