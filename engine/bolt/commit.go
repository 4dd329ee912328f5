package bolt

import (
	"fmt"
	"runtime"
	"slices"

	"go.etcd.io/bbolt"
)

// Writers share commits, since most of a commit's time is waiting for the
// disk. There is no goroutine for it: the first writer that comes leads, takes
// everybody who is waiting into one transaction, and hands the lead to the
// first of those who came meanwhile.

// job is one writer's part of a transaction.
type job struct {
	run      func(*write) error
	err      error
	panicked any
	turn     chan bool // true: lead the next group; false: done
}

// update runs one method's change in a transaction of its own or shared with
// others, and returns when it is durable. run may be called several times, and
// in another goroutine, while the caller waits; only its last call counts. If
// it fails nothing of it is kept, and its error is returned as it is.
func (s *Store) update(run func(*write) error) error {
	j := &job{run: run, turn: make(chan bool, 1)}
	s.mu.Lock()
	s.queue = append(s.queue, j)
	first := !s.leading
	s.leading = true
	s.mu.Unlock()
	if first || <-j.turn {
		s.lead()
	}
	if j.panicked != nil {
		panic(j.panicked)
	}
	return j.err
}

// lead commits everybody who waits; the caller's job is the first of them.
func (s *Store) lead() {
	runtime.Gosched() // lets those whom the last commit woke join this one
	s.mu.Lock()
	group := s.queue
	s.queue = nil
	s.mu.Unlock()

	s.commit(slices.Clone(group))

	for _, j := range group[1:] {
		j.turn <- false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.leading = false
		return
	}
	s.queue[0].turn <- true
}

// commit runs a group in one transaction. Whoever fails is taken out, and the
// others run again without it.
func (s *Store) commit(group []*job) {
	for len(group) > 0 {
		failed, err := s.attempt(group)
		if err != nil {
			for _, j := range group {
				j.err = err
			}
			return
		}
		if failed < 0 {
			return
		}
		group = slices.Delete(group, failed, failed+1)
	}
}

// attempt returns the index of the first job that failed, or -1 when all were
// committed. The error is everybody's.
func (s *Store) attempt(group []*job) (failed int, err error) {
	if s.broken != nil {
		return -1, s.broken
	}
	tx, err := s.db.Begin(true)
	if err != nil {
		return -1, fmt.Errorf("begin: %w", err)
	}
	changed, claimed := false, false
	var said []ledgerEntry
	for i, j := range group {
		w := newWrite(tx)
		if !j.attempt(w) {
			_ = tx.Rollback()
			return i, nil
		}
		changed, claimed = changed || w.changed, claimed || w.counts[countClaims] > 0
		said = append(said, w.ledger...)
	}
	if !changed && len(said) == 0 {
		_ = tx.Rollback()
		return -1, nil
	}
	claims, enrolled := number(tx, []byte(countClaims)), tx.Bucket(bucketEnrollments).Sequence()
	if err := s.finish(tx, said); err != nil {
		s.broken = fmt.Errorf("%w: %w", ErrCommit, err)
		return -1, s.broken
	}
	if claimed {
		s.sidecar.claimed(claims, enrolled)
	}
	return -1, nil
}

// attempt runs the job, and says whether it went well.
func (j *job) attempt(w *write) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			j.panicked, ok = p, false // it is raised where the writer waits
		}
	}()
	j.err, j.panicked = nil, nil
	if j.err = j.run(w); j.err == nil {
		j.err = w.flush()
	}
	return j.err == nil
}

// finish commits, once the ledger has what belongs to it on disk: should the
// power fail in between, the next Open learns it from there. A panic of bbolt,
// which finds damage that way, leaves what is on disk as unknown as an error
// does.
func (s *Store) finish(tx *bbolt.Tx, said []ledgerEntry) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
		if err != nil {
			_ = tx.Rollback() // lets Close end; it may have been done already
		}
	}()
	if err := s.ledger.append(said); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return s.end(tx)
}
