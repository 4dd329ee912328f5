package bolt

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
)

const secretSize = 32

// acquire takes the lock file, making it when there is none, and writes the
// process id into it. It is never removed: a process could then hold the lock
// of a file that is gone while the next one takes a new one.
func acquire(path string, wait time.Duration) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0o600)
	if errors.Is(err, syscall.EROFS) {
		return nil, fmt.Errorf("it lies where nothing can be written: %w", err)
	} else if err != nil {
		return nil, err
	}
	const pause = 20 * time.Millisecond
	for ; ; wait -= pause {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			if err := errors.Join(giveToOwner(f), sign(f)); err != nil {
				_ = f.Close()
				return nil, err
			}
			return f, nil
		case errors.Is(err, syscall.EINTR):
		case !errors.Is(err, syscall.EWOULDBLOCK):
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %v", path, err)
		case wait <= 0:
			defer f.Close()
			return nil, locked(f)
		}
		time.Sleep(pause)
	}
}

func sign(f *os.File) error {
	if err := f.Chmod(0o600); err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func locked(f *os.File) error {
	b, _ := io.ReadAll(io.LimitReader(f, 32))
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return ErrLocked
	}
	return fmt.Errorf("%w: process %d", ErrLocked, pid)
}

// create makes a new state beside path and gives it its name once it is whole
// and on disk, so that a crash leaves either none or a good one. The caller
// holds the lock.
func create(path string, opts Options) error {
	f, err := newFile(path)
	if err != nil {
		return err
	}
	temp := f.Name()
	defer os.Remove(temp) // does nothing once it was renamed
	if err := errors.Join(giveToOwner(f), f.Close()); err != nil {
		return err
	}
	db, err := openFile(temp, opts)
	if err != nil {
		return err
	}
	if err := db.Update(furnish); err != nil {
		_ = db.Close()
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	if opts.NoSync {
		return os.Rename(temp, path)
	}
	if err := syncFile(temp); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

// furnish puts into a new file what every state has.
func furnish(tx *bbolt.Tx) error {
	for _, name := range allBuckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(bucketMeta)
	version, err := encode(schema)
	if err != nil {
		return err
	}
	if err := meta.Put(keySchema, version); err != nil {
		return err
	}
	secret := make([]byte, secretSize)
	rand.Read(secret) // never fails
	return meta.Put(keySecret, secret)
}

// giveToOwner gives a file that root made to the owner of its folder, so that a
// command run by root does not lock out a daemon that is not.
func giveToOwner(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != 0 {
		return f.Chown(int(owner.Uid), int(owner.Gid))
	}
	return nil
}

// syncFile makes a file, or the names in a folder, durable.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// examine looks at an existing file before bbolt maps it into memory, where
// reading past the end of a file that was cut short kills the process. It
// returns how many bytes of it are in use and whether a power cut tore one of
// its two meta pages.
func examine(path string) (used int64, torn bool, err error) {
	info, err := os.Stat(path) // before it is opened: a pipe would wait for somebody
	if err != nil {
		return 0, false, err
	}
	switch {
	case info.IsDir():
		return 0, false, fmt.Errorf("%w: it is a folder", ErrForeign)
	case !info.Mode().IsRegular():
		return 0, false, fmt.Errorf("%w: it is not even a file", ErrForeign)
	case info.Size() == 0:
		return 0, false, fmt.Errorf("%w: it is empty", ErrDamaged)
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	m, torn, err := newestMeta(f)
	if err != nil {
		return 0, false, err
	}
	need := m.pages * uint64(m.pageSize)
	if m.pages > 1<<40 || uint64(info.Size()) < need {
		return 0, false, fmt.Errorf("%w: it has %d bytes and should have at least %d", ErrDamaged, info.Size(), need)
	}
	return int64(need), torn, nil
}

// meta is what counts here of a bbolt meta page (bbolt's internal/common,
// page.go and meta.go). The page begins with a header of 16 bytes: its number
// (8) and flags (2). Then come magic, version, page size and flags of 4 bytes
// each, the root bucket (16), the freelist, the number of pages, the
// transaction and a checksum of 8 bytes each, in the machine's byte order.
type meta struct {
	pageSize uint32
	pages    uint64
	tx       uint64
	header   bool // the page's header is right; bbolt's checksum leaves it out
}

const (
	metaFlag     = 4
	metaStart    = 16
	metaChecksum = 56 // offset after metaStart, and the length it covers
	metaSize     = metaStart + metaChecksum + 8
	metaMagic    = 0xED0CDAED
	metaVersion  = 2
)

// newestMeta finds the meta page that bbolt will use: of the first two pages
// the valid one with the later transaction.
func newestMeta(r io.ReaderAt) (newest meta, torn bool, err error) {
	first, ok := readMeta(r, 0, 0)
	if ok {
		second, alsoOK := readMeta(r, int64(first.pageSize), 1)
		if alsoOK && second.tx > first.tx {
			return second, !first.header || !second.header, nil
		}
		return first, !alsoOK || !first.header || !second.header, nil
	}
	for size := int64(1024); size <= 16<<20; size *= 2 {
		if m, ok := readMeta(r, size, 1); ok && int64(m.pageSize) == size {
			return m, true, nil
		}
	}
	if !startsLikeState(r) {
		return meta{}, false, ErrForeign
	}
	return meta{}, false, fmt.Errorf("%w: its beginning makes no sense", ErrDamaged)
}

// startsLikeState says whether a file that has no whole meta page may have been a
// state: it shows a part of one, or nothing at all where one was.
func startsLikeState(r io.ReaderAt) bool {
	for at := int64(0); at <= 16<<20; at = max(1024, 2*at) {
		var page [metaStart + 4]byte
		_, _ = r.ReadAt(page[:], at) // of a file that was cut there is less
		header, magic := page[:metaStart], page[metaStart:]
		if binary.NativeEndian.Uint32(magic) == metaMagic {
			return true
		}
		if header[8] &^= metaFlag; at == 0 && [metaStart]byte(header) == [metaStart]byte{} {
			return true
		}
	}
	return false
}

func readMeta(r io.ReaderAt, at int64, number uint64) (meta, bool) {
	var page [metaSize]byte
	if _, err := r.ReadAt(page[:], at); err != nil {
		return meta{}, false
	}
	order, b := binary.NativeEndian, page[metaStart:]
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaChecksum]) // a hash takes everything
	if order.Uint32(b[0:]) != metaMagic || order.Uint32(b[4:]) != metaVersion || order.Uint64(b[metaChecksum:]) != sum.Sum64() {
		return meta{}, false
	}
	return meta{pageSize: order.Uint32(b[8:]), pages: order.Uint64(b[40:]), tx: order.Uint64(b[48:]),
		header: order.Uint64(page[0:]) == number && order.Uint16(page[8:]) == metaFlag}, true
}

// mend writes both meta pages anew: each commit writes the one that is not in
// use. One torn by a power cut is what bbolt keeps two for.
func mend(db *bbolt.DB) error {
	nothing := func(*bbolt.Tx) error { return nil }
	return errors.Join(db.Update(nothing), db.Update(nothing))
}
