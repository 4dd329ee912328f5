package sequences

import "time"

// wallClock is what the clocks of t's location show at t, written as a UTC
// time: arithmetic on it knows no summer time.
func wallClock(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.Round(0).UTC().Add(time.Duration(offset) * time.Second)
}

// moment is when the clocks of loc show wall (a UTC time as wallClock gives
// it). A reading that comes twice is the first of the two. For a reading that
// is skipped, at is as much later as the clocks were moved, and gapEnd is the
// first moment after the gap; else gapEnd is zero.
//
// time.Date does not promise which side of a gap or overlap it takes, so the
// zone's own bounds are walked here.
func moment(wall time.Time, loc *time.Location) (at, gapEnd time.Time) {
	// No zone is more than 16 hours from UTC, so this is before the reading.
	in := wall.Add(-26 * time.Hour).In(loc)
	var before time.Time
	for {
		_, offset := in.Zone()
		end := nextChange(in)
		at := wall.Add(-time.Duration(offset) * time.Second).In(loc)
		switch {
		case !before.IsZero() && at.Before(in):
			return before, in
		case end.IsZero() || at.Before(end):
			return at, time.Time{}
		}
		before, in = at, end
	}
}

// nextChange is a moment after t up to which the clocks of t's location run
// evenly: their next change or a year's end, or zero when nothing will change.
//
// Go computes the bounds of a zone's last rule year by year and counts every
// year as 365 days, so that on the last day of a leap year the end it gives
// has passed. Whoever walks from bound to bound stands still there for ever.
func nextChange(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if end.IsZero() || end.After(t) {
		return end
	}
	return time.Date(t.UTC().Year()+1, 1, 1, 0, 0, 0, 0, time.UTC).In(t.Location())
}
