package bolt

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// The sidecar is what a restored or copied state is recognised by: a small file
// beside it, path.instance, that a backup does not carry along. It says which
// instance wrote last, on which machine, and how many touches had been claimed
// by then. It is JSON, padded to sidecarSize.
//
// A claim does not wait for it: it is written in place after the commit, in the
// background, at most every sidecarEvery, and at Close. So it is never ahead of
// the state it belongs to, and one that lags behind means nothing. A record
// lies within one disk sector, which is written whole or not at all, and the
// file never changes its size, so that no journal must be committed for it.
const (
	sidecarSize  = 512
	sidecarEvery = 200 * time.Millisecond
)

// sidecarRecord is its content.
type sidecarRecord struct {
	Format   int    `json:"format"` // 1
	Instance string `json:"instance"`
	Machine  string `json:"machine,omitempty"`
	Claims   uint64 `json:"claims"`   // touches claimed since the state was made
	Enrolled uint64 `json:"enrolled"` // the last number given to an enrollment
}

func (r sidecarRecord) bytes() ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	if len(b) >= sidecarSize {
		return nil, fmt.Errorf("instance record of %d bytes", len(b))
	}
	b = append(b, bytes.Repeat([]byte(" "), sidecarSize-1-len(b))...)
	return append(b, '\n'), nil
}

// readSidecar reads a sidecar, and closes it to others' eyes. found is false
// where there is none or it makes no sense.
func readSidecar(path string) (r sidecarRecord, found bool, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if errors.Is(err, os.ErrNotExist) {
		return r, false, nil
	} else if err != nil {
		return r, false, err
	}
	defer f.Close()
	if err := f.Chmod(0o600); err != nil {
		return r, false, err
	}
	b, err := io.ReadAll(io.LimitReader(f, 2*sidecarSize))
	if err != nil {
		return r, false, err
	}
	if err := json.Unmarshal(b, &r); err != nil || r.Instance == "" || r.Format != 1 {
		return sidecarRecord{}, false, nil
	}
	return r, true, nil
}

// sidecar is the open file.
type sidecar struct {
	path   string
	noSync bool

	mu      sync.Mutex
	f       *os.File
	record  sidecarRecord // what it should say
	pending bool          // a write is under way or waits for its time
	err     error         // of the last write
}

// renew replaces the file by one that says record, durably.
func (c *sidecar) renew(record sidecarRecord) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	record.Format = 1
	b, err := record.bytes()
	if err != nil {
		return err
	}
	if err := replaceFile(c.path, b, c.noSync); err != nil {
		return err
	}
	return c.open(record)
}

// goOn opens a file that is of the right instance, and brings it up to date
// where it lags.
func (c *sidecar) goOn(record sidecarRecord, lags bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	record.Format = 1
	if err := c.open(record); err != nil || !lags {
		return err
	}
	c.write()
	return c.err
}

// open opens the file to write record into it. The caller holds mu.
func (c *sidecar) open(record sidecarRecord) error {
	f, err := os.OpenFile(c.path, os.O_WRONLY|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if c.f != nil {
		_ = c.f.Close()
	}
	record.Claims, record.Enrolled = max(record.Claims, c.record.Claims), max(record.Enrolled, c.record.Enrolled)
	c.f, c.record = f, record
	return nil
}

// claimed notes how many claims are committed by now; it is written down soon.
func (c *sidecar) claimed(claims, enrolled uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.f == nil {
		return
	}
	c.record.Claims, c.record.Enrolled = max(c.record.Claims, claims), max(c.record.Enrolled, enrolled)
	if c.pending {
		return
	}
	c.pending = true
	// The timer is never stopped: what it calls finds the file closed.
	time.AfterFunc(sidecarEvery, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.pending {
			c.write()
		}
	})
}

// write writes the record in place. The caller holds mu.
func (c *sidecar) write() {
	c.pending = false
	if c.f == nil {
		return
	}
	b, err := c.record.bytes()
	if err == nil {
		_, err = c.f.WriteAt(b, 0)
	}
	if err == nil && !c.noSync {
		err = syncData(c.f)
	}
	c.err = err
}

// close writes what is not written yet. A sidecar that could not be written
// lags behind, which means nothing now, but would hide a restored backup.
func (c *sidecar) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.f == nil {
		return nil
	}
	if c.pending || c.err != nil {
		c.write()
	}
	err := errors.Join(c.err, c.f.Close())
	c.f = nil
	return err
}

// machineID tells machines apart without naming them: a hash of what
// /etc/machine-id holds, or "" where it cannot be read.
func machineID() string {
	b, err := os.ReadFile("/etc/machine-id")
	b = bytes.TrimSpace(b)
	if err != nil || len(b) == 0 {
		return ""
	}
	sum := sha256.Sum256(append([]byte("nudge machine\x00"), b...))
	return hex.EncodeToString(sum[:16])
}
