package bolt

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"nudge/engine"
)

// big makes a state with n enrolled, once for all benchmarks of a run. Prospects
// come due in another order than they were enrolled in.
func big(b *testing.B, n int) string {
	b.Helper()
	bigMu.Lock()
	defer bigMu.Unlock()
	if bigDir == "" {
		dir, err := os.MkdirTemp("", "nudge-bench-")
		if err != nil {
			b.Fatal(err)
		}
		bigDir = dir
	}
	path := filepath.Join(bigDir, fmt.Sprintf("%d.db", n))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	s, err := Open(path, Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	for at := 0; at < n; at += 1000 {
		ens := make([]engine.Enrollment, 1000)
		for i := range ens {
			ens[i] = prospect(at + i)
			ens[i].Look = monday.Add(time.Duration((at+i)*7919%n) * time.Second)
		}
		if _, _, err := s.Enroll(ens); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

var (
	bigMu  sync.Mutex
	bigDir string
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if bigDir != "" {
			_ = os.RemoveAll(bigDir)
		}
		os.Exit(code)
	}))
}

var sizes = []int{100_000, 1_000_000}

func opened(b *testing.B, path string, opts Options) *Store {
	b.Helper()
	s, err := Open(path, opts)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// The next 1,000 due.
func BenchmarkDue(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("enrolled=%d", n), func(b *testing.B) {
			s := opened(b, big(b, n), Options{NoSync: true})
			defer s.Close()
			for b.Loop() {
				due, err := s.Due("sales", monday.AddDate(1, 0, 0), "2026-11-23", 1000)
				if err != nil || len(due) != 1000 {
					b.Fatal(len(due), err)
				}
			}
		})
	}
}

// From nothing to ready.
func BenchmarkOpen(b *testing.B) {
	for _, n := range append([]int{0}, sizes...) {
		b.Run(fmt.Sprintf("enrolled=%d", n), func(b *testing.B) {
			path := big(b, n)
			for b.Loop() {
				s := opened(b, path, Options{})
				if _, err := s.NextLook("sales"); err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Prepare, claim and settle of one touch, each durable, with 100,000 enrolled.
func BenchmarkTouch(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := opened(b, big(b, 100_000), Options{})
			defer s.Close()
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range writers {
				wg.Go(func() {
					for {
						n := next.Add(1)
						if n > int64(b.N) {
							return
						}
						if err := touchOnce(s, formatID(uint64(n%100_000)+1)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "touches/s")
		})
	}
}

// The same in volleys of 16: three commits for 16 touches.
func BenchmarkVolley(b *testing.B) {
	s := opened(b, big(b, 100_000), Options{})
	defer s.Close()
	ids := make([]string, 16)
	for i := 0; b.Loop(); i++ {
		for j := range ids {
			ids[j] = formatID(uint64((i*16+j)%100_000 + 1))
		}
		if err := touchOnce(s, ids...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(16*b.N)/b.Elapsed().Seconds(), "touches/s")
}

var frozen = make([]byte, 3000)

func touchOnce(s *Store, ids ...string) error {
	touches := make([]engine.Touch, len(ids))
	settled := make([]engine.Settlement, len(ids))
	now := time.Now()
	for i, id := range ids {
		en, err := s.Enrollment(id)
		if err != nil {
			return err
		}
		mid := fmt.Sprintf("%s.%d@nudge.example", id, len(en.Done))
		touches[i] = engine.Touch{Enrollment: id, Step: en.Next, Version: en.Version, Mailbox: "sales", Sequence: "quote",
			Email: engine.Email{To: en.Address, MessageID: mid, Subject: "Offert", Raw: frozen}}
		settled[i] = engine.Settlement{Touch: touches[i], Outcome: engine.Sent, At: now, Next: "first", Due: now}
	}
	if errs, err := s.Prepare(touches); err != nil || errs[0] != nil {
		return fmt.Errorf("prepare: %v, %w", errs, err)
	}
	if errs, err := s.Claim(engine.Sweep{Mailbox: "sales", At: now}, touches); err != nil || errs[0] != nil {
		return fmt.Errorf("claim: %v, %w", errs, err)
	}
	return s.Settle(settled)
}
