package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/robfig/cron/v3"

	"nudge/engine"
	"nudge/engine/bolt"
)

// spec reads a cron expression that is right.
func spec(t *testing.T, s string) cron.Schedule {
	t.Helper()
	at, err := cron.ParseStandard(s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// night runs a nightly in a bubble of simulated time, in which copies fail as
// long as broken says something, and returns when each was tried.
func night(t *testing.T, at string, last time.Time, days int, broken func() error) (tried []time.Time, n *nightly, diary string) {
	t.Helper()
	var log bytes.Buffer
	n = &nightly{log: slog.New(slog.NewTextHandler(&log, nil)), last: func() (time.Time, error) { return last, nil },
		copy: func(now time.Time) (engine.BackupResult, error) {
			tried = append(tried, now.UTC())
			return engine.BackupResult{Path: "/b.db"}, broken()
		}}
	if at != "" {
		n.at = spec(t, at)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(days)*24*time.Hour)
	defer cancel()
	n.run(ctx)
	return tried, n, log.String()
}

func fine() error { return nil }

func TestACopyIsMadeEveryNight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins on 1 January 2000 at 00:00 UTC
		tried, n, diary := night(t, "10 2 * * *", time.Time{}, 3, fine)
		var want []time.Time
		for day := 1; day <= 3; day++ {
			want = append(want, time.Date(2000, 1, day, 2, 10, 0, 0, time.UTC))
		}
		if !slices.EqualFunc(tried, want, time.Time.Equal) || n.notices() != nil || strings.Count(diary, "backup made") != 3 {
			t.Errorf("%v, %v\n%s", tried, n.notices(), diary)
		}
	})
}

func TestANightThatWasMissedIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := time.Date(1999, 12, 30, 2, 10, 0, 0, time.UTC)
		if tried, _, _ := night(t, "10 2 * * *", before, 1, fine); len(tried) != 2 || !tried[0].Equal(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%v", tried)
		}
	})
}

func TestACopyFromAClockThatWasAheadDoesNotDelayTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if tried, _, _ := night(t, "10 2 * * *", time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), 1, fine); len(tried) != 1 {
			t.Errorf("%v", tried)
		}
	})
}

func TestNoneIsMadeWhereNoneIsWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, never := range []string{"", "0 0 30 2 *"} {
			if tried, _, _ := night(t, never, time.Time{}, 400, fine); len(tried) != 0 {
				t.Errorf("%q: %v", never, tried)
			}
		}
	})
}

func TestAFailedCopyIsToldAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 5
		tried, n, diary := night(t, "10 2 * * *", time.Time{}, 1, func() error {
			if left--; left >= 0 {
				return errors.New("no space left on device")
			}
			return nil
		})
		if len(tried) != 6 || tried[5].Sub(tried[0]) != 5*time.Hour {
			t.Errorf("tried %v", tried)
		}
		if strings.Count(diary, "no backup was made") != 1 || strings.Count(diary, "backup made") != 1 || n.notices() != nil {
			t.Errorf("%v\n%s", n.notices(), diary)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		_, n, _ := night(t, "10 2 * * *", time.Time{}, 1, func() error { return errors.New("no space left on device") })
		if told := n.notices(); len(told) != 1 || told[0] != "the backup of Sat 1 Jan 23:10 failed: no space left on device" {
			t.Errorf("%q", told)
		}
	})
}

func TestAnHourThatTheClockSkipsIsNoNightWithoutACopy(t *testing.T) {
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	was := time.Local
	time.Local = stockholm
	defer func() { time.Local = was }()
	at := spec(t, "10 2 * * *")
	last := time.Date(2026, 3, 27, 2, 10, 0, 0, stockholm)
	var days []int
	for range 4 {
		last = nextBackup(at, last)
		days = append(days, last.In(stockholm).Day())
	}
	if !slices.Equal(days, []int{28, 29, 30, 31}) {
		t.Errorf("copies on March %v", days)
	}
}

// copier makes empty copies.
type copier struct{ engine.Keeper }

func (copier) Backup(path string, now time.Time) (engine.BackupResult, error) {
	return engine.BackupResult{Path: path, At: now}, os.WriteFile(path, nil, 0o600)
}

func TestOnlyTheDaemonsOwnCopiesAreForgotten(t *testing.T) {
	a := archive{copier{}, filepath.Join(t.TempDir(), "backups"), true}
	if at, err := a.newest(); err != nil || !at.IsZero() {
		t.Errorf("no folder yet: %v, %v", at, err)
	}
	start := time.Date(2026, 11, 20, 2, 10, 0, 0, time.UTC)
	if _, err := a.Backup(filepath.Join(a.dir, bolt.BackupName(byHand, start)), start); err != nil {
		t.Fatal(err)
	}
	killed := "." + bolt.BackupName(byHand, start.AddDate(0, 0, -2)) + ".new-7" // in the middle of a copy
	if err := os.WriteFile(filepath.Join(a.dir, killed), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if _, err := a.nightly(3, start.AddDate(0, 0, i)); err != nil {
			t.Fatal(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(a.dir, "*"))
	for i := range left {
		left[i] = filepath.Base(left[i])
	}
	want := []string{"nightly-20261122T021000Z.db", "nightly-20261123T021000Z.db", "nightly-20261124T021000Z.db", "nudge-20261120T021000Z.db"}
	if err != nil || !slices.Equal(left, want) {
		t.Errorf("%v, %v", left, err)
	}
	if at, err := a.newest(); err != nil || !at.Equal(start.AddDate(0, 0, 4)) {
		t.Errorf("newest %v, %v", at, err)
	}
	info, err := os.Stat(a.dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
